"""The process "samordning": reads Kafka, minds the time, and answers our other processes."""

import asyncio
import random

from backbone.clock import Clock, system_clock
from backbone.database import create_engine
from backbone.frister import local_date
from backbone.glemsel import follow
from backbone.http import Gatekeeper, serve
from backbone.samtykke_client import SamtykkeClient
from backbone.sealer import Sealer
from backbone.settings import Settings
from consumers.coordination import oppgaveapi
from consumers.coordination.api import create
from consumers.coordination.consumer import Consumer
from consumers.coordination.handler import Handler
from consumers.coordination.kommandoer import Kommandoer
from consumers.coordination.loops import CHUNK, SWEEP_S, Loops, Step, steadily
from consumers.coordination.oppgaveflyt import Flytregler
from consumers.coordination.regler.standard import with_local
from contracts.catalogue import Catalogue
from contracts.tjenester import SAMORDNING


def dates(commands: Kommandoer) -> Step:
    """What happens to tasks and batons when a date has gone by, looked at each minute."""

    async def step() -> float:
        await commands.raise_unanswered(CHUNK)
        await commands.raise_overdue(CHUNK)
        return SWEEP_S

    return step


async def run(
    settings: Settings, catalogue: Catalogue, stop: asyncio.Event, clock: Clock = system_clock
) -> None:
    """Until `stop` is set. What raises is a bug: it ends every part of the process, and the process with
    it."""
    engine = create_engine(settings, SAMORDNING)
    rng = random.Random()
    rules = with_local(catalogue, settings.lokale_regler)

    def flytregler(kommune: str) -> Flytregler:
        return rules.for_kommune(kommune).versjon(local_date(clock())).flyt

    async with SamtykkeClient(settings, SAMORDNING, clock) as samtykke:
        handler = Handler(engine, samtykke, settings, catalogue, rules, clock)
        commands = Kommandoer(engine, samtykke, settings, rules, clock, flytregler)
        topics = [settings.topic(name) for name in catalogue.event_topics()]
        consumer = Consumer(handler, engine, settings, topics, rng)
        loops = Loops(handler, engine, samtykke, settings, clock)
        gate = Gatekeeper(settings, clock)
        routers = (oppgaveapi.public(commands, gate), oppgaveapi.internal(commands, gate))
        app = create(engine, handler, consumer, settings, clock, routers)

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(serve(app, settings.host, settings.samordning_port, stop))
                group.create_task(consumer.run(stop))
                group.create_task(follow(samtykke, SAMORDNING, handler.forget, stop))
                group.create_task(Sealer(engine, SAMORDNING, settings, clock, rng).run(stop))
                for name in ("timers", "changes", "sweep", "dead_letters"):
                    group.create_task(steadily(name, getattr(loops, name), stop, rng))
                group.create_task(steadily("dates", dates(commands), stop, rng))
        finally:
            await loops.close()
            await engine.dispose()
