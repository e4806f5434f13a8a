"""A task's page in a real browser, over a small world of its own: the buttons work with htmx, and without."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, expect

from backbone.http import serve
from backbone.settings import Settings, fresh_secrets
from consumers.portal.app import create_portal
from tests.unit.portal.conftest import build
from tests.unit.portal.verden import Json, Varsler, Verden

AXE_BASICS = """() => [...document.querySelectorAll('a, button, select, textarea, input:not([type=hidden])')]
    .filter(e => e.offsetParent && !(e.innerText || e.labels?.[0]?.innerText || e.ariaLabel || '').trim())
    .map(e => e.outerHTML)"""
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@asynccontextmanager
async def teacher(
    chromium: Browser, verden: Verden, *, java_script_enabled: bool = True
) -> AsyncIterator[Page]:
    """A page signed in as the demonstration's teacher."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    portal = build(Settings(demo=True, **fresh_secrets()), verden, Varsler())
    serving = asyncio.create_task(serve(create_portal(portal), "127.0.0.1", port, portal.stop))
    context = await chromium.new_context(
        base_url=f"http://127.0.0.1:{port}", java_script_enabled=java_script_enabled, locale="nb-NO"
    )
    complaints: list[str] = []
    try:
        page = await context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if "Content Security" in m.text else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto("/innlogging")
        await page.get_by_role("button", name="Lærer").click()
        yield page
    finally:
        await context.close()
        portal.stop.set()
        await serving
    assert complaints == []


def step(slag: str, **changes: str | None) -> Json:
    blank = {"fra": None, "til": None, "grunn": None, "svar_innen": None, "kommentar": None}
    return {**blank, "slag": slag, "tid": "2026-11-23T07:00:00+00:00", "av": "skole", **changes}


async def test_a_task_is_refused_taken_and_finished_in_place(chromium: Browser) -> None:
    verden = Verden()
    kari = verden.child("Kari Nordmann")
    task = verden.task(kari, "skole", [])
    verden.flow(task["id"], "ta", "tilby", "avvis", "utfor", "kommenter")
    async with teacher(chromium, verden) as page:
        await page.goto(f"/oppgaver/{task['id']}")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Kari Nordmann")
        await page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert await page.evaluate(AXE_BASICS) == []
        await page.set_viewport_size({"width": 320, "height": 900})
        assert await page.evaluate(TOO_WIDE) <= 0
        await page.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")
        await page.evaluate("window.notReloaded = true")

        verden.refusal = (409, {"title": "Et nei må ha en grunn.", "detail": "Skriv en kommentar."})
        await page.locator("summary", has_text="Si nei").click()
        await page.get_by_label("Grunn", exact=True).select_option("annet")
        await page.get_by_role("button", name="Si nei").click()
        await expect(page.get_by_role("alert")).to_contain_text("Skriv en kommentar.")

        verden.refusal = None
        verden.flow(task["id"], "tilby", "utfor", "kommenter", steg=[step("overtatt")])
        await page.get_by_role("button", name="Ta oppgaven").click()
        await expect(page.locator(".historie")).to_contain_text("Skole tok oppgaven")
        await expect(page.get_by_role("alert")).to_have_count(0)

        verden.flow(task["id"], "utfor", "kommenter", steg=[step("tilbudt", til="nav")])
        await page.locator("summary", has_text="Tilby en annen tjeneste").click()
        await page.get_by_label("Til hvem").select_option("nav")
        await page.get_by_role("button", name="Tilby en annen tjeneste").click()
        await expect(page.locator(".historie")).to_contain_text("Skole tilbød NAV")

        verden.flow(task["id"], "utfor", "kommenter", steg=[step("kommentar", kommentar="<b>Vi ringer.</b>")])
        await page.get_by_label("Ny kommentar").fill("<b>Vi ringer.</b>")
        await page.get_by_role("button", name="Skriv kommentar").click()
        await expect(page.locator(".kommentar")).to_have_text("<b>Vi ringer.</b>")
        assert await page.evaluate("window.notReloaded") is True

        verden.flows.clear()  # finished, and no longer hers to see
        await page.get_by_role("button", name="Oppgaven er utført").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Mine oppgaver")
    said = [(path.rpartition("/")[2], body.get("til"), body.get("grunn")) for path, body in verden.orders]
    assert said == [
        ("avvis", None, "annet"),
        ("ta", None, None),
        ("tilby", "nav", None),
        ("kommentarer", None, None),
        ("utfor", None, None),
    ]
    assert all(body["versjon"] == 3 for path, body in verden.orders if "ordre" in path)


async def test_without_scripts_the_same_buttons_send_the_same_forms(chromium: Browser) -> None:
    verden = Verden()
    kari = verden.child("Kari Nordmann")
    verden.event(kari, "skole", "elevforhold.startet")
    verden.flow(kari, "tilby", versjon=1)
    async with teacher(chromium, verden, java_script_enabled=False) as page:
        await page.goto(f"/barn/{kari}")
        await page.get_by_role("link", name="Se og send videre").click()
        await page.locator("summary", has_text="Tilby stafettpinnen").click()
        verden.flow(kari, versjon=2, tilbudt_til="nav")
        await page.get_by_role("button", name="Tilby stafettpinnen").click()
        await expect(page.locator("main")).to_contain_text("Tilbudt NAV")
    [(path, said)] = verden.orders
    assert path == f"/samordning/stafett/{kari}/ordre/tilby"
    assert (said["til"], said["versjon"]) == ("nav", 1)
