"""Sight: one trace from the request to the task, and nothing personal in any trace, log line or metric."""

import asyncio
import gzip
import io
import logging
import threading
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from typing import Any

import asyncpg
import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from backbone import logs, telemetry
from backbone.clock import system_clock
from backbone.database import database_name
from backbone.kafka import Outgoing, Publisher
from contracts.personnummer import tenor
from deploy.engines import Engines
from deploy.migrate import databases
from services.registry import standard
from services.runner import accept as accept_module
from tests import copies
from tests.formats_suite import CHILD, SECRET
from tests.formats_suite import OTHER as SIBLING
from tests.integration.test_runner import absence
from tests.pipeline_fixture import Pipeline, running_pipeline  # noqa: F401 - a fixture
from tests.unit.formats import files
from tests.unit.formats import test_ssb_barnevern as ssb

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
NUMBER = tenor(date(2013, 5, 6), 77)
OTHER = tenor(date(2011, 1, 2), 31)
CANARY = "Kanarinius"
TEXT = f"{CANARY} Fuglesen har feber"
NOKKEL = "nokkelkanari-1"

pytestmark = pytest.mark.timeout(240)


class Receiver:
    """What a collector is sent: raw bodies, and their spans."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.bodies.append(
                    gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
                )
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def spans(self) -> list[Span]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [s for r in requests for rs in r.resource_spans for ss in rs.scope_spans for s in ss.spans]

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    receiver = Receiver()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    assert telemetry.start("prove")
    yield receiver
    telemetry.stop()
    receiver.close()


def report(nr: int = 1, **changed: Any) -> dict[str, Any]:
    """A melding to barnevern, which alone is a duty."""
    at = (system_clock() - timedelta(hours=1)).isoformat()
    return {
        "type": "henvendelse.mottatt",
        "person": NUMBER,
        "tid": at,
        "nokkel": f"{NOKKEL}{nr}",
        "data": {"slag": 2, "melderkode": "23"},  # anonymous: one duty a melding
        **changed,
    }


async def test_one_trace_holds_request_journal_publish_process_and_task_and_no_personal_data(
    collector: Receiver,
    pipeline: Pipeline,
) -> None:
    leaks = {"baggage": f"navn={CANARY}", "tracestate": f"x={CANARY}"}
    answer = await pipeline.send("barnevern", report(), traceparent=TRACEPARENT, **leaks)
    assert answer.status_code == 202
    await pipeline.until("samordning", "SELECT count(*) FROM oppgave", 1)
    await pipeline.until("samordning", "SELECT count(publisert) FROM journal", 1)
    await pipeline.until("portal", "SELECT count(*) FROM varsel", 1)
    telemetry.stop()

    ours = {s.span_id: s for s in collector.spans() if s.trace_id.hex() == TRACE}
    prefix = pipeline.settings.topic_prefix
    way = [
        "POST /{tjeneste}/hendelser",
        "journal append",
        f"send {prefix}barnevern.hendelser",
        f"process {prefix}barnevern.hendelser",
        "oppgave opprettet",
        f"send {prefix}samordning.hendelser",
        "process portal",
    ]
    by_name = {s.name: s for s in ours.values()}
    assert set(by_name) == {*way, "decide"}
    for parent, child in pairwise(way):
        assert by_name[child].parent_span_id == by_name[parent].span_id, child
        assert by_name[child].start_time_unix_nano >= by_name[parent].start_time_unix_nano
    assert by_name[way[0]].parent_span_id.hex() == "00f067aa0ba902b7"
    said = {a.key: a.value for a in by_name[way[2]].attributes}
    assert said["messaging.system"].string_value == "kafka"
    assert said["messaging.destination.name"].string_value == f"{prefix}barnevern.hendelser"
    assert said["messaging.kafka.offset"].int_value == 0

    batches = [s for s in collector.spans() if s.name in ("relay batch", "process batch")]
    assert {link.trace_id.hex() for s in batches for link in s.links} == {TRACE}

    subject = await pipeline.value("barnevern", "SELECT subject FROM journal")
    event = answer.json()["kvitteringer"][0]
    private = [NUMBER, CANARY, NOKKEL, subject, event["id"], event["source"], event["source"].split("/")[3]]
    everything = b"\n".join(collector.bodies)
    assert [p for p in private if p.encode() in everything] == []


async def test_every_event_of_a_request_without_a_context_is_of_one_trace_also_when_tracing_is_off(
    pipeline: Pipeline,
) -> None:
    assert not telemetry.on()
    await pipeline.send("barnevern", [report(1), report(2)], traceparent=f"00-{NUMBER:0>32}-{'1' * 16}-01")
    await pipeline.until("samordning", "SELECT count(*) FROM oppgave", 2)
    kept = "SELECT array_agg(DISTINCT substring(traceparent FROM 4 FOR 32)) FROM "
    (accepted,) = await pipeline.value("barnevern", kept + "journal")
    assert NUMBER not in accepted and len(accepted) == 32
    assert await pipeline.value("samordning", kept + "tidslinje") == [accepted]
    assert await pipeline.value("samordning", kept + "journal") == [accepted]


async def test_what_happened_is_counted_and_how_it_stands_is_shown(pipeline: Pipeline) -> None:
    page = await scraped(pipeline)
    before = {name: page.get(name, 0.0) for name in COUNTED}
    await pipeline.send("barnevern", [report(1), report(2), report(3, person="123")])
    await pipeline.until("samordning", "SELECT count(*) FROM oppgave", 2)
    await pipeline.until("samordning", "SELECT count(publisert) FROM journal", 2)
    page = await scraped(pipeline)
    assert {name: page[name] - before[name] for name in COUNTED} == COUNTED
    assert page['samspor_tasks_open{regel="bekymringsmelding"}'] == 2
    assert page['samspor_journal_rows{tilstand="for-relay",tjeneste="barnevern"}'] == 0
    assert page['samspor_relay_lock_held{tjeneste="barnevern"}'] == 1
    lag = f'samspor_consumer_lag_records{{leser="samordning",topic="{pipeline.settings.topic("barnevern.hendelser")}"}}'
    assert page[lag] == 0
    assert (await pipeline.http.get(f"{pipeline.settings.url('portal')}/metrics")).status_code == 404


COUNTED = {
    'samspor_events_received_total{svar="mottatt",tjeneste="barnevern"}': 2,
    'samspor_records_rejected_total{kode="nummer-form",tjeneste="barnevern"}': 1,
    'samspor_relay_decisions_total{tjeneste="barnevern",utfall="shield"}': 2,
    'samspor_relay_published_total{tjeneste="barnevern"}': 2,
    'samspor_relay_published_total{tjeneste="samordning"}': 2,
    'samspor_consumer_records_total{leser="samordning"}': 2,
}


async def scraped(pipeline: Pipeline) -> dict[str, float]:
    pages = [(await pipeline.http.get(f"{pipeline.settings.url(p)}/metrics")).text for p in METRICS]
    lines = [line for page in pages for line in page.splitlines() if not line.startswith("#")]
    return {name: float(number) for name, _, number in (line.rpartition(" ") for line in lines)}


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """Every log line, as a part writes it, below INFO too."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLines("prove"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def with_canaries(document: Any) -> bytes:
    """The document with our canaries wherever it says something secret."""
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    body = body.replace(SECRET.encode(), TEXT.encode())
    return body.replace(CHILD.encode(), NUMBER.encode()).replace(SIBLING.encode(), OTHER.encode())


def bodies(tjeneste: str) -> list[tuple[str, bytes]]:
    """(path, body) of everything that can be sent: good, almost good, and nonsense, in each format."""
    good: dict[str, list[tuple[str, Any]]] = {
        "skole": [("fint-utdanning", files.FINT)],
        "helsestasjon": [("fhir", files.BUNDLE)],
        "barnevern": [
            ("fiks-bekymringsmelding", files.OFFENTLIG),
            ("fiks-bekymringsmelding", files.PRIVAT),
            (
                "ssb-barnevern",
                ssb.fil(ssb.personalia(NUMBER), ssb.MELDING, ssb.TILTAK).replace(b"Familia", TEXT.encode()),
            ),
        ],
        "nav": [("digisos-soker", files.DIGISOS)],
    }
    generic = [
        absence(1, person=NUMBER, data={"dager": TEXT, "fritekst": TEXT}),
        absence(2, person=f"{NUMBER}1", nokkel=NUMBER),
        absence(3, person=TEXT, type=CANARY, tid=CANARY),
        absence(4, id=f"{CANARY}-{NUMBER}", person=OTHER),
        absence(5, person=OTHER, nokkel=f"{CANARY}\0"),
        {CANARY: TEXT},
        report(6, data={"slag": 2, "melderkode": CANARY}),
        absence(7, person=NUMBER, data={"dager": 10, "timer": 0, "periode": "2026-2027", "regel": TEXT}),
    ]
    out = [("hendelser", orjson.dumps(generic)), *(("hendelser", orjson.dumps(g)) for g in generic)]
    for navn, document in good.get(tjeneste, ()):
        body = with_canaries(document)
        out += [(f"formater/{navn}", body), (f"formater/{navn}", body[: len(body) // 2])]
    nonsense = [
        f'{{"{CANARY}": "{NUMBER}", '.encode(),
        f"<a><{CANARY}>{NUMBER}</{CANARY}></a>".encode(),
        f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "{CANARY}">]><a>&x;{NUMBER}</a>'.encode(),
        f"{CANARY};{NUMBER};{TEXT}\n".encode("utf-16"),
        b"\xff\xfe" + CANARY.encode(),
    ]
    return out + [(path, body) for body in nonsense for path in {p for p, _ in out}]


async def test_a_name_a_number_and_free_text_stand_in_clear_nowhere_whatever_goes_wrong(
    pipeline: Pipeline,
    engines: Engines,
    said: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    spans = InMemorySpanExporter()
    telemetry.start("prove", spans)
    statuses: dict[int, int] = defaultdict(int)
    answers: list[bytes] = []
    try:
        headers = {"baggage": f"navn={CANARY}", "user-agent": TEXT, "content-type": f"x/{CANARY}"}
        for tjeneste, formats in standard(pipeline.catalogue).formats.items():
            sendings = bodies(tjeneste) + [(f"formater/{f}", TEXT.encode()) for f in formats]
            for path, body in sendings:
                answer = await pipeline.send(tjeneste, body, path, **headers)
                statuses[answer.status_code] += 1
                answers.append(answer.content)
        await pipeline.send("skole", b"{}", f"formater/{NUMBER}?navn={CANARY}", traceparent=CANARY)
        for owner in (*pipeline.catalogue.tjenester, "samordning"):
            await pipeline.until(owner, "SELECT count(*) FROM journal WHERE trenger_relay", 0)
        on_kafka = await _on_kafka(pipeline)
        await _the_ways_behind_the_door(pipeline, monkeypatch)
        await _errors_in_the_database(pipeline)
        page = b"".join(
            [(await pipeline.http.get(f"{pipeline.settings.url(p)}/metrics")).content for p in METRICS]
        )
    finally:
        telemetry.stop()
    assert statuses[202] > 5 and statuses[422] > 20
    exported = "\n".join(s.to_json() for s in spans.get_finished_spans()).encode()
    printed = "".join(capfd.readouterr()).encode()
    lines = said.getvalue().encode()
    assert b"feil-" in lines and b"ValueError" in lines, "the error paths were gone through"
    assert b"samspor_events_received_total" in page and b"journal append" in exported
    for place, content in (("spans", exported), ("log", lines), ("output", printed), ("metrics", page)):
        for secret in (CANARY, CANARY.lower(), NUMBER, OTHER, "Fuglesen", "feber", NOKKEL):
            assert secret.encode() not in content, f"{secret} is in {place}"
    everywhere = {
        "spans": exported,
        "log": lines,
        "output": printed,
        "metrics": page,
        "Kafka": on_kafka,
        **await _in_the_databases(pipeline),
        **_in_the_engines_logs(engines),
    }
    assert len(on_kafka) > 10_000 and len(everywhere["database samtykke"]) > 10_000
    assert {
        place: found for place, text in everywhere.items() if (found := copies.found(CANARIES, text))
    } == {}


CANARIES = (CANARY, NUMBER, OTHER, TEXT)


async def _on_kafka(pipeline: Pipeline) -> bytes:
    """Keys, headers and values of every record, the dead letters too."""
    records = await copies.records(pipeline.settings, pipeline.catalogue)
    named = (piece for r in records for name, value in r.headers for piece in (name.encode(), value or b""))
    return b"\n".join([*named, *(r.key or b"" for r in records), *(r.value or b"" for r in records)])


async def _errors_in_the_database(pipeline: Pipeline) -> None:
    """Statements that fail for what they were given: PostgreSQL repeats it in message, detail or context."""
    for statement in (
        "SELECT $1::text::int",
        "INSERT INTO formatomfang (omfang) VALUES ($1), ($1)",
        f"SELECT '{CANARY}'::uuid FROM journal WHERE id = $1::text OR true",
    ):
        with pytest.raises(asyncpg.PostgresError):
            await pipeline.value("skole", statement, f"{TEXT}{NUMBER}")


async def _in_the_databases(pipeline: Pipeline) -> dict[str, bytes]:
    """A dump of each. The record that a stranger wrote to Kafka in clear is as it came, and is left out."""
    await pipeline.value("samordning", "DELETE FROM parkert WHERE nokkel = $1", NUMBER.encode())
    names = databases(pipeline.catalogue)
    dumps = (
        copies.dump(pipeline.settings, database_name(pipeline.settings, name), keys=True) for name in names
    )
    found = zip(names, await asyncio.gather(*dumps), strict=True)
    return {f"database {name}": content for name, content in found}


def _in_the_engines_logs(engines: Engines) -> dict[str, bytes]:
    logs = [path for path in engines.data_dir.glob("*/*.log*") if path.is_file()]
    assert {path.name for path in logs} >= {"postgres.log", "kafka.log"}, logs
    return {path.name: path.read_bytes() for path in logs}


METRICS = ("tjenester", "samtykke", "samordning", "relay")


async def _the_ways_behind_the_door(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in accepting, a row nobody can read, a record nobody can read, calls between our own processes."""
    with monkeypatch.context() as patch:

        def bug(*_: Any) -> None:
            raise ValueError(TEXT + NUMBER)

        patch.setattr(accept_module, "Checker", bug)
        assert (await pipeline.send("nav", [absence(1, person=NUMBER)])).status_code == 500
    await pipeline.value("nav", "UPDATE journal SET trenger_relay = false")
    await pipeline.send("barnevern", report(90))
    await pipeline.until("barnevern", "SELECT count(*) FROM journal WHERE trenger_relay", 0)
    await pipeline.value(
        "barnevern", "UPDATE journal SET trenger_relay = true, tid = 'infinity' WHERE utfall = 'shield'"
    )
    await pipeline.until("barnevern", "SELECT count(*) > 0 FROM journal WHERE parkert IS NOT NULL", True)
    publisher = Publisher(pipeline.settings, "prove")
    topic = pipeline.settings.topic("skole.hendelser")
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_type", TEXT.encode()),
        (CANARY, NUMBER.encode()),
        ("ce_id", b"\xff"),
    ]
    await publisher.send([Outgoing(topic, NUMBER.encode(), headers, TEXT.encode())])
    await publisher.close()
    await pipeline.until("samordning", "SELECT count(*) > 0 FROM parkert", True)
    system = pipeline.as_("system")
    samtykke, samordning = (pipeline.settings.url(p) for p in ("samtykke", "samordning"))
    for path in ("personer", "navn", "sok", "samtykker", "avgjorelser", "lesinger"):
        body = {
            "person": NUMBER,
            "navn": TEXT,
            "kommune": CANARY,
            "viewer": {CANARY: TEXT},
            "items": [{"person": TEXT}],
        }
        for content in (
            orjson.dumps(body),
            TEXT.encode(),
            orjson.dumps({"person": NUMBER, "kommune": "4601", "navn": TEXT}),
        ):
            await pipeline.http.post(f"{samtykke}/samtykke/{path}", content=content, headers=system)
    for path in (f"samordning/barn/{NUMBER}", f"samordning/hendelser/{CANARY}", f"{CANARY}/{NUMBER}"):
        await pipeline.http.get(f"{samordning}/{path}", headers=system, params={"kommune": CANARY})
