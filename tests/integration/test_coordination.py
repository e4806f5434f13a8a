"""Coordination on the real engines: from records on Kafka to timelines, tasks and events about tasks."""

import asyncio
import base64
import functools
import random
import socket
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.database import dedicated
from backbone.failures import Retry
from backbone.kafka import Outgoing, Publisher
from backbone.seal import new_key, open_sealed, seal
from backbone.settings import Settings
from backbone.tokens import issue, system_principal
from consumers.coordination import consumer as consumer_module
from consumers.coordination import main, store
from consumers.coordination.api import create
from consumers.coordination.consumer import Consumer, _Places
from consumers.coordination.duties import digest, duties
from consumers.coordination.facts import FactSet
from consumers.coordination.handler import Handler, fact_context, task_context
from consumers.coordination.innlesing import Record
from consumers.coordination.loops import Loops, steadily
from consumers.coordination.regler.regelverk import Regelverk
from consumers.coordination.regler.standard import STANDARD
from consumers.coordination.tables import metadata
from contracts import samtykke_api as api
from contracts.catalogue import Catalogue
from contracts.envelope import Envelope, to_kafka
from tests.conftest import MakeDatabase
from tests.unit.coordination.given import Event, consent, event

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
SCHOOL = event("skole", "ppt.henvist", "2026-03-02T10:00")
HEALTH = event("helsestasjon", "oppfolging.utvidet", "2026-03-10T10:00")
CONSENTS = (
    consent("skole", ["tilrettelegging"], ["helsestasjon"]),
    consent("helsestasjon", ["helseoppfolging"], ["skole"]),
)
WITHDRAWN = consent("helsestasjon", ["helseoppfolging"], ["skole"], status="trukket", sekvens=2)
GIVEN_AGAIN = consent("helsestasjon", ["helseoppfolging"], ["skole"], sekvens=3)
APPOINTED = event("koordinerende-enhet", "koordinator.oppnevnt", "2026-03-20")
CASE = (SCHOOL, HEALTH, *CONSENTS)
RULES = ("samarbeid", "bekymringsmelding", "frafall")
"""Few enough to count: what is tested here is the machinery and not the catalogue."""


def child(number: int = 1) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"barn {number}"))


class Samtykke:
    """The key store and change feed as coordination meets them."""

    def __init__(self) -> None:
        self.keys_by_id: dict[str, bytes] = {}
        self.ids: dict[tuple[str, str], str] = {}
        self.status: dict[str, api.Personstatus] = defaultdict(lambda: "aktiv")
        self.joined: tuple[str, ...] = ()
        self.named: list[str] = []
        self.away = 0
        self.calls = 0

    def key(self, subject: str, tjeneste: str) -> tuple[str, bytes]:
        id_ = self.ids.setdefault((subject, tjeneste), str(uuid.uuid4()))
        return id_, self.keys_by_id.setdefault(id_, new_key())

    async def keys(self, items: Sequence[api.NokkelItem]) -> list[api.NokkelSvar]:
        self.calls += 1
        if self.away:
            self.away -= 1
            raise Retry("away")
        return [self._answer(item) for item in items]

    def _answer(self, item: api.NokkelItem) -> api.NokkelSvar:
        subject = item["subject"]
        if self.status[subject] != "aktiv":
            return {"subject": subject, "status": self.status[subject], "nokler": {}, "samordning": None}
        id_, key = self.key(subject, "samordning")
        found = {i: _b64(self.keys_by_id[i]) for i in item["nokkelider"] if i in self.keys_by_id}
        own: api.Nokkel = {"nokkelid": id_, "nokkel": _b64(key)}
        answer: api.NokkelSvar = {
            "subject": subject,
            "status": "aktiv",
            "nokler": found,
            "samordning": own,
        }
        return {**answer, "koblet": list(self.joined)} if subject in self.joined else answer

    def join(self, *subjects: str) -> None:
        """These are one child, the canonical one first; none: parted. Told of in the feed."""
        self.named += list(dict.fromkeys((*self.joined, *subjects)))
        self.joined = subjects

    def change(self, subject: str, status: api.Personstatus) -> None:
        self.status[subject] = status
        self.named.append(subject)

    async def changes(self, after: int, wait_s: float = 0.0) -> api.EndringerUt:
        return {"siste": len(self.named), "subjects": self.named[after:]}


def _b64(blob: bytes) -> str:
    return base64.b64encode(blob).decode()


@dataclass
class Thread:
    """Coordination with the two real engines; `now` is its clock."""

    settings: Settings
    catalogue: Catalogue
    engine: AsyncEngine
    publisher: Publisher
    samtykke: Samtykke = field(default_factory=Samtykke)
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.rules = Regelverk(self.catalogue, [rule for rule in STANDARD if rule.navn in RULES])
        self.handler = Handler(
            self.engine, self.samtykke, self.settings, self.catalogue, self.rules, lambda: self.now
        )
        self.loops = Loops(self.handler, self.engine, self.samtykke, self.settings, lambda: self.now)

    def consumer(self, handler: Any = None) -> Consumer:
        topics = [self.settings.topic(t) for t in self.catalogue.event_topics()]
        return Consumer(handler or self.handler, self.engine, self.settings, topics, random.Random(1))

    def outgoing(self, e: Event, subject: str, **changed: Any) -> Outgoing:
        """The record that a relay would send; `changed` are envelope attributes."""
        tjeneste = e.type.split(".")[2]
        kind = self.catalogue.event_type(e.type)
        key_id, key = self.samtykke.key(subject, tjeneste)
        envelope = Envelope(
            **{
                "id": e.id if subject == child() else str(uuid.uuid5(uuid.UUID(e.id), subject)),
                "source": e.source,
                "type": e.type,
                "subject": subject,
                "time": e.time,
                "recordedtime": e.time,
                "dataschema": Envelope.dataschema_of(e.type, kind.versjon),
                "kommune": "4601",
                "orgnr": e.source.rpartition("/")[2],
                "kategori": kind.kategori,
                "skjerming": kind.skjerming_for(tjeneste),
                "grunnlag": "samtykke",
                "beslutning": "release",
                "lovversjon": "2026-11-01",
                "nokkelid": key_id,
                "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                **changed,
            }
        )
        record_key, headers = to_kafka(envelope)
        body = seal(key, e.content.model_dump_json().encode(), envelope.aad())
        return Outgoing(self.settings.topic(f"{tjeneste}.hendelser"), record_key, headers, body)

    async def publish(self, *events: Event, subject: str | None = None) -> None:
        await self.send(*(self.outgoing(e, subject or child()) for e in events))

    async def send(self, *records: Outgoing) -> None:
        assert None not in await self.publisher.send(records)

    @asynccontextmanager
    async def running(self, consumer: Consumer | None = None) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task((consumer or self.consumer()).run(stop))
        try:
            yield
        finally:
            stop.set()
            async with asyncio.timeout(15):
                await task

    async def rows(self, query: str, *args: Any) -> list[asyncpg.Record]:
        conn = await dedicated(self.engine)
        try:
            found: list[asyncpg.Record] = await conn.fetch(query, *args)
            return found
        finally:
            await conn.close()

    async def until(self, query: str, expected: Any, *args: Any) -> None:
        """Waits until the query's first value is as expected."""
        await eventually(lambda: self._value(query, *args), expected)

    async def _value(self, query: str, *args: Any) -> Any:
        return (await self.rows(query, *args))[0][0]

    async def tasks(self, subject: str | None = None) -> list[tuple[str, str, int]]:
        rows = await self.rows(
            "SELECT regel, status, versjon FROM oppgave WHERE subject = $1::uuid ORDER BY regel, anledning",
            subject or child(),
        )
        return [tuple(row) for row in rows]

    async def told(self) -> list[str]:
        """What was told of tasks, in order."""
        rows = await self.rows("SELECT type FROM journal WHERE type LIKE '%.oppgave.%' ORDER BY lopenr")
        return [row["type"].rpartition(".")[2] for row in rows]

    async def digest(self, subject: str) -> str:
        (row,) = await self.rows("SELECT innhold FROM faktasett WHERE subject = $1::uuid", subject)
        _, key = self.samtykke.key(subject, "samordning")
        facts = FactSet.decode(child(), open_sealed(key, row["innhold"], fact_context(subject)))
        return digest(duties(facts, self.rules, self.now))


class Proxy:
    """A handler with one thing changed."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler, name)


async def eventually(value: Callable[[], Awaitable[Any]], expected: Any, within_s: float = 20) -> None:
    found = None
    for _ in range(int(within_s / 0.05)):
        found = await value()
        if found == expected:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"{found!r} did not become {expected!r}")


@pytest.fixture(name="thread")
async def running_thread(
    settings: Settings, topics: Catalogue, make_database: MakeDatabase
) -> AsyncIterator[Thread]:
    publisher = Publisher(settings, "prove")
    made = Thread(settings, topics, await make_database("samordning", metadata), publisher)
    yield made
    await made.loops.close()
    await publisher.close()


TIMELINE = "SELECT count(*) FROM tidslinje"


async def test_events_become_a_timeline_and_a_task_with_a_sealed_explanation(thread: Thread) -> None:
    await thread.publish(*CASE)
    async with thread.running():
        await thread.until(TIMELINE, 4)
    assert await thread.tasks() == [("samarbeid", "aapen", 1)]
    assert await thread.told() == ["opprettet"]
    (task,) = await thread.rows("SELECT id, nokkelid, forklaring FROM oppgave")
    key_id, key = thread.samtykke.key(child(), "samordning")
    assert str(task["nokkelid"]) == key_id
    text = open_sealed(key, task["forklaring"], task_context(str(task["id"]))).decode()
    assert text.startswith("2 tjenester følger opp barnet: Skole, Helsestasjon.")
    assert "10. mars 2026" in text


async def test_killed_between_the_databases_commit_and_kafkas_nothing_is_done_twice(
    thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    await thread.publish(*CASE, APPOINTED)

    class Killed(BaseException):
        pass

    async def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(consumer_module, "_commit", die)
        with pytest.raises(Killed):
            async with asyncio.timeout(20):
                await thread.consumer().run(asyncio.Event())
    first = await thread.rows("SELECT * FROM tidslinje ORDER BY source, id")
    assert first, "the database had committed"
    for position_is_lost in (False, True):
        if position_is_lost:  # then every record is read once more
            await thread.rows("DELETE FROM posisjon")
        async with thread.running():
            await thread.until(TIMELINE, 5)
            await thread.until("SELECT sum(neste_offset)::int FROM posisjon", 5)
    rows = await thread.rows("SELECT * FROM tidslinje ORDER BY source, id")
    assert [r for r in rows if r in first] == first
    assert Counter(await thread.told()).most_common(1)[0][1] == 1
    (added,) = await thread.rows("SELECT sum(hendelser) FROM posisjon")
    assert added[0] == 0, "reading again added no row"
    await thread.until("SELECT count(*) FROM parkert", 0)


async def test_the_position_in_the_database_is_where_the_next_consumer_starts(
    thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forget(*_: Any) -> None:
        pass

    monkeypatch.setattr(consumer_module, "_commit", forget)  # the group's own offsets are never written
    await thread.publish(*CASE)
    async with thread.running():
        await thread.until(TIMELINE, 4)
    seen: list[Record] = []

    class Watching(Proxy):
        async def handle(self, records: Sequence[Record], **how: Any) -> None:
            seen.extend(records)
            await thread.handler.handle(records, **how)

    await thread.publish(APPOINTED)
    async with thread.running(thread.consumer(Watching(thread.handler))):
        await thread.until(TIMELINE, 5)
    assert len(seen) == 1


@pytest.mark.parametrize("compression", ["zstd", "lz4", "snappy", "gzip"])
async def test_what_another_client_has_compressed_is_read(thread: Thread, compression: str) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=thread.settings.kafka, compression_type=compression
    ) as producer:
        for record in (thread.outgoing(e, child()) for e in CASE):
            await producer.send_and_wait(
                record.topic, key=record.key, value=record.value, headers=list(record.headers)
            )
    async with thread.running():
        await thread.until(TIMELINE, 4)


async def test_poison_and_future_versions_are_parked_and_hold_up_nobody(thread: Thread) -> None:
    future = thread.outgoing(SCHOOL, child(2), dataschema="urn:samspor:skole.ppt.henvist:2")
    stranger = thread.outgoing(SCHOOL, child(2), id="x", type="no.samspor.skole.finnes.ikke")
    misplaced = thread.outgoing(SCHOOL, child(2), id="y")
    forged = thread.outgoing(SCHOOL, child(2), id="z")
    no_consent = event("samtykke", "samtykke.gitt", "2026-01-01")
    topic = thread.settings.topic
    await thread.send(
        Outgoing(topic("skole.hendelser"), b"k", [("ce_type", b"\xff")], b"{"),
        Outgoing(topic("skole.hendelser"), b"k", [], b""),
        future,
        stranger,
        Outgoing(topic("nav.hendelser"), misplaced.key, misplaced.headers, misplaced.value),
        Outgoing(forged.topic, forged.key, forged.headers, forged.value[:-1] + bytes([forged.value[-1] ^ 1])),
        thread.outgoing(no_consent, child(2)),
        *(thread.outgoing(e, child()) for e in CASE),
    )
    async with thread.running():
        await thread.until("SELECT count(*) FROM parkert", 7)
        await thread.until(TIMELINE, 4)
    assert await thread.tasks() == [("samarbeid", "aapen", 1)]
    reasons = Counter(r["grunn"] for r in await thread.rows("SELECT grunn FROM parkert"))
    assert reasons == {
        "ugyldig-konvolutt": 2,
        "framtidig-versjon": 1,
        "ukjent-type": 1,
        "feil-topic": 1,
        "forsegling-brutt": 1,
        "ugyldig-innhold": 1,
    }


async def test_parked_records_stand_on_the_dead_letter_topic_with_their_reason(thread: Thread) -> None:
    await thread.send(thread.outgoing(SCHOOL, child(), dataschema="urn:samspor:skole.ppt.henvist:2"))
    async with thread.running():
        await thread.until("SELECT count(*) FROM parkert", 1)
    await thread.loops.dead_letters()
    await thread.loops.dead_letters()  # sent already
    reader = AIOKafkaConsumer(
        thread.settings.topic("samordning.parkert"),
        bootstrap_servers=thread.settings.kafka,
        auto_offset_reset="earliest",
    )
    await reader.start()
    try:
        found = await reader.getmany(timeout_ms=5_000)
        (record,) = [r for part in found.values() for r in part]
        assert dict(record.headers)["parkert_grunn"] == b"framtidig-versjon"
        assert dict(record.headers)["ce_type"] == SCHOOL.type.encode()
        assert await reader.getmany(timeout_ms=300) == {}
    finally:
        await reader.stop()


async def test_a_parked_record_is_handled_when_the_code_has_learnt_to(thread: Thread) -> None:
    key_id, key = thread.samtykke.key(child(), "skole")
    del thread.samtykke.keys_by_id[key_id]
    await thread.publish(HEALTH, *CONSENTS)
    record = thread.outgoing(SCHOOL, child())
    body = seal(key, SCHOOL.content.model_dump_json().encode(), _aad(record))
    del thread.samtykke.keys_by_id[key_id]
    await thread.send(Outgoing(record.topic, record.key, record.headers, body))
    async with thread.running():
        await thread.until("SELECT count(*) FROM parkert WHERE grunn = 'ukjent-nokkel'", 1)
        await thread.until(TIMELINE, 3)
    thread.samtykke.keys_by_id[key_id] = key
    async with client(thread) as http:
        answer = await http.post("/samordning/parkert/avspilling")
    assert answer.json()["parkert"] == []
    assert await thread.tasks() == [("samarbeid", "aapen", 1)]


async def test_a_record_that_meets_a_bug_is_found_and_parked(thread: Thread) -> None:
    class Buggy(Proxy):
        async def handle(self, records: Sequence[Record], **how: Any) -> None:
            if any(b"ppt.henvist" in (v or b"") for r in records for _, v in r.headers):
                raise ZeroDivisionError
            await thread.handler.handle(records, **how)

    await thread.publish(*CASE)
    async with thread.running(thread.consumer(Buggy(thread.handler))):
        await thread.until("SELECT count(*) FROM parkert WHERE grunn = 'feil-ZeroDivisionError'", 1)
        await thread.until(TIMELINE, 3)


async def test_an_error_that_passes_parks_nothing(thread: Thread) -> None:
    errors = [RuntimeError("unable to perform operation on a closed transport")] * 2

    class Flaky(Proxy):
        async def handle(self, records: Sequence[Record], **how: Any) -> None:
            if errors:
                raise errors.pop()
            await thread.handler.handle(records, **how)

    await thread.publish(SCHOOL)
    async with thread.running(thread.consumer(Flaky(thread.handler))):
        await thread.until(TIMELINE, 1)
    assert await thread.rows("SELECT FROM parkert") == []


async def test_any_order_on_the_real_thread_gives_the_same_timeline_and_digest(thread: Thread) -> None:
    history = [
        *CASE,
        WITHDRAWN,
        GIVEN_AGAIN,
        APPOINTED,
        event("koordinerende-enhet", "samarbeid.avsluttet", "2026-03-25"),
        event("barnevern", "henvendelse.mottatt", "2026-03-30", "m", slag=2),
        event("skole", "ppt.henvist", "2026-03-26", "2"),
        event("helsestasjon", "oppfolging.utvidet", "2026-03-27", "2"),
        event("skole", "ppt.henvist", "2026-03-28", "3"),
        event("skole", "ppt.henvist", "2026-03-28", "3", versjon=2, trukket=True),
    ]
    rng = random.Random(20260401)
    seen: list[tuple[list[Any], str, list[Any]]] = []
    for number in range(3):
        subject = child(number)
        order = history + rng.choices(history, k=4)
        rng.shuffle(order)
        async with thread.running():
            for start in range(0, len(order), 5):
                await thread.publish(*order[start : start + 5], subject=subject)
            await thread.until(f"{TIMELINE} WHERE subject = $1::uuid", len(history), subject)
        async with client(thread) as http:
            body = (await http.get(f"/samordning/barn/{subject}")).json()
        timeline = [(e["time"], e["type"]) for e in body["tidslinje"]]
        assert [when for when, _ in timeline] == sorted(when for when, _ in timeline)
        tasks = [
            (t["regel"], t["anledning"], t["status"], t["frist"])
            for t in body["oppgaver"]
            if t["status"] != "bortfalt"  # what was due for a moment depends on the moments there were
        ]
        # Events of the same moment stand by id, and ids differ from child to child.
        seen.append((sorted(timeline), await thread.digest(subject), tasks))
    assert seen[1:] == seen[:-1]
    assert sorted(t[2] for t in seen[0][2]) == ["aapen", "aapen", "oppfylt"]


async def test_a_withdrawal_drops_the_task_and_giving_again_opens_the_same_one(thread: Thread) -> None:
    async with thread.running():
        await thread.publish(*CASE)
        await eventually(thread.tasks, [("samarbeid", "aapen", 1)])
        await thread.publish(WITHDRAWN)
        await eventually(thread.tasks, [("samarbeid", "bortfalt", 2)])
        await thread.publish(GIVEN_AGAIN)
        await eventually(thread.tasks, [("samarbeid", "aapen", 3)])
        await thread.publish(APPOINTED)
        await eventually(thread.tasks, [("samarbeid", "oppfylt", 4)])
    assert await thread.told() == ["opprettet", "bortfalt", "opprettet", "utfort"]


async def test_facts_of_a_blocked_child_wait_for_the_change_feed(thread: Thread) -> None:
    thread.samtykke.status[child()] = "sperret"
    await thread.publish(*CASE)
    async with thread.running():
        await thread.until(f"{TIMELINE} WHERE venter", 4)
    assert await thread.tasks() == []
    await thread.loops.sweep()
    assert await thread.tasks() == []
    thread.samtykke.change(child(), "aktiv")
    await thread.loops.changes()
    assert await thread.tasks() == [("samarbeid", "aapen", 1)]
    await thread.until(f"{TIMELINE} WHERE venter", 0)


async def test_the_sweep_finds_what_the_change_feed_named_too_early(thread: Thread) -> None:
    thread.samtykke.status[child()] = "sperret"
    thread.samtykke.change(child(), "sperret")
    await thread.loops.changes()
    await thread.publish(*CASE)
    async with thread.running():
        await thread.until(f"{TIMELINE} WHERE venter", 4)
    thread.samtykke.status[child()] = "aktiv"
    await thread.loops.sweep()
    assert await thread.tasks() == [("samarbeid", "aapen", 1)]


async def test_events_of_an_erased_child_are_skipped_and_counted(thread: Thread) -> None:
    await thread.publish(*CASE)
    async with thread.running():
        await eventually(thread.tasks, [("samarbeid", "aapen", 1)])
        thread.samtykke.change(child(), "slettet")
        await thread.publish(APPOINTED)
        await thread.until("SELECT sum(slettet)::int FROM posisjon", 1)
    await thread.loops.changes()
    await thread.until(TIMELINE, 4)
    await thread.until("SELECT count(*) FROM faktasett", 0)
    assert await thread.tasks() == [], "its tasks go with it"
    assert await thread.told() == ["opprettet"], "nothing more is told of an erased child"


def lying(*outgoing: Outgoing) -> list[Record]:
    """The records as Kafka gives them back."""
    return [Record(o.topic, 0, n, o.key, o.headers, o.value) for n, o in enumerate(outgoing)]


async def test_what_samtykke_said_of_a_batch_that_waited_too_long_is_asked_for_again(thread: Thread) -> None:
    records = lying(*(thread.outgoing(e, child()) for e in CASE))
    ready = asyncio.create_task(thread.handler.prepare(records))
    await ready
    thread.samtykke.status[child()] = "slettet"
    thread.now += timedelta(seconds=6)
    await thread.handler.handle(records, ahead=ready)
    assert thread.samtykke.calls == 2
    assert (await thread.rows(TIMELINE))[0][0] == 0
    await thread.until("SELECT sum(slettet)::int FROM posisjon", 4)


async def test_a_fact_set_that_another_made_meanwhile_is_not_written_over(
    thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    await thread.handler.handle(lying(*(thread.outgoing(e, child()) for e in CASE)))
    before = await thread.rows("SELECT * FROM faktasett")

    async def see_none(*_: Any) -> dict[str, Any]:
        return {}

    late = lying(thread.outgoing(APPOINTED, child()))
    with monkeypatch.context() as patch:
        patch.setattr(store, "lock_fact_sets", see_none)
        with pytest.raises(Retry):
            await thread.handler.handle(late)
    assert await thread.rows("SELECT * FROM faktasett") == before
    assert (await thread.rows(TIMELINE))[0][0] == len(CASE), "the whole batch waits"
    await thread.handler.handle(late)
    assert await thread.tasks() == [("samarbeid", "oppfylt", 2)]


async def test_of_a_batch_with_old_and_new_rows_the_new_ones_are_added_and_counted(thread: Thread) -> None:
    first, second, *rest = (thread.outgoing(e, child()) for e in CASE)
    await thread.handler.handle(lying(first, second))
    await thread.handler.handle(lying(first, second, *rest, rest[0]))
    assert (await thread.rows(TIMELINE))[0][0] == len(CASE)
    (row,) = await thread.rows("SELECT sum(hendelser)::int, max(neste_offset)::int FROM posisjon")
    assert tuple(row) == (len(CASE), 5)
    assert await thread.tasks() == [("samarbeid", "aapen", 1)]


async def test_a_batch_that_two_add_at_once_is_added_and_told_once(
    thread: Thread, caplog: pytest.LogCaptureFixture
) -> None:
    batch = [thread.outgoing(e, child(number)) for number in range(150) for e in CASE]
    stop = asyncio.Event()
    one, other = (
        thread.consumer().until_done(records, stop) for records in (lying(*batch), lying(*reversed(batch)))
    )
    await asyncio.gather(one, other)
    assert (await thread.rows(TIMELINE))[0][0] == len(batch)
    assert len(await thread.told()) == 150
    assert "Deadlock" not in caplog.text


async def test_samtykke_away_is_waited_for_and_nothing_is_lost(thread: Thread) -> None:
    thread.samtykke.away = 3
    await thread.publish(*CASE)
    async with thread.running():
        await eventually(thread.tasks, [("samarbeid", "aapen", 1)])
    assert thread.samtykke.calls >= 4


async def test_a_database_connection_that_breaks_is_waited_out(thread: Thread) -> None:
    broken = 0

    class Cut(Proxy):
        async def handle(self, records: Sequence[Record], **how: Any) -> None:
            nonlocal broken
            if broken < 2:
                broken += 1
                await thread.rows(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            await thread.handler.handle(records, **how)

    await thread.publish(*CASE)
    async with thread.running(thread.consumer(Cut(thread.handler))):
        await eventually(thread.tasks, [("samarbeid", "aapen", 1)])
    await thread.until(TIMELINE, 4)


async def test_time_alone_drops_a_task_when_a_consent_expires(thread: Thread) -> None:
    limited = consent("helsestasjon", ["helseoppfolging"], utloper="2026-05-01T00:00:00+02:00")
    await thread.publish(SCHOOL, HEALTH, CONSENTS[0], limited)
    async with thread.running():
        await eventually(thread.tasks, [("samarbeid", "aapen", 1)])
    expires = datetime(2026, 4, 30, 22, tzinfo=UTC)
    for moment, status in ((expires - timedelta(microseconds=1), "aapen"), (expires, "bortfalt")):
        thread.now = moment
        await thread.loops.timers()
        assert [s for _, s, _ in await thread.tasks()] == [status]
    (row,) = await thread.rows("SELECT neste_endring FROM faktasett")
    assert row["neste_endring"] is None, "nothing more can change by itself"
    calls = thread.samtykke.calls
    await thread.loops.timers()
    assert thread.samtykke.calls == calls


async def test_a_timer_of_a_blocked_child_waits_until_it_is_unblocked(thread: Thread) -> None:
    limited = consent("helsestasjon", ["helseoppfolging"], utloper="2026-05-01T00:00:00+02:00")
    await thread.publish(SCHOOL, HEALTH, CONSENTS[0], limited)
    async with thread.running():
        await eventually(thread.tasks, [("samarbeid", "aapen", 1)])
    thread.now = datetime(2026, 6, 1, tzinfo=UTC)
    thread.samtykke.change(child(), "sperret")
    await thread.loops.timers()
    assert [s for _, s, _ in await thread.tasks()] == ["aapen"]
    thread.samtykke.change(child(), "aktiv")
    await thread.loops.changes()
    assert [s for _, s, _ in await thread.tasks()] == ["bortfalt"]


async def test_a_fact_set_that_cannot_be_opened_is_built_anew_from_the_timeline(thread: Thread) -> None:
    await thread.publish(*CASE)
    async with thread.running():
        await eventually(thread.tasks, [("samarbeid", "aapen", 1)])
        await thread.rows("UPDATE faktasett SET innhold = 'noe annet'")
        await thread.publish(APPOINTED)
        await thread.until(f"{TIMELINE} WHERE venter", 5)
    await thread.loops.sweep()
    assert await thread.tasks() == [("samarbeid", "oppfylt", 2)]


async def test_two_consumers_share_the_partitions_and_one_takes_over_from_the_other(thread: Thread) -> None:
    subjects = [child(n) for n in range(20)]
    async with thread.running():
        async with thread.running():
            await thread.send(*(thread.outgoing(e, s) for s in subjects for e in CASE))
            await thread.until(TIMELINE, 80)
        await thread.send(*(thread.outgoing(APPOINTED, s) for s in subjects))
        await thread.until("SELECT count(*) FROM oppgave WHERE status = 'oppfylt'", 20)
    assert Counter(await thread.told()) == {"opprettet": 20, "utfort": 20}


@pytest.mark.parametrize("read_before", [False, True])
async def test_a_fetch_that_lasts_through_a_rebalance_loses_nothing(
    thread: Thread, monkeypatch: pytest.MonkeyPatch, read_before: bool
) -> None:
    """aiokafka's fetch goes on after it and then brings what the new assignment has, from whichever offset."""
    subjects = [child(n) for n in range(20)]
    one, another = thread.consumer(), thread.consumer()
    with monkeypatch.context() as patch:
        patch.setattr(consumer_module, "FETCH_WAIT_MS", 60_000)
        async with thread.running(one):
            await eventually(lambda: _reads(one), True)
            if read_before:  # then the database knows a position in each of their partitions
                await thread.send(*(thread.outgoing(CASE[0], s) for s in subjects))
                await thread.until(TIMELINE, 20)
            async with thread.running(another):
                await eventually(lambda: _reads(another), True)
                patch.undo()
                await thread.send(*(thread.outgoing(e, s) for s in subjects for e in CASE))
                await thread.until(TIMELINE, 80)


async def test_samtykke_away_for_longer_than_kafka_waits_for_a_consumer_and_it_reads_on(
    thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the group takes the partitions back, and gives them only to one that asks again."""
    impatient = functools.partial(AIOKafkaConsumer, max_poll_interval_ms=500)
    monkeypatch.setattr(consumer_module, "AIOKafkaConsumer", impatient)
    revoked = asyncio.Event()

    async def on_revoked(self: Any, _: Any) -> None:
        await was(self, _)
        revoked.set()

    was = _Places.on_partitions_revoked
    thread.settings = thread.settings.model_copy(update={"session_timeout_ms": 6_000})
    thread.samtykke.away = 1_000
    consumer = thread.consumer()
    async with thread.running(consumer):
        await eventually(lambda: _reads(consumer), True)
        monkeypatch.setattr(_Places, "on_partitions_revoked", on_revoked)
        await thread.publish(*CASE)
        async with asyncio.timeout(20):
            await revoked.wait()
        thread.samtykke.away = 0
        await thread.until(TIMELINE, 4)  # what it had in hand
        await thread.publish(APPOINTED)
        await thread.until(TIMELINE, 5)


async def test_a_group_that_never_gathers_is_left_and_joined_anew(
    thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    getmany, first = AIOKafkaConsumer.getmany, list[AIOKafkaConsumer]()

    async def waiting(self: AIOKafkaConsumer, *args: Any, **how: Any) -> Any:
        first.append(self)
        if self is first[0]:
            await asyncio.Event().wait()
        return await getmany(self, *args, **how)

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", waiting)
    monkeypatch.setattr(consumer_module, "ASSIGNED_WITHIN_S", 0.5)
    await thread.publish(*CASE)
    async with thread.running():
        await thread.until(TIMELINE, 4)


async def _reads(consumer: Consumer) -> bool:
    return bool(await consumer.ends())


@asynccontextmanager
async def client(thread: Thread, rolle: str = "system") -> AsyncIterator[httpx.AsyncClient]:
    app = create(thread.engine, thread.handler, thread.consumer(), thread.settings, lambda: thread.now)
    who = system_principal("prove").model_copy(update={"rolle": rolle})
    token = issue(who, thread.settings, thread.now, timedelta(minutes=5))
    transport = httpx.ASGITransport(app)
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://samordning", headers=headers) as http:
        yield http


def _aad(record: Outgoing) -> bytes:
    attributes = {name.removeprefix("ce_"): value.decode() for name, value in record.headers}
    attributes["datacontenttype"] = attributes.pop("content-type")
    return Envelope.from_attributes(attributes).aad()


async def test_the_api_answers_as_agreed(thread: Thread) -> None:
    await thread.publish(*CASE)
    async with thread.running():
        await eventually(thread.tasks, [("samarbeid", "aapen", 1)])
    async with client(thread) as http:
        page = (await http.get(f"/samordning/barn/{child()}")).json()
        row = next(e for e in page["tidslinje"] if e["id"] == SCHOOL.id)
        _, key = thread.samtykke.key(child(), "skole")
        opened = open_sealed(key, base64.b64decode(row["innhold"]), base64.b64decode(row["aad"]))
        assert opened == SCHOOL.content.model_dump_json().encode()
        assert [e["time"] for e in page["tidslinje"]] == sorted(e["time"] for e in page["tidslinje"])
        (task,) = page["oppgaver"]
        assert task["hviler_pa"][0].keys() == {"tjeneste", "kategori", "skjerming", "type", "source", "id"}
        for query in (
            {"kommune": "4601"},
            {"eier": "koordinerende-enhet"},
            {"subject": child()},
            {"id": task["id"]},
            {"utlost_av": HEALTH.id},
        ):
            assert (await http.get("/samordning/oppgaver", params=query)).json()["oppgaver"] == [task]
        assert (await http.get("/samordning/oppgaver", params={"eier": "skole"})).json()["oppgaver"] == []
        assert (await http.get("/samordning/oppgaver", params={"utlost_av": "annet"})).json()[
            "oppgaver"
        ] == []
        event_page = (
            await http.get(f"/samordning/hendelser/{SCHOOL.id}", params={"source": SCHOOL.source})
        ).json()
        assert event_page["hendelse"] == row
        assert event_page["oppgaver"] == [task]
        assert (await http.get("/samordning/hendelser/finnes-ikke")).status_code == 404
        found = (await http.get("/samordning/barn", params={"tjeneste": "skole", "kommune": "4601"})).json()
        assert found == {"subjects": [child()]}
        assert (await http.get("/samordning/barn", params={"tjeneste": "nav"})).json() == {"subjects": []}
        status = (await http.get("/samordning/status")).json()
        assert (status["hendelser"], status["parkert"], status["oppgaver"]) == (4, 0, {"aapen": 1})
    async with client(thread, "fagperson") as http:
        assert (await http.get(f"/samordning/barn/{child()}")).status_code == 403


async def test_a_stop_does_not_wait_for_a_long_poll(thread: Thread) -> None:
    async def long_poll() -> float:
        await asyncio.sleep(60)
        return 0

    stop = asyncio.Event()
    task = asyncio.create_task(steadily("prove", long_poll, stop, random.Random(1)))
    await asyncio.sleep(0)
    stop.set()
    async with asyncio.timeout(2):
        await task


async def test_the_process_answers_while_samtykke_is_away_and_stops_when_told(thread: Thread) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = thread.settings.model_copy(
        update={"samordning_port": port, "urls": {"samtykke": "http://127.0.0.1:1"}}
    )
    await thread.publish(*CASE)
    stop = asyncio.Event()
    process = asyncio.create_task(main.run(settings, thread.catalogue, stop))
    token = issue(system_principal("prove"), settings, datetime.now(UTC), timedelta(minutes=5))
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as http:

        async def waiting() -> int | None:
            try:
                found: int = (await http.get("/samordning/status")).json()["etterslep"]
            except httpx.HTTPError:
                return None
            return found

        await eventually(waiting, 4)
        assert (await http.get("/helse")).status_code == 200
        assert not process.done()
    stop.set()
    async with asyncio.timeout(15):
        await process
    await thread.until(TIMELINE, 0)
