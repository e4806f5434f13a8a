"""What we remember of a thing that was sent, and what a new sending of it changes. Pure.

Two files of a series may carry the same id or an earlier time of extraction, so a file's own word on its age is no
order. What counts is each thing: content seen before, in a file that is not newer than the newest of that thing,
is a repeat and changes nothing; any other content is the sender's present word. Unless the file comes late: another
one that named it as the file before (ForrigeId) has been here already.

Versions are never below `least`, the seconds since 1970, so that they rise also where the memory of the last one was
lost.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any

import orjson
from pydantic import JsonValue

from backbone.clock import OSLO
from services.barnevern.ssb.hendelser import Hendelse
from services.format import EventDraft

DELETED = "slettet"
OLDEST = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Whom:
    """The child of a case: by number, or, while none is known, by the case itself."""

    person: str | None
    sak: str


@dataclass(frozen=True)
class Historie:
    """Contents seen of one thing, by digest; which of them holds; and the newest extraction it was in."""

    seen: tuple[str, ...] = ()
    current: str = ""
    uttrekk: datetime = OLDEST

    def after(self, digest: str, uttrekk: datetime, late: bool) -> "Historie | None":
        """The history with this sending in it; None where it changes nothing."""
        old = digest in self.seen or self.current == DELETED or (late and bool(self.current))
        if digest != self.current and uttrekk <= self.uttrekk and old:
            return None
        seen = self.seen if digest in self.seen else (*self.seen, digest)
        return Historie(seen, digest, max(uttrekk, self.uttrekk))

    def as_json(self) -> dict[str, JsonValue]:
        return {"sett": list(self.seen), "naa": self.current, "uttrekk": self.uttrekk.isoformat()}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Historie":
        return cls(tuple(state["sett"]), state["naa"], datetime.fromisoformat(state["uttrekk"]))


@dataclass(frozen=True)
class Sendt:
    """The last version of an event we sent."""

    type: str
    nokkel: str
    dato: date
    versjon: int
    tilbaketrukket: bool
    data: Mapping[str, JsonValue]

    def says(self, hendelse: Hendelse) -> bool:
        return not self.tilbaketrukket and (self.dato, self.data) == (hendelse.dato, hendelse.data)

    def draft(self, whom: Whom) -> EventDraft:
        at = datetime.combine(self.dato, time(), OSLO)
        sak = None if whom.person else whom.sak
        data = {} if self.tilbaketrukket else self.data
        return EventDraft(
            self.type, whom.person, sak, at, self.nokkel, self.versjon, data, self.tilbaketrukket
        )


@dataclass(frozen=True)
class Ting:
    """A thing of a case as it stands with us."""

    historie: Historie = Historie()
    sendt: Mapping[str, Sendt] = field(default_factory=dict)

    def told(
        self,
        digest: str,
        uttrekk: datetime,
        late: bool,
        hendelser: Iterable[Hendelse],
        whom: Whom,
        least: int,
    ) -> tuple["Ting", tuple[EventDraft, ...]] | None:
        """The thing after a sending that has these events, and what is to be sent on; None for a repeat."""
        historie = self.historie.after(digest, uttrekk, late)
        if historie is None:
            return None
        should = {h.key: h for h in hendelser if h.dato}
        changed = dict(_changes(self.sendt, should, least))
        drafts = tuple(sent.draft(whom) for sent in changed.values())
        return Ting(historie, {**self.sendt, **changed}), drafts

    def moved(self, old: Whom, new: Whom, least: int) -> tuple["Ting", tuple[EventDraft, ...]]:
        """The same events about another child: taken back from one, sent on the other."""
        drafts: list[EventDraft] = []
        sendt = dict(self.sendt)
        for key, sent in self.sendt.items():
            if not sent.tilbaketrukket:
                gone = replace(sent, versjon=max(least, sent.versjon + 1), tilbaketrukket=True)
                sendt[key] = replace(sent, versjon=gone.versjon + 1)
                drafts += [gone.draft(old), sendt[key].draft(new)]
        return replace(self, sendt=sendt), tuple(drafts)

    def as_state(self) -> str:
        """One text: a file of many things holds the state of each in memory until it is stored."""
        rows = [_row(sent) for sent in self.sendt.values()]
        return orjson.dumps({**self.historie.as_json(), "sendt": rows}).decode()

    @classmethod
    def of(cls, state: JsonValue | None) -> "Ting":
        if not isinstance(state, str):
            return cls()
        of = orjson.loads(state)
        sendt = (Sendt(t, n, date.fromisoformat(d), v, g, data) for t, n, d, v, g, data in of["sendt"])
        return cls(Historie.of(of), {f"{s.type} {s.nokkel}": s for s in sendt})


def digest_of(hendelser: Iterable[Hendelse], slettet: bool = False) -> str:
    """A name for what a thing tells: two sendings that tell the same are the same content."""
    if slettet:
        return DELETED
    told = [[h.key, h.dato, h.data] for h in hendelser]
    return hashlib.blake2b(orjson.dumps(told, option=orjson.OPT_SORT_KEYS), digest_size=9).hexdigest()


def _changes(
    sendt: Mapping[str, Sendt], should: Mapping[str, Hendelse], least: int
) -> Iterator[tuple[str, Sendt]]:
    for key, hendelse in should.items():
        old = sendt.get(key)
        if hendelse.dato and not (old and old.says(hendelse)):
            versjon = max(least, old.versjon + 1 if old else 0)
            yield key, Sendt(hendelse.type, hendelse.nokkel, hendelse.dato, versjon, False, hendelse.data)
    for key in sorted(sendt.keys() - should.keys()):
        if not sendt[key].tilbaketrukket:
            versjon = max(least, sendt[key].versjon + 1)
            yield key, replace(sendt[key], versjon=versjon, tilbaketrukket=True)


def _row(sent: Sendt) -> list[JsonValue]:
    data = dict(sent.data)
    return [sent.type, sent.nokkel, sent.dato.isoformat(), sent.versjon, sent.tilbaketrukket, data]
