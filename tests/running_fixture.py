"""The fixture `running`: the whole of Samspor with the story told, once a run, for tests that need a browser."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.up_process import Up, four_free_ports, up

TOLD_WITHIN_S = 90
DUTIES = {"samarbeid", "bekymringsmelding", "frafall"}


@pytest.fixture(scope="session")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    """`running.ready["portal"]` is the address; the three kinds of tasks are there when a test begins."""
    data_dir = Path(tmp_path_factory.mktemp("samspor")) / "d"
    async with up(data_dir, four_free_ports(), "--tempo", "100") as run:
        await _told(run)
        yield run


async def _told(run: Up) -> None:
    headers = {"Authorization": f"Bearer {run.tokens()['system']}"}
    async with httpx.AsyncClient(
        base_url=run.ready["samordning"], headers=headers, trust_env=False
    ) as client:
        async with asyncio.timeout(TOLD_WITHIN_S):
            while True:
                tasks = (await client.get("/samordning/oppgaver")).json()["oppgaver"]
                if {task["regel"] for task in tasks if task["status"] == "aapen"} >= DUTIES:
                    return
                await asyncio.sleep(0.2)
