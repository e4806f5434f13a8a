"""HL7 FHIR R4 with the Norwegian no-basis profiles, JSON or XML: a resource alone, or a Bundle of them.

What is read: which child (Patient, in the Bundle, contained, or by identifier), when, and how far it came
(Appointment, Encounter, ServiceRequest, Procedure). Findings, reasons and notes are never looked at.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue, TypeAdapter
from pydantic_core import to_json

from contracts.personnummer import masked
from services.format import Companion, EventDraft, Problem, Record
from services.helsestasjon import fhir_xml
from services.helsestasjon.program import event_name, programpunkt
from services.skjema import AT_MOST, NOT_NULL, OSLO, Refused, Skjema, read_json, read_time, time_of

NATIONAL_IDS = (  # in the order we trust them: birth number, D-number, felles hjelpenummer
    "urn:oid:2.16.578.1.12.4.1.4.1",
    "urn:oid:2.16.578.1.12.4.1.4.2",
    "urn:oid:2.16.578.1.12.4.1.4.3",
)
UNITS = ("Organization", "HealthcareService")


def read_datetime(text: str) -> datetime:
    """FHIR dateTime: a time, or a date, a month or a year, which begin in Europe/Oslo. Raises ValueError."""
    return read_time({4: f"{text}-01-01", 7: f"{text}-01"}.get(len(text), text))


DateTime = Annotated[datetime, time_of(read_datetime)]
Resource = dict[str, JsonValue]


class Meta(Skjema):
    versionId: str = ""
    lastUpdated: Annotated[DateTime | None, NOT_NULL] = None


class Identifier(Skjema):
    use: str = ""
    system: str = ""
    value: str = ""


class Reference(Skjema):
    reference: str = ""
    type: str = ""
    identifier: Annotated[Identifier | None, NOT_NULL] = None
    display: str = ""


class Coding(Skjema):
    code: str = ""
    display: str = ""


class Concept(Skjema):
    coding: tuple[Coding, ...] = ()
    text: str = ""

    def words(self) -> Iterator[str]:
        yield self.text
        for coding in self.coding:
            yield from (coding.display, coding.code)


class Period(Skjema):
    start: Annotated[DateTime | None, NOT_NULL] = None


class Participant(Skjema):
    actor: Reference = Reference()


class Ressurs(Skjema):
    id: str = ""
    meta: Meta = Meta()
    identifier: tuple[Identifier, ...] = ()
    contained: tuple[Resource, ...] = ()


class Patient(Ressurs):
    resourceType: Literal["Patient"]


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
    participant: Annotated[tuple[Participant, ...], Field(min_length=1)]
    serviceType: tuple[Concept, ...] = ()
    appointmentType: Concept = Concept()
    start: Annotated[DateTime | None, NOT_NULL] = None


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
    subject: Reference = Reference()
    serviceType: Concept = Concept()
    type: tuple[Concept, ...] = ()
    period: Annotated[Period | None, NOT_NULL] = None
    appointment: tuple[Reference, ...] = ()


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
    subject: Reference
    performer: tuple[Reference, ...] = ()
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
    code: Concept = Concept()
    encounter: Reference = Reference()
    performedDateTime: Annotated[DateTime | None, NOT_NULL] = None
    performedPeriod: Annotated[Period | None, NOT_NULL] = None


class Entry(Skjema):
    fullUrl: str = ""
    resource: Annotated[Resource | None, NOT_NULL] = None


class Bundle(Skjema):
    entry: Annotated[tuple[Entry, ...], AT_MOST] = ()


class Kind(Skjema):
    resourceType: str


Event = Appointment | Encounter | ServiceRequest | Procedure
ANY: TypeAdapter[Resource] = TypeAdapter(Resource)
KIND, BUNDLE, PATIENT = TypeAdapter(Kind), TypeAdapter(Bundle), TypeAdapter(Patient)
EVENTS: dict[str, TypeAdapter[Event]] = {
    "Appointment": TypeAdapter(Appointment),
    "Encounter": TypeAdapter(Encounter),
    "ServiceRequest": TypeAdapter(ServiceRequest),
    "Procedure": TypeAdapter(Procedure),
}
SILENT = frozenset(
    {"Patient", "Organization", "Practitioner", "PractitionerRole", "RelatedPerson", "Location"}
)


@dataclass(frozen=True)
class Fhir:
    """Each resource is a record: a broken one refuses itself and no other of the Bundle."""

    navn: str = "fhir"
    media_types: tuple[str, ...] = ("application/fhir+json", "application/fhir+xml", "application/json")
    messages: str = "services.helsestasjon"

    def read(self, body: bytes, companion: Companion) -> Iterable[Record]:
        try:
            if body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
                records = _read(fhir_xml.to_resource(body), companion)
                return tuple(fhir_xml.with_xpath(record) for record in records)
            return tuple(_read(read_json(ANY, body), companion))
        except Refused as refused:
            return (Record("", problems=refused.problems),)


@dataclass(frozen=True)
class Around:
    """The resources that a reference may mean: by full URL and by "Type/id"; and who is meant by none of them."""

    resources: Mapping[str, Resource] = field(default_factory=dict)
    companion: Companion = field(default_factory=Companion)


def _read(root: Resource, companion: Companion) -> Iterator[Record]:
    if read_json(KIND, to_json(root)).resourceType != "Bundle":
        yield from _resource("", root, Around(companion=companion), alone=True)
        return
    entries = read_json(BUNDLE, to_json(root)).entry
    known = {
        key: e.resource for e in entries if e.resource is not None for key in _keys(e.fullUrl, e.resource)
    }
    around = Around(known, companion)
    placed = [(f"/entry/{n}/resource", e.resource) for n, e in enumerate(entries) if e.resource is not None]
    if companion.person and len(_strangers(placed, around)) > 1:
        around = Around(known)  # one number beside the file cannot be several patients
    for place, resource in placed:
        yield from _resource(place, resource, around, alone=False)


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
            out |= {r.reference for r in _patients(event) if not _number(r, event, around)}
    return out


def _resource(place: str, resource: Resource, around: Around, *, alone: bool) -> Iterator[Record]:
    try:
        kind = read_json(KIND, to_json(resource), place).resourceType
        if kind not in EVENTS:
            if alone or kind not in SILENT:
                yield Record(
                    place, warnings=(Problem(place, "gir-ingen-hendelse", {"ressurs": _name(kind)}),)
                )
            return
        event = read_json(EVENTS[kind], to_json(resource), place)
        yield _record(place, event, around)
    except Refused as refused:
        yield Record(place, problems=refused.problems)


def _record(place: str, event: Event, around: Around) -> Record:
    told = _told(event, around)
    if isinstance(told, str):
        return Record(place, warnings=(Problem(place, told, {"ressurs": event.resourceType}),))
    at, missing = _time(event)
    if at is None:
        return Record(place, problems=(Problem(f"{place}/{missing}", "mangler"),))
    persons, warnings = _persons(place, event, around)
    drafts = tuple(
        EventDraft(
            type=navn,
            person=person,
            sak=None,
            time=at,
            nokkel=_nokkel(event, at),
            versjon=_versjon(event.meta),
            data={} if event.status in WRONG else _data(event, at),
            tilbaketrukket=event.status in WRONG,
        )
        for navn in told
        for person in persons
    )
    return Record(place, drafts, warnings=warnings)


WRONG = frozenset({"entered-in-error", "revoked"})


def _told(event: Event, around: Around) -> tuple[str, ...] | str:
    """The event types of this resource's status, or the code of the notice that there is none."""
    match event:
        case Appointment(status="fulfilled") | Encounter(status="finished"):
            if isinstance(event, Encounter) and _is_told(event.appointment, "fulfilled", around):
                return "samme-konsultasjon"
            return (event_name(_punkt(event)),)
        case Appointment(status="noshow"):
            return ("konsultasjon.ikke-mott",)
        case Appointment(status="entered-in-error"):  # it may have been told either way
            return (event_name(_punkt(event)), "konsultasjon.ikke-mott")
        case Encounter(status="entered-in-error"):
            return (event_name(_punkt(event)),)
        case ServiceRequest(status="active" | "completed" | "revoked" | "entered-in-error"):
            return "ikke-sendt" if event.intent in ("proposal", "plan", "option") else ("henvisning.sendt",)
        case Procedure(status="completed" | "entered-in-error"):
            punkt = _punkt(event)
            if punkt is None:
                return "ikke-i-programmet"  # a vaccine, a test: what was done is no one's business here
            is_told = _is_told((event.encounter,), "finished", around)
            return "samme-konsultasjon" if is_told and event.status == "completed" else (event_name(punkt),)
        case _:
            return "status-uten-hendelse"


def _is_told(others: Iterable[Reference], status: str, around: Around) -> bool:
    """Another resource of the Bundle says that the same consultation was held."""
    found = (around.resources.get(r.reference) for r in others)
    return any(resource.get("status") == status for resource in found if resource)


def _punkt(event: Appointment | Encounter | Procedure) -> str | None:
    concepts: tuple[Concept, ...]
    match event:
        case Appointment():
            concepts = (*event.serviceType, event.appointmentType)
        case Encounter():
            concepts = (event.serviceType, *event.type)
        case Procedure():
            concepts = (event.code,)
    return programpunkt(word for concept in concepts for word in concept.words())


def _data(event: Event, at: datetime) -> dict[str, JsonValue]:
    if isinstance(event, ServiceRequest):
        units = (p.display for p in event.performer if _type(p) in UNITS and p.display)
        return {"mottaker": next((masked(unit)[:100] for unit in units), None)}
    return {"programpunkt": _punkt(event), "dato": at.astimezone(OSLO).date().isoformat()}


def _time(event: Event) -> tuple[datetime | None, str]:
    """When it happened, and the member that should have said so. A retraction may be dated by its change."""
    if isinstance(event, Appointment):
        at, member = event.start, "start"
    elif isinstance(event, Encounter):
        at, member = (event.period.start, "period/start") if event.period else (None, "period")
    elif isinstance(event, Procedure):
        period = event.performedPeriod
        at = event.performedDateTime or (period.start if period else None)
        member = "performedDateTime"
    else:
        at, member = event.authoredOn or event.meta.lastUpdated, "authoredOn"
    return at or (event.meta.lastUpdated if event.status in WRONG else None), member


def _nokkel(event: Event, at: datetime) -> str:
    business = next((f"{i.system}|{i.value}" for i in event.identifier if i.value), at.isoformat())
    return f"{event.resourceType}/{masked(event.id or business)}"


def _versjon(meta: Meta) -> int:
    if meta.versionId.isascii() and meta.versionId.isdigit() and int(meta.versionId[:18]) > 0:
        return int(meta.versionId[:18])
    return max(1, int(meta.lastUpdated.timestamp() * 1000)) if meta.lastUpdated else 1


def _persons(place: str, event: Event, around: Around) -> tuple[tuple[str | None, ...], tuple[Problem, ...]]:
    numbers = dict.fromkeys(n for r in _patients(event) if (n := _number(r, event, around)))
    if numbers:
        return tuple(numbers), ()
    if around.companion.person:
        return (around.companion.person,), ()
    return (None,), (Problem(place, "person-mangler"),)


def _patients(event: Event) -> tuple[Reference, ...]:
    if not isinstance(event, Appointment):
        return (event.subject,)
    actors = tuple(p.actor for p in event.participant)
    return tuple(a for a in actors if _type(a) in ("Patient", "") and (a.reference or a.identifier))


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
        return _national(read_json(PATIENT, to_json(target)).identifier)
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


def _name(kind: str) -> str:
    """A resource type's name as FHIR writes them; whatever else stands there is not repeated."""
    return kind if kind.isascii() and kind.isalpha() and len(kind) < 40 else "?"
