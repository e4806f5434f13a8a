"""`samspor dlq`: what was set aside."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import felles
from deploy.commands.felles import DATA_DIR, fail, result, text, write_json

COLUMNS = ("topic", "partition", "offset", "type", "grunn", "mottatt")


def register(app: typer.Typer) -> None:
    group = typer.Typer(help=text("hjelp-dlq"), no_args_is_help=True)
    group.command("list", help=text("hjelp-dlq-list"))(list_)
    app.add_typer(group, name="dlq")


def list_(
    data_dir: Annotated[
        Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))
    ] = DATA_DIR,
    as_json: Annotated[bool, typer.Option("--json", help=text("hjelp-json"))] = False,
) -> None:
    from rich.table import Table

    from backbone.settings import MissingSecret
    from deploy import oversikt

    async def main() -> None:
        try:
            rows = await oversikt.parked(felles.settings(data_dir))
        except MissingSecret as missing:
            fail("innstilling-mangler", melding=str(missing))
        except OSError:
            fail("ingen-forbindelse", adresse="PostgreSQL")
        if as_json:
            write_json(rows)
        elif rows:
            table = Table(*COLUMNS, title=text("dlq-tittel"))
            for row in rows:
                table.add_row(*(str(row[column]) for column in COLUMNS))
            result.print(table)
        else:
            result.print(text("dlq-tom"))

    felles.run(main)
