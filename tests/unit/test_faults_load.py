"""The load of `make faults`: a seed is the same load again, and the sender's journal tells what she knows."""

from datetime import UTC, datetime
from pathlib import Path

import orjson

from backbone.settings import Settings
from tests.faults.load import Load, Plan

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
URL = {"tjenester": "http://127.0.0.1:1"}


def plan(seed: int = 1, series: int = 0) -> Plan:
    return Plan(seed, 300, series, NOW)


def test_the_same_seed_is_the_same_children_events_order_and_pauses() -> None:
    assert (plan().children, plan().lanes, plan().spare) == (plan().children, plan().lanes, plan().spare)
    assert plan().lanes != plan(seed=2).lanes


def test_no_two_seeds_or_series_share_a_child_or_an_event() -> None:
    plans = [plan(seed, series) for seed in (0, 1, 399) for series in (0, 1, 30)]
    persons = [child.person for p in plans for child in p.children]
    keys = [event.key for p in plans for event in p.events]
    assert len(set(persons)) == len(persons)
    assert len(set(keys)) == len(keys)


def test_what_a_sender_knows_is_read_from_her_journal_alone(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    load = Load(plan(), Settings(urls=URL), {}, journal)
    requests = list(plan().requests)
    answered, given_up, never_sent, refused = requests[:4]
    told = [
        {"ref": answered.sending.ref, "utfall": "ukjent"},
        {
            "ref": answered.sending.ref,
            "utfall": "feil",
            "kvitteringer": [{"source": e.key[0], "id": e.key[1]} for e in answered.events[1:]],
            "feil": [{"linje": 1, "feil": "…"}],
        },
        {"ref": given_up.sending.ref, "utfall": "ukjent"},
        {"ref": refused.sending.ref, "utfall": "feil", "feil": [{"linje": None, "feil": "…"}]},
    ]
    journal.write_bytes(b"\n".join(map(orjson.dumps, told)))
    history = load.history()
    assert history.ok == {e.key for e in answered.events[1:]}
    assert history.failed == {answered.events[0].key} | {e.key for e in refused.events}, "no line named: all"
    assert history.unknown == {e.key for e in given_up.events}
    assert not history.sent & {e.key for e in never_sent.events}
