"""The public samples beside the repository, and whether jsonschema and we agree on a document."""

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import orjson
import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT6, DRAFT201909, ObjectSchema

SAMPLES = Path(
    os.environ.get("SAMSPOR_SAMPLES") or Path(__file__).resolve().parents[4] / "shared" / "samples"
)
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the public samples (SAMSPOR_SAMPLES) are not on this machine"
)

_SPECIFICATIONS = {"draft-06": DRAFT6, "2019-09": DRAFT201909}


def sample(path: str) -> bytes:
    return (SAMPLES / path).read_bytes()


def validator(path: str) -> Any:
    """A validator for a schema file, whose references are files beside it."""
    address = (SAMPLES / path).as_uri()
    dialect = _schema(address)["$schema"]
    kind = jsonschema.Draft6Validator if "draft-06" in dialect else jsonschema.Draft201909Validator
    return kind({"$ref": address}, registry=Registry(retrieve=_retrieve))  # type: ignore[call-arg]


def _schema(address: str) -> dict[str, Any]:
    """The schema under its file's address: their own $id's are none that their references resolve against."""
    file = Path(address.removeprefix("file://"))
    if not file.exists():  # NAV's references to types/ are one level off where the samples lie
        file = SAMPLES / "nav-digisos" / "types" / file.name
    schema: dict[str, Any] = orjson.loads(file.read_bytes())
    return {**schema, "$id": address}


@cache
def _retrieve(uri: str) -> Resource[ObjectSchema]:
    schema = _schema(uri)
    kind = next(spec for name, spec in _SPECIFICATIONS.items() if name in schema["$schema"])
    return kind.create_resource(schema)


def verdicts(checker: Any, document: Any) -> Iterator[str]:
    """JSON pointers of what jsonschema finds wrong, at the deepest place it tells."""
    for error in checker.iter_errors(document):
        yield from _places(error)


def _places(error: Any) -> Iterator[str]:
    if error.validator == "oneOf":
        return  # says only that no branch fits: the branches are compared one by one
    place = "".join(f"/{str(p).replace('~', '~0').replace('/', '~1')}" for p in error.absolute_path)
    if error.validator == "required":
        missing = re.match(r"'(.+)' is a required property", error.message)
        assert missing
        place += f"/{missing[1]}"
    yield place
