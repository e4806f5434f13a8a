"""Journal and relay on the real PostgreSQL and Kafka, with samtykke's decisions given by the test."""

import asyncio
import base64
import random
import shutil
import uuid
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import journal as journal_module
from backbone import lane
from backbone.database import dedicated, driver
from backbone.failures import Retry
from backbone.journal import Journal, NewEvent, receipt
from backbone.kafka import Outgoing, Publisher, Sent
from backbone.relay import Relay
from backbone.seal import SealBroken, new_key, open_sealed
from backbone.settings import Settings
from contracts import samtykke_api as api
from contracts.catalogue import Catalogue
from contracts.envelope import Content, from_kafka
from contracts.personnummer import tenor
from tests.conftest import NOW, MakeDatabase

TYPE = "no.samspor.skole.fravaer.terskel-passert"
NUMBER = tenor(NOW.date().replace(year=2015), 1)


class Decisions:
    """samtykke as a script: an outcome for each event, in turn or by its subject's consent."""

    def __init__(self) -> None:
        self.away = False
        self.asked: list[list[api.AvgjorelseItem]] = []
        self.consented: set[str] = set()
        self.needs_consent = False
        self.refuse = False
        self.key = new_key()
        self._changed: list[str] = []

    def consent(self, subject: str) -> None:
        self.consented.add(subject)
        self._changed.append(subject)

    async def decide(self, tjeneste: str, items: Sequence[api.AvgjorelseItem]) -> list[api.Avgjorelse]:
        if self.away:
            raise Retry("away")
        self.asked.append(list(items))
        return [self._answer(item) for item in items]

    def _answer(self, item: api.AvgjorelseItem) -> api.Avgjorelse:
        subject = item["subject"] or subject_of(item["person"] or item["sak"] or "")
        outcome: Any = "release"
        if self.needs_consent and subject not in self.consented:
            outcome = "withhold"
        if self.refuse:
            outcome = "refuse"
        return {
            "ref": item["ref"],
            "outcome": outcome,
            "subject": None if self.refuse else subject,
            "nokkelid": None if self.refuse else "5f0c1f3e-0000-4000-8000-000000000002",
            "nokkel": None if self.refuse else base64.b64encode(self.key).decode(),
            "grunnlag": "samtykke:1",
            "lovversjon": "2026-11-01",
            "grunner": [{"kode": "prove", "bestemmelse": None, "lovversjon": None, "samtykke": None}],
        }

    async def changes(self, after: int, wait_s: float = 0.0) -> api.EndringerUt:
        await asyncio.sleep(0.02)
        return {"siste": len(self._changed), "subjects": self._changed[after:]}


def subject_of(whom: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, whom))


async def held_back(engine: AsyncEngine) -> list[tuple[Any, ...]]:
    """What the ledger was told: (event, outcome, why, of whom)."""
    async with engine.begin() as conn:
        rows = await (await driver(conn)).fetch("SELECT * FROM revisjon ORDER BY lopenr")
    return [(r["hendelse"], r["utfall"], r["grunn"], str(r["subject"])) for r in rows]


def event(nr: int, **changed: Any) -> NewEvent:
    fields: dict[str, Any] = {
        "id": f"h-{nr}",
        "source": "/4601/skole/974557746",
        "type": TYPE,
        "kommune": "4601",
        "orgnr": "974557746",
        "time": NOW,
        "content": Content(nokkel=f"n-{nr}", data={"dager": nr}),
        "person": NUMBER,
    }
    return NewEvent(**{**fields, **changed})


@pytest.fixture
async def engine(make_database: MakeDatabase) -> AsyncEngine:
    return await make_database("skole", lane.metadata)


@pytest.fixture
def decisions() -> Decisions:
    return Decisions()


@pytest.fixture
def relay(engine: AsyncEngine, settings: Settings, topics: Catalogue, decisions: Decisions) -> Relay:
    fast = settings.model_copy(update={"relay_poll_s": 0.02, "delivery_timeout_s": 5.0})
    return Relay(engine, "skole", decisions, fast, topics, lambda: NOW, random.Random(1))


async def accept(engine: AsyncEngine, settings: Settings, *events: NewEvent) -> list[str]:
    async with engine.begin() as conn:
        return list(await Journal(settings, "skole").append(await driver(conn), events, NOW))


async def run_until(relay: Relay, engine: AsyncEngine, done: str) -> None:
    """Runs the relay until the SQL condition holds for the journal."""
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    try:
        async with asyncio.timeout(30):
            await until(engine, done)
    finally:
        stop.set()
        await task


async def until(engine: AsyncEngine, done: str) -> None:
    conn = await dedicated(engine)
    try:
        while not await conn.fetchval(f"SELECT {done} FROM journal"):
            await asyncio.sleep(0.02)
    finally:
        await conn.close()


async def published(settings: Settings, topic: str = "skole.hendelser") -> list[Any]:
    """Everything on the topic, partition by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(settings.topic(topic), p) for p in range(12)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        records = []
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                batch = await consumer.getmany(partition, timeout_ms=1000)
                records += [r for rs in batch.values() for r in rs]
        return records
    finally:
        await consumer.stop()


async def test_the_same_again_is_known_and_another_content_is_a_conflict(
    engine: AsyncEngine, settings: Settings
) -> None:
    other = event(1, content=Content(nokkel="n-1", data={"dager": 99}))
    assert await accept(engine, settings, event(1), event(1), other, event(2)) == [
        "mottatt",
        "kjent",
        "konflikt",
        "mottatt",
    ]
    assert await accept(engine, settings, event(1), other) == ["kjent", "konflikt"]
    assert await accept(engine, settings, event(1, person=tenor(NOW.date().replace(year=2015), 2))) == [
        "konflikt"
    ]


async def test_a_rolled_back_acceptance_leaves_nothing_and_its_key_is_not_used(
    engine: AsyncEngine, settings: Settings
) -> None:
    journal = Journal(settings, "skole")
    with pytest.raises(RuntimeError):
        async with engine.begin() as conn:
            for number in (1, 2):  # a large request is appended in slices
                await journal.append(await driver(conn), [event(number)], NOW)
            raise RuntimeError("the request fails")
    async with engine.begin() as conn:
        assert await journal.append(await driver(conn), [event(1)], NOW) == ["mottatt"]
    assert await openable(engine) == 1


@pytest.mark.parametrize("savepoint", [False, True])
async def test_a_key_that_is_not_committed_yet_is_used_by_its_own_request_alone(
    engine: AsyncEngine, settings: Settings, savepoint: bool
) -> None:
    journal = Journal(settings, "skole")
    async with engine.connect() as first, engine.begin() as second:
        slow = await driver(first)
        async with slow.transaction() if savepoint else nullcontext():
            await journal.append(slow, [event(1)], NOW)
        await journal.append(slow, [event(2)], NOW)
        other = asyncio.create_task(journal.append(await driver(second), [event(3)], NOW))
        _, waiting = await asyncio.wait({other}, timeout=0.5)
        assert waiting, "it has no key until the first request has ended"
        await first.rollback()
        assert await other == ["mottatt"]
    assert await openable(engine) == 1


async def openable(engine: AsyncEngine) -> int:
    """How many rows have a key that is there."""
    async with engine.begin() as conn:
        return len(
            await (await driver(conn)).fetch(
                "SELECT FROM journal j JOIN journalnokkel k ON k.id = j.journalnokkel"
            )
        )


async def test_neither_number_nor_content_stands_in_clear_in_the_journal(
    engine: AsyncEngine, settings: Settings
) -> None:
    await accept(engine, settings, event(1, content=Content(nokkel="kanarifugl", data={"dager": 1})))
    async with engine.begin() as conn:
        row = await (await driver(conn)).fetchrow("SELECT * FROM journal")
    assert row is not None
    everything = b"\n".join(v if isinstance(v, bytes) else str(v).encode() for v in row.values())
    assert NUMBER.encode() not in everything
    assert b"kanarifugl" not in everything


async def test_what_is_accepted_is_published_once_in_order_and_opens_with_the_childs_key_only(
    engine: AsyncEngine, settings: Settings, relay: Relay, decisions: Decisions
) -> None:
    await accept(engine, settings, *(event(n) for n in range(50)))
    await run_until(relay, engine, "count(*) FILTER (WHERE publisert IS NOT NULL) = 50")
    records = await published(settings)
    assert [from_kafka(r.headers).id for r in records] == [f"h-{n}" for n in range(50)]
    envelope = from_kafka(records[7].headers)
    content = Content.model_validate_json(open_sealed(decisions.key, records[7].value, envelope.aad()))
    assert content == Content(nokkel="n-7", data={"dager": 7})
    assert records[7].key == envelope.subject.encode()
    assert NUMBER.encode() not in b"".join(
        [records[7].key, records[7].value, *(v for _, v in records[7].headers)]
    )
    async with engine.begin() as conn:
        kept = await receipt(await driver(conn), "h-7")
    assert kept[0]["status"] == "frigitt"
    assert kept[0]["publisert"]["offset"] == records[7].offset


async def test_withheld_rows_wait_and_block_nobody_and_a_consent_releases_them(
    engine: AsyncEngine, settings: Settings, relay: Relay, decisions: Decisions
) -> None:
    decisions.needs_consent = True
    decisions.consented.add(subject_of("sak-b"))
    await accept(engine, settings, event(1), event(2, person=None, sak="sak-b"))
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    try:
        async with asyncio.timeout(30):
            await until(engine, "count(*) FILTER (WHERE utfall = 'withhold') = 1 AND count(publisert) = 1")
            assert [from_kafka(r.headers).id for r in await published(settings)] == ["h-2"]
            assert await held_back(engine) == [("h-1", "withhold", "prove", subject_of(NUMBER))]
            decisions.consent(subject_of(NUMBER))
            await until(engine, "count(publisert) = 2")
    finally:
        stop.set()
        await task
    assert len(await held_back(engine)) == 1, "what is released becomes an event"
    records = {from_kafka(r.headers).id: r for r in await published(settings)}
    envelope = from_kafka(records["h-1"].headers)
    assert open_sealed(decisions.key, records["h-1"].value, envelope.aad())


async def test_a_refused_row_says_why_and_keeps_nothing_of_what_it_said(
    engine: AsyncEngine, settings: Settings, relay: Relay, decisions: Decisions
) -> None:
    decisions.refuse = True
    await accept(engine, settings, event(1))
    await run_until(relay, engine, "bool_and(utfall = 'refuse' AND NOT trenger_relay)")
    async with engine.begin() as conn:
        kept = (await receipt(await driver(conn), "h-1"))[0]
        size = await (await driver(conn)).fetchval("SELECT length(innhold) FROM journal")
    assert (kept["status"], kept["grunner"][0]["kode"], size) == ("avvist", "prove", 0)
    assert await held_back(engine) == [("h-1", "refuse", "prove", "None")]
    assert await published(settings) == []


async def test_accepting_goes_on_while_samtykke_is_away_and_drains_when_it_is_back(
    engine: AsyncEngine, settings: Settings, relay: Relay, decisions: Decisions
) -> None:
    decisions.away = True
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    try:
        assert await accept(engine, settings, *(event(n) for n in range(20))) == ["mottatt"] * 20
        await asyncio.sleep(0.3)
        assert await published(settings) == []
        decisions.away = False
        async with asyncio.timeout(30):
            await until(engine, "count(publisert) = 20")
    finally:
        stop.set()
        await task


async def test_an_unknown_outcome_is_sent_again(
    engine: AsyncEngine, settings: Settings, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = Publisher.send, []

    async def forgetful(self: Publisher, records: Sequence[Outgoing]) -> list[Sent | None]:
        outcomes = await real(self, records)
        calls.append(len(records))
        return [None] * len(records) if len(calls) == 1 else outcomes

    monkeypatch.setattr(Publisher, "send", forgetful)
    await accept(engine, settings, event(1), event(2))
    await run_until(relay, engine, "count(publisert) = 2")
    assert calls == [2, 2]
    assert [from_kafka(r.headers).id for r in await published(settings)] == ["h-1", "h-2"] * 2


async def test_a_confirmed_reception_is_told_as_one_also_where_it_waited_and_a_retraction_never_is(
    engine: AsyncEngine, settings: Settings, relay: Relay, decisions: Decisions
) -> None:
    def received(nr: int, slag: str = "kommune-kommune", **content: Any) -> NewEvent:
        said = Content(nokkel=f"n-{nr}", data={"slag": slag}, **content)
        return event(nr, type="no.samspor.skole.overgang.mottak-bekreftet", content=said)

    decisions.needs_consent = True
    await accept(
        engine, settings, received(1), received(2, "sykehus-kommune"), received(3, tilbaketrukket=True)
    )
    await run_until(relay, engine, "bool_and(utfall = 'withhold')")
    assert [item["ref"] for item in decisions.asked[0] if item.get("flytting")] == [1]
    first = len(decisions.asked)
    decisions.consent(subject_of(NUMBER))
    await run_until(relay, engine, "count(publisert) = 3")
    told = [
        (item["ref"], item["subject"]) for b in decisions.asked[first:] for item in b if item.get("flytting")
    ]
    assert told == [(1, subject_of(NUMBER))]


async def test_one_relay_at_a_time_and_the_next_takes_over_when_the_first_ones_connection_is_lost(
    engine: AsyncEngine, settings: Settings, topics: Catalogue
) -> None:
    first, second = Decisions(), Decisions()
    fast = settings.model_copy(update={"relay_poll_s": 0.02})
    stop = asyncio.Event()
    await accept(engine, settings, event(1))
    holder = asyncio.create_task(
        Relay(engine, "skole", first, fast, topics, lambda: NOW, random.Random(1)).run(stop)
    )
    try:
        async with asyncio.timeout(30):
            await until(engine, "count(publisert) = 1")
            waiter = asyncio.create_task(
                Relay(engine, "skole", second, fast, topics, lambda: NOW, random.Random(2)).run(stop)
            )
            await accept(engine, settings, event(2))
            await until(engine, "count(publisert) = 2")
            assert second.asked == []
            first.away = (
                True  # and when its connection is cut, it does not get the lock back before the waiter
            )
            conn = await dedicated(engine)
            holder.cancel()
            await asyncio.wait([holder])
            await accept(engine, settings, event(3))
            await until(engine, "count(publisert) = 3")
            await conn.close()
    finally:
        stop.set()
        await asyncio.wait([waiter])
    assert len(second.asked) == 1


async def test_a_journal_key_is_destroyed_when_its_hour_is_over_and_no_undecided_row_needs_it(
    engine: AsyncEngine, settings: Settings, relay: Relay, decisions: Decisions
) -> None:
    conn = await dedicated(engine)
    keys = journal_module.JournalKeys(settings, "skole")
    try:
        await accept(engine, settings, event(1))
        await keys.destroy_unneeded(conn, NOW + timedelta(hours=9))
        assert await conn.fetchval("SELECT count(*) FROM journalnokkel") == 1
        await run_until(relay, engine, "count(publisert) = 1")
        await keys.destroy_unneeded(conn, NOW + timedelta(hours=1))
        assert await conn.fetchval("SELECT count(*) FROM journalnokkel") == 1
        await keys.destroy_unneeded(conn, NOW + timedelta(hours=9))
        assert await conn.fetchval("SELECT count(*) FROM journalnokkel") == 0
    finally:
        await conn.close()


async def test_a_row_that_commits_late_is_not_passed_over(
    engine: AsyncEngine, settings: Settings, relay: Relay
) -> None:
    late: asyncpg.Connection = await dedicated(engine)
    slow = late.transaction()
    await slow.start()
    await Journal(settings, "skole").append(late, [event(1)], NOW - timedelta(hours=1))
    await accept(engine, settings, event(2))
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    try:
        async with asyncio.timeout(30):
            await until(engine, "count(publisert) = 1")
            await slow.commit()
            await until(engine, "count(publisert) = 2")
    finally:
        stop.set()
        await task
        await late.close()


@pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed (CI installs it)")
async def test_what_is_published_reads_with_kcat_and_the_cloudevents_sdk_and_tells_nobody_who(
    engine: AsyncEngine, settings: Settings, relay: Relay
) -> None:
    await accept(engine, settings, event(1, content=Content(nokkel="kanarifugl", data={"dager": 10})))
    await run_until(relay, engine, "count(publisert) = 1")
    kcat = await asyncio.create_subprocess_exec(
        *(
            "kcat",
            "-C",
            "-e",
            "-q",
            "-u",
            "-b",
            settings.kafka or "",
            "-t",
            settings.topic("skole.hendelser"),
        ),
        *("-f", r"%k\n%h\n%s"),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await kcat.communicate()
    key, headers, body = out.split(b"\n", 2)
    read = dict(pair.split("=", 1) for pair in headers.decode().split(","))
    sdk = from_binary(KafkaMessage({k: v.encode() for k, v in read.items()}, key, body), JSONFormat())
    assert (sdk.get_type(), sdk.get_subject(), sdk.get_id()) == (TYPE, key.decode(), "h-1")
    assert NUMBER.encode() not in out
    assert b"kanarifugl" not in out
    with pytest.raises(SealBroken):
        open_sealed(new_key(), body, from_kafka([(k, v.encode()) for k, v in read.items()]).aad())
