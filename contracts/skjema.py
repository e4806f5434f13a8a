"""One JSON Schema (2020-12) for each version of each event type, and one for the headers. Pure.

A schema describes the plaintext inside the seal: `nokkel`, `versjon`, `tilbaketrukket` and the type's own `data`.
A retraction may leave its data empty, which is why a schema has two alternatives. The keyword `x-samspor` holds
what the catalogue says of the type.
"""

from typing import Any, Final, NamedTuple

from contracts.catalogue import Catalogue
from contracts.envelope import Content, Envelope, header_name
from contracts.hendelser import EventData, EventType

JsonSchema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ALLE: Final = "alle"
"""Stands where a service's name would, for a type that every service may send."""
X: Final = "x-samspor"


class SkjemaId(NamedTuple):
    """What a schema is about: the sending service (or ALLE), the type's short name, and the version of its data."""

    avsender: str
    navn: str
    versjon: int

    @property
    def urn(self) -> str:
        """As the envelope's `dataschema` names it."""
        return Envelope.dataschema_of(f"{self.avsender}.{self.navn}", self.versjon)

    @property
    def path(self) -> str:
        """Where its file is, below the folder of its kind."""
        return f"{self.avsender}/{self.navn}.v{self.versjon}.json"

    @classmethod
    def of_path(cls, path: str) -> "SkjemaId":
        """The inverse of `path`. Raises ValueError for any other file."""
        avsender, _, rest = path.partition("/")
        navn, mark, versjon = rest.removesuffix(".json").rpartition(".v")
        found = cls(avsender, navn, int(versjon or 0))
        if not mark or found.path != path:
            raise ValueError("not the path of a schema")
        return found

    def __str__(self) -> str:
        return f"{self.avsender} {self.navn} v{self.versjon}"


HODE: Final = SkjemaId("konvolutt", "hode", 1)
"""The headers of a record: the envelope."""


def versions(catalogue: Catalogue) -> dict[SkjemaId, tuple[EventType, type[EventData]]]:
    """Every version of every type, each with the model of its data."""
    return {
        SkjemaId(avsender, event_type.navn, number): (event_type, model)
        for event_type in catalogue.typer
        for avsender in (sorted(event_type.tjenester) if event_type.tjenester is not None else (ALLE,))
        for number, model in enumerate(event_type.modeller, start=1)
    }


def schemas(catalogue: Catalogue) -> dict[SkjemaId, JsonSchema]:
    """Every schema of the contract, sorted by id."""
    found = {id_: content_schema(id_, *version) for id_, version in versions(catalogue).items()}
    return dict(sorted({**found, HODE: header_schema()}.items()))


def content_schema(id_: SkjemaId, event_type: EventType, model: type[EventData]) -> JsonSchema:
    content = Content.model_json_schema()
    data = model.model_json_schema()
    return {
        "$schema": DIALECT,
        "$id": id_.urn,
        "title": id_.navn,
        "description": content["description"],
        X: {
            "kategori": event_type.kategori,
            "skjerming": str(event_type.skjerming_for(id_.avsender)),
            "innsats": event_type.innsats,
            "involvering": event_type.involvering,
            "egen_plikt": event_type.egen_plikt,
            "egen_kanal": event_type.egen_kanal,
        },
        "type": "object",
        "properties": {name: content["properties"][name] for name in ("nokkel", "versjon", "tilbaketrukket")},
        "required": content["required"],
        "anyOf": [
            {"properties": {"data": {"$ref": f"#/$defs/{model.__name__}"}}, "required": ["data"]},
            {
                "properties": {
                    "tilbaketrukket": {"const": True},
                    "data": {"type": "object", "maxProperties": 0},
                },
                "required": ["tilbaketrukket"],
            },
        ],
        "$defs": {**data.pop("$defs", {}), model.__name__: data},
    }


def header_schema() -> JsonSchema:
    """The headers by name, each the string a record carries; unknown ones are allowed, and ignored."""
    envelope = Envelope.model_json_schema()
    specversion = {"title": "Specversion", "type": "string", "pattern": r"^1\."}
    fields = {"specversion": specversion, **envelope["properties"]}
    return {
        "$schema": DIALECT,
        "$id": HODE.urn,
        "title": HODE.navn,
        "description": envelope["description"],
        "type": "object",
        "properties": {header_name(name): _present(field) for name, field in fields.items()},
        "required": [header_name(name) for name in ("specversion", *envelope["required"])],
        "$defs": envelope["$defs"],
    }


def _present(field: JsonSchema) -> JsonSchema:
    """A header that has nothing to say is left out, so null and defaults have no place in its schema."""
    branches: list[JsonSchema] = field.get("anyOf", [])
    given = next((branch for branch in branches if branch.get("type") != "null"), {})
    return {key: value for key, value in field.items() if key not in ("anyOf", "default")} | given
