"""A browser of the machine's own, and a family that has just come to the municipality.

`running` is the whole of Samspor with its story told.
"""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright

from consumers.portal.personas import KOMMUNE
from contracts.personnummer import tenor
from tests.up_process import Up, four_free_ports, up

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
BARNEKOORDINATOR = "demo:barnekoordinator"

TOLD_WITHIN_S = 90
DUTIES = {"samarbeid", "bekymringsmelding", "frafall"}

SignIn = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="package")
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


@pytest.fixture(scope="package")
async def chromium() -> AsyncIterator[Browser]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not path:
        pytest.skip(
            "no chromium on this machine: install it (apt-get install chromium) to run the browser tests"
        )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        await browser.close()


@pytest.fixture
async def sign_in(chromium: Browser, running: Up) -> AsyncIterator[SignIn]:
    """Opens the start page as the persona of that name; every page must keep within the content policy."""
    contexts = []
    complaints: list[str] = []

    async def open_as(persona: str, width: int = 1280) -> Page:
        context = await chromium.new_context(
            locale="nb-NO", base_url=running.ready["portal"], viewport={"width": width, "height": 900}
        )
        contexts.append(context)
        page = await context.new_page()
        page.on(
            "console", lambda m: complaints.append(m.text) if "Content Security Policy" in m.text else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto("/")
        await page.get_by_role("button", name=persona).click()
        await page.wait_for_url(f"{running.ready['portal']}/")
        return page

    yield open_as
    for context in contexts:
        await context.close()
    assert complaints == []


@dataclass
class Familie:
    """A child with a name of its own, and what its services say of it."""

    http: httpx.AsyncClient
    running: Up
    tokens: Mapping[str, str]
    navn: str
    nummer: str
    subject: str = ""
    sent: int = field(default=0)

    async def samtykke(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = await self.http.post(
            f"{self.running.ready['samtykke']}/samtykke/{path}",
            json=body,
            headers={"authorization": f"Bearer {self.tokens['system']}"},
        )
        answer.raise_for_status()
        return answer.json()

    async def come(self) -> None:
        """Registered by name, with the demonstration's coordinator."""
        who = {"person": self.nummer, "kommune": KOMMUNE}
        self.subject = (await self.samtykke("personer", {**who, "navn": self.navn}))["subject"]
        await self.samtykke(
            "tildelinger", {**who, "koordinator": BARNEKOORDINATOR, "rolle": "barnekoordinator"}
        )

    async def consent(self, fra: str, til: list[str], kategorier: list[str]) -> str:
        given = await self.samtykke(
            "samtykker",
            {
                "person": self.nummer,
                "kommune": KOMMUNE,
                "hvem": "begge-foreldre",
                "fra_tjeneste": fra,
                "til_tjenester": til,
                "kategorier": kategorier,
                "formal": "samarbeid om barnet",
                "gyldig_fra": (datetime.now(UTC) - timedelta(days=30)).isoformat(),
                "utloper": None,
            },
        )
        return str(given["samtykke"])

    async def tell(self, tjeneste: str, navn: str, data: Mapping[str, Any] | None = None) -> None:
        """One event of a service, as its fagsystem sends it."""
        self.sent += 1
        answer = await self.http.post(
            f"{self.running.ready['tjenester']}/{tjeneste}/hendelser",
            json={
                "type": navn,
                "person": self.nummer,
                "tid": datetime.now(UTC).isoformat(),
                "nokkel": f"prove-{self.sent}",
                "data": data or {},
            },
            headers={"authorization": f"Bearer {self.tokens[tjeneste]}"},
        )
        assert answer.status_code == 202, answer.text


@pytest.fixture
async def familie(running: Up) -> AsyncIterator[Familie]:
    mark = secrets.token_hex(3)
    nummer = tenor(date(2012, 1, 1) + timedelta(days=secrets.randbelow(300)), secrets.randbelow(50))
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        made = Familie(http, running, running.tokens(), f"Prøve {mark.capitalize()}", nummer)
        await made.come()
        yield made
