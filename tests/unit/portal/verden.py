"""A small world for the portal to look at: samtykke, coordination and the services as in-process ASGI fakes."""

import base64
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backbone.seal import new_key, seal
from backbone.tokens import Principal
from consumers.portal.lesing import FAMILIE
from consumers.portal.varsellager import Varsel
from contracts.catalogue import Catalogue
from contracts.envelope import seal_context

KOMMUNE = "4601"
ORGNR = "310000001"
NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
CATALOGUE = Catalogue.standard()

Json = dict[str, Any]
Gate = Callable[[Json, Json], str]


def as_json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


def own_and_administrative(viewer: Json, item: Json) -> str:
    """A gate much like the real one: own service and N in full, X as status with the right, metadata to a revisor."""
    if viewer["kommune"] != item["kommune"]:
        return "deny"
    if viewer["rolle"] == "revisor":
        return "metadata"
    if item["slag"] == "barn":
        return "full"
    if viewer["rolle"] in FAMILIE:
        barred = item["skjerming"] == "X" and not item.get("ingen_undersokelse")
        return "deny" if barred else "full"
    if item["slag"] == "oppgave":
        mine = item["eier"] == viewer["tjeneste"] or viewer["rolle"] == "koordinator"
        return "full" if mine else "deny"
    if item["tjeneste"] == viewer["tjeneste"] or item["skjerming"] == "N":
        return "full"
    if item["skjerming"] == "X":
        return "status" if viewer["skjermet"] else "deny"
    return "full" if viewer["rolle"] == "koordinator" else "deny"


def known_by_its_task_alone(viewer: Json, item: Json) -> str:
    """To a service that has sent nothing about the child and that no consent names."""
    mine = item.get("eier") == viewer["tjeneste"]
    return own_and_administrative(viewer, item) if item["slag"] != "barn" or mine else "deny"


@dataclass
class Verden:
    """What exists. `gate` decides; `reads` are the items asked about, with the viewer; `away` are parts that fail;
    `placeless` are children with a protected address, `investigated` those barnevernet looks into; one of
    `readings` may name the event that was read (`hendelse`)."""

    rows: list[Json] = field(default_factory=list)
    tasks: list[Json] = field(default_factory=list)
    consents: list[Json] = field(default_factory=list)
    receipts: dict[str, Json] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)
    gate: Gate = own_and_administrative
    reads: list[tuple[Json, Json]] = field(default_factory=list)
    searches: list[Json] = field(default_factory=list)
    families: dict[str, list[str]] = field(default_factory=dict)
    readings: list[Json] = field(default_factory=list)
    insights: list[Json] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    placeless: set[str] = field(default_factory=set)
    investigated: set[str] = field(default_factory=set)
    flows: dict[str, Json] = field(default_factory=dict)
    orders: list[tuple[str, Json]] = field(default_factory=list)
    refusal: tuple[int, Json] | None = None

    def child(self, navn: str) -> str:
        subject = str(uuid.uuid4())
        self.names[subject] = navn
        return subject

    def event(
        self,
        subject: str,
        tjeneste: str,
        navn: str,
        data: Json | None = None,
        time: datetime = NOW - timedelta(days=3),
        **changes: Any,
    ) -> Json:
        full_type = CATALOGUE.full_type(tjeneste, navn)
        known = CATALOGUE.event_type(full_type)
        skjerming = str(known.skjerming_for(tjeneste))
        id_, key_id = uuid.uuid4().hex, str(uuid.uuid4())
        source = f"/{KOMMUNE}/{tjeneste}/{ORGNR}"
        aad = seal_context(
            id=id_,
            source=source,
            type=full_type,
            subject=subject,
            time=time,
            kategori=known.kategori,
            skjerming=skjerming,
        )
        self.keys[key_id] = new_key()
        content = {"nokkel": "n1", "versjon": 1, "tilbaketrukket": False, "data": data or {}}
        row = {
            "source": source,
            "id": id_,
            "type": full_type,
            "tjeneste": tjeneste,
            "kategori": known.kategori,
            "skjerming": skjerming,
            "subject": subject,
            "time": time,
            "recordedtime": time + timedelta(minutes=1),
            "kommune": KOMMUNE,
            "orgnr": ORGNR,
            "grunnlag": "gdpr-6-1-e",
            "beslutning": "shield" if skjerming == "X" else "release",
            "lovversjon": "2026-11-01",
            "nokkelid": key_id,
            "traceparent": f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01",
            "innhold": base64.b64encode(seal(self.keys[key_id], orjson.dumps(content), aad)).decode(),
            "aad": base64.b64encode(aad).decode(),
            "topic": f"{tjeneste}.hendelser",
            "partition": 3,
            "offset": len(self.rows),
            "mottatt": time + timedelta(minutes=2),
            **changes,
        }
        self.rows.append(row)
        return row

    def task(self, subject: str, eier: str, grounds: list[Json], **changes: Any) -> Json:
        id_, key_id = str(uuid.uuid4()), str(uuid.uuid4())
        self.keys[key_id] = new_key()
        text = "To tjenester følger opp barnet: Skole og NAV. Vurder samarbeid."
        explained = seal(self.keys[key_id], text.encode(), b"oppgave|" + id_.encode())
        task = {
            "id": id_,
            "subject": subject,
            "kommune": KOMMUNE,
            "regel": "samarbeid",
            "regelversjon": 1,
            "anledning": "episode-1",
            "status": "aapen",
            "eier": eier,
            "frist": "2026-12-11",
            "fristslag": "lokal_frist",
            "bestemmelser": ["barnevernsloven-15-8", "opplaeringslova-24-1"],
            "lukkes_av": ["koordinator.oppnevnt", "samarbeid.avsluttet"],
            "koordinering": False,
            "hviler_pa": [
                {k: g[k] for k in ("tjeneste", "kategori", "skjerming", "type", "source", "id")}
                for g in grounds
            ],
            "opprettet": NOW - timedelta(days=1),
            "nokkelid": key_id,
            "forklaring": base64.b64encode(explained).decode(),
            **changes,
        }
        self.tasks.append(task)
        return task

    def flow(self, id_: str, *handlinger: str, **changes: Any) -> Json:
        """What coordination says of a task or a child's baton to whoever may see it."""
        step = {"fra": None, "grunn": None, "svar_innen": None, "kommentar": None}
        said = {
            "id": id_,
            "versjon": 3,
            "handlinger": list(handlinger),
            "mottakere": ["nav"],
            "innehaver": "skole",
            "tilbudt_til": None,
            "steg": [{**step, "slag": "tilbudt", "tid": NOW.isoformat(), "av": "skole", "til": "nav"}],
            **changes,
        }
        self.flows[id_] = said
        return said

    def consent(self, subject: str, fra: str, til: list[str], kategorier: list[str], **changes: Any) -> Json:
        consent = {
            "samtykke": str(uuid.uuid4()),
            "subject": subject,
            "kommune": KOMMUNE,
            "status": "gitt",
            "sekvens": 1,
            "hvem": "begge-foreldre",
            "fra_tjeneste": fra,
            "til_tjenester": til,
            "kategorier": kategorier,
            "formal": "samarbeid om barnet",
            "gyldig_fra": NOW - timedelta(days=30),
            "utloper": NOW + timedelta(days=335),
            "endret": NOW - timedelta(days=30),
            **changes,
        }
        self.consents.append(consent)
        return consent

    # -- the fakes -----------------------------------------------------------------------------------------------------

    def samtykke(self) -> Starlette:
        async def read(request: Request) -> Response:
            body = orjson.loads(await request.body())
            viewer = {"tjeneste": None, "skjermet": False, **body["viewer"]}
            answers = []
            for item in body["items"]:
                self.reads.append((viewer, item))
                access = self.gate(viewer, item)
                key = self.keys.get(item["nokkelid"] or "") if access == "full" else None
                hidden = access == "metadata" and item["skjerming"] == "X"
                kode = "skjermet" if hidden else "prove"
                reason = {"kode": kode, "bestemmelse": None, "lovversjon": None, "samtykke": None}
                conditions = ["kun-om-barnet", "uten-melder"] if viewer["rolle"] in FAMILIE else []
                if item["subject"] in self.placeless:
                    conditions.append("uten-sted")
                answers.append(
                    {
                        "ref": item["ref"],
                        "tilgang": access,
                        "grunner": [reason],
                        "nokkel": base64.b64encode(key).decode() if key else None,
                        "vilkar": conditions,
                    }
                )
            return as_json({"items": answers})

        async def names(request: Request) -> Response:
            body = orjson.loads(await request.body())
            viewer = {"tjeneste": None, "skjermet": False, **body["viewer"]}
            allowed = {
                s: self.names[s]
                for s in body["subjects"]
                if s in self.names and self._may_open(viewer, s, body.get("oppgave", False)) == "full"
            }
            return as_json({"navn": allowed})

        async def search(request: Request) -> Response:
            body = orjson.loads(await request.body())
            self.searches.append(body)
            viewer = {"tjeneste": None, "skjermet": False, **body["viewer"]}
            wanted = body.get("navn", "")
            hits = [s for s, n in self.names.items() if wanted and wanted.lower() in n.lower()]
            return as_json({"subjects": [s for s in hits if self._may_open(viewer, s) == "full"]})

        async def consents(request: Request) -> Response:
            body = orjson.loads(await request.body())
            parties = {body["viewer"]["tjeneste"] or body["viewer"]["rolle"]}
            found = [c for c in self.consents if c["subject"] == body["subject"]]
            mine = [c for c in found if parties & {c["fra_tjeneste"], *c["til_tjenester"]}]
            return as_json({"samtykker": mine})

        async def assigned(request: Request) -> Response:
            return as_json({"subjects": sorted({r["subject"] for r in (*self.rows, *self.tasks)})})

        async def family(request: Request) -> Response:
            return as_json({"subjects": self.families.get(request.query_params["bruker"], [])})

        async def readings(request: Request) -> Response:
            body = orjson.loads(await request.body())
            self.insights.append(body)
            shown = {None, *(one["id"] for one in body["sett"])}
            told = [r for r in self.readings if r.get("hendelse") in shown]
            return as_json({"lesinger": told, "flere": False})

        return self._app(
            "samtykke",
            Route("/samtykke/lesinger", read, methods=["POST"]),
            Route("/samtykke/navn", names, methods=["POST"]),
            Route("/samtykke/sok", search, methods=["POST"]),
            Route("/samtykke/samtykker/lesing", consents, methods=["POST"]),
            Route("/samtykke/tildelinger", assigned),
            Route("/samtykke/familie", family),
            Route("/samtykke/innsyn", readings, methods=["POST"]),
        )

    def _may_open(self, viewer: Json, subject: str, oppgave: bool = False) -> str:
        item = {"slag": "barn", "subject": subject, "kommune": KOMMUNE, "tjeneste": "", "skjerming": "N"}
        return self.gate(viewer, {**item, "eier": viewer["tjeneste"] if oppgave else None})

    def samordning(self) -> Starlette:
        async def child(request: Request) -> Response:
            subject = request.path_params["subject"]
            rows = [r for r in self.rows if r["subject"] == subject and r.get("tidslinje", True)]
            return as_json(
                {"tidslinje": rows, "oppgaver": [t for t in self.tasks if t["subject"] == subject]}
            )

        async def investigation(request: Request) -> Response:
            return as_json({"pagar": request.path_params["subject"] in self.investigated})

        async def tasks(request: Request) -> Response:
            wanted = {k: v for k, v in request.query_params.items() if k != "utlost_av"}
            found = [t for t in self.tasks if all(t[k] == v for k, v in wanted.items())]
            return as_json({"oppgaver": found})

        async def children(request: Request) -> Response:
            tjeneste = request.query_params.get("tjeneste")
            found = {r["subject"] for r in self.rows if tjeneste in (None, r["tjeneste"])}
            return as_json({"subjects": sorted(found)})

        async def event(request: Request) -> Response:
            id_, source = request.path_params["id"], request.query_params.get("source")
            row = next((r for r in self.rows if r["id"] == id_ and source in (None, r["source"])), None)
            if row is None or not row.get("tidslinje", True):
                return as_json({"title": "finnes ikke"}, 404)
            caused = [t for t in self.tasks if any(g["id"] == id_ for g in t["hviler_pa"])]
            return as_json({"hendelse": row, "oppgaver": caused})

        async def said(request: Request) -> Response:
            found = self.flows.get(request.path_params["id"])
            return as_json(found) if found else as_json({"title": "finnes ikke"}, 404)

        async def order(request: Request) -> Response:
            self.orders.append((request.url.path, orjson.loads(await request.body())))
            if self.refusal:
                return as_json(self.refusal[1], self.refusal[0])
            return await said(request)

        return self._app(
            "samordning",
            Route("/samordning/{about}/{id}/lesing", said, methods=["POST"]),
            Route("/samordning/{about}/{id}/ordre/{kommando}", order, methods=["POST"]),
            Route("/samordning/oppgaver/{id}/kommentarer", order, methods=["POST"]),
            Route("/samordning/barn", children),
            Route("/samordning/barn/{subject}", child),
            Route("/samordning/barn/{subject}/undersokelse", investigation),
            Route("/samordning/oppgaver", tasks),
            Route("/samordning/hendelser/{id}", event),
        )

    def tjenester(self) -> Starlette:
        async def receipt(request: Request) -> Response:
            found = self.receipts.get(request.path_params["id"])
            return as_json(found) if found else as_json({"title": "finnes ikke"}, 404)

        return self._app("tjenester", Route("/{tjeneste}/hendelser/{id}", receipt))

    def _app(self, part: str, *routes: Route) -> Starlette:
        app = Starlette(routes=list(routes))

        async def guarded(scope: Any, receive: Any, send: Any) -> None:
            if part in self.away:
                raise httpx.ConnectError("away")
            await app(scope, receive, send)

        return guarded  # type: ignore[return-value]  # ASGI is all that its users need


class Varsler:
    """The alert store, in memory."""

    def __init__(self) -> None:
        self.rows: list[Varsel] = []
        self.after_calls: list[int] = []

    def add(self, task: Json, steg: str = "opprettet", nr: int = 1) -> Varsel:
        alert = Varsel(
            sekvens=len(self.rows) + 1,
            source=f"/{KOMMUNE}/samordning/964338531",
            hendelse_id=str(uuid.uuid5(uuid.UUID(task["id"]), f"{steg}\n{nr}")),
            type=f"no.samspor.samordning.oppgave.{steg}",
            subject=task["subject"],
            kommune=task["kommune"],
            arsak=None,
            tid=NOW,
            mottatt=NOW,
        )
        self.rows.append(alert)
        return alert

    async def after(self, sekvens: int, kommune: str, limit: int = 50) -> list[Varsel]:
        self.after_calls.append(sekvens)
        return [v for v in self.rows if v.sekvens > sekvens and v.kommune == kommune][:limit]

    async def of_child(self, subject: str) -> list[Varsel]:
        return [v for v in self.rows if v.subject == subject]

    async def latest(self) -> int:
        return len(self.rows)


def principal(rolle: str, tjeneste: str | None = None, **changes: Any) -> Principal:
    return Principal.model_validate(
        {
            "sub": f"prove:{rolle}",
            "rolle": rolle,
            "orgnr": ORGNR,
            "kommune": KOMMUNE,
            "tjeneste": tjeneste,
            "navn": "Prøve Prøvesen",
            **changes,
        }
    )


KOORDINATOR = principal("koordinator", skjermet=True)
LAERER = principal("fagperson", "skole")
REVISOR = principal("revisor")
FORESATT = principal("foresatt")
