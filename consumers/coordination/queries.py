"""What others may ask of coordination. Callers show nothing of it before samtykke's read gate has said so."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import asyncpg
import orjson

from backbone import metrics
from consumers.coordination.innlesing import Record
from consumers.coordination.store import TIMELINE, positions
from contracts.tjenester import SAMORDNING

Json = dict[str, Any]

_EVENT = ", ".join(f'"{c}"' for c in TIMELINE if c not in ("subject", "nokkelid")) + (
    ", subject::text AS subject, nokkelid::text AS nokkelid"
)
_TASK = (
    "id::text AS id, subject::text AS subject, kommune, regel, regelversjon, regelsett, anledning, status, eier, frist,"
    " fristslag, bestemmelser, lukkes_av, koordinering, hviler_pa::text AS hviler_pa, opprettet, endret,"
    " nokkelid::text AS nokkelid, forklaring, versjon, flyt, ansvarlig, tilbudt_til, svar_innen, avgjores_av,"
    " loftet_til"
)


def of_child(nr: int) -> str:
    """An array of every subject of the child that parameter `nr` names one of. Not `IN` a query, of whose rows
    PostgreSQL expects hundreds: it would read the whole table."""
    joined = "SELECT o.subject FROM koblet k JOIN koblet o USING (kanonisk) WHERE k.subject = "
    return f"ARRAY(SELECT ${nr}::uuid UNION {joined} ${nr}::uuid)"


async def timeline(db: asyncpg.Connection, subject: str) -> list[Json]:
    """The child's events by time, those of subjects it is joined with among them."""
    rows = await db.fetch(
        f"SELECT {_EVENT} FROM tidslinje WHERE subject = ANY({of_child(1)}) ORDER BY time, source, id",  # noqa: S608
        subject,
    )
    return [_event(row) for row in rows]


async def tasks(
    db: asyncpg.Connection,
    *,
    kommune: str | None = None,
    eier: str | None = None,
    subject: str | None = None,
    id_: str | None = None,
    utlost_av: str | None = None,
) -> list[Json]:
    """Tasks by date that fit every filter given; `eier` is whom they lie with (who holds them, is offered them, must
    settle them or had them raised to it), `utlost_av` the id of an event that they rest on."""
    rows = await db.fetch(
        f"SELECT {_TASK} FROM oppgave WHERE ($1::text IS NULL OR kommune = $1)"  # noqa: S608
        " AND ($2::text IS NULL OR eier = $2 OR tilbudt_til = $2 OR avgjores_av = $2 OR loftet_til = $2)"
        f" AND ($3::uuid IS NULL OR subject = ANY({of_child(3)})) AND ($4::uuid IS NULL OR id = $4)"
        " AND ($5::text IS NULL OR hviler_pa @> $5::text::jsonb) ORDER BY frist, id",
        kommune,
        eier,
        subject,
        id_,
        None if utlost_av is None else orjson.dumps([{"id": utlost_av}]).decode(),
    )
    return [_task(row) for row in rows]


async def children(db: asyncpg.Connection, tjeneste: str | None, kommune: str | None) -> list[str]:
    """Children with an event from the service, in the municipality."""
    rows = await db.fetch(
        "SELECT DISTINCT coalesce(kanonisk, subject) AS subject FROM tidslinje LEFT JOIN koblet USING (subject)"
        " WHERE ($1::text IS NULL OR tjeneste = $1) AND ($2::text IS NULL OR kommune = $2) ORDER BY subject",
        tjeneste,
        kommune,
    )
    return [str(row["subject"]) for row in rows]


async def event(db: asyncpg.Connection, id_: str, source: str | None) -> Json | None:
    """One event and the tasks that rest on it; None where there is none."""
    row = await db.fetchrow(
        f"SELECT {_EVENT} FROM tidslinje WHERE id = $1 AND ($2::text IS NULL OR source = $2)"  # noqa: S608
        " ORDER BY source LIMIT 1",
        id_,
        source,
    )
    if row is None:
        return None
    found = await tasks(db, subject=row["subject"], utlost_av=id_)
    return {
        "hendelse": _event(row),
        "oppgaver": [
            t for t in found if any(g["source"] == row["source"] for g in t["hviler_pa"] if g["id"] == id_)
        ],
    }


async def parked(db: asyncpg.Connection, limit: int) -> list[Json]:
    """Parked records, the newest first: where they lay and why, never what they held."""
    rows = await db.fetch(
        'SELECT topic, partition, "offset", grunn, type, mottatt, sendt FROM parkert'
        ' ORDER BY mottatt DESC, topic, partition, "offset" LIMIT $1',
        limit,
    )
    return [dict(row) for row in rows]


Sted = tuple[str, int, int]
"""(topic, partition, offset)"""


async def parked_records(
    db: asyncpg.Connection, limit: int, places: Sequence[Sted] | None = None
) -> list[Record]:
    """The records themselves, oldest first, to be handled once more; those at `places` where given."""
    rows = await db.fetch(
        'SELECT topic, partition, "offset", nokkel, hoder, innhold FROM parkert'
        ' WHERE NOT $2 OR (topic, partition, "offset") IN (SELECT * FROM unnest($3::text[], $4::int[], $5::bigint[]))'
        ' ORDER BY mottatt, topic, partition, "offset" LIMIT $1',
        limit,
        places is not None,
        *_columns(places or ()),
    )
    return [
        Record(
            row["topic"],
            row["partition"],
            row["offset"],
            row["nokkel"],
            [(name, None if v is None else base64.b64decode(v)) for name, v in orjson.loads(row["hoder"])],
            row["innhold"],
        )
        for row in rows
    ]


async def drop_parked(db: asyncpg.Connection, places: Sequence[Sted]) -> int:
    """Forgets these parked records; how many there were."""
    gone = await db.fetch(
        "DELETE FROM parkert p USING unnest($1::text[], $2::int[], $3::bigint[]) AS d (topic, partition, place)"
        ' WHERE p.topic = d.topic AND p.partition = d.partition AND p."offset" = d.place RETURNING 1',
        *_columns(places),
    )
    return len(gone)


def _columns(places: Sequence[Sted]) -> tuple[list[str], list[int], list[int]]:
    return [p[0] for p in places], [p[1] for p in places], [p[2] for p in places]


async def observe(db: asyncpg.Connection, ends: Mapping[tuple[str, int], int]) -> None:
    """Looks up what /metrics shows of the database; `ends` as in `status`."""
    reached = await positions(db)
    behind: Counter[tuple[str, ...]] = Counter()
    for place, end in ends.items():
        behind[SAMORDNING, place[0]] += max(end - reached.get(place, 0), 0)
    metrics.show(metrics.CONSUMER_LAG, behind)
    open_ = await db.fetch(
        "SELECT regel, count(*) AS antall FROM oppgave WHERE status = 'aapen' GROUP BY regel"
    )
    metrics.show(metrics.TASKS_OPEN, {(row["regel"],): row["antall"] for row in open_})
    metrics.PARKED_RECORDS.labels(SAMORDNING).set(await db.fetchval("SELECT count(*) FROM parkert"))


async def status(db: asyncpg.Connection, ends: Mapping[tuple[str, int], int]) -> Json:
    """Counts, positions and lag: no child in it. `ends` are the ends of the partitions that this process reads; what
    is read and not yet written is behind, too."""
    places = await db.fetch(
        "SELECT topic, partition, neste_offset, hendelser, slettet, oppdatert FROM posisjon ORDER BY topic, partition"
    )
    counts = await db.fetchrow(
        "SELECT (SELECT count(*) FROM faktasett) AS barn_med_fakta, (SELECT count(*) FROM parkert) AS parkert,"
        " (SELECT count(*) FROM tidslinje WHERE venter) AS venter"
    )
    by_state = await db.fetch("SELECT status, count(*) AS antall FROM oppgave GROUP BY status")
    reasons = await db.fetch("SELECT grunn, count(*) AS antall FROM parkert GROUP BY grunn ORDER BY grunn")
    reached = {(p["topic"], p["partition"]): p["neste_offset"] for p in places}
    lag = {place: end - reached.get(place, 0) for place, end in ends.items()}
    return {
        "hendelser": sum(p["hendelser"] for p in places),
        "slettet": sum(p["slettet"] for p in places),
        **dict(counts),
        "oppgaver": {row["status"]: row["antall"] for row in by_state},
        "parkert_grunner": {row["grunn"]: row["antall"] for row in reasons},
        "etterslep": sum(lag.values()),
        "posisjoner": [{**dict(p), "etterslep": lag.get((p["topic"], p["partition"]))} for p in places],
    }


def _event(row: asyncpg.Record) -> Json:
    out = {name: row[name] for name in TIMELINE if name != "venter"}
    return {**out, "innhold": _b64(row["innhold"]), "aad": _b64(row["aad"])}


def _task(row: asyncpg.Record) -> Json:
    frist: date = row["frist"]
    return {
        **dict(row),
        "frist": frist.isoformat(),
        "svar_innen": None if row["svar_innen"] is None else row["svar_innen"].isoformat(),
        "hviler_pa": orjson.loads(row["hviler_pa"]),
        "forklaring": _b64(row["forklaring"]),
    }


def _b64(blob: bytes) -> str:
    return base64.b64encode(blob).decode()
