"""Child processes that end when we end, however we end."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")
POLL_INTERVAL_S = 0.02
LOG_TAIL_BYTES = 2000


class EngineError(RuntimeError):
    """An engine could not be started or stopped; the message says what to do about it."""


@dataclass(frozen=True)
class Program:
    """What to run and how it is to die: `death_signal` is what the kernel sends it when this process is gone."""

    argv: Sequence[str]
    directory: Path
    log: Path
    death_signal: signal.Signals
    environment: Mapping[str, str] | None = None
    user: int | None = None
    reads_all: bool = False


class Child:
    """A running program in its own process group, so that Ctrl-C reaches us alone and we end it in good order.

    Start it from the thread that lives as long as the process does: Linux counts the end of the starting thread
    as the parent's death.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        orders = {
            "parent": os.getpid(),
            "death_signal": program.death_signal,
            "user": program.user,
            "reads_all": program.reads_all,
        }
        with program.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LAUNCHER), json.dumps(orders), *program.argv],
                cwd=program.directory,
                env=program.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    @property
    def is_alive(self) -> bool:
        return self.exit_code is None

    async def wait(self) -> int:
        while (code := self.exit_code) is None:
            await asyncio.sleep(POLL_INTERVAL_S)
        return code

    async def stop(self, sent: signal.Signals, timeout_s: float) -> None:
        """Ask with `sent`; after `timeout_s` end the whole process group."""
        if not self.is_alive:
            return
        self._process.send_signal(sent)
        try:
            async with asyncio.timeout(timeout_s):
                await self.wait()
        except TimeoutError:
            self.kill()
            await self.wait()

    def kill(self) -> None:
        if self.is_alive:
            os.killpg(self.pid, signal.SIGKILL)

    def failure(self, what: str) -> EngineError:
        """The last words of the program belong in the message: they mostly say what is wrong."""
        words = log_tail(self._program.log)
        return EngineError(f"{what} (exit code {self.exit_code}). The end of {self._program.log}:\n{words}")


def log_tail(log: Path) -> str:
    if not log.exists():
        return "(empty)"
    return log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace").strip()


@contextmanager
def ended_on_error(child: Child) -> Iterator[None]:
    """A start that is cancelled or fails half-way leaves nothing running."""
    try:
        yield
    except BaseException:
        child.kill()
        raise


def processes_titled(mark: str) -> list[int]:
    """Every process whose command line has `mark`: how the remains of an earlier run are found (Linux only)."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in line.read_bytes():
                found.append(int(line.parent.name))
        except OSError:
            # It ended while we looked.
            continue
    return [pid for pid in found if pid != os.getpid()]


def end_processes_titled(mark: str, patience_s: float) -> None:
    """Wait for them to end on their own, which they do when their parent is gone, then end them by force."""
    deadline = time.monotonic() + patience_s
    while pids := processes_titled(mark):
        if time.monotonic() > deadline:
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    # It ended by itself after all.
                    continue
        time.sleep(POLL_INTERVAL_S)
