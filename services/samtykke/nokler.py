"""The key store: one data key per child and service, wrapped by the key-encryption key, minted at first
need.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.database import driver
from backbone.kek import Keks
from backbone.seal import new_key
from backbone.settings import Settings

IDENTITET = "identitet"
"""The key that a child's number and name are sealed under."""

Eier = tuple[UUID, str]
"""Whose key: (subject, service)."""

SELECT_BY_OWNER = """
    SELECT nokkelid, subject, tjeneste, innpakket, kek_id
    FROM unnest($1::uuid[], $2::text[]) AS q(subject, tjeneste) JOIN datanokkel k USING (subject, tjeneste)
"""
SELECT_BY_ID = """
    SELECT nokkelid, subject, tjeneste, innpakket, kek_id FROM datanokkel WHERE nokkelid = ANY($1::uuid[])
"""
SELECT_OWNERS = "SELECT subject FROM datanokkel WHERE subject = ANY($1::uuid[]) AND tjeneste = $2"
INSERT = """
    INSERT INTO datanokkel (nokkelid, subject, tjeneste, innpakket, kek_id)
    SELECT nokkelid, subject, tjeneste, innpakket, $5
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[]) AS n(nokkelid, subject, tjeneste, innpakket)
    ON CONFLICT (subject, tjeneste) DO NOTHING
"""
DELETE = "DELETE FROM datanokkel WHERE subject = $1 AND ($2 OR tjeneste <> $3)"


@dataclass(frozen=True, slots=True)
class DataKey:
    """`key` is 32 bytes, unwrapped; keep it no longer than the call."""

    id: UUID
    subject: UUID
    tjeneste: str
    key: bytes


class KeyStore:
    """Reads and mints in bulk: a call costs the same few statements for one child and for thousands."""

    def __init__(self, engine: AsyncEngine, settings: Settings) -> None:
        self._engine = engine
        self._keks = Keks(settings)

    async def of(self, owners: Iterable[Eier]) -> dict[Eier, DataKey]:
        """The key of each owner, made now where there is none."""
        wanted = sorted(set(owners))  # in one order everywhere, so that two minters never wait for each other
        if not wanted:
            return {}
        async with self._engine.begin() as conn:
            db = await driver(conn)
            rows = await _by_owner(db, wanted)
            found = {(row["subject"], row["tjeneste"]) for row in rows}
            missing = [owner for owner in wanted if owner not in found]
            if missing:
                await self._mint(db, missing)
                rows += await _by_owner(db, missing)
        return {(row["subject"], row["tjeneste"]): self._unwrap(row) for row in rows}

    async def existing(self, owners: Iterable[Eier]) -> dict[Eier, DataKey]:
        """Those of the owners' keys that there are."""
        wanted = sorted(set(owners))
        if not wanted:
            return {}
        async with self._engine.begin() as conn:
            rows = await _by_owner(await driver(conn), wanted)
        return {(row["subject"], row["tjeneste"]): self._unwrap(row) for row in rows}

    async def by_id(self, ids: Collection[UUID]) -> dict[UUID, DataKey]:
        """Those of `ids` that exist."""
        if not ids:
            return {}
        async with self._engine.begin() as conn:
            rows = await (await driver(conn)).fetch(SELECT_BY_ID, list(ids))
        return {row["nokkelid"]: self._unwrap(row) for row in rows}

    async def with_key_of(self, tjeneste: str, subjects: Collection[UUID]) -> set[UUID]:
        """Those of `subjects` about whom the service has sent something."""
        if not subjects:
            return set()
        async with self._engine.begin() as conn:
            rows = await (await driver(conn)).fetch(SELECT_OWNERS, list(subjects), tjeneste)
        return {row["subject"] for row in rows}

    async def destroy(self, subject: UUID, *, identity: bool = True) -> None:
        """The child's keys: all that was sealed under them is noise from now on. Without `identity` the one that the
        number and the name are sealed under is left.
        """
        async with self._engine.begin() as conn:
            await (await driver(conn)).execute(DELETE, subject, identity, IDENTITET)

    async def _mint(self, db: asyncpg.Connection, owners: list[Eier]) -> None:
        ids = [uuid4() for _ in owners]
        wrapped = [
            self._keks.wrap(new_key(), context(id_, *owner)) for id_, owner in zip(ids, owners, strict=True)
        ]
        subjects, tjenester = zip(*owners, strict=True)
        await db.execute(INSERT, ids, list(subjects), list(tjenester), wrapped, self._keks.id)

    def _unwrap(self, row: asyncpg.Record) -> DataKey:
        id_, subject, tjeneste = row["nokkelid"], row["subject"], row["tjeneste"]
        key = self._keks.unwrap(row["kek_id"], row["innpakket"], context(id_, subject, tjeneste))
        return DataKey(id_, subject, tjeneste, key)


async def _by_owner(db: asyncpg.Connection, owners: list[Eier]) -> list[asyncpg.Record]:
    subjects, tjenester = zip(*owners, strict=True)
    rows: list[asyncpg.Record] = await db.fetch(SELECT_BY_OWNER, list(subjects), list(tjenester))
    return rows


def context(id_: UUID, subject: UUID, tjeneste: str) -> bytes:
    """What a wrapped data key is bound to."""
    return f"datanokkel|{id_}|{subject}|{tjeneste}".encode()
