"""The supervisor keeps its parts alive, whatever it is that fails."""

import asyncio
import time
from typing import Any

import pytest

from deploy import supervisor as module
from deploy.supervisor import Job, State, Supervisor


async def test_a_part_that_could_not_be_started_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKOFF_FIRST_S", 0.01)
    told: list[tuple[str, State, str]] = []
    supervisor = Supervisor(lambda *said: told.append(said))
    born = supervisor._context.Process.start
    failures = [BlockingIOError(11, "fork"), EOFError()]

    def start(process: Any) -> None:
        if failures:
            raise failures.pop(0)
        born(process)

    monkeypatch.setattr(supervisor._context.Process, "start", start)
    child = supervisor.start(Job("del", time.sleep, (60,)))
    try:
        async with asyncio.timeout(30):
            await supervisor.ready("del")
        assert child.pid is not None and child.restarts == 2
        assert told == [
            ("del", State.DIED, "no start, BlockingIOError"),
            ("del", State.DIED, "no start, EOFError"),
            ("del", State.STARTED, ""),
            ("del", State.READY, ""),
        ]
    finally:
        await supervisor.stop("del")
    assert supervisor.pids() == {}


async def test_one_that_cannot_be_started_at_all_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor = Supervisor(lambda *_: None)

    def start(_: Any) -> None:
        raise OSError(12, "memory")

    monkeypatch.setattr(supervisor._context.Process, "start", start)
    child = supervisor.start(Job("del", time.sleep, (60,)))
    await asyncio.sleep(0.3)
    async with asyncio.timeout(5):
        await supervisor.stop("del")
    assert child.keeper is not None and child.keeper.done() and child.restarts > 0


async def test_a_part_that_could_not_be_watched_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKOFF_FIRST_S", 0.01)
    failures = [AttributeError("family")]

    async def answers(*_: object) -> bool:
        if failures:
            raise failures.pop()
        return True

    monkeypatch.setattr(module, "_answers", answers)
    told: list[tuple[State, str]] = []
    supervisor = Supervisor(lambda _, state, detail: told.append((state, detail)))
    supervisor.start(Job("del", time.sleep, (60,), health="http://127.0.0.1:1/helse"))
    try:
        async with asyncio.timeout(30):
            await supervisor.ready("del")
        assert (State.DIED, "not watched, AttributeError") in told
    finally:
        await supervisor.stop("del")


async def test_a_part_is_kept_alive_also_where_nobody_can_be_told_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "BACKOFF_FIRST_S", 0.01)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    supervisor = Supervisor(full)
    child = supervisor.start(Job("del", time.sleep, (60,)))
    try:
        async with asyncio.timeout(30):
            await supervisor.ready("del")
            assert child.process is not None and child.restarts == 0
            child.process.kill()
            while child.restarts == 0 or child.pid is None:
                await asyncio.sleep(0.01)
    finally:
        async with asyncio.timeout(30):
            await supervisor.stop("del")
    assert supervisor.pids() == {}
