"""The parts "tjenester" and "relay": the runner with the product's own registry, and a relay for every journal."""

import asyncio
import random

from backbone.clock import system_clock
from backbone.database import create_engine
from backbone.relay import Relay
from backbone.samtykke_client import SamtykkeClient
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from contracts.tjenester import SAMORDNING
from services.registry import standard
from services.runner import main as runner


async def run(settings: Settings, catalogue: Catalogue, stop: asyncio.Event) -> None:
    await runner.run(settings, standard(catalogue), stop)


async def run_relays(settings: Settings, catalogue: Catalogue, stop: asyncio.Event) -> None:
    """The services' journals, and the events of coordination. One that raises has met a bug and ends them all."""
    async with asyncio.TaskGroup() as group:
        group.create_task(runner.run_relays(settings, standard(catalogue), stop))
        group.create_task(_relay_samordning(settings, catalogue, stop))


async def _relay_samordning(settings: Settings, catalogue: Catalogue, stop: asyncio.Event) -> None:
    engine = create_engine(settings, SAMORDNING, 1)
    try:
        async with SamtykkeClient(settings, "relay") as samtykke:
            await Relay(engine, SAMORDNING, samtykke, settings, catalogue, system_clock, random.Random()).run(
                stop
            )
    finally:
        await engine.dispose()
