"""Rows that the clockwork fails on are put aside for a while, and the others go on: one child's row must not take from
all the others what time brings them.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import asyncpg

from backbone.database import DATABASE_AWAY

log = logging.getLogger(__name__)

T = TypeVar("T")

AGAIN_AFTER = timedelta(minutes=5)


class Aside:
    """What was put aside, and until when. Kept in memory: a process that starts again tries all of it again."""

    def __init__(self) -> None:
        self._until: dict[UUID, datetime] = {}

    def at(self, now: datetime) -> list[UUID]:
        self._until = {id_: until for id_, until in self._until.items() if until > now}
        return list(self._until)

    def put(self, id_: UUID, now: datetime, work: str, error: Exception) -> None:
        """`error` is told of by its type alone: its text may hold what the row says."""
        log.error("%s failed on a row, which is tried again later: %s", work, type(error).__name__)
        self._until[id_] = now + AGAIN_AFTER

    async def each(
        self,
        rows: Sequence[asyncpg.Record],
        key: str,
        db: asyncpg.Connection,
        act: Callable[[Sequence[asyncpg.Record]], Awaitable[list[T]]],
        now: datetime,
    ) -> list[T]:
        """What `act` answers of all the rows at once; where it fails, of one at a time, and those that it fails on are
        put aside by their column `key`. Raises what is raised when the database is away."""
        if not rows:
            return []
        try:
            async with db.transaction():
                return await act(rows)
        except DATABASE_AWAY:
            raise
        except Exception as error:
            if len(rows) == 1:
                self.put(rows[0][key], now, act.__name__, error)
                return []
        return [one for row in rows for one in await self.each([row], key, db, act, now)]
