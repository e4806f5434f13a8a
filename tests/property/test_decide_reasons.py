"""What a decision says of itself: which question was answered, why, and what was looked at; and what the catalogue says
of a type."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.alder import Aldre
from contracts.catalogue import Catalogue
from contracts.lov import LOVTABELL, Lov
from contracts.samtykke_api import Grunn
from contracts.tilgang import Vilkar
from services.samtykke.decide import Child, Event, Fakta, Unknown, Viewer, decide, describe
from tests.unit.samtykke.gitt import NOW, consent

LAW = Lov()
NO_BASIS = Lov(row for row in LOVTABELL if not row.id.startswith("gdpr-"))
EVENT = Event("nav", "k", "T", "4601", taushetsplikt="sosialtjenesteloven-44", time=NOW)
STAFF = Viewer("u", "fagperson", "4601", "skole", True)


def bare(sporsmal: Any, kode: str) -> Grunn:
    """A reason that rests on no provision."""
    return {"kode": kode, "bestemmelse": None, "lovversjon": None, "samtykke": None, "sporsmal": sporsmal}


@pytest.mark.parametrize(
    ("event", "child", "law", "outcome", "sporsmal", "kode"),
    [
        (None, Child("4601"), LAW, "refuse", "adgang", "ukjent-type"),
        (EVENT, Unknown("nummer-form"), LAW, "refuse", "adgang", "nummer-form"),
        (EVENT, Child("4601", "slettet"), LAW, "refuse", "adgang", "slettet"),
        (EVENT, Child("0301"), LAW, "refuse", "adgang", "annen-kommune"),
        (EVENT, Child("4601", fodselsdato=date(2000, 1, 1)), LAW, "refuse", "adgang", "for-gammel"),
        (EVENT, Child("4601"), NO_BASIS, "refuse", "behandlingsgrunnlag", "uten-grunnlag"),
        (EVENT, Child("4601", "sperret"), LAW, "withhold", "adgang", "sperret"),
    ],
)
def test_what_never_came_to_secrecy_says_so_in_one_reason(
    event: Event | None, child: Child | Unknown, law: Lov, outcome: str, sporsmal: str, kode: str
) -> None:
    decision = decide(event, child, None, [], law, NOW)
    assert (decision.outcome, decision.grunner) == (outcome, (bare(sporsmal, kode),))
    assert (decision.grunnlag, decision.vilkar) == (None, ())


@pytest.mark.parametrize(
    ("event", "child", "viewer", "law", "sporsmal", "kode"),
    [
        (None, Child("4601"), STAFF, LAW, "adgang", "ukjent-type"),
        (EVENT, Child("4601"), replace(STAFF, kommune="0301"), LAW, "adgang", "annen-kommune"),
        (EVENT, Child("0301"), STAFF, LAW, "adgang", "annen-kommune"),
        (EVENT, Unknown("ukjent-barn"), STAFF, LAW, "adgang", "ukjent-barn"),
        (EVENT, Child("4601", "sperret"), STAFF, LAW, "adgang", "sperret"),
        (EVENT, Child("4601", "slettet"), STAFF, LAW, "adgang", "slettet"),
        (EVENT, Child("4601"), STAFF, NO_BASIS, "behandlingsgrunnlag", "uten-grunnlag"),
        (replace(EVENT, slag="tall"), Child("4601"), STAFF, LAW, "taushetsplikt", "rolle-uten-tilgang"),
    ],
)
def test_a_read_that_never_came_to_the_table_says_so_in_one_reason(
    event: Event | None, child: Child | Unknown, viewer: Viewer, law: Lov, sporsmal: str, kode: str
) -> None:
    decision = decide(event, child, viewer, [], law, NOW)
    assert (decision.outcome, decision.grunner) == ("deny", (bare(sporsmal, kode),))


@pytest.mark.parametrize(
    ("role", "kode"), [("fagperson", "mangler-samtykke"), ("leder", "rolle-uten-tilgang")]
)
def test_a_denied_read_says_which_condition_failed_and_what_was_looked_at(role: str, kode: str) -> None:
    given_ = [consent("nav", til="annen"), consent("nav", til="skole", status="trukket")]
    decision = decide(EVENT, Child("4601"), replace(STAFF, rolle=role), given_, LAW, NOW)
    assert decision.grunner == (
        {
            **bare("taushetsplikt", kode),
            "inndata": {"rolle": role, "skjerming": "T", "skjermet_rett": True, "samtykker": 2},
        },
    )


def test_a_permitted_read_says_on_which_consent_and_basis() -> None:
    decision = decide(EVENT, Child("4601"), STAFF, [consent("nav", til="skole")], LAW, NOW)
    first, basis = decision.grunner
    assert first == {
        "kode": "samtykke",
        "sporsmal": "taushetsplikt",
        "bestemmelse": "forvaltningsloven-13-a-1",
        "lovversjon": LAW.versjon,
        "samtykke": "s-1",
        "inndata": {"rolle": "fagperson", "skjerming": "T", "skjermet_rett": True, "samtykker": 1},
    }
    assert basis == {
        **bare("behandlingsgrunnlag", "behandlingsgrunnlag"),
        "bestemmelse": "gdpr-6-1-e",
        "lovversjon": LAW.versjon,
    }


def test_figures_rest_on_a_basis_and_on_no_child() -> None:
    figures = Event("", "", "N", "4601", "tall")
    decision = decide(figures, Unknown("ukjent-barn"), Viewer("l", "leder", "4601"), [], LAW, NOW)
    first, basis = decision.grunner
    assert (decision.outcome, first) == ("full", bare("taushetsplikt", "egen-kommune"))
    assert basis["bestemmelse"] == "gdpr-6-1-e"
    assert decision.vilkar == (Vilkar.SMA_TALL,)


@pytest.mark.parametrize(
    ("full_type", "expected"),
    [
        (
            "no.samspor.skole.fravaer.terskel-passert",
            Event("skole", "fravar", "T", "4601", egen_plikt=True, plikt="opplaeringslova-24-1",
                  taushetsplikt="forvaltningsloven-13", time=NOW, koordinering=True),
        ),
        (
            "no.samspor.helsestasjon.henvisning.sendt",
            Event("helsestasjon", "henvisning", "H", "4601", egen_plikt=True, plikt="hol-3-4",
                  taushetsplikt="helsepersonelloven-21", time=NOW, koordinering=True),
        ),
        (
            "no.samspor.barnevern.medvirkning.gjennomfort",
            Event("barnevern", "medvirkning", "X", "4601", plikt="barnevernsloven-15-8",
                  taushetsplikt="barnevernsloven-13-1", time=NOW, koordinering=True),
        ),
        (
            "no.samspor.samtykke.samtykke.gitt",
            Event("samtykke", "samtykke", "N", "4601", plikt="samtykke-koordinering", time=NOW, koordinering=True),
        ),
        ("no.samspor.skole.tiltak.iverksatt", None),
        ("no.samspor.skole.bekymringsmelding.sendt", None),
        ("noe-annet", None),
    ],
)  # fmt: skip
def test_an_event_is_what_the_catalogue_says_of_its_type(full_type: str, expected: Event | None) -> None:
    catalogue = Catalogue.standard()
    assert describe(catalogue, full_type, "4601", NOW, koordinering=True) == expected
    if expected is not None:
        plain = replace(expected, koordinering=False, time=None)
        assert describe(catalogue, full_type, "4601") == plain


@pytest.mark.parametrize(("til", "outcome"), [("skole", "full"), ("nav", "deny")])
def test_a_child_is_opened_by_a_service_while_a_consent_names_it_and_not_by_another(
    til: str, outcome: str
) -> None:
    page = Event("", "navn", "N", "4601", "barn")
    teacher = replace(STAFF, skjermet=False)
    assert decide(page, Child("4601"), teacher, [consent("barnevern", til=til)], LAW, NOW).outcome == outcome
    ended = [consent("barnevern", til=til, status="trukket")]
    assert decide(page, Child("4601"), teacher, ended, LAW, NOW).outcome == "deny"
    nobody = replace(teacher, tjeneste=None)
    assert decide(replace(page, eier=None), Child("4601"), nobody, [], LAW, NOW).outcome == "deny"


@pytest.mark.parametrize(("kategori", "outcome"), [("barnevern", "full"), ("annet", "deny")])
def test_that_barnevernet_has_read_is_told_to_whom_its_own_category_is_open(
    kategori: str, outcome: str
) -> None:
    born = date(NOW.year - 5, NOW.month, NOW.day)
    family: Any = frozenset({("p", "forelder")})
    child = Child("4601", fodselsdato=born, familie=family)
    read = Event("", "", "N", "4601", "lesing", eier="barnevern", ingen_undersokelse=True,
                 hviler_pa=(Fakta("skole", "fravar", "T"),))  # fmt: skip
    given_ = [consent("barnevern", kategori=kategori, til="foresatt")]
    parent = Viewer("p", "foresatt", "4601")
    assert decide(read, child, parent, given_, LAW, NOW).outcome == outcome
    assert decide(replace(read, ingen_undersokelse=False), child, parent, given_, LAW, NOW).outcome == "deny"


def test_a_category_with_ages_of_its_own_is_judged_by_them() -> None:
    law = Lov(aldre=Aldre().changed({"k": {"foreldre_til": 17, "barn_innsyn": 10}}))
    family: Any = frozenset({("b", "barn")})
    child = Child("4601", fodselsdato=date(NOW.year - 17, NOW.month, NOW.day), familie=family)
    by_parents = [consent("nav", til="skole", hvem="forelder")]
    assert decide(EVENT, child, STAFF, by_parents, LAW, NOW).outcome == "full"
    assert decide(EVENT, child, STAFF, by_parents, law, NOW).outcome == "deny"
    little = replace(child, fodselsdato=date(NOW.year - 10, NOW.month, NOW.day))
    itself = Viewer("b", "barn", "4601")
    assert decide(EVENT, little, itself, [], LAW, NOW).outcome == "deny"
    assert decide(EVENT, little, itself, [], law, NOW).outcome == "full"


def test_a_basis_begins_and_ends_at_midnight_in_norway() -> None:
    row = next(row for row in LOVTABELL if row.id == "gdpr-6-1-e")
    law = Lov([replace(row, gyldig_fra=date(2026, 7, 1))])
    before, at = (datetime(2026, 6, 30, hour, tzinfo=UTC) for hour in (21, 22))
    assert decide(EVENT, Child("4601"), None, [], law, before).grunner[0]["kode"] == "uten-grunnlag"
    assert decide(EVENT, Child("4601"), None, [], law, at).outcome == "withhold"


def test_what_needs_no_consent_rests_on_no_provision_that_lifts_secrecy() -> None:
    open_ = replace(EVENT, skjerming="N")
    first = decide(open_, Child("4601"), STAFF, [consent("nav", til="skole")], LAW, NOW).grunner[0]
    assert (first["kode"], first["bestemmelse"], first["lovversjon"], first["samtykke"]) == (
        "administrativ", None, None, None,
    )  # fmt: skip
