"""`samspor rebuild`: fact sets and tasks anew from the timelines."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands import felles
from deploy.commands.felles import DATA_DIR, fail, progress, result, text, write_json

if TYPE_CHECKING:
    from consumers.coordination.gjenoppbygging import Rapport

DIFFERENT = 1


def register(app: typer.Typer) -> None:
    app.command("rebuild", help=text("hjelp-rebuild"))(rebuild)


def rebuild(
    data_dir: Annotated[
        Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))
    ] = DATA_DIR,
    godta: Annotated[bool, typer.Option("--godta", help=text("hjelp-rebuild-godta"))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=text("hjelp-json"))] = False,
) -> None:
    async def main() -> None:
        from backbone.clock import system_clock
        from backbone.database import DATABASE_AWAY, create_engine
        from backbone.failures import Retry
        from backbone.samtykke_client import Rejected, SamtykkeClient
        from backbone.settings import MissingSecret
        from consumers.coordination.gjenoppbygging import Busy, Gjenoppbygging
        from consumers.coordination.regler.standard import with_local
        from contracts.catalogue import Catalogue
        from contracts.tjenester import SAMORDNING

        settings = felles.settings(data_dir)
        began = time.perf_counter()
        try:
            engine = create_engine(settings, SAMORDNING)
            async with SamtykkeClient(settings, SAMORDNING) as samtykke:
                rules = with_local(Catalogue.standard(), settings.lokale_regler)
                work = Gjenoppbygging(engine, samtykke, settings, rules, system_clock, _progress)
                report = await work.run(godta)
            await engine.dispose()
        except MissingSecret as missing:
            fail("innstilling-mangler", melding=str(missing))
        except Busy:
            fail("rebuild-opptatt")
        except (Retry, Rejected, *DATABASE_AWAY) as error:
            fail("rebuild-utilgjengelig", feil=type(error).__name__)
        _tell(report, time.perf_counter() - began, as_json)

    felles.run(main)


def _progress(report: "Rapport") -> None:
    progress.print(text("rebuild-framdrift", barn=report.barn, hendelser=report.hendelser), end="\r")


def _tell(report: "Rapport", seconds: float, as_json: bool) -> None:
    from dataclasses import asdict

    rate = round(report.hendelser / seconds)
    if as_json:
        write_json(
            {
                **asdict(report),
                "lik": report.lik,
                "sekunder": round(seconds, 2),
                "hendelser_i_sekundet": rate,
            }
        )
    else:
        counts = {"barn": report.barn, "hendelser": report.hendelser, "omigjen": report.omigjen}
        progress.print(text("rebuild-ferdig", **counts, sekunder=round(seconds, 1), fart=rate))
        for regel, avvik in report.avvik.items():
            result.print(text("rebuild-avvik", regel=regel, **asdict(avvik)))
        if report.ulike_faktasett:
            result.print(text("rebuild-faktasett", antall=report.ulike_faktasett))
        if report.lik:
            result.print(text("rebuild-lik", avtrykk=report.digest_etter[:16]))
        elif report.byttet:
            result.print(text("rebuild-byttet", fortalt=report.fortalt))
    if not report.byttet:
        if as_json:
            raise typer.Exit(DIFFERENT)
        fail("rebuild-ikke-byttet", DIFFERENT)
