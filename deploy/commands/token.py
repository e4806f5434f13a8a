"""`samspor token`: a signed bearer token."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from contracts.roller import ROLLER
from deploy.commands import felles
from deploy.commands.felles import DATA_DIR, fail, text


def register(app: typer.Typer) -> None:
    app.command("token", help=text("hjelp-token"))(token)


def token(
    sub: Annotated[str, typer.Option(help=text("hjelp-token-sub"))],
    rolle: Annotated[str, typer.Option(help=text("hjelp-token-rolle", roller=", ".join(ROLLER)))],
    orgnr: Annotated[str, typer.Option(help=text("hjelp-token-orgnr"))],
    kommune: Annotated[str, typer.Option(help=text("hjelp-kommune"))],
    tjeneste: Annotated[str | None, typer.Option(help=text("hjelp-token-tjeneste"))] = None,
    skjermet: Annotated[bool, typer.Option("--skjermet", help=text("hjelp-token-skjermet"))] = False,
    timer: Annotated[int | None, typer.Option(min=1, help=text("hjelp-token-timer"))] = None,
    data_dir: Annotated[
        Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))
    ] = DATA_DIR,
) -> None:
    from pydantic import ValidationError

    from backbone.clock import system_clock
    from backbone.settings import MissingSecret
    from backbone.tokens import Principal, issue

    settings = felles.settings(data_dir)
    who = {
        "sub": sub,
        "rolle": rolle,
        "orgnr": orgnr,
        "kommune": kommune,
        "tjeneste": tjeneste,
        "skjermet": skjermet,
    }
    try:
        principal = Principal.model_validate(who)
    except ValidationError:
        fail("token-rolle", rolle=rolle, kjente=", ".join(ROLLER))
    try:
        life = timedelta(hours=timer or settings.token_hours)
        typer.echo(issue(principal, settings, system_clock(), life))
    except MissingSecret as missing:
        fail("innstilling-mangler", melding=str(missing))
