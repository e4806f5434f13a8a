"""What FastStream costs for a part of the work: every record into one table, nothing opened, decided or derived.

In batches its consumer is aiokafka's own, so the distance to the bare program is its loop and message objects; one
message at a time, each record pays a round trip to the database and one to Kafka for its offset.
"""

from typing import Any

from aiokafka import ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage

from backbone.kafka import bootstrap
from tests.benchmarks.flow import bare_table, count_rows, rate
from tests.benchmarks.stand import TJENESTE, Stand


async def batch(stand: Stand, count: int) -> float:
    """Records a second: the batch subscriber and COPY, acknowledged after."""
    broker = KafkaBroker(bootstrap(stand.settings), logger=None)
    async with stand.database("samordning") as conn:
        await bare_table(conn)

        @broker.subscriber(
            stand.settings.topic(f"{TJENESTE}.hendelser"),
            batch=True,
            max_records=stand.settings.consumer_batch,
            group_id=f"{stand.settings.topic_prefix}faststream-batch",
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
        )
        async def keep(bodies: list[bytes], message: KafkaMessage) -> None:
            records: Any = message.raw_message
            await conn.copy_records_to_table("bare", records=[_row(r) for r in records])
            await message.ack()

        return await _rate(stand, broker, count)


async def one_at_a_time(stand: Stand, count: int) -> float:
    """Records a second: a row and an acknowledgement for each message. Stops after `count`, which may be a part."""
    broker = KafkaBroker(bootstrap(stand.settings), logger=None)
    async with stand.database("samordning") as conn:
        await bare_table(conn)

        @broker.subscriber(
            stand.settings.topic(f"{TJENESTE}.hendelser"),
            group_id=f"{stand.settings.topic_prefix}faststream-single",
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
        )
        async def keep(body: bytes, message: KafkaMessage) -> None:
            record: Any = message.raw_message
            await conn.execute("INSERT INTO bare VALUES ($1, $2, $3, $4, $5)", *_row(record))
            await message.ack()

        return await _rate(stand, broker, count)


async def _rate(stand: Stand, broker: KafkaBroker, count: int) -> float:
    async with stand.database("samordning") as look:
        await broker.start()
        try:
            return await rate(lambda: count_rows(look, "SELECT count(*) FROM bare"), count)
        finally:
            await broker.stop()


def _row(record: "ConsumerRecord[bytes, bytes]") -> tuple[Any, ...]:
    return record.topic, record.partition, record.offset, record.key, record.value
