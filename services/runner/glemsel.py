"""What a service forgets of an erased child: rows that no decision was made of, and what its formats remember.

What was decided is sealed under the child's own keys, and is noise without them.
"""

from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import ledger
from backbone.clock import Clock
from backbone.database import driver
from backbone.journal import JournalKeys, forget_undecided
from backbone.settings import Settings
from contracts.samtykke_api import Glemsel
from services.format import StatefulFormat
from services.registry import Registry
from services.runner.memory import MemoryKeys, forget


class Forgetter:
    """Forgets for one service. Raises asyncpg's errors and OSError when the database is away."""

    def __init__(
        self, tjeneste: str, engine: AsyncEngine, settings: Settings, registry: Registry, clock: Clock
    ) -> None:
        self._tjeneste = tjeneste
        self._engine = engine
        self._clock = clock
        self._journal_keys = JournalKeys(settings, tjeneste)
        self._memory_keys = MemoryKeys(settings, tjeneste)
        self._formats = {
            navn: fmt for navn, fmt in registry.formats[tjeneste].items() if isinstance(fmt, StatefulFormat)
        }

    async def __call__(self, glemsel: Glemsel) -> None:
        now = self._clock()
        async with self._engine.begin() as connection:
            conn = await driver(connection)
            count = 0
            for person in glemsel["personer"] or (None,):
                count += await forget_undecided(conn, self._journal_keys, glemsel["subjects"], person, now)
            act = ledger.Entry(
                skriver=f"relay {self._tjeneste}",
                tid=now,
                handling="forvaltning",
                aktor="system:relay",
                utfall="utfort",
                tjeneste=self._tjeneste,
                slag="glemsel",
                subject=glemsel["subjects"][0],
                hendelse=glemsel["sletting"],
                detaljer={"ubesluttede": count},
            )
            await ledger.write(conn, [act])
        if glemsel["personer"]:
            await forget(self._engine, self._memory_keys, self._formats, glemsel["personer"], now)
