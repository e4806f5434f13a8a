"""What the API's description says of what is sent to the services, and of the answer."""

from typing import Any

from services.runner import multipart
from services.runner.generic import NDJSON, GenericEvent

_EVENT = GenericEvent.model_json_schema()
_PLACE = {
    "type": "object",
    "properties": {
        "linje": {"type": ["integer", "null"], "description": "nummeret i listen eller på linjen, fra 1"},
        "peker": {"type": "string", "description": "JSON-peker (RFC 6901) eller XPath"},
        "kode": {"type": "string"},
        "feil": {"type": "string"},
        "gjor": {"type": "string"},
    },
}
_RECEIPT = {
    "type": "object",
    "properties": {
        "linje": {"type": ["integer", "null"]},
        "id": {"type": "string"},
        "source": {"type": "string"},
        "status": {"enum": ["mottatt", "kjent"]},
    },
}
_TAKEN = {
    "type": "object",
    "properties": {
        "kvitteringer": {"type": "array", "items": _RECEIPT},
        "feil": {"type": "array", "items": _PLACE},
        "advarsler": {"type": "array", "items": _PLACE},
    },
    "required": ["kvitteringer", "feil", "advarsler"],
}
ANSWER: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "Det som står i «kvitteringer», er tatt imot og blir ikke borte",
        "content": {"application/json": {"schema": _TAKEN}},
    }
}
EVENTS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"oneOf": [_EVENT, {"type": "array", "items": _EVENT}]}},
            NDJSON: {"schema": {"type": "string", "description": "ett hendelsesobjekt per linje"}},
        },
    }
}
FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            multipart.FORM.decode(): {"schema": multipart.SCHEMA},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
