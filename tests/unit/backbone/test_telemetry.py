"""Traces: what context is carried, what leaves, and what it costs when nobody listens."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from backbone import telemetry
from contracts.personnummer import tenor

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
NUMBER = tenor(date(2014, 3, 2), 5)


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    telemetry.start("prove", exporter)
    yield exporter
    telemetry.stop()


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Ola Nordmann",
        PARENT.upper(),
        f"{PARENT}-extra",
        f"01{PARENT[2:]}",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{NUMBER:0>32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{NUMBER:f<16}-01",
    ],
)
def test_a_context_that_is_malformed_or_hides_a_number_is_not_carried_on(header: str | None) -> None:
    assert telemetry.read_traceparent(header) is None


def test_a_senders_context_and_our_own_are_carried_on() -> None:
    assert telemetry.read_traceparent(PARENT) == PARENT
    ours = telemetry.new_traceparent()
    assert telemetry.read_traceparent(ours) in (
        ours,
        None,
    )  # None once in some thousand: eleven digits by chance
    assert ours != telemetry.new_traceparent()


def test_spans_nest_in_the_senders_trace(spans: InMemorySpanExporter) -> None:
    with telemetry.continuing(PARENT), telemetry.span("outer") as outer:
        assert telemetry.here() == outer.traceparent
        with telemetry.span("inner"):
            pass
    inner, kept = spans.get_finished_spans()
    assert inner.context is not None and kept.context is not None
    assert f"{inner.context.trace_id:032x}" == f"{kept.context.trace_id:032x}" == TRACE
    assert inner.parent is not None and inner.parent.span_id == kept.context.span_id
    assert kept.parent is not None and f"{kept.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert telemetry.here() is None


def test_only_listed_attributes_of_their_shape_leave_and_nothing_that_was_said(
    spans: InMemorySpanExporter,
) -> None:
    with (
        pytest.raises(ValueError, match="Ola"),
        telemetry.span("work", attributes={"samspor.tjeneste": "skole"}) as s,
    ):
        s.set("samspor.subject", "4601")
        s.set("http.route", f"/barn/{NUMBER}")
        s.set("samspor.utfall", "Ola Nordmann")
        s.set("http.response.status_code", 200)
        s.set("messaging.kafka.offset", "Ola")
        raise ValueError("Ola Nordmann har feber")
    (left,) = spans.get_finished_spans()
    assert left.attributes == {
        "samspor.tjeneste": "skole",
        "http.response.status_code": 200,
        "error.type": "ValueError",
    }
    assert (left.status.status_code, left.status.description, list(left.events)) == (
        StatusCode.ERROR,
        None,
        [],
    )
    assert "Ola" not in left.to_json()


def test_a_name_that_could_hold_a_number_is_blanked_and_links_keep_their_context_alone(
    spans: InMemorySpanExporter,
) -> None:
    with telemetry.span(f"GET /barn/{NUMBER}", links=[PARENT, None, PARENT]):
        pass
    (left,) = spans.get_finished_spans()
    assert left.name == "-"
    assert [(f"{link.context.trace_id:032x}", dict(link.attributes or {})) for link in left.links] == [
        (TRACE, {})
    ]


def test_what_an_operator_says_of_the_process_is_listed_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exporter = InMemorySpanExporter()
    monkeypatch.setenv(
        "OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=prod,eier=Ola,process.command_line=x"
    )
    telemetry.start("relay", exporter)
    with telemetry.span("work"):
        pass
    (left,) = exporter.get_finished_spans()
    telemetry.stop()
    assert left.resource.attributes["service.name"] == "samspor-relay"
    assert left.resource.attributes["deployment.environment"] == "prod"
    assert not {"eier", "process.command_line"} & set(left.resource.attributes)


def test_a_span_that_is_never_ended_is_never_seen(spans: InMemorySpanExporter) -> None:
    telemetry.begin("rolled back", "internal", PARENT)
    assert spans.get_finished_spans() == ()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_standard_variables_turn_it_on_and_off(environ: dict[str, str], expected: bool) -> None:
    assert telemetry._wanted(environ) is expected


def test_off_it_costs_microseconds_and_imports_nothing() -> None:
    assert not telemetry.on()
    began = time.perf_counter()
    for _ in range(10_000):
        telemetry.begin("send", "producer", PARENT).end()
    each_s = (time.perf_counter() - began) / 10_000
    assert each_s < 20e-6, f"{each_s * 1e6:.1f} µs"
    code = (
        "import sys; from backbone import telemetry; telemetry.start('x');"
        "assert not [m for m in sys.modules if m.startswith('opentelemetry')], 'imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={})
