"""The line of batches: the next is made ready while one is written, and they are written in order, each once."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from backbone.failures import Retry
from backbone.settings import Settings
from consumers.coordination.consumer import Consumer, _Places
from consumers.coordination.innlesing import Record

PLACE = TopicPartition("skole.hendelser", 0)
BATCH = 2


class Kafka:
    """One partition that ends at `end`."""

    def __init__(self, end: int) -> None:
        self.end = end
        self.at = 0
        self.committed = 0

    async def getmany(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        await asyncio.sleep(0)
        first, self.at = self.at, min(self.at + max_records, self.end)
        if first == self.at:
            await asyncio.sleep(timeout_ms / 1000)
        return {PLACE: [_record(offset) for offset in range(first, self.at)]}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.committed = offsets[PLACE]

    def assignment(self) -> Collection[TopicPartition]:
        return [PLACE]


def _record(offset: int) -> "ConsumerRecord[bytes, bytes]":
    return ConsumerRecord(*PLACE, offset, 0, 0, b"", b"", None, 0, 0, ())


class Handler:
    """Writes what happens into `said`."""

    def __init__(self, during: Callable[[int], Awaitable[None]] | None = None) -> None:
        self.said: list[tuple[str, int]] = []
        self.fails: list[Exception] = []
        self.during = during

    async def prepare(self, records: Sequence[Record]) -> int:
        self.said.append(("prepared", records[0].offset))
        return records[0].offset

    async def handle(self, records: Sequence[Record], *, ahead: Awaitable[int] | None = None) -> None:
        first = await ahead if ahead else await self.prepare(records)
        if self.during:
            await self.during(first)
        if self.fails:
            raise self.fails.pop()
        self.said.append(("written", first))


async def reading(kafka: Kafka, handler: Handler, places: Any, until: Callable[[], bool]) -> None:
    nothing: Any = None
    settings = Settings(consumer_batch=BATCH)
    made = Consumer(handler, nothing, settings, [PLACE.topic], random.Random(1))  # type: ignore[arg-type]  # a fake
    stop = asyncio.Event()
    task = asyncio.create_task(made._read(kafka, places, stop))
    async with asyncio.timeout(20):
        while not until():
            await asyncio.sleep(0.001)
        stop.set()
        await task


def assigned() -> _Places:
    nothing: Any = None
    places = _Places(nothing, nothing)
    places.found = True
    return places


async def test_the_next_batch_is_made_ready_while_one_is_written_and_none_is_overtaken() -> None:
    async def until_the_next_is_ready(first: int) -> None:
        if first == 0:
            while ("prepared", BATCH) not in handler.said:
                await asyncio.sleep(0)

    kafka, handler = Kafka(end=6), Handler(until_the_next_is_ready)
    await reading(kafka, handler, assigned(), lambda: kafka.committed == 6)
    assert [at for what, at in handler.said if what == "written"] == [0, 2, 4]
    assert handler.said.index(("prepared", 2)) < handler.said.index(("written", 0))
    assert handler.said.count(("prepared", 2)) == 1


async def test_offsets_are_committed_for_what_is_written_and_not_for_what_is_ready() -> None:
    seen: list[int] = []

    async def look(first: int) -> None:
        seen.append(kafka.committed - first)

    kafka, handler = Kafka(end=6), Handler(look)
    await reading(kafka, handler, assigned(), lambda: kafka.committed == 6)
    assert seen == [0, 0, 0]


async def test_a_batch_that_has_to_wait_is_prepared_anew_and_goes_before_the_next() -> None:
    kafka, handler = Kafka(end=4), Handler()
    handler.fails = [Retry("away")]
    await reading(kafka, handler, assigned(), lambda: kafka.committed == 4)
    assert [at for what, at in handler.said if what == "written"] == [0, 2]
    assert handler.said.count(("prepared", 0)) == 2


async def test_after_a_rebalance_what_was_fetched_before_it_is_thrown_away_and_read_again() -> None:
    async def rebalance(first: int) -> None:
        if first == 0:
            while ("prepared", BATCH) not in handler.said:
                await asyncio.sleep(0)
            await places.on_partitions_revoked([PLACE])
            kafka.at = BATCH  # from where the database says
            places.found = True

    kafka, handler, places = Kafka(end=4), Handler(), assigned()
    handler.during = rebalance
    await reading(kafka, handler, places, lambda: kafka.committed == 4)
    assert [at for what, at in handler.said if what == "written"] == [0, 2]
    assert handler.said.count(("prepared", 2)) == 2


async def test_a_stop_leaves_what_is_ready_for_the_next_start() -> None:
    kafka, handler, before = Kafka(end=100), Handler(), asyncio.all_tasks()
    await reading(kafka, handler, assigned(), lambda: kafka.committed >= 10)
    written = [at for what, at in handler.said if what == "written"]
    assert written == list(range(0, len(written) * BATCH, BATCH))
    assert len(written) * BATCH - kafka.committed in (0, BATCH), (
        "what was written at the stop is known to the database"
    )
    assert asyncio.all_tasks() <= before
