"""The CloudEvents 1.0 envelope and its Kafka binary mode.

Attributes travel as `ce_*` headers, the body is the sealed content, the key is the subject (CloudEvents Kafka
protocol binding 1.0 §3.2; extension names follow CloudEvents §3: lower case letters and digits).
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SkipValidation,
    ValidationError,
)

from contracts.catalogue import split
from contracts.hendelser import Skjerming

Headers = list[tuple[str, bytes]]

SEALED: Final = "application/vnd.samspor.sealed"
ENVELOPE_MAJOR = "1"
CONTENT_BYTES_MAX: Final = 512 * 1024
"""Of an event's `data` as JSON; what Kafka takes in one record, with room to spare for all else and the seal."""
_WORD = r"^[\x21-\x7e]+$"
_WORD_CHARS_MOST = 256


class ContractError(ValueError):
    """A record on Kafka that the contract cannot read. The text names the attribute, never its value."""


class MalformedEnvelope(ContractError):
    """Ours, but broken: an attribute is missing or wrong."""


class FutureVersion(ContractError):
    """A major version that this code does not know yet."""


Utc = Annotated[AwareDatetime, AfterValidator(lambda t: t.astimezone(UTC))]
Word = Annotated[str, Field(min_length=1, max_length=_WORD_CHARS_MOST, pattern=_WORD)]


class Content(BaseModel):
    """The plaintext inside the seal. `nokkel` is the natural key of what the event is about; a higher `versjon`
    from the same source replaces a lower one, `tilbaketrukket` retracts."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    nokkel: str
    versjon: int = Field(default=1, ge=1)
    tilbaketrukket: bool = False
    data: dict[str, Annotated[JsonValue, SkipValidation]] = {}  # read from JSON, or of a type that is JSON


class Envelope(BaseModel):
    """What may be known of an event without its key: no name, no number, nothing computable from one.

    `source` is "/<kommunenr>/<tjeneste>/<orgnr>"; `subject` the child's random id; `time` when it happened and
    `recordedtime` when it was accepted (both UTC); `nokkelid` names the data key that opens the body;
    `grunnlag` is what let it go: a provision's id, or "samtykke:<id>".
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    id: Word
    source: Word
    type: Word
    subject: Word
    time: Utc
    recordedtime: Utc
    dataschema: Word
    datacontenttype: Literal["application/vnd.samspor.sealed"] = SEALED
    kommune: Annotated[str, Field(pattern=r"^\d{4}$")]
    orgnr: Annotated[str, Field(pattern=r"^\d{9}$")]
    kategori: Word
    skjerming: Skjerming
    grunnlag: Word
    beslutning: Literal["release", "shield"]
    lovversjon: Word
    nokkelid: Word
    traceparent: Word | None = None
    correlationid: Word | None = None
    causationid: Word | None = None

    @property
    def tjeneste(self) -> str:
        return split(self.type)[0]

    def aad(self) -> bytes:
        """The attributes that give the body its meaning, bound to it by AES-GCM: none can be swapped unnoticed."""
        return seal_context(
            id=self.id,
            source=self.source,
            type=self.type,
            subject=self.subject,
            time=self.time,
            kategori=self.kategori,
            skjerming=self.skjerming,
        )

    @classmethod
    def dataschema_of(cls, full_type: str, versjon: int) -> str:
        return f"urn:samspor:{full_type.removeprefix('no.samspor.')}:{versjon}"

    @property
    def schema_versjon(self) -> int:
        """The major version of the data's schema. Raises MalformedEnvelope."""
        tail = self.dataschema.rpartition(":")[2]
        if not tail.isdigit():
            raise MalformedEnvelope("dataschema")
        return int(tail)

    def attributes(self) -> dict[str, str]:
        """Attribute name to its CloudEvents string form, specversion first, absent ones left out."""
        out = {"specversion": "1.0"}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, datetime):
                out[name] = timestamp(value)
            elif value is not None:
                out[name] = str(value)
        return out

    @classmethod
    def from_attributes(cls, attributes: dict[str, str]) -> Self:
        """Raises MalformedEnvelope naming the attribute, FutureVersion for an unknown specversion."""
        specversion = attributes.get("specversion", "")
        if specversion.partition(".")[0] != ENVELOPE_MAJOR:
            raise (FutureVersion if specversion[:1].isdigit() else MalformedEnvelope)("specversion")
        try:
            return cls.model_validate_strings(attributes, strict=True)
        except ValidationError as error:
            raise MalformedEnvelope(", ".join(str(e["loc"][0]) for e in error.errors() if e["loc"])) from None


def seal_context(
    *, id: str, source: str, type: str, subject: str, time: datetime, kategori: str, skjerming: str
) -> bytes:
    """Canonical bytes of the bound attributes: one per line, in this order."""
    return "\n".join((id, source, type, subject, timestamp(time), kategori, skjerming)).encode()


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with "Z"; microseconds only where there are any."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.isoformat()[: -len("+00:00")] + "Z"


def header_name(attribute: str) -> str:
    """The Kafka header that carries an attribute."""
    return "content-type" if attribute == "datacontenttype" else f"ce_{attribute}"


def to_kafka(envelope: Envelope) -> tuple[bytes, Headers]:
    """(key, headers) of a binary-mode record."""
    headers = [(header_name(name), value.encode()) for name, value in envelope.attributes().items()]
    return envelope.subject.encode(), headers


class Stamp:
    """Writes what `to_kafka` writes, for many events of one source and type: what they share is validated and written
    once, from an envelope of one of them, and what differs is put into its places.
    """

    def __init__(self, envelope: Envelope) -> None:
        _, headers = to_kafka(envelope)
        self._headers = [header for header in headers if header[0] not in _LAST]
        places = {name: nr for nr, (name, _) in enumerate(self._headers)}
        self._id, self._subject, self._time, self._recordedtime, self._grunnlag, self._nokkelid = (
            places[name] for name in _DIFFERING
        )
        self._recorded = envelope.recordedtime, timestamp(envelope.recordedtime).encode()

    def to_kafka(
        self,
        *,
        id: str,
        subject: str,
        time: datetime,
        recordedtime: datetime,
        grunnlag: str,
        nokkelid: str,
        traceparent: str | None,
        correlationid: str | None,
        causationid: str | None,
    ) -> tuple[bytes, Headers]:
        """(key, headers) of a binary-mode record. Raises MalformedEnvelope where `Envelope` would not be made."""
        headers = self._headers.copy()
        key = _word("subject", subject)
        headers[self._id] = ("ce_id", _word("id", id))
        headers[self._subject] = ("ce_subject", key)
        headers[self._time] = ("ce_time", _time("time", time))
        headers[self._recordedtime] = ("ce_recordedtime", self._written(recordedtime))
        headers[self._grunnlag] = ("ce_grunnlag", _word("grunnlag", grunnlag))
        headers[self._nokkelid] = ("ce_nokkelid", _word("nokkelid", nokkelid))
        if traceparent is not None:
            headers.append(("ce_traceparent", _word("traceparent", traceparent)))
        if correlationid is not None:
            headers.append(("ce_correlationid", _word("correlationid", correlationid)))
        if causationid is not None:
            headers.append(("ce_causationid", _word("causationid", causationid)))
        return key, headers

    def _written(self, recordedtime: datetime) -> bytes:
        """Events accepted together were recorded at one time."""
        last, written = self._recorded
        if recordedtime != last:
            written = _time("recordedtime", recordedtime)
            self._recorded = recordedtime, written
        return written


_DIFFERING = tuple(map(header_name, ("id", "subject", "time", "recordedtime", "grunnlag", "nokkelid")))
_LAST = frozenset(map(header_name, ("traceparent", "correlationid", "causationid")))
_is_word = re.compile(_WORD.replace("$", r"\Z")).match


def _word(name: str, value: str) -> bytes:
    if len(value) > _WORD_CHARS_MOST or not _is_word(value):
        raise MalformedEnvelope(name)
    return value.encode()


def _time(name: str, at: datetime) -> bytes:
    if at.tzinfo is None:
        raise MalformedEnvelope(name)
    return timestamp(at).encode()


_ATTRIBUTES = frozenset({"specversion", *Envelope.model_fields})


def from_kafka(headers: Iterable[tuple[str, bytes | None]]) -> Envelope:
    """Raises MalformedEnvelope or FutureVersion; unknown attributes are ignored, the first of a repeated one counts."""
    attributes: dict[str, str] = {}
    for name, value in headers:
        if value is None:
            continue
        key = "datacontenttype" if name == "content-type" else name[3:] if name.startswith("ce_") else None
        if key not in _ATTRIBUTES or key in attributes:
            continue
        try:
            attributes[key] = value.decode()
        except UnicodeDecodeError:
            raise MalformedEnvelope(key) from None
    return Envelope.from_attributes(attributes)


class Row(NamedTuple):
    """An envelope as one who reads many keeps it: a plain tuple. The fields are Envelope's, `skjerming` as it is
    written, and `aad` what the body is bound to."""

    source: str
    id: str
    subject: str
    type: str
    tjeneste: str
    kategori: str
    skjerming: str
    time: datetime
    recordedtime: datetime
    kommune: str
    orgnr: str
    grunnlag: str
    beslutning: str
    lovversjon: str
    nokkelid: str
    traceparent: str | None
    correlationid: str | None
    causationid: str | None
    aad: bytes
    schema_versjon: int

    @classmethod
    def of(cls, envelope: Envelope) -> Self:
        """Raises MalformedEnvelope and UnknownType."""
        e, versjon = envelope, envelope.schema_versjon
        return cls(
            e.source, e.id, e.subject, e.type, e.tjeneste, e.kategori, str(e.skjerming), e.time, e.recordedtime,
            e.kommune, e.orgnr, e.grunnlag, e.beslutning, e.lovversjon, e.nokkelid, e.traceparent, e.correlationid,
            e.causationid, e.aad(), versjon,
        )  # fmt: skip


_A_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_A_WORD = r"[\x21-\x7e]{1,256}"
_A_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.(?!000000)[0-9]{6})?Z"
_SHARED = tuple(
    header_name(name)
    for name in (
        "source", "type", "kategori", "skjerming", "specversion", "datacontenttype", "dataschema", "kommune", "orgnr",
        "beslutning", "lovversjon",
    )
)  # fmt: skip
_shared = itemgetter(*_SHARED)
_own = itemgetter(
    *(header_name(n) for n in ("id", "subject", "time", "recordedtime", "grunnlag", "nokkelid"))
)
_PARENT, _CORRELATION, _CAUSE = (header_name(n) for n in ("traceparent", "correlationid", "causationid"))
_CANONICAL = re.compile(
    "\n".join((_A_WORD, _A_UUID, _A_TIME, _A_TIME, _A_WORD, _A_UUID, _A_WORD, _A_WORD, _A_WORD)).encode()
)
_DOUBLE = "ce_datacontenttype"
_ABSENT = b"-"


class RowReader:
    """Reads headers as `from_kafka` does, for thousands of records at a time.

    Attributes that records share (who sent it, which type) are read by `from_kafka` the first time they are met, and
    known again by their bytes. Those of the event itself are taken as they stand where they have the very form that
    `to_kafka` gives them. A record that differs in anything goes by `from_kafka`: that is the definition, this only a
    shorter way to the same answer. Nothing of an event or a child is kept.
    """

    SHARED_MAX = 10_000

    def __init__(self) -> None:
        self._known: dict[tuple[bytes | None, ...], Row] = {}

    def __call__(self, headers: Sequence[tuple[str, bytes | None]]) -> Row:
        """Raises MalformedEnvelope, FutureVersion, UnknownType."""
        values = dict(headers)
        if len(values) != len(headers) or _DOUBLE in values:
            return Row.of(from_kafka(headers))
        return self._read(values) or self._learn(headers, values)

    def _read(self, values: dict[str, bytes | None]) -> Row | None:
        """None for what is not in the form that we write, or shared with no record before it."""
        get = values.get
        try:
            shared = _shared(values)
            known = self._known[shared]
            id_, subject, time, *_ = own = _own(values)
            parent, correlation, cause = optional = get(_PARENT), get(_CORRELATION), get(_CAUSE)
            lines = b"\n".join((*own, parent or _ABSENT, correlation or _ABSENT, cause or _ABSENT))
            if _CANONICAL.fullmatch(lines) is None or b"" in optional:
                return None
            words = lines.decode().split("\n")
            times = datetime.fromisoformat(words[2]), datetime.fromisoformat(words[3])
        except (KeyError, TypeError, ValueError):  # absent, null, no such day
            return None
        source, type_, kategori, skjerming = shared[:4]
        return Row(
            known.source, words[0], words[1], known.type, known.tjeneste, known.kategori, known.skjerming, *times,
            known.kommune, known.orgnr, words[4], known.beslutning, known.lovversjon, words[5],
            words[6] if parent else None, words[7] if correlation else None, words[8] if cause else None,
            b"\n".join((id_, source, type_, subject, time, kategori, skjerming)), known.schema_versjon,
        )  # fmt: skip

    def _learn(self, headers: Sequence[tuple[str, bytes | None]], values: dict[str, bytes | None]) -> Row:
        row = Row.of(from_kafka(headers))
        if all(values.get(name) for name in _SHARED):
            if len(self._known) >= self.SHARED_MAX:
                self._known.clear()
            self._known[_shared(values)] = row._replace(
                id="", subject="", grunnlag="", nokkelid="", traceparent=None, correlationid=None, causationid=None,
                aad=b"",
            )  # fmt: skip
        return row
