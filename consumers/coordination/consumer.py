"""Kafka's side of coordination: batches in, offsets committed after the database.

aiokafka's own consumer beneath FastStream (deploy/decisions/0003). The position in the database, written in
the same transaction as the effects, is the truth; the group's committed offset follows it, for those who
look at the group. The next batch is fetched and made ready while this one is written.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import metrics
from backbone.consumer_end import end
from backbone.database import DATABASE_AWAY, driver
from backbone.failures import Retry, backoff, unless_cancelled
from backbone.kafka import FETCH_MIN_BYTES, PATIENCE_S, Standstill, Watch, bootstrap
from backbone.samtykke_client import Rejected
from backbone.settings import Settings
from consumers.coordination import store
from consumers.coordination.handler import Handler, Prepared
from consumers.coordination.innlesing import Parked, Record

log = logging.getLogger(__name__)

GROUP = "samordning"
FETCH_WAIT_MS = 200
ASSIGNMENT_WAIT_MS = 50
KAFKA_TIMEOUT_S = 10.0
ASSIGNED_WITHIN_S = 30.0
"""A group gathers for one session of a member that died, 10 s, and answers at once where all live."""
TRIES = 4
"""How often a record alone meets an error that nobody foresaw before it is parked: it may be its surroundings."""

AWAY = (Retry, *DATABASE_AWAY)
"""samtykke or the database is away: wait and try the same again."""
BROKEN = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
"""The database is there and will never take it."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Records fetched while the partitions were assigned for the `turn`-th time, and being made ready."""

    turn: int
    offsets: Mapping[TopicPartition, int]
    records: Sequence[Record]
    ready: asyncio.Task[Prepared]


class Consumer:
    """Reads `topics` (names with their prefix) and gives each batch to the handler until it is done."""

    def __init__(
        self,
        handler: Handler,
        engine: AsyncEngine,
        settings: Settings,
        topics: Collection[str],
        rng: random.Random,
    ) -> None:
        self._handler = handler
        self._engine = engine
        self._settings = settings
        self._topics = sorted(topics)
        self._rng = rng
        self._kafka: AIOKafkaConsumer | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Kafka away: wait and connect again."""
        waits = backoff(self._rng)
        while not stop.is_set():
            try:
                await self._session(stop)
                waits = backoff(self._rng)
            except (KafkaError, Standstill, OSError, asyncio.CancelledError) as error:
                unless_cancelled()
                log.warning("the consumer starts anew: %s", type(error).__name__)
                metrics.CONSUMER_RESTARTS.labels(GROUP, type(error).__name__).inc()
                await pause(stop, next(waits))

    async def ends(self) -> dict[TopicPartition, int]:
        """The end of each partition this process reads; empty when Kafka does not answer."""
        if self._kafka is None:
            return {}
        try:
            async with asyncio.timeout(KAFKA_TIMEOUT_S):
                return dict(await self._kafka.end_offsets(self._kafka.assignment()))
        except (KafkaError, TimeoutError):
            return {}

    async def _session(self, stop: asyncio.Event) -> None:
        kafka = AIOKafkaConsumer(
            bootstrap_servers=bootstrap(self._settings),
            group_id=self._settings.topic(GROUP),
            client_id="samspor-samordning",
            partition_assignment_strategy=(RangePartitionAssignor,),
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            # A killed process leaves its partitions waiting this long; a batch takes a second, heartbeats
            # run beside it.
            session_timeout_ms=self._settings.session_timeout_ms,
            heartbeat_interval_ms=max(self._settings.session_timeout_ms // 3, 1),
            fetch_min_bytes=FETCH_MIN_BYTES,
            fetch_max_wait_ms=self._settings.fetch_max_wait_ms,
            metadata_max_age_ms=30_000,
        )
        places = _Places(kafka, self._engine)
        kafka.subscribe(self._topics, listener=places)
        try:
            await kafka.start()
            self._kafka = kafka
            await self._read(kafka, places, stop)
        finally:
            self._kafka = None
            await end(kafka)

    async def _read(self, kafka: AIOKafkaConsumer, places: "_Places", stop: asyncio.Event) -> None:
        """While one batch is in the database's hands, the next is fetched and made ready. They are written one after
        the other."""
        watch = Watch(PATIENCE_S)
        ahead = asyncio.create_task(self._next(kafka, places, watch, stop))
        try:
            while not stop.is_set():
                batch = await ahead
                ahead = asyncio.create_task(self._next(kafka, places, watch, stop))
                if batch is not None:
                    await self._take(kafka, places, batch, stop)
        finally:
            await _dropped(ahead)
            if not ahead.cancelled() and not ahead.exception() and (batch := ahead.result()):
                await _dropped(batch.ready)

    async def _next(
        self, kafka: AIOKafkaConsumer, places: "_Places", watch: Watch, stop: asyncio.Event
    ) -> "_Batch | None":
        """None when nothing came for a while."""
        if not places.found:
            await self._find(places, stop)
            return None
        turn, at_most = places.turn, self._settings.consumer_batch
        came = await fetched(kafka, FETCH_WAIT_MS, at_most)
        if turn != places.turn:
            # A fetch goes on through a rebalance, and brings what the new assignment has, before its places are set.
            return None
        records = [_record(r) for part in came.values() for r in part]
        await watch.look(kafka, drained=len(records) < at_most)
        if not records:
            return None
        offsets = {tp: part[-1].offset + 1 for tp, part in came.items() if part}
        return _Batch(turn, offsets, records, asyncio.create_task(self._handler.prepare(records)))

    async def _find(self, places: "_Places", stop: asyncio.Event) -> None:
        waits = backoff(self._rng)
        while not stop.is_set():
            try:
                return await places.find()
            except Standstill:
                raise
            except AWAY as error:
                await self._wait(stop, waits, error)

    async def _take(
        self, kafka: AIOKafkaConsumer, places: "_Places", batch: "_Batch", stop: asyncio.Event
    ) -> None:
        try:
            # After a rebalance every partition is read again from where the database says.
            if batch.turn == places.turn:
                await self.until_done(batch.records, stop, batch.ready)
                if not stop.is_set():
                    await _commit(kafka, batch.offsets)
        finally:
            await _dropped(batch.ready)

    async def until_done(
        self, records: Sequence[Record], stop: asyncio.Event, ready: Awaitable[Prepared] | None = None
    ) -> None:
        """Handled, or (`stop` set) left for the next start. A record that can never be handled is found by
        halving, and parked: it holds up no other. `ready`: they are being prepared already."""
        waits = backoff(self._rng)
        unforeseen = 0
        while not stop.is_set():
            began = time.perf_counter()
            try:
                await self._handler.handle(records, ahead=ready)
                metrics.CONSUMER_RECORDS.labels(GROUP).inc(len(records))
                metrics.CONSUMER_BATCH_SECONDS.labels(GROUP).observe(time.perf_counter() - began)
                return
            except BROKEN as error:
                return await self._halve(records, stop, error)
            except Rejected as error:
                if error.status in (400, 422):
                    return await self._halve(records, stop, error)
                await self._wait(stop, waits, error)
            except AWAY as error:
                await self._wait(stop, waits, error)
            except Exception as error:
                unforeseen += 1
                if len(records) > 1 or unforeseen == TRIES:
                    return await self._halve(records, stop, error)
                await self._wait(stop, waits, error)
            ready = None

    async def _halve(self, records: Sequence[Record], stop: asyncio.Event, error: Exception) -> None:
        if len(records) > 1:
            middle = len(records) // 2
            await self.until_done(records[:middle], stop)
            await self.until_done(records[middle:], stop)
            return
        log.error("a record can't be handled: %s", type(error).__name__)
        await self._parked(Parked(records[0], f"feil-{type(error).__name__}"), stop)

    async def _parked(self, parked: Parked, stop: asyncio.Event) -> None:
        waits = backoff(self._rng)
        while not stop.is_set():
            try:
                return await self._handler.set_aside(parked)
            except AWAY as error:
                await self._wait(stop, waits, error)

    async def _wait(self, stop: asyncio.Event, waits: Iterator[float], error: Exception) -> None:
        log.warning("coordination waits: %s", type(error).__name__)
        metrics.CONSUMER_WAITS.labels(GROUP, type(error).__name__).inc()
        await pause(stop, next(waits))


class _Places(ConsumerRebalanceListener):  # type: ignore[misc]  # untyped library
    """Where each assigned partition is read from: where the database says, or its beginning. `turn` is another after
    each rebalance; `found`: this turn's places are set."""

    def __init__(self, kafka: AIOKafkaConsumer, engine: AsyncEngine) -> None:
        self._kafka = kafka
        self._engine = engine
        self._assigned: Collection[TopicPartition] = ()
        self.found = False
        self.turn = 0

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        self._assigned = ()
        self.found = False
        self.turn += 1

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._assigned = assigned

    async def find(self) -> None:
        """Sets every place, and `found` with them; no fetch may run beside it. Raises what AWAY names, Standstill,
        KafkaError."""
        turn, assigned = self.turn, list(self._assigned)
        if not assigned:
            # aiokafka joins no group for one that has not asked for anything in a long time. What comes is read again.
            await fetched(self._kafka, ASSIGNMENT_WAIT_MS)
            return
        async with asyncio.timeout(KAFKA_TIMEOUT_S):
            async with self._engine.connect() as conn:
                reached = await store.positions(await driver(conn))
            begins = await self._kafka.beginning_offsets(assigned)
            ends = await self._kafka.end_offsets(assigned)
        if turn != self.turn:
            return
        for tp in assigned:
            offset = reached.get((tp.topic, tp.partition), begins[tp])
            if offset > ends[tp]:
                log.warning(
                    "%s %d is shorter than the database knows it: a topic made anew", tp.topic, tp.partition
                )
                offset = begins[tp]
            self._kafka.seek(tp, offset)
        self.found = True


async def fetched(
    kafka: AIOKafkaConsumer, wait_ms: int, at_most: int | None = None
) -> Mapping[TopicPartition, Sequence[Any]]:
    """What comes within `wait_ms`. While the group gathers, aiokafka waits for as long as that takes. Raises Standstill
    where it takes too long, KafkaError."""
    try:
        async with asyncio.timeout(ASSIGNED_WITHIN_S + wait_ms / 1000):
            found: Mapping[TopicPartition, Sequence[Any]] = await kafka.getmany(
                timeout_ms=wait_ms, max_records=at_most
            )
            return found
    except TimeoutError:
        raise Standstill("no assignment") from None


async def _commit(kafka: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
    try:
        await kafka.commit(offsets)
    except KafkaError as error:
        # The database has the position; after a rebalance the new owner starts from there.
        log.warning("offsets not committed: %s", type(error).__name__)


async def _dropped(task: "asyncio.Task[Any]") -> None:
    """Ended, whatever came of it."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


async def pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


def _record(r: object) -> Record:
    return Record(r.topic, r.partition, r.offset, r.key, r.headers, r.value)  # type: ignore[attr-defined]  # untyped library
