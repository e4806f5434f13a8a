"""What a fagsystem's format is to us: a pure reading of its bytes into drafts of events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar, runtime_checkable

from pydantic import JsonValue

Argument = str | int
State = Mapping[str, JsonValue | None]
Parsed = TypeVar("Parsed")

RECORDS_MOST = 100_000
"""In one file. More than any real one has, and few enough that reading a malicious one ends soon."""


@dataclass(frozen=True)
class Problem:
    """Something wrong at `pointer` (RFC 6901 JSON pointer, or XPath). `code` names a message in the format's
    catalogue: its text is what is wrong, its attribute `.gjor` what to do. `args` never hold personal data."""

    pointer: str
    code: str
    args: Mapping[str, Argument] = field(default_factory=dict)


@dataclass(slots=True)  # not frozen: one is made for every event, and freezing trebles what that costs
class EventDraft:
    """An event as a format understood it. `type` is the short name; `person` a national id, or `sak` a reference of
    the sender's when no number is known; `time` is aware; `nokkel` never holds a national id. `id` is the sender's
    own id where it gives one; else it is computed from what makes the event the same one."""

    type: str
    person: str | None
    sak: str | None
    time: datetime
    nokkel: str
    versjon: int
    data: Mapping[str, JsonValue]
    tilbaketrukket: bool = False
    id: str | None = None


@dataclass(slots=True)  # as EventDraft
class Record:
    """One record of the file: taken whole (no problems) or refused whole. Warnings don't refuse."""

    pointer: str
    drafts: tuple[EventDraft, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Companion:
    """What the sender says beside the file: whom it is about, and the children a parent's case concerns."""

    person: str | None = None
    barn: tuple[str, ...] = ()


@runtime_checkable
class Format(Protocol):
    """A format whose records need no memory. `messages` is the package that holds its `nb.ftl`."""

    @property
    def navn(self) -> str: ...
    @property
    def media_types(self) -> tuple[str, ...]: ...
    @property
    def messages(self) -> str: ...

    def read(self, body: bytes, companion: Companion) -> Iterable[Record]:
        """Pure; never raises for what the sender wrote."""
        ...


@runtime_checkable
class StatefulFormat(Protocol[Parsed]):
    """A format that must remember, as absence thresholds do. Pure: the runner loads and keeps the state, sealed."""

    @property
    def navn(self) -> str: ...
    @property
    def media_types(self) -> tuple[str, ...]: ...
    @property
    def messages(self) -> str: ...

    def parse(self, body: bytes, companion: Companion) -> Iterable[Parsed | Record]:
        """Parsed records, and Records with problems for those that can't be."""
        ...

    def needs(self, parsed: Parsed, state: State) -> set[str]:
        """Keys not in `state` that `step` must have; asked again until it returns none."""
        ...

    def step(self, parsed: Parsed, state: State) -> tuple[tuple[Record, ...], dict[str, JsonValue | None]]:
        """(records, changed state); None for a key deletes it."""
        ...

    def about(self, person: str, state: State) -> set[str]:
        """Every key that holds something of the person with this number, as far as `state` tells; asked again with
        those loaded until there are no more."""
        ...


def unknown(keys: set[str], state: State) -> set[str]:
    """Those not in `state`. Not `keys - state.keys()`, which goes through the whole state each time."""
    return {key for key in keys if key not in state}


AnyFormat = Format | StatefulFormat[Any]
