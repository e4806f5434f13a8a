"""What samtykke says of a move to another municipality: that a child is coming, and that it was received.

In the new municipality the child has a subject id and keys of its own; samtykke alone knows that the two belong
together.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid5

import asyncpg
from pydantic import JsonValue

from backbone.journal import Journal, NewEvent
from backbone.seal import open_sealed, seal
from contracts.catalogue import PREFIX
from contracts.envelope import Content
from contracts.tjenester import SAMTYKKE
from services.samtykke.nokler import IDENTITET, KeyStore
from services.samtykke.samtykker import REGISTER_ORGNR

SLAG = "kommune-kommune"
PLANLAGT, BEKREFTET = "overgang.planlagt", "overgang.mottak-bekreftet"

UNCONFIRMED = """
    SELECT k.subject, k.til, p.kommune, f.versjon, f.overgang_forseglet, f.til_kommune
    FROM kobling k JOIN flytting f USING (subject, versjon) JOIN person p USING (subject)
    WHERE k.til = ANY($1::uuid[]) AND k.art = 'flytting' AND k.gjelder AND f.bekreftet IS NULL
      AND p.status = 'aktiv'
    ORDER BY k.subject FOR UPDATE OF f
"""
CONFIRM = "UPDATE flytting SET bekreftet = $3 WHERE subject = $1 AND versjon = $2"


async def confirm(
    keys: KeyStore, journal: Journal, db: asyncpg.Connection, subjects: Collection[UUID], now: datetime
) -> None:
    """Somebody has confirmed to have received these children: where they came from is told, once, on the subject that
    it knows. In the transaction of the decision that let the confirmation go."""
    events = []
    for row in await db.fetch(UNCONFIRMED, list(subjects)):
        overgang = await opened(keys, row["subject"], row["overgang_forseglet"])
        data: dict[str, JsonValue] = {"slag": SLAG, "fra": row["kommune"], "til": row["til_kommune"]}
        content = Content(nokkel=overgang, versjon=row["versjon"], data=data)
        events.append(event(BEKREFTET, row["kommune"], row["subject"], row["versjon"], content, now))
        await db.execute(CONFIRM, row["subject"], row["versjon"], now)
    if events:
        await journal.append(db, events, now)


async def sealed(keys: KeyStore, subject: UUID, overgang: str) -> bytes:
    """The sender's own reference is for the child's key, and for nobody's backup."""
    key = (await keys.of([(subject, IDENTITET)]))[subject, IDENTITET].key
    return seal(key, overgang.encode(), _context(subject))


async def opened(keys: KeyStore, subject: UUID, blob: bytes) -> str:
    key = (await keys.of([(subject, IDENTITET)]))[subject, IDENTITET].key
    return open_sealed(key, blob, _context(subject)).decode()


def _context(subject: UUID) -> bytes:
    return f"flytting|{subject}".encode()


def event(navn: str, kommune: str, subject: UUID, versjon: int, content: Content, now: datetime) -> NewEvent:
    return NewEvent(
        id=str(uuid5(subject, f"{navn}\n{content.nokkel}\n{versjon}")),
        source=f"/{kommune}/{SAMTYKKE}/{REGISTER_ORGNR}",
        type=f"{PREFIX}{SAMTYKKE}.{navn}",
        kommune=kommune,
        orgnr=REGISTER_ORGNR,
        time=now,
        content=content,
        subject=str(subject),
    )
