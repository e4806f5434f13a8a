"""Reading JSON by models of our own: each violation becomes a problem at its JSON pointer, without the value.

Patterns and lengths follow the JSON Schema dialect of the formats (ECMA-262 patterns, which are searches);
a member left out is a problem at the place where it is missing.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from itertools import islice
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from contracts.tidsrom import within
from services.format import RECORDS_MOST, Problem

OSLO = ZoneInfo("Europe/Oslo")
VALUES_MOST = 1_000_000  # in a file; in one as large as a service takes, a value for each 16 bytes
PROBLEMS_MOST = 500  # of one record, or of a file that is refused whole; the rest are counted
TAG = "\0"  # begins the union tags, which pydantic puts into a location though they are not in the file

T = TypeVar("T")


class Skjema(BaseModel):
    """Part of a foreign format: strict in what it names, blind to the rest, silent about its content.

    Fields keep the format's own names, so a location needs no translation.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    def __repr__(self) -> str:
        return type(self).__name__

    __str__ = __repr__


class Refused(Exception):
    """The content does not follow the format: `problems` are all the places."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


def read_json(adapter: TypeAdapter[T], body: bytes, under: str = "", values_most: int = VALUES_MOST) -> T:
    """Raises Refused, with pointers that begin with `under`."""
    bound_values(body, values_most)
    try:
        return adapter.validate_json(body.removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        raise Refused(problems_of(error, under)) from None


def bound_values(body: bytes, values_most: int = VALUES_MOST) -> None:
    """Raises Refused for JSON or XML of many small values: read, it is a hundred times as large as the body, and
    once more for each error. Commas and brackets in texts count too, but no text of a real file is made of them."""
    if len(body) > values_most and sum(map(body.count, (b",", b"[", b"{", b"<"))) > values_most:
        raise Refused((Problem("", "for-mange-verdier", {"grense": values_most}),))


def problems_of(error: ValidationError, under: str = "") -> tuple[Problem, ...]:
    details = error.errors(include_url=False, include_input=False)
    broken = {part[:n] for part in (d["loc"] for d in details) for n in range(len(part))}
    # A list is not short when it is its items that fail.
    real = (d for d in details if not (d["type"] == "too_short" and d["loc"] in broken))
    told = tuple(_problem(detail, under) for detail in islice(real, PROBLEMS_MOST))
    rest = sum(1 for _ in real)
    return (*told, Problem(under, "flere-feil", {"antall": rest})) if rest else told


def pointer(parts: Iterable[str | int], under: str = "") -> str:
    """JSON pointer (RFC 6901) of a location."""
    steps = (str(p).replace("~", "~0").replace("/", "~1") for p in parts if not str(p).startswith(TAG))
    return under + "".join(f"/{step}" for step in steps)


def _problem(detail: ErrorDetails, under: str) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    place = pointer(detail["loc"], under)
    if kind == "json_invalid":
        if "recursion" in str(context.get("error", "")):
            return Problem(under, "for-dypt")
        at = re.search(r"line (\d+) column (\d+)", str(context.get("error", "")))
        return Problem(under, "ikke-json", {"linje": int(at[1]), "kolonne": int(at[2])} if at else _START)
    if kind in _LIMITS:
        code, limit = _LIMITS[kind]
        return Problem(place, code, {"grense": int(context[limit])})
    if kind in ("literal_error", "enum"):
        return Problem(
            place, "ukjent-verdi", {"kjente": str(context["expected"]).replace(" or ", ", ").replace("'", "")}
        )
    if kind in OWN_CODES:
        return Problem(place, kind)
    return Problem(place, next((code for start, code in _CODES if kind.startswith(start)), "feil-form"))


_START = {"linje": 1, "kolonne": 1}
_LIMITS = {
    "too_short": ("for-fa", "min_length"),
    "too_long": ("for-mange", "max_length"),
    "string_too_short": ("for-kort", "min_length"),
    "string_too_long": ("for-lang", "max_length"),
    "greater_than_equal": ("for-lite", "ge"),
    "less_than_equal": ("for-stort", "le"),
}
_CODES = (  # pydantic's error types, by how they begin
    ("missing", "mangler"),
    ("extra_forbidden", "ukjent-felt"),
    ("string_pattern", "feil-monster"),
    ("string", "ikke-tekst"),
    ("bool", "ikke-sant-usant"),
    ("int", "ikke-heltall"),
    ("float", "ikke-tall"),
    ("tuple", "ikke-liste"),
    ("list", "ikke-liste"),
    ("model", "ikke-objekt"),
    ("dict", "ikke-objekt"),
    ("datetime", "ugyldig-tid"),
    ("timezone", "tid-uten-sone"),
    ("date", "ugyldig-dato"),
)
OWN_CODES = frozenset(
    {"feil-monster", "ugyldig-tid", "ugyldig-dato", "ikke-heltall", "ikke-objekt", "slutt-for-start"}
)
CODES = frozenset(
    {*dict(_CODES).values(), *(c for c, _ in _LIMITS.values()), *OWN_CODES}
    | {"ikke-json", "for-dypt", "ukjent-verdi", "feil-form", "flere-feil", "for-mange-verdier"}
)


def pattern_error() -> PydanticCustomError:
    return PydanticCustomError("feil-monster", "form")


def matches(pattern: str) -> AfterValidator:
    """The whole text has this form. Write the pattern for Python so that it says what ECMA-262 says of the
    format's own: ASCII digits, and no `$` (which would let a line break through)."""
    compiled = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise pattern_error()
        return text

    return AfterValidator(check)


Line = Annotated[
    str, matches(r"[^\n\r\u2028\u2029]*\n?")
]  # ^(.*)$, whose $ most validators find before a last \n


AT_MOST = Field(max_length=RECORDS_MOST)  # of a list whose items are records


def _not_null(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("ikke-objekt", "form")
    return value


NOT_NULL = AfterValidator(_not_null)  # a member that may be left out, yet not be null when it is there


def _whole(number: float) -> float:
    if not number.is_integer():
        raise PydanticCustomError("ikke-heltall", "form")
    return number


Heltall = Annotated[float, AfterValidator(_whole)]  # in JSON Schema 1.0 is an integer


def time_of(read: Callable[[str], datetime]) -> PlainValidator:
    """A text that `read` makes a time of; outside `contracts.tidsrom` it is none that a child's case can have."""

    def check(text: Any) -> datetime:
        if not isinstance(text, str):
            raise PydanticCustomError("string_type", "form")
        try:
            at = read(text)
        except PydanticCustomError:
            raise
        except (ValueError, OverflowError):
            raise PydanticCustomError("ugyldig-tid", "form") from None
        return within(at)

    return PlainValidator(check)


def read_time(text: str) -> datetime:
    """An ISO 8601 time, in Europe/Oslo when it has no offset; a leap second is the one before. ValueError."""
    at = datetime.fromisoformat(re.sub(r"(:\d\d):60", r"\1:59", text.strip().upper(), count=1))
    return at if at.tzinfo else at.replace(tzinfo=OSLO)


def read_date(text: str) -> date:
    """A calendar date, or the Norwegian date of a time. Raises ValueError."""
    return date.fromisoformat(text) if len(text) == 10 else read_time(text).astimezone(OSLO).date()


Tid = Annotated[datetime, time_of(read_time)]
