"""The neighbours the portal asks over HTTP: coordination (timelines, tasks) and the services' receipts.

They answer the system, on behalf of nobody: the read gate decides who sees what came. Nothing is kept between pages.
Every call raises Retry when the neighbour is away.
"""

from typing import Any
from urllib.parse import quote

from backbone.failures import Retry
from backbone.samtykke_client import InternalClient, Rejected

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


class Kvitteringer:
    """The services' receipts: what became of an event they took in."""

    def __init__(self, client: InternalClient) -> None:
        self._client = client

    async def receipt(self, tjeneste: str, source: str, id_: str) -> Json | None:
        """None where the service has no such event."""
        path = f"/{quote(tjeneste, safe='')}/hendelser/{quote(id_, safe='')}"
        found = await _find(self._client, path, source=source)
        return found if found is not None and found.get("source", source) == source else None
