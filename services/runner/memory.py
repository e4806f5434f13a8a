"""What a format remembers of one sender: sealed in the service's database, loaded as it is needed.

It is sealed under keys of its own, in a table that backups leave out. To forget a child is to delete what is about it
and to seal the rest under a new key: then no backup of the old rows can be opened.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import asyncpg
import orjson
from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.database import driver
from backbone.kek import Keks
from backbone.seal import Mac, derive, new_key, open_sealed, seal
from backbone.settings import Settings
from services.format import StatefulFormat, unknown

Change = Mapping[str, JsonValue | None]
"""New values by key; None deletes."""

RESEAL_BATCH = 1_000
_NEWEST = "SELECT id, innpakket, kek_id FROM formatnokkel ORDER BY laget DESC, id LIMIT 1 FOR KEY SHARE"
# Row and key in one statement: a key that is destroyed meanwhile is missing for both or for none.
_LOAD = """
    SELECT f.nokkel, f.innhold, k.id, k.innpakket, k.kek_id
    FROM formattilstand f JOIN formatnokkel k ON k.id = f.nokkelid
"""
_ADD_KEY = "INSERT INTO formatnokkel (id, laget, innpakket, kek_id) VALUES ($1, $2, $3, $4)"
_LOAD_KEYS = _LOAD + " WHERE f.nokkel = ANY($1::bytea[])"
_LOAD_OTHERS = _LOAD + " WHERE f.nokkelid <> $1 LIMIT $2 FOR UPDATE OF f"
_RESEALED = """
    UPDATE formattilstand f SET innhold = n.innhold, nokkelid = $3
    FROM unnest($1::bytea[], $2::bytea[]) AS n (nokkel, innhold) WHERE f.nokkel = n.nokkel
"""


class MemoryKeys:
    """The keys of one service's memories: for finding a value, and for sealing it."""

    def __init__(self, settings: Settings, tjeneste: str) -> None:
        self.mac = Mac(derive(settings.secret_bytes("service_key"), "formattilstand", tjeneste))
        self.keks = memory_keks(settings, tjeneste)

    async def sealing(self, conn: asyncpg.Connection, now: datetime) -> tuple[uuid.UUID, bytes]:
        """The newest key, held until the transaction ends; made where there is none."""
        for _ in range(2):  # the newest may be destroyed while it is waited for: then there is a newer one
            row = await conn.fetchrow(_NEWEST)
            if row is not None:
                return row["id"], self.keks.unwrap(row["kek_id"], row["innpakket"], row["id"].bytes)
        return await self.renew(conn, now)

    async def renew(self, conn: asyncpg.Connection, now: datetime) -> tuple[uuid.UUID, bytes]:
        made, key = uuid.uuid4(), new_key()
        await conn.execute(_ADD_KEY, made, now, self.keks.wrap(key, made.bytes), self.keks.id)
        return made, key

    def open(self, rows: Iterable[Any]) -> dict[bytes, bytes]:
        """What rows of `_LOAD` hold, by digest."""
        sealing: dict[uuid.UUID, bytes] = {}
        opened = {}
        for row in rows:
            if row["id"] not in sealing:
                sealing[row["id"]] = self.keks.unwrap(row["kek_id"], row["innpakket"], row["id"].bytes)
            opened[row["nokkel"]] = open_sealed(sealing[row["id"]], row["innhold"], row["nokkel"])
        return opened


def memory_keks(settings: Settings, tjeneste: str) -> Keks:
    return Keks(settings, "formattilstand", tjeneste)


class Memory:
    """One request's view of it, inside the request's transaction. `scope` is the sender and the format."""

    def __init__(self, conn: asyncpg.Connection, keys: MemoryKeys, scope: str, now: datetime) -> None:
        self._conn = conn
        self._keys = keys
        self._scope = scope
        self._now = now
        self._changed: dict[str, JsonValue | None] = {}
        self.state: dict[str, JsonValue | None] = {}

    async def lock(self) -> None:
        """One request at a time for each scope, until the transaction ends."""
        await self._conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", self._scope)

    async def load(self, keys: set[str]) -> None:
        """Adds what is remembered under these keys to `state`, None for nothing."""
        by_digest = {self._keys.mac(self._scope, key): key for key in keys}
        rows = await self._conn.fetch(_LOAD_KEYS, list(by_digest))
        self.state.update(dict.fromkeys(keys))
        for digest, content in self._keys.open(rows).items():
            self.state[by_digest[digest]] = orjson.loads(content)

    def take(self, change: Change) -> None:
        self.state.update(change)
        self._changed.update(change)

    async def save(self) -> None:
        """Writes what was taken."""
        if not self._changed:
            return
        kept = [(self._keys.mac(self._scope, key), value) for key, value in self._changed.items()]
        await self._conn.execute(
            "DELETE FROM formattilstand WHERE nokkel = ANY($1::bytea[])",
            [d for d, value in kept if value is None],
        )
        key_id, key = await self._keys.sealing(self._conn, self._now)
        rows = [(d, seal(key, orjson.dumps(value), d)) for d, value in kept if value is not None]
        await self._conn.execute(
            "INSERT INTO formatomfang (omfang) VALUES ($1) ON CONFLICT (omfang) DO NOTHING", self._scope
        )
        await self._conn.execute(
            "INSERT INTO formattilstand (nokkel, innhold, nokkelid)"
            " SELECT nokkel, innhold, $3 FROM unnest($1::bytea[], $2::bytea[]) AS n (nokkel, innhold)"
            " ON CONFLICT (nokkel) DO UPDATE SET innhold = excluded.innhold, nokkelid = excluded.nokkelid",
            [d for d, _ in rows],
            [blob for _, blob in rows],
            key_id,
        )


async def forget(
    engine: AsyncEngine,
    keys: MemoryKeys,
    formats: Mapping[str, StatefulFormat[Any]],
    personer: Collection[str],
    now: datetime,
) -> None:
    """Deletes what the formats remember of the person with these numbers, and destroys the keys it was sealed under.
    Done again from the start where it is broken off."""
    async with engine.begin() as connection:
        rows = await (await driver(connection)).fetch("SELECT omfang FROM formatomfang ORDER BY omfang")
    for scope in (row["omfang"] for row in rows):
        fmt = formats.get(scope.rpartition(" ")[2])
        if fmt is None:
            continue
        for person in personer:
            async with engine.begin() as connection:
                await _forget_in(await driver(connection), keys, fmt, scope, person, now)
    await _renew(engine, keys, now)


async def _forget_in(
    conn: asyncpg.Connection,
    keys: MemoryKeys,
    fmt: StatefulFormat[Any],
    scope: str,
    person: str,
    now: datetime,
) -> None:
    memory = Memory(conn, keys, scope, now)
    await memory.lock()
    while missing := unknown(fmt.about(person, memory.state), memory.state):
        await memory.load(missing)
    memory.take(dict.fromkeys(fmt.about(person, memory.state)))
    await memory.save()


async def _renew(engine: AsyncEngine, keys: MemoryKeys, now: datetime) -> None:
    """Seals everything under a new key, some rows at a time, and destroys the others when nobody holds them."""
    async with engine.begin() as connection:
        conn = await driver(connection)
        if not await conn.fetchval("SELECT EXISTS (SELECT FROM formatnokkel)"):
            return
        key_id, key = await keys.renew(conn, now)
    more = True
    while more:
        async with engine.begin() as connection:
            conn = await driver(connection)
            more = await _held(conn, key_id) and await _reseal(conn, keys, key_id, key)
    async with engine.begin() as connection:
        conn = await driver(connection)
        if not await _held(conn, key_id):
            return  # another process does the same, and began later
        # Waits for requests that still seal under them; what those leave is sealed anew before the keys go.
        await conn.execute("SELECT FROM formatnokkel WHERE id <> $1 FOR UPDATE", key_id)
        while await _reseal(conn, keys, key_id, key):
            pass
        await conn.execute("DELETE FROM formatnokkel WHERE id <> $1", key_id)


async def _held(conn: asyncpg.Connection, key_id: uuid.UUID) -> bool:
    """Whether the key is still there, and stays until the transaction ends."""
    return await conn.fetchrow("SELECT id FROM formatnokkel WHERE id = $1 FOR KEY SHARE", key_id) is not None


async def _reseal(conn: asyncpg.Connection, keys: MemoryKeys, key_id: uuid.UUID, key: bytes) -> bool:
    """Some rows; whether there were any."""
    opened = keys.open(await conn.fetch(_LOAD_OTHERS, key_id, RESEAL_BATCH))
    if opened:
        blobs = [seal(key, content, digest) for digest, content in opened.items()]
        await conn.execute(_RESEALED, list(opened), blobs, key_id)
    return bool(opened)
