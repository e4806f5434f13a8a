"""`samspor send`: files from a fagsystem, sent or only tried; or a folder that is followed."""

import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.commands import felles
from deploy.commands.felles import DATA_DIR, fail, progress, read_person, text, told, write_json

if TYPE_CHECKING:
    from contracts.catalogue import Catalogue
    from services.format import AnyFormat, Companion

STDIN = "-"
GENERIC = "hendelser"
TRIES_MAX = 5
FILE_BYTES_MOST = 256 * 1024 * 1024

Bodies = Iterable[tuple[str, bytes | None]]


def register(app: typer.Typer) -> None:
    app.command("send", help=text("hjelp-send"))(send)


def send(
    tjeneste: Annotated[str, typer.Argument(help=text("hjelp-send-tjeneste"))],
    filer: Annotated[
        list[str] | None, typer.Argument(metavar="FIL…", show_default=False, help=text("hjelp-send-filer"))
    ] = None,
    format_: Annotated[str | None, typer.Option("--format", help=text("hjelp-send-format"))] = None,
    person: Annotated[str | None, typer.Option(help=text("hjelp-send-person"))] = None,
    barn: Annotated[list[str] | None, typer.Option(help=text("hjelp-send-barn"))] = None,
    bytt_identer: Annotated[
        bool, typer.Option("--bytt-identer", help=text("hjelp-send-bytt-identer"))
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=text("hjelp-send-dry-run"))] = False,
    folg: Annotated[
        Path | None, typer.Option("--følg", "--folg", metavar="MAPPE", help=text("hjelp-send-folg"))
    ] = None,
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
    if folg:
        if filer or person or barn or dry_run:
            fail("folg-alene")
        _follow(tjeneste, fmt, folg, data_dir, token_fil, bytt_identer=bytt_identer, as_json=as_json)
        return
    if not filer:
        fail("send-hva")
    companion = Companion(read_person(person) if person else None, tuple(read_person(b) for b in barn or ()))
    bodies: Bodies = ((fil, _read(fil)) for fil in filer)  # one at a time
    if bytt_identer:
        bodies = ((fil, swapped(body) if body else body) for fil, body in bodies)
        companion = _swapped_in(companion)
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


def _read(fil: str) -> bytes | None:
    """None for a file that is larger than we take, which is not read to its end."""
    try:
        with sys.stdin.buffer if fil == STDIN else Path(fil).open("rb") as file:
            if fil != STDIN and os.fstat(file.fileno()).st_size > FILE_BYTES_MOST:
                return None
            body = file.read(FILE_BYTES_MOST + 1)
    except OSError as error:
        fail("fil-ulest", fil=fil, grunn=error.strerror or type(error).__name__)
    return body if len(body) <= FILE_BYTES_MOST else None


def _too_large(fil: str, taken: str) -> dict[str, Any]:
    error = {"peker": "", "kode": "fil-for-stor", **told("fil-for-stor", maks=FILE_BYTES_MOST)}
    return {"fil": fil, taken: [], "feil": [error], "advarsler": []}


def _swapped_in(companion: "Companion") -> "Companion":
    barn = (_swapped(nummer) for nummer in companion.barn)
    return replace(companion, person=_swapped(companion.person), barn=tuple(filter(None, barn)))


def _swapped(nummer: str | None) -> str | None:
    from contracts.personnummer import InvalidNumber, swap

    try:
        return swap(nummer) if nummer else nummer
    except InvalidNumber:
        return nummer  # the service says what is wrong with it


def _try(
    catalogue: "Catalogue",
    tjeneste: str,
    fmt: "AnyFormat",
    bodies: Bodies,
    companion: "Companion",
) -> list[dict[str, Any]]:
    from backbone.clock import system_clock
    from services.dry_run import judge

    now = system_clock()
    return [
        _too_large(fil, "hendelser")
        if body is None
        else judge(tjeneste, fmt, body, companion, catalogue, now).as_dict(fil)
        for fil, body in bodies
    ]


def _send(
    tjeneste: str,
    fmt: "AnyFormat",
    bodies: Bodies,
    companion: "Companion",
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
                if body is None:
                    answers.append(_too_large(fil, "kvitteringer"))
                    continue
                name = None if fmt.navn == GENERIC else fmt.navn
                sending = Sending(tjeneste, system_clock(), body, fil, name, companion.person, companion.barn)
                svar = await fagsystem.send(sending, TRIES_MAX)
                answers.append(
                    {
                        "fil": fil,
                        "kvitteringer": svar.kvitteringer,
                        "feil": svar.feil,
                        "advarsler": svar.advarsler,
                    }
                )
        return answers

    try:
        return asyncio.run(main())
    except (httpx.TransportError, httpx.HTTPStatusError):
        fail("ingen-forbindelse", adresse=url)
    except KeyError:
        fail("token-for-mangler", fil=str(token_fil or data_dir / "tokens.json"), navn=tjeneste)


def _follow(
    tjeneste: str,
    fmt: "AnyFormat",
    folder: Path,
    data_dir: Path,
    token_fil: Path | None,
    *,
    bytt_identer: bool,
    as_json: bool,
) -> None:
    """Until SIGINT or SIGTERM."""
    import asyncio
    import signal

    from backbone.clock import system_clock
    from deploy.filslipp import Filslipp, FolderTaken
    from deploy.klient import Fagsystem, Svar
    from deploy.kommune.hverdag import Sending
    from services.dry_run import bytt_identer as swapped

    url = felles.settings(data_dir).url("tjenester")
    tokens = felles.tokens(data_dir, token_fil)
    if tjeneste not in tokens and not isinstance(tokens, felles.OneForAll):
        fail("token-for-mangler", fil=str(token_fil or data_dir / "tokens.json"), navn=tjeneste)
    name = None if fmt.navn == GENERIC else fmt.navn

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with Fagsystem(url, tokens) as fagsystem:

            async def send(body: bytes, companion: "Companion") -> Svar:
                if bytt_identer:
                    body, companion = swapped(body), _swapped_in(companion)
                person, barn = companion.person, companion.barn
                return await fagsystem.send(
                    Sending(tjeneste, system_clock(), body, "", name, person, barn), 1
                )

            await Filslipp(
                folder,
                send,
                told=write_json if as_json else _tell,
                waiting=lambda code: progress.print(text(code, adresse=url)),
                clock=system_clock,
                file_bytes_most=FILE_BYTES_MOST,
            ).run(stop)

    progress.print(text("folg-begynner", mappe=str(folder), tjeneste=tjeneste))
    try:
        asyncio.run(main())
    except FolderTaken:
        fail("folg-opptatt", mappe=str(folder))
    except OSError as error:
        fail("folg-mappe", mappe=str(folder), grunn=error.strerror or type(error).__name__)
    progress.print(text("folg-stoppet"))


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
