"""Keeps a family of processes alive: start, watch, restart with backoff, stop in order, and leave none behind.

Children come from a fork server that imported their code once, so a part is up in milliseconds. Each child dies with
the supervisor, however that ends: it watches the supervisor's pipe, and the kernel kills it when the fork server goes.
"""

import asyncio
import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

import httpx

from backbone.client import http_client

PR_SET_PDEATHSIG = 1
HEALTH_INTERVAL_S = 2.0
STARTING_INTERVAL_S = 0.05
HEALTH_TIMEOUT_S = 5.0
HEALTH_FAILURES_MAX = 6
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 10.0
STABLE_AFTER_S = 30.0
"""A child that lived this long starts again at the first step of the backoff."""


class State(StrEnum):
    """What happened to a child, as the terminal and the run file tell it."""

    STARTED = "started"
    READY = "ready"
    DIED = "died"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Job:
    """One process: `target(*args)` runs in it until SIGTERM. `health` is the URL that answers 2xx when it is ready;
    without one it is ready as soon as it lives. `once`: it may end by itself and is then left alone."""

    navn: str
    target: Callable[..., None]
    args: tuple[Any, ...] = ()
    health: str | None = None
    once: bool = False


@dataclass
class Child:
    """A job and the process that runs it now."""

    job: Job
    ready: asyncio.Event
    process: ForkServerProcess | None = None
    restarts: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None and self.process.is_alive() else None


def backoff_s(failures: int) -> float:
    """Seconds to wait before the start after `failures` failures in a row (1, 2, …)."""
    return float(min(BACKOFF_FIRST_S * 2 ** min(failures - 1, 10), BACKOFF_MAX_S))


def end_with_supervisor() -> None:
    """Called first in a child: no way of ending the supervisor, SIGKILL included, leaves this process running."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the supervisor stops us in order
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: Any) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGKILL)


def warm_up(module: str) -> None:
    """Start the fork server, which imports `module` before it forks its first child: beside all else that is begun."""
    multiprocessing.get_context("forkserver").set_forkserver_preload([module])
    forkserver.ensure_running()


class Supervisor:
    """`tell(navn, state, detail)` hears of every change. Nothing here raises because a child failed, and no child is
    left alone because `tell` did."""

    def __init__(self, tell: Callable[[str, State, str], None]) -> None:
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._listener = tell
        self.children: dict[str, Child] = {}
        self._ready: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def start(self, job: Job) -> Child:
        child = self.children[job.navn] = Child(job, self._ready[job.navn])
        child.keeper = asyncio.create_task(self._keep(child), name=f"keep-{job.navn}")
        return child

    async def ready(self, navn: str) -> None:
        """Waits until the job `navn` has been started and answers."""
        await self._ready[navn].wait()

    def pids(self) -> dict[str, int]:
        return {navn: child.pid for navn, child in self.children.items() if child.pid is not None}

    async def stop(self, navn: str, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """SIGTERM, then SIGKILL for one that has not ended in time."""
        child = self.children.get(navn)
        if child is None or child.keeper is None:
            return
        child.stopping.set()
        if child.process is not None and child.process.is_alive():
            child.process.terminate()
        _, unfinished = await asyncio.wait({child.keeper}, timeout=timeout_s)
        if unfinished and child.process is not None:
            child.process.kill()
            await child.keeper
        self._tell(navn, State.STOPPED, "")

    def kill_all(self) -> None:
        for child in self.children.values():
            child.stopping.set()
            if child.process is not None and child.process.is_alive():
                child.process.kill()

    def _tell(self, navn: str, state: State, detail: str) -> None:
        with contextlib.suppress(Exception):
            self._listener(navn, state, detail)

    async def _keep(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while not child.stopping.is_set():
            began = loop.time()
            process = self._context.Process(
                target=child.job.target, args=child.job.args, name=child.job.navn, daemon=True
            )
            reason = await self._born(child, process) or await self._watch(child, process)
            child.ready.clear()
            if child.stopping.is_set() or (child.job.once and process.exitcode == 0):
                return
            failures = 1 if loop.time() - began > STABLE_AFTER_S else failures + 1
            child.restarts += 1
            self._tell(child.job.navn, State.DIED, reason)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.stopping.wait(), backoff_s(failures))

    async def _born(self, child: Child, process: ForkServerProcess) -> str:
        """Starts it; why it could not be, or "". A fork may fail (memory, processes, files), and the server that forks
        may be gone: the next start begins it anew."""
        try:
            # The fork server answers when its imports are done: that must not hold up the loop.
            await asyncio.to_thread(process.start)
        except Exception as error:
            return f"no start, {type(error).__name__}"
        child.process = process
        if child.stopping.is_set():  # asked to stop while it was being born
            process.terminate()
        self._tell(child.job.navn, State.STARTED, "")
        return ""

    async def _watch(self, child: Child, process: ForkServerProcess) -> str:
        """Until the process has ended; one that stops answering is killed. Returns how it ended."""
        healthy = asyncio.create_task(self._check(child))
        ended = asyncio.create_task(_ended(process, None))
        try:
            await asyncio.wait({healthy, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                process.kill()
                await ended
                failed = healthy.exception()
                return f"not watched, {type(failed).__name__}" if failed else healthy.result()
        finally:
            healthy.cancel()
            ended.cancel()
            await asyncio.gather(healthy, ended, return_exceptions=True)
        return f"exit {process.exitcode}"

    async def _check(self, child: Child) -> str:
        """Returns when the child has not answered for too long."""
        if child.job.health is None:
            self._mark_ready(child)
            await asyncio.Event().wait()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_TIMEOUT_S
        failures = 0
        async with http_client(timeout=HEALTH_TIMEOUT_S) as client:
            while True:
                if await _answers(client, str(child.job.health)):
                    self._mark_ready(child)
                    failures = 0
                elif child.ready.is_set():
                    failures += 1
                    if failures >= HEALTH_FAILURES_MAX:
                        return "no answer"
                elif loop.time() > deadline:
                    return "did not become ready"
                await asyncio.sleep(HEALTH_INTERVAL_S if child.ready.is_set() else STARTING_INTERVAL_S)

    def _mark_ready(self, child: Child) -> None:
        if not child.ready.is_set():
            child.ready.set()
            self._tell(child.job.navn, State.READY, "")


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.HTTPError:
        return False


async def _ended(process: ForkServerProcess, timeout_s: float | None) -> bool:
    """True when the process has ended, False when it has not within the time."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    sentinel = os.dup(process.sentinel)  # two waiters at once must not share one reader slot of the loop
    loop.add_reader(sentinel, ended.set)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await ended.wait()
    finally:
        loop.remove_reader(sentinel)
        os.close(sentinel)
    if ended.is_set():
        process.join()
    return ended.is_set()
