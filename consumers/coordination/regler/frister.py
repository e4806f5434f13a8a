"""Dates as law and practice count them: Norwegian calendar days and working days, Europe/Oslo."""

from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

OSLO = ZoneInfo("Europe/Oslo")
_DAY = timedelta(days=1)


def local_date(at: datetime) -> date:
    """The Norwegian calendar date of an aware time."""
    return at.astimezone(OSLO).date()


def midnight(day: date) -> datetime:
    """When `day` begins in Norway, aware."""
    return datetime.combine(day, time(), OSLO)


def passed(frist: date) -> datetime:
    """The first moment at which a date has gone by: midnight after it, in Norway."""
    return midnight(frist + _DAY)


def calendar_days_after(start: date, days: int) -> date:
    """The day of the event is not counted (as in forvaltningsloven § 30)."""
    return start + days * _DAY


def working_days_after(start: date, days: int) -> date:
    """The `days`-th arbeidsdag after `start`: Saturdays, Sundays and public holidays do not count."""
    day = start
    while days:
        day += _DAY
        if day.weekday() < 5 and day not in _public_holidays(day.year):
            days -= 1
    return day


def school_year(day: date, first_month: int) -> int:
    """The calendar year in which the school year around `day` began."""
    return day.year if day.month >= first_month else day.year - 1


@cache
def _public_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("NO", years=year))
