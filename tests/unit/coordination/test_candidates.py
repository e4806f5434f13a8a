"""Which rules are run for a child: those that its facts can give a duty, and no other."""

from collections.abc import Mapping
from datetime import date

import pytest

from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import Regel
from consumers.coordination.regler.regelverk import Regelverk
from consumers.coordination.regler.standard import STANDARD
from consumers.coordination.sak import Sak
from tests.unit.coordination.given import RULES, Event, at, event, facts

ABSENCE = event("skole", "fravaer.terskel-passert", "2026-03-02")
HEALTH = event("helsestasjon", "oppfolging.utvidet", "2026-03-02")
MELDING = event("barnevern", "henvendelse.mottatt", "2026-03-02", slag=2)
PROGRAMME = event("helsestasjon", "konsultasjon.gjennomfort", "2026-03-02")


def run_for(*events: Event) -> set[str]:
    return {rule.navn for rule in RULES.candidates(facts(*events))}


def test_a_child_with_services_for_all_only_sets_off_no_rule() -> None:
    assert run_for(PROGRAMME) == set()


def test_a_rule_about_one_type_is_run_where_that_type_is() -> None:
    assert "bekymringsmelding" in run_for(MELDING)
    assert "bekymringsmelding" not in run_for(ABSENCE, HEALTH)


def test_a_rule_about_several_services_waits_for_the_second() -> None:
    assert not {"samarbeid", "frafall"} & run_for(ABSENCE)
    assert {"samarbeid", "frafall"} <= run_for(ABSENCE, HEALTH)


def test_every_rule_says_what_sets_it_off() -> None:
    assert [r.navn for r in STANDARD if not r.utloses_av and r.involverte_minst < 2] == []


def rule(leser: Mapping[str, tuple[str, ...]], utloses_av: frozenset[str] = frozenset()) -> Regel:
    return Regel(
        "alt",
        1,
        date(2020, 1, 1),
        leser,
        lambda sak, her: (),
        eiere=("skole",),
        frist=Frist(1),
        fristslag="lokal_frist",
        bestemmelser=(),
        lukkes_av=(),
        utloses_av=utloses_av,
    )


def test_a_rule_without_a_word_of_it_is_run_for_every_child_with_a_fact_it_may_read() -> None:
    rules = Regelverk(RULES.catalogue, [rule({"fravaer.terskel-passert": ()})])
    assert [r.navn for r in rules.candidates(facts(ABSENCE))] == ["alt"]
    assert rules.candidates(facts()) == ()
    assert Sak(facts(ABSENCE), rules, at("2026-04-01")).facts


def test_a_rule_cannot_be_set_off_by_a_type_that_it_does_not_read() -> None:
    with pytest.raises(ValueError, match="never told"):
        rule({}, frozenset({"fravaer.terskel-passert"}))
