"""Log lines that can be kept: JSON, with the trace id, and nothing of what was handled.

A line holds the text our own code wrote; of what is filled in, numbers and words of code pass, and the rest is named by
its type. An exception is told by its type and the places it came through, never by its message: drivers and
validators write rows and inputs there. Of other libraries' lines the place is kept, and the text only where it is a
template whose arguments we leave out.
"""

import asyncio
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from types import TracebackType
from typing import Any, TextIO

import orjson

from backbone import telemetry

OURS = ("backbone", "services", "consumers", "deploy", "contracts")
QUIET = (
    "httpx",
    "httpcore",
    "aiokafka",
    "kafka",
    "asyncio",
    "uvicorn",
    "sqlalchemy",
    "opentelemetry",
    "urllib3",
)
"""Libraries whose lines below WARNING tell of requests and connections."""
FRAMES_MAX = 12
TOLD = "samspor_told"
"""The attribute of a record whose exception was told (`told`) and taken off it before it reached a formatter."""

_WORD = re.compile(r"(?!.*[0-9]{6})[A-Za-z0-9_./:{}<>*+-]{0,120}")
_PLACEHOLDER = re.compile(r"%(?:\([^)]*\))?[-#0 +]*[0-9*]*(?:\.[0-9*]+)?[a-zA-Z]")


def clean(value: object) -> object:
    """What may be written of a value that was filled into a line."""
    match value:
        case bool() | int() | float() | None:
            return value
        case str():
            return value if _WORD.fullmatch(value) else "<tekst>"
        case BaseException():
            return type(value).__name__
        case Mapping():
            return {str(clean(k)): clean(v) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [clean(v) for v in value]
        case _:
            return f"<{type(value).__name__}>"


def ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OURS


def fields(record: logging.LogRecord, part: str) -> dict[str, Any]:
    """The line as fields: the only ones there are."""
    out: dict[str, Any] = {
        "tid": datetime.fromtimestamp(record.created, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
        "niva": record.levelname,
        "del": part,
        "logger": record.name,
        "melding": _text(record),
    }
    if sporing := telemetry.trace_id(telemetry.here()):
        out["sporing"] = sporing
    if not ours(record):
        out["sted"] = f"{_short(record.pathname)}:{record.lineno}"
    if TOLD in record.__dict__:
        out["feil"] = record.__dict__[TOLD]
    elif record.exc_info and record.exc_info[1] is not None:
        out["feil"] = told(record.exc_info[1])
    return out


def _text(record: logging.LogRecord) -> str:
    if not isinstance(record.msg, str):
        return f"<{type(record.msg).__name__}>"
    if ours(record):
        return _filled(record.msg, record.args)
    # A text without arguments may have been put together with them.
    return _PLACEHOLDER.sub("…", record.msg) if record.args else ""


def _filled(template: str, args: object) -> str:
    cleaned: Any = clean(args)
    try:
        return template % (tuple(cleaned) if isinstance(cleaned, list) else cleaned) if args else template
    except (TypeError, ValueError, KeyError):
        return template


def told(error: BaseException) -> list[dict[str, Any]]:
    """The error, those it came from and those in its group: type and places, no messages."""
    chain: list[dict[str, Any]] = []
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending and len(chain) < FRAMES_MAX:
        current = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        frames = traceback.extract_tb(current.__traceback__)[-FRAMES_MAX:]
        kind = type(current)
        chain.append(
            {
                "type": kind.__name__
                if kind.__module__ == "builtins"
                else f"{kind.__module__}.{kind.__name__}",
                "steder": [f"{_short(f.filename)}:{f.lineno} {f.name}" for f in frames],
            }
        )
        if isinstance(current, BaseExceptionGroup):
            pending += current.exceptions
        pending += [e for e in (current.__cause__, current.__context__) if e is not None]
    return chain


def _short(path: str) -> str:
    """From the package on: where this machine keeps its files is nobody's concern."""
    parts = PurePath(path).parts
    for marker in (*OURS, "site-packages"):
        if marker in parts:
            at = len(parts) - 1 - parts[::-1].index(marker)
            return "/".join(parts[at + (marker == "site-packages") :])
    return "/".join(parts[-2:])


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part

    def format(self, record: logging.LogRecord) -> str:
        return orjson.dumps(fields(record, self._part)).decode()


class Lines(logging.Formatter):
    """The same for a person at a terminal."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part

    def format(self, record: logging.LogRecord) -> str:
        f = fields(record, self._part)
        line = f"{f['tid'][11:23]} {f['niva']:<7} {f['logger']} {f['melding']}"
        line += "".join(f" {name}={f[name]}" for name in ("sted", "sporing") if name in f)
        errors: Iterable[dict[str, Any]] = f.get("feil", ())
        return "\n".join([line, *(f"    {e['type']}  {' > '.join(e['steder'][-3:])}" for e in errors)])


def configure(part: str, stream: TextIO | None = None) -> None:
    """All logging of this process, in JSON unless `stream` (stderr) is a terminal. What nobody caught is told in the
    same way, in place of a traceback."""
    out = stream or sys.stderr
    handler = logging.StreamHandler(out)
    handler.setFormatter(Lines(part) if out.isatty() else JsonLines(part))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.raiseExceptions = False  # a line that can't be written must not print its arguments
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    sys.unraisablehook = _unraisable
    threading.excepthook = _in_thread


log = logging.getLogger(__name__)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        log.critical("the process ends", exc_info=(kind, error, trace))


def _in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        log.error("a thread ends", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))


def _unraisable(args: "sys.UnraisableHookArgs") -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, asyncio.CancelledError):
        log.error("an error nobody could catch", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))
