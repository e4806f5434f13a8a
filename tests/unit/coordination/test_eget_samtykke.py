"""The young person's own consent at 18: to all that the parents' lapsing ones are about."""

from datetime import date

import pytest

from consumers.coordination.duties import duties
from consumers.coordination.regler.regel import Duty
from tests.unit.coordination.given import Event, at, consent, event, facts, rules_of

SEVENTEEN = event("samtykke", "kontekst.fodselsdag-passert", "2026-03-02", "17", alder=17)
EIGHTEEN = "2027-03-02T00:00:00+01:00"
MEASURE = event("barnevern", "tiltak.iverksatt", "2026-02-01")


def parents(*kategorier: str, fra: str = "skole", til: tuple[str, ...] = ("helsestasjon",)) -> Event:
    return consent(fra, kategorier, til, id_=f"parents {fra} {kategorier}", utloper=EIGHTEEN)


def own(*kategorier: str, til: tuple[str, ...] = ("nav",)) -> Event:
    return consent("skole", kategorier, til, id_=f"own {kategorier} {til}")


def due(*events: Event) -> list[Duty]:
    return list(duties(facts(SEVENTEEN, *events), rules_of("eget-samtykke"), at("2026-06-01")))


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ((own("fravar", "tilrettelegging"),), "oppfylt"),
        ((own("fravar"), own("tilrettelegging")), "oppfylt"),
        ((own("fravar"),), "aapen"),
        ((own("skolemiljo"),), "aapen"),
        ((own("fravar", "tilrettelegging", til=("foresatt",)),), "aapen"),
        ((own("fravar", "tilrettelegging", til=("foresatt", "nav")),), "oppfylt"),
    ],
)
def test_it_is_met_by_consents_to_the_very_same_information_to_somebody_else_than_the_parents(
    given: tuple[Event, ...], state: str
) -> None:
    (duty,) = due(parents("fravar"), parents("tilrettelegging"), *given)
    assert (duty.eier, duty.tilstand, duty.frist) == ("skole", state, date(2026, 12, 2))


def test_that_a_young_person_lets_her_parents_see_is_no_consent_to_be_given_anew() -> None:
    assert due(parents("fravar", til=("foresatt",))) == []


def test_that_barnevern_is_to_ask_is_for_those_to_see_who_may_know_that_it_is_there() -> None:
    asked = parents("barnevern", fra="barnevern")
    (duty,) = due(asked, MEASURE)
    assert duty.eier == "barnevern"
    assert {g.skjerming for g in duty.hviler_pa} == {"N", "X"}
    assert due(asked) == []
