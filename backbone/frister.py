"""Dates as law and practice count them: calendar days and months, and Norwegian working days, Europe/Oslo."""

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from functools import cache

import holidays

from backbone.clock import OSLO

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


def months_after(start: date, months: int) -> date:
    """The same day of the month `months` calendar months later (earlier where negative), or that month's last day:
    31 January and one month is 28 or 29 February."""
    month = start.month - 1 + months
    year, month = start.year + month // 12, month % 12 + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def is_working_day(day: date) -> bool:
    """Saturdays, Sundays and public holidays are none."""
    return day.weekday() < 5 and day not in _public_holidays(day.year)


def working_days_after(start: date, days: int) -> date:
    """The `days`-th arbeidsdag after `start`."""
    day = start
    while days:
        day += _DAY
        days -= is_working_day(day)
    return day


def school_year(day: date, first_month: int) -> int:
    """The calendar year in which the school year around `day` began."""
    return day.year if day.month >= first_month else day.year - 1


@cache
def _public_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("NO", years=year))
