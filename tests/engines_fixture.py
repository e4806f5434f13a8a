"""PostgreSQL and Kafka for the tests: real ones, started once a run, on data that is thrown away."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from deploy.engines import Engines


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engines() -> AsyncIterator[Engines]:
    with tempfile.TemporaryDirectory(prefix="samspor-tests-") as data_dir:
        async with Engines(Path(data_dir)) as running:
            yield running
