"""What a process keeps open to the database: made once, never given out dead."""

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import make_url
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


@asynccontextmanager
async def by_tcp(settings: Settings) -> AsyncIterator[Settings]:
    """The settings of the same server by TCP, which the tests' own connections do without."""
    url = make_url(str(settings.database_url))
    place = f"{url.query['host']}/.s.PGSQL.{url.query.get('port', 5432)}"

    async def pass_on(reader: StreamReader, writer: StreamWriter) -> None:
        while some := await reader.read(65_536):
            writer.write(some)
        writer.close()

    async def forward(reader: StreamReader, writer: StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_unix_connection(place)
        await asyncio.gather(pass_on(reader, to_writer), pass_on(to_reader, writer))

    async with await asyncio.start_server(forward, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        there = url.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
        yield settings.model_copy(update={"database_url": there})


async def test_both_ends_give_up_a_host_that_is_silent(
    make_database: MakeDatabase, settings: Settings
) -> None:
    """30 s, on the pool's connections and on the locks': measured with a network that swallows, docs/measured.md."""
    await make_database("portal", metadata)
    options = {
        "tcp_user_timeout": "30000",
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
    }
    async with by_tcp(settings) as over_tcp:
        engine = create_engine(over_tcp, "portal")
        alone = await dedicated(engine)
        async with engine.connect() as connection:
            for conn in (await driver(connection), alone):
                sock = conn._transport.get_extra_info("socket")
                assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 5
                # The server's own end is a Unix socket here, which has none of it: so what it was told.
                told = await conn.fetch(
                    "SELECT name, reset_val FROM pg_settings WHERE name = ANY($1::text[])", list(options)
                )
                assert dict(told) == options
        await alone.close()
        await engine.dispose()
