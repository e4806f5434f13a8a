"""The ledger of consents: given, refused, withdrawn, given again, run out; and what stands now, beside it.

The ledger is append-only. A change is one transaction: the ledger's row, the projection, the event for the
journal, and last the change feed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
import orjson
from pydantic import JsonValue

from backbone.journal import Journal, NewEvent
from backbone.settings import Settings
from contracts import samtykke_api as api
from contracts.catalogue import PREFIX
from contracts.envelope import Content, timestamp
from contracts.tjenester import SAMTYKKE
from services.samtykke.alder import birthday
from services.samtykke.endringer import announce
from services.samtykke.identitet import Person

Steg = Literal["gitt", "avslatt", "trukket", "gitt-igjen", "utlopt", "erstattet"]

MAJORITY = 18
PARENTS = ("forelder", "begge-foreldre")
REGISTER_ORGNR = "000000000"
"""The register speaks for the municipality and is no organisation of its own: one source for all versions
of a consent, whoever wrote them down.
"""

STATUS: dict[Steg, api.Samtykkestatus] = {
    "gitt": "gitt",
    "gitt-igjen": "gitt",
    "erstattet": "gitt",
    "avslatt": "avslatt",
    "trukket": "trukket",
    "utlopt": "utlopt",
}
EXPIRY_BATCH = 500

LOCK = "SELECT * FROM samtykke WHERE samtykke = $1 FOR UPDATE"
OF_CHILD = "SELECT * FROM samtykke WHERE subject = ANY($1::uuid[]) ORDER BY tid, samtykke"
EXPIRED = """
    SELECT * FROM samtykke WHERE status = 'gitt' AND utloper <= $1
    ORDER BY utloper, samtykke LIMIT $2 FOR UPDATE SKIP LOCKED
"""
STARTED = """
    UPDATE samtykke SET startet = true WHERE status = 'gitt' AND NOT startet AND gyldig_fra <= $1
    RETURNING subject
"""
INSERT_STEP = """
    INSERT INTO samtykke_hendelse (samtykke, sekvens, subject, slag, record, aktor, tid)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
UPSERT = """
    INSERT INTO samtykke (samtykke, subject, kommune, status, sekvens, fra_tjeneste, til_tjenester,
                          kategorier, gyldig_fra, utloper, startet, record, tid)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (samtykke) DO UPDATE SET
        status = excluded.status, sekvens = excluded.sekvens, fra_tjeneste = excluded.fra_tjeneste,
        til_tjenester = excluded.til_tjenester, kategorier = excluded.kategorier,
        gyldig_fra = excluded.gyldig_fra, utloper = excluded.utloper, startet = excluded.startet,
        record = excluded.record, tid = excluded.tid
"""


class NotAllowed(Exception):
    """The consent can't take this step from where it stands; `kode` names the message."""

    def __init__(self, kode: str) -> None:
        super().__init__(kode)
        self.kode = kode


@dataclass(frozen=True, slots=True)
class Entry:
    """A consent as it stands. `utloper` is what holds; `record` is what was written down, JSON-ready."""

    id: UUID
    subject: UUID
    kommune: str
    status: api.Samtykkestatus
    sekvens: int
    fra_tjeneste: str
    til_tjenester: tuple[str, ...]
    kategorier: tuple[str, ...]
    gyldig_fra: datetime
    utloper: datetime | None
    record: dict[str, Any]
    tid: datetime


# The rules, pure


def record_of(body: api.SamtykkeInn) -> dict[str, Any]:
    """What is kept of a consent as it came: everything but who the child is, lists in one order."""
    kept: dict[str, Any] = {k: v for k, v in body.items() if k not in ("id", "person", "subject")}
    kept["til_tjenester"] = sorted(set(body["til_tjenester"]))
    kept["kategorier"] = sorted(set(body["kategorier"]))
    kept["gyldig_fra"] = timestamp(body["gyldig_fra"])
    kept["utloper"] = timestamp(body["utloper"]) if body["utloper"] else None
    return kept


def entry_of(id_: UUID, person: Person, body: api.SamtykkeInn, now: datetime) -> Entry:
    """The consent as an entry that has no step yet. A parent's consent ends when the child comes of age."""
    record = record_of(body)
    ends = [body["utloper"]] if body["utloper"] else []
    if body["hvem"] in PARENTS and person.fodselsdato:
        ends.append(birthday(person.fodselsdato, MAJORITY))
    return Entry(
        id=id_,
        subject=person.subject,
        kommune=person.kommune,
        status="gitt",
        sekvens=0,
        fra_tjeneste=body["fra_tjeneste"],
        til_tjenester=tuple(record["til_tjenester"]),
        kategorier=tuple(record["kategorier"]),
        gyldig_fra=body["gyldig_fra"],
        utloper=min(ends, default=None),
        record=record,
        tid=now,
    )


def give(current: Entry | None, new: Entry, now: datetime) -> Steg | None:
    """The step that giving `new` is, None when it says nothing new. Raises NotAllowed.

    The same words again after a withdrawal are a repeat of the first sending, never a new consent.
    """
    _same_child(current, new)
    if new.utloper is not None and new.utloper <= max(now, new.gyldig_fra):
        if current is not None and current.record == new.record:
            return None
        raise NotAllowed("samtykke-alt-utlopt")
    if current is None or current.status == "avslatt":
        return "gitt"
    if current.record == new.record:
        return None
    if current.status == "gitt":
        return "erstattet"
    raise NotAllowed("samtykke-ikke-gjeldende")


def refuse(current: Entry | None, new: Entry) -> Steg | None:
    """Raises NotAllowed where the consent has been given: that is withdrawn, not refused."""
    _same_child(current, new)
    if current is None:
        return "avslatt"
    if current.status == "avslatt":
        return None
    raise NotAllowed("samtykke-alt-besvart")


def withdraw(current: Entry) -> Steg | None:
    if current.status == "avslatt":
        raise NotAllowed("samtykke-avslatt")
    return "trukket" if current.status == "gitt" else None


def give_again(current: Entry, now: datetime) -> Steg | None:
    if current.status == "gitt":
        return None
    if current.status == "avslatt":
        raise NotAllowed("samtykke-avslatt")
    if current.utloper is not None and current.utloper <= now:
        raise NotAllowed("samtykke-alt-utlopt")
    return "gitt-igjen"


def _same_child(current: Entry | None, new: Entry) -> None:
    if current is not None and current.subject != new.subject:
        raise NotAllowed("samtykke-annet-barn")


# The ledger


class Ledger:
    """Every method works on the caller's connection, inside the caller's transaction."""

    def __init__(self, settings: Settings) -> None:
        self._journal = Journal(settings, SAMTYKKE)

    async def lock(self, db: asyncpg.Connection, id_: UUID) -> Entry | None:
        row = await db.fetchrow(LOCK, id_)
        return _entry(row) if row else None

    async def of_child(self, db: asyncpg.Connection, barn: Sequence[UUID]) -> list[Entry]:
        """`barn`: all of the child's subjects."""
        return [_entry(row) for row in await db.fetch(OF_CHILD, barn)] if barn else []

    async def expire(self, db: asyncpg.Connection, now: datetime) -> int:
        """Writes down what has run out and announces what has begun since the last call; how many there
        were.
        """
        expired = [_entry(row) for row in await db.fetch(EXPIRED, now, EXPIRY_BATCH)]
        started = {row["subject"] for row in await db.fetch(STARTED, now)}
        await self._write(db, expired, "utlopt", "system:samtykke", now)
        await announce(db, sorted(started | {entry.subject for entry in expired}))
        return len(started) + len(expired)

    async def take(
        self, db: asyncpg.Connection, entry: Entry, step: Steg, aktor: str, now: datetime
    ) -> Entry:
        """The consent after the step. `entry` carries the number of its last one."""
        (after,) = await self._write(db, [entry], step, aktor, now)
        await announce(db, [entry.subject])
        return after

    async def _write(
        self, db: asyncpg.Connection, entries: Sequence[Entry], step: Steg, aktor: str, now: datetime
    ) -> list[Entry]:
        if not entries:
            return []
        after = [replace(e, status=STATUS[step], sekvens=e.sekvens + 1, tid=now) for e in entries]
        await db.executemany(
            INSERT_STEP, [(e.id, e.sekvens, e.subject, step, _json(e.record), aktor, now) for e in after]
        )
        await db.executemany(UPSERT, [_row(e, now) for e in after])
        await self._journal.append(db, [_event(e, now) for e in after], now)
        return after


def _event(entry: Entry, now: datetime) -> NewEvent:
    data: dict[str, JsonValue] = {
        "fra_tjeneste": entry.fra_tjeneste,
        "til_tjenester": list(entry.til_tjenester),
        "kategorier": list(entry.kategorier),
        "gyldig_fra": timestamp(entry.gyldig_fra),
        "utloper": timestamp(entry.utloper) if entry.utloper else None,
    }
    return NewEvent(
        id=f"{entry.id}.{entry.sekvens}",
        source=f"/{entry.kommune}/{SAMTYKKE}/{REGISTER_ORGNR}",
        type=f"{PREFIX}{SAMTYKKE}.samtykke.{entry.status}",
        kommune=entry.kommune,
        orgnr=REGISTER_ORGNR,
        time=now,
        content=Content(nokkel=str(entry.id), versjon=entry.sekvens, data=data),
        subject=str(entry.subject),
    )


def _row(entry: Entry, now: datetime) -> tuple[Any, ...]:
    return (
        entry.id,
        entry.subject,
        entry.kommune,
        entry.status,
        entry.sekvens,
        entry.fra_tjeneste,
        list(entry.til_tjenester),
        list(entry.kategorier),
        entry.gyldig_fra,
        entry.utloper,
        entry.gyldig_fra <= now,
        _json(entry.record),
        now,
    )


def _entry(row: asyncpg.Record) -> Entry:
    record = row["record"]
    return Entry(
        id=row["samtykke"],
        subject=row["subject"],
        kommune=row["kommune"],
        status=row["status"],
        sekvens=row["sekvens"],
        fra_tjeneste=row["fra_tjeneste"],
        til_tjenester=tuple(row["til_tjenester"]),
        kategorier=tuple(row["kategorier"]),
        gyldig_fra=row["gyldig_fra"],
        utloper=row["utloper"],
        record=orjson.loads(record) if isinstance(record, str) else record,
        tid=row["tid"],
    )


def _json(record: dict[str, Any]) -> str:
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS).decode()
