"""Ending an aiokafka producer so that nothing of it is left: no task, no socket, no batch that is sent once more.

aiokafka's own `stop` waits for what is in flight, and an idempotent producer's batch never expires: while its partition
is away, `stop` comes neither to the sender nor to the connections, and both live on and try for ever.
"""

import asyncio
import inspect
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed

STOP_S = 5.0
CLOSE_S = 2.0
"""For connections that are aborted to close, and tasks that are cancelled to end."""


async def end(producer: AIOKafkaProducer) -> None:
    """By `stop` where nothing is in flight. What is in flight fails, with an outcome that nobody knows."""
    if not _in_flight(producer):
        with suppress(TimeoutError, KafkaError, OSError):
            async with asyncio.timeout(STOP_S):
                await producer.stop()
                return
    await _break_off(producer)


def _in_flight(producer: AIOKafkaProducer) -> list[Any]:
    """The batches that are waiting, or sent and not acknowledged."""
    accumulator = producer._message_accumulator
    return [*chain.from_iterable(accumulator._batches.values()), *accumulator._pending_batches]


async def _break_off(producer: AIOKafkaProducer) -> None:
    producer._closed = True
    client = producer.client
    # Its tasks go first: one that puts back a batch which failed meanwhile would break, and be told of as a fault.
    await _cancelled(_tasks_of(producer._sender))
    _fail(producer, ProducerClosed())
    for conn in client._conns.values():
        if conn._writer is not None:  # `close` alone would wait until what is written is read
            conn._writer.transport.abort()
    with suppress(TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(CLOSE_S):
            await client.close()


def _tasks_of(owner: object) -> set[asyncio.Task[Any]]:
    """Those that run a method of this very object: aiokafka keeps them in a variable of its loop, and there is one for
    each broker that it waits for."""
    return {task for task in asyncio.all_tasks() if _owner(task) is owner}


def _owner(task: asyncio.Task[Any]) -> object:
    coro = task.get_coro()
    return inspect.getcoroutinelocals(coro).get("self") if inspect.iscoroutine(coro) else None


async def _cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    waiting = set(tasks)
    for task in waiting:
        task.cancel()
    if waiting:
        await asyncio.wait(waiting, timeout=CLOSE_S)


def _fail(producer: AIOKafkaProducer, error: KafkaError) -> None:
    """Who still waits for a batch is told; that nobody does is no fault to be told of."""
    batches = _in_flight(producer)
    # One that waits to be sent again is taken out of these when it fails, though it is not among them.
    producer._message_accumulator._pending_batches.update(batches)
    producer._message_accumulator.fail_all(error)
    for batch in batches:
        for future in (batch.future, batch._drain_waiter):
            if not future.cancelled():
                future.exception()
