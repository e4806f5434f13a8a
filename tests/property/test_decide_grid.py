"""The read table of the domain notes (§7), cell by cell, written down a second time and independently of the code."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from typing import Any, NamedTuple

import pytest

from contracts.alder import Aldre
from contracts.lov import LOVTABELL, Lov
from services.samtykke.decide import Child, Consent, Event, Fakta, Unknown, Viewer, decide, guardians_may_know
from tests.unit.samtykke.gitt import NOW, consent

ROLES = ("fagperson", "koordinator", "koordinerende-enhet", "leder", "revisor", "foresatt", "barn", "frivillig",
         "slt", "drift", "fagsystem", "system", "politi")  # fmt: skip
CLASSES = ("N", "T", "H", "X")
STATES = (
    "none",
    "counts",
    "by-parents",
    "withdrawn",
    "waits",
    "expired",
    "not-begun",
    "other-service",
    "other-category",
    "other-recipient",
)
AGES = (None, 5, 12, 15, 16, 18)
SENDER = {"N": "skole", "T": "nav", "H": "helsestasjon", "X": "barnevern"}
VIEWER_SERVICE = {
    "fagperson": "ppt",
    "koordinerende-enhet": "koordinerende-enhet",
    "koordinator": "ppt",
    "frivillig": "speiderne",
    "politi": "politi",
}
RECIPIENT = {"koordinator": "koordinator", "foresatt": "foresatt"}
LAW = Lov()
NO_BASIS = Lov(row for row in LOVTABELL if not row.id.startswith("gdpr-"))


def consents_in(state: str, sender: str, recipient: str) -> list[Consent]:
    fra, kategori = ("tannhelse", "k") if state == "other-service" else (sender, "k")
    given = consent(fra, kategori="annet" if state == "other-category" else kategori, til=recipient)
    changed = {
        "none": [],
        "by-parents": [consent(sender, til=recipient, hvem="begge-foreldre")],
        "withdrawn": [consent(sender, til=recipient, status="trukket")],
        "waits": [consent(sender, til=recipient, status="venter")],
        "expired": [consent(sender, til=recipient, utloper=NOW)],
        "not-begun": [consent(sender, til=recipient, gyldig_fra=NOW + timedelta(seconds=1))],
        "other-recipient": [consent(sender, til="tannhelse")],
    }
    return changed.get(state, [given])


class Case(NamedTuple):
    """`mine`: she coordinates this child, is it, or is its parent. `need`: about a coordinator or a plan."""

    role: str
    cls: str
    state: str
    years: int | None
    same: bool
    mine: bool
    skjermet: bool
    need: bool
    basis: bool

    @property
    def counts(self) -> bool:
        """A consent lifts the secrecy towards her; the parents' until the child is 16 (health) or 18."""
        lapses = 16 if self.cls == "H" else 18
        grown = self.years is not None and self.years >= lapses
        return self.state == "counts" or (self.state == "by-parents" and not grown)


def expected(case: Case) -> str:
    """§7 and the ages of §2, read from the notes."""
    if not case.same or not case.basis:
        return "deny"
    by_role: dict[str, Callable[[Case], str]] = {
        "fagperson": staff,
        "koordinator": coordinator,
        "koordinerende-enhet": unit,
        "revisor": lambda _: "metadata",
        "barn": child_itself,
        "foresatt": guardian,
        "frivillig": lambda case: "full" if case.cls == "N" and case.counts else "deny",
    }
    return by_role[case.role](case) if case.role in by_role else "deny"


def staff(case: Case) -> str:
    return "full" if case.cls == "N" or (case.cls in "TH" and case.counts) else "deny"


def coordinator(case: Case) -> str:
    if not case.mine:
        return "deny"
    if case.cls == "X":
        return "status" if case.skjermet else "deny"
    return staff(case)


def unit(case: Case) -> str:
    return "full" if case.cls == "N" and case.need else "deny"


def child_itself(case: Case) -> str:
    """X is barred as long as nobody has seen that no undersøkelse goes on, which nobody has here."""
    from_age = {"N": 15, "T": 15, "H": 16}.get(case.cls)
    old_enough = case.years is not None and from_age is not None and case.years >= from_age
    return "full" if case.mine and old_enough else "deny"


def guardian(case: Case) -> str:
    if not case.mine or case.cls == "X":
        return "deny"
    if case.state == "counts":  # the child's own consent: nobody else can let her see
        return "full"
    everything_below, status_below = {"N": (18, 18), "T": (18, 18), "H": (12, 16)}[case.cls]
    if case.years is None or case.years >= status_below:
        return "deny"
    return "full" if case.years < everything_below else "status"


def rests_on_consent(case: Case) -> bool:
    if case.role in ("foresatt", "barn"):
        return expected(case._replace(state="none")) != "full"
    return case.role == "frivillig" or case.cls in "TH"


def grid() -> Iterator[Case]:
    flags = (True, False)
    here_and_there = (
        *((True, mine, skjermet, need, True) for mine, skjermet, need in product(flags, repeat=3)),
        (False, True, True, True, True),
        (True, True, True, True, False),
    )
    for role, cls, state, years, rest in product(ROLES, CLASSES, STATES, AGES, here_and_there):
        yield Case(role, cls, state, years, *rest)


def test_every_cell_of_the_read_table_is_as_the_notes_say() -> None:
    for case in grid():
        own = VIEWER_SERVICE.get(case.role)
        viewer = Viewer("u1", case.role, "4601" if case.same else "0301", own, case.skjermet)
        event = Event(SENDER[case.cls], "k", case.cls, "4601", koordinering=case.need)
        consents = consents_in(case.state, SENDER[case.cls], RECIPIENT.get(case.role, own or "ppt"))
        law = LAW if case.basis else NO_BASIS
        decision = decide(event, CHILDREN[case.mine, case.years, case.role], viewer, consents, law, NOW)
        assert decision.outcome == expected(case), case
        first, *basis = decision.grunner
        assert first["kode"], case
        if decision.outcome == "full":
            assert bool(first["samtykke"]) == (case.cls != "X" and rests_on_consent(case)), case
        if decision.outcome != "deny":
            assert first.get("sporsmal") == "taushetsplikt", case
            articles = [g["bestemmelse"] for g in basis]
            family = case.role in ("barn", "foresatt")
            assert articles[0] == ("gdpr-15" if family else "gdpr-6-1-e"), case
            assert articles[1:] == (["gdpr-9-2-g"] if case.cls == "H" else []), case
            assert {g.get("sporsmal") for g in basis} == {"behandlingsgrunnlag"}, case


def _child(mine: bool, years: int | None, role: str) -> Child:
    sub = "u1" if mine else "u2"
    part: Any = "barn" if role == "barn" else "forelder"
    born = None if years is None else date(NOW.year - years, NOW.month, NOW.day)
    return Child("4601", fodselsdato=born, koordinatorer=frozenset({sub}), familie=frozenset({(sub, part)}))


CHILDREN = {(m, y, r): _child(m, y, r) for m, y, r in product((True, False), AGES, ROLES)}


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("role", ROLES)
def test_only_staff_and_the_coordinating_unit_see_all_that_their_own_service_sent(
    role: str, cls: str
) -> None:
    event = Event("barnevern", "k", cls, "4601")
    outcome = decide(event, Child("4601"), Viewer("u", role, "4601", "barnevern"), [], LAW, NOW).outcome
    own = role in ("fagperson", "koordinerende-enhet", "frivillig")
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
    owned = Event("samordning", "oppgave", "N", "4601", "oppgave", eier="barnevern", hviler_pa=(N_FACT,))
    for event in (x_event, x_task, owned, replace(owned, hviler_pa=()), replace(owned, slag="lesing")):
        assert decide(event, Child("4601"), reviewer, [], LAW, NOW).grunner[0]["kode"] == "skjermet"
    for event, who in (
        (replace(owned, eier="skole"), reviewer),
        (replace(owned, eier=None), reviewer),
        (owned, replace(reviewer, tjeneste="barnevern")),
        (replace(owned, hviler_pa=(X_FACT,)), replace(reviewer, tjeneste="barnevern")),
    ):
        assert decide(event, Child("4601"), who, [], LAW, NOW).grunner[0]["kode"] == "revisjon"


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
    news = replace(news, kategori="overgang")  # that the child moves school, say, tells of no consent
    assert outcomes(telling) == ["full", "full", "full", "full"]


GUARDIANS = [
    # from, category, who consents, recipient, the child's age: may a guardian know of it
    ("skole", "fravar", "forelder", "nav", 17, True),
    ("skole", "fravar", "verge", "nav", 17, True),
    ("skole", "fravar", "selv", "nav", 17, False),
    ("skole", "fravar", "selv", "foresatt", 17, True),
    ("helsestasjon", "helseoppfolging", "begge-foreldre", "skole", 11, True),
    ("helsestasjon", "helseoppfolging", "begge-foreldre", "skole", 12, False),
    ("helsestasjon", "overgang", "forelder", "skole", 12, False),
    ("helsestasjon", "helseoppfolging", "selv", "skole", 16, False),
    ("helsestasjon", "helseoppfolging", "selv", "foresatt", 16, True),
]


@pytest.mark.parametrize("ended", ["gitt", "trukket", "utlopt", "avslatt"])
@pytest.mark.parametrize(("fra", "kategori", "hvem", "til", "years", "outcome"), GUARDIANS)
def test_news_of_a_consent_is_kept_from_guardians_where_one_is_the_childs_own_to_tell(
    fra: str, kategori: str, hvem: Any, til: str, years: int, outcome: bool, ended: str
) -> None:
    news = Event("samtykke", "samtykke", "N", "4601")
    born = date(NOW.year - years, NOW.month, NOW.day)
    child = Child("4601", fodselsdato=born, familie=frozenset({("p", "forelder"), ("b", "barn")}))
    given = [
        consent("skole", til="nav", hvem="forelder"),
        consent(fra, kategori=kategori, til=til, hvem=hvem, status=ended),
    ]
    decision = decide(news, child, Viewer("p", "foresatt", "4601"), given, LAW, NOW)
    assert decision.outcome == ("full" if outcome else "deny")
    assert outcome or decision.grunner[0]["kode"] == "barnets-eget-samtykke"
    assert decide(news, child, Viewer("p", "foresatt", "4601"), given[:1], LAW, NOW).outcome == "full"
    itself = decide(news, child, Viewer("b", "barn", "4601"), given, LAW, NOW)
    assert itself.outcome == ("full" if years >= 15 else "deny")


def test_a_category_with_ages_of_its_own_decides_what_a_guardian_knows_of_a_consent() -> None:
    law = Lov(aldre=Aldre().changed({"fravar": {"foresatt_begrenset": 13}}))
    parents = {
        kategori: consent("skole", kategori=kategori, hvem="forelder") for kategori in ("fravar", "annet")
    }
    for kategori, until in (("fravar", 13), ("annet", 18)):
        known = [guardians_may_know(parents[kategori], date(NOW.year - n, NOW.month, NOW.day), law, NOW)
                 for n in (until - 1, until)]  # fmt: skip
        assert known == [True, False]


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
