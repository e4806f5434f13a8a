"""`samspor send`: files from a fagsystem, sent or only tried."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.commands import felles
from deploy.commands.felles import DATA_DIR, fail, progress, read_person, text, write_json

if TYPE_CHECKING:
    from contracts.catalogue import Catalogue
    from services.format import AnyFormat

STDIN = "-"
GENERIC = "hendelser"
TRIES_MAX = 5


def register(app: typer.Typer) -> None:
    app.command("send", help=text("hjelp-send"))(send)


def send(
    tjeneste: Annotated[str, typer.Argument(help=text("hjelp-send-tjeneste"))],
    filer: Annotated[list[str], typer.Argument(metavar="FIL…", help=text("hjelp-send-filer"))],
    format_: Annotated[str | None, typer.Option("--format", help=text("hjelp-send-format"))] = None,
    person: Annotated[str | None, typer.Option(help=text("hjelp-send-person"))] = None,
    barn: Annotated[list[str] | None, typer.Option(help=text("hjelp-send-barn"))] = None,
    bytt_identer: Annotated[
        bool, typer.Option("--bytt-identer", help=text("hjelp-send-bytt-identer"))
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=text("hjelp-send-dry-run"))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=text("hjelp-json"))] = False,
    token_fil: Annotated[Path | None, typer.Option("--token-fil", help=text("hjelp-token-fil"))] = None,
    data_dir: Annotated[
        Path, typer.Option(envvar="SAMSPOR_DATA_DIR", help=text("hjelp-data-dir"))
    ] = DATA_DIR,
) -> None:
    from contracts.catalogue import Catalogue
    from services.dry_run import bytt_identer as swapped
    from services.format import Companion

    catalogue = Catalogue.standard()
    fmt = _format(catalogue, tjeneste, format_)
    companion = Companion(read_person(person) if person else None, tuple(read_person(b) for b in barn or ()))
    bodies = [(fil, _read(fil)) for fil in filer]
    if bytt_identer:
        bodies = [(fil, swapped(body)) for fil, body in bodies]
        companion = Companion(
            _swapped(companion.person), tuple(filter(None, (_swapped(nummer) for nummer in companion.barn)))
        )
    if dry_run:
        answers = _try(catalogue, tjeneste, fmt, bodies, companion)
    else:
        answers = _send(tjeneste, fmt, bodies, companion, data_dir, token_fil)
    refused = False
    for answer in answers:
        refused = refused or bool(answer["feil"])
        if as_json:
            write_json(answer)
        else:
            _tell(answer)
    raise typer.Exit(1 if refused else 0)


def _format(catalogue: "Catalogue", tjeneste: str, navn: str | None) -> "AnyFormat":
    """The named format; without a name the service's only one, or Samspor's own JSON where it has none or many."""
    from services.registry import standard
    from services.runner.generic import GenericJson

    if tjeneste not in catalogue.tjenester:
        fail("ukjent-tjeneste", navn=tjeneste, kjente=", ".join(catalogue.tjenester))
    formats = {**standard(catalogue).formats[tjeneste], GENERIC: GenericJson()}
    if navn is None:
        own = [name for name in formats if name != GENERIC]
        navn = own[0] if len(own) == 1 else GENERIC
    if navn not in formats:
        fail("ukjent-format", tjeneste=tjeneste, navn=navn, kjente=", ".join(formats))
    return formats[navn]


def _read(fil: str) -> bytes:
    if fil == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(fil).read_bytes()
    except OSError as error:
        fail("fil-ulest", fil=fil, grunn=error.strerror or type(error).__name__)


def _swapped(nummer: str | None) -> str | None:
    from contracts.personnummer import InvalidNumber, swap

    try:
        return swap(nummer) if nummer else nummer
    except InvalidNumber:
        return nummer  # the service says what is wrong with it


def _try(
    catalogue: "Catalogue", tjeneste: str, fmt: "AnyFormat", bodies: list[tuple[str, bytes]], companion: Any
) -> list[dict[str, Any]]:
    from backbone.clock import system_clock
    from services.dry_run import judge

    now = system_clock()
    return [
        judge(tjeneste, fmt, body, companion, catalogue, now).as_dict(fil)  #
        for fil, body in bodies
    ]


def _send(
    tjeneste: str,
    fmt: "AnyFormat",
    bodies: list[tuple[str, bytes]],
    companion: Any,
    data_dir: Path,
    token_fil: Path | None,
) -> list[dict[str, Any]]:
    import asyncio

    import httpx

    from backbone.clock import system_clock
    from deploy.klient import Fagsystem
    from deploy.kommune.hverdag import Sending

    url = felles.settings(data_dir).url("tjenester")
    tokens = felles.tokens(data_dir, token_fil)

    async def main() -> list[dict[str, Any]]:
        answers = []
        async with Fagsystem(url, tokens) as fagsystem:
            for fil, body in bodies:
                name = None if fmt.navn == GENERIC else fmt.navn
                sending = Sending(tjeneste, system_clock(), body, fil, name, companion.person, companion.barn)
                svar = await fagsystem.send(sending, TRIES_MAX)
                answers.append({"fil": fil, "kvitteringer": svar.kvitteringer, "feil": svar.feil})
        return answers

    try:
        return asyncio.run(main())
    except (httpx.TransportError, httpx.HTTPStatusError):
        fail("ingen-forbindelse", adresse=url)
    except KeyError:
        fail("token-for-mangler", fil=str(token_fil or data_dir / "tokens.json"), navn=tjeneste)


def _tell(answer: dict[str, Any]) -> None:
    receipts = answer.get("kvitteringer", [])
    known = sum(receipt["status"] == "kjent" for receipt in receipts)
    events = answer.get("hendelser", receipts)
    progress.print(
        text(
            "send-fil",
            fil=answer["fil"],
            mottatt=len(events) - known,
            kjent=known,
            feil=len(answer["feil"]),
        )
    )
    for event in answer.get("hendelser", []):
        progress.print(text("send-hendelse", type=event["type"]))
    for problem in answer["feil"]:
        progress.print(text("send-feil", peker=problem["peker"], feil=problem["feil"], gjor=problem["gjor"]))
    for warning in answer.get("advarsler", []):
        progress.print(text("send-advarsel", peker=warning["peker"], feil=warning["feil"]))
