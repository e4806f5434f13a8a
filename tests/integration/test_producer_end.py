"""A producer that is thrown away is gone: no task of it runs on, no socket is open, and no batch is sent later."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from backbone import producer_end
from backbone.kafka import Outgoing, Publisher, bootstrap
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from deploy.engines import Engines
from tests.up_process import frozen

TOPIC = "skole.hendelser"


def sockets() -> set[str]:
    found = set()
    for fd in Path("/proc/self/fd").iterdir():
        try:
            target = str(fd.readlink())
        except OSError:
            continue  # the listing's own
        if target.startswith("socket:"):
            found.add(target)
    return found


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    tasks, open_before = asyncio.all_tasks(), sockets()
    told: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context))
    yield
    await asyncio.sleep(0.1)
    gc.collect()  # what was forgotten with an error in it says so now
    loop.set_exception_handler(None)
    assert {repr(task.get_coro()) for task in asyncio.all_tasks() - tasks} == set()
    assert sockets() - open_before == set()
    assert told == []


def record(settings: Settings, nr: int, size: int = 10) -> Outgoing:
    return Outgoing(settings.topic(TOPIC), b"k%d" % nr, [], b"v" * size)


@pytest.mark.parametrize("size", [10, 900_000])
async def test_nothing_is_left_of_one_whose_broker_does_not_answer(
    settings: Settings, topics: Catalogue, engines: Engines, size: int
) -> None:
    publisher = Publisher(settings, "prove")
    async with nothing_left():
        await publisher.send([record(settings, 0)])
        publisher._settings = settings.model_copy(update={"delivery_timeout_s": 1.0})
        with frozen(engines.pids["kafka"]):
            # Megabytes, for each partition: more than the kernel takes for a process that does not read.
            outcomes = await publisher.send([record(settings, nr, size) for nr in range(20)])
            assert outcomes == [None] * 20
            assert publisher._producer is None
    # Kafka is back, and so is the next producer.
    try:
        publisher._settings = settings
        assert None not in await publisher.send([record(settings, 1)])
    finally:
        await publisher.close()


async def test_nothing_is_left_of_one_whose_topic_is_gone(settings: Settings, topics: Catalogue) -> None:
    publisher = Publisher(settings, "prove")
    async with nothing_left():
        await publisher.send([record(settings, 0)])
        publisher._settings = settings.model_copy(update={"delivery_timeout_s": 1.0})
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap(settings))
        await admin.start()
        await admin.delete_topics([settings.topic(TOPIC)])
        await admin.close()
        async with asyncio.timeout(30):
            while await publisher.send([record(settings, 0)]) != [None]:
                await asyncio.sleep(0.1)  # the broker takes a moment to forget it


async def test_another_that_waits_for_the_same_producer_is_told_at_once(
    settings: Settings, topics: Catalogue, engines: Engines
) -> None:
    publisher = Publisher(settings, "prove")
    async with nothing_left():
        await publisher.send([record(settings, 0)])
        with frozen(engines.pids["kafka"]):
            waiting = [asyncio.create_task(publisher.send([record(settings, 0)])) for _ in range(3)]
            await asyncio.sleep(0.3)
            async with asyncio.timeout(producer_end.CLOSE_S):
                await publisher.close()
                assert await asyncio.gather(*waiting) == [[None]] * 3


async def test_nothing_is_left_of_one_that_has_nothing_to_send(settings: Settings, topics: Catalogue) -> None:
    publisher = Publisher(settings, "prove")
    async with nothing_left():
        assert None not in await publisher.send([record(settings, 0)])
        await publisher.close()
