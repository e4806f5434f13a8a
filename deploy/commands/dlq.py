"""`samspor dlq`: what was set aside, why, and what to do with it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.meldinger import messages
from deploy.commands import felles
from deploy.commands.felles import DATA_DIR, fail, result, text, write_json

if TYPE_CHECKING:
    from deploy.dlq import DeadLetters, Entry

COLUMNS = ("id", "tilstand", "grunn", "type", "mottatt")
DataDir = Annotated[Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))]
AsJson = Annotated[bool, typer.Option("--json", help=text("hjelp-json"))]
Id = Annotated[str, typer.Argument(metavar="ID", help=text("hjelp-dlq-id"))]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help=text("hjelp-dlq"), no_args_is_help=True)
    for name, command in (("list", list_), ("show", show), ("replay", replay), ("drop", drop)):
        group.command(name, help=text(f"hjelp-dlq-{name}"))(command)
    app.add_typer(group, name="dlq")


def list_(
    data_dir: DataDir = DATA_DIR,
    antall: Annotated[int, typer.Option(min=1, max=10_000, help=text("hjelp-dlq-antall"))] = 100,
    as_json: AsJson = False,
) -> None:
    async def main(letters: "DeadLetters") -> None:
        entries = await letters.entries(antall)
        if as_json:
            write_json([entry.brief() for entry in entries])
        elif entries:
            _table(entries)
        else:
            result.print(text("dlq-tom"))

    _run(data_dir, main)


def show(id: Id, data_dir: DataDir = DATA_DIR, as_json: AsJson = False) -> None:
    async def main(letters: "DeadLetters") -> None:
        from deploy.dlq import Ref

        entry = await letters.show(Ref.parse(id))
        told = {**entry.brief(), **entry.mer, "forklaring": reason(entry), "gjor": advice(entry)}
        if as_json:
            write_json(told)
        else:
            for name, value in told.items():
                result.print(f"[bold]{name}[/bold]: {value}")

    _run(data_dir, main)


def replay(
    id: Annotated[list[str] | None, typer.Argument(metavar="ID…", help=text("hjelp-dlq-id"))] = None,
    alle: Annotated[bool, typer.Option("--alle", help=text("hjelp-dlq-alle"))] = False,
    data_dir: DataDir = DATA_DIR,
    as_json: AsJson = False,
) -> None:
    if bool(id) == alle:
        fail("dlq-hvilke")

    async def main(letters: "DeadLetters") -> None:
        from backbone.clock import system_clock
        from deploy.dlq import Ref

        if alle:
            entries = [e for e in await letters.entries(10_000) if "replay" in e.kan]
        else:
            entries = [await letters.show(Ref.parse(name)) for name in id or ()]
        for entry in entries:
            if "replay" not in entry.kan:
                fail("dlq-ikke-tatt-vare-pa", id=str(entry.ref))
        left = await letters.replay([e.ref for e in entries], system_clock())
        if as_json:
            write_json({"forsokt": [str(e.ref) for e in entries], "parkert": [e.brief() for e in left]})
            return
        result.print(text("dlq-forsokt", antall=len(entries), igjen=len(left)))
        if left:
            _table(left)

    _run(data_dir, main)


def drop(
    id: Id,
    ja: Annotated[bool, typer.Option("--ja", help=text("hjelp-dlq-ja"))] = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    async def main(letters: "DeadLetters") -> None:
        from backbone.clock import system_clock
        from deploy.dlq import Ref

        entry = await letters.show(Ref.parse(id))
        what = text("dlq-gi-opp" if entry.parkert else "dlq-glem", id=id, forklaring=reason(entry))
        if not ja and not typer.confirm(what):
            raise typer.Exit(1)
        await letters.drop(entry.ref, system_clock())
        result.print(text("dlq-gitt-opp" if entry.parkert else "dlq-glemt", id=id))

    _run(data_dir, main)


def message(entry: "Entry") -> str:
    """The message that explains the entry's reason."""
    if not entry.parkert:
        return "dlq-grunn-avvist"
    code = f"dlq-grunn-{entry.grunn}"
    return code if code in messages("deploy") else "dlq-grunn-feil"


def reason(entry: "Entry") -> str:
    return text(message(entry), grunn=entry.grunn)


def advice(entry: "Entry") -> str:
    return messages("deploy").action(message(entry), grunn=entry.grunn)


def _table(entries: "list[Entry]") -> None:
    from rich.table import Table

    table = Table(*COLUMNS, title=text("dlq-tittel"))
    for entry in entries:
        table.add_row(*(str(entry.brief()[column] or "") for column in COLUMNS))
    result.print(table)


def _run(data_dir: Path, main: "Callable[[DeadLetters], Awaitable[None]]") -> None:
    """Runs it with the dead letters of this installation, and says what is missing where it can't."""

    async def begin() -> None:
        from backbone.database import DATABASE_AWAY
        from backbone.failures import Retry
        from backbone.samtykke_client import Rejected
        from backbone.settings import MissingSecret
        from contracts.catalogue import Catalogue
        from deploy.dlq import DeadLetters, UnknownEntry

        try:
            await main(DeadLetters(felles.settings(data_dir), Catalogue.standard()))
        except MissingSecret as missing:
            fail("innstilling-mangler", melding=str(missing))
        except UnknownEntry as unknown:
            fail("dlq-ukjent", id=str(unknown))
        except Retry:
            fail("ingen-forbindelse", adresse="samordning")
        except Rejected as no:
            felles.rejected(no.problem)
        except DATABASE_AWAY:
            fail("ingen-forbindelse", adresse="PostgreSQL")

    felles.run(begin)
