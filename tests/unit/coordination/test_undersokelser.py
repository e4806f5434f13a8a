"""Whether barnevernet looks into a child's case: until the very thing that was begun is concluded."""

from itertools import permutations

import pytest

from consumers.coordination.sak import Sak
from consumers.coordination.undersokelser import pagar
from tests.unit.coordination.given import RULES, Event, at, event, facts


def came(nokkel: str = "a", day: int = 1, **changed: object) -> Event:
    return event("barnevern", "henvendelse.mottatt", f"2026-03-{day:02}", nokkel, slag=2, **changed)  # type: ignore[arg-type]


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
    ],
)
def test_it_goes_on_from_its_beginning_until_its_own_conclusion_in_whatever_order_it_is_told(
    happened: tuple[Event, ...], goes_on: bool
) -> None:
    for order in permutations(happened):
        assert pagar(Sak(facts(*order), RULES, at("2026-04-01"))) is goes_on
