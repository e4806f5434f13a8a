"""Norwegian identity numbers: what kind one is, whose birth date it holds, and the synthetic one it maps to.

Sources: Skatteetaten «Nytt fødselsnummer fra 2032» (control digits), folkeregisterforskriften § 2-2-1
(century by individual number), HIS 1001:2010 (hjelpenummer), UDI (DUF), SSB Barnevern v4 Personalia
control 12 (placeholders).
No function here puts a number into an exception, so a traceback never carries one.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

WEIGHTS_K1 = (3, 7, 6, 1, 8, 9, 4, 5, 2)
WEIGHTS_K2 = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
WEIGHTS_DUF = (4, 6, 3, 2, 4, 6, 3, 2, 7, 5)
RELAXED_FROM = date(2032, 1, 1)
LAST_SERIES = date(2039, 12, 31)  # the day by which every number of the laid down series counts as born
TENOR_MONTH = 80
DUF_MADE_UP_FROM = 2080

_ELEVEN = re.compile(r"[0-9]{11}\Z")
_TWELVE = re.compile(r"[0-9]{12}\Z")


class Kind(StrEnum):
    """What kind of number it is. A Tenor number may be a birth number or a D-number: both are synthetic."""

    FODSELSNUMMER = "fodselsnummer"
    D_NUMMER = "d-nummer"
    H_NUMMER = "h-nummer"
    FELLES_HJELPENUMMER = "felles-hjelpenummer"
    TENOR = "tenor"
    DUF = "duf"
    PLASS_TERMIN = "plassholder-termin"
    PLASS_FODT = "plassholder-fodt"


PLACEHOLDERS = frozenset({Kind.PLASS_TERMIN, Kind.PLASS_FODT})


@dataclass(frozen=True)
class Identitet:
    """A number that holds. `fodselsdato` is None where the kind tells none (DUF, FH-number, unborn).

    `aarhundre_sikkert` is False for a number of the 2032 series: its birth date is the latest possible one.
    """

    kind: Kind
    fodselsdato: date | None = None
    aarhundre_sikkert: bool = True
    oppdiktet: bool = False  # a DUF number registered in a year that has not come

    @property
    def synthetic(self) -> bool:
        """No real person can have this number."""
        return self.kind is Kind.TENOR or self.kind in PLACEHOLDERS or self.oppdiktet

    @property
    def identifies(self) -> bool:
        """The number points at one person: SSB's placeholders are shared by all children of a date."""
        return self.kind not in PLACEHOLDERS


class InvalidNumber(ValueError):
    """`code` says what is wrong: nummer-form, nummer-kontroll or nummer-dato. The number is not in it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def classify(nummer: str, today: date) -> Identitet:
    """The kind and birth date of `nummer` as seen on the day `today`; raises InvalidNumber.

    The relaxed control of k1 counts from 2032, and for synthetic numbers at once (they exist for rehearsal).
    A birth date after `today` is no birth date.
    """
    if _TWELVE.match(nummer):
        return _duf(nummer)
    if not _ELEVEN.match(nummer):
        raise InvalidNumber("nummer-form")
    if nummer[6:] in ("00100", "00200") and (born := _date_of(nummer, today)):
        return Identitet(Kind.PLASS_FODT, born)
    if nummer[0] in "89":
        if _remainders(nummer) != (0, 0):
            raise InvalidNumber("nummer-kontroll")
        return Identitet(Kind.FELLES_HJELPENUMMER)
    if nummer[6:] == "99999" and _remainders(nummer) != (0, 0) and _date_of(nummer, LAST_SERIES):
        return Identitet(Kind.PLASS_TERMIN)  # with control digits that hold, 99999 ends a real number
    return _dated(nummer, today)


def is_valid(nummer: str, today: date) -> bool:
    try:
        classify(nummer, today)
    except InvalidNumber:
        return False
    return True


def is_synthetic(nummer: str) -> bool:
    """Can no real person have `nummer`: a valid Tenor number, or one of SSB's placeholders?"""
    try:
        return classify(nummer, LAST_SERIES).synthetic
    except InvalidNumber:
        return False


def swap(nummer: str) -> str:
    """The fixed Tenor number that stands for `nummer`: the same on every run and machine.

    A synthetic number stands for itself. The birth date is kept where the number tells one: the n-th number
    of the date becomes the n-th Tenor number of the date, so birth numbers hardly ever meet. Where the number
    tells no date, the date is a hash of it. A DUF number, which Tenor has none of and whose place in a file takes
    twelve digits, becomes one of a year that has not come (2080–2099). Raises InvalidNumber where `nummer` is
    none. This protects no number (the map can be turned round): it keeps real numbers out of test systems,
    nothing more.
    """
    identitet = classify(nummer, LAST_SERIES)
    if identitet.synthetic:
        return nummer
    digest = int.from_bytes(hashlib.sha256(b"samspor bytt-identer " + nummer.encode()).digest()[:8])
    if identitet.kind is Kind.DUF:
        return _made_up_duf(digest)
    fodselsdato = identitet.fodselsdato
    if fodselsdato is None:
        return tenor(date(2005, 1, 1) + timedelta(days=digest % 6_500), digest)
    own = _endings(nummer[:6], _series(fodselsdato.year))
    if nummer[6:] not in own:
        return tenor(fodselsdato, digest)
    return tenor(fodselsdato, own.index(nummer[6:]) + _OFFSETS[identitet.kind])


_OFFSETS = {Kind.FODSELSNUMMER: 0, Kind.D_NUMMER: 131, Kind.H_NUMMER: 262}


def tenor(fodselsdato: date, serial: int) -> str:
    """The `serial`th valid Tenor number (month + 80) of a birth date, counted round the date's series.

    About 400 serials a date (200 for the 1800s) give numbers of their own. Raises ValueError for a birth year
    outside 1854–2039, for which no individual numbers are laid down.
    """
    stem = f"{fodselsdato.day:02}{fodselsdato.month + TENOR_MONTH:02}{fodselsdato.year % 100:02}"
    endings = _endings(stem, _series(fodselsdato.year))
    return stem + endings[serial % len(endings)]


def identity_numbers(text: str) -> Iterator[re.Match[str]]:
    """Every run of exactly 11 or 12 digits in `text` that is an identity number.

    Digits inside a longer run, a decimal number, an OID or a hexadecimal word (a digest, a UUID) are left.
    """
    for match in _RUN.finditer(text) if len(text) >= _DIGITS_LEAST else ():
        if is_valid(match.group(), LAST_SERIES):
            yield match


def masked(text: str) -> str:
    """`text` with a # for each identity number: for keys and references, which must not carry one."""
    out, end = [], 0
    for match in identity_numbers(text):
        out += [text[end : match.start()], "#"]
        end = match.end()
    return "".join([*out, text[end:]])


_DIGITS_LEAST = 11
_RUN = re.compile(r"(?<![0-9A-Fa-f])(?<![0-9]\.)(?<![0-9A-Fa-f]{4}-)[0-9]{11,12}(?![0-9A-Fa-f])(?!\.[0-9])")


def _dated(nummer: str, today: date) -> Identitet:
    day, month, year, individual = int(nummer[:2]), int(nummer[2:4]), int(nummer[4:6]), int(nummer[6:9])
    kind = Kind.FODSELSNUMMER
    if day > 40:
        kind, day = Kind.D_NUMMER, day - 40
    if month > TENOR_MONTH:
        kind, month = Kind.TENOR, month - TENOR_MONTH
    elif month > 40:
        kind, month = Kind.H_NUMMER, month - 40
    k1, k2 = _remainders(nummer)
    relaxed = kind is Kind.TENOR or (kind is not Kind.H_NUMMER and today >= RELAXED_FROM)
    if k2 != 0 or k1 not in ((0, 1, 2, 3) if relaxed else (0,)):
        raise InvalidNumber("nummer-kontroll")
    century = _century(year, individual) if k1 == 0 else None
    if century is not None:
        fodselsdato = _date(century + year, month, day)
        if fodselsdato is not None and fodselsdato <= today:
            return Identitet(kind, fodselsdato)
    elif relaxed and (fodselsdato := _latest(year, month, day, today)) is not None:
        return Identitet(kind, fodselsdato, aarhundre_sikkert=False)
    raise InvalidNumber("nummer-dato")


def _date_of(nummer: str, today: date) -> date | None:
    return _latest(int(nummer[4:6]), int(nummer[2:4]), int(nummer[:2]), today)


def _duf(nummer: str) -> Identitet:
    if _duf_control(nummer) != nummer[10:]:
        raise InvalidNumber("nummer-kontroll")
    if not 1980 <= int(nummer[:4]) <= 2099:  # the year of registration; DUF began with the cases of the 1980s
        raise InvalidNumber("nummer-dato")
    return Identitet(Kind.DUF, oppdiktet=int(nummer[:4]) >= DUF_MADE_UP_FROM)


def _duf_control(nummer: str) -> str:
    return f"{sum(w * int(d) for w, d in zip(WEIGHTS_DUF, nummer[:10], strict=True)) % 11:02}"


def _made_up_duf(digest: int) -> str:
    stem = f"{DUF_MADE_UP_FROM + digest % 20}{digest // 20 % 1_000_000:06}"
    return stem + _duf_control(stem)


def _remainders(nummer: str) -> tuple[int, int]:
    """By WEIGHTS_K1 and WEIGHTS_K2, written out: every event that is accepted or decided comes this way."""
    a, b, c, d, e, f, g, h, i, j, k = map(int, nummer)
    k1 = 3 * a + 7 * b + 6 * c + d + 8 * e + 9 * f + 4 * g + 5 * h + 2 * i + j
    k2 = 5 * a + 4 * b + 3 * c + 2 * d + 7 * e + 6 * f + 5 * g + 4 * h + 3 * i + 2 * j + k
    return k1 % 11, k2 % 11


@lru_cache(maxsize=4_096)
def _endings(stem: str, series: range) -> tuple[str, ...]:
    """Every valid «individual number + control digits» after the six digits of `stem`, in order."""
    numbers = (_ending(stem, individual) for individual in series)
    return tuple(ending for ending in numbers if ending is not None)


def _ending(stem: str, individual: int) -> str | None:
    nine = f"{stem}{individual:03}"
    k1 = -sum(w * int(d) for w, d in zip(WEIGHTS_K1, nine, strict=True)) % 11
    k2 = -sum(w * int(d) for w, d in zip(WEIGHTS_K2, f"{nine}{k1}"[:10], strict=True)) % 11
    return None if 10 in (k1, k2) else f"{individual:03}{k1}{k2}"


def _century(year: int, individual: int) -> int | None:
    if individual < 500:
        return 1900
    if year < 40:
        return 2000
    if individual >= 900:
        return 1900
    return 1800 if year >= 54 and individual < 750 else None


def _series(year: int) -> range:
    if 2000 <= year <= 2039:
        return range(500, 1000)
    if 1900 <= year <= 1999:
        return range(0, 500)
    if 1854 <= year <= 1899:
        return range(500, 750)
    raise ValueError("no individual numbers are laid down for this birth year")


def _latest(year: int, month: int, day: int, today: date) -> date | None:
    """The latest date with this day, month and two-digit year that is not after today."""
    dates = (_date(century + year, month, day) for century in (2000, 1900))
    return next((d for d in dates if d is not None and d <= today), None)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
