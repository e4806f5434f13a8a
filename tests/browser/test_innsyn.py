"""Innsyn as a guardian uses it, in a real browser, held against axe-core's rules for WCAG 2.2 AA."""

import json
from typing import Any

import pytest
from playwright.async_api import Page, expect

from deploy.assets import MODULES
from tests.browser.conftest import Familie, SignIn
from tests.browser.test_portal import FRAVAER, TOO_WIDE, WITHIN_MS

AXE = MODULES / "axe-core" / "axe.min.js"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
GUARDIAN = "demo:foresatt"


async def violations(page: Page) -> list[Any]:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: `make test` does that")
    await page.evaluate(AXE.read_text("utf-8"))
    found = await page.evaluate(f"() => axe.run(document, {json.dumps(RULES)})")
    return [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]]


async def test_a_guardian_chooses_a_child_sees_who_has_read_and_takes_it_all_with_her(
    familie: Familie, sign_in: SignIn
) -> None:
    body = {"person": familie.nummer, "kommune": "4601", "bruker": GUARDIAN, "rolle": "forelder"}
    await familie.samtykke("familie", body)
    await familie.consent("skole", ["koordinator"], ["fravar"])
    await familie.tell("skole", "fravaer.terskel-passert", FRAVAER)
    teacher = await sign_in("Lærer")
    for _ in range(60):
        await teacher.goto(f"/barn/{familie.subject}")
        if await teacher.locator(".hendelse", has_text="Fravær").count():
            break
        await teacher.wait_for_timeout(250)

    page = await sign_in("Foresatt", width=320)
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Innsyn")
    assert await violations(page) == []
    await page.get_by_role("link", name=familie.navn).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Innsyn: {familie.navn}")
    main = page.locator("main")
    await expect(main).to_contain_text("Fravær over terskelen", timeout=WITHIN_MS)
    await expect(page.locator("#lesinger")).to_contain_text("Fagperson, Skole")
    await expect(page.locator("#lesinger")).not_to_contain_text("Lars")
    assert await page.evaluate(TOO_WIDE) <= 0
    assert await violations(page) == []

    async with page.expect_download() as taken:
        await page.get_by_role("link", name="Som nettside").click()
    path = await (await taken.value).path()
    kept = await page.context.new_page()
    await kept.set_content(path.read_text("utf-8"))
    await expect(kept.locator("main")).to_contain_text("Fravær over terskelen")
    assert await violations(kept) == []
