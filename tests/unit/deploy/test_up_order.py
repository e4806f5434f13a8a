"""Whichever engine is first to answer, the start goes well; what the run cannot write or does not own, it leaves."""

import asyncio
import io
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.console import Console

from backbone.settings import Settings
from contracts.catalogue import Catalogue
from contracts.topics import Topic
from deploy import up
from deploy.engines import Engines
from deploy.terminal import Terminal


def a_run(data_dir: Path, console: Console | None = None) -> up._Run:
    data_dir.mkdir()
    return up._Run(up.Options(data_dir, port=0), Terminal(console or Console(file=io.StringIO()), 0.0))


class Unwritable(io.StringIO):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, _: str) -> int:
        raise self.error


async def test_topics_wait_for_the_brokers_address_also_where_kafka_answers_before_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brokers: list[str | None] = []
    postgres_answers = asyncio.Event()

    async def answers(_: object, engine: str) -> None:
        if engine == "postgres":
            await postgres_answers.wait()

    async def ensure_topics(settings: Settings, topics: Iterable[Topic]) -> None:
        brokers.append(settings.kafka)

    async def kafka_address(_: object) -> str:
        return "127.0.0.1:9"

    async def migrate(settings: Settings, catalogue: Catalogue, ready: object) -> None:
        pass

    monkeypatch.setattr(up._Run, "_answers", answers)
    monkeypatch.setattr(up._Run, "_kafka_address", kafka_address)
    monkeypatch.setattr(up, "ensure_topics", ensure_topics)
    monkeypatch.setattr(up, "migrate", migrate)
    run = a_run(tmp_path / "d")
    async with asyncio.TaskGroup() as group:
        group.create_task(run._prepare_topics())
        group.create_task(run._prepare_databases())
        await asyncio.sleep(0.05)
        assert brokers == []
        postgres_answers.set()
    assert brokers == ["127.0.0.1:9"]


async def test_a_second_run_leaves_the_firsts_run_file_alone_also_with_given_engines_and_at_two_interrupts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMSPOR_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("SAMSPOR_DATABASE_URL", "postgresql://127.0.0.1:1")
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    run = a_run(tmp_path / "d")
    file = up.run_file(tmp_path / "d")
    first = Engines(tmp_path / "d", "127.0.0.1:1", "postgresql://127.0.0.1:1")
    await first.start()
    try:
        file.write_text("the first's")
        with pytest.raises(BaseExceptionGroup) as failures:
            await run._run()
        refused = up._cause(failures.value)
        assert isinstance(refused, up.CannotStart) and refused.code == "opp-i-gang"
        run._asked_to_stop()
        run._asked_to_stop()
        await run._shut_down()
        assert (ended, file.read_text()) == ([130], "the first's")
    finally:
        await first.stop()


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), BrokenPipeError(32, "Broken pipe")]
)
async def test_a_run_goes_on_where_its_disk_is_full_and_an_engine_that_died_is_tried_until_it_is_not(
    error: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [error, error]
    restarted = asyncio.Event()

    async def start(_: object) -> None:
        pass

    async def restart(_: object, engine: str) -> None:
        if full:
            raise full.pop()
        restarted.set()

    def write(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(up, "ENGINE_CHECK_S", 0.01)
    monkeypatch.setattr(up, "write_private", write)
    monkeypatch.setattr(Engines, "start", start)
    monkeypatch.setattr(Engines, "dead", lambda _: [] if restarted.is_set() else ["kafka"])
    monkeypatch.setattr(Engines, "restart", restart)
    monkeypatch.setattr(Engines, "pids", {})
    run = a_run(tmp_path / "d", up.Lines(file=Unwritable(error)))
    keeping = asyncio.create_task(run._start_engines())
    try:
        async with asyncio.timeout(5):
            await restarted.wait()
        await asyncio.sleep(0.05)
        assert not keeping.done(), keeping
        run._asked_to_stop()
        assert run._stop.is_set()
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
