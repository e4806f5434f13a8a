"""Identity numbers: kinds, control digits, centuries, and the Tenor number each maps to."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.personnummer import (
    InvalidNumber,
    Kind,
    classify,
    identity_numbers,
    is_synthetic,
    is_valid,
    swap,
    tenor,
)

TODAY = date(2026, 3, 1)
BIRTHDATES = st.dates(date(1900, 1, 1), date(2026, 1, 1))
TENOR = st.builds(tenor, BIRTHDATES, st.integers(0, 399))


def with_controls(nine: str, rest: int = 0) -> str | None:
    """Nine digits and the control digits they get when k1's remainder is `rest`."""
    k1 = (rest - sum(w * int(d) for w, d in zip((3, 7, 6, 1, 8, 9, 4, 5, 2), nine, strict=True))) % 11
    ten = f"{nine}{k1}"
    k2 = -sum(w * int(d) for w, d in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2), ten[:10], strict=True)) % 11
    return None if 10 in (k1, k2) else f"{ten}{k2}"


def number(stem: str, first: int = 500, rest: int = 0) -> str:
    return next(n for i in range(first, 1000) if (n := with_controls(f"{stem}{i:03}", rest)))


def code_of(nummer: str, today: date = TODAY) -> str:
    with pytest.raises(InvalidNumber) as caught:
        classify(nummer, today)
    assert nummer not in f"{caught.value!r}{caught.value}"
    return caught.value.code


@pytest.mark.parametrize(
    ("nummer", "kind", "born"),
    [
        (number("150510"), Kind.FODSELSNUMMER, date(2010, 5, 15)),
        (number("150571", 0), Kind.FODSELSNUMMER, date(1971, 5, 15)),
        (number("150571", 900), Kind.FODSELSNUMMER, date(1971, 5, 15)),
        (number("150571", 500), Kind.FODSELSNUMMER, date(1871, 5, 15)),
        (number("550510"), Kind.D_NUMMER, date(2010, 5, 15)),
        (number("154510"), Kind.H_NUMMER, date(2010, 5, 15)),
        (number("158510"), Kind.TENOR, date(2010, 5, 15)),
        (number("558510"), Kind.TENOR, date(2010, 5, 15)),
        (number("812345"), Kind.FELLES_HJELPENUMMER, None),
        ("15052699999", Kind.PLASS_TERMIN, None),
        ("15051000100", Kind.PLASS_FODT, date(2010, 5, 15)),
        ("15051000200", Kind.PLASS_FODT, date(2010, 5, 15)),
    ],
)
def test_each_kind_is_known_by_its_form_and_tells_its_birth_date(
    nummer: str, kind: Kind, born: date | None
) -> None:
    identitet = classify(nummer, TODAY)
    assert (identitet.kind, identitet.fodselsdato) == (kind, born)


def test_a_duf_number_has_twelve_digits_and_its_own_control() -> None:
    # 2010 weighed 4 6 3 2, 123456 weighed 4 6 3 2 7 5: 8+0+3+0 + 4+12+9+8+35+30 = 109 = 10 mod 11
    assert classify("201012345610", TODAY).kind is Kind.DUF
    assert code_of("201012345609") == "nummer-kontroll"


@pytest.mark.parametrize(
    "nummer", ["", "1234567890", "1505101234x", "１５０５１０１２３４５", "15051012345\n", " 15051012345"]
)
def test_a_number_of_another_form_is_refused_without_being_repeated(nummer: str) -> None:
    with pytest.raises(InvalidNumber, match="nummer-form"):
        classify(nummer, TODAY)


def test_a_birth_date_that_is_not_in_the_calendar_or_not_yet_here_is_refused() -> None:
    assert code_of(number("310210")) == "nummer-dato"
    assert code_of(number("290211")) == "nummer-dato"
    assert code_of(number("150530")) == "nummer-dato"
    assert code_of(number("150545", 500)) == "nummer-dato"  # no series 500–899 for 1940–1953


@pytest.mark.parametrize("rest", [1, 2, 3])
def test_the_relaxed_control_counts_from_2032_and_for_synthetic_numbers_at_once(rest: int) -> None:
    assert code_of(number("150510", rest=rest)) == "nummer-kontroll"
    later = classify(number("150510", rest=rest), date(2032, 1, 1))
    assert (later.fodselsdato, later.aarhundre_sikkert) == (date(2010, 5, 15), False)
    assert classify(number("158510", rest=rest), TODAY).kind is Kind.TENOR
    assert (
        code_of(number("154510", rest=rest), date(2040, 1, 1)) == "nummer-kontroll"
    )  # H-numbers keep theirs


def test_a_number_of_the_2032_series_tells_no_century_so_the_latest_possible_one_is_meant() -> None:
    assert classify(number("150585", 0, rest=1), date(2033, 1, 1)).fodselsdato == date(1985, 5, 15)
    assert classify(number("150532", 0, rest=1), date(2033, 1, 1)).fodselsdato == date(2032, 5, 15)


@pytest.mark.parametrize("rest", [4, 5, 6, 7, 8, 9, 10])
def test_the_relaxed_control_takes_no_other_remainder(rest: int) -> None:
    assert code_of(number("158510", rest=rest), date(2040, 1, 1)) == "nummer-kontroll"


def test_a_placeholder_identifies_nobody_and_stays_as_it_is() -> None:
    for nummer in ("15052699999", "15051000100"):
        assert not classify(nummer, TODAY).identifies
        assert is_synthetic(nummer)
        assert swap(nummer) == nummer


def test_the_map_to_tenor_numbers_never_changes() -> None:
    assert swap(number("150510")) == "15851050024"
    assert swap("201012345610") == "209108868902"


def test_the_numbers_of_one_birth_date_map_to_different_tenor_numbers() -> None:
    numbers = [n for i in range(500, 1000) if (n := with_controls(f"150510{i:03}"))]
    assert len({swap(n) for n in numbers}) > len(numbers) * 0.97


@given(TENOR)
def test_every_generated_number_is_a_valid_tenor_number(nummer: str) -> None:
    assert classify(nummer, TODAY).kind is Kind.TENOR
    assert is_synthetic(nummer)
    assert swap(nummer) == nummer


@given(BIRTHDATES, st.integers(0, 399), st.integers(0, 399))
def test_serials_give_numbers_of_their_own_with_the_birth_date_asked_for(
    born: date, one: int, other: int
) -> None:
    assert classify(tenor(born, one), TODAY).fodselsdato == born
    assert (tenor(born, one) == tenor(born, other)) == (one == other)


@given(BIRTHDATES, st.integers(0, 999), st.sampled_from([(0, 0), (40, 0), (0, 40)]))
def test_a_mapped_number_keeps_its_birth_date_and_is_never_a_real_one(
    born: date, individual: int, add: tuple[int, int]
) -> None:
    nummer = with_controls(
        f"{born.day + add[0]:02}{born.month + add[1]:02}{born.year % 100:02}{individual:03}"
    )
    if nummer is None or not is_valid(nummer, TODAY) or not classify(nummer, TODAY).identifies:
        return
    assert not is_synthetic(nummer)
    mapped = classify(swap(nummer), TODAY)
    assert (mapped.kind, mapped.fodselsdato) == (Kind.TENOR, classify(nummer, TODAY).fodselsdato)


@given(TENOR, st.integers(0, 10), st.integers(1, 9))
def test_one_wrong_digit_is_noticed_or_gives_another_synthetic_number(
    nummer: str, place: int, add: int
) -> None:
    wrong = f"{nummer[:place]}{(int(nummer[place]) + add) % 10}{nummer[place + 1 :]}"
    if place >= 9 and is_valid(wrong, TODAY):
        assert place == 9  # k1 may take four values in a synthetic number, k2 only one
        raise AssertionError("k2 covers k1, so a wrong k1 shows in k2")


@given(st.text(max_size=20))
def test_no_text_whatever_makes_it_fail_otherwise(text: str) -> None:
    is_valid(text, TODAY)


def test_numbers_are_found_in_running_text_but_not_in_uuids_oids_and_longer_numbers() -> None:
    n = tenor(date(2010, 5, 15), 3)
    text = f'"{n}" \\n{n}. {n}, fnr{n} 12{n} 9{n} 0.{n} 01234567-89ab-cdef-0123-{n}1 1.2.{n} 915933149 a{n}f'
    assert [m.group() for m in identity_numbers(text)] == [n] * 4


def test_a_duf_number_becomes_a_made_up_one_of_as_many_digits() -> None:
    made_up = swap("201012345610")
    assert len(made_up) == 12
    assert classify(made_up, TODAY).kind is Kind.DUF
    assert is_synthetic(made_up)
    assert not is_synthetic("201012345610")
    assert swap(made_up) == made_up
