"""HL7 FHIR R4 with the Norwegian no-basis profiles, JSON or XML: a resource alone, or a Bundle of them.

What is read: which child (Patient, in the Bundle, contained, or by identifier), when, and how far it came
(Appointment, Encounter, ServiceRequest, Procedure). Findings, reasons and notes are never looked at.

Each resource is a record: a broken one refuses itself and no other of the Bundle. What was told of a consultation is
remembered, so that another status of it takes that back.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError, to_json

from contracts.personnummer import masked
from services.format import Companion, EventDraft, Problem, Record, State
from services.helsestasjon import fhir_xml, fortalt
from services.helsestasjon.fortalt import Konsultasjon
from services.helsestasjon.program import event_name, programpunkt
from services.skjema import AT_MOST, NOT_NULL, OSLO, Refused, Skjema, matches, read_json, read_time, time_of

NATIONAL_IDS = (  # in the order we trust them: birth number, D-number, felles hjelpenummer
    "urn:oid:2.16.578.1.12.4.1.4.1",
    "urn:oid:2.16.578.1.12.4.1.4.2",
    "urn:oid:2.16.578.1.12.4.1.4.3",
)
UNITS = ("Organization", "HealthcareService")
BUSINESS_CHARS_MOST = 180  # of a key that is at most 200, the kind of resource included


_DATE = r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?"
_CLOCK = r"T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
_ZONE = r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
_INSTANT = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{_CLOCK}{_ZONE}")
_DAY = re.compile(_DATE)
_DATETIME = re.compile(rf"{_DATE}|{_INSTANT.pattern}")
_ZONELESS = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{_CLOCK}")
_WITHIN = {n: timedelta(days=days, microseconds=-1) for n, days in ((4, 366), (7, 31), (10, 1))}


def read_instant(text: str) -> datetime:
    """FHIR instant: a time with its zone. Raises ValueError."""
    return _time_as(text, _INSTANT)


def read_datetime(text: str) -> datetime:
    """FHIR dateTime: a time, or a date, a month or a year, which begin in Europe/Oslo. Raises ValueError."""
    return _time_as(text, _DATETIME)


def read_end(text: str) -> datetime:
    """What a period that ends so has ended by: a date is to its end."""
    return read_datetime(text) + _WITHIN.get(len(text), timedelta())


def _time_as(text: str, form: re.Pattern[str]) -> datetime:
    if _ZONELESS.fullmatch(text):
        raise PydanticCustomError("timezone_missing", "form")
    if not form.fullmatch(text):
        raise ValueError("not of the form")
    return read_time({4: f"{text}-01-01", 7: f"{text}-01"}.get(len(text), text))


Instant = Annotated[datetime, time_of(read_instant)]
DateTime = Annotated[datetime, time_of(read_datetime)]
End = Annotated[datetime, time_of(read_end)]
Date = Annotated[datetime, time_of(lambda text: _time_as(text, _DAY))]
Id = Annotated[str, matches(r"[A-Za-z0-9.-]{1,64}")]
Code = Annotated[str, matches(r"\S+(\s\S+)*")]
Uri = Annotated[str, matches(r"\S+")]
Tekst = Annotated[str, Field(min_length=1)]
Uread = Annotated[Any, AfterValidator(lambda _: None), Field(exclude=True)]  # that it is there, and no more
SOME = Field(min_length=1)  # a list that is there has something in it
Resource = dict[str, JsonValue]


class Element(Skjema):
    """Never empty, yet it may say nothing but why it has no content."""

    extension: Uread = None

    @model_validator(mode="after")
    def _has_content(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("feil-form", "form")
        return self


class Meta(Skjema):
    versionId: Id = ""
    lastUpdated: Annotated[Instant | None, NOT_NULL] = None


class Identifier(Element):
    use: Annotated[Literal["usual", "official", "temp", "secondary", "old"] | None, NOT_NULL] = None
    type: Uread = None
    system: Uri = ""
    value: Tekst = ""
    period: Uread = None
    assigner: Uread = None


class Reference(Element):
    reference: Tekst = ""
    type: Uri = ""
    identifier: Annotated[Identifier | None, NOT_NULL] = None
    display: Tekst = ""


class Coding(Element):
    system: Uri = ""
    version: Uread = None
    code: Code = ""
    display: Tekst = ""
    userSelected: Uread = None


class Concept(Element):
    coding: Annotated[tuple[Coding, ...], SOME] = ()
    text: Tekst = ""

    def words(self) -> Iterator[str]:
        yield self.text
        for coding in self.coding:
            yield from (coding.display, coding.code)


class Period(Element):
    start: Annotated[DateTime | None, NOT_NULL] = None
    end: Annotated[End | None, NOT_NULL] = None

    @field_validator("end")
    @classmethod
    def _in_order(cls, end: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("start")
        if start and end and end < start:
            raise PydanticCustomError("slutt-for-start", "form")
        return end


Concepts = Annotated[tuple[Concept, ...], SOME]
References = Annotated[tuple[Reference, ...], SOME]


class Participant(Skjema):
    type: Uread = None
    actor: Annotated[Reference | None, NOT_NULL] = None
    status: Literal["accepted", "declined", "tentative", "needs-action"]


class Ressurs(Skjema):
    id: Id = ""
    meta: Meta = Meta()
    identifier: Annotated[tuple[Identifier, ...], SOME] = ()
    contained: Annotated[tuple[Resource, ...], SOME] = ()


class Patient(Ressurs):
    resourceType: Literal["Patient"]
    gender: Annotated[Literal["male", "female", "other", "unknown"] | None, NOT_NULL] = None
    birthDate: Annotated[Date | None, NOT_NULL] = None


class Appointment(Ressurs):
    resourceType: Literal["Appointment"]
    status: Literal[
        "proposed",
        "pending",
        "booked",
        "arrived",
        "fulfilled",
        "cancelled",
        "noshow",
        "entered-in-error",
        "checked-in",
        "waitlist",
    ]
    participant: Annotated[tuple[Participant, ...], SOME]
    serviceType: Concepts = ()
    appointmentType: Annotated[Concept | None, NOT_NULL] = None
    start: Annotated[Instant | None, NOT_NULL] = None
    end: Annotated[Instant | None, NOT_NULL] = None


class Encounter(Ressurs):
    resourceType: Literal["Encounter"]
    status: Literal[
        "planned",
        "arrived",
        "triaged",
        "in-progress",
        "onleave",
        "finished",
        "cancelled",
        "entered-in-error",
        "unknown",
    ]
    klasse: Annotated[Coding, Field(alias="class")]
    subject: Annotated[Reference | None, NOT_NULL] = None
    serviceType: Annotated[Concept | None, NOT_NULL] = None
    type: Concepts = ()
    period: Annotated[Period | None, NOT_NULL] = None
    appointment: References = ()


class ServiceRequest(Ressurs):
    resourceType: Literal["ServiceRequest"]
    status: Literal["draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"]
    intent: Literal[
        "proposal",
        "plan",
        "directive",
        "order",
        "original-order",
        "reflex-order",
        "filler-order",
        "instance-order",
        "option",
    ]
    doNotPerform: bool = False
    subject: Reference
    performer: References = ()
    authoredOn: Annotated[DateTime | None, NOT_NULL] = None


class Procedure(Ressurs):
    resourceType: Literal["Procedure"]
    status: Literal[
        "preparation",
        "in-progress",
        "not-done",
        "on-hold",
        "stopped",
        "completed",
        "entered-in-error",
        "unknown",
    ]
    subject: Reference
    code: Annotated[Concept | None, NOT_NULL] = None
    encounter: Annotated[Reference | None, NOT_NULL] = None
    performedDateTime: Annotated[DateTime | None, NOT_NULL] = None
    performedPeriod: Annotated[Period | None, NOT_NULL] = None


class Entry(Element):
    fullUrl: Uri = ""
    resource: Annotated[Resource | None, NOT_NULL] = None
    request: Uread = None
    response: Uread = None


class Bundle(Skjema):
    type: Literal[
        "document",
        "message",
        "transaction",
        "transaction-response",
        "batch",
        "batch-response",
        "history",
        "searchset",
        "collection",
    ]
    entry: Annotated[tuple[Entry, ...], AT_MOST] = ()


class Kind(Skjema):
    resourceType: Annotated[str, matches(r"[A-Z][A-Za-z]{0,63}")]


Event = Appointment | Encounter | ServiceRequest | Procedure
ANY: TypeAdapter[Resource] = TypeAdapter(Resource)
KIND, BUNDLE, PATIENT = TypeAdapter(Kind), TypeAdapter(Bundle), TypeAdapter(Patient)
EVENTS: dict[str, TypeAdapter[Event]] = {
    "Appointment": TypeAdapter(Appointment),
    "Encounter": TypeAdapter(Encounter),
    "ServiceRequest": TypeAdapter(ServiceRequest),
    "Procedure": TypeAdapter(Procedure),
}
WHOM = {  # what the resource may be about
    "Appointment": (
        *("Patient", "Practitioner", "PractitionerRole", "RelatedPerson"),
        *("Device", "HealthcareService", "Location"),
    ),
    "Encounter": ("Patient", "Group"),
    "ServiceRequest": ("Patient", "Group", "Location", "Device"),
    "Procedure": ("Patient", "Group"),
}
TIMELESS = frozenset({"proposed", "cancelled", "waitlist"})


@dataclass(frozen=True)
class Fhir:
    """Stateful: it remembers of each child which consultations were told, and as what."""

    navn: str = "fhir"
    media_types: tuple[str, ...] = ("application/fhir+json", "application/fhir+xml", "application/json")
    messages: str = "services.helsestasjon"

    def parse(self, body: bytes, companion: Companion) -> Iterator[Konsultasjon | Record]:
        try:
            if body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
                for item in _read(fhir_xml.to_resource(body), companion):
                    yield _with_xpath(item)
            else:
                yield from _read(read_json(ANY, body), companion)
        except Refused as refused:
            yield Record("", problems=refused.problems)

    def needs(self, parsed: Konsultasjon, state: State) -> set[str]:
        return {fortalt.key_of(person, parsed.nokkel) for person in parsed.personer}

    def step(
        self, parsed: Konsultasjon, state: State
    ) -> tuple[tuple[Record, ...], dict[str, JsonValue | None]]:
        record, changes = fortalt.told(parsed, state)
        return (record,), changes

    def about(self, person: str, state: State) -> set[str]:
        return fortalt.keys_of(person)


def _with_xpath(item: Konsultasjon | Record) -> Konsultasjon | Record:
    if isinstance(item, Record):
        return fhir_xml.with_xpath(item)
    return replace(item, record=fhir_xml.with_xpath(item.record))


@dataclass(frozen=True)
class Around:
    """The resources that a reference may mean: by full URL and by "Type/id"; and who is meant by none of them."""

    resources: Mapping[str, Resource] = field(default_factory=dict)
    companion: Companion = field(default_factory=Companion)


def _read(root: Resource, companion: Companion) -> Iterator[Konsultasjon | Record]:
    try:
        yield from _records(root, companion)
    except Refused as refused:
        yield Record("", problems=refused.problems)


def _records(root: Resource, companion: Companion) -> Iterator[Konsultasjon | Record]:
    if read_json(KIND, to_json(root)).resourceType != "Bundle":
        yield from _resource("", root, Around(companion=companion), alone=True)
        return
    entries = read_json(BUNDLE, to_json(root)).entry
    empty = tuple(
        n for n, e in enumerate(entries) if not e.model_fields_set & {"resource", "request", "response"}
    )
    if empty:
        raise Refused(tuple(Problem(f"/entry/{n}/resource", "mangler") for n in empty))
    known = _known(entries)
    around = Around(known, companion)
    placed = [(f"/entry/{n}/resource", e.resource) for n, e in enumerate(entries) if e.resource is not None]
    if companion.person and len(_strangers(placed, around)) > 1:
        around = Around(known)  # one number beside the file cannot be several patients
    for place, resource in placed:
        yield from _resource(place, resource, around, alone=False)


def _known(entries: Iterable[Entry]) -> dict[str, Resource]:
    """The resources by what a reference may call them. A name that two share means neither of them."""
    named = [(key, e) for e in entries if e.resource is not None for key in _keys(e.fullUrl, e.resource)]
    urls: dict[str, set[str]] = {}
    for key, entry in named:
        urls.setdefault(key, set()).add(entry.fullUrl)
    return {key: e.resource for key, e in named if e.resource is not None and len(urls[key]) == 1}


def _keys(full_url: str, resource: Resource) -> Iterator[str]:
    if full_url:
        yield full_url
    if resource.get("id"):
        yield f"{resource.get('resourceType')}/{resource['id']}"


def _strangers(placed: Iterable[tuple[str, Resource]], around: Around) -> set[str]:
    """References to patients that the file does not hold."""
    out = set()
    for _, resource in placed:
        adapter = EVENTS.get(str(resource.get("resourceType")))
        try:
            event = adapter and read_json(adapter, to_json(resource))
        except Refused:
            continue
        if event:
            others = (r for _, r in _patients(event) if not _number(r, event, around))
            out |= {r.reference for r in others if _type_of(r, event, around) in ("Patient", "")}
    return out


def _resource(
    place: str, resource: Resource, around: Around, *, alone: bool
) -> Iterator[Konsultasjon | Record]:
    try:
        kind = read_json(KIND, to_json(resource), place).resourceType
        if kind in EVENTS:
            yield _record(place, read_json(EVENTS[kind], to_json(resource), place), around)
            return
        if kind == "Patient":
            _patient(place, resource)
        if alone or kind != "Patient":
            yield Record(place, warnings=(Problem(place, "gir-ingen-hendelse", {"ressurs": kind}),))
    except Refused as refused:
        yield Record(place, problems=refused.problems)


def _patient(place: str, resource: Resource) -> Patient:
    """Raises Refused, also for a national id that no-basis has no number in."""
    patient = read_json(PATIENT, to_json(resource), place)
    empty = (n for n, i in enumerate(patient.identifier) if i.system in NATIONAL_IDS and not i.value)
    if problems := tuple(Problem(f"{place}/identifier/{n}/value", "mangler") for n in empty):
        raise Refused(problems)
    return patient


def _broken(place: str, event: Event, around: Around) -> Iterator[Problem]:
    """What FHIR forbids between the members of a resource."""
    for n, resource in enumerate(event.contained):
        if resource.get("resourceType") == "Patient":
            try:
                _patient(f"{place}/contained/{n}", resource)
            except Refused as refused:
                yield from refused.problems
    for member, reference in _subjects(event):
        kind = _type_of(reference, event, around)
        if reference.reference.startswith("#") and not kind:
            yield Problem(f"{place}/{member}/reference", "referanse-uten-ressurs")
        elif kind in WHOM["Appointment"] or kind in EVENTS:
            allowed = WHOM[event.resourceType]
            if kind not in allowed:
                yield Problem(f"{place}/{member}/reference", "ukjent-verdi", {"kjente": ", ".join(allowed)})
    if isinstance(event, Appointment):
        for n, participant in enumerate(event.participant):
            if not participant.model_fields_set & {"type", "actor"}:
                yield Problem(f"{place}/participant/{n}/actor", "mangler")
        absent = [member for member in ("start", "end") if getattr(event, member) is None]
        if len(absent) == 1 or event.status not in TIMELESS:
            yield from (Problem(f"{place}/{member}", "mangler") for member in absent)
    n, business = _business(event)
    if not event.id and len(business) > BUSINESS_CHARS_MOST:
        limit = {"grense": BUSINESS_CHARS_MOST - 1}
        yield Problem(f"{place}/identifier/{n}", "for-lang-identifikator", limit)


def _record(place: str, event: Event, around: Around) -> Konsultasjon | Record:
    if problems := tuple(_broken(place, event, around)):
        return Record(place, problems=problems)
    told = _told(event, around)
    at = _time(event) or event.meta.lastUpdated
    persons, warnings = _persons(place, event, around)
    if isinstance(told, str) or at is None:
        notice = told if isinstance(told, str) else "uten-tidspunkt"
        record = Record(place, warnings=(Problem(place, notice, {"ressurs": event.resourceType}),))
    else:
        drafts = _drafts(event, told, at, persons)
        record = Record(place, tuple(drafts), warnings=warnings)
    known, nokkel = tuple(person for person in persons if person), _nokkel(event, at)
    says = bool(record.drafts) or isinstance(told, str) or event.status in WRONG
    if isinstance(event, ServiceRequest) or event.status == "unknown" or not (says and known and nokkel):
        return record
    return Konsultasjon(record, event.resourceType, nokkel, _versjon(event.meta), known)


def _drafts(
    event: Event, told: Iterable[str], at: datetime, persons: Iterable[str | None]
) -> Iterator[EventDraft]:
    is_wrong = event.status in WRONG
    for navn in told:
        for person in persons:
            yield EventDraft(
                type=navn,
                person=person,
                sak=None,
                time=at,
                nokkel=_nokkel(event, at),
                versjon=_versjon(event.meta),
                data={} if is_wrong else _data(event, at),
                tilbaketrukket=is_wrong,
            )


WRONG = frozenset({"entered-in-error", "revoked"})


def _told(event: Event, around: Around) -> tuple[str, ...] | str:
    """The event types of this resource's status, or the code of the notice that there is none."""
    match event:
        case Appointment(status="fulfilled") | Encounter(status="finished"):
            if isinstance(event, Encounter) and _is_told(event, event.appointment, "fulfilled", around):
                return "samme-konsultasjon"
            return (event_name(_punkt(event)),)
        case Appointment(status="noshow"):
            return ("konsultasjon.ikke-mott",)
        case Appointment(status="entered-in-error"):  # it may have been told either way
            return (event_name(_punkt(event)), "konsultasjon.ikke-mott")
        case Encounter(status="entered-in-error"):
            return (event_name(_punkt(event)),)
        case ServiceRequest(status="active" | "completed" | "revoked" | "entered-in-error"):
            is_sent = event.intent not in ("proposal", "plan", "option") and not event.doNotPerform
            return ("henvisning.sendt",) if is_sent else "ikke-sendt"
        case Procedure(status="completed" | "entered-in-error"):
            punkt = _punkt(event)
            if punkt is None:
                return "ikke-i-programmet"  # a vaccine, a test: what was done is no one's business here
            held = (event.encounter,) if event.encounter and event.status == "completed" else ()
            is_told = _is_told(event, held, "finished", around)
            return "samme-konsultasjon" if is_told else (event_name(punkt),)
        case _:
            return "status-uten-hendelse"


def _is_told(event: Event, others: Iterable[Reference], status: str, around: Around) -> bool:
    """Another resource of the Bundle says that the same consultation was held."""
    found = (_target(r.reference, event, around) for r in others)
    return any(resource.get("status") == status for resource in found if resource)


def _punkt(event: Appointment | Encounter | Procedure) -> str | None:
    concepts: tuple[Concept | None, ...]
    match event:
        case Appointment():
            concepts = (*event.serviceType, event.appointmentType)
        case Encounter():
            concepts = (event.serviceType, *event.type)
        case Procedure():
            concepts = (event.code,)
    return programpunkt(word for concept in concepts if concept for word in concept.words())


def _data(event: Event, at: datetime) -> dict[str, JsonValue]:
    if isinstance(event, ServiceRequest):
        units = (p.display for p in event.performer if _type(p) in UNITS and p.display)
        return {"mottaker": next((masked(unit)[:100] for unit in units), None)}
    return {"programpunkt": _punkt(event), "dato": at.astimezone(OSLO).date().isoformat()}


def _time(event: Event) -> datetime | None:
    """When it happened, where the resource says so."""
    match event:
        case Appointment():
            return event.start
        case Encounter():
            return event.period.start if event.period else None
        case Procedure():
            period = event.performedPeriod
            return event.performedDateTime or (period.start if period else None)
        case ServiceRequest():
            return event.authoredOn


def _nokkel(event: Event, at: datetime | None) -> str:
    """Empty where it has neither a name of its own nor a time."""
    name = event.id or _business(event)[1] or (at.isoformat() if at else "")
    return f"{event.resourceType}/{masked(name)}" if name else ""


def _business(event: Event) -> tuple[int, str]:
    """The first identifier that has a value, and its place among them; "" for none."""
    found = ((n, f"{i.system}|{i.value}") for n, i in enumerate(event.identifier) if i.value)
    return next(found, (0, ""))


def _versjon(meta: Meta) -> int:
    if meta.versionId.isascii() and meta.versionId.isdigit() and int(meta.versionId[:18]) > 0:
        return int(meta.versionId[:18])
    return max(1, int(meta.lastUpdated.timestamp() * 1000)) if meta.lastUpdated else 1


def _persons(place: str, event: Event, around: Around) -> tuple[tuple[str | None, ...], tuple[Problem, ...]]:
    numbers = dict.fromkeys(n for _, r in _patients(event) if (n := _number(r, event, around)))
    if numbers:
        return tuple(numbers), ()
    if around.companion.person:
        return (around.companion.person,), ()
    return (None,), (Problem(place, "person-mangler"),)


def _patients(event: Event) -> tuple[tuple[str, Reference], ...]:
    """What may be references to a patient, each with its place."""
    found = ((member, r) for member, r in _subjects(event) if _type(r) in ("Patient", ""))
    return tuple((member, r) for member, r in found if r.reference or r.identifier)


def _subjects(event: Event) -> Iterator[tuple[str, Reference]]:
    """All that it is about or with, each with its place."""
    if not isinstance(event, Appointment):
        yield from (("subject", r) for r in (event.subject,) if r)
        return
    for n, participant in enumerate(event.participant):
        if participant.actor:
            yield f"participant/{n}/actor", participant.actor


def _type_of(reference: Reference, event: Event, around: Around) -> str:
    """The kind of resource that is meant: what it is where the file holds it, else what the reference says."""
    target = _target(reference.reference, event, around)
    return str(target.get("resourceType", "")) if target else _type(reference)


def _type(reference: Reference) -> str:
    """The kind of resource that is meant, or "" where the reference does not say."""
    tail = reference.reference.split("/_history/")[0].split("/")
    return reference.type or (tail[-2] if len(tail) > 1 else "")


def _number(reference: Reference, event: Event, around: Around) -> str | None:
    """The national id of the patient meant, if the file says it."""
    if reference.identifier and (number := _national((reference.identifier,))):
        return number
    target = _target(reference.reference, event, around)
    if target is None or target.get("resourceType") != "Patient":
        return None
    try:
        return _national(_patient("", target).identifier)
    except Refused:
        return None


def _target(reference: str, event: Event, around: Around) -> Resource | None:
    if reference.startswith("#"):
        return next((r for r in event.contained if r.get("id") == reference[1:]), None)
    plain = reference.split("/_history/")[0]
    return around.resources.get(plain) or around.resources.get("/".join(plain.split("/")[-2:]))


def _national(identifiers: Iterable[Identifier]) -> str | None:
    by_system = {i.system: i.value for i in reversed(tuple(identifiers)) if i.use != "old" and i.value}
    return next((by_system[system] for system in NATIONAL_IDS if system in by_system), None)
