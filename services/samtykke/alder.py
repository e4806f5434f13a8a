"""Ages and birthdays as Norwegian law counts them: by the calendar in Norway."""

from datetime import date, datetime, time

from backbone.clock import OSLO


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
