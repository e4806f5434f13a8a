"""The inbox's HTTP face: for barnevern's own fagsystem, in its own municipality."""

from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request, Response

from backbone.clock import Clock
from backbone.http import Gatekeeper, Number, create_app, expose_metrics, json_response
from backbone.problems import ProblemError
from backbone.settings import Settings
from backbone.tokens import Principal
from consumers.innboks.lager import Given, Lager
from contracts.innboks import MOTTAKER
from contracts.roller import Rolle

PACKAGE = "consumers.innboks"
PATH = f"/{MOTTAKER}/innboks"
MOST = 1000
READER: Rolle = "fagsystem"


def build(settings: Settings, lager: Lager, clock: Clock) -> FastAPI:
    """Neither counted nor traced: how often something is acknowledged is nobody else's to know."""
    app = create_app("innboks", quiet=(PATH, f"{PATH}/"))
    gate = Gatekeeper(settings, clock)
    expose_metrics(app, gate)

    async def reader(request: Request) -> Principal:
        who = gate(request)
        refusal = _refusal(who)
        if refusal is not None:
            await lager.refused(who, refusal.code, clock())
            raise refusal
        return who

    @app.get(PATH, summary="Bekymringsmeldinger til barnevernet i kommunen, i den rekkefølgen de kom")
    async def innboks(request: Request, etter: Number = 0, antall: int = 100, alle: bool = False) -> Response:
        who = await reader(request)
        most = max(1, min(antall, MOST))
        given = await lager.give(who, etter, most, alle, clock())
        return json_response(
            {"meldinger": [_told(report) for report in given], "neste": given[-1].nr if given else etter},
            headers={"cache-control": "no-store"},
        )

    @app.post(f"{PATH}/{{id}}/kvitter", summary="Kvitter for at meldingen er tatt imot")
    async def kvitter(request: Request, id: UUID) -> Response:
        who = await reader(request)
        at = await lager.acknowledge(who.kommune, id, who.sub, clock())
        if at is None:
            raise ProblemError(404, "ingen-melding", package=PACKAGE)
        return json_response({"id": str(id), "kvittert": at})

    return app


def _refusal(who: Principal) -> ProblemError | None:
    if who.rolle != READER:
        return ProblemError(403, "rolle-mangler", roller=READER)
    if who.tjeneste != MOTTAKER:
        return ProblemError(403, "bare-barnevernet", package=PACKAGE)
    return None


def _told(report: Given) -> dict[str, Any]:
    melding = report.melding
    return {
        "id": str(report.id),
        "mottatt": report.mottatt,
        "hentet": report.hentet,
        "kvittert": report.kvittert,
        "hendelse": {
            "id": melding.id,
            "source": melding.source,
            "type": melding.type,
            "tid": melding.time,
            "sendt": melding.recordedtime,
        },
        "avsender": {"tjeneste": melding.source.split("/")[2], "orgnr": melding.orgnr},
        "person": melding.person,
        "sak": melding.sak,
        **melding.innhold.model_dump(),
    }
