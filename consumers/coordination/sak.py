"""One child's case at one moment: which facts count, who may know them, which services are involved."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from consumers.coordination.facts import ConsentStanding, Data, FactSet, Key, Standing, micros, moment
from consumers.coordination.regler.regel import KOORDINERENDE_ENHET, Parametre, Regel
from contracts.catalogue import Catalogue
from contracts.envelope import Content
from contracts.hendelser import Innsats, Involvering
from contracts.tjenester import SAMTYKKE

_OPENS = frozenset({Involvering.APNER, Involvering.FORTSETTER})
_CLOSES = frozenset({Involvering.LUKKER, Involvering.LUKKER_ALLE})
_CONSENT = f"no.samspor.{SAMTYKKE}.samtykke."
# A closing that the type alone does not tell (barnevern): a conclusion without undersøkelse, the last
# measure's end.
_KONKLUDERT, _IVERKSATT, _AVSLUTTET = "henvendelse.konkludert", "tiltak.iverksatt", "tiltak.avsluttet"
_INVOLVEMENT_FIELDS: Mapping[str, tuple[str, ...]] = {_KONKLUDERT: ("undersokelse",)}


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


class Regelverk:
    """The rules with their parameters, read against a catalogue."""

    def __init__(
        self, catalogue: Catalogue, regler: Sequence[Regel], parametre: Parametre | None = None
    ) -> None:
        self.catalogue = catalogue
        self.regler = tuple(regler)
        self.parametre = parametre or Parametre()
        self.inactive_after = int(
            timedelta(days=self.parametre.inaktiv_etter_dager) / timedelta(microseconds=1)
        )
        self._reads: dict[str, frozenset[str]] = defaultdict(frozenset)
        for reads in (_INVOLVEMENT_FIELDS, *(r.leser for r in self.regler)):
            for navn, fields in reads.items():
                self._reads[navn] |= frozenset(fields)
        self._kinds: dict[str, Kind | None] = {}

    def kind(self, full_type: str) -> Kind | None:
        """None for a type that no rule reads. Raises UnknownType."""
        if full_type not in self._kinds:
            self._kinds[full_type] = self._kind(full_type)
        return self._kinds[full_type]

    def _kind(self, full_type: str) -> Kind | None:
        found = self.catalogue.event_type(full_type)
        tjeneste = full_type.removeprefix("no.samspor.").partition(".")[0]
        targeted = found.innsats in (Innsats.SELEKTERT, Innsats.INDIKERT)
        opens = targeted and found.involvering in _OPENS
        closes_all = found.involvering is Involvering.LUKKER_ALLE
        closes = closes_all or (targeted and found.involvering in _CLOSES)
        if not (opens or closes or found.navn in self._reads):
            return None
        return Kind(
            tjeneste,
            found.navn,
            found.kategori,
            str(found.skjerming_for(tjeneste)),
            opens,
            closes,
            closes_all,
            tuple(sorted(self._reads.get(found.navn, ()))),
            sum(1 << i for i, rule in enumerate(self.regler) if found.navn in rule.utloses_av),
        )

    def candidates(self, facts: FactSet) -> tuple[Regel, ...]:
        """The rules that these facts can give a duty, today or another day. Of most children it is none, so what a
        child costs does not grow with the number of rules."""
        set_off, involved = 0, set[str]()
        for _, full_type, _ in facts.facts:
            kind = self.kind(full_type)
            if kind is not None:
                set_off |= kind.sets_off
                if kind.opens:
                    involved.add(kind.tjeneste)
        return tuple(
            rule
            for i, rule in enumerate(self.regler)
            if len(involved) >= rule.involverte_minst
            and (set_off >> i & 1 or (facts.facts and not rule.utloses_av))
        )

    def tell(
        self, facts: FactSet, source: str, full_type: str, time: datetime, id_: str, content: Content
    ) -> bool:
        """Add an event to `facts`; whether it changed anything. Raises UnknownType, KeyError or ValueError
        for a consent whose data is not one."""
        if full_type.startswith(_CONSENT):
            status = "avslatt" if content.tilbaketrukket else full_type.removeprefix(_CONSENT)
            return facts.add_consent(content.nokkel, _consent(content, status, micros(time), id_))
        kind = self.kind(full_type)
        if kind is None:
            return False
        kept = {f: content.data[f] for f in kind.fields if f in content.data}
        key: Key = (source, full_type, content.nokkel)
        standing: Standing = (content.versjon, content.tilbaketrukket, micros(time), id_, kept)
        return facts.add(key, standing)


class Sak:
    """A fact set read at the moment `at` (aware) under `rules`."""

    def __init__(self, facts: FactSet, rules: Regelverk, at: datetime) -> None:
        self.subject = facts.subject
        self.rules = rules
        self.at = at
        self.now = micros(at)
        self.facts = tuple(sorted(_counting(facts, rules, self.now)))
        self._consents = [c for c in facts.consents.values() if c.active(self.now)]
        self._visible: dict[str, tuple[Fact, ...]] = {}

    def known_to(self, viewer: str) -> tuple[Fact, ...]:
        """What the service `viewer` may know, by time: its own, the administrative, and what a consent
        covers."""
        if viewer not in self._visible:
            self._visible[viewer] = tuple(f for f in self.facts if self._may_know(f.kind, viewer))
        return self._visible[viewer]

    def _may_know(self, kind: Kind, viewer: str) -> bool:
        if kind.tjeneste == viewer or kind.skjerming == "N":
            return True
        topic = (kind.tjeneste, kind.kategori)
        if viewer == KOORDINERENDE_ENHET and kind.skjerming != "X":
            return topic in self._released
        return topic in self._named.get(viewer, ())

    @cached_property
    def _released(self) -> frozenset[tuple[str, str]]:
        return frozenset(t for c in self._consents for t in _topics(c))

    @cached_property
    def _named(self) -> dict[str, set[tuple[str, str]]]:
        named: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for consent in self._consents:
            for tjeneste in consent.til_tjenester:
                named[tjeneste].update(_topics(consent))
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
        patience = self.rules.inactive_after
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
            if time + self.rules.inactive_after > self.now:
                yield moment(time + self.rules.inactive_after)


def _counting(facts: FactSet, rules: Regelverk, now: int) -> Iterator[Fact]:
    for (source, full_type, nokkel), (_, retracted, time, id_, data) in facts.facts.items():
        if not retracted and time <= now and (kind := rules.kind(full_type)) is not None:
            yield Fact(time, source, full_type, nokkel, id_, kind, data)


def _topics(consent: ConsentStanding) -> Iterator[tuple[str, str]]:
    return ((consent.fra_tjeneste, kategori) for kategori in consent.kategorier)


def _consent(content: Content, status: str, time: int, id_: str) -> ConsentStanding:
    data = content.data
    til, kategorier, utloper = data["til_tjenester"], data["kategorier"], data.get("utloper")
    if not isinstance(til, list) or not isinstance(kategorier, list):
        raise ValueError("til_tjenester, kategorier")
    return ConsentStanding(
        content.versjon,
        time,
        id_,
        status,
        str(data["fra_tjeneste"]),
        tuple(sorted(map(str, til))),
        tuple(sorted(map(str, kategorier))),
        _instant(data["gyldig_fra"]),
        None if utloper is None else _instant(utloper),
    )


def _instant(value: object) -> int:
    at = datetime.fromisoformat(str(value))
    if at.tzinfo is None:
        raise ValueError("a time without an offset")
    return micros(at)
