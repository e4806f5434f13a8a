"""Request bodies: bytes to what the contract says, or a problem that names the place and never repeats the
value.
"""

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

import orjson
from pydantic import TypeAdapter, ValidationError

from backbone.meldinger import Argument, messages
from backbone.problems import ProblemError

PACKAGE = "services.samtykke"
KODER = {"missing": "felt-mangler", "extra_forbidden": "felt-ukjent"}

T = TypeVar("T")


def read(adapter: TypeAdapter[T], body: bytes) -> T:
    """Raises ProblemError: 400 when it is no JSON, 422 when it is not what the contract says."""
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        _check_json(body)
        raise wrong(
            *(
                place(_pointer(e["loc"]), KODER.get(e["type"], "felt-ugyldig"))
                for e in error.errors(include_url=False, include_input=False, include_context=False)
            )
        ) from None


def wrong(*places: dict[str, Any]) -> ProblemError:
    return ProblemError(422, "feil-innhold", errors=places)


def problem(status: int, code: str, **args: Argument) -> ProblemError:
    return ProblemError(status, code, package=PACKAGE, **args)  # type: ignore[arg-type]  # args name no parameter


class Refused(ProblemError):
    """A no about a child that is known here: whose it is goes to the ledger and never to the caller."""

    def __init__(self, status: int, code: str, subject: UUID) -> None:
        super().__init__(status, code, package=PACKAGE)
        self.subject = subject


def place(pointer: str, code: str, **args: Argument) -> dict[str, Any]:
    """One line of a problem's `feil`; `pointer` is a JSON pointer (RFC 6901)."""
    texts = messages(PACKAGE)
    return {
        "peker": pointer,
        "feil": texts.text(code, **args),
        "gjor": texts.action(code, **args),
        "kode": code,
    }


def exactly_one(body: Mapping[str, Any], first: str, second: str) -> None:
    """Raises ProblemError unless one of the two fields is there, and the other is not."""
    if (first in body) == (second in body):
        raise wrong(place("", f"en-av-{first}-og-{second}"))


def _check_json(body: bytes) -> None:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ProblemError(400, "ikke-json", linje=error.lineno, kolonne=error.colno) from None


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)
