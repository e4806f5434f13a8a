"""PostgreSQL: one database per owner, SQLAlchemy for schema and ordinary queries, the driver for the hot ones."""

import asyncio
import math
import socket
import time
from typing import Any

import asyncpg
import orjson
from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from backbone.settings import MissingSecret, Settings

JSONB_VERSION = b"\x01"
CONNECT_TIMEOUT_S = 10
SILENCE_S = 30
"""A host that has not answered for as long, not even its kernel, is gone: without this a wait for it lasts as long as
the kernel has patience (a quarter of an hour), or for ever."""
PROBE_AFTER_S, PROBE_EVERY_S = 10, 5
SESSION = {
    "timezone": "UTC",
    "jit": "off",
    # We look hundreds of rows up by key in what lies in memory or on an SSD: PostgreSQL's own 4.0 is of rotating disks,
    # and has it read a table of some ten thousand rows whole each time instead.
    "random_page_cost": "1.1",
    # The same at the server's end: the locks of a host of ours that is gone are let go.
    "tcp_user_timeout": f"{SILENCE_S * 1000}",
    "tcp_keepalives_idle": f"{PROBE_AFTER_S}",
    "tcp_keepalives_interval": f"{PROBE_EVERY_S}",
}
IDLE_S = 60.0
"""After as long without use a connection is asked before it is used."""
LAST_USED = "samspor.last_used"

DATABASE_AWAY = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asyncpg's word for a connection cut in the middle of an answer
    DBAPIError,
    PoolTimeout,
    OSError,  # TimeoutError is one
)
"""What is raised when the server is away, restarting or out of connections: what was under way is tried again."""


class Probing(asyncpg.Connection):  # type: ignore[misc]  # it has no types
    """asyncpg's connection, whose kernel finds out when the server's host is gone (RFC 5482, RFC 9293 § 3.8.4)."""

    def __init__(self, protocol: Any, transport: asyncio.Transport, *args: Any) -> None:
        super().__init__(protocol, transport, *args)
        sock = transport.get_extra_info("socket")
        if sock.family == socket.AF_UNIX:
            return
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, PROBE_AFTER_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, PROBE_EVERY_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_S * 1000)


CONNECTING: dict[str, Any] = {
    "timeout": CONNECT_TIMEOUT_S,
    "server_settings": SESSION,
    "connection_class": Probing,
}


def database_name(settings: Settings, name: str) -> str:
    return f"{settings.database_prefix}_{name}".replace("-", "_")


def database_url(settings: Settings, name: str) -> URL:
    """The URL of the database `name`. Raises MissingSecret where no server is set."""
    if settings.database_url is None:
        raise MissingSecret(
            "SAMSPOR_DATABASE_URL must name a PostgreSQL server (the embedded run sets it itself)"
        )
    base = make_url(settings.database_url).set(drivername="postgresql+asyncpg")
    return base.set(database=database_name(settings, name))


def create_engine(settings: Settings, name: str, pool_size: int = 10) -> AsyncEngine:
    """An engine for the database `name`; a restarted server heals (`_check_before_use`).

    At most `pool_size` connections, and all are kept: a new one looks up its types anew, which would be paid at every
    peak. The one used last is used next, so few of them are warm.
    """
    engine = create_async_engine(
        database_url(settings, name),
        pool_size=pool_size,
        max_overflow=0,
        pool_use_lifo=True,
        hide_parameters=True,  # an error's text ends up in logs, which must hold nobody's data
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args=CONNECTING,
    )
    _check_before_use(engine)
    return engine


def _check_before_use(engine: AsyncEngine) -> None:
    """Connections that their server has let go of are not given out. The driver knows of one that was closed; only
    after a long idle time, when something in between may have forgotten it without a word, is the server asked.
    (SQLAlchemy's own pre-ping asks at each use: three round trips, a seventh of what samtykke does.)"""
    pool = engine.sync_engine.pool

    @event.listens_for(pool, "checkin")
    def note(_: object, record: ConnectionPoolEntry) -> None:
        record.info[LAST_USED] = time.monotonic()

    @event.listens_for(pool, "checkout")
    def check(connection: Any, record: ConnectionPoolEntry, _: object) -> None:
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError
        if time.monotonic() - record.info.get(LAST_USED, math.inf) > IDLE_S:
            try:
                engine.dialect.do_ping(connection)
            except Exception:
                raise InvalidatePoolError from None


async def driver(conn: AsyncConnection) -> asyncpg.Connection:
    """asyncpg's own connection beneath `conn`, inside the transaction that `conn` is in.

    SQLAlchemy begins lazily at its first statement, which the driver's statements are not: so one is run here.
    """
    await conn.exec_driver_sql("SELECT 1")
    raw = await conn.get_raw_connection()
    connection = raw.driver_connection
    assert isinstance(connection, asyncpg.Connection)
    return connection


async def dedicated(engine: AsyncEngine, command_timeout_s: float | None = None) -> asyncpg.Connection:
    """A connection of its own, outside the pool, autocommitting: for advisory locks, which end with their connection.

    The caller closes it. Raises OSError or asyncpg.PostgresError when the server is away; TimeoutError (an OSError)
    from a statement that has not answered in `command_timeout_s`, as when the network swallows it.
    """
    dsn = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    conn = await asyncpg.connect(dsn, command_timeout=command_timeout_s, **CONNECTING)
    # As SQLAlchemy sets it on the pool's connections: JSON text in, Python values out.
    await conn.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda text: JSONB_VERSION + text.encode(),
        decoder=lambda blob: orjson.loads(blob[1:]),
        format="binary",
    )
    return conn
