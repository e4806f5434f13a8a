"""The read gate and the key calls on the real PostgreSQL: who sees what, under which key, and what is logged."""

import re
from base64 import b64decode
from datetime import date
from typing import Any
from uuid import uuid4

import orjson
import pytest

from backbone.seal import open_sealed, seal
from tests.samtykke_fixture import (
    KOMMUNE,
    MEASURE,
    ORGNR,
    PUPIL,
    Samtykke,
    number,
    running_samtykke,  # noqa: F401 - a fixture
    staff,
)


async def published(samtykke: Samtykke, type_: str, tjeneste: str) -> dict[str, Any]:
    """A read item for an event of that type that has gone through the publish gate."""
    (answer,) = await samtykke.decide({"type": type_}, tjeneste=tjeneste)
    x = tjeneste == "barnevern"
    return {
        "subject": answer["subject"],
        "nokkelid": answer["nokkelid"],
        "type": type_,
        "tjeneste": tjeneste,
        "kategori": "barnevern" if x else "skolegang",
        "skjerming": "X" if x else "N",
    }


async def test_a_reader_is_handed_the_key_that_opens_what_she_may_read(samtykke: Samtykke) -> None:
    (answer,) = await samtykke.decide({"type": PUPIL})
    blob = seal(b64decode(answer["nokkel"]), b"innhold", b"aad")
    item = await published(samtykke, PUPIL, "skole")
    (read,) = await samtykke.read(staff("nav"), item)
    assert open_sealed(b64decode(read["nokkel"]), blob, b"aad") == b"innhold"


async def test_another_municipality_is_denied_and_the_attempt_is_logged(samtykke: Samtykke) -> None:
    item = await published(samtykke, PUPIL, "skole")
    stranger = staff("skole", kommune="0301")
    claims = [item, {**item, "kommune": "0301"}]
    for read in await samtykke.read(stranger, *claims):
        assert (read["tilgang"], read["nokkel"]) == ("deny", None)
    logged = await samtykke.rows("SELECT * FROM revisjon WHERE handling = 'lesing' ORDER BY lopenr")
    assert [(r["utfall"], r["grunn"], r["kommune"]) for r in logged] == [
        ("deny", "annen-kommune", "0301")
    ] * 2


async def test_every_item_is_logged_with_who_what_why_and_trace(samtykke: Samtykke) -> None:
    pupil = await published(samtykke, PUPIL, "skole")
    measure = await published(samtykke, MEASURE, "barnevern")
    await samtykke.read(staff("nav"), pupil, measure)
    permitted, denied = await samtykke.rows(
        "SELECT * FROM revisjon WHERE handling = 'lesing' ORDER BY lopenr"
    )
    assert (permitted["utfall"], permitted["type"], permitted["grunn"]) == ("full", PUPIL, "administrativ")
    assert (denied["utfall"], denied["type"]) == ("deny", MEASURE)
    for row in (permitted, denied):
        assert str(row["subject"]) == pupil["subject"]
        assert (row["aktor"], row["rolle"], row["tjeneste"]) == ("fagperson:nav", "fagperson", "nav")
        assert (row["orgnr"], row["formal"], row["sporing"], row["tid"]) == (
            ORGNR, "oppfolging", "4bf92f35", samtykke.now,
        )  # fmt: skip


async def test_the_type_decides_and_not_what_the_caller_says_of_it(samtykke: Samtykke) -> None:
    measure = await published(samtykke, MEASURE, "barnevern")
    dressed_up = {**measure, "tjeneste": "skole", "kategori": "skolegang", "skjerming": "N"}
    pupil = await published(samtykke, PUPIL, "skole")
    others_key = {**pupil, "nokkelid": measure["nokkelid"]}
    (elsewhere,) = await samtykke.decide({"person": number(2), "type": PUPIL})
    others_child = {**pupil, "nokkelid": elsewhere["nokkelid"]}
    reads = await samtykke.read(staff("skole"), dressed_up, others_key, others_child)
    assert [(r["tilgang"], r["nokkel"]) for r in reads] == [("deny", None)] * 3
    assert [r["grunner"][0]["kode"] for r in reads[1:]] == ["nokkel-passer-ikke"] * 2


async def test_a_coordinator_reads_while_appointed_and_sees_status_of_barnevern_only_with_the_right(
    samtykke: Samtykke,
) -> None:
    pupil, measure = (
        await published(samtykke, PUPIL, "skole"),
        await published(samtykke, MEASURE, "barnevern"),
    )
    plain, trusted = staff(None, "koordinator"), staff(None, "koordinator", skjermet=True)

    async def sees(viewer: Any) -> list[str]:
        return [r["tilgang"] for r in await samtykke.read(viewer, pupil, measure)]

    assert await sees(plain) == ["deny", "deny"]
    body = {"person": number(), "kommune": KOMMUNE, "koordinator": plain.sub, "rolle": "barnekoordinator"}
    await samtykke.call("POST", "/tildelinger", body)
    mine = await samtykke.call("GET", "/tildelinger", koordinator=plain.sub)
    assert mine == {"subjects": [pupil["subject"]]}
    assert await sees(plain) == ["full", "deny"]
    assert await sees(trusted) == ["full", "status"]
    assert await sees(plain.model_copy(update={"sub": "en annen"})) == ["deny", "deny"]
    await samtykke.call("DELETE", "/tildelinger", body)
    assert await sees(trusted) == ["deny", "deny"]


async def test_a_task_is_opened_with_the_childs_samordning_key(samtykke: Samtykke) -> None:
    (answer,) = await samtykke.decide({})
    (keys,) = (
        await samtykke.call(
            "POST",
            "/nokler",
            {"formal": "samordning", "items": [{"subject": answer["subject"], "nokkelider": []}]},
        )
    )["items"]
    task = {
        "subject": answer["subject"],
        "slag": "oppgave",
        "type": "samarbeid",
        "tjeneste": "samordning",
        "nokkelid": keys["samordning"]["nokkelid"],
        "eier": "skole",
        "hviler_pa": [{"tjeneste": "skole", "kategori": "fravar", "skjerming": "T"}],
    }
    owner, other = await samtykke.read(staff("skole"), task, {**task, "eier": "nav"})
    assert (owner["tilgang"], owner["nokkel"]) == ("full", keys["samordning"]["nokkel"])
    assert (other["tilgang"], other["nokkel"]) == ("deny", None)


async def test_coordination_gets_the_keys_it_names_of_that_child_alone(samtykke: Samtykke) -> None:
    one, two = await samtykke.decide({}, {"person": number(2)})
    items = [
        {"subject": one["subject"], "nokkelider": [one["nokkelid"], two["nokkelid"], str(uuid4())]},
        {"subject": str(uuid4()), "nokkelider": [two["nokkelid"]]},
    ]
    known, unknown = (await samtykke.call("POST", "/nokler", {"formal": "samordning", "items": items}))[
        "items"
    ]
    assert known["status"] == "aktiv"
    assert known["nokler"] == {one["nokkelid"]: one["nokkel"]}
    assert unknown == {"subject": items[1]["subject"], "status": "sperret", "nokler": {}, "samordning": None}
    (logged,) = await samtykke.rows("SELECT * FROM revisjon WHERE formal = 'samordning'")
    assert (logged["aktor"], logged["detaljer"]) == ("system:prove", {"barn": 1, "nokler": 1})


@pytest.mark.parametrize("status", ["sperret", "slettet"])
async def test_a_blocked_or_erased_child_yields_neither_keys_nor_reading(
    samtykke: Samtykke, status: str
) -> None:
    item = await published(samtykke, PUPIL, "skole")
    await samtykke.rows("UPDATE person SET status = $1", status)
    body = {
        "formal": "samordning",
        "items": [{"subject": item["subject"], "nokkelider": [item["nokkelid"]]}],
    }
    (keys,) = (await samtykke.call("POST", "/nokler", body))["items"]
    assert (keys["status"], keys["nokler"], keys["samordning"]) == (status, {}, None)
    (read,) = await samtykke.read(staff("skole"), item)
    assert (read["tilgang"], read["nokkel"]) == ("deny", None)
    (answer,) = await samtykke.decide({"type": PUPIL})
    assert answer["outcome"] == ("withhold" if status == "sperret" else "refuse")


async def test_consents_are_shown_without_betraying_a_tie_to_barnevern(samtykke: Samtykke) -> None:
    (child,) = await samtykke.decide({})
    await samtykke.consent()
    await samtykke.consent(
        fra_tjeneste="barnevern", til_tjenester=["nav"], kategorier=["barnevern"], foreldreansvar="alene"
    )

    async def senders(viewer: Any) -> set[str]:
        body = {"viewer": viewer.model_dump(), "subject": child["subject"]}
        answer = await samtykke.call("POST", "/samtykker/lesing", body)
        return {c["fra_tjeneste"] for c in answer["samtykker"]}

    assert await senders(staff("skole")) == {"skole"}
    assert await senders(staff("nav")) == {"skole", "barnevern"}
    assert await senders(staff("helsestasjon")) == set()
    own = await samtykke.call("GET", "/samtykker", who=staff("skole"), subject=child["subject"])
    assert {c["fra_tjeneste"] for c in own["samtykker"]} == {"skole"}


async def test_a_guardian_is_not_told_of_what_a_young_person_consents_to_herself(samtykke: Samtykke) -> None:
    girl = number(2, date(2010, 3, 14))  # 16
    guardian = staff(None, "foresatt", sub="far")
    family = {"person": girl, "kommune": KOMMUNE, "bruker": "far", "rolle": "forelder"}
    subject = (await samtykke.call("POST", "/familie", family))["subject"]
    body = {"viewer": guardian.model_dump(), "subject": subject}
    event = {"subject": subject, "type": "no.samspor.samtykke.samtykke.gitt", "tjeneste": "samtykke",
             "kategori": "samtykke", "skjerming": "N"}  # fmt: skip

    async def sees() -> tuple[set[str], str]:
        listed = (await samtykke.call("POST", "/samtykker/lesing", body))["samtykker"]
        (read,) = await samtykke.read(guardian, event)
        return {c["formal"] for c in listed}, read["tilgang"]

    await samtykke.consent(person=girl, formal="foreldrenes")
    assert await sees() == ({"foreldrenes"}, "full")
    health: dict[str, Any] = {
        "fra_tjeneste": "helsestasjon",
        "kategorier": ["helseoppfolging"],
        "hvem": "selv",
    }
    await samtykke.consent(person=girl, til_tjenester=["foresatt"], formal="hun lar ham", **health)
    assert await sees() == ({"foreldrenes", "hun lar ham"}, "full")
    own = await samtykke.consent(person=girl, til_tjenester=["skole"], formal="hennes egen sak", **health)
    assert await sees() == ({"foreldrenes", "hun lar ham"}, "deny")
    await samtykke.call("POST", f"/samtykker/{own['samtykke']}/trekk")
    assert await sees() == ({"foreldrenes", "hun lar ham"}, "deny")


@pytest.mark.parametrize("path", ["/avgjorelser", "/nokler", "/lesinger", "/personer", "/navn", "/sok"])
async def test_what_is_internal_is_closed_to_everybody_else(samtykke: Samtykke, path: str) -> None:
    for who in (staff("skole"), staff("skole", "fagsystem"), staff(None, "drift"), staff(None, "revisor")):
        assert (await samtykke.raw("POST", path, {}, who)).status_code == 403
    assert (await samtykke.http.post(f"/samtykke{path}", content=b"{}")).status_code == 401


async def test_the_description_of_the_api_names_every_field_it_takes_and_refers_to_nothing_missing(
    samtykke: Samtykke,
) -> None:
    document = (await samtykke.http.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    text = orjson.dumps(document).decode()
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= schemas.keys()
    item = schemas["LesingItem"]["properties"]
    assert {"subject", "slag", "nokkelid", "hviler_pa"} <= item.keys()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            named = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path)), path
    consent = document["paths"]["/samtykke/samtykker"]["post"]
    assert "kategorier" in consent["requestBody"]["content"]["application/json"]["schema"]["properties"]
