"""What coordination does besides reading Kafka: time, samtykke's change feed, a sweep, and the dead
letters."""

import asyncio
import base64
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Protocol

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.clock import Clock
from backbone.database import driver
from backbone.failures import backoff
from backbone.kafka import Outgoing, Publisher
from backbone.samtykke_client import Rejected
from backbone.settings import Settings
from consumers.coordination import store
from consumers.coordination.consumer import AWAY, BROKEN, pause
from consumers.coordination.handler import SET_ASIDE, Handler
from contracts import samtykke_api as api
from contracts.topics import PARKERT

log = logging.getLogger(__name__)

CHUNK = 500
TIMER_S = 1.0
FEED_WAIT_S = 5.0
SWEEP_S = 60.0
DEAD_LETTER_S = 1.0
_FIRST = "00000000-0000-0000-0000-000000000000"
_READER = "samordning"

Step = Callable[[], Awaitable[float]]
"""Does what there is to do; how many seconds to wait before the next time (0: there is more)."""


class Feed(Protocol):
    """samtykke's change feed. Raises Retry when it can't answer."""

    async def changes(self, after: int, wait_s: float = 0.0) -> api.EndringerUt: ...


async def steadily(name: str, step: Step, stop: asyncio.Event, rng: random.Random) -> None:
    """Repeats `step` until `stop` is set; a neighbour that is away is waited for."""
    waits = backoff(rng)
    while not stop.is_set():
        try:
            seconds = await _until_stopped(step, stop)
            waits = backoff(rng)
        except (*AWAY, Rejected) as error:
            log.warning("%s waits: %s", name, type(error).__name__)
            seconds = next(waits)
        if seconds:
            await pause(stop, seconds)


async def _until_stopped(step: Step, stop: asyncio.Event) -> float:
    """The step, given up when `stop` is set: a long poll must not hold the process up, and a transaction rolls
    back."""
    working, stopping = asyncio.ensure_future(step()), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else 0.0
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


class Loops:
    """The steps, each to be repeated by `steadily`."""

    def __init__(
        self, handler: Handler, engine: AsyncEngine, feed: Feed, settings: Settings, clock: Clock
    ) -> None:
        self._handler = handler
        self._engine = engine
        self._feed = feed
        self._clock = clock
        self._publisher = Publisher(settings, "samspor-samordning-parkert")
        self._topic = settings.topic(PARKERT.navn)

    async def timers(self) -> float:
        """Children whose duties time alone may have changed."""
        async with self._engine.connect() as conn:
            due = await store.due(await driver(conn), self._clock(), CHUNK)
        await self._refresh(due)
        return 0 if len(due) == CHUNK else TIMER_S

    async def changes(self) -> float:
        """Children that samtykke says have changed, of those we keep something for."""
        async with self._engine.connect() as conn:
            last = await store.feed_position(await driver(conn), _READER)
        answer = await self._feed.changes(last, FEED_WAIT_S)
        if answer["siste"] > last:
            async with self._engine.connect() as conn:
                concerned = await store.known(await driver(conn), answer["subjects"])
            await self._refresh(concerned)
            async with self._engine.begin() as conn:
                await store.save_feed_position(await driver(conn), _READER, answer["siste"])
        return 0

    async def sweep(self) -> float:
        """The net beneath the change feed: everybody with something waiting is asked about again."""
        after = _FIRST
        while True:
            async with self._engine.connect() as conn:
                subjects = await store.held_back(await driver(conn), after, CHUNK)
            await self._refresh(subjects)
            if len(subjects) < CHUNK:
                return SWEEP_S
            after = subjects[-1]

    async def dead_letters(self) -> float:
        """Parked records go to the dead-letter topic too, at least once."""
        async with self._engine.connect() as conn:
            rows = await store.unsent(await driver(conn), CHUNK)
        if not rows:
            return DEAD_LETTER_S
        outcomes = await self._publisher.send([_dead_letter(self._topic, row) for row in rows])
        sent = [row for row, place in zip(rows, outcomes, strict=True) if place is not None]
        async with self._engine.begin() as conn:
            await store.mark_sent(await driver(conn), sent, self._clock())
        return 0 if len(sent) == len(rows) else DEAD_LETTER_S

    async def close(self) -> None:
        await self._publisher.close()

    async def _refresh(self, subjects: Sequence[str]) -> None:
        for start in range(0, len(subjects), CHUNK):
            await self._one_by_one(subjects[start : start + CHUNK])

    async def _one_by_one(self, subjects: Collection[str]) -> None:
        """All at once; should that meet a bug, one at a time, so that one child holds up no other."""
        if not subjects:
            return
        try:
            await self._handler.refresh(subjects)
        except Exception as error:
            if isinstance(error, (*AWAY, Rejected)) and not isinstance(error, BROKEN):
                raise
            if len(subjects) == 1:
                (subject,) = subjects
                log.error("a child's duties can't be derived: %s", type(error).__name__)
                async with self._engine.begin() as conn:
                    await store.postpone(await driver(conn), subject, self._clock() + SET_ASIDE)
                return
            for subject in subjects:
                await self._one_by_one([subject])


def _dead_letter(topic: str, row: Any) -> Outgoing:
    headers = [
        (name, b"" if value is None else base64.b64decode(value))
        for name, value in orjson.loads(row["hoder"])
    ]
    origin = {
        "grunn": row["grunn"],
        "topic": row["topic"],
        "partition": row["partition"],
        "offset": row["offset"],
    }
    headers += [(f"parkert_{name}", str(value).encode()) for name, value in origin.items()]
    return Outgoing(topic, row["nokkel"] or b"", headers, row["innhold"] or b"")
