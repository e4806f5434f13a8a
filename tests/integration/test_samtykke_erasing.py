"""What samtykke itself does about erasures, on the real PostgreSQL with a clock that the test sets; the parts that
forget are only said to have.
"""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx

from backbone.clock import OSLO
from backbone.database import driver
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


async def child_and_case(samtykke: Samtykke) -> tuple[str, str]:
    return await subject_of(samtykke), await subject_of(samtykke, person=None, sak="2026/17")


async def joined(samtykke: Samtykke, case: str, child: str) -> httpx.Response:
    return await samtykke.raw("POST", "/koblinger", {"kommune": KOMMUNE, "subject": case, "til": child})


def kind(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


SET_CANONICAL = "UPDATE person SET kanonisk = $2 WHERE subject = ANY($1::uuid[])"


async def statuses(samtykke: Samtykke) -> set[str]:
    return {row["status"] for row in await samtykke.rows("SELECT status FROM person")}


async def test_what_was_parted_since_the_proposal_is_not_erased_with_the_child(samtykke: Samtykke) -> None:
    child, case = await child_and_case(samtykke)
    assert (await joined(samtykke, case, child)).status_code == 200
    id_ = await proposed(samtykke, case)
    await samtykke.rows(SET_CANONICAL, [child, case], None)  # as before parting was refused
    assert kind(await approved(samtykke, id_)) == (409, "sletting-annet-barn")
    assert await statuses(samtykke) == {"aktiv"}


async def test_what_was_joined_since_the_proposal_does_not_outlive_the_child(samtykke: Samtykke) -> None:
    child, case = await child_and_case(samtykke)
    id_ = await proposed(samtykke, child)
    await samtykke.rows(SET_CANONICAL, [child, case], child)  # as before joining was refused
    assert kind(await approved(samtykke, id_)) == (409, "sletting-annet-barn")
    await samtykke.call("POST", f"/slettinger/{id_}/forkasting", None, SECOND)
    assert (await approved(samtykke, await proposed(samtykke, child))).status_code == 200
    assert await statuses(samtykke) == {"slettet"}


async def test_nothing_is_joined_or_parted_while_an_erasure_stands(samtykke: Samtykke) -> None:
    child, case = await child_and_case(samtykke)
    third = await subject_of(samtykke, person=None, sak="2026/18")
    assert (await joined(samtykke, case, child)).status_code == 200
    id_ = await proposed(samtykke, child)
    parting = {"kommune": KOMMUNE, "subject": case}
    assert kind(await samtykke.raw("DELETE", "/koblinger", parting)) == (409, "koble-sletting-foreslatt")
    assert kind(await joined(samtykke, third, child)) == (409, "koble-sletting-foreslatt")
    await samtykke.call("POST", f"/slettinger/{id_}/forkasting", None, SECOND)
    assert (await samtykke.raw("DELETE", "/koblinger", parting)).status_code == 200
    assert (await joined(samtykke, third, child)).status_code == 200


async def test_a_child_erased_while_a_joining_waits_for_it_is_not_joined(samtykke: Samtykke) -> None:
    child, case = await child_and_case(samtykke)
    async with samtykke.engine.begin() as conn:
        db = await driver(conn)
        await db.execute("UPDATE person SET status = 'slettet' WHERE subject = $1", UUID(child))
        waiting = asyncio.create_task(joined(samtykke, case, child))
        waits = (
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        async with asyncio.timeout(10):
            while not await samtykke.rows(waits):
                assert not waiting.done(), waiting
                await asyncio.sleep(0.02)
    assert kind(await waiting) == (409, "koble-slettet")


async def test_the_parts_are_told_every_number_of_the_child(samtykke: Samtykke) -> None:
    first, second = number(1), number(2)
    before, after = [await subject_of(samtykke, person=one) for one in (first, second)]
    case = await subject_of(samtykke, person=None, sak="2026/17")
    for one in (before, case):
        assert (await joined(samtykke, one, after)).status_code == 200
    assert (await approved(samtykke, await proposed(samtykke, case))).status_code == 200
    (told,) = (await samtykke.call("GET", "/slettinger", mottaker="skole"))["items"]
    assert sorted(told["personer"]) == sorted([first, second])
    assert sorted(told["subjects"]) == sorted([before, after, case])


async def test_what_samtykke_itself_had_not_yet_sent_about_the_child_is_forgotten(samtykke: Samtykke) -> None:
    child, case = await child_and_case(samtykke)
    other = await subject_of(samtykke, person=number(2))
    assert (await joined(samtykke, case, child)).status_code == 200
    for one in (number(1), number(2)):
        await samtykke.consent(person=one)
    kept = (
        "SELECT count(*) FILTER (WHERE innhold = ''), count(*) FROM journal WHERE subject = ANY($1::text[])"
    )
    assert [tuple(row) for row in await samtykke.rows(kept, [child, case])] == [(0, 3)]
    await erased(samtykke, child)
    assert [tuple(row) for row in await samtykke.rows(kept, [child, case])] == [(3, 3)]
    assert [tuple(row) for row in await samtykke.rows(kept, [other])] == [(0, 1)]
