"""`samspor status`: counts of everything, and whether anything lags."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import felles
from deploy.commands.felles import DATA_DIR, fail, result, text, write_json

COLUMNS = ("mottatt", "ubesluttet", "frigitt", "skjermet", "venter", "avvist", "parkert", "publisert")


def register(app: typer.Typer) -> None:
    app.command("status", help=text("hjelp-status"))(status)


def status(
    data_dir: Annotated[
        Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))
    ] = DATA_DIR,
    as_json: Annotated[bool, typer.Option("--json", help=text("hjelp-json"))] = False,
) -> None:
    from rich.table import Table

    from backbone.database import DATABASE_AWAY
    from backbone.failures import Retry
    from backbone.samtykke_client import InternalClient, Rejected
    from backbone.settings import MissingSecret
    from contracts.catalogue import Catalogue
    from deploy import oversikt

    settings = felles.settings(data_dir)

    async def main() -> None:
        try:
            async with InternalClient(settings, "status", "samordning") as samordning:
                try:
                    leser = await samordning.call("GET", "/samordning/status")
                except Retry:
                    leser = None
            journals = await oversikt.journals(settings, Catalogue.standard())
            timelines = await oversikt.timelines(settings)
        except MissingSecret as missing:
            fail("innstilling-mangler", melding=str(missing))
        except Rejected as no:
            felles.rejected(no.problem)
        except OSError:
            fail("ingen-forbindelse", adresse="PostgreSQL")
        except DATABASE_AWAY as error:
            fail("status-utilgjengelig", feil=type(error).__name__)
        if as_json:
            write_json({"journaler": journals, "tidslinjer": timelines, "samordning": leser})
            return
        table = Table("", *(text(f"status-{column}") for column in COLUMNS), title=text("status-tittel"))
        for owner, counts in journals.items():
            table.add_row(owner, *(str(counts[column]) for column in COLUMNS))
        result.print(table)
        lag = "?" if leser is None else str(leser.get("etterslep", "?"))
        read = timelines.pop("sist_lest")
        result.print(text("status-samordning", etterslep=lag, **timelines))
        if read is not None:
            result.print(text("status-sist-lest", tid=f"{read:%Y-%m-%d %H:%M:%S} UTC"))

    felles.run(main)
