"""A child is found by index among however many others, and what waits at the database keeps its connections."""

import asyncio
import uuid

import asyncpg

from backbone.database import create_engine, dedicated, driver
from backbone.settings import Settings
from consumers.coordination import queries
from consumers.coordination.tables import metadata
from tests.conftest import MakeDatabase

OTHERS = 20_000
EACH = 12
"""More calls than PostgreSQL plans anew: from the sixth on it may keep a plan for any parameter."""
CHILD, JOINED = str(uuid.uuid4()), str(uuid.uuid4())
FILL = (
    f"""
    INSERT INTO tidslinje (source, id, subject, type, tjeneste, kategori, skjerming, time, recordedtime, kommune,
        orgnr, grunnlag, beslutning, lovversjon, nokkelid, innhold, aad, topic, partition, "offset", mottatt)
    SELECT 's', nr::text, gen_random_uuid(), 't', 'skole', 'k', 'A', now(), now(), '4601',
        '910000001', 'g', 'release', '1', gen_random_uuid(), '', '', 'x', 0, nr, now()
    FROM generate_series(1, {OTHERS}) AS nr
    """,
    """
    INSERT INTO oppgave (id, subject, kommune, regel, regelversjon, anledning, status, eier, frist, fristslag,
        bestemmelser, lukkes_av, koordinering, hviler_pa, opprettet, endret, nokkelid, forklaring, versjon)
    SELECT gen_random_uuid(), subject, kommune, 'r', 1, id, 'aapen', 'skole', current_date, 'lokal_frist',
        '{}', '{}', false, '[]', now(), now(), nokkelid, '', 1
    FROM tidslinje
    """,
    f"UPDATE tidslinje SET subject = '{CHILD}' WHERE id = '7'",
    f"UPDATE tidslinje SET subject = '{JOINED}' WHERE id = '8'",
    f"UPDATE oppgave SET subject = '{JOINED}' WHERE anledning = '8'",
    f"INSERT INTO koblet VALUES ('{CHILD}', '{CHILD}'), ('{JOINED}', '{CHILD}')",
)


async def test_a_childs_timeline_and_tasks_are_found_without_reading_everybodys(
    make_database: MakeDatabase,
) -> None:
    engine = await make_database("samordning", metadata)
    async with engine.begin() as connection:
        db = await driver(connection)
        for statement in FILL:
            await db.execute(statement)
    conn = await dedicated(engine)
    try:
        await conn.execute("ANALYZE")
        before = await _whole_reads(conn)
        for _ in range(EACH):
            assert [e["id"] for e in await queries.timeline(conn, CHILD)] == ["7", "8"]
            assert [t["anledning"] for t in await queries.tasks(conn, subject=CHILD)] == ["8"]
        assert await _whole_reads(conn) == before
    finally:
        await conn.close()


async def _whole_reads(conn: asyncpg.Connection) -> dict[str, int]:
    """How many times each of the large tables was read from end to end."""
    await conn.execute("SELECT pg_stat_force_next_flush()")
    rows = await conn.fetch(
        "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname IN ('tidslinje', 'oppgave')"
    )
    return {row["relname"]: row["seq_scan"] for row in rows}


async def test_connections_made_at_a_peak_are_kept(make_database: MakeDatabase, settings: Settings) -> None:
    """A new one looks up its types anew, which costs more than most of what it is asked."""
    await make_database("samordning", metadata)
    engine = create_engine(settings, "samordning", pool_size=6)

    async def peak() -> set[int]:
        async def one() -> int:
            async with engine.connect() as connection:
                conn = await driver(connection)
                await all_there.wait()
                pid: int = await conn.fetchval("SELECT pg_backend_pid()")
                return pid

        all_there = asyncio.Barrier(6)
        return set(await asyncio.gather(*(one() for _ in range(6))))

    try:
        first = await peak()
        assert len(first) == 6
        assert await peak() == first
    finally:
        await engine.dispose()
