"""Fixtures of the whole suite: the two real engines once a run, fresh databases and topics for each test."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from backbone.database import create_engine, database_name, database_url
from backbone.kafka import bootstrap, ensure_topics
from backbone.settings import Settings, fresh_secrets
from contracts.catalogue import Catalogue
from deploy.engines import Engines
from tests.engines_fixture import engines  # noqa: F401 - a fixture

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)

MakeDatabase = Callable[[str, MetaData], Awaitable[AsyncEngine]]


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue.standard()


@pytest.fixture(scope="session")
def session_secrets() -> dict[str, Any]:
    return fresh_secrets()


@pytest.fixture
def settings(engines: Engines, session_secrets: dict[str, Any]) -> Settings:  # noqa: F811
    """Settings on the run's engines, with names of this test's own."""
    mark = secrets.token_hex(4)
    return Settings(
        kafka=engines.kafka_bootstrap,
        database_url=engines.database_url,
        database_prefix=f"t{mark}",
        topic_prefix=f"t{mark}.",
        demo=True,
        **session_secrets,
    )


@pytest.fixture
async def topics(settings: Settings, catalogue: Catalogue) -> AsyncIterator[Catalogue]:
    """The catalogue's topics, made for this test and deleted after it: the run's one broker holds only so many."""
    await ensure_topics(settings, catalogue.topics())
    yield catalogue
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap(settings))
    await admin.start()
    try:
        await admin.delete_topics(
            [t for t in await admin.list_topics() if t.startswith(settings.topic_prefix)]
        )
    finally:
        await admin.close()


@pytest.fixture
async def make_database(settings: Settings) -> AsyncIterator[MakeDatabase]:
    """Makes the database `name` with the tables of a metadata, and gives an engine; all are dropped after the test."""
    made: list[tuple[str, AsyncEngine]] = []
    server = create_async_engine(
        database_url(settings, "").set(database="postgres"), isolation_level="AUTOCOMMIT"
    )

    async def make(name: str, metadata: MetaData) -> AsyncEngine:
        async with server.connect() as conn:
            await conn.execute(text(f'CREATE DATABASE "{database_name(settings, name)}" TEMPLATE template0'))
        engine = create_engine(settings, name)
        made.append((name, engine))
        async with engine.begin() as conn:
            await conn.run_sync(metadata.create_all)
        return engine

    yield make
    for name, engine in made:
        await engine.dispose()
        async with server.connect() as conn:
            await conn.execute(text(f'DROP DATABASE "{database_name(settings, name)}" WITH (FORCE)'))
    await server.dispose()
