"""The process that takes in for all services; what it accepted is relayed by another."""

import asyncio

from backbone.clock import Clock, system_clock
from backbone.database import create_engine
from backbone.http import serve
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from services.registry import standard
from services.runner.app import build

ACCEPT_POOL = 10


async def run(
    settings: Settings, catalogue: Catalogue, stop: asyncio.Event, clock: Clock = system_clock
) -> None:
    """Takes in for every registered service, until `stop` is set."""
    engines = {navn: create_engine(settings, navn, ACCEPT_POOL) for navn in catalogue.tjenester}
    try:
        await serve(
            build(settings, standard(catalogue), engines, clock), settings.host, settings.tjenester_port, stop
        )
    finally:
        for engine in engines.values():
            await engine.dispose()
