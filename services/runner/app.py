"""The HTTP face of every service: one application, a path a service."""

from uuid import UUID

from fastapi import FastAPI, Request, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import metrics
from backbone.clock import Clock
from backbone.database import driver
from backbone.http import Gatekeeper, Intake, Number, create_app, expose_metrics, json_response
from backbone.journal import receipt
from backbone.meldinger import messages
from backbone.problems import ProblemError
from backbone.settings import Settings
from backbone.tokens import Principal
from contracts.innboks import MOTTAKER
from services.format import AnyFormat
from services.registry import Registry
from services.runner import openapi
from services.runner.accept import Acceptor, Outcome
from services.runner.door import InboxDoor
from services.runner.generic import GenericJson
from services.runner.multipart import parts
from services.runner.samtykkeplikt import plikt

PACKAGE = "services.runner"
GENERIC = GenericJson()


def build(settings: Settings, registry: Registry, engines: dict[str, AsyncEngine], clock: Clock) -> FastAPI:
    """The application for all services of `registry`; `engines` holds each one's database."""
    inbox = InboxDoor(settings)
    app = create_app("tjenester", lifespan=inbox.open, quiet=inbox.paths)
    gate = Gatekeeper(settings, clock)
    expose_metrics(app, gate)
    intake = Intake(settings.body_bytes_max, settings.accept_bytes_max)
    acceptors = {
        navn: Acceptor(navn, engine, settings, registry.catalogue, clock) for navn, engine in engines.items()
    }

    def sender(request: Request, tjeneste: str) -> Principal:
        """The fagsystem that sends, which must be the service's own."""
        if tjeneste not in acceptors:
            raise ProblemError(
                404,
                "ukjent-tjeneste",
                package=PACKAGE,
                tjeneste=tjeneste,
                kjente=", ".join(sorted(acceptors)),
            )
        principal = gate(request, "fagsystem", "system")
        if principal.rolle == "fagsystem" and principal.tjeneste != tjeneste:
            raise ProblemError(403, "annen-tjeneste", package=PACKAGE, tjeneste=tjeneste)
        return principal

    async def accept(request: Request, tjeneste: str, fmt: AnyFormat) -> Response:
        principal = sender(request, tjeneste)
        if principal.rolle != "fagsystem":
            raise ProblemError(403, "rolle-mangler", roller="fagsystem")
        async with intake.body(request) as body:
            content, companion = await parts(request, body)
            outcome = await acceptors[tjeneste].take(fmt, content, companion, principal)
        _count(tjeneste, outcome)
        return _answer(outcome)

    @app.get(f"/{MOTTAKER}/innboks", summary="Bekymringsmeldinger til barnevernet")
    async def innboks(request: Request, etter: Number = 0, antall: int = 100, alle: bool = False) -> Response:
        return await inbox.knock(request)

    @app.post(
        f"/{MOTTAKER}/innboks/{{id}}/kvitter",
        summary="Kvitter for en bekymringsmelding barnevernet har tatt imot",
    )
    async def kvitter(request: Request, id: UUID) -> Response:
        return await inbox.knock(request)

    @app.post(
        "/{tjeneste}/hendelser",
        status_code=202,
        responses=openapi.ANSWER,
        openapi_extra=openapi.EVENTS,
        summary="Send hendelser",
    )
    async def hendelser(request: Request, tjeneste: str) -> Response:
        return await accept(request, tjeneste, GENERIC)

    @app.post(
        "/{tjeneste}/formater/{format}",
        status_code=202,
        responses=openapi.ANSWER,
        openapi_extra=openapi.FILE,
        summary="Send en fil i fagsystemets eget format",
    )
    async def formater(request: Request, tjeneste: str, format: str) -> Response:
        sender(request, tjeneste)
        known = registry.formats[tjeneste]
        if format not in known:
            kjente = ", ".join(sorted(known)) or "ingen"
            raise ProblemError(
                404, "ukjent-format", package=PACKAGE, tjeneste=tjeneste, format=format, kjente=kjente
            )
        return await accept(request, tjeneste, known[format])

    @app.get(
        "/{tjeneste}/hendelser/{id}", summary="Kvittering: hva som ble besluttet, og hvor hendelsen er nå"
    )
    async def kvittering(request: Request, tjeneste: str, id: str, source: str | None = None) -> Response:
        principal = sender(request, tjeneste)
        own = f"/{principal.kommune}/{tjeneste}/{principal.orgnr}"
        async with engines[tjeneste].connect() as connection:
            conn = await driver(connection)
            if principal.rolle != "fagsystem":
                found = await receipt(conn, id, source)
            else:  # what went by a lane is between its sender and its reader
                found = await receipt(conn, id, own)
                by_lane = None if found else await acceptors[tjeneste].lane.receipt(conn, id, own)
                found = [by_lane] if by_lane else found
        if not found:
            raise ProblemError(404, "ingen-hendelse", package=PACKAGE)
        return json_response(found[0])

    @app.get("/{tjeneste}/venter", summary="Hendelser som venter på samtykke")
    async def venter(request: Request, tjeneste: str, etter: Number = 0, antall: int = 100) -> Response:
        """The sender's own rows, page by page, each with why it waits, what to do, and where a need waits, the duty to
        ask for consent: nobody else is told of one."""
        principal = sender(request, tjeneste)
        if principal.rolle != "fagsystem":
            raise ProblemError(403, "rolle-mangler", roller="fagsystem")
        async with engines[tjeneste].connect() as connection:
            rows = await (await driver(connection)).fetch(
                "SELECT lopenr, id, type, tid, mottatt, grunner->0->>'kode' AS kode FROM journal"
                " WHERE utfall = 'withhold' AND lopenr > $1"
                " AND orgnr = $2 AND kommune = $3 ORDER BY lopenr LIMIT $4",
                etter,
                principal.orgnr,
                principal.kommune,
                max(1, min(antall, 1000)),
            )
        days = settings.samtykke_frist_arbeidsdager
        kinds = [registry.catalogue.event_type(row["type"]) for row in rows]
        waiting = [
            {
                **dict(row),
                "kategori": kind.kategori,
                **_waits(row["kode"]),
                "plikt": plikt(kind, tjeneste, row["kode"], row["mottatt"], days),
            }
            for row, kind in zip(rows, kinds, strict=True)
        ]
        return json_response({"venter": waiting, "neste": rows[-1]["lopenr"] if rows else etter})

    return app


def _waits(kode: str | None) -> dict[str, str]:
    """In words: why a row waits, and what the sender can do."""
    texts = messages(PACKAGE)
    message = f"venter-{kode}" if f"venter-{kode}" in texts else "venter-annet"
    return {"hvorfor": texts.text(message), "gjor": texts.action(message)}


def _count(tjeneste: str, outcome: Outcome) -> None:
    for answer, count in outcome.received.items():
        if answer != "konflikt":
            metrics.EVENTS_RECEIVED.labels(tjeneste, answer).inc(count)
    for code, count in outcome.rejected.items():
        metrics.RECORDS_REJECTED.labels(tjeneste, code).inc(count)


def _answer(outcome: Outcome) -> Response:
    """202 when anything was taken, or nothing was wrong; else 409 for conflicts alone and 422 for the rest."""
    if outcome.receipts or not outcome.errors:
        body = {"kvitteringer": outcome.receipts, "feil": outcome.errors, "advarsler": outcome.notices}
        return json_response(body, 202)
    if all(error["kode"] == "annet-innhold" for error in outcome.errors):
        raise ProblemError(409, "konflikt", package=PACKAGE, errors=outcome.errors)
    raise ProblemError(422, "ikke-tatt-imot", package=PACKAGE, errors=outcome.errors)
