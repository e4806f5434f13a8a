"""The file drop: a folder whose files are sent, and moved to `kvittert/` or `avvist/` with the answer beside each.

A file is sent when nobody has written to it for a while. Beside it may lie `<navn>.personer.json`, which says whom it
is about where the format does not. Nothing is remembered outside the folder. What a crash leaves is one of three: no
receipt, and the file is sent again, which is harmless; a receipt without its file, and the move is finished; or all is
done. The receipt is on disk before anything is moved, so it comes first for those who wait for it as well.
"""

import asyncio
import errno
import fcntl
import hashlib
import os
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from stat import S_ISREG
from typing import Annotated, Any, NamedTuple

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from backbone.failures import backoff
from backbone.meldinger import messages
from deploy.klient import Svar
from services.format import Companion

KVITTERT, AVVIST = "kvittert", "avvist"
RECEIPT, PERSONS = ".kvittering.json", ".personer.json"
DRAFT = ".kvittering.tmp"
HALF_WRITTEN = (".tmp", ".part")
PERSONS_BYTES_MOST = 64 * 1024
ANSWERS_ABOUT_THE_FILE = frozenset({202, 400, 409, 413, 415, 422})
AWAY = (httpx.TransportError, httpx.HTTPStatusError)

Send = Callable[[bytes, Companion], Awaitable[Svar]]
Told = Callable[[dict[str, Any]], None]


class FolderTaken(Exception):
    """Another process follows the folder."""


class NotNow(Exception):
    """This file got no answer about itself; it stays and is tried again. `code` names a text of `deploy`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Personer(BaseModel):
    """The content of `<navn>.personer.json`."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    person: Annotated[str, StringConstraints(min_length=1)] | None = None
    barn: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = ()


@dataclass(frozen=True)
class Tempo:
    """Seconds: between looks at the folder, that a file must lie still, and that a stop waits for an answer."""

    poll_s: float = 1.0
    still_s: float = 2.0
    stop_s: float = 5.0


class Version(NamedTuple):
    """A file as it is: another one means that it was written to."""

    inode: int
    size: int
    changed_ns: int


class Mark(NamedTuple):
    """A file, and the one beside it that says whom it is about."""

    file: Version
    persons: Version | None


@dataclass
class Seen:
    """A file of the folder: as it was last seen, since when it has been so, and when to try it (again)."""

    mark: Mark
    since_s: float
    next_s: float = 0.0
    waits: Iterator[float] = field(default_factory=lambda: backoff(random.Random(), 1.0, 30.0))


class Filslipp:
    """Follows one folder. `send` sends a file and gives the answer; `told` gets each receipt; `waiting` a code when
    files have to wait, once until one gets through."""

    def __init__(
        self,
        folder: Path,
        send: Send,
        told: Told,
        waiting: Callable[[str], None],
        clock: Callable[[], datetime],
        file_bytes_most: int,
        tempo: Tempo = Tempo(),
    ) -> None:
        self._folder = folder
        self._send = send
        self._told = told
        self._waiting = waiting
        self._clock = clock
        self._file_bytes_most = file_bytes_most
        self._tempo = tempo
        self._seen: dict[str, Seen] = {}
        self._said: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Raises FolderTaken, and OSError where the folder can't be read or written."""
        with _held(self._folder):
            for name in (KVITTERT, AVVIST):
                (self._folder / name).mkdir(exist_ok=True)
            stopping = asyncio.ensure_future(stop.wait())
            try:
                while not stop.is_set():
                    for name in self._ready():
                        if self._is_due(name) and not stop.is_set():
                            await self._take_unless(stopping, name)
                    await asyncio.wait({stopping}, timeout=self._tempo.poll_s)
            finally:
                stopping.cancel()

    async def _take_unless(self, stopping: "asyncio.Future[Any]", name: str) -> None:
        """An answer on its way is given some time; one that does not come is as if nothing had been sent."""
        working = asyncio.ensure_future(self._take(name))
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                await asyncio.wait({working}, timeout=self._tempo.stop_s)
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working

    def _ready(self) -> list[str]:
        """Files that have lain still, the oldest first: a system writes its files in order."""
        now_s = asyncio.get_running_loop().time()
        marks = {name: mark for name in _names(self._folder) if (mark := _mark(self._folder, name))}
        for name, mark in marks.items():
            seen = self._seen.get(name)
            if seen is None or seen.mark != mark:
                self._seen[name] = Seen(mark, now_s)
        self._seen = {name: seen for name, seen in self._seen.items() if name in marks}
        ready = [name for name, seen in self._seen.items() if now_s - seen.since_s >= self._tempo.still_s]
        return sorted(ready, key=lambda name: (marks[name].file.changed_ns, name))

    def _is_due(self, name: str) -> bool:
        return asyncio.get_running_loop().time() >= self._seen[name].next_s

    async def _take(self, name: str) -> None:
        try:
            receipt = await self._answered(name)
        except NotNow as reason:
            self._wait(name, reason.code)
        except FileNotFoundError:
            self._seen.pop(name, None)  # someone took it away
        except PermissionError:
            self._wait(name, "folg-ulest")
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            self._wait(name, "folg-navn")
        else:
            self._seen.pop(name, None)
            self._said = None
            if receipt:
                self._told(receipt)

    async def _answered(self, name: str) -> dict[str, Any] | None:
        """The receipt of the file, which has then been moved; None where it was written to in the meantime."""
        file = self._folder / name
        mark = self._seen[name].mark
        if mark.file.size > self._file_bytes_most:
            answer, digest = _refused("fil-for-stor", maks=self._file_bytes_most), None
        else:
            body = file.read_bytes()
            digest = hashlib.sha256(body).hexdigest()
            if receipt := self._unfinished(name, digest):
                return receipt
            answer = await self._sent(body, self._persons(name) if mark.persons else Companion())
        if _mark(self._folder, name) != mark:
            return None
        folder = self._folder / (AVVIST if answer.feil else KVITTERT)
        target = _free(folder, name)
        receipt = {
            "fil": name,
            "utfall": folder.name,
            "status": answer.status,
            "tid": self._clock().isoformat(),
            "sha256": digest,
            "kvitteringer": answer.kvitteringer,
            "feil": answer.feil,
            "advarsler": answer.advarsler,
        }
        _write(_beside(target, RECEIPT), orjson.dumps(receipt))
        self._move(name, target)
        return receipt

    async def _sent(self, body: bytes, companion: Companion | None) -> Svar:
        if companion is None:
            return _refused("personer-ugyldig", ending=PERSONS)
        try:
            answer = await self._send(body, companion)
        except AWAY:
            raise NotNow("folg-borte") from None
        if answer.status in (401, 403):
            raise NotNow("folg-tilgang")
        if answer.status not in ANSWERS_ABOUT_THE_FILE:
            raise NotNow("folg-feil")
        return answer

    def _persons(self, name: str) -> Companion | None:
        """Whom the file is about, as the file beside it says; None where that can't be read."""
        try:
            with (self._folder / f"{name}{PERSONS}").open("rb") as file:
                found = Personer.model_validate_json(file.read(PERSONS_BYTES_MOST))
        except ValidationError:
            return None
        return Companion(found.person, found.barn)

    def _unfinished(self, name: str, digest: str) -> dict[str, Any] | None:
        """The receipt of a file that was answered and not moved, which is moved now. Raises OSError (ENAMETOOLONG)
        where a receipt can't have its name, before anything is sent."""
        for folder in (KVITTERT, AVVIST):
            target = _free(self._folder / folder, name)
            try:
                receipt: dict[str, Any] = orjson.loads(_beside(target, RECEIPT).read_bytes())
            except (FileNotFoundError, orjson.JSONDecodeError):
                continue
            if receipt.get("sha256") == digest:
                self._move(name, target)
                return receipt
        return None

    def _move(self, name: str, target: Path) -> None:
        """The numbers beside the file go first: left alone they might be taken for those of a later file. They have
        done their work where the file is taken, and follow it where it must be put right and sent again."""
        persons = self._folder / f"{name}{PERSONS}"
        if persons.exists():
            if target.parent.name == AVVIST:
                kept = _beside(target, PERSONS)
                persons.replace(kept)
                kept.chmod(0o600)
            else:
                persons.unlink()
        (self._folder / name).replace(target)

    def _wait(self, name: str, code: str) -> None:
        """Where nobody answers, all wait together; else only this file does."""
        now_s = asyncio.get_running_loop().time()
        wait_s = next(self._seen[name].waits)
        for seen in self._seen.values() if code == "folg-borte" else (self._seen[name],):
            seen.next_s = max(seen.next_s, now_s + wait_s)
        if code != self._said:
            self._said = code
            self._waiting(code)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """The folder is ours as long as this lasts, also when we end without a word. Raises FolderTaken."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderTaken from None
        yield
    finally:
        os.close(handle)


def _names(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            own = entry.name.endswith((*HALF_WRITTEN, RECEIPT, PERSONS)) or entry.name.startswith(".")
            if not own:
                yield entry.name


def _mark(folder: Path, name: str) -> Mark | None:
    file = _version(folder / name)
    return Mark(file, _version(folder / f"{name}{PERSONS}")) if file else None


def _version(path: Path) -> Version | None:
    """None for what is no file of its own: a link could name any file of ours."""
    try:
        stat = path.lstat()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
            return None
        raise
    return Version(stat.st_ino, stat.st_size, stat.st_mtime_ns) if S_ISREG(stat.st_mode) else None


def _free(folder: Path, name: str) -> Path:
    """Where the file can be put: under its own name, or with a number when one of that name lies there."""
    stem, suffix = Path(name).stem, Path(name).suffix
    target, number = folder / name, 1
    while target.exists():
        number += 1
        target = folder / f"{stem}-{number}{suffix}"
    return target


def _beside(target: Path, ending: str) -> Path:
    return target.with_name(f"{target.name}{ending}")


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and on disk. The draft's name is no longer than the file's own."""
    draft = path.with_name(DRAFT)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _refused(code: str, **args: str | int) -> Svar:
    """What we can tell of a file ourselves."""
    texts = messages("deploy")
    error = {"linje": None, "peker": "", "kode": code}
    return Svar(0, [], [{**error, "feil": texts.text(code, **args), "gjor": texts.action(code, **args)}])
