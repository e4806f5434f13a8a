"""Databases, their roles and their schemas: made where missing, brought to the newest revision, fast when they are.

One alembic environment (`deploy/migrations`) with a folder of revisions per kind of database. A revision's id is its
file's name, so the newest is known without alembic, and a start with nothing to do imports and runs none of it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy import Connection, MetaData
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from backbone.database import database_name, database_url
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from deploy.parts import load

MIGRATIONS = Path(__file__).with_name("migrations")
MAINTENANCE_DATABASE = "postgres"


@dataclass(frozen=True)
class Schema:
    """A kind of database: the folder of its revisions, and "module:name" of the metadata they must equal."""

    navn: str
    metadata: str

    @property
    def folder(self) -> Path:
        return MIGRATIONS / self.navn

    @property
    def revisions(self) -> list[str]:
        """All of them, in their order: so their files' names sort."""
        return sorted(path.stem for path in self.folder.glob("[0-9]*.py"))

    @property
    def head(self) -> str:
        return self.revisions[-1]


JOURNAL = Schema("journal", "backbone.lane:metadata")
OWN: dict[str, Schema] = {
    "innboks": Schema("innboks", "consumers.innboks.tables:metadata"),
    "portal": Schema("portal", "consumers.portal.tables:metadata"),
    "samtykke": Schema("samtykke", "services.samtykke.tables:metadata"),
    "nokler": Schema("nokler", "services.samtykke.tables:nokler_metadata"),
    "samordning": Schema("samordning", "consumers.coordination.tables:metadata"),
}
SCHEMAS: tuple[Schema, ...] = (JOURNAL, *OWN.values())


class NewerData(Exception):
    """The text names databases at a revision that this version of Samspor does not know: a newer one made it."""


def databases(catalogue: Catalogue) -> dict[str, Schema]:
    """Every database there must be, the one behind the first page first: our own parts', then a journal per service."""
    return {**OWN, **dict.fromkeys(catalogue.tjenester, JOURNAL)}


async def migrate(
    settings: Settings, catalogue: Catalogue, ready: Callable[[str], None] = lambda name: None
) -> list[str]:
    """Bring every database to its newest revision; the names of those that were not there already.

    A database and the role that owns it are created where the user of `database_url` may do so; where it may not,
    they must exist. `ready` hears of each database as soon as it is usable. Raises NewerData, having changed nothing,
    and what PostgreSQL says.
    """
    wanted = databases(catalogue)
    at = await _revisions(settings, wanted)
    if newer := _newer(at, wanted):
        raise NewerData(", ".join(newer))
    alembic = asyncio.Lock()  # its context is the process's: one upgrade at a time, while others are created

    async def bring_up(name: str) -> None:
        if name not in at:
            await _create(settings, database_name(settings, name))
        if at.get(name) != wanted[name].head:
            async with alembic:
                await _upgrade(settings, name, wanted[name])
        ready(name)

    await asyncio.gather(*map(bring_up, wanted))
    return [name for name, schema in wanted.items() if at.get(name) != schema.head]


async def strays(settings: Settings, catalogue: Catalogue) -> tuple[list[str], list[str]]:
    """Names of the databases that are missing or not yet at their newest revision; and of those that are past it."""
    wanted = databases(catalogue)
    at = await _revisions(settings, wanted)
    newer = _newer(at, wanted)
    older = [n for n, schema in wanted.items() if at.get(n) != schema.head and n not in newer]
    return older, newer


def _newer(at: Mapping[str, str | None], wanted: Mapping[str, Schema]) -> list[str]:
    """A revision without a file here: files are never taken away, so a later version of Samspor has it."""
    return [name for name, revision in at.items() if revision and revision not in wanted[name].revisions]


async def _revisions(settings: Settings, names: Iterable[str]) -> dict[str, str | None]:
    """The revision of each database that exists, None where no migration ever ran."""
    present = await _present(settings, names)
    return dict(
        zip(present, await asyncio.gather(*(_revision(settings, name) for name in present)), strict=True)
    )


async def _present(settings: Settings, names: Iterable[str]) -> list[str]:
    connection = await _connect(database_url(settings, "").set(database=MAINTENANCE_DATABASE))
    try:
        found = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
    finally:
        await connection.close()
    return [name for name in names if database_name(settings, name) in found]


async def _revision(settings: Settings, name: str) -> str | None:
    connection = await _connect(database_url(settings, name))
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return revision
    finally:
        await connection.close()


async def _create(settings: Settings, database: str) -> None:
    """The database and the role of the same name that owns it."""
    connection = await _connect(database_url(settings, "").set(database=MAINTENANCE_DATABASE))
    try:
        # No statement that makes a role or database takes parameters; the names are ours, not a user's.
        if not await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = $1", database):
            await connection.execute(f'CREATE ROLE "{database}"')
        await connection.execute(f'CREATE DATABASE "{database}" OWNER "{database}" TEMPLATE template0')
        await connection.execute(f'REVOKE CONNECT ON DATABASE "{database}" FROM PUBLIC')
    finally:
        await connection.close()


async def _upgrade(settings: Settings, name: str, schema: Schema) -> None:
    engine = create_async_engine(database_url(settings, name), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(upgrade, schema, owner=database_name(settings, name))
    finally:
        await engine.dispose()


def upgrade(connection: Connection, schema: Schema, owner: str | None = None) -> None:
    """Run the missing revisions of `schema` on `connection`, in its transaction; `owner` gets what is made."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(schema.folder))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["owner"] = owner
    command.upgrade(config, "head")


def metadata(schema: Schema) -> MetaData:
    """The tables that the code of `schema` uses."""
    found: MetaData = load(schema.metadata)
    return found


async def _connect(url: URL) -> asyncpg.Connection:
    return await asyncpg.connect(
        url.set(drivername="postgresql").render_as_string(hide_password=False), timeout=10
    )
