"""`samspor keys`: the key-encryption key, renewed without a standstill."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import felles
from deploy.commands.felles import DATA_DIR, fail, result, text, write_json

DataDir = Annotated[Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))]
AsJson = Annotated[bool, typer.Option("--json", help=text("hjelp-json"))]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help=text("hjelp-keys"), no_args_is_help=True)
    group.command("new", help=text("hjelp-keys-new"))(new)
    group.command("rotate", help=text("hjelp-keys-rotate"))(rotate)
    app.add_typer(group, name="keys")


def new(data_dir: DataDir = DATA_DIR) -> None:
    from backbone.settings import MissingSecret, add_embedded_kek, fresh_key

    try:
        with felles.read_or_fail():
            id_ = add_embedded_kek(data_dir)
    except FileNotFoundError:
        typer.echo(fresh_key())  # for the installation's own store of secrets; nothing is written down here
        return
    except MissingSecret as missing:
        fail("innstilling-mangler", melding=str(missing))
    result.print(text("keys-ny", id=id_, mappe=str(data_dir)))


def rotate(data_dir: DataDir = DATA_DIR, as_json: AsJson = False) -> None:
    async def main() -> None:
        import asyncpg

        from backbone.clock import system_clock
        from backbone.failures import Stop
        from backbone.settings import MissingSecret
        from contracts.catalogue import Catalogue
        from deploy import nokler

        settings = felles.settings(data_dir)
        told: dict[str, int] = {}
        try:
            async for place, count in nokler.rotate(settings, Catalogue.standard(), system_clock):
                told[f"{place.database}.{place.table}"] = count
        except MissingSecret as missing:
            fail("innstilling-mangler", melding=str(missing))
        except Stop as stop:
            fail("keys-ukjent", 1, melding=str(stop))
        except (OSError, asyncpg.PostgresError):
            fail("ingen-forbindelse", adresse="PostgreSQL")
        if as_json:
            write_json({"kek": settings.kek_id, "nokler": told})
        else:
            result.print(text("keys-rotert", id=settings.kek_id, antall=sum(told.values())))

    felles.run(main)
