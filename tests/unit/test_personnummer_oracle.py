"""Our reading of identity numbers against NAV's own (npm @navikt/fnrvalidator): alike, but where we mean otherwise.

Each difference is meant, and named with its source. Any other is a fault of ours, or news of theirs.
"""

import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

import orjson
import pytest

from contracts.personnummer import WEIGHTS_K1, InvalidNumber, Kind, classify, tenor
from deploy.assets import MODULES, ROOT, node_home
from tests.unit.test_personnummer import with_controls

NOW, LATER = date(2026, 3, 1), date(2039, 12, 31)
EACH = 250
KINDS = {
    "fnr": Kind.FODSELSNUMMER,
    "dnr": Kind.D_NUMMER,
    "hnr": Kind.H_NUMMER,
    "dnr-and-hnr": Kind.H_NUMMER,
    "tnr": Kind.TENOR,
    "dnr-and-tnr": Kind.TENOR,
}
OURS_ALONE = {
    Kind.FELLES_HJELPENUMMER: "an FH-number begins with 8 or 9 (HIS 1001:2010); theirs reads it as a D-number's day",
    Kind.PLASS_TERMIN: "SSB's placeholder of an unborn child (Barnevern v4, Personalia control 12)",
    Kind.PLASS_FODT: "SSB's placeholder of a child without number (the same)",
    Kind.DUF: "UDI's twelve digits, which theirs does not know",
}
THEIRS_ALONE = {
    "h": "the 2032 control is for birth and D-numbers (Skatteetaten, «Nytt fødselsnummer fra 2032»), not for H",
    "2032": "until 2032 no birth or D-number is given out by it (the same): theirs takes them already",
    "century": "no individual numbers were laid down (folkeregisterforskriften § 2-2-1): theirs does not look at them",
    "1900": "year 00 with an individual number below 500 is 1900, no leap year (the same): theirs reads 2000",
    "future": "nobody is born after today: theirs has no today",
}


@pytest.fixture(scope="module")
def numbers() -> list[str]:
    return sorted({*_generated(Random(2032)), *_others()})


@pytest.fixture(scope="module")
def oracle(numbers: list[str]) -> dict[str, dict[str, Any]]:
    if not (MODULES / "@navikt" / "fnrvalidator").is_dir():
        pytest.skip("@navikt/fnrvalidator is not installed: `make test` does that")
    program = [str(node_home() / "bin" / "node"), str(ROOT / "tests/unit/fnrvalidator.cjs")]
    said = subprocess.run(program, input=orjson.dumps(numbers), capture_output=True, check=True, timeout=60)
    return dict(zip(numbers, orjson.loads(said.stdout), strict=True))


def _generated(rng: Random) -> Iterator[str]:
    """Numbers of every kind, of every remainder of the first control digit, and each with a digit changed."""
    for more_days in (0, 40):
        for more_months in (0, 40, 80):
            for rest in (0, 0, 1, 2, 3, 4):
                for _ in range(EACH):
                    born = date(1854, 1, 1) + timedelta(days=rng.randrange(67_900))
                    stem = f"{born.day + more_days:02}{born.month + more_months:02}{born.year % 100:02}"
                    if number := with_controls(f"{stem}{rng.randrange(1000):03}", rest):
                        yield number
                        place = rng.randrange(11)
                        digit = (int(number[place]) + rng.randrange(1, 10)) % 10
                        yield f"{number[:place]}{digit}{number[place + 1 :]}"


def _others() -> Iterator[str]:
    yield from ("", "1", "1234567890", "123456789012", "1234567890a", " 1234567890", "201012345610")
    yield from ("15052699999", "15051000100", "15051000200", "29020000100")
    for day in ("0002", "2902", "3002", "3104", "3213", "0013", "6902", "2942", "2982", "3182"):
        for year in ("00", "01", "24", "39", "40", "53", "54", "99"):
            for individual in (0, 499, 500, 749, 750, 899, 900, 999):
                for near in range(5):
                    nine = f"{day}{year}{(individual + near) % 1000:03}"
                    yield from filter(None, (with_controls(nine), with_controls(nine, 1)))
    yield from filter(None, (with_controls(str(nine)) for nine in range(800_000_000, 999_999_999, 1_234_567)))
    yield from (tenor(date(2010, 5, day), serial) for day in range(1, 29) for serial in range(5))


def _ours(number: str, today: date) -> Kind | str:
    """The kind, or the code of what is wrong."""
    try:
        return classify(number, today).kind
    except InvalidNumber as error:
        return error.code


def _why_theirs_alone(number: str, today: date) -> str | None:
    """Which of THEIRS_ALONE it is, from the number itself and not by our code."""
    rest = (sum(w * int(d) for w, d in zip(WEIGHTS_K1, number, strict=False)) + int(number[9])) % 11
    month, year, individual = int(number[2:4]), int(number[4:6]), int(number[6:9])
    synthetic, h = month > 80, 40 < month <= 80
    if rest and h:
        return "h"
    if rest and not synthetic and today.year < 2032:
        return "2032"
    if not rest and individual >= 500 and 40 <= year < 54 and individual < 900:
        return "century"
    if not rest and individual >= 750 and individual < 900 and year >= 54:
        return "century"
    if year == 0 and individual < 500 and number[:4] in ("2902", "6902", "2942", "2982", "6942", "6982"):
        return "1900"
    born = (2000 + year, month % 40, int(number[:2]) % 40)
    return "future" if individual >= 500 and born > (today.year, today.month, today.day) else None


@pytest.mark.parametrize("today", [NOW, LATER])
def test_a_number_is_valid_to_us_as_it_is_to_nav_but_for_the_differences_that_are_meant(
    numbers: list[str], oracle: dict[str, dict[str, Any]], today: date
) -> None:
    met: Counter[str] = Counter()
    for number in numbers:
        ours, theirs = _ours(number, today), oracle[number]
        if isinstance(ours, Kind) and ours not in OURS_ALONE and theirs["status"] == "valid":
            assert ours == KINDS[theirs["type"]], number
            met[ours] += 1
        elif isinstance(ours, Kind):
            assert ours in OURS_ALONE, number
            met[f"ours {ours}"] += 1
        elif theirs["status"] == "valid":
            why = _why_theirs_alone(number, today)
            assert why in THEIRS_ALONE, (number, ours)
            met[f"theirs {why}"] += 1
    told = {f"ours {kind}" for kind in OURS_ALONE} | {f"theirs {why}" for why in THEIRS_ALONE}
    told -= {"theirs 2032", "theirs future"} if today == LATER else set()
    assert told <= met.keys(), "a difference that is not met is no difference"
    assert all(met[kind] > EACH for kind in set(KINDS.values()))


def test_what_is_wrong_with_a_number_is_what_nav_says(
    numbers: list[str], oracle: dict[str, dict[str, Any]]
) -> None:
    seen = Counter[tuple[str, ...]]()
    for number in numbers:
        reasons, ours = tuple(oracle[number].get("reasons", ())), _ours(number, LATER)
        if not reasons or isinstance(ours, Kind):
            continue
        seen[reasons] += 1
        if reasons == ("invalid date",):
            # An H-number by the 2032 control has a fault more with us.
            assert ours == "nummer-dato" or 40 < int(number[2:4]) <= 80, number
        elif "checksums don't match" in reasons:
            assert ours == "nummer-kontroll", number
        else:
            assert ours in ("nummer-form", "nummer-kontroll"), number  # twelve digits may be a DUF number
    assert len(seen) == 4


def test_a_changed_digit_is_noticed_by_both_or_by_neither(
    numbers: list[str], oracle: dict[str, dict[str, Any]]
) -> None:
    valid = {n for n in numbers if len(n) == 11 and _ours(n, LATER) in set(KINDS.values())}
    assert len(valid) > 4 * EACH
    assert all(oracle[number]["status"] == "valid" for number in valid)
