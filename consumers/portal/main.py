"""The portal's process: pages at once, alerts as soon as Kafka is there."""

import asyncio
import random
from contextlib import AsyncExitStack, suppress

from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.clock import Clock, system_clock
from backbone.database import DATABASE_AWAY, create_engine
from backbone.glemsel import follow
from backbone.http import serve
from backbone.meldinger import messages
from backbone.samtykke_client import InternalClient, SamtykkeClient
from backbone.settings import Settings
from consumers.portal.app import create_portal, environment
from consumers.portal.naboer import Kvitteringer, Samordning
from consumers.portal.okt import Okter
from consumers.portal.sider import Portal
from consumers.portal.texts import Texts
from consumers.portal.utlogget import Utlogget, Utlogginger
from consumers.portal.varsellager import Varsellager
from consumers.portal.varselmottak import Varselmottak
from consumers.portal.varselstrom import Vekker
from consumers.portal.visning import Visning
from contracts.catalogue import Catalogue
from contracts.lov import Lov

PART = "portal"


async def run(
    settings: Settings, catalogue: Catalogue, stop: asyncio.Event, clock: Clock = system_clock
) -> None:
    """Serves until `stop`. Raises OSError when the port is taken."""
    engine = create_engine(settings, PART)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        samtykke = await stack.enter_async_context(SamtykkeClient(settings, PART, clock))
        samordning = await stack.enter_async_context(InternalClient(settings, PART, "samordning", clock))
        tjenester = await stack.enter_async_context(InternalClient(settings, PART, "tjenester", clock))
        utlogget = Utlogget()
        utlogginger = Utlogginger(engine, utlogget, clock)
        with suppress(*DATABASE_AWAY):
            await utlogginger.exchange()
        texts = Texts(messages("consumers.portal"), catalogue, Lov())
        portal = Portal(
            settings=settings,
            catalogue=catalogue,
            texts=texts,
            visning=Visning(texts, catalogue),
            templates=environment(texts),
            samtykke=samtykke,
            samordning=Samordning(samordning),
            kvitteringer=Kvitteringer(tjenester),
            lager=Varsellager(engine),
            vekker=Vekker(),
            okter=Okter(settings, clock, utlogget),
            stop=stop,
            clock=clock,
        )
        mottak = Varselmottak(settings, portal.lager, portal.vekker.wake, clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(_wake_at_stop(portal))
            group.create_task(mottak.run(stop))
            group.create_task(follow(samtykke, PART, portal.lager.forget, stop))
            group.create_task(utlogginger.follow(portal.vekker.wake, stop))
            group.create_task(_seal(engine, settings, clock, stop))
            group.create_task(serve(create_portal(portal), settings.host, settings.portal_port, stop))


async def _seal(engine: AsyncEngine, settings: Settings, clock: Clock, stop: asyncio.Event) -> None:
    # Imported here: the first page must not wait for a Kafka client to load.
    from backbone.sealer import Sealer

    await Sealer(engine, PART, settings, clock, random.Random()).run(stop)


async def _wake_at_stop(portal: Portal) -> None:
    """Streams wait for alerts; a stop must not wait for them."""
    await portal.stop.wait()
    portal.vekker.wake()
