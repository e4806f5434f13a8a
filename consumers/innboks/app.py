"""The inbox's HTTP face: for barnevern's own fagsystem, in its own municipality."""

from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request, Response

from backbone.clock import Clock
from backbone.http import Gatekeeper, create_app, expose_metrics, json_response
from backbone.problems import ProblemError
from backbone.settings import Settings
from backbone.tokens import Principal
from consumers.innboks.lager import Given, Lager
from contracts.innboks import MOTTAKER

PACKAGE = "consumers.innboks"
PATH = f"/{MOTTAKER}/innboks"
MOST = 1000


def build(settings: Settings, lager: Lager, clock: Clock) -> FastAPI:
    """Neither counted nor traced: how often something is acknowledged is nobody else's to know."""
    app = create_app("innboks", quiet=(PATH, f"{PATH}/"))
    gate = Gatekeeper(settings, clock)
    expose_metrics(app, gate)

    def reader(request: Request) -> Principal:
        principal = gate(request, "fagsystem")
        if principal.tjeneste != MOTTAKER:
            raise ProblemError(403, "bare-barnevernet", package=PACKAGE)
        return principal

    @app.get(PATH, summary="Bekymringsmeldinger til barnevernet i kommunen, i den rekkefølgen de kom")
    async def innboks(request: Request, etter: int = 0, antall: int = 100, alle: bool = False) -> Response:
        who = reader(request)
        most = max(1, min(antall, MOST))
        given = await lager.give(who.kommune, etter, most, alle, clock())
        return json_response(
            {"meldinger": [_told(report) for report in given], "neste": given[-1].nr if given else etter},
            headers={"cache-control": "no-store"},
        )

    @app.post(f"{PATH}/{{id}}/kvitter", summary="Kvitter for at meldingen er tatt imot")
    async def kvitter(request: Request, id: UUID) -> Response:
        who = reader(request)
        at = await lager.acknowledge(who.kommune, id, who.sub, clock())
        if at is None:
            raise ProblemError(404, "ingen-melding", package=PACKAGE)
        return json_response({"id": str(id), "kvittert": at})

    return app


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
