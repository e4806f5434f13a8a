"""`python -m tests.benchmarks.revisjon`: rows a second that the ledger is written, sealed and verified at."""

import random
import time
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import typer
import uvloop
from rich.console import Console

from backbone import ledger
from backbone.database import create_engine, database_name, dedicated
from backbone.ledger import Entry, verify
from backbone.sealer import SEAL_BATCH, Sealer
from backbone.settings import Settings, fresh_secrets
from tests.benchmarks.stand import engines

BATCH = 1_000
"""Rows a transaction, as a relay's batch that is refused whole."""


def main(rows: int = 200_000) -> None:
    """Measure on this machine."""
    written, sealed, verified = uvloop.run(measure(rows))
    Console().print(
        f"{rows} rows: written {written:,.0f}/s, sealed {sealed:,.0f}/s, verified {verified:,.0f}/s"
    )


async def measure(rows: int) -> tuple[float, float, float]:
    """Rows a second of each."""
    async with engines() as running:
        settings = Settings(
            kafka=running.kafka_bootstrap,
            database_url=running.database_url,
            database_prefix="revisjon",
            **fresh_secrets(),
        )
        engine = create_engine(settings, "prove")
        server = await asyncpg.connect(running.database_url)
        await server.execute(f'CREATE DATABASE "{database_name(settings, "prove")}"')
        await server.close()
        async with engine.begin() as connection:
            await connection.run_sync(ledger.metadata.create_all)
        conn = await dedicated(engine)
        sealer = Sealer(engine, "prove", settings, now, random.Random(1))
        try:
            start = time.perf_counter()
            for _ in range(rows // BATCH):
                async with conn.transaction():
                    await ledger.write(conn, [entry() for _ in range(BATCH)])
            written = time.perf_counter()
            while await sealer.seal(conn) == SEAL_BATCH:
                pass
            sealed = time.perf_counter()
            found = await verify(conn, "prove", [])
            verified = time.perf_counter()
            assert found.rader == rows // BATCH * BATCH and found.fault is None
        finally:
            await conn.close()
            await sealer.close()
            await engine.dispose()
    return rows / (written - start), rows / (sealed - written), rows / (verified - sealed)


def now() -> datetime:
    return datetime.now(UTC)


def entry() -> Entry:
    """A refusal as the relay writes it."""
    return Entry(
        skriver="relay skole",
        tid=now(),
        handling="avgjorelse",
        aktor="system:relay",
        utfall="withhold",
        orgnr="974557746",
        kommune="4601",
        tjeneste="skole",
        subject=uuid4(),
        hendelse=uuid4().hex,
        type="no.samspor.skole.ppt.henvist",
        grunn="mangler-samtykke",
        sporing=uuid4().hex,
    )


if __name__ == "__main__":
    typer.run(main)
