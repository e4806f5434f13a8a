"""HL7 FHIR with the no-basis profiles: given a resource or a Bundle, then these events."""

from typing import Any

import orjson
import pytest

from contracts.catalogue import Catalogue
from services.dry_run import judge, records
from services.format import Companion, EventDraft, Record
from services.helsestasjon.fhir import NATIONAL_IDS, Fhir
from services.helsestasjon.program import event_name, programpunkt
from tests.formats_suite import CHILD, NOW, OTHER, places
from tests.unit.formats.files import BUNDLE, FNR

FHIR = Fhir()
OWN = Companion(person=CHILD)
PATIENT = {"actor": {"reference": "Patient/p1"}, "status": "accepted"}


def appointment(status: str = "fulfilled", **fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "id": "a1",
        "status": status,
        "start": "2026-01-05T09:00:00+01:00",
        "end": "2026-01-05T09:30:00+01:00",
        "participant": [PATIENT],
        **fields,
    }


def patient(*identifiers: tuple[str, str], **fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": system, "value": value} for system, value in identifiers],
        **fields,
    }


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}


def read(document: Any, companion: Companion = OWN) -> list[Record]:
    return list(records(FHIR, orjson.dumps(document), companion))


def drafts(document: Any, companion: Companion = OWN) -> list[EventDraft]:
    return [draft for record in read(document, companion) for draft in record.drafts]


def test_a_bundle_tells_each_child_what_happened_and_never_what_was_found() -> None:
    told = drafts(BUNDLE, Companion())
    assert [(d.type, d.person, d.nokkel, dict(d.data)) for d in told] == [
        (
            "konsultasjon.gjennomfort",
            CHILD,
            "Appointment/a1",
            {"programpunkt": "12 måneder", "dato": "2026-01-05"},
        ),
        (
            "skolestartundersokelse.gjennomfort",
            OTHER,
            "Encounter/e1",
            {"programpunkt": "skolestart", "dato": "2026-01-06"},
        ),
        ("henvisning.sendt", CHILD, "ServiceRequest/s1", {"mottaker": "BUP Bergen"}),
    ]
    assert [d.versjon for d in told] == [3, 1767693600000, 1]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("fulfilled", [("konsultasjon.gjennomfort", False)]),
        ("noshow", [("konsultasjon.ikke-mott", False)]),
        ("entered-in-error", [("konsultasjon.gjennomfort", True), ("konsultasjon.ikke-mott", True)]),
        ("booked", []),
        ("proposed", []),
        ("cancelled", []),
    ],
)
def test_an_appointment_is_told_by_its_status(status: str, told: list[tuple[str, bool]]) -> None:
    found = drafts(appointment(status))
    assert [(d.type, d.tilbaketrukket) for d in found] == told
    assert told or [w.code for r in read(appointment(status)) for w in r.warnings] == ["status-uten-hendelse"]


@pytest.mark.parametrize(
    ("status", "intent", "told"),
    [
        ("active", "order", [False]),
        ("completed", "order", [False]),
        ("revoked", "order", [True]),
        ("draft", "order", []),
        ("active", "plan", []),
    ],
)
def test_a_referral_is_told_when_it_is_sent(status: str, intent: str, told: list[bool]) -> None:
    request = {
        "resourceType": "ServiceRequest",
        "id": "s1",
        "status": status,
        "intent": intent,
        "subject": {"reference": "Patient/p1"},
        "authoredOn": "2026-01-05",
    }
    assert [d.tilbaketrukket for d in drafts(request)] == told


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "Patient/p1"},
        {"reference": "https://journal.example/fhir/Patient/p1"},
        {"reference": "Patient/p1/_history/3"},
        {"reference": "urn:uuid:8a5d0b6c-0000-4000-8000-000000000001"},
        {"type": "Patient", "identifier": {"system": FNR, "value": OTHER}},
    ],
)
def test_the_child_is_found_however_it_is_referred_to(reference: dict[str, Any]) -> None:
    document = bundle(
        patient((FNR, OTHER)), appointment(participant=[{"actor": reference, "status": "accepted"}])
    )
    document["entry"][0]["fullUrl"] = "urn:uuid:8a5d0b6c-0000-4000-8000-000000000001"
    assert [d.person for d in drafts(document, Companion())] == [OTHER]


def test_a_birth_number_is_trusted_before_a_d_number_and_an_old_one_not_at_all() -> None:
    numbers = [(NATIONAL_IDS[1], CHILD), ("urn:oid:1.2.3", "4711"), (NATIONAL_IDS[0], OTHER)]
    assert [d.person for d in drafts(bundle(patient(*numbers), appointment()), Companion())] == [OTHER]
    old = patient((FNR, OTHER))
    old["identifier"][0]["use"] = "old"
    assert [d.person for d in drafts(bundle(old, appointment()), OWN)] == [CHILD]


def test_the_number_beside_the_file_counts_only_where_the_file_names_one_patient_at_most() -> None:
    assert [d.person for d in drafts(appointment(), OWN)] == [CHILD]
    other = appointment(id="a2", participant=[{"actor": {"reference": "Patient/p2"}, "status": "accepted"}])
    two = bundle(appointment(), other)
    assert [d.person for d in drafts(two, OWN)] == [None, None]
    assert [w.code for r in read(two, OWN) for w in r.warnings] == ["person-mangler"] * 2


def test_a_consultation_that_is_both_booked_and_documented_is_told_once() -> None:
    encounter = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/p1"},
        "period": {"start": "2026-01-05T09:00:00+01:00"},
        "appointment": [{"reference": "Appointment/a1"}],
    }
    assert [d.nokkel for d in drafts(bundle(appointment(), encounter))] == ["Appointment/a1"]
    assert [d.nokkel for d in drafts(bundle(encounter))] == ["Encounter/e1"]


def test_a_broken_resource_refuses_itself_with_all_that_is_wrong_and_no_other() -> None:
    document = bundle(
        {"resourceType": "Appointment", "status": "done", "participant": []},
        appointment(start=None),
        {"resourceType": "ServiceRequest", "subject": 1},
        {"id": "x"},
        appointment(id="good"),
    )
    body = orjson.dumps(document)
    assert places(FHIR, body) == {
        ("/entry/0/resource/status", "ukjent-verdi"),
        ("/entry/0/resource/participant", "for-fa"),
        ("/entry/1/resource/start", "ikke-objekt"),
        ("/entry/2/resource/status", "mangler"),
        ("/entry/2/resource/intent", "mangler"),
        ("/entry/2/resource/subject", "ikke-objekt"),
        ("/entry/3/resource/resourceType", "mangler"),
    }
    assert [d.nokkel for d in drafts(document)] == ["Appointment/good"]


def test_what_does_not_say_when_is_told_when_it_was_changed_or_not_at_all() -> None:
    timeless = {k: v for k, v in procedure().items() if k != "performedPeriod"}
    (record,) = read(timeless)
    assert (record.drafts, record.problems) == ((), ())
    assert [w.code for w in record.warnings] == ["uten-tidspunkt"]
    body = orjson.dumps({**timeless, "meta": {"lastUpdated": "2026-01-05T23:30:00Z"}})
    verdict = judge("helsestasjon", FHIR, body, OWN, Catalogue.standard(), NOW)
    assert verdict.errors == ()
    (told,) = verdict.events
    assert (told.time.isoformat(), told.data["dato"]) == ("2026-01-05T23:30:00+00:00", "2026-01-06")


def test_the_same_resource_in_xml_is_the_same_event() -> None:
    xml = f"""<?xml version="1.0"?>
    <Bundle xmlns="http://hl7.org/fhir"><type value="collection"/>
      <entry><fullUrl value="urn:uuid:1"/><resource><Patient>
        <identifier><use value="official"/><system value="{FNR}"/><value value="{CHILD}"/></identifier>
      </Patient></resource></entry>
      <entry><resource><Appointment>
        <id value="a1"/><meta><versionId value="3"/></meta>
        <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p>Hemmelig</p></div></text>
        <status value="fulfilled"/>
        <serviceType><coding><display value="12-månederskontroll"/></coding></serviceType>
        <start value="2026-01-05T09:00:00+01:00"/><end value="2026-01-05T09:30:00+01:00"/>
        <participant><actor><reference value="urn:uuid:1"/></actor><status value="accepted"/></participant>
      </Appointment></resource></entry></Bundle>"""
    (told,) = [d for r in records(FHIR, xml.encode(), Companion()) for d in r.drafts]
    assert told == drafts(BUNDLE, Companion())[0]


def test_a_problem_in_xml_is_at_a_path_into_the_xml() -> None:
    xml = b"""<Bundle xmlns="http://hl7.org/fhir"><type value="batch"/><entry><resource><Appointment>
      <participant><actor><reference value="Patient/1"/></actor><status value="accepted"/></participant>
      </Appointment></resource></entry></Bundle>"""
    assert places(FHIR, xml) == {("/*/entry[1]/resource/*/status", "mangler")}


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"/>',
            "xml-doctype",
        ),
        (b"<Patient/>", "ikke-fhir"),
        (b'<Patient xmlns="http://hl7.org/fhir">', "ikke-xml"),
    ],
)
def test_xml_that_is_no_fhir_or_might_attack_is_refused(xml: bytes, code: str) -> None:
    assert {c for _, c in places(FHIR, xml)} == {code}


@pytest.mark.parametrize(
    ("text", "punkt"),
    [
        ("Hjemmebesøk nyfødt", "hjemmebesøk"),
        ("6-ukerskontroll", "6 uker"),
        ("Konsultasjon 12 måneder", "12 måneder"),
        ("17-18 mnd", "17–18 måneder"),
        ("4-årskontroll", "4 år"),
        ("Skolestartundersøkelse", "skolestart"),
        ("Helsesamtale 8. trinn", "8. trinn"),
        ("7 måneder", None),
        ("Vaksinasjon", None),
        ("18. trinn", None),
    ],
)
def test_a_consultation_is_named_as_the_programme_names_it_or_not_at_all(
    text: str, punkt: str | None
) -> None:
    assert programpunkt(["", text]) == punkt


def test_the_two_school_consultations_have_types_of_their_own() -> None:
    assert [event_name(p) for p in ("skolestart", "8. trinn", "4 år", None)] == [
        "skolestartundersokelse.gjennomfort",
        "atte-trinnssamtale.gjennomfort",
        "konsultasjon.gjennomfort",
        "konsultasjon.gjennomfort",
    ]


def test_an_identifier_too_long_for_a_key_is_refused_where_there_is_no_id() -> None:
    system, value = "https://journal.example/kontakt", "k" * 148
    fits = [{"use": "usual"}, {"system": system, "value": value}]
    unnamed = {k: v for k, v in appointment(identifier=fits).items() if k != "id"}
    assert [d.nokkel for d in drafts(unnamed)] == [f"Appointment/{system}|{value}"]
    fits[1]["value"] += "k"
    assert places(FHIR, orjson.dumps(unnamed)) == {("/identifier/1", "for-lang-identifikator")}
    assert [d.nokkel for d in drafts({**unnamed, "id": "a1"})] == ["Appointment/a1"]


def test_a_resource_id_that_is_a_national_id_is_not_a_key() -> None:
    assert drafts(appointment(id=CHILD))[0].nokkel == "Appointment/#"


def procedure(status: str = "completed", **fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "Procedure",
        "id": "k1",
        "status": status,
        "code": {"coding": [{"display": "Skolestartundersøkelse"}]},
        "subject": {"reference": "Patient/p1"},
        "performedPeriod": {"start": "2026-01-05T09:00:00+01:00"},
        **fields,
    }


def test_a_procedure_of_the_programme_is_told_as_its_consultation() -> None:
    (told,) = drafts(procedure())
    assert (told.type, told.person, told.nokkel) == (
        "skolestartundersokelse.gjennomfort",
        CHILD,
        "Procedure/k1",
    )
    assert dict(told.data) == {"programpunkt": "skolestart", "dato": "2026-01-05"}
    (wrong,) = drafts(procedure("entered-in-error"))
    assert (wrong.nokkel, wrong.tilbaketrukket, dict(wrong.data)) == ("Procedure/k1", True, {})


def test_what_else_is_done_to_a_child_is_told_to_nobody() -> None:
    for other in (procedure(code={"text": "MMR-vaksine"}), procedure("not-done"), procedure("in-progress")):
        (record,) = read(other)
        assert (record.drafts, record.problems) == ((), ())
        assert [w.code for w in record.warnings] in (["ikke-i-programmet"], ["status-uten-hendelse"])


def test_a_procedure_of_a_consultation_in_the_same_bundle_is_told_once() -> None:
    encounter = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [{"text": "Skolestartundersøkelse"}],
        "subject": {"reference": "Patient/p1"},
        "period": {"start": "2026-01-05"},
    }
    both = bundle(encounter, procedure(encounter={"reference": "Encounter/e1"}))
    assert [d.nokkel for d in drafts(both)] == ["Encounter/e1"]


def test_a_procedure_must_say_how_it_went_and_with_whom() -> None:
    for field in ("status", "subject"):
        broken = {k: v for k, v in procedure().items() if k != field}
        assert places(FHIR, orjson.dumps(broken)) == {(f"/{field}", "mangler")}
