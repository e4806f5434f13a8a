"""Signing in and out, forms from elsewhere, headers, and what is said when a neighbour is away."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import httpx
import pytest

from backbone.tokens import issue
from consumers.portal import personas
from consumers.portal.app import create_portal
from consumers.portal.okt import COOKIE, LIFE, Okter, own_path
from consumers.portal.sider import ROUTES, Portal
from consumers.portal.utlogget import Utlogget
from tests.unit.portal.conftest import BASE, Browser
from tests.unit.portal.verden import KOORDINATOR, LAERER, NOW, Varsler, Verden

PAGES = (
    "/",
    "/oppgaver",
    "/barn/sok",
    "/barn/3f0c0b1e-0000-4000-8000-000000000000",
    "/hendelser/4601/skole/1/x",
)


@pytest.mark.parametrize("path", PAGES)
async def test_nobody_sees_a_page_without_signing_in(browser: Browser, path: str) -> None:
    answer = await browser(None).get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/innlogging?til=/")


async def test_signing_in_as_a_persona_sets_a_cookie_no_script_and_no_other_site_can_use(
    browser: Browser,
) -> None:
    client = browser(None)
    for persona in personas.STANDARD:
        answer = await client.post("/innlogging", data={"persona": persona.id, "til": "/barn/sok"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/barn/sok")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert f"max-age={int(LIFE.total_seconds())}" in cookie
        assert str(persona.principal.navn) in (await client.get("/barn/sok")).text


async def test_outside_the_demonstration_there_are_no_personas(portal: Portal) -> None:
    real = replace(portal, settings=portal.settings.model_copy(update={"demo": False}))
    transport = httpx.ASGITransport(app=create_portal(real))
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers={"origin": BASE}) as client:
        page = (await client.get("/innlogging")).text
        assert "tilgangsbevis" in page
        assert "Barnekoordinator" not in page
        assert (await client.post("/innlogging", data={"persona": "revisor"})).status_code == 404


async def test_a_session_ends_by_itself_and_by_signing_out(portal: Portal, browser: Browser) -> None:
    client = browser(None)
    client.cookies.set(COOKIE, issue(LAERER, portal.settings, NOW - timedelta(hours=2), LIFE))
    answer = await client.get("/")
    assert "utlopt=1" in answer.headers["location"]
    await client.post("/innlogging", data={"persona": "laerer"})
    assert (await client.get("/")).status_code == 200
    await client.post("/utlogging")
    assert (await client.get("/")).status_code == 303


async def test_a_copy_of_a_token_is_no_good_once_its_session_is_signed_out(browser: Browser) -> None:
    hers, other = browser(None), browser(None)
    for client in (hers, other):
        await client.post("/innlogging", data={"persona": "laerer"})
    copy = hers.cookies[COOKIE]
    assert (await hers.post("/utlogging")).status_code == 303
    # The last character of a signature has bits that a lenient reader ignores.
    respelled = copy[:-1] + chr(ord(copy[-1]) + 1)
    for token in (copy, respelled):
        thief = browser(None)
        assert (await thief.get("/", headers={"authorization": f"Bearer {token}"})).status_code == 303
        thief.cookies.set(COOKIE, token)
        assert (await thief.get("/barn/sok")).status_code == 303
        assert (await thief.get("/varsler/strom")).status_code == 204
    assert (await other.get("/")).status_code == 200, "her other session goes on"
    await hers.post("/innlogging", data={"persona": "laerer"})
    assert (await hers.get("/")).status_code == 200


async def test_signing_out_ends_the_sessions_open_stream(portal: Portal, browser: Browser) -> None:
    client = browser(LAERER)
    stream = asyncio.create_task(client.get("/varsler/strom"))
    while not len(portal.vekker):
        await asyncio.sleep(0.01)
    await browser(KOORDINATOR).post("/utlogging")
    await asyncio.sleep(0.1)
    assert not stream.done(), "another's"
    await client.post("/utlogging")
    async with asyncio.timeout(5):
        assert "event: slutt" in (await stream).text


async def test_while_it_is_not_known_who_has_signed_out_nobody_is_let_in(portal: Portal) -> None:
    unsure = replace(portal, okter=Okter(portal.settings, portal.clock, Utlogget()))
    transport = httpx.ASGITransport(app=create_portal(unsure))
    token = issue(LAERER, portal.settings, NOW, LIFE)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        assert (await client.get("/", headers={"authorization": f"Bearer {token}"})).status_code == 503
        assert (await client.get("/helse")).status_code == 200


async def test_a_bearer_token_opens_the_pages_too(portal: Portal, browser: Browser) -> None:
    token = issue(LAERER, portal.settings, NOW, LIFE)
    answer = await browser(None).get("/", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://ond.test"},
        {"origin": "null"},
        {"origin": "", "sec-fetch-site": "cross-site"},
        {"origin": ""},
    ],
)
async def test_a_form_from_elsewhere_is_refused(browser: Browser, headers: dict[str, str]) -> None:
    for path, data in (
        ("/innlogging", {"persona": "revisor"}),
        ("/barn/sok", {"hva": "kari"}),
        ("/utlogging", {}),
    ):
        answer = await browser(LAERER).post(path, data=data, headers=headers)
        assert answer.status_code == 403, path
        assert "set-cookie" not in answer.headers


async def test_a_browser_that_sends_no_origin_is_taken_at_its_word(portal: Portal) -> None:
    transport = httpx.ASGITransport(app=create_portal(portal))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        data = {"persona": "revisor"}
        own = await client.post("/innlogging", data=data, headers={"sec-fetch-site": "same-origin"})
        assert own.status_code == 303
        assert (await client.post("/innlogging", data=data)).status_code == 403


async def test_a_form_that_is_too_large_is_not_read(browser: Browser) -> None:
    assert (await browser(LAERER).post("/barn/sok", data={"hva": "x" * 20_000})).status_code == 413


@pytest.mark.parametrize("path", ["/", "/innlogging", "/finnes-ikke", "/static/portal.css", "/helse"])
async def test_every_answer_carries_a_strict_policy(browser: Browser, path: str) -> None:
    headers = (await browser(KOORDINATOR).get(path)).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")


class Loads(HTMLParser):
    """Everything a page loads, and what a strict policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.blocked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.urls += [v for k, v in attrs if k in ("src", "href", "action", "sse-connect", "hx-get") and v]
        handlers = [k for k in given if k.startswith("on") or k == "style"]
        if handlers or tag == "style" or (tag == "script" and "src" not in given):
            self.blocked.append(f"{tag} {handlers}")


async def test_pages_load_nothing_from_elsewhere_and_nothing_inline(verden: Verden, browser: Browser) -> None:
    kari = verden.child("Kari")
    row = verden.event(kari, "skole", "fravaer.terskel-passert", {"dager": 12})
    verden.task(kari, "skole", [row])
    client = browser(LAERER)
    for path in (
        "/",
        f"/barn/{kari}",
        "/barn/sok",
        f"/hendelser{row['source']}/{row['id']}",
        "/innlogging",
        "/nei",
    ):
        loads = Loads()
        loads.feed((await client.get(path)).text)
        assert loads.urls, path
        assert all(u.startswith(("/", "#")) and not u.startswith("//") for u in loads.urls), path
        assert not loads.blocked, path


@pytest.mark.parametrize("part", ["samtykke", "samordning"])
async def test_with_a_neighbour_away_a_clear_page_says_what_to_do(
    verden: Verden, browser: Browser, part: str
) -> None:
    kari = verden.child("Kari")
    verden.event(kari, "skole", "elevforhold.startet")
    verden.away.add(part)
    for path in ("/", f"/barn/{kari}"):
        answer = await browser(KOORDINATOR).get(path)
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
        assert "Prøv igjen" in answer.text
        assert "Ingenting er gått tapt" in answer.text
        assert "Traceback" not in answer.text


async def test_without_receipts_the_way_of_an_event_waits_too(verden: Verden, browser: Browser) -> None:
    kari = verden.child("Kari")
    row = verden.event(kari, "skole", "elevforhold.startet")
    verden.away.add("tjenester")
    assert (await browser(LAERER).get(f"/hendelser{row['source']}/{row['id']}")).status_code == 503
    assert (await browser(LAERER).get(f"/barn/{kari}")).status_code == 200


async def test_a_bug_gives_a_plain_page_and_tells_nothing(verden: Verden, browser: Browser) -> None:
    kari = verden.child("Kari")
    row = verden.event(kari, "skole", "elevforhold.startet")
    row["time"] = "hemmelig-verdi"
    answer = await browser(LAERER).get(f"/barn/{kari}")
    assert answer.status_code == 500
    assert "Noe gikk galt hos oss" in answer.text
    assert "hemmelig-verdi" not in answer.text
    assert "content-security-policy" in answer.headers


async def test_alerts_away_leave_the_page_standing(
    verden: Verden, varsler: Varsler, browser: Browser
) -> None:
    from backbone.failures import Retry

    async def away() -> int:
        raise Retry("away")

    varsler.latest = away  # type: ignore[method-assign]
    assert (await browser(LAERER).get("/")).status_code == 200


def test_after_signing_in_one_returns_to_our_own_pages_only() -> None:
    assert own_path("/barn/x") == "/barn/x"
    for elsewhere in (
        "//ond.test",
        "http://ond.test/",
        "/\\ond.test",
        "ond.test",
        "/innlogging",
        "/varsler/strom",
        "",
    ):
        assert own_path(elsewhere) == "/", elsewhere


def test_no_address_has_room_for_a_name_or_number() -> None:
    parameters = {name for route in ROUTES for name in route.param_convertors}
    assert parameters == {"subject", "kommune", "tjeneste", "orgnr", "id"}
