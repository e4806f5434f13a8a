"""Tasks and batons over HTTP: for the services' own systems and staff by their tokens, and for the portal, which is a
process of ours and says for whom it asks.

Both follow the very same commands (`kommandoer`). A task's ETag is its version: a change names the version it was
decided on (If-Match), and is refused with 412 when something has happened since.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, get_args
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backbone.http import Gatekeeper, Intake, json_response
from backbone.meldinger import messages
from backbone.problems import ProblemError
from backbone.tokens import Principal
from consumers.coordination.kommandoer import COMMENT_MAX, PACKAGE, Json, Kommandoer, Ordre, problem
from consumers.coordination.oppgaveflyt import GRUNNER, TIDENS, Kommando
from contracts.roller import Rolle

T = TypeVar("T", bound=BaseModel)

BODY_BYTES_MAX = 32 * 1024
HELD_BYTES_MAX = 4 * 1024 * 1024
READERS: tuple[Rolle, ...] = ("fagsystem", "fagperson", "koordinator", "koordinerende-enhet")
COMMANDS = tuple(k for k in get_args(Kommando) if k not in TIDENS)
BATON_COMMANDS = ("ta", "tilby", "avvis")
SUMMARIES = {
    "ta": "Ta oppgaven (eller behold den, når den er tilbudt en annen)",
    "tilby": "Tilby oppgaven til en annen tjeneste; den som har den, beholder den til den neste tar imot",
    "avvis": "Si nei til oppgaven, med grunn",
    "uenig": "Meld uenighet om hvem som skal ha oppgaven",
    "utfor": "Meld oppgaven utført",
    "avgjor": "Avgjør en uenighet: hvem som skal ha oppgaven",
}


class OrdreInn(BaseModel):
    """What a command needs beyond its name: `til` a service (tilby, avgjor), `grunn` a code (avvis, uenig), and a
    comment (required with the reason "annet")."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    til: str | None = Field(default=None, max_length=100)
    grunn: str | None = Field(default=None, max_length=100, description="en av: " + ", ".join(GRUNNER))
    kommentar: str | None = Field(default=None, max_length=COMMENT_MAX)


class KommentarInn(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    tekst: str = Field(min_length=1, max_length=COMMENT_MAX)


class ForLeser(OrdreInn):
    """What the portal sends: for whom it asks, and the version she saw."""

    viewer: dict[str, Any]
    versjon: int | None = None
    tekst: str | None = Field(default=None, max_length=COMMENT_MAX)


def public(commands: Kommandoer, gate: Gatekeeper) -> APIRouter:
    """For services: `/oppgaver` and `/stafett`."""
    router, intake = APIRouter(), Intake(BODY_BYTES_MAX, HELD_BYTES_MAX)

    @router.get(
        "/oppgaver", summary="Oppgavene som ligger hos tjenesten din: egne, tilbudte og til avgjørelse"
    )
    async def mine(request: Request) -> Response:
        return json_response({"oppgaver": await commands.mine(gate(request, *READERS))})

    @router.get("/oppgaver/{id}", summary="En oppgave, hva som har skjedd med den, og hva du kan gjøre")
    async def one(request: Request, id: UUID) -> Response:
        return _tagged(await commands.one(gate(request, *READERS), str(id)))

    @router.post(
        "/oppgaver/{id}/kommentarer", summary="Skriv en kommentar", openapi_extra=_body(KommentarInn)
    )
    async def comment(request: Request, id: UUID) -> Response:
        who = gate(request, *READERS)
        async with intake.body(request) as content:
            text = _read(KommentarInn, content).tekst
        return _tagged(await commands.comment(who, str(id), text))

    @router.get("/stafett/{subject}", summary="Hvem som holder stafettpinnen for barnet")
    async def baton(request: Request, subject: UUID) -> Response:
        return _tagged(await commands.baton(gate(request, *READERS), str(subject)))

    def add(path: str, kommando: Any, act: Callable[[Principal, str, Ordre], Awaitable[Json]]) -> None:
        async def endpoint(request: Request, id: UUID) -> Response:
            who = gate(request, *READERS)
            versjon = _if_match(request)
            async with intake.body(request) as content:
                given = _read(OrdreInn, content or b"{}")
            ordre = Ordre(kommando, versjon, given.til, given.grunn, given.kommentar)
            return _tagged(await act(who, str(id), ordre))

        router.add_api_route(
            f"{path}/{kommando}",
            endpoint,
            methods=["POST"],
            summary=SUMMARIES[kommando].replace("oppgaven", "stafettpinnen")
            if path.startswith("/stafett")
            else SUMMARIES[kommando],
            name=f"{path} {kommando}",
            openapi_extra=_body(OrdreInn, versioned=True),
        )

    for kommando in COMMANDS:
        add("/oppgaver/{id}", kommando, commands.act)
    for kommando in BATON_COMMANDS:
        add("/stafett/{id}", kommando, commands.act_baton)
    return router


def internal(commands: Kommandoer, gate: Gatekeeper) -> APIRouter:
    """For the portal: the same, on behalf of a viewer named in the body."""
    router, intake = APIRouter(prefix="/samordning"), Intake(BODY_BYTES_MAX, HELD_BYTES_MAX)

    async def said(request: Request) -> tuple[Principal, ForLeser]:
        gate(request, "system")
        async with intake.body(request) as content:
            given = _read(ForLeser, content)
        try:
            return Principal.model_validate(given.viewer), given
        except ValidationError:
            raise ProblemError(422, "feil-innhold", errors=[{"peker": "/viewer"}]) from None

    @router.post("/oppgaver/{id}/lesing", summary="En oppgave, for en leser")
    async def one(request: Request, id: UUID) -> Response:
        who, _ = await said(request)
        return json_response(await commands.one(who, str(id)))

    @router.post("/oppgaver/{id}/kommentarer", summary="En kommentar, for en leser")
    async def comment(request: Request, id: UUID) -> Response:
        who, given = await said(request)
        return json_response(await commands.comment(who, str(id), given.tekst or ""))

    @router.post("/stafett/{id}/lesing", summary="Stafettpinnen, for en leser")
    async def baton(request: Request, id: UUID) -> Response:
        who, _ = await said(request)
        return json_response(await commands.baton(who, str(id)))

    @router.get("/barn/{subject}/undersokelse", summary="Om barnevernet undersøker; i tvil gjør det det")
    async def undersokelse(request: Request, subject: UUID) -> Response:
        gate(request, "system")
        return json_response({"pagar": await commands.undersokelse_pagar(str(subject))})

    @router.post("/oppgaver/{id}/ordre/{kommando}", summary="En kommando, for en leser")
    async def act(request: Request, id: UUID, kommando: str) -> Response:
        who, given = await said(request)
        return json_response(await commands.act(who, str(id), _ordre(kommando, COMMANDS, given)))

    @router.post("/stafett/{id}/ordre/{kommando}", summary="En kommando om stafettpinnen, for en leser")
    async def act_baton(request: Request, id: UUID, kommando: str) -> Response:
        who, given = await said(request)
        return json_response(await commands.act_baton(who, str(id), _ordre(kommando, BATON_COMMANDS, given)))

    return router


def _ordre(kommando: str, known: tuple[str, ...], given: ForLeser) -> Ordre:
    if kommando not in known:
        raise ProblemError(404, "finnes-ikke")
    return Ordre(kommando, given.versjon, given.til, given.grunn, given.kommentar)  # type: ignore[arg-type]  # one of them


def _tagged(task: Json) -> Response:
    versjon = task.get("versjon")
    return json_response(task, headers={} if versjon is None else {"ETag": f'"{versjon}"'})


def _if_match(request: Request) -> int | None:
    """The version the caller decided on; "*": whatever it is now. Raises ProblemError 428 without one."""
    given = request.headers.get("if-match", "").strip()
    if given == "*":
        return None
    if not given:
        raise problem(428, "if-match-mangler")
    number = given.removeprefix("W/").strip('"')
    if not (number.isdecimal() and number.isascii()) or len(number) > 9:
        raise problem(412, "versjon-endret")
    return int(number)


def _read(model: type[T], content: bytes) -> T:
    """Raises ProblemError that names the places, and never the values."""
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        texts = messages(PACKAGE)
        places = [
            {
                "peker": "".join(f"/{part}" for part in e["loc"]),
                "feil": texts.text("felt-feil"),
                "gjor": texts.action("felt-feil"),
                "kode": "felt-feil",
            }
            for e in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise ProblemError(422, "feil-innhold", errors=places) from None


def _body(model: type[BaseModel], versioned: bool = False) -> dict[str, Any]:
    """The route's body and header for the API's description: both are read by hand."""
    schema = model.model_json_schema()
    header = {
        "in": "header",
        "name": "If-Match",
        "required": True,
        "schema": {"type": "string"},
        "description": "ETag-en oppgaven hadde da du bestemte deg, eller *",
    }
    return {
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        **({"parameters": [header]} if versioned else {}),
    }
