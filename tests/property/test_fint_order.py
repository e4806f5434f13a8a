"""Whatever order a school's resources come in, and however they are cut into sendings, the same facts hold."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.skole.terskler import Terskel
from tests.formats_suite import CHILD, OTHER
from tests.unit.formats.files import elev, elevforhold, fravar, person
from tests.unit.formats.test_fint_utdanning import School

RULES = (
    Terskel(regel="tre", dager=3),
    Terskel(regel="tre-udok", dager=3, udokumentert_bare=True, periode="30-dager"),
    Terskel(regel="seks-timer", timer=6),
)
BASE = [
    person(),
    person(OTHER),
    elev(),
    elev("E2", OTHER),
    elevforhold(),
    elevforhold("H2", "elev/elevnummer/nr-E2", slutt="2025-12-19T00:00:00Z"),
]


@st.composite
def absences(draw: st.DrawFn) -> list[dict[str, Any]]:
    out = []
    for nr in range(draw(st.integers(0, 8))):
        day = draw(st.integers(1, 20))
        lesson = draw(st.booleans())
        start, end = (
            (f"{day:02}T08:00:00", f"{day:02}T10:30:00") if lesson else (f"{day:02}", f"{day + 2:02}")
        )
        forhold, ok = draw(st.sampled_from(["H1", "H2"])), draw(st.booleans())
        month = draw(st.sampled_from(["2025-09", "2026-01"]))
        out.append(fravar(nr, f"{month}-{start}", f"{month}-{end}", dokumentert=ok, forhold=forhold))
    return out


def holding(sendings: list[list[dict[str, Any]]]) -> dict[Any, Any]:
    """The facts that hold; what is retracted is as if never told."""
    school = School(*RULES)
    for sending in sendings:
        school.send(*sending)
    return {key: (time, data) for key, (gone, time, data) in school.facts().items() if not gone}


@settings(max_examples=60, deadline=None)
@given(data=st.data(), fravaer=absences())
def test_the_order_of_resources_does_not_matter(data: st.DataObject, fravaer: list[dict[str, Any]]) -> None:
    resources = [*BASE, *fravaer]
    shuffled = data.draw(st.permutations(resources))
    cut = data.draw(st.integers(0, len(shuffled)))
    one_by_one = [[resource] for resource in shuffled]
    assert holding([resources]) == holding(one_by_one) == holding([shuffled[:cut], shuffled[cut:]])


@settings(max_examples=30, deadline=None)
@given(data=st.data(), before=absences(), after=absences())
def test_what_was_corrected_leaves_no_trace_in_what_holds(
    data: st.DataObject, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    ids = {f["systemId"]["identifikatorverdi"] for f in after}
    deleted = [
        {"systemId": f["systemId"], "slettet": True}
        for f in before
        if f["systemId"]["identifikatorverdi"] not in ids
    ]
    corrections = data.draw(st.permutations([*after, *deleted]))
    assert holding([[*BASE, *before], *[[c] for c in corrections]]) == holding([[*BASE, *after]])


def test_the_facts_of_a_full_year_are_there() -> None:
    year = [fravar(n, f"2025-09-{n:02}", f"2025-09-{n:02}") for n in range(1, 27)]
    assert {key[2] for key in holding([[*BASE, *year]]) if key[0] == CHILD} == {
        "elevforhold:H1",
        "fravaer:tre:2025-2026",
        "fravaer:tre-udok:2025-2026",
    }
