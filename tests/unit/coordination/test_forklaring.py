"""Why a task is as it is: which facts, which rule in which version, which date and why; no more than one may know."""

from backbone.meldinger import messages
from consumers.coordination.duties import of_case
from consumers.coordination.forklaring import Json, forklar
from consumers.coordination.regler import lokale
from consumers.coordination.regler.standard import STANDARD, regelverk
from consumers.coordination.sak import Sak
from tests.unit.coordination.given import RULES, Event, at, consent, event, facts
from tests.unit.coordination.regler_tabell import TABELL, Tid

TEXTS = messages("consumers.coordination")
SCHOOL = event("skole", "ppt.henvist", "2026-03-02T10:00")
HEALTH = event("helsestasjon", "oppfolging.utvidet", "2026-03-10T10:00")
COOPERATION = (
    SCHOOL,
    HEALTH,
    consent("skole", ["tilrettelegging"], ["helsestasjon"]),
    consent("helsestasjon", ["helseoppfolging"], ["nav"]),
)
UNIT = "koordinerende-enhet"


def explained(*events: Event, regel: str, unit: str | None, when: str = "2026-03-20") -> Json:
    sak = Sak(facts(*events), RULES, at(when))
    (duty,) = [d for d in of_case(sak, RULES) if d.regel == regel]
    found = forklar(sak, RULES, regel, duty.anledning, unit, TEXTS)
    assert found is not None
    return found


def test_it_names_the_rule_its_version_the_date_and_how_it_was_counted() -> None:
    said = explained(*COOPERATION, regel="samarbeid", unit=UNIT)
    assert said["regel"] == "Regelen «samarbeid», versjon 1, med standardverdiene."
    assert said["frist"].startswith("Fristen er 14 arbeidsdager etter 10. mars 2026: 30. mars 2026.")
    assert "lokal" in said["frist"]
    assert [(f["tjeneste"], f["dato"]) for f in said["fakta"]] == [
        ("helsestasjon", "2026-03-10"),
        ("skole", "2026-03-02"),
    ]


def test_a_service_is_told_of_the_facts_it_may_know_and_no_others() -> None:
    told = {f["tjeneste"] for f in explained(*COOPERATION, regel="samarbeid", unit="helsestasjon")["fakta"]}
    assert told == {"skole", "helsestasjon"}, "a consent lets it know the school's"
    assert {f["tjeneste"] for f in explained(*COOPERATION, regel="samarbeid", unit="skole")["fakta"]} == {
        "skole"
    }
    assert explained(*COOPERATION, regel="samarbeid", unit="barnevern")["fakta"] == []


def test_a_contact_person_who_sees_the_task_sees_what_it_rests_on() -> None:
    assert len(explained(*COOPERATION, regel="samarbeid", unit=None)["fakta"]) == 2


def test_a_date_that_law_sets_and_one_that_the_facts_name_are_said_to_be_so() -> None:
    melding = event("barnevern", "henvendelse.mottatt", "2026-03-02", "M", slag=2)
    law = explained(melding, regel="bekymringsmelding", unit="barnevern")["frist"]
    assert law == "Fristen er 7 kalenderdager etter 2. mars 2026: 9. mars 2026. Den følger av loven."
    plan = event("skole", "skolemiljo.plan-opprettet", "2026-03-02", evalueringsdato="2026-04-20")
    named = explained(plan, regel="skolemiljo-evaluering", unit="skole")["frist"]
    assert named.startswith("Fristen er 20. april 2026. Datoen står i det som er registrert")


def test_local_rules_are_named() -> None:
    text = 'kommune = "4601"\n[[versjoner]]\nnavn = "høst"\ngyldig_fra = 2026-01-01\n'
    rules = regelverk(RULES.catalogue, {"4601": lokale.read(text, STANDARD, RULES.catalogue)}).for_kommune(
        "4601"
    )
    sak = Sak(facts(*COOPERATION), rules, at("2026-03-20"))
    said = forklar(sak, rules, "samarbeid", "forste", UNIT, TEXTS)
    assert said is not None and said["regel"].endswith("med de lokale reglene «høst».")


def test_a_duty_that_is_gone_has_no_explanation() -> None:
    assert (
        forklar(Sak(facts(SCHOOL), RULES, at("2026-03-20")), RULES, "samarbeid", "forste", None, TEXTS)
        is None
    )


def test_every_rule_can_be_explained() -> None:
    t = Tid("2026-03-02T10:00")
    for navn, case in TABELL.items():
        when = t.dag(case.begynner + 1).isoformat()
        said = explained(*case.gitt(t), regel=navn, unit=None, when=when)
        assert said["fakta"]
        assert "Fristen er" in said["frist"]
