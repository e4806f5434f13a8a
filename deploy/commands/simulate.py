"""`samspor simulate`: a synthetic municipality against a running Samspor."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import felles
from deploy.commands.felles import DATA_DIR, progress, text, write_json


def register(app: typer.Typer) -> None:
    app.command("simulate", help=text("hjelp-simulate"))(simulate)


def simulate(
    barn: Annotated[int, typer.Option(min=1, help=text("hjelp-simulate-barn"))] = 100,
    dager: Annotated[int, typer.Option(min=1, help=text("hjelp-simulate-dager"))] = 30,
    seed: Annotated[int, typer.Option(help=text("hjelp-simulate-seed"))] = 1,
    tempo: Annotated[float | None, typer.Option(min=0.01, help=text("hjelp-simulate-tempo"))] = None,
    journal: Annotated[Path | None, typer.Option(help=text("hjelp-simulate-journal"))] = None,
    token_fil: Annotated[Path | None, typer.Option("--token-fil", help=text("hjelp-token-fil"))] = None,
    data_dir: Annotated[
        Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))
    ] = DATA_DIR,
    as_json: Annotated[bool, typer.Option("--json", help=text("hjelp-json"))] = False,
) -> None:
    from deploy.klient import Fagsystem, Journal
    from deploy.kommune.kjoring import Tellere, simuler

    settings = felles.settings(data_dir)
    tokens = felles.tokens(data_dir, token_fil)

    def meld(dag: date, tellere: Tellere) -> None:
        progress.print(text("simulate-dag", dag=str(dag), **vars(tellere)))

    async def main() -> None:
        remembered = Journal(journal) if journal else None
        async with Fagsystem(settings.url("tjenester"), tokens, remembered) as fagsystem:
            tellere = await simuler(fagsystem, seed, barn, dager, tempo, meld)
        if as_json:
            write_json(vars(tellere))

    felles.run(main)
