"""Formats that remember can say what of it is about one child: all of that, and nothing of another."""

from typing import Any

import orjson
from pydantic import JsonValue

from services.format import StatefulFormat
from tests.formats_suite import CHILD, OTHER
from tests.unit.formats.files import elev, elevforhold, fravar, person
from tests.unit.formats.test_fint_utdanning import School
from tests.unit.formats.test_ssb_barnevern import (
    ANNET,
    BARN,
    FMT,
    MELDING,
    SAK,
    TILTAK,
    Mottaker,
    fil,
    personalia,
)

State = dict[str, JsonValue | None]


def forgotten(fmt: StatefulFormat[Any], state: State, number: str) -> State:
    """What is left, without the empty."""
    known: State = {}
    while missing := fmt.about(number, known) - known.keys():
        known.update({key: state.get(key) for key in missing})
    return {key: value for key, value in state.items() if value is not None and key not in known}


def enrolled(number: str, nr: str) -> list[Any]:
    absences = [
        fravar(int(nr) * 10 + day, f"2026-01-{day:02}", f"2026-01-{day:02}", forhold=f"H{nr}")
        for day in (12, 13, 14)
    ]
    return [person(number), elev(f"E{nr}", number), elevforhold(f"H{nr}", f"elev/systemid/E{nr}"), *absences]


def test_a_school_forgets_a_pupil_with_enrolments_and_absences_and_keeps_the_others() -> None:
    both, alone = School(), School()
    both.send(*enrolled(CHILD, "1"), *enrolled(OTHER, "2"))
    alone.send(*enrolled(OTHER, "2"))
    assert CHILD in orjson.dumps(both.state).decode()
    left = forgotten(both.fint, both.state, CHILD)
    assert CHILD not in orjson.dumps(left).decode()
    assert left == {key: value for key, value in alone.state.items() if value is not None}


def test_a_case_of_barnevern_is_forgotten_with_its_things_also_where_its_number_was_corrected() -> None:
    mottaker = Mottaker()
    other = SAK.replace("7", "8")
    mottaker.send(fil(personalia(BARN), MELDING, TILTAK))
    mottaker.send(fil(personalia(BARN, 1), personalia(ANNET, 2, "2025-06-01"), MELDING, TILTAK, day=2))
    kept = Mottaker()
    kept.send(fil(personalia(ANNET), MELDING).replace(SAK.encode(), other.encode()))
    mottaker.state |= {k: v for k, v in kept.state.items() if not k.startswith("person:")}
    left = forgotten(FMT, mottaker.state, BARN)
    assert BARN not in orjson.dumps(left).decode() and SAK not in orjson.dumps([*left]).decode()
    assert [key for key in left if other in key]
