"""What a child and its guardians see: the notes' §7 and ages, written down a second time."""

from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import pytest

from contracts.innsyn import vis
from contracts.lov import Lov
from contracts.tilgang import Vilkar
from services.samtykke.decide import Child, Consent, Event, Fakta, Viewer, decide
from tests.unit.samtykke.gitt import NOW, consent

LAW = Lov()
CHILD, PARENT = Viewer("b", "barn", "4601"), Viewer("p", "foresatt", "4601")
FAMILY: Any = frozenset({("b", "barn"), ("p", "forelder")})
SENDER = {"N": "skole", "T": "nav", "H": "helsestasjon", "X": "barnevern"}
CATEGORY = {"N": "skolegang", "T": "nav-sosial", "H": "helseprogram", "X": "barnevern"}


def born(years: int) -> date:
    return date(NOW.year - years, NOW.month, NOW.day)


def child(years: int | None, **changed: Any) -> Child:
    return Child("4601", fodselsdato=None if years is None else born(years), **{"familie": FAMILY, **changed})


def seen(viewer: Viewer, years: int | None, cls: str, given: list[Consent], done: bool = False) -> str:
    event = Event(SENDER[cls], CATEGORY[cls], cls, "4601", ingen_undersokelse=done)
    return decide(event, child(years), viewer, given, LAW, NOW).outcome


def expected_of_child(years: int | None, cls: str, done: bool) -> str:
    from_age = {"N": 15, "T": 15, "H": 16, "X": 15}[cls]
    return "full" if years is not None and years >= from_age and (cls != "X" or done) else "deny"


def expected_of_parent(years: int | None, cls: str, done: bool, let: bool) -> str:
    if cls == "X":
        return "full" if let and done else "deny"
    if let or (years is not None and years < {"N": 18, "T": 18, "H": 12}[cls]):
        return "full"
    return "status" if cls == "H" and years is not None and years < 16 else "deny"


AGES = (None, 0, 6, 7, 11, 12, 14, 15, 16, 17, 18, 24)


def test_child_and_guardian_see_what_age_class_and_the_childs_own_consent_say() -> None:
    for years, cls, done, let in product(AGES, "NTHX", (True, False), (True, False)):
        given = [consent(SENDER[cls], kategori=CATEGORY[cls], til="foresatt", hvem="selv")] if let else []
        case = (years, cls, done, let)
        assert seen(CHILD, years, cls, given, done) == expected_of_child(years, cls, done), case
        assert seen(PARENT, years, cls, given, done) == expected_of_parent(years, cls, done, let), case


def test_a_parent_cannot_open_for_herself_what_the_childs_age_keeps_from_her() -> None:
    by_parent = [consent("helsestasjon", kategori="helseprogram", til="foresatt", hvem="forelder")]
    assert seen(PARENT, 13, "H", by_parent) == "status"


def test_ages_turn_at_midnight_in_norway() -> None:
    just_before = datetime(2026, 11, 21, 22, 59, 59, tzinfo=UTC)
    midnight = datetime(2026, 11, 21, 23, tzinfo=UTC)
    event = Event("helsestasjon", "helseprogram", "H", "4601")
    twelve = Child("4601", fodselsdato=date(2014, 11, 22), familie=FAMILY)
    assert decide(event, twelve, PARENT, [], LAW, just_before).outcome == "full"
    assert decide(event, twelve, PARENT, [], LAW, midnight).outcome == "status"


@pytest.mark.parametrize("cls", "NTHX")
@pytest.mark.parametrize(
    ("viewer", "family"),
    [
        (PARENT, frozenset({("q", "forelder")})),
        (PARENT, frozenset({("p", "barn")})),
        (CHILD, frozenset({("b", "forelder")})),
        (CHILD, frozenset({("c", "barn")})),
        (PARENT, frozenset()),
    ],
)
def test_nobody_sees_another_familys_child_or_plays_another_part(
    viewer: Viewer, family: Any, cls: str
) -> None:
    years = 17 if viewer is CHILD else 3
    event = Event(SENDER[cls], CATEGORY[cls], cls, "4601", ingen_undersokelse=True)
    given = [consent(SENDER[cls], kategori=CATEGORY[cls], til="foresatt")]
    decision = decide(event, child(years, familie=family), viewer, given, LAW, NOW)
    assert (decision.outcome, decision.grunner[0]["kode"]) == ("deny", "ikke-eget-barn")


@pytest.mark.parametrize("cls", "NTH")
def test_what_a_family_sees_is_its_own_and_names_no_melder(cls: str) -> None:
    event = Event(SENDER[cls], CATEGORY[cls], cls, "4601")
    for viewer, years in ((PARENT, 3), (CHILD, 17)):
        decision = decide(event, child(years), viewer, [], LAW, NOW)
        assert decision.vilkar == (Vilkar.KUN_OM_BARNET, Vilkar.UTEN_MELDER)
        assert [g["bestemmelse"] for g in decision.grunner[1:]][:1] == ["gdpr-15"]


def test_the_conditions_leave_out_a_parents_own_case_the_melder_and_the_place() -> None:
    family = (Vilkar.KUN_OM_BARNET, Vilkar.UTEN_MELDER)
    assert vis(family, {"gjelder": "foresatt", "status": "MOTTATT"}) is None
    assert vis(family, {"gjelder": "egen", "status": "MOTTATT"}) == {"gjelder": "egen", "status": "MOTTATT"}
    assert vis(family, {"melderkode": "4", "slag": 2, "barn_orientert": True}) == {"slag": 2}
    assert vis((Vilkar.UTEN_STED,), {"fra_kommune": "0301", "dato": "2026-01-01"}) == {"dato": "2026-01-01"}
    assert vis((), {"melderkode": "4", "gjelder": "foresatt"}) == {"melderkode": "4", "gjelder": "foresatt"}


@pytest.mark.parametrize(
    ("viewer", "years", "reader", "read", "done", "outcome"),
    [
        (PARENT, 5, "skole", Fakta("skole", "fravar", "T"), False, "full"),
        (PARENT, 5, "barnevern", Fakta("skole", "fravar", "T"), True, "deny"),
        (PARENT, 5, "barnevern", Fakta("barnevern", "barnevern", "X"), True, "deny"),
        (PARENT, 13, "skole", Fakta("helsestasjon", "helseprogram", "H"), False, "deny"),
        (CHILD, 17, "barnevern", Fakta("skole", "fravar", "T"), True, "full"),
        (CHILD, 17, "barnevern", Fakta("skole", "fravar", "T"), False, "deny"),
        (CHILD, 14, "skole", Fakta("skole", "fravar", "T"), False, "deny"),
        (
            Viewer("r", "revisor", "4601"),
            5,
            "barnevern",
            Fakta("barnevern", "barnevern", "X"),
            False,
            "metadata",
        ),
        (Viewer("r", "revisor", "4601"), 5, "skole", Fakta("skole", "fravar", "T"), False, "full"),
        (Viewer("l", "leder", "4601"), 5, "skole", Fakta("skole", "fravar", "T"), False, "deny"),
        (Viewer("s", "fagperson", "4601", "skole"), 5, "skole", Fakta("skole", "fravar", "T"), False, "deny"),
    ],
)
def test_who_has_read_is_told_where_neither_the_reader_nor_the_read_betrays_anything(
    viewer: Viewer, years: int, reader: str, read: Fakta, done: bool, outcome: str
) -> None:
    event = Event("", "", "N", "4601", "lesing", eier=reader, ingen_undersokelse=done, hviler_pa=(read,))
    assert decide(event, child(years), viewer, [], LAW, NOW).outcome == outcome


@pytest.mark.parametrize(
    ("role", "outcome", "vilkar"),
    [
        ("leder", "full", (Vilkar.SMA_TALL,)),
        ("slt", "full", (Vilkar.SMA_TALL, Vilkar.ANONYMT)),
        ("drift", "metadata", (Vilkar.ANONYMT,)),
        ("revisor", "deny", ()),
        ("fagperson", "deny", ()),
        ("foresatt", "deny", ()),
    ],
)
def test_figures_are_for_leaders_and_for_those_who_see_no_child(
    role: str, outcome: str, vilkar: tuple[Vilkar, ...]
) -> None:
    figures = Event("", "", "N", "4601", "tall")
    decision = decide(figures, child(5), Viewer("u", role, "4601"), [], LAW, NOW)
    assert (decision.outcome, decision.vilkar) == (outcome, vilkar)
    assert decide(figures, child(5), Viewer("u", role, "0301"), [], LAW, NOW).outcome == "deny"


@pytest.mark.parametrize("cls", "NTHX")
def test_a_voluntary_organisation_gets_no_more_than_what_is_administrative_and_consented_to(cls: str) -> None:
    event = Event(SENDER[cls], CATEGORY[cls], cls, "4601")
    volunteer = Viewer("f", "frivillig", "4601", "laksene")
    given = [consent(SENDER[cls], kategori=CATEGORY[cls], til="laksene")]
    assert decide(event, child(8), volunteer, given, LAW, NOW).outcome == ("full" if cls == "N" else "deny")
    assert decide(event, child(8), volunteer, [], LAW, NOW).outcome == "deny"


def test_of_a_child_with_a_protected_address_no_place_is_shown_to_anybody() -> None:
    event = Event("skole", "skolegang", "N", "4601")
    hidden = child(8, adressebeskyttelse=True)
    for viewer in (Viewer("t", "fagperson", "4601", "nav"), PARENT):
        assert Vilkar.UTEN_STED in decide(event, hidden, viewer, [], LAW, NOW).vilkar
        assert Vilkar.UTEN_STED not in decide(event, child(8), viewer, [], LAW, NOW).vilkar
