"""`samspor up`: everything on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.commands.felles import DATA_DIR, read_or_fail, text


def register(app: typer.Typer) -> None:
    app.command("up", help=text("hjelp-up"))(up)


def up(
    uten_simulering: Annotated[
        bool, typer.Option("--uten-simulering", help=text("hjelp-up-uten-simulering"))
    ] = False,
    tempo: Annotated[float, typer.Option(min=0.01, help=text("hjelp-up-tempo"))] = 1.0,
    data_dir: Annotated[
        Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))
    ] = DATA_DIR,
    port: Annotated[int | None, typer.Option(min=0, max=65532, help=text("hjelp-up-port"))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=text("hjelp-up-json"))] = False,
) -> None:
    from deploy.supervisor import warm_up

    warm_up("deploy.preload")  # before our own imports: the two then run side by side
    from deploy.up import Options
    from deploy.up import up as run

    with read_or_fail():
        code = run(Options(data_dir, port, tempo, not uten_simulering, as_json))
    raise typer.Exit(code)
