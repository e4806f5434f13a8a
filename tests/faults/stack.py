"""The running thing: `samspor up` with its parts and engines, and everything that can be done to them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.database import create_engine, driver
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from contracts.tjenester import SAMORDNING, SAMTYKKE
from deploy.commands.felles import settings as settings_of
from deploy.parts import PARTS
from tests.faults import hooks
from tests.up_process import STOP_TIMEOUT_S, Up, family, four_free_ports, frozen

SESSION_TIMEOUT_MS = 4_000
"""Less than the default 10 s: a dead consumer's partitions wait this long, and every row waits with them."""
SECOND_ENDS_S = 20.0
LOCKS = "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
_starting = asyncio.Lock()


class Stack:
    """One `samspor up` on data of its own, restarted on the same data when a fault stops it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.data_dir = directory / "d"
        self._faults = directory / "faults"
        for name in ("points", "planted"):
            (self._faults / name).mkdir(parents=True)
        self._port = 0
        self._up: Up | None = None
        self._settings: Settings | None = None
        self._engines: dict[str, AsyncEngine] = {}
        self.catalogue = Catalogue.standard()

    @property
    def up(self) -> Up:
        assert self._up is not None
        return self._up

    @property
    def settings(self) -> Settings:
        assert self._settings is not None
        return self._settings

    @property
    def environment(self) -> dict[str, str]:
        return {
            hooks.FAULTS_DIR: str(self._faults),
            "SAMSPOR_SESSION_TIMEOUT_MS": str(SESSION_TIMEOUT_MS),
        }

    async def start(self) -> None:
        async with _starting:  # two at a time would look for free ports at the same moment
            self._port = self._port or four_free_ports()
            self._up = await Up.start(
                self.data_dir,
                self._port,
                "--uten-simulering",
                module="tests.faults.up",
                **self.environment,
            )
        self._settings = settings_of(self.data_dir)

    async def stop(self, sent: signal.Signals = signal.SIGINT) -> int:
        """Its exit code."""
        for engine in self._engines.values():
            await engine.dispose()
        self._engines.clear()
        if self._up is None or self._up.process.returncode is not None:
            return 0
        return await self._up.stop(sent)

    async def kill(self, navn: str) -> None:
        """SIGKILL a part or engine."""
        await self.up.kill_part(navn)

    def terminate(self, navn: str) -> None:
        """SIGTERM a part."""
        os.kill(self.pids()[navn], signal.SIGTERM)

    def pids(self) -> dict[str, int]:
        """Of the parts that run now."""
        return dict(self.up.now()["deler"])

    def arm(self, point: str, passes: int) -> None:
        """Kill the process that passes `point` for the `passes`th time from now on."""
        draft = self._faults / point
        draft.write_text(str(passes))
        draft.rename(self._faults / "points" / point)  # as a whole: it may be passed at this very moment

    def disarm(self) -> list[str]:
        """The points that nobody passed."""
        left = sorted((self._faults / "points").iterdir())
        for path in left:
            path.unlink()
        return [path.name for path in left]

    async def fired(self, point: str, within_s: float) -> bool:
        deadline = asyncio.get_running_loop().time() + within_s
        while (self._faults / "points" / point).exists():
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    @contextmanager
    def planted(self, *names: str) -> Iterator[None]:
        """The bugs are in while this is entered."""
        files = [self._faults / "planted" / name for name in names]
        for file in files:
            file.touch()
        try:
            yield
        finally:
            for file in files:
                file.unlink()

    @contextmanager
    def silent(self, engine: str) -> Iterator[None]:
        """Nothing comes from the engine, and its connections stand: SIGSTOP to each of its processes."""
        first = self.up.now()["motorer"][engine]
        with ExitStack() as stopped:
            stopped.enter_context(frozen(first))  # from now on it begets no other
            for pid in family(first) - {first}:
                stopped.enter_context(frozen(pid))
            yield

    @asynccontextmanager
    async def away(self, engine: str) -> AsyncIterator[None]:
        """SIGKILL to the engine, and nobody is there to start it anew while this is entered."""
        with frozen(self.up.process.pid):
            await self.kill(engine)
            yield

    async def end_lock_holders(self) -> int:
        """Ends the connections that hold the relays' locks, as a network in between may; how many."""
        ended = 0
        for owner in self.owners:
            for row in await self.rows(
                owner, f"SELECT pg_terminate_backend(pid) AS done FROM ({LOCKS}) AS holders"
            ):
                ended += bool(row["done"])
        return ended

    @property
    def owners(self) -> tuple[str, ...]:
        """Everyone with a journal."""
        return (*self.catalogue.tjenester, SAMTYKKE, SAMORDNING)

    async def rows(self, database: str, query: str, *args: object) -> list[asyncpg.Record]:
        if database not in self._engines:
            self._engines[database] = create_engine(self.settings, database, pool_size=2)
        async with self._engines[database].connect() as connection:
            return list(await (await driver(connection)).fetch(query, *args))

    async def all_answer(self) -> bool:
        """Whether every part says that it is well."""
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
            for part in PARTS:
                try:
                    answer = await http.get(f"{self.settings.url(part.navn)}/helse")
                except httpx.HTTPError:
                    return False
                if not answer.is_success:
                    return False
        return True

    def logs(self) -> Iterator[tuple[str, bytes]]:
        """What everybody has written so far, the engines too."""
        places = ("*.log", "d/logg/*.log", "d/postgres/*.log", "d/kafka/*.log", "d/kafka/*.out")
        for path in sorted(found for place in places for found in self._directory.glob(place)):
            yield path.name, path.read_bytes()

    @asynccontextmanager
    async def second(self, navn: str) -> AsyncIterator[int]:
        """Another process of the part, beside the supervised one; its pid. It is ended by SIGTERM, and must be able
        to."""
        port = four_free_ports()
        log = (self._directory / f"second-{navn}.log").open("ab")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.faults.second",
            navn,
            str(self.data_dir),
            str(port),
            stdout=log,
            stderr=log,
            env={**os.environ, **self.environment},
        )
        log.close()
        try:
            await self._second_answers(process, port)
            yield process.pid
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), SECOND_ENDS_S)
                except TimeoutError:
                    process.kill()
                    await process.wait()

    async def _second_answers(self, process: asyncio.subprocess.Process, port: int) -> None:
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http, asyncio.timeout(STOP_TIMEOUT_S):
            while process.returncode is None:
                try:
                    if (await http.get(f"http://127.0.0.1:{port}/helse")).is_success:
                        return
                except httpx.HTTPError:
                    pass  # not yet
                await asyncio.sleep(0.1)


@asynccontextmanager
async def stack(directory: Path) -> AsyncIterator[Stack]:
    running = Stack(directory)
    try:
        await running.start()
        yield running
    finally:
        await running.stop()
