"""From Kafka's records to events: what is ours and readable, and what is set aside. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from backbone.seal import SealBroken, open_sealed
from contracts.catalogue import Catalogue, UnknownType
from contracts.envelope import Content, Envelope, FutureVersion, MalformedEnvelope, from_kafka

Headers = Sequence[tuple[str, bytes | None]]

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it lies on Kafka."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: Headers
    value: bytes | None

    @property
    def place(self) -> tuple[str, int, int]:
        return self.topic, self.partition, self.offset


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record whose headers read as an event of ours."""

    record: Record
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Parked:
    """A record set aside. `grunn` is a code; `type` is known where the headers were readable."""

    record: Record
    grunn: str
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """An event with its content."""

    arrival: Arrival
    content: Content


def read(
    records: Iterable[Record], catalogue: Catalogue, topic_of: Mapping[str, str]
) -> tuple[list[Arrival], list[Parked]]:
    """Headers only. `topic_of` says which topic each service publishes on: on another it speaks for itself
    not."""
    arrivals: list[Arrival] = []
    parked: list[Parked] = []
    for record in records:
        found = _read(record, catalogue, topic_of)
        if isinstance(found, Parked):
            parked.append(found)
        else:
            arrivals.append(found)
    return arrivals, parked


def _read(record: Record, catalogue: Catalogue, topic_of: Mapping[str, str]) -> Arrival | Parked:
    try:
        envelope = from_kafka(record.headers)
        version = envelope.schema_versjon
        known = catalogue.event_type(envelope.type)
    except FutureVersion:
        return Parked(record, "framtidig-versjon")
    except MalformedEnvelope:
        return Parked(record, "ugyldig-konvolutt")
    except UnknownType:
        return Parked(record, "ukjent-type")
    if version > known.versjon:
        return Parked(record, "framtidig-versjon", envelope.type)
    if topic_of.get(envelope.tjeneste) != record.topic:
        return Parked(record, "feil-topic", envelope.type)
    if record.key != envelope.subject.encode() or not all(
        _UUID.fullmatch(id_) for id_ in (envelope.subject, envelope.nokkelid)
    ):
        return Parked(record, "ugyldig-konvolutt", envelope.type)
    return Arrival(record, envelope)


def open_body(arrival: Arrival, key: bytes | None) -> Opened | Parked:
    """The content, under the data key that the envelope names (None: samtykke has no such key)."""
    record, envelope = arrival.record, arrival.envelope
    if key is None:
        return Parked(record, "ukjent-nokkel", envelope.type)
    try:
        content = Content.model_validate_json(open_sealed(key, record.value or b"", envelope.aad()))
    except SealBroken:
        return Parked(record, "forsegling-brutt", envelope.type)
    except ValidationError:
        return Parked(record, "ugyldig-innhold", envelope.type)
    # PostgreSQL's text cannot hold NUL, and a natural key becomes part of a task's occasion.
    if "\0" in content.nokkel:
        return Parked(record, "ugyldig-innhold", envelope.type)
    return Opened(arrival, content)
