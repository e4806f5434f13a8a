"""A child is found by index among however many others."""

import uuid

import asyncpg

from backbone.database import dedicated, driver
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
