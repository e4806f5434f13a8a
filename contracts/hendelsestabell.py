"""The page that lists every event type, made from the code: a table a sender. Pure; its words are given."""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Final

from contracts.catalogue import Catalogue
from contracts.hendelser import EventType
from contracts.skjema import ALLE, JsonSchema, SkjemaId, versions

Text = Callable[[str], str]
"""The text of a code of contracts/nb.ftl."""

COLUMNS: Final = ("type", "kategori", "skjerming", "innsats", "involvering", "data", "filer")
GENERATED: Final = "../contracts/generated"


def render(catalogue: Catalogue, text: Text) -> str:
    """Markdown, ending in a newline."""
    found = versions(catalogue)
    order = [*catalogue.tjenester, ALLE]
    rank = {navn: place for place, navn in enumerate(order)}
    ids = sorted(
        found, key=lambda id_: rank.get(id_.avsender, len(order))
    )  # stable: the catalogue's own order
    lines = [f"# {text('tabell-tittel')}", "", text("tabell-innledning")]
    for avsender, group in groupby(ids, key=lambda id_: id_.avsender):
        lines += [
            "",
            f"## {text('tabell-alle') if avsender == ALLE else avsender}",
            "",
            _line(text(f"tabell-{column}") for column in COLUMNS),
            _line("---" for _ in COLUMNS),
            *(_line(_cells(id_, found[id_][0], found[id_][1].model_json_schema(), text)) for id_ in group),
        ]
    return "\n".join(lines) + "\n"


def _line(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(id_: SkjemaId, event_type: EventType, data: JsonSchema, text: Text) -> Iterator[str]:
    marks = [text("tabell-egen-kanal")] if event_type.egen_kanal else []
    yield " ".join([f"`{id_.navn}`", *([f"v{id_.versjon}"] if id_.versjon > 1 else []), *marks])
    yield f"`{event_type.kategori}`"
    yield str(event_type.skjerming_for(id_.avsender))
    yield event_type.innsats or "–"
    yield event_type.involvering
    yield "; ".join(_fields(data, text)) or "–"
    links = (("skjema", "schemas"), ("eksempel", "samples"))
    yield " · ".join(f"[{text(f'tabell-{word}')}]({GENERATED}/{kind}/{id_.path})" for word, kind in links)


def _fields(data: JsonSchema, text: Text) -> Iterator[str]:
    for name, schema in data.get("properties", {}).items():
        needed = "" if name in data.get("required", ()) else f", {text('tabell-valgfri')}"
        yield f"`{name}` {_kind(schema, data.get('$defs', {}), text)}{needed}"


def _kind(schema: JsonSchema, defs: Mapping[str, JsonSchema], text: Text) -> str:
    if "$ref" in schema:
        return _kind(defs[schema["$ref"].rpartition("/")[2]], defs, text)
    if "anyOf" in schema:
        return " / ".join(_kind(s, defs, text) for s in schema["anyOf"] if s.get("type") != "null")
    if "enum" in schema or "const" in schema:
        return " / ".join(str(value) for value in schema.get("enum", [schema.get("const")]))
    kind = schema.get("format") or schema.get("type", "object")
    if kind == "array":
        return f"{text('tabell-slag-array')} {_kind(schema.get('items', {}), defs, text)}"
    limits = [str(schema[key]) for key in ("minimum", "maximum") if key in schema]
    limit = {1: " ≥ {0}" if "minimum" in schema else " ≤ {0}", 2: " {0}–{1}"}.get(len(limits), "")
    return text(f"tabell-slag-{kind}") + limit.format(*limits)
