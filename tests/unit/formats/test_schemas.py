"""Our readings against the formats' own JSON Schemas: each place of a message left out, emptied or retyped."""

from typing import Any

import orjson
import pytest

from contracts.personnummer import identity_numbers
from services.barnevern.fiks_bekymringsmelding import FiksBekymringsmelding
from services.format import Companion
from services.helsestasjon.fhir import Fhir
from services.nav.digisos_soker import DigisosSoker
from tests.formats_suite import CHILD, drafts, mutations, problems
from tests.unit.formats import files
from tests.unit.formats.schemas import needs_samples, sample, validator, verdicts

pytestmark = needs_samples
FIKS, NAV = "barnevern-fiks/domain", "nav-digisos/soker"


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        (f"{FIKS}/v2/offentlig.bekymringsmelding.v2.json", files.OFFENTLIG),
        (f"{FIKS}/v2/privat.bekymringsmelding.v2.json", files.PRIVAT),
        (f"{FIKS}/offentlig.bekymringsmelding.v1.json", files.OFFENTLIG),
        (f"{FIKS}/privat.bekymringsmelding.v1.json", files.PRIVAT),
    ],
)
def test_fiks_is_refused_where_its_schema_refuses_it_and_nowhere_else(schema: str, document: Any) -> None:
    checker = validator(schema)
    assert list(verdicts(checker, document)) == []
    compared = 0
    for path, broken in mutations(document):
        theirs = set(verdicts(checker, broken))
        ours = {p.pointer for p in problems(FiksBekymringsmelding(), orjson.dumps(broken))}
        if path == ("sendingstidspunkt",) and not theirs:
            ours -= {"/sendingstidspunkt"}  # format is an annotation in 2019-09, but we must know the time
        if path[-1] == "andreSynspunkter":
            theirs |= set(verdicts(validator(f"{FIKS}/v2/offentlig.bekymringsmelding.v2.json"), broken))
        assert ours == theirs, path
        compared += 1
    assert compared > 200


@pytest.mark.parametrize("hendelse", files.DIGISOS["hendelser"], ids=lambda h: h["type"])
def test_digisos_is_refused_where_its_schema_refuses_it_but_takes_new_enum_values(
    hendelse: dict[str, Any],
) -> None:
    checker = validator(f"{NAV}/digisos-soker.json")
    beside = {"type": "soknadsStatus", "hendelsestidspunkt": "2026-01-04T13:37:00.1Z", "status": "MOTTATT"}
    document = {**files.DIGISOS, "hendelser": [hendelse, beside]}
    assert checker.is_valid(document)
    for path, broken in mutations(document):
        ours = {p.pointer for p in problems(DigisosSoker(), orjson.dumps(broken), Companion(CHILD))}
        theirs = not checker.is_valid(broken)
        if path[-1] in ("type", "status", "utfall") and isinstance(new := _value(broken, path), str) and new:
            assert not ours, path  # the enums are add-only
            continue
        assert bool(ours) == theirs, (path, ours)
        place = "".join(f"/{step}" for step in path)
        assert all(p.startswith(place) for p in ours), (path, ours)


def _value(document: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        if isinstance(document, dict) and step not in document:
            return None
        document = document[step]
    return document


@pytest.mark.parametrize("name", ["offentligBekymringsmeldingV2", "privatBekymringsmeldingV1"])
def test_the_public_messages_give_an_event_for_each_child(name: str) -> None:
    found = drafts(FiksBekymringsmelding(), sample(f"barnevern-fiks/{name}.json"))
    assert [d.type for d in found] == ["henvendelse.mottatt"] * 2
    assert [d.person is None for d in found] == [name.startswith("privat")] * 2
    assert all(d.time.isoformat().endswith("+01:00") for d in found)  # no offset in the file: Norwegian time


def test_the_public_nav_files_are_taken_and_refused_as_they_should_be() -> None:
    taken = drafts(DigisosSoker(), sample("nav-digisos/eksempler/minimal.json"), Companion(CHILD))
    assert [(d.type, d.nokkel) for d in taken] == [("soknad.status-endret", "soknad")]
    refused = problems(DigisosSoker(), sample("nav-digisos/eksempler/feil-mangler-version.json"))
    assert [(p.pointer, p.code) for p in refused] == [("/version", "mangler")]


def test_the_public_fhir_appointment_is_told_once_it_is_held() -> None:
    body = sample("helsestasjon-fhir/no-basis-Appointment-example.xml")
    assert drafts(Fhir(), body, Companion(CHILD)) == []
    held = drafts(Fhir(), body.replace(b'"booked"', b'"fulfilled"'), Companion(CHILD))
    assert [(d.type, d.person, d.data["dato"]) for d in held] == [
        ("konsultasjon.gjennomfort", CHILD, "2023-08-10")
    ]
    for name in ("Organization-example", "Patient-Espen-Eksempel"):
        assert problems(Fhir(), sample(f"helsestasjon-fhir/no-basis-{name}.xml")) == []


def test_no_event_of_a_public_file_carries_a_number_in_key_or_data() -> None:
    for name in ("offentligBekymringsmeldingV2", "privatBekymringsmeldingV1"):
        for draft in drafts(FiksBekymringsmelding(), sample(f"barnevern-fiks/{name}.json")):
            assert not any(identity_numbers(f"{draft.nokkel} {draft.sak} {dict(draft.data)}"))
