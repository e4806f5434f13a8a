"""The portal over the small world, and browsers-without-a-browser signed in as somebody."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio

from backbone.meldinger import messages
from backbone.samtykke_client import InternalClient, SamtykkeClient
from backbone.settings import Settings, fresh_secrets
from backbone.tokens import Principal, issue
from consumers.portal.app import create_portal, environment
from consumers.portal.naboer import Kvitteringer, Samordning
from consumers.portal.okt import COOKIE, LIFE, Okter
from consumers.portal.sider import Portal
from consumers.portal.texts import Texts
from consumers.portal.utlogget import Utlogget
from consumers.portal.varsellager import Varsellager
from consumers.portal.varselstrom import Vekker
from consumers.portal.visning import Visning
from contracts.lov import Lov
from tests.unit.portal.verden import CATALOGUE, NOW, Varsler, Verden

BASE = "http://portal.test"

Browser = Callable[[Principal | None], httpx.AsyncClient]


@pytest.fixture
def verden() -> Verden:
    return Verden()


@pytest.fixture
def varsler() -> Varsler:
    return Varsler()


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings(demo=True, **fresh_secrets())


def over(client: InternalClient, app: Any) -> None:
    """Point a client at an ASGI app in this process."""
    client._http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://fake")


def build(settings: Settings, verden: Verden, varsler: Varsler) -> Portal:
    clock = lambda: NOW  # noqa: E731 - a clock that stands still
    samtykke = SamtykkeClient(settings, "portal", clock)
    samordning = InternalClient(settings, "portal", "samordning", clock)
    tjenester = InternalClient(settings, "portal", "tjenester", clock)
    over(samtykke, verden.samtykke())
    over(samordning, verden.samordning())
    over(tjenester, verden.tjenester())
    texts = Texts(messages("consumers.portal"), CATALOGUE, Lov())
    return Portal(
        settings=settings,
        catalogue=CATALOGUE,
        texts=texts,
        visning=Visning(texts, CATALOGUE),
        templates=environment(texts),
        samtykke=samtykke,
        samordning=Samordning(samordning),
        kvitteringer=Kvitteringer(tjenester),
        lager=cast(Varsellager, varsler),
        vekker=Vekker(),
        okter=Okter(settings, clock, Utlogget(read=True)),
        stop=asyncio.Event(),
        clock=clock,
    )


@pytest.fixture
def portal(settings: Settings, verden: Verden, varsler: Varsler) -> Portal:
    return build(settings, verden, varsler)


@pytest_asyncio.fixture
async def browser(portal: Portal) -> AsyncIterator[Browser]:
    opened: list[httpx.AsyncClient] = []

    def sign_in(principal: Principal | None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=create_portal(portal), raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url=BASE, headers={"origin": BASE})
        if principal is not None:
            client.cookies.set(COOKIE, issue(principal, portal.settings, NOW, LIFE))
        opened.append(client)
        return client

    yield sign_in
    for client in opened:
        await client.aclose()
