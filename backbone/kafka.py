"""Kafka: topics made as the contracts say, and a producer whose every outcome is known or said to be unknown."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import RecordMetadata, TopicPartition

from backbone import metrics
from backbone.failures import Retry
from backbone.producer_end import end
from backbone.settings import MissingSecret, Settings
from contracts.envelope import Headers
from contracts.topics import Topic

log = logging.getLogger(__name__)

BATCH_BYTES = 1024 * 1024
"""aiokafka's 16 KiB would be some 17 events a round trip."""
FETCH_MIN_BYTES = 512 * 1024
"""What the broker gathers for a consumer that takes records in batches, for `fetch_max_wait_ms` at most: each batch
asks samtykke for keys, however small it is."""
RECORD_BYTES_MAX = 1024 * 1024
"""aiokafka's and the broker's own limit."""
PATIENCE_S = 15.0
"""How long a partition with something to read may stand still."""
STARVED_TIMES = 8
"""So much longer while the consumer always has more than it can take, from other partitions."""


def bootstrap(settings: Settings) -> str:
    """Raises MissingSecret where no broker is named."""
    if settings.kafka is None:
        raise MissingSecret("SAMSPOR_KAFKA must name a broker (the embedded run sets it itself)")
    return settings.kafka


async def ensure_topics(settings: Settings, topics: Iterable[Topic]) -> None:
    """Creates the topics that don't exist yet; those that do are left as they are. Raises KafkaError."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap(settings))
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [
            NewTopic(
                settings.topic(topic.navn),
                topic.partitions,
                settings.replication_factor,
                topic_configs={
                    "retention.ms": str(topic.retention_ms),
                    "min.insync.replicas": str(max(topic.min_insync_replicas, settings.min_insync_replicas)),
                    **topic.config,
                },
            )
            for topic in topics
            if settings.topic(topic.navn) not in existing
        ]
        if missing:
            answer = await admin.create_topics(missing)
            for name, code, *_ in answer.topic_errors:
                error = for_code(code)
                if code and error is not TopicAlreadyExistsError:
                    raise error(name)
    finally:
        await admin.close()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to send."""

    topic: str
    key: bytes
    headers: Headers
    value: bytes

    @property
    def fits(self) -> bool:
        """Whether Kafka takes a record this large; one that does not fit would be tried for ever."""
        size: int = DefaultRecordBatchBuilder.estimate_size_in_bytes(self.key, self.value, self.headers)
        return size <= RECORD_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Sent:
    """Where an acknowledged record stands."""

    topic: str
    partition: int
    offset: int


class Publisher:
    """An idempotent producer, acks=all. A stuck one (aiokafka #1017, #1101) is thrown away and made anew.

    Records are put into Kafka's own batches here, by the partition of their key: a future and a call for each record
    would be half of what sending costs. An outcome not seen in time is unknown: the caller sends again, and readers
    drop the duplicate.
    """

    def __init__(self, settings: Settings, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def send(self, records: Sequence[Outgoing]) -> list[Sent | None]:
        """Sends those of one key in order, waits for every acknowledgement; None where the outcome is unknown.

        Raises Retry when Kafka can't be reached at all.
        """
        producer = await self._started()
        pending: list[tuple[list[int], asyncio.Future[RecordMetadata]]] = []
        try:
            async with asyncio.timeout(self._settings.delivery_timeout_s):
                for (topic, partition), numbers in (await _by_partition(producer, records)).items():
                    for some, batch in _batches(producer, records, numbers):
                        future = await producer.send_batch(batch, topic, partition=partition)
                        pending.append((some, future))
                if pending:
                    await asyncio.wait([future for _, future in pending])
        except (TimeoutError, KafkaError) as error:
            log.warning("producer %s: %s", self._client_id, type(error).__name__)
        outcomes: list[Sent | None] = [None] * len(records)
        for some, future in pending:
            first = _outcome(future)
            if first is not None:
                for place, number in enumerate(some):
                    outcomes[number] = Sent(first.topic, first.partition, first.offset + place)
        if None in outcomes:
            metrics.PRODUCER_RENEWED.labels(self._client_id).inc()
            await self.close()
        return outcomes

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:  # two at once would each make one, and one of them be forgotten
            return self._producer or await self._made()

    async def _made(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap(self._settings),
            client_id=self._client_id,
            enable_idempotence=True,
            acks="all",
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=int(self._settings.delivery_timeout_s * 1000),
            linger_ms=2,
        )
        try:
            async with asyncio.timeout(self._settings.delivery_timeout_s):
                await producer.start()
        except (TimeoutError, KafkaError, OSError) as error:
            await end(producer)
            raise Retry(type(error).__name__) from None
        except asyncio.CancelledError:
            await end(producer)
            raise
        self._producer = producer
        return producer

    async def ready(self) -> None:
        """Starts the producer ahead of the first record. Raises Retry when Kafka can't be reached."""
        await self._started()

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await end(producer)


async def _by_partition(
    producer: AIOKafkaProducer, records: Sequence[Outgoing]
) -> dict[tuple[str, int], list[int]]:
    """Places in `records` by (topic, partition), the partition as every Kafka client takes it from the key."""
    partition_of = DefaultPartitioner()
    partitions = {topic: sorted(await producer.partitions_for(topic)) for topic in {r.topic for r in records}}
    found: dict[tuple[str, bytes], list[int]] = {}
    placed: dict[tuple[str, int], list[int]] = defaultdict(list)
    for number, r in enumerate(records):
        numbers = found.get((r.topic, r.key))
        if numbers is None:
            every = partitions[r.topic]
            numbers = found[r.topic, r.key] = placed[r.topic, partition_of(r.key, every, every)]
        numbers.append(number)
    return placed


def _batches(
    producer: AIOKafkaProducer, records: Sequence[Outgoing], numbers: Iterable[int]
) -> Iterator[tuple[list[int], BatchBuilder]]:
    """Full batches of one partition's records, each with the places of its records. One record always fits into an
    empty batch (see `Outgoing.fits` for what the broker takes)."""
    batch, some = producer.create_batch(), list[int]()
    for number in numbers:
        r = records[number]
        if batch.append(timestamp=None, key=r.key, value=r.value, headers=r.headers) is None:
            yield some, batch
            batch, some = producer.create_batch(), []
            batch.append(timestamp=None, key=r.key, value=r.value, headers=r.headers)
        some.append(number)
    batch.close()
    yield some, batch


class Standstill(Retry):
    """There is something to read and nothing comes (aiokafka #1154): the consumer is to be made anew."""


class Watch:
    """Asks a consumer from time to time whether each of its partitions gets on."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._looked = asyncio.get_running_loop().time()
        self._waiting: dict[TopicPartition, tuple[int, float]] = {}

    async def look(self, consumer: AIOKafkaConsumer, *, drained: bool = True) -> None:
        """Raises Standstill where a partition has something to read and stands where it stood `patience_s` ago, or
        does not know its position; KafkaError.

        `drained`: all that had come was taken. Where it was not, a partition may be in line behind the others, and is
        given STARVED_TIMES as long.
        """
        now = asyncio.get_running_loop().time()
        if now - self._looked < self._patience_s:
            return
        try:
            async with asyncio.timeout(self._patience_s):
                ends = await consumer.end_offsets(consumer.assignment())
                waiting = {tp: at for tp, end in ends.items() if (at := await consumer.position(tp)) < end}
        except TimeoutError:
            raise Standstill("no position") from None
        standing = {
            tp: self._waiting[tp] for tp, at in waiting.items() if self._waiting.get(tp, (None,))[0] == at
        }
        longest_s = self._patience_s * (1 if drained else STARVED_TIMES)
        if any(now - since >= longest_s for _, since in standing.values()):
            raise Standstill("lag")
        self._waiting = {tp: (at, now) for tp, at in waiting.items()} | standing
        self._looked = now


def _outcome(future: "asyncio.Future[RecordMetadata]") -> Sent | None:
    if not future.done():
        future.cancel()
        return None
    if future.cancelled() or future.exception() is not None:
        return None
    metadata = future.result()
    return Sent(metadata.topic, metadata.partition, metadata.offset)
