"""A bekymringsmelding is reviewed in seven days: barnevern's own duty, in calendar time."""

from datetime import date

import pytest

from backbone.frister import passed
from consumers.coordination.duties import duties, next_change
from tests.unit.coordination.given import at, event, facts, given, rules_of

RULES = rules_of("bekymringsmelding")

MELDING = event("barnevern", "henvendelse.mottatt", "2026-03-02T12:00", "M1", slag=2)


def test_barnevern_owns_it_and_the_law_sets_the_date() -> None:
    duty = given(MELDING, when="2026-03-02T13:00")["bekymringsmelding"]
    assert (duty.eier, duty.fristslag, duty.frist) == ("barnevern", "lovfrist", date(2026, 3, 9))
    assert duty.bestemmelser == ("barnevernsloven-2-1",)
    assert duty.anledning.endswith(" M1")
    assert [g.id for g in duty.hviler_pa] == [MELDING.id]


@pytest.mark.parametrize(
    ("came", "frist"),
    [
        ("2026-03-02T00:00", date(2026, 3, 9)),
        ("2026-03-02T23:59:59", date(2026, 3, 9)),
        ("2026-03-28T23:30", date(2026, 4, 4)),  # the night summer time begins; Easter Saturday counts
        ("2026-10-24T23:30", date(2026, 10, 31)),  # the night it ends
        ("2026-12-28T08:00", date(2027, 1, 4)),
    ],
)
def test_seven_calendar_days_from_the_norwegian_date_it_came(came: str, frist: date) -> None:
    melding = event("barnevern", "henvendelse.mottatt", came, slag=2)
    assert given(melding, when="2027-06-01")["bekymringsmelding"].frist == frist


def test_the_date_itself_is_still_in_time() -> None:
    found = facts(MELDING)
    due = passed(date(2026, 3, 9))
    assert due == at("2026-03-10T00:00")
    assert next_change(found, RULES, at("2026-03-09T23:59:59")) == due
    assert next_change(found, RULES, due) is None, "past its date the duty stays as it is until it is met"


def test_its_own_conclusion_meets_it_and_another_meldings_does_not() -> None:
    other = event("barnevern", "henvendelse.konkludert", "2026-03-05", "M2")
    own = event("barnevern", "henvendelse.konkludert", "2026-03-05", "M1")
    assert given(MELDING, other, when="2026-03-06")["bekymringsmelding"].tilstand == "aapen"
    assert given(MELDING, own, when="2026-03-06")["bekymringsmelding"].tilstand == "oppfylt"
    assert given(MELDING, own, when="2026-03-04")["bekymringsmelding"].tilstand == "aapen"


def test_an_application_carries_no_such_date() -> None:
    came = event("barnevern", "henvendelse.mottatt", "2026-03-02", slag=1)
    assert given(came, when="2026-03-03") == {}


def test_a_new_version_replaces_what_was_said() -> None:
    corrected = event("barnevern", "henvendelse.mottatt", "2026-03-02T12:00", "M1", versjon=2, slag=1)
    assert given(MELDING, corrected, when="2026-03-03") == {}
    assert given(corrected, MELDING, when="2026-03-03") == {}


def test_each_melding_is_an_occasion_of_its_own() -> None:
    second = event("barnevern", "henvendelse.mottatt", "2026-03-04", "M2", slag=2)
    found = duties(facts(MELDING, second), RULES, at("2026-03-05"))
    assert [d.frist for d in found] == [date(2026, 3, 9), date(2026, 3, 11)]
    assert len({d.oppgave_id for d in found}) == 2


FIKS = event("barnevern", "henvendelse.mottatt", "2026-03-02T15:00", "fiks:2026-03-02", slag=2)


@pytest.mark.parametrize(
    ("registered", "meldinger"), [("2026-03-01", 2), ("2026-03-02", 1), ("2026-03-09", 1), ("2026-03-10", 2)]
)
def test_a_melding_sent_by_fiks_is_the_first_one_registered_within_seven_days(
    registered: str, meldinger: int
) -> None:
    melding = event("barnevern", "henvendelse.mottatt", registered, "M1", slag=2)
    found = duties(facts(FIKS, melding), RULES, at("2026-03-20"))
    assert len(found) == meldinger


def test_it_counts_from_when_it_was_sent_and_is_met_by_the_registered_ones_conclusion() -> None:
    sent = given(FIKS, when="2026-03-03")["bekymringsmelding"]
    registered = event("barnevern", "henvendelse.mottatt", "2026-03-04", "M1", slag=2)
    concluded = event("barnevern", "henvendelse.konkludert", "2026-03-08", "M1")
    both = given(FIKS, registered, when="2026-03-05")["bekymringsmelding"]
    assert (both.oppgave_id, both.frist, both.tilstand) == (sent.oppgave_id, date(2026, 3, 9), "aapen")
    assert len(both.hviler_pa) == 2
    assert given(FIKS, registered, concluded, when="2026-03-09")["bekymringsmelding"].tilstand == "oppfylt"


def test_one_registered_melding_answers_for_one_sent() -> None:
    next_day = event("barnevern", "henvendelse.mottatt", "2026-03-03T15:00", "fiks:2026-03-03", slag=2)
    registered = event("barnevern", "henvendelse.mottatt", "2026-03-03", "M1", slag=2)
    concluded = event("barnevern", "henvendelse.konkludert", "2026-03-05", "M1")
    found = duties(facts(FIKS, next_day, registered, concluded), RULES, at("2026-03-06"))
    assert [d.tilstand for d in found] == ["oppfylt", "aapen"]
