"""The whole way of an event in this process: every part as `deploy.parts` composes it, on the run's engines."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.clock import system_clock
from backbone.database import create_engine, driver
from backbone.settings import Settings
from backbone.tokens import issue
from contracts.catalogue import Catalogue
from deploy.demo import principals
from deploy.migrate import databases, metadata
from deploy.parts import PARTS, load
from deploy.ports import free_ports
from tests.conftest import MakeDatabase

PORTS = ("portal_port", "tjenester_port", "samtykke_port", "samordning_port", "relay_port", "innboks_port")


@dataclass
class Pipeline:
    """All parts, running. `http` calls as the fagsystem that `as_` names."""

    settings: Settings
    catalogue: Catalogue
    http: httpx.AsyncClient

    def as_(self, who: str) -> dict[str, str]:
        principal = principals(self.catalogue.tjenester)[who]
        return {
            "authorization": f"Bearer {issue(principal, self.settings, system_clock(), timedelta(hours=1))}"
        }

    async def send(self, tjeneste: str, body: Any, path: str = "hendelser", **headers: str) -> httpx.Response:
        url = f"{self.settings.url('tjenester')}/{tjeneste}/{path}"
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.http.post(url, content=content, headers={**self.as_(tjeneste), **headers})

    async def value(self, database: str, query: str, *args: Any) -> Any:
        engine = create_engine(self.settings, database, 2)
        try:
            async with engine.begin() as connection:
                return await (await driver(connection)).fetchval(query, *args)
        finally:
            await engine.dispose()

    async def until(self, database: str, query: str, expected: Any, within_s: float = 30) -> None:
        """Waits until the query's value is as expected."""
        found = None
        for _ in range(int(within_s / 0.1)):
            found = await self.value(database, query)
            if found == expected:
                return
            await asyncio.sleep(0.1)
        pytest.fail(f"{query}: {found!r} did not become {expected!r}")


async def make_all(topics: Catalogue, make_database: MakeDatabase) -> dict[str, AsyncEngine]:
    """Every database there must be, as migrations leave it."""
    made = {}
    for name, schema in databases(topics).items():
        made[name] = await make_database(name, metadata(schema))
        async with made[name].begin() as connection:
            await connection.execute(text("CREATE TABLE alembic_version (version_num varchar PRIMARY KEY)"))
            await connection.execute(
                text("INSERT INTO alembic_version VALUES (:head)"), {"head": schema.head}
            )
    return made


@pytest.fixture(name="pipeline")
async def running_pipeline(
    settings: Settings, topics: Catalogue, make_database: MakeDatabase
) -> AsyncIterator[Pipeline]:
    await make_all(topics, make_database)
    settings = settings.model_copy(update=dict(zip(PORTS, free_ports("127.0.0.1", len(PORTS)), strict=True)))
    stop = asyncio.Event()
    running = [asyncio.create_task(load(part.run)(settings, topics, stop), name=part.navn) for part in PARTS]
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
            async with asyncio.timeout(40):
                for part in PARTS:
                    await _ready(http, f"{settings.url(part.navn)}/helse", running)
            yield Pipeline(settings, topics, http)
    finally:
        stop.set()
        async with asyncio.timeout(40):
            await asyncio.gather(*running)


async def _ready(http: httpx.AsyncClient, url: str, running: list[asyncio.Task[None]]) -> None:
    while True:
        try:
            assert (await http.get(url)).is_success
            return
        except httpx.TransportError:
            assert not any(task.done() for task in running), running
            await asyncio.sleep(0.05)
