"""Innsyn in a real browser, over the portal and the small world of its unit tests: held against axe-core's rules for
WCAG 2.2 AA, under the portal's own content policy."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from backbone.http import serve
from backbone.settings import Settings
from backbone.tokens import issue
from consumers.portal.app import create_portal
from consumers.portal.okt import COOKIE, LIFE
from deploy.assets import MODULES
from deploy.ports import free_ports
from tests.browser.test_portal import TOO_WIDE
from tests.unit.portal.conftest import build, settings  # noqa: F401 - a fixture
from tests.unit.portal.test_innsyn import READ
from tests.unit.portal.verden import FORESATT, NOW, Varsler, Verden

AXE = MODULES / "axe-core" / "axe.min.js"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
WIDTHS = (320, 1280)


@pytest.fixture
def verden() -> Verden:
    """A guardian of two children; something is held about Kari, and a teacher has read it."""
    world = Verden()
    kari, ola = world.child("Kari Testdatter"), world.child("Ola Testsønn")
    world.families[FORESATT.sub] = [kari, ola]
    world.readings = [READ, {**READ, "utfall": "full", "kategorier": ["fravar"]}]
    row = world.event(kari, "skole", "fravaer.terskel-passert", {"dager": 12})
    world.event(kari, "helsestasjon", "oppfolging.utvidet")
    world.task(kari, "skole", [row])
    world.consent(kari, "skole", ["foresatt"], ["fravar"])
    return world


@pytest.fixture
async def page(chromium: Browser, settings: Settings, verden: Verden) -> AsyncIterator[Page]:  # noqa: F811
    """Signed in as the guardian; the content policy is kept, or the test fails."""
    portal = build(settings, verden, Varsler())
    (port,) = free_ports("127.0.0.1", 1)
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(create_portal(portal), "127.0.0.1", port, stop))
    token = issue(FORESATT, settings, NOW, LIFE)  # by the world's clock, which stands still
    url = f"http://127.0.0.1:{port}"
    context = await chromium.new_context(locale="nb-NO", base_url=url)
    await context.add_cookies([{"name": COOKIE, "value": token, "url": url}])
    complaints: list[str] = []
    opened = await context.new_page()
    opened.on("console", lambda m: complaints.append(m.text) if "Content Security" in m.text else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield opened
    finally:
        await context.close()
        stop.set()
        await serving
    assert complaints == []


async def violations(page: Page) -> list[Any]:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: `make test` does that")
    await page.evaluate(AXE.read_text("utf-8"))
    found = await page.evaluate(f"() => axe.run(document, {json.dumps(RULES)})")
    return [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]]


async def test_a_guardian_chooses_a_child_sees_who_has_read_and_takes_it_all_with_her(page: Page) -> None:
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        await page.goto("/")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Innsyn")
        assert await violations(page) == []
        await page.get_by_role("link", name="Kari Testdatter").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Innsyn: Kari Testdatter")
        await expect(page.locator("#hendelser")).to_contain_text("Fravær over terskelen")
        await expect(page.locator("#lesinger")).to_contain_text("Fagperson, Skole")
        assert await page.evaluate(TOO_WIDE) <= 0
        assert await violations(page) == []

    async with page.expect_download() as taken:
        await page.get_by_role("link", name="Som nettside").click()
    path = await (await taken.value).path()
    kept = await page.context.new_page()
    await kept.set_content(path.read_text("utf-8"))
    await expect(kept.locator("main")).to_contain_text("Fravær over terskelen")
    assert await violations(kept) == []
