"""Whether barnevernet looks into a child's case: until the very thing that was begun is concluded."""

from itertools import permutations

import pytest

from consumers.coordination.sak import Sak
from consumers.coordination.undersokelser import pagar
from tests.unit.coordination.given import RULES, Event, at, event, facts


def came(nokkel: str = "a", day: int = 1, **changed: object) -> Event:
    return event("barnevern", "henvendelse.mottatt", f"2026-03-{day:02}", nokkel, slag=2, **changed)  # type: ignore[arg-type]


def decided(nokkel: str = "a", day: int = 9, kode: str = "2") -> Event:
    return said(CONCLUDED, nokkel, day, kode=kode, undersokelse=True)


def said(navn: str, nokkel: str = "a", day: int = 5, **changed: object) -> Event:
    return event("barnevern", navn, f"2026-03-{day:02}", nokkel, **changed)  # type: ignore[arg-type]


CONCLUDED = "henvendelse.konkludert"
BEGUN, EXTENDED, ENDED = "undersokelse.startet", "undersokelse.frist-utvidet", "undersokelse.konkludert"


@pytest.mark.parametrize(
    ("happened", "goes_on"),
    [
        ((), False),
        ((said("tiltak.iverksatt"),), False),
        ((came(),), True),
        ((came(), said(CONCLUDED)), False),
        ((came(), said(CONCLUDED, "b")), True),
        ((came(), said(CONCLUDED), said(BEGUN, "u", 6)), True),
        ((said(BEGUN), said(ENDED)), False),
        ((said(BEGUN), said(BEGUN, "b"), said(ENDED, "b", 7)), True),
        ((said(EXTENDED),), True),
        ((said(BEGUN), said(EXTENDED), said(ENDED, day=9)), False),
        ((event("barnevern", "henvendelse.mottatt", "2026-03-01", "s", slag=1),), True),
        ((came("fiks:2026-03-01"), came("b", 2), said(CONCLUDED, "b")), False),
        ((came(), said(CONCLUDED), said(CONCLUDED, versjon=2, trukket=True)), True),
        ((came(), said(CONCLUDED), said(CONCLUDED, versjon=2)), False),
        ((came("a"), came("b"), said(CONCLUDED, "a"), said(CONCLUDED, "a", versjon=2)), True),
        ((came(), came(versjon=2, trukket=True)), False),
        ((came(), decided()), True),
        ((came(), decided(kode="4")), False),
        ((came(), decided(), said(CONCLUDED, day=10, versjon=2, undersokelse=False)), False),
        ((came(), decided(), said(BEGUN, "u", 12), said(ENDED, "u", 30)), False),
        ((came(), decided(), said(ENDED, "u", 30)), False),
        ((came(day=3), decided(day=3), said(BEGUN, "u", 3), said(ENDED, "u", 30)), False),
        ((said(BEGUN, "before", 1), came(day=3), decided(), said(ENDED, "before", 12)), True),
        ((event("barnevern", "henvendelse.mottatt", "2026-03-01", "s", slag=1), decided("s")), True),
    ],
)
def test_it_goes_on_from_its_beginning_until_its_own_conclusion_in_whatever_order_it_is_told(
    happened: tuple[Event, ...], goes_on: bool
) -> None:
    for order in permutations(happened):
        assert pagar(Sak(facts(*order), RULES, at("2026-04-01"))) is goes_on


def test_a_fiks_meldings_hour_does_not_put_it_after_the_undersokelse_of_its_day() -> None:
    sent = event("barnevern", "henvendelse.mottatt", "2026-03-03T14:00", "fiks:2026-03-03", slag=2)
    known = (sent, came(day=3), decided(day=3), said(BEGUN, "u", 3), said(ENDED, "u", 30))
    assert not pagar(Sak(facts(*known), RULES, at("2026-04-01")))


def test_one_decided_on_and_never_begun_goes_on_as_long_as_the_law_lets_one_last() -> None:
    known = facts(came(), decided())
    assert pagar(Sak(known, RULES, at("2026-09-09T23:59:59")))
    assert not pagar(Sak(known, RULES, at("2026-09-10")))
