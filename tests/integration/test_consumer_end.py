"""A consumer that is thrown away is gone, and the reader that throws it away goes on with another."""

import asyncio
import random
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError

from backbone.consumer_end import end
from backbone.kafka import bootstrap
from backbone.settings import Settings
from consumers.coordination.consumer import Consumer
from consumers.innboks.mottak import Mottak
from consumers.portal.varselmottak import Varselmottak
from contracts.catalogue import Catalogue
from tests.conftest import NOW
from tests.integration.test_producer_end import TOPIC, nothing_left


async def test_one_whose_broker_is_away_is_ended_and_who_ends_it_is_not(
    settings: Settings, topics: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = asyncio.Event()

    async def refuse(*_: Any, **__: Any) -> None:
        refused.set()
        raise KafkaConnectionError

    async with nothing_left():
        consumer = AIOKafkaConsumer(settings.topic(TOPIC), bootstrap_servers=bootstrap(settings))
        await consumer.start()
        for place in consumer.assignment():
            await consumer.position(place)
        monkeypatch.setattr(consumer._fetcher, "_retry_backoff", 60.0)
        monkeypatch.setattr(consumer._client, "send", refuse)
        async with asyncio.timeout(10):
            await refused.wait()
        await asyncio.sleep(0.1)  # and now it waits before it asks again
        await end(consumer)


async def test_who_is_told_to_end_meanwhile_ends() -> None:
    class Away:
        async def stop(self) -> None:
            await asyncio.sleep(60)

    away: Any = Away()
    ending = asyncio.create_task(end(away))
    await asyncio.sleep(0)
    ending.cancel()
    await asyncio.wait({ending})
    assert ending.cancelled()


@pytest.mark.parametrize("reader", ["samordning", "innboks", "portal"])
async def test_a_reader_does_not_end_of_somebody_elses_cancellation(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    made: Any = {
        "samordning": lambda: (Consumer(None, None, settings, [], random.Random(1)), "_session"),  # type: ignore[arg-type]
        "innboks": lambda: (Mottak(settings, None, lambda: NOW), "_read"),  # type: ignore[arg-type]
        "portal": lambda: (Varselmottak(settings, None, lambda: None, lambda: NOW), "_consume"),  # type: ignore[arg-type]
    }
    readers, session = made[reader]()
    stop, sessions = asyncio.Event(), 0

    async def cancelled_from_within(_: asyncio.Event) -> None:
        nonlocal sessions
        sessions += 1
        if sessions == 2:
            stop.set()
        else:
            raise asyncio.CancelledError

    monkeypatch.setattr(readers, session, cancelled_from_within)
    async with asyncio.timeout(10):
        await readers.run(stop)
    assert sessions == 2
