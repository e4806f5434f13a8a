"""The kinds of value that SSB Barnevern v4 uses, and what a text must be to be one.

What counts is how XML Schema 1.0 is read in practice (libxml2): \\d is any decimal digit of Unicode, lengths are
characters, a date allows no space round it while a time and a truth value do, and there is no year 0.
"""

import re
from calendar import isleap
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

Fault = tuple[str, Mapping[str, str | int]]  # code of the message, and its arguments

XML_SPACE = " \t\r\n"
_ZONE = r"(Z|[+-][0-9]{2}:[0-5][0-9])"
_DATO = re.compile(rf"(-?)([1-9][0-9]{{4,}}|[0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}}){_ZONE}?")
_TID = re.compile(r"(.*)T([0-9]{2}):([0-5][0-9]):([0-5][0-9](?:\.[0-9]{1,9})?)" + _ZONE)
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
YEAR_MOST = 2**63 - 1
ZONE_MINUTES_MOST = 14 * 60


@dataclass(frozen=True)
class Tekst:
    """`least` to `most` characters (None: no limit), and of the form `pattern`."""

    least: int = 0
    most: int | None = None
    pattern: str | None = None
    compiled: re.Pattern[str] | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled", self.pattern and re.compile(self.pattern))

    def fault(self, text: str) -> Fault | None:
        if len(text) < self.least:
            return "for-kort", {"grense": self.least}
        if self.most is not None and len(text) > self.most:
            return "for-lang", {"grense": self.most}
        if self.compiled and not self.compiled.fullmatch(text):
            return "feil-monster", {}
        return None


@dataclass(frozen=True)
class Koder:
    """One of a list of codes."""

    koder: tuple[str, ...]
    known: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", frozenset(self.koder))

    def fault(self, text: str) -> Fault | None:
        return None if text in self.known else ("ukjent-verdi", {"kjente": ", ".join(self.koder)})


@dataclass(frozen=True)
class Dato:
    """xs:date."""

    def fault(self, text: str) -> Fault | None:
        return None if _is_date(text) else ("ugyldig-dato", {})


@dataclass(frozen=True)
class Tidspunkt:
    """xs:dateTime with a time zone and a year of four digits."""

    def fault(self, text: str) -> Fault | None:
        match = _TID.fullmatch(text.strip(XML_SPACE))
        if match is None or len(match[1]) != len("2021-01-01") or not _is_date(match[1] + match[5]):
            return "ugyldig-tid", {}
        hour = int(match[2])
        midnight = hour == 24 and match[3] == "00" and not match[4].strip("0.")
        return None if hour < 24 or midnight else ("ugyldig-tid", {})


@dataclass(frozen=True)
class Boolsk:
    """xs:boolean."""

    def fault(self, text: str) -> Fault | None:
        return None if text.strip(XML_SPACE) in ("true", "false", "1", "0") else ("ssb-boolsk", {})


Verdi = Tekst | Koder | Dato | Tidspunkt | Boolsk


@lru_cache(maxsize=8_192)
def _is_date(text: str) -> bool:
    match = _DATO.fullmatch(text)
    if match is None:
        return False
    year, month, day, zone = int(match[2][:20]), int(match[3]), int(match[4]), match[5]
    if not (0 < year <= YEAR_MOST and 1 <= month <= 12) or not _within_zone(zone):
        return False
    leap = month == 2 and isleap(-year if match[1] else year)
    return 1 <= day <= _DAYS[month - 1] + leap


def _within_zone(zone: str | None) -> bool:
    return zone in (None, "Z") or int(zone[1:3]) * 60 + int(zone[4:]) <= ZONE_MINUTES_MOST


@lru_cache(maxsize=8_192)
def read_date(text: str) -> date | None:
    """The calendar date that a valid xs:date names; its zone, if any, moves no day. None outside 1900–2200."""
    match = _DATO.fullmatch(text)
    if match is None or match[1] or len(match[2]) > 4 or not 1900 <= int(match[2]) <= 2200:
        return None
    return date(int(match[2]), int(match[3]), int(match[4]))


def read_time(text: str) -> datetime | None:
    """The time that a valid Tidspunkt names. None outside 1900–2200."""
    match = _TID.fullmatch(text.strip(XML_SPACE))
    if match is None or read_date(match[1]) is None:
        return None
    # Twenty-four o'clock is the last moment of its day here: nothing hangs on the second.
    hour, rest = ("23:59:59", "") if match[2] == "24" else (f"{match[2]}:{match[3]}", f":{match[4][:9]}")
    return datetime.fromisoformat(f"{match[1]}T{hour}{rest}{match[5]}")


def read_bool(text: str | None) -> bool:
    return text is not None and text.strip(XML_SPACE) in ("true", "1")
