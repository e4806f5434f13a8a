"""The lane to barnevern's inbox: statutory reports, which wait for nobody.

A report is sealed to barnevern's public key as it is accepted, in the transaction of the request, and sent by a path of
its own: no decision, no key of a child, no queue of other rows. A sender's database keeps nothing but the sealed bytes
until Kafka has them, and then what tells a repeat. Nothing here is counted, logged or traced by report: a figure or a
trace would say to others that there is one.
"""

import asyncio
import base64
import json
import logging
import random
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from sqlalchemy import Column, DateTime, Index, LargeBinary, MetaData, String, Table, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import telemetry
from backbone.clock import Clock
from backbone.database import DATABASE_AWAY, dedicated
from backbone.failures import Retry, backoff
from backbone.journal import Accepted, NewEvent, journal_tables
from backbone.kafka import RECORD_BYTES_MAX, Outgoing, Publisher
from backbone.seal import Mac, SealBroken, derive, open_with, seal_to
from backbone.settings import MissingSecret, Settings
from contracts.envelope import timestamp
from contracts.innboks import Innboksmelding, context, to_bytes, to_headers
from contracts.topics import INNBOKS

log = logging.getLogger(__name__)

BATCH = 100
COMMAND_TIMEOUT_S = 5.0
WAIT_S_MAX = 1.0
"""Longest pause after a failure: a report must not wait for a long backoff to end."""
PURGE_S = 600.0
SEALED_BYTES_MAX = RECORD_BYTES_MAX - 4096
"""Of one report; what Kafka takes in a record, less its key and headers. A larger one is held back: Kafka would never
take it, and those behind it would never be reached."""
ANY_KOMMUNE = "*"
UNSAID = (
    "type", "kommune", "orgnr", "tid", "grunnlag", "lovversjon", "besluttet", "publisert", "subject", "traceparent",
    "parkert",
)  # fmt: skip


def lane_tables(metadata: MetaData) -> None:
    """Adds the lane's table to a publishing service's database."""
    Table(
        "utsending",
        metadata,
        Column("id", UUID, primary_key=True, comment="random; the record's CloudEvents id"),
        Column("plass", LargeBinary, nullable=False, unique=True, comment="keyed digest of (source, id)"),
        Column("avtrykk", LargeBinary, nullable=False, comment="keyed digest of the content, tells a repeat"),
        Column("nokkelid", String, nullable=False),
        Column("innhold", LargeBinary, comment="sealed to the recipient; null: Kafka has it"),
        Column("mottatt", DateTime(timezone=True), nullable=False),
        Index("utsending_venter", "mottatt", postgresql_where=text("innhold IS NOT NULL")),
    )


metadata = MetaData()
"""A publishing service's own database: its journal, its lane and nothing else."""
journal_tables(metadata)
lane_tables(metadata)


class SealingKeys:
    """Barnevern's public keys, and which one each municipality's reports are sealed to now."""

    def __init__(self, settings: Settings) -> None:
        """Raises MissingSecret where a key that reports are to be sealed to is not set, or is none."""
        self._ids = settings.innboks_key_ids
        self._keys = {}
        if ANY_KOMMUNE not in self._ids:
            raise MissingSecret('SAMSPOR_INNBOKS_KEY_IDS must name a key for "*"')
        for key_id in self._ids.values():
            try:
                raw = base64.b64decode(settings.innboks_public_keys[key_id], validate=True)
                self._keys[key_id] = X25519PublicKey.from_public_bytes(raw)
            except (KeyError, ValueError):
                raise MissingSecret(f"SAMSPOR_INNBOKS_PUBLIC_KEYS has no X25519 key {key_id}") from None

    def seal(self, id_: str, melding: Innboksmelding) -> tuple[str, bytes]:
        """(key id, sealed bytes) under the key of the report's municipality."""
        key_id = self._ids.get(melding.kommune, self._ids[ANY_KOMMUNE])
        return key_id, seal_to(self._keys[key_id], to_bytes(melding), context(id_, key_id))


class OpeningKeys:
    """The inbox's private keys."""

    def __init__(self, settings: Settings) -> None:
        """Raises MissingSecret."""
        given = settings.innboks_private_keys
        try:
            found: Mapping[str, str] = json.loads(given.get_secret_value()) if given else {}
            self._keys = {
                key_id: X25519PrivateKey.from_private_bytes(base64.b64decode(raw, validate=True))
                for key_id, raw in found.items()
            }
        except (ValueError, TypeError, AttributeError):
            self._keys = {}
        if not self._keys:
            raise MissingSecret("SAMSPOR_INNBOKS_PRIVATE_KEYS must hold X25519 keys in base64 by key id")

    def open(self, id_: str, key_id: str, sealed: bytes) -> Innboksmelding:
        """Raises SealBroken: another key, or not what was sealed."""
        key = self._keys.get(key_id)
        if key is None:
            raise SealBroken
        try:
            return Innboksmelding.model_validate_json(open_with(key, sealed, context(id_, key_id)))
        except ValueError:
            raise SealBroken from None


class Lane:
    """Accepts reports into one service's database."""

    def __init__(self, settings: Settings, owner: str) -> None:
        self._owner = owner
        self._keys = SealingKeys(settings)
        self._mac = Mac(derive(settings.secret_bytes("service_key"), "utsending", owner))

    async def append(
        self, conn: asyncpg.Connection, events: Sequence[NewEvent], now: datetime
    ) -> list[Accepted]:
        """As Journal.append, inside the caller's transaction: one answer a report, in order, idempotent by
        (source, id)."""
        said: dict[str, str | int] = {"samspor.tjeneste": self._owner, "samspor.antall": len(events)}
        with telemetry.span("journal append", attributes=said):  # seen from outside, a row like any other
            return [await self._append(conn, event, now) for event in events]

    async def _append(self, conn: asyncpg.Connection, event: NewEvent, now: datetime) -> Accepted:
        id_ = uuid.uuid4()
        place, digest = self._place(event.source, event.id), self._digest(event)
        key_id, sealed = self._keys.seal(str(id_), report_of(event, now))
        made = await conn.fetchval(
            "INSERT INTO utsending (id, plass, avtrykk, nokkelid, innhold, mottatt)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (plass) DO NOTHING RETURNING id",
            id_, place, digest, key_id, sealed, now,
        )  # fmt: skip
        if made is not None:
            return "mottatt"
        kept = await conn.fetchval("SELECT avtrykk FROM utsending WHERE plass = $1", place)
        return "kjent" if kept == digest else "konflikt"

    async def receipt(self, conn: asyncpg.Connection, id_: str, source: str) -> dict[str, Any] | None:
        """That it was accepted, and no more: the fields of a journal's receipt, with nothing in them."""
        accepted = await conn.fetchval(
            "SELECT mottatt FROM utsending WHERE plass = $1", self._place(source, id_)
        )
        if accepted is None:
            return None
        said = {"id": id_, "source": source, "mottatt": accepted, "status": "mottatt", "grunner": []}
        return {**dict.fromkeys(UNSAID), **said}

    def _place(self, source: str, id_: str) -> bytes:
        return self._mac(source, id_)

    def _digest(self, event: NewEvent) -> bytes:
        whom = event.person or event.sak or ""
        return self._mac(event.type, whom, timestamp(event.time), event.content.model_dump_json())


def report_of(event: NewEvent, now: datetime) -> Innboksmelding:
    return Innboksmelding(
        id=event.id,
        source=event.source,
        type=event.type,
        time=event.time,
        recordedtime=now,
        kommune=event.kommune,
        orgnr=event.orgnr,
        person=event.person,
        sak=event.sak,
        innhold=event.content,
    )


class LaneRelay:
    """Takes one service's reports to Kafka. Order means nothing and a duplicate is dropped by the inbox, so any number
    may run: rows are taken with SKIP LOCKED, and no lock is held that could be lost."""

    def __init__(
        self, engine: AsyncEngine, owner: str, settings: Settings, clock: Clock, rng: random.Random
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._publisher = Publisher(settings, f"samspor-{owner}-2")
        self._topic = settings.topic(INNBOKS.navn)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Every failure of a neighbour is waited out; nothing is given up."""
        waits = backoff(self._rng, most_s=WAIT_S_MAX)
        try:
            while not stop.is_set():
                try:
                    await self._publisher.ready()  # the first report does not wait for a producer to start
                    await self._relay(stop)
                    waits = backoff(self._rng, most_s=WAIT_S_MAX)
                except (Retry, *DATABASE_AWAY) as error:
                    log.warning("a relay waits: %s", type(error).__name__)
                    await _pause(stop, next(waits))
        finally:
            await self._publisher.close()

    async def _relay(self, stop: asyncio.Event) -> None:
        conn = await dedicated(self._engine, COMMAND_TIMEOUT_S + self._settings.delivery_timeout_s)
        loop = asyncio.get_running_loop()
        next_purge = loop.time()
        try:
            while not stop.is_set():
                if not await self.step(conn):
                    if loop.time() >= next_purge:
                        await self._purge(conn)
                        await self._warn(conn)
                        next_purge = loop.time() + PURGE_S
                    await _pause(stop, self._settings.relay_poll_s)
        finally:
            conn.terminate()

    async def step(self, conn: asyncpg.Connection) -> bool:
        """Sends what waits, at most a batch; False when there was nothing. Raises Retry when Kafka is away: what was
        acknowledged is marked even so."""
        async with conn.transaction():
            rows = await conn.fetch(
                "SELECT id, nokkelid, innhold FROM utsending WHERE innhold IS NOT NULL"
                " AND octet_length(innhold) <= $2 ORDER BY mottatt LIMIT $1 FOR UPDATE SKIP LOCKED",
                BATCH,
                SEALED_BYTES_MAX,
            )
            if not rows:
                return False
            outcomes = await self._publisher.send([self._outgoing(row) for row in rows])
            sent = [row["id"] for row, place in zip(rows, outcomes, strict=True) if place is not None]
            await conn.execute("UPDATE utsending SET innhold = NULL WHERE id = ANY($1::uuid[])", sent)
        if len(sent) < len(rows):
            raise Retry("unknown outcome")
        return True

    def _outgoing(self, row: Any) -> Outgoing:
        return Outgoing(
            self._topic, uuid.uuid4().bytes, to_headers(str(row["id"]), row["nokkelid"]), row["innhold"]
        )

    async def _purge(self, conn: asyncpg.Connection) -> None:
        """Forgets what was sent long ago; what was not is never forgotten."""
        await conn.execute(
            "DELETE FROM utsending WHERE innhold IS NULL AND mottatt < $1",
            self._clock() - timedelta(days=self._settings.innboks_days),
        )

    async def _warn(self, conn: asyncpg.Connection) -> None:
        """Says that something is held back, and not how much: `samspor doctor` says it too, since it waits."""
        if await conn.fetchval(_HELD_BACK, SEALED_BYTES_MAX):
            log.error("a relay holds back what Kafka would not take: too large")


_HELD_BACK = "SELECT EXISTS (SELECT FROM utsending WHERE innhold IS NOT NULL AND octet_length(innhold) > $1)"


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
