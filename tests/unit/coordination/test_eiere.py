"""Whose a duty is: the first who may know all it rests on, and never one whose name tells what is secret."""

import pytest

from consumers.coordination.duties import duties
from tests.unit.coordination.given import RULES, Event, at, consent, event, facts


def owners(*events: Event) -> set[str]:
    return {d.eier for d in duties(facts(*events), RULES, at("2026-04-10"))}


def transition(tjeneste: str, til: str) -> Event:
    return event(
        tjeneste, "overgang.planlagt", "2026-03-02", slag="kommune-kommune", til=til, dato="2026-03-20"
    )


@pytest.mark.parametrize(
    ("sender", "til", "eier"),
    [
        ("skole", "nav", "nav"),
        ("skole", "barnevern", "skole"),
        ("barnevern", "barnevern", "barnevern"),
        ("samtykke", "skole", "skole"),
        ("samtykke", "barnevern", "koordinerende-enhet"),
    ],
)
def test_a_transition_is_never_barneverns_for_all_to_see(sender: str, til: str, eier: str) -> None:
    assert owners(transition(sender, til)) == {eier}


def test_a_referral_to_barnevern_stays_with_whoever_sent_it() -> None:
    sent = event("skole", "henvisning.sendt", "2026-03-02", mottaker="barnevern")
    assert owners(sent, consent("skole", ["henvisning"], ["barnevern"])) == {"skole"}
