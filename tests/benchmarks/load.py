"""What the benchmarks send: a seeded municipality's absence and concern events, five to a child."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from contracts.personnummer import tenor

EVENTS_PER_CHILD = 5
CHILDREN = 400_000
"""After as many it is the first child's turn again."""
FIRST_BIRTH = date(2013, 1, 1)
BIRTHDAYS = 1_000
"""Different ones: to lay down a day's numbers takes milliseconds, and it has some four hundred."""
NOW = datetime.now(UTC)
MINUTES = 24 * 60
"""Things happened within the last day: a task whose date has long gone by is raised, which is another measure."""


def generic_events(count: int, seed: int, after: int = 0) -> Iterator[bytes]:
    """JSON lines for POST /skole/hendelser, of the children that come after those of `after` events. They carry the
    school's own duty, so none is withheld."""
    rng = random.Random(seed)
    for nr in range(count):
        person = number((after + nr) // EVENTS_PER_CHILD % CHILDREN)
        yield orjson.dumps(event(person, f"{seed}-{nr}", nr, rng))


def number(child: int, first_birth: date = FIRST_BIRTH) -> str:
    """The national id of the `child`th."""
    return tenor(first_birth + timedelta(days=child % BIRTHDAYS), child // BIRTHDAYS)


def event(person: str, nokkel: str, nr: int, rng: random.Random) -> dict[str, Any]:
    """An absence threshold; each fiftieth says that a pupil is not well at school, which gives the school a task."""
    about = {
        "person": person,
        "tid": (NOW - timedelta(minutes=nr % MINUTES)).isoformat(),
        "nokkel": nokkel,
    }
    if nr % 50 == 7:
        return {**about, "type": "skolemiljo.meldt", "data": {"sak": nokkel}}
    return {
        **about,
        "type": "fravaer.terskel-passert",
        "data": {"dager": rng.randrange(10, 40), "timer": 0, "periode": "2026-2027", "regel": "10-dager"},
    }
