"""The change feed: which children to ask about again, in an order that no reader can be late for.

The counter's row stays locked from taking a number to committing it, so numbers become visible in their
order and a reader that has seen 7 never misses a 6. Take numbers last in a transaction: others wait
meanwhile.
"""

import asyncio
from collections.abc import Collection
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.database import driver
from contracts.samtykke_api import EndringerUt

POLL_S = 0.1
PAGE = 10_000

TAKE = """
    INSERT INTO endringsteller AS t (en, siste) VALUES (1, $1)
    ON CONFLICT (en) DO UPDATE SET siste = t.siste + $1 RETURNING siste
"""
INSERT = """
    INSERT INTO endring (sekvens, subject)
    SELECT $1 + nr, subject FROM unnest($2::uuid[]) WITH ORDINALITY AS n(subject, nr)
"""
EVERY_SUBJECT = """
    SELECT o.subject FROM person p JOIN person o ON o.kanonisk = p.kanonisk WHERE p.subject = ANY($1::uuid[])
"""
LAST = "SELECT siste FROM endringsteller"
SELECT = "SELECT sekvens, subject FROM endring WHERE sekvens > $1 ORDER BY sekvens LIMIT $2"


async def announce(db: asyncpg.Connection, subjects: Collection[UUID]) -> None:
    """Says, when the transaction commits, that what holds for these children has changed, under every subject that
    they have.
    """
    if subjects:
        joined = await db.fetch(EVERY_SUBJECT, list(subjects))
        all_ = list(dict.fromkeys([*subjects, *(row["subject"] for row in joined)]))
        last: int = await db.fetchval(TAKE, len(all_))
        await db.execute(INSERT, last - len(all_), all_)


class Feed:
    """Read by polling, because other processes write too; however many wait here, one look a tick serves them.

    Nobody waits past `stop`: the process ends at once, and not when the last long poll has had its time.
    """

    def __init__(self, engine: AsyncEngine, stop: asyncio.Event) -> None:
        self._engine = engine
        self._stop = stop
        self._last = 0
        self._look: asyncio.Task[None] | None = None

    async def after(self, position: int, wait_s: float) -> EndringerUt:
        """Changes past `position`, at most 10,000; waits up to `wait_s` seconds for the first one."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        rows = await self._fetch(position)
        while not rows and (left_s := until - loop.time()) > 0 and not self._stop.is_set():
            await self._next_look(left_s)
            if self._last > position:
                rows = await self._fetch(position)
        return EndringerUt(
            siste=rows[-1]["sekvens"] if rows else position,
            subjects=list(dict.fromkeys(str(row["subject"]) for row in rows)),
        )

    async def _fetch(self, position: int) -> list[asyncpg.Record]:
        async with self._engine.connect() as conn:
            rows: list[asyncpg.Record] = await (await driver(conn)).fetch(SELECT, position, PAGE)
        return rows

    async def _next_look(self, wait_s: float) -> None:
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._glance())
        done, _ = await asyncio.wait({self._look}, timeout=wait_s)
        for look in done:
            look.result()

    async def _glance(self) -> None:
        await asyncio.sleep(POLL_S)
        async with self._engine.connect() as conn:
            self._last = await (await driver(conn)).fetchval(LAST) or 0
