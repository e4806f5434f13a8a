"""When a pupil's absence passes a threshold: a pure function of the absences, whatever order they came in."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import groupby
from math import ceil
from typing import Literal

import holidays
from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from services.skjema import OSLO

WINDOW_DAYS = 30
WHOLE_DAY_HOURS = 4  # from this on, an absence within one day is the day


class Terskel(BaseModel):
    """A rule of the school owner's: at least `dager` days or `timer` hours of absence in the period.

    `udokumentert_bare` leaves out what is documented. A period is the school year (1 August to 31 July), or any
    30 days in a row within one.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    regel: str = Field(pattern=r"^[a-z0-9-]{1,60}$")
    dager: int | None = Field(default=None, ge=1)
    timer: int | None = Field(default=None, ge=1)
    udokumentert_bare: bool = False
    periode: Literal["skolear", "30-dager"] = "skolear"

    @model_validator(mode="after")
    def _says_something(self) -> "Terskel":
        if self.dager is None and self.timer is None:
            raise ValueError("a threshold needs dager or timer")
        return self


STANDARD: tuple[Terskel, ...] = (
    Terskel(regel="5-udokumenterte-dager-30-dager", dager=5, udokumentert_bare=True, periode="30-dager"),
    Terskel(regel="10-dager-skolear", dager=10),
    Terskel(regel="20-dager-skolear", dager=20),
)


@dataclass(frozen=True)
class Fravar:
    """One registered absence, in Norwegian time; the days from `start` to `slutt`, both included."""

    start: datetime
    slutt: datetime | None
    dokumentert: bool

    def hours(self) -> int:
        """Begun hours when it is shorter than a school day, else 0: then it is days."""
        if self.slutt is None or self.slutt == self.start or self.slutt.date() != self.start.date():
            return 0
        hours = (self.slutt - self.start) / timedelta(hours=1)
        return ceil(hours) if hours < WHOLE_DAY_HOURS else 0

    def school_days(self) -> Iterator[date]:
        last = (self.slutt or self.start).date()
        for n in range((last - self.start.date()).days + 1):
            day = self.start.date() + timedelta(days=n)
            if day.weekday() < 5 and day not in _public_holidays(day.year):
                yield day


@dataclass(frozen=True)
class Passering:
    """A threshold passed: on the day `dato`, with what had been counted by then."""

    regel: str
    skolear: str
    dato: date
    data: Mapping[str, JsonValue]

    @property
    def nokkel(self) -> str:
        return f"fravaer:{self.regel}:{self.skolear}"


def passings(fravar: Iterable[Fravar], terskler: Sequence[Terskel], today: date) -> tuple[Passering, ...]:
    """Each threshold once a school year, on the first day it was passed. Days after `today` don't count yet."""
    days, hours = _calendar(fravar, today)
    years = sorted({_skolear(day) for day in (*days, *hours)})
    return tuple(
        passering
        for terskel in terskler
        for year in years
        if (passering := _first(terskel, year, days, hours)) is not None
    )


Days = Mapping[date, bool]  # a day of absence, and whether it is documented
Hours = Mapping[date, Counter[bool]]  # hours on a day that is not a whole day, documented and not


def _calendar(fravar: Iterable[Fravar], today: date) -> tuple[Days, Hours]:
    days: dict[date, bool] = {}
    hours: dict[date, Counter[bool]] = {}
    for one in fravar:
        for day in one.school_days():
            if day > today:
                break
            if count := one.hours():
                hours.setdefault(day, Counter())[one.dokumentert] += count
            else:
                days[day] = days.get(day, False) or one.dokumentert
    return days, {day: count for day, count in hours.items() if day not in days}


def _first(terskel: Terskel, year: int, days: Days, hours: Hours) -> Passering | None:
    whole = [(day, ok, 1, 0) for day, ok in days.items()]
    parts = [(day, ok, 0, n) for day, by in hours.items() for ok, n in by.items()]
    counted = sorted(
        part
        for part in (*whole, *parts)
        if _skolear(part[0]) == year and not (terskel.udokumentert_bare and part[1])
    )
    window: deque[tuple[date, bool, int, int]] = deque()
    for day, of_day in groupby(counted, key=lambda part: part[0]):
        window.extend(of_day)
        since = day - timedelta(days=WINDOW_DAYS - 1)
        while terskel.periode == "30-dager" and window[0][0] < since:
            window.popleft()
        dager, timer = sum(part[2] for part in window), sum(part[3] for part in window)
        if _reached(terskel.dager, dager) or _reached(terskel.timer, timer):
            documented = {ok for _, ok, _, _ in window}
            data: dict[str, JsonValue] = {
                "dager": dager,
                "timer": timer,
                "dokumentert": documented.pop() if len(documented) == 1 else None,
                "periode": f"{since}/{day}" if terskel.periode == "30-dager" else f"{year}-{year + 1}",
                "regel": terskel.regel,
            }
            return Passering(terskel.regel, f"{year}-{year + 1}", day, data)
    return None


def _reached(limit: int | None, count: int) -> bool:
    return limit is not None and count >= limit


def _skolear(day: date) -> int:
    """The year in which the school year of `day` began."""
    return day.year if day.month >= 8 else day.year - 1


@cache
def _public_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("NO", years=year))


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), OSLO)
