"""The HTTP API (contracts/samtykke_api.py). Bodies are read as bytes and checked here, answers are
orjson's bytes.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request, Response
from pydantic import TypeAdapter

from backbone.clock import Clock
from backbone.http import Gatekeeper, Intake, create_app, expose_metrics, json_response
from backbone.journal import observe
from backbone.problems import ProblemError
from backbone.settings import Settings
from backbone.tokens import Principal
from contracts import samtykke_api as api
from contracts.roller import Rolle
from contracts.tjenester import SAMTYKKE
from services.samtykke import forvaltning, kropp, nektet, personer, porter, sperring
from services.samtykke.endringer import Feed
from services.samtykke.flyttinger import Flyttinger
from services.samtykke.forvaltning import Consents
from services.samtykke.innsyn import readings
from services.samtykke.koblinger import Kobling, Koblinger
from services.samtykke.porter import Kjerne
from services.samtykke.samtykker import Entry, Hendelse, Ledger
from services.samtykke.sletting import Erasures

WAIT_S_MAX = 30.0
"""Longest that a reader of the change feed is kept waiting."""

SYSTEM: tuple[Rolle, ...] = ("system",)
CONSENT: tuple[Rolle, ...] = ("system", "fagsystem", "fagperson", "foresatt", "barn")
JOIN: tuple[Rolle, ...] = ("system", "fagsystem", "fagperson")
MOVE: tuple[Rolle, ...] = (*JOIN, "koordinerende-enhet")
ASSIGN: tuple[Rolle, ...] = ("system", "koordinerende-enhet")
BLOCK: tuple[Rolle, ...] = ("leder", "koordinerende-enhet")
ERASE: tuple[Rolle, ...] = ("leder", "koordinerende-enhet")
"""People alone: a process neither blocks nor erases a child."""

Handler = Callable[[Principal, Any, Request], Awaitable[Any]]
Route = tuple[str, str, tuple[Rolle, ...], Any, Any, Handler]
"""Method, path below /samtykke, who may call, the body's type (None without one), the answer's type, the
handler.
"""

SCHEMAS = "#/components/schemas/{model}"
PARAMETERS: dict[str, tuple[tuple[str, str, dict[str, str]], ...]] = {
    "GET /endringer": (("query", "etter", {"type": "integer"}), ("query", "ventetid_s", {"type": "number"})),
    "GET /tildelinger": (("query", "koordinator", {"type": "string"}),),
    "GET /familie": (("query", "bruker", {"type": "string"}),),
    "GET /samtykker": (("query", "subject", {"type": "string", "format": "uuid"}),),
    **{
        f"POST /samtykker/{{id}}/{step}": (("path", "id", {"type": "string", "format": "uuid"}),)
        for step in ("trekk", "gi-igjen", "avslag", "tiltre")
    },
    "GET /samtykker/{id}/historikk": (("path", "id", {"type": "string", "format": "uuid"}),),
    "GET /slettinger": (("query", "mottaker", {"type": "string"}),),
    **{
        route: (("path", "id", {"type": "string", "format": "uuid"}),)
        for route in (
            "GET /slettinger/{id}",
            *(f"POST /slettinger/{{id}}/{step}" for step in ("godkjenning", "forkasting", "kvittering")),
        )
    },
}
"""What a call takes outside its body: never a number or a name, which do not belong in a URL."""


def build(settings: Settings, kjerne: Kjerne, consents: Consents, feed: Feed, clock: Clock) -> FastAPI:
    """The application; every call but /helse needs a bearer token."""
    koblinger = Koblinger(kjerne, settings)
    flyttinger = Flyttinger(kjerne, Ledger(settings, kjerne.keys))
    app = create_app("samtykke", quiet={"/samtykke/endringer"})
    gatekeeper = Gatekeeper(settings, clock)
    expose_metrics(app, gatekeeper, lambda: observe(kjerne.engine, SAMTYKKE))
    erasures = Erasures(kjerne)
    intake = Intake(settings.body_bytes_max, settings.accept_bytes_max)

    async def avgjorelser(who: Principal, body: api.AvgjorelserInn, _: Request) -> api.AvgjorelserUt:
        return {"items": await porter.decide_batch(kjerne, body["tjeneste"], body["items"], who.sub)}

    async def nokler(who: Principal, body: api.NoklerInn, _: Request) -> api.NoklerUt:
        return {"items": await porter.hand_out(kjerne, body["formal"], body["items"], who.sub)}

    async def endringer(_: Principal, __: None, request: Request) -> api.EndringerUt:
        after = _number(request, "etter", int)
        return await feed.after(after, min(_number(request, "ventetid_s", float), WAIT_S_MAX))

    async def lesinger(_: Principal, body: api.LesingerInn, __: Request) -> api.LesingerUt:
        return {"items": await porter.read_batch(kjerne, body)}

    async def person(_: Principal, body: api.PersonInn, __: Request) -> api.PersonUt:
        try:
            return {"subject": str(await personer.save(kjerne, body))}
        except personer.NoIdentity as error:
            raise kropp.wrong(kropp.place("/person", error.kode)) from None

    async def navn(_: Principal, body: api.NavnInn, __: Request) -> api.NavnUt:
        return {"navn": await personer.names(kjerne, body)}

    async def sok(_: Principal, body: api.SokInn, __: Request) -> api.SokUt:
        kropp.exactly_one(body, "person", "navn")
        return {"subjects": await personer.search(kjerne, body)}

    async def gi(who: Principal, body: api.SamtykkeInn, _: Request) -> api.SamtykkeUt:
        return _short(await consents.give(who, body))

    async def avsla(who: Principal, body: api.SamtykkeInn, request: Request) -> api.SamtykkeUt:
        return _short(await consents.refuse(who, {**body, "id": str(_id(request))}))

    async def trekk(who: Principal, _: None, request: Request) -> api.SamtykkeUt:
        return _short(await consents.withdraw(who, _id(request)))

    async def gi_igjen(who: Principal, _: None, request: Request) -> api.SamtykkeUt:
        return _short(await consents.give_again(who, _id(request)))

    async def tiltre(who: Principal, body: api.TiltreInn, request: Request) -> api.SamtykkeUt:
        return _short(await consents.accede(who, _id(request), body))

    async def historikk(who: Principal, _: None, request: Request) -> api.HistorikkUt:
        return {"historikk": [_told(h) for h in await consents.history(who, _id(request))]}

    async def barnets(who: Principal, _: None, request: Request) -> api.SamtykkerUt:
        subject = _uuid(request.query_params.get("subject", ""), "/subject")
        return {"samtykker": [_long(e) for e in await consents.of_child(who, subject)]}

    async def lest(_: Principal, body: api.SamtykkelesingInn, __: Request) -> api.SamtykkerUt:
        return {"samtykker": [_long(e) for e in await consents.seen_by(body)]}

    async def innsyn(_: Principal, body: api.InnsynInn, __: Request) -> api.InnsynUt:
        return await readings(kjerne, body)

    async def tildel(who: Principal, body: api.TildelingInn, _: Request) -> api.TildelingUt:
        _own_municipality(who, body)
        return {"subject": str(await forvaltning.assign(kjerne, who, body))}

    async def tildelte(_: Principal, __: None, request: Request) -> api.TildelingerUt:
        found = await forvaltning.assigned(kjerne, request.query_params.get("koordinator", ""))
        return {"subjects": [str(subject) for subject in found]}

    async def fratildel(who: Principal, body: api.TildelingInn, _: Request) -> api.TildelingUt:
        _own_municipality(who, body)
        return {"subject": str(await forvaltning.unassign(kjerne, who, body))}

    async def knytt(who: Principal, body: api.FamilieInn, _: Request) -> api.FamilieUt:
        _own_municipality(who, body)
        return {"subject": str(await forvaltning.add_family(kjerne, who, body))}

    async def losne(who: Principal, body: api.FamilieInn, _: Request) -> api.FamilieUt:
        _own_municipality(who, body)
        return {"subject": str(await forvaltning.remove_family(kjerne, who, body))}

    async def familiens(_: Principal, __: None, request: Request) -> api.FamiliebarnUt:
        found = await forvaltning.children_of(kjerne, request.query_params.get("bruker", ""))
        return {"subjects": [str(subject) for subject in found]}

    async def koble(who: Principal, body: api.KoblingInn, _: Request) -> api.KoblingUt:
        return _joined(await koblinger.join(who, body))

    async def frakoble(who: Principal, body: api.KoblingInn, _: Request) -> api.KoblingUt:
        return _joined(await koblinger.part(who, body))

    async def flytt(who: Principal, body: api.FlyttingInn, _: Request) -> api.FlyttingUt:
        await flyttinger.register(who, body)
        return {"overgang": body["overgang"]}

    async def sperr(who: Principal, body: api.SperringInn, _: Request) -> api.SperringUt:
        subject, status = await sperring.block(kjerne, who, body)
        return {"subject": str(subject), "status": status}

    async def foresla(who: Principal, body: api.SlettingInn, _: Request) -> api.Sletting:
        return await erasures.propose(who, body)

    async def godkjenn(who: Principal, _: None, request: Request) -> api.Sletting:
        return await erasures.approve(who, _id(request))

    async def forkast(who: Principal, _: None, request: Request) -> api.Sletting:
        return await erasures.reject(who, _id(request))

    async def vis_sletting(who: Principal, _: None, request: Request) -> api.Sletting:
        return await erasures.show(who, _id(request))

    async def glemsler(_: Principal, __: None, request: Request) -> api.GlemslerUt:
        return {"items": await erasures.waiting_for(request.query_params.get("mottaker", ""))}

    async def glemt(_: Principal, body: api.GlemtInn, request: Request) -> api.GlemslerUt:
        await erasures.done(_id(request), body["mottaker"])
        return {"items": []}

    routes: tuple[Route, ...] = (
        ("POST", "/avgjorelser", SYSTEM, api.AvgjorelserInn, api.AvgjorelserUt, avgjorelser),
        ("POST", "/nokler", SYSTEM, api.NoklerInn, api.NoklerUt, nokler),
        ("GET", "/endringer", SYSTEM, None, api.EndringerUt, endringer),
        ("POST", "/innsyn", SYSTEM, api.InnsynInn, api.InnsynUt, innsyn),
        ("POST", "/lesinger", SYSTEM, api.LesingerInn, api.LesingerUt, lesinger),
        ("POST", "/personer", SYSTEM, api.PersonInn, api.PersonUt, person),
        ("POST", "/navn", SYSTEM, api.NavnInn, api.NavnUt, navn),
        ("POST", "/sok", SYSTEM, api.SokInn, api.SokUt, sok),
        ("POST", "/samtykker", CONSENT, api.SamtykkeInn, api.SamtykkeUt, gi),
        ("GET", "/samtykker", CONSENT, None, api.SamtykkerUt, barnets),
        ("POST", "/samtykker/lesing", SYSTEM, api.SamtykkelesingInn, api.SamtykkerUt, lest),
        ("POST", "/samtykker/{id}/trekk", CONSENT, None, api.SamtykkeUt, trekk),
        ("POST", "/samtykker/{id}/gi-igjen", CONSENT, None, api.SamtykkeUt, gi_igjen),
        ("POST", "/samtykker/{id}/tiltre", CONSENT, api.TiltreInn, api.SamtykkeUt, tiltre),
        ("GET", "/samtykker/{id}/historikk", CONSENT, None, api.HistorikkUt, historikk),
        ("POST", "/samtykker/{id}/avslag", CONSENT, api.SamtykkeInn, api.SamtykkeUt, avsla),
        ("POST", "/tildelinger", ASSIGN, api.TildelingInn, api.TildelingUt, tildel),
        ("GET", "/tildelinger", SYSTEM, None, api.TildelingerUt, tildelte),
        ("DELETE", "/tildelinger", ASSIGN, api.TildelingInn, api.TildelingUt, fratildel),
        ("POST", "/familie", ASSIGN, api.FamilieInn, api.FamilieUt, knytt),
        ("GET", "/familie", SYSTEM, None, api.FamiliebarnUt, familiens),
        ("POST", "/flyttinger", MOVE, api.FlyttingInn, api.FlyttingUt, flytt),
        ("POST", "/koblinger", JOIN, api.KoblingInn, api.KoblingUt, koble),
        ("DELETE", "/koblinger", JOIN, api.KoblingInn, api.KoblingUt, frakoble),
        ("DELETE", "/familie", ASSIGN, api.FamilieInn, api.FamilieUt, losne),
        ("POST", "/sperringer", BLOCK, api.SperringInn, api.SperringUt, sperr),
        ("POST", "/slettinger", ERASE, api.SlettingInn, api.Sletting, foresla),
        ("GET", "/slettinger", SYSTEM, None, api.GlemslerUt, glemsler),
        ("GET", "/slettinger/{id}", ("system", *ERASE), None, api.Sletting, vis_sletting),
        ("POST", "/slettinger/{id}/godkjenning", ERASE, None, api.Sletting, godkjenn),
        ("POST", "/slettinger/{id}/forkasting", ERASE, None, api.Sletting, forkast),
        ("POST", "/slettinger/{id}/kvittering", SYSTEM, api.GlemtInn, api.GlemslerUt, glemt),
    )
    definitions: dict[str, Any] = {}
    for method, path, roller, asked, answered, handler in routes:
        adapter = TypeAdapter[Any](asked) if asked else None
        app.add_api_route(
            f"/samtykke{path}",
            _endpoint(kjerne, f"{method} {path}", gatekeeper, intake, roller, adapter, handler),
            methods=[method],
            name=f"{method} {path}",
            openapi_extra={
                **_described(adapter, TypeAdapter[Any](answered), definitions),
                "parameters": [
                    {"in": place, "name": field, "required": True, "schema": schema}
                    for place, field, schema in PARAMETERS.get(f"{method} {path}", ())
                ],
            },
        )
    _publish_schemas(app, definitions)
    return app


def _endpoint(
    kjerne: Kjerne,
    call: str,
    gatekeeper: Gatekeeper,
    intake: Intake,
    roller: tuple[Rolle, ...],
    adapter: TypeAdapter[Any] | None,
    handler: Handler,
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request, said: dict[str, Any]) -> Response:
        who = gatekeeper(request, *roller)
        if adapter is None:
            return json_response(await handler(who, None, request))
        async with intake.body(request) as content:
            body = kropp.read(adapter, content)
            said |= body
            return json_response(await handler(who, body, request))

    async def endpoint(request: Request) -> Response:
        said = dict(request.query_params)
        try:
            return await answer(request, said)
        except ProblemError as error:
            if nektet.why(error):
                id_ = request.path_params.get("id")
                await nektet.tell(kjerne, gatekeeper(request), call, error, said, id_)
            raise

    return endpoint


def _described(
    asked: TypeAdapter[Any] | None, answered: TypeAdapter[Any], definitions: dict[str, Any]
) -> dict[str, Any]:
    """What the API's description says of a route; the models it refers to are added to `definitions`."""

    def content(adapter: TypeAdapter[Any]) -> dict[str, Any]:
        schema = adapter.json_schema(ref_template=SCHEMAS)
        definitions.update(schema.pop("$defs", {}))
        return {"content": {"application/json": {"schema": schema}}}

    out: dict[str, Any] = {"responses": {"200": {"description": "Svar", **content(answered)}}}
    return {**out, "requestBody": {"required": True, **content(asked)}} if asked else out


def _publish_schemas(app: FastAPI, definitions: dict[str, Any]) -> None:
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        document.setdefault("components", {}).setdefault("schemas", {}).update(definitions)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way of extending the description


def _own_municipality(who: Principal, body: api.TildelingInn | api.FamilieInn) -> None:
    if who.rolle != "system" and who.kommune != body["kommune"]:
        raise kropp.problem(403, "annen-kommune")


def _joined(kobling: Kobling) -> api.KoblingUt:
    return {
        "subject": str(kobling.subject),
        "kanonisk": str(kobling.kanonisk),
        "koblet": [str(one) for one in kobling.koblet],
    }


def _short(entry: Entry) -> api.SamtykkeUt:
    return {
        "samtykke": str(entry.id),
        "subject": str(entry.subject),
        "status": entry.status,
        "sekvens": entry.sekvens,
    }


KEPT = ("barnets_syn", "metode", "tekstversjon", "sprak", "bevis_sha256", "rettsgrunnlag")


def _told(hendelse: Hendelse) -> api.Samtykkehendelse:
    return {
        "sekvens": hendelse.sekvens,
        "steg": hendelse.steg,
        "kategorier": list(hendelse.kategorier),
        "utloper": hendelse.utloper,
        "aktor": hendelse.aktor,
        "tid": hendelse.tid,
    }


def _long(entry: Entry) -> api.Samtykke:
    kept = {name: entry.record[name] for name in KEPT if name in entry.record}
    return {
        **kept,  # type: ignore[typeddict-item]  # each is a string of the same name
        **_short(entry),
        "kommune": entry.kommune,
        "hvem": entry.record["hvem"],
        "fra_tjeneste": entry.fra_tjeneste,
        "til_tjenester": list(entry.til_tjenester),
        "kategorier": list(entry.kategorier),
        "formal": entry.record["formal"],
        "gyldig_fra": entry.gyldig_fra,
        "utloper": entry.utloper,
        "endret": entry.tid,
    }


def _id(request: Request) -> UUID:
    return _uuid(request.path_params["id"], "/id")


def _uuid(text: str, pointer: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise kropp.wrong(kropp.place(pointer, "felt-ugyldig")) from None


def _number(request: Request, name: str, kind: type[int] | type[float]) -> Any:
    try:
        return max(kind(request.query_params.get(name, "0")), 0)
    except ValueError:
        raise kropp.wrong(kropp.place(f"/{name}", "felt-ugyldig")) from None
