"""Gaps between schools, and between municipalities: when somebody has left, and when somebody has taken over."""

import pytest

from consumers.coordination.duties import duties
from tests.unit.coordination.given import Event, at, event, facts, rules_of

MOVED = event("barnevern", "undersokelse.konkludert", "2026-08-31", kode="9")


def states(regel: str, *events: Event, when: str = "2027-02-01") -> list[str]:
    return [d.tilstand for d in duties(facts(*events), rules_of(regel), at(when))]


@pytest.mark.parametrize(
    ("left", "trinn", "due"),
    [
        ("2026-11-10", 13, True),
        ("2026-04-30", 13, True),
        ("2026-05-01", 13, False),
        ("2026-06-19", 13, False),
        ("2026-08-31", 13, False),
        ("2026-06-19", 12, True),
    ],
)
def test_a_pupil_who_leaves_the_last_year_has_finished_it_only_in_the_summer(
    left: str, trinn: int, due: bool
) -> None:
    assert states("ute-av-skole", event("skole", "elevforhold.avsluttet", left, trinn=trinn)) == (
        ["aapen"] if due else []
    )


@pytest.mark.parametrize(
    ("by", "confirmed", "state"),
    [
        ("samtykke", "2026-08-20", "oppfylt"),
        ("samtykke", "2026-02-28", "oppfylt"),
        ("samtykke", "2026-02-27", "aapen"),
        ("samtykke", "2026-09-20", "oppfylt"),
        ("barnevern", "2026-08-20", "aapen"),  # it may have received the child itself then
        ("barnevern", "2026-09-20", "oppfylt"),
    ],
)
def test_a_reception_that_samtykke_told_of_before_the_case_was_closed_is_one(
    by: str, confirmed: str, state: str
) -> None:
    confirmation = event(by, "overgang.mottak-bekreftet", confirmed, "x", slag="kommune-kommune")
    assert states("flyttet-kommune", MOVED, confirmation) == [state]
