"""What is counted, for Prometheus. Every label has few values, all of them ours: services, outcomes, codes, rules.

No label names a child, an organisation or a municipality, and no count is per municipality: how many tasks a small one
has could tell who they are about.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics import disable_created_metrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Probe = Callable[[], Awaitable[None]]
"""Looks up, at a scrape, what is known only by asking (a count in a database). What it raises is counted."""

disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def _counter(name: str, text: str, *labels: str) -> Counter:
    return Counter(f"samspor_{name}", text, labels, registry=REGISTRY)


def _gauge(name: str, text: str, *labels: str) -> Gauge:
    return Gauge(f"samspor_{name}", text, labels, registry=REGISTRY)


def _histogram(name: str, text: str, *labels: str) -> Histogram:
    return Histogram(f"samspor_{name}", text, labels, registry=REGISTRY, buckets=_SECONDS)


HTTP_SECONDS = _histogram(
    "http_response_seconds", "Time to the first byte of an answer", "del", "method", "route", "status"
)

EVENTS_RECEIVED = _counter(
    "events_received_total",
    "Events of senders, by answer: mottatt (new), kjent (a repeat)",
    "tjeneste",
    "svar",
)
RECORDS_REJECTED = _counter(
    "records_rejected_total", "Records that senders got an error for", "tjeneste", "kode"
)

JOURNAL_ROWS = _gauge(
    "journal_rows",
    "Rows by state: for-relay (to decide or send), venter (on consent), parkert",
    "tjeneste",
    "tilstand",
)
JOURNAL_OLDEST_SECONDS = _gauge(
    "journal_oldest_seconds", "Age of the oldest row that the relay has still to decide or send", "tjeneste"
)
RELAY_DECISIONS = _counter(
    "relay_decisions_total", "Outcomes of the publish gate, once each", "tjeneste", "utfall"
)
RELAY_PUBLISHED = _counter("relay_published_total", "Records acknowledged by Kafka", "tjeneste")
RELAY_PARKED = _counter("relay_parked_total", "Rows set aside by the relay", "tjeneste", "grunn")
RELAY_LOCK_HELD = _gauge("relay_lock_held", "1 while this process relays the journal", "tjeneste")
RELAY_LOCK_LOST = _counter(
    "relay_lock_lost_total", "Times the lock was gone from a connection that lived", "tjeneste"
)
RELAY_WAITS = _counter("relay_waits_total", "Times a relay waited for a neighbour", "tjeneste", "feil")
PRODUCER_RENEWED = _counter("producer_renewed_total", "Producers thrown away: outcomes unknown", "klient")

CONSUMER_RECORDS = _counter("consumer_records_total", "Records handled and committed", "leser")
CONSUMER_BATCH_SECONDS = _histogram("consumer_batch_seconds", "Time to handle and commit a batch", "leser")
CONSUMER_LAG = _gauge("consumer_lag_records", "Records not yet read by this process", "leser", "topic")
CONSUMER_RESTARTS = _counter("consumer_restarts_total", "Consumers made anew", "leser", "feil")
CONSUMER_WAITS = _counter("consumer_waits_total", "Times a batch waited for a neighbour", "leser", "feil")
CONSUMER_PARKED = _counter("consumer_parked_total", "Records set aside", "leser", "grunn")
PARKED_RECORDS = _gauge("parked_records", "Records that stand set aside now", "leser")
TASKS_OPEN = _gauge("tasks_open", "Open tasks", "regel")

LEDGER_BROKEN = _counter(
    "ledger_broken_total", "Times a ledger did not end as its sealer had left it", "kjede"
)
READ_GATE = _counter("read_gate_total", "Answers of the read gate", "slag", "tilgang")
SSE_SUBSCRIBERS = _gauge("sse_subscribers", "Alert streams open in this process")
PROBES_FAILED = _counter("probes_failed_total", "Look-ups at a scrape that failed", "feil")


def show(gauge: Gauge, values: "Mapping[tuple[str, ...], float]") -> None:
    """Sets the gauge to exactly these values; what is not among them is gone."""
    gauge.clear()
    for labels, value in values.items():
        gauge.labels(*labels).set(value)


async def scrape(probes: "Iterable[Probe]" = ()) -> bytes:
    """Everything in Prometheus' text format, after the probes. One that fails leaves its last value and is counted."""
    for probe in probes:
        try:
            await probe()
        except Exception as error:
            PROBES_FAILED.labels(type(error).__name__).inc()
    return generate_latest(REGISTRY)
