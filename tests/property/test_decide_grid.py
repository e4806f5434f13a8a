"""The read table of the domain notes (§7), cell by cell, written down a second time and independently of the code."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import pytest

from contracts.lov import Lov
from services.samtykke.decide import Child, Consent, Event, Fakta, Unknown, Viewer, decide
from tests.unit.samtykke.gitt import NOW, consent

ROLES = ("fagperson", "koordinator", "koordinerende-enhet", "leder", "revisor", "foresatt", "slt", "drift",
         "fagsystem", "system")  # fmt: skip
CLASSES = ("N", "T", "H", "X")
STATES = (
    "none",
    "counts",
    "withdrawn",
    "expired",
    "not-begun",
    "other-service",
    "other-category",
    "other-recipient",
)
SENDER = {"N": "skole", "T": "nav", "H": "helsestasjon", "X": "barnevern"}
VIEWER_SERVICE = {"fagperson": "ppt", "koordinerende-enhet": "koordinerende-enhet", "koordinator": "ppt"}
LAW = Lov()


def consents_in(state: str, sender: str, recipient: str) -> list[Consent]:
    fra, kategori = ("tannhelse", "k") if state == "other-service" else (sender, "k")
    given = consent(fra, kategori="annet" if state == "other-category" else kategori, til=recipient)
    changed = {
        "none": [],
        "withdrawn": [consent(sender, til=recipient, status="trukket")],
        "expired": [consent(sender, til=recipient, utloper=NOW)],
        "not-begun": [consent(sender, til=recipient, gyldig_fra=NOW + timedelta(seconds=1))],
        "other-recipient": [consent(sender, til="tannhelse")],
    }
    return changed.get(state, [given])


def expected(role: str, cls: str, state: str, same: bool, mine: bool, skjermet: bool, need: bool) -> str:
    """§7, read from the notes. `mine`: she coordinates this child. `need`: about a coordinator or a plan."""
    if not same:
        return "deny"
    if role == "fagperson":
        return "full" if cls == "N" or (cls in "TH" and state == "counts") else "deny"
    if role == "koordinator" and mine:
        if cls == "X":
            return "status" if skjermet else "deny"
        return "full" if cls == "N" or state == "counts" else "deny"
    if role == "koordinerende-enhet":
        return "full" if cls == "N" and need else "deny"
    return "metadata" if role == "revisor" else "deny"


def grid() -> Iterator[tuple[str, str, str, bool, bool, bool, bool]]:
    flags = (True, False)
    yield from product(ROLES, CLASSES, STATES, flags, flags, flags, flags)


def test_every_cell_of_the_read_table_is_as_the_notes_say() -> None:
    for role, cls, state, same, mine, skjermet, need in grid():
        viewer = Viewer("u1", role, "4601" if same else "0301", VIEWER_SERVICE.get(role), skjermet)
        child = Child("4601", koordinatorer=frozenset({"u1"} if mine else {"u2"}))
        event = Event(SENDER[cls], "k", cls, "4601", koordinering=need)
        recipient = "koordinator" if role == "koordinator" else viewer.tjeneste or "ppt"
        decision = decide(event, child, viewer, consents_in(state, SENDER[cls], recipient), LAW, NOW)
        case = (role, cls, state, same, mine, skjermet, need)
        assert decision.outcome == expected(*case), case
        assert decision.grunner, case
        rests_on_consent = decision.outcome == "full" and cls in "TH"
        assert bool(decision.grunner[0]["samtykke"]) == rests_on_consent, case


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("role", ROLES)
def test_only_staff_and_the_coordinating_unit_see_all_that_their_own_service_sent(
    role: str, cls: str
) -> None:
    event = Event("barnevern", "k", cls, "4601")
    outcome = decide(event, Child("4601"), Viewer("u", role, "4601", "barnevern"), [], LAW, NOW).outcome
    own = role in ("fagperson", "koordinerende-enhet")
    assert (outcome == "full") == own
    assert outcome == ("full" if own else "metadata" if role == "revisor" else "deny")


@pytest.mark.parametrize("slag", ["hendelse", "oppgave", "barn"])
@pytest.mark.parametrize("status", ["sperret", "slettet"])
@pytest.mark.parametrize("role", ROLES)
def test_of_a_blocked_or_erased_child_a_reviewer_sees_metadata_and_nobody_else_anything(
    role: str, status: str, slag: str
) -> None:
    child = Child("4601", status, koordinatorer=frozenset({"u"}), tjenester=frozenset({"skole"}))  # type: ignore[arg-type]
    event = Event("skole", "k", "N", "4601", slag, eier="skole", koordinering=True)  # type: ignore[arg-type]
    outcome = decide(event, child, Viewer("u", role, "4601", "skole", True), [], LAW, NOW).outcome
    assert outcome == ("metadata" if role == "revisor" else "deny")


def test_nobody_sees_a_child_or_a_type_that_does_not_exist() -> None:
    for role in ROLES:
        viewer = Viewer("u", role, "4601", "skole", True)
        event = Event("skole", "k", "N", "4601")
        assert decide(None, Child("4601"), viewer, [], LAW, NOW).outcome == "deny"
        assert decide(event, Unknown("ukjent-barn"), viewer, [], LAW, NOW).outcome == "deny"


T_FACT, N_FACT = Fakta("nav", "k", "T"), Fakta("nav", "k", "N")
OWN_FACT, X_FACT = Fakta("skole", "k", "T"), Fakta("barnevern", "k", "X")


@pytest.mark.parametrize(
    ("role", "tjeneste", "eier", "facts", "consented", "outcome"),
    [
        ("fagperson", "skole", "skole", (OWN_FACT, N_FACT), False, "full"),
        ("fagperson", "skole", "nav", (OWN_FACT,), False, "deny"),
        ("fagperson", "skole", "skole", (OWN_FACT, T_FACT), False, "deny"),
        ("fagperson", "skole", "skole", (OWN_FACT, T_FACT), True, "full"),
        ("fagperson", "skole", "skole", (OWN_FACT, X_FACT), True, "deny"),
        ("fagperson", "barnevern", "barnevern", (X_FACT,), False, "full"),
        ("koordinator", None, "nav", (T_FACT,), False, "deny"),
        ("koordinator", None, "nav", (T_FACT,), True, "full"),
        ("koordinator", None, "nav", (N_FACT,), False, "full"),
        ("koordinator", None, "nav", (T_FACT, X_FACT), True, "deny"),
        ("koordinerende-enhet", "koordinerende-enhet", "koordinerende-enhet", (T_FACT,), False, "full"),
        ("koordinerende-enhet", "koordinerende-enhet", "koordinerende-enhet", (X_FACT,), False, "deny"),
        ("koordinerende-enhet", "koordinerende-enhet", "skole", (N_FACT,), False, "deny"),
        ("leder", None, "skole", (), False, "deny"),
        ("drift", None, "skole", (), False, "deny"),
        ("revisor", None, "skole", (X_FACT,), False, "metadata"),
    ],
)
def test_a_task_is_seen_by_its_owner_and_coordinator_as_far_as_they_may_know_what_it_rests_on(
    role: str, tjeneste: str | None, eier: str, facts: tuple[Fakta, ...], consented: bool, outcome: str
) -> None:
    recipient = "koordinator" if role == "koordinator" else str(tjeneste)
    consents = [consent("nav", til=recipient), consent("barnevern", til=recipient)] if consented else []
    task = Event("samordning", "oppgave", "N", "4601", "oppgave", eier=eier, hviler_pa=facts)
    child = Child("4601", koordinatorer=frozenset({"u"}))
    viewer = Viewer("u", role, "4601", tjeneste, skjermet=True)
    assert decide(task, child, viewer, consents, LAW, NOW).outcome == outcome
    elsewhere = Viewer("u", role, "0301", tjeneste, skjermet=True)
    assert decide(task, child, elsewhere, consents, LAW, NOW).outcome == "deny"


def test_a_reviewer_is_told_to_hide_the_type_of_what_is_shielded() -> None:
    reviewer = Viewer("r", "revisor", "4601")
    x_event = Event("barnevern", "barnevern", "X", "4601")
    x_task = Event("samordning", "oppgave", "N", "4601", "oppgave", hviler_pa=(X_FACT,))
    for event in (x_event, x_task):
        assert decide(event, Child("4601"), reviewer, [], LAW, NOW).grunner[0]["kode"] == "skjermet"


@pytest.mark.parametrize("ended", ["gitt", "trukket", "utlopt", "avslatt"])
def test_news_of_a_consent_is_kept_from_those_it_would_tell_that_barnevern_is_involved(ended: str) -> None:
    news = Event("samtykke", "samtykke", "N", "4601")
    child = Child("4601", koordinatorer=frozenset({"k"}))
    teacher, nurse = (
        Viewer("t", "fagperson", "4601", "skole"),
        Viewer("h", "fagperson", "4601", "helsestasjon"),
    )
    plain, trusted = Viewer("k", "koordinator", "4601"), Viewer("k", "koordinator", "4601", skjermet=True)
    harmless = [consent("skole", til="nav", status=ended)]
    telling = [*harmless, consent("barnevern", til="helsestasjon", status=ended)]

    def outcomes(consents: list[Consent]) -> list[str]:
        return [decide(news, child, v, consents, LAW, NOW).outcome for v in (teacher, nurse, plain, trusted)]

    assert outcomes(harmless) == ["full", "full", "full", "full"]
    assert outcomes(telling) == ["deny", "full", "deny", "status"]


@pytest.mark.parametrize(
    ("viewer", "known", "eier", "koordinering", "consents", "outcome"),
    [
        (Viewer("u", "fagperson", "4601", "skole"), {"skole"}, None, False, [], "full"),
        (Viewer("u", "fagperson", "4601", "skole"), set(), None, False, [], "deny"),
        (Viewer("u", "fagperson", "4601", "skole"), {"nav"}, "skole", False, [], "full"),
        (
            Viewer("u", "fagperson", "4601", "skole"),
            {"nav"},
            None,
            False,
            [consent("nav", til="skole")],
            "full",
        ),
        (Viewer("u", "fagperson", "4601", "skole"), {"nav"}, None, True, [], "deny"),
        (Viewer("k", "koordinator", "4601"), {"nav"}, None, False, [], "full"),
        (Viewer("l", "koordinator", "4601"), {"nav"}, None, True, [], "deny"),
        (Viewer("e", "koordinerende-enhet", "4601", "koordinerende-enhet"), set(), None, True, [], "full"),
        (Viewer("e", "koordinerende-enhet", "4601", "koordinerende-enhet"), set(), None, False, [], "deny"),
        (Viewer("d", "drift", "4601"), {"nav"}, None, True, [], "deny"),
    ],
)
def test_a_child_is_opened_by_those_with_something_to_do_there(
    viewer: Viewer,
    known: set[str],
    eier: str | None,
    koordinering: bool,
    consents: list[Consent],
    outcome: str,
) -> None:
    child = Child("4601", koordinatorer=frozenset({"k"}), tjenester=frozenset(known))
    event = Event("", "navn", "N", "4601", "barn", eier=eier, koordinering=koordinering)
    assert decide(event, child, viewer, consents, LAW, NOW).outcome == outcome
