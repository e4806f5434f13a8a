"""SSB Barnevern XML v4, files of changes and of the total: events of the case, each version once.

A file that does not follow the description is refused whole, as SSB does (FATAL); SSB's other controls are told as
warnings with SSB's own severity. A file holds one case. Read twice: first held to the description, then thing by
thing, so that nothing of a file that fails half-way is taken in. SSB's first Melding may be the same concern as one
that came by KS Fiks in the seven days before: both are told, and coordination joins them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from pydantic import JsonValue

from backbone.clock import OSLO, Clock, system_clock
from contracts.personnummer import Identitet, InvalidNumber, classify
from services.barnevern.ssb import strom
from services.barnevern.ssb.hendelser import TING, Hendelse, hendelser
from services.barnevern.ssb.kontroll import problems_of
from services.barnevern.ssb.minne import DELETED, OLDEST, Historie, Ting, Whom, digest_of
from services.barnevern.ssb.regler import Regler
from services.barnevern.ssb.strom import Node
from services.format import Companion, EventDraft, Problem, Record, State

THINGS_AT_ONCE = 500
WARNINGS_MOST = 500
YEARS_MOST = 25  # a person's age in an event
SAK = "/Barnevern/Sak[1]"

Changes = dict[str, JsonValue | None]


@dataclass(frozen=True)
class Sending:
    """Which case, as of when, in which file after which."""

    sak: str
    uttrekk: datetime
    fil: str
    forrige: str | None

    @property
    def key(self) -> str:
        return f"sak:{self.sak}"

    def whom(self, person: str | None) -> Whom:
        return Whom(person, f"ssb:{self.sak}")


@dataclass(frozen=True)
class Personalia:
    """Whom the case is about from a day on. `person` is None where no number tells; gone: `slettet`."""

    id: str
    fra: str
    person: str | None
    slettet: bool = False


@dataclass(frozen=True)
class Saken:
    """The case itself: whom it is about, and whether all of it is deleted."""

    sending: Sending
    personalia: tuple[Personalia, ...]
    slettet: bool = False


@dataclass(frozen=True)
class Meldt:
    """A thing as this file has it."""

    pointer: str
    key: str
    digest: str
    hendelser: tuple[Hendelse, ...]


@dataclass(frozen=True)
class Bolk:
    """Some things of a case, in the file's order."""

    sending: Sending
    ting: tuple[Meldt, ...]


@dataclass(frozen=True)
class SsbBarnevern:
    """Stateful: it remembers of each thing which contents it has had and which events were sent."""

    navn: str = "ssb-barnevern"
    media_types: tuple[str, ...] = ("application/xml", "text/xml")
    messages: str = "services.barnevern"
    clock: Clock = system_clock

    def parse(self, body: bytes, companion: Companion) -> Iterator[Saken | Bolk | Record]:
        if problems := problems_of(body):
            yield Record(problems[0].pointer, problems=problems)
            return
        yield from _parsed(body, self._today())

    def needs(self, parsed: Saken | Bolk, state: State) -> set[str]:
        sending = parsed.sending
        if isinstance(parsed, Bolk):
            return {sending.key, *(meldt.key for meldt in parsed.ting)}
        if sending.key not in state:
            return {sending.key}
        before = Sak.of(state[sending.key])
        after = before.told(parsed.personalia, sending)
        concerned = parsed.slettet or after.person != before.person
        return {sending.key, *_indexes(before, after), *(before.ting if concerned else ())}

    def step(self, parsed: Saken | Bolk, state: State) -> tuple[tuple[Record, ...], Changes]:
        sending = parsed.sending
        sak = Sak.of(state[sending.key])
        if isinstance(parsed, Bolk):
            return self._things(parsed, sak, state)
        after = sak.told(parsed.personalia, sending)
        changes: Changes = {sending.key: after.as_json()} if after != sak else {}
        for index in _indexes(sak, after):
            changes[index] = [*sorted({*_words(state[index]), sending.key})]
        drafts: list[EventDraft] = []
        old, new = sending.whom(sak.person), sending.whom(after.person)
        least = self._versjon_least()
        for key in sak.ting if old != new or parsed.slettet else ():
            ting, out = Ting.of(state[key]), list[EventDraft]()
            late = sak.is_late(sending)
            if parsed.slettet and (told := ting.told(DELETED, sending.uttrekk, late, (), old, least)):
                ting, out = told[0], [*told[1]]
            if old != new:
                ting, moved = ting.moved(old, new, least)
                out += moved
            changes[key] = ting.as_state()
            drafts += out
        return (Record(SAK, tuple(drafts)),) if drafts else (), changes

    def about(self, person: str, state: State) -> set[str]:
        saker = _words(state.get(f"person:{person}"))
        ting = {key for sak in saker for key in Sak.of(state.get(sak)).ting}
        return {f"person:{person}", *saker, *ting}

    def _things(self, bolk: Bolk, sak: "Sak", state: State) -> tuple[tuple[Record, ...], Changes]:
        whom = bolk.sending.whom(sak.person)
        late = sak.is_late(bolk.sending)
        today, least = self._today(), self._versjon_least()
        born = _born(sak.person, today)
        changes: Changes = {}
        records: list[Record] = []
        for meldt in bolk.ting:
            known = changes.get(meldt.key, state[meldt.key])
            sendable, warnings = _sendable(meldt, born, today)
            told = Ting.of(known).told(meldt.digest, bolk.sending.uttrekk, late, sendable, whom, least)
            if told is None:
                continue
            if known is None and meldt.digest == DELETED:
                warnings = (Problem(meldt.pointer, "ssb-slettet-ukjent"),)
            changes[meldt.key] = told[0].as_state()
            if told[1] or warnings:
                records.append(Record(meldt.pointer, told[1], warnings=warnings))
        if new := tuple(key for key in changes if state[key] is None):
            changes[bolk.sending.key] = sak.with_things(new).as_json()
        return tuple(records), changes

    def _versjon_least(self) -> int:
        return int(self.clock().timestamp())

    def _today(self) -> date:
        return self.clock().astimezone(OSLO).date()


@dataclass(frozen=True)
class Sak:
    """What we remember of a case: its Personalia by id, each with its history; the keys of its things; and the files
    that others have named as the one before them."""

    personalia: Mapping[str, tuple[Personalia, Historie]]
    ting: tuple[str, ...] = ()
    forrige: tuple[str, ...] = ()

    @property
    def person(self) -> str | None:
        """The number of the latest Personalia that have one."""
        having = [p for p, _ in self.personalia.values() if p.person and not p.slettet]
        return max(having, key=lambda p: p.fra).person if having else None

    @property
    def numbers(self) -> frozenset[str]:
        """Every number it has been told, right or wrong."""
        return frozenset(p.person for p, _ in self.personalia.values() if p.person)

    def is_late(self, sending: Sending) -> bool:
        return sending.fil in self.forrige

    def told(self, personalia: Iterable[Personalia], sending: Sending) -> "Sak":
        kept = dict(self.personalia)
        for told in personalia:
            before, historie = kept.get(told.id, (told, Historie()))
            digest = DELETED if told.slettet else f"{told.fra} {told.person or ''}"
            if after := historie.after(digest, sending.uttrekk, self.is_late(sending)):
                kept[told.id] = (replace(told, fra=told.fra or before.fra), after)
        new = sending.forrige
        known = new is None or new == sending.fil or new in self.forrige
        return Sak(kept, self.ting, self.forrige if known else (*self.forrige, str(new)))

    def with_things(self, keys: tuple[str, ...]) -> "Sak":
        return replace(self, ting=(*self.ting, *keys))

    def as_json(self) -> JsonValue:
        rows: list[JsonValue] = [
            [p.id, p.fra, p.person, p.slettet, h.as_json()] for p, h in self.personalia.values()
        ]
        return {"personalia": rows, "ting": list(self.ting), "forrige": list(self.forrige)}

    @classmethod
    def of(cls, state: JsonValue | None) -> "Sak":
        if not isinstance(state, dict):
            return cls({})
        of: Any = state
        rows = {row[0]: (Personalia(*row[:4]), Historie.of(row[4])) for row in of["personalia"]}
        return cls(rows, tuple(of["ting"]), tuple(of["forrige"]))


def _indexes(before: Sak, after: Sak) -> set[str]:
    """Where the cases of each person are kept, of the persons that are new in this one."""
    return {f"person:{number}" for number in after.numbers - before.numbers}


def _words(value: JsonValue) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else []


def _parsed(body: bytes, today: date) -> Iterator[Saken | Bolk | Record]:
    """The case with its Personalia and its things, some at a time; SSB's controls last."""
    fil, nodes = strom.read(body)
    regler = Regler(fil, today)
    warnings = list(regler.begin())
    sending = Sending(fil.sak.id, fil.uttrekk or OLDEST, fil.id, fil.forrige)
    slettet = fil.sak.slettet
    personalia: list[Personalia] = []
    gone: list[Personalia] = []
    ting: list[Meldt] = []
    for node in nodes:
        found = list(regler.see(node))
        warnings += found[: WARNINGS_MOST - len(warnings)]
        if node.name == "Personalia":
            personalia.append(_personalia(node, today))
        elif node.name == "Slettet" and node.get("Type") == "Personalia":
            gone.append(Personalia(node.id, "", None, slettet=True))
        elif meldt := _meldt(sending, node, slettet):
            ting.append(meldt)
        if len(ting) == THINGS_AT_ONCE:  # all Personalia come before them
            yield from (Saken(sending, tuple(personalia), slettet), Bolk(sending, tuple(ting)))
            personalia, ting = [], []
    yield from (Saken(sending, tuple(personalia), slettet), Bolk(sending, tuple(ting)))
    if gone:
        yield Saken(sending, tuple(gone))
    warnings += list(regler.end())[: WARNINGS_MOST - len(warnings)]
    yield Record(SAK, warnings=tuple(warnings))


def _personalia(node: Node, today: date) -> Personalia:
    numbers = (node.attributes["Fodselsnummer"], node.get("DUFnummer"))
    person = next((n for n in numbers if n and (i := _identitet(n, today)) and i.identifies), None)
    # ISO dates sort as text; a zone or an odd year changes nothing that matters here.
    return Personalia(node.id, node.attributes["StartDato"][:10], person, node.slettet)


def _identitet(nummer: str, today: date) -> Identitet | None:
    try:
        return classify(nummer, today)
    except InvalidNumber:
        return None


def _born(person: str | None, today: date) -> date | None:
    identitet = _identitet(person, today) if person else None
    return identitet.fodselsdato if identitet else None


def _meldt(sending: Sending, node: Node, slettet: bool) -> Meldt | None:
    """A thing that tells events, or that one is deleted."""
    gone = node.name == "Slettet"
    kind = node.attributes["Type"] if gone else node.name
    if kind not in TING:
        return None
    told = () if gone or slettet else hendelser(node)
    digest = digest_of(told, slettet=gone or slettet or node.slettet)
    return Meldt(node.pointer, f"ting:{sending.sak}:{kind}:{node.id}", digest, told)


def _sendable(
    meldt: Meldt, born: date | None, today: date
) -> tuple[tuple[Hendelse, ...], tuple[Problem, ...]]:
    """The events that can be told now, and why the others are not: a valid file is never refused for them."""
    able, warnings = [], []
    for hendelse in meldt.hendelser:
        code = _reason(hendelse.dato, born, today)
        if code:
            warnings.append(Problem(meldt.pointer, code, {"type": hendelse.type}))
        else:
            able.append(hendelse)
    return tuple(able), tuple(warnings)


def _reason(dato: date | None, born: date | None, today: date) -> str | None:
    if dato is None:
        return "ssb-utenfor-kalender"
    if dato > today:
        return "ssb-fremtid"
    if born and dato.year - born.year - ((dato.month, dato.day) < (born.month, born.day)) > YEARS_MOST:
        return "ssb-for-gammel"
    return None
