"""A file and what the sender says beside it, as parts of multipart/form-data (RFC 7578) or as a plain body."""

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from backbone.problems import ProblemError
from services.format import Companion

PACKAGE = "services.runner"
FORM = b"multipart/form-data"
FILE, PERSON, CHILD = "fil", "person", "barn"
SCHEMA = {
    "type": "object",
    "properties": {
        FILE: {"type": "string", "format": "binary"},
        PERSON: {
            "type": "string",
            "description": "nummeret til den saken gjelder, der formatet ikke sier det",
        },
        CHILD: {"type": "array", "items": {"type": "string"}, "description": "en del for hvert barn"},
    },
    "required": [FILE],
    "additionalProperties": False,
}


async def parts(request: Request, body: bytes) -> tuple[bytes, Companion]:
    """The file, and whom it is said to be about. Nothing that was sent is passed over: raises ProblemError 400 for a
    part that is unknown, twice there or cut."""
    media_type, options = parse_options_header(request.headers.get("content-type", ""))
    if media_type.lower() != FORM:
        return body, Companion()
    boundary = options.get(b"boundary", b"")
    if not boundary or b"--" + boundary + b"--" not in body:
        raise ProblemError(400, "ugyldig-multipart", package=PACKAGE)
    found: dict[str, list[bytes]] = {FILE: [], PERSON: [], CHILD: []}
    for name, content in await _read(request, body):
        if name not in found:
            raise ProblemError(400, "ukjent-del", package=PACKAGE)
        found[name].append(content)
    if not found[FILE]:
        raise ProblemError(400, "fil-mangler", package=PACKAGE)
    if len(found[FILE]) > 1 or len(found[PERSON]) > 1:
        raise ProblemError(400, "dobbel-del", package=PACKAGE)
    person, *_ = *map(_number, found[PERSON]), None
    return found[FILE][0], Companion(person, tuple(map(_number, found[CHILD])))


async def _read(request: Request, body: bytes) -> list[tuple[str, bytes]]:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        async with Request(request.scope, receive).form(max_part_size=len(body)) as form:
            return [
                (name, await part.read() if isinstance(part, UploadFile) else part.encode())
                for name, part in form.multi_items()
            ]
    except HTTPException:
        raise ProblemError(400, "ugyldig-multipart", package=PACKAGE) from None


def _number(part: bytes) -> str:
    """As text; a file that holds it ends in a line break."""
    return part.decode("utf-8", "replace").strip()
