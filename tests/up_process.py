"""Drives the real `samspor up` as a child process."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from deploy.ports import free_row

START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 120
POLL_S = 0.05


class Up:
    """One run of `samspor up --json`. `ready` is its ready line."""

    def __init__(self, data_dir: Path, process: asyncio.subprocess.Process, ready: dict[str, Any]) -> None:
        self.data_dir = data_dir
        self.process = process
        self.ready = ready

    @classmethod
    async def start(
        cls, data_dir: Path, port: int, *options: str, module: str = "deploy.cli", **environment: str
    ) -> "Up":
        """`module` is what is run instead of the command itself; `environment` is added to this process's own."""
        command = [sys.executable, "-m", module, "up", "--json", "--data-dir", str(data_dir)]
        log = (data_dir.parent / "up.log").open("ab")
        process = await asyncio.create_subprocess_exec(
            *command,
            "--port",
            str(port),
            *options,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env={**os.environ, **environment},
        )
        log.close()
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
            assert line, (data_dir.parent / "up.log").read_text()
        except BaseException:
            with suppress(ProcessLookupError):  # it may have ended by itself
                process.kill()
            await process.wait()
            raise
        return cls(data_dir, process, json.loads(line))

    def now(self) -> dict[str, Any]:
        """What runs where at this moment."""
        found: dict[str, Any] = json.loads((self.data_dir / "kjorer.json").read_text())
        return found

    def tokens(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.data_dir / "tokens.json").read_text())
        return found

    async def kill_part(self, navn: str) -> None:
        """SIGKILL the part or engine, as soon as it runs."""
        while True:
            running = self.now()
            pid = {**running["deler"], **running["motorer"]}.get(navn)
            if pid is not None and is_alive(pid):
                os.kill(pid, signal.SIGKILL)
                return
            await asyncio.sleep(POLL_S)

    async def stop(self, sent: signal.Signals = signal.SIGINT) -> int:
        """Its exit code."""
        self.process.send_signal(sent)
        return await asyncio.wait_for(self.process.wait(), STOP_TIMEOUT_S)

    def family(self) -> set[int]:
        """Every process that belongs to this run now: its descendants, engines included."""
        return family(self.process.pid)


@asynccontextmanager
async def up(data_dir: Path, port: int, *options: str) -> AsyncIterator[Up]:
    """A run that is ended with the block, however the block ends."""
    run = await Up.start(data_dir, port, *options)
    try:
        yield run
    finally:
        if run.process.returncode is None:
            await run.stop()


def family(pid: int) -> set[int]:
    """The process and its descendants."""
    parents = dict(_processes())
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """SIGSTOP, with every thread at a stop when this is entered, and SIGCONT afterwards where it is still there."""
    os.kill(pid, signal.SIGSTOP)
    try:
        # The signal is for whichever thread is scheduled next: on a busy machine the others run on until then.
        while any(_state(stat) not in "TZX" for stat in Path(f"/proc/{pid}/task").glob("*/stat")):
            time.sleep(0.001)
        yield
    finally:
        if is_alive(pid):
            os.kill(pid, signal.SIGCONT)


def is_alive(pid: int) -> bool:
    """Running, and no zombie that waits for its parent."""
    return _state(Path(f"/proc/{pid}/stat")) not in "ZX"


async def all_gone(pids: set[int], timeout_s: float) -> set[int]:
    """Waits for the processes to end; those that are left."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while (left := {pid for pid in pids if is_alive(pid)}) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(POLL_S)
    return left


def four_free_ports() -> int:
    """The first of four ports in a row that nobody uses now."""
    return free_row("127.0.0.1", 4)


def _state(stat: Path) -> str:
    """The letter that proc(5) has for it; X, dead, for one that is gone."""
    try:
        return stat.read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def _processes() -> list[tuple[int, int]]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found.append((int(entry.parent.name), int(fields[1])))
    return found
