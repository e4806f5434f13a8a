"""What is generated and committed: schemas, golden samples, the AsyncAPI document and the page of event types."""

import json
import subprocess
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import ValidationError

from contracts.catalogue import Catalogue, UnknownType
from contracts.envelope import Content, ContractError, from_kafka, to_kafka
from contracts.personnummer import identity_numbers
from contracts.sample import read, sample
from contracts.skjema import HODE, SkjemaId, schemas, versions
from deploy.assets import MODULES, ROOT, node_home
from deploy.commands.contracts import (
    ACCESS,
    ASYNCAPI,
    GENERATED,
    SAMPLES,
    SCHEMAS,
    TABLE,
    access,
    files,
    read_documents,
    table,
)

CATALOGUE = Catalogue.standard()
VERSIONS = versions(CATALOGUE)
COMMITTED_SAMPLES = read_documents(GENERATED / SAMPLES)
COMMITTED_SCHEMAS = read_documents(GENERATED / SCHEMAS)
GENERATE = "run `samspor contracts generate` and commit what it writes"

each_sample = pytest.mark.parametrize("id_", COMMITTED_SAMPLES, ids=str)


def test_what_is_committed_is_what_the_code_says() -> None:
    generated = {path: content for path, content in files(CATALOGUE).items() if not path.startswith(SAMPLES)}
    stale = [p for p, content in generated.items() if (GENERATED / p).read_text("utf-8") != content]
    assert not stale, GENERATE
    assert COMMITTED_SCHEMAS.keys() == schemas(CATALOGUE).keys(), GENERATE
    assert TABLE.read_text("utf-8") == table(CATALOGUE), GENERATE
    assert ACCESS.read_text("utf-8") == access(), GENERATE


def test_every_event_version_has_a_golden_sample() -> None:
    assert COMMITTED_SAMPLES.keys() >= VERSIONS.keys(), GENERATE


@each_sample
def test_a_golden_sample_is_still_read(id_: SkjemaId) -> None:
    document = COMMITTED_SAMPLES[id_]
    envelope, content, data = read(document, id_, CATALOGUE)
    assert envelope.attributes() == document["konvolutt"]
    assert envelope.schema_versjon == id_.versjon
    assert json.loads(content.model_dump_json()) == document["innhold"]
    assert data.model_dump(mode="json").items() >= document["innhold"]["data"].items()


@each_sample
def test_a_golden_sample_passes_through_kafka_and_the_cloudevents_sdk(id_: SkjemaId) -> None:
    document = COMMITTED_SAMPLES[id_]
    envelope = read(document, id_, CATALOGUE)[0]
    body = b"\x93" + json.dumps(document["innhold"]).encode()  # no text, as ciphertext is none
    key, headers = to_kafka(envelope)
    assert from_kafka(headers) == envelope
    event = from_binary(KafkaMessage(dict(headers), key, body), JSONFormat())
    assert event.get_type() == document["konvolutt"]["type"] and event.get_data() == body
    back = to_binary(event, JSONFormat(), lambda e: e.get_subject())
    assert back.key == envelope.subject and from_kafka(back.headers.items()) == envelope


@each_sample
def test_a_golden_sample_follows_its_own_schema(id_: SkjemaId) -> None:
    document = COMMITTED_SAMPLES[id_]
    Draft202012Validator(COMMITTED_SCHEMAS[id_]).validate(document["innhold"])
    envelope = read(document, id_, CATALOGUE)[0]
    headers = {name: value.decode() for name, value in to_kafka(envelope)[1]}
    Draft202012Validator(COMMITTED_SCHEMAS[HODE]).validate(headers)


@each_sample
def test_a_golden_sample_names_nobody(id_: SkjemaId) -> None:
    assert not list(identity_numbers(json.dumps(COMMITTED_SAMPLES[id_])))


def test_samples_are_the_same_on_every_run() -> None:
    assert [sample(CATALOGUE, id_) for id_ in VERSIONS] == [
        sample(Catalogue.standard(), id_) for id_ in VERSIONS
    ]


def test_a_sample_that_the_code_no_longer_reads_says_which_field() -> None:
    id_ = SkjemaId("skole", "fravaer.terskel-passert", 1)
    broken = sample(CATALOGUE, id_)
    broken["innhold"]["data"]["dager"] = "ti"
    with pytest.raises(ContractError, match=r"^dager$"):
        read(broken, id_, CATALOGUE)
    with pytest.raises(ContractError, match=r"^type$"):
        read(broken, id_._replace(navn="fravaer.borte"), CATALOGUE)


@pytest.mark.parametrize("id_", COMMITTED_SCHEMAS, ids=str)
def test_a_schema_is_a_schema(id_: SkjemaId) -> None:
    Draft202012Validator.check_schema(COMMITTED_SCHEMAS[id_])
    assert COMMITTED_SCHEMAS[id_]["$id"] == id_.urn
    assert SkjemaId.of_path(id_.path) == id_


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values near a field's schema: mostly such as it accepts, some beside it."""
    scalars: st.SearchStrategy[Any] = st.sampled_from(
        [None, True, 0, 1, 3, 6, 26, -1, "", "x", "2026-11-16", [], ["x"], [1], {}, "mottatt", "egen"]
    )
    known = schema.get("enum", []) + [v for s in schema.get("anyOf", []) for v in s.get("enum", [])]
    return scalars | st.sampled_from(known) if known else scalars


@given(st.data())
def test_a_schema_and_its_model_agree_on_what_is_valid(data: st.DataObject) -> None:
    id_ = data.draw(st.sampled_from(list(VERSIONS)))
    model = VERSIONS[id_][1]
    fields = model.model_json_schema().get("properties", {})
    names = data.draw(st.sets(st.sampled_from([*fields, "ukjent"]))) if fields else set()
    drawn = {name: data.draw(values(fields.get(name, {}))) for name in sorted(names)}
    for name, field in fields.items():  # JSON Schema's formats are annotations; the model's are not
        if '"date"' in json.dumps(field) and isinstance(drawn.get(name), str):
            drawn[name] = "2026-11-16"
    retracted = data.draw(st.booleans())
    document = {"nokkel": "n", "versjon": 1, "tilbaketrukket": retracted, "data": drawn}
    try:
        Content.model_validate_json(json.dumps(document))
        model.model_validate_json(json.dumps(drawn))
        valid = True
    except ValidationError:
        valid = retracted and not drawn  # a retraction says only what it takes back
    assert Draft202012Validator(COMMITTED_SCHEMAS[id_]).is_valid(document) is valid


def test_the_asyncapi_parser_finds_nothing_wrong() -> None:
    if not (MODULES / "@asyncapi" / "parser").is_dir():
        pytest.skip("@asyncapi/parser is not installed: `make test` does that")
    program = [str(node_home() / "bin" / "node"), str(ROOT / "tests/unit/contracts/validate_asyncapi.cjs")]
    document = (GENERATED / ASYNCAPI).read_bytes()
    answer = json.loads(subprocess.run(program, input=document, stdout=subprocess.PIPE, check=True).stdout)
    assert answer["parsed"]
    # The document is 3.0.0, which the parser knows; that 3.1 exists is no fault.
    faults = [d for d in answer["diagnostics"] if d["code"] != "asyncapi-latest-version"]
    assert not faults


def test_the_asyncapi_document_has_each_topic_and_each_type_that_may_lie_on_it() -> None:
    document = json.loads((GENERATED / ASYNCAPI).read_text("utf-8"))
    assert document["channels"].keys() == {topic.navn for topic in CATALOGUE.topics()}
    for tjeneste in (*CATALOGUE.tjenester, "samtykke", "samordning"):
        on_topic = {
            document["components"]["messages"][name]["name"]
            for name in document["channels"][f"{tjeneste}.hendelser"]["messages"]
        }
        assert on_topic == {CATALOGUE.full_type(tjeneste, navn) for navn in CATALOGUE.names_for(tjeneste)}


def test_a_report_to_barnevernet_has_a_type_but_is_on_no_services_topic() -> None:
    assert SkjemaId("alle", "bekymringsmelding.sendt", 1) in VERSIONS
    assert "bekymringsmelding" not in (GENERATED / ASYNCAPI).read_text("utf-8")
    for tjeneste in CATALOGUE.tjenester:
        assert "bekymringsmelding.sendt" not in CATALOGUE.names_for(tjeneste)
        with pytest.raises(UnknownType):
            CATALOGUE.event_type(f"no.samspor.{tjeneste}.bekymringsmelding.sendt")
