"""Risk of dropping out: absence this school year while another service is involved."""

from datetime import date

from tests.unit.coordination.given import Event, consent, event, given

ABSENCE = event("skole", "fravaer.terskel-passert", "2026-10-05T10:00", periode="2026-2027", regel="dager-10")
NAV = event("nav", "oppfolging.startet", "2026-09-01T10:00")
NAV_TO_SCHOOL = consent("nav", ["nav-oppfolging"], ["skole"])
NAV_TO_HEALTH = consent("nav", ["nav-oppfolging"], ["helsestasjon"])
SCHOOL_TO_UNIT = consent("skole", ["fravar"], ["koordinerende-enhet"])


def owner(*events: Event, when: str = "2026-10-06") -> str | None:
    duty = given(*events, when=when).get("frafall")
    return duty.eier if duty else None


def test_the_school_owns_it_when_it_may_know_the_other_service() -> None:
    duty = given(ABSENCE, NAV, NAV_TO_SCHOOL, when="2026-10-06")["frafall"]
    assert (duty.eier, duty.anledning, duty.tilstand) == ("skole", "2026-2027", "aapen")
    # Ten working days from Monday 5 October.
    assert (duty.frist, duty.fristslag) == (date(2026, 10, 19), "lokal_frist")
    assert {g.id for g in duty.hviler_pa} == {ABSENCE.id, NAV.id}


def test_else_the_coordinating_unit_when_both_facts_are_released() -> None:
    assert owner(ABSENCE, NAV, NAV_TO_HEALTH, SCHOOL_TO_UNIT) == "koordinerende-enhet"


def test_else_nobody_is_told() -> None:
    assert owner(ABSENCE, NAV) is None
    assert owner(ABSENCE, NAV, NAV_TO_HEALTH) is None, "the unit may not know the absence"
    assert owner(ABSENCE, NAV, SCHOOL_TO_UNIT) is None, "the unit may not know NAV's part"


def test_the_connection_to_barnevern_is_not_told_to_the_school_without_a_consent_to_it() -> None:
    case = event("barnevern", "tiltak.iverksatt", "2026-09-01")
    assert owner(ABSENCE, case, SCHOOL_TO_UNIT, consent("barnevern", ["barnevern"], ["nav"])) is None
    assert owner(ABSENCE, case, SCHOOL_TO_UNIT, consent("barnevern", ["barnevern"], ["skole"])) == "skole"


def test_absence_alone_gives_none() -> None:
    assert owner(ABSENCE, event("skole", "ppt.henvist", "2026-09-01"), NAV_TO_SCHOOL) is None


def test_absence_of_last_school_year_is_over_at_midnight_before_the_first_of_august() -> None:
    nav = event("nav", "oppfolging.startet", "2027-06-01")
    assert owner(ABSENCE, nav, NAV_TO_SCHOOL, when="2027-07-31T23:59:59") == "skole"
    assert owner(ABSENCE, nav, NAV_TO_SCHOOL, when="2027-08-01T00:00:00") is None


def test_somebody_who_takes_the_child_on_meets_it() -> None:
    follow = event("skole", "oppfolgingstjenesten.tilmeldt", "2026-10-10")
    met = given(ABSENCE, NAV, NAV_TO_SCHOOL, follow, when="2026-10-11")["frafall"]
    assert met.tilstand == "oppfylt"
    later = given(ABSENCE, NAV, NAV_TO_SCHOOL, follow, when="2028-10-11")["frafall"]
    assert later == met, "what was met stays met when the school year is over"


def test_what_the_owner_may_not_know_does_not_meet_it() -> None:
    plan = event("koordinerende-enhet", "individuell-plan.opprettet", "2026-10-10")
    to_school = consent("koordinerende-enhet", ["koordinering"], ["skole"])
    assert given(ABSENCE, NAV, NAV_TO_SCHOOL, plan, when="2026-10-11")["frafall"].tilstand == "aapen"
    assert (
        given(ABSENCE, NAV, NAV_TO_SCHOOL, plan, to_school, when="2026-10-11")["frafall"].tilstand
        == "oppfylt"
    )
