"""What one JSON Schema accepts and a later one would not: the breaking differences between them. Pure.

Understood is what pydantic writes: objects, arrays, tuples, unions (also told apart by a discriminator), enums,
bounds, formats, `$ref`, and schemas that contain themselves. A difference in any other keyword counts as breaking,
since nobody has shown that it is not. A field that is gone breaks too, even where unknown fields are allowed:
those who read it miss it.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Schema = Mapping[str, Any] | bool
Node = dict[str, Any]
Check = Callable[[Node, Node, str], list["Narrowing"]]

ANNOTATIONS: Final = frozenset(
    {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "discriminator"}
    | {"$comment", "$schema", "$id", "$anchor", "$defs", "definitions"}
)
TYPES: Final = ("null", "boolean", "number", "string", "array", "object")
KEYWORDS: Final[Mapping[str, frozenset[str]]] = {
    "number": frozenset(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    "string": frozenset(
        ["minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"]
    ),
    "array": frozenset(["items", "prefixItems", "minItems", "maxItems", "uniqueItems"]),
    "object": frozenset(["properties", "required", "additionalProperties", "minProperties", "maxProperties"]),
}
LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


@dataclass(frozen=True, slots=True)
class Narrowing:
    """`felt` is the field ("data.barn[].navn"; "" is the whole), `kode` the kind of change, `fra` and `til` what was
    and what is, as JSON or as names of types."""

    felt: str
    kode: str
    fra: str = ""
    til: str = ""


def narrowings(old: Schema, new: Schema) -> tuple[Narrowing, ...]:
    """All that `old` accepts and `new` does not, each place once; none means that `new` reads whatever `old` did."""
    return tuple(dict.fromkeys(_Comparison(_Document(old), _Document(new)).compare(old, new, "")))


class _Document:
    """A schema with the definitions it refers to."""

    def __init__(self, root: Schema) -> None:
        self._root = root

    def resolve(self, ref: str) -> Schema:
        """Raises LookupError for what is not in this document."""
        node: Any = self._root
        for part in ref.removeprefix("#").split("/")[1:]:
            node = node[part.replace("~1", "/").replace("~0", "~")]
        found: Schema = node
        return found

    def alternatives(self, schema: Schema, seen: frozenset[str] = frozenset()) -> list[Node]:
        """The ways to satisfy a schema: each is {"enum": [one value]}, or has one `type` and its constraints."""
        node = self._plain(schema, seen)
        if node is None:
            return []
        for union in ("anyOf", "oneOf"):
            if union in node:
                rest = {key: value for key, value in node.items() if key != union}
                inner = seen | _refs(node[union])
                return [
                    found
                    for branch in node[union]
                    if not (isinstance(branch, Mapping) and branch.get("$ref") in seen)
                    for found in self.alternatives({"allOf": [rest, branch]}, inner)
                ]
        types = _types(node)
        if "enum" in node:
            values = [v for v in node["enum"] if any(_fits(_type_of(v), t) for t in types)]
            rest = {key: value for key, value in node.items() if key not in ("enum", "type")}
            return [{"enum": [v]} for v in values if any(_accepts(n, v) for n in _of_type(_type_of(v), rest))]
        return [found for t in types for found in _of_type(t, node)]

    def _plain(self, schema: Schema, seen: frozenset[str]) -> Node | None:
        """Without annotations, `$ref`, `allOf` and `const`; None when nothing satisfies it."""
        if isinstance(schema, bool):
            return {} if schema else None
        node = {k: v for k, v in schema.items() if k not in ANNOTATIONS and not k.startswith("x-")}
        parts: list[Schema] = list(node.pop("allOf", ()))
        if "$ref" in node:
            parts.append(self.resolve(node.pop("$ref")))
        if "const" in node:
            parts.append({"enum": [node.pop("const")]})
        merged: Node | None = node
        for part in parts:
            plain = self._plain(part, seen)
            merged = None if plain is None or merged is None else self._both(merged, plain)
        return merged

    def _both(self, one: Node, other: Node) -> Node | None:
        """What satisfies both. Objects are read as one object with the fields of both."""
        out = dict(one)
        for key, value in other.items():
            if key not in out or out[key] == value:
                out[key] = value
            elif key == "type":
                out[key] = [t for t in _types(one) if any(_fits(t, u) for u in _types(other))] + [
                    u for u in _types(other) if any(_fits(u, t) and u != t for t in _types(one))
                ]
                if not out[key]:
                    return None
            elif key == "enum":
                out[key] = [v for v in out[key] if any(_same(v, w) for w in value)]
            elif key in ("anyOf", "oneOf"):
                out[key] = [{"allOf": [a, b]} for a in out[key] for b in value]
            elif key == "properties":
                out[key] = {
                    name: {"allOf": [out[key][name], value[name]]}
                    if name in out[key] and name in value
                    else schema
                    for name, schema in {**out[key], **value}.items()
                }
            elif key == "required":
                out[key] = sorted({*out[key], *value})
            elif key in LOWER:
                out[key] = max(out[key], value)
            elif key in UPPER:
                out[key] = min(out[key], value)
            elif key in ("items", "additionalProperties"):
                out[key] = False if False in (out[key], value) else {"allOf": [out[key], value]}
            else:
                out[f"{key} ({_json(value)})"] = value  # two patterns, say: kept apart, compared as they are
        return out


def _of_type(type_: str, node: Node) -> Iterator[Node]:
    if type_ in ("null", "boolean"):
        yield from ({"enum": [value]} for value in ((None,) if type_ == "null" else (True, False)))
        return
    foreign = frozenset().union(*(words for name, words in KEYWORDS.items() if not _fits(type_, name)))
    yield {**{key: value for key, value in node.items() if key not in foreign}, "type": type_}


@dataclass
class _Comparison:
    old: _Document
    new: _Document
    active: set[tuple[str, str]] = field(default_factory=set)

    def compare(self, old: Schema, new: Schema, path: str) -> list[Narrowing]:
        pair = _json(old), _json(new)
        if pair in self.active:
            return []  # the same two again, further in: what they differ in is found further out
        self.active.add(pair)
        try:
            return self._compare(self.old.alternatives(old), self.new.alternatives(new), path)
        finally:
            self.active.discard(pair)

    def _compare(self, olds: Sequence[Node], news: Sequence[Node], path: str) -> list[Narrowing]:
        found: list[Narrowing] = []
        lost_values: list[Any] = []
        lost_type = False
        for old in olds:
            if "enum" in old:
                (value,) = old["enum"]
                if any(_accepts(new, value) for new in news):
                    continue
                if any(_kind(new) == _type_of(value) for new in news):
                    lost_values.append(value)
                else:
                    lost_type = True
                continue
            matches = [
                self._one(old, new, path) for new in news if "type" in new and _fits(old["type"], new["type"])
            ]
            if matches:
                closest = min(matches, key=len)
                found += closest
            else:
                lost_type = True
        if lost_type:
            found.append(Narrowing(path, "type-innsnevret", _describe(olds), _describe(news)))
        if lost_values:
            found.append(Narrowing(path, "verdi-fjernet", ", ".join(map(_json, lost_values))))
        return found

    def _one(self, old: Node, new: Node, path: str) -> list[Narrowing]:
        known = frozenset().union(*KEYWORDS.values()) | {"type"}
        found = [
            Narrowing(path, "ukjent-endring", key, _json(value))
            for key, value in new.items()
            if key not in known and (key not in old or old[key] != value)
        ]
        check: Check = {"string": _strings, "array": self._arrays, "object": self._objects}.get(
            old["type"], _numbers
        )
        return [*found, *check(old, new, path)]

    def _arrays(self, old: Node, new: Node, path: str) -> list[Narrowing]:
        found = [
            *_raised(old, new, path, "minItems", 0),
            *_lowered(old, new, path, "maxItems"),
            *_added(old, new, path, "uniqueItems"),
        ]
        fixed = max(len(old.get("prefixItems", ())), len(new.get("prefixItems", ())))
        for place in range(min(fixed, old.get("maxItems", fixed))):
            found += self.compare(_item(old, place), _item(new, place), f"{path}[{place}]")
        if old.get("maxItems", fixed + 1) > fixed:
            found += self.compare(_item(old, fixed), _item(new, fixed), f"{path}[]")
        return found

    def _objects(self, old: Node, new: Node, path: str) -> list[Narrowing]:
        before, after = old.get("properties", {}), new.get("properties", {})
        required = old.get("required", ())
        found: list[Narrowing] = []
        for name, schema in before.items():
            place = f"{path}.{name}" if path else name
            if name not in after:
                found.append(Narrowing(place, "felt-fjernet"))
                continue
            found += self.compare(schema, after[name], place)
            if name not in required:
                found += _default(schema, after[name], place)
        for name in new.get("required", ()):
            if name not in required:
                place = f"{path}.{name}" if path else name
                found.append(Narrowing(place, "felt-ble-pakrevd" if name in before else "nytt-felt-pakrevd"))
        return [*found, *self._others(old, new, path), *_sizes(old, new, path)]

    def _others(self, old: Node, new: Node, path: str) -> list[Narrowing]:
        """Fields that neither names."""
        before, after = (side.get("additionalProperties", True) for side in (old, new))
        if before is False:
            return []
        if after is False:
            return [Narrowing(path, "ble-lukket")]
        return self.compare(before, after, f"{path}.*" if path else "*")


def _sizes(old: Node, new: Node, path: str) -> list[Narrowing]:
    closed = old.get("additionalProperties", True) is False and "patternProperties" not in old
    most = [old["maxProperties"]] if "maxProperties" in old else []
    most += [len(old.get("properties", ()))] if closed else []
    fewest = max(old.get("minProperties", 0), len(old.get("required", ())))
    limits = {**old, "minProperties": fewest} | ({"maxProperties": min(most)} if most else {})
    return [*_raised(limits, new, path, "minProperties", 0), *_lowered(limits, new, path, "maxProperties")]


def _strings(old: Node, new: Node, path: str) -> list[Narrowing]:
    return [
        *_raised(old, new, path, "minLength", 0),
        *_lowered(old, new, path, "maxLength"),
        *(
            found
            for key in ("pattern", "format", "contentEncoding", "contentMediaType")
            for found in _added(old, new, path, key)
        ),
    ]


def _numbers(old: Node, new: Node, path: str) -> list[Narrowing]:
    found = []
    for key, exclusive, sign in (("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1)):
        before, after = _bound(old, key, exclusive, sign), _bound(new, key, exclusive, sign)
        if after > before:
            found.append(_limit(path, key, _shown(old, key, exclusive), _shown(new, key, exclusive)))
    step, was = new.get("multipleOf"), old.get("multipleOf", 1 if old["type"] == "integer" else None)
    if step is not None and (was is None or was % step):
        found.append(_limit(path, "multipleOf", old.get("multipleOf"), step))
    return found


def _bound(node: Node, key: str, exclusive: str, sign: int) -> tuple[float, bool]:
    """A number's limit on one side, larger when tighter, and whether the limit itself is outside."""
    limits = [(sign * node[k], k == exclusive) for k in (key, exclusive) if k in node]
    if node["type"] == "integer":
        limits = [((math.floor(v) + 1) if outside else math.ceil(v), False) for v, outside in limits]
    return max(limits, default=(-math.inf, False))


def _shown(node: Node, key: str, exclusive: str) -> Any:
    return node.get(key, node.get(exclusive))


def _raised(old: Node, new: Node, path: str, key: str, least: int) -> list[Narrowing]:
    before, after = old.get(key, least), new.get(key, least)
    return [_limit(path, key, before, after)] if after > before else []


def _lowered(old: Node, new: Node, path: str, key: str) -> list[Narrowing]:
    before, after = old.get(key), new.get(key)
    return (
        [_limit(path, key, before, after)] if after is not None and (before is None or after < before) else []
    )


def _added(old: Node, new: Node, path: str, key: str) -> list[Narrowing]:
    before, after = old.get(key, False), new.get(key, False)
    return [_limit(path, key, old.get(key), after)] if after and after != before else []


def _limit(path: str, key: str, before: Any, after: Any) -> Narrowing:
    return Narrowing(
        path,
        "grense-strammet",
        f"{key} {_json(before)}" if before is not None else "",
        f"{key} {_json(after)}",
    )


def _default(old: Schema, new: Schema, path: str) -> list[Narrowing]:
    """What an absent field meant, and means."""
    if isinstance(old, bool) or isinstance(new, bool) or "default" not in old or "default" not in new:
        return []
    if _same(old["default"], new["default"]):
        return []
    return [Narrowing(path, "standardverdi-endret", _json(old["default"]), _json(new["default"]))]


def _item(node: Node, place: int) -> Schema:
    fixed: Sequence[Schema] = node.get("prefixItems", ())
    rest: Schema = node.get("items", True)
    return fixed[place] if place < len(fixed) else rest


def _accepts(node: Node, value: Any) -> bool:
    """Whether an alternative accepts one value. A composite value only where nothing constrains it."""
    if "enum" in node:
        return any(_same(value, v) for v in node["enum"])
    if not _fits(_type_of(value), node["type"]):
        return False
    checks: dict[str, Callable[[Any], bool]] = {
        "minimum": lambda limit: value >= limit,
        "maximum": lambda limit: value <= limit,
        "exclusiveMinimum": lambda limit: value > limit,
        "exclusiveMaximum": lambda limit: value < limit,
        "multipleOf": lambda step: value % step == 0,
        "minLength": lambda length: len(value) >= length,
        "maxLength": lambda length: len(value) <= length,
        "pattern": lambda pattern: re.search(pattern, value) is not None,
    }
    return all(key == "type" or (key in checks and checks[key](limit)) for key, limit in node.items())


def _types(node: Node) -> tuple[str, ...]:
    given = node.get("type", TYPES)
    return (given,) if isinstance(given, str) else tuple(given)


def _fits(inner: str, outer: str) -> bool:
    return inner == outer or (inner == "integer" and outer == "number")


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    return {int: "integer", str: "string", list: "array"}.get(type(value), "object")


def _kind(node: Node) -> str:
    return _type_of(node["enum"][0]) if "enum" in node else str(node["type"])


def _same(one: Any, other: Any) -> bool:
    return _type_of(one) == _type_of(other) and bool(one == other)


def _describe(nodes: Iterable[Node]) -> str:
    return " | ".join(dict.fromkeys(_kind(node) for node in nodes)) or "–"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _refs(schemas: Iterable[Schema]) -> frozenset[str]:
    return frozenset(s["$ref"] for s in schemas if isinstance(s, Mapping) and "$ref" in s)
