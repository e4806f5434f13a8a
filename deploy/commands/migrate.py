"""`samspor migrate`: databases, roles and schemas."""

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
    from backbone.settings import MissingSecret
    from contracts.catalogue import Catalogue
    from deploy.migrate import migrate as run

    async def main() -> None:
        try:
            done = await run(felles.settings(data_dir), Catalogue.standard())
        except MissingSecret as missing:
            fail("innstilling-mangler", melding=str(missing))
        progress.print(text("migrate-ferdig", antall=len(done), navn=", ".join(done)))
        if as_json:
            write_json({"oppdatert": done})

    felles.run(main)
