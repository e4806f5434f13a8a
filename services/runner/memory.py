"""What a format remembers of one sender: sealed in the service's database, loaded as it is needed."""

from collections.abc import Mapping

import asyncpg
import orjson
from pydantic import JsonValue

from backbone.seal import derive, mac, open_sealed, seal
from backbone.settings import Settings

Change = Mapping[str, JsonValue | None]
"""New values by key; None deletes."""


class MemoryKeys:
    """The keys of one service's memories: for finding a value, and for sealing it."""

    def __init__(self, settings: Settings, tjeneste: str) -> None:
        self.digest = derive(settings.secret_bytes("service_key"), "formattilstand", tjeneste)
        self.seal = derive(settings.secret_bytes("kek"), "formattilstand", tjeneste)


class Memory:
    """One request's view of it, inside the request's transaction. `scope` is the sender and the format."""

    def __init__(self, conn: asyncpg.Connection, keys: MemoryKeys, scope: str) -> None:
        self._conn = conn
        self._keys = keys
        self._scope = scope
        self._changed: dict[str, JsonValue | None] = {}
        self.state: dict[str, JsonValue | None] = {}

    async def lock(self) -> None:
        """One request at a time for each scope, until the transaction ends."""
        await self._conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", self._scope)

    async def load(self, keys: set[str]) -> None:
        """Adds what is remembered under these keys to `state`, None for nothing."""
        by_digest = {mac(self._keys.digest, self._scope, key): key for key in keys}
        rows = await self._conn.fetch(
            "SELECT nokkel, innhold FROM formattilstand WHERE nokkel = ANY($1::bytea[])", list(by_digest)
        )
        self.state.update(dict.fromkeys(keys))
        for row in rows:
            opened = open_sealed(self._keys.seal, row["innhold"], row["nokkel"])
            self.state[by_digest[row["nokkel"]]] = orjson.loads(opened)

    def take(self, change: Change) -> None:
        self.state.update(change)
        self._changed.update(change)

    async def save(self) -> None:
        """Writes what was taken."""
        if not self._changed:
            return
        kept = [(mac(self._keys.digest, self._scope, key), value) for key, value in self._changed.items()]
        await self._conn.execute(
            "DELETE FROM formattilstand WHERE nokkel = ANY($1::bytea[])",
            [d for d, value in kept if value is None],
        )
        rows = [(d, seal(self._keys.seal, orjson.dumps(value), d)) for d, value in kept if value is not None]
        await self._conn.execute(
            "INSERT INTO formattilstand (nokkel, innhold) SELECT * FROM unnest($1::bytea[], $2::bytea[])"
            " ON CONFLICT (nokkel) DO UPDATE SET innhold = excluded.innhold",
            [d for d, _ in rows],
            [blob for _, blob in rows],
        )
