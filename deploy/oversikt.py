"""How it stands: counts of every journal and of the timelines, and how fresh they are. Never a child."""

import asyncio
from typing import Any

from backbone.database import create_engine, driver
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from contracts.tjenester import SAMORDNING, SAMTYKKE

JOURNAL = """
SELECT count(*) AS mottatt,
       count(*) FILTER (WHERE utfall IS NULL) AS ubesluttet,
       count(*) FILTER (WHERE utfall = 'release') AS frigitt,
       count(*) FILTER (WHERE utfall = 'shield') AS skjermet,
       count(*) FILTER (WHERE utfall = 'withhold') AS venter,
       count(*) FILTER (WHERE utfall = 'refuse') AS avvist,
       count(*) FILTER (WHERE publisert IS NOT NULL) AS publisert,
       count(*) FILTER (WHERE parkert IS NOT NULL) AS parkert,
       max(mottatt) AS sist_mottatt,
       max(publisert) AS sist_publisert,
       extract(epoch FROM now() - min(mottatt) FILTER (WHERE trenger_relay AND utfall IS DISTINCT FROM 'withhold'))::int
           AS eldste_uferdige_s
FROM journal
"""
TIDSLINJE = """
SELECT (SELECT count(*) FROM tidslinje) AS hendelser,
       (SELECT count(*) FROM parkert) AS parkert,
       (SELECT count(*) FROM oppgave WHERE status = 'aapen') AS oppgaver,
       (SELECT max(oppdatert) FROM posisjon) AS sist_lest
"""


async def journals(settings: Settings, catalogue: Catalogue) -> dict[str, dict[str, Any]]:
    """Per journal (of each service, of samtykke and of coordination): counts, the times of the newest, and how many
    seconds the oldest row that the relay has still to handle is old (None: there is none)."""
    owners = (*catalogue.tjenester, SAMTYKKE, SAMORDNING)
    rows = await asyncio.gather(*(_rows(settings, owner, JOURNAL) for owner in owners))
    return {owner: dict(found[0]) for owner, found in zip(owners, rows, strict=True)}


async def timelines(settings: Settings) -> dict[str, Any]:
    """Counts of coordination: events on timelines, parked, open tasks; and when it last read something."""
    return dict((await _rows(settings, SAMORDNING, TIDSLINJE))[0])


async def _rows(settings: Settings, database: str, query: str) -> list[Any]:
    engine = create_engine(settings, database, pool_size=2)
    try:
        async with engine.connect() as connection:
            return list(await (await driver(connection)).fetch(query))
    finally:
        await engine.dispose()
