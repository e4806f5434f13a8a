"""Two subjects that turn out to be one child: duties as if one, and each its own again when parted."""

import pytest

from backbone.database import driver
from consumers.coordination import queries
from consumers.coordination.duties import digest, duties
from consumers.coordination.facts import FactSet, merged
from tests.integration.test_coordination import (
    APPOINTED,
    CASE,
    CONSENTS,
    HEALTH,
    SCHOOL,
    TIMELINE,
    Thread,
    child,
    running_thread,  # noqa: F401 - a fixture
)
from tests.unit.coordination.given import RULES, Event, at

CASE_ONLY, PERSON = child(1), child(2)


async def settled(thread: Thread) -> None:
    """The feed read to its end, and everything due done: a child with a change just now is due at once."""
    await thread.loops.changes()
    await thread.loops.timers()


async def tasks(thread: Thread) -> dict[str, str]:
    """Status by id, of every subject."""
    return {str(r["id"]): r["status"] for r in await thread.rows("SELECT id, status FROM oppgave")}


async def read(thread: Thread, subject: str) -> tuple[int, int]:
    """How many events and tasks a reader of the child gets."""
    async with thread.engine.begin() as conn:
        db = await driver(conn)
        return len(await queries.timeline(db, subject)), len(await queries.tasks(db, subject=subject))


@pytest.fixture
async def split(thread: Thread) -> Thread:
    """The school knows the person, the health station a case, so neither subject alone gives a duty."""
    await thread.publish(SCHOOL, *CONSENTS, subject=PERSON)
    await thread.publish(HEALTH, subject=CASE_ONLY)
    async with thread.running():
        await thread.until(TIMELINE, 4)
    assert await tasks(thread) == {}
    return thread


async def test_joined_they_have_the_duty_that_neither_had_alone_and_parted_it_falls_away(
    split: Thread,
) -> None:
    split.samtykke.join(PERSON, CASE_ONLY)
    await settled(split)
    (joined_id,) = (await tasks(split)).keys()
    assert list((await tasks(split)).values()) == ["aapen"]
    (row,) = await split.rows("SELECT subject::text AS subject, nokkelid::text AS nokkelid FROM oppgave")
    assert row["subject"] == PERSON
    assert row["nokkelid"] == split.samtykke.key(PERSON, "samordning")[0]
    assert await read(split, PERSON) == await read(split, CASE_ONLY) == (4, 1)
    split.samtykke.join()
    await settled(split)
    assert await tasks(split) == {joined_id: "bortfalt"}
    assert (await read(split, PERSON), await read(split, CASE_ONLY)) == ((3, 1), (1, 0))
    split.samtykke.join(PERSON, CASE_ONLY)
    await settled(split)
    assert await tasks(split) == {joined_id: "aapen"}


async def test_an_event_after_the_joining_counts_for_the_child_whichever_subject_it_came_on(
    split: Thread,
) -> None:
    split.samtykke.join(PERSON, CASE_ONLY)
    await settled(split)
    (id_,) = await tasks(split)
    await split.publish(APPOINTED, subject=CASE_ONLY)
    async with split.running():
        await split.until(TIMELINE, 5)
    await settled(split)
    assert await tasks(split) == {id_: "oppfylt"}


async def test_a_task_given_before_keeps_its_id_and_two_of_one_kind_become_one(thread: Thread) -> None:
    await thread.publish(*CASE, subject=CASE_ONLY)
    async with thread.running():
        await thread.until(TIMELINE, 4)
    (first,) = await tasks(thread)
    thread.samtykke.join(PERSON, CASE_ONLY)
    await settled(thread)
    assert await tasks(thread) == {first: "aapen"}, "nothing new was given for what had an id"
    thread.samtykke.join()
    await settled(thread)
    await thread.publish(*CASE, subject=PERSON)
    async with thread.running():
        await thread.until(TIMELINE, 8)
    assert sorted((await tasks(thread)).values()) == ["aapen", "aapen"]
    thread.samtykke.join(PERSON, CASE_ONLY)
    await settled(thread)
    both = await tasks(thread)
    assert sorted(both.values()) == ["aapen", "bortfalt"], "one child has one task"
    assert both[first] == "bortfalt"
    thread.samtykke.join()
    await settled(thread)
    assert sorted((await tasks(thread)).values()) == ["aapen", "aapen"]


async def test_a_child_blocked_under_one_subject_waits_under_all(split: Thread) -> None:
    split.samtykke.join(PERSON, CASE_ONLY)
    for subject in (PERSON, CASE_ONLY):
        split.samtykke.status[subject] = "sperret"
    await settled(split)
    assert await tasks(split) == {}


async def test_what_was_not_yet_sent_of_an_erased_childs_tasks_is_forgotten(thread: Thread) -> None:
    for subject in (PERSON, CASE_ONLY):
        await thread.publish(*CASE, subject=subject)
    async with thread.running():
        await thread.until(TIMELINE, 8)
    await thread.handler.forget({"sletting": child(3), "subjects": [PERSON], "personer": []})
    rows = await thread.rows("SELECT subject::text AS s, innhold = '' AS tom, utfall FROM journal")
    assert {(row["s"], row["tom"], row["utfall"]) for row in rows} == {
        (PERSON, True, "refuse"),
        (CASE_ONLY, False, None),
    }


def test_the_digest_of_a_joined_child_is_the_canonical_ones() -> None:
    together = merged(PERSON, [_facts(CASE_ONLY, HEALTH), _facts(PERSON, SCHOOL, *CONSENTS)])
    alone = _facts(PERSON, SCHOOL, HEALTH, *CONSENTS)
    now = at("2026-04-01")
    assert digest(duties(together, RULES, now)) == digest(duties(alone, RULES, now))


def _facts(subject: str, *events: Event) -> FactSet:
    out = FactSet(subject)
    for e in events:
        RULES.tell(out, e.source, e.type, e.time, e.id, e.content)
    return out
