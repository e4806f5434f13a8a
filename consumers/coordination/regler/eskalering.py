"""When a date has gone by: to whom the duty is raised, as the municipality's local rules say. Pure.

One step at a time is enough for whoever is told: a process that was away for a week tells of the step that has been
reached, the most severe one, and not of those before it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from backbone.frister import local_date, passed, working_days_after

LEDER = "leder"
"""The owner's own leader, who may know what the owner may."""


@dataclass(frozen=True, slots=True)
class Trinn:
    """So many arbeidsdager after the date has gone by: to LEDER, or to a service."""

    etter: int
    til: str


@dataclass(frozen=True, slots=True)
class Eskalering:
    """The step reached, from 1, since which Norwegian date, and to whom."""

    trinn: int
    til: str
    siden: date


def eskalering(
    frist: date, trinn: Sequence[Trinn], now: datetime, may_know: Callable[[str], bool]
) -> Eskalering | None:
    """The most severe step that an open duty with this date has reached; None while it is in time. A service that may
    not know what the duty rests on is not told: the owner's leader is. `trinn` by when they come."""
    reached = [(nr, step) for nr, step in enumerate(trinn, 1) if passed(_last_day(frist, step)) <= now]
    if not reached:
        return None
    nr, step = reached[-1]
    til = step.til if step.til == LEDER or may_know(step.til) else LEDER
    return Eskalering(nr, til, local_date(passed(_last_day(frist, step))))


def turns(frist: date, trinn: Sequence[Trinn]) -> Iterator[datetime]:
    """The moments at which `eskalering` changes."""
    return (passed(_last_day(frist, step)) for step in trinn)


def _last_day(frist: date, step: Trinn) -> date:
    return working_days_after(frist, step.etter)
