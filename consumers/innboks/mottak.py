"""From the topic `barnevern.innboks` to the inbox's database.

The position in the database, written with the reports, is the only one: partitions are assigned by hand, so nothing
waits for a group to gather, and two processes at once do no harm. Nothing is counted or logged by report.
"""

import asyncio
import logging
import random
import uuid
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from backbone.clock import Clock
from backbone.consumer_end import end
from backbone.database import DATABASE_AWAY
from backbone.failures import Retry, backoff, unless_cancelled
from backbone.kafka import Watch, bootstrap
from backbone.settings import Settings
from consumers.innboks.lager import Arrived, Lager, Parked
from contracts.envelope import ContractError
from contracts.innboks import from_headers
from contracts.topics import INNBOKS

log = logging.getLogger(__name__)

BATCH = 500
WAIT_MS = 500
WAIT_S_MAX = 1.0
TIDY_S = 60.0


class Mottak:
    """The reader of one inbox process."""

    def __init__(self, settings: Settings, lager: Lager, clock: Clock) -> None:
        self._settings = settings
        self._lager = lager
        self._clock = clock
        self._topic = settings.topic(INNBOKS.navn)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Kafka or the database away: tried again, with short pauses."""
        waits = backoff(random.Random(), most_s=WAIT_S_MAX)
        while not stop.is_set():
            try:
                await self._read(stop)
                waits = backoff(random.Random(), most_s=WAIT_S_MAX)
            except (Retry, KafkaError, *DATABASE_AWAY, asyncio.CancelledError) as error:
                unless_cancelled()
                log.warning("the inbox waits: %s", type(error).__name__)
                await _pause(stop, next(waits))

    async def tidy(self, stop: asyncio.Event) -> None:
        """Each minute, until `stop`."""
        while not stop.is_set():
            try:
                if not await self._lager.tidy(self._clock()):
                    log.error("something in the inbox is sealed to a key that is not set")
            except DATABASE_AWAY as error:
                log.warning("the inbox waits: %s", type(error).__name__)
            await _pause(stop, TIDY_S)

    async def _read(self, stop: asyncio.Event) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap(self._settings),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        try:
            async with asyncio.timeout(self._settings.delivery_timeout_s):
                await consumer.start()
                await self._seek(consumer)
            watch = Watch()
            while not stop.is_set():
                batch = await consumer.getmany(timeout_ms=WAIT_MS, max_records=BATCH)
                if batch:
                    await self._take([record for records in batch.values() for record in records])
                await watch.look(consumer)
        finally:
            await end(consumer)

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        reached = await self._lager.positions()
        places = [TopicPartition(self._topic, number) for number in range(INNBOKS.partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        for place in places:
            at = reached.get(place.partition, 0)
            # A topic made anew is shorter than the database knows it.
            consumer.seek(place, at if at <= ends[place] else 0)

    async def _take(self, records: list[Any]) -> None:
        arrived, parked, reached = [], [], dict[int, int]()
        for record in records:
            reached[record.partition] = record.offset + 1
            try:
                id_, key_id = from_headers(record.headers)
                arrived.append(Arrived(uuid.UUID(id_), key_id, record.value or b""))
            except (ContractError, ValueError) as error:
                parked.append(Parked(record.partition, record.offset, type(error).__name__))
        await self._lager.take(arrived, parked, reached, self._clock())


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
