"""Ending an aiokafka consumer so that nothing of it is left, and so that only who is told to end ends with it.

aiokafka's own `stop` waits for tasks that it has cancelled, and passes their CancelledError on: while the broker is
away it looks as if the caller were cancelled, whose task then ends without a word (a TaskGroup takes it for a wish).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from backbone.failures import unless_cancelled

STOP_S = 10.0
"""For each of the two: what waits for a broker that is away is given up."""


async def end(consumer: AIOKafkaConsumer) -> None:
    """Leaves the group and closes its connections, as far as the broker answers. Raises CancelledError where the caller
    was cancelled."""
    if not await _ended(consumer.stop):
        await _ended(consumer._client.close)


async def _ended(close: Callable[[], Awaitable[None]]) -> bool:
    try:
        with suppress(TimeoutError, KafkaError, OSError):
            async with asyncio.timeout(STOP_S):
                await close()
                return True
    except asyncio.CancelledError:
        unless_cancelled()
    return False
