"""`samspor contracts`: the contract as it is committed, held against the code, and written anew from it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

import contracts
from backbone.meldinger import Argument, messages
from deploy.commands.felles import progress, write_json

if TYPE_CHECKING:
    from contracts.catalogue import Catalogue
    from contracts.kompatibilitet import Brudd
    from contracts.skjema import SkjemaId

TEXTS = messages("contracts")
GENERATED = Path(contracts.__file__).parent / "generated"
TABLE = Path(contracts.__file__).parents[1] / "docs" / "hendelser.md"
ACCESS = TABLE.with_name("tilgang.md")
SCHEMAS, SAMPLES, ASYNCAPI = "schemas", "samples", "asyncapi.json"

app = typer.Typer(help=TEXTS.text("hjelp-contracts"), no_args_is_help=True)

Mappe = Annotated[Path, typer.Option("--mappe", show_default=False, help=TEXTS.text("hjelp-contracts-mappe"))]
Json = Annotated[bool, typer.Option("--json", help=TEXTS.text("hjelp-contracts-json"))]


def register(samspor: typer.Typer) -> None:
    samspor.add_typer(app, name="contracts")


@app.command("check", help=TEXTS.text("hjelp-contracts-check"))
def check(mappe: Mappe = GENERATED, as_json: Json = False) -> None:
    from contracts.catalogue import Catalogue
    from contracts.kompatibilitet import sammenlign
    from contracts.skjema import schemas

    catalogue = Catalogue.standard()
    recorded = read_documents(mappe / SCHEMAS)
    if not recorded:
        fail("contracts-ingen", mappe=str(mappe))
    compared = sammenlign(recorded, schemas(catalogue))
    brudd = [*broken(compared.brudd), *unreadable(read_documents(mappe / SAMPLES), catalogue)]
    for found in brudd:
        progress.print(f"✗ {found['sted']}: {found['feil']}", style="red", markup=False)
        progress.print(f"  {found['gjor']}", markup=False)
    if brudd:
        progress.print(f"{say('contracts-brutt', antall=len(brudd))} {say('brudd-lost')}", markup=False)
    elif compared.a_jour:
        progress.print(say("contracts-hel", antall=len(recorded)))
    else:
        changed = len(compared.endret) + len(compared.foreldet)
        progress.print(say("contracts-generer", nye=len(compared.nye), endret=changed))
    if as_json:
        write_json({"brudd": brudd, "nye": [str(i) for i in compared.nye], "a_jour": compared.a_jour})
    raise typer.Exit(1 if brudd else 0)


@app.command("generate", help=TEXTS.text("hjelp-contracts-generate"))
def generate(
    mappe: Mappe = GENERATED,
    dokument: Annotated[
        Path, typer.Option("--dokument", show_default=False, help=TEXTS.text("hjelp-contracts-dokument"))
    ] = TABLE,
    godta_brudd: Annotated[
        bool, typer.Option("--godta-brudd", help=TEXTS.text("hjelp-contracts-godta-brudd"))
    ] = False,
) -> None:
    """Refuses to write over a contract that the code breaks: what is recorded would then agree with anything."""
    from contracts.catalogue import Catalogue
    from contracts.kompatibilitet import sammenlign
    from contracts.skjema import schemas

    catalogue = Catalogue.standard()
    compared = sammenlign(read_documents(mappe / SCHEMAS), schemas(catalogue))
    lost = {Path(found["fil"]) for found in unreadable(read_documents(mappe / SAMPLES), catalogue)}
    if (compared.brudd or lost) and not godta_brudd:
        check(mappe)
    wanted = {mappe / name: content for name, content in files(catalogue).items()}
    samples = {path for path in wanted if path.is_relative_to(mappe / SAMPLES)}
    recorded = {path for path in samples if path.exists()} - {mappe / SAMPLES / path for path in lost}
    wanted[dokument] = table(catalogue)
    wanted[dokument.with_name(ACCESS.name)] = access()
    written = write({path: content for path, content in wanted.items() if path not in recorded})
    gone = {mappe / SCHEMAS / id_.path for id_ in compared.foreldet}
    gone |= {mappe / SAMPLES / path for path in lost} - samples
    for path in gone:
        path.unlink()
    progress.print(say("contracts-skrevet", antall=written + len(gone)))


def write(wanted: Mapping[Path, str]) -> int:
    """How many of the files were not as wanted."""
    changed = [
        path for path, content in wanted.items() if not path.exists() or path.read_text("utf-8") != content
    ]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], "utf-8")
    return len(changed)


def files(catalogue: "Catalogue") -> dict[str, str]:
    """Everything that is generated below the contract's folder, by its path there."""
    from contracts import asyncapi, sample, skjema

    return {
        ASYNCAPI: _json(asyncapi.document(catalogue)),
        **{f"{SCHEMAS}/{id_.path}": _json(s) for id_, s in skjema.schemas(catalogue).items()},
        **{
            f"{SAMPLES}/{id_.path}": _json(sample.sample(catalogue, id_))
            for id_ in skjema.versions(catalogue)
        },
    }


def table(catalogue: "Catalogue") -> str:
    from contracts.hendelsestabell import render

    return render(catalogue, TEXTS.text)


def access() -> str:
    from contracts.lov import Lov
    from contracts.tilgangstabell import render

    return render(Lov(), TEXTS.text)


def read_documents(folder: Path) -> dict["SkjemaId", dict[str, Any]]:
    """The JSON documents below `folder` by their SkjemaId. Ends the command on a file that is none."""
    from contracts.skjema import SkjemaId

    found: dict[SkjemaId, dict[str, Any]] = {}
    for path in sorted(folder.rglob("*.json")):
        try:
            id_ = SkjemaId.of_path(path.relative_to(folder).as_posix())
            found[id_] = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            fail("contracts-ulest", fil=str(path))
    return found


def broken(found: "Iterable[Brudd]") -> list[dict[str, str]]:
    """What is wrong, where, and what to do, for each."""
    return [_said(b.skjema, b.felt, b.kode, fra=b.fra, til=b.til) for b in found]


def unreadable(samples: Mapping["SkjemaId", dict[str, Any]], catalogue: "Catalogue") -> list[dict[str, str]]:
    """The recorded samples that today's code cannot read."""
    from contracts import sample
    from contracts.envelope import ContractError

    found = []
    for id_, document in samples.items():
        try:
            sample.read(document, id_, catalogue)
        except ContractError as error:
            found.append(_said(id_, str(error), "eksempel-ulest", felt=str(error)))
    return found


def _said(id_: "SkjemaId", felt: str, kode: str, /, **args: Argument) -> dict[str, str]:
    return {
        "sted": f"{id_}, {felt}" if felt else str(id_),
        "fil": id_.path,
        "hendelse": id_.navn,
        "felt": felt,
        "kode": kode,
        "feil": say(kode, **args),
        "gjor": TEXTS.action(kode, **args),
    }


def say(code: str, **args: Argument) -> str:
    return TEXTS.text(code, **args)


def fail(code: str, **args: Argument) -> NoReturn:
    progress.print(f"[red]{say(code, **args)}[/red]")
    progress.print(TEXTS.action(code, **args))
    raise typer.Exit(2)


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
