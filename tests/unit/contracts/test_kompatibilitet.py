"""The recorded contract against the code's, event by event, and what `samspor contracts` makes of it."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contracts.catalogue import Catalogue
from contracts.hendelser import EventData, EventType, Innsats, Involvering, Skjerming
from contracts.kompatibilitet import Brudd, sammenlign
from contracts.skjema import HODE, JsonSchema, SkjemaId, X, schemas
from deploy.cli import app
from deploy.commands.contracts import GENERATED, SAMPLES, SCHEMAS

CATALOGUE = Catalogue.standard()
CURRENT = schemas(CATALOGUE)
FRAVAER = SkjemaId("skole", "fravaer.terskel-passert", 1)
UNDRING = SkjemaId("alle", "undring.registrert", 1)


def recorded(change: Callable[[dict[SkjemaId, JsonSchema]], object]) -> dict[SkjemaId, JsonSchema]:
    """What would have been recorded, had the code been otherwise."""
    old = copy.deepcopy(CURRENT)
    change(old)
    return old


def data_of(schema: JsonSchema, model: str) -> Any:
    return schema["$defs"][model]


class Ny(EventData):
    """Of a type that is not recorded."""

    felt: str


NY = EventType(
    "ny.hendelse", frozenset({"skole"}), "ny", Skjerming.T, Innsats.INDIKERT, Involvering.INGEN, Ny
)


def test_the_contract_does_not_break_itself() -> None:
    assert sammenlign(CURRENT, schemas(Catalogue.standard())).a_jour


def test_a_field_that_the_code_no_longer_has_is_named_with_its_event() -> None:
    old = recorded(
        lambda s: data_of(s[FRAVAER], "FravaerTerskel")["properties"].update(rom={"type": "string"})
    )
    assert sammenlign(old, CURRENT).brudd == (Brudd(FRAVAER, "data.rom", "felt-fjernet"),)


def test_a_field_that_the_code_has_come_to_require_is_named_with_its_event() -> None:
    old = recorded(lambda s: data_of(s[FRAVAER], "FravaerTerskel")["required"].remove("dager"))
    assert sammenlign(old, CURRENT).brudd == (Brudd(FRAVAER, "data.dager", "felt-ble-pakrevd"),)


def test_a_header_that_readers_rest_on_is_part_of_the_contract() -> None:
    old = recorded(lambda s: s[HODE]["properties"].update(ce_annet={"type": "string"}))
    assert sammenlign(old, CURRENT).brudd == (Brudd(HODE, "ce_annet", "felt-fjernet"),)


def test_an_event_that_is_gone_breaks() -> None:
    current = {id_: s for id_, s in CURRENT.items() if id_ != FRAVAER}
    assert sammenlign(CURRENT, current).brudd == (Brudd(FRAVAER, "", "hendelse-fjernet"),)


def test_an_event_that_only_some_services_may_send_any_more_breaks() -> None:
    current = {**CURRENT, UNDRING._replace(avsender="skole"): CURRENT[UNDRING]}
    del current[UNDRING]
    assert sammenlign(CURRENT, current).brudd == (Brudd(UNDRING, "", "hendelse-fjernet"),)


def test_an_event_that_every_service_may_send_from_now_on_passes() -> None:
    mine = UNDRING._replace(avsender="skole")
    compared = sammenlign({mine: CURRENT[UNDRING]}, CURRENT)
    assert not compared.brudd and compared.foreldet == (mine,)


def test_an_event_and_an_optional_field_that_are_new_pass_and_are_told() -> None:
    old = recorded(lambda s: data_of(s[FRAVAER], "FravaerTerskel")["properties"].pop("dokumentert"))
    compared = sammenlign(old, schemas(CATALOGUE.extended(typer=[NY])))
    assert not compared.brudd and not compared.a_jour
    assert (compared.nye, compared.endret) == ((SkjemaId("skole", "ny.hendelse", 1),), (FRAVAER,))


@pytest.mark.parametrize(("name", "value"), [("kategori", "annet"), ("skjerming", "N")])
def test_what_consents_and_readers_rest_on_may_not_change(name: str, value: str) -> None:
    old = recorded(lambda s: s[FRAVAER][X].update({name: value}))
    now = CURRENT[FRAVAER][X][name]
    assert sammenlign(old, CURRENT).brudd == (Brudd(FRAVAER, name, "egenskap-endret", value, now),)


class Nyere(EventData):
    """A second version, that breaks with the first."""

    annet: int


def test_a_new_version_may_break_as_long_as_the_old_one_is_kept() -> None:
    def typed(**changes: Any) -> dict[SkjemaId, JsonSchema]:
        event_type = EventType(**{**vars(NY), **changes})
        return schemas(Catalogue(CATALOGUE.tjenester.values(), [event_type]))

    first = typed()
    assert sammenlign(first, typed(data=Nyere)).brudd
    both = typed(data=Nyere, versjon=2, tidligere=(Ny,))
    assert not sammenlign(first, both).brudd
    second = SkjemaId("skole", "ny.hendelse", 2)
    only_new = {second: both[second], HODE: both[HODE]}
    assert [b.kode for b in sammenlign(both, only_new).brudd] == ["versjon-fjernet"]
    with pytest.raises(ValueError, match="needs the models of all versions before it"):
        typed(data=Nyere, versjon=2)


# The command


@pytest.fixture
def mappe(tmp_path: Path) -> Path:
    """The contract as it is committed, in a folder of its own."""
    for path in GENERATED.rglob("*.json"):
        copied = tmp_path / path.relative_to(GENERATED)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes(path.read_bytes())
    return tmp_path


def edit(path: Path, change: Callable[[Any], object]) -> None:
    document = json.loads(path.read_text("utf-8"))
    change(document)
    path.write_text(json.dumps(document), "utf-8")


def samspor(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "1000"}).invoke(app, ["contracts", *map(str, arguments)])


def test_check_passes_on_what_is_committed() -> None:
    result = samspor("check", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"brudd": [], "nye": [], "a_jour": True}


def test_check_names_event_field_and_what_to_do(mappe: Path) -> None:
    edit(
        mappe / SCHEMAS / FRAVAER.path,
        lambda s: data_of(s, "FravaerTerskel")["properties"].update(rom={"type": "string"}),
    )
    result = samspor("check", "--mappe", mappe, "--json")
    assert result.exit_code == 1
    (brudd,) = json.loads(result.stdout)["brudd"]
    assert (brudd["hendelse"], brudd["felt"], brudd["kode"]) == (FRAVAER.navn, "data.rom", "felt-fjernet")
    assert "skole fravaer.terskel-passert v1, data.rom: feltet er fjernet" in result.stderr
    assert "Legg det tilbake" in result.stderr


def test_check_says_to_generate_when_something_is_new(mappe: Path) -> None:
    (mappe / SCHEMAS / FRAVAER.path).unlink()
    result = samspor("check", "--mappe", mappe)
    assert result.exit_code == 0 and "samspor contracts generate" in result.stderr


def test_check_fails_on_a_golden_sample_that_cannot_be_read(mappe: Path) -> None:
    edit(mappe / SAMPLES / FRAVAER.path, lambda s: s["innhold"]["data"].update(rom="12"))
    result = samspor("check", "--mappe", mappe, "--json")
    assert result.exit_code == 1
    assert [(b["felt"], b["kode"]) for b in json.loads(result.stdout)["brudd"]] == [("rom", "eksempel-ulest")]


def test_check_does_not_take_an_empty_folder_for_a_whole_contract(tmp_path: Path) -> None:
    assert samspor("check", "--mappe", tmp_path).exit_code == 2


def test_a_file_that_is_no_part_of_the_contract_is_named(mappe: Path) -> None:
    (mappe / SCHEMAS / "skole" / "utkast.json").write_text("{}")
    result = samspor("check", "--mappe", mappe)
    assert result.exit_code == 2 and "utkast.json" in result.stderr


def generate(mappe: Path, *more: str) -> Result:
    return samspor("generate", "--mappe", mappe, "--dokument", mappe / "hendelser.md", *more)


def test_generate_makes_all_that_is_committed(tmp_path: Path) -> None:
    assert generate(tmp_path).exit_code == 0
    made = {p.relative_to(tmp_path) for p in tmp_path.rglob("*.json")}
    assert made == {p.relative_to(GENERATED) for p in GENERATED.rglob("*.json")}
    assert samspor("check", "--mappe", tmp_path).exit_code == 0


def test_generate_writes_over_no_contract_that_the_code_breaks(mappe: Path) -> None:
    schema = mappe / SCHEMAS / FRAVAER.path
    edit(schema, lambda s: data_of(s, "FravaerTerskel")["required"].remove("dager"))
    before = schema.read_text("utf-8")
    assert generate(mappe).exit_code == 1
    assert schema.read_text("utf-8") == before
    assert generate(mappe, "--godta-brudd").exit_code == 0
    assert schema.read_bytes() == (GENERATED / SCHEMAS / FRAVAER.path).read_bytes()


def test_generate_keeps_golden_samples_as_they_were_recorded(mappe: Path) -> None:
    sample = mappe / SAMPLES / FRAVAER.path
    edit(sample, lambda s: s["innhold"]["data"].pop("dokumentert"))
    before = sample.read_text("utf-8")
    assert generate(mappe).exit_code == 0
    assert sample.read_text("utf-8") == before


def test_what_the_code_no_longer_has_goes_when_the_break_is_accepted(mappe: Path) -> None:
    borte = FRAVAER._replace(navn="fravaer.borte")
    for kind in (SCHEMAS, SAMPLES):
        (mappe / kind / borte.path).write_bytes((mappe / kind / FRAVAER.path).read_bytes())
    assert generate(mappe).exit_code == 1
    assert generate(mappe, "--godta-brudd").exit_code == 0
    assert not any((mappe / kind / borte.path).exists() for kind in (SCHEMAS, SAMPLES))
    assert samspor("check", "--mappe", mappe).exit_code == 0
