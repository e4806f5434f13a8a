"""The access log: who asked to read what of which child, permitted or denied; and which process was handed
keys.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from contracts.samtykke_api import Viewer
from services.samtykke.decide import Decision

COLUMNS = (
    "tid", "leser", "rolle", "orgnr", "kommune", "tjeneste", "formal",
    "slag", "subject", "type", "kategori", "utfall", "grunn", "samtykke", "sporing",
)  # fmt: skip
INSERT_HANDOUT = (
    "INSERT INTO nokkelutlevering (tid, mottaker, formal, barn, nokler) VALUES ($1, $2, $3, $4, $5)"
)


@dataclass(frozen=True, slots=True)
class Read:
    """One thing asked for. `subject` None: a search that met nobody."""

    slag: str
    subject: UUID | None
    decision: Decision
    type: str | None = None
    kategori: str | None = None


async def log_reads(
    db: asyncpg.Connection,
    viewer: Viewer,
    formal: str,
    reads: Iterable[Read],
    now: datetime,
    sporing: str | None = None,
) -> None:
    """In the caller's transaction, which must commit before anybody is shown anything."""
    who = (
        now,
        viewer["sub"],
        viewer["rolle"],
        viewer["orgnr"],
        viewer["kommune"],
        viewer.get("tjeneste"),
        formal,
    )
    rows = [
        (
            *who,
            read.slag,
            read.subject,
            read.type,
            read.kategori,
            read.decision.outcome,
            read.decision.grunner[0]["kode"],
            read.decision.grunner[0]["samtykke"],
            sporing,
        )
        for read in reads
    ]
    await db.copy_records_to_table("tilgangslogg", records=rows, columns=COLUMNS)


async def log_handout(
    db: asyncpg.Connection, mottaker: str, formal: str, children: int, keys: int, now: datetime
) -> None:
    """One row a call."""
    await db.execute(INSERT_HANDOUT, now, mottaker, formal, children, keys)
