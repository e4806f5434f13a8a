"""The pages. Each asks coordination what there is, samtykke what the viewer may see of it, and renders just that."""

import asyncio
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from backbone.clock import Clock
from backbone.failures import Retry
from backbone.samtykke_client import Rejected, SamtykkeClient
from backbone.settings import Settings
from backbone.tokens import Principal
from consumers.portal import personas, visning
from consumers.portal.lesing import (
    FAMILIE,
    Leser,
    Sett,
    about_child,
    about_event,
    about_task,
    needs_coordination,
    with_tasks,
)
from consumers.portal.naboer import Json, Kvitteringer, Samordning
from consumers.portal.okt import Okter, SignedOut, own_path
from consumers.portal.texts import Texts, local_date
from consumers.portal.varsellager import Varsel, Varsellager
from consumers.portal.varselstrom import Vekker, stream
from consumers.portal.visning import Oppgave, Visning
from contracts.catalogue import Catalogue, UnknownType, split

TIDSLINJE_MAKS = 200
BARN_VIST = 30
LISTED = ("fagperson", "koordinator", "koordinerende-enhet", "revisor")
"""Roles whose start page lists children."""
EVENT_STREAM = "text/event-stream"
ID = re.compile(r"[!-~]{1,200}")
SUBJECT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class NotFound(Exception):
    """No such page, or not for this viewer: she cannot tell which."""


@dataclass(frozen=True)
class Portal:
    """What the pages work with."""

    settings: Settings
    catalogue: Catalogue
    texts: Texts
    visning: Visning
    templates: Environment
    samtykke: SamtykkeClient
    samordning: Samordning
    kvitteringer: Kvitteringer
    lager: Varsellager
    vekker: Vekker
    okter: Okter
    stop: asyncio.Event
    clock: Clock

    def render(self, template: str, viewer: Principal | None, **values: Any) -> str:
        return self.templates.get_template(template).render(
            viewer=viewer, rolle=self.role(viewer), demo=self.settings.demo, **values
        )

    def role(self, viewer: Principal | None) -> str:
        """What the viewer is called in the page's head."""
        if viewer is None:
            return ""
        role = self.texts.name("rolle", viewer.rolle)
        same = viewer.tjeneste is None or viewer.tjeneste == viewer.rolle
        return role if same else f"{role}, {self.texts.tjeneste(viewer.tjeneste or '')}"


def portal_of(request: Request) -> Portal:
    portal: Portal = request.app.state.portal
    return portal


def page(
    request: Request, template: str, viewer: Principal | None, status: int = 200, **values: Any
) -> Response:
    portal = portal_of(request)
    return HTMLResponse(portal.render(template, viewer, sti=request.url.path, **values), status)


# -- Signing in and out ------------------------------------------------------------------------------------------------


async def sign_in_page(request: Request) -> Response:
    portal = portal_of(request)
    known = personas.STANDARD if portal.settings.demo else ()
    return page(
        request,
        "innlogging.html",
        None,
        personas=known,
        utlopt="utlopt" in request.query_params,
        til=own_path(request.query_params.get("til", "/")),
    )


async def sign_in(request: Request) -> Response:
    """As a persona, in the demonstration only."""
    portal = portal_of(request)
    form = await request.form()
    chosen = next((p for p in personas.STANDARD if p.id == form.get("persona")), None)
    if not portal.settings.demo or chosen is None:
        raise NotFound
    response = RedirectResponse(own_path(str(form.get("til", "/"))), 303)
    portal.okter.open(chosen.principal, request, response)
    return response


async def sign_out(request: Request) -> Response:
    portal = portal_of(request)
    response = RedirectResponse("/innlogging", 303)
    portal.okter.close(request, response)
    portal.vekker.wake()  # her open streams see that they are to end
    return response


# -- The start page ----------------------------------------------------------------------------------------------------


async def start(request: Request) -> Response:
    portal = portal_of(request)
    viewer = portal.okter.viewer(request)
    if viewer.rolle in FAMILIE:
        return RedirectResponse("/innsyn", 303)
    cursor = await _cursor(portal)
    leser = Leser(portal.samtykke, viewer)
    tasks = await my_tasks(portal, leser)
    children, more = await my_children(portal, leser, tasks)
    return page(
        request,
        "start.html",
        viewer,
        grupper=visning.groups(tasks),
        barn=sorted(children.items(), key=lambda b: b[1]),
        flere_barn=more,
        barnetittel=viewer.rolle if viewer.rolle in LISTED else None,
        varsler_etter=cursor,
        har_oppgaver=_has_tasks(viewer),
    )


async def tasks_fragment(request: Request) -> Response:
    """The task list alone, for when an alert says that it has changed."""
    portal = portal_of(request)
    viewer = portal.okter.viewer(request)
    tasks = await my_tasks(portal, Leser(portal.samtykke, viewer))
    return page(request, "oppgaveliste.html", viewer, grupper=visning.groups(tasks))


async def _cursor(portal: Portal) -> int | None:
    """Where the stream goes on from: taken before the tasks are read, so that nothing falls between."""
    try:
        return await portal.lager.latest()
    except Retry:
        return None  # the page is worth showing without alerts; the stream finds its own start


def _has_tasks(viewer: Principal) -> bool:
    return viewer.rolle in ("fagperson", "koordinator", "koordinerende-enhet")


async def my_children(portal: Portal, leser: Leser, tasks: Sequence[Oppgave]) -> tuple[dict[str, str], bool]:
    """Subject to name of the children to list, and whether there are more than these: all of a coordinator's, those a
    unit has tasks about, and of a service's or an auditor's many the first, those with tasks before others."""
    viewer = leser.viewer
    in_tasks = list(dict.fromkeys(o.subject for o in tasks))
    if viewer.rolle == "koordinerende-enhet":
        return await named(portal, leser, in_tasks, koordinering=True, oppgaver=in_tasks), False
    if viewer.rolle == "koordinator":
        return await named(portal, leser, await leser.assigned()), False
    if viewer.rolle == "fagperson" and viewer.tjeneste:
        others = await portal.samordning.children(kommune=viewer.kommune, tjeneste=viewer.tjeneste)
    elif viewer.rolle == "revisor":
        others = await portal.samordning.children(kommune=viewer.kommune)
    else:
        return {}, False
    all_of_them = list(dict.fromkeys((*in_tasks, *others)))
    names = await named(portal, leser, all_of_them[:BARN_VIST], oppgaver=in_tasks)
    return names, len(all_of_them) > BARN_VIST


async def named(
    portal: Portal,
    leser: Leser,
    subjects: Sequence[str],
    koordinering: bool = False,
    oppgaver: Collection[str] = (),
) -> dict[str, str]:
    """What to call each of the children that the viewer may open; `oppgaver`: those her service has an open task
    about."""
    allowed = await leser.openable(subjects, koordinering, oppgaver)
    revisor = leser.viewer.rolle == "revisor"
    names = {} if revisor else await leser.names(allowed, koordinering, oppgaver)
    return {s: names.get(s) or portal.visning.short_name(s) for s in allowed}


async def my_tasks(portal: Portal, leser: Leser) -> list[Oppgave]:
    """The viewer's open tasks: those her service or unit owns; a coordinator's are her children's."""
    viewer = leser.viewer
    if not _has_tasks(viewer):
        return []
    if viewer.rolle == "koordinator":
        found = [t for child in await leser.assigned() for t in await portal.samordning.tasks(subject=child)]
    else:
        found = await portal.samordning.tasks(kommune=viewer.kommune, eier=viewer.tjeneste or viewer.rolle)
    rows = [t for t in found if t["status"] == "aapen"]
    unit = viewer.rolle == "koordinerende-enhet"
    subjects = list(dict.fromkeys(t["subject"] for t in rows))
    names = await named(portal, leser, subjects, koordinering=unit, oppgaver=with_tasks(rows, viewer))
    return await seen_tasks(portal, leser, [t for t in rows if t["subject"] in names], names)


async def seen_tasks(
    portal: Portal, leser: Leser, rows: Sequence[Json], names: dict[str, str], formal: str = "side"
) -> list[Oppgave]:
    """The tasks among `rows` that the gate lets the viewer see, each with those of its causes that she may see."""
    seen = [s for s in await leser.see([about_task(t, leser.viewer) for t in rows], formal) if s is not None]
    causes = [(s, ground) for s in seen if s.full for ground in visning.grounds_of(s.rad)]
    allowed = await leser.see([about_event(g, needs_coordination([s.rad], ())) for s, g in causes], formal)
    by_task: dict[str, list[Sett]] = {}
    for (task, _), cause in zip(causes, allowed, strict=True):
        if cause is not None:
            by_task.setdefault(task.rad["id"], []).append(cause)
    today = local_date(portal.clock())
    return [
        portal.visning.task(s, names.get(s.rad["subject"]), by_task.get(s.rad["id"], ()), today) for s in seen
    ]


# -- Alerts ------------------------------------------------------------------------------------------------------------


async def alerts(request: Request) -> Response:
    portal = portal_of(request)
    try:
        viewer = portal.okter.viewer(request)
    except SignedOut:
        return Response(status_code=204)  # an EventSource does not come back after this
    token = portal.okter.token(request) or ""

    def still_welcome() -> bool:
        try:
            return portal.okter.verify(token) == viewer
        except SignedOut:
            return False

    async def render(alert: Varsel) -> str | None:
        return await alert_html(portal, viewer, alert)

    body = stream(
        portal.lager,
        portal.vekker,
        viewer.kommune,
        _resume_from(request),
        render,
        still_welcome,
        portal.stop.is_set,
    )
    return StreamingResponse(body, media_type=EVENT_STREAM)


def _concerns(steg: str, task: Json, unit: str) -> bool:
    """Whether a step is news to this service: an offer to who is asked, what is raised to the holder and to whom it was
    raised, the rest to the holder, as things stand now."""
    if steg == "tilbudt":
        return bool(task.get("tilbudt_til") == unit)
    if steg == "eskalert":
        return unit in (task["eier"], task.get("avgjores_av"), task.get("loftet_til"))
    return bool(task["eier"] == unit)


def _resume_from(request: Request) -> int | None:
    """The last alert the browser has: its own word on reconnecting, else the page's."""
    for said in (request.headers.get("last-event-id"), request.query_params.get("etter")):
        if said and said.isdigit() and len(said) < 19:
            return int(said)
    return None


async def alert_html(portal: Portal, viewer: Principal, alert: Varsel) -> str | None:
    """The alert as this viewer may see it now; None when it's not hers. Raises Retry."""
    if not _has_tasks(viewer):
        return None
    rows = await portal.samordning.tasks(kommune=alert.kommune, subject=alert.subject)
    owner = None if viewer.rolle == "koordinator" else viewer.tjeneste or viewer.rolle
    mine = [t for t in rows if alert.tells_of(t["id"]) and (owner is None or _concerns(alert.steg, t, owner))]
    if not mine:
        return None
    leser = Leser(portal.samtykke, viewer)
    seen = await seen_tasks(portal, leser, mine, {}, "varsel")
    if not seen:
        return None
    about = [alert.subject]
    needed = any(t["koordinering"] for t in mine)
    names = await leser.names(about, needed, about if with_tasks(mine, viewer) else ())
    name = names.get(alert.subject) or portal.visning.short_name(alert.subject)
    return portal.render("varsel.html", viewer, varsel=alert, slag=alert.steg, oppgaver=seen, barn=name)


# -- Finding and following a child -------------------------------------------------------------------------------------


async def search_page(request: Request) -> Response:
    viewer = portal_of(request).okter.viewer(request)
    return page(request, "sok.html", viewer, treff=None, tomt=False)


async def search(request: Request) -> Response:
    """By number or name, in the body: neither is ever part of an address."""
    portal = portal_of(request)
    viewer = portal.okter.viewer(request)
    wanted = str((await request.form()).get("hva", "")).strip()
    if not wanted:
        return page(request, "sok.html", viewer, 400, treff=None, tomt=True)
    number = wanted.replace(" ", "")
    leser = Leser(portal.samtykke, viewer)
    try:
        found = await (
            portal.samtykke.search(viewer, person=number)
            if number.isdigit()
            else portal.samtykke.search(viewer, navn=wanted[:200])
        )
    except Rejected:
        found = []
    if len(found) == 1:
        return RedirectResponse(f"/barn/{found[0]}", 303)
    names = await leser.names(found)
    hits = [(s, names.get(s) or portal.visning.short_name(s)) for s in found]
    return page(request, "sok.html", viewer, treff=sorted(hits, key=lambda h: h[1]), tomt=False)


async def child(request: Request) -> Response:
    """The child as the viewer may see it: its services, tasks, timeline and consents."""
    portal = portal_of(request)
    viewer = portal.okter.viewer(request)
    subject = request.path_params["subject"]
    if not SUBJECT.fullmatch(subject):
        raise NotFound
    if viewer.rolle in FAMILIE:
        return RedirectResponse(f"/innsyn/{subject}", 303)
    leser = Leser(portal.samtykke, viewer)
    rows, tasks = await portal.samordning.child(subject)
    coordination = needs_coordination(tasks, rows)
    in_tasks = bool(with_tasks(tasks, viewer))
    newest = sorted(rows, key=lambda r: str(r["time"]), reverse=True)[:TIDSLINJE_MAKS]
    questions = [
        about_child(subject, viewer, coordination, in_tasks),
        *(about_event(r, coordination) for r in newest),
    ]
    allowed, *rest = await leser.see(questions)
    if allowed is None:
        raise NotFound
    events = [s for s in rest if s is not None]
    names = dict(await leser.names([subject], coordination, [subject] if in_tasks else ()))
    shown = await seen_tasks(portal, leser, tasks, names)
    now = portal.clock()
    return page(
        request,
        "barn.html",
        viewer,
        subject=subject,
        navn=names.get(subject) or portal.visning.short_name(subject),
        metadata=allowed.tilgang == "metadata",
        tjenester=portal.visning.services(events),
        dager=portal.visning.days(events),
        avkortet=len(newest) < len(rows),
        maks=TIDSLINJE_MAKS,
        grupper=visning.groups([o for o in shown if o.aapen]),
        lukkede=[o for o in shown if not o.aapen],
        samtykker=[
            portal.visning.consent(c, now) for c in await leser.consents(subject, coordination, in_tasks)
        ],
        stafett=await baton_of(portal, viewer, subject),
    )


async def baton_of(portal: Portal, viewer: Principal, subject: str) -> str | None:
    """The name of the service that holds the child's baton, where the viewer may know."""
    found = await portal.samordning.baton(viewer, subject) if _has_tasks(viewer) else None
    return portal.texts.tjeneste(found["innehaver"]) if found else None


async def audit(request: Request) -> Response:
    """An auditor's way in: by the id of an event or a child, since she knows no names."""
    portal = portal_of(request)
    viewer = portal.okter.viewer(request)
    wanted = str((await request.form()).get("id", "")).strip()
    if viewer.rolle != "revisor":
        raise NotFound
    row, _ = await portal.samordning.event(None, wanted) if ID.fullmatch(wanted) else (None, [])
    if row is not None:
        [seen] = await Leser(portal.samtykke, viewer).see([about_event(row, False)], "vei")
        if seen is not None:
            return RedirectResponse(visning.way_to(seen) or f"/barn/{row['subject']}", 303)
    if SUBJECT.fullmatch(wanted):
        return RedirectResponse(f"/barn/{wanted}", 303)
    raise NotFound


# -- The way of an event -----------------------------------------------------------------------------------------------


async def event_way(request: Request) -> Response:
    """Received, decided and why, published where, processed, and the tasks and alerts it led to."""
    portal = portal_of(request)
    viewer = answerable(request)
    kommune, tjeneste, orgnr, id_ = (request.path_params[k] for k in ("kommune", "tjeneste", "orgnr", "id"))
    source = f"/{kommune}/{tjeneste}/{orgnr}"
    (row, tasks), receipt = await asyncio.gather(
        portal.samordning.event(source, id_), _receipt(portal, tjeneste, source, id_)
    )
    return await _way(request, viewer, row, tasks, receipt)


async def event_way_by_id(request: Request) -> Response:
    """The same, at an address that does not say who sent it; of what coordination has seen."""
    portal = portal_of(request)
    viewer = answerable(request)
    row, tasks = await portal.samordning.event(None, request.path_params["id"])
    if row is None:
        raise NotFound
    receipt = await _receipt(portal, row["tjeneste"], row["source"], row["id"])
    return await _way(request, viewer, row, tasks, receipt)


def answerable(request: Request) -> Principal:
    """The viewer of what is for those who answer for it: a family has innsyn (consumers/portal/innsyn.py). Raises
    NotFound."""
    viewer = portal_of(request).okter.viewer(request)
    if viewer.rolle in FAMILIE:
        raise NotFound
    return viewer


async def _way(
    request: Request, viewer: Principal, row: Json | None, tasks: Sequence[Json], receipt: Json | None
) -> Response:
    portal = portal_of(request)
    subject_row = row or _row_of_receipt(portal.catalogue, receipt)
    if subject_row is None:
        raise NotFound
    rows, childs_tasks = await portal.samordning.child(subject_row["subject"])
    # The child's whole need, as on its page: what that page shows and links to must open here.
    coordination = needs_coordination(childs_tasks, [subject_row, *rows])
    leser = Leser(portal.samtykke, viewer)
    [seen] = await leser.see([about_event(subject_row, coordination)], "vei")
    if seen is None or seen.tilgang == "status" or seen.uten_sted:
        raise NotFound  # the page's own address and the event's topic name a place
    about = [subject_row["subject"]]
    names = dict(await leser.names(about, coordination, about if with_tasks(childs_tasks, viewer) else ()))
    shown = await seen_tasks(portal, leser, tasks, names, "vei")
    alerts = await _alerts_of(portal, subject_row["subject"], [o.id for o in shown])
    return page(
        request,
        "vei.html",
        viewer,
        hendelse=portal.visning.event(seen),
        vei=portal.visning.way_of(seen, row, receipt),
        rad=subject_row,
        oppgaver=shown,
        varsler=alerts,
        barn=names.get(subject_row["subject"]),
    )


async def _receipt(portal: Portal, tjeneste: str, source: str, id_: str) -> Json | None:
    return (
        await portal.kvitteringer.receipt(tjeneste, source, id_)
        if tjeneste in portal.catalogue.tjenester
        else None
    )


def _row_of_receipt(catalogue: Catalogue, receipt: Json | None) -> Json | None:
    """An event not on any timeline, as its receipt and the catalogue describe it; None where nobody knows the child
    it is about, and so nobody can be asked who may see it."""
    if receipt is None or not receipt.get("subject"):
        return None
    try:
        event_type = catalogue.event_type(receipt["type"])
    except UnknownType:
        return None
    tjeneste = split(receipt["type"])[0]
    return {
        "source": receipt["source"],
        "id": receipt["id"],
        "type": receipt["type"],
        "tjeneste": tjeneste,
        "kategori": event_type.kategori,
        "skjerming": str(event_type.skjerming_for(tjeneste)),
        "subject": receipt["subject"],
        "kommune": receipt["source"].split("/")[1],
        "time": receipt.get("tid") or receipt["mottatt"],
        "grunnlag": receipt.get("grunnlag"),
        "beslutning": None,
        "lovversjon": receipt.get("lovversjon"),
        "traceparent": receipt.get("traceparent"),
    }


async def _alerts_of(portal: Portal, subject: str, tasks: Sequence[str]) -> list[Varsel]:
    """Alerts about the tasks the viewer may see; none, rather than an error, while their database is away."""
    if not tasks:
        return []
    try:
        return [a for a in await portal.lager.of_child(subject) if any(map(a.tells_of, tasks))]
    except Retry:
        return []


async def health(request: Request) -> Response:
    portal = portal_of(request)
    body = {"status": "oppe", "del": "portal", "tid": portal.clock(), "abonnenter": len(portal.vekker)}
    return Response(orjson.dumps(body), media_type="application/json")


ROUTES = (
    Route("/", start),
    Route("/oppgaver", tasks_fragment),
    Route("/varsler/strom", alerts),
    Route("/innlogging", sign_in_page),
    Route("/innlogging", sign_in, methods=["POST"]),
    Route("/utlogging", sign_out, methods=["POST"]),
    Route("/barn/sok", search_page),
    Route("/barn/sok", search, methods=["POST"]),
    Route("/barn/{subject}", child),
    Route("/revisjon", audit, methods=["POST"]),
    Route("/hendelser/{kommune}/{tjeneste}/{orgnr}/{id}", event_way),
    Route("/hendelser/{id}", event_way_by_id),
    Route("/helse", health),
)
