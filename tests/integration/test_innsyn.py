"""Who has read what: what samtykke tells a child or a guardian of it, and that their asking is written down too."""

from datetime import date
from typing import Any

from backbone.tokens import Principal
from contracts.oppgave import OPPGAVE
from tests.samtykke_fixture import (  # noqa: F401 - a fixture
    ABSENCE,
    KOMMUNE,
    MEASURE,
    Samtykke,
    number,
    running_samtykke,
    staff,
)

GUARDIAN = staff(None, "foresatt", sub="mor")
TEACHER = staff("skole")
AWAY = {"hendelse": "fravar-1"}
HEALTH = {
    "hendelse": "helse-1",
    "type": "no.samspor.helsestasjon.oppfolging.utvidet",
    "tjeneste": "helsestasjon",
    "kategori": "helseoppfolging",
    "skjerming": "H",
}
BARNEVERN = {
    "hendelse": "tiltak-1",
    "type": MEASURE,
    "tjeneste": "barnevern",
    "kategori": "barnevern",
    "skjerming": "X",
}
SHOWN = [
    {"id": "fravar-1", "type": ABSENCE},
    {"id": "helse-1", "type": HEALTH["type"]},
    {"id": "tiltak-1", "type": MEASURE},
]
"""What the portal has opened and shows of the child."""


async def child(samtykke: Samtykke, **changed: Any) -> str:
    """A child of eight with a mother, known to the school and the health station."""
    body = {"person": number(), "kommune": KOMMUNE, "navn": "Kari Testdatter", **changed}
    subject = str((await samtykke.call("POST", "/personer", body))["subject"])
    family = {"subject": subject, "kommune": KOMMUNE, "bruker": "mor", "rolle": "forelder"}
    await samtykke.call("POST", "/familie", family)
    return subject


async def readings(samtykke: Samtykke, subject: str, who: Principal = GUARDIAN, **more: Any) -> list[Any]:
    body = {"viewer": who.model_dump(), "subject": subject, "sett": SHOWN, **more}
    found: list[Any] = (await samtykke.call("POST", "/innsyn", body))["lesinger"]
    return found


async def test_a_guardian_is_told_of_reading_and_denial_by_role_service_purpose_and_never_by_whom(
    samtykke: Samtykke,
) -> None:
    subject = await child(samtykke)
    await samtykke.read(TEACHER, {"subject": subject, **AWAY}, {"subject": subject, **HEALTH})
    told = await readings(samtykke, subject)
    assert [(r["rolle"], r["tjeneste"], r["utfall"], r["kategorier"]) for r in told] == [
        ("fagperson", "skole", "deny", ["helseoppfolging"]),
        ("fagperson", "skole", "full", ["fravar"]),
    ]
    assert {r["formal"] for r in told} == {"oppfolging"}
    assert TEACHER.sub not in str(told)


async def test_that_barnevernet_has_read_or_been_read_is_not_told_a_guardian(samtykke: Samtykke) -> None:
    subject = await child(samtykke)
    await samtykke.read(staff("barnevern"), {"subject": subject, **AWAY}, {"subject": subject, **BARNEVERN})
    await samtykke.read(TEACHER, {"subject": subject, **BARNEVERN})
    for quiet in (False, True):
        told = await readings(samtykke, subject, ingen_undersokelse=quiet)
        assert [r for r in told if r["rolle"] == "fagperson"] == []


async def test_a_young_person_is_told_of_barnevernet_when_no_undersokelse_goes_on(samtykke: Samtykke) -> None:
    subject = await child(samtykke, person=number(2, date(2009, 5, 1)))
    family = {"subject": subject, "kommune": KOMMUNE, "bruker": "ungdom", "rolle": "barn"}
    await samtykke.call("POST", "/familie", family)
    await samtykke.read(staff("barnevern"), {"subject": subject, **BARNEVERN})
    young = staff(None, "barn", sub="ungdom")
    assert await readings(samtykke, subject, young) == []
    told = await readings(samtykke, subject, young, ingen_undersokelse=True)
    assert [(r["tjeneste"], r["kategorier"]) for r in told if r["rolle"] == "fagperson"] == [
        ("barnevern", ["barnevern"])
    ]


async def test_a_reading_of_what_the_family_is_not_shown_is_not_told(samtykke: Samtykke) -> None:
    """A parent's own case is another person's, which only the content says: so the portal says what it shows."""
    subject = await child(samtykke)
    case = {
        "hendelse": "nav-1",
        "type": "no.samspor.nav.soknad.status-endret",
        "tjeneste": "nav",
        "kategori": "nav-sosial",
    }
    task = {
        "hendelse": "oppgave-1",
        "slag": "oppgave",
        "type": OPPGAVE,
        "tjeneste": "samordning",
        "kategori": "koordinering",
        "eier": "nav",
        "hviler_pa": [{"tjeneste": "nav", "kategori": "nav-sosial", "skjerming": "T"}],
    }
    await samtykke.read(staff("nav"), {"subject": subject, **case}, {"subject": subject, **task})
    assert await readings(samtykke, subject) == []
    same_id = {"id": "nav-1", "type": ABSENCE}
    assert [r for r in await readings(samtykke, subject, sett=[same_id]) if r["tjeneste"] == "nav"] == []
    shown = [{"id": "nav-1", "type": case["type"]}, {"id": "oppgave-1", "type": OPPGAVE}]
    for sett, told in (([shown[0]], ["nav-sosial"]), ([shown[1]], []), (shown, ["nav-sosial"])):
        [line] = [r for r in await readings(samtykke, subject, sett=sett) if r["tjeneste"] == "nav"]
        assert line["kategorier"] == told


async def test_each_look_at_innsyn_is_written_down_and_told_of_the_next_time(samtykke: Samtykke) -> None:
    subject = await child(samtykke)
    assert await readings(samtykke, subject) == []
    rows = await samtykke.rows("SELECT aktor, slag, formal, utfall FROM revisjon WHERE slag = 'lesing'")
    assert [tuple(row) for row in rows] == [("mor", "lesing", "innsyn", "full")]
    (own,) = await readings(samtykke, subject)
    assert (own["rolle"], own["formal"], own["utfall"]) == ("foresatt", "innsyn", "full")


async def test_somebody_elses_child_gives_nothing_and_the_asking_is_written_down(samtykke: Samtykke) -> None:
    subject = await child(samtykke)
    await samtykke.read(TEACHER, {"subject": subject, **AWAY})
    stranger = staff(None, "foresatt", sub="en-annen")
    elsewhere = staff(None, "foresatt", sub="mor", kommune="0301")
    for who in (stranger, elsewhere, TEACHER):
        assert await readings(samtykke, subject, who) == []
    rows = await samtykke.rows("SELECT utfall FROM revisjon WHERE slag = 'lesing'")
    assert [row["utfall"] for row in rows] == ["deny"] * 3
