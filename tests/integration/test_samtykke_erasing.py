"""What samtykke itself does about erasures, on the real PostgreSQL with a clock that the test sets; the parts that
forget are only said to have.
"""

import asyncio
from datetime import date, timedelta
from typing import Any

import httpx

from backbone.clock import OSLO
from contracts.tjenester import SAMORDNING
from services.samtykke.main import clockwork
from services.samtykke.sletting import PORTAL, Erasures
from tests.samtykke_fixture import (
    KOMMUNE,
    Samtykke,
    number,
    running_samtykke,  # noqa: F401 - a fixture
    staff,
)

FIRST, SECOND = staff(None, "leder", sub="leder:a"), staff(None, "leder", sub="leder:b")


def born(samtykke: Samtykke, years: int) -> date:
    """The birth date of somebody who turns `years` tomorrow."""
    tomorrow = samtykke.now.astimezone(OSLO).date() + timedelta(days=1)
    return tomorrow.replace(year=tomorrow.year - years)


async def proposed(samtykke: Samtykke, subject: str) -> str:
    body = {"subject": subject, "kommune": KOMMUNE, "beslutning": "2026/1234-5"}
    id_: str = (await samtykke.call("POST", "/slettinger", body, FIRST))["sletting"]
    return id_


async def approved(samtykke: Samtykke, id_: str) -> httpx.Response:
    return await samtykke.raw("POST", f"/slettinger/{id_}/godkjenning", None, SECOND)


async def erased(samtykke: Samtykke, subject: str) -> None:
    """Proposed, approved, and carried out by every part."""
    id_ = await proposed(samtykke, subject)
    assert (await approved(samtykke, id_)).status_code == 200
    for part in (*samtykke.kjerne.catalogue.tjenester, SAMORDNING, PORTAL):
        await samtykke.call("POST", f"/slettinger/{id_}/kvittering", {"mottaker": part})
    assert (await samtykke.call("GET", f"/slettinger/{id_}"))["status"] == "fullfort"


async def until_told(samtykke: Samtykke, wanted: int) -> list[str]:
    """The clockwork runs until the journal has as many birthdays; whose they are."""
    stop = asyncio.Event()
    erasures = Erasures(samtykke.kjerne)
    running = asyncio.create_task(
        clockwork(samtykke.engine, samtykke.ledger, erasures, lambda: samtykke.now, stop)
    )
    try:
        async with asyncio.timeout(10):
            while True:
                rows = await samtykke.rows("SELECT subject::text AS s FROM journal WHERE id LIKE '%.alder.%'")
                if len(rows) >= wanted:
                    return [row["s"] for row in rows]
                assert not running.done(), running
                await asyncio.sleep(0.05)
    finally:
        stop.set()
        await running


async def subject_of(samtykke: Samtykke, **who: Any) -> str:
    (answer,) = await samtykke.decide(who)
    subject: str = answer["subject"]
    return subject


async def test_an_erased_childs_birthday_is_nobodys_and_the_others_are_told(samtykke: Samtykke) -> None:
    gone = await subject_of(samtykke, person=number(1, born(samtykke, 16)))
    other = await subject_of(samtykke, person=number(2, born(samtykke, 16)))
    await erased(samtykke, gone)
    (row,) = await samtykke.rows("SELECT fodselsdato, neste_alder FROM person WHERE subject = $1", gone)
    assert list(row.values()) == [None, None]
    # As those lie that were erased before the birthday was forgotten too.
    await samtykke.rows("UPDATE person SET neste_alder = $2 WHERE subject = $1", gone, samtykke.now.date())
    samtykke.now += timedelta(days=2)
    assert await until_told(samtykke, 1) == [other]


async def test_a_row_that_the_clockwork_fails_on_waits_and_the_others_are_told(samtykke: Samtykke) -> None:
    broken = await subject_of(samtykke, person=number(1, born(samtykke, 16)))
    other = await subject_of(samtykke, person=number(2, born(samtykke, 16)))
    set_born = "UPDATE person SET fodselsdato = $2 WHERE subject = $1"
    await samtykke.rows(set_born, broken, date(9990, 1, 1))  # turns 16 in a year that there is none of
    samtykke.now += timedelta(days=2)
    assert await until_told(samtykke, 1) == [other]
    await samtykke.rows(set_born, broken, born(samtykke, 16) - timedelta(days=2))
    samtykke.now += timedelta(hours=1)
    assert sorted(await until_told(samtykke, 2)) == sorted([broken, other])


async def test_an_erasure_that_fails_is_put_aside_and_the_clockwork_goes_on(
    samtykke: Samtykke, monkeypatch: Any
) -> None:
    gone = await subject_of(samtykke, person=number(1))
    other = await subject_of(samtykke, person=number(2, born(samtykke, 16)))
    assert (await approved(samtykke, await proposed(samtykke, gone))).status_code == 200

    async def fails(*_: Any, **__: Any) -> None:
        raise AttributeError

    monkeypatch.setattr(samtykke.kjerne.keys, "destroy", fails)
    samtykke.now += timedelta(days=2)
    assert await until_told(samtykke, 1) == [other]
