"""One child's case at one moment: which facts count, who may know them, which services are involved."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple, Protocol

from backbone.frister import local_date
from consumers.coordination.facts import Data, FactSet, micros, moment
from consumers.coordination.regler.oppsett import Parametre
from contracts.catalogue import Catalogue
from contracts.tilgang import SKJERMEDE_TJENESTER
from contracts.tjenester import KOORDINERENDE_ENHET, Tjeneste

# A closing that the type alone does not tell (barnevern): a conclusion without undersøkelse, the last
# measure's end.
_KONKLUDERT, _IVERKSATT, _AVSLUTTET = "henvendelse.konkludert", "tiltak.iverksatt", "tiltak.avsluttet"
INVOLVEMENT_FIELDS: Mapping[str, tuple[str, ...]] = {_KONKLUDERT: ("undersokelse",)}


class Kind(NamedTuple):
    """What the catalogue says of a full type, which of its data fields are kept, and which rules it can set off (a
    bit each, in the rules' order)."""

    tjeneste: str
    navn: str
    kategori: str
    skjerming: str
    opens: bool
    closes: bool
    closes_all: bool
    fields: tuple[str, ...]
    sets_off: int


class Fact(NamedTuple):
    """A fact that counts: not retracted, and not in the future. `time` in µs since 1970 UTC."""

    time: int
    source: str
    type: str
    nokkel: str
    id: str
    kind: Kind
    data: Data

    @property
    def at(self) -> datetime:
        return moment(self.time)


class Involvement(NamedTuple):
    """A service's unbroken engagement in one category: the fact that began it, and the latest."""

    began: Fact
    latest: Fact


class Vernet(Protocol):
    """What consents and classes say something of: a fact's kind, or the ground of a task."""

    @property
    def tjeneste(self) -> str: ...
    @property
    def kategori(self) -> str: ...
    @property
    def skjerming(self) -> str: ...


class Grunnlag(Protocol):
    """What a case needs of the rules it is read under."""

    catalogue: Catalogue

    def kind(self, full_type: str) -> Kind | None: ...

    def parametre(self, day: date) -> Parametre: ...


class Sak:
    """A fact set read at the moment `at` (aware) under `rules`."""

    def __init__(self, facts: FactSet, rules: Grunnlag, at: datetime) -> None:
        self.subject = facts.subject
        self.at = at
        self.today = local_date(at)
        self.now = micros(at)
        self.parametre = rules.parametre(self.today)
        self.tjenester: Mapping[str, Tjeneste] = rules.catalogue.tjenester
        self.facts = tuple(sorted(_counting(facts, rules, self.now)))
        self.consents = [c for c in facts.consents.values() if c.active(self.now)]
        self._visible: dict[str, tuple[Fact, ...]] = {}

    def known_to(self, viewer: str) -> tuple[Fact, ...]:
        """What the service `viewer` may know, by time: its own, the administrative, and what a consent
        covers."""
        if viewer not in self._visible:
            self._visible[viewer] = tuple(f for f in self.facts if self.may_know(f.kind, viewer))
        return self._visible[viewer]

    def may_know_all(self, facts: Iterable[Fact], viewer: str) -> bool:
        return all(self.may_know(f.kind, viewer) for f in facts)

    def is_service(self, navn: str) -> bool:
        return navn in self.tjenester

    def visningsnavn(self, navn: str) -> str:
        """What people call the service."""
        return self.tjenester[navn].visningsnavn if navn in self.tjenester else navn

    def knows(self, viewer: str, grunner: Iterable[Vernet]) -> bool:
        """Whether the service may know each of these facts in full, and so own what rests on them. What is
        barnevern's own (X) is nobody else's, whatever a consent says (domain §7)."""
        return all(g.tjeneste == viewer or (g.skjerming != "X" and self.may_know(g, viewer)) for g in grunner)

    def may_know(self, kind: Vernet, viewer: str) -> bool:
        if kind.tjeneste == viewer or kind.skjerming == "N":
            return True
        topic = (kind.tjeneste, kind.kategori)
        if viewer == KOORDINERENDE_ENHET and kind.skjerming != "X":
            return topic in self._released
        return topic in self._named.get(viewer, ())

    @cached_property
    def _released(self) -> frozenset[tuple[str, str]]:
        return frozenset(t for c in self.consents if c.releases for t in c.topics)

    @cached_property
    def _named(self) -> dict[str, set[tuple[str, str]]]:
        named: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for consent in self.consents:
            for tjeneste in consent.til_tjenester:
                named[tjeneste].update(consent.topics)
        return named

    def involvements(self, known: Iterable[Fact], at: int) -> dict[str, Involvement]:
        """Per service the involvement that is active at `at` (µs), as `known` facts tell; of several
        categories the one that began first. A category is closed by its own closing events or by one for
        all, and lapses when `inaktiv_etter` has gone by without an event."""
        opened: dict[tuple[str, str], list[Fact]] = defaultdict(list)
        closed: dict[tuple[str, str], int] = {}
        closed_all = -1
        running: dict[tuple[str, str], Fact] = {}
        ended: dict[tuple[str, str], Fact] = {}
        for fact in known:
            if fact.time > at:
                break
            kind = fact.kind
            topic = (kind.tjeneste, kind.kategori)
            if kind.closes_all:
                closed_all = fact.time
            elif kind.closes or (kind.navn == _KONKLUDERT and fact.data.get("undersokelse") is False):
                closed[topic] = fact.time
            elif kind.opens:
                opened[topic].append(fact)
                if kind.navn == _IVERKSATT:
                    running[fact.source, fact.nokkel] = fact
                elif kind.navn == _AVSLUTTET:
                    ended[fact.source, fact.nokkel] = fact
        if ended and running.keys() <= ended.keys():
            last = max(ended.values())
            topic = (last.kind.tjeneste, last.kind.kategori)
            closed[topic] = max(last.time, closed.get(topic, -1))
        active: dict[str, Involvement] = {}
        for topic, events in opened.items():
            found = self._unbroken(events, max(closed_all, closed.get(topic, -1)), at)
            held = active.get(topic[0])
            if found and (held is None or found.began < held.began):
                active[topic[0]] = found
        return active

    def _unbroken(self, events: Sequence[Fact], closed: int, at: int) -> Involvement | None:
        patience = self.parametre.inactive_after
        latest = events[-1]
        if latest.time <= closed or at - latest.time >= patience:
            return None
        began = latest
        for event in reversed(events):
            if event.time <= closed or began.time - event.time >= patience:
                break
            began = event
        return Involvement(began, latest)

    def lapses(self) -> Iterator[datetime]:
        """When involvements lapse after now, if nothing more is reported: per service and category, whoever
        may know of it."""
        latest: dict[tuple[str, str], int] = {}
        for fact in self.facts:
            if fact.kind.opens:
                latest[fact.kind.tjeneste, fact.kind.kategori] = fact.time
        for time in latest.values():
            if time + self.parametre.inactive_after > self.now:
                yield moment(time + self.parametre.inactive_after)


def betrays(tjeneste: str, grunner: Iterable[Vernet]) -> bool:
    """Whether a task's holder would tell of a connection that is itself secret: whoever sees a task sees its holder, so
    barnevern holds only what rests on its own facts."""
    return tjeneste in SKJERMEDE_TJENESTER and any(g.tjeneste != tjeneste for g in grunner)


def _counting(facts: FactSet, rules: Grunnlag, now: int) -> Iterator[Fact]:
    for (source, full_type, nokkel), (_, retracted, time, id_, data) in facts.facts.items():
        if not retracted and time <= now and (kind := rules.kind(full_type)) is not None:
            yield Fact(time, source, full_type, nokkel, id_, kind, data)
