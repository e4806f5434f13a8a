"""What was told of a consultation, and what a newer word of it takes back. Pure.

Whether it was held, which of the programme's it was, or that nobody came are types of their own, and a fact is known
by its type: a new version of one replaces none of the others. So what was told is remembered for each child, and only
that is taken back. A retraction of what was never told would stand on the timeline as a word of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from zlib import crc32

from pydantic import JsonValue

from services.format import EventDraft, Problem, Record

SHELVES = 64  # a child's consultations are spread on: one word of one is not to copy and seal all of them


@dataclass(frozen=True)
class Konsultasjon:
    """A resource as it is now. `record` is what it gives where nothing was told of it before."""

    record: Record
    ressurs: str
    nokkel: str
    versjon: int
    personer: tuple[str, ...]


class Fortalt(NamedTuple):
    """An event type's last word on a consultation; `tid` is when it was, as ISO 8601."""

    versjon: int
    gjelder: bool
    tid: str


Known = Mapping[str, Fortalt]
"""By event type."""


def keys_of(person: str) -> set[str]:
    """All that may hold something of the child."""
    return {f"fortalt:{person}:{shelf}" for shelf in range(SHELVES)}


def key_of(person: str, nokkel: str) -> str:
    return f"fortalt:{person}:{crc32(nokkel.encode()) % SHELVES}"


def told(
    ny: Konsultasjon, state: Mapping[str, JsonValue | None]
) -> tuple[Record, dict[str, JsonValue | None]]:
    """What the resource gives after what was told before, and what changes in the state."""
    drafts: list[EventDraft] = []
    changes: dict[str, JsonValue | None] = {}
    for person in ny.personer:
        key = key_of(person, ny.nokkel)
        table = _table(state[key])
        known = {navn: _fortalt(row) for navn, row in _table(table.get(ny.nokkel)).items()}
        said = [*_said(ny, person, known), *_taken_back(ny, person, known)]
        after = _after(known, said)
        if after != known:
            changes[key] = {**table, ny.nokkel: {navn: [*row] for navn, row in after.items()}}
        drafts += said
    if drafts:
        return replace(ny.record, drafts=tuple(drafts), warnings=()), changes
    notice = Problem(ny.record.pointer, "alt-fortalt", {"ressurs": ny.ressurs})
    return replace(ny.record, drafts=(), warnings=ny.record.warnings or (notice,)), changes


def _said(ny: Konsultasjon, person: str, known: Known) -> Iterator[EventDraft]:
    """Without what would stand beside a newer word; that it is wrong is told of all it can have been where we know
    nothing."""
    newest = max((row.versjon for row in known.values()), default=0)
    for draft in (d for d in ny.record.drafts if d.person == person):
        holds = not draft.tilbaketrukket and (draft.type in known or ny.versjon >= newest)
        if holds or not known:
            yield draft


def _taken_back(ny: Konsultasjon, person: str, known: Known) -> Iterator[EventDraft]:
    """What was told and no longer holds; and what this very version has taken back, so that it gives the same again."""
    holds = {draft.type for draft in ny.record.drafts if not draft.tilbaketrukket}
    for navn, row in known.items():
        if navn not in holds and (row.versjon == ny.versjon or (row.gjelder and row.versjon < ny.versjon)):
            at = datetime.fromisoformat(row.tid)
            yield EventDraft(navn, person, None, at, ny.nokkel, ny.versjon, {}, tilbaketrukket=True)


def _after(known: Known, said: list[EventDraft]) -> Known:
    """As the fact sets have it: the highest version stands, and a retraction before what it retracts."""
    after = dict(known)
    for draft in said:
        old = after.get(draft.type)
        if old is None or (draft.versjon, draft.tilbaketrukket) > (old.versjon, not old.gjelder):
            after[draft.type] = Fortalt(draft.versjon, not draft.tilbaketrukket, draft.time.isoformat())
    return after


def _table(value: JsonValue) -> dict[str, JsonValue]:
    return dict(value) if isinstance(value, dict) else {}


def _fortalt(row: JsonValue) -> Fortalt:
    assert isinstance(row, list)
    versjon, gjelder, tid = row
    assert isinstance(versjon, int)
    return Fortalt(versjon, gjelder is True, str(tid))
