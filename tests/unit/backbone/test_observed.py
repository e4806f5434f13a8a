"""Each request is a trace and a number, and /metrics is for those who run the place."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI, Request
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from backbone import metrics, telemetry
from backbone.clock import system_clock
from backbone.http import SMALL_BYTES, Gatekeeper, Intake, create_app, expose_metrics
from backbone.problems import ProblemError
from backbone.settings import Settings, fresh_secrets
from backbone.tokens import Principal, issue

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "baggage": "navn=Ola", "tracestate": "x=Ola"}
SETTINGS = Settings(**fresh_secrets())


@pytest.fixture
def app() -> FastAPI:
    made = create_app("prove", quiet={"/polles", "/hemmelig/"})
    expose_metrics(made, Gatekeeper(SETTINGS, system_clock))

    @made.get("/barn/{navn}")
    async def child(request: Request, navn: str) -> dict[str, str | None]:
        if navn == "feil":
            raise ValueError(navn)
        return {"her": telemetry.here()}

    @made.get("/polles")
    async def polled() -> dict[str, str | None]:
        return {"her": telemetry.here()}

    @made.post("/hemmelig/{id}/kvitter")
    async def secret(request: Request, id: int) -> dict[str, str | None]:
        return {"her": telemetry.here()}

    return made


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    telemetry.start("prove", exporter)
    yield exporter
    telemetry.stop()


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://prove") as http:
        yield http


async def test_the_callers_trace_goes_on_whether_or_not_spans_are_made(client: httpx.AsyncClient) -> None:
    body = (await client.get("/barn/ola", headers=HEADERS)).json()
    assert body["her"] == HEADERS["traceparent"]
    own = (await client.get("/barn/ola")).json()["her"]
    assert len(own) == 55 and TRACE not in own


async def test_a_request_is_a_server_span_named_by_its_route(
    client: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    here = (await client.get("/barn/ola?navn=Ola", headers=HEADERS)).json()["her"]
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert here == f"00-{TRACE}-{span.context.span_id:016x}-01"
    assert span.name == "GET /barn/{navn}"
    assert span.attributes == {
        "http.request.method": "GET",
        "http.route": "/barn/{navn}",
        "http.response.status_code": 200,
    }
    assert not span.context.trace_state


async def test_what_is_polled_is_no_span_and_begins_no_trace(
    client: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    assert (await client.get("/polles")).json() == {"her": None}
    await client.get("/helse")
    assert spans.get_finished_spans() == ()


async def test_what_nobody_else_shall_learn_of_is_neither_span_nor_number(
    client: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    assert (await client.post("/hemmelig/1/kvitter", headers=HEADERS)).json() == {"her": None}
    assert spans.get_finished_spans() == ()
    assert "hemmelig" not in (await client.get("/metrics")).text


async def test_a_parameter_that_is_wrong_is_a_problem_detail_that_does_not_repeat_it(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/hemmelig/kanarifugl/kvitter")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["feil"] == [{"peker": "/id"}]
    assert "kanarifugl" not in answer.text


async def test_a_small_body_has_room_however_much_is_held() -> None:
    intake = Intake(body_bytes_max=1_000_000, held_bytes_max=200_000)
    small, large = b"x" * SMALL_BYTES, b"x" * (SMALL_BYTES + 1)
    async with intake.body(_request(b"x" * 190_000)):
        async with intake.body(_request(small)) as body:
            assert body == small
        with pytest.raises(ProblemError, match="opptatt"):
            async with intake.body(_request(large)):
                pass
    async with intake.body(_request(large)):
        pass


def _request(body: bytes) -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "headers": []}, receive)


async def test_a_bug_names_the_trace_to_report(
    client: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    answer = await client.get("/barn/feil", headers=HEADERS)
    assert answer.status_code == 500 and TRACE in answer.json()["detail"]
    (span,) = spans.get_finished_spans()
    assert (span.attributes or {})["error.type"] == "ValueError"


async def test_requests_are_counted_by_route_and_never_by_path(client: httpx.AsyncClient) -> None:
    await client.get("/barn/kanarifugl")
    await client.get("/finnes-ikke-kanarifugl")
    page = (await client.get("/metrics")).text
    assert (
        'samspor_http_response_seconds_count{del="prove",method="GET",route="/barn/{navn}",status="200"}'
        in page
    )
    assert "kanarifugl" not in page


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.0.0.7", {}, 401),
        ("127.0.0.1", {"x-forwarded-for": "10.0.0.7"}, 401),
        ("10.0.0.7", {"rolle": "fagsystem"}, 403),
        ("10.0.0.7", {"rolle": "drift"}, 200),
    ],
)
async def test_metrics_are_open_on_this_machine_and_by_token_from_another(
    app: FastAPI, address: str, headers: dict[str, str], status: int
) -> None:
    if "rolle" in headers:
        who = Principal(sub="x", rolle=headers["rolle"], orgnr="974557746", kommune="4601")  # type: ignore[arg-type]
        headers = {"authorization": f"Bearer {issue(who, SETTINGS, system_clock(), timedelta(minutes=1))}"}
    transport = httpx.ASGITransport(app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://prove") as http:
        assert (await http.get("/metrics", headers=headers)).status_code == status


async def test_a_look_up_that_fails_leaves_the_rest_of_the_page() -> None:
    async def away() -> None:
        raise OSError("Ola")

    page = (await metrics.scrape([away])).decode()
    assert 'samspor_probes_failed_total{feil="OSError"}' in page
    assert "Ola" not in page
