"""Whichever engine is first to answer, the start goes well."""

import asyncio
import io
from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.console import Console

from backbone.settings import Settings
from contracts.catalogue import Catalogue
from contracts.topics import Topic
from deploy import up
from deploy.terminal import Terminal


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
    run = up._Run(up.Options(tmp_path / "d", port=0), Terminal(Console(file=io.StringIO()), 0.0))
    (tmp_path / "d").mkdir()
    async with asyncio.TaskGroup() as group:
        group.create_task(run._prepare_topics())
        group.create_task(run._prepare_databases())
        await asyncio.sleep(0.05)
        assert brokers == []
        postgres_answers.set()
    assert brokers == ["127.0.0.1:9"]
