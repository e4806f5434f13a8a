"""What is asked of samtykke in somebody's own name is a row of the ledger: reads of consents, and every refusal."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from backbone.tokens import Principal
from tests.samtykke_fixture import (
    KOMMUNE,
    Samtykke,
    number,
    running_samtykke,  # noqa: F401 - a fixture
    staff,
)

ELSEWHERE = "0301"
MOTHER, STRANGER, CHILD = (
    staff(None, "foresatt", sub="mor"),
    staff(None, "foresatt", sub="nabo"),
    staff(None, "barn", sub="barn"),
)
LEADER = staff(None, "leder")
AWAY = staff(None, "leder", kommune=ELSEWHERE)
Row = tuple[str, str, str, str, UUID | None]


async def told(samtykke: Samtykke) -> list[Row]:
    """(handling, who, outcome, why, of whom), but for key hand-outs and what was carried out."""
    rows = await samtykke.rows(
        "SELECT * FROM revisjon WHERE handling <> 'utlevering' AND utfall <> 'utfort' ORDER BY lopenr"
    )
    for row in rows:
        assert number() not in str(dict(row)), "no row holds a number"
    return [(r["handling"], r["aktor"], r["utfall"], r["grunn"], r["subject"]) for r in rows]


async def family(samtykke: Samtykke) -> None:
    for who, rolle in ((MOTHER, "forelder"), (CHILD, "barn")):
        body = {"person": number(), "kommune": KOMMUNE, "bruker": who.sub, "rolle": rolle}
        await samtykke.call("POST", "/familie", body)


READERS = [
    (staff("skole"), "full", "part-i-samtykke", 200),
    (staff("nav", "fagsystem"), "full", "part-i-samtykke", 200),
    (staff("helsestasjon"), "deny", "ikke-part", 403),
    (staff("skole", kommune=ELSEWHERE), "deny", "annen-kommune", 404),
    (MOTHER, "full", "foresatt", 200),
    (CHILD, "full", "barnet-selv", 403),
    (STRANGER, "deny", "ikke-eget-barn", 403),
]


@pytest.mark.parametrize(("who", "utfall", "grunn", "history"), READERS)
async def test_who_reads_a_childs_consents_or_may_not_is_written_down(
    samtykke: Samtykke, who: Principal, utfall: str, grunn: str, history: int
) -> None:
    await family(samtykke)
    given = await samtykke.consent()
    subject = UUID(given["subject"])
    answer = await samtykke.raw("GET", "/samtykker", who=who, subject=given["subject"])
    assert bool(answer.json().get("samtykker")) == (utfall == "full" and who is not CHILD)
    assert await told(samtykke) == [("lesing", who.sub, utfall, grunn, subject)]
    steps = await samtykke.raw("GET", f"/samtykker/{given['samtykke']}/historikk", who=who)
    assert steps.status_code == history
    codes = {200: grunn, 403: "ikke-ditt-samtykke" if who is CHILD else grunn, 404: "samtykke-ukjent"}
    (_, last) = await told(samtykke)
    assert last == ("lesing", who.sub, "full" if history == 200 else "deny", codes[history], subject)
    rows = await samtykke.rows(
        "SELECT formal, slag, kategori, samtykke FROM revisjon WHERE handling = 'lesing'"
    )
    assert {tuple(row)[:3] for row in rows} == {("samtykker", "barn", "samtykke")}
    assert rows[-1]["samtykke"] == UUID(given["samtykke"])


def body(**more: Any) -> dict[str, Any]:
    return {"person": number(), "kommune": KOMMUNE, **more}


BLOCK = body(sperret=True, grunn="begrensning-art-18")
ERASE = body(beslutning="2026/1")
ASSIGN = body(koordinator="k", rolle="koordinator")
JOIN = {"kommune": KOMMUNE, "sak": "2026/17", "person": number()}


@pytest.mark.parametrize(
    ("method", "path", "asked", "who", "grunn"),
    [
        ("POST", "/sperringer", BLOCK, AWAY, "annen-kommune"),
        ("POST", "/sperringer", BLOCK, staff("skole"), "rolle-mangler"),
        ("POST", "/slettinger", ERASE, AWAY, "annen-kommune"),
        (
            "POST",
            "/tildelinger",
            ASSIGN,
            staff(None, "koordinerende-enhet", kommune=ELSEWHERE),
            "annen-kommune",
        ),
        ("POST", "/koblinger", JOIN, staff("skole", kommune=ELSEWHERE), "annen-kommune"),
        ("POST", "/koblinger", {**JOIN, "orgnr": "974767881"}, staff("skole"), "bare-egen-sak"),
        ("POST", "/samtykker", None, staff("helsestasjon"), "ikke-part"),
        ("POST", "/samtykker", None, STRANGER, "ikke-eget-barn"),
    ],
)
async def test_a_refused_act_is_written_down_with_whose_child_it_was_about(
    samtykke: Samtykke, method: str, path: str, asked: Any, who: Principal, grunn: str
) -> None:
    (known,) = await samtykke.decide({})
    answer = await samtykke.raw(method, path, asked or samtykke.consent_body(), who)
    assert answer.status_code == 403, answer.text
    of = None if grunn == "rolle-mangler" else UUID(known["subject"])  # before the body is read
    assert await told(samtykke) == [("forvaltning", who.sub, "deny", grunn, of)]
    (row,) = await samtykke.rows("SELECT slag, detaljer FROM revisjon WHERE utfall = 'deny'")
    assert tuple(row) == ("nektet", {"kall": f"{method} {path}"})


async def test_an_attempt_on_another_municipalitys_child_is_written_down_whatever_it_is_called(
    samtykke: Samtykke,
) -> None:
    given = await samtykke.consent()
    subject = UUID(given["subject"])
    withdrawal = f"/samtykker/{given['samtykke']}/trekk"
    assert (
        await samtykke.raw("POST", withdrawal, None, staff("skole", kommune=ELSEWHERE))
    ).status_code == 404
    mine = {"subject": given["subject"], "kommune": ELSEWHERE, "sperret": True, "grunn": "g"}
    assert (await samtykke.raw("POST", "/sperringer", mine, AWAY)).status_code == 422
    proposal = {"subject": given["subject"], "kommune": KOMMUNE, "beslutning": "2026/1"}
    erasure = (await samtykke.call("POST", "/slettinger", proposal, LEADER))["sletting"]
    for who, status in ((AWAY, 404), (LEADER, 403)):
        answer = await samtykke.raw("POST", f"/slettinger/{erasure}/godkjenning", None, who)
        assert answer.status_code == status
    assert await told(samtykke) == [
        ("forvaltning", "fagperson:skole", "deny", "samtykke-ukjent", subject),
        ("forvaltning", AWAY.sub, "deny", "ukjent-barn", subject),
        ("forvaltning", AWAY.sub, "deny", "sletting-ukjent", subject),
        ("forvaltning", LEADER.sub, "deny", "sletting-samme-person", subject),
    ]


async def test_what_was_written_where_an_id_should_be_does_not_reach_the_ledger(samtykke: Samtykke) -> None:
    assert (await samtykke.raw("GET", f"/samtykker/{number()}/historikk", who=LEADER)).status_code == 403
    assert (await samtykke.raw("GET", "/samtykker", who=LEADER, subject=number())).status_code == 403
    nobody = str(uuid4())
    assert (await samtykke.raw("GET", "/samtykker", who=staff("skole"), subject=nobody)).status_code == 200
    assert await told(samtykke) == [
        ("lesing", LEADER.sub, "deny", "rolle-mangler", None),
        ("lesing", LEADER.sub, "deny", "rolle-mangler", None),
        ("lesing", "fagperson:skole", "deny", "ukjent-barn", UUID(nobody)),
    ]
