"""Signing out holds in every portal process, past a restart, and is forgotten when the token would have ended."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from consumers.portal.tables import metadata, utlogget
from consumers.portal.utlogget import Utlogget, Utlogginger
from tests.conftest import NOW, MakeDatabase

TOKEN, OTHER = "hode.kropp.signatur", "hode.en-annens.signatur"
ENDS = NOW + timedelta(hours=1)


@pytest.fixture
async def engine(make_database: MakeDatabase) -> AsyncEngine:
    return await make_database("portal", metadata)


async def started(engine: AsyncEngine, now: datetime = NOW) -> tuple[Utlogget, Utlogginger]:
    known = Utlogget()
    made = Utlogginger(engine, known, lambda: now)
    await made.exchange()
    return known, made


async def test_signing_out_of_one_portal_process_is_heard_by_the_others_and_their_streams_are_woken(
    engine: AsyncEngine,
) -> None:
    (here, mine), (there, theirs) = await started(engine), await started(engine)
    stop, woken = asyncio.Event(), asyncio.Event()
    running = [
        asyncio.create_task(mine.follow(lambda: None, stop)),
        asyncio.create_task(theirs.follow(woken.set, stop)),
    ]
    here.add(TOKEN, ENDS)
    assert here.holds(TOKEN)
    async with asyncio.timeout(5):
        await woken.wait()
    assert there.holds(TOKEN) and not there.holds(OTHER)
    stop.set()
    await asyncio.wait_for(asyncio.gather(*running), 5)


async def test_it_holds_past_a_restart_until_the_token_would_have_ended(engine: AsyncEngine) -> None:
    here, mine = await started(engine)
    here.add(TOKEN, ENDS)
    await mine.exchange()
    again, _ = await started(engine)
    assert again.holds(TOKEN)
    later, _ = await started(engine, ENDS)
    assert not later.holds(TOKEN)
    async with engine.connect() as conn:
        assert await conn.scalar(select(func.count()).select_from(utlogget)) == 0


async def test_one_that_signs_out_while_the_database_is_asked_is_not_forgotten(engine: AsyncEngine) -> None:
    here, mine = await started(engine)
    here.add(TOKEN, ENDS)
    async with engine.begin() as blocking:
        await blocking.exec_driver_sql("LOCK TABLE utlogget")
        asking = asyncio.create_task(mine.exchange())
        await asyncio.sleep(0.2)
        here.add(OTHER, ENDS)
    await asking
    assert here.holds(TOKEN) and here.holds(OTHER)
    await mine.exchange()
    again, _ = await started(engine)
    assert again.holds(OTHER)
