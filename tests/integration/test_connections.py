"""What a process keeps open to the database: made once, never given out dead."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import database
from backbone.database import create_engine, dedicated, driver
from backbone.settings import Settings
from consumers.portal.tables import metadata
from tests.conftest import MakeDatabase

AT_ONCE = 6


@pytest.fixture
async def engine(make_database: MakeDatabase, settings: Settings) -> AsyncIterator[AsyncEngine]:
    await make_database("portal", metadata)
    made = create_engine(settings, "portal", pool_size=AT_ONCE)
    yield made
    await made.dispose()


async def peak(engine: AsyncEngine) -> set[int]:
    """As many calls as the pool has room for, all at the same time: the server processes that answered."""
    all_there = asyncio.Barrier(AT_ONCE)

    async def one() -> int:
        async with engine.connect() as connection:
            conn = await driver(connection)
            await all_there.wait()
            pid: int = await conn.fetchval("SELECT pg_backend_pid()")
            return pid

    return set(await asyncio.gather(*(one() for _ in range(AT_ONCE))))


async def test_connections_made_at_a_peak_are_kept(engine: AsyncEngine) -> None:
    """A new one looks up its types anew, which costs more than most of what it is asked."""
    first = await peak(engine)
    assert len(first) == AT_ONCE
    assert await peak(engine) == first


async def test_none_that_the_server_has_closed_is_given_out(engine: AsyncEngine) -> None:
    first = await peak(engine)
    conn = await dedicated(engine)
    try:
        await conn.fetch("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid", list(first))
    finally:
        await conn.close()
    await asyncio.sleep(0.2)  # until the driver has heard it
    assert not await peak(engine) & first


async def test_one_long_idle_is_asked_whether_it_still_lives(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await peak(engine)

    def silence(_: object) -> bool:
        raise TimeoutError

    monkeypatch.setattr(engine.dialect, "do_ping", silence)
    assert await peak(engine) == first, "in use until now, nobody asks"
    monkeypatch.setattr(database, "IDLE_S", 0.0)
    assert not await peak(engine) & first
