"""The journal: what a service has accepted, sealed, until it is decided, published and acknowledged.

A row is committed before anybody is told that the event is accepted. Pending is a flag on the row and never a
cursor, so a row that commits late is not passed over. A sender that waits for one answer before it sends the next
has its events sent in that order, because rows are taken by number among those committed.
"""

import asyncio
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg
import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import metrics, telemetry
from backbone.database import driver
from backbone.kek import Keks
from backbone.ledger import ledger_tables
from backbone.seal import Mac, SealBroken, Sealer, derive, new_key
from backbone.settings import Settings
from contracts.envelope import Content, timestamp

KEY_HOUR = timedelta(hours=1)
KEY_GRACE = timedelta(hours=2)
"""A request that took its key before the hour turned has long ended when the key may be destroyed."""
RENEW_BATCH = 5_000
FORGET_BATCH = 1_000

Utfall = Literal["release", "shield", "withhold", "refuse"]


def journal_tables(metadata: MetaData) -> None:
    """Adds the journal's tables, and the ledger's, to the database that `metadata` describes."""
    ledger_tables(metadata)
    Table(
        "journal",
        metadata,
        Column("lopenr", BigInteger, Identity(), primary_key=True, comment="order of acceptance"),
        Column("source", String, nullable=False),
        Column("id", String, nullable=False),
        Column("type", String, nullable=False),
        Column("kommune", String(4), nullable=False),
        Column("orgnr", String(9), nullable=False),
        Column("tid", DateTime(timezone=True), nullable=False, comment="when it happened"),
        Column("mottatt", DateTime(timezone=True), nullable=False, comment="when it was accepted"),
        Column("avtrykk", LargeBinary, nullable=False, comment="keyed digest of the content, tells a repeat"),
        Column("journalnokkel", UUID, comment="key of the body until the first decision"),
        Column("nokkelid", UUID, comment="data key of the body after it"),
        Column("innhold", LargeBinary, nullable=False),
        Column("subject", String),
        Column("traceparent", String),
        Column("correlationid", String),
        Column("causationid", String),
        Column("trenger_relay", Boolean, nullable=False, server_default=text("true")),
        Column("parkert", String, comment="why the relay set the row aside, a code; null: it did not"),
        Column("utfall", String),
        Column("grunnlag", String),
        Column("lovversjon", String),
        Column("grunner", JSONB),
        Column("besluttet", DateTime(timezone=True)),
        Column("topic", String),
        Column("partition", Integer),
        Column("offset", BigInteger),
        Column("publisert", DateTime(timezone=True)),
        UniqueConstraint("id", "source"),  # the id first: a receipt is looked up by the id alone
        Index("journal_trenger_relay", "lopenr", postgresql_where=text("trenger_relay")),
        Index("journal_venter", "subject", postgresql_where=text("utfall = 'withhold'")),
        Index("journal_ubesluttet", "journalnokkel", postgresql_where=text("journalnokkel IS NOT NULL")),
        Index(
            "journal_satt_til_side",
            "lopenr",
            postgresql_where=text("parkert IS NOT NULL OR utfall = 'refuse'"),
        ),
    )
    Table(
        "journalnokkel",
        metadata,
        Column("id", UUID, primary_key=True),
        Column("time", DateTime(timezone=True), nullable=False, unique=True, comment="the hour it serves"),
        Column(
            "innpakket", LargeBinary, nullable=False, comment="the key, wrapped by the key-encryption key"
        ),
        Column("kek_id", String, nullable=False),
        comment="kept out of backups",
    )
    Table(
        "relay_tilstand",
        metadata,
        Column("relay", String, primary_key=True),
        Column("endring", BigInteger, nullable=False, comment="last change of samtykke's feed taken in"),
    )
    Table(
        "formattilstand",
        metadata,
        Column("nokkel", LargeBinary, primary_key=True, comment="keyed digest of source, format and key"),
        Column("innhold", LargeBinary, nullable=False),
        Column("nokkelid", UUID, nullable=False, index=True, comment="key of the content"),
    )
    Table(
        "formatnokkel",
        metadata,
        Column("id", UUID, primary_key=True),
        Column("laget", DateTime(timezone=True), nullable=False, comment="the newest one seals"),
        Column(
            "innpakket", LargeBinary, nullable=False, comment="the key, wrapped by the key-encryption key"
        ),
        Column("kek_id", String, nullable=False),
        comment="kept out of backups",
    )
    Table(
        "formatomfang",
        metadata,
        Column("omfang", String, primary_key=True, comment="a sender and a format that remembers"),
    )


@dataclass(slots=True)  # not frozen: one is made for every event, and freezing trebles what that costs
class NewEvent:
    """An event to accept. Exactly one of `person` (national id), `sak` (case reference of the organisation, when
    no number is known) and `subject` (known already) says whom it is about."""

    id: str
    source: str
    type: str
    kommune: str
    orgnr: str
    time: datetime
    content: Content
    person: str | None = None
    sak: str | None = None
    subject: str | None = None
    traceparent: str | None = None
    correlationid: str | None = None
    causationid: str | None = None


Accepted = Literal["mottatt", "kjent", "konflikt"]
"""New; the same again; the same (source, id) with another content, which is not taken."""


class Journal:
    """Accepts events into the database of one owner (a service, samtykke or coordination).

    `append` runs inside the caller's transaction, on asyncpg's connection: commit is the caller's.
    """

    def __init__(self, settings: Settings, owner: str) -> None:
        self._owner = owner
        self._keys = JournalKeys(settings, owner)
        self._mac = Mac(derive(settings.secret_bytes("service_key"), "avtrykk", owner))

    async def append(
        self, conn: asyncpg.Connection, events: Sequence[NewEvent], now: datetime
    ) -> list[Accepted]:
        """One answer an event, in order. Idempotent by (source, id), also within the batch. An event without a trace
        of its own belongs to what is being done now."""
        if not events:
            return []
        said: dict[str, str | int] = {"samspor.tjeneste": self._owner, "samspor.antall": len(events)}
        with telemetry.span("journal append", attributes=said):
            return await self._append(conn, events, now)

    async def _append(
        self, conn: asyncpg.Connection, events: Sequence[NewEvent], now: datetime
    ) -> list[Accepted]:
        here = telemetry.here()
        key_id, key = await self._keys.current(conn, now)
        contents = [orjson.dumps(vars(e.content), option=orjson.OPT_SORT_KEYS) for e in events]
        digests = [self._digest(e, content) for e, content in zip(events, contents, strict=True)]
        sealer = Sealer(key)
        bodies = [
            sealer.seal(_sealed_part(e, content), journal_context(e.source, e.id, e.type))
            for e, content in zip(events, contents, strict=True)
        ]
        kinds: dict[tuple[str | None, ...], int] = {}  # what many events of a request share is sent once
        kind_of = [
            kinds.setdefault(
                (
                    e.source,
                    e.type,
                    e.kommune,
                    e.orgnr,
                    e.subject,
                    e.traceparent or here,
                    e.correlationid,
                    e.causationid,
                ),
                len(kinds) + 1,
            )
            for e in events
        ]
        stored = await conn.fetch(
            _INSERT,
            [e.id for e in events],
            [e.time for e in events],
            digests,
            bodies,
            kind_of,
            *map(list, zip(*kinds, strict=True)),
            now,
            key_id,
            len(events),
        )
        if stored[0]["antall"] == len(events):
            return ["mottatt"] * len(events)
        new = {(row["source"], row["id"]) for row in stored}
        seen = await self._digests(conn, events, new)
        answers: list[Accepted] = []
        for event, digest in zip(events, digests, strict=True):
            place = (event.source, event.id)
            if place in new:
                new.discard(place)
                seen[place] = digest
                answers.append("mottatt")
            else:
                answers.append("kjent" if seen[place] == digest else "konflikt")
        return answers

    async def _digests(
        self, conn: asyncpg.Connection, events: Sequence[NewEvent], new: set[tuple[str, str]]
    ) -> dict[tuple[str, str], bytes]:
        known = [(e.source, e.id) for e in events if (e.source, e.id) not in new]
        if not known:
            return {}
        rows = await conn.fetch(
            "SELECT source, id, avtrykk FROM journal"
            " WHERE (source, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
            [source for source, _ in known],
            [id_ for _, id_ in known],
        )
        return {(row["source"], row["id"]): row["avtrykk"] for row in rows}

    def _digest(self, event: NewEvent, content: bytes) -> bytes:
        whom = event.person or event.sak or event.subject or ""
        return self._mac(event.type, whom, timestamp(event.time), content.decode())


class JournalKeys:
    """The key bodies are sealed under until their first decision: a new one every hour, so that erasing a child
    reaches what was accepted and never decided. Kept wrapped, in a table of its own that backups leave out."""

    def __init__(self, settings: Settings, owner: str) -> None:
        self._keks = journal_keks(settings, owner)
        self._current: tuple[datetime, uuid.UUID, bytes] | None = None

    async def current(self, conn: asyncpg.Connection, now: datetime) -> tuple[uuid.UUID, bytes]:
        """(id, key) of the hour that `now` is in."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        if self._current is None or self._current[0] != hour:
            row = await conn.fetchrow(_KEY_OF, hour) or await self._made(conn, hour)
            key = self._unwrap(row)
            if not row["committed"]:
                # Made in this very transaction, which may yet roll back; nobody else can see it.
                return row["id"], key
            self._current = hour, row["id"], key
        return self._current[1], self._current[2]

    async def _made(self, conn: asyncpg.Connection, hour: datetime) -> Any:
        """By us, or meanwhile by another process."""
        wrapped = self._keks.wrap(new_key(), (made := uuid.uuid4()).bytes)
        await conn.execute(
            "INSERT INTO journalnokkel (id, time, innpakket, kek_id) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (time) DO NOTHING",
            made,
            hour,
            wrapped,
            self._keks.id,
        )
        row = await conn.fetchrow(_KEY_OF, hour)
        assert row is not None
        return row

    async def load(self, conn: asyncpg.Connection, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, bytes]:
        rows = await conn.fetch(
            "SELECT id, innpakket, kek_id FROM journalnokkel WHERE id = ANY($1::uuid[])", list(ids)
        )
        return {row["id"]: self._unwrap(row) for row in rows}

    def sealer_of(self, row: Any) -> Sealer:
        """Of a journal row that is read with its key. Raises SealBroken where there is none."""
        if row["innpakket"] is None:
            raise SealBroken
        return Sealer(self._keks.unwrap(row["kek_id"], row["innpakket"], row["journalnokkel"].bytes))

    def _unwrap(self, row: Any) -> bytes:
        return self._keks.unwrap(row["kek_id"], row["innpakket"], row["id"].bytes)

    async def renew_undecided(self, conn: asyncpg.Connection, now: datetime) -> None:
        """Seals rows that have long waited for a decision under the current key, so that no journal key outlives its
        hour by more than the grace: a backup of a row accepted before that opens with nothing."""
        async with conn.transaction():
            rows = await conn.fetch(
                "SELECT lopenr, source, j.id, type, innhold, journalnokkel FROM journal j"
                " JOIN journalnokkel k ON k.id = j.journalnokkel WHERE k.time < $1 LIMIT $2 FOR UPDATE OF j",
                now - KEY_HOUR - KEY_GRACE,
                RENEW_BATCH,
            )
            if not rows:
                return
            loaded = await self.load(conn, {row["journalnokkel"] for row in rows})
            old = {id_: Sealer(key) for id_, key in loaded.items()}
            key_id, key = await self.current(conn, now)
            new = Sealer(key)
            blobs = []
            for row in rows:
                context = journal_context(row["source"], row["id"], row["type"])
                try:
                    blobs.append(new.seal(old[row["journalnokkel"]].open(row["innhold"], context), context))
                except SealBroken:
                    blobs.append(row["innhold"])  # nobody can open it, and its key must not be kept for it
            await conn.execute(
                "UPDATE journal j SET innhold = n.innhold, journalnokkel = $3"
                " FROM unnest($1::bigint[], $2::bytea[]) AS n (lopenr, innhold) WHERE j.lopenr = n.lopenr",
                [row["lopenr"] for row in rows],
                blobs,
                key_id,
            )

    async def destroy_unneeded(self, conn: asyncpg.Connection, now: datetime) -> None:
        """Destroys the keys of past hours that no undecided row needs."""
        await conn.execute(
            "DELETE FROM journalnokkel k WHERE time < $1"
            " AND NOT EXISTS (SELECT FROM journal j WHERE j.journalnokkel = k.id)",
            now - KEY_HOUR - KEY_GRACE,
        )


_KEY_OF = "SELECT id, innpakket, kek_id, age(xmin) > 0 AS committed FROM journalnokkel WHERE time = $1"
"""`age` counts from this transaction's own id: what it wrote itself is not older, nor is what its savepoints wrote."""


async def forget_undecided(
    conn: asyncpg.Connection,
    keys: JournalKeys,
    subjects: Collection[str],
    person: str | None,
    now: datetime,
) -> int:
    """Refuses the rows about an erased child that no decision has been made of (samtykke was away, or they were set
    aside), and keeps nothing of what they say; how many there were. In the caller's transaction.

    All that is undecided is read, some at a time and without a lock: hours of rows may wait when samtykke was away, and
    they are not to wait for this. What is decided meanwhile is under the child's keys."""
    count, sealers = 0, dict[uuid.UUID, Sealer]()
    waiting = await conn.cursor(_UNDECIDED)
    while rows := await waiting.fetch(FORGET_BATCH):
        about = [
            row["lopenr"]
            for row in rows
            if row["subject"] in subjects or (person is not None and _is_about(row, keys, sealers, person))
        ]
        if about:
            count += int((await conn.execute(_ERASED, about, now)).split()[-1])
        await asyncio.sleep(0)
    return count


def _is_about(row: Any, keys: JournalKeys, sealers: dict[uuid.UUID, Sealer], person: str) -> bool:
    """`sealers` are those of the rows before it."""
    try:
        sealer = sealers.get(row["journalnokkel"])
        if sealer is None:
            sealer = sealers[row["journalnokkel"]] = keys.sealer_of(row)
        return open_row(sealer, row["source"], row["id"], row["type"], row["innhold"]).person == person
    except (SealBroken, KeyError, ValueError):
        return False  # nobody can open it


_UNDECIDED = """
SELECT j.lopenr, j.source, j.id, j.type, j.subject, j.innhold, j.journalnokkel, k.innpakket, k.kek_id
FROM journal j LEFT JOIN journalnokkel k ON k.id = j.journalnokkel WHERE j.journalnokkel IS NOT NULL
"""
"""Row and key in one statement: one that is sealed anew meanwhile is seen with its old key or with its new one."""
_ERASED = """
UPDATE journal SET utfall = 'refuse', parkert = NULL, trenger_relay = false, journalnokkel = NULL, nokkelid = NULL,
       innhold = '', besluttet = $2,
       grunner = '[{"kode": "slettet", "bestemmelse": null, "lovversjon": null, "samtykke": null}]'::jsonb
WHERE lopenr = ANY($1::bigint[]) AND journalnokkel IS NOT NULL
"""


def journal_keks(settings: Settings, owner: str) -> Keks:
    return Keks(settings, "journalnokkel", owner)


def journal_context(source: str, id_: str, type_: str) -> bytes:
    return f"journal\n{source}\n{id_}\n{type_}".encode()


def _sealed_part(event: NewEvent, content: bytes) -> bytes:
    return orjson.dumps({"person": event.person, "sak": event.sak, "innhold": orjson.Fragment(content)})


@dataclass(frozen=True, slots=True)
class Accountable:
    """Whom a journal row is about and what it says, opened for the first decision."""

    person: str | None
    sak: str | None
    content: bytes  # JSON of Content


def open_row(sealer: Sealer, source: str, id_: str, type_: str, innhold: bytes) -> Accountable:
    """Opens a row not yet decided. Raises SealBroken."""
    opened = orjson.loads(sealer.open(innhold, journal_context(source, id_, type_)))
    return Accountable(opened["person"], opened["sak"], orjson.dumps(opened["innhold"]))


_INSERT = """
WITH ny AS (
INSERT INTO journal (source, id, type, kommune, orgnr, tid, mottatt, avtrykk, journalnokkel, innhold, subject,
                     traceparent, correlationid, causationid)
SELECT source, id, type, kommune, orgnr, tid, $14, avtrykk, $15, innhold, subject, traceparent, corr, cause
FROM unnest($1::text[], $2::timestamptz[], $3::bytea[], $4::bytea[], $5::int[])
     WITH ORDINALITY AS inn(id, tid, avtrykk, innhold, slag, nr)
JOIN unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
     WITH ORDINALITY AS felles(source, type, kommune, orgnr, subject, traceparent, corr, cause, slag) USING (slag)
ORDER BY inn.nr
ON CONFLICT (source, id) DO NOTHING
RETURNING source, id)
SELECT antall, source, id FROM (SELECT count(*) AS antall FROM ny) AS telt LEFT JOIN ny ON antall < $16
"""
"""How many of the $16 events were new, and which ones where it was not all."""

STATUS = {
    "release": "frigitt",
    "shield": "skjermet",
    "withhold": "venter",
    "refuse": "avvist",
    None: "mottatt",
}


async def receipt(conn: asyncpg.Connection, id_: str, source: str | None = None) -> list[dict[str, Any]]:
    """What became of the event(s) with this id: decided how and why, published where. Times are RFC 3339 UTC."""
    rows = await conn.fetch(
        "SELECT id, source, type, kommune, orgnr, tid, mottatt, utfall, grunnlag, lovversjon, grunner, besluttet,"
        ' subject, traceparent, topic, partition, "offset", publisert, parkert'
        " FROM journal WHERE id = $1 AND ($2::text IS NULL OR source = $2)",
        id_,
        source,
    )
    return [_receipt(row) for row in rows]


def _receipt(row: asyncpg.Record) -> dict[str, Any]:
    published = None
    if row["publisert"] is not None:
        published = {
            "topic": row["topic"],
            "partition": row["partition"],
            "offset": row["offset"],
            "tid": row["publisert"],
        }
    return {
        "id": row["id"],
        "source": row["source"],
        "type": row["type"],
        "kommune": row["kommune"],
        "orgnr": row["orgnr"],
        "tid": row["tid"],
        "mottatt": row["mottatt"],
        "status": STATUS[row["utfall"]],
        "grunnlag": row["grunnlag"],
        "lovversjon": row["lovversjon"],
        "grunner": row["grunner"] or [],
        "besluttet": row["besluttet"],
        "publisert": published,
        "subject": row["subject"],
        "traceparent": row["traceparent"],
        "parkert": row["parkert"],
    }


async def observe(engine: AsyncEngine, owner: str) -> None:
    """Looks up how the journal stands, for /metrics; each count has a partial index. Withheld rows that are only asked
    about again are not the relay's arrears."""
    async with engine.connect() as connection:
        row = await (await driver(connection)).fetchrow(_STANDS)
    assert row is not None
    for state in ("for-relay", "venter", "parkert"):
        metrics.JOURNAL_ROWS.labels(owner, state).set(row[state])
    metrics.JOURNAL_OLDEST_SECONDS.labels(owner).set(row["eldste_s"])


_STANDS = """
SELECT (SELECT count(*) FROM journal WHERE utfall = 'withhold') AS venter,
       (SELECT count(*) FROM journal WHERE parkert IS NOT NULL) AS parkert,
       count(*) AS "for-relay",
       coalesce(extract(epoch FROM now() - min(mottatt)), 0)::float8 AS eldste_s
FROM journal WHERE trenger_relay AND utfall IS DISTINCT FROM 'withhold'
"""
