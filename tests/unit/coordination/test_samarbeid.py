"""Cooperation to be considered: two services involved because of a concern or a need, nobody coordinating."""

from datetime import date

from consumers.coordination.duties import duties, next_change
from tests.unit.coordination.given import Event, at, consent, event, facts, given, rules_of

RULES = rules_of("samarbeid")

OPEN_SCHOOL = event("skole", "ppt.henvist", "2026-03-02T10:00")
OPEN_HEALTH = event("helsestasjon", "oppfolging.utvidet", "2026-03-10T10:00")
OPEN_NAV = event("nav", "oppfolging.startet", "2026-03-20T10:00")
CONSENTS = (
    consent("skole", ["tilrettelegging", "fravar"], ["helsestasjon"]),
    consent("helsestasjon", ["helseoppfolging"], ["skole"]),
    consent("nav", ["nav-oppfolging", "nav-sosial"], ["skole"]),
)
TWO = (OPEN_SCHOOL, OPEN_HEALTH, *CONSENTS)


def samarbeid(*events: Event, when: str = "2026-04-01") -> str | None:
    duty = given(*events, when=when).get("samarbeid")
    return duty.tilstand if duty else None


def test_two_involved_services_give_the_coordinating_unit_a_duty() -> None:
    duty = given(*TWO, when="2026-03-11")["samarbeid"]
    assert duty.tilstand == "aapen"
    assert duty.eier == "koordinerende-enhet"
    assert duty.anledning == "forste"
    assert duty.koordinering
    assert duty.fristslag == "lokal_frist", "the law sets no date for cooperation"
    assert {g.id for g in duty.hviler_pa} == {OPEN_SCHOOL.id, OPEN_HEALTH.id}
    assert duty.bestemmelser == ("barnevernsloven-15-8", "hol-3-4", "opplaeringslova-24-1")


def test_one_service_gives_none() -> None:
    assert samarbeid(OPEN_SCHOOL, *CONSENTS) is None


def test_services_that_are_there_for_all_children_give_none() -> None:
    pupil = event("skole", "elevforhold.startet", "2026-03-01")
    check = event("helsestasjon", "konsultasjon.gjennomfort", "2026-03-01")
    assert samarbeid(pupil, check, OPEN_SCHOOL, *CONSENTS) is None


def test_the_coordinating_unit_is_no_party_to_the_cooperation_it_owns() -> None:
    need = event("koordinerende-enhet", "behov.meldt", "2026-03-10")
    assert samarbeid(OPEN_SCHOOL, need, *CONSENTS) is None


def test_the_date_counts_working_days_from_when_the_second_service_came_in() -> None:
    # 14 working days from Tuesday 10 March 2026: Friday 27 is the 13th, Monday 30 the 14th.
    assert given(*TWO, when="2026-04-01")["samarbeid"].frist == date(2026, 3, 30)


def test_the_date_passes_over_easter() -> None:
    late = event("helsestasjon", "oppfolging.utvidet", "2026-03-27T10:00")
    # Easter 2026: Thursday 2, Friday 3 and Monday 6 April are public holidays.
    assert given(OPEN_SCHOOL, late, *CONSENTS, when="2026-04-01")["samarbeid"].frist == date(2026, 4, 21)


def test_the_date_passes_over_new_year() -> None:
    first, second = (
        event("skole", "ppt.henvist", "2026-12-01T10:00"),
        event("helsestasjon", "oppfolging.utvidet", "2026-12-21T10:00"),
    )
    assert given(first, second, *CONSENTS, when="2026-12-22")["samarbeid"].frist == date(2027, 1, 12)


def test_a_third_service_does_not_move_the_date() -> None:
    duty = given(*TWO, OPEN_NAV, when="2026-04-01")["samarbeid"]
    assert duty.frist == date(2026, 3, 30)
    assert dict(duty.argumenter)["antall"] == 3


def test_an_appointed_coordinator_meets_the_duty() -> None:
    for navn in ("koordinator.oppnevnt", "barnekoordinator.oppnevnt"):
        appointed = event("koordinerende-enhet", navn, "2026-03-15")
        assert samarbeid(*TWO, appointed) == "oppfylt"
        assert samarbeid(*TWO, appointed, when="2026-03-14") == "aapen"


def test_a_coordinator_who_was_there_already_leaves_nothing_to_consider() -> None:
    early = event("koordinerende-enhet", "koordinator.oppnevnt", "2026-03-01")
    assert samarbeid(*TWO, early) is None


def test_when_the_cooperation_ends_the_duty_is_met_and_a_new_episode_begins() -> None:
    ended = event("koordinerende-enhet", "samarbeid.avsluttet", "2026-03-20", "S1")
    again = (
        event("skole", "ppt.henvist", "2026-05-01", "2"),
        event("nav", "oppfolging.startet", "2026-05-02", "2"),
    )
    found = duties(facts(*TWO, ended, *again), RULES, at("2026-05-10"))
    assert [(d.anledning, d.tilstand) for d in found] == [
        ("etter /4601/koordinerende-enhet/910000005 S1", "aapen"),
        ("forste", "oppfylt"),
    ]
    assert len({d.oppgave_id for d in found}) == 2


def test_a_service_that_closes_its_only_involvement_takes_the_duty_away() -> None:
    closed = event("helsestasjon", "oppfolging.avsluttet", "2026-03-15", "2")
    assert samarbeid(*TWO, closed) is None
    reopened = event("helsestasjon", "oppfolging.utvidet", "2026-03-16", "3")
    assert samarbeid(*TWO, closed, reopened) == "aapen"


def test_closing_one_category_leaves_the_service_involved_by_another() -> None:
    money = event("nav", "soknad.status-endret", "2026-03-05")
    closed = event("nav", "sak.avsluttet", "2026-03-25")
    assert samarbeid(OPEN_SCHOOL, OPEN_NAV, money, closed, *CONSENTS) == "aapen"


def test_an_involvement_without_events_for_180_days_lapses() -> None:
    # 2 March 10:00 in winter time; 180 times 24 hours later it is 29 August 11:00 in summer time.
    assert samarbeid(*TWO, when="2026-08-29T10:59:59") == "aapen"
    assert samarbeid(*TWO, when="2026-08-29T11:00:00") is None
    lapse = next_change(facts(*TWO), RULES, at("2026-04-01"))
    assert lapse == at("2026-08-29T11:00:00"), "the timer is set to it"


def test_a_withdrawn_consent_hides_the_facts_and_giving_it_again_brings_them_back() -> None:
    withdrawn = consent("helsestasjon", ["helseoppfolging"], ["skole"], status="trukket", sekvens=2)
    given_again = consent("helsestasjon", ["helseoppfolging"], ["skole"], sekvens=3)
    assert samarbeid(*TWO, withdrawn) is None
    assert samarbeid(*TWO, withdrawn, given_again) == "aapen"
    assert given(*TWO, withdrawn, given_again, when="2026-04-01") == given(*TWO, when="2026-04-01")


def test_a_consent_holds_from_its_first_moment_until_its_last() -> None:
    limited = consent(
        "helsestasjon",
        ["helseoppfolging"],
        gyldig_fra="2026-03-20T00:00:00+01:00",
        utloper="2026-03-25T00:00:00+01:00",
    )
    events = (OPEN_SCHOOL, OPEN_HEALTH, CONSENTS[0], limited)
    assert samarbeid(*events, when="2026-03-19T23:59:59.999999") is None
    assert samarbeid(*events, when="2026-03-20") == "aapen"
    assert samarbeid(*events, when="2026-03-24T23:59:59.999999") == "aapen"
    assert samarbeid(*events, when="2026-03-25") is None


def test_a_consent_about_another_category_or_service_lifts_nothing() -> None:
    assert samarbeid(OPEN_SCHOOL, OPEN_HEALTH, CONSENTS[0], consent("helsestasjon", ["helseprogram"])) is None
    assert samarbeid(OPEN_SCHOOL, OPEN_HEALTH, CONSENTS[0], consent("nav", ["helseoppfolging"])) is None


def test_letting_a_guardian_see_releases_nothing_to_the_coordinating_unit() -> None:
    seen = (
        consent("skole", ["tilrettelegging"], ["foresatt"]),
        consent("helsestasjon", ["helseoppfolging"], ["foresatt"]),
    )
    assert samarbeid(OPEN_SCHOOL, OPEN_HEALTH, *seen) is None
    both = consent("helsestasjon", ["helseoppfolging"], ["foresatt", "skole"])
    assert samarbeid(OPEN_SCHOOL, OPEN_HEALTH, CONSENTS[0], both) == "aapen"


def test_barnevern_counts_only_by_a_consent_that_names_the_coordinating_unit() -> None:
    case = event("barnevern", "tiltak.iverksatt", "2026-03-10")
    to_school = consent("barnevern", ["barnevern"], ["skole"])
    to_unit = consent("barnevern", ["barnevern"], ["koordinerende-enhet"])
    assert samarbeid(OPEN_SCHOOL, case, CONSENTS[0], to_school) is None
    assert samarbeid(OPEN_SCHOOL, case, CONSENTS[0], to_unit) == "aapen"


def test_barneverns_last_measure_ends_its_involvement_and_not_the_first() -> None:
    measures = (
        event("barnevern", "tiltak.iverksatt", "2026-03-10", "t1"),
        event("barnevern", "tiltak.iverksatt", "2026-03-11", "t2"),
        event("barnevern", "tiltak.avsluttet", "2026-03-20", "t1"),
    )
    known = (OPEN_SCHOOL, CONSENTS[0], consent("barnevern", ["barnevern"], ["koordinerende-enhet"]))
    last = event("barnevern", "tiltak.avsluttet", "2026-03-25", "t2")
    assert samarbeid(*measures, *known) == "aapen"
    assert samarbeid(*measures, last, *known) is None


def test_a_melding_put_aside_ends_barneverns_involvement() -> None:
    came = event("barnevern", "henvendelse.mottatt", "2026-03-10", "m", slag=2)
    known = (OPEN_SCHOOL, came, CONSENTS[0], consent("barnevern", ["barnevern"], ["koordinerende-enhet"]))
    aside = event("barnevern", "henvendelse.konkludert", "2026-03-12", "m", undersokelse=False)
    taken_on = event("barnevern", "henvendelse.konkludert", "2026-03-12", "m", undersokelse=True)
    assert samarbeid(*known, aside) is None
    assert samarbeid(*known, taken_on) == "aapen"


def test_a_retracted_event_never_was() -> None:
    retracted = event("helsestasjon", "oppfolging.utvidet", "2026-03-10T10:00", versjon=2, trukket=True)
    assert samarbeid(*TWO, retracted) is None


def test_an_event_dated_in_the_future_waits_for_its_time() -> None:
    assert samarbeid(*TWO, when="2026-03-10T09:59") is None
    assert samarbeid(*TWO, when="2026-03-10T10:00") == "aapen"


def test_before_2023_the_older_provision_obliged() -> None:
    before = (
        event("skole", "ppt.henvist", "2022-10-03"),
        event("helsestasjon", "oppfolging.utvidet", "2022-10-04"),
        consent("skole", ["tilrettelegging"], gyldig_fra="2022-01-01T00:00:00+01:00"),
        consent("helsestasjon", ["helseoppfolging"], gyldig_fra="2022-01-01T00:00:00+01:00"),
    )
    duty = given(*before, when="2022-10-05")["samarbeid"]
    assert duty.bestemmelser == ("barnevernloven-1992-3-2", "hol-3-4", "opplaeringslova-1998-15-8")
