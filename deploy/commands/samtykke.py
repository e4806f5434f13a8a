"""`samspor samtykke`: consents given, withdrawn and given again; and who coordinates a child."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.commands import felles
from deploy.commands.felles import DATA_DIR, fail, read_person, result, text, write_json

DataDir = Annotated[Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))]
AsJson = Annotated[bool, typer.Option("--json", help=text("hjelp-json"))]
Person = Annotated[str, typer.Option(help=text("hjelp-person"))]
Kommune = Annotated[str, typer.Option(help=text("hjelp-kommune"))]
SamtykkeId = Annotated[str, typer.Argument(metavar="SAMTYKKE", help=text("hjelp-samtykke-id"))]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help=text("hjelp-samtykke"), no_args_is_help=True)
    group.command("gi", help=text("hjelp-samtykke-gi"))(gi)
    group.command("trekk", help=text("hjelp-samtykke-trekk"))(trekk)
    group.command("gi-igjen", help=text("hjelp-samtykke-gi-igjen"))(gi_igjen)
    group.command("vis", help=text("hjelp-samtykke-vis"))(vis)
    group.command("tildel", help=text("hjelp-samtykke-tildel"))(tildel)
    app.add_typer(group, name="samtykke")


def gi(
    person: Person,
    kommune: Kommune,
    hvem: Annotated[str, typer.Option(help=text("hjelp-samtykke-hvem"))],
    fra: Annotated[str, typer.Option(help=text("hjelp-samtykke-fra"))],
    til: Annotated[list[str], typer.Option(help=text("hjelp-samtykke-til"))],
    kategori: Annotated[list[str], typer.Option(help=text("hjelp-samtykke-kategori"))],
    formal: Annotated[str, typer.Option(help=text("hjelp-samtykke-formal"))],
    utloper: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help=text("hjelp-samtykke-utloper"))
    ] = None,
    data_dir: DataDir = DATA_DIR,
    as_json: AsJson = False,
) -> None:
    body = {
        "person": read_person(person),
        "kommune": kommune,
        "hvem": hvem,
        "fra_tjeneste": fra,
        "til_tjenester": til,
        "kategorier": kategori,
        "formal": formal,
        "gyldig_fra": datetime.now(UTC),
        "utloper": None if utloper is None else _end_of(utloper),
    }
    _show(_call(data_dir, "POST", "/samtykke/samtykker", body), as_json)


def trekk(samtykke: SamtykkeId, data_dir: DataDir = DATA_DIR, as_json: AsJson = False) -> None:
    _show(_call(data_dir, "POST", f"/samtykke/samtykker/{samtykke}/trekk"), as_json)


def gi_igjen(samtykke: SamtykkeId, data_dir: DataDir = DATA_DIR, as_json: AsJson = False) -> None:
    _show(_call(data_dir, "POST", f"/samtykke/samtykker/{samtykke}/gi-igjen"), as_json)


def vis(subject: str, data_dir: DataDir = DATA_DIR, as_json: AsJson = False) -> None:
    found = _call(data_dir, "GET", "/samtykke/samtykker", subject=subject)
    for samtykke in found["samtykker"]:
        _show(samtykke, as_json)


def tildel(
    person: Person,
    kommune: Kommune,
    koordinator: Annotated[str, typer.Option(help=text("hjelp-samtykke-koordinator"))],
    rolle: Annotated[str, typer.Option(help=text("hjelp-samtykke-rolle"))] = "koordinator",
    data_dir: DataDir = DATA_DIR,
    as_json: AsJson = False,
) -> None:
    body = {"person": read_person(person), "kommune": kommune, "koordinator": koordinator, "rolle": rolle}
    _show(_call(data_dir, "POST", "/samtykke/tildelinger", body), as_json)


def _end_of(day: datetime) -> datetime:
    """The last moment of the Norwegian day."""
    from backbone.clock import OSLO

    return day.replace(hour=23, minute=59, second=59, tzinfo=OSLO)


def _call(data_dir: Path, method: str, path: str, body: Any = None, **params: str) -> Any:
    import asyncio

    from backbone.failures import Retry
    from backbone.samtykke_client import InternalClient, Rejected
    from backbone.settings import MissingSecret

    settings = felles.settings(data_dir)

    async def main() -> Any:
        async with InternalClient(settings, "cli", "samtykke") as client:
            return await client.call(method, path, body, **params)

    try:
        return asyncio.run(main())
    except MissingSecret as missing:
        fail("innstilling-mangler", melding=str(missing))
    except Retry:
        fail("ingen-forbindelse", adresse=settings.url("samtykke"))
    except Rejected as no:
        places = no.problem.get("feil") or [no.problem]
        said = " ".join(f"{p.get('peker', '')} {p.get('feil') or p.get('title', '')}".strip() for p in places)
        fail("avslag", 1, melding=said, raad=str(places[0].get("gjor") or no.problem.get("detail") or "–"))


def _show(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        write_json(answer)
        return
    for name, value in answer.items():
        result.print(f"{name}: {', '.join(value) if isinstance(value, list) else value}")
