"""The relay, and the programs that do nothing else beside it and beside coordination (consume.py).

Both sides read the same engines and the same number of bytes. A rate is taken between the first and the last row
seen, so that joining a consumer group is not counted on either side.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from backbone.journal import Journal, NewEvent
from contracts.envelope import Content
from tests.benchmarks.load import EVENTS_PER_CHILD, event, number
from tests.benchmarks.stand import KOMMUNE, ORGNR, TJENESTE, Stand, now

ACCEPT_BATCH = 2_000
POLL_S = 0.02
PATIENCE_S = 600


async def fill_journal(stand: Stand, count: int, seed: int, *, spread: bool = False) -> None:
    """Accepts `count` events straight into the journal: what the relay starts from. A child's events follow one
    another, or (`spread`) lie as far apart as they can."""
    rng, at = random.Random(seed), now()
    journal = Journal(stand.settings, TJENESTE)
    async with stand.database(TJENESTE) as conn:
        for first in range(0, count, ACCEPT_BATCH):
            events = []
            for nr in range(first, min(first + ACCEPT_BATCH, count)):
                child = nr % -(-count // EVENTS_PER_CHILD) if spread else nr // EVENTS_PER_CHILD
                person = number(child)
                body = event(person, f"{seed}-{nr}", nr, rng)
                events.append(
                    NewEvent(
                        id=f"{seed}-{nr}",
                        source=f"/{KOMMUNE}/{TJENESTE}/{ORGNR}",
                        type=f"no.samspor.{TJENESTE}.{body['type']}",
                        kommune=KOMMUNE,
                        orgnr=ORGNR,
                        time=at,
                        content=Content(nokkel=body["nokkel"], data=body["data"]),
                        person=person,
                    )
                )
            async with conn.transaction():
                await journal.append(conn, events, at)


async def relay(stand: Stand, count: int) -> float:
    """Rows a second from the journal to acknowledged and marked, decided by samtykke over HTTP and sealed on the way.

    The relay is the process that it is in production, and marks each row with the time: the rate is of the rows after
    the first batch, so that looking on costs nothing.
    """
    async with stand.database(TJENESTE) as conn:
        async with stand.part("relay"), asyncio.timeout(PATIENCE_S):
            while await conn.fetchval("SELECT EXISTS (SELECT FROM journal WHERE trenger_relay)"):
                await asyncio.sleep(5 * POLL_S)
        marked = await conn.fetch(
            "SELECT count(*), extract(epoch FROM publisert)::float8 AS at FROM journal"
            " WHERE publisert IS NOT NULL GROUP BY publisert ORDER BY publisert"
        )
    if sum(row["count"] for row in marked) != count:
        raise RuntimeError("not every row was published")
    return float(sum(row["count"] for row in marked[1:]) / (marked[-1]["at"] - marked[0]["at"]))


async def bare_send(stand: Stand, count: int, batch_bytes: int) -> float:
    """Records a second: aiokafka's idempotent producer, the same values and headers, nothing decided or sealed."""
    topic = stand.settings.topic(f"{TJENESTE}.hendelser")
    records = await read_all(stand, topic)
    producer = AIOKafkaProducer(
        bootstrap_servers=stand.settings.kafka,
        enable_idempotence=True,
        acks="all",
        max_batch_size=batch_bytes,
    )
    await producer.start()
    try:
        started = time.perf_counter()
        pending = [
            await producer.send(
                stand.settings.topic("samordning.parkert"), r.value, r.key, headers=list(r.headers)
            )
            for r in records[:count]
        ]
        await asyncio.gather(*pending)
        return len(pending) / (time.perf_counter() - started)
    finally:
        await producer.stop()


async def bare_consume(stand: Stand, count: int) -> float:
    """Records a second: aiokafka's getmany and COPY into one table, offsets committed after, nothing opened."""
    topic = stand.settings.topic(f"{TJENESTE}.hendelser")
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=stand.settings.kafka,
        group_id=f"{topic}.bare",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    done = 0
    async with stand.database("samordning") as conn:
        await bare_table(conn)
        await consumer.start()
        try:

            async def step() -> int:
                nonlocal done
                batch = await consumer.getmany(timeout_ms=200, max_records=stand.settings.consumer_batch)
                rows = [(r.topic, r.partition, r.offset, r.key, r.value) for rs in batch.values() for r in rs]
                if rows:
                    await conn.copy_records_to_table("bare", records=rows)
                    await consumer.commit({tp: rs[-1].offset + 1 for tp, rs in batch.items() if rs})
                    done += len(rows)
                return done

            return await rate(step, count, pause_s=0)
        finally:
            await consumer.stop()


async def bare_table(conn: asyncpg.Connection) -> None:
    await conn.execute("DROP TABLE IF EXISTS bare")
    await conn.execute(
        "CREATE TABLE bare (topic text, partition int, place bigint, key bytea, innhold bytea)"
    )


async def rate(seen: Callable[[], Awaitable[int]], count: int, pause_s: float = POLL_S) -> float:
    """Rows a second between the first look that finds some and the one that finds all. Raises TimeoutError."""
    first: tuple[int, float] | None = None
    async with asyncio.timeout(PATIENCE_S):
        while True:
            n, at = await seen(), time.perf_counter()
            if n and first is None:
                first = n, at
            if n >= count:
                assert first is not None
                return (n - first[0]) / (at - first[1]) if n > first[0] else float("nan")
            if pause_s:
                await asyncio.sleep(pause_s)


async def count_rows(conn: asyncpg.Connection, query: str) -> int:
    return int(await conn.fetchval(query))


async def read_all(stand: Stand, topic: str) -> list[Any]:
    consumer = AIOKafkaConsumer(bootstrap_servers=stand.settings.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [
            TopicPartition(topic, p) for p in sorted(consumer.partitions_for_topic(topic) or range(12))
        ]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        records: list[Any] = []
        while len(records) < sum(ends.values()):
            batch = await consumer.getmany(timeout_ms=1000)
            records += [r for rs in batch.values() for r in rs]
        return records
    finally:
        await consumer.stop()
