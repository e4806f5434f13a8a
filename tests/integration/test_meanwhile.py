"""What happens to a child while a batch about it waits for its turn, or while its facts can't be read."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import asyncpg
import pytest

from consumers.coordination.duties import evaluate
from consumers.coordination.handler import SET_ASIDE
from consumers.coordination.innlesing import Record
from consumers.coordination.loops import Loops
from tests.integration.test_coordination import (
    APPOINTED,
    CASE,
    CONSENTS,
    HEALTH,
    SCHOOL,
    Proxy,
    Thread,
    child,
    running_thread,  # noqa: F401 - a fixture
)
from tests.integration.test_gjenoppbygging import rebuild
from tests.integration.test_joined_children import CASE_ONLY, PERSON, settled, tasks
from tests.unit.coordination.given import Event, event


class Arriving:
    """Records as they stand on Kafka, given to the handler by hand."""

    def __init__(self, thread: Thread) -> None:
        self._thread = thread
        self._offset = 0

    def records(self, subject: str, *events: Event) -> Sequence[Record]:
        made = []
        for e in events:
            out = self._thread.outgoing(e, subject)
            made.append(Record(out.topic, 0, self._offset, out.key, out.headers, out.value))
            self._offset += 1
        return made

    async def take(self, subject: str, *events: Event) -> None:
        await self._thread.handler.handle(self.records(subject, *events))


@pytest.fixture
def arriving(thread: Thread) -> Arriving:
    return Arriving(thread)


def joined_event(subject: str, other: str) -> Event:
    made = event("samtykke", "identitet.koblet", "2026-03-31", subject, annen_subject=other)
    return made._replace(id=subject)


async def test_a_child_joined_while_its_batch_waited_is_looked_at_again(
    thread: Thread, arriving: Arriving
) -> None:
    await arriving.take(PERSON, SCHOOL, *CONSENTS)
    waiting = arriving.records(CASE_ONLY, HEALTH)
    prepared = asyncio.create_task(thread.handler.prepare(waiting))
    await prepared
    thread.samtykke.join(PERSON, CASE_ONLY)
    await settled(thread)
    await thread.handler.handle(waiting, ahead=prepared)
    for subject, other in ((PERSON, CASE_ONLY), (CASE_ONLY, PERSON)):
        await arriving.take(subject, joined_event(subject, other))
    await thread.loops.timers()
    assert list((await tasks(thread)).values()) == ["aapen"]


async def test_a_child_erased_while_its_batch_waited_gets_nothing(thread: Thread, arriving: Arriving) -> None:
    waiting = arriving.records(PERSON, *CASE)
    prepared = asyncio.create_task(thread.handler.prepare(waiting))
    await prepared
    thread.samtykke.status[PERSON] = "slettet"
    await thread.handler.forget({"sletting": "1", "subjects": [PERSON]})  # type: ignore[typeddict-item]  # as it needs
    await thread.handler.handle(waiting, ahead=prepared)
    for table in ("faktasett", "oppgave", "tidslinje", "journal"):
        assert await thread.rows(f"SELECT FROM {table}") == []
    (reached,) = await thread.rows("SELECT sum(slettet)::int FROM posisjon")
    assert reached[0] == len(CASE)


async def test_forgetting_waits_for_the_batch_that_is_being_written(
    thread: Thread, arriving: Arriving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would not see what is not committed."""
    forgetting: list[asyncio.Task[None]] = []
    settle = thread.handler._settle

    async def slowly(*args: Any, **how: Any) -> Any:
        forgetting.append(
            asyncio.create_task(
                thread.handler.forget({"sletting": "1", "subjects": [PERSON]})  # type: ignore[typeddict-item]  # as it needs
            )
        )
        await asyncio.sleep(0.3)
        return await settle(*args, **how)

    monkeypatch.setattr(thread.handler, "_settle", slowly)
    await arriving.take(PERSON, *CASE)
    await forgetting[0]
    for table in ("faktasett", "oppgave"):
        assert await thread.rows(f"SELECT FROM {table}") == []


@pytest.fixture
async def unreadable(thread: Thread, arriving: Arriving) -> str:
    """A child with a task, whose facts can no longer be opened."""
    await arriving.take(child(), *CASE)
    assert await thread.tasks() == [("samarbeid", "aapen", 1)]
    await thread.rows("UPDATE faktasett SET innhold = 'noe annet'")
    return child()


async def test_two_events_before_the_facts_are_built_anew_take_no_task_away(
    thread: Thread, arriving: Arriving, unreadable: str
) -> None:
    for number in ("2", "3"):
        await arriving.take(unreadable, event("skole", "ppt.henvist", "2026-03-03", number))
        assert await thread.tasks() == [("samarbeid", "aapen", 1)]
    await arriving.take(unreadable, APPOINTED)
    await thread.loops.sweep()
    assert await thread.tasks() == [("samarbeid", "oppfylt", 2)]
    assert await thread.told() == ["opprettet", "utfort"]


async def test_the_facts_of_a_joined_child_that_are_built_anew_take_no_task_away(
    thread: Thread, arriving: Arriving
) -> None:
    await arriving.take(PERSON, SCHOOL, *CONSENTS)
    await arriving.take(CASE_ONLY, HEALTH)
    thread.samtykke.join(PERSON, CASE_ONLY)
    await settled(thread)
    (id_,) = await tasks(thread)
    await thread.rows("UPDATE faktasett SET innhold = 'noe annet', neste_endring = now() - interval '1 year'")
    await thread.loops.timers()
    assert await tasks(thread) == {id_: "aapen"}
    await thread.loops.sweep()
    assert await tasks(thread) == {id_: "aapen"}
    assert await thread.told() == ["opprettet"]


async def test_what_waited_for_a_block_to_end_is_not_lost_where_the_facts_are_built_anew(
    thread: Thread, arriving: Arriving, unreadable: str
) -> None:
    thread.samtykke.change(unreadable, "sperret")
    await thread.loops.changes()
    await arriving.take(unreadable, APPOINTED)
    thread.samtykke.change(unreadable, "aktiv")
    await thread.loops.changes()
    await thread.loops.sweep()
    assert await thread.tasks() == [("samarbeid", "oppfylt", 2)]


async def test_a_child_whose_duties_cannot_be_derived_harms_no_other_and_no_event(
    thread: Thread, arriving: Arriving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(facts: Any, *rest: Any) -> Any:
        if facts.subject == PERSON:
            raise OverflowError("date value out of range")
        return evaluate(facts, *rest)

    await arriving.take(PERSON, *CASE)
    await arriving.take(CASE_ONLY, *CASE)
    with monkeypatch.context() as patch:
        patch.setattr("consumers.coordination.handler.evaluate", failing)
        records = [*arriving.records(PERSON, APPOINTED), *arriving.records(CASE_ONLY, APPOINTED)]
        await thread.handler.handle(records)
        await thread.rows("UPDATE faktasett SET neste_endring = now() - interval '1 year'")
        await thread.loops.timers()
        assert await thread.tasks(CASE_ONLY) == [("samarbeid", "oppfylt", 2)]
        assert await thread.tasks(PERSON) == [("samarbeid", "aapen", 1)]
    thread.now += SET_ASIDE
    await thread.loops.timers()
    assert await thread.tasks(PERSON) == [("samarbeid", "oppfylt", 2)]


async def test_what_the_database_will_never_take_holds_up_one_child_alone(
    thread: Thread, arriving: Arriving
) -> None:
    class Refusing(Proxy):
        async def refresh(self, subjects: Collection[str]) -> None:
            if PERSON in subjects:
                raise asyncpg.CharacterNotInRepertoireError("a null character")
            await thread.handler.refresh(subjects)

    for subject in (PERSON, CASE_ONLY):
        thread.samtykke.change(subject, "sperret")
        await arriving.take(subject, *CASE)
        thread.samtykke.change(subject, "aktiv")
    loops = Loops(
        Refusing(thread.handler),  # type: ignore[arg-type]  # all of a handler
        thread.engine,
        thread.samtykke,
        thread.settings,
        lambda: thread.now,
    )
    try:
        await loops.changes()
    finally:
        await loops.close()
    assert await thread.tasks(CASE_ONLY) == [("samarbeid", "aapen", 1)]
    (after,) = await thread.rows("SELECT siste FROM endringsposisjon")
    assert after[0] == len(thread.samtykke.named)


async def test_a_rebuild_ends_where_samtykke_has_no_key_of_some_rows(
    thread: Thread, arriving: Arriving
) -> None:
    """As after a restore of the keys."""
    await arriving.take(child(), *CASE)
    key_id, _ = thread.samtykke.key(child(), "skole")
    del thread.samtykke.keys_by_id[key_id]
    async with asyncio.timeout(30):
        report = await rebuild(thread).run()
    assert (report.byttet, report.ulike_faktasett) == (False, 1)
    assert await thread.tasks() == [("samarbeid", "aapen", 1)]
