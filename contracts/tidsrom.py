"""Times and dates as they are written to us, and the years that a child's case can be about: a date outside them is a
slip or a sentinel, not to be reckoned with."""

import re
from datetime import date, datetime
from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Strict
from pydantic_core import PydanticCustomError

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200

Day = TypeVar("Day", bound=date)


def is_within(at: date) -> bool:
    """Far enough from the calendar's own ends that every zone and every deadline can be reckoned."""
    return FIRST_YEAR <= at.year <= LAST_YEAR


def within(at: Day) -> Day:
    """Raises PydanticCustomError outside the years."""
    if is_within(at):
        return at
    if isinstance(at, datetime):
        raise PydanticCustomError("ugyldig-tid", "form")
    raise PydanticCustomError("ugyldig-dato", "form")


_begins_with_a_year = re.compile(r"[0-9]{4}-").match
_is_a_day = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch


def _time_in_words(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _begins_with_a_year(value)):
        return value
    raise PydanticCustomError("ugyldig-tid", "form")


def _day_in_words(value: object) -> object:
    if isinstance(value, date) or (isinstance(value, str) and _is_a_day(value)):
        return value
    raise PydanticCustomError("ugyldig-dato", "form")


# pydantic would read digits alone (20260220) as seconds since 1970. What a validator has looked at is no longer JSON
# to it, so a strict model would refuse every text.
Tidspunkt = Annotated[AwareDatetime, Strict(False), BeforeValidator(_time_in_words)]
"""A time with its zone (RFC 3339)."""
Dato = Annotated[date, Strict(False), AfterValidator(within), BeforeValidator(_day_in_words)]
"""A calendar date (RFC 3339 full-date)."""
