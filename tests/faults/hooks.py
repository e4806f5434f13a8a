"""Inside a started part: named points where it can be killed, and the planted bugs. Nothing of it is in the product.

`tests.faults.up` starts every part through `serve_as_child` here. The parts' seams are wrapped before they run, and
the wrappers look at a directory (`FAULTS_DIR`) each time they are passed: a file `points/<name>` with a number n kills
the process at the nth pass from then on, a file `planted/<name>` switches a bug on. Without files they do nothing.
"""

import asyncio
import contextvars
import functools
import os
import random
import signal
import weakref
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from backbone.database import driver
from backbone.kafka import Publisher
from backbone.samtykke_client import SamtykkeClient
from backbone.settings import Settings
from consumers.coordination import store
from consumers.coordination.handler import Handler
from deploy import parts
from services.runner.accept import Acceptor

FAULTS_DIR = "FAULTS_DIR"
LATE_COMMIT_S = 0.6
ANSWERED_BEFORE_COMMIT_S = 0.5

POINTS = {
    "relay": ("relay-before-send", "relay-after-acknowledgement", "relay-before-mark", "relay-after-mark"),
    "samordning": ("consumer-before-commit", "consumer-after-commit"),
    "tjenester": ("accept-before-commit", "accept-after-commit"),
    "samtykke": ("decision-before-commit", "decision-after-commit"),
}
"""By part; a part passes its points once a batch, not once an event."""
ACK_BEFORE_COMMIT, CURSOR_OUTBOX = "ack-before-commit", "cursor-outbox"
CONSENT_IGNORED, POSITION_FIRST = "consent-ignored", "position-before-effects"
STALLED_CONSUMER, SILENT_PRODUCER = "stalled-consumer", "silent-producer"
"""Points that do not kill: from there on that one client of aiokafka does nothing, and says nothing (#1154, #1101)."""
LATE_COMMITS = "late-commits"
"""No bug: every third commit of the journal takes its time, so that numbers become visible out of order."""
LONG_FETCHES, LONG_FETCH_MS = "long-fetches", 3_000
"""No bug: a consumer's fetch waits that long, so that one lasts through each rebalance."""

Method = Callable[..., Coroutine[Any, Any, Any]]
_WRITES = {"samordning": ("INTO posisjon", "consumer"), "tjenester": ("INTO journal", "accept")}
"""The statement that tells the transactions a point is about from all others, and the point's name."""
_dry: contextvars.ContextVar[bool] = contextvars.ContextVar("dry", default=False)


def serve_as_child(navn: str, settings: Settings, log: Path) -> None:
    """As deploy.parts', with the seams wrapped."""
    install(navn)
    parts.serve_as_child(navn, settings, log)


def install(navn: str) -> None:
    """Wrap the seams of the part that this process is about to be."""
    _wrap_transactions(navn)
    if navn == "relay":
        _wrap_relay()
    elif navn == "samordning":
        _wrap(Handler, "handle", _position_first)
        _wrap(AIOKafkaConsumer, "getmany", _fetch)
    elif navn == "tjenester":
        _wrap(Acceptor, "take", _answer_first)


def planted(name: str) -> bool:
    return (Path(os.environ[FAULTS_DIR]) / "planted" / name).exists()


def passed(point: str) -> None:
    """Ends this process where this is the pass that was asked for."""
    if hit(point):
        os.kill(os.getpid(), signal.SIGKILL)


def hit(point: str) -> bool:
    """Counts a pass; whether it is the one that was asked for. Then the point is no longer armed: a part would be
    killed at every start."""
    armed = Path(os.environ[FAULTS_DIR]) / "points" / point
    try:
        left = int(armed.read_text())
    except FileNotFoundError:
        return False
    if left > 1:
        armed.write_text(str(left - 1))
        return False
    armed.unlink()
    return True


def _wrap(owner: type, name: str, around: Callable[..., Coroutine[Any, Any, Any]]) -> None:
    """Replace the method by `around(real, self, *args)`."""
    real: Method = getattr(owner, name)

    @functools.wraps(real)
    async def wrapped(self: Any, *args: Any, **named: Any) -> Any:
        return await around(real, self, *args, **named)

    setattr(owner, name, wrapped)


def _wrap_transactions(navn: str) -> None:
    """Every statement of asyncpg's connection passes here, COMMIT too."""
    marker, point = _WRITES.get(navn, ("", ""))
    if navn == "samtykke":
        marker, point = "INTO ", "decision"
    if not marker:
        return
    writing: set[int] = set()
    rng = random.Random(1)

    async def statement(real: Method, self: Any, query: str, *args: Any, **named: Any) -> Any:
        if query in ("COMMIT;", "ROLLBACK;") and id(self) in writing:
            writing.discard(id(self))
            if query == "COMMIT;":
                return await commit(real, self, query)
        elif marker in query:
            writing.add(id(self))
        return await real(self, query, *args, **named)

    async def commit(real: Method, self: Any, query: str) -> Any:
        if _dry.get():
            return await real(self, "ROLLBACK;")
        if navn == "tjenester" and planted(LATE_COMMITS) and rng.random() < 1 / 3:
            await asyncio.sleep(LATE_COMMIT_S)
        passed(f"{point}-before-commit")
        done = await real(self, query)
        passed(f"{point}-after-commit")
        return done

    for name in ("execute", "executemany", "fetch", "fetchrow", "fetchval"):
        _wrap(asyncpg.Connection, name, statement)


def _wrap_relay() -> None:
    reached: dict[str, int] = {}

    async def send(real: Method, self: Any, records: Sequence[Any]) -> Any:
        passed("relay-before-send")
        outcomes = await real(self, records)
        passed("relay-after-acknowledgement")
        return outcomes

    async def mark(real: Method, self: Any, query: str, *args: Any, **named: Any) -> Any:
        if "publisert = " not in query:
            return await real(self, query, *args, **named)
        passed("relay-before-mark")
        done = await real(self, query, *args, **named)
        passed("relay-after-mark")
        return done

    async def pending(real: Method, self: Any, query: str, *args: Any, **named: Any) -> Any:
        rows = await real(self, query, *args, **named)
        if "trenger_relay" not in query or not planted(CURSOR_OUTBOX):
            return rows
        # The bug: what has a lower number than the last one seen is thought to be done.
        journal = self._params.database
        later = [row for row in rows if row["lopenr"] > reached.get(journal, 0)]
        reached[journal] = max((row["lopenr"] for row in later), default=reached.get(journal, 0))
        return later

    async def decide(real: Method, self: Any, *args: Any, **named: Any) -> Any:
        answers = await real(self, *args, **named)
        if planted(CONSENT_IGNORED):
            for answer in answers:
                if answer["outcome"] == "withhold":
                    answer.update(outcome="release", grunnlag="gdpr-6-1-e", lovversjon="planted")
        return answers

    async def produce(real: Method, self: Any, *args: Any, **named: Any) -> Any:
        if self in _dead or hit(SILENT_PRODUCER):
            _dead.add(self)
            return asyncio.get_running_loop().create_future()
        return await real(self, *args, **named)

    for name in ("send", "send_batch"):
        _wrap(AIOKafkaProducer, name, produce)
    _wrap(Publisher, "send", send)
    _wrap(asyncpg.Connection, "execute", mark)
    _wrap(asyncpg.Connection, "fetch", pending)
    _wrap(SamtykkeClient, "decide", decide)


_dead: weakref.WeakSet[Any] = weakref.WeakSet()


async def _fetch(real: Method, self: Any, *args: Any, **named: Any) -> Any:
    if self in _dead or hit(STALLED_CONSUMER):
        _dead.add(self)
        await asyncio.sleep(named.get("timeout_ms", 0) / 1000)
        return {}
    if planted(LONG_FETCHES):
        named["timeout_ms"] = LONG_FETCH_MS
    return await real(self, *args, **named)


async def _answer_first(real: Method, self: Any, *args: Any) -> Any:
    """The bug: the sender is told that her events are taken, and they are committed afterwards."""
    if not planted(ACK_BEFORE_COMMIT):
        return await real(self, *args)
    token = _dry.set(True)
    try:
        outcome = await real(self, *args)
    finally:
        _dry.reset(token)

    async def afterwards() -> None:
        await asyncio.sleep(ANSWERED_BEFORE_COMMIT_S)
        await real(self, *args)

    _later.add(task := asyncio.create_task(afterwards()))
    task.add_done_callback(_later.discard)
    return outcome


_later: set["asyncio.Task[None]"] = set()


async def _position_first(real: Method, self: Any, records: Sequence[Any], **named: Any) -> Any:
    """The bug: how far we have read is saved before what was read has had its effects."""
    if planted(POSITION_FIRST) and not named.get("replay"):
        after: dict[tuple[str, int], tuple[int, int, int]] = {}
        for r in records:
            after[r.topic, r.partition] = (r.offset + 1, 0, 0)
        async with self._engine.begin() as conn:
            await store.save_positions(await driver(conn), after, self._clock())
        passed(POSITION_FIRST)
    return await real(self, records, **named)
