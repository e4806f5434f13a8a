"""The stream of alerts: resumed, trimmed for its viewer, and never held up by another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import cast

import pytest

from backbone.failures import Retry
from consumers.portal.sider import Portal, alert_html
from consumers.portal.varsellager import Varsel, Varsellager
from consumers.portal.varselstrom import Vekker, stream
from tests.unit.portal.conftest import Browser
from tests.unit.portal.verden import KOMMUNE, KOORDINATOR, LAERER, REVISOR, Varsler, Verden, principal


def yes() -> bool:
    return True


def no() -> bool:
    return False


async def everything(alert: Varsel) -> str | None:
    return f"<li>{alert.sekvens}</li>"


def watch(varsler: Varsler, vekker: Vekker, cursor: int | None, **changes: object) -> AsyncIterator[bytes]:
    given: dict[str, object] = {
        "render": everything,
        "still_welcome": yes,
        "stopping": no,
        "heartbeat_s": 0.05,
        **changes,
    }
    return stream(cast(Varsellager, varsler), vekker, KOMMUNE, cursor, **given)  # type: ignore[arg-type]


async def until(messages: AsyncIterator[bytes], wanted: bytes) -> list[bytes]:
    """What came, up to and with the first message that holds `wanted`."""
    seen: list[bytes] = []
    async with asyncio.timeout(5):
        async for one in messages:
            seen.append(one)
            if wanted in one:
                return seen
    raise AssertionError(f"the stream ended after {seen}")


def filled(verden: Verden, varsler: Varsler, count: int) -> str:
    kari = verden.child("Kari Testdatter")
    for _ in range(count):
        varsler.add(verden.task(kari, "skole", []))
    return kari


async def test_a_subscriber_goes_on_from_the_last_alert_she_has(verden: Verden, varsler: Varsler) -> None:
    filled(verden, varsler, 4)
    async with aclosing(watch(varsler, Vekker(), 2)) as messages:  # type: ignore[type-var]
        seen = await until(messages, b"id: 4\n")
    alerts = [m for m in seen if b"event: varsel" in m]
    assert alerts == [
        b"id: 3\nevent: varsel\ndata: <li>3</li>\n\n",
        b"id: 4\nevent: varsel\ndata: <li>4</li>\n\n",
    ]


async def test_without_a_cursor_only_what_comes_from_now_on_is_sent(verden: Verden, varsler: Varsler) -> None:
    kari = filled(verden, varsler, 3)
    vekker = Vekker()
    async with aclosing(watch(varsler, vekker, None)) as messages:  # type: ignore[type-var]
        await until(messages, b"id: 3\n\n")
        varsler.add(verden.task(kari, "skole", []))
        vekker.wake()
        assert await until(messages, b"id: 4\n") == [b"id: 4\nevent: varsel\ndata: <li>4</li>\n\n"]


async def test_a_wake_up_delivers_at_once(verden: Verden, varsler: Varsler) -> None:
    kari = filled(verden, varsler, 0)
    vekker = Vekker()
    async with aclosing(watch(varsler, vekker, 0, heartbeat_s=60)) as messages:  # type: ignore[type-var]
        waiting = asyncio.create_task(until(messages, b"varsel\n"))
        await asyncio.sleep(0.05)
        varsler.add(verden.task(kari, "skole", []))
        vekker.wake()
        await asyncio.wait_for(waiting, 2)


async def test_more_alerts_than_a_page_all_come(verden: Verden, varsler: Varsler) -> None:
    filled(verden, varsler, 120)
    async with aclosing(watch(varsler, Vekker(), 0, heartbeat_s=60)) as messages:  # type: ignore[type-var]
        seen = await until(messages, b"id: 120\n")
    assert [m.split(b"\n")[0] for m in seen if b"event" in m] == [b"id: %d" % n for n in range(1, 121)]


async def test_an_alert_not_for_her_moves_the_cursor_and_tells_nothing(
    verden: Verden, varsler: Varsler
) -> None:
    filled(verden, varsler, 1)

    async def nothing(alert: Varsel) -> str | None:
        return None

    async with aclosing(watch(varsler, Vekker(), 0, render=nothing)) as messages:  # type: ignore[type-var]
        assert (await until(messages, b"id: 1"))[-1] == b"id: 1\n\n"


async def test_with_a_neighbour_away_the_alert_is_tried_again_and_none_is_skipped(
    verden: Verden, varsler: Varsler
) -> None:
    filled(verden, varsler, 2)
    failures = [1, 1]

    async def late(alert: Varsel) -> str | None:
        if failures:
            failures.pop()
            raise Retry("away")
        return "<li></li>"

    async with aclosing(watch(varsler, Vekker(), 0, render=late)) as messages:  # type: ignore[type-var]
        seen = await until(messages, b"id: 2\n")
    assert [m.split(b"\n")[0] for m in seen if b"event" in m] == [b"id: 1", b"id: 2"]


async def test_a_slow_subscriber_delays_no_other(verden: Verden, varsler: Varsler) -> None:
    filled(verden, varsler, 1)
    vekker = Vekker()
    never = asyncio.Event()

    async def stuck(alert: Varsel) -> str | None:
        await never.wait()
        return None

    slow = asyncio.create_task(until(watch(varsler, vekker, 0, render=stuck), b"id: 1"))
    await asyncio.sleep(0.01)
    async with aclosing(watch(varsler, vekker, 0)) as messages:  # type: ignore[type-var]
        await until(messages, b"id: 1")
    slow.cancel()


async def test_a_quiet_stream_beats_and_a_subscriber_that_left_is_forgotten(varsler: Varsler) -> None:
    vekker = Vekker()
    async with aclosing(watch(varsler, vekker, 0)) as messages:  # type: ignore[type-var]
        await until(messages, b": her\n\n")
        assert len(vekker) == 1
    assert len(vekker) == 0


async def test_the_stream_ends_with_the_session_and_tells_the_browser_to_stay_away(varsler: Varsler) -> None:
    seen = [m async for m in watch(varsler, Vekker(), 0, still_welcome=no)]
    assert b"event: slutt" in seen[-1]


async def test_the_stream_ends_with_the_process_and_lets_the_browser_come_back(varsler: Varsler) -> None:
    seen = [m async for m in watch(varsler, Vekker(), 0, stopping=yes)]
    assert b"slutt" not in b"".join(seen)


async def test_an_alert_names_task_child_and_date_and_links_to_it(
    verden: Verden, varsler: Varsler, portal: Portal
) -> None:
    kari = verden.child("Kari Testdatter")
    verden.task(kari, "skole", [], regel="frafall")
    task = verden.task(kari, "skole", [])
    html = await alert_html(portal, LAERER, varsler.add(task, nr=3))
    assert html is not None
    assert "Ny oppgave" in html
    assert "Avklar samarbeid" in html
    assert "Kari Testdatter" in html
    assert "11.\u00a0desember\u00a02026" in html
    assert f'href="/barn/{kari}#oppgave-{task["id"]}"' in html
    assert "Forebygg frafall" not in html


@pytest.mark.parametrize(
    "viewer", [principal("fagperson", "nav"), REVISOR, principal("leder"), principal("drift")]
)
async def test_an_alert_comes_to_no_one_but_whose_task_it_is(
    verden: Verden, varsler: Varsler, portal: Portal, viewer: object
) -> None:
    alert = varsler.add(verden.task(verden.child("Kari"), "skole", []))
    assert await alert_html(portal, viewer, alert) is None  # type: ignore[arg-type]
    assert not verden.reads


async def test_an_alert_the_gate_denies_is_not_delivered(
    verden: Verden, varsler: Varsler, portal: Portal
) -> None:
    alert = varsler.add(verden.task(verden.child("Kari"), "skole", []))
    assert await alert_html(portal, KOORDINATOR, alert) is not None
    verden.gate = lambda viewer, item: "deny"
    assert await alert_html(portal, KOORDINATOR, alert) is None
    assert await alert_html(portal, LAERER, alert) is None


async def test_nobody_subscribes_without_signing_in(browser: Browser) -> None:
    assert (await browser(None).get("/varsler/strom")).status_code == 204
