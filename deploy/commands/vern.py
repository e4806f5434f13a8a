"""`samspor sperr` and `samspor slett`: a child blocked, or erased by a decision and two people."""

from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.commands import felles
from deploy.commands.felles import DATA_DIR, fail, read_person, show, text

DataDir = Annotated[Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))]
AsJson = Annotated[bool, typer.Option("--json", help=text("hjelp-json"))]
Kommune = Annotated[str, typer.Option(help=text("hjelp-kommune"))]
Barn = Annotated[str, typer.Argument(metavar="BARN", help=text("hjelp-vern-barn"))]
Token = Annotated[Path, typer.Option("--token-fil", help=text("hjelp-vern-token"))]
Id = Annotated[str, typer.Argument(metavar="SLETTING", help=text("hjelp-slett-id"))]


def register(app: typer.Typer) -> None:
    app.command("sperr", help=text("hjelp-sperr"))(sperr)
    group = typer.Typer(help=text("hjelp-slett"), no_args_is_help=True)
    for name, command in (("foresla", foresla), ("godkjenn", godkjenn), ("forkast", forkast), ("vis", vis)):
        group.command(name, help=text(f"hjelp-slett-{name}"))(command)
    app.add_typer(group, name="slett")


def sperr(
    barn: Barn,
    kommune: Kommune,
    grunn: Annotated[str, typer.Option(help=text("hjelp-sperr-grunn"))],
    token_fil: Token,
    opphev: Annotated[bool, typer.Option("--opphev", help=text("hjelp-sperr-opphev"))] = False,
    data_dir: DataDir = DATA_DIR,
    as_json: AsJson = False,
) -> None:
    body = {**_child(barn), "kommune": kommune, "sperret": not opphev, "grunn": grunn}
    show(_call(data_dir, token_fil, "POST", "/samtykke/sperringer", body), as_json)


def foresla(
    barn: Barn,
    kommune: Kommune,
    beslutning: Annotated[str, typer.Option(help=text("hjelp-slett-beslutning"))],
    token_fil: Token,
    data_dir: DataDir = DATA_DIR,
    as_json: AsJson = False,
) -> None:
    body = {**_child(barn), "kommune": kommune, "beslutning": beslutning}
    show(_call(data_dir, token_fil, "POST", "/samtykke/slettinger", body), as_json)


def godkjenn(
    sletting: Id,
    token_fil: Token,
    ja: Annotated[bool, typer.Option("--ja", help=text("hjelp-slett-ja"))] = False,
    data_dir: DataDir = DATA_DIR,
    as_json: AsJson = False,
) -> None:
    if not ja and not typer.confirm(text("slett-sikker")):
        raise typer.Exit(1)
    show(_call(data_dir, token_fil, "POST", f"/samtykke/slettinger/{sletting}/godkjenning"), as_json)


def forkast(sletting: Id, token_fil: Token, data_dir: DataDir = DATA_DIR, as_json: AsJson = False) -> None:
    show(_call(data_dir, token_fil, "POST", f"/samtykke/slettinger/{sletting}/forkasting"), as_json)


def vis(sletting: Id, token_fil: Token, data_dir: DataDir = DATA_DIR, as_json: AsJson = False) -> None:
    show(_call(data_dir, token_fil, "GET", f"/samtykke/slettinger/{sletting}"), as_json)


def _child(given: str) -> dict[str, str]:
    """A subject id, or a number, which is never written on the command line itself ("-" or "@file")."""
    from uuid import UUID

    number = read_person(given)
    try:
        return {"subject": str(UUID(number))}
    except ValueError:
        return {"person": number}


def _call(data_dir: Path, token_file: Path, method: str, path: str, body: Any = None) -> Any:
    """As the person whose token it is."""
    from pydantic import SecretStr

    try:
        token = SecretStr(token_file.read_text().strip())
    except OSError:
        fail("token-fil-mangler", fil=str(token_file))
    settings = felles.settings(data_dir).model_copy(update={"system_token": token})
    return felles.samtykke(settings, method, path, body)
