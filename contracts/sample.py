"""Golden samples: for each event version one event as it was published, which new code must still read. Pure.

A sample is {"konvolutt": attributes, "innhold": content}. What is written here is recorded once and never
written over; only its reading follows the code. Ids are made from the schema's name, and nobody has them.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from pydantic import JsonValue, ValidationError

from contracts.catalogue import Catalogue
from contracts.envelope import SEALED, Content, ContractError, Envelope
from contracts.hendelser import EventData, Skjerming
from contracts.lov import LOV_VERSJON
from contracts.skjema import ALLE, JsonSchema, SkjemaId, versions

Sample = dict[str, Any]

KOMMUNE, ORGNR = "4601", "310000001"
EXAMPLES: Final[Mapping[str, JsonValue]] = {
    "abonnement": "koordinering-bergenhus",
    "annen_subject": str(uuid5(NAMESPACE_URL, "annen subject")),
    "ansvarlig_rolle": "rektor",
    "beskrivelse": "Barnet har flere ganger ikke blitt hentet.",
    "bestemmelser": ["barnevernsloven-15-8"],
    "dager": 10,
    "eier": "skole",
    "enhet": "koordinerende-enhet",
    "form": "samtale",
    "fra": "helsestasjon",
    "fra_kommune": "4601",
    "fra_tjeneste": "skole",
    "gjelder": str(uuid5(NAMESPACE_URL, "gjelder")),
    "grunn": "ikke-rett-tjeneste",
    "gyldig_fra": "2026-08-17T08:00:00+02:00",
    "kategori": "4.1",
    "kategorier": ["fravar", "skolemiljo"],
    "kode": "1",
    "lovhjemmel": "3-1",
    "melderkode": "14",
    "mottaker": "ppt",
    "nav_kontor": "1209",
    "oppgave": str(uuid5(NAMESPACE_URL, "oppgave")),
    "periode": "2026-2027",
    "plantype": "1",
    "plikt": str(uuid5(NAMESPACE_URL, "plikt")),
    "programpunkt": "4-ar",
    "regel": "fravar-10-dager",
    "roller": ["kontaktlærer", "helsesykepleier"],
    "sak": "2026-000117",
    "saksinnhold": ["17", "18"],
    "slag": "avlastning",
    "status": "UNDER_BEHANDLING",
    "til": "skole",
    "til_kommune": "0301",
    "til_tjenester": ["helsestasjon", "koordinator"],
    "timer": 14,
    "trinn": 10,
    "utfall": "1",
    "utloper": "2027-06-18T23:59:59+02:00",
    "varsel": str(uuid5(NAMESPACE_URL, "varsel")),
    "Flytting.arsak": "1",
    "Flytting.til": "4",
    "Fodselsdag.alder": 16,
    "Henvendelse.slag": 2,
}
"""Values by field, or by model and field; other fields, and those with a list of codes, show what their type allows."""


def sample(catalogue: Catalogue, id_: SkjemaId) -> Sample:
    """Raises KeyError for an id that the catalogue does not have."""
    event_type, model = versions(catalogue)[id_]
    tjeneste = next(iter(catalogue.tjenester)) if id_.avsender == ALLE else id_.avsender
    full_type = catalogue.full_type(tjeneste, id_.navn)
    skjerming = event_type.skjerming_for(tjeneste)
    schema = model.model_json_schema()
    by_consent = skjerming in (Skjerming.T, Skjerming.H)
    trace = _uuid(id_, "sporing").replace("-", "")
    return {
        "konvolutt": {
            "specversion": "1.0",
            "id": _uuid(id_, "hendelse"),
            "source": f"/{KOMMUNE}/{tjeneste}/{ORGNR}",
            "type": full_type,
            "subject": _uuid(id_, "barn"),
            "time": "2026-11-16T08:30:00Z",
            "recordedtime": "2026-11-16T08:30:02.125000Z",
            "dataschema": Envelope.dataschema_of(full_type, id_.versjon),
            "datacontenttype": SEALED,
            "kommune": KOMMUNE,
            "orgnr": ORGNR,
            "kategori": event_type.kategori,
            "skjerming": str(skjerming),
            "grunnlag": f"samtykke:{_uuid(id_, 'samtykke')}" if by_consent else "gdpr-6-1-e",
            "beslutning": "shield" if skjerming is Skjerming.X else "release",
            "lovversjon": LOV_VERSJON,
            "nokkelid": _uuid(id_, "nokkel"),
            "traceparent": f"00-{trace}-{trace[:16]}-01",
            "correlationid": _uuid(id_, "sammenheng"),
            "causationid": _uuid(id_, "foranledning"),
        },
        "innhold": {
            "nokkel": "2026-000117",
            "versjon": 1,
            "tilbaketrukket": False,
            "data": _data(schema, schema.get("$defs", {})),
        },
    }


def read(document: Sample, id_: SkjemaId, catalogue: Catalogue) -> tuple[Envelope, Content, EventData]:
    """A sample by today's code. Raises ContractError saying what cannot be read any more."""
    version = versions(catalogue).get(id_) or versions(catalogue).get(id_._replace(avsender=ALLE))
    if version is None:
        raise ContractError("type")
    try:
        envelope = Envelope.from_attributes(document["konvolutt"])
        content = Content.model_validate_json(json.dumps(document["innhold"]))
        return envelope, content, version[1].model_validate_json(json.dumps(content.data))
    except ValidationError as error:
        raise ContractError(", ".join(".".join(map(str, e["loc"])) for e in error.errors())) from None


def _uuid(id_: SkjemaId, what: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{id_.urn} {what}"))


def _data(schema: JsonSchema, defs: Mapping[str, JsonSchema]) -> dict[str, JsonValue]:
    return {
        name: EXAMPLES.get(f"{schema.get('title')}.{name}") or _value(name, field, defs)
        for name, field in schema.get("properties", {}).items()
    }


def _value(name: str, schema: JsonSchema, defs: Mapping[str, JsonSchema]) -> JsonValue:
    """Something of the schema's type, and never null where there is something to say."""
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return _value(name, next(s for s in schema[union] if s.get("type") != "null"), defs)
    if "const" in schema or "enum" in schema:
        found: JsonValue = schema["const"] if "const" in schema else schema["enum"][0]
        return found
    if name in EXAMPLES:
        return EXAMPLES[name]
    match schema.get("type"):
        case "boolean":
            return True
        case "integer" | "number":
            least, most = schema.get("minimum", 1), schema.get("maximum", 1)
            number: int | float = min(max(least, 1), most)
            return number
        case "array":
            return [_value(name, schema.get("items", {}), defs)]
        case "object":
            return _data(schema, defs)
    return {"date": "2026-12-14", "date-time": "2026-12-14T12:00:00+01:00"}.get(
        schema.get("format", ""), name.replace("_", "-")
    )
