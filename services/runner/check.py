"""From a draft to an event we accept: the pure part, shared by the runner and by `samspor send --dry-run`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

import orjson
from pydantic import JsonValue, ValidationError

from backbone.clock import OSLO
from contracts.catalogue import Catalogue, UnknownType
from contracts.envelope import CONTENT_BYTES_MAX, Content
from contracts.hendelser import EventType
from contracts.personnummer import InvalidNumber, classify, identity_numbers
from services.format import EventDraft, Problem
from services.skjema import PROBLEMS_MOST, problems_of
from services.skjema import pointer as pointer_to

OLDEST_YEARS = 25
AHEAD_MOST = timedelta(days=1)
INTEGER_LEAST, INTEGER_MOST = -(2**63), 2**64 - 1  # what JSON can be written with
_control = re.compile(r"[\x00-\x1f\x7f]").search
_NUL = b"\\u0000"  # as it is written in JSON


@dataclass(slots=True)  # not frozen: one is made for every event, and freezing trebles what that costs
class Checked:
    """`full_type` and the content to seal, when there are no problems."""

    full_type: str
    content: Content


class Checker:
    """Checks drafts as of one moment. `demo`: synthetic persons only. Kept for a file and no longer: it remembers the
    numbers that it has seen, so that each is checked once."""

    def __init__(self, tjeneste: str, catalogue: Catalogue, now: datetime, demo: bool) -> None:
        self._tjeneste = tjeneste
        self._catalogue = catalogue
        self._today = now.astimezone(OSLO).date()
        self._latest = now + AHEAD_MOST
        self._demo = demo
        self._types: dict[str, tuple[str, EventType]] = {}
        self._numbers: dict[
            str, tuple[str | None, date | None]
        ] = {}  # what is wrong with it, when they were born

    def check(self, draft: EventDraft, pointer: str) -> Checked | tuple[Problem, ...]:
        """The event that the draft becomes, or all that is wrong with it."""
        try:
            full_type, event_type = self._types.get(draft.type) or self._type(draft.type)
        except UnknownType:
            names = (*self._catalogue.names_for(self._tjeneste), *self._catalogue.lanes_of(self._tjeneste))
            known = ", ".join(sorted(names))
            return (Problem(f"{pointer}/type", "ukjent-type", {"tjeneste": self._tjeneste, "kjente": known}),)
        problems: list[Problem] = []
        if code := self._wrong_person(draft):
            args = {"alder": OLDEST_YEARS} if code == "for-gammel" else {}
            problems.append(Problem(f"{pointer}/person", code, args))
        if draft.time > self._latest:
            problems.append(Problem(f"{pointer}/tid", "i-fremtiden"))
        if any(identity_numbers(draft.nokkel)) or (draft.id and any(identity_numbers(draft.id))):
            problems.append(Problem(f"{pointer}/nokkel", "nummer-i-nokkel"))
        if _control(draft.nokkel):
            problems.append(Problem(f"{pointer}/nokkel", "styretegn"))
        if event_type.egen_kanal:
            # A report is sealed whole, and whomever it is about and whenever in the years that a case can be about
            # (`contracts.tidsrom`), it is not refused for that: its reader finds it out.
            problems = [problem for problem in problems if problem.code == "ekte-nummer"]
        written, unfit = _written(draft.data, f"{pointer}/data", nul=event_type.egen_kanal)
        problems += unfit
        if len(written) > CONTENT_BYTES_MAX:
            code = "melding-for-stor" if event_type.egen_kanal else "hendelse-for-stor"
            problems.append(Problem(f"{pointer}/data", code, {"maks": CONTENT_BYTES_MAX}))
        data: dict[str, Any] = {}
        try:
            if not unfit:
                parsed = event_type.data.model_validate_json(written)
                data = parsed.model_dump(mode="json", exclude_none=True)
        except ValidationError as error:
            # A retraction says only what it takes back.
            if draft.data or not draft.tilbaketrukket:
                problems += problems_of(error, f"{pointer}/data")
        content = Content(
            nokkel=draft.nokkel, versjon=draft.versjon, tilbaketrukket=draft.tilbaketrukket, data=data
        )
        if problems:
            return tuple(problems)
        return Checked(full_type, content)

    def _type(self, navn: str) -> tuple[str, EventType]:
        """Raises UnknownType."""
        known = (
            self._catalogue.full_type(self._tjeneste, navn),
            self._catalogue.accepted_from(self._tjeneste, navn),
        )
        self._types[navn] = known
        return known

    def _wrong_person(self, draft: EventDraft) -> str | None:
        """What is wrong with whom the draft is about: no one, an invalid number, a grown-up, a real one in a demo."""
        if draft.person is None:
            return None if draft.sak else "person-mangler"
        known = self._numbers.get(draft.person)
        if known is None:
            known = self._numbers[draft.person] = self._number(draft.person)
        wrong, born = known
        return wrong or ("for-gammel" if _too_old(born, draft.time) else None)

    def _number(self, nummer: str) -> tuple[str | None, date | None]:
        try:
            identitet = classify(nummer, self._today)
        except InvalidNumber as error:
            return error.code, None
        if not identitet.identifies:
            return "plassholder", None
        wrong = "ekte-nummer" if self._demo and not identitet.synthetic else None
        return wrong, identitet.fodselsdato


def check(
    draft: EventDraft, pointer: str, tjeneste: str, catalogue: Catalogue, now: datetime, demo: bool
) -> Checked | tuple[Problem, ...]:
    """The same for one draft alone."""
    return Checker(tjeneste, catalogue, now, demo).check(draft, pointer)


def _written(data: Mapping[str, JsonValue], place: str, nul: bool) -> tuple[bytes, tuple[Problem, ...]]:
    """The data as JSON, or what in it can't be written or kept; `nul`: a NUL may stand in it."""
    try:
        written = orjson.dumps(data)
    except orjson.JSONEncodeError:
        return b"", _first_unfit(data, place, nul) or (Problem(place, "for-dypt"),)
    return written, _first_unfit(data, place, nul) if not nul and _NUL in written else ()


def _first_unfit(data: Mapping[str, JsonValue], place: str, nul: bool) -> tuple[Problem, ...]:
    return tuple(islice(_unfit(data, place, nul), PROBLEMS_MOST))


def _unfit(value: JsonValue | Mapping[str, JsonValue], place: str, nul: bool) -> Iterator[Problem]:
    """Integers of more than 64 bits, and texts that PostgreSQL can't hold."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _unfit(name, place, nul)
            yield from _unfit(inner, pointer_to((name,), place), nul)
    elif isinstance(value, list):
        for nr, inner in enumerate(value):
            yield from _unfit(inner, pointer_to((nr,), place), nul)
    elif isinstance(value, str):
        if not nul and "\0" in value:
            yield Problem(place, "styretegn")
    elif isinstance(value, int):
        if value > INTEGER_MOST:
            yield Problem(place, "for-stort", {"grense": INTEGER_MOST})
        elif value < INTEGER_LEAST:
            yield Problem(place, "for-lite", {"grense": INTEGER_LEAST})


def _too_old(born: date | None, time: datetime) -> bool:
    # A year turns some hours earlier in Oslo, no more.
    if born is None or time.year - born.year < OLDEST_YEARS:
        return False
    at = time.astimezone(OSLO).date()
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day)) > OLDEST_YEARS
