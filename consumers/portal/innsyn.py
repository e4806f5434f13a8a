"""Innsyn: what is held about a child, in words, for the child itself or a guardian; and to take away.

What each may see is the read gate's to say, as on every other page, with the family's own rules (contracts/tilgang.py):
nothing of another person, of who reported, or of what is barred while barnevernet investigates. Every look is a row of
the ledger before it is shown, and is told of on the next one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from backbone.tokens import Principal
from consumers.portal import visning
from consumers.portal.lesing import FAMILIE, Leser, Sett, about_child, about_event
from consumers.portal.naboer import Json
from consumers.portal.sider import SUBJECT, NotFound, Portal, named, page, portal_of, seen_tasks
from consumers.portal.texts import Texts
from consumers.portal.visning import Oppgave, Samtykke
from contracts.oppgave import OPPGAVE
from contracts.samtykke_api import Innsynslesing, Settlest

STYLE = Markup((Path(__file__).parent / "static" / "innsyn_fil.css").read_text("utf-8"))
VIST_MAKS = 200
"""Events and readings on the page, each; the exports have all."""


@dataclass(frozen=True)
class Lest:
    """A reading, in words: never by whom."""

    tid: datetime
    hvem: str
    formal: str
    utfall: str
    fikk_se: bool
    hva: tuple[str, ...]


@dataclass(frozen=True)
class Innsyn:
    """All that the viewer may know. `lesinger_flere`: there are readings so old that they were not looked through."""

    subject: str
    navn: str
    laget: datetime
    sett: tuple[Sett, ...]
    oppgaver: tuple[Oppgave, ...]
    samtykker: tuple[Samtykke, ...]
    lesinger: tuple[Lest, ...]
    lesinger_flere: bool


async def my_children(request: Request) -> Response:
    """The one child's page, or a choice between several."""
    portal = portal_of(request)
    viewer = _family(request)
    leser = Leser(portal.samtykke, viewer)
    children = await named(portal, leser, await leser.family())
    if len(children) == 1:
        return RedirectResponse(f"/innsyn/{next(iter(children))}", 303)
    ordered = sorted(children.items(), key=lambda child: child[1])
    return page(request, "innsyn_valg.html", viewer, barn=ordered)


async def show(request: Request) -> Response:
    portal = portal_of(request)
    viewer = _family(request)
    found = await gather(portal, viewer, _subject(request))
    newest = sorted(found.sett, key=lambda s: str(s.rad["time"]), reverse=True)[:VIST_MAKS]
    return page(
        request,
        "innsyn.html",
        viewer,
        innsyn=found,
        tjenester=portal.visning.services(found.sett),
        dager=portal.visning.days(newest),
        avkortet=len(newest) < len(found.sett),
        lesinger=found.lesinger[:VIST_MAKS],
        lesinger_avkortet=found.lesinger_flere or len(found.lesinger) > VIST_MAKS,
        maks=VIST_MAKS,
    )


async def as_json(request: Request) -> Response:
    """The same, whole, for machines; with a bearer token this is the API."""
    portal = portal_of(request)
    found = await gather(portal, _family(request), _subject(request))
    body = orjson.dumps(exported(portal, found), option=orjson.OPT_INDENT_2)
    return _download(body, "application/json", "innsyn.json")


async def as_html(request: Request) -> Response:
    """The same, whole, as one file that needs nothing from anywhere."""
    portal = portal_of(request)
    viewer = _family(request)
    found = await gather(portal, viewer, _subject(request))
    dager = portal.visning.days(found.sett)
    text = portal.render("innsyn_fil.html", viewer, innsyn=found, dager=dager, stil=STYLE)
    return _download(text.encode(), "text/html; charset=utf-8", "innsyn.html")


async def gather(portal: Portal, viewer: Principal, subject: str) -> Innsyn:
    """Raises NotFound where it is not the viewer's child, or there is nothing she may know."""
    leser = Leser(portal.samtykke, viewer)
    rows, tasks = await portal.samordning.child(subject)
    ordered = sorted(rows, key=lambda r: str(r["time"]))
    quiet = not await portal.samordning.undersokelse_pagar(subject)
    questions = [
        about_child(subject, viewer, False),
        *(about_event(r, False, ingen_undersokelse=quiet) for r in ordered),
    ]
    allowed, *rest = await leser.see(questions, "innsyn")
    if allowed is None:
        raise NotFound
    sett = tuple(s for s in rest if s is not None)
    whole = {(s.rad["source"], s.rad["id"]): s.rad["type"] for s in sett if s.full}
    names = dict(await leser.names([subject]))
    shown = await seen_tasks(portal, leser, [t for t in tasks if _rests_on(t, whole)], names, "innsyn")
    readings = await leser.readings(
        subject,
        quiet,
        [
            *(Settlest(id=id_, type=type_) for (_, id_), type_ in whole.items()),
            *(Settlest(id=task.id, type=OPPGAVE) for task in shown),
        ],
    )
    now = portal.clock()
    return Innsyn(
        subject=subject,
        navn=names.get(subject) or portal.visning.short_name(subject),
        laget=now,
        sett=sett,
        oppgaver=tuple(shown),
        samtykker=tuple(portal.visning.consent(c, now) for c in await leser.consents(subject, False)),
        lesinger=tuple(_read(portal.texts, line) for line in readings["lesinger"]),
        lesinger_flere=readings["flere"],
    )


def _rests_on(task: Json, events: Collection[tuple[str, str]]) -> bool:
    """Whether the task rests on these events alone: it says what it rests on, so one that rests on a parent's own case
    is another person's too, which the gate cannot tell."""
    return all((ground.get("source"), ground.get("id")) in events for ground in task["hviler_pa"])


def exported(portal: Portal, found: Innsyn) -> dict[str, Any]:
    """In words, as on the page, with times as RFC 3339."""
    events = [event for day in portal.visning.days(found.sett) for event in day.hendelser]
    return {
        "navn": found.navn,
        "laget": found.laget,
        "hendelser": [
            {
                "tid": e.tid,
                "tjeneste": e.tjenestenavn,
                "hva": e.hva,
                "merke": e.merke,
                "trukket": e.trukket,
                "opplysninger": {f.navn: f.verdi for f in e.felter},
            }
            for e in events
        ],
        "oppgaver": [
            {
                "hva": o.tittel,
                "ansvarlig": o.eier,
                "frist": o.frist,
                "status": o.status,
                "forklaring": o.forklaring,
                "bestemmelser": [b.henvisning for b in o.bestemmelser],
            }
            for o in found.oppgaver
        ],
        "samtykker": [
            {
                "status": s.status,
                "fra": s.fra,
                "til": s.til,
                "om": s.kategorier,
                "gitt_av": s.hvem,
                "formal": s.formal,
                "gyldig_fra": s.gyldig_fra,
                "utloper": s.utloper,
            }
            for s in found.samtykker
        ],
        "lesinger": [
            {"tid": r.tid, "hvem": r.hvem, "formal": r.formal, "utfall": r.utfall, "hva": r.hva}
            for r in found.lesinger
        ],
        "flere_lesinger": found.lesinger_flere,
    }


def _read(texts: Texts, line: Innsynslesing) -> Lest:
    role = texts.name("rolle", line["rolle"])
    service = line["tjeneste"]
    kinds: Sequence[str] = [texts.name("kategori", k) for k in line["kategorier"]]
    return Lest(
        tid=visning.instant(str(line["tid"])),
        hvem=f"{role}, {texts.tjeneste(service)}" if service else role,
        formal=line["formal"],
        utfall=texts.name("innsyn-utfall", line["utfall"]),
        fikk_se=line["utfall"] != "deny",
        hva=tuple(kinds) or (texts("innsyn-barnets-side"),),
    )


def _family(request: Request) -> Principal:
    viewer = portal_of(request).okter.viewer(request)
    if viewer.rolle not in FAMILIE:
        raise NotFound
    return viewer


def _subject(request: Request) -> str:
    subject: str = request.path_params["subject"]
    if not SUBJECT.fullmatch(subject):
        raise NotFound
    return subject


def _download(body: bytes, media_type: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(body, media_type=media_type, headers=headers)


ROUTES = (
    Route("/innsyn", my_children),
    Route("/innsyn/{subject}", show),
    Route("/innsyn/{subject}/innsyn.json", as_json),
    Route("/innsyn/{subject}/innsyn.html", as_html),
)
