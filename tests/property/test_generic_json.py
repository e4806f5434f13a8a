"""Whatever stands in a field of generic JSON: the event can be written to the journal, or it is said why not."""

import json
from datetime import timedelta
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.catalogue import Catalogue
from contracts.envelope import timestamp
from contracts.innboks import Innboksmelding, to_bytes
from services.format import Companion
from services.runner.check import Checked, Checker
from services.runner.generic import GenericJson
from services.wording import describe
from tests.formats_suite import CHILD, NOW

CATALOGUE = Catalogue.standard()
TYPES = {
    navn: CATALOGUE.accepted_from("skole", navn)
    for navn in (*CATALOGUE.names_for("skole"), *CATALOGUE.lanes_of("skole"))
}
TIMES = st.sampled_from(
    [
        f"{day}T{clock}{zone}"
        for day in ("0001-01-01", "1899-12-31", "1900-01-01", "2026-02-20", "2200-12-31", "9999-12-31")
        for clock in ("00:00:00", "23:59:59.999999")
        for zone in ("Z", "+14:00", "-14:00", "+23:59", "-23:59")
    ]
)
ODD = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.sampled_from([2**63, 2**64, -(2**63) - 1, 10**400, 1e308, float("nan"), float("inf"), -0.0])
    | st.text(max_size=6)
    | st.sampled_from(["", "\0", "a\nb", "\ud800", "x" * 300, "0001-01-01", "9999-12-31", "1e400"])
    | TIMES
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    navn = draw(st.sampled_from(sorted(TYPES)))
    fields = list(TYPES[navn].data.model_fields)
    event: dict[str, Any] = {
        "type": navn,
        "person": CHILD,
        "tid": draw(TIMES),
        "nokkel": "n1",
        "data": {
            name: draw(VALUES) for name in draw(st.lists(st.sampled_from(fields or ["x"]), unique=True))
        },
    }
    for name in draw(
        st.lists(
            st.sampled_from(["type", "person", "sak", "nokkel", "id", "versjon", "tilbaketrukket", "data"]),
            max_size=2,
        )
    ):
        event[name] = draw(VALUES)
    return event


@settings(deadline=None, max_examples=300)
@given(events(), st.booleans())
def test_an_event_is_written_or_refused_in_words(event: dict[str, Any], in_array: bool) -> None:
    body = json.dumps([event] if in_array else event).encode()
    checker = Checker("skole", CATALOGUE, NOW + timedelta(days=365 * 300), demo=True)
    for record in GenericJson().read(body, Companion()):
        problems = list(record.problems)
        for draft in record.drafts:
            checked = checker.check(draft, record.pointer)
            if isinstance(checked, Checked):
                orjson.dumps(vars(checked.content), option=orjson.OPT_SORT_KEYS)
                timestamp(draft.time)
                to_bytes(
                    Innboksmelding(
                        id="1",
                        source="/s",
                        type=checked.full_type,
                        time=draft.time,
                        recordedtime=NOW,
                        kommune="4601",
                        orgnr="974557746",
                        person=draft.person,
                        sak=draft.sak,
                        innhold=checked.content,
                    )
                )
            else:
                problems += checked
        said = [describe(problem, "services") for problem in problems]
        assert all(p["feil"] and p["gjor"] for p in said)
