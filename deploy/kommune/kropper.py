"""Bodies in the formats that fagsystemer really send, built from a person and what happened. Pure; bytes out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import orjson

from deploy.kommune.folk import Barn, Person

FINT, FHIR, FIKS, DIGISOS = "fint-utdanning", "fhir", "fiks-bekymringsmelding", "digisos-soker"
"""The formats' names in the services' URLs."""

OSLO = ZoneInfo("Europe/Oslo")
KOMMUNE = "4601"
KOMMUNENAVN = "Bergen"
FNR_SYSTEM = "urn:oid:2.16.578.1.12.4.1.4.1"
FINT_ADRESSE = "https://beta.felleskomponent.no/utdanning"


@dataclass(frozen=True)
class Fravaer:
    """One absence at school, both days included."""

    barn: Barn
    fra: date
    til: date
    dokumentert: bool


def ref(*deler: object) -> str:
    """A stable id in the shape of a record system's own: the same parts give the same id, and tell nothing."""
    return str(uuid5(NAMESPACE_URL, "samspor-kommune/" + "/".join(map(str, deler))))


def fint(elever: Iterable[tuple[Barn, date]], fravaer: Iterable[Fravaer] = ()) -> bytes:
    """Pupils (child, first day at the school) and absences, as FINT Utdanning resources linked by systemId."""
    alle = list(elever)
    return orjson.dumps(
        {
            "person": [_fint_person(b) for b, _ in alle],
            "elev": [_fint_elev(b) for b, _ in alle],
            "elevforhold": [_fint_elevforhold(b, fra) for b, fra in alle],
            "fravar": [_fint_fravaer(f) for f in fravaer],
        }
    )


def _identifikator(verdi: str) -> dict[str, str]:
    return {"identifikatorverdi": verdi}


def _lenke(*deler: str) -> list[dict[str, str]]:
    return [{"href": "/".join((FINT_ADRESSE, *deler))}]


def _fint_person(barn: Barn) -> dict[str, Any]:
    fornavn, _, etternavn = barn.navn.rpartition(" ")
    return {
        "fodselsnummer": _identifikator(barn.nummer),
        "fodselsdato": f"{barn.fodselsdato}T00:00:00Z",
        "navn": {"fornavn": fornavn, "etternavn": etternavn},
        "_links": {"self": _lenke("elev", "person", "fodselsnummer", barn.nummer)},
    }


def _elev_id(barn: Barn) -> str:
    return ref("elev", barn.nummer)


def _fint_elev(barn: Barn) -> dict[str, Any]:
    return {
        "systemId": _identifikator(_elev_id(barn)),
        "elevnummer": _identifikator(_elev_id(barn)[:8]),
        "_links": {
            "self": _lenke("elev", "elev", "systemid", _elev_id(barn)),
            "person": _lenke("elev", "person", "fodselsnummer", barn.nummer),
        },
    }


def _elevforhold_id(barn: Barn) -> str:
    return ref("elevforhold", barn.nummer)


def _fint_elevforhold(barn: Barn, fra: date) -> dict[str, Any]:
    return {
        "systemId": _identifikator(_elevforhold_id(barn)),
        "gyldighetsperiode": {"start": f"{fra}T06:00:00Z"},
        "hovedskole": True,
        "_links": {
            "self": _lenke("elev", "elevforhold", "systemid", _elevforhold_id(barn)),
            "elev": _lenke("elev", "elev", "systemid", _elev_id(barn)),
            "skole": _lenke("utdanningsprogram", "skole", "systemid", ref("skole", 1)),
        },
    }


def _fint_fravaer(fravaer: Fravaer) -> dict[str, Any]:
    id_ = ref("fravaer", fravaer.barn.nummer, fravaer.fra)
    return {
        "systemId": _identifikator(id_),
        "dokumentert": fravaer.dokumentert,
        "foresPaVitnemal": True,
        "gjelderPeriode": {"start": f"{fravaer.fra}T06:30:00Z", "slutt": f"{fravaer.til}T13:30:00Z"},
        "_links": {
            "self": _lenke("vurdering", "fravar", "systemid", id_),
            "elevforhold": _lenke("elev", "elevforhold", "systemid", _elevforhold_id(fravaer.barn)),
            "fravarstype": _lenke("kodeverk", "fravarstype", "systemid", "D"),
        },
    }


def fhir_konsultasjon(barn: Person, programpunkt: str, tid: datetime, mott: bool = True) -> bytes:
    """A programme consultation as a bundle: the Encounter that was held, or the Appointment nobody came to."""
    pasient = f"urn:uuid:{ref('pasient', barn.nummer)}"
    konsultasjon = {
        "id": ref("konsultasjon", barn.nummer, programpunkt),
        "meta": {
            "profile": [
                f"http://hl7.no/fhir/StructureDefinition/no-basis-{'Encounter' if mott else 'Appointment'}"
            ]
        },
    }
    if mott:
        ressurs: dict[str, Any] = {
            "resourceType": "Encounter",
            **konsultasjon,
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "type": [{"text": programpunkt}],
            "subject": {"reference": pasient},
            "period": {"start": tid.isoformat(), "end": tid.isoformat()},
        }
    else:
        ressurs = {
            "resourceType": "Appointment",
            **konsultasjon,
            "status": "noshow",
            "serviceType": [{"text": programpunkt}],
            "start": tid.isoformat(),
            "end": tid.isoformat(),
            "participant": [{"actor": {"reference": pasient}, "status": "accepted"}],
        }
    return orjson.dumps(
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                {"fullUrl": pasient, "resource": _fhir_patient(barn)},
                {"fullUrl": f"urn:uuid:{ressurs['id']}", "resource": ressurs},
            ],
        }
    )


def _fhir_patient(barn: Person) -> dict[str, Any]:
    fornavn, _, etternavn = barn.navn.rpartition(" ")
    return {
        "resourceType": "Patient",
        "id": ref("pasient", barn.nummer),
        "meta": {"profile": ["http://hl7.no/fhir/StructureDefinition/no-basis-Patient"]},
        "identifier": [{"system": FNR_SYSTEM, "value": barn.nummer}],
        "name": [{"family": etternavn, "given": [fornavn]}],
        "birthDate": str(barn.fodselsdato),
    }


def fiks_bekymringsmelding(barn: Barn, tid: datetime) -> bytes:
    """A public professional's bekymringsmelding, KS Fiks offentlig v2."""
    adresse = {"adresselinje1": "Eksempelveien 1", "postnummer": "5003", "poststed": KOMMUNENAVN}
    return orjson.dumps(
        {
            "kommunenummer": KOMMUNE,
            "kommunenavn": KOMMUNENAVN,
            "bydelsnummer": barn.bydel.nummer,
            "bydelsnavn": barn.bydel.navn,
            "offentligMelder": {
                "personnavn": "Melder Eksempel",
                "rolle": "Lærer",
                "telefonnummer": "00000000",
                "epost": "melder@skole.example",
                "virksomhet": {"navn": "Eksempel skole", "adresse": adresse},
            },
            "offentligBarn": [
                {
                    "fnr": barn.nummer,
                    "ufoedt": False,
                    "personnavn": barn.navn,
                    "adresse": adresse,
                    "orientert": True,
                }
            ],
            "foresatte": [{"personnavn": barn.foresatt.navn, "orientert": True}],
            "melding": {"melding": "Syntetisk melding.", "historie": "Syntetisk historie."},
            "sendingstidspunkt": tid.astimezone(OSLO).replace(tzinfo=None).isoformat(timespec="seconds"),
            "leveringskanal": "Fagsystem",
        }
    )


def digisos(hendelser: Sequence[tuple[datetime, dict[str, Any]]]) -> bytes:
    """A digisos-soker file: (when, event without its time) in the order they happened."""
    return orjson.dumps(
        {
            "version": "1.0.0",
            "avsender": {"systemnavn": "Samspor syntetisk kommune", "systemversjon": "1.0.0"},
            "hendelser": [
                {**hendelse, "hendelsestidspunkt": tid.strftime("%Y-%m-%dT%H:%M:%S.000Z")}
                for tid, hendelse in hendelser
            ],
        }
    )


def generisk(
    barn: Person, type_: str, tid: datetime, nokkel: str, data: dict[str, Any] | None = None
) -> bytes:
    """One event in Samspor's own JSON, for what the foreign formats of a service do not carry."""
    return orjson.dumps(
        {"type": type_, "person": barn.nummer, "tid": tid.isoformat(), "nokkel": nokkel, "data": data or {}}
    )
