"""tests/expected.toml: what the command line says of each public sample, held to it file by file."""

import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from contracts.catalogue import PREFIX, Catalogue
from contracts.personnummer import identity_numbers, is_synthetic
from deploy.cli import app
from tests.unit.formats.schemas import SAMPLES, needs_samples

EXPECTED: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).resolve().parents[2] / "expected.toml").read_text()
)["fil"]


def name(entry: dict[str, Any]) -> str:
    beside = (key for key in ("person", "barn", "bytt_identer") if key in entry)
    return " ".join([entry["format"], Path(entry["fil"]).name, *beside])


def is_message(file: Path) -> bool:
    """What a fagsystem sends, and not a description of it."""
    if file.suffix == ".json":
        return "$schema" not in orjson.loads(file.read_bytes())
    return file.suffix == ".xml"


@needs_samples
@pytest.mark.parametrize("entry", EXPECTED, ids=name)
def test_a_sample_becomes_the_events_or_the_problems_that_are_expected(entry: dict[str, Any]) -> None:
    arguments = ["send", entry["tjeneste"], str(SAMPLES / entry["fil"]), "--format", entry["format"]]
    arguments += ["--person", entry["person"]] if "person" in entry else []
    arguments += [part for barn in entry.get("barn", ()) for part in ("--barn", barn)]
    arguments += ["--bytt-identer"] if entry.get("bytt_identer") else []
    answer = CliRunner().invoke(app, [*arguments, "--dry-run", "--json"])
    told = orjson.loads(answer.stdout)
    assert [[h["type"], h["nokkel"]] for h in told["hendelser"]] == entry.get("hendelser", [])
    assert [[f["peker"], f["kode"]] for f in told["feil"]] == entry.get("problemer", [])
    assert [[a["peker"], a["kode"]] for a in told["advarsler"]] == entry.get("advarsler", [])
    assert answer.exit_code == (1 if "problemer" in entry else 0)
    assert not any(identity_numbers(orjson.dumps({**told, "fil": ""}).decode()))


@needs_samples
def test_every_message_among_the_samples_is_expected_to_become_something() -> None:
    messages = {
        f.relative_to(SAMPLES).as_posix() for f in SAMPLES.rglob("*") if f.is_file() and is_message(f)
    }
    assert messages == {entry["fil"] for entry in EXPECTED}


def test_what_is_expected_is_of_the_catalogue_and_about_synthetic_persons() -> None:
    catalogue = Catalogue.standard()
    for entry in EXPECTED:
        assert ("hendelser" in entry) != ("problemer" in entry), name(entry)
        for full_type, _ in entry.get("hendelser", ()):
            assert catalogue.event_type(full_type).navn in full_type
            assert full_type.startswith(f"{PREFIX}{entry['tjeneste']}.")
        persons = (entry.get("person"), *entry.get("barn", ()))
        assert all(is_synthetic(person) for person in persons if person)
