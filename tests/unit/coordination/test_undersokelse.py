"""An undersøkelse and the meldinger that led to it: begun, concluded, and every public melder told."""

from datetime import date

import pytest

from consumers.coordination.duties import duties
from consumers.coordination.regler.regel import Duty
from tests.unit.coordination.given import Event, at, event, facts, rules_of


def came(when: str, nokkel: str, melderkode: str = "10") -> Event:
    return event("barnevern", "henvendelse.mottatt", when, nokkel, slag=2, melderkode=melderkode)


def taken_on(when: str, nokkel: str) -> Event:
    return event("barnevern", "henvendelse.konkludert", when, nokkel, kode="2", undersokelse=True)


def begun(when: str, nokkel: str = "u") -> Event:
    return event("barnevern", "undersokelse.startet", when, nokkel)


def concluded(when: str, nokkel: str = "u") -> Event:
    return event("barnevern", "undersokelse.konkludert", when, nokkel)


def told(when: str, nokkel: str) -> Event:
    return event("barnevern", "tilbakemelding.sendt", when, nokkel, slag="konklusjon")


def of(regel: str, *events: Event, when: str = "2026-05-08") -> list[Duty]:
    return [d for d in duties(facts(*events), rules_of(regel), at(when)) if d.regel == regel]


ONE_DAY = (
    came("2026-03-03T14:00", "fiks:2026-03-03"),
    came("2026-03-03", "m"),
    taken_on("2026-03-03", "m"),
    begun("2026-03-03"),
)
"""Fiks gives the hour, SSB the day."""


def test_an_undersokelse_begun_the_day_the_melding_came_is_begun_since() -> None:
    (start,) = of("undersokelse-start", *ONE_DAY)
    assert start.tilstand == "oppfylt"


def test_a_melding_of_the_day_an_undersokelse_was_begun_led_to_it() -> None:
    (duty,) = of("tilbakemelding-konklusjon", *ONE_DAY, concluded("2026-05-06"))
    assert (duty.tilstand, duty.frist) == ("aapen", date(2026, 5, 27))
    (inquiry,) = of("undersokelse", *ONE_DAY)
    assert len(inquiry.hviler_pa) == 3, "both words of the melding, and the beginning"


def test_a_melding_led_to_the_first_undersokelse_from_its_day_on_and_to_no_later() -> None:
    later = (begun("2026-04-07", "v"), concluded("2026-05-06", "v"))
    assert of("tilbakemelding-konklusjon", *ONE_DAY, *later) == []


TWO = (
    came("2026-03-02", "a"),
    came("2026-03-04", "b", melderkode="4"),
    taken_on("2026-03-05", "a"),
    taken_on("2026-03-05", "b"),
    begun("2026-03-06"),
    concluded("2026-05-06"),
)
"""Of a school, and then of a neighbour."""


def test_a_public_melder_is_told_though_a_neighbours_melding_came_later() -> None:
    (duty,) = of("tilbakemelding-konklusjon", *TWO)
    assert (duty.tilstand, duty.frist) == ("aapen", date(2026, 5, 27))
    assert {g.id for g in duty.hviler_pa} == {TWO[0].id, TWO[5].id}


@pytest.mark.parametrize(
    ("about", "state"),
    [(("a", "c"), "oppfylt"), (("u",), "oppfylt"), (("a",), "aapen"), (("c",), "aapen"), (("b",), "aapen")],
)
def test_every_public_melder_is_told_about_her_own_melding_or_the_undersokelse(
    about: tuple[str, ...], state: str
) -> None:
    third = (came("2026-03-05", "c"), taken_on("2026-03-05", "c"))
    (duty,) = of("tilbakemelding-konklusjon", *TWO, *third, *(told("2026-05-07", n) for n in about))
    assert duty.tilstand == state
