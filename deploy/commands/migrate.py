"""`samspor migrate`: databases, roles and schemas, and the topics where Kafka is named."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import felles
from deploy.commands.felles import DATA_DIR, fail, progress, text, write_json


def register(app: typer.Typer) -> None:
    app.command("migrate", help=text("hjelp-migrate"))(migrate)


def migrate(
    data_dir: Annotated[
        Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))
    ] = DATA_DIR,
    as_json: Annotated[bool, typer.Option("--json", help=text("hjelp-json"))] = False,
) -> None:
    from aiokafka.errors import KafkaError

    from backbone.database import DATABASE_AWAY
    from backbone.kafka import ensure_topics
    from backbone.settings import MissingSecret
    from contracts.catalogue import Catalogue
    from deploy.migrate import NewerData
    from deploy.migrate import migrate as run

    settings, catalogue = felles.settings(data_dir), Catalogue.standard()

    async def main() -> None:
        try:
            done = await run(settings, catalogue)
        except MissingSecret as missing:
            fail("innstilling-mangler", melding=str(missing))
        except NewerData as newer:
            fail("lege-database-nyere", navn=str(newer))
        except DATABASE_AWAY as error:
            fail("migrate-stanset", feil=type(error).__name__)
        progress.print(text("migrate-ferdig", antall=len(done), navn=", ".join(done)))
        if settings.kafka is None:
            progress.print(text("migrate-uten-kafka"))
        else:
            try:
                await ensure_topics(settings, catalogue.topics())
            except (KafkaError, OSError) as error:
                fail("migrate-emner-stanset", feil=type(error).__name__)
            progress.print(text("migrate-emner"))
        if as_json:
            write_json({"oppdatert": done})

    felles.run(main)
