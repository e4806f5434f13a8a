"""Which changes of a schema break those who rest on it, and where."""

import copy
from collections.abc import Callable
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field

from contracts.narrowing import Narrowing, narrowings

Schema = dict[str, Any]


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Adresse(Strict):
    sted: str = Field(min_length=1, max_length=80, pattern="^[A-Z]")
    nummer: int = Field(ge=1, le=999)


class Post(Strict):
    slag: Literal["post"]
    kode: int


class Epost(Strict):
    slag: Literal["epost"]
    til: str


class Barn(Strict):
    navn: str
    adresse: Adresse | None = None
    status: Literal["a", "b"] = "a"
    merker: list[str] = Field(default=[], max_length=3)
    sosken: list["Barn"] = []
    melding: Post | Epost | None = Field(default=None, discriminator="slag")
    par: tuple[int, str] | None = None
    fritt: dict[str, int] = {}
    vekt: float = Field(default=1.0, gt=0)
    nei: bool = False


OLD = Barn.model_json_schema()


def at(schema: Schema, path: str) -> Any:
    """The node at a path like "Barn.properties.navn" below $defs, or at the top."""
    node: Any = schema["$defs"]
    for part in path.split("."):
        node = node[int(part) if part.isdigit() else part]
    return node


def changed(change: Callable[[Schema], object]) -> Schema:
    new = copy.deepcopy(OLD)
    change(new)
    return new


BARN, ADRESSE = "Barn.properties", "Adresse.properties"


def setting(path: str, **values: Any) -> Callable[[Schema], object]:
    return lambda s: at(s, path).update(values)


def dropping(path: str, *keys: str) -> Callable[[Schema], object]:
    return lambda s: [at(s, path).pop(key) for key in keys]


def requiring(model: str, name: str) -> Callable[[Schema], object]:
    return lambda s: at(s, model).setdefault("required", []).append(name)


def with_field(model: str, name: str, field: Schema) -> Callable[[Schema], object]:
    return lambda s: at(s, f"{model}.properties").update({name: field})


def both(*changes: Callable[[Schema], object]) -> Callable[[Schema], object]:
    return lambda s: [change(s) for change in changes]


BREAKING: dict[str, tuple[Callable[[Schema], object], str, str]] = {
    "a required field is added": (
        both(with_field("Barn", "ny", {"type": "string"}), requiring("Barn", "ny")), "ny", "nytt-felt-pakrevd"),
    "a required field is added further in": (
        both(with_field("Adresse", "ny", {"type": "string"}), requiring("Adresse", "ny")),
        "adresse.ny", "nytt-felt-pakrevd"),
    "an optional field becomes required": (requiring("Barn", "status"), "status", "felt-ble-pakrevd"),
    "a field is removed": (dropping(BARN, "vekt"), "vekt", "felt-fjernet"),
    "a field is removed further in": (dropping(ADRESSE, "nummer"), "adresse.nummer", "felt-fjernet"),
    "a field is renamed": (
        both(dropping(BARN, "vekt"), with_field("Barn", "tyngde", {"type": "number"})), "vekt", "felt-fjernet"),
    "a type is another": (setting(f"{BARN}.navn", type="integer"), "navn", "type-innsnevret"),
    "a number becomes an integer": (setting(f"{BARN}.vekt", type="integer"), "vekt", "type-innsnevret"),
    "null is not accepted any more": (
        lambda s: at(s, f"{BARN}.adresse").update(anyOf=[{"$ref": "#/$defs/Adresse"}]), "adresse", "type-innsnevret"),
    "a boolean becomes a constant": (setting(f"{BARN}.nei", const=False), "nei", "verdi-fjernet"),
    "free text becomes a list of values": (setting(f"{BARN}.navn", enum=["Kari"]), "navn", "type-innsnevret"),
    "a value of a list is removed": (setting(f"{BARN}.status", enum=["a"]), "status", "verdi-fjernet"),
    "a minimum is raised": (setting(f"{ADRESSE}.nummer", minimum=2), "adresse.nummer", "grense-strammet"),
    "a maximum is lowered": (setting(f"{ADRESSE}.nummer", maximum=99), "adresse.nummer", "grense-strammet"),
    "an exclusive limit takes the limit away": (
        setting(f"{ADRESSE}.nummer", exclusiveMinimum=1), "adresse.nummer", "grense-strammet"),
    "steps are demanded": (setting(f"{BARN}.vekt", multipleOf=0.5), "vekt", "grense-strammet"),
    "a text must be longer": (setting(f"{ADRESSE}.sted", minLength=2), "adresse.sted", "grense-strammet"),
    "a text must be shorter": (setting(f"{BARN}.navn", maxLength=40), "navn", "grense-strammet"),
    "a pattern is added": (setting(f"{BARN}.navn", pattern="^K"), "navn", "grense-strammet"),
    "a pattern is changed": (setting(f"{ADRESSE}.sted", pattern="^[A-Y]"), "adresse.sted", "grense-strammet"),
    "a format is demanded": (setting(f"{BARN}.navn", format="date"), "navn", "grense-strammet"),
    "an array holds something else": (
        setting(f"{BARN}.merker.items", type="integer"), "merker[]", "type-innsnevret"),
    "an array must be shorter": (setting(f"{BARN}.merker", maxItems=2), "merker", "grense-strammet"),
    "an array must have something": (setting(f"{BARN}.merker", minItems=1), "merker", "grense-strammet"),
    "an array may not repeat": (setting(f"{BARN}.merker", uniqueItems=True), "merker", "grense-strammet"),
    "a place of a tuple changes": (
        setting(f"{BARN}.par.anyOf.0.prefixItems.1", type="integer"), "par[1]", "type-innsnevret"),
    "free fields hold something else": (
        setting(f"{BARN}.fritt", additionalProperties={"type": "string"}), "fritt.*", "type-innsnevret"),
    "free fields are not accepted any more": (
        setting(f"{BARN}.fritt", additionalProperties=False), "fritt", "ble-lukket"),
    "an alternative of a union is removed": (
        both(
            lambda s: at(s, f"{BARN}.melding.anyOf.0.oneOf").pop(),
            lambda s: at(s, f"{BARN}.melding.anyOf.0.discriminator.mapping").pop("epost"),
        ), "melding", "*"),
    "a field of one alternative is removed": (dropping("Epost.properties", "til"), "melding.til", "felt-fjernet"),
    "an absent field comes to mean something else": (
        setting(f"{BARN}.status", default="b"), "status", "standardverdi-endret"),
    "a keyword nobody has thought of is added": (
        setting(f"{BARN}.fritt", propertyNames={"pattern": "^x"}), "fritt", "ukjent-endring"),
}  # fmt: skip

HARMLESS: dict[str, Callable[[Schema], object]] = {
    "nothing at all": lambda s: None,
    "an optional field is added": with_field("Barn", "ny", {"type": "string", "default": ""}),
    "an optional field is added further in": with_field("Adresse", "ny", {"type": "string", "default": ""}),
    "a value is added to a list": setting(f"{BARN}.status", enum=["a", "b", "c"]),
    "a list of values becomes free text": dropping(f"{BARN}.status", "enum"),
    "a field becomes optional": lambda s: at(s, "Barn.required").remove("navn"),
    "null becomes accepted": lambda s: at(s, BARN).update(
        navn={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "an integer becomes a number": setting(f"{ADRESSE}.nummer", type="number"),
    "a minimum is lowered": setting(f"{ADRESSE}.nummer", minimum=0),
    "a maximum is lifted": dropping(f"{ADRESSE}.nummer", "maximum"),
    "the same limit is said in another way": both(
        dropping(f"{ADRESSE}.nummer", "minimum"), setting(f"{ADRESSE}.nummer", exclusiveMinimum=0)
    ),
    "a pattern is lifted": dropping(f"{ADRESSE}.sted", "pattern"),
    "a text may be longer": setting(f"{ADRESSE}.sted", maxLength=200),
    "an array may be longer": setting(f"{BARN}.merker", maxItems=9),
    "another alternative joins a union": lambda s: at(s, f"{BARN}.melding.anyOf").append({"type": "string"}),
    "unknown fields become accepted": dropping("Barn", "additionalProperties"),
    "words change": both(
        setting(f"{BARN}.navn", title="Kalles", description="ny"), setting("Barn", **{"x-samspor": 1})
    ),
    "a definition has another name": lambda s: (
        s["$defs"].update(Bosted=s["$defs"].pop("Adresse")),
        at(s, f"{BARN}.adresse").update(anyOf=[{"$ref": "#/$defs/Bosted"}, {"type": "null"}]),
    ),
    "a definition moves to where it is used": lambda s: at(s, f"{BARN}.adresse").update(
        anyOf=[{"type": "null"}, at(s, "Adresse")]
    ),
}


@pytest.mark.parametrize("what", BREAKING)
def test_a_breaking_change_is_named_where_it_is(what: str) -> None:
    change, felt, kode = BREAKING[what]
    found = narrowings(OLD, changed(change))
    assert found
    # Siblings are children too: what breaks in one breaks in them, and is said once for each way in.
    assert {n.felt.removeprefix("sosken[].") for n in found} == {felt} or kode == "*"
    assert {n.kode for n in found} == {kode} or kode == "*"


@pytest.mark.parametrize("what", HARMLESS)
def test_a_harmless_change_passes(what: str) -> None:
    assert narrowings(OLD, changed(HARMLESS[what])) == ()


def test_what_was_and_what_is_are_told() -> None:
    old: Schema = {"type": "integer", "minimum": 1}
    assert narrowings(old, {"type": "integer", "minimum": 3}) == (
        Narrowing("", "grense-strammet", "minimum 1", "minimum 3"),
    )
    assert narrowings({"enum": ["a", "b", "å"]}, {"enum": ["a"]}) == (
        Narrowing("", "verdi-fjernet", '"b", "å"'),
    )
    assert narrowings(True, {"type": "string"}) == (
        Narrowing("", "type-innsnevret", "null | boolean | number | string | array | object", "string"),
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"type": "integer", "multipleOf": 6}, {"type": "integer", "multipleOf": 3}),
        ({"type": "integer"}, {"type": "number", "multipleOf": 0.5}),
        (
            {"type": "object", "properties": {"p": {}}, "required": ["p"], "additionalProperties": False},
            {"type": "object", "properties": {"p": {}}, "minProperties": 1, "maxProperties": 1},
        ),
        ({"enum": ["a", 1, None], "type": "string"}, {"enum": ["a"]}),
        ({"enum": ["a", "abc"], "minLength": 2}, {"enum": ["abc"]}),
        ({"enum": ["a", "b"]}, {"type": "string", "minLength": 1}),
        ({"enum": [2, 4]}, {"type": "integer", "multipleOf": 2}),
        ({"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}, {"const": "b"}),
        ({"allOf": [{"type": "integer", "minimum": 1}, {"minimum": 3}]}, {"type": "integer", "minimum": 3}),
        ({"allOf": [{"type": "integer", "maximum": 9}, {"maximum": 3}]}, {"type": "integer", "maximum": 3}),
        ({"allOf": [{"type": "number"}, {"type": "integer"}]}, {"type": "integer"}),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, {"type": "null"}),
    ],
)
def test_what_is_said_otherwise_but_accepts_the_same_passes(old: Schema, new: Schema) -> None:
    assert narrowings(old, new) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"enum": [2, 3]}, {"type": "integer", "multipleOf": 2}),
        ({"enum": ["a"]}, {"type": "string", "format": "date"}),
        ({"enum": ["a"]}, {"type": "string", "minLength": 2}),
        (
            {"type": "object", "properties": {"p": {"type": "string"}, "q": {"type": "string"}}},
            {
                "allOf": [
                    {"type": "object", "properties": {"p": {"type": "string"}}},
                    {"type": "object", "properties": {"q": {"type": "integer"}}},
                ]
            },
        ),
    ],
)
def test_what_is_said_otherwise_and_accepts_less_is_found(old: Schema, new: Schema) -> None:
    assert len(narrowings(old, new)) == 1


def test_null_is_a_type_and_no_value() -> None:
    (found,) = narrowings({"enum": ["a", None]}, {"enum": ["a"]})
    assert (found.kode, found.fra, found.til) == ("type-innsnevret", "string | null", "string")


@pytest.mark.parametrize(("one", "other"), [(1, True), (0, False), ("1", 1), (None, False)])
def test_values_that_python_takes_for_equal_are_told_apart(one: object, other: object) -> None:
    assert narrowings({"enum": [one]}, {"enum": [other]})


# Whatever the change: where nothing is found, the new schema accepts all that the old one accepted.

SCALARS: tuple[Any, ...] = (None, False, True, *range(-3, 6), 0.5, 1.5, "", "a", "ab", "bb", "ccc")
FEW: tuple[Any, ...] = (None, True, 0, 2, 0.5, "", "ab")
INSTANCES: tuple[Any, ...] = (
    *SCALARS,
    [],
    *([one] for one in FEW),
    *([one, other] for one in FEW for other in FEW),
    [0, 2, "ab"],
    [0, 1, 2, 3],
    {},
    *({name: one} for name in "pqr" for one in FEW),
    *({"p": one, "q": other} for one in FEW for other in FEW),
    {"p": 0, "q": 0, "r": 0},
    {"p": {"p": 0}, "q": [0]},
)
NAMES = st.sampled_from("pqr")
SCALAR = st.sampled_from(SCALARS)
NUMBERS = st.integers(-3, 5)
BARE: st.SearchStrategy[Schema] = st.one_of(
    st.just({}),
    st.sampled_from(["null", "boolean", "integer", "number", "string"]).map(lambda t: {"type": t}),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number", ["integer", "null"]])},
        optional={
            "minimum": NUMBERS,
            "maximum": NUMBERS,
            "exclusiveMinimum": NUMBERS,
            "exclusiveMaximum": NUMBERS,
            "multipleOf": st.sampled_from([1, 2, 3, 4, 0.5]),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "minLength": st.integers(0, 3),
            "maxLength": st.integers(0, 3),
            "pattern": st.sampled_from(["^a", "b$"]),
        },
    ),
    st.fixed_dictionaries({}, optional={"minimum": NUMBERS, "minLength": st.integers(0, 2)}),
    st.fixed_dictionaries(
        {"enum": st.lists(SCALAR, min_size=1, max_size=4)},
        optional={
            "type": st.sampled_from(["integer", "string"]),
            "minimum": NUMBERS,
            "minLength": st.just(2),
        },
    ),
    st.fixed_dictionaries({"const": SCALAR}),
)
LEAVES: st.SearchStrategy[Schema] = st.one_of(
    BARE,
    st.fixed_dictionaries({"allOf": st.lists(BARE, min_size=1, max_size=2)}),
    st.builds(lambda one, some: {**one, "anyOf": some}, BARE, st.lists(BARE, min_size=1, max_size=2)),
)


def arrays(children: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return st.fixed_dictionaries(
        {"type": st.just("array")},
        optional={
            "items": children,
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 3),
            "uniqueItems": st.booleans(),
            "prefixItems": st.lists(children, min_size=1, max_size=2),
        },
    )


def objects(children: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    """All name the same fields: that a name is new where any name was let through is by intent no break."""
    return st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.fixed_dictionaries({"p": children, "q": children})},
        optional={
            "additionalProperties": st.booleans() | children,
            "required": st.lists(NAMES, unique=True, max_size=2),
            "minProperties": st.integers(0, 3),
            "maxProperties": st.integers(0, 3),
        },
    )


def pairs_of(schemas: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return st.builds(lambda one, other: {"allOf": [one, other]}, schemas, schemas)


@pytest.mark.parametrize(
    "schemas",
    [
        LEAVES,
        arrays(BARE),
        objects(BARE),
        pairs_of(objects(st.just({}))),
        objects(arrays(BARE) | objects(BARE)),
    ],
    ids=["values", "arrays", "objects", "both-of-two-objects", "objects-of-more"],
)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_where_nothing_is_found_nothing_breaks(
    schemas: st.SearchStrategy[Schema], data: st.DataObject
) -> None:
    old, new = data.draw(schemas), data.draw(schemas)
    if data.draw(st.booleans()):  # change one thing only, so that it decides
        new = {**old, **dict(list(new.items())[-1:])}
    before, after = Draft202012Validator(old), Draft202012Validator(new)
    lost = [i for i in INSTANCES if before.is_valid(i) and not after.is_valid(i)]
    if lost:
        assert narrowings(old, new), lost


@given(LEAVES | arrays(BARE) | objects(BARE) | pairs_of(objects(BARE)))
def test_a_schema_breaks_nothing_of_itself(schema: Schema) -> None:
    assert narrowings(schema, copy.deepcopy(schema)) == ()
