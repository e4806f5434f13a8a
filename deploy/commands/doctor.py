"""`samspor doctor`: what is wrong, and what to do about it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.meldinger import messages
from deploy.commands import felles
from deploy.commands.felles import DATA_DIR, result, text, write_json

if TYPE_CHECKING:
    from deploy.doctor import Finding

SIGN = {"feil": "[red]✗[/red]", "advarsel": "[yellow]![/yellow]"}


def register(app: typer.Typer) -> None:
    app.command("doctor", help=text("hjelp-doctor"))(doctor)


def doctor(
    data_dir: Annotated[
        Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))
    ] = DATA_DIR,
    ubesluttet_s: Annotated[int, typer.Option(min=1, help=text("hjelp-doctor-ubesluttet"))] = 300,
    iaktta_s: Annotated[float, typer.Option(min=0.1, help=text("hjelp-doctor-iaktta"))] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help=text("hjelp-json"))] = False,
) -> None:
    """Ends with 1 where there is an error; warnings alone are no error."""

    async def main() -> None:
        from contracts.catalogue import Catalogue
        from deploy.doctor import Doctor, Limits

        limits = Limits(ubesluttet_s, iaktta_s)
        found = await Doctor(felles.settings(data_dir), Catalogue.standard(), limits).examine()
        broken = any(f.alvor == "feil" for f in found)
        if as_json:
            write_json({"frisk": not broken, "funn": [told(f) for f in found]})
        else:
            for finding in found:
                result.print(f"{SIGN[finding.alvor]} {told(finding)['melding']}")
                result.print(f"  {told(finding)['gjor']}")
            if not found:
                result.print(text("lege-frisk"))
        if broken:
            raise typer.Exit(1)

    felles.run(main)


def told(finding: "Finding") -> dict[str, object]:
    code, texts = f"lege-{finding.kode}", messages("deploy")
    return {
        "kode": finding.kode,
        "alvor": finding.alvor,
        "melding": texts.text(code, **finding.args),
        "gjor": texts.action(code, **finding.args),
        **finding.args,
    }
