"""What a file would become without being sent, and real numbers made synthetic."""

from typing import Any

import orjson
import pytest

from contracts.catalogue import Catalogue
from contracts.personnummer import is_synthetic, swap
from services.barnevern.fiks_bekymringsmelding import FiksBekymringsmelding
from services.dry_run import bytt_identer, judge
from services.format import AnyFormat, Companion
from services.helsestasjon.fhir import Fhir
from services.nav.digisos_soker import DigisosSoker
from services.skole.fint_utdanning import FintUtdanning
from tests.formats_suite import CHILD, NOW, SECRET, drafts
from tests.unit.formats import files
from tests.unit.formats.schemas import needs_samples, sample


def verdict(
    tjeneste: str, fmt: AnyFormat, body: bytes, companion: Companion = Companion(), demo: bool = True
) -> dict[str, Any]:
    found = judge(tjeneste, fmt, body, companion, Catalogue.standard(), NOW, demo=demo)
    return found.as_dict("fil.json")


def test_a_good_file_is_a_list_of_events() -> None:
    told = verdict("skole", FintUtdanning(clock=lambda: NOW), orjson.dumps(files.FINT))
    assert told["fil"] == "fil.json"
    assert told["feil"] == told["advarsler"] == []
    assert [(h["type"], h["nokkel"]) for h in told["hendelser"]][:2] == [
        ("no.samspor.skole.elevforhold.startet", "elevforhold:H1"),
        ("no.samspor.skole.elevforhold.avsluttet", "elevforhold:H1"),
    ]


def test_a_file_that_names_nobody_is_judged_with_one_warning_for_it() -> None:
    told = verdict("nav", DigisosSoker(), orjson.dumps(files.DIGISOS))
    assert told["feil"] == []
    assert len(told["hendelser"]) == 10
    assert [w["kode"] for w in told["advarsler"]].count("person-mangler") == 1


def test_a_broken_file_says_where_what_and_what_to_do() -> None:
    broken = {k: v for k, v in files.DIGISOS.items() if k != "version"}
    told = verdict("nav", DigisosSoker(), orjson.dumps(broken), Companion(CHILD))
    assert told["hendelser"] == []
    ((error),) = told["feil"]
    assert error["peker"] == "/version"
    assert error["feil"]
    assert error["gjor"]


def test_a_number_that_is_wrong_or_not_for_demonstrations_is_a_warning() -> None:
    body = orjson.dumps(files.BUNDLE).replace(CHILD.encode(), b"12345678901")
    told = verdict("helsestasjon", Fhir(), body)
    assert {w["kode"] for w in told["advarsler"]} == {"nummer-kontroll"}
    assert len(told["hendelser"]) == 3
    assert "12345678901" not in str(told)


def test_an_event_the_service_may_not_send_is_an_error() -> None:
    told = verdict("nav", FiksBekymringsmelding(), orjson.dumps(files.PRIVAT))
    assert told["hendelser"] == []
    assert {e["kode"] for e in told["feil"]} == {"ukjent-type"}


def test_a_verdict_repeats_no_name_and_no_number() -> None:
    told = str(verdict("barnevern", FiksBekymringsmelding(), orjson.dumps(files.OFFENTLIG)))
    assert SECRET not in told
    assert CHILD not in told


@needs_samples
def test_a_public_message_with_its_numbers_mapped_is_about_synthetic_children_only() -> None:
    body = sample("barnevern-fiks/offentligBekymringsmeldingV2.json")
    before = [d.person for d in drafts(FiksBekymringsmelding(), body)]
    mapped = bytt_identer(body)
    after = [d.person for d in drafts(FiksBekymringsmelding(), mapped)]
    assert after == [swap(str(number)) for number in before]
    assert not any(is_synthetic(str(number)) for number in before)
    assert all(is_synthetic(str(number)) for number in after)
    assert bytt_identer(mapped) == mapped


@pytest.mark.parametrize(
    "text",
    [
        '{"orgnr": "915933149"}',
        '{"id": "8a5d0b6c-0000-4000-8000-000000000001"}',
        '{"system": "urn:oid:2.16.578.1.12.4.1.4.1"}',
        '{"telefon": "99999999", "belop": 12345678901.5}',
        '{"navn": "Åse Ødegård"}',
    ],
)
def test_what_is_no_identity_number_stays_byte_by_byte(text: str) -> None:
    assert bytt_identer(text.encode()) == text.encode()
