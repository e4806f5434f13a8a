"""The stand that every benchmark runs on: engines, fresh databases and topics, and samtykke as a process of its own."""

import asyncio
import multiprocessing
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from backbone.database import create_engine, dedicated
from backbone.kafka import ensure_topics
from backbone.settings import Settings, fresh_secrets
from contracts.catalogue import Catalogue
from deploy.engines import Engines
from deploy.migrate import migrate
from deploy.parts import BY_NAVN, serve
from deploy.ports import free_ports

ORGNR, KOMMUNE, TJENESTE = "974557746", "4601", "skole"
PORTS = ("portal_port", "tjenester_port", "samtykke_port", "samordning_port", "relay_port")


class Stand:
    """Fresh databases and topics on shared engines."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self.settings = settings
        self.catalogue = catalogue

    @asynccontextmanager
    async def database(self, name: str) -> AsyncIterator[asyncpg.Connection]:
        engine = create_engine(self.settings, name)
        conn = await dedicated(engine)
        try:
            yield conn
        finally:
            await conn.close()
            await engine.dispose()

    @asynccontextmanager
    async def part(self, navn: str) -> AsyncIterator[BaseProcess]:
        """The part as a process of its own, answering before the block begins."""
        with _process(navn, self.settings) as process:
            if BY_NAVN[navn].answers:
                await _answers(self.settings.url(navn), process)
            yield process


@asynccontextmanager
async def engines() -> AsyncIterator[Engines]:
    with tempfile.TemporaryDirectory(prefix="samspor-bench-") as folder:
        async with Engines(Path(folder)) as running:
            yield running


@asynccontextmanager
async def stand(running: Engines, **overrides: Any) -> AsyncIterator[Stand]:
    """A stand with names and ports of its own."""
    mark = f"b{secrets.token_hex(4)}"
    settings = Settings(
        **{
            **fresh_secrets(),
            **dict(zip(PORTS, free_ports("127.0.0.1", len(PORTS)), strict=True)),
            "kafka": running.kafka_bootstrap,
            "database_url": running.database_url,
            "database_prefix": mark,
            "topic_prefix": f"{mark}.",
            "demo": True,
            **overrides,
        }
    )
    catalogue = Catalogue.standard()
    await asyncio.gather(migrate(settings, catalogue), ensure_topics(settings, catalogue.topics()))
    yield Stand(settings, catalogue)


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def _process(navn: str, settings: Settings) -> Iterator[BaseProcess]:
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(BY_NAVN[navn], settings), daemon=True
    )
    process.start()
    try:
        yield process
    finally:
        process.terminate()
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join()


async def _answers(url: str, process: BaseProcess) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http, asyncio.timeout(30):
        while process.is_alive():
            try:
                if (await http.get("/helse")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.05)
    raise RuntimeError("the part ended before it answered")
