"""FINT Utdanning: Person, Elev, Elevforhold and Fravær, in any order and over any number of sendings.

What an absence means needs the pupil it belongs to, three links away, and all other absences of the year. So the
format remembers what was sent, by identifier and by link in both directions, and on each record decides anew what
should have been told of that pupil. What differs from what was told is told: a new version, or a retraction.

What has `"slettet": true` is deleted; so is an absence whose systemId's gyldighetsperiode has ended. A pupil's or an
enrolment's id may end with the enrolment, which did take place: that changes nothing, and gives a notice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Annotated, Any
from urllib.parse import unquote

from pydantic import Field, JsonValue, TypeAdapter
from pydantic_core import to_json

from backbone.clock import Clock, system_clock
from contracts.personnummer import masked
from services.format import RECORDS_MOST, Companion, EventDraft, Problem, Record, State
from services.skjema import NOT_NULL, OSLO, Refused, Skjema, Tid, bound_values, read_json
from services.skole import terskler
from services.skole.terskler import Fravar, Terskel, midnight

PERIOD_DAYS_MOST = 400
ID_CHARS_MOST = 150  # it is part of keys, which are at most 200


class Lenke(Skjema):
    href: str


class Periode(Skjema):
    start: Tid
    slutt: Tid | None = None


class Identifikator(Skjema):
    identifikatorverdi: Annotated[str, Field(min_length=1, max_length=ID_CHARS_MOST)]


class SystemId(Identifikator):
    gyldighetsperiode: Periode | None = None

    def ended(self, now: datetime) -> bool:
        period = self.gyldighetsperiode
        return bool(period and period.slutt and period.slutt <= now)


class Lenker(Skjema):
    own: Annotated[tuple[Lenke, ...], Field(alias="self")] = ()
    person: tuple[Lenke, ...] = ()
    elev: tuple[Lenke, ...] = ()
    elevforhold: tuple[Lenke, ...] = ()

    def to(self, kind: str) -> tuple[Lenke, ...]:
        links: tuple[Lenke, ...] = getattr(self, kind, ())
        return links


class Ressurs(Skjema):
    links: Annotated[Lenker | None, Field(alias="_links"), NOT_NULL] = None


class PersonRessurs(Ressurs):
    fodselsnummer: Identifikator


class SlettbarRessurs(Ressurs):
    systemId: SystemId
    slettet: bool = False


class ElevRessurs(SlettbarRessurs):
    elevnummer: Identifikator | None = None


class ElevforholdRessurs(SlettbarRessurs):
    gyldighetsperiode: Periode | None = None


class FravarRessurs(SlettbarRessurs):
    dokumentert: bool
    gjelderPeriode: Periode


ANY: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
PERSON, ELEV = TypeAdapter(PersonRessurs), TypeAdapter(ElevRessurs)
ELEVFORHOLD, FRAVAR = TypeAdapter(ElevforholdRessurs), TypeAdapter(FravarRessurs)
SLETTBAR, RESSURS = TypeAdapter(SlettbarRessurs), TypeAdapter(Ressurs)

KINDS = {
    "person": "person",
    "elev": "elev",
    "elevforhold": "elevforhold",
    "fravar": "fravar",
    "fravaer": "fravar",
    "fravær": "fravar",
}
MEMBERS = {"person": {"fodselsnummer"}, "fravar": {"gjelderPeriode", "dokumentert"}}
LIKELY = {  # of a resource that has no link of its own
    "person": {"fodselsdato"},
    "elev": {"elevnummer"},
    "elevforhold": {"hovedskole"},
    "fravar": {"foresPaVitnemal"},
}
PARENT = {"elev": "person", "elevforhold": "elev", "fravar": "elevforhold"}


@dataclass(frozen=True)
class Parsed:
    """A resource as we keep it. `refs` are all its own references ("elev/systemid/7"), the first of them its id;
    `parent` the reference of what it belongs to; `content` what else counts, as the state holds it."""

    pointer: str
    kind: str
    refs: tuple[str, ...]
    parent: str | None
    content: dict[str, JsonValue]
    slettet: bool = False
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class FintUtdanning:
    """`terskler` are the school owner's rules. What lies after `clock` has not happened, and is told when it is
    sent again after it has."""

    terskler: tuple[Terskel, ...] = terskler.STANDARD
    clock: Clock = system_clock
    navn: str = "fint-utdanning"
    media_types: tuple[str, ...] = ("application/json", "application/x-ndjson")
    messages: str = "services.skole"

    def parse(self, body: bytes, companion: Companion) -> Iterable[Parsed | Record]:
        """Parents before children and absences by date: fewer versions on the way to the same facts."""
        try:
            bound_values(body)
        except Refused as refused:
            return (Record("", problems=refused.problems),)
        split = [*islice(_split(body), RECORDS_MOST + 1)]
        if len(split) > RECORDS_MOST:
            return (Record("", problems=(Problem("", "for-mange", {"grense": RECORDS_MOST}),)),)
        read = [self._parsed(place, kind, content) for place, kind, content in split]
        order = [*PARENT.values(), "fravar"]
        resources = sorted(
            (item for item in read if isinstance(item, Parsed)),
            key=lambda item: (order.index(item.kind), str(item.content.get("start", ""))),
        )
        return (*(item for item in read if isinstance(item, Record)), *resources)

    def needs(self, parsed: Parsed, state: State) -> set[str]:
        memory = Memory(state)
        self._apply(parsed, memory)
        return memory.missing

    def step(self, parsed: Parsed, state: State) -> tuple[tuple[Record, ...], dict[str, JsonValue | None]]:
        memory = Memory(state)
        drafts = tuple(self._apply(parsed, memory))
        told = drafts or parsed.warnings
        return (Record(parsed.pointer, drafts, warnings=parsed.warnings),) if told else (), memory.changes

    def about(self, person: str, state: State) -> set[str]:
        memory = Memory(state)
        root = f"person/fodselsnummer/{person}"
        ids = [root]
        for kinds in (("elev",), ("elev", "elevforhold"), ("elev", "elevforhold", "fravar")):
            ids += memory.below(root, *kinds)
        for id in ids:
            memory.get(f"ressurs:{id}")
            for ref in (id, *memory.words(f"navn:{id}")):
                memory.get(f"under:{ref}")
                memory.get(f"alias:{ref}")
        memory.get(f"fortalt:{person}")
        return memory.asked

    def _parsed(self, place: str, kind: str | None, content: JsonValue | Problem) -> Parsed | Record:
        if isinstance(content, Problem):
            return Record(place, problems=(content,))
        try:
            return _resource(place, kind, content, self.clock())
        except Refused as refused:
            return Record(place, problems=refused.problems)

    def _apply(self, parsed: Parsed, memory: "Memory") -> list[EventDraft]:
        """Remembers the resource, and tells what has changed for the pupils it touches: before and after."""
        before = _numbers(parsed, memory)
        _remember(parsed, memory)
        touched = sorted(before | _numbers(parsed, memory))
        drafts = [draft for number in touched for draft in self._decide(number, memory)]
        return sorted(drafts, key=lambda draft: draft.time)

    def _decide(self, number: str, memory: "Memory") -> Iterator[EventDraft]:
        """The difference between what should have been told of this pupil and what was. Versions are never below the
        seconds since 1970, so that they rise also where the memory of the last one was lost."""
        least = int(self.clock().timestamp())
        told = memory.table(f"fortalt:{number}")
        should = {f"{fact.type} {fact.nokkel}": fact for fact in self._facts(number, memory)}
        for key in sorted(told.keys() | should.keys()):
            old, fact = told.get(key), should.get(key)
            was = old if isinstance(old, dict) else None
            if was is None and fact is None:
                continue
            same = was is not None and was["tekst"] == (fact.tekst() if fact else None)
            if same:
                continue
            versjon = max(least, _int(was["versjon"]) + 1 if was else 0)
            navn, _, nokkel = key.partition(" ")
            at = fact.time if fact else _time(was["tid"] if was else None)
            told[key] = {
                "versjon": versjon,
                "tekst": fact.tekst() if fact else None,
                "tid": at.isoformat(),
            }
            yield EventDraft(
                type=navn,
                person=number,
                sak=None,
                time=at,
                nokkel=nokkel,
                versjon=versjon,
                data=fact.data if fact else {},
                tilbaketrukket=fact is None,
            )
        memory.put(f"fortalt:{number}", told)

    def _facts(self, number: str, memory: "Memory") -> Iterator["Fact"]:
        now = self.clock()
        absences: list[Fravar] = []
        for elevforhold in memory.below(f"person/fodselsnummer/{number}", "elev", "elevforhold"):
            content = memory.table(f"ressurs:{elevforhold}")
            systemid = elevforhold.split("/", 2)[2]
            for navn, key in (("startet", "start"), ("avsluttet", "slutt")):
                at = content.get(key)
                if isinstance(at, str) and _time(at) <= now:
                    yield Fact(f"elevforhold.{navn}", f"elevforhold:{masked(systemid)}", _time(at), {})
            for fravar in memory.below(elevforhold, "fravar"):
                content = memory.table(f"ressurs:{fravar}")
                if content:  # else it is asked for, and `needs` is called again when it is there
                    absences.append(_absence(content))
        for passed in terskler.passings(absences, self.terskler, now.astimezone(OSLO).date()):
            yield Fact("fravaer.terskel-passert", passed.nokkel, midnight(passed.dato), passed.data)


@dataclass(frozen=True)
class Fact:
    type: str
    nokkel: str
    time: datetime
    data: Mapping[str, JsonValue]

    def tekst(self) -> str:
        """What makes it the same fact as before."""
        return to_json({"tid": self.time.isoformat(), **self.data}).decode()


class Memory:
    """The state with the changes of one step over it, and note of each key that was asked for and not there.

    `ressurs:<id>` what a resource says · `alias:<ref>` the id that a reference means · `navn:<id>` all references
    that mean an id · `under:<ref>` ids of the resources that link to a reference · `fortalt:<number>` what was told.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.changes: dict[str, JsonValue | None] = {}
        self.missing: set[str] = set()
        self.asked: set[str] = set()

    def get(self, key: str) -> JsonValue | None:
        self.asked.add(key)
        if key in self.changes:
            return self.changes[key]
        if key not in self._state:
            self.missing.add(key)
        return self._state.get(key)

    def put(self, key: str, value: JsonValue | None) -> None:
        """Empty is the same as never there."""
        if (value or None) != (self.get(key) or None):
            self.changes[key] = value or None

    def table(self, key: str) -> dict[str, JsonValue]:
        value = self.get(key)
        return dict(value) if isinstance(value, dict) else {}

    def words(self, key: str) -> list[str]:
        value = self.get(key)
        return [str(word) for word in value] if isinstance(value, list) else []

    def id_of(self, ref: str) -> str:
        """The id that a reference means; itself where no resource has said that it goes by that name."""
        return next(iter(self.words(f"alias:{ref}")), ref)

    def below(self, id: str, *kinds: str) -> list[str]:
        """Ids of the resources `kinds` links down from `id`, in a fixed order."""
        ids = [id]
        for kind in kinds:
            refs = [ref for id in ids for ref in (id, *self.words(f"navn:{id}"))]
            found = {child for ref in refs for child in self.words(f"under:{ref}")}
            ids = sorted(child for child in found if child.startswith(f"{kind}/"))
        return ids


def _remember(parsed: Parsed, memory: Memory) -> None:
    id, *aliases = parsed.refs
    old = memory.table(f"ressurs:{id}")
    content: dict[str, JsonValue] = {} if parsed.slettet else {**parsed.content, "i": parsed.parent}
    for ref in {str(parent) for parent in (old.get("i"), content.get("i")) if parent}:
        children = {*memory.words(f"under:{ref}")} - {id} | ({id} if ref == content.get("i") else set())
        memory.put(f"under:{ref}", [*sorted(children)])
    memory.put(f"ressurs:{id}", content)
    for alias in aliases:
        holder = memory.id_of(alias)
        if holder not in (alias, id):
            memory.put(f"navn:{holder}", [name for name in memory.words(f"navn:{holder}") if name != alias])
        memory.put(f"alias:{alias}", [id])
    memory.put(f"navn:{id}", [*sorted({*memory.words(f"navn:{id}"), *aliases})])


def _numbers(parsed: Parsed, memory: Memory) -> set[str]:
    """The national ids of the pupils that the resource, as the memory has it, says something of."""
    ids = {memory.id_of(ref) for ref in parsed.refs}
    kind = parsed.kind
    while kind != "person":
        parents = {str(p) for id in ids if (p := memory.table(f"ressurs:{id}").get("i"))}
        ids, kind = {memory.id_of(ref) for ref in parents}, PARENT[kind]
    return {id.split("/", 2)[2] for id in ids if id.startswith("person/fodselsnummer/")}


def _absence(content: Mapping[str, JsonValue]) -> Fravar:
    start, slutt = content["start"], content.get("slutt")
    return Fravar(
        start=_local(_time(start)),
        slutt=_local(_time(slutt)) if slutt else None,
        dokumentert=content["dokumentert"] is True,
    )


def _local(at: datetime) -> datetime:
    """In Norwegian time; a UTC midnight is a date that someone wrote as a time, and keeps its day."""
    is_date = at.utcoffset() == timedelta() and (at.hour, at.minute, at.second) == (0, 0, 0)
    return at.replace(tzinfo=OSLO) if is_date else at.astimezone(OSLO)


def _time(text: JsonValue) -> datetime:
    return datetime.fromisoformat(str(text))


def _int(value: JsonValue) -> int:
    return value if isinstance(value, int) else 0


def _split(body: bytes) -> Iterator[tuple[str, str | None, JsonValue | Problem]]:
    """(pointer, kind if the place tells it, resource) of each resource: one object, an array, NDJSON, FINT's own
    collection, or an object with one or an array of each kind."""
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    lines = text.splitlines()
    if len(lines) > 1 and isinstance(_json(lines[0]), dict):
        for nr, line in enumerate(lines):
            if line.strip():
                yield f"/{nr}", None, _json(line, f"/{nr}")
        return
    root = _json(text)
    embedded = root.get("_embedded") if isinstance(root, dict) else None
    if isinstance(root, list):
        yield from ((f"/{nr}", None, item) for nr, item in enumerate(root))
    elif isinstance(embedded, dict) and isinstance(entries := embedded.get("_entries"), list):
        yield from ((f"/_embedded/_entries/{nr}", None, item) for nr, item in enumerate(entries))
    elif isinstance(root, dict) and _by_kind(root):
        for key in (key for key in KINDS if key in root):
            items = root[key]
            if isinstance(items, list):
                yield from ((f"/{key}/{nr}", KINDS[key], item) for nr, item in enumerate(items))
            else:
                one = isinstance(items, dict)
                yield f"/{key}", KINDS[key], items if one else Problem(f"/{key}", "ikke-liste")
    else:
        yield "", None, root


def _by_kind(root: Mapping[str, JsonValue]) -> bool:
    return "_links" not in root and any(isinstance(root.get(key), list | dict) for key in KINDS)


def _json(text: bytes, under: str = "") -> JsonValue | Problem:
    try:
        return read_json(ANY, text, under)
    except Refused as refused:
        return refused.problems[0]


def _resource(place: str, kind: str | None, content: JsonValue, now: datetime) -> Parsed | Record:
    """Raises Refused."""
    body = to_json(content)
    given = read_json(RESSURS, body, place).links
    links = given or Lenker()
    kind = kind or _kind(content if isinstance(content, dict) else {}, links)
    if kind is None:
        return Record(place, warnings=(Problem(place, "ukjent-ressurs"),))
    problems: tuple[Problem, ...] = ()
    read: Read | None = None
    try:
        read = READERS[kind](body, place, now)
    except Refused as refused:
        problems = refused.problems
    above = PARENT.get(kind)
    parent = next(_refs(above, links.to(above)), None) if above else None
    if above and parent is None and not (read and read.slettet):
        problems += (Problem(f"{place}/_links/{above}" if given else f"{place}/_links", "mangler"),)
    if read is None or problems:
        raise Refused(problems)
    id, *others = read.refs
    aliases = sorted({*others, *_refs(kind, links.own)} - {id})
    warnings = (Problem(f"{place}/systemId/gyldighetsperiode/slutt", "id-utlopt"),) if read.utlopt else ()
    return Parsed(place, kind, (id, *aliases), parent, read.content, read.slettet, warnings)


@dataclass(frozen=True)
class Read:
    """What one resource says of itself; utlopt: its id holds no more, though it is not deleted."""

    refs: tuple[str, ...]
    content: dict[str, JsonValue] = field(default_factory=dict)
    slettet: bool = False
    utlopt: bool = False


def _person(body: bytes, place: str, now: datetime) -> Read:
    person = read_json(PERSON, body, place)
    return Read((f"person/fodselsnummer/{person.fodselsnummer.identifikatorverdi}",))


def _elev(body: bytes, place: str, now: datetime) -> Read:
    own = _own(ELEV, body, place)
    ref = f"elev/systemid/{own.systemId.identifikatorverdi}"
    if own.slettet:
        return Read((ref,), slettet=True)
    elev = read_json(ELEV, body, place)
    number = (f"elev/elevnummer/{elev.elevnummer.identifikatorverdi}",) if elev.elevnummer else ()
    return Read((ref, *number), utlopt=elev.systemId.ended(now))


def _elevforhold(body: bytes, place: str, now: datetime) -> Read:
    own = _own(ELEVFORHOLD, body, place)
    ref = (f"elevforhold/systemid/{own.systemId.identifikatorverdi}",)
    if own.slettet:
        return Read(ref, slettet=True)
    period = read_json(ELEVFORHOLD, body, place).gyldighetsperiode
    if period:
        _in_order(period, f"{place}/gyldighetsperiode")
    return Read(ref, _period(period), utlopt=own.systemId.ended(now))


def _fravar(body: bytes, place: str, now: datetime) -> Read:
    own = _own(FRAVAR, body, place)
    ref = (f"fravar/systemid/{own.systemId.identifikatorverdi}",)
    if own.slettet or own.systemId.ended(now):
        return Read(ref, slettet=True)
    fravar = read_json(FRAVAR, body, place)
    period = fravar.gjelderPeriode
    _in_order(period, f"{place}/gjelderPeriode")
    if period.slutt and period.slutt - period.start > timedelta(days=PERIOD_DAYS_MOST):
        limit = {"dager": PERIOD_DAYS_MOST}
        raise Refused((Problem(f"{place}/gjelderPeriode/slutt", "for-lang-periode", limit),))
    return Read(ref, {**_period(period), "dokumentert": fravar.dokumentert})


def _own(adapter: TypeAdapter[Any], body: bytes, place: str) -> SlettbarRessurs:
    """Its id, and whether it is deleted: of what is, nothing else needs to be there. Raises Refused."""
    try:
        return read_json(SLETTBAR, body, place)
    except Refused:
        read_json(adapter, body, place)  # says all that is wrong
        raise


READERS: Mapping[str, Callable[[bytes, str, datetime], Read]] = {
    "person": _person,
    "elev": _elev,
    "elevforhold": _elevforhold,
    "fravar": _fravar,
}


def _in_order(period: Periode, place: str) -> None:
    """Raises Refused."""
    if period.slutt and period.slutt < period.start:
        raise Refused((Problem(f"{place}/slutt", "slutt-for-start"),))


def _period(period: Periode | None) -> dict[str, JsonValue]:
    if period is None:
        return {}
    slutt = {"slutt": period.slutt.isoformat()} if period.slutt else {}
    return {"start": period.start.isoformat(), **slutt}


def _kind(raw: Mapping[str, JsonValue], links: Lenker) -> str | None:
    """What resource it is: by the path of its own link, else by what only that kind has or belongs to."""
    for link in links.own:
        parts = link.href.rstrip("/").split("/")
        name = unquote(parts[-3]).rpartition(".")[2].strip("${}").lower() if len(parts) > 2 else ""
        if name in KINDS:
            return KINDS[name]
    by_member = (kind for kind, members in MEMBERS.items() if raw.keys() & members)
    if links.own:
        return next(by_member, None)  # a group or a school links to pupils too
    likely = (kind for kind, members in LIKELY.items() if raw.keys() & members)
    linked = (kind for kind, parent in PARENT.items() if links.to(parent))
    deleted = ("fravar" for member in raw if member == "slettet")
    return next(chain(by_member, likely, linked, deleted), None)


def _refs(kind: str, links: Iterable[Lenke]) -> Iterator[str]:
    """References to resources of `kind`: the last two steps of each address."""
    for link in links:
        parts = [unquote(part) for part in link.href.rstrip("/").split("/")]
        if len(parts) > 1 and parts[-1]:
            yield f"{kind}/{parts[-2].lower()}/{parts[-1]}"
