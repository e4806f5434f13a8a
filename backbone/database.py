"""PostgreSQL: one database per owner, SQLAlchemy for schema and ordinary queries, the driver for the hot ones."""

import asyncpg
import orjson
from sqlalchemy import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from backbone.settings import MissingSecret, Settings

JSONB_VERSION = b"\x01"

DATABASE_AWAY = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asyncpg's word for a connection cut in the middle of an answer
    DBAPIError,
    PoolTimeout,
    OSError,  # TimeoutError is one
)
"""What is raised when the server is away, restarting or out of connections: what was under way is tried again."""


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
    """An engine for the database `name`; connections are checked before use, so a restarted server heals.

    At most `pool_size` connections, and all are kept: a new one looks up its types anew, which would be paid at every
    peak. The one used last is used next, so few of them are warm.
    """
    return create_async_engine(
        database_url(settings, name),
        pool_size=pool_size,
        max_overflow=0,
        pool_use_lifo=True,
        pool_pre_ping=True,
        hide_parameters=True,  # an error's text ends up in logs, which must hold nobody's data
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={"timeout": 10, "server_settings": {"timezone": "UTC", "jit": "off"}},
    )


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
    conn = await asyncpg.connect(
        dsn,
        timeout=10,
        command_timeout=command_timeout_s,
        server_settings={"timezone": "UTC", "jit": "off"},
    )
    # As SQLAlchemy sets it on the pool's connections: JSON text in, Python values out.
    await conn.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda text: JSONB_VERSION + text.encode(),
        decoder=lambda blob: orjson.loads(blob[1:]),
        format="binary",
    )
    return conn
