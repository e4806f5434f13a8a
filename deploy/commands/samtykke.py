"""`samspor samtykke`: consents given, refused, withdrawn and given again; who is whose, and who is the same child."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from deploy.commands import felles
from deploy.commands.felles import DATA_DIR, read_person, result, show, text

TILDELINGER, KOBLINGER = "/samtykke/tildelinger", "/samtykke/koblinger"

DataDir = Annotated[Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))]
AsJson = Annotated[bool, typer.Option("--json", help=text("hjelp-json"))]
Person = Annotated[str, typer.Option(help=text("hjelp-person"))]
Kommune = Annotated[str, typer.Option(help=text("hjelp-kommune"))]
SamtykkeId = Annotated[str, typer.Argument(metavar="SAMTYKKE", help=text("hjelp-samtykke-id"))]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help=text("hjelp-samtykke"), no_args_is_help=True)
    group.command("gi", help=text("hjelp-samtykke-gi"))(gi)
    group.command("tiltre", help=text("hjelp-samtykke-tiltre"))(tiltre)
    group.command("avslå", help=text("hjelp-samtykke-avsla"))(avsla)
    group.command("trekk", help=text("hjelp-samtykke-trekk"))(trekk)
    group.command("gi-igjen", help=text("hjelp-samtykke-gi-igjen"))(gi_igjen)
    group.command("vis", help=text("hjelp-samtykke-vis"))(vis)
    group.command("historikk", help=text("hjelp-samtykke-historikk"))(historikk)
    group.command("tildel", help=text("hjelp-samtykke-tildel"))(tildel)
    group.command("fratildel", help=text("hjelp-samtykke-fratildel"))(fratildel)
    group.command("familie", help=text("hjelp-samtykke-familie"))(familie)
    group.command("koble", help=text("hjelp-samtykke-koble"))(koble)
    group.command("frakoble", help=text("hjelp-samtykke-frakoble"))(frakoble)
    app.add_typer(group, name="samtykke")


Hvem = Annotated[str, typer.Option(help=text("hjelp-samtykke-hvem"))]
Fra = Annotated[str, typer.Option(help=text("hjelp-samtykke-fra"))]
Til = Annotated[list[str], typer.Option(help=text("hjelp-samtykke-til"))]
Kategori = Annotated[list[str], typer.Option(help=text("hjelp-samtykke-kategori"))]
Formal = Annotated[str, typer.Option(help=text("hjelp-samtykke-formal"))]
Giver = Annotated[str | None, typer.Option(help=text("hjelp-samtykke-giver"))]
Koordinator = Annotated[str, typer.Option(help=text("hjelp-samtykke-koordinator"))]


def gi(
    person: Person,
    kommune: Kommune,
    hvem: Hvem,
    fra: Fra,
    til: Til,
    kategori: Kategori,
    formal: Formal,
    utloper: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help=text("hjelp-samtykke-utloper"))
    ] = None,
    giver: Giver = None,
    alene: Annotated[bool, typer.Option("--alene", help=text("hjelp-samtykke-alene"))] = False,
    data_dir: DataDir = DATA_DIR,
    as_json: AsJson = False,
) -> None:
    body = _consent(person, kommune, hvem, fra, til, kategori, formal, utloper)
    if giver:
        body["giver"] = giver
    if alene:
        body["foreldreansvar"] = "alene"
    show(_call(data_dir, "POST", "/samtykke/samtykker", body), as_json)


def avsla(
    person: Person,
    kommune: Kommune,
    hvem: Hvem,
    fra: Fra,
    til: Til,
    kategori: Kategori,
    formal: Formal,
    samtykke: Annotated[str | None, typer.Option(help=text("hjelp-samtykke-id"))] = None,
    data_dir: DataDir = DATA_DIR,
    as_json: AsJson = False,
) -> None:
    id_ = samtykke or str(uuid4())
    body = _consent(person, kommune, hvem, fra, til, kategori, formal, None)
    show(_call(data_dir, "POST", f"/samtykke/samtykker/{id_}/avslag", body), as_json)


def _consent(
    person: str,
    kommune: str,
    hvem: str,
    fra: str,
    til: list[str],
    kategori: list[str],
    formal: str,
    utloper: datetime | None,
) -> dict[str, Any]:
    return {
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


def tiltre(
    samtykke: SamtykkeId, giver: Giver = None, data_dir: DataDir = DATA_DIR, as_json: AsJson = False
) -> None:
    body = {"giver": giver} if giver else {}
    show(_call(data_dir, "POST", f"/samtykke/samtykker/{samtykke}/tiltre", body), as_json)


def trekk(samtykke: SamtykkeId, data_dir: DataDir = DATA_DIR, as_json: AsJson = False) -> None:
    show(_call(data_dir, "POST", f"/samtykke/samtykker/{samtykke}/trekk"), as_json)


def gi_igjen(samtykke: SamtykkeId, data_dir: DataDir = DATA_DIR, as_json: AsJson = False) -> None:
    show(_call(data_dir, "POST", f"/samtykke/samtykker/{samtykke}/gi-igjen"), as_json)


def vis(subject: str, data_dir: DataDir = DATA_DIR, as_json: AsJson = False) -> None:
    found = _call(data_dir, "GET", "/samtykke/samtykker", subject=subject)
    for nr, samtykke in enumerate(found["samtykker"]):
        if nr and not as_json:
            result.print()
        show(samtykke, as_json)
    if not found["samtykker"] and not as_json:
        result.print(text("samtykke-ingen"))


def historikk(samtykke: SamtykkeId, data_dir: DataDir = DATA_DIR, as_json: AsJson = False) -> None:
    found = _call(data_dir, "GET", f"/samtykke/samtykker/{samtykke}/historikk")
    for nr, hendelse in enumerate(found["historikk"]):
        if nr and not as_json:
            result.print()
        show(hendelse, as_json)


def tildel(
    person: Person,
    kommune: Kommune,
    koordinator: Koordinator,
    rolle: Annotated[str, typer.Option(help=text("hjelp-samtykke-rolle"))] = "koordinator",
    data_dir: DataDir = DATA_DIR,
    as_json: AsJson = False,
) -> None:
    show(_call(data_dir, "POST", TILDELINGER, _assignment(person, kommune, koordinator, rolle)), as_json)


def fratildel(
    person: Person,
    kommune: Kommune,
    koordinator: Koordinator,
    data_dir: DataDir = DATA_DIR,
    as_json: AsJson = False,
) -> None:
    body = _assignment(person, kommune, koordinator, "koordinator")
    show(_call(data_dir, "DELETE", TILDELINGER, body), as_json)


def _assignment(person: str, kommune: str, koordinator: str, rolle: str) -> dict[str, str]:
    return {"person": read_person(person), "kommune": kommune, "koordinator": koordinator, "rolle": rolle}


def familie(
    person: Person,
    kommune: Kommune,
    bruker: Annotated[str, typer.Option(help=text("hjelp-samtykke-bruker"))],
    rolle: Annotated[str, typer.Option(help=text("hjelp-samtykke-familierolle"))],
    fjern: Annotated[bool, typer.Option("--fjern", help=text("hjelp-samtykke-fjern"))] = False,
    data_dir: DataDir = DATA_DIR,
    as_json: AsJson = False,
) -> None:
    body = {"person": read_person(person), "kommune": kommune, "bruker": bruker, "rolle": rolle}
    show(_call(data_dir, "DELETE" if fjern else "POST", "/samtykke/familie", body), as_json)


Sak = Annotated[str | None, typer.Option(help=text("hjelp-samtykke-sak"))]
Orgnr = Annotated[str | None, typer.Option(help=text("hjelp-samtykke-orgnr"))]
Subject = Annotated[str | None, typer.Option(help=text("hjelp-samtykke-subject"))]


def koble(
    kommune: Kommune,
    sak: Sak = None,
    orgnr: Orgnr = None,
    subject: Subject = None,
    person: Annotated[str | None, typer.Option(help=text("hjelp-person"))] = None,
    til: Annotated[str | None, typer.Option(help=text("hjelp-samtykke-til-subject"))] = None,
    data_dir: DataDir = DATA_DIR,
    as_json: AsJson = False,
) -> None:
    number = read_person(person) if person else None
    body = _given(kommune=kommune, sak=sak, orgnr=orgnr, subject=subject, person=number, til=til)
    show(_call(data_dir, "POST", KOBLINGER, body), as_json)


def frakoble(
    kommune: Kommune,
    sak: Sak = None,
    orgnr: Orgnr = None,
    subject: Subject = None,
    data_dir: DataDir = DATA_DIR,
    as_json: AsJson = False,
) -> None:
    body = _given(kommune=kommune, sak=sak, orgnr=orgnr, subject=subject)
    show(_call(data_dir, "DELETE", KOBLINGER, body), as_json)


def _given(**fields: str | None) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}


def _end_of(day: datetime) -> datetime:
    """The last moment of the Norwegian day."""
    from backbone.clock import OSLO

    return day.replace(hour=23, minute=59, second=59, tzinfo=OSLO)


def _call(data_dir: Path, method: str, path: str, body: Any = None, **params: str) -> Any:
    return felles.samtykke(felles.settings(data_dir), method, path, body, **params)
