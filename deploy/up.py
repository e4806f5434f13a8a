"""Everything in one process tree: engines, databases, topics, all parts, and a synthetic municipality.

Started side by side, so that the first page comes as soon as the database is there; Kafka, the slow one, is awaited
only by the parts that read or write it. `<data>/kjorer.json` says at all times what runs where.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from backbone.clock import system_clock
from backbone.kafka import ensure_topics
from backbone.meldinger import messages
from backbone.settings import MissingSecret, Settings
from consumers.portal.personas import STANDARD as PERSONAS
from contracts.catalogue import Catalogue
from deploy.demo import write_private, write_tokens
from deploy.engines import DataInUse, EngineError, EngineName, Engines
from deploy.kommune.kjoring import simulate_as_child
from deploy.migrate import NewerData, databases, migrate
from deploy.parts import PARTS, STOP_ORDER, Part, serve_as_child
from deploy.ports import free_ports, is_free
from deploy.supervisor import Job, State, Supervisor
from deploy.terminal import Terminal

PORTS = ("portal_port", "tjenester_port", "samtykke_port", "samordning_port")
QUIET_PORTS = ("relay_port", "innboks_port")
"""Of use to Prometheus and to us alone: that one is taken is no reason not to start."""
SIMULERING = "simulering"
ENGINE_CHECK_S = 0.5
ENGINE_POLL_S = 0.05


class CannotStart(Exception):
    """`code` names the message that says what is wrong and what to do, `details` fill it in."""

    def __init__(self, code: str, **details: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


@dataclass(frozen=True)
class Options:
    """`port` is the portal's, the three after it are the other parts'; 0 takes free ones. `tempo` in days a second."""

    data_dir: Path
    port: int | None = None
    tempo: float = 1.0
    simulate: bool = True
    as_json: bool = False


def up(options: Options) -> int:
    """Run until SIGINT or SIGTERM; the exit code."""
    console = Lines(stderr=True, soft_wrap=True)
    with Terminal(console, time.monotonic()) as terminal:
        try:
            return asyncio.run(_Run(options, terminal).main())
        except CannotStart as problem:
            texts = messages("deploy")
            console.print(f"[red]{texts.text(problem.code, **problem.details)}[/red]", highlight=False)
            console.print(texts.action(problem.code, **problem.details), highlight=False)
            return 2


class Lines(Console):
    """Where a line cannot be written (a full disk, a reader or a terminal that is gone), the run goes on without."""

    def print(self, *objects: Any, **options: Any) -> None:
        with contextlib.suppress(OSError):
            super().print(*objects, **options)

    def on_broken_pipe(self) -> None:
        self.quiet = True


class _Run:
    """One embedded run, from start to stop."""

    def __init__(self, options: Options, terminal: Terminal) -> None:
        self._options = options
        self._terminal = terminal
        self._data_dir = options.data_dir.resolve()
        self._logs = self._data_dir / "logg"
        self._tokens = self._data_dir / "tokens.json"
        self._catalogue = Catalogue.standard()
        self._supervisor = Supervisor(self._told)
        self._in_use = False
        self._started = asyncio.Event()
        self._databases = {name: asyncio.Event() for name in databases(self._catalogue)}
        self._topics = asyncio.Event()
        self._stop = asyncio.Event()
        given = Settings()
        self._engines = Engines(self._data_dir, given.kafka, given.database_url)
        self._settings = given  # not complete before the engines have chosen their addresses
        self._addresses = asyncio.Event()

    async def main(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._asked_to_stop)
        self._terminal.say("opp-starter", mappe=str(self._options.data_dir))
        running = asyncio.create_task(self._run())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
        except BaseExceptionGroup as failures:
            raise _cause(failures) from None
        finally:
            for task in (running, stopping):
                task.cancel()
            await asyncio.gather(running, stopping, return_exceptions=True)
            await self._shut_down()
        return 0

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._start_engines())
            group.create_task(self._prepare_databases())
            group.create_task(self._prepare_topics())
            for part in PARTS:
                group.create_task(self._start_part(part))
            group.create_task(self._announce())

    async def _start_engines(self) -> None:
        """Start both, and from then on start anew what has died: it goes on from what it had on disk."""
        try:
            await self._engines.start()
        except DataInUse:
            self._in_use = True  # the run file is that run's
            raise CannotStart("opp-i-gang", mappe=str(self._options.data_dir)) from None
        self._started.set()
        while True:
            await asyncio.sleep(ENGINE_CHECK_S)
            for engine in self._engines.dead():
                self._told(engine, State.DIED, "prosessen er borte")
                try:
                    await self._engines.restart(engine)
                except (EngineError, OSError):
                    continue  # it is dead still (or the disk is full), so the next round tries again
                self._told(engine, State.READY, "")

    async def _prepare_databases(self) -> None:
        ports = _ports(self._options)
        await self._answers("postgres")
        self._settings = Settings.embedded(
            self._data_dir,
            kafka=await self._kafka_address(),
            database_url=self._engines.database_url,
            **ports,
        )
        self._addresses.set()
        self._logs.mkdir(mode=0o700, exist_ok=True)
        write_tokens(self._tokens, self._settings, self._catalogue.tjenester, system_clock())
        await migrate(self._settings, self._catalogue, ready=lambda name: self._databases[name].set())
        self._terminal.step("databaser")

    async def _prepare_topics(self) -> None:
        await self._answers("kafka")
        await self._addresses.wait()
        await ensure_topics(self._settings, self._catalogue.topics())
        self._terminal.step("emner")
        self._topics.set()

    async def _answers(self, engine: EngineName) -> None:
        while not (await self._engines.health()).get(engine, True):
            await asyncio.sleep(ENGINE_POLL_S)
        self._told(engine, State.READY, "")

    async def _kafka_address(self) -> str:
        """Known when Kafka has taken its port, which is before it answers."""
        while True:
            try:
                return self._engines.kafka_bootstrap
            except EngineError:
                await asyncio.sleep(ENGINE_POLL_S)

    async def _start_part(self, part: Part) -> None:
        for name in part.databases or self._databases:
            await self._databases[name].wait()
        if part.needs_kafka:
            await self._topics.wait()
        health = f"{self._settings.url(part.navn)}/helse" if part.answers else None
        self._supervisor.start(
            Job(part.navn, serve_as_child, (part.navn, self._settings, self._log(part.navn)), health)
        )

    async def _announce(self) -> None:
        """Say where to look when the first page is there; let the municipality send when everything is."""
        texts = messages("consumers.portal")
        await self._supervisor.ready("portal")
        self._terminal.where(
            portal=self._settings.url("portal"),
            personas=[texts.text(f"persona-{persona.id}") for persona in PERSONAS],
            tokens=str(self._options.data_dir / self._tokens.name),
            logs=str(self._options.data_dir / self._logs.name),
        )
        for part in PARTS:
            await self._supervisor.ready(part.navn)
        if self._options.simulate:
            args = (self._settings, self._tokens, self._options.tempo, self._log(SIMULERING))
            self._supervisor.start(Job(SIMULERING, simulate_as_child, args, once=True))
        if self._options.as_json:
            sys.stdout.write(orjson.dumps(self._running()).decode() + "\n")
            sys.stdout.flush()

    def _told(self, navn: str, state: State, detail: str) -> None:
        if not self._stop.is_set():
            self._terminal.part(navn, state, detail)
        if state in (State.STARTED, State.READY):
            with contextlib.suppress(OSError):  # the disk is full: it is written at the next change
                self._write_run_file()

    def _log(self, navn: str) -> Path:
        return self._logs / f"{navn}.log"

    def _running(self) -> dict[str, Any]:
        """What runs where, for tests and for the other commands."""
        return {
            **{
                navn: self._settings.url(navn)
                for navn in ("portal", "tjenester", "samtykke", "samordning", "relay", "innboks")
            },
            "kafka": self._settings.kafka,
            "database_url": self._settings.database_url,
            "tokens": str(self._tokens),
            "pid": os.getpid(),
            "deler": self._supervisor.pids(),
            "motorer": self._engines.pids if self._started.is_set() else {},
        }

    def _write_run_file(self) -> None:
        if not self._in_use:
            write_private(run_file(self._data_dir), self._running())

    def _remove_run_file(self) -> None:
        if not self._in_use:
            run_file(self._data_dir).unlink(missing_ok=True)

    def _asked_to_stop(self) -> None:
        if self._stop.is_set():
            self._supervisor.kill_all()
            self._terminal.say("opp-avbrutt")
            self._remove_run_file()
            os._exit(130)
        self._terminal.say("opp-stopper")
        self._stop.set()

    async def _shut_down(self) -> None:
        self._stop.set()
        for navn in STOP_ORDER:
            await self._supervisor.stop(navn)
        await self._engines.stop()
        self._remove_run_file()
        self._terminal.say("opp-stoppet")


def _cause(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """One failure is enough for a reader: the first, as something she can act on where it is one we know."""
    first = failures.exceptions[0]
    if isinstance(first, BaseExceptionGroup):
        return _cause(first)
    if isinstance(first, EngineError):
        return CannotStart("opp-motor", grunn=str(first))
    if isinstance(first, NewerData):
        return CannotStart("lege-database-nyere", navn=str(first))
    if isinstance(first, MissingSecret):
        return CannotStart("innstilling-mangler", melding=str(first))
    return first


def run_file(data_dir: Path) -> Path:
    """Where an embedded run with this data says what runs where."""
    return data_dir / "kjorer.json"


def _ports(options: Options) -> dict[str, int]:
    """The settings' ports as the options want them. Raises CannotStart when one is taken."""
    host = Settings().host
    if options.port == 0:
        names = (*PORTS, *QUIET_PORTS)
        return dict(zip(names, free_ports(host, len(names)), strict=True))
    moved = [n for n in QUIET_PORTS if options.port is not None or not is_free(host, getattr(Settings(), n))]
    quiet = dict(zip(moved, free_ports(host, len(moved)), strict=True))
    chosen = {} if options.port is None else {name: options.port + nr for nr, name in enumerate(PORTS)}
    settings = Settings(**chosen)  # type: ignore[arg-type]
    for name in PORTS:
        port = getattr(settings, name)
        if not is_free(host, port):
            raise CannotStart(
                "opp-port-opptatt", port=str(port), vert=host, forslag=str(settings.portal_port + 100)
            )
    return {**chosen, **quiet}
