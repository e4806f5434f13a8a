"""A service forgets an erased child under every number that it was known by."""

from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import lane
from backbone.database import driver
from backbone.journal import Journal, NewEvent
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from contracts.envelope import Content
from contracts.personnummer import tenor
from services.format import State
from services.registry import Registry
from services.runner.glemsel import Forgetter
from services.runner.memory import Memory, MemoryKeys
from services.skole.fint_utdanning import FintUtdanning
from tests.conftest import NOW, MakeDatabase

FIRST, SECOND, OTHER = (tenor(date(2012, 5, 6), serial) for serial in (77, 78, 79))
SCOPE = "/4601/skole/1 fint-utdanning"


class Notes(FintUtdanning):
    """A format that remembers a note for each person."""

    def about(self, person: str, state: State) -> set[str]:
        return {f"notat:{person}"}


async def remembered(
    engine: AsyncEngine, settings: Settings, change: dict[str, Any] | None = None
) -> set[str]:
    """The persons of whom there is a note."""
    async with engine.begin() as connection:
        memory = Memory(await driver(connection), MemoryKeys(settings, "skole"), SCOPE, NOW)
        await memory.load({f"notat:{person}" for person in (FIRST, SECOND, OTHER)})
        memory.take(change or {})
        await memory.save()
        return {key.removeprefix("notat:") for key, value in memory.state.items() if value is not None}


async def test_a_child_sent_under_two_numbers_is_forgotten_under_both(
    settings: Settings, make_database: MakeDatabase, catalogue: Catalogue
) -> None:
    engine = await make_database("skole", lane.metadata)
    everyone = (FIRST, SECOND, OTHER)
    await remembered(engine, settings, {f"notat:{person}": "husket" for person in everyone})
    rows = [
        NewEvent(f"h-{nr}", "/s", "t", "4601", "9" * 9, NOW, Content(nokkel="n", data={}), person=person)
        for nr, person in enumerate(everyone)
    ]
    async with engine.begin() as connection:
        await Journal(settings, "skole").append(await driver(connection), rows, NOW)
    registry = Registry.of(catalogue, {"skole": [Notes()]})
    forgets = Forgetter("skole", engine, settings, registry, lambda: NOW)
    await forgets(
        {"sletting": "5f0c1f3e-0000-4000-8000-000000000002", "personer": [FIRST, SECOND],
         "subjects": ["5f0c1f3e-0000-4000-8000-000000000003"]}
    )  # fmt: skip
    assert await remembered(engine, settings) == {OTHER}
    async with engine.begin() as connection:
        db = await driver(connection)
        assert [r["id"] for r in await db.fetch("SELECT id FROM journal WHERE utfall IS NULL")] == ["h-2"]
        assert await db.fetchval("SELECT detaljer FROM revisjon") == {"ubesluttede": 2}
