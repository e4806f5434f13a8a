"""The pages where people do something: a task, and a child's baton. What may be done, coordination says; the forms give
it the very commands that fagsystemer give."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from consumers.portal.lesing import Leser, with_tasks
from consumers.portal.naboer import Avslag
from consumers.portal.sider import SUBJECT, NotFound, Portal, answerable, named, page, portal_of, seen_tasks

NEEDS_RECIPIENT = frozenset({"tilby", "avgjor"})
NEEDS_REASON = frozenset({"avvis", "uenig"})
GRUNNER = ("ikke-var-oppgave", "annen-naermere", "mangler-kapasitet", "mangler-samtykke", "annet")
FIELDS = ("til", "grunn", "kommentar")
TEXT_MAX = 2_000


async def task(request: Request) -> Response:
    return await _task(request)


async def task_command(request: Request) -> Response:
    """Take, offer, refuse, finish …: then the task again, or the start page when it is no longer hers to see."""
    return await _do(request, "oppgaver", "id", _task)


async def task_comment(request: Request) -> Response:
    portal, viewer = portal_of(request), answerable(request)
    text = str((await request.form()).get("kommentar", ""))[:TEXT_MAX]
    try:
        await portal.samordning.comment(viewer, _id(request, "id"), text)
    except Avslag as no:
        return await _task(request, no)
    return await _again(request, _task)


async def baton(request: Request) -> Response:
    return await _baton(request)


async def baton_command(request: Request) -> Response:
    return await _do(request, "stafett", "subject", _baton)


Show = Callable[..., Awaitable[Response]]


async def _do(request: Request, about: str, key: str, show: Show) -> Response:
    portal, viewer = portal_of(request), answerable(request)
    form = await request.form()
    given: dict[str, Any] = {name: str(form[name])[:TEXT_MAX] for name in FIELDS if form.get(name)}
    seen = str(form.get("versjon", ""))
    if seen.isdecimal() and len(seen) < 10:
        given["versjon"] = int(seen)
    try:
        await portal.samordning.command(
            viewer, about, _id(request, key), request.path_params["kommando"], **given
        )
    except Avslag as no:
        if no.status != 404:
            return await show(request, no)
        if not request.headers.get("hx-request"):
            raise NotFound from None
        return _to_start()
    return await _again(request, show)


async def _again(request: Request, show: Show) -> Response:
    """The page as it now is: in place for htmx, by a redirect for a plain form."""
    if not request.headers.get("hx-request"):
        return RedirectResponse(request.url.path.rpartition("/")[0], 303)
    try:
        return await show(request)
    except NotFound:
        return _to_start()


def _to_start() -> Response:
    """What she did took it out of her sight: htmx goes to the start page."""
    return Response(status_code=204, headers={"HX-Redirect": "/"})


async def _task(request: Request, refused: Avslag | None = None) -> Response:
    portal, viewer = portal_of(request), answerable(request)
    id_ = _id(request, "id")
    leser = Leser(portal.samtykke, viewer)
    rows = await portal.samordning.tasks(id=id_)
    unit = viewer.rolle == "koordinerende-enhet"
    subjects = [t["subject"] for t in rows]
    names = await named(portal, leser, subjects, koordinering=unit, oppgaver=with_tasks(rows, viewer))
    shown = await seen_tasks(portal, leser, rows, names)
    said = await portal.samordning.task(viewer, id_) if shown and not shown[0].metadata else None
    if said is None:
        raise NotFound
    return _page(
        request,
        "oppgave.html",
        portal,
        refused,
        said,
        oppgave=shown[0],
        forklart=portal.visning.explained(said.get("forklart")),
        sti_til=f"/oppgaver/{id_}",
    )


async def _baton(request: Request, refused: Avslag | None = None) -> Response:
    portal, viewer = portal_of(request), answerable(request)
    subject = _id(request, "subject")
    said = await portal.samordning.baton(viewer, subject)
    if said is None:
        raise NotFound
    names = await Leser(portal.samtykke, viewer).names([subject], koordinering=True)
    return _page(
        request,
        "stafett.html",
        portal,
        refused,
        said,
        barn=names.get(subject) or portal.visning.short_name(subject),
        subject=subject,
        holder=portal.texts.tjeneste(said["innehaver"]),
        tilbudt=portal.texts.tjeneste(said["tilbudt_til"]) if said["tilbudt_til"] else None,
        sti_til=f"/barn/{subject}/stafett",
    )


def _page(
    request: Request, template: str, portal: Portal, refused: Avslag | None, said: Any, **values: Any
) -> Response:
    viewer = portal.okter.viewer(request)
    whole = not request.headers.get("hx-request")
    return page(
        request,
        template if whole else "flyt.html",
        viewer,
        refused.status if refused else 200,
        flyt=portal.visning.flow(said),
        grunner=GRUNNER,
        avslag=refused,
        baton=template == "stafett.html",
        **values,
    )


def _id(request: Request, key: str) -> str:
    """Raises NotFound."""
    found: str = request.path_params[key]
    if not SUBJECT.fullmatch(found):
        raise NotFound
    return found


ROUTES = (
    Route("/oppgaver/{id}", task),
    Route("/oppgaver/{id}/kommentarer", task_comment, methods=["POST"]),
    Route("/oppgaver/{id}/{kommando}", task_command, methods=["POST"]),
    Route("/barn/{subject}/stafett", baton),
    Route("/barn/{subject}/stafett/{kommando}", baton_command, methods=["POST"]),
)
