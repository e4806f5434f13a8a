"""`samspor rules`: the local rules of a municipality, checked; and why a child has the duties it has."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backbone.meldinger import messages
from deploy.commands import felles
from deploy.commands.felles import progress, result, text, write_json

if TYPE_CHECKING:
    from consumers.coordination.regler.lokale import Feil, Lokal

AsJson = Annotated[bool, typer.Option("--json", help=text("hjelp-json"))]
Fil = Annotated[Path, typer.Argument(metavar="FIL", help=text("hjelp-rules-fil"))]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help=text("hjelp-rules"), no_args_is_help=True)
    group.command("check", help=text("hjelp-rules-check"))(check)
    group.command("schema", help=text("hjelp-rules-schema"))(schema)
    app.add_typer(group, name="rules")


def check(fil: Fil, as_json: AsJson = False) -> None:
    from backbone.clock import system_clock
    from backbone.frister import local_date

    lokal = read(fil, as_json)
    today = local_date(system_clock())
    ends = [a.navn for a in lokal.avtaler_som_utloper(today)]
    versions: list[dict[str, str | int]] = [
        {"navn": v.navn, "gyldig_fra": str(v.gyldig_fra), "regler": len(v.her)} for v in lokal.versjoner
    ]
    if as_json:
        write_json({"kommune": lokal.kommune, "versjoner": versions, "avtaler_som_utloper": ends, "feil": []})
        return
    result.print(text("rules-gyldig", fil=str(fil), kommune=lokal.kommune, versjoner=len(versions)))
    for version in versions:
        result.print(text("rules-versjon", **version))
    for navn in ends:
        result.print(text("rules-avtale", navn=navn))


def schema() -> None:
    """The JSON Schema of the file, for editors."""
    import json

    typer.echo(json.dumps(document(), ensure_ascii=False, indent=2))


def document() -> dict[str, Any]:
    from consumers.coordination.regler.lokale import model
    from consumers.coordination.regler.standard import STANDARD
    from contracts.catalogue import Catalogue

    shape = model(STANDARD, tuple(Catalogue.standard().tjenester))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **shape.model_json_schema()}


def read(fil: Path, as_json: bool = False) -> "Lokal":
    """The file; ends the command, saying everything that is wrong, where it cannot be used."""
    from consumers.coordination.regler.lokale import InvalidLocalRules, read_file
    from consumers.coordination.regler.standard import STANDARD
    from contracts.catalogue import Catalogue

    try:
        return read_file(fil, STANDARD, Catalogue.standard())
    except OSError:
        felles.fail("rules-ulest", fil=str(fil))
    except InvalidLocalRules as invalid:
        told = [said(feil) for feil in invalid.feil]
        if as_json:
            write_json({"feil": told})
        for one in told:
            line = "" if one["linje"] is None else f":{one['linje']}"
            progress.print(f"✗ {fil}{line} {one['peker']}: {one['feil']}", style="red", markup=False)
            progress.print(f"  {one['gjor']}", markup=False)
        raise typer.Exit(1) from None


def said(feil: "Feil") -> dict[str, Any]:
    """As a service tells a problem."""
    args = {"verdi": "", "min": 0, "maks": 0, "mulige": "", "monster": "", **dict(feil.args)}
    args["mulige"] = str(args["mulige"]).replace(" or ", " eller ")
    texts = messages("deploy")
    return {
        "peker": feil.peker,
        "linje": feil.linje,
        "kode": feil.kode,
        "feil": texts.text(feil.kode, **args),
        "gjor": texts.action(feil.kode, **args),
    }
