"""Files of our own, as fagsystemer send them, about synthetic children."""

from typing import Any

from tests.formats_suite import CHILD, OTHER, SECRET

ADRESSE = {"adresselinje1": SECRET, "postnummer": "5003", "poststed": "Bergen"}
OFFENTLIG: dict[str, Any] = {
    "kommunenummer": "4601",
    "kommunenavn": "Bergen",
    "bydelsnummer": "02",
    "bydelsnavn": "Bergenhus",
    "offentligMelder": {
        "personnavn": SECRET,
        "rolle": "Kontaktlærer",
        "telefonnummer": "+47 55 55 55 55",
        "epost": "lærer@skole.no",
        "virksomhet": {"navn": "Skolen", "orgnr": "123456785", "adresse": ADRESSE},
    },
    "offentligBarn": [
        {"fnr": CHILD, "ufoedt": False, "personnavn": SECRET, "adresse": ADRESSE, "orientert": True},
        {
            "fnr": "",
            "ufoedt": True,
            "personnavn": SECRET,
            "telefonnummer": "",
            "adresse": ADRESSE,
            "orientert": False,
            "orientertGrunn": SECRET,
        },
    ],
    "foresatte": [{"personnavn": SECRET, "telefonnummer": "1", "orientert": False, "orientertGrunn": SECRET}],
    "behovForTolk": "Nei",
    "andreHjelpeinstanser": "Nei",
    "melding": {"melding": SECRET, "historie": SECRET, "andreSynspunkter": SECRET},
    "sendingstidspunkt": "2026-01-16T23:29:33",
    "leveringskanal": "Fagsystem",
}
PRIVAT: dict[str, Any] = {
    "kommunenummer": "4601",
    "kommunenavn": "Bergen",
    "bydelsnummer": "02",
    "bydelsnavn": "Bergenhus",
    "privatMelder": {"personnavn": SECRET, "telefonnummer": "99999999", "adresse": ADRESSE},
    "privatBarn": [
        {"personnavn": SECRET, "antattAlder": "10", "relasjon": "Nabo, i samme oppgang", "adresse": ADRESSE},
        {"personnavn": SECRET, "adresse": ADRESSE},
    ],
    "melding": SECRET,
    "sendingstidspunkt": "2026-01-17T00:31:56+01:00",
    "leveringskanal": "Fagsystem",
}

FIL = {"type": "dokumentlager", "id": "0f0e0d0c-1234-4abc-8def-0123456789ab"}
SVARUT = {"type": "svarut", "id": "0f0e0d0c-1234-4abc-8def-0123456789ab", "nr": 1}
VEDLEGG = [{"tittel": SECRET, "referanse": SVARUT}]


def nav(kind: str, second: int, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "hendelsestidspunkt": f"2026-01-04T13:37:{second:02}.134Z", **fields}


DIGISOS: dict[str, Any] = {
    "version": "1.2.3-rc1+b2",
    "avsender": {"systemnavn": "Testsystemet", "systemversjon": "1.0.0"},
    "hendelser": [
        nav("soknadsStatus", 1, status="MOTTATT"),
        nav("tildeltNavKontor", 2, navKontor="1208"),
        nav("saksStatus", 3, referanse="S1", tittel=SECRET, status="UNDER_BEHANDLING"),
        nav(
            "dokumentasjonEtterspurt",
            4,
            forvaltningsbrev={"referanse": SVARUT},
            vedlegg=VEDLEGG,
            dokumenter=[
                {
                    "dokumenttype": SECRET,
                    "tilleggsinformasjon": SECRET,
                    "innsendelsesfrist": "2026-02-10T23:30:00.000Z",
                    "dokumentreferanse": "D1",
                }
            ],
        ),
        nav("forelopigSvar", 5, forvaltningsbrev={"referanse": FIL}, vedlegg=VEDLEGG),
        nav("vedtakFattet", 6, saksreferanse="S1", utfall="DELVIS_INNVILGET", vedtaksfil={"referanse": FIL}),
        nav(
            "vilkar",
            7,
            vilkarreferanse="V1",
            saksreferanse="S1",
            utbetalingsreferanse=["U1"],
            tittel=SECRET,
            beskrivelse=SECRET,
            status="RELEVANT",
        ),
        nav(
            "dokumentasjonkrav",
            8,
            dokumentasjonkravreferanse="K1",
            saksreferanse="S1",
            utbetalingsreferanse=["U1"],
            tittel=SECRET,
            beskrivelse=SECRET,
            frist="2026-02-01T00:00:00.0Z",
            status="RELEVANT",
        ),
        nav(
            "utbetaling",
            9,
            utbetalingsreferanse="U1",
            saksreferanse="S1",
            rammevedtaksreferanse="R1",
            status="UTBETALT",
            belop=31337.5,
            beskrivelse=SECRET,
            forfallsdato="2026-01-20",
            utbetalingsdato="2026-01-20",
            fom="2026-01-01",
            tom="2026-01-31",
            annenMottaker=False,
            mottaker=SECRET,
            kontonummer="12345678901",
            utbetalingsmetode="konto",
        ),
        nav(
            "rammevedtak",
            10,
            rammevedtaksreferanse="R1",
            saksreferanse="S1",
            beskrivelse=SECRET,
            belop=31337,
            fom="2026-01-01",
            tom="2026-01-31",
        ),
        nav("soknadsStatus", 11, status="FERDIGBEHANDLET"),
    ],
}

FNR = "urn:oid:2.16.578.1.12.4.1.4.1"
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "fullUrl": "urn:uuid:8a5d0b6c-0000-4000-8000-000000000001",
            "resource": {
                "resourceType": "Patient",
                "identifier": [{"system": FNR, "value": CHILD}],
                "name": [{"family": SECRET}],
            },
        },
        {
            "fullUrl": "https://journal.example/fhir/Appointment/a1",
            "resource": {
                "resourceType": "Appointment",
                "id": "a1",
                "meta": {"versionId": "3", "lastUpdated": "2026-01-05T10:00:00Z"},
                "status": "fulfilled",
                "serviceType": [{"coding": [{"code": "K12", "display": "12-månederskontroll"}]}],
                "start": "2026-01-05T09:00:00+01:00",
                "end": "2026-01-05T09:30:00+01:00",
                "description": SECRET,
                "participant": [
                    {
                        "actor": {"reference": "urn:uuid:8a5d0b6c-0000-4000-8000-000000000001"},
                        "status": "accepted",
                    },
                    {"actor": {"reference": "Practitioner/p1"}, "status": "accepted"},
                ],
            },
        },
        {
            "resource": {
                "resourceType": "Encounter",
                "id": "e1",
                "meta": {"lastUpdated": "2026-01-06T10:00:00Z"},
                "status": "finished",
                "class": {"code": "AMB"},
                "type": [{"text": "Skolestartundersøkelse"}],
                "subject": {"identifier": {"system": FNR, "value": OTHER}},
                "period": {"start": "2026-01-06", "end": "2026-01-06"},
            },
        },
        {
            "resource": {
                "resourceType": "ServiceRequest",
                "id": "s1",
                "status": "active",
                "intent": "order",
                "subject": {"reference": "#barn"},
                "contained": [
                    {"resourceType": "Patient", "id": "barn", "identifier": [{"system": FNR, "value": CHILD}]}
                ],
                "authoredOn": "2026-01-07T10:00:00Z",
                "performer": [{"reference": "Organization/bup", "display": "BUP Bergen"}],
                "note": [{"text": SECRET}],
            },
        },
    ],
}


def link(**links: str) -> dict[str, Any]:
    return {
        name.rstrip("_"): [{"href": f"https://fint.example/utdanning/elev/{href}"}]
        for name, href in links.items()
    }


def person(number: str = CHILD) -> dict[str, Any]:
    return {
        "fodselsnummer": {"identifikatorverdi": number},
        "navn": {"fornavn": SECRET, "etternavn": SECRET},
        "fodselsdato": "2012-05-15T00:00:00Z",
        "_links": link(self=f"person/fodselsnummer/{number}"),
    }


def elev(systemid: str = "E1", number: str = CHILD) -> dict[str, Any]:
    return {
        "systemId": {"identifikatorverdi": systemid},
        "elevnummer": {"identifikatorverdi": f"nr-{systemid}"},
        "_links": link(self=f"elev/systemid/{systemid}", person=f"person/fodselsnummer/{number}"),
    }


def elevforhold(
    systemid: str = "H1", elev: str = "elev/systemid/E1", slutt: str | None = None
) -> dict[str, Any]:
    period = {"start": "2025-08-17T22:00:00Z", **({"slutt": slutt} if slutt else {})}
    return {
        "systemId": {"identifikatorverdi": systemid},
        "gyldighetsperiode": period,
        "hovedskole": True,
        "_links": link(self=f"elevforhold/systemid/{systemid}", elev=elev, skole="skole/skolenummer/1"),
    }


def fravar(
    nr: int, start: str, slutt: str | None = None, *, dokumentert: bool = False, forhold: str = "H1"
) -> dict[str, Any]:
    period = {"start": start, **({"slutt": slutt} if slutt else {})}
    return {
        "systemId": {"identifikatorverdi": f"F{nr}"},
        "dokumentert": dokumentert,
        "foresPaVitnemal": True,
        "gjelderPeriode": period,
        "kommentar": SECRET,
        "_links": link(self=f"fravar/systemid/F{nr}", elevforhold=f"elevforhold/systemid/{forhold}"),
    }


FINT: dict[str, Any] = {
    "person": [person()],
    "elev": [elev()],
    "elevforhold": [elevforhold(slutt="2026-02-01T00:00:00Z")],
    "fravar": [fravar(1, "2025-09-01T00:00:00Z", "2025-09-12T00:00:00Z")],
}
