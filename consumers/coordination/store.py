"""The SQL of coordination, on asyncpg's connection inside the caller's transaction."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import asyncpg
import orjson

from backbone.failures import Retry
from consumers.coordination.innlesing import Arrival, Parked
from consumers.coordination.oppgaveflyt import Flyt
from consumers.coordination.oppgaver import Oppgave
from consumers.coordination.regler.regel import Grunn

FORGETTING = 0x67_6C_65_6D

Place = tuple[str, str]
"""(source, id) of an event."""

TIMELINE = (
    "source", "id", "subject", "type", "tjeneste", "kategori", "skjerming", "time", "recordedtime", "kommune",
    "orgnr", "grunnlag", "beslutning", "lovversjon", "nokkelid", "traceparent", "correlationid", "causationid",
    "innhold", "aad", "topic", "partition", "offset", "mottatt", "venter",
)  # fmt: skip
_COLUMNS = ", ".join(f'"{c}"' for c in TIMELINE)

_STAGING = "CREATE TEMP TABLE IF NOT EXISTS tidslinje_inn (LIKE tidslinje) ON COMMIT DELETE ROWS"
_FROM_STAGING = (
    f"INSERT INTO tidslinje ({_COLUMNS}) SELECT {_COLUMNS} FROM tidslinje_inn"  # noqa: S608
    ' ORDER BY source COLLATE "C", id COLLATE "C" ON CONFLICT (source, id) DO NOTHING RETURNING source, id'
)
_place = itemgetter(0, 1)


class Held(NamedTuple):
    """A child's fact set as stored, locked until the transaction ends."""

    kommune: str
    nokkelid: str | None
    innhold: bytes | None


class Saved(NamedTuple):
    """A fact set to store; `new`: the child had none."""

    subject: str
    kommune: str
    nokkelid: str
    innhold: bytes
    neste_endring: datetime | None
    new: bool


class Waiting(NamedTuple):
    """A timeline row whose facts are not yet counted."""

    source: str
    id: str
    subject: str
    kommune: str
    type: str
    time: datetime
    nokkelid: str
    innhold: bytes
    aad: bytes


class Written(NamedTuple):
    """A task to store; the explanation (key id, sealed text) None where the old one stays."""

    oppgave: Oppgave
    forklaring: tuple[str, bytes] | None


async def add_to_timeline(
    db: asyncpg.Connection, counted: Sequence[Arrival], blocked: Sequence[Arrival], now: datetime
) -> set[Place]:
    """Adds the rows, the facts of `blocked` waiting; those that were not there already."""
    rows = [_row(arrival, False, now) for arrival in counted] + [
        _row(arrival, True, now) for arrival in blocked
    ]
    if not rows:
        return set()
    # In one order everywhere, so that two who add the same rows never wait for each other; any order will do.
    rows.sort(key=_place)
    # As a rule they are all new. COPY is the fastest way in and knows no ON CONFLICT: where some are not, it is undone.
    try:
        async with db.transaction():
            await db.copy_records_to_table("tidslinje", records=rows, columns=TIMELINE)
    except asyncpg.UniqueViolationError:
        await db.execute(_STAGING)
        await db.copy_records_to_table("tidslinje_inn", records=rows, columns=TIMELINE)
        return {(r["source"], r["id"]) for r in await db.fetch(_FROM_STAGING)}
    return {_place(row) for row in rows}


def _row(arrival: Arrival, waits: bool, now: datetime) -> tuple[Any, ...]:
    (topic, partition, offset, _, _, value), e = arrival
    return (*e[:18], value, e.aad, topic, partition, offset, now, waits)


def _count(status: str) -> int:
    """The rows that PostgreSQL's answer to a statement speaks of."""
    return int(status.rpartition(" ")[2])


async def lock_fact_sets(db: asyncpg.Connection, subjects: Iterable[str]) -> dict[str, Held]:
    """The fact sets of those children who have one, locked in one order everywhere."""
    rows = await db.fetch(
        "SELECT subject::text, kommune, nokkelid::text, innhold FROM faktasett WHERE subject = ANY($1::uuid[])"
        " ORDER BY faktasett.subject FOR UPDATE",
        list(subjects),
    )
    return {subject: Held(*rest) for subject, *rest in rows}


async def save_fact_sets(db: asyncpg.Connection, sets: Iterable[Saved], now: datetime) -> None:
    """Raises Retry where somebody else made one in the meantime: theirs must be read first."""
    by_subject = sorted(sets)
    if known := [s for s in by_subject if not s.new]:
        await db.execute(
            "UPDATE faktasett f SET nokkelid = n.nokkelid, innhold = n.innhold, venter = false, oppdatert = $5,"
            " neste_endring = n.neste_endring"
            " FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::timestamptz[])"
            "      AS n (subject, nokkelid, innhold, neste_endring) WHERE f.subject = n.subject",
            [s.subject for s in known],
            [s.nokkelid for s in known],
            [s.innhold for s in known],
            [s.neste_endring for s in known],
            now,
        )
    if new := [s for s in by_subject if s.new]:
        made = await db.execute(
            "INSERT INTO faktasett (subject, kommune, nokkelid, innhold, neste_endring, oppdatert)"
            " SELECT *, $6 FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[], $5::timestamptz[])"
            " ON CONFLICT (subject) DO NOTHING",
            [s.subject for s in new],
            [s.kommune for s in new],
            [s.nokkelid for s in new],
            [s.innhold for s in new],
            [s.neste_endring for s in new],
            now,
        )
        if _count(made) < len(new):
            raise Retry("a fact set was made meanwhile")


async def tasks_of(db: asyncpg.Connection, subjects: Iterable[str]) -> dict[str, dict[str, Oppgave]]:
    """By subject and id."""
    found: dict[str, dict[str, Oppgave]] = {}
    rows = await db.fetch(
        "SELECT id, subject, kommune, regel, regelversjon, anledning, status, eier, frist, fristslag, bestemmelser,"
        " lukkes_av, koordinering, hviler_pa::text AS hviler_pa, versjon,"
        " flyt, ansvarlig, tilbudt_til, svar_innen, avslag, avgjores_av, steg, trinn, loftet_til, regelsett"
        " FROM oppgave WHERE subject = ANY($1::uuid[])",
        list(subjects),
    )
    for r in rows:
        (id_, subject, kommune, regel, regelversjon, anledning, status, eier, frist, fristslag) = r[:10]
        bestemmelser, lukkes_av, koordinering, hviler_pa, versjon, *flyt, regelsett = r[10:]
        task = Oppgave(
            str(id_),
            str(subject),
            kommune,
            regel,
            regelversjon,
            anledning,
            status,
            eier,
            frist,
            fristslag,
            tuple(bestemmelser),
            tuple(lukkes_av),
            koordinering,
            tuple(Grunn(**g) for g in orjson.loads(hviler_pa)),
            versjon,
            Flyt(*flyt),
            regelsett,
        )
        found.setdefault(task.subject, {})[task.id] = task
    return found


async def save_tasks(db: asyncpg.Connection, tasks: Iterable[Written], now: datetime) -> None:
    await db.executemany(_UPSERT, [_task_row(task, now) for task in tasks])


_UPSERT = """
INSERT INTO oppgave (id, subject, kommune, regel, regelversjon, anledning, status, eier, frist, fristslag,
                     bestemmelser, lukkes_av, koordinering, hviler_pa, versjon, nokkelid, forklaring, opprettet, endret,
                     regelsett)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::text::jsonb, $15,
        coalesce($16::uuid, '00000000-0000-0000-0000-000000000000'), coalesce($17::bytea, ''), $18, $18, $19)
ON CONFLICT (id) DO UPDATE SET
    regelversjon = excluded.regelversjon, status = excluded.status, eier = excluded.eier, frist = excluded.frist,
    fristslag = excluded.fristslag, bestemmelser = excluded.bestemmelser, lukkes_av = excluded.lukkes_av,
    koordinering = excluded.koordinering, hviler_pa = excluded.hviler_pa, versjon = excluded.versjon,
    nokkelid = coalesce($16::uuid, oppgave.nokkelid), forklaring = coalesce($17::bytea, oppgave.forklaring),
    endret = excluded.endret, regelsett = excluded.regelsett
"""


_stored = attrgetter(
    "id", "subject", "kommune", "regel", "regelversjon", "anledning", "status", "eier", "frist", "fristslag",
    "bestemmelser", "lukkes_av", "koordinering",
)  # fmt: skip


def _task_row(written: Written, now: datetime) -> tuple[Any, ...]:
    task, (key_id, text) = written.oppgave, written.forklaring or (None, None)
    return (
        *_stored(task),  # what people did is written by `kommandoer`
        orjson.dumps(task.hviler_pa).decode(),
        task.versjon,
        key_id,
        text,
        now,
        task.regelsett,
    )


async def save_positions(
    db: asyncpg.Connection, reached: Mapping[tuple[str, int], tuple[int, int, int]], now: datetime
) -> None:
    """(topic, partition) to (next offset, rows added, skipped as erased). The position is set and not raised: a
    topic made anew begins at 0, and reading a stretch twice changes nothing."""
    await db.executemany(
        "INSERT INTO posisjon (topic, partition, neste_offset, hendelser, slettet, oppdatert)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (topic, partition) DO UPDATE SET"
        " neste_offset = excluded.neste_offset, hendelser = posisjon.hendelser + excluded.hendelser,"
        " slettet = posisjon.slettet + excluded.slettet, oppdatert = excluded.oppdatert",
        [(topic, partition, *counts, now) for (topic, partition), counts in sorted(reached.items())],
    )


async def positions(db: asyncpg.Connection) -> dict[tuple[str, int], int]:
    rows = await db.fetch("SELECT topic, partition, neste_offset FROM posisjon")
    return {(r["topic"], r["partition"]): r["neste_offset"] for r in rows}


async def park(db: asyncpg.Connection, parked: Iterable[Parked], now: datetime) -> None:
    await db.executemany(
        'INSERT INTO parkert (topic, partition, "offset", grunn, type, mottatt, nokkel, hoder, innhold)'
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        ' ON CONFLICT (topic, partition, "offset") DO UPDATE SET grunn = excluded.grunn',
        [(*p.record.place, p.grunn, p.type, now, p.record.key, _headers(p), p.record.value) for p in parked],
    )


def _headers(parked: Parked) -> bytes:
    pairs = [
        (name, None if value is None else base64.b64encode(value).decode())
        for name, value in parked.record.headers
    ]
    return orjson.dumps(pairs)


async def unpark(db: asyncpg.Connection, places: Iterable[tuple[str, int, int]]) -> None:
    await db.executemany(
        'DELETE FROM parkert WHERE topic = $1 AND partition = $2 AND "offset" = $3', list(places)
    )


async def waiting(db: asyncpg.Connection, subjects: Iterable[str]) -> list[Waiting]:
    """Rows whose facts wait, of these children."""
    rows = await db.fetch(
        "SELECT source, id, subject::text, kommune, type, time, nokkelid::text, innhold, aad FROM tidslinje"
        " WHERE venter AND subject = ANY($1::uuid[]) ORDER BY source, id FOR UPDATE",
        list(subjects),
    )
    return [Waiting(*row) for row in rows]


async def waiting_keys(db: asyncpg.Connection, subjects: Iterable[str]) -> dict[str, list[str]]:
    """The keys that open the waiting rows, by subject."""
    rows = await db.fetch(
        "SELECT subject, array_agg(DISTINCT nokkelid::text) AS ids FROM tidslinje"
        " WHERE venter AND subject = ANY($1::uuid[]) GROUP BY subject",
        list(subjects),
    )
    return {str(r["subject"]): r["ids"] for r in rows}


async def counted(db: asyncpg.Connection, places: Sequence[Place]) -> None:
    """The rows' facts are in the fact set (or never will be)."""
    await db.execute(
        "UPDATE tidslinje t SET venter = false FROM unnest($1::text[], $2::text[]) AS n (source, id)"
        " WHERE t.source = n.source AND t.id = n.id",
        [source for source, _ in places],
        [id_ for _, id_ in places],
    )


async def hold(db: asyncpg.Connection, subjects: Sequence[str]) -> None:
    """Blocked children: time goes on without them until samtykke's change feed names them."""
    await db.execute(
        "UPDATE faktasett SET neste_endring = NULL, venter = true WHERE subject = ANY($1::uuid[])", subjects
    )


async def forget(db: asyncpg.Connection, subjects: Sequence[str], now: datetime) -> None:
    """Erased children: nothing is derived any more; tasks go, and what people did with them. Timeline rows stay, and
    are noise without keys. Transactions that asked who is `forgotten` are waited for, and later ones are told."""
    await db.execute("SELECT pg_advisory_xact_lock($1)", FORGETTING)
    await db.execute(
        "INSERT INTO glemt (subject, tid) SELECT unnest($1::uuid[]), $2 ON CONFLICT DO NOTHING", subjects, now
    )
    for table in ("faktasett", "steg", "stafett", "oppgave", "koblet"):
        await db.execute(f"DELETE FROM {table} WHERE subject = ANY($1::uuid[])", subjects)  # noqa: S608
    await db.execute(
        "UPDATE tidslinje SET venter = false WHERE venter AND subject = ANY($1::uuid[])", subjects
    )
    await db.execute("DELETE FROM parkert WHERE nokkel = ANY($1::bytea[])", [s.encode() for s in subjects])


async def let_nobody_forget(db: asyncpg.Connection) -> None:
    """Until this transaction ends; before any child is locked, as `forget` does it."""
    await db.execute("SELECT pg_advisory_xact_lock_shared($1)", FORGETTING)


async def forgotten(db: asyncpg.Connection, subjects: Iterable[str]) -> set[str]:
    """Those of these who are; no more will be until this transaction ends."""
    await let_nobody_forget(db)
    rows = await db.fetch("SELECT subject::text FROM glemt WHERE subject = ANY($1::uuid[])", list(subjects))
    return {row["subject"] for row in rows}


async def rebuild(db: asyncpg.Connection, subjects: Sequence[str]) -> None:
    """Drop the fact sets and let every timeline row of these children be read again."""
    await db.execute(
        "UPDATE faktasett SET innhold = NULL, nokkelid = NULL, neste_endring = NULL, venter = true"
        " WHERE subject = ANY($1::uuid[])",
        subjects,
    )
    await db.execute("UPDATE tidslinje SET venter = true WHERE subject = ANY($1::uuid[])", subjects)


async def due(db: asyncpg.Connection, now: datetime, limit: int) -> list[str]:
    """Children whose duties time alone may have changed, the longest overdue first."""
    rows = await db.fetch(
        "SELECT subject FROM faktasett WHERE neste_endring <= $1 ORDER BY neste_endring LIMIT $2", now, limit
    )
    return [str(r["subject"]) for r in rows]


async def postpone(db: asyncpg.Connection, subject: str, until: datetime) -> None:
    await db.execute("UPDATE faktasett SET neste_endring = $2 WHERE subject = $1::uuid", subject, until)


async def look_again(db: asyncpg.Connection, barn: Sequence[str], at: datetime | None) -> None:
    """When time alone may change what is due for a child with several subjects: kept on the first of them."""
    await db.execute(
        "UPDATE faktasett SET neste_endring = CASE WHEN subject = $1::uuid THEN $3::timestamptz END"
        " WHERE subject = ANY($2::uuid[])",
        barn[0],
        barn,
        at,
    )


async def save_joined(db: asyncpg.Connection, canonical: Mapping[str, Sequence[str]]) -> None:
    """Which subject stands for each of these (none: it stands for itself), so that a reader finds them together."""
    joined = {subject: of[0] for subject, of in canonical.items() if of}
    await db.execute(
        "DELETE FROM koblet WHERE subject = ANY($1::uuid[])", [s for s in canonical if s not in joined]
    )
    await db.execute(
        "INSERT INTO koblet (subject, kanonisk)"
        " SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS n (subject, kanonisk) ORDER BY subject"
        " ON CONFLICT (subject) DO UPDATE SET kanonisk = excluded.kanonisk",
        list(joined),
        list(joined.values()),
    )


async def held_back(db: asyncpg.Connection, after: str, limit: int) -> list[str]:
    """Children with something waiting, by subject from `after` on."""
    rows = await db.fetch(
        "SELECT subject FROM (SELECT subject FROM tidslinje WHERE venter AND subject > $1::uuid"
        " UNION SELECT subject FROM faktasett WHERE venter AND subject > $1::uuid) AS v ORDER BY subject LIMIT $2",
        after,
        limit,
    )
    return [str(r["subject"]) for r in rows]


async def anything_waits(db: asyncpg.Connection, subjects: Sequence[str]) -> bool:
    """Whether the fact sets of these children lack something that is on their timelines."""
    found: bool = await db.fetchval(
        "SELECT EXISTS (SELECT FROM tidslinje WHERE venter AND subject = ANY($1::uuid[]))"
        " OR EXISTS (SELECT FROM faktasett WHERE venter AND subject = ANY($1::uuid[]))",
        subjects,
    )
    return found


async def known(db: asyncpg.Connection, subjects: Iterable[str]) -> list[str]:
    """Those of the children that something is kept for that a change may concern."""
    rows = await db.fetch(
        "SELECT subject FROM faktasett WHERE subject = ANY($1::uuid[])"
        " UNION SELECT subject FROM tidslinje WHERE subject = ANY($1::uuid[])"
        " UNION SELECT subject FROM koblet WHERE subject = ANY($1::uuid[]) ORDER BY subject",
        list(subjects),
    )
    return [str(r["subject"]) for r in rows]


async def feed_position(db: asyncpg.Connection, reader: str) -> int:
    found = await db.fetchval("SELECT siste FROM endringsposisjon WHERE leser = $1", reader)
    return int(found or 0)


async def save_feed_position(db: asyncpg.Connection, reader: str, last: int) -> None:
    await db.execute(
        "INSERT INTO endringsposisjon (leser, siste) VALUES ($1, $2)"
        " ON CONFLICT (leser) DO UPDATE SET siste = greatest(excluded.siste, endringsposisjon.siste)",
        reader,
        last,
    )


async def unsent(db: asyncpg.Connection, limit: int) -> list[asyncpg.Record]:
    """Parked records that are not known to stand on the dead-letter topic."""
    rows: list[asyncpg.Record] = await db.fetch(
        'SELECT topic, partition, "offset", grunn, nokkel, hoder, innhold FROM parkert WHERE sendt IS NULL'
        " ORDER BY mottatt LIMIT $1",
        limit,
    )
    return rows


async def mark_sent(db: asyncpg.Connection, rows: Iterable[asyncpg.Record], now: datetime) -> None:
    await db.executemany(
        'UPDATE parkert SET sendt = $4 WHERE topic = $1 AND partition = $2 AND "offset" = $3',
        [(r["topic"], r["partition"], r["offset"], now) for r in rows],
    )
