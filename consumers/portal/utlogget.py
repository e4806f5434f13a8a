"""Sessions that were signed out before their end: their tokens are good no more, whoever has a copy.

Each is known by a digest of what the token's signature signs, so that no other spelling of the signature is another
token, until it would have ended: in memory for every request, and in the database for the other portal processes and
the next start.
"""

import asyncio
import hashlib
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.clock import Clock
from backbone.database import DATABASE_AWAY, driver
from backbone.failures import Retry, backoff

log = logging.getLogger(__name__)

POLL_S = 1.0
WAIT_S_MAX = 5.0
_SAVE = "INSERT INTO utlogget (avtrykk, slutt) VALUES ($1, $2) ON CONFLICT DO NOTHING"


class Utlogget:
    """What is known in this process. `read`: the database has been asked."""

    def __init__(self, read: bool = False) -> None:
        self.read = read
        self.news = asyncio.Event()
        self._ends: dict[bytes, datetime] = {}
        self._unsaved: dict[bytes, datetime] = {}

    def holds(self, token: str) -> bool:
        """Raises Retry while nobody can say: the database has not been asked since the start."""
        if not self.read:
            raise Retry("who has signed out is not known yet")
        return _digest(token) in self._ends

    def add(self, token: str, ends: datetime) -> None:
        self._ends[_digest(token)] = self._unsaved[_digest(token)] = ends
        self.news.set()

    def unsaved(self) -> list[tuple[bytes, datetime]]:
        return list(self._unsaved.items())

    def take(self, kept: dict[bytes, datetime], now: datetime) -> bool:
        """What the database keeps; whether it tells of a new one."""
        new = not kept.keys() <= self._ends.keys()
        self._unsaved = {d: ends for d, ends in self._unsaved.items() if d not in kept and ends > now}
        self._ends = kept | self._unsaved
        self.read = True
        return new


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.rpartition(".")[0].encode()).digest()


class Utlogginger:
    """Keeps what this process knows and what the database does the same."""

    def __init__(self, engine: AsyncEngine, utlogget: Utlogget, clock: Clock) -> None:
        self._engine = engine
        self._utlogget = utlogget
        self._clock = clock

    async def exchange(self) -> bool:
        """Writes what is new here and reads what is new elsewhere; whether anything was. Forgets what has ended."""
        now = self._clock()
        async with self._engine.begin() as connection:
            conn = await driver(connection)
            await conn.executemany(_SAVE, self._utlogget.unsaved())
            await conn.execute("DELETE FROM utlogget WHERE slutt <= $1", now)
            kept = dict(await conn.fetch("SELECT avtrykk, slutt FROM utlogget"))
        return self._utlogget.take(kept, now)

    async def follow(self, wake: Callable[[], None], stop: asyncio.Event) -> None:
        """At once when somebody signs out here, and each second, until `stop`; `wake` when somebody has elsewhere."""
        waits = backoff(random.Random(), most_s=WAIT_S_MAX)
        while not stop.is_set():
            self._utlogget.news.clear()
            pause_s = POLL_S
            try:
                if await self.exchange():
                    wake()
                waits = backoff(random.Random(), most_s=WAIT_S_MAX)
            except DATABASE_AWAY as error:
                log.warning("sign-outs wait: %s", type(error).__name__)
                pause_s = next(waits)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._utlogget.news.wait()
