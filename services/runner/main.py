"""The two processes of the services: taking in, and relaying."""

import asyncio
import random

from backbone.clock import Clock, system_clock
from backbone.database import create_engine
from backbone.glemsel import follow
from backbone.http import serve
from backbone.lane import LaneRelay
from backbone.relay import Relay
from backbone.samtykke_client import SamtykkeClient
from backbone.sealer import Sealer
from backbone.settings import Settings
from services.registry import Registry
from services.runner.app import build
from services.runner.glemsel import Forgetter

ACCEPT_POOL = 20


async def run(
    settings: Settings, registry: Registry, stop: asyncio.Event, clock: Clock = system_clock
) -> None:
    """Takes in for every registered service, until `stop` is set."""
    engines = {navn: create_engine(settings, navn, ACCEPT_POOL) for navn in registry.catalogue.tjenester}
    try:
        await serve(build(settings, registry, engines, clock), settings.host, settings.tjenester_port, stop)
    finally:
        for engine in engines.values():
            await engine.dispose()


async def run_relays(
    settings: Settings, registry: Registry, stop: asyncio.Event, clock: Clock = system_clock
) -> None:
    """Relays the journal and the lane of every registered service and seals its ledger, until `stop` is set."""
    engines = {navn: create_engine(settings, navn, 4) for navn in registry.catalogue.tjenester}
    try:
        async with SamtykkeClient(settings, "relay", clock) as samtykke, asyncio.TaskGroup() as group:
            for navn, engine in engines.items():
                relay = Relay(engine, navn, samtykke, settings, registry.catalogue, clock, random.Random())
                group.create_task(relay.run(stop), name=f"relay {navn}")
                forgetter = Forgetter(navn, engine, settings, registry, clock)
                group.create_task(follow(samtykke, navn, forgetter, stop), name=f"forgetter {navn}")
                sealer = Sealer(engine, navn, settings, clock, random.Random())
                group.create_task(sealer.run(stop), name=f"sealer {navn}")
                lane = LaneRelay(engine, navn, settings, clock, random.Random())
                group.create_task(lane.run(stop), name=f"lane {navn}")
    finally:
        for engine in engines.values():
            await engine.dispose()
