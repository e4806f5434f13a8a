"""`versjon` and `tilbaketrukket`, from what a sender writes to the fact set: any order, and never another's fact."""

from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.coordination.duties import duties
from consumers.coordination.facts import FactSet
from contracts.catalogue import Catalogue
from services.format import Companion
from services.runner.check import Checked, check
from services.runner.generic import GenericJson
from tests.formats_suite import CHILD
from tests.unit.coordination.given import RULES, SUBJECT

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SOURCES = ("/4601/barnevern/910000003", "/4601/barnevern/910000033")
CATALOGUE = Catalogue.standard()

Sent = tuple[str, dict[str, Any]]  # source, and the event as the sender writes it


@st.composite
def sendings(draw: st.DrawFn) -> Sent:
    trukket = draw(st.booleans())
    event = {
        "type": "henvendelse.mottatt",
        "person": CHILD,
        "tid": f"2026-03-0{draw(st.integers(1, 9))}T10:00:00+01:00",
        "nokkel": draw(st.sampled_from("ab")),
        "versjon": draw(st.integers(1, 4)),
        "tilbaketrukket": trukket,
        "data": {} if trukket else {"slag": 2},
    }
    return draw(st.sampled_from(SOURCES)), event


def taken(history: list[Sent]) -> FactSet:
    """The fact set after the sendings, each read and checked as the service does."""
    facts = FactSet(SUBJECT)
    for number, (source, event) in enumerate(history):
        for record in GenericJson().read(orjson.dumps(event), Companion()):
            assert record.problems == ()
            for draft in record.drafts:
                checked = check(draft, "", "barnevern", CATALOGUE, NOW, demo=True)
                assert isinstance(checked, Checked), checked
                RULES.tell(facts, source, checked.full_type, draft.time, f"{number}", checked.content)
    return facts


def rank(sent: Sent) -> tuple[int, bool, str]:
    return sent[1]["versjon"], sent[1]["tilbaketrukket"], sent[1]["tid"]


@settings(max_examples=200, deadline=None)
@given(st.lists(sendings(), max_size=12), st.randoms(use_true_random=False))
def test_of_one_senders_versions_the_highest_stands_whatever_came_first(
    history: list[Sent], rng: Any
) -> None:
    shuffled = rng.sample(history, len(history))
    found = {(k[0], k[2]): s[:2] for k, s in taken(shuffled).facts.items()}
    by_key = sorted(history, key=lambda sent: (sent[0], sent[1]["nokkel"]))
    expected = {}
    for key, of_key in groupby(by_key, key=lambda sent: (sent[0], sent[1]["nokkel"])):
        versjon, trukket, _ = max(map(rank, of_key))
        expected[key] = (versjon, trukket)
    assert found == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(sendings(), max_size=12))
def test_what_another_source_says_changes_nothing_of_ones_own(history: list[Sent]) -> None:
    for source in SOURCES:
        own = taken([sent for sent in history if sent[0] == source]).facts
        assert {k: s[:3] for k, s in taken(history).facts.items() if k[0] == source} == {
            k: s[:3] for k, s in own.items()
        }


@settings(max_examples=100, deadline=None)
@given(st.permutations([1, 2, 3]))
def test_a_retraction_lifts_the_duty_also_when_it_comes_before_its_target(order: list[int]) -> None:
    def sent(versjon: int) -> Sent:
        trukket = versjon == 2
        return SOURCES[0], {
            "type": "henvendelse.mottatt",
            "person": CHILD,
            "tid": "2026-03-09T10:00:00+01:00",
            "nokkel": "M1",
            "versjon": versjon,
            "tilbaketrukket": trukket,
            "data": {} if trukket else {"slag": 2},
        }

    found = duties(taken([sent(v) for v in order]), RULES, NOW)
    assert [d.regel for d in found] == ["bekymringsmelding", "tilbakemelding-mottak"]
    assert duties(taken([sent(v) for v in order if v < 3]), RULES, NOW) == ()
