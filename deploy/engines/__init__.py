"""The embedded engines: PostgreSQL and Kafka as children of this process, on one data directory."""

import asyncio
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Protocol, Self

from deploy.engines.kafka import EmbeddedKafka
from deploy.engines.postgres import EmbeddedPostgres
from deploy.engines.process import EngineError

__all__ = ["DataInUse", "EmbeddedKafka", "EmbeddedPostgres", "EngineError", "EngineName", "Engines"]

EngineName = Literal["postgres", "kafka"]


class DataInUse(EngineError):
    """Another run holds the data directory."""


class Engine(Protocol):
    """What both engines can do, and all that is needed to keep one running."""

    @property
    def pid(self) -> int: ...
    @property
    def is_alive(self) -> bool: ...
    async def start(self) -> None: ...
    async def wait_ready(self) -> None: ...
    async def answers(self) -> bool: ...
    async def stop(self) -> None: ...


class Engines:
    """Both engines, or only the one that is not given as an existing service's address.

    Enter it on the main thread: the engines die with the thread that starts them (see `process.Child`).
    """

    def __init__(self, data_dir: Path, kafka: str | None = None, database_url: str | None = None) -> None:
        self._data_dir = data_dir.absolute()
        self._given_kafka = kafka
        self._given_database_url = database_url
        self._kafka = EmbeddedKafka(self._data_dir / "kafka")
        self._postgres = EmbeddedPostgres(self._data_dir / "postgres")
        self._lock: IO[str] | None = None

    @property
    def data_dir(self) -> Path:
        """Where they keep their data and their logs."""
        return self._data_dir

    @property
    def kafka_bootstrap(self) -> str:
        return self._given_kafka or self._kafka.bootstrap

    @property
    def database_url(self) -> str:
        return self._given_database_url or self._postgres.url

    @property
    def pids(self) -> dict[EngineName, int]:
        return {name: engine.pid for name, engine in self._ours().items()}

    def dead(self) -> list[EngineName]:
        """The engines whose process has ended though nobody stopped it: `restart` them."""
        return [name for name, engine in self._ours().items() if not engine.is_alive]

    async def health(self) -> dict[EngineName, bool]:
        """Whether each engine of ours answers a real request now."""
        ours = self._ours()
        return dict(zip(ours, await asyncio.gather(*(e.answers() for e in ours.values())), strict=True))

    async def restart(self, name: EngineName) -> None:
        """On the same data and at the same address, whatever state the process is in."""
        engine = self._ours()[name]
        await engine.stop()
        await _bring_up(engine)

    async def start(self) -> None:
        self._lock = _locked(self._data_dir)
        try:
            async with asyncio.TaskGroup() as group:
                for engine in self._ours().values():
                    group.create_task(_bring_up(engine))
        except BaseExceptionGroup as failures:
            await self.stop()
            # One cause is enough for a reader, and callers can then name its type.
            raise failures.exceptions[0] from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        await asyncio.gather(*(engine.stop() for engine in self._ours().values()))
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _ours(self) -> dict[EngineName, Engine]:
        ours: dict[EngineName, Engine] = {}
        if self._given_database_url is None:
            ours["postgres"] = self._postgres
        if self._given_kafka is None:
            ours["kafka"] = self._kafka
        return ours


async def _bring_up(engine: Engine) -> None:
    await engine.start()
    await engine.wait_ready()


def _locked(data_dir: Path) -> IO[str]:
    """The lock is the open file, so it is let go of however this process ends."""
    data_dir.mkdir(parents=True, exist_ok=True)
    file = (data_dir / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise DataInUse(
            f"Samspor already runs on {data_dir} (process {holder}). Stop that run first, "
            f"or give this one another data directory."
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
