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
SELECT = "SELECT sekvens, subject FROM endring WHERE sekvens > $1 ORDER BY sekvens LIMIT $2"


async def announce(db: asyncpg.Connection, subjects: Collection[UUID]) -> None:
    """Says, when the transaction commits, that what holds for these children has changed."""
    if subjects:
        last: int = await db.fetchval(TAKE, len(subjects))
        await db.execute(INSERT, last - len(subjects), list(subjects))


class Feed:
    """Read by polling: other processes write too, and the poll is one look in an index."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def after(self, position: int, wait_s: float) -> EndringerUt:
        """Changes past `position`, at most 10,000; waits up to `wait_s` seconds for the first one."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        while True:
            async with self._engine.connect() as conn:
                rows = await (await driver(conn)).fetch(SELECT, position, PAGE)
            left_s = until - loop.time()
            if rows or left_s <= 0:
                break
            await asyncio.sleep(min(POLL_S, left_s))
        return EndringerUt(
            siste=rows[-1]["sekvens"] if rows else position,
            subjects=list(dict.fromkeys(str(row["subject"]) for row in rows)),
        )
