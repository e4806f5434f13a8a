"""`samspor audit`: is the ledger what was sealed, and the whole way of an event, a task or a child."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.meldinger import messages
from deploy.commands import felles
from deploy.commands.felles import DATA_DIR, fail, result, text, write_json

if TYPE_CHECKING:
    from backbone.ledger import Head, Verified

DataDir = Annotated[Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))]
AsJson = Annotated[bool, typer.Option("--json", help=text("hjelp-json"))]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help=text("hjelp-audit"), no_args_is_help=True)
    for name, command in (("verify", verify), ("hoder", hoder), ("show", show)):
        group.command(name, help=text(f"hjelp-audit-{name}"))(command)
    app.add_typer(group, name="audit")


def verify(
    hoder: Annotated[Path | None, typer.Option(help=text("hjelp-audit-hodefil"))] = None,
    uten_hoder: Annotated[bool, typer.Option("--uten-hoder", help=text("hjelp-audit-uten"))] = False,
    database: Annotated[list[str] | None, typer.Option(help=text("hjelp-audit-database"))] = None,
    data_dir: DataDir = DATA_DIR,
    as_json: AsJson = False,
) -> None:
    async def main() -> None:
        from contracts.catalogue import Catalogue
        from deploy import revisjon

        settings = felles.settings(data_dir)
        known = revisjon.ledgers(Catalogue.standard())
        if unknown := set(database or ()) - set(known):
            fail("audit-database", navn=", ".join(sorted(unknown)), kjente=", ".join(known))
        heads: list[Head] = []
        if hoder is not None:
            try:
                heads = revisjon.heads_in(hoder)
            except (OSError, ValueError):
                fail("audit-hodefil", fil=str(hoder))
        elif not uten_hoder:
            heads = await revisjon.published(settings)
        found = await revisjon.verify(settings, database or known, heads)
        if as_json:
            write_json([_told(one) for one in found])
        else:
            for one in found:
                result.print(_said(one))
                if not uten_hoder:
                    result.print(_last(one))
            if uten_hoder:
                result.print(text("audit-uten-hoder"))
        if any(one.fault for one in found):
            raise typer.Exit(1)

    _run(main)


def hoder(data_dir: DataDir = DATA_DIR) -> None:
    async def main() -> None:
        from deploy import revisjon

        typer.echo(revisjon.encoded(await revisjon.published(felles.settings(data_dir))), nl=False)

    _run(main)


def show(
    navn: Annotated[str, typer.Argument(metavar="HENDELSE|OPPGAVE|PERSON", help=text("hjelp-audit-navn"))],
    token_fil: Annotated[Path, typer.Option("--token-fil", help=text("hjelp-audit-token"))],
    data_dir: DataDir = DATA_DIR,
    as_json: AsJson = False,
) -> None:
    async def main() -> None:
        from backbone.clock import system_clock
        from backbone.samtykke_client import Rejected, SamtykkeClient
        from backbone.tokens import InvalidToken, verify
        from contracts.catalogue import Catalogue
        from deploy.revisjon import Denied, Sporing, Unknown

        settings = felles.settings(data_dir)
        try:
            viewer = verify(token_fil.read_text().strip(), settings, system_clock())
        except OSError:
            fail("token-fil-mangler", fil=str(token_fil))
        except InvalidToken:
            fail("audit-token")
        async with SamtykkeClient(settings, "cli") as samtykke:
            try:
                steps = await Sporing(settings, Catalogue.standard(), samtykke, viewer, system_clock).follow(
                    navn
                )
            except Denied as denied:
                fail("audit-nektet", 1, grunn=denied.kode)
            except Unknown:
                fail("audit-ukjent", 1)
            except Rejected as no:
                felles.rejected(no.problem)
        if as_json:
            write_json([step.as_json() for step in steps])
            return
        for step in steps:
            more = " ".join(f"{name}={value}" for name, value in step.mer.items() if value not in (None, []))
            said = text(f"audit-steg-{step.hva}")
            result.print(f"{step.tid:%Y-%m-%d %H:%M:%S}  {step.hvor:<13} {said}  [dim]{more}[/dim]")

    _run(main)


def _told(one: "Verified") -> dict[str, object]:
    fault = one.fault
    return {
        "kjede": one.kjede,
        "rader": one.rader,
        "hoder": one.hoder,
        "uforseglet": one.uforseglet,
        "siste_hode": one.siste and {"nummer": one.siste.nummer, "tid": one.siste.tid},
        "feil": fault
        and {"slag": fault.feil, "nummer": fault.nummer, "lopenr": fault.lopenr, "til": fault.til},
    }


def _said(one: "Verified") -> str:
    if one.fault is None:
        return text("audit-hel", kjede=one.kjede, rader=one.rader, hoder=one.hoder, uforseglet=one.uforseglet)
    code = f"audit-feil-{one.fault.feil}"
    row, to = one.fault.lopenr or 0, one.fault.til or 0
    said = text(code, kjede=one.kjede, nummer=one.fault.nummer, rad=row, til=to)
    return f"[red]{said}[/red] {messages('deploy').action(code)}"


def _last(one: "Verified") -> str:
    """How far what was published reaches: what came after it has only the table to vouch for it."""
    if one.siste is None:
        return text("audit-ingen-hode", kjede=one.kjede)
    tid = f"{one.siste.tid:%Y-%m-%d %H:%M:%S %Z}" if one.siste.tid else "–"
    return text("audit-siste-hode", kjede=one.kjede, nummer=one.siste.nummer, tid=tid)


def _run(main: Callable[[], Awaitable[None]]) -> None:
    async def begin() -> None:
        import asyncpg
        from aiokafka.errors import KafkaError

        from backbone.failures import Retry
        from backbone.settings import MissingSecret

        try:
            await main()
        except MissingSecret as missing:
            fail("innstilling-mangler", melding=str(missing))
        except Retry:
            fail("ingen-forbindelse", adresse="samtykke")
        except KafkaError:
            fail("ingen-forbindelse", adresse="Kafka")
        except (OSError, asyncpg.PostgresError):
            fail("ingen-forbindelse", adresse="PostgreSQL")

    felles.run(begin)
