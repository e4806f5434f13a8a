"""A case without a number turns out to be a child that is known: what samtykke then says of both, and after parting."""

from datetime import date
from typing import Any

import pytest

from tests.samtykke_fixture import (
    KOMMUNE,
    ORGNR,
    PUPIL,
    REFERRAL,
    Samtykke,
    number,
    running_samtykke,  # noqa: F401 - a fixture
    staff,
)

SAK = "2026/17"
OTHER_ORGNR = "974767881"


async def case(samtykke: Samtykke, sak: str = SAK, **changed: Any) -> dict[str, Any]:
    (found,) = await samtykke.decide({"person": None, "sak": sak, **changed})
    return found


async def both(samtykke: Samtykke) -> tuple[str, str]:
    """(case, person), neither joined."""
    (person,) = await samtykke.decide({})
    return (await case(samtykke))["subject"], person["subject"]


async def join(samtykke: Samtykke, who: Any = None, method: str = "POST", **body: Any) -> dict[str, Any]:
    kwargs = {} if who is None else {"who": who}
    answer: dict[str, Any] = await samtykke.call(method, "/koblinger", {"kommune": KOMMUNE, **body}, **kwargs)
    return answer


async def outcome(samtykke: Samtykke, **who: Any) -> str:
    (answer,) = await samtykke.decide({"type": REFERRAL, **who})
    found: str = answer["outcome"]
    return found


async def test_what_the_family_consented_to_holds_for_the_case_from_the_joining_until_the_parting(
    samtykke: Samtykke,
) -> None:
    unborn, person = await both(samtykke)
    given = await samtykke.consent()
    sak = {"person": None, "sak": SAK}
    assert await outcome(samtykke, **sak) == "withhold"
    joined = await join(samtykke, sak=SAK, orgnr=ORGNR, person=number())
    assert joined == {"subject": unborn, "kanonisk": person, "koblet": [person, unborn]}
    assert await outcome(samtykke, **sak) == "release"
    (answer,) = await samtykke.decide(sak)
    assert answer["subject"] == unborn, "the id once given stays"
    await samtykke.call("POST", f"/samtykker/{given['samtykke']}/trekk")
    assert await outcome(samtykke, **sak) == "withhold"
    await samtykke.call("POST", f"/samtykker/{given['samtykke']}/gi-igjen")
    parted = await join(samtykke, method="DELETE", sak=SAK, orgnr=ORGNR)
    assert parted == {"subject": unborn, "kanonisk": unborn, "koblet": [unborn]}
    assert (await outcome(samtykke, **sak), await outcome(samtykke)) == ("withhold", "release")


async def test_joining_and_parting_are_told_once_to_the_feed_the_journal_and_the_ledger_about_both(
    samtykke: Samtykke,
) -> None:
    unborn, person = await both(samtykke)
    position = (await samtykke.call("GET", "/endringer", etter=0, ventetid_s=0))["siste"]
    for method in ("POST", "POST", "DELETE", "DELETE", "POST"):
        extra = {"person": number()} if method == "POST" else {}
        await join(samtykke, method=method, sak=SAK, orgnr=ORGNR, **extra)
    feed = await samtykke.call("GET", "/endringer", etter=position, ventetid_s=0)
    assert set(feed["subjects"]) == {unborn, person}
    assert feed["siste"] - position == 6, "a repeated step says nothing"
    journal = await samtykke.rows("SELECT id, type, subject::text AS subject FROM journal ORDER BY lopenr")
    assert [r["type"].rpartition(".")[2] for r in journal] == ["koblet"] * 2 + ["frakoblet"] * 2 + [
        "koblet"
    ] * 2
    assert {r["subject"] for r in journal} == {unborn, person}
    assert len({r["id"] for r in journal}) == 6
    acts = await samtykke.rows("SELECT utfall FROM revisjon WHERE slag = 'kobling' ORDER BY lopenr")
    assert [r["utfall"] for r in acts] == ["koblet", "frakoblet", "koblet"]


async def test_a_consent_that_changes_is_told_of_for_every_subject_of_the_child(samtykke: Samtykke) -> None:
    unborn, person = await both(samtykke)
    await join(samtykke, subject=unborn, til=person)
    position = (await samtykke.call("GET", "/endringer", etter=0, ventetid_s=0))["siste"]
    await samtykke.consent()
    feed = await samtykke.call("GET", "/endringer", etter=position, ventetid_s=0)
    assert set(feed["subjects"]) == {unborn, person}


async def test_readers_meet_one_child_and_the_keys_stay_each_subjects_own(samtykke: Samtykke) -> None:
    await samtykke.call("POST", "/personer", {"person": number(), "kommune": KOMMUNE, "navn": "Nora Vik"})
    found = await case(samtykke, type=PUPIL)
    unborn = found["subject"]
    (known,) = await samtykke.decide({"type": PUPIL})
    person = known["subject"]
    await samtykke.call(
        "POST",
        "/tildelinger",
        {"person": number(), "kommune": KOMMUNE, "koordinator": "k", "rolle": "koordinator"},
    )
    coordinator = staff(None, "koordinator", sub="k")
    item = {"subject": unborn, "nokkelid": found["nokkelid"], "type": PUPIL, "skjerming": "N"}

    async def sees() -> str:
        (read,) = await samtykke.read(coordinator, item)
        assert read["nokkel"] == (found["nokkel"] if read["tilgang"] == "full" else None)
        tilgang: str = read["tilgang"]
        return tilgang

    assert await sees() == "deny"
    await join(samtykke, subject=unborn, til=person)
    assert await sees() == "full"
    names = await samtykke.call(
        "POST", "/navn", {"viewer": coordinator.model_dump(), "subjects": [unborn, person]}
    )
    assert names["navn"] == {unborn: "Nora Vik", person: "Nora Vik"}
    hand_out = {"subject": unborn, "nokkelider": [found["nokkelid"], known["nokkelid"]]}
    (keys,) = (await samtykke.call("POST", "/nokler", {"formal": "samordning", "items": [hand_out]}))["items"]
    assert keys["koblet"] == [person, unborn]
    assert list(keys["nokler"]) == [found["nokkelid"]], "another subject's key goes with that subject alone"
    await join(samtykke, method="DELETE", subject=unborn)
    assert await sees() == "deny"


async def test_a_chain_of_joinings_has_one_canonical_subject_and_parts_where_it_is_cut(
    samtykke: Samtykke,
) -> None:
    unborn, person = await both(samtykke)
    second = (await case(samtykke, "2026/18"))["subject"]
    await join(samtykke, subject=second, til=unborn)
    joined = await join(samtykke, subject=unborn, til=person)
    assert joined["kanonisk"] == person
    assert set(joined["koblet"]) == {person, unborn, second}
    await join(samtykke, method="DELETE", subject=unborn)
    rows = await samtykke.rows("SELECT subject::text AS subject, kanonisk::text AS kanonisk FROM person")
    assert {r["subject"]: r["kanonisk"] for r in rows} == {person: None, unborn: unborn, second: unborn}


async def test_what_is_known_of_the_person_decides_for_the_case_too(samtykke: Samtykke) -> None:
    """Too old for events, and protected: by birth date and address that the case never had."""
    grown = {"person": number(1, date(2000, 3, 14))}
    (person,) = await samtykke.decide({**grown, "time": samtykke.now.replace(year=2015)})
    unborn = (await case(samtykke))["subject"]
    await join(samtykke, subject=unborn, til=person["subject"])
    (answer,) = await samtykke.decide({"person": None, "sak": SAK})
    assert answer["grunner"][0]["kode"] == "for-gammel"


async def test_a_protected_address_hides_the_child_from_name_search_under_every_subject(
    samtykke: Samtykke,
) -> None:
    (open_,) = await samtykke.decide({"person": number(2)})
    (hidden,) = await samtykke.decide({"person": number(3)})
    for serial, protected in ((2, False), (3, True)):
        body = {
            "person": number(serial),
            "kommune": KOMMUNE,
            "navn": "Ada Li",
            "adressebeskyttelse": protected,
        }
        await samtykke.call("POST", "/personer", body)
    search = {"viewer": staff("skole").model_dump(), "navn": "ada li"}
    assert (await samtykke.call("POST", "/sok", search))["subjects"] == [open_["subject"]]
    await join(samtykke, subject=open_["subject"], til=hidden["subject"])
    assert (await samtykke.call("POST", "/sok", search))["subjects"] == []
    by_number = {"viewer": staff("skole").model_dump(), "person": number(2)}
    assert (await samtykke.call("POST", "/sok", by_number))["subjects"] == [hidden["subject"]]
    (read,) = await samtykke.read(staff("skole"), {"subject": open_["subject"]})
    assert "uten-sted" in read["vilkar"]


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        (staff("skole"), {"sak": SAK, "person": number()}, 200),
        (staff("skole", "fagsystem"), {"sak": SAK, "person": number()}, 200),
        (staff("skole", orgnr=OTHER_ORGNR), {"sak": SAK, "person": number()}, 422),
        (staff("skole"), {"sak": SAK, "orgnr": OTHER_ORGNR, "person": number()}, 403),
        (staff("skole", kommune="0301"), {"sak": SAK, "person": number()}, 403),
        (staff("skole"), {"subject": "5f0c1f3e-0000-4000-8000-000000000002", "person": number()}, 403),
        (staff(None, "leder"), {"sak": SAK, "person": number()}, 403),
        (staff("skole"), {"sak": SAK}, 422),
    ],
)
async def test_a_service_joins_its_own_case_to_a_number_and_nothing_else(
    samtykke: Samtykke, who: Any, body: dict[str, Any], status: int
) -> None:
    await both(samtykke)
    answer = await samtykke.raw("POST", "/koblinger", {"kommune": KOMMUNE, **body}, who)
    assert answer.status_code == status, answer.text
    assert number() not in answer.text


async def test_what_makes_no_sense_is_said_no_to_with_words(samtykke: Samtykke) -> None:
    unborn, person = await both(samtykke)
    (elsewhere,) = await samtykke.decide({"kommune": "0301"})
    third = (await case(samtykke, "2026/18"))["subject"]
    await join(samtykke, subject=unborn, til=person)

    async def says(**body: Any) -> str:
        method = "POST" if "til" in body else "DELETE"
        answer = (await samtykke.raw(method, "/koblinger", {"kommune": KOMMUNE, **body})).json()
        code: str = answer["feil"][0]["kode"] if "feil" in answer else answer["type"].rpartition(":")[2]
        return code

    assert await says(subject=unborn, til=unborn) == "samme-subject"
    assert await says(subject=person, til=unborn) == "alt-samme-barn"
    assert await says(subject=unborn, til=third) == "alt-koblet"
    assert await says(subject=third, til=elsewhere["subject"]) == "ukjent-barn"
    assert await says(subject=person) == "koblet-til-denne"
    await samtykke.rows("UPDATE person SET status = 'sperret' WHERE subject = $1", third)
    assert await says(subject=third, til=person) == "koble-sperret"
