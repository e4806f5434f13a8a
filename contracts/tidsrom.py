"""The years that a child's case can be about: a date outside them is a slip or a sentinel, not to be reckoned with."""

from datetime import date, datetime
from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator
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


Dato = Annotated[date, AfterValidator(within)]
