"""The checker of `make faults`: it finds each kind of wrong, and nothing where nothing is wrong."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.check import INBOX, Found, History, Key, Kind, check, places

SENDER = "/4601/skole/310000001"
OUTCOMES = ("release", "shield", "withhold", "refuse", "park", "set aside")


def key(nr: int) -> Key:
    return SENDER, f"f1-{nr}"


RELEASED, SHIELDED, WITHHELD, REFUSED, PARKED, ASIDE, TAKEN, NOT_TAKEN, FAILED, REPORT = map(key, range(10))
HISTORY = History(
    ok=frozenset({RELEASED, SHIELDED, WITHHELD, REFUSED, PARKED, ASIDE, REPORT}),
    failed=frozenset({FAILED}),
    unknown=frozenset({TAKEN, NOT_TAKEN}),
)
ALLOWED = {
    RELEASED: {"release"},
    SHIELDED: {"shield", "release"},
    WITHHELD: {"withhold"},
    REFUSED: {"refuse"},
    PARKED: {"release"},
    ASIDE: {"release"},
    TAKEN: {"release"},
    NOT_TAKEN: {"release"},
    REPORT: {INBOX},
}
DUTY = ("barn", "frafall", "2026-2027", "aapen", "skole", "2026-12-01")
POISON = ("skole.hendelser", 0, 7)
FOUND = Found(
    journal={
        RELEASED: "release",
        SHIELDED: "shield",
        WITHHELD: "withhold",
        REFUSED: "refuse",
        PARKED: "park",
        ASIDE: "release",
        TAKEN: "release",
    },
    timeline=Counter((RELEASED, SHIELDED, TAKEN)),
    kafka=Counter((RELEASED, RELEASED, SHIELDED, ASIDE, TAKEN)),
    parked=Counter((ASIDE,)),
    inbox=Counter((REPORT,)),
    injected=frozenset({POISON}),
    set_aside=frozenset({POISON, ("skole.hendelser", 1, 3)}),
    rows=3,
    rows_counted=3,
    tasks=Counter((DUTY[:3],)),
    duties=frozenset({DUTY}),
    derived=frozenset({DUTY}),
)


def without(counted: Counter[Key], gone: Key) -> Counter[Key]:
    return Counter({k: n for k, n in counted.items() if k != gone})


def test_a_history_with_every_outcome_and_repeats_on_kafka_is_right() -> None:
    assert check(HISTORY, FOUND, ALLOWED) == []
    assert {k: places(k, FOUND) for k in HISTORY.ok} == {
        RELEASED: ["timeline"],
        SHIELDED: ["timeline"],
        WITHHELD: ["withhold"],
        REFUSED: ["refuse"],
        PARKED: ["parked"],
        ASIDE: ["parked"],
        REPORT: ["inbox"],
    }


def changed(**fields: object) -> Found:
    return replace(FOUND, **fields)  # type: ignore[arg-type]  # each case gives a field its own type


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        pytest.param(changed(timeline=without(FOUND.timeline, RELEASED)), Kind.LOST, id="not-read"),
        pytest.param(changed(timeline=without(FOUND.timeline, TAKEN)), Kind.LOST, id="taken-unanswered-and-lost"),
        pytest.param(
            changed(journal={k: v for k, v in FOUND.journal.items() if k != WITHHELD}), Kind.LOST, id="not-kept"
        ),
        pytest.param(
            changed(journal={k: v for k, v in FOUND.journal.items() if k != RELEASED}),
            Kind.LOST,
            id="read-and-in-no-journal",
        ),
        pytest.param(changed(journal={**FOUND.journal, WITHHELD: None}), Kind.LOST, id="never-decided"),
        pytest.param(changed(journal={**FOUND.journal, RELEASED: "withhold"}), Kind.LOST, id="held-for-no-reason"),
        pytest.param(changed(parked=Counter()), Kind.LOST, id="set-aside-and-forgotten"),
        pytest.param(changed(set_aside=frozenset()), Kind.LOST, id="poison-swallowed"),
        pytest.param(changed(rows_counted=2), Kind.LOST, id="positions-count-too-few"),
        pytest.param(changed(rows_counted=4), Kind.DOUBLED, id="positions-count-too-many"),
        pytest.param(changed(timeline=FOUND.timeline + Counter((RELEASED,))), Kind.DOUBLED, id="twice-in-timeline"),
        pytest.param(changed(timeline=FOUND.timeline + Counter((ASIDE,))), Kind.DOUBLED, id="read-and-set-aside"),
        pytest.param(changed(parked=Counter((ASIDE, ASIDE))), Kind.DOUBLED, id="twice-set-aside"),
        pytest.param(changed(tasks=Counter((DUTY[:3], DUTY[:3]))), Kind.DOUBLED, id="two-tasks-for-one-occasion"),
        pytest.param(changed(timeline=FOUND.timeline + Counter((key(99),))), Kind.NOWHERE, id="never-sent"),
        pytest.param(changed(journal={**FOUND.journal, FAILED: "release"}), Kind.NOWHERE, id="told-wrong-and-taken"),
        pytest.param(changed(kafka=FOUND.kafka + Counter((key(99),))), Kind.NOWHERE, id="kafka-from-nowhere"),
        pytest.param(changed(parked=FOUND.parked + Counter((key(99),))), Kind.NOWHERE, id="parked-from-nowhere"),
        pytest.param(changed(kafka=FOUND.kafka + Counter((WITHHELD,))), Kind.LEAKED, id="withheld-on-kafka"),
        pytest.param(changed(timeline=FOUND.timeline + Counter((REFUSED,))), Kind.LEAKED, id="refused-and-read"),
        pytest.param(changed(journal={**FOUND.journal, WITHHELD: "release"}), Kind.LEAKED, id="let-go"),
        pytest.param(changed(journal={**FOUND.journal, RELEASED: "shield"}), Kind.LEAKED, id="by-another-outcome"),
        pytest.param(changed(inbox=Counter()), Kind.LOST, id="report-lost"),
        pytest.param(changed(inbox=Counter((REPORT, REPORT))), Kind.DOUBLED, id="report-twice"),
        pytest.param(changed(inbox=Counter((REPORT, key(99)))), Kind.NOWHERE, id="report-from-nowhere"),
        pytest.param(changed(inbox=Counter((REPORT, WITHHELD))), Kind.LEAKED, id="event-in-the-inbox"),
        pytest.param(changed(journal={**FOUND.journal, REPORT: "refuse"}), Kind.LEAKED, id="report-in-a-journal"),
        pytest.param(changed(kafka=FOUND.kafka + Counter((REPORT,))), Kind.LEAKED, id="report-among-events"),
        pytest.param(changed(exposed=("a word in relay.log",)), Kind.LEAKED, id="a-word-in-the-open"),
        pytest.param(changed(duties=frozenset()), Kind.DUTIES, id="a-duty-forgotten"),
        pytest.param(changed(derived=frozenset()), Kind.DUTIES, id="a-duty-of-nothing"),
        pytest.param(changed(duties=frozenset({(*DUTY[:5], "2026-12-02")})), Kind.DUTIES, id="another-date"),
    ],
)  # fmt: skip
def test_each_kind_of_wrong_is_found(found: Found, kind: Kind) -> None:
    assert kind in {v.kind for v in check(HISTORY, found, ALLOWED)}


def test_what_earlier_seeds_sent_is_not_from_nowhere() -> None:
    found = changed(timeline=FOUND.timeline + Counter((key(99),)), rows=4, rows_counted=4)
    assert check(HISTORY, found, ALLOWED, earlier={key(99)}) == []


def test_what_is_found_names_events_by_id_and_counts_them_all() -> None:
    (lost,) = check(HISTORY, changed(timeline=without(without(FOUND.timeline, RELEASED), TAKEN)), ALLOWED)
    assert (lost.kind, lost.count, lost.what) == (Kind.LOST, 2, "f1-0 is nowhere")


def made(outcomes: list[str], repeats: int) -> tuple[History, Found, dict[Key, set[str]]]:
    """A right world: each event in the one place its outcome gives it."""
    of = {key(nr): outcome for nr, outcome in enumerate(outcomes)}
    read = [k for k, o in of.items() if o in ("release", "shield")]
    aside = [k for k, o in of.items() if o == "set aside"]
    journal: dict[Key, str | None] = {k: "release" if o == "set aside" else o for k, o in of.items()}
    found = Found(
        journal=journal,
        timeline=Counter(read),
        kafka=Counter((read + aside) * repeats),
        parked=Counter(aside),
        rows=len(read),
        rows_counted=len(read),
    )
    unknown = frozenset(k for nr, k in enumerate(of) if nr % 5 == 4)
    allowed = {k: {"release"} if o in ("park", "set aside") else {o} for k, o in of.items()}
    return History(frozenset(of) - unknown, frozenset(), unknown), found, allowed


Break = Callable[[Found, Key], Found]
BREAKS: dict[str, Break] = {
    "forget": lambda f, k: replace(
        f,
        journal={j: o for j, o in f.journal.items() if j != k},
        timeline=without(f.timeline, k),
        parked=without(f.parked, k),
    ),
    "repeat": lambda f, k: replace(f, timeline=f.timeline + Counter((k, k))),
    "invent": lambda f, k: replace(f, timeline=f.timeline + Counter(((k[0], "stranger"),))),
    "turn": lambda f, k: replace(
        f, journal={**f.journal, k: "withhold" if f.journal[k] in ("release", "shield") else "release"}
    ),
}


@settings(deadline=None)
@given(st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=40), st.integers(1, 3))
def test_any_right_world_passes(outcomes: list[str], repeats: int) -> None:
    history, found, allowed = made(outcomes, repeats)
    assert check(history, found, allowed) == []


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=40),
    st.sampled_from(sorted(BREAKS)),
    st.integers(0, 39),
)
def test_any_one_break_of_it_is_found(outcomes: list[str], broken: str, nr: int) -> None:
    history, found, allowed = made(outcomes, 1)
    hit = key(nr % len(outcomes))
    if broken == "forget" and hit in history.unknown:
        hit = key(0)  # what was never answered may not have been taken
    assert check(history, BREAKS[broken](found, hit), allowed)
