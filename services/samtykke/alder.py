"""Ages and birthdays as Norwegian law counts them: by the calendar in Norway."""

from collections.abc import Iterable
from datetime import date, datetime, time

from backbone.clock import OSLO
from backbone.settings import Settings
from contracts.alder import MYNDIG, Aldre
from contracts.lov import Lov


def law_of(settings: Settings) -> Lov:
    """The law table, with the municipality's own ages. Raises contracts.alder.UnknownAgeRule."""
    return Lov(aldre=Aldre().changed(settings.aldersregler))


def age(fodselsdato: date, at: datetime) -> int:
    """Whole years at the moment `at`; negative before birth."""
    today = at.astimezone(OSLO).date()
    return today.year - fodselsdato.year - ((today.month, today.day) < (fodselsdato.month, fodselsdato.day))


def birthday(fodselsdato: date, years: int) -> datetime:
    """The moment somebody turns `years`. Born on 29 February: 1 March in other years."""
    year = fodselsdato.year + years
    try:
        day = fodselsdato.replace(year=year)
    except ValueError:
        day = date(year, 3, 1)
    return datetime.combine(day, time(), OSLO)


def reached(fodselsdato: date, limits: Iterable[int], first: date, last: date) -> list[int]:
    """Which of the ages are reached on the days from `first` to `last`, both included."""
    return [age_ for age_ in limits if first <= birthday(fodselsdato, age_).date() <= last]


def next_limit(fodselsdato: date, limits: Iterable[int], after: date) -> date | None:
    """The next day on which one of the ages is reached; None when all are."""
    days = (birthday(fodselsdato, age_).date() for age_ in limits)
    return min((day for day in days if day > after), default=None)


def first_told(fodselsdato: date, limits: Iterable[int], on: date) -> date | None:
    """The first birthday to tell of somebody who becomes known on the day `on`: the next limit. With only majority
    ahead, or behind, it is the latest one reached, which tells when majority is.
    """
    days = sorted(birthday(fodselsdato, age_).date() for age_ in limits)
    majority = birthday(fodselsdato, MYNDIG).date()
    behind = [day for day in days if day <= on]
    ahead = [day for day in days if day > on]
    if behind and not any(day < majority for day in ahead):
        return behind[-1]
    return ahead[0] if ahead else None
