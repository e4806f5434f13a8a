"""What a relay's batch goes through, without I/O: opened for the decision, sealed again by what was decided, made
records for Kafka. What is wrong with one row parks that row, with a code for a reason, and no other.
"""

import base64
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
import orjson

from backbone.journal import open_row
from backbone.kafka import Outgoing
from backbone.seal import SealBroken, Sealer
from contracts import samtykke_api as api
from contracts.catalogue import Catalogue, split
from contracts.envelope import Envelope, Stamp, seal_context

GOES = ("release", "shield")
STAMPS_MOST = 512
RECEIVED = ".overgang.mottak-bekreftet"
COLUMNS = (
    "lopenr, id, source, type, kommune, orgnr, tid, mottatt, journalnokkel, nokkelid, innhold, subject, traceparent,"
    " correlationid, causationid, utfall, grunnlag, lovversjon"
)


@dataclass(slots=True)
class Row:
    """A journal row, its fields in the order of COLUMNS, changed to what is decided of it. `innhold` is sealed under
    the journal's key before the first decision and under the child's, which `nokkelid` names, after it; `content` is
    the plaintext in between."""

    lopenr: int
    id: str
    source: str
    type: str
    kommune: str
    orgnr: str
    tid: datetime
    mottatt: datetime
    journalnokkel: uuid.UUID | None
    nokkelid: uuid.UUID | str | None
    innhold: bytes
    subject: str | None
    traceparent: str | None
    correlationid: str | None
    causationid: str | None
    utfall: str | None
    grunnlag: str | None
    lovversjon: str | None
    grunner: Sequence[api.Grunn] = ()
    content: bytes | None = None


@dataclass(slots=True)
class Batch:
    """Rows by number, in the order of acceptance. `items` is what samtykke is asked, with the row's number for `ref`;
    `before` the outcome each row asked about had; `parked` why of those set aside."""

    rows: dict[int, Row] = field(default_factory=dict)
    items: list[api.AvgjorelseItem] = field(default_factory=list)
    before: dict[int, str | None] = field(default_factory=dict)
    parked: dict[int, str] = field(default_factory=dict)

    @property
    def decided(self) -> list[Row]:
        """Those that were asked about and answered."""
        return [self.rows[nr] for nr in self.before if nr not in self.parked]

    @property
    def ready(self) -> list[Row]:
        """Those that may go."""
        return [row for nr, row in self.rows.items() if row.utfall in GOES and nr not in self.parked]


def reason(error: Exception) -> str:
    return f"feil-{type(error).__name__}"


def journal_keys(records: Sequence[asyncpg.Record]) -> set[uuid.UUID]:
    """Names of the journal keys that it takes to open them."""
    return {r["journalnokkel"] for r in records if r["journalnokkel"] is not None}


def opened(records: Sequence[asyncpg.Record], keys: Mapping[uuid.UUID, bytes]) -> Batch:
    """The rows (of COLUMNS), those that are not decided opened with the journal's `keys`."""
    batch = Batch()
    sealers = {key_id: Sealer(key) for key_id, key in keys.items()}
    for record in records:
        row = batch.rows[record[0]] = Row(*record)
        if row.utfall in GOES:
            continue
        person = sak = None
        if row.journalnokkel is not None:
            try:
                whom = open_row(sealers[row.journalnokkel], row.source, row.id, row.type, row.innhold)
            except Exception as error:  # no I/O in it: it is this row's own fault
                batch.parked[row.lopenr] = reason(error)
                continue
            person, sak, row.content = whom.person, whom.sak, whom.content
        batch.before[row.lopenr] = row.utfall
        item = _item(row, person, sak)
        if row.content is not None and _received(row.type, row.content):
            item["flytting"] = True
        batch.items.append(item)
    return batch


def _item(row: Row, person: str | None = None, sak: str | None = None) -> api.AvgjorelseItem:
    return {
        "ref": row.lopenr,
        "person": person,
        "sak": sak,
        "subject": row.subject,
        "kommune": row.kommune,
        "orgnr": row.orgnr,
        "type": row.type,
        "time": row.tid,
    }


def _received(full_type: str, content: bytes) -> bool:
    """Whether the event confirms that a child who moved here is received: samtykke tells where it came from."""
    if not full_type.endswith(RECEIVED):
        return False
    said = orjson.loads(content)
    data = said["data"]
    return not said["tilbaketrukket"] and isinstance(data, dict) and data.get("slag") == "kommune-kommune"


def received_late(
    batch: Batch, answers: Sequence[api.Avgjorelse], catalogue: Catalogue
) -> list[api.AvgjorelseItem]:
    """What is to be asked once more of a settled batch: a confirmed reception that was withheld at first was sealed
    then, and only the key that lets it go, now, tells that it is one."""
    items: list[api.AvgjorelseItem] = []
    for answer in answers:
        row, key = batch.rows[answer["ref"]], answer["nokkel"]
        again = row.content is None and row.lopenr not in batch.parked
        if not (again and key and answer["outcome"] == "release" and row.type.endswith(RECEIVED)):
            continue
        try:
            content = Sealer(base64.b64decode(key)).open(
                row.innhold, _context(row, row.subject or "", catalogue)
            )
        except SealBroken:
            continue  # nobody can read it, so it confirms nothing
        if _received(row.type, content):
            items.append({**_item(row), "flytting": True})
    return items


def settle(batch: Batch, answers: Sequence[api.Avgjorelse], catalogue: Catalogue) -> None:
    """Puts the answers into the rows and seals each under its child's key."""
    sealers: dict[str, Sealer] = {}
    for answer in answers:
        row = batch.rows[answer["ref"]]
        try:
            _settle(row, answer, catalogue, sealers)
        except Exception as error:
            batch.parked[row.lopenr] = reason(error)


def _settle(row: Row, answer: api.Avgjorelse, catalogue: Catalogue, sealers: dict[str, Sealer]) -> None:
    outcome = answer["outcome"]
    if outcome == "refuse":
        # Nothing gives us a ground to keep what it says; the row and its reason remain.
        row.innhold, row.nokkelid = b"", None
    else:
        subject, nokkelid, nokkel = answer["subject"], answer["nokkelid"], answer["nokkel"]
        assert subject and nokkelid and nokkel
        row.subject = subject
        if row.content is not None:
            sealer = sealers.get(nokkel)
            if sealer is None:
                sealer = sealers[nokkel] = Sealer(base64.b64decode(nokkel))
            row.innhold = sealer.seal(row.content, _context(row, subject, catalogue))
            row.nokkelid = nokkelid
    row.utfall, row.grunnlag = outcome, answer["grunnlag"]
    row.lovversjon, row.grunner = answer["lovversjon"], answer["grunner"]


def _context(row: Row, subject: str, catalogue: Catalogue) -> bytes:
    event_type = catalogue.event_type(row.type)
    return seal_context(
        id=row.id,
        source=row.source,
        type=row.type,
        subject=subject,
        time=row.tid,
        kategori=event_type.kategori,
        skjerming=event_type.skjerming_for(split(row.type)[0]),
    )


class Writer:
    """Makes records of decided rows, for one topic."""

    def __init__(self, topic: str, catalogue: Catalogue) -> None:
        self._topic = topic
        self._catalogue = catalogue
        self._stamps: dict[tuple[str | None, ...], Stamp] = {}

    def record(self, row: Row, traceparent: str | None) -> Outgoing:
        """Raises MalformedEnvelope or ValidationError where the row can't be written, UnknownType."""
        assert row.subject and row.grunnlag and row.nokkelid
        shared = (row.source, row.type, row.kommune, row.orgnr, row.utfall, row.lovversjon)
        stamp = self._stamps.get(shared)
        if stamp is None:
            if len(self._stamps) >= STAMPS_MOST:
                self._stamps.clear()
            stamp = self._stamps[shared] = Stamp(self._envelope(row))
        key, headers = stamp.to_kafka(
            id=row.id,
            subject=row.subject,
            time=row.tid,
            recordedtime=row.mottatt,
            grunnlag=row.grunnlag,
            nokkelid=str(row.nokkelid),
            traceparent=traceparent,
            correlationid=row.correlationid,
            causationid=row.causationid,
        )
        return Outgoing(self._topic, key, headers, row.innhold)

    def _envelope(self, row: Row) -> Envelope:
        event_type = self._catalogue.event_type(row.type)
        return Envelope.model_validate(
            {
                "id": row.id,
                "source": row.source,
                "type": row.type,
                "subject": row.subject,
                "time": row.tid,
                "recordedtime": row.mottatt,
                "dataschema": Envelope.dataschema_of(row.type, event_type.versjon),
                "kommune": row.kommune,
                "orgnr": row.orgnr,
                "kategori": event_type.kategori,
                "skjerming": event_type.skjerming_for(split(row.type)[0]),
                "grunnlag": row.grunnlag,
                "beslutning": row.utfall,
                "lovversjon": row.lovversjon,
                "nokkelid": str(row.nokkelid),
            }
        )
