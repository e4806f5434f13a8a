"""HL7 FHIR R4: what the base specification and no-basis allow is taken, and what they forbid is refused there."""

from typing import Any

import orjson
import pytest

from services.format import Companion
from services.helsestasjon.fhir import Fhir
from tests.formats_suite import CHILD, drafts, places
from tests.unit.formats.files import FNR
from tests.unit.formats.test_fhir import appointment, bundle, patient, procedure, read

GONE = object()
CHILDS = {"reference": "Patient/p1"}
ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}]}


def encounter(**fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": CHILDS,
        "period": {"start": "2026-01-05T09:00:00+01:00", "end": "2026-01-05T09:30:00+01:00"},
        **fields,
    }


def request(**fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "ServiceRequest",
        "id": "s1",
        "status": "active",
        "intent": "order",
        "subject": CHILDS,
        "authoredOn": "2026-01-05",
        **fields,
    }


MADE = {"Appointment": appointment, "Encounter": encounter, "ServiceRequest": request, "Procedure": procedure}


def made(kind: str, **fields: Any) -> bytes:
    document = {**patient((FNR, CHILD)), **fields} if kind == "Patient" else MADE[kind](**fields)
    return orjson.dumps({k: v for k, v in document.items() if v is not GONE})


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("Appointment", {"status": "proposed", "start": GONE, "end": GONE}),
        ("Appointment", {"status": "cancelled", "start": GONE, "end": GONE}),
        ("Appointment", {"status": "waitlist", "start": GONE, "end": GONE}),
        ("Appointment", {"start": "2026-01-05T09:00:00.123456789Z"}),
        ("Appointment", {"participant": [{"type": [{"text": "Helsesykepleier"}], "status": "needs-action"}]}),
        ("Appointment", {"participant": [{"actor": {"display": "Rom 4"}, "status": "accepted"}]}),
        ("Appointment", {"participant": [{"actor": {"reference": "Location/1"}, "status": "tentative"}]}),
        ("Appointment", {"cancelationReason": 4, "minutesDuration": "x", "priority": -1}),
        ("Appointment", {"text": {"status": "generated", "div": "<div/>"}, "language": "nb"}),
        ("Encounter", {"subject": GONE}),
        ("Encounter", {"period": GONE}),
        ("Encounter", {"period": {"end": "2026-01-05"}}),
        ("Encounter", {"period": {"start": "2026-01-05T09:00:00Z", "end": "2026-01-05"}}),
        ("Encounter", {"period": {"start": "2026-01", "end": "2026"}}),
        ("Encounter", {"period": ABSENT}),
        ("Encounter", {"subject": ABSENT}),
        ("Encounter", {"subject": {"reference": "Group/1"}}),
        ("Encounter", {"type": [{"coding": [{"system": "http://snomed.info/sct", "code": "1"}]}]}),
        ("Encounter", {"class": {"system": "urn:x", "display": "poliklinikk"}}),
        ("ServiceRequest", {"authoredOn": GONE}),
        ("ServiceRequest", {"authoredOn": "2026"}),
        ("ServiceRequest", {"occurrencePeriod": {}, "doNotPerform": True}),
        ("ServiceRequest", {"subject": {"reference": "Device/1"}}),
        ("ServiceRequest", {"subject": {"identifier": {"system": FNR, "value": CHILD}}}),
        ("Procedure", {"performedPeriod": GONE, "performedString": "i fjor"}),
        ("Procedure", {"performedPeriod": GONE, "performedDateTime": "2026-01-05T23:59:60+14:00"}),
        ("Procedure", {"code": GONE}),
        ("Patient", {}),
        ("Patient", {"identifier": GONE}),
        ("Patient", {"gender": "unknown", "birthDate": "2020-02"}),
        (
            "Patient",
            {"identifier": [{"system": "urn:oid:1.2.3"}, {"value": "4711"}, {"type": {"text": "x"}}]},
        ),
        ("Patient", {"identifier": [{"system": FNR, "value": "210377xxxxx"}]}),
        ("Patient", {"name": "x", "maritalStatus": []}),
    ],
)
def test_what_fhir_allows_is_taken(kind: str, fields: dict[str, Any]) -> None:
    assert places(Fhir(), made(kind, **fields)) == set()


@pytest.mark.parametrize(
    ("kind", "fields", "place"),
    [
        ("Appointment", {"status": GONE}, ("/status", "mangler")),
        ("Appointment", {"status": "Fulfilled"}, ("/status", "ukjent-verdi")),
        ("Appointment", {"status": "finished"}, ("/status", "ukjent-verdi")),
        ("Appointment", {"participant": GONE}, ("/participant", "mangler")),
        ("Appointment", {"participant": []}, ("/participant", "for-fa")),
        (
            "Appointment",
            {"participant": {"actor": CHILDS, "status": "accepted"}},
            ("/participant", "ikke-liste"),
        ),
        ("Appointment", {"participant": [{"actor": CHILDS}]}, ("/participant/0/status", "mangler")),
        (
            "Appointment",
            {"participant": [{"actor": CHILDS, "status": "x"}]},
            ("/participant/0/status", "ukjent-verdi"),
        ),
        ("Appointment", {"participant": [{"status": "accepted"}]}, ("/participant/0/actor", "mangler")),
        (
            "Appointment",
            {"participant": [{"actor": {}, "status": "accepted"}]},
            ("/participant/0/actor", "feil-form"),
        ),
        (
            "Appointment",
            {"participant": [{"actor": {"reference": "#p"}, "status": "accepted"}]},
            ("/participant/0/actor/reference", "referanse-uten-ressurs"),
        ),
        (
            "Appointment",
            {"participant": [{"actor": {"reference": "Encounter/1"}, "status": "accepted"}]},
            ("/participant/0/actor/reference", "ukjent-verdi"),
        ),
        ("Appointment", {"end": GONE}, ("/end", "mangler")),
        ("Appointment", {"start": GONE}, ("/start", "mangler")),
        ("Appointment", {"status": "proposed", "start": GONE}, ("/start", "mangler")),
        ("Appointment", {"start": "2026-01-05"}, ("/start", "ugyldig-tid")),
        ("Appointment", {"start": "2026-01-05T09:00:00"}, ("/start", "tid-uten-sone")),
        ("Appointment", {"start": "2026-01-05T09:00Z"}, ("/start", "ugyldig-tid")),
        ("Appointment", {"start": "2026-01-05 09:00:00Z"}, ("/start", "ugyldig-tid")),
        ("Appointment", {"start": "20260105T090000Z"}, ("/start", "ugyldig-tid")),
        ("Appointment", {"start": "2026-02-30T09:00:00Z"}, ("/start", "ugyldig-tid")),
        ("Appointment", {"start": "2026-01-05T24:00:00Z"}, ("/start", "ugyldig-tid")),
        ("Appointment", {"start": 20260105}, ("/start", "ikke-tekst")),
        ("Appointment", {"serviceType": {"text": "x"}}, ("/serviceType", "ikke-liste")),
        ("Appointment", {"serviceType": [{}]}, ("/serviceType/0", "feil-form")),
        ("Appointment", {"id": "a b"}, ("/id", "feil-monster")),
        ("Appointment", {"id": 1}, ("/id", "ikke-tekst")),
        ("Appointment", {"meta": {"lastUpdated": "2026-01-05"}}, ("/meta/lastUpdated", "ugyldig-tid")),
        (
            "Appointment",
            {"contained": [patient((FNR, ""), id="p")]},
            ("/contained/0/identifier/0/value", "for-kort"),
        ),
        ("Encounter", {"status": "fulfilled"}, ("/status", "ukjent-verdi")),
        ("Encounter", {"class": GONE}, ("/class", "mangler")),
        ("Encounter", {"class": [{"code": "AMB"}]}, ("/class", "ikke-objekt")),
        ("Encounter", {"class": "AMB"}, ("/class", "ikke-objekt")),
        ("Encounter", {"class": {}}, ("/class", "feil-form")),
        ("Encounter", {"class": {"code": ""}}, ("/class/code", "feil-monster")),
        ("Encounter", {"subject": [CHILDS]}, ("/subject", "ikke-objekt")),
        ("Encounter", {"subject": {"reference": "Practitioner/1"}}, ("/subject/reference", "ukjent-verdi")),
        ("Encounter", {"subject": {"reference": ""}}, ("/subject/reference", "for-kort")),
        ("Encounter", {"period": "2026-01-05"}, ("/period", "ikke-objekt")),
        ("Encounter", {"period": {}}, ("/period", "feil-form")),
        ("Encounter", {"period": {"start": "5.1.2026"}}, ("/period/start", "ugyldig-tid")),
        (
            "Encounter",
            {"period": {"start": "2026-01-06", "end": "2026-01-05"}},
            ("/period/end", "slutt-for-start"),
        ),
        ("Encounter", {"type": {"text": "x"}}, ("/type", "ikke-liste")),
        ("ServiceRequest", {"status": GONE}, ("/status", "mangler")),
        ("ServiceRequest", {"status": "sent"}, ("/status", "ukjent-verdi")),
        ("ServiceRequest", {"intent": GONE}, ("/intent", "mangler")),
        ("ServiceRequest", {"intent": "request"}, ("/intent", "ukjent-verdi")),
        ("ServiceRequest", {"subject": GONE}, ("/subject", "mangler")),
        ("ServiceRequest", {"subject": {}}, ("/subject", "feil-form")),
        ("ServiceRequest", {"subject": None}, ("/subject", "ikke-objekt")),
        ("ServiceRequest", {"authoredOn": "2026-01-05T10:00"}, ("/authoredOn", "ugyldig-tid")),
        ("ServiceRequest", {"authoredOn": "2026-13"}, ("/authoredOn", "ugyldig-tid")),
        ("ServiceRequest", {"performer": {"display": "BUP"}}, ("/performer", "ikke-liste")),
        ("ServiceRequest", {"doNotPerform": "false"}, ("/doNotPerform", "ikke-sant-usant")),
        ("Procedure", {"status": "finished"}, ("/status", "ukjent-verdi")),
        ("Procedure", {"code": [{"text": "x"}]}, ("/code", "ikke-objekt")),
        ("Procedure", {"performedDateTime": "i går"}, ("/performedDateTime", "ugyldig-tid")),
        ("Patient", {"identifier": {"system": FNR, "value": CHILD}}, ("/identifier", "ikke-liste")),
        ("Patient", {"identifier": [{"system": FNR}]}, ("/identifier/0/value", "mangler")),
        ("Patient", {"identifier": [{"system": FNR, "value": 1}]}, ("/identifier/0/value", "ikke-tekst")),
        ("Patient", {"identifier": [{"use": "nytt", "value": "1"}]}, ("/identifier/0/use", "ukjent-verdi")),
        ("Patient", {"identifier": [{}]}, ("/identifier/0", "feil-form")),
        ("Patient", {"gender": "mann"}, ("/gender", "ukjent-verdi")),
        ("Patient", {"birthDate": "01.02.2020"}, ("/birthDate", "ugyldig-tid")),
        ("Patient", {"birthDate": "2020-02-30"}, ("/birthDate", "ugyldig-tid")),
    ],
)
def test_what_fhir_forbids_is_refused_at_its_place_alone_and_in_a_bundle(
    kind: str, fields: dict[str, Any], place: tuple[str, str]
) -> None:
    body = made(kind, **fields)
    assert places(Fhir(), body) == {place}
    pointer, code = place
    both = orjson.dumps(bundle(procedure(), orjson.loads(body)))
    assert places(Fhir(), both) == {(f"/entry/1/resource{pointer}", code)}
    assert len(drafts(Fhir(), both, Companion(CHILD))) == 1


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({}, ("/resourceType", "mangler")),
        ({"resourceType": ""}, ("/resourceType", "feil-monster")),
        ({"resourceType": "appointment"}, ("/resourceType", "feil-monster")),
        ([procedure()], ("", "ikke-objekt")),
        ({"resourceType": "Bundle"}, ("/type", "mangler")),
        ({"resourceType": "Bundle", "type": "samling"}, ("/type", "ukjent-verdi")),
        ({"resourceType": "Bundle", "type": "batch", "entry": {}}, ("/entry", "ikke-liste")),
        ({"resourceType": "Bundle", "type": "batch", "entry": [{}]}, ("/entry/0", "feil-form")),
        (
            {"resourceType": "Bundle", "type": "batch", "entry": [{"fullUrl": "urn:x"}]},
            ("/entry/0/resource", "mangler"),
        ),
        (bundle({"id": "x"}), ("/entry/0/resource/resourceType", "mangler")),
    ],
)
def test_what_is_no_resource_or_no_bundle_is_refused(document: Any, place: tuple[str, str]) -> None:
    assert places(Fhir(), orjson.dumps(document)) == {place}


def test_other_resources_are_taken_with_a_notice_each_and_a_patient_in_silence() -> None:
    others = ("Practitioner", "Organization", "Observation", "Immunization", "Bundle")
    document = bundle(
        patient((FNR, CHILD)), *({"resourceType": kind, "code": 1} for kind in others), procedure()
    )
    document["entry"].append({"request": {"method": "DELETE", "url": "Appointment/1"}})
    told = [(r.pointer, w.args["ressurs"]) for r in read(document) for w in r.warnings]
    assert told == [(f"/entry/{n}/resource", kind) for n, kind in enumerate(others, 1)]
    assert [d.nokkel for d in drafts(Fhir(), orjson.dumps(document))] == ["Procedure/k1"]


def test_a_name_that_two_patients_share_means_neither() -> None:
    document = bundle(patient((FNR, CHILD)), patient((FNR, CHILD)), procedure())
    document["entry"][0]["fullUrl"] = "https://a.example/fhir/Patient/p1"
    document["entry"][1]["fullUrl"] = "https://b.example/fhir/Patient/p1"
    assert [d.person for d in drafts(Fhir(), orjson.dumps(document))] == [None]
    document["entry"][2]["resource"]["subject"] = {"reference": "https://b.example/fhir/Patient/p1"}
    assert [d.person for d in drafts(Fhir(), orjson.dumps(document))] == [CHILD]


def test_a_referral_that_is_not_to_be_made_is_not_told() -> None:
    (record,) = read(request(doNotPerform=True))
    assert (record.drafts, [w.code for w in record.warnings]) == ((), ["ikke-sendt"])


def xml(kind: str, inner: str) -> bytes:
    return f'<f:{kind} xmlns:f="http://hl7.org/fhir">{inner}</f:{kind}>'.encode()


ACTOR = '<f:actor><f:reference value="Patient/1"/></f:actor>'
TIMES = '<f:start value="2026-01-05T09:00:00Z"/><f:end value="2026-01-05T10:00:00Z"/>'
WITH = f'<f:participant>{ACTOR}<f:status value="accepted"/></f:participant>'
SUBJECT = '<f:subject><f:reference value="Patient/1"/></f:subject>'
ID = f'<f:identifier><f:system value="{FNR}"/><f:value value="{CHILD}"/></f:identifier>'


@pytest.mark.parametrize(
    ("kind", "inner", "place"),
    [
        ("Appointment", f'<f:status value="booked"/>{TIMES}{WITH}', None),
        ("Appointment", f'<f:status value="fulfilled"/>{TIMES}{WITH}{WITH}', None),
        (
            "ServiceRequest",
            f'<f:status value="active"/><f:intent value="order"/><f:doNotPerform value="false"/>{SUBJECT}'
            f"<f:performer>{ID}</f:performer>",
            None,
        ),
        ("Encounter", f'<f:status value="planned"/><f:class><f:code value="AMB"/></f:class>{SUBJECT}', None),
        ("Procedure", f'<f:status value="unknown"/><f:subject>{ID}</f:subject>', None),
        ("Patient", f"{ID}{ID}", None),
        ("Observation", "", None),
        ("Appointment", f"{TIMES}{WITH}", "/*/status"),
        ("Appointment", f"<f:status>booked</f:status>{TIMES}{WITH}", "/*/status"),
        ("Appointment", f'<status value="booked"/>{TIMES}{WITH}', "/*/status"),
        ("Appointment", f'<f:status value="booked"/><f:status value="booked"/>{TIMES}{WITH}', "/*/status"),
        ("Appointment", f'<f:status value="booked"/>{TIMES}', "/*/participant"),
        ("Appointment", f'<f:status value="booked"/>{TIMES}<f:participant/>', "/*/participant[1]/status"),
        ("Encounter", f'<f:status value="planned"/>{SUBJECT}', "/*/class"),
        ("Procedure", '<f:status value="unknown"/><f:subject/>', "/*/subject"),
        ("Procedure", f'<f:status value="unknown"/>{SUBJECT}{SUBJECT}', "/*/subject"),
        ("Patient", '<f:identifier><f:use value="x"/></f:identifier>', "/*/identifier[1]/use"),
        ("Patient", '<f:gender value="mann"/>', "/*/gender"),
        ("patient", "", "/*"),
        ("Bundle", "<f:entry><f:resource><f:Patient/></f:resource></f:entry>", "/*/type"),
        ("Bundle", '<f:type value="batch"/><f:entry><f:resource/></f:entry>', "/*/entry[1]/resource/*"),
    ],
)
def test_xml_is_judged_as_its_json_is(kind: str, inner: str, place: str | None) -> None:
    assert {pointer for pointer, _ in places(Fhir(), xml(kind, inner))} == ({place} if place else set())
