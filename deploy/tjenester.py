"""The parts "tjenester" and "relay": the runner with the product's own registry, and a relay for every journal.

A relay has nobody to answer but those who watch it: /helse and /metrics, on a port of its own.
"""

import asyncio
import random
from contextlib import AsyncExitStack
from functools import partial

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.clock import system_clock
from backbone.database import create_engine
from backbone.http import Gatekeeper, create_app, expose_metrics, serve
from backbone.journal import observe
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
    async with AsyncExitStack() as stack:
        watched: dict[str, AsyncEngine] = {}
        for owner in (*catalogue.tjenester, SAMORDNING):
            watched[owner] = create_engine(settings, owner, 2)
            stack.push_async_callback(watched[owner].dispose)
        app = _watch(settings, watched)
        async with asyncio.TaskGroup() as group:
            group.create_task(runner.run_relays(settings, standard(catalogue), stop))
            group.create_task(_relay_samordning(settings, catalogue, stop))
            group.create_task(serve(app, settings.host, settings.relay_port, stop))


def _watch(settings: Settings, journals: dict[str, AsyncEngine]) -> FastAPI:
    app = create_app("relay", docs=False)
    gate = Gatekeeper(settings, system_clock)
    expose_metrics(app, gate, *(partial(observe, engine, owner) for owner, engine in journals.items()))
    return app


async def _relay_samordning(settings: Settings, catalogue: Catalogue, stop: asyncio.Event) -> None:
    engine = create_engine(settings, SAMORDNING, 2)
    try:
        async with SamtykkeClient(settings, "relay") as samtykke:
            await Relay(engine, SAMORDNING, samtykke, settings, catalogue, system_clock, random.Random()).run(
                stop
            )
    finally:
        await engine.dispose()
