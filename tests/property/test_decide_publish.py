"""The publish gate over every combination of class, duty, consent and identity, and over arbitrary consents."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.catalogue import Catalogue
from contracts.lov import Lov
from contracts.samtykke_api import Personstatus
from services.samtykke.decide import Child, Consent, Event, Unknown, decide, describe
from tests.property.test_decide_grid import NO_BASIS, SENDER, STATES, consents_in
from tests.unit.samtykke.gitt import NOW, consent

LAW = Lov()
CLASSES = ("N", "T", "H", "X")
AGES = (None, 5, 16, 18, 25, 26)
STATUSES: tuple[Personstatus, ...] = ("aktiv", "sperret", "slettet")


def event(cls: str = "T", **changed: Any) -> Event:
    fields: dict[str, Any] = {
        "plikt": "hol-3-4",
        "taushetsplikt": "forvaltningsloven-13",
        "time": NOW,
        **changed,
    }
    return Event("nav", "k", cls, "4601", **fields)


def test_the_outcome_follows_from_class_duty_consent_age_municipality_status_and_basis_alone() -> None:
    flags = (True, False)
    for cls, duty, state, years, same, status, basis in product(
        CLASSES, flags, STATES, AGES, flags, STATUSES, flags
    ):
        case = (cls, duty, state, years, same, status, basis)
        born = None if years is None else date(NOW.year - years, NOW.month, NOW.day)
        child = Child("4601" if same else "0301", status, born)
        given_ = consents_in(state, SENDER[cls], "koordinator")
        law = LAW if basis else NO_BASIS
        asked = replace(event(cls, egen_plikt=duty), tjeneste=SENDER[cls])
        decision = decide(asked, child, None, given_, law, NOW)
        lapsed = years is not None and years >= (16 if cls == "H" and state == "by-parents" else 18)
        # Whoever may read it is for the read gate: for publishing any recipient is enough.
        covered = state in ("counts", "other-recipient") or (state == "by-parents" and not lapsed)
        if status == "slettet" or not same or years == 26 or not basis:
            assert (decision.outcome, decision.grunnlag, len(decision.grunner)) == ("refuse", None, 1), case
            continue
        if status == "sperret":
            assert (decision.outcome, decision.grunnlag) == ("withhold", None), case
            assert decision.grunner[0]["kode"] == "sperret", case
            continue
        article = "gdpr-9-2-g" if cls == "H" else "gdpr-6-1-e"
        if cls == "N":
            wanted = ("release", "administrativ", "hol-3-4", "hol-3-4")
        elif covered:
            wanted = ("release", "samtykke", "samtykke:s-1", "forvaltningsloven-13-a-1")
        elif cls == "X":
            wanted = ("shield", "skjermet", article, article)
        elif duty:
            wanted = ("shield", "egen-plikt", article, article)
        else:
            wanted = ("withhold", "mangler-samtykke", "", "forvaltningsloven-13")
        first, *rest = decision.grunner
        found = (decision.outcome, first["kode"], decision.grunnlag or "", first["bestemmelse"])
        assert found == wanted, case
        assert (first.get("sporsmal"), first["lovversjon"]) == ("taushetsplikt", LAW.versjon), case
        assert first.get("inndata") == {"skjerming": cls, "egen_plikt": duty, "samtykker": len(given_)}, case
        assert first["samtykke"] == ("s-1" if wanted[1] == "samtykke" else None), case
        articles = ["gdpr-6-1-e", *(["gdpr-9-2-g"] if cls == "H" else [])]
        assert [g["bestemmelse"] for g in rest] == articles, case
        assert {(g["kode"], g.get("sporsmal")) for g in rest} == {
            ("behandlingsgrunnlag", "behandlingsgrunnlag")
        }, case


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
