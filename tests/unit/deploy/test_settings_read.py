"""Settings that cannot be read end a command with what is wrong and what to do, and show nothing of their values."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from backbone.meldinger import messages
from backbone.settings import MissingSecret, Settings
from deploy import up
from deploy.cli import app
from deploy.migrate import NewerData

SECRET = "c2VjcmV0IHNlY3JldCBzZWNyZXQ"


def told(code: str, **args: Any) -> str:
    texts = messages("deploy")
    return f"{texts.text(code, **args)}\n{texts.action(code, **args)}\n"


@pytest.mark.parametrize(
    "command",
    [["status"], ["doctor"], ["serve", "relay"], ["up", "--data-dir", "."]],
    ids=lambda c: c[0],
)
@pytest.mark.parametrize(
    ("variable", "value", "melding"),
    [
        (
            "SAMSPOR_CONSUMER_BATCH",
            SECRET,
            "SAMSPOR_CONSUMER_BATCH: Input should be a valid integer, unable to parse string as an integer",
        ),
        (
            "SAMSPOR_KEK_EARLIER",
            f'{{"kek-1": ["{SECRET}"]}}',
            "SAMSPOR_KEK_EARLIER: Input should be a valid string",
        ),
        (
            "SAMSPOR_KEK_EARLIER",
            f'{{"kek-1": "{SECRET}',
            'error parsing value for field "kek_earlier" from source "EnvSettingsSource"',
        ),
    ],
)
def test_a_variable_that_cannot_be_read_is_named_and_its_value_is_not_shown(
    command: list[str],
    variable: str,
    value: str,
    melding: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, value)
    answer = CliRunner().invoke(app, command)
    assert SECRET not in answer.output
    assert (answer.exit_code, answer.output) == (2, told("innstilling-ugyldig", melding=melding))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", '{"kek": "', "[]", '{"identity_key": "x"}'])
@pytest.mark.parametrize("command", ["status", "keys new", "keys rotate"])
def test_a_damaged_file_of_secrets_is_named_and_left_as_it_is(
    command: str, content: str, tmp_path: Path
) -> None:
    file = tmp_path / "hemmeligheter.json"
    file.write_text(content)
    answer = CliRunner().invoke(app, [*command.split(), "--data-dir", str(tmp_path)])
    assert (answer.exit_code, answer.output) == (2, told("hemmeligheter-skadet", fil=str(file)))
    assert [path.name for path in tmp_path.iterdir()] == [file.name] and file.read_text() == content


def test_a_new_key_is_not_made_where_two_have_the_current_ones_name(tmp_path: Path) -> None:
    Settings.embedded(tmp_path)
    file = tmp_path / "hemmeligheter.json"
    file.write_text(file.read_text()[:-1] + ', "kek_earlier": {"kek-1": "another"}}')
    answer = CliRunner().invoke(app, ["keys", "new", "--data-dir", str(tmp_path)])
    assert answer.exit_code == 2 and "kek-1" in answer.output and "another" not in answer.output


@pytest.mark.parametrize(
    ("failure", "code"),
    [(NewerData("samtykke"), "lege-database-nyere"), (MissingSecret("SAMSPOR_KEK"), "innstilling-mangler")],
)
def test_a_run_that_cannot_prepare_its_databases_says_why(
    failure: Exception,
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def ready(*_: object) -> str:
        return "127.0.0.1:9"

    async def for_ever(*_: object) -> None:
        await asyncio.Event().wait()

    async def migrate(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setenv("SAMSPOR_KAFKA", "127.0.0.1:9")
    monkeypatch.setenv("SAMSPOR_DATABASE_URL", "postgresql://127.0.0.1:9")
    monkeypatch.setattr(up._Run, "_answers", ready)
    monkeypatch.setattr(up._Run, "_prepare_topics", for_ever)
    monkeypatch.setattr(up, "migrate", migrate)
    assert up.up(up.Options(tmp_path / "d", port=0, simulate=False)) == 2
    assert capfd.readouterr().err.endswith(told(code, navn=str(failure), melding=str(failure)))


def test_what_settings_say_of_a_value_does_not_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMSPOR_KEK_EARLIER", f'{{"kek-1": ["{SECRET}"]}}')
    with pytest.raises(ValidationError) as error:
        Settings()
    assert SECRET not in str(error.value)
