"""The sealer: gives the ledger's rows their places in the chain, and publishes its heads.

One at a time for each database, holding an advisory lock on the very connection that seals. It publishes the heads that
it computed, as it remembers them: the table's owner can change the table between sealing and sending. Only what was
sealed before this sealer began, or is too much to remember, is sent as the table says.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from contextlib import suppress

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import metrics
from backbone.clock import Clock
from backbone.database import DATABASE_AWAY, dedicated, driver
from backbone.failures import Retry, Stop, backoff, unless_cancelled
from backbone.kafka import Outgoing, Publisher
from backbone.ledger import SEALED, Head, Lines, chain, last_head
from backbone.settings import Settings
from contracts.topics import KJEDE

log = logging.getLogger(__name__)

SEAL_EACH_S = 1.0
SEAL_BATCH = 20_000
"""Rows a seal takes at a time; more are waiting only where the sealer was away."""
LOCK_POLL_S = 1.0
COMMAND_TIMEOUT_S = 120.0
HEADS_AT_ONCE = 500
HEADS_REMEMBERED = 50_000
"""Not known to be sent: half a day of a Kafka that is away."""
_LOCK = "SELECT pg_try_advisory_lock(hashtext('samspor-revisjon'), 0)"
_UNSEALED = (
    f"SELECT {', '.join(SEALED)} FROM revisjon WHERE nummer IS NULL ORDER BY lopenr LIMIT {SEAL_BATCH}"  # noqa: S608
)
_SEAL = """
    UPDATE revisjon r SET nummer = n.nummer, hode = n.hode
    FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS n (lopenr, nummer, hode) WHERE r.lopenr = n.lopenr
"""
_HEAD = "INSERT INTO revisjon_kjede (nummer, hode, tid) VALUES ($1, $2, $3)"
_HEAD_AT = "SELECT hode FROM revisjon_kjede WHERE nummer = $1"
_UNSENT = "SELECT nummer, hode, tid FROM revisjon_kjede WHERE publisert IS NULL ORDER BY nummer LIMIT $1"
_SENT = "UPDATE revisjon_kjede SET publisert = $2 WHERE nummer = ANY($1::bigint[])"


class Sealer:
    """The one that extends the chain of one database, beside others that wait for its lock."""

    def __init__(
        self, engine: AsyncEngine, owner: str, settings: Settings, clock: Clock, rng: random.Random
    ) -> None:
        self._engine = engine
        self._owner = owner
        self._clock = clock
        self._rng = rng
        self._publisher = Publisher(settings, f"samspor-kjede-{owner}")
        self._topic = settings.topic(KJEDE.navn)
        self._last: Head | None = None
        self._unsent: dict[int, Head] = {}
        self._ask_table = True

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; a neighbour that is away is waited for."""
        waits = backoff(self._rng)
        try:
            while not stop.is_set():
                try:
                    await self._hold(stop)
                    waits = backoff(self._rng)
                except DATABASE_AWAY as error:
                    log.warning("the sealer of %s waits: %s", self._owner, type(error).__name__)
                    await _pause(stop, next(waits))
        finally:
            await self.close()

    async def _hold(self, stop: asyncio.Event) -> None:
        conn = await dedicated(self._engine, COMMAND_TIMEOUT_S)
        try:
            while not await conn.fetchval(_LOCK):
                if await _pause(stop, LOCK_POLL_S):
                    return
            self._ask_table = True
            await self._go_on(conn)
            sending = asyncio.create_task(self._send(stop))
            try:
                while not stop.is_set():
                    while await self.seal(conn) == SEAL_BATCH:
                        pass
                    await _pause(stop, SEAL_EACH_S)
                await self.seal(conn)
            finally:
                sending.cancel()
                with suppress(asyncio.CancelledError):
                    await sending
        finally:
            conn.terminate()

    async def _go_on(self, conn: asyncpg.Connection) -> None:
        """From where the chain ends now: while the lock was another's, or the answer to a commit did not come, it may
        have grown, but what this sealer left must stand in it."""
        left = self._last
        if left is not None and left.nummer and await conn.fetchval(_HEAD_AT, left.nummer) != left.hode:
            self._broken()
        self._last = await last_head(conn, self._owner)

    def _broken(self) -> None:
        log.error("the ledger of %s is not as it was left: run `samspor audit verify`", self._owner)
        metrics.LEDGER_BROKEN.labels(self._owner).inc()

    async def seal(self, conn: asyncpg.Connection) -> int:
        """Gives the rows that have no place their places, in the order of their numbers; how many there were."""
        async with conn.transaction():
            head = await last_head(conn, self._owner)
            if self._last is not None and head != self._last:
                self._broken()
            lines: list[bytes] = []
            await conn.copy_from_query(_UNSEALED, output=Lines(lines.append))
            hashes = list(chain(head.hode, lines))
            made = None
            if lines:
                places = range(head.nummer + 1, head.nummer + len(lines) + 1)
                rows = [int(line.split(b"\t", 1)[0]) for line in lines]
                done = await conn.execute(_SEAL, rows, list(places), hashes)
                if done != f"UPDATE {len(rows)}":
                    raise Stop(
                        "the ledger does not take its seals: something in the database holds them back"
                    )
                made = Head(self._owner, places[-1], hashes[-1], self._clock())
                await conn.execute(_HEAD, made.nummer, made.hode, made.tid)
        self._last = head
        if made is not None:
            self._last = Head(self._owner, made.nummer, made.hode)
            self._remember(made)
        return len(lines)

    async def close(self) -> None:
        await self._publisher.close()

    async def _send(self, stop: asyncio.Event) -> None:
        """Beside the sealing, so that a Kafka that is away holds up no seal."""
        waits = backoff(self._rng)
        while not stop.is_set():
            try:
                sent = await self.publish()
                waits = backoff(self._rng)
                pause_s = 0.0 if sent == HEADS_AT_ONCE else SEAL_EACH_S
            except (Retry, *DATABASE_AWAY) as error:
                unless_cancelled()
                log.warning("the heads of %s wait: %s", self._owner, type(error).__name__)
                pause_s = next(waits)
            await _pause(stop, pause_s)

    def _remember(self, head: Head) -> None:
        if len(self._unsent) < HEADS_REMEMBERED:
            self._unsent[head.nummer] = head
        else:
            self._ask_table = True

    async def publish(self) -> int:
        """Sends the heads not known to be sent, at least once; how many. Raises Retry when Kafka is away."""
        from_table = self._ask_table and not self._unsent
        heads = await self._in_table() if from_table else list(self._unsent.values())[:HEADS_AT_ONCE]
        sent = await self._deliver(heads) if heads else []
        if from_table:
            self._ask_table = len(heads) == HEADS_AT_ONCE or len(sent) < len(heads)
        for nummer in sent:
            self._unsent.pop(nummer, None)
        return len(sent)

    async def _in_table(self) -> list[Head]:
        async with self._engine.connect() as conn:
            rows = await (await driver(conn)).fetch(_UNSENT, HEADS_AT_ONCE)
        return [Head(self._owner, row["nummer"], row["hode"], row["tid"]) for row in rows]

    async def _deliver(self, heads: Sequence[Head]) -> list[int]:
        """The numbers of those that Kafka has acknowledged, which the table is told."""
        key = self._owner.encode()
        outcomes = await self._publisher.send([Outgoing(self._topic, key, [], h.encode()) for h in heads])
        sent = [h.nummer for h, place in zip(heads, outcomes, strict=True) if place is not None]
        async with self._engine.begin() as conn:
            await (await driver(conn)).execute(_SENT, sent, self._clock())
        return sent


async def _pause(stop: asyncio.Event, seconds: float) -> bool:
    """Waits; True when `stop` was set meanwhile."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
    return stop.is_set()
