"""What a file would become, without sending it: for `samspor send --dry-run`, and real numbers made synthetic."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from contracts.catalogue import PREFIX, Catalogue
from contracts.personnummer import identity_numbers, swap
from services.format import (
    AnyFormat,
    Companion,
    EventDraft,
    Format,
    Problem,
    Record,
    StatefulFormat,
    unknown,
)
from services.runner.check import Checked, check
from services.wording import describe

# What the service answers at the time of sending, and no fault of the file's form.
NOT_THE_FORMATS = frozenset(
    {
        "person-mangler",
        "nummer-form",
        "nummer-kontroll",
        "nummer-dato",
        "plassholder",
        "ekte-nummer",
        "for-gammel",
        "i-fremtiden",
    }
)


@dataclass(frozen=True)
class Verdict:
    """`events` would be accepted, were they sent now by `tjeneste`. `errors` refuse their record; what a dry run
    can't know, or that is no fault of the file's form, are `warnings`."""

    tjeneste: str
    events: tuple[EventDraft, ...]
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    messages: str

    def as_dict(self, fil: str) -> dict[str, Any]:
        """For --json: {"fil", "hendelser": [{"type", "nokkel", …}], "feil": [{"peker", "feil", "gjor"}],
        "advarsler": [the same]}. Never a number or a name."""
        return {
            "fil": fil,
            "hendelser": [
                {
                    "type": f"{PREFIX}{self.tjeneste}.{draft.type}",
                    "nokkel": draft.nokkel,
                    "versjon": draft.versjon,
                    "tid": draft.time.isoformat(),
                    "tilbaketrukket": draft.tilbaketrukket,
                }
                for draft in self.events
            ],
            "feil": [describe(problem, self.messages) for problem in self.errors],
            "advarsler": [describe(problem, self.messages) for problem in self.warnings],
        }


def judge(
    tjeneste: str,
    fmt: AnyFormat,
    body: bytes,
    companion: Companion,
    catalogue: Catalogue,
    now: datetime,
    *,
    demo: bool = False,
) -> Verdict:
    """Pure: reads the file with an empty memory and checks each event as the runner would."""
    events: list[EventDraft] = []
    errors: list[Problem] = []
    warnings: list[Problem] = []
    said: set[str] = set()
    for record in records(fmt, body, companion):
        checked = [(d, check(d, record.pointer, tjeneste, catalogue, now, demo)) for d in record.drafts]
        found = [p for _, answer in checked if not isinstance(answer, Checked) for p in answer]
        refusing = [p for p in found if p.code not in NOT_THE_FORMATS]
        errors += [*record.problems, *refusing]
        if not record.problems and not refusing:
            events += record.drafts
        unsure = [p for p in found if p.code in NOT_THE_FORMATS]
        warnings += (w for w in (*record.warnings, *unsure) if not _is_known(w, said))
    return Verdict(tjeneste, tuple(events), tuple(errors), tuple(warnings), fmt.messages)


def _is_known(warning: Problem, said: set[str]) -> bool:
    """Said already (and now it is); that nobody is named is said once for the file."""
    what = warning.code if warning.code == "person-mangler" else repr(warning)
    known = what in said
    said.add(what)
    return known


def records(fmt: AnyFormat, body: bytes, companion: Companion) -> Iterable[Record]:
    """The file's records; a format that remembers begins with nothing."""
    return fmt.read(body, companion) if isinstance(fmt, Format) else _steps(fmt, body, companion)


def _steps(fmt: StatefulFormat[Any], body: bytes, companion: Companion) -> Iterator[Record]:
    state: dict[str, JsonValue | None] = {}
    for item in fmt.parse(body, companion):
        if isinstance(item, Record):
            yield item
            continue
        while missing := unknown(fmt.needs(item, state), state):
            state.update(dict.fromkeys(missing))
        out, changed = fmt.step(item, state)
        state.update(changed)
        yield from out


def bytt_identer(body: bytes) -> bytes:
    """The file with each identity number replaced by its fixed Tenor number, and every other byte as it was.

    Organisation numbers, UUIDs, OIDs and longer digit runs stay. Works on any encoding that has ASCII digits.
    """
    text = body.decode("latin-1")
    out, end = [], 0
    for match in identity_numbers(text):
        out += [text[end : match.start()], swap(match.group())]
        end = match.end()
    return "".join([*out, text[end:]]).encode("latin-1")
