"""The read gate, asked for each thing on a page at the moment it is shown, and the seals it lets us open.

A key is in hand from the gate's answer until its one blob is open, and nowhere after that.
"""

import base64
import binascii
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from backbone.failures import Retry
from backbone.samtykke_client import Rejected, SamtykkeClient
from backbone.seal import SealBroken, open_sealed
from backbone.tokens import Principal
from consumers.portal.naboer import Json
from contracts.innsyn import vis
from contracts.oppgave import lesing_item, lies_with
from contracts.samtykke_api import Grunn, InnsynUt, Lesing, LesingItem, Settlest, Tilgang
from contracts.tilgang import Vilkar

FORMAL = {
    "side": "oppfølging av barnet",
    "varsel": "varsling om oppgave",
    "vei": "sporing av hendelse",
    "innsyn": "innsyn",
}
CHILDREN_PER_CALL = 500


@dataclass(frozen=True)
class Sett:
    """One thing the gate let the viewer see. `innhold` is the opened seal, None unless `tilgang` is "full"; `uleselig`
    says that a seal should have opened and did not. `uten_sted`: nothing shown of it may name a place."""

    rad: Json
    tilgang: Tilgang
    grunner: tuple[Grunn, ...]
    innhold: Any = None
    uleselig: bool = False
    uten_sted: bool = False

    @property
    def full(self) -> bool:
        return self.tilgang == "full"

    @property
    def type_hidden(self) -> bool:
        """Metadata of a shielded thing: not even its kind is told."""
        return self.tilgang == "metadata" and any(g["kode"] == "skjermet" for g in self.grunner)


@dataclass(frozen=True)
class Sporsmal:
    """A row beside the question about it, and the context its seal is bound to."""

    item: LesingItem
    rad: Json
    blob: str | None = None
    context: bytes = b""


class Leser:
    """Asks the gate for one viewer."""

    def __init__(self, samtykke: SamtykkeClient, viewer: Principal) -> None:
        self._samtykke = samtykke
        self.viewer = viewer

    async def see(self, questions: Sequence[Sporsmal], formal: str = "side") -> list[Sett | None]:
        """In the order asked, None for what is denied. Raises Retry when samtykke is away."""
        if not questions:
            return []
        items = [LesingItem({**q.item, "ref": ref}) for ref, q in enumerate(questions)]
        try:
            answers = await self._samtykke.read(self.viewer, FORMAL[formal], items)
        except Rejected as error:
            raise Retry(str(error)) from None
        by_ref = {a["ref"]: a for a in answers}
        return [_seen(q, by_ref.get(ref)) for ref, q in enumerate(questions)]

    async def openable(
        self, subjects: Sequence[str], koordinering: bool = False, oppgaver: Collection[str] = ()
    ) -> list[str]:
        """Those among `subjects` that the viewer may open, in the order given; an auditor opens metadata. `oppgaver`:
        the children that her service has an open task about."""
        found: list[Sett | None] = []
        for start in range(0, len(subjects), CHILDREN_PER_CALL):
            some = subjects[start : start + CHILDREN_PER_CALL]
            found += await self.see([about_child(s, self.viewer, koordinering, s in oppgaver) for s in some])
        return [s.rad["subject"] for s in found if s is not None]

    async def names(
        self, subjects: Sequence[str], koordinering: bool = False, oppgaver: Collection[str] = ()
    ) -> Mapping[str, str]:
        """Names of those among `subjects` the viewer may open; `oppgaver` as in `openable`."""
        found: dict[str, str] = {}
        for oppgave in (False, True):
            some = [s for s in dict.fromkeys(subjects) if (s in oppgaver) is oppgave]
            if not some:
                continue
            try:
                found |= await self._samtykke.names(self.viewer, some, koordinering, oppgave)
            except Rejected as error:
                raise Retry(str(error)) from None
        return found

    async def assigned(self) -> list[str]:
        """The children that the viewer coordinates."""
        try:
            return await self._samtykke.assigned(self.viewer.sub)
        except Rejected as error:
            raise Retry(str(error)) from None

    async def family(self) -> list[str]:
        """The children that the viewer is, or is a guardian of."""
        try:
            return await self._samtykke.family(self.viewer.sub)
        except Rejected as error:
            raise Retry(str(error)) from None

    async def readings(self, subject: str, ingen_undersokelse: bool, sett: Sequence[Settlest]) -> InnsynUt:
        """Who has read what of the child, as the viewer may know it. `sett`: the events and tasks she is shown."""
        try:
            return await self._samtykke.readings(self.viewer, subject, ingen_undersokelse, sett)
        except Rejected as error:
            raise Retry(str(error)) from None

    async def consents(self, subject: str, koordinering: bool, oppgave: bool = False) -> list[Json]:
        """The child's consents that the viewer may see. `oppgave`: her service has an open task about the child."""
        body = {
            "viewer": self.viewer.model_dump(),
            "subject": subject,
            "koordinering": koordinering,
            "oppgave": oppgave,
        }
        try:
            answer = await self._samtykke.call("POST", "/samtykke/samtykker/lesing", body)
        except Rejected as error:
            raise Retry(str(error)) from None
        return list(answer["samtykker"])


FAMILIE = ("barn", "foresatt")
"""Roles of those that what is held is about, and of their guardians."""


def about_child(subject: str, viewer: Principal, koordinering: bool, oppgave: bool = False) -> Sporsmal:
    """That the child exists. `oppgave`: the viewer's service has an open task about the child."""
    item = _item(subject, "barn", "", "", "", "N", None, viewer.kommune, koordinering)
    item["eier"] = _unit(viewer) if oppgave else None
    return Sporsmal(item, {"subject": subject})


def about_event(row: Json, koordinering: bool, ingen_undersokelse: bool = False) -> Sporsmal:
    """Of a timeline row, or of what a receipt and the catalogue say about an event not on any timeline.
    `ingen_undersokelse` where coordination says that none goes on."""
    item = _item(
        row["subject"],
        "hendelse",
        row["type"],
        row["tjeneste"],
        row["kategori"],
        row["skjerming"],
        row.get("nokkelid"),
        row["kommune"],
        koordinering,
    )
    item["hendelse"] = row["id"]
    item["ingen_undersokelse"] = ingen_undersokelse
    return Sporsmal(item, row, row.get("innhold"), _decoded(row.get("aad")) or b"")


def about_task(task: Json, viewer: Principal) -> Sporsmal:
    item = lesing_item(task, _unit(viewer))
    return Sporsmal(item, task, task.get("forklaring"), b"oppgave|" + task["id"].encode())


def with_tasks(tasks: Sequence[Json], viewer: Principal) -> set[str]:
    """The children that the viewer's service or unit has an open task about."""
    unit = _unit(viewer)
    return {t["subject"] for t in tasks if t["status"] == "aapen" and unit in lies_with(t)}


def _unit(viewer: Principal) -> str:
    return viewer.tjeneste or viewer.rolle


def needs_coordination(tasks: Sequence[Json], rows: Sequence[Json]) -> bool:
    """Whether the child has an open need or duty about a coordinator or a plan."""
    return any(t["koordinering"] and t["status"] == "aapen" for t in tasks) or any(
        row["type"].endswith(".behov.meldt") for row in rows
    )


def _item(
    subject: str,
    slag: Any,
    type_: str,
    tjeneste: str,
    kategori: str,
    skjerming: Any,
    nokkelid: str | None,
    kommune: str,
    koordinering: bool,
) -> LesingItem:
    return LesingItem(
        ref=0,
        subject=subject,
        slag=slag,
        type=type_,
        tjeneste=tjeneste,
        kategori=kategori,
        skjerming=skjerming,
        nokkelid=nokkelid,
        kommune=kommune,
        koordinering=koordinering,
    )


def _seen(question: Sporsmal, answer: Lesing | None) -> Sett | None:
    if answer is None or answer["tilgang"] == "deny":
        return None
    grounds = tuple(answer["grunner"])
    placeless = Vilkar.UTEN_STED in answer.get("vilkar", ())
    if answer["tilgang"] != "full" or question.blob is None:
        return Sett(question.rad, answer["tilgang"], grounds, uten_sted=placeless)
    blob, key = _decoded(question.blob), _decoded(answer["nokkel"])
    try:
        opened = open_sealed(key, blob, question.context) if key and blob else None
    except SealBroken:
        opened = None
    content = _parsed(opened)
    if question.item["slag"] == "hendelse" and isinstance(content, dict) and answer["vilkar"]:
        left = vis(answer["vilkar"], content.get("data") or {})
        if left is None:
            return None  # another person's
        content = {**content, "data": left}
    return Sett(question.rad, "full", grounds, content, uleselig=opened is None, uten_sted=placeless)


def _parsed(opened: bytes | None) -> Any:
    if opened is None:
        return None
    try:
        return orjson.loads(opened)
    except orjson.JSONDecodeError:
        return opened.decode("utf-8", "replace")


def _decoded(text: str | None) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if text else None
    except (binascii.Error, ValueError):
        return None
