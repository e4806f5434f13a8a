"""What commands share: texts, the two consoles, which running Samspor is meant, and errors a user can act on."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import orjson
import typer
from rich.console import Console

from backbone.meldinger import Argument, messages

DATA_DIR = Path(".samspor")
progress = Console(stderr=True, highlight=False, soft_wrap=True)
result = Console(highlight=False, soft_wrap=True)


def text(code: str, **args: Argument) -> str:
    return messages("deploy").text(code, **args)


def told(code: str, **args: Argument) -> dict[str, str]:
    """As a service tells a problem: {"feil", "gjor"}."""
    return {"feil": text(code, **args), "gjor": messages("deploy").action(code, **args)}


def fail(code: str, exit_code: int = 2, **args: Argument) -> NoReturn:
    """Say what is wrong and what to do about it, and end."""
    progress.print(f"[red]{text(code, **args)}[/red]")
    progress.print(messages("deploy").action(code, **args))
    raise typer.Exit(exit_code)


def rejected(problem: dict[str, Any]) -> NoReturn:
    """Say why another part said no (RFC 9457), and end."""
    places = problem.get("feil") or [problem]
    said = " ".join(f"{p.get('peker', '')} {p.get('feil') or p.get('title', '')}".strip() for p in places)
    fail("avslag", 1, melding=said, raad=str(places[0].get("gjor") or problem.get("detail") or "–"))


def write_json(content: Any) -> None:
    """One line on stdout."""
    typer.echo(orjson.dumps(content).decode())


def run(main: Callable[[], Awaitable[None]]) -> None:
    import asyncio
    import logging

    # The command says itself what is wrong. Without a handler Python prints all that its libraries warn of.
    logging.getLogger().addHandler(logging.NullHandler())

    async def begin() -> None:
        await main()

    asyncio.run(begin())


@contextmanager
def read_or_fail() -> Iterator[None]:
    """Ends the command where settings cannot be read; no value is shown, it could be a secret."""
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from backbone.settings import DamagedSecrets, Settings

    try:
        yield
    except DamagedSecrets as damaged:
        fail("hemmeligheter-skadet", fil=str(damaged))
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        wrong = [f"SAMSPOR_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False)]
        fail("innstilling-ugyldig", melding="; ".join(wrong))
    except SettingsError as error:
        fail("innstilling-ugyldig", melding=str(error))


def settings(data_dir: Path) -> Any:
    """The settings of the run with this data where there is one, else those of the environment."""
    with read_or_fail():
        return _settings(data_dir)


def _settings(data_dir: Path) -> Any:
    from backbone.settings import Settings

    run_file = data_dir / "kjorer.json"
    if not (data_dir / "hemmeligheter.json").exists():
        return Settings()
    if not run_file.exists():
        return Settings.embedded(data_dir)
    running = orjson.loads(run_file.read_bytes())
    return Settings.embedded(
        data_dir,
        kafka=running["kafka"],
        database_url=running["database_url"],
        urls={
            part: running[part]
            for part in ("portal", "tjenester", "samtykke", "samordning", "relay", "innboks")
            if part in running
        },
    )


def tokens(data_dir: Path, token_file: Path | None) -> dict[str, str]:
    """Tokens by name: from `token_file` (JSON, or one bare token that then serves every name) or the run's own."""
    path = token_file or data_dir / "tokens.json"
    try:
        content = path.read_text().strip()
    except OSError:
        fail("token-fil-mangler", fil=str(path))
    if not content.startswith("{"):
        return OneForAll(content)
    found: dict[str, str] = orjson.loads(content)
    return found


class OneForAll(dict[str, str]):
    """A token that serves every name."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def __missing__(self, _: str) -> str:
        return self._token


def read_person(given: str) -> str:
    """The number itself, or "-" for a line from stdin and "@file" for a file's first line: `ps` shows arguments."""
    if given == "-":
        return typer.get_text_stream("stdin").readline().strip()
    if given.startswith("@"):
        try:
            return Path(given[1:]).read_text().split("\n", 1)[0].strip()
        except OSError:
            fail("person-ulest", fil=given[1:])
    return given


def samtykke(settings: Any, method: str, path: str, body: Any = None, **params: str) -> Any:
    """What samtykke answers; ends the command where it says no or is not there."""
    import asyncio

    from backbone.failures import Retry
    from backbone.samtykke_client import InternalClient, Rejected
    from backbone.settings import MissingSecret

    async def main() -> Any:
        async with InternalClient(settings, "cli", "samtykke") as client:
            return await client.call(method, path, body, **params)

    try:
        return asyncio.run(main())
    except MissingSecret as missing:
        fail("innstilling-mangler", melding=str(missing))
    except Retry:
        fail("ingen-forbindelse", adresse=settings.url("samtykke"))
    except Rejected as no:
        rejected(no.problem)


def show(answer: dict[str, Any], as_json: bool) -> None:
    """An answer's fields, a line each."""
    if as_json:
        write_json(answer)
        return
    for name, value in answer.items():
        result.print(f"{name}: {', '.join(value) if isinstance(value, list) else value}")
