"""The fact set: compact, canonical, and the same again after a round trip."""

import pytest

from consumers.coordination.facts import FactSet, merged
from contracts.catalogue import UnknownType
from tests.unit.coordination.given import SUBJECT, consent, event, facts

EVENTS = (
    event(
        "barnevern",
        "henvendelse.mottatt",
        "2026-03-02T12:00:00.000001",
        "M1",
        slag=2,
        melderkode="12",
        saksinnhold=["1"],
    ),
    event("skole", "ppt.henvist", "2026-03-02", "P1"),
    consent("skole", ["tilrettelegging"], utloper="2027-01-01T00:00:00+01:00"),
)


def test_it_reads_back_what_it_wrote() -> None:
    whole = facts(*EVENTS)
    again = FactSet.decode(SUBJECT, whole.encode())
    assert (again.facts, again.consents) == (whole.facts, whole.consents)
    assert again.encode() == whole.encode()


def test_another_format_is_refused_and_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="format"):
        FactSet.decode(SUBJECT, b"[2,[],[],[],[]]")


def test_only_the_data_that_a_rule_reads_is_kept() -> None:
    (standing,) = facts(EVENTS[0]).facts.values()
    assert standing[4] == {"slag": 2, "melderkode": "12"}


def test_types_that_no_rule_reads_are_left_out() -> None:
    assert not facts(event("samtykke", "identitet.koblet", "2026-03-01")).facts


def test_an_unknown_type_is_said_so() -> None:
    with pytest.raises(UnknownType):
        facts(event("skole", "finnes.ikke", "2026-03-01"))


def test_a_consent_without_its_fields_is_refused() -> None:
    with pytest.raises(KeyError):
        facts(event("samtykke", "samtykke.gitt", "2026-03-01"))


def test_merging_says_whether_anything_changed() -> None:
    one, two = facts(EVENTS[0]), facts(*EVENTS)
    assert one.merge(two)
    assert not one.merge(two)
    assert merged(SUBJECT, [two, one]).encode() == two.encode()
