"""A process that was away catches up: what stands is the same as had it looked each day, and each duty is told once."""

from collections import Counter
from datetime import timedelta

from consumers.coordination.duties import duties
from consumers.coordination.oppgaver import Oppgave, Step, steps
from consumers.coordination.regler.eskalering import LEDER, Trinn, eskalering
from tests.unit.coordination.given import RULES, Event, at, facts
from tests.unit.coordination.regler_tabell import TABELL, Tid

FIRST = Tid("2026-03-02T10:00")
DAYS = 60
HISTORY: list[Event] = [
    e for case in TABELL.values() for build in (case.gitt, *case.lukkes[:1]) for e in build(FIRST)
]


def looked(every: int) -> tuple[dict[str, Oppgave], list[list[Step]]]:
    """The tasks after sixty days of looking every so many days, and the steps of each look."""
    known, held, taken = facts(*HISTORY), dict[str, Oppgave](), list[list[Step]]()
    for day in range(every, DAYS + 1, every):
        found = list(steps(held, duties(known, RULES, at(FIRST()) + timedelta(days=day)), "4601"))
        held |= {step.oppgave.id: step.oppgave for step in found}
        taken.append(found)
    return held, taken


def test_whoever_was_away_tells_each_duty_once_and_stands_where_the_others_do() -> None:
    daily, _ = looked(1)
    for every in (6, 20, DAYS):
        held, taken = looked(every)
        assert {id_: t.status for id_, t in held.items() if t.status != "bortfalt"} == {
            id_: t.status for id_, t in daily.items() if t.status != "bortfalt"
        }
        for found in taken:
            assert max(Counter(step.oppgave.id for step in found).values(), default=1) == 1


def test_a_duty_long_overdue_is_raised_once_and_to_where_it_has_come() -> None:
    ladder = (Trinn(0, LEDER), Trinn(5, "koordinerende-enhet"), Trinn(20, "koordinerende-enhet"))
    frist = FIRST.dag()
    away = eskalering(frist, ladder, at(FIRST(200)), lambda _: True)
    assert away is not None and away.trinn == 3
