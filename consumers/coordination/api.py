"""The internal HTTP API of coordination, for our own processes only (role "system"). What services may ask and do is in
`oppgaveapi`."""

import logging
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import APIRouter, FastAPI, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import ledger
from backbone.clock import Clock
from backbone.database import driver
from backbone.failures import Retry
from backbone.http import Gatekeeper, busy, create_app, expose_metrics, json_response, problem_response
from backbone.problems import ProblemError
from backbone.samtykke_client import Rejected
from backbone.settings import Settings
from backbone.tokens import Principal
from consumers.coordination import queries
from consumers.coordination.consumer import Consumer
from consumers.coordination.handler import Handler
from contracts.tjenester import SAMORDNING

log = logging.getLogger(__name__)

PARKED_MAX = 1_000


def create(
    engine: AsyncEngine,
    handler: Handler,
    consumer: Consumer,
    settings: Settings,
    clock: Clock,
    routers: Sequence[APIRouter] = (),
) -> FastAPI:
    """`routers`: what others than our own processes may ask, and do (oppgaveapi)."""
    app = create_app("samordning")
    gate = Gatekeeper(settings, clock)
    for router in routers:
        app.include_router(router)

    async def away(_: Request, error: Exception) -> Response:
        log.warning("samtykke is away: %s", type(error).__name__)
        return problem_response(busy("utilgjengelig"))

    for kind in (Retry, Rejected):
        app.exception_handler(kind)(away)

    async def observe() -> None:
        ends = {(tp.topic, tp.partition): end for tp, end in (await consumer.ends()).items()}
        async with engine.connect() as conn:
            await queries.observe(await driver(conn), ends)

    expose_metrics(app, gate, observe)

    @app.get("/samordning/barn/{subject}", summary="Tidslinjen og oppgavene til et barn")
    async def child(request: Request, subject: UUID) -> Response:
        gate(request, "system")
        async with engine.connect() as conn:
            db = await driver(conn)
            return json_response(
                {
                    "tidslinje": await queries.timeline(db, str(subject)),
                    "oppgaver": await queries.tasks(db, subject=str(subject)),
                }
            )

    @app.get("/samordning/barn", summary="Barn med hendelser fra en tjeneste")
    async def children(request: Request, tjeneste: str | None = None, kommune: str | None = None) -> Response:
        gate(request, "system")
        async with engine.connect() as conn:
            return json_response({"subjects": await queries.children(await driver(conn), tjeneste, kommune)})

    @app.get("/samordning/oppgaver", summary="Oppgaver")
    async def tasks(
        request: Request,
        kommune: str | None = None,
        eier: str | None = None,
        subject: UUID | None = None,
        id: UUID | None = None,
        utlost_av: str | None = None,
    ) -> Response:
        gate(request, "system")
        async with engine.connect() as conn:
            found = await queries.tasks(
                await driver(conn),
                kommune=kommune,
                eier=eier,
                subject=str(subject) if subject else None,
                id_=str(id) if id else None,
                utlost_av=utlost_av,
            )
        return json_response({"oppgaver": found})

    @app.get("/samordning/hendelser/{id}", summary="En hendelse og oppgavene den utløste")
    async def event(request: Request, id: str, source: str | None = None) -> Response:
        gate(request, "system")
        async with engine.connect() as conn:
            found = await queries.event(await driver(conn), id, source)
        if found is None:
            raise ProblemError(404, "finnes-ikke")
        return json_response(found)

    @app.get("/samordning/status", summary="Antall, posisjoner og etterslep")
    async def status(request: Request) -> Response:
        gate(request, "system", "drift")
        ends = {(tp.topic, tp.partition): end for tp, end in (await consumer.ends()).items()}
        async with engine.connect() as conn:
            return json_response(await queries.status(await driver(conn), ends))

    @app.get("/samordning/parkert", summary="Parkerte poster")
    async def parked(request: Request, maks: Annotated[int, Query(ge=1, le=PARKED_MAX)] = 100) -> Response:
        gate(request, "system", "drift")
        async with engine.connect() as conn:
            return json_response({"parkert": await queries.parked(await driver(conn), maks)})

    @app.post("/samordning/parkert/avspilling", summary="Behandle parkerte poster på nytt")
    async def replay(
        request: Request,
        maks: Annotated[int, Query(ge=1, le=PARKED_MAX)] = 100,
        sted: Annotated[list[str] | None, Query(max_length=PARKED_MAX)] = None,
    ) -> Response:
        """The oldest, or those at `sted` ("topic/partition/offset")."""
        who = gate(request, "system", "drift")
        places = None if sted is None else [_place(s) for s in sted]
        async with engine.begin() as conn:
            records = await queries.parked_records(await driver(conn), maks, places)
            await _tell(await driver(conn), who, "dlq-avspilling", [r.place for r in records])
        await handler.handle(records, replay=True)
        async with engine.connect() as conn:
            left = await queries.parked(await driver(conn), PARKED_MAX)
        return json_response({"behandlet": len(records), "parkert": left})

    @app.delete("/samordning/parkert", summary="Glemme parkerte poster")
    async def drop(request: Request, sted: Annotated[list[str], Query(max_length=PARKED_MAX)]) -> Response:
        who = gate(request, "system", "drift")
        places = [_place(s) for s in sted]
        async with engine.begin() as conn:
            await _tell(await driver(conn), who, "dlq-fjerning", places)
            return json_response({"fjernet": await queries.drop_parked(await driver(conn), places)})

    async def _tell(
        db: asyncpg.Connection, who: Principal, slag: str, places: Sequence[queries.Sted]
    ) -> None:
        """What the ledger is told of an act on parked records: where they lay."""
        at = ["/".join(map(str, place)) for place in places]
        act = ledger.Entry(
            SAMORDNING, clock(), "forvaltning", who.sub, "utfort", who.rolle, slag=slag, detaljer={"sted": at}
        )
        await ledger.write(db, [act])

    return app


def _place(sted: str) -> queries.Sted:
    """Raises ProblemError."""
    topic, _, rest = sted.partition("/")
    partition, _, offset = rest.partition("/")
    if not topic or not partition.isdecimal() or not offset.isdecimal():
        raise ProblemError(422, "feil-innhold", errors=[{"peker": "/sted"}])
    return topic, int(partition), int(offset)
