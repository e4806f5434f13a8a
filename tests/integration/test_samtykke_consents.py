"""Consents on the real PostgreSQL: what a change does to the next call, the feed, the journal and the ledger."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from backbone.database import dedicated, driver
from backbone.journal import JournalKeys, open_row
from backbone.seal import Sealer
from backbone.settings import Settings
from backbone.tokens import issue, system_principal
from services.samtykke.endringer import announce
from tests.samtykke_fixture import (
    MEASURE,
    PUPIL,
    REFERRAL,
    Samtykke,
    number,
    running_samtykke,  # noqa: F401 - a fixture
    staff,
)


async def outcome(samtykke: Samtykke, type_: str = REFERRAL, tjeneste: str = "skole") -> str:
    (answer,) = await samtykke.decide({"type": type_}, tjeneste=tjeneste)
    found: str = answer["outcome"]
    return found


async def tick(samtykke: Samtykke, days: float = 0) -> None:
    samtykke.now += timedelta(days=days)
    async with samtykke.engine.begin() as conn:
        await samtykke.ledger.expire(await driver(conn), samtykke.now)


async def changes(samtykke: Samtykke, after: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = await samtykke.call("GET", "/endringer", etter=after, ventetid_s=0)
    return found


async def test_what_was_withdrawn_is_withdrawn_in_the_very_next_call_and_giving_again_brings_it_back(
    samtykke: Samtykke,
) -> None:
    assert await outcome(samtykke) == "withhold"
    given = await samtykke.consent()
    (child,) = await samtykke.decide({})
    item = {"subject": child["subject"], "nokkelid": child["nokkelid"]}

    async def nav_sees() -> tuple[str, bool]:
        (read,) = await samtykke.read(staff("nav"), item)
        return read["tilgang"], read["nokkel"] is not None

    assert await outcome(samtykke) == "release"
    assert await nav_sees() == ("full", True)
    withdrawn = await samtykke.call("POST", f"/samtykker/{given['samtykke']}/trekk")
    assert (withdrawn["status"], withdrawn["sekvens"]) == ("trukket", 2)
    assert await outcome(samtykke) == "withhold"
    assert await nav_sees() == ("deny", False)
    again = await samtykke.call("POST", f"/samtykker/{given['samtykke']}/gi-igjen")
    assert (again["status"], again["sekvens"]) == ("gitt", 3)
    assert await outcome(samtykke) == "release"
    assert await nav_sees() == ("full", True)


async def test_a_consent_is_the_ground_that_travels_with_the_event(samtykke: Samtykke) -> None:
    given = await samtykke.consent()
    (answer,) = await samtykke.decide({"type": REFERRAL})
    assert answer["grunnlag"] == f"samtykke:{given['samtykke']}"
    secrecy, basis = answer["grunner"]
    assert secrecy == {
        "kode": "samtykke",
        "sporsmal": "taushetsplikt",
        "bestemmelse": "forvaltningsloven-13-a-1",
        "lovversjon": answer["lovversjon"],
        "samtykke": given["samtykke"],
        "inndata": {"skjerming": "T", "egen_plikt": False, "samtykker": 1},
    }
    assert (basis["sporsmal"], basis["bestemmelse"]) == ("behandlingsgrunnlag", "gdpr-6-1-e")
    assert basis["samtykke"] is None


async def test_class_decides_without_consent_and_a_withheld_event_has_its_key_all_the_same(
    samtykke: Samtykke,
) -> None:
    pupil, absence, referral = await samtykke.decide({"type": PUPIL}, {}, {"type": REFERRAL})
    assert [a["outcome"] for a in (pupil, absence, referral)] == ["release", "shield", "withhold"]
    assert referral["nokkel"] == pupil["nokkel"]
    assert await outcome(samtykke, MEASURE, "barnevern") == "shield"


async def test_every_step_is_in_the_ledger_and_in_the_journal_with_the_same_number(
    samtykke: Samtykke,
    settings: Settings,
) -> None:
    given = await samtykke.consent(utloper=samtykke.now + timedelta(days=10))
    id_ = given["samtykke"]
    await samtykke.call("POST", f"/samtykker/{id_}/trekk", who=staff("nav"))
    await samtykke.call("POST", f"/samtykker/{id_}/gi-igjen")
    await samtykke.consent(id=id_, kategorier=["fravar"], utloper=samtykke.now + timedelta(days=11))
    await tick(samtykke, days=12)
    ledger = await samtykke.rows("SELECT slag, sekvens, aktor FROM samtykke_hendelse ORDER BY sekvens")
    assert [(r["slag"], r["sekvens"]) for r in ledger] == [
        ("gitt", 1), ("trukket", 2), ("gitt-igjen", 3), ("erstattet", 4), ("utlopt", 5),
    ]  # fmt: skip
    assert ledger[1]["aktor"] == "fagperson:nav"
    journal = await samtykke.rows("SELECT * FROM journal ORDER BY lopenr")
    assert [r["type"].removeprefix("no.samspor.samtykke.samtykke.") for r in journal] == [
        "gitt", "trukket", "gitt", "gitt", "utlopt",
    ]  # fmt: skip
    assert {r["subject"] for r in journal} == {given["subject"]}
    assert len({r["source"] for r in journal}) == 1
    conn = await dedicated(samtykke.engine)
    try:
        keys = await JournalKeys(settings, "samtykke").load(conn, {r["journalnokkel"] for r in journal})
    finally:
        await conn.close()
    last = journal[3]
    sealer = Sealer(keys[last["journalnokkel"]])
    replaced = orjson.loads(
        open_row(sealer, last["source"], last["id"], last["type"], last["innhold"]).content
    )
    assert (replaced["nokkel"], replaced["versjon"]) == (id_, 4)
    assert replaced["data"]["kategorier"] == ["fravar"]


async def test_a_repeated_sending_changes_nothing_and_a_late_one_never_gives_again(
    samtykke: Samtykke,
) -> None:
    body = samtykke.consent_body(id=str(uuid4()))
    first = await samtykke.call("POST", "/samtykker", body)
    assert await samtykke.call("POST", "/samtykker", body) == first
    await samtykke.call("POST", f"/samtykker/{body['id']}/trekk")
    assert (await samtykke.call("POST", "/samtykker", body))["status"] == "trukket"
    assert len(await samtykke.rows("SELECT 1 FROM samtykke_hendelse")) == 2
    assert len(await samtykke.rows("SELECT 1 FROM journal")) == 2


async def test_the_same_consent_sent_twice_at_once_is_one(samtykke: Samtykke) -> None:
    body = samtykke.consent_body(id=str(uuid4()))
    # A child known already and open connections: nothing else makes the eight wait for one another.
    await asyncio.gather(*(samtykke.decide({}) for _ in range(8)))
    answers = await asyncio.gather(*(samtykke.call("POST", "/samtykker", body) for _ in range(8)))
    assert {a["sekvens"] for a in answers} == {1}
    withdrawals = await asyncio.gather(
        *(samtykke.call("POST", f"/samtykker/{body['id']}/trekk") for _ in range(8))
    )
    assert {a["sekvens"] for a in withdrawals} == {2}


async def test_a_refusal_is_recorded_told_and_lifts_no_secrecy(samtykke: Samtykke) -> None:
    id_ = str(uuid4())
    refused = await samtykke.call("POST", f"/samtykker/{id_}/avslag", samtykke.consent_body())
    assert (refused["status"], refused["samtykke"]) == ("avslatt", id_)
    assert await outcome(samtykke) == "withhold"
    (row,) = await samtykke.rows("SELECT type FROM journal")
    assert row["type"].endswith("samtykke.avslatt")
    answer = await samtykke.raw("POST", f"/samtykker/{id_}/gi-igjen")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:samspor:problem:samtykke-avslatt")


async def test_a_consent_runs_out_to_the_second_at_the_gates_and_is_told_by_the_clockwork(
    samtykke: Samtykke,
) -> None:
    ends = samtykke.now + timedelta(days=1)
    given = await samtykke.consent(utloper=ends)
    position = (await changes(samtykke))["siste"]
    samtykke.now = ends - timedelta(seconds=1)
    assert await outcome(samtykke) == "release"
    samtykke.now = ends
    assert await outcome(samtykke) == "withhold"
    await tick(samtykke)
    assert (await changes(samtykke, position))["subjects"] == [given["subject"]]
    (consent,) = (await samtykke.call("GET", "/samtykker", subject=given["subject"]))["samtykker"]
    assert (consent["status"], consent["sekvens"]) == ("utlopt", 2)
    position = (await changes(samtykke))["siste"]
    await tick(samtykke)
    assert (await changes(samtykke, position))["subjects"] == []


async def test_a_consent_that_begins_later_counts_and_is_told_from_then_on(samtykke: Samtykke) -> None:
    given = await samtykke.consent(gyldig_fra=samtykke.now + timedelta(days=1))
    position = (await changes(samtykke))["siste"]
    await tick(samtykke)
    assert await outcome(samtykke) == "withhold"
    assert (await changes(samtykke, position))["subjects"] == []
    await tick(samtykke, days=1)
    assert await outcome(samtykke) == "release"
    assert (await changes(samtykke, position))["subjects"] == [given["subject"]]


async def test_a_reader_of_the_feed_misses_no_late_committer(samtykke: Samtykke) -> None:
    subjects = [uuid4() for _ in range(120)]
    seen: list[str] = []
    done = asyncio.Event()

    async def reader() -> None:
        position = 0
        while True:
            last_look = done.is_set()
            change = await samtykke.feed.after(position, 0)
            seen.extend(change["subjects"])
            position = change["siste"]
            if last_look and not change["subjects"]:
                return
            await asyncio.sleep(0.001)

    async def writer(mine: list[UUID]) -> None:
        conn = await dedicated(samtykke.engine)
        try:
            for subject in mine:
                async with conn.transaction():
                    await announce(conn, [subject])
                    await asyncio.sleep(0.001 * (subject.int % 7))  # commit at odd moments
        finally:
            await conn.close()

    reading = asyncio.create_task(reader())
    await asyncio.gather(*(writer(subjects[n::6]) for n in range(6)))
    done.set()
    await reading
    assert sorted(seen) == sorted(map(str, subjects))
    numbers = [r["sekvens"] for r in await samtykke.rows("SELECT sekvens FROM endring ORDER BY sekvens")]
    assert numbers == list(range(1, 121))


async def test_waiting_on_the_feed_ends_when_something_changes(samtykke: Samtykke) -> None:
    waiting = asyncio.create_task(samtykke.feed.after(0, 20))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    given = await samtykke.consent()
    async with asyncio.timeout(1):
        assert (await waiting)["subjects"] == [given["subject"]]


@pytest.mark.parametrize(
    ("who", "status"),
    [
        (staff("skole"), 200),
        (staff("nav", "fagsystem"), 200),
        (staff("helsestasjon"), 403),
        (staff("skole", kommune="0301"), 403),
        (staff(None, "leder"), 403),
    ],
)
async def test_a_consent_is_written_down_by_a_party_in_the_childs_municipality(
    samtykke: Samtykke,
    who: Any,
    status: int,
) -> None:
    answer = await samtykke.raw("POST", "/samtykker", samtykke.consent_body(), who)
    assert answer.status_code == status, answer.text
    given = await samtykke.consent()
    assert (await samtykke.raw("POST", f"/samtykker/{given['samtykke']}/trekk", who=who)).status_code == (
        404 if who.kommune == "0301" else status
    )


@pytest.mark.parametrize(
    ("changed", "pointer", "code"),
    [
        ({"fra_tjeneste": "politi"}, "/fra_tjeneste", "tjeneste-ukjent"),
        ({"til_tjenester": ["nav", "politi"]}, "/til_tjenester/1", "tjeneste-ukjent"),
        ({"til_tjenester": ["skole"]}, "/til_tjenester", "mottaker-mangler"),
        ({"kategorier": []}, "/kategorier", "kategori-mangler"),
        ({"kategorier": ["alt"]}, "/kategorier/0", "kategori-ukjent"),
        ({"subject": str(uuid4())}, "", "en-av-person-og-subject"),
        ({"person": number()[:-1]}, "/person", "nummer-form"),
        ({"formal": ...}, "/formal", "felt-mangler"),
        ({"ansatt": "Kari"}, "/ansatt", "felt-ukjent"),
        ({"gyldig_fra": "2026-01-01"}, "/gyldig_fra", "felt-ugyldig"),
        ({"gyldig_fra": False}, "/gyldig_fra", "felt-ugyldig"),
    ],
)
async def test_a_faulty_consent_is_answered_with_the_place_and_what_to_do_and_not_with_the_value(
    samtykke: Samtykke,
    changed: dict[str, Any],
    pointer: str,
    code: str,
) -> None:
    answer = await samtykke.raw("POST", "/samtykker", samtykke.consent_body(**changed))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (fault,) = answer.json()["feil"]
    assert (fault["peker"], fault["kode"]) == (pointer, code)
    assert fault["feil"]
    assert fault["gjor"]
    assert number()[:-1] not in answer.text
    assert await samtykke.rows("SELECT 1 FROM samtykke") == []


async def test_what_is_no_json_is_answered_with_the_line(samtykke: Samtykke) -> None:
    given = await samtykke.consent()
    token = {"authorization": (await _bearer(samtykke))}
    answer = await samtykke.http.post("/samtykke/samtykker", content=b'{\n"id" 1}', headers=token)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:samspor:problem:ikke-json")
    assert "linje 2" in answer.json()["detail"]
    assert given["sekvens"] == 1


async def _bearer(samtykke: Samtykke) -> str:
    return f"Bearer {issue(system_principal('p'), samtykke.settings, samtykke.now, timedelta(minutes=1))}"
