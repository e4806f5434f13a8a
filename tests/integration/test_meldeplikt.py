"""Meldeplikt never waits, and nobody but barnevern learns that a report exists."""

import asyncio
import base64
import io
import json
import logging
import random
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import lane, logs, telemetry
from backbone.clock import system_clock
from backbone.database import create_engine, dedicated, driver
from backbone.failures import Stop
from backbone.journal import NewEvent
from backbone.kafka import Outgoing, Publisher
from backbone.seal import SealBroken
from backbone.settings import MissingSecret, Settings
from backbone.tokens import Principal, issue
from consumers.innboks.app import build
from consumers.innboks.lager import Arrived, Lager
from consumers.innboks.tables import metadata
from contracts.catalogue import Catalogue
from contracts.envelope import CONTENT_BYTES_MAX, Content
from contracts.personnummer import tenor
from contracts.topics import INNBOKS, KJEDE
from deploy.migrate import databases
from tests.conftest import NOW, MakeDatabase
from tests.integration.test_runner import absence
from tests.pipeline_fixture import Pipeline, running_pipeline  # noqa: F401 - a fixture

pytestmark = pytest.mark.timeout(240)

CHILD = tenor(date(2014, 6, 7), 44)
CANARY = "Kanarinius"
EVENT_ID = "fagsystemets-melding-1"
NOKKEL = "nokkelkanari-9"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


BARNEVERN = Principal(
    sub="fag:barnevern", rolle="fagsystem", orgnr="310000003", kommune="4601", tjeneste="barnevern"
)
ELSEWHERE = BARNEVERN.model_copy(update={"kommune": "0301"})


def melding(**changed: Any) -> dict[str, Any]:
    return {
        "type": "bekymringsmelding.sendt",
        "person": CHILD,
        "tid": (system_clock() - timedelta(hours=1)).isoformat(),
        "nokkel": NOKKEL,
        "id": EVENT_ID,
        "data": {"beskrivelse": f"{CANARY} har vært alene hjemme", "saksinnhold": ["17"]},
        **changed,
    }


async def inbox(pipeline: Pipeline, who: str = "barnevern", **params: Any) -> httpx.Response:
    url = f"{pipeline.settings.url('tjenester')}/barnevern/innboks"
    return await pipeline.http.get(url, headers=pipeline.as_(who), params=params)


async def arrived(pipeline: Pipeline, count: int = 1, **params: Any) -> list[dict[str, Any]]:
    for _ in range(300):
        found: list[dict[str, Any]] = (await inbox(pipeline, **params)).json()["meldinger"]
        if len(found) >= count:
            assert len(found) == count
            return found
        await asyncio.sleep(0.1)
    pytest.fail("no report came to the inbox")


async def test_a_report_goes_to_barnevernets_inbox_alone_once_and_stays_until_it_is_acknowledged(
    pipeline: Pipeline,
) -> None:
    await _for_barnevern_until_acknowledged(pipeline)
    await _told_by_its_id(pipeline)
    await _beside_events_and_poison(pipeline)


async def _for_barnevern_until_acknowledged(pipeline: Pipeline) -> None:
    sent = await pipeline.send("skole", melding(person="12345678901"))
    assert sent.status_code == 202, sent.text
    (found,) = await arrived(pipeline)
    assert (found["person"], found["nokkel"], found["kvittert"]) == ("12345678901", NOKKEL, None), (
        "a wrong number is for barnevern to see through, not a reason to refuse"
    )
    assert found["hendelse"]["type"] == "no.samspor.skole.bekymringsmelding.sendt"
    assert found["avsender"]["tjeneste"] == "skole" and CANARY in found["data"]["beskrivelse"]

    url = f"{pipeline.settings.url('tjenester')}/barnevern/innboks"
    direct = f"{pipeline.settings.url('innboks')}/barnevern/innboks"
    kvitter = f"{url}/{found['id']}/kvitter"
    for who in ("skole", "system", "drift", "persona:revisor", "persona:barnevernspedagog"):
        for address in (url, direct):
            assert (await pipeline.http.get(address, headers=pipeline.as_(who))).status_code == 403, who
        assert (await pipeline.http.post(kvitter, headers=pipeline.as_(who))).status_code == 403, who
    assert (await pipeline.http.get(direct)).status_code == 401

    first = await pipeline.http.post(kvitter, headers=pipeline.as_("barnevern"))
    again = await pipeline.http.post(kvitter, headers=pipeline.as_("barnevern"))
    assert first.status_code == 200 and first.json() == again.json()
    assert (await inbox(pipeline)).json()["meldinger"] == []
    (kept,) = await arrived(pipeline, alle=True)
    assert kept["kvittert"] == first.json()["kvittert"]
    refused = "SELECT count(*) FROM revisjon WHERE utfall = 'deny'"
    assert await pipeline.value("innboks", refused) == 15, "five of them, at two addresses and a receipt"
    await pipeline.until("innboks", "SELECT count(*) FROM revisjon WHERE nummer IS NULL", 0)


async def _told_by_its_id(pipeline: Pipeline) -> None:
    """The same again gives the same receipt and one in the inbox; another content 409; the receipt says no more."""
    body = melding()
    first, again = await pipeline.send("nav", body), await pipeline.send("nav", body)
    statuses = [answer.json()["kvitteringer"][0]["status"] for answer in (first, again)]
    assert statuses == ["mottatt", "kjent"]
    other = await pipeline.send("nav", {**body, "data": {"beskrivelse": "noe annet"}})
    assert other.status_code == 409
    # What tells a repeat at the sender may be gone: the inbox tells it too.
    await pipeline.until("nav", "SELECT count(*) FROM utsending WHERE innhold IS NULL", 1)
    await pipeline.value("nav", "DELETE FROM utsending")
    await pipeline.send("nav", body)
    await pipeline.send("nav", {**body, "id": "en-til"})
    assert {found["hendelse"]["id"] for found in await arrived(pipeline, 2)} == {EVENT_ID, "en-til"}
    await _acknowledge_all(pipeline)
    url = f"{pipeline.settings.url('tjenester')}/nav/hendelser/{EVENT_ID}"
    receipt = (await pipeline.http.get(url, headers=pipeline.as_("nav"))).json()
    said = {name: value for name, value in receipt.items() if value not in (None, [])}
    assert said.keys() == {"id", "source", "mottatt", "status"} and said["status"] == "mottatt"
    for who in ("system", "skole", "drift"):
        assert (await pipeline.http.get(url, headers=pipeline.as_(who))).status_code in (403, 404)


async def _beside_events_and_poison(pipeline: Pipeline) -> None:
    """Reports and events of one request go each where they belong; a record that is no report holds up none."""
    publisher = Publisher(pipeline.settings, "prove")
    topic = pipeline.settings.topic(INNBOKS.navn)
    await publisher.send([Outgoing(topic, b"k", [("ce_type", b"noe annet")], b"\xff")])
    await publisher.close()
    await pipeline.until("innboks", "SELECT count(*) FROM parkert", 1)
    bad = melding(id="for-stor", data={"beskrivelse": "x" * CONTENT_BYTES_MAX})
    body = [absence(1, id="a"), melding(id="b"), bad, absence(2, id="c"), melding(id="d", person=None)]
    answer = await pipeline.send("skole", body)
    assert answer.status_code == 202
    assert [k["id"] for k in answer.json()["kvitteringer"]] == ["a", "b", "c", "d"]
    assert [(e["linje"], e["kode"]) for e in answer.json()["feil"]] == [(3, "melding-for-stor")]
    assert {found["hendelse"]["id"] for found in await arrived(pipeline, 2)} == {"b", "d"}
    assert await pipeline.value("skole", "SELECT array_agg(id ORDER BY id) FROM journal") == ["a", "c"]


async def _acknowledge_all(pipeline: Pipeline) -> None:
    for found in (await inbox(pipeline)).json()["meldinger"]:
        url = f"{pipeline.settings.url('tjenester')}/barnevern/innboks/{found['id']}/kvitter"
        assert (await pipeline.http.post(url, headers=pipeline.as_("barnevern"))).is_success


class Watched:
    """Everything the process says of itself while it is watched."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        telemetry.start("prove", self.spans)
        self.lines = io.StringIO()
        self.handler = logging.StreamHandler(self.lines)
        self.handler.setFormatter(logs.Lines("prove"))
        root = logging.getLogger()
        self.level = root.level
        root.addHandler(self.handler)
        root.setLevel(logging.INFO)

    def close(self) -> None:
        logging.getLogger().removeHandler(self.handler)
        logging.getLogger().setLevel(self.level)
        telemetry.stop()


@pytest.fixture
def watched() -> Iterator[Watched]:
    watching = Watched()
    yield watching
    watching.close()


async def test_no_other_api_page_log_trace_metric_table_or_topic_shows_that_there_is_a_report(
    watched: Watched, pipeline: Pipeline
) -> None:
    ordinary = absence(1, id="vanlig", person=CHILD)
    assert (await pipeline.send("skole", ordinary)).status_code == 202
    await pipeline.until("skole", "SELECT count(publisert) FROM journal", 1)
    await pipeline.until("samordning", "SELECT count(*) FROM tidslinje", 1)
    numbers, tables = await _at_rest(pipeline)

    assert (await pipeline.send("skole", melding(), traceparent=TRACEPARENT)).status_code == 202
    (report,) = await arrived(pipeline)
    kvitter = f"{pipeline.settings.url('tjenester')}/barnevern/innboks/{report['id']}/kvitter"
    assert (await pipeline.http.post(kvitter, headers=pipeline.as_("barnevern"))).status_code == 200

    assert await _numbers(pipeline) == numbers, "no figure has moved"
    after = await _tables(pipeline)
    changed = {name for name, rows in after.items() if rows != tables.get(name)}
    looked = {"innboks.revisjon", "innboks.revisjon_kjede"}
    assert changed - looked == {"skole.utsending", "innboks.melding", "innboks.posisjon"}
    said = await _everything_said(pipeline, [EVENT_ID, report["id"]])
    records = await _records(pipeline)
    (lane_record,) = [record for topic, record in records if topic.endswith(INNBOKS.navn)]
    assert {topic for topic, _ in records} == {
        pipeline.settings.topic(t) for t in ("skole.hendelser", INNBOKS.navn, KJEDE.navn)
    }
    places = {
        "answers": said,
        "log": watched.lines.getvalue(),
        "databases": json.dumps(after),
        "topics": repr([(r.key, r.headers, r.value) for _, r in records]),
    }
    secrets = (CANARY, EVENT_ID, NOKKEL, "bekymringsmelding", "alene hjemme")
    for place, text in places.items():
        for secret in (*secrets, TRACE):
            assert secret not in text, f"{secret} is in {place}"
    spans = "\n".join(span.to_json() for span in watched.spans.get_finished_spans())
    assert not [secret for secret in secrets if secret in spans]
    named = {s.name for s in watched.spans.get_finished_spans() if f"{s.context.trace_id:032x}" == TRACE}
    assert named == {"POST /{tjeneste}/hendelser", "journal append"}, "and there the trace ends"
    assert "innboks" not in spans

    headers = dict(lane_record.headers)
    assert headers.keys() == {
        "content-type",
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_nokkelid",
    }
    assert (headers["ce_type"], headers["ce_source"]) == (b"no.samspor.innboks.melding", b"/innboks")
    event = from_binary(KafkaMessage(headers, None, lane_record.value), JSONFormat(), CloudEvent)
    assert event.get_id() == report["id"], "the CloudEvents SDK reads it"
    assert lane_record.key not in report["id"].encode()


async def _at_rest(pipeline: Pipeline) -> tuple[list[str], dict[str, list[str]]]:
    """Figures and tables when what the ordinary event set going has ended, its ledger's sealing too."""
    before: tuple[list[str], dict[str, list[str]]] = [], {}
    for _ in range(60):
        now = await _numbers(pipeline), await _tables(pipeline)
        if now == before:
            return now
        before = now
        await asyncio.sleep(2)
    pytest.fail("nothing was sent, and yet something goes on")


async def _numbers(pipeline: Pipeline) -> list[str]:
    """Every figure on every /metrics, but of HTTP itself and the process's own."""
    found = []
    for part in ("tjenester", "samtykke", "samordning", "relay", "innboks"):
        page = (await pipeline.http.get(f"{pipeline.settings.url(part)}/metrics")).text
        found += [
            line
            for line in page.splitlines()
            if line.startswith("samspor_")
            and not line.startswith(("samspor_http", "samspor_journal_oldest", "samspor_consumer_batch"))
        ]
    return sorted(found)


async def _tables(pipeline: Pipeline) -> dict[str, list[str]]:
    """Every row of every table of every database."""
    found = {}
    for name in databases(pipeline.catalogue):
        engine = create_engine(pipeline.settings, name, 2)
        async with engine.connect() as connection:
            conn = await driver(connection)
            tables = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for (table,) in tables:
                rows = await conn.fetch(f'SELECT t::text FROM "{table}" t ORDER BY 1')
                found[f"{name}.{table}"] = [row[0] for row in rows]
        await engine.dispose()
    return found


async def _everything_said(pipeline: Pipeline, ids: list[str]) -> str:
    """Every GET of every API and of the portal, asked by everybody who has a token."""
    subject = await pipeline.value("samtykke", "SELECT subject::text FROM person LIMIT 1")
    texts = []
    for part in ("tjenester", "samtykke", "samordning"):
        url = pipeline.settings.url(part)
        paths = (await pipeline.http.get(f"{url}/openapi.json")).json()["paths"]
        for path in [path for path, methods in paths.items() if "get" in methods]:
            if path.startswith("/barnevern/innboks"):
                continue
            for id_ in (*ids, "vanlig"):
                filled = (
                    path.replace("{tjeneste}", "skole").replace("{subject}", subject).replace("{id}", id_)
                )
                for who in ("barnevern", "nav", "system", "drift"):
                    answer = await pipeline.http.get(
                        url + filled,
                        headers=pipeline.as_(who),
                        params={"subject": subject, "koordinator": "x", "kommune": "4601"},
                    )
                    texts.append(answer.text.replace(id_, ""))
    portal = pipeline.settings.url("portal")
    for persona in ("laerer", "helsesykepleier", "barnevernspedagog", "barnekoordinator", "revisor"):
        async with httpx.AsyncClient(trust_env=False, base_url=portal, follow_redirects=True) as browser:
            signed_in = await browser.post(
                "/innlogging", data={"persona": persona}, headers={"origin": portal}
            )
            pages = ["/", f"/barn/{subject}", "/oppgaver"]
            pages += [f"/hendelser/4601/skole/310000001/{id_}" for id_ in (EVENT_ID, "vanlig")]
            answers = [signed_in, *[await browser.get(page) for page in pages]]
            texts += [answer.text.replace(EVENT_ID, "") for answer in answers]
    url = f"{pipeline.settings.url('tjenester')}/skole/venter"
    texts.append((await pipeline.http.get(url, headers=pipeline.as_("skole"))).text)
    return "\n".join(texts)


async def _records(pipeline: Pipeline) -> list[tuple[str, Any]]:
    names = [pipeline.settings.topic(topic.navn) for topic in pipeline.catalogue.topics()]
    consumer = AIOKafkaConsumer(
        *names, bootstrap_servers=pipeline.settings.kafka, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        found: list[tuple[str, Any]] = []
        while len(found) < sum(ends.values()):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [(record.topic, record) for record in records]
        return found
    finally:
        await consumer.stop()


# The lane by itself


async def test_reports_that_kafka_would_not_take_are_told_of_and_hold_up_no_other(
    settings: Settings, topics: Catalogue, make_database: MakeDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    engine = await make_database("skole", lane.metadata)
    conn = await dedicated(engine)
    await conn.execute(
        "INSERT INTO utsending (id, plass, avtrykk, nokkelid, innhold, mottatt) SELECT gen_random_uuid(),"
        " n::text::bytea, '', 'innboks-1', decode(repeat('00', CASE WHEN n > $1 THEN 100 ELSE $2 + 1 END), 'hex'),"
        " $3::timestamptz + n * interval '1 second' FROM generate_series(1, $1 + 1) n",
        lane.BATCH,
        lane.SEALED_BYTES_MAX,
        NOW,
    )
    relay = lane.LaneRelay(engine, "skole", settings, lambda: NOW, random.Random(1))
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    try:
        async with asyncio.timeout(30):
            waiting = "SELECT count(*) FROM utsending WHERE innhold IS NOT NULL"
            while await conn.fetchval(waiting) != lane.BATCH or "too large" not in caplog.text:
                await asyncio.sleep(0.1)
    finally:
        stop.set()
        await running
        await conn.close()


async def test_what_stands_for_a_number_is_bounded_as_the_rest_of_a_report_is(pipeline: Pipeline) -> None:
    bad = await pipeline.send("skole", melding(person="1" * 201))
    assert [(e["peker"], e["kode"]) for e in bad.json()["feil"]] == [("/person", "for-lang")]
    assert (await pipeline.send("skole", melding(person="1" * 200))).status_code == 202


# The inbox by itself


def rotated(settings: Settings) -> tuple[Settings, Settings]:
    """(the sender's settings, the inbox's): a new key for one municipality, which the inbox does not hold yet."""
    fresh = X25519PrivateKey.generate()
    public = base64.b64encode(fresh.public_key().public_bytes_raw()).decode()
    assert settings.innboks_private_keys is not None
    private = json.loads(settings.innboks_private_keys.get_secret_value())
    private["innboks-2"] = base64.b64encode(fresh.private_bytes_raw()).decode()
    sender = settings.model_copy(
        update={
            "innboks_public_keys": {**settings.innboks_public_keys, "innboks-2": public},
            "innboks_key_ids": {"*": "innboks-1", "4601": "innboks-2"},
        }
    )
    held = type(settings.innboks_private_keys)(json.dumps(private))
    return sender, settings.model_copy(update={"innboks_private_keys": held})


def sealed(settings: Settings, kommune: str = "4601", nr: int = 1, text: str = "x") -> Arrived:
    event = NewEvent(
        id=f"m-{nr}",
        source=f"/{kommune}/skole/310000001",
        type="no.samspor.skole.bekymringsmelding.sendt",
        kommune=kommune,
        orgnr="310000001",
        time=NOW,
        content=Content(nokkel=f"n-{nr}", data={"beskrivelse": text}),
    )
    keys = lane.SealingKeys(settings)
    id_ = uuid.uuid4()
    key_id, body = keys.seal(str(id_), lane.report_of(event, NOW))
    return Arrived(id_, key_id, body)


@pytest.fixture
async def innboks(make_database: MakeDatabase) -> AsyncEngine:
    return await make_database("innboks", metadata)


async def test_a_report_sealed_to_a_new_key_waits_for_it_and_each_municipality_sees_its_own(
    settings: Settings, innboks: AsyncEngine
) -> None:
    sender, holder = rotated(settings)
    before = Lager(innboks, settings)
    await before.take([sealed(sender), sealed(sender, "0301", 2)], [], {}, NOW)
    assert await before.give(BARNEVERN, 0, 10, False, NOW) == []
    assert not await before.tidy(NOW)
    after = Lager(innboks, holder)
    assert await after.tidy(NOW)
    ((first,), (second,)) = [await after.give(who, 0, 10, False, NOW) for who in (BARNEVERN, ELSEWHERE)]
    assert (first.melding.id, second.melding.id) == ("m-1", "m-2")
    assert await after.acknowledge("0301", first.id, "x", NOW) is None, "another municipality's"


async def test_a_report_opened_late_comes_to_who_has_read_on_meanwhile(
    settings: Settings, innboks: AsyncEngine
) -> None:
    sender, holder = rotated(settings)
    before, after = Lager(innboks, settings), Lager(innboks, holder)
    await before.take([sealed(sender, nr=1), sealed(sender, nr=2)], [], {}, NOW)
    await before.take([sealed(settings, nr=nr) for nr in (3, 4)], [], {}, NOW)
    read = await before.give(BARNEVERN, 0, 10, False, NOW)
    assert [g.melding.id for g in read] == ["m-3", "m-4"]
    assert await after.tidy(NOW)
    late = await after.give(BARNEVERN, read[-1].nr, 10, False, NOW)
    assert [g.melding.id for g in late] == ["m-1", "m-2"]


async def test_two_inbox_processes_give_a_reader_every_report_whichever_commits_first(
    settings: Settings, innboks: AsyncEngine
) -> None:
    slow, quick = Lager(innboks, settings), Lager(innboks, settings)
    await slow.take([], [], {0: 1}, NOW)
    async with innboks.begin() as blocking:
        await (await driver(blocking)).execute("SELECT FROM posisjon WHERE partisjon = 0 FOR UPDATE")
        first = asyncio.create_task(slow.take([sealed(settings, nr=1)], [], {0: 2}, NOW))
        await asyncio.sleep(0.5)
        second = asyncio.create_task(quick.take([sealed(settings, nr=2)], [], {1: 1}, NOW))
        await asyncio.sleep(0.5)
        read = await quick.give(BARNEVERN, 0, 10, False, NOW)
    await asyncio.gather(first, second)
    read += await quick.give(BARNEVERN, read[-1].nr if read else 0, 10, False, NOW)
    assert {g.melding.id for g in read} == {"m-1", "m-2"}


async def test_every_look_and_every_refusal_is_one_row_that_names_neither_child_nor_sender(
    settings: Settings, innboks: AsyncEngine
) -> None:
    lager = Lager(innboks, settings)
    report = sealed(settings, nr=7, text=CANARY)
    await lager.take([report], [], {}, NOW)
    app = build(settings, lager, lambda: NOW)

    async def ask(who: Principal, path: str = "", method: str = "GET", **params: Any) -> int:
        token = issue(who, settings, NOW, timedelta(minutes=5))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://innboks") as http:
            answer = await http.request(
                method,
                f"/barnevern/innboks{path}",
                params=params,
                headers={"authorization": f"Bearer {token}"},
            )
        return answer.status_code

    teacher = Principal(sub="l", rolle="fagperson", orgnr="310000001", kommune="4601", tjeneste="skole")
    assert await ask(BARNEVERN, alle=True) == 200
    assert await ask(ELSEWHERE, etter=3) == 200
    assert await ask(teacher) == 403
    assert await ask(BARNEVERN.model_copy(update={"sub": "s", "tjeneste": "skole"})) == 403
    assert await ask(teacher, f"/{report.id}/kvitter", "POST") == 403
    async with innboks.connect() as connection:
        rows = await (await driver(connection)).fetch(
            "SELECT *, r::text AS whole FROM revisjon r ORDER BY lopenr"
        )
    assert [(r["aktor"], r["kommune"], r["utfall"], r["grunn"]) for r in rows] == [
        ("fag:barnevern", "4601", "full", None),
        ("fag:barnevern", "0301", "full", None),
        ("l", "4601", "deny", "rolle-mangler"),
        ("s", "4601", "deny", "bare-barnevernet"),
        ("l", "4601", "deny", "rolle-mangler"),
    ]
    assert [r["detaljer"] for r in rows[:2]] == [
        {"meldinger": [str(report.id)], "etter": 0, "alle": True},
        {"meldinger": [], "etter": 3, "alle": False},
    ]
    assert {(r["subject"], r["hendelse"], r["type"]) for r in rows} == {(None, None, None)}
    for secret in (CANARY, "m-7", "n-7", "bekymringsmelding", CHILD):
        assert not [r for r in rows if secret in r["whole"]]
    assert not [r for r in rows if r["utfall"] == "full" and "310000001" in r["whole"]], "the sender"


async def test_a_look_that_the_ledger_does_not_take_is_none(settings: Settings, innboks: AsyncEngine) -> None:
    lager = Lager(innboks, settings)
    await lager.take([sealed(settings)], [], {}, NOW)
    async with innboks.begin() as connection:
        await (await driver(connection)).execute(
            "CREATE FUNCTION sluk() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
            "CREATE TRIGGER sluk BEFORE INSERT ON revisjon FOR EACH ROW EXECUTE FUNCTION sluk()"
        )
    with pytest.raises(Stop):
        await lager.give(BARNEVERN, 0, 10, False, NOW)


async def test_the_unacknowledged_remain_and_the_acknowledged_go_after_their_days(
    settings: Settings, innboks: AsyncEngine
) -> None:
    lager = Lager(innboks, settings)
    done, left = sealed(settings, nr=1), sealed(settings, nr=2)
    await lager.take([done, left], [], {}, NOW)
    assert await lager.acknowledge("4601", done.id, "fag", NOW) == NOW
    later = NOW + timedelta(days=30)
    await lager.tidy(later)
    assert len(await lager.give(BARNEVERN, 0, 10, True, later)) == 2
    await lager.tidy(later + timedelta(seconds=1))
    assert [g.melding.id for g in await lager.give(BARNEVERN, 0, 10, True, later)] == ["m-2"]


async def test_reports_are_given_a_page_at_a_time_in_the_order_they_came(
    settings: Settings, innboks: AsyncEngine
) -> None:
    lager = Lager(innboks, settings)
    await lager.take([sealed(settings, nr=nr) for nr in range(5)], [], {}, NOW)
    first = await lager.give(BARNEVERN, 0, 3, False, NOW)
    second = await lager.give(BARNEVERN, first[-1].nr, 3, False, NOW)
    assert [g.melding.id for g in (*first, *second)] == [f"m-{nr}" for nr in range(5)]


def test_a_body_opens_under_its_own_envelope_alone(settings: Settings) -> None:
    keys = lane.OpeningKeys(settings)
    one = sealed(settings)
    assert keys.open(str(one.id), one.nokkelid, one.sealed).id == "m-1"
    for id_, key_id, body in (
        (str(uuid.uuid4()), one.nokkelid, one.sealed),
        (str(one.id), "innboks-9", one.sealed),
        (str(one.id), one.nokkelid, one.sealed[:-1]),
    ):
        with pytest.raises(SealBroken):
            keys.open(id_, key_id, body)
    assert len(sealed(settings, text="x").sealed) == len(sealed(settings, text="x" * 300).sealed)


def test_a_missing_key_stops_the_process_that_needs_it_and_names_the_setting(settings: Settings) -> None:
    with pytest.raises(MissingSecret, match="SAMSPOR_INNBOKS_PUBLIC_KEYS has no X25519 key innboks-1"):
        lane.SealingKeys(settings.model_copy(update={"innboks_public_keys": {}}))
    with pytest.raises(MissingSecret, match="SAMSPOR_INNBOKS_PRIVATE_KEYS"):
        lane.OpeningKeys(settings.model_copy(update={"innboks_private_keys": None}))


def test_every_service_may_send_a_report_and_our_own_parts_may_not(catalogue: Catalogue) -> None:
    for tjeneste in catalogue.tjenester:
        assert catalogue.accepted_from(tjeneste, "bekymringsmelding.sendt").egen_kanal
    for internal in ("samtykke", "samordning"):
        assert not catalogue.lanes_of(internal)
