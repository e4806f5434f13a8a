"""What the ledger keeps of samtykke's answers: who asked to read what of which child, permitted or denied; and which
process was handed keys.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from uuid import UUID

import asyncpg

from backbone import ledger, telemetry
from backbone.tokens import Principal
from contracts.samtykke_api import Viewer
from contracts.tjenester import SAMTYKKE
from services.samtykke.decide import Decision

FORMAL = "samtykker"
"""The purpose of reading a child's consents."""
CONSENTS = "samtykke"
"""Their category."""


class Caller(TypedDict):
    """What every row says of who it was."""

    aktor: str
    rolle: str
    orgnr: str
    kommune: str
    tjeneste: str | None


def of_caller(who: Principal) -> Caller:
    return {
        "aktor": who.sub,
        "rolle": who.rolle,
        "orgnr": who.orgnr,
        "kommune": who.kommune,
        "tjeneste": who.tjeneste,
    }


@dataclass(frozen=True, slots=True)
class Read:
    """One thing asked for. `subject` None: a search that met nobody; `hendelse`: the id of the event or task, where
    the caller named it."""

    slag: str
    subject: UUID | None
    decision: Decision
    type: str | None = None
    kategori: str | None = None
    hendelse: str | None = None


async def log_reads(
    db: asyncpg.Connection,
    viewer: Viewer,
    formal: str,
    reads: Iterable[Read],
    now: datetime,
    sporing: str | None = None,
) -> None:
    """In the caller's transaction, which must commit before anybody is shown anything."""
    await ledger.write(
        db,
        [
            ledger.Entry(
                skriver=SAMTYKKE,
                tid=now,
                handling="lesing",
                aktor=viewer["sub"],
                rolle=viewer["rolle"],
                orgnr=viewer["orgnr"],
                kommune=viewer["kommune"],
                tjeneste=viewer.get("tjeneste"),
                formal=formal,
                slag=read.slag,
                subject=read.subject,
                hendelse=read.hendelse,
                type=read.type,
                kategori=read.kategori,
                utfall=read.decision.outcome,
                grunn=read.decision.grunner[0]["kode"],
                samtykke=read.decision.grunner[0]["samtykke"],
                sporing=sporing,
            )
            for read in reads
        ],
    )


async def log_consents_read(
    db: asyncpg.Connection,
    who: Principal,
    subject: UUID,
    utfall: str,
    grunn: str,
    now: datetime,
    samtykke: UUID | None = None,
) -> None:
    """Somebody asked for a child's consents, or for how one came to be, in her own name. As `log_reads`."""
    row = ledger.Entry(
        skriver=SAMTYKKE,
        tid=now,
        handling="lesing",
        utfall=utfall,
        **of_caller(who),
        formal=FORMAL,
        slag="barn",
        subject=subject,
        kategori=CONSENTS,
        grunn=grunn,
        samtykke=samtykke,
        sporing=telemetry.trace_id(telemetry.here()),
    )
    await ledger.write(db, [row])


async def log_handout(
    db: asyncpg.Connection, mottaker: str, formal: str, children: int, keys: int, now: datetime
) -> None:
    """One row a call."""
    counts = {"barn": children, "nokler": keys}
    row = ledger.Entry(SAMTYKKE, now, "utlevering", mottaker, "utlevert", formal=formal, detaljer=counts)
    await ledger.write(db, [row])


def acts(
    who: Principal,
    slag: str,
    subjects: Sequence[UUID],
    grunn: str | None,
    now: datetime,
    **detaljer: str,
) -> list[ledger.Entry]:
    """What the ledger is told of an administrator's act, a row for each subject of the child."""
    return [
        ledger.Entry(
            skriver=SAMTYKKE,
            tid=now,
            handling="forvaltning",
            utfall="utfort",
            **of_caller(who),
            slag=slag,
            subject=subject,
            grunn=grunn,
            detaljer=detaljer or None,
        )
        for subject in subjects
    ]
