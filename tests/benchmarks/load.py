"""What the benchmarks send: a seeded municipality's absence and concern events, five to a child."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import orjson

from contracts.personnummer import tenor

EVENTS_PER_CHILD = 5
FIRST_BIRTH = date(2008, 1, 1)


def generic_events(count: int, seed: int) -> Iterator[bytes]:
    """JSON lines for POST /skole/hendelser. They carry the school's own duty, so none is withheld."""
    rng = random.Random(seed)
    for nr in range(count):
        child = nr // EVENTS_PER_CHILD
        born = FIRST_BIRTH + timedelta(days=child % 5000)
        yield orjson.dumps(event(tenor(born, child // 5000), f"{seed}-{nr}", nr, rng))


def event(person: str, nokkel: str, nr: int, rng: random.Random) -> dict[str, Any]:
    """An absence threshold; each fiftieth says that a pupil is not well at school, which gives the school a task."""
    about = {
        "person": person,
        "tid": f"2026-{1 + nr % 10:02}-{1 + nr % 28:02}T10:00:00+01:00",
        "nokkel": nokkel,
    }
    if nr % 50 == 7:
        return {**about, "type": "skolemiljo.meldt", "data": {"sak": nokkel}}
    return {
        **about,
        "type": "fravaer.terskel-passert",
        "data": {"dager": rng.randrange(10, 40), "timer": 0, "periode": "2026-2027", "regel": "10-dager"},
    }
