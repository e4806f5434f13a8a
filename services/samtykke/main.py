"""The process samtykke: its HTTP API, the clockwork that lets consents run out, and the relay of its own
events.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack

from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.clock import Clock, system_clock
from backbone.database import DATABASE_AWAY, create_engine, driver
from backbone.failures import Failing, Retry, backoff
from backbone.http import serve
from backbone.relay import Relay
from backbone.sealer import Sealer
from backbone.settings import Settings
from contracts import samtykke_api as api
from contracts.catalogue import Catalogue
from contracts.tjenester import SAMTYKKE
from services.samtykke import porter
from services.samtykke.app import build
from services.samtykke.endringer import Feed
from services.samtykke.forvaltning import Consents
from services.samtykke.porter import Kjerne
from services.samtykke.samtykker import EXPIRY_BATCH, Ledger
from services.samtykke.sletting import Erasures

log = logging.getLogger(__name__)

POOL = 20
TICK_S = 1.0
"""How late the feed may say that a consent has run out. The gates themselves look at the clock."""


class LocalDecider:
    """The gate and the feed for samtykke's own relay, without a way round by HTTP."""

    def __init__(self, kjerne: Kjerne, feed: Feed) -> None:
        self._kjerne = kjerne
        self._feed = feed

    async def decide(self, tjeneste: str, items: Sequence[api.AvgjorelseItem]) -> list[api.Avgjorelse]:
        """Raises Retry when the database is away, and Failing, as a 500 over HTTP is, for what nobody thought of: the
        relay then looks for the row that it fails on, and samtykke itself goes on."""
        try:
            return await porter.decide_batch(self._kjerne, tjeneste, items, f"system:{SAMTYKKE}")
        except DATABASE_AWAY as error:
            raise Retry(type(error).__name__) from None
        except Exception as error:
            log.error("a decision of samtykke's own events failed: %s", type(error).__name__)
            raise Failing(type(error).__name__) from None

    async def changes(self, after: int, wait_s: float = 0.0) -> api.EndringerUt:
        """Raises Retry when the database is away."""
        try:
            return await self._feed.after(after, wait_s)
        except DATABASE_AWAY as error:
            raise Retry(type(error).__name__) from None


async def run(
    settings: Settings, catalogue: Catalogue, stop: asyncio.Event, clock: Clock = system_clock
) -> None:
    """Until `stop` is set. Raises OSError when the port is taken."""
    async with AsyncExitStack() as stack:
        engine = create_engine(settings, "samtykke", pool_size=POOL)
        stack.push_async_callback(engine.dispose)
        nokler = create_engine(settings, "nokler", pool_size=POOL)
        stack.push_async_callback(nokler.dispose)
        kjerne = Kjerne.build(settings, catalogue, engine, nokler, clock)
        ledger, feed = Ledger(settings, kjerne.keys), Feed(engine, stop)
        app = build(settings, kjerne, Consents(kjerne, ledger), feed, clock)
        decider = LocalDecider(kjerne, feed)
        relay = Relay(engine, SAMTYKKE, decider, settings, catalogue, clock, random.Random())
        async with asyncio.TaskGroup() as group:
            group.create_task(serve(app, settings.host, settings.samtykke_port, stop))
            group.create_task(clockwork(engine, ledger, Erasures(kjerne), clock, stop))
            group.create_task(relay.run(stop))
            group.create_task(Sealer(engine, SAMTYKKE, settings, clock, random.Random()).run(stop))


async def clockwork(
    engine: AsyncEngine, ledger: Ledger, erasures: Erasures, clock: Clock, stop: asyncio.Event
) -> None:
    """Each second: writes down the consents that have run out, announces those that have begun, tells of children who
    have reached an age that rights hang on, and carries on the erasures."""
    waits = backoff(random.Random())
    while not stop.is_set():
        pause_s = TICK_S
        try:
            async with engine.begin() as conn:
                db, now = await driver(conn), clock()
                handled = max(await ledger.expire(db, now), await ledger.birthdays(db, now))
            await erasures.advance()
            if handled >= EXPIRY_BATCH:
                continue
            waits = backoff(random.Random())
        except DATABASE_AWAY as error:
            log.warning("clockwork waits: %s", type(error).__name__)
            pause_s = next(waits)
        try:
            async with asyncio.timeout(pause_s):
                await stop.wait()
        except TimeoutError:
            pass
