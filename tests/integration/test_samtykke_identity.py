"""Who is this: subjects and keys on the real PostgreSQL, and what a thief of the database would find."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event

from contracts.personnummer import is_valid
from services.samtykke.tables import metadata, nokler_metadata
from tests.conftest import NOW
from tests.samtykke_fixture import KOMMUNE, Samtykke, number, running_samtykke, staff  # noqa: F401 - a fixture

NAVN = "Kari Løvås Nordmann"


async def test_two_relays_that_meet_the_same_children_at_once_get_the_same_subjects_and_keys(
    samtykke: Samtykke,
) -> None:
    children = [{"person": number(n)} for n in range(60)]
    one, other, reverse = await asyncio.gather(
        samtykke.decide(*children),
        samtykke.decide(*children),
        samtykke.decide(*reversed(children)),
    )
    assert len({a["subject"] for a in one}) == len({a["nokkelid"] for a in one}) == 60
    assert [a["nokkel"] for a in one] == [a["nokkel"] for a in other]
    assert (
        [a["subject"] for a in one]
        == [a["subject"] for a in other]
        == [a["subject"] for a in reversed(reverse)]
    )


async def test_each_service_has_a_key_of_its_own_and_each_municipality_a_subject_of_its_own(
    samtykke: Samtykke,
) -> None:
    (school, elsewhere) = await samtykke.decide({}, {"kommune": "0301"})
    (nav,) = await samtykke.decide({"type": "no.samspor.nav.vilkar.satt"}, tjeneste="nav")
    assert school["subject"] == nav["subject"] != elsewhere["subject"]
    assert school["nokkelid"] != nav["nokkelid"]
    assert school["nokkel"] != nav["nokkel"]


async def test_a_case_without_a_number_is_a_subject_of_that_organisation_and_case_alone(
    samtykke: Samtykke,
) -> None:
    same, again, other_case, other_house = await samtykke.decide(
        {"person": None, "sak": "2026/1"},
        {"person": None, "sak": "2026/1"},
        {"person": None, "sak": "2026/2"},
        {"person": None, "sak": "2026/1", "orgnr": "974767881"},
    )
    assert same["subject"] == again["subject"]
    assert len({a["subject"] for a in (same, other_case, other_house)}) == 3


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"person": "12345678901"}, "nummer-kontroll"),
        ({"person": "abc"}, "nummer-form"),
        ({"person": None}, "uten-identitet"),
        ({"person": number(1, date(1999, 1, 1))}, "for-gammel"),
        ({"type": "no.samspor.skole.vilkar.satt"}, "ukjent-type"),
        ({"type": "no.samspor.nav.vilkar.satt"}, "ukjent-type"),
        ({"person": None, "subject": "5f0c1f3e-0000-4000-8000-000000000002"}, "ukjent-barn"),
    ],
)
async def test_what_has_no_basis_is_refused_with_its_reason_and_without_key(
    samtykke: Samtykke,
    changed: dict[str, str | None],
    code: str,
) -> None:
    (answer,) = await samtykke.decide(changed)
    assert answer["outcome"] == "refuse"
    assert [g["kode"] for g in answer["grunner"]] == [code]
    assert (answer["subject"], answer["nokkel"], answer["nokkelid"]) == (None, None, None)
    assert await samtykke.rows("SELECT 1 FROM person") == []
    assert await samtykke.rows("SELECT 1 FROM datanokkel", database="nokler") == []


async def test_events_asked_about_together_are_each_judged_by_their_type_child_and_day(
    samtykke: Samtykke,
) -> None:
    born = number(1, date(2000, 10, 1))
    before, after = (
        datetime(2026, 9, 30, hour, 30, tzinfo=UTC) for hour in (21, 22)
    )  # midnight in Norway between
    answers = await samtykke.decide(
        {"person": born, "time": before},
        {"person": born, "time": after},
        {"person": number(2)},
        {"person": born, "time": before - timedelta(hours=1)},
        {"person": born, "time": before, "type": "no.samspor.nav.vilkar.satt"},
    )
    assert [a["grunner"][0]["kode"] for a in answers] == [
        "egen-plikt", "for-gammel", "egen-plikt", "egen-plikt", "ukjent-type",
    ]  # fmt: skip
    assert answers[0]["subject"] == answers[3]["subject"] != answers[2]["subject"]


async def test_a_subject_given_by_coordination_is_kept_within_its_municipality(
    samtykke: Samtykke,
) -> None:
    (known,) = await samtykke.decide({})
    task = {"person": None, "subject": known["subject"], "type": "no.samspor.samordning.oppgave.opprettet"}
    here, elsewhere = await samtykke.decide(task, {**task, "kommune": "0301"}, tjeneste="samordning")
    assert (here["outcome"], here["subject"]) == ("shield", known["subject"])
    assert (elsewhere["outcome"], elsewhere["nokkel"]) == ("refuse", None)


async def test_neither_number_nor_name_nor_key_stands_in_clear_in_any_table(
    samtykke: Samtykke,
) -> None:
    (answer,) = await samtykke.decide({})
    await samtykke.call("POST", "/personer", {"person": number(), "kommune": KOMMUNE, "navn": NAVN})
    await samtykke.consent()
    await samtykke.read(staff("nav"), {"subject": answer["subject"], "nokkelid": answer["nokkelid"]})
    viewer = staff("skole").model_dump()
    await samtykke.call("POST", "/sok", {"viewer": viewer, "navn": NAVN})
    await samtykke.call("POST", "/sok", {"viewer": viewer, "person": number()})
    everything = ""
    for database, tables in (("samtykke", metadata), ("nokler", nokler_metadata)):
        for table in tables.tables:
            for row in await samtykke.rows(f"SELECT t::text AS t FROM {table} t", database=database):
                everything += row["t"].lower()
    assert answer["subject"] in everything  # the dump is a real one
    for secret in (number(), "nordmann", "løvås"):
        assert secret not in everything
        assert secret.encode().hex() not in everything


async def test_names_are_found_by_every_word_in_any_order_and_case(samtykke: Samtykke) -> None:
    (known,) = await samtykke.decide({})
    await samtykke.call("POST", "/personer", {"person": number(), "kommune": KOMMUNE, "navn": NAVN})
    viewer = staff("skole").model_dump()
    for navn, hits in (("nordmann KARI", 1), ("løvås", 1), ("Kari Hansen", 0), ("kar", 0), ("  ", 0)):
        found = await samtykke.call("POST", "/sok", {"viewer": viewer, "navn": navn})
        assert found["subjects"] == [known["subject"]] * hits, navn
    other = {**viewer, "kommune": "0301"}
    assert (await samtykke.call("POST", "/sok", {"viewer": other, "navn": NAVN}))["subjects"] == []
    stranger = staff("nav").model_dump()
    assert (await samtykke.call("POST", "/sok", {"viewer": stranger, "navn": NAVN}))["subjects"] == []


async def test_a_child_with_a_protected_address_is_found_by_number_and_never_by_name(
    samtykke: Samtykke,
) -> None:
    (known,) = await samtykke.decide({})
    person = {"person": number(), "kommune": KOMMUNE, "navn": NAVN}
    await samtykke.call("POST", "/personer", person)
    await samtykke.call("POST", "/personer", {**person, "adressebeskyttelse": True})
    viewer = staff("skole").model_dump()
    assert (await samtykke.call("POST", "/sok", {"viewer": viewer, "navn": NAVN}))["subjects"] == []
    assert await samtykke.rows("SELECT 1 FROM navneoppslag") == []
    await samtykke.call("POST", "/personer", person)
    await samtykke.rows("UPDATE person SET adressebeskyttelse = true")  # however the mark came to be there
    assert (await samtykke.call("POST", "/sok", {"viewer": viewer, "navn": NAVN}))["subjects"] == []
    found = await samtykke.call("POST", "/sok", {"viewer": viewer, "person": number()})
    assert found["subjects"] == [known["subject"]]


async def test_a_name_is_shown_to_those_who_may_open_the_child_and_the_question_is_logged(
    samtykke: Samtykke,
) -> None:
    (known,) = await samtykke.decide({})
    await samtykke.call("POST", "/personer", {"person": number(), "kommune": KOMMUNE, "navn": NAVN})

    async def names(viewer: object, **flags: bool) -> dict[str, str]:
        body = {"viewer": viewer, "subjects": [known["subject"]], **flags}
        answer: dict[str, str] = (await samtykke.call("POST", "/navn", body))["navn"]
        return answer

    assert await names(staff("skole").model_dump()) == {known["subject"]: NAVN}
    assert await names(staff("nav").model_dump()) == {}
    assert await names(staff("nav").model_dump(), oppgave=True) == {known["subject"]: NAVN}
    unit = staff("koordinerende-enhet", "koordinerende-enhet").model_dump()
    assert await names(unit) == {}
    assert await names(unit, koordinering=True) == {known["subject"]: NAVN}
    logged = await samtykke.rows("SELECT utfall FROM revisjon WHERE kategori = 'navn' ORDER BY lopenr")
    assert [row["utfall"] for row in logged] == ["full", "deny", "full", "deny", "full"]


async def test_a_call_costs_the_same_few_statements_for_one_child_and_for_thousands(
    samtykke: Samtykke,
) -> None:
    counted: list[str] = []
    for engine in (samtykke.engine, samtykke.nokler):
        event.listen(engine.sync_engine, "begin", lambda conn: counted.append("begin"))
    await samtykke.decide({"person": number(0)})
    for_one = len(counted)
    counted.clear()
    started = asyncio.get_running_loop().time()
    answers = await samtykke.decide(*({"person": None, "sak": str(n)} for n in range(5000)))
    assert len({a["subject"] for a in answers}) == 5000
    assert len(counted) <= for_one
    assert asyncio.get_running_loop().time() - started < 20


async def test_a_number_that_a_real_person_can_have_is_refused_in_a_demonstration(
    samtykke: Samtykke,
) -> None:
    numbers = (f"010115{individual}{control:02}" for individual in range(500, 510) for control in range(100))
    real = next(n for n in numbers if is_valid(n, NOW.date()))
    (answer,) = await samtykke.decide({"person": real})
    assert [g["kode"] for g in answer["grunner"]] == ["ekte-nummer"]
    assert await samtykke.rows("SELECT 1 FROM person") == []
