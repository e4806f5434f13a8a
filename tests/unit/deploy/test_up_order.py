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


def a_run(data_dir: Path) -> up._Run:
    data_dir.mkdir()
    return up._Run(up.Options(data_dir, port=0), Terminal(Console(file=io.StringIO()), 0.0))


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
