"""Databases made by migrations are the databases that the code expects."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from backbone.database import create_engine, database_name
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from deploy.migrate import MIGRATIONS, SCHEMAS, Schema, databases, metadata, migrate


async def test_the_migrated_schema_is_the_one_the_code_uses(settings: Settings, catalogue: Catalogue) -> None:
    await migrate(settings, catalogue)
    for name, schema in databases(catalogue).items():
        engine = create_engine(settings, name)
        async with engine.connect() as connection:
            assert await connection.run_sync(_differences, schema) == [], name
        await engine.dispose()


async def test_a_second_migration_finds_nothing_to_do(settings: Settings, catalogue: Catalogue) -> None:
    assert set(await migrate(settings, catalogue)) == set(databases(catalogue))
    assert await migrate(settings, catalogue) == []


async def test_each_database_belongs_to_a_role_of_its_own(settings: Settings, catalogue: Catalogue) -> None:
    await migrate(settings, catalogue)
    for name in databases(catalogue):
        engine = create_engine(settings, name)
        async with engine.connect() as connection:
            owners = await connection.scalars(
                text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
            )
            assert set(owners) == {database_name(settings, name)}
        await engine.dispose()


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.navn)
def test_the_head_told_by_file_names_is_alembics(schema: Schema) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(Path(schema.folder)))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == schema.head


def _differences(connection: Connection, schema: Schema) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata(schema)))
