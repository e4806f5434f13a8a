"""From the topic `samordning.hendelser` to the portal's database, and a nudge to those who watch.

Effects and position are one transaction; offsets are committed after it, so a crash repeats and never loses.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from backbone import metrics, telemetry
from backbone.clock import Clock
from backbone.failures import Retry, backoff, unless_cancelled
from backbone.settings import Settings
from consumers.portal.varsellager import Parkert, Plass, Varsellager
from contracts.envelope import ContractError, Envelope, from_kafka
from contracts.tjenester import SAMORDNING
from contracts.topics import event_topic

log = logging.getLogger(__name__)

BATCH = 500
WAIT_MS = 500
GROUP = "portal"
_SAID = {
    "messaging.system": "kafka",
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
    "messaging.consumer.group.name": GROUP,
}
METADATA_MS = 5_000
"""The topic may be made after we asked for it, and must be noticed soon."""


class Varselmottak:
    """The consumer of one portal process."""

    def __init__(
        self, settings: Settings, lager: Varsellager, wake: Callable[[], None], clock: Clock
    ) -> None:
        self._settings = settings
        self._lager = lager
        self._wake = wake
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Kafka or the database away: tried again, with growing pauses."""
        waits = backoff(random.Random(), most_s=5.0)
        while not stop.is_set():
            try:
                await self._consume(stop)
            except (Retry, OSError, asyncio.CancelledError) as error:
                unless_cancelled()
                log.warning("alerts wait: %s", type(error).__name__)
                metrics.CONSUMER_RESTARTS.labels(GROUP, type(error).__name__).inc()
                await pause(next(waits), stop)
            else:
                waits = backoff(random.Random(), most_s=5.0)

    async def _consume(self, stop: asyncio.Event) -> None:
        # Imported here: the first page must not wait for a Kafka client to load.
        from aiokafka import AIOKafkaConsumer
        from aiokafka.errors import KafkaError

        from backbone.consumer_end import end
        from backbone.kafka import FETCH_MIN_BYTES, Watch

        topic = self._settings.topic(event_topic(SAMORDNING).navn)
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=self._settings.kafka,
            group_id=self._settings.topic(GROUP),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=self._settings.session_timeout_ms,
            fetch_min_bytes=FETCH_MIN_BYTES,
            fetch_max_wait_ms=self._settings.fetch_max_wait_ms,
            metadata_max_age_ms=METADATA_MS,
        )
        try:
            async with asyncio.timeout(self._settings.delivery_timeout_s):
                await consumer.start()
            watch = Watch()
            while not stop.is_set():
                batch = await consumer.getmany(timeout_ms=WAIT_MS, max_records=BATCH)
                if batch:
                    positions = await self.handle(batch)
                    await consumer.commit(positions)
                await watch.look(consumer)
        except KafkaError as error:
            raise Retry(type(error).__name__) from None
        finally:
            await end(consumer)

    async def handle(self, batch: Mapping[Any, Sequence[Any]]) -> dict[Any, int]:
        """Take a batch in; the next offset of each partition. Raises Retry."""
        began = time.perf_counter()
        envelopes: list[Envelope] = []
        parked: list[Parkert] = []
        for records in batch.values():
            for record in records:
                try:
                    envelopes.append(from_kafka(record.headers))
                except ContractError as error:
                    parked.append(
                        Parkert(record.topic, record.partition, record.offset, type(error).__name__)
                    )
        following = {tp: records[-1].offset + 1 for tp, records in batch.items()}
        places: dict[Plass, int] = {(tp.topic, tp.partition): offset for tp, offset in following.items()}
        links = (e.traceparent for e in envelopes)
        with telemetry.span("process batch", "consumer", _SAID, links=links):
            spans = [telemetry.begin(f"process {GROUP}", "consumer", e.traceparent, _SAID) for e in envelopes]
            new = await self._lager.take(envelopes, places, parked, self._clock())
        for span in spans:
            span.end()
        metrics.CONSUMER_RECORDS.labels(GROUP).inc(len(envelopes) + len(parked))
        metrics.CONSUMER_BATCH_SECONDS.labels(GROUP).observe(time.perf_counter() - began)
        for p in parked:
            metrics.CONSUMER_PARKED.labels(GROUP, p.grunn).inc()
        if parked:
            log.error("%d records on %s are no alerts we can read", len(parked), SAMORDNING)
        if new:
            self._wake()
        return following


async def pause(seconds: float, stop: asyncio.Event) -> None:
    """Sleeps, but not through a stop."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
