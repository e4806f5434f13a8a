"""The neighbours the portal asks over HTTP: coordination (timelines, tasks) and the services' receipts.

They answer the system, on behalf of nobody: the read gate decides who sees what came. What somebody does with a task is
said with her name, and coordination asks the gate itself. Nothing is kept between pages.
Every call raises Retry when the neighbour is away.
"""

from typing import Any
from urllib.parse import quote

from backbone.failures import Retry
from backbone.samtykke_client import InternalClient, Rejected
from backbone.tokens import Principal

Json = dict[str, Any]


async def _find(client: InternalClient, path: str, **params: str) -> Json | None:
    """None for 404. Any other refusal is our own mistake or theirs, and reads as "away" to the person waiting."""
    try:
        found: Json | None = await client.call("GET", path, **params)
    except Rejected as error:
        if error.status == 404:
            return None
        raise Retry(str(error)) from None
    return found


class Samordning:
    """Coordination: what happened around a child, and who owes what by when."""

    def __init__(self, client: InternalClient) -> None:
        self._client = client

    async def child(self, subject: str) -> tuple[list[Json], list[Json]]:
        """(timeline rows, tasks) of a child; both empty for one nobody knows."""
        body = await _find(self._client, f"/samordning/barn/{quote(subject, safe='')}") or {}
        return list(body.get("tidslinje", ())), list(body.get("oppgaver", ()))

    async def undersokelse_pagar(self, subject: str) -> bool:
        """Whether barnevernet is looking into the child's case. Asked after the timeline is read, so that nothing on it
        is younger than the answer."""
        body = await _find(self._client, f"/samordning/barn/{quote(subject, safe='')}/undersokelse") or {}
        return body.get("pagar") is not False

    async def tasks(self, **wanted: str) -> list[Json]:
        """Tasks by `kommune`, `eier`, `subject`, `id` or `utlost_av`."""
        body = await _find(self._client, "/samordning/oppgaver", **wanted) or {}
        return list(body.get("oppgaver", ()))

    async def children(self, **wanted: str) -> list[str]:
        """Subjects with anything on their timeline, by `tjeneste` and `kommune`."""
        body = await _find(self._client, "/samordning/barn", **wanted) or {}
        return list(body.get("subjects", ()))

    async def event(self, source: str | None, id_: str) -> tuple[Json | None, list[Json]]:
        """(the timeline row of one event, the tasks that rest on it); no row while coordination has not seen it.
        Without a source, the first with that id."""
        wanted = {} if source is None else {"source": source}
        body = await _find(self._client, f"/samordning/hendelser/{quote(id_, safe='')}", **wanted) or {}
        return body.get("hendelse"), list(body.get("oppgaver", ()))

    async def task(self, viewer: Principal, id_: str) -> Json | None:
        """A task with its history and what the viewer may do; None where there is none that she may see."""
        return await self._said("POST", f"/samordning/oppgaver/{quote(id_, safe='')}/lesing", viewer)

    async def baton(self, viewer: Principal, subject: str) -> Json | None:
        """Who holds the child's baton; None where there is none that she may see."""
        return await self._said("POST", f"/samordning/stafett/{quote(subject, safe='')}/lesing", viewer)

    async def command(self, viewer: Principal, about: str, id_: str, kommando: str, **given: Any) -> None:
        """What the viewer does with a task ("oppgaver") or a baton ("stafett"). Raises Avslag."""
        path = f"/samordning/{about}/{quote(id_, safe='')}/ordre/{quote(kommando, safe='')}"
        if await self._said("POST", path, viewer, **given) is None:
            raise Avslag(404, {})

    async def comment(self, viewer: Principal, id_: str, text: str) -> None:
        """Raises Avslag."""
        path = f"/samordning/oppgaver/{quote(id_, safe='')}/kommentarer"
        if await self._said("POST", path, viewer, tekst=text) is None:
            raise Avslag(404, {})

    async def _said(self, method: str, path: str, viewer: Principal, **given: Any) -> Json | None:
        try:
            found: Json = await self._client.call(method, path, {"viewer": viewer.model_dump(), **given})
        except Rejected as error:
            if error.status == 404:
                return None
            if error.status in (409, 412, 422):
                raise Avslag(error.status, error.problem) from None
            raise Retry(str(error)) from None
        return found


class Avslag(Exception):
    """Coordination understood and said no: `tittel` is why, `gjor` what to do about it."""

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__(str(status))
        self.status = status
        self.tittel = str(problem.get("title", ""))
        self.gjor = str(problem.get("detail", ""))


class Kvitteringer:
    """The services' receipts: what became of an event they took in."""

    def __init__(self, client: InternalClient) -> None:
        self._client = client

    async def receipt(self, tjeneste: str, source: str, id_: str) -> Json | None:
        """None where the service has no such event."""
        path = f"/{quote(tjeneste, safe='')}/hendelser/{quote(id_, safe='')}"
        found = await _find(self._client, path, source=source)
        return found if found is not None and found.get("source", source) == source else None
