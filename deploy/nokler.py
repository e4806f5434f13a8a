"""Rotating the key-encryption key: every wrapped key is wrapped anew under the current one.

Some rows at a time, each time committed: broken off, it goes on where it stopped. A row is wrapped by the key whose id
stands beside it at every moment, so readers are never in the way.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import ledger
from backbone.clock import Clock
from backbone.database import create_engine, driver
from backbone.journal import journal_keks
from backbone.kek import Keks
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from contracts.tjenester import SAMORDNING, SAMTYKKE
from services.runner.memory import memory_keks
from services.samtykke.nokler import context

BATCH = 1_000


@dataclass(frozen=True)
class Place:
    """A table of wrapped keys. `context` gives what a row's key is bound to."""

    database: str
    table: str
    key: str
    keks: Keks
    context: Callable[[Any], bytes]


def places(settings: Settings, catalogue: Catalogue) -> list[Place]:
    """Everywhere a wrapped key lies. Raises MissingSecret."""
    found = [
        Place(
            "nokler",
            "datanokkel",
            "nokkelid",
            Keks(settings),
            lambda row: context(row["nokkelid"], row["subject"], row["tjeneste"]),
        )
    ]
    for owner in (*catalogue.tjenester, SAMTYKKE, SAMORDNING):
        for table, keks in (
            ("journalnokkel", journal_keks(settings, owner)),
            ("formatnokkel", memory_keks(settings, owner)),
        ):
            found.append(Place(owner, table, "id", keks, lambda row: row["id"].bytes))
    return found


async def rotate(
    settings: Settings, catalogue: Catalogue, clock: Clock, batch: int = BATCH
) -> AsyncIterator[tuple[Place, int]]:
    """Wraps anew what is not under the current key; tells of each place how many there were. Raises Stop for a key
    wrapped by one that the settings do not have; asyncpg's errors and OSError when the database is away."""
    total = 0
    for place in places(settings, catalogue):
        engine = create_engine(settings, place.database, pool_size=2)
        try:
            done = 0
            while count := await _some(engine, place, batch):
                done += count
        finally:
            await engine.dispose()
        total += done
        yield place, done
    await _tell(settings, clock, total)


async def _some(engine: AsyncEngine, place: Place, batch: int) -> int:
    async with engine.begin() as connection:
        conn: asyncpg.Connection = await driver(connection)
        rows = await conn.fetch(
            f"SELECT * FROM {place.table} WHERE kek_id <> $1 LIMIT $2 FOR UPDATE",  # noqa: S608
            place.keks.id,
            batch,
        )
        wrapped = []
        for row in rows:
            bound = place.context(row)
            key = place.keks.unwrap(row["kek_id"], row["innpakket"], bound)
            wrapped.append(place.keks.wrap(key, bound))
        await conn.execute(
            f"UPDATE {place.table} t SET innpakket = n.innpakket, kek_id = $3"  # noqa: S608
            f" FROM unnest($1::uuid[], $2::bytea[]) AS n (id, innpakket) WHERE t.{place.key} = n.id",
            [row[place.key] for row in rows],
            wrapped,
            place.keks.id,
        )
    return len(rows)


async def _tell(settings: Settings, clock: Clock, total: int) -> None:
    engine = create_engine(settings, SAMTYKKE, pool_size=2)
    try:
        async with engine.begin() as connection:
            act = ledger.Entry(
                skriver="cli",
                tid=clock(),
                handling="forvaltning",
                aktor="system:keys",
                utfall="utfort",
                slag="nokkelrotasjon",
                detaljer={"kek": settings.kek_id, "nokler": total},
            )
            await ledger.write(await driver(connection), [act])
    finally:
        await engine.dispose()
