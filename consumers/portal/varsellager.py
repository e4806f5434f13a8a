"""The alerts the portal has heard of, in its own database. Rows hold ids and times; what they say is asked for when
somebody is shown it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.failures import Retry
from consumers.portal.tables import parkert, posisjon, varsel
from contracts.catalogue import split
from contracts.envelope import Envelope
from contracts.oppgave import step_event_id
from contracts.samtykke_api import Glemsel

Plass = tuple[str, int]
"""(topic, partition)"""

STEG_MAKS = 100
"""A task that has been told of more often than this is not found by its alerts any more."""
WRITER_LOCK = 0x5A_4D_53_50


@dataclass(frozen=True)
class Varsel:
    """One alert. `sekvens` orders what this installation heard of, and is the id a subscriber resumes from."""

    sekvens: int
    source: str
    hendelse_id: str
    type: str
    subject: str
    kommune: str
    arsak: str | None
    tid: datetime
    mottatt: datetime

    @property
    def steg(self) -> str:
        """What happened to the task: opprettet, utfort or bortfalt."""
        return split(self.type)[1].removeprefix("oppgave.")

    def tells_of(self, oppgave_id: str) -> bool:
        """Whether this alert is about that task. The body that says so is sealed, but the id follows from the task."""
        return any(
            step_event_id(oppgave_id, self.steg, nr) == self.hendelse_id for nr in range(1, STEG_MAKS + 1)
        )


@dataclass(frozen=True)
class Parkert:
    """A record that is no alert we can read, and where it lies."""

    emne: str
    partisjon: int
    plass: int
    grunn: str


_COLUMNS = tuple(varsel.c[name] for name in Varsel.__dataclass_fields__)


class Varsellager:
    """Every method raises Retry when the database is away."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def take(
        self,
        envelopes: Sequence[Envelope],
        positions: Mapping[Plass, int],
        parked: Iterable[Parkert],
        now: datetime,
    ) -> int:
        """Alerts and positions in one transaction; how many were new. A repeated delivery adds nothing.

        The lock makes writers take turns, so a number once visible is never followed by a lower one: a reader may use
        it as a cursor.
        """
        rows = [_row(e, now) for e in envelopes]
        set_aside = [{**vars(p), "mottatt": now} for p in parked]
        try:
            async with self._engine.begin() as conn:
                await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})
                new = 0
                if rows:
                    added = await conn.execute(
                        upsert(varsel).on_conflict_do_nothing().returning(varsel.c.sekvens), rows
                    )
                    new = len(added.all())
                if set_aside:
                    await conn.execute(upsert(parkert).on_conflict_do_nothing(), set_aside)
                for (emne, partisjon), neste in positions.items():
                    place = upsert(posisjon).values(emne=emne, partisjon=partisjon, neste=neste)
                    await conn.execute(
                        place.on_conflict_do_update(
                            index_elements=[posisjon.c.emne, posisjon.c.partisjon],
                            set_={"neste": func.greatest(posisjon.c.neste, place.excluded.neste)},
                        )
                    )
                return new
        except (DBAPIError, OSError) as error:
            raise Retry(type(error).__name__) from None

    async def after(self, sekvens: int, kommune: str, limit: int = 50) -> list[Varsel]:
        """Alerts of a municipality that follow `sekvens`, in order."""
        return await self._read(
            select(*_COLUMNS)
            .where(varsel.c.sekvens > sekvens, varsel.c.kommune == kommune)
            .order_by(varsel.c.sekvens)
            .limit(limit)
        )

    async def of_child(self, subject: str) -> list[Varsel]:
        """Alerts about a child, oldest first, the newest 500 of them."""
        newest = (
            select(*_COLUMNS).where(varsel.c.subject == subject).order_by(varsel.c.sekvens.desc()).limit(500)
        )
        return (await self._read(newest))[::-1]

    async def forget(self, glemsel: Glemsel) -> None:
        """The alerts about an erased child. Raises OSError and SQLAlchemy's errors when the database is away."""
        async with self._engine.begin() as conn:
            await conn.execute(delete(varsel).where(varsel.c.subject.in_(glemsel["subjects"])))

    async def latest(self) -> int:
        """The last number given, 0 before the first."""
        try:
            async with self._engine.connect() as conn:
                return int(await conn.scalar(select(func.coalesce(func.max(varsel.c.sekvens), 0))) or 0)
        except (DBAPIError, OSError) as error:
            raise Retry(type(error).__name__) from None

    async def _read(self, statement: object) -> list[Varsel]:
        try:
            async with self._engine.connect() as conn:
                found = await conn.execute(statement)  # type: ignore[call-overload]
                return [Varsel(*row) for row in found]
        except (DBAPIError, OSError) as error:
            raise Retry(type(error).__name__) from None


def _row(envelope: Envelope, now: datetime) -> dict[str, object]:
    return {
        "source": envelope.source,
        "hendelse_id": envelope.id,
        "type": envelope.type,
        "subject": envelope.subject,
        "kommune": envelope.kommune,
        "arsak": envelope.causationid,
        "tid": envelope.time,
        "mottatt": now,
    }
