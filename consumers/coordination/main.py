"""The process "samordning": reads Kafka, minds the time, and answers our other processes."""

import asyncio
import random

from backbone.clock import Clock, system_clock
from backbone.database import create_engine
from backbone.http import serve
from backbone.samtykke_client import SamtykkeClient
from backbone.sealer import Sealer
from backbone.settings import Settings
from consumers.coordination.api import create
from consumers.coordination.consumer import Consumer
from consumers.coordination.handler import Handler
from consumers.coordination.loops import Loops, steadily
from consumers.coordination.regler.standard import regelverk
from contracts.catalogue import Catalogue
from contracts.tjenester import SAMORDNING


async def run(
    settings: Settings, catalogue: Catalogue, stop: asyncio.Event, clock: Clock = system_clock
) -> None:
    """Until `stop` is set. What raises is a bug: it ends every part of the process, and the process with
    it."""
    engine = create_engine(settings, SAMORDNING)
    rng = random.Random()
    async with SamtykkeClient(settings, SAMORDNING, clock) as samtykke:
        handler = Handler(engine, samtykke, settings, catalogue, regelverk(catalogue), clock)
        topics = [settings.topic(name) for name in catalogue.event_topics()]
        consumer = Consumer(handler, engine, settings, topics, rng)
        loops = Loops(handler, engine, samtykke, settings, clock)
        app = create(engine, handler, consumer, settings, clock)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(serve(app, settings.host, settings.samordning_port, stop))
                group.create_task(consumer.run(stop))
                group.create_task(Sealer(engine, SAMORDNING, settings, clock, rng).run(stop))
                for name in ("timers", "changes", "sweep", "dead_letters"):
                    group.create_task(steadily(name, getattr(loops, name), stop, rng))
        finally:
            await loops.close()
            await engine.dispose()
