"""Forgetting an erased child: each part asks samtykke what it is to forget, does it, and says that it is done.

Asked again and again, so that a part which was away catches up; what was done twice was done once.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

from backbone.database import DATABASE_AWAY
from backbone.failures import Retry, backoff
from backbone.samtykke_client import Rejected, SamtykkeClient
from contracts.samtykke_api import Glemsel

log = logging.getLogger(__name__)

ASK_EACH_S = 2.0

Forget = Callable[[Glemsel], Awaitable[None]]


async def follow(samtykke: SamtykkeClient, mottaker: str, forget: Forget, stop: asyncio.Event) -> None:
    """Until `stop` is set. `forget` does all there is to do and may be called twice for the same erasure."""
    waits = backoff(random.Random())
    while not stop.is_set():
        pause_s = ASK_EACH_S
        try:
            for glemsel in await samtykke.to_forget(mottaker):
                await forget(glemsel)
                await samtykke.forgotten(glemsel["sletting"], mottaker)
            waits = backoff(random.Random())
        except (Retry, Rejected, *DATABASE_AWAY) as error:
            log.warning("forgetting in %s waits: %s", mottaker, type(error).__name__)
            pause_s = next(waits)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await stop.wait()
