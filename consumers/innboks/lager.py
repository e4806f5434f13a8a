"""What the inbox keeps: reports sealed as they came, given out opened, until they are acknowledged and old."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import ledger
from backbone.database import driver
from backbone.lane import OpeningKeys
from backbone.seal import Mac, SealBroken, derive
from backbone.settings import Settings
from backbone.tokens import Principal
from consumers.innboks import logg
from contracts.envelope import timestamp
from contracts.innboks import Innboksmelding

_TURN = "SELECT pg_advisory_xact_lock(hashtext('samspor-innboks'))"
"""Writers take turns, so that a number once visible is never followed by a lower one: a reader uses it as a cursor."""
_KEEP = """
INSERT INTO melding (id, plass, kommune, nokkelid, innhold, mottatt) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
"""
_REACHED = """
INSERT INTO posisjon (partisjon, neste) VALUES ($1, $2)
ON CONFLICT (partisjon) DO UPDATE SET neste = excluded.neste
"""
_GIVE = """
UPDATE melding SET hentet = coalesce(hentet, $5) WHERE nr IN (
    SELECT nr FROM melding WHERE kommune = $1 AND nr > $2 AND ($4 OR kvittert IS NULL) ORDER BY nr LIMIT $3)
RETURNING nr, id, nokkelid, innhold, mottatt, hentet, kvittert
"""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A record that is a report, by its headers."""

    id: uuid.UUID
    nokkelid: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Parked:
    """A record that is none, and why."""

    partition: int
    offset: int
    grunn: str


@dataclass(frozen=True, slots=True)
class Given:
    """A report, opened for barnevern."""

    nr: int
    id: uuid.UUID
    melding: Innboksmelding
    mottatt: datetime
    hentet: datetime
    kvittert: datetime | None


class Lager:
    """The inbox's database. Raises OSError and asyncpg's errors when it is away."""

    def __init__(self, engine: AsyncEngine, settings: Settings) -> None:
        """Raises MissingSecret."""
        self._engine = engine
        self._keys = OpeningKeys(settings)
        self._mac = Mac(derive(settings.secret_bytes("service_key"), "innboks"))
        self._keep_for = timedelta(days=settings.innboks_days)

    async def positions(self) -> dict[int, int]:
        """Per partition, the first offset not yet read."""
        async with self._engine.connect() as connection:
            rows = await (await driver(connection)).fetch("SELECT partisjon, neste FROM posisjon")
        return {row["partisjon"]: row["neste"] for row in rows}

    async def take(
        self, arrived: Sequence[Arrived], parked: Sequence[Parked], reached: dict[int, int], now: datetime
    ) -> None:
        """Keeps what is new, in one transaction with how far the topic is read. A repeat is dropped; one that no key
        opens is kept, for the key may come."""
        async with self._engine.begin() as connection:
            conn = await driver(connection)
            await conn.execute(_TURN)
            for report in arrived:
                opened = self._open(report.id, report.nokkelid, report.sealed)
                place, kommune = (self._place(opened), opened.kommune) if opened else (None, None)
                await conn.execute(_KEEP, report.id, place, kommune, report.nokkelid, report.sealed, now)
            await conn.executemany(
                "INSERT INTO parkert (partisjon, plass, grunn, mottatt) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING",
                [(p.partition, p.offset, p.grunn, now) for p in parked],
            )
            await conn.executemany(_REACHED, list(reached.items()))

    async def give(self, who: Principal, after: int, most: int, every: bool, now: datetime) -> list[Given]:
        """The reports of the municipality, those not acknowledged or `every` one that is kept, in order of arrival, or
        of opening where the key came later. That somebody looked is written down with it."""
        async with self._engine.begin() as connection:
            conn = await driver(connection)
            rows = await conn.fetch(_GIVE, who.kommune, after, most, every, now)
            rows.sort(key=lambda row: row["nr"])
            await ledger.write(conn, [logg.given(who, [row["id"] for row in rows], after, every, now)])
        return [
            Given(
                row["nr"],
                row["id"],
                self._keys.open(str(row["id"]), row["nokkelid"], row["innhold"]),
                row["mottatt"],
                row["hentet"],
                row["kvittert"],
            )
            for row in rows
        ]

    async def refused(self, who: Principal, grunn: str, now: datetime) -> None:
        """Writes down that somebody wanted in who may not."""
        async with self._engine.begin() as connection:
            await ledger.write(await driver(connection), [logg.refused(who, grunn, now)])

    async def acknowledge(self, kommune: str, id_: uuid.UUID, who: str, now: datetime) -> datetime | None:
        """When it was acknowledged, now or before; None when the municipality has no such report."""
        async with self._engine.begin() as connection:
            at: datetime | None = await (await driver(connection)).fetchval(
                "UPDATE melding SET kvittert = coalesce(kvittert, $3), kvittert_av = coalesce(kvittert_av, $4)"
                " WHERE kommune = $1 AND id = $2 RETURNING kvittert",
                kommune,
                id_,
                now,
                who,
            )
        return at

    async def tidy(self, now: datetime) -> bool:
        """Opens what a key has come for, and lets go what is acknowledged and old. False: something is unopened."""
        async with self._engine.begin() as connection:
            conn = await driver(connection)
            await conn.execute(_TURN)
            await conn.execute(
                "DELETE FROM melding WHERE kvittert IS NOT NULL AND mottatt < $1", now - self._keep_for
            )
            unopened = await conn.fetch(
                "SELECT nr, id, nokkelid, innhold FROM melding WHERE kommune IS NULL ORDER BY nr LIMIT 1000"
            )
            left = [row for row in unopened if not await self._opened_late(conn, row)]
        return not left

    async def _opened_late(self, conn: asyncpg.Connection, row: Any) -> bool:
        opened = self._open(row["id"], row["nokkelid"], row["innhold"])
        if opened is None:
            return False
        place = self._place(opened)
        if await conn.fetchval("SELECT nr FROM melding WHERE plass = $1", place) is not None:
            await conn.execute("DELETE FROM melding WHERE nr = $1", row["nr"])
        else:
            # A number of its own time: whoever has read past the old one would never be given it.
            await conn.execute(
                "UPDATE melding SET nr = DEFAULT, plass = $2, kommune = $3 WHERE nr = $1",
                row["nr"],
                place,
                opened.kommune,
            )
        return True

    def _open(self, id_: uuid.UUID, key_id: str, sealed: bytes) -> Innboksmelding | None:
        try:
            return self._keys.open(str(id_), key_id, sealed)
        except SealBroken:
            return None

    def _place(self, melding: Innboksmelding) -> bytes:
        """The same for the same report. Its content is in it: two that differ are both shown, whatever their ids."""
        said = (melding.type, melding.person or "", melding.sak or "", timestamp(melding.time))
        return self._mac(melding.source, melding.id, *said, melding.innhold.model_dump_json())
