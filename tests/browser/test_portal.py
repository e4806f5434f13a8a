"""The portal as people use it, in a real browser over all of Samspor."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Familie, SignIn

WITHIN_MS = 15_000
"""From a service's event to somebody's screen, on a machine that does much else."""

AXE_BASICS = """() => [...document.querySelectorAll('a, button, input:not([type=hidden])')]
    .filter(e => e.offsetParent && !(e.innerText || e.labels?.[0]?.innerText || e.ariaLabel || '').trim())
    .map(e => e.outerHTML)"""
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def four_services(familie: Familie) -> None:
    """School, health station and NAV share with the coordinator; health with the school too; barnevern with nobody."""
    await familie.consent("skole", ["koordinator", "helsestasjon"], ["fravar"])
    await familie.consent("helsestasjon", ["koordinator", "skole"], ["helseoppfolging"])
    await familie.consent("nav", ["koordinator"], ["nav-oppfolging"])
    await familie.tell("nav", "oppfolging.startet")
    await familie.tell("barnevern", "tiltak.iverksatt", {"kategori": "4.2"})
    await familie.tell("skole", "fravaer.terskel-passert", FRAVAER)


FRAVAER = {"dager": 12, "timer": 0, "periode": "2026-2027", "regel": "10-dager-skolear"}


async def open_child(page: Page, familie: Familie, events: int) -> None:
    """The child's page, when so many of its events have come to the timeline."""
    await page.goto(f"/barn/{familie.subject}")
    for _ in range(60):
        if await page.locator(".hendelse").count() >= events:
            break
        await page.wait_for_timeout(250)
        await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_have_text(familie.navn)


async def test_the_coordinator_sees_four_services_and_of_barnevern_the_status_alone(
    familie: Familie, sign_in: SignIn
) -> None:
    await four_services(familie)
    await familie.tell("helsestasjon", "oppfolging.utvidet")
    page = await sign_in("Barnekoordinator")
    await open_child(page, familie, 7)
    services = page.locator(".tjenestekort")
    await expect(services).to_have_count(4)
    barnevern = services.filter(has_text="Barnevern")
    await expect(barnevern).to_contain_text("Kun status")
    await expect(page.locator("main")).not_to_contain_text("Tiltak iverksatt")
    await expect(page.locator(".hendelse", has_text="Fravær over terskelen")).to_contain_text("12")


async def test_a_teacher_sees_what_consent_gives_and_no_more(familie: Familie, sign_in: SignIn) -> None:
    await four_services(familie)
    await familie.tell("helsestasjon", "oppfolging.utvidet")
    page = await sign_in("Lærer")
    await open_child(page, familie, 5)
    await expect(page.locator(".tjenestekort")).to_have_count(2)
    main = page.locator("main")
    await expect(main).to_contain_text("Utvidet oppfølging")
    await expect(main).to_contain_text("Fravær over terskelen")
    for hidden in ("Tiltak", "Kun status", "Oppfølging startet"):
        await expect(main).not_to_contain_text(hidden)
    assert re.search(r"\bbarnevern(et)?\b", await main.inner_text(), re.IGNORECASE) is None


async def test_a_consent_withdrawn_is_gone_from_the_next_page(familie: Familie, sign_in: SignIn) -> None:
    consent = await familie.consent("helsestasjon", ["skole"], ["helseoppfolging"])
    await familie.tell("skole", "elevforhold.startet", {"trinn": 8})
    await familie.tell("helsestasjon", "oppfolging.utvidet")
    page = await sign_in("Lærer")
    await open_child(page, familie, 3)
    await expect(page.locator("main")).to_contain_text("Utvidet oppfølging")
    await familie.samtykke(f"samtykker/{consent}/trekk")
    await page.reload()
    await expect(page.locator("main")).not_to_contain_text("Utvidet oppfølging")


async def test_an_alert_and_its_task_appear_without_a_reload_and_lead_to_their_cause(
    familie: Familie, sign_in: SignIn
) -> None:
    await four_services(familie)
    page = await sign_in("Barnekoordinator")
    await open_child(page, familie, 6)
    await page.goto("/")
    await expect(page.locator("#strom")).to_have_attribute("data-strom", "paa")
    await page.evaluate("window.notReloaded = true")
    await familie.tell("helsestasjon", "oppfolging.utvidet")
    alert = page.locator(".varsel", has_text=familie.navn).first
    await expect(alert).to_be_visible(timeout=WITHIN_MS)
    await expect(page.locator(".oppgave", has_text=familie.navn).first).to_be_visible(timeout=WITHIN_MS)
    assert await page.evaluate("window.notReloaded") is True
    await alert.get_by_role("link", name="Åpne oppgaven").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(familie.navn)
    await page.locator(".oppgave-utlost a").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Hendelsens vei")
    for station in ("Mottatt", "Avgjort", "Publisert", "Behandlet", "Oppgave"):
        await expect(page.locator(".steg-ferdig", has_text=station).first).to_be_visible()


async def test_another_services_child_is_not_there(familie: Familie, sign_in: SignIn) -> None:
    await familie.tell("barnevern", "tiltak.iverksatt", {"kategori": "4.2"})
    page = await sign_in("Lærer")
    answer = await page.goto(f"/barn/{familie.subject}")
    assert answer is not None
    assert answer.status == 404


async def test_every_page_reflows_at_320_pixels_and_names_what_can_be_pressed(
    familie: Familie, sign_in: SignIn
) -> None:
    await four_services(familie)
    await familie.tell("helsestasjon", "oppfolging.utvidet")
    page = await sign_in("Barnekoordinator", width=320)
    await open_child(page, familie, 7)
    way = await page.locator(".hendelse-vei a").first.get_attribute("href")
    for path in ("/", f"/barn/{familie.subject}", way, "/barn/sok", "/finnes-ikke", "/innlogging"):
        await page.goto(str(path))
        assert await page.evaluate(TOO_WIDE) <= 0, path
        assert await page.evaluate(AXE_BASICS) == [], path


async def test_the_keyboard_reaches_the_content_first(sign_in: SignIn) -> None:
    page = await sign_in("Lærer")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Hopp til innholdet")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize(
    ("persona", "task", "date_kind"),
    [
        ("Koordinerende enhet", "Avklar samarbeid", "lokal frist"),
        ("Barnevernspedagog", "bekymringsmelding", "lovfrist"),
        ("Lærer", "Forebygg frafall", "lokal frist"),
    ],
)
async def test_each_kind_of_task_is_with_the_persona_that_owns_it(
    sign_in: SignIn, persona: str, task: str, date_kind: str
) -> None:
    page = await sign_in(persona)
    mine = page.locator(".oppgave", has_text=re.compile(task, re.IGNORECASE)).first
    await expect(mine).to_be_visible(timeout=WITHIN_MS)
    await expect(mine).to_contain_text(date_kind)
    await expect(mine).to_contain_text("§")
    await expect(mine).to_contain_text("Ansvarlig")
    if persona != "Barnevernspedagog":
        await expect(page.locator("main")).not_to_contain_text(re.compile("bekymringsmelding", re.IGNORECASE))
