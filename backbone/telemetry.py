"""Traces: one W3C trace from the request that brought an event to the task it caused, and spans of it by OTLP.

The trace context is always carried (journal, Kafka, task events, log lines); spans are made and sent only where the
standard OTEL_* variables name a receiver. The context is a `traceparent` string and nothing else: no baggage, no
tracestate, so nothing a sender writes travels on. What leaves goes through an allow-list of attributes, each with the
shape its value must have; events, status texts and links' attributes are dropped whole.
"""

import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from contracts.personnummer import LAST_SERIES, is_valid

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Value = str | int

LINKS_MAX = 100
QUEUE_SPANS = 32_768
"""Waiting to be exported; OpenTelemetry's own 2,048 would be one batch of the relay."""

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_ELEVEN = re.compile(r"(?=([0-9]{11}))")
_here: ContextVar[str | None] = ContextVar("traceparent", default=None)
_provider: "TracerProvider | None" = None


def read_traceparent(header: str | None) -> str | None:
    """The sender's trace context, None where there is none that may be carried on: it is stored and shown, so it
    must have W3C's form and hide no number."""
    if header is None or not _TRACEPARENT.fullmatch(header):
        return None
    hidden = any(is_valid(match.group(1), LAST_SERIES) for match in _ELEVEN.finditer(header))
    return None if hidden else header


def new_traceparent() -> str:
    """A trace of our own."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def trace_id(traceparent: str | None) -> str | None:
    return traceparent[3:35] if traceparent else None


def here() -> str | None:
    """The trace context of what is being done now."""
    return _here.get()


@contextmanager
def continuing(traceparent: str | None) -> Iterator[None]:
    """What is done inside belongs to this trace."""
    token = _here.set(traceparent)
    try:
        yield
    finally:
        _here.reset(token)


def on() -> bool:
    """Whether spans are made at all. Ask before preparing one for each event of a batch."""
    return _provider is not None


class Span:
    """Something done in a trace; does nothing where tracing is off. One that is never ended is never exported.

    `traceparent` is the context to hand on to what it causes.
    """

    __slots__ = ("_span", "traceparent")

    def __init__(self, traceparent: str | None, span: Any = None) -> None:
        self.traceparent = traceparent
        self._span = span

    def set(self, name: str, value: Value) -> None:
        if self._span is not None:
            self._span.set_attribute(name, value)

    def rename(self, name: str) -> None:
        if self._span is not None:
            self._span.update_name(name)

    def failed(self, kind: str) -> None:
        """`kind` is the error's type or code; never its text."""
        if self._span is not None:
            from opentelemetry.trace import StatusCode

            self._span.set_attribute("error.type", kind)
            self._span.set_status(StatusCode.ERROR)

    def end(self) -> None:
        if self._span is not None:
            self._span.end()


def begin(
    name: str,
    kind: Kind,
    parent: str | None,
    attributes: Mapping[str, Value] | None = None,
    links: Iterable[str | None] = (),
) -> Span:
    """Starts a span beneath `parent` (None: a trace of its own), linked to at most LINKS_MAX other contexts."""
    if _provider is None:
        return Span(parent)
    from opentelemetry import trace

    started = _provider.get_tracer("samspor").start_span(
        name,
        context=_otel_context(parent),
        kind=trace.SpanKind[kind.upper()],
        attributes=attributes,
        links=[trace.Link(_span_context(t)) for t in _distinct(links)],
        record_exception=False,
        set_status_on_exception=False,
    )
    context = started.get_span_context()
    return Span(f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}", started)


@contextmanager
def span(
    name: str,
    kind: Kind = "internal",
    attributes: Mapping[str, Value] | None = None,
    *,
    links: Iterable[str | None] = (),
) -> Iterator[Span]:
    """A span around the block, beneath what is being done now. An error ends it with the error's type."""
    if _provider is None:
        yield Span(_here.get())
        return
    started = begin(name, kind, _here.get(), attributes, links)
    with continuing(started.traceparent):
        try:
            yield started
        except BaseException as error:
            started.failed(type(error).__name__)
            raise
        finally:
            started.end()


def _distinct(links: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(t for t in links if t and _TRACEPARENT.fullmatch(t)))[:LINKS_MAX]


def _span_context(traceparent: str) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags

    _, trace, parent, flags = traceparent.split("-")
    return SpanContext(
        int(trace, 16), int(parent, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )


def _otel_context(traceparent: str | None) -> Any:
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, set_span_in_context

    # It came from a database or a broker, where anything may stand.
    if traceparent is None or not _TRACEPARENT.fullmatch(traceparent):
        return Context()
    return set_span_in_context(NonRecordingSpan(_span_context(traceparent)), Context())


def start(part: str, exporter: "SpanExporter | None" = None) -> bool:
    """Makes spans from now on, and sends them where OTEL_EXPORTER_OTLP_(TRACES_)ENDPOINT says; without one nothing is
    made, or even imported. OTEL_SDK_DISABLED and OTEL_TRACES_EXPORTER=none turn it off, and the other OTEL_* variables
    (sampler, headers, timeouts, batches, OTEL_SERVICE_NAME) mean what OpenTelemetry says. Sent as http/protobuf.

    `exporter` is the test's own. Returns whether it is on.
    """
    global _provider
    if exporter is None and not _wanted(os.environ):
        return False
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

    name = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": f"samspor-{part}"}
    provider = TracerProvider(resource=Resource.create({"service.namespace": "samspor", **name}))
    if exporter is not None:
        provider.add_span_processor(SimpleSpanProcessor(allow_listed(exporter)))
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        queue = int(os.environ.get("OTEL_BSP_MAX_QUEUE_SIZE", QUEUE_SPANS))
        provider.add_span_processor(
            BatchSpanProcessor(allow_listed(OTLPSpanExporter()), max_queue_size=queue)
        )
    _provider = provider
    return True


def stop() -> None:
    """Sends what waits (for as long as OTEL_BSP_EXPORT_TIMEOUT allows) and makes no more."""
    global _provider
    provider, _provider = _provider, None
    if provider is not None:
        provider.shutdown()


def _wanted(environ: Mapping[str, str]) -> bool:
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or (
        environ.get("OTEL_TRACES_EXPORTER", "otlp").lower() == "none"
    )
    named = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    return not off and any(environ.get(name) for name in named)


_WORD = re.compile(r"(?!.*[0-9]{11})[A-Za-z0-9_.-]{1,120}")
_ROUTE = re.compile(r"(?!.*[0-9]{4})[A-Za-z0-9_./{}:-]{1,120}")
_NAME = re.compile(r"(?!.*[0-9]{11})[A-Za-z0-9_./{}: -]{1,160}")
_TEXT = re.compile(r"(?!.*[0-9]{11})[\x20-\x7e]{1,200}")

SPAN_ATTRIBUTES: Mapping[str, re.Pattern[str] | type[int]] = {
    "error.type": _WORD,
    "http.request.method": _WORD,
    "http.response.status_code": int,
    "http.route": _ROUTE,
    "peer.service": _WORD,
    "messaging.system": _WORD,
    "messaging.operation.name": _WORD,
    "messaging.operation.type": _WORD,
    "messaging.destination.name": _WORD,
    "messaging.destination.partition.id": _WORD,
    "messaging.kafka.offset": int,
    "messaging.consumer.group.name": _WORD,
    "messaging.batch.message_count": int,
    "samspor.tjeneste": _WORD,
    "samspor.utfall": _WORD,
    "samspor.regel": _WORD,
    "samspor.steg": _WORD,
    "samspor.antall": int,
}
"""All that may be said of a span (OpenTelemetry's semantic conventions for HTTP and messaging, and our own words). No
subject, event id, type, organisation or municipality: a span says what took how long, and the trace viewer, behind the
read gate, says whom it was about."""

RESOURCE_ATTRIBUTES = re.compile(
    r"service\..+|telemetry\.sdk\..+|deployment\.environment(\.name)?|host\.name|container\.id|k8s\..+"
)
"""Of the process: what an operator sets by OTEL_RESOURCE_ATTRIBUTES, as far as it names machines."""


def allow_listed(exporter: "SpanExporter") -> "SpanExporter":
    """The exporter behind the allow-list."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class AllowListed(SpanExporter):
        def export(self, spans: "Sequence[ReadableSpan]") -> SpanExportResult:
            return exporter.export([_bare(s) for s in spans])

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return exporter.force_flush(timeout_millis)

    return AllowListed()


def _bare(s: "ReadableSpan") -> "ReadableSpan":
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Link, Status

    return ReadableSpan(
        name=s.name if _NAME.fullmatch(s.name) else "-",
        context=s.context,
        parent=s.parent,
        resource=_bare_resource(s.resource),
        attributes={k: v for k, v in (s.attributes or {}).items() if _allowed(k, v)},
        links=[Link(link.context) for link in s.links],
        kind=s.kind,
        status=Status(s.status.status_code),
        start_time=s.start_time,
        end_time=s.end_time,
        instrumentation_scope=s.instrumentation_scope,
    )


@lru_cache(maxsize=8)
def _bare_resource(resource: "Resource") -> "Resource":
    return type(resource)(
        {
            k: v
            for k, v in resource.attributes.items()
            if RESOURCE_ATTRIBUTES.fullmatch(k) and isinstance(v, str) and _TEXT.fullmatch(v)
        }
    )


def _allowed(name: str, value: object) -> bool:
    shape = SPAN_ATTRIBUTES.get(name)
    if isinstance(shape, re.Pattern):
        return isinstance(value, str) and shape.fullmatch(value) is not None
    return shape is int and type(value) is int
