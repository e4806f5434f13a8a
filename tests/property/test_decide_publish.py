"""The publish gate over every combination of class, duty, consent and identity, and over arbitrary consents."""

from datetime import date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.catalogue import Catalogue
from contracts.lov import Lov
from services.samtykke.decide import Child, Consent, Event, Unknown, decide, describe
from tests.unit.samtykke.gitt import NOW, consent

LAW = Lov()
CLASSES = ("N", "T", "H", "X")


def event(cls: str = "T", **changed: Any) -> Event:
    fields: dict[str, Any] = {
        "plikt": "hol-3-4",
        "taushetsplikt": "forvaltningsloven-13",
        "time": NOW,
        **changed,
    }
    return Event("nav", "k", cls, "4601", **fields)


def test_the_four_outcomes_follow_from_class_duty_and_consent_alone() -> None:
    for cls, duty, consented in product(CLASSES, (True, False), (True, False)):
        consents = [consent("nav", til="koordinator")] if consented else []
        decision = decide(event(cls, egen_plikt=duty), Child("4601"), None, consents, LAW, NOW)
        if cls == "N":
            wanted, ground = "release", "hol-3-4"
        elif consented:
            wanted, ground = "release", "samtykke:s-1"
        elif cls == "X" or duty:
            wanted, ground = "shield", "gdpr-9-2-g" if cls == "H" else "gdpr-6-1-e"
        else:
            wanted, ground = "withhold", None
        assert (decision.outcome, decision.grunnlag) == (wanted, ground), (cls, duty, consented)
        if wanted == "withhold":
            assert decision.grunner[0]["bestemmelse"] == "forvaltningsloven-13"
            assert decision.grunner[0]["lovversjon"] == LAW.versjon


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize(
    ("changed", "child", "code"),
    [
        (None, Child("4601"), "ukjent-type"),
        ({}, Unknown("nummer-kontroll"), "nummer-kontroll"),
        ({}, Child("0301"), "annen-kommune"),
        ({}, Child("4601", "slettet"), "slettet"),
        ({}, Child("4601", fodselsdato=date(2000, 11, 22)), "for-gammel"),
    ],
)
def test_without_a_basis_even_a_consent_does_not_help(
    cls: str, changed: dict[str, Any] | None, child: Child | Unknown, code: str
) -> None:
    asked = None if changed is None else event(cls, egen_plikt=True, **changed)
    decision = decide(asked, child, None, [consent("nav")], LAW, NOW)
    assert decision.outcome == "refuse"
    assert decision.grunnlag is None
    assert decision.grunner[0]["kode"] == code


def test_a_person_is_young_enough_until_the_day_of_turning_26() -> None:
    child = Child("4601", fodselsdato=date(2000, 11, 23))
    assert decide(event("N"), child, None, [], LAW, NOW).outcome == "release"
    # Norway's midnight, not UTC's: 23:00 UTC on the 22nd is the 23rd there.
    late = event("N", time=datetime.fromisoformat("2026-11-22T23:00:00+00:00"))
    assert decide(late, child, None, [], LAW, NOW).outcome == "refuse"


@pytest.mark.parametrize("cls", CLASSES)
def test_nothing_about_a_blocked_child_goes_out(cls: str) -> None:
    child = Child("4601", "sperret")
    assert decide(event(cls), child, None, [consent("nav")], LAW, NOW).outcome == "withhold"


def test_a_provision_not_yet_in_force_is_no_basis() -> None:
    before = datetime.fromisoformat("2024-07-31T12:00:00+02:00")
    school = event("N", plikt="opplaeringslova-24-1")
    assert decide(school, Child("4601"), None, [], LAW, NOW).grunnlag == "opplaeringslova-24-1"
    assert decide(school, Child("4601"), None, [], LAW, before).grunnlag == "gdpr-6-1-e"


moments = st.integers(-3, 3).map(lambda days: NOW + timedelta(days=days))
consents = st.builds(
    Consent,
    id=st.just("s"),
    status=st.sampled_from(["gitt", "avslatt", "trukket", "utlopt"]),
    fra_tjeneste=st.sampled_from(["nav", "skole"]),
    til_tjenester=st.frozensets(st.sampled_from(["skole", "barnevern", "koordinator"]), min_size=1),
    kategorier=st.frozensets(st.sampled_from(["k", "l"]), min_size=1),
    gyldig_fra=moments,
    utloper=st.none() | moments,
)


@given(st.lists(consents, max_size=4), st.integers(-4, 4))
def test_what_is_secret_goes_exactly_while_some_consent_covers_it(given_: list[Consent], day: int) -> None:
    at = NOW + timedelta(days=day)
    covered = any(
        c.status == "gitt"
        and c.fra_tjeneste == "nav"
        and "k" in c.kategorier
        and c.gyldig_fra <= at
        and not (c.utloper and c.utloper <= at)
        for c in given_
    )
    decision = decide(event("T"), Child("4601"), None, given_, LAW, at)
    assert decision.outcome == ("release" if covered else "withhold")


@given(st.lists(consents, max_size=4), st.permutations(range(4)))
def test_the_order_consents_are_read_in_changes_no_outcome(given_: list[Consent], order: list[int]) -> None:
    shuffled = [given_[i] for i in order if i < len(given_)]
    first = decide(event("T"), Child("4601"), None, given_, LAW, NOW)
    assert decide(event("T"), Child("4601"), None, shuffled, LAW, NOW).outcome == first.outcome


def test_class_and_category_come_from_the_catalogue_and_all_from_barnevern_is_shielded() -> None:
    catalogue = Catalogue.standard()
    absence = describe(catalogue, "no.samspor.skole.fravaer.terskel-passert", "4601", NOW)
    assert absence is not None
    assert (absence.kategori, absence.skjerming, absence.egen_plikt) == ("fravar", "T", True)
    transition = describe(catalogue, "no.samspor.barnevern.overgang.planlagt", "4601")
    assert transition is not None
    assert transition.skjerming == "X"
    assert describe(catalogue, "no.samspor.nav.fravaer.terskel-passert", "4601") is None
    assert describe(catalogue, "no.samspor.ukjent.overgang.planlagt", "4601") is None
    assert describe(catalogue, "fravaer", "4601") is None
