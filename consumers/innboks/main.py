"""The inbox's process: the only one that holds barnevern's private key."""

import asyncio
import random

from backbone.clock import Clock, system_clock
from backbone.database import create_engine
from backbone.http import serve
from backbone.sealer import Sealer
from backbone.settings import Settings
from consumers.innboks.app import build
from consumers.innboks.lager import Lager
from consumers.innboks.mottak import Mottak
from contracts.catalogue import Catalogue

PART = "innboks"


async def run(settings: Settings, _: Catalogue, stop: asyncio.Event, clock: Clock = system_clock) -> None:
    """Until `stop`. Raises MissingSecret without the private key, OSError when the port is taken."""
    engine = create_engine(settings, PART)
    try:
        lager = Lager(engine, settings)
        mottak = Mottak(settings, lager, clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(mottak.run(stop))
            group.create_task(mottak.tidy(stop))
            group.create_task(Sealer(engine, PART, settings, clock, random.Random()).run(stop))
            group.create_task(
                serve(build(settings, lager, clock), settings.host, settings.innboks_port, stop)
            )
    finally:
        await engine.dispose()
