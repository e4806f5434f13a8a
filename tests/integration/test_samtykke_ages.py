"""Birthdays, both guardians and the family's own hand, on the real PostgreSQL with a clock that the test sets."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from backbone.clock import OSLO
from backbone.database import driver
from backbone.settings import Settings
from backbone.tokens import Principal
from services.samtykke.alder import birthday
from services.samtykke.samtykker import fold
from tests.copies import found
from tests.samtykke_fixture import (
    KOMMUNE,
    ORGNR,
    REFERRAL,
    Samtykke,
    number,
    running_samtykke,  # noqa: F401 - a fixture
    staff,
)

NURSE = "no.samspor.helsestasjon.oppfolging.utvidet"  # H, takes both parents
PROGRAMME = "no.samspor.helsestasjon.konsultasjon.gjennomfort"  # H
PARENT, OTHER, STRANGER, CHILD = ("demo:mor", "demo:far", "demo:nabo", "demo:barn")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A municipality where transitions are the parents' until 18, whoever tells of them."""
    return settings.model_copy(update={"aldersregler": {"overgang": {"foreldre_til": 18}}})


def turning(samtykke: Samtykke, years: int, days: int = 1) -> date:
    """The birth date of somebody who turns `years` in `days` days."""
    today = samtykke.now.astimezone(OSLO).date() + timedelta(days=days)
    return today.replace(year=today.year - years)


def family(sub: str) -> Principal:
    rolle: Any = "barn" if sub == CHILD else "foresatt"
    return Principal(sub=sub, rolle=rolle, orgnr=ORGNR, kommune=KOMMUNE)


async def known(samtykke: Samtykke, person: str) -> str:
    subject = ""
    for sub, rolle in ((PARENT, "forelder"), (OTHER, "forelder"), (CHILD, "barn")):
        body = {"person": person, "kommune": KOMMUNE, "bruker": sub, "rolle": rolle}
        subject = (await samtykke.call("POST", "/familie", body))["subject"]
    return subject


async def tick(samtykke: Samtykke) -> None:
    async with samtykke.engine.begin() as conn:
        db = await driver(conn)
        await samtykke.ledger.expire(db, samtykke.now)
        await samtykke.ledger.birthdays(db, samtykke.now)


async def outcome(samtykke: Samtykke, person: str, type_: str = REFERRAL, tjeneste: str = "skole") -> str:
    (answer,) = await samtykke.decide({"type": type_, "person": person}, tjeneste=tjeneste)
    found: str = answer["outcome"]
    return found


async def told(samtykke: Samtykke) -> list[str]:
    rows = await samtykke.rows("SELECT type FROM journal ORDER BY lopenr")
    return [row["type"].removeprefix("no.samspor.samtykke.") for row in rows]


async def test_at_18_a_parents_consent_ends_to_the_second_and_the_birthday_is_told_once(
    samtykke: Samtykke,
) -> None:
    born = turning(samtykke, 18)
    person = number(4, born)
    given = await samtykke.consent(person=person)
    samtykke.now = birthday(born, 18) - timedelta(seconds=1)
    await tick(samtykke)
    assert await outcome(samtykke, person) == "release"
    samtykke.now = birthday(born, 18)
    assert await outcome(samtykke, person) == "withhold", "the gate looks at the clock itself"
    position = (await samtykke.call("GET", "/endringer", etter=0, ventetid_s=0))["siste"]
    await tick(samtykke)
    await tick(samtykke)
    assert await told(samtykke) == [
        "samtykke.gitt", "kontekst.fodselsdag-passert", "samtykke.utlopt", "kontekst.fodselsdag-passert",
    ]  # fmt: skip
    feed = await samtykke.call("GET", "/endringer", etter=position, ventetid_s=0)
    assert feed["subjects"] == [given["subject"]]


async def test_at_16_health_falls_out_of_a_parents_consent_and_the_rest_stays(samtykke: Samtykke) -> None:
    born = turning(samtykke, 16)
    person = number(4, born)
    given = await samtykke.consent(
        person=person, fra_tjeneste="helsestasjon", kategorier=["helseprogram", "overgang"]
    )
    moved = "no.samspor.helsestasjon.journal.overfort"

    async def both_kinds() -> list[str]:
        return [await outcome(samtykke, person, t, "helsestasjon") for t in (PROGRAMME, moved)]

    assert await both_kinds() == ["release", "release"]
    samtykke.now = birthday(born, 16)
    assert await both_kinds() == ["withhold", "release"]
    await tick(samtykke)
    (held,) = (await samtykke.call("GET", "/samtykker", subject=given["subject"]))["samtykker"]
    assert (held["status"], held["kategorier"], held["sekvens"]) == ("gitt", ["overgang"], 2)
    steps = (await samtykke.call("GET", f"/samtykker/{given['samtykke']}/historikk"))["historikk"]
    assert [(s["steg"], s["kategorier"]) for s in steps] == [
        ("gitt", ["helseprogram", "overgang"]),
        ("innsnevret", ["overgang"]),
    ]
    assert await told(samtykke) == [
        "samtykke.gitt", "samtykke.gitt", "kontekst.fodselsdag-passert",
    ]  # fmt: skip


async def test_a_long_sleep_misses_no_birthday_and_repeats_none(samtykke: Samtykke) -> None:
    born = turning(samtykke, 15)
    await samtykke.decide({"person": number(4, born)})
    samtykke.now += timedelta(days=3 * 366)
    await tick(samtykke)
    await tick(samtykke)
    rows = await samtykke.rows("SELECT id, tid FROM journal ORDER BY tid")
    assert [row["id"].rpartition(".")[2] for row in rows] == ["15", "16", "18"]
    assert [row["tid"] for row in rows] == [birthday(born, years) for years in (15, 16, 18)]


@pytest.mark.parametrize(
    ("years", "days", "known_by"),
    [
        (14, -1, []),
        (15, 1, []),
        (16, 0, ["16"]),
        (16, -1, ["16"]),
        (18, 1, ["16"]),
        (18, 0, ["18"]),
        (19, 0, ["18"]),
    ],
)
async def test_with_only_majority_ahead_the_limit_passed_last_is_told_once_at_registration(
    samtykke: Samtykke, years: int, days: int, known_by: list[str]
) -> None:
    born = turning(samtykke, years, days)
    for _ in range(2):
        await samtykke.decide({"person": number(4, born)})
        await tick(samtykke)
    rows = await samtykke.rows("SELECT id, tid FROM journal ORDER BY tid")
    assert [row["id"].rpartition(".")[2] for row in rows] == known_by
    assert [row["tid"] for row in rows] == [birthday(born, int(age)) for age in known_by]


async def test_nothing_that_was_written_down_of_a_consent_lies_in_clear(samtykke: Samtykke) -> None:
    words: dict[str, Any] = {name: f"kanari-{name}" for name in ("formal", "metode", "tekstversjon", "giver")}
    said: dict[str, Any] = {
        "barnets_syn": "uenig",
        "rettsgrunnlag": "kanari-grunnlag",
        "bevis_sha256": "ab" * 32,
    }
    given = await samtykke.consent(**words, **said)
    for table in ("samtykke", "samtykke_hendelse"):
        (row,) = await samtykke.rows(f"SELECT t::text AS alt FROM {table} t")
        assert found(("kanari", "uenig", "ab" * 32), row["alt"].encode()) == set(), table
    path = f"/samtykker/{given['samtykke']}/historikk"
    (held,) = (await samtykke.call("GET", "/samtykker", subject=given["subject"]))["samtykker"]
    assert (held["formal"], held["metode"], held["barnets_syn"]) == (
        "kanari-formal",
        "kanari-metode",
        "uenig",
    )
    assert len((await samtykke.call("GET", path))["historikk"]) == 1

    await samtykke.kjerne.keys.destroy(UUID(given["subject"]))
    assert (await samtykke.call("GET", "/samtykker", subject=given["subject"]))["samtykker"] == []
    samtykke.now += timedelta(days=20 * 366)
    await tick(samtykke)
    keys = await samtykke.rows(
        "SELECT 1 FROM datanokkel WHERE subject = $1", UUID(given["subject"]), database="nokler"
    )
    assert keys == [], "reading and the clockwork make no key for a child whose keys are destroyed"


async def test_a_case_joined_to_a_person_loses_what_her_age_takes_from_its_parents(
    samtykke: Samtykke,
) -> None:
    (case,) = await samtykke.decide({"person": None, "sak": "2026/1"})
    born = turning(samtykke, 18, days=-30)
    (person,) = await samtykke.decide({"person": number(4, born)})
    body = samtykke.consent_body(subject=case["subject"])
    del body["person"]
    given = await samtykke.call("POST", "/samtykker", body)
    join = {"kommune": KOMMUNE, "subject": case["subject"], "til": person["subject"]}
    await samtykke.call("POST", "/koblinger", join)
    (held,) = (await samtykke.call("GET", "/samtykker", subject=person["subject"]))["samtykker"]
    assert (held["samtykke"], held["status"]) == (given["samtykke"], "utlopt")


async def test_what_takes_both_parents_is_given_when_the_second_gives_hers(samtykke: Samtykke) -> None:
    person = number(5, turning(samtykke, 8))
    subject = await known(samtykke, person)
    body = samtykke.consent_body(
        fra_tjeneste="helsestasjon", kategorier=["helseoppfolging"], subject=subject, person=...
    )
    first = await samtykke.call("POST", "/samtykker", body, family(PARENT))
    id_ = first["samtykke"]
    assert first["status"] == "venter"
    assert await outcome(samtykke, person, NURSE, "helsestasjon") == "withhold"
    again = await samtykke.raw("POST", f"/samtykker/{id_}/tiltre", {}, family(PARENT))
    assert (again.status_code, again.json()["type"]) == (409, "urn:samspor:problem:samme-forelder")
    assert (await samtykke.raw("POST", f"/samtykker/{id_}/tiltre", {}, family(STRANGER))).status_code == 403
    both = await samtykke.call("POST", f"/samtykker/{id_}/tiltre", {}, family(OTHER))
    assert both["status"] == "gitt"
    assert await outcome(samtykke, person, NURSE, "helsestasjon") == "release"
    withdrawn = await samtykke.call("POST", f"/samtykker/{id_}/trekk", who=family(OTHER))
    assert withdrawn["status"] == "trukket", "either of them may withdraw"
    again = await samtykke.call("POST", f"/samtykker/{id_}/gi-igjen", who=family(OTHER))
    assert again["status"] == "venter", "and giving again takes both again"
    assert await told(samtykke) == ["samtykke.gitt", "samtykke.trukket"], "one parent alone changes nothing"
    async with samtykke.engine.begin() as conn:
        db = await driver(conn)
        history = await samtykke.ledger.history(
            db, (await samtykke.rows("SELECT samtykke FROM samtykke"))[0][0]
        )
        (stands,) = await samtykke.ledger.of_child(
            db, [(await samtykke.rows("SELECT subject FROM samtykke"))[0][0]]
        )
    assert fold(stands.id, stands.subject, history) == stands


@pytest.mark.parametrize(
    ("sub", "changed", "code"),
    [
        (PARENT, {}, None),
        (CHILD, {"hvem": "selv"}, None),
        (STRANGER, {}, "ikke-eget-barn"),
        (PARENT, {"hvem": "selv"}, "ikke-din-rolle"),
        (PARENT, {"hvem": "begge-foreldre"}, "ikke-din-rolle"),
        (CHILD, {"hvem": "forelder"}, "ikke-din-rolle"),
        (PARENT, {"giver": OTHER}, "ikke-din-rolle"),
        (PARENT, {"kommune": "0301"}, "annen-kommune"),
        (
            CHILD,
            {"hvem": "selv", "fra_tjeneste": "helsestasjon", "kategorier": ["helseprogram"]},
            "barnet-for-ungt",
        ),
    ],
)
async def test_the_family_speaks_for_its_own_child_as_what_it_is(
    samtykke: Samtykke, sub: str, changed: dict[str, Any], code: str | None
) -> None:
    person = number(5, turning(samtykke, 16, days=5))
    subject = await known(samtykke, person)
    body = {**samtykke.consent_body(subject=subject, person=...), **changed}
    answer = await samtykke.raw("POST", "/samtykker", body, family(sub))
    said = None if answer.is_success else answer.json()["type"].rpartition(":")[2]
    assert said == code, answer.text


async def test_a_family_sees_changes_and_refuses_what_is_its_own_alone(samtykke: Samtykke) -> None:
    person = number(5, turning(samtykke, 17))
    subject = await known(samtykke, person)
    by_parent = await samtykke.consent(person=person)
    by_child = await samtykke.consent(person=person, hvem="selv", til_tjenester=["foresatt"])

    async def sees(sub: str) -> list[str]:
        answer = await samtykke.call("GET", "/samtykker", who=family(sub), subject=subject)
        return [one["samtykke"] for one in answer["samtykker"]]

    assert await sees(PARENT) == [by_parent["samtykke"]]
    assert await sees(CHILD) == [by_child["samtykke"]]
    assert (await samtykke.raw("GET", "/samtykker", who=family(STRANGER), subject=subject)).status_code == 403
    path = f"/samtykker/{by_child['samtykke']}/trekk"
    assert (await samtykke.raw("POST", path, who=family(PARENT))).status_code == 403
    assert (await samtykke.call("POST", path, who=family(CHILD)))["status"] == "trukket"
    body = samtykke.consent_body(subject=subject, person=...)
    id_ = "5f0c1f3e-0000-4000-8000-00000000000a"
    refused = await samtykke.call("POST", f"/samtykker/{id_}/avslag", body, family(PARENT))
    assert refused["status"] == "avslatt"
    children = await samtykke.call("GET", "/familie", bruker=PARENT)
    assert children["subjects"] == [subject]


async def test_a_child_sees_its_own_by_age_and_a_guardian_until_then(samtykke: Samtykke) -> None:
    born = turning(samtykke, 12)
    person = number(5, born)
    subject = await known(samtykke, person)
    (sent,) = await samtykke.decide({"person": person, "type": PROGRAMME}, tjeneste="helsestasjon")
    item = {
        "subject": subject, "type": PROGRAMME, "tjeneste": "helsestasjon", "kategori": "helseprogram",
        "skjerming": "H", "nokkelid": sent["nokkelid"],
    }  # fmt: skip

    async def see(sub: str) -> tuple[str, bool]:
        (read,) = await samtykke.read(family(sub), item)
        return read["tilgang"], read["nokkel"] is not None

    assert (await see(PARENT), await see(CHILD)) == (("full", True), ("deny", False))
    samtykke.now = birthday(born, 12)
    assert (await see(PARENT), await see(STRANGER)) == (("status", False), ("deny", False))
    samtykke.now = birthday(born, 16)
    assert (await see(PARENT), await see(CHILD)) == (("deny", False), ("full", True))


async def test_one_parents_consent_from_a_service_must_say_which_parent(samtykke: Samtykke) -> None:
    body = samtykke.consent_body(fra_tjeneste="helsestasjon", kategorier=["helseoppfolging"])
    nurse = staff("helsestasjon")
    answer = await samtykke.raw("POST", "/samtykker", body, nurse)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "giver-mangler")
    assert (await samtykke.call("POST", "/samtykker", {**body, "foreldreansvar": "alene"}, nurse))[
        "status"
    ] == "gitt"
    first = await samtykke.call("POST", "/samtykker", {**body, "giver": "mor"}, nurse)
    assert first["status"] == "venter"
    both = await samtykke.call("POST", f"/samtykker/{first['samtykke']}/tiltre", {"giver": "far"}, nurse)
    assert both["status"] == "gitt"
