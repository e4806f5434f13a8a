"""Set-up of the engines: fetch Kafka's jars, and teach the JVM to start Kafka in a third of the time.

`python -m deploy.engines.prepare` starts the broker once and uses it as the processes will; at its exit the JVM
writes down the classes as it had them loaded and linked (JEP 483, 514). Without that file all works, only slower.
"""

import asyncio
import logging
import os
import tempfile
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.engines import jars
from deploy.engines.kafka import EmbeddedKafka, start_up_cache

# The JVM writes the file after the broker has stopped.
WRITING_TIMEOUT_S = 120


async def train(cache: Path) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    unfinished = cache.with_suffix(f".{os.getpid()}.aot")
    with tempfile.TemporaryDirectory(prefix="samspor-") as data:
        broker = EmbeddedKafka(Path(data), jvm_flags=[f"-XX:AOTCacheOutput={unfinished}"])
        await broker.start()
        try:
            await broker.wait_ready()
            await _use(broker.bootstrap)
        finally:
            await broker.stop(WRITING_TIMEOUT_S)
    unfinished.rename(cache)


async def _use(bootstrap: str) -> None:
    topic, group = "training", "training"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"value", key=b"key", headers=[("name", b"value")])
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        record = await consumer.getone()
        await consumer.commit({TopicPartition(topic, record.partition): record.offset + 1})
    finally:
        await consumer.stop()


async def main() -> None:
    # A fresh broker makes its group topic while the consumer already asks for it: nothing to report.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    cache = start_up_cache(jars.class_path())
    if not cache.exists():
        await train(cache)


if __name__ == "__main__":
    asyncio.run(main())
