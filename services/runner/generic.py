"""Generic JSON: a service's events as they are, one object, an array, or one object a line (NDJSON)."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
)

from contracts.tidsrom import Tidspunkt, within
from services.format import RECORDS_MOST, Companion, EventDraft, Problem, Record
from services.skjema import Refused, bound_values, read_json

VALUES_MOST = 10_000  # in one event
VERSJON_MOST = 2**63 - 1  # what every reader of ours can count to
NDJSON = "application/x-ndjson"
SenderId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
PERSON_CHARS_MOST = 200  # of any number, well-formed or not: a report keeps it as it was written
Reference = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class GenericEvent(BaseModel):
    """One event as a fagsystem sends it. Municipality and organisation come from the token, never from here.

    `type` is the short name ("fravaer.terskel-passert"). `person` is the national id, or null with `sak`, the
    sender's case reference, when no number is known. `nokkel` is the natural key of what the event is about; a
    higher `versjon` replaces, `tilbaketrukket` retracts.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    type: Reference
    person: Annotated[str, StringConstraints(max_length=PERSON_CHARS_MOST)] | None = None
    sak: Reference | None = None
    tid: Annotated[Tidspunkt, AfterValidator(within)]
    nokkel: Reference
    id: SenderId | None = None
    versjon: int = Field(default=1, ge=1, le=VERSJON_MOST)
    tilbaketrukket: bool = False
    data: dict[str, Any] = {}  # read from JSON, so what stands in it is JSON


_EVENT: TypeAdapter[GenericEvent] = TypeAdapter(GenericEvent)


class GenericJson:
    """The format behind POST /{tjeneste}/hendelser."""

    navn = "hendelser"
    media_types: tuple[str, ...] = ("application/json", NDJSON)
    messages = "services"

    def read(self, body: bytes, companion: Companion) -> Iterable[Record]:
        """One Record an event; its pointer is "" for a single object, "/n" in an array and on line n + 1."""
        try:
            bound_values(body)
            for place, text in _split(body):
                yield _record(place, text)
        except Refused as refused:
            yield Record("", problems=refused.problems)


def _split(body: bytes) -> Iterator[tuple[str, bytes | None]]:
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if text.startswith(b"["):
        try:
            elements = orjson.loads(text)
        except orjson.JSONDecodeError:
            yield "", text
            return
        if len(elements) > RECORDS_MOST:
            raise Refused((Problem("", "for-mange", {"grense": RECORDS_MOST}),))
        for nr, element in enumerate(elements):
            yield f"/{nr}", _dumped(element)
        return
    lines = text.splitlines()
    if len(lines) > 1 and (_is_object(lines[0]) or _follow_a_broken_one(lines, text)):
        if len(lines) > RECORDS_MOST:
            raise Refused((Problem("", "for-mange", {"grense": RECORDS_MOST}),))
        for nr, line in enumerate(lines):
            if line.strip():
                yield f"/{nr}", line
        return
    yield "", text


def _dumped(element: Any) -> bytes | None:
    """None: more levels than can be written again, though they could be read."""
    try:
        return orjson.dumps(element)
    except orjson.JSONEncodeError:
        return None


def _follow_a_broken_one(lines: list[bytes], text: bytes) -> bool:
    """Whether objects stand alone on lines after a first one that is cut, and the lines are not one object together."""
    later = (line for line in lines[1:] if line.startswith(b"{"))
    return any(isinstance(_parsed(line), dict) for line in later) and _parsed(text) is None


def _parsed(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _is_object(line: bytes) -> bool:
    """Whether the first line stands alone: then the body is NDJSON and not one object over several lines."""
    return isinstance(_parsed(line), dict) or line.rstrip().endswith(b"}")


def _record(place: str, text: bytes | None) -> Record:
    if text is None:
        return Record(place, problems=(Problem(place, "for-dypt"),))
    try:
        event = read_json(_EVENT, text, values_most=VALUES_MOST)
    except Refused as refused:
        return Record(place, problems=tuple(_under(place, p) for p in refused.problems))
    draft = EventDraft(
        type=event.type,
        person=event.person,
        sak=event.sak,
        time=_utc(event.tid),
        nokkel=event.nokkel,
        versjon=event.versjon,
        data=event.data,
        tilbaketrukket=event.tilbaketrukket,
        id=event.id,
    )
    return Record(place, (draft,))


def _under(place: str, problem: Problem) -> Problem:
    return Problem(place + problem.pointer, problem.code, problem.args)


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
