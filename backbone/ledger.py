"""The ledger: what is not already an event, in rows that can't be changed, moved or taken away unseen.

Reads (permitted and denied), key hand-outs, refusals and withholdings, and what an administrator does, are rows of
the table `revisjon`, written in the transaction of what they tell of. One sealer per database (`backbone.sealer`)
gives each row its place in a chain of hashes, each second, and sends the last hash (the head) to the topic
`revisjon.kjede`, out of reach of whoever owns the table. `verify` finds the first row that is not what was sealed.

A row's canonical form is its line in PostgreSQL's COPY text format, in the order of `SEALED`, without the nulls at its
end; so a column added later, at the end, leaves the rows before it as they were.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.dialects import postgresql

from backbone.failures import Stop

Handling = Literal["lesing", "utlevering", "avgjorelse", "forvaltning"]
"""A read, a hand-out of keys, a refusal or withholding, and an administrative act (`slag` says which)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row to write. Codes, roles and pseudonyms: never a name, a number or what an event says.

    `aktor` is the token's subject of who did it; `hendelse` the id of the event or task it was done to.
    """

    skriver: str
    tid: datetime
    handling: Handling
    aktor: str
    utfall: str
    rolle: str | None = None
    orgnr: str | None = None
    kommune: str | None = None
    tjeneste: str | None = None
    formal: str | None = None
    slag: str | None = None
    subject: UUID | str | None = None
    hendelse: str | None = None
    type: str | None = None
    kategori: str | None = None
    grunn: str | None = None
    samtykke: UUID | str | None = None
    sporing: str | None = None
    detaljer: dict[str, Any] | None = None


COLUMNS = tuple(Entry.__dataclass_fields__)
SEALED = ("lopenr", *COLUMNS)
TEXTS = ("rolle", "orgnr", "kommune", "tjeneste", "formal", "slag")
TEXTS_AFTER = ("hendelse", "type", "kategori", "grunn")


def ledger_tables(metadata: MetaData) -> None:
    """Adds the ledger to the database that `metadata` describes."""
    Table(
        "revisjon",
        metadata,
        Column("lopenr", BigInteger, Identity(always=True), primary_key=True),
        Column("skriver", Text, nullable=False, comment="the part that wrote the row"),
        Column("tid", DateTime(timezone=True), nullable=False),
        Column("handling", Text, nullable=False),
        Column("aktor", Text, nullable=False),
        Column("utfall", Text, nullable=False),
        *(Column(name, Text) for name in TEXTS),
        Column("subject", postgresql.UUID),
        *(Column(name, Text) for name in TEXTS_AFTER),
        Column("samtykke", postgresql.UUID),
        Column("sporing", Text),
        Column("detaljer", postgresql.JSONB),
        Column("nummer", BigInteger, unique=True, comment="place in the chain; null: not sealed yet"),
        Column("hode", LargeBinary, comment="SHA-256 of the hash before it and this row"),
        Index("revisjon_subject", "subject", "tid"),
        Index("revisjon_hendelse", "hendelse", postgresql_where=text("hendelse IS NOT NULL")),
        Index("revisjon_uforseglet", "lopenr", postgresql_where=text("nummer IS NULL")),
    )
    Table(
        "revisjon_kjede",
        metadata,
        Column("nummer", BigInteger, primary_key=True, autoincrement=False, comment="the last row it covers"),
        Column("hode", LargeBinary, nullable=False),
        Column("tid", DateTime(timezone=True), nullable=False),
        Column("publisert", DateTime(timezone=True)),
        Index("revisjon_kjede_upublisert", "nummer", postgresql_where=text("publisert IS NULL")),
    )


metadata = MetaData()
ledger_tables(metadata)


async def write(db: asyncpg.Connection, entries: Iterable[Entry]) -> None:
    """In the caller's transaction, so that what is told of and the telling stand or fall together. Raises Stop where
    the database takes fewer rows than it was given."""
    rows = [_values(entry) for entry in entries]
    if not rows:
        return
    told = await db.copy_records_to_table("revisjon", records=rows, columns=COLUMNS)
    if told != f"COPY {len(rows)}":
        raise Stop("the ledger does not take every row: something in the database holds them back")


def _values(entry: Entry) -> tuple[Any, ...]:
    *rest, details = (getattr(entry, name) for name in COLUMNS)
    return (*rest, None if details is None else orjson.dumps(details, option=orjson.OPT_SORT_KEYS).decode())


# The chain


def genesis(owner: str) -> bytes:
    """The hash before the first row: one owner's chain can't stand for another's."""
    return hashlib.sha256(f"revisjon\n{owner}".encode()).digest()


def link(before: bytes, line: bytes) -> bytes:
    return hashlib.sha256(before + line).digest()


def canonical(line: bytes) -> bytes:
    while line.endswith(b"\t\\N"):
        line = line[:-3]
    return line


class Lines:
    """Whole lines out of the pieces that COPY gives."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._rest = b""

    async def __call__(self, piece: bytes) -> None:
        *whole, self._rest = (self._rest + piece).split(b"\n")
        for line in whole:
            self._take(line)


def chain(before: bytes, lines: Iterable[bytes]) -> Iterator[bytes]:
    """The hash after each line."""
    for line in lines:
        before = link(before, canonical(line))
        yield before


@dataclass(frozen=True, slots=True)
class Head:
    """The hash of row `nummer` of `kjede`'s chain, as it was at `tid`."""

    kjede: str
    nummer: int
    hode: bytes
    tid: datetime | None = None

    def encode(self) -> bytes:
        """As it is published: JSON, the hash in hexadecimal."""
        return orjson.dumps(
            {"kjede": self.kjede, "nummer": self.nummer, "hode": self.hode.hex(), "tid": self.tid}
        )

    @classmethod
    def decode(cls, blob: bytes) -> Self:
        """Raises ValueError for what is no head."""
        read = orjson.loads(blob)
        try:
            return cls(
                str(read["kjede"]),
                int(read["nummer"]),
                bytes.fromhex(read["hode"]),
                datetime.fromisoformat(read["tid"]) if read["tid"] else None,
            )
        except (KeyError, TypeError) as error:
            raise ValueError("not a head") from error


async def last_head(conn: asyncpg.Connection, owner: str) -> Head:
    """Where the chain ends, as the database says."""
    row = await conn.fetchrow("SELECT nummer, hode FROM revisjon_kjede ORDER BY nummer DESC LIMIT 1")
    return Head(owner, row["nummer"], row["hode"]) if row else Head(owner, 0, genesis(owner))


# Verifying

Feil = Literal["endret", "fjernet", "flyttet", "satt-inn", "avkuttet", "omskrevet"]
"""Changed, removed, moved, inserted, cut off the end; or the whole chain computed anew since a head was published, as a
second head for one number tells too."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first row that is not what was sealed. `nummer` is its place in the chain; `lopenr` the row that stands
    there (None: none does); for "omskrevet" the change is at `nummer` or after it, at `til` at the latest."""

    feil: Feil
    nummer: int
    lopenr: int | None = None
    til: int | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """How many rows were gone through, how many heads they were held against, how many rows are not sealed, and the
    last head that was published (None: none was)."""

    kjede: str
    rader: int
    hoder: int
    uforseglet: int
    fault: Fault | None
    siste: Head | None = None


class _Walk:
    """Goes along the chain, and stops looking at the first fault."""

    def __init__(self, owner: str, heads: dict[int, bytes]) -> None:
        self.before = genesis(owner)
        self.nummer = 0
        self.agreed = 0
        self.held = 0
        self.fault: Fault | None = None
        self._heads = heads

    def __call__(self, line: bytes) -> None:
        if self.fault is not None:
            return
        place, kept, lopenr, row = _parts(line)
        expected = self.nummer + 1
        if place != expected:
            # A gap is a row taken away; a place that was passed already was given to two rows.
            self.fault = Fault("fjernet", expected) if place > expected else Fault("satt-inn", place, lopenr)
            return
        found = link(self.before, row)
        if found != kept:
            self.fault = Fault("endret", expected, lopenr)
            return
        head = self._heads.get(place)
        if head is not None:
            self.held += 1
            if head != found:
                self.fault = Fault("omskrevet", self.agreed + 1, til=place)
                return
            self.agreed = place
        self.before, self.nummer = found, place


def _parts(line: bytes) -> tuple[int, bytes, int, bytes]:
    """(place, hash, number, canonical form) of a line of `_WALK`."""
    place, kept, rest = line.split(b"\t", 2)
    hashed = bytes.fromhex(kept[3:].decode()) if kept.startswith(b"\\\\x") else b""
    return int(place), hashed, int(rest.split(b"\t", 1)[0]), canonical(rest)


_WALK = (
    f"SELECT nummer, hode, {', '.join(SEALED)} FROM revisjon WHERE nummer IS NOT NULL ORDER BY nummer, lopenr"  # noqa: S608
)


async def verify(conn: asyncpg.Connection, owner: str, published: Sequence[Head]) -> Verified:
    """Holds every sealed row against the chain, and the chain against the heads in the database and the `published`
    ones. Only the published heads tell that the end was cut off together with its heads, or that the chain was
    computed anew."""
    theirs = [h for h in published if h.kjede == owner]
    own = [
        Head(owner, r["nummer"], r["hode"])
        for r in await conn.fetch("SELECT nummer, hode FROM revisjon_kjede")
    ]
    said, doubled = _first_said((*theirs, *own))
    walk = _Walk(owner, said)
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        await conn.copy_from_query(_WALK, output=Lines(walk))
        unsealed = await conn.fetchval("SELECT count(*) FROM revisjon WHERE nummer IS NULL")
        fault = walk.fault
        if fault is None and said and max(said) > walk.nummer:
            fault = Fault("avkuttet", walk.nummer + 1)
        elif fault is not None and fault.feil == "endret":
            fault = await _named(conn, walk, fault)
        if doubled is not None and (fault is None or doubled < fault.nummer):
            fault = Fault("omskrevet", max((n for n in said if n < doubled), default=0) + 1, til=doubled)
    last = max(theirs, key=lambda h: h.nummer, default=None)
    return Verified(owner, walk.nummer, walk.held, unsealed, fault, last)


def _first_said(heads: Iterable[Head]) -> tuple[dict[int, bytes], int | None]:
    """The first hash said of each number, and the lowest number that another was said of later. Who writes to the table
    can have a second one published, but not take the first one back."""
    said: dict[int, bytes] = {}
    doubled = [head.nummer for head in heads if said.setdefault(head.nummer, head.hode) != head.hode]
    return said, min(doubled, default=None)


async def _named(conn: asyncpg.Connection, walk: _Walk, fault: Fault) -> Fault:
    """Where the row that belongs at the fault's place stands elsewhere, unchanged, it was moved, or another row was
    put before it."""
    true: list[tuple[int, bytes]] = []
    here: list[tuple[bytes, bytes]] = []

    def look(line: bytes) -> None:
        place, kept, _, row = _parts(line)
        if place == fault.nummer:
            here.append((kept, row))
        elif place > fault.nummer and kept == link(walk.before, row):
            true.append((place, kept))

    await conn.copy_from_query(_WALK, output=Lines(look))
    if not true:
        return fault
    (place, kept), (stands, row) = true[0], here[0]
    inserted = place == fault.nummer + 1 and stands != link(kept, row)
    return Fault("satt-inn" if inserted else "flyttet", fault.nummer, fault.lopenr)
