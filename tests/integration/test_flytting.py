"""A child moves between two municipalities of one installation: responsibility goes over, and what consents name."""

from datetime import timedelta
from typing import Any

import httpx
import orjson

from backbone.clock import system_clock
from backbone.database import dedicated
from backbone.journal import JournalKeys, open_row
from backbone.seal import Sealer
from backbone.settings import Settings
from backbone.tokens import Principal, issue
from contracts.personnummer import tenor
from tests.pipeline_fixture import Pipeline, running_pipeline  # noqa: F401 - a fixture
from tests.samtykke_fixture import (
    KOMMUNE,
    Samtykke,
    number,
    running_samtykke,  # noqa: F401 - a fixture
    staff,
)

OLD, NEW = KOMMUNE, "0301"
RECEIVED = "no.samspor.skole.overgang.mottak-bekreftet"
SCHOOL = staff("skole", "fagsystem")
TOLD = "SELECT type, subject, kommune FROM journal WHERE type LIKE '%.overgang.%' ORDER BY lopenr"


async def move(samtykke: Samtykke, who: Principal = SCHOOL, **changed: Any) -> httpx.Response:
    body = {
        "person": number(),
        "kommune": OLD,
        "til_kommune": NEW,
        "overgang": "flytt-1",
        "samtykker": [],
        **changed,
    }
    return await samtykke.raw("POST", "/flyttinger", body, who)


async def test_a_move_takes_what_the_familys_consent_names_and_the_link_stays_with_samtykke(
    samtykke: Samtykke,
) -> None:
    named, other = (await samtykke.consent())["samtykke"], await samtykke.consent(kategorier=["skolegang"])
    answer = await move(samtykke, samtykker=[named])
    assert answer.json() == {"overgang": "flytt-1"}, "nothing of the new place"
    (new,) = await samtykke.rows("SELECT subject FROM person WHERE kommune = $1", NEW)
    (copy,) = await samtykke.rows(
        "SELECT fra_tjeneste, til_tjenester, kategorier, status FROM samtykke WHERE subject = $1",
        new["subject"],
    )
    assert tuple(copy) == ("skole", ["nav"], ["fravar", "tilrettelegging"], "gitt")
    assert [tuple(r) for r in await samtykke.rows(TOLD)] == [
        ("no.samspor.samtykke.overgang.planlagt", str(new["subject"]), NEW)
    ]
    (row,) = await samtykke.rows("SELECT overgang_forseglet FROM flytting")
    assert b"flytt-1" not in row["overgang_forseglet"]
    again = await move(samtykke, samtykker=[named])
    assert again.status_code == 200
    assert len(await samtykke.rows(TOLD)) == 1, "the same again changes nothing"
    assert other["subject"] != str(new["subject"])


async def test_the_new_municipality_is_not_told_of_barnevern(samtykke: Samtykke, settings: Settings) -> None:
    given = await samtykke.consent(
        fra_tjeneste="barnevern",
        til_tjenester=["helsestasjon"],
        kategorier=["barnevern"],
        hvem="begge-foreldre",
    )
    answer = await move(samtykke, staff("barnevern", "fagsystem"), samtykker=[given["samtykke"]])
    assert answer.is_success, answer.text
    [row] = await samtykke.rows("SELECT * FROM journal WHERE type LIKE '%.overgang.planlagt'")
    conn = await dedicated(samtykke.engine)
    try:
        keys = await JournalKeys(settings, "samtykke").load(conn, {row["journalnokkel"]})
    finally:
        await conn.close()
    sealer = Sealer(keys[row["journalnokkel"]])
    told = open_row(sealer, row["source"], row["id"], row["type"], row["innhold"]).content
    assert orjson.loads(told)["data"]["til"] == "koordinerende-enhet"
    assert b"barnevern" not in told


async def test_without_a_consent_in_force_nothing_goes_over(samtykke: Samtykke) -> None:
    consent = (await samtykke.consent())["samtykke"]
    assert (await move(samtykke)).json()["type"].endswith("flytting-uten-samtykke")
    stranger = staff("barnevern", "fagsystem")
    assert (await move(samtykke, stranger, samtykker=[consent])).status_code == 404
    assert (
        await move(samtykke, staff("skole", "fagsystem", kommune=NEW), samtykker=[consent])
    ).status_code == 403
    await samtykke.call("POST", f"/samtykker/{consent}/trekk")
    assert (await move(samtykke, samtykker=[consent])).status_code == 409
    assert await samtykke.rows(TOLD) == []
    assert await samtykke.rows("SELECT FROM kobling") == []


async def test_the_confirmation_is_told_where_the_child_came_from_once(samtykke: Samtykke) -> None:
    consent = await samtykke.consent()
    await move(samtykke, samtykker=[consent["samtykke"]])
    there = {"kommune": NEW, "type": RECEIVED}
    await samtykke.decide({**there})  # another kind of transition there: the gate is not told it is the move
    await samtykke.decide({**there, "person": number(2), "flytting": True})  # another child
    assert len(await samtykke.rows(TOLD)) == 1
    for _ in range(2):
        await samtykke.decide({**there, "flytting": True})
    told = [tuple(r) for r in await samtykke.rows(TOLD)]
    assert told[1:] == [("no.samspor.samtykke.overgang.mottak-bekreftet", consent["subject"], OLD)]


async def test_a_confirmation_is_told_also_with_another_of_the_same_kind_beside_it(
    samtykke: Samtykke,
) -> None:
    consent = await samtykke.consent()
    await move(samtykke, samtykker=[consent["samtykke"]])
    there = {"kommune": NEW, "type": RECEIVED}
    answers = await samtykke.decide({**there, "flytting": True}, there)
    assert [a["outcome"] for a in answers] == ["release", "release"]
    told = [tuple(r) for r in await samtykke.rows(TOLD)]
    assert told[1:] == [("no.samspor.samtykke.overgang.mottak-bekreftet", consent["subject"], OLD)]


async def test_the_senders_duty_is_closed_by_the_new_municipalitys_confirmation(pipeline: Pipeline) -> None:
    now = system_clock()
    child = tenor((now - timedelta(days=6 * 365)).date(), 11)
    old = _health(OLD)
    new = _health(NEW)
    gone = (now - timedelta(days=2)).date().isoformat()

    async def post(who: Principal, part: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        token = issue(who, pipeline.settings, system_clock(), timedelta(hours=1))
        answer = await pipeline.http.post(
            f"{pipeline.settings.url(part)}{path}",
            content=orjson.dumps(body),
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
        )
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def seen(navn: str, **data: Any) -> dict[str, Any]:
        time = (now - timedelta(days=3)).isoformat()
        return {"person": child, "tid": time, "nokkel": "flytt-1", "type": navn, "data": data}

    slag = {"slag": "kommune-kommune"}
    await post(
        old, "tjenester", "/helsestasjon/hendelser", seen("overgang.planlagt", **slag, til=NEW, dato=gone)
    )
    await post(
        old,
        "tjenester",
        "/helsestasjon/hendelser",
        {**seen("konsultasjon.gjennomfort", dato=gone), "nokkel": "k"},
    )
    await pipeline.until("samordning", _duty(OLD), "helsestasjon aapen")
    given = await post(
        old,
        "samtykke",
        "/samtykke/samtykker",
        {
            "person": child,
            "kommune": OLD,
            "hvem": "begge-foreldre",
            "fra_tjeneste": "helsestasjon",
            "til_tjenester": ["skole"],
            "kategorier": ["helseoppfolging"],
            "formal": "overgang til ny kommune",
            "gyldig_fra": (now - timedelta(days=5)).isoformat(),
            "utloper": None,
        },
    )
    await post(
        old,
        "samtykke",
        "/samtykke/flyttinger",
        {
            "person": child,
            "kommune": OLD,
            "til_kommune": NEW,
            "overgang": "flytt-1",
            "dato": gone,
            "samtykker": [given["samtykke"]],
        },
    )
    await pipeline.until("samordning", _duty(NEW), "helsestasjon aapen")
    assert await pipeline.value("samordning", _duty(OLD)) == "helsestasjon aapen", "planned is not received"
    confirmed = {**seen("overgang.mottak-bekreftet", **slag), "tid": system_clock().isoformat()}
    await post(new, "tjenester", "/helsestasjon/hendelser", confirmed)
    await pipeline.until("samordning", _duty(NEW), "helsestasjon oppfylt")
    await pipeline.until("samordning", _duty(OLD), "helsestasjon oppfylt")
    subjects = await pipeline.value(
        "samordning", "SELECT count(DISTINCT subject) FROM tidslinje WHERE kommune IN ('4601', '0301')"
    )
    assert subjects == 2, "another subject, and other keys"
    came = "SELECT count(*) FROM tidslinje WHERE kommune = '0301' AND type LIKE '%konsultasjon%'"
    assert await pipeline.value("samordning", came) == 0, "the log stays where it was"


def _health(kommune: str) -> Principal:
    return Principal(
        sub=f"helse:{kommune}", rolle="fagsystem", orgnr="310000077", kommune=kommune, tjeneste="helsestasjon"
    )


def _duty(kommune: str) -> str:
    return f"SELECT eier || ' ' || status FROM oppgave WHERE regel = 'overgang' AND kommune = '{kommune}'"
