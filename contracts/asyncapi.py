"""The contract as an AsyncAPI 3.0 document: a channel a topic, a message an event version and sender. Pure."""

from typing import Any, Final

from contracts import innboks
from contracts.catalogue import Catalogue
from contracts.envelope import SEALED, header_name
from contracts.hendelser import EventType
from contracts.skjema import ALLE, HODE, JsonSchema, SkjemaId, schemas
from contracts.tjenester import SAMORDNING, SAMTYKKE
from contracts.topics import INNBOKS, KJEDE, PARKERT, Topic, event_topic

VERSION: Final = "1.0.0"
"""Of the document's form; each message says its own version."""

PARKED_HEADERS: Final = {
    "parkert_grunn": "why it was set aside, as a code",
    "parkert_topic": "the topic it was read from",
    "parkert_partition": "its partition there",
    "parkert_offset": "its offset there",
}
_KEY: Final = {"type": "string", "format": "uuid", "description": "The child's subject id, as ce_subject."}


def document(catalogue: Catalogue) -> dict[str, Any]:
    """Every topic of `catalogue`, and what may lie on it. A type with a lane of its own is on no service's topic."""
    found = schemas(catalogue)
    messages: dict[str, Any] = {}
    channels: dict[str, Any] = {}
    senders = {event_topic(t).navn: t for t in (*catalogue.tjenester, SAMTYKKE, SAMORDNING)}
    for topic in catalogue.topics():
        tjeneste = senders.get(topic.navn)
        here = OTHERS[topic.navn]() if tjeneste is None else _messages(catalogue, tjeneste)
        messages |= here
        channels[topic.navn] = _channel(topic, here)
    used = sorted(
        {message["payload"]["$ref"] for message in messages.values() if "$ref" in message.get("payload", {})}
    )
    report = innboks.Innboksmelding.model_json_schema(
        ref_template=f"#/components/schemas/{INNBOKS.navn}.{{model}}"
    )
    inside = {f"{INNBOKS.navn}.{name}": part for name, part in report.pop("$defs").items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Samspor",
            "version": VERSION,
            "description": (
                "Events of the services around a child. A record's body is AES-256-GCM ciphertext; each payload "
                "here is the plaintext inside it. Topics are internal: others get what they may read by API."
            ),
            "license": {"name": "MIT"},
        },
        "defaultContentType": SEALED,
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "The installation's own cluster.",
                "variables": {
                    "bootstrap": {"description": "host:port of a broker", "default": "localhost:9092"}
                },
            }
        },
        "channels": channels,
        "operations": {
            f"publish.{name}": {"action": "send", "channel": {"$ref": f"#/channels/{name}"}}
            for name in channels
        },
        "components": {
            "messages": messages,
            "schemas": {INNBOKS.navn: report, **inside}
            | _hoisted(HODE, found[HODE])
            | {
                name: schema
                for id_, content in found.items()
                if _schema_ref(id_) in used
                for name, schema in _hoisted(id_, content).items()
            },
        },
    }


def _channel(topic: Topic, messages: dict[str, Any]) -> dict[str, Any]:
    kafka = {"topic": topic.navn, "partitions": topic.partitions, "bindingVersion": "0.5.0"}
    return {
        "address": topic.navn,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": kafka},
    }


def _messages(catalogue: Catalogue, tjeneste: str) -> dict[str, Any]:
    return {
        f"{tjeneste}.{navn}.v{number}": _message(catalogue, tjeneste, event_type, number)
        for navn in catalogue.names_for(tjeneste)
        for event_type in (catalogue.for_service(tjeneste, navn),)
        for number in range(1, event_type.versjon + 1)
    }


def _message(catalogue: Catalogue, tjeneste: str, event_type: EventType, number: int) -> dict[str, Any]:
    avsender = ALLE if event_type.tjenester is None else tjeneste
    constant = {
        "type": catalogue.full_type(tjeneste, event_type.navn),
        "dataschema": SkjemaId(tjeneste, event_type.navn, number).urn,
        "kategori": event_type.kategori,
        "skjerming": str(event_type.skjerming_for(tjeneste)),
    }
    return {
        "name": constant["type"],
        "title": f"{event_type.navn} ({tjeneste}, v{number})",
        "contentType": SEALED,
        "headers": {
            "allOf": [
                {"$ref": _schema_ref(HODE)},
                {"properties": {header_name(name): {"const": value} for name, value in constant.items()}},
            ]
        },
        "payload": {"$ref": _schema_ref(SkjemaId(avsender, event_type.navn, number))},
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "bindings": {"kafka": {"key": _KEY, "bindingVersion": "0.5.0"}},
    }


def _innboks() -> dict[str, Any]:
    """A report on its lane: what tells one from another is inside the seal."""
    headers = {name: {"type": "string"} for name, _ in innboks.to_headers("", "")}
    headers["ce_type"]["const"], headers["ce_source"]["const"] = innboks.TYPE, innboks.SOURCE
    return {
        INNBOKS.navn: {
            "name": innboks.TYPE,
            "title": "A report to barnevern, sealed to its public key (HPKE, RFC 9180)",
            "contentType": innboks.SEALED,
            "headers": {"type": "object", "properties": headers, "required": sorted(headers)},
            "payload": {"$ref": f"#/components/schemas/{INNBOKS.navn}"},
            "bindings": {
                "kafka": {"key": {"type": "string", "description": "Random."}, "bindingVersion": "0.5.0"}
            },
        }
    }


def _parked() -> dict[str, Any]:
    """A record set aside: its own headers and body as they came, whatever they were."""
    described = {name: {"type": "string", "description": text} for name, text in PARKED_HEADERS.items()}
    return {
        PARKERT.navn: {
            "name": PARKERT.navn,
            "title": "A record that could not be read or handled",
            "contentType": "application/octet-stream",
            "headers": {"type": "object", "properties": described, "required": sorted(described)},
        }
    }


def _head() -> dict[str, Any]:
    """The last hash of a ledger's chain (backbone/ledger.py)."""
    described = {
        "kjede": {"type": "string", "description": "the database whose ledger it is"},
        "nummer": {"type": "integer", "minimum": 1, "description": "place of the last row that it covers"},
        "hode": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256 of the chain so far"},
        "tid": {"type": "string", "format": "date-time"},
    }
    payload = {"type": "object", "properties": described, "required": sorted(described)}
    return {
        KJEDE.navn: {
            "name": KJEDE.navn,
            "title": "Head of a ledger",
            "contentType": "application/json",
            "payload": payload,
        }
    }


OTHERS: Final = {PARKERT.navn: _parked, KJEDE.navn: _head, INNBOKS.navn: _innboks}


def _name(id_: SkjemaId) -> str:
    return f"{id_.avsender}.{id_.navn}.v{id_.versjon}"


def _schema_ref(id_: SkjemaId) -> str:
    return f"#/components/schemas/{_name(id_)}"


def _hoisted(id_: SkjemaId, schema: JsonSchema) -> dict[str, JsonSchema]:
    """The schema and its definitions under the names they have in the document, which has one root."""
    top = {k: v for k, v in schema.items() if k not in ("$schema", "$id", "$defs")}
    parts = {_name(id_): top, **{f"{_name(id_)}.{n}": d for n, d in schema.get("$defs", {}).items()}}
    return {name: _pointed(part, id_) for name, part in parts.items()}


def _pointed(node: Any, id_: SkjemaId) -> Any:
    if isinstance(node, list):
        return [_pointed(item, id_) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: f"{_schema_ref(id_)}.{value.removeprefix('#/$defs/')}" if key == "$ref" else _pointed(value, id_)
        for key, value in node.items()
    }
