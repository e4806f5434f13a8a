"""`samspor rules`: the local rules of a municipality, checked; and why a child has the duties it has."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backbone.client import http_client
from backbone.meldinger import messages
from deploy.commands import felles
from deploy.commands.felles import progress, result, text, write_json

if TYPE_CHECKING:
    from collections import Counter

    from httpx import AsyncClient

    from consumers.coordination.prove import Endring
    from consumers.coordination.regler.lokale import Feil, Lokal

AsJson = Annotated[bool, typer.Option("--json", help=text("hjelp-json"))]
ANSWER_S = 30.0
Fil = Annotated[Path, typer.Argument(metavar="FIL", help=text("hjelp-rules-fil"))]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help=text("hjelp-rules"), no_args_is_help=True)
    group.command("check", help=text("hjelp-rules-check"))(check)
    group.command("try", help=text("hjelp-rules-try"))(try_)
    group.command("schema", help=text("hjelp-rules-schema"))(schema)
    group.command("explain", help=text("hjelp-rules-explain"))(explain)
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


def try_(
    fil: Fil,
    data_dir: Annotated[
        Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))
    ] = felles.DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Counts by rule; nothing is changed, and nobody is named."""
    lokal = read(fil, as_json)

    async def main() -> None:
        from backbone.database import DATABASE_AWAY, create_engine
        from backbone.failures import Retry
        from backbone.samtykke_client import Rejected, SamtykkeClient
        from backbone.settings import MissingSecret
        from consumers.coordination.prove import prove
        from consumers.coordination.regler.standard import regelverk, with_local
        from contracts.catalogue import Catalogue
        from contracts.tjenester import SAMORDNING

        settings, catalogue = felles.settings(data_dir), Catalogue.standard()
        now = with_local(catalogue, settings.lokale_regler).for_kommune(lokal.kommune)
        then = regelverk(catalogue, {lokal.kommune: lokal}).for_kommune(lokal.kommune)
        at = _when(lokal)
        try:
            engine = create_engine(settings, SAMORDNING)
            async with SamtykkeClient(settings, SAMORDNING) as samtykke:
                children, found = await prove(engine, samtykke, now, then, lokal.kommune, at)
            await engine.dispose()
        except MissingSecret as missing:
            felles.fail("innstilling-mangler", melding=str(missing))
        except (Retry, Rejected, *DATABASE_AWAY):
            felles.fail("ingen-forbindelse", adresse="samordning")
        _compared(children, found, str(at.date()), as_json)

    felles.run(main)


def _when(lokal: "Lokal") -> datetime:
    """When the file's last version has begun, or now."""
    from backbone.clock import system_clock
    from backbone.frister import midnight

    return max(system_clock(), midnight(lokal.versjoner[-1].gyldig_fra))


def _compared(children: int, found: "Counter[Endring]", day: str, as_json: bool) -> None:
    from rich.table import Table

    regler = sorted({regel for regel, _ in found})
    kinds = ("apnes", "lukkes", "flyttes")
    if as_json:
        per_rule = {regel: {kind: found[regel, kind] for kind in kinds} for regel in regler}
        write_json({"barn": children, "per": day, "regler": per_rule})
        return
    result.print(text("rules-provd", barn=children, dato=day))
    if not regler:
        result.print(text("rules-uendret"))
        return
    table = Table(*(text(f"rules-kolonne-{name}") for name in ("regel", *kinds)))
    for regel in regler:
        table.add_row(regel, *(str(found[regel, kind]) for kind in kinds))
    result.print(table)


def explain(
    id: Annotated[str, typer.Argument(metavar="BARN|OPPGAVE", help=text("hjelp-rules-id"))],
    som: Annotated[str, typer.Option(help=text("hjelp-rules-som"))] = "persona:koordinerende-enhet",
    token_fil: Annotated[Path | None, typer.Option("--token-fil", help=text("hjelp-token-fil"))] = None,
    data_dir: Annotated[
        Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))
    ] = felles.DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """What the token's holder may know, and no more: the read gate is asked for each task."""

    tokens = felles.tokens(data_dir, token_fil)
    try:
        token = tokens[som]
    except KeyError:
        felles.fail("token-for-mangler", fil=str(token_fil or data_dir / "tokens.json"), navn=som)

    async def main() -> None:
        import httpx

        address = felles.settings(data_dir).url("samordning")
        headers = {"authorization": f"Bearer {token}"}
        try:
            async with http_client(base_url=address, headers=headers, timeout=ANSWER_S) as http:
                found = await tasks_of(http, id)
        except httpx.TransportError:
            felles.fail("ingen-forbindelse", adresse="samordning")
        if not found:
            felles.fail("rules-ukjent", id=id)
        if as_json:
            write_json(found)
            return
        for task in found:
            tell(task)

    felles.run(main)


async def tasks_of(http: "AsyncClient", id_: str) -> list[dict[str, Any]]:
    """The task with this id; else the tasks of the child with this id that lie with the token's service."""
    one = await http.get(f"/oppgaver/{id_}")
    if one.is_success:
        return [one.json()]
    mine = await http.get("/oppgaver")
    rows = mine.json()["oppgaver"] if mine.is_success else []
    asked = [await http.get(f"/oppgaver/{row['id']}") for row in rows if row["subject"] == id_]
    return [answer.json() for answer in asked if answer.is_success]


def tell(task: dict[str, Any]) -> None:
    from consumers.portal.texts import Texts
    from contracts.catalogue import Catalogue
    from contracts.lov import Lov

    words = Texts(messages("consumers.portal"), Catalogue.standard(), Lov())
    result.print(f"[bold]{words.name('regel', task['regel'])}[/bold] ({words.tjeneste(task['eier'])})")
    said = task["forklart"] or {"regel": "", "frist": "", "fakta": []}
    law = [words.bestemmelse(b) for b in task["bestemmelser"]]
    for line in (task["forklaring"], said["regel"], said["frist"], ", ".join(b.henvisning for b in law if b)):
        if line:
            result.print(line, markup=False)
    for fact in said["fakta"]:
        result.print(
            f"• {fact['dato']} {words.tjeneste(fact['tjeneste'])}: {words.event(fact['type'])}", markup=False
        )
    closing = ", ".join(words.short_event(navn) for navn in task["lukkes_av"])
    result.print(text("rules-lukkes", hva=closing), markup=False)


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
