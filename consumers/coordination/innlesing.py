"""From Kafka's records to events: what is ours and readable, and what is set aside. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from backbone.seal import SealBroken, Sealer
from contracts.catalogue import Catalogue, UnknownType
from contracts.envelope import Content, FutureVersion, MalformedEnvelope, Row, RowReader

Headers = Sequence[tuple[str, bytes | None]]

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_UUIDS = re.compile(f"{_UUID} {_UUID}")


class Record(NamedTuple):
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


class Arrival(NamedTuple):
    """A record whose headers read as an event of ours."""

    record: Record
    envelope: Row


@dataclass(frozen=True, slots=True)
class Parked:
    """A record set aside. `grunn` is a code; `type` is known where the headers were readable."""

    record: Record
    grunn: str
    type: str | None = None


class Reader:
    """From a record's headers to an event; the body stays closed. `topic_of` says which topic each service publishes
    on: on another it speaks for itself not."""

    def __init__(self, catalogue: Catalogue, topic_of: Mapping[str, str]) -> None:
        self._catalogue = catalogue
        self._topic_of = topic_of
        self._envelope = RowReader()
        self._ours: set[tuple[str, int, str]] = set()
        """(type, version, topic) that belong together: no more than the catalogue has."""

    def read(self, record: Record) -> Arrival | Parked:
        try:
            row = self._envelope(record.headers)
            if (row.type, row.schema_versjon, record.topic) not in self._ours and (
                grunn := self._foreign(row, record.topic)
            ):
                return Parked(record, grunn, row.type)
        except FutureVersion:
            return Parked(record, "framtidig-versjon")
        except MalformedEnvelope:
            return Parked(record, "ugyldig-konvolutt")
        except UnknownType:
            return Parked(record, "ukjent-type")
        if record.key != row.subject.encode() or not _UUIDS.fullmatch(f"{row.subject} {row.nokkelid}"):
            return Parked(record, "ugyldig-konvolutt", row.type)
        return Arrival(record, row)

    def _foreign(self, row: Row, topic: str) -> str | None:
        """Why this type in this version does not belong on the topic. Raises UnknownType."""
        if row.schema_versjon > self._catalogue.event_type(row.type).versjon:
            return "framtidig-versjon"
        if self._topic_of.get(row.tjeneste) != topic:
            return "feil-topic"
        self._ours.add((row.type, row.schema_versjon, topic))
        return None


def open_body(arrival: Arrival, key: Sealer | None) -> Content | Parked:
    """The content, under the data key that the envelope names (None: samtykke has no such key)."""
    record, envelope = arrival
    if key is None:
        return Parked(record, "ukjent-nokkel", envelope.type)
    try:
        return content_of(key.open(record.value or b"", envelope.aad))
    except SealBroken:
        return Parked(record, "forsegling-brutt", envelope.type)
    except ValueError:
        return Parked(record, "ugyldig-innhold", envelope.type)


def content_of(body: bytes) -> Content:
    """Raises ValueError for what is no content, or none that can be counted."""
    content = Content.model_validate_json(body)
    if "\0" in content.nokkel:
        raise ValueError(
            "PostgreSQL's text cannot hold NUL, and a natural key becomes part of a task's occasion"
        )
    return content
