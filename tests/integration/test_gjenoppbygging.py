"""A rebuild gives what stands, tells nothing again, and loses nothing of what happens meanwhile."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from consumers.coordination.gjenoppbygging import Avvik, Busy, Gjenoppbygging, Rapport
from consumers.coordination.kommandoer import Ordre
from consumers.coordination.oppgaveflyt import Kommando
from consumers.coordination.regler import samarbeid
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regelverk import Regelverk
from consumers.coordination.tables import metadata
from tests.integration.test_coordination import APPOINTED, WITHDRAWN, Thread, child
from tests.integration.test_kommandoer import (
    ENHET,
    SHARED,
    Office,
    agree,
    of,
    office,  # noqa: F401 - a fixture
    thread,  # noqa: F401 - a fixture
)
from tests.unit.coordination.given import event

CHILDREN = 12
TASKS = (
    "SELECT id, subject, regel, anledning, status, eier, frist, versjon, opprettet, flyt, ansvarlig, tilbudt_til,"
    " svar_innen, avslag, avgjores_av, steg FROM oppgave ORDER BY id"
)
FACTS = "SELECT subject, kommune, neste_endring, venter FROM faktasett ORDER BY subject"
SCHEMA = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'gjenoppbygging%'"


async def municipality(office: Office) -> None:  # noqa: F811
    """Children in every state that people and facts leave them in."""
    thread = office.thread  # noqa: F811
    for number in range(CHILDREN):
        await thread.publish(*SHARED, subject=child(number))
    steps: tuple[tuple[int, Kommando], ...] = ((1, "ta"), (2, "avvis"), (3, "uenig"), (4, "utfor"))
    for number, kommando in steps:
        task = await task_of(office, number)
        if kommando != "utfor":
            await office.commands.act(ENHET, task, Ordre("tilby", til="skole"))
        who = ENHET if kommando == "utfor" else of("skole")
        await office.commands.act(who, task, Ordre(kommando, grunn="mangler-kapasitet", kommentar="Ord."))
    await thread.publish(APPOINTED, subject=child(5))
    await thread.publish(WITHDRAWN, subject=child(6))
    await thread.publish(event("helsestasjon", "oppfolging.utvidet", "2026-03-11", "2"), subject=child(7))
    thread.samtykke.status[child(8)] = "sperret"
    await thread.publish(APPOINTED, subject=child(8))
    thread.samtykke.change(child(9), "slettet")
    await thread.loops.changes()


async def task_of(office: Office, number: int) -> str:  # noqa: F811
    (row,) = await office.thread.rows(
        "SELECT id::text AS id FROM oppgave WHERE subject = $1::uuid AND regel = 'samarbeid'", child(number)
    )
    return str(row["id"])


def rebuild(thread: Thread, rules: Regelverk | None = None, progress: Any = lambda _: None) -> Gjenoppbygging:  # noqa: F811
    return Gjenoppbygging(
        thread.engine,
        thread.samtykke,
        thread.settings,
        rules or thread.rules,
        lambda: thread.now,
        progress,
        chunk=4,
    )


async def stands(thread: Thread) -> list[Any]:  # noqa: F811
    return [await thread.rows(query) for query in (TASKS, FACTS, "SELECT id FROM journal ORDER BY lopenr")]


async def test_a_rebuild_gives_what_stands_and_tells_nothing_again(office: Office) -> None:  # noqa: F811
    await municipality(office)
    thread = office.thread  # noqa: F811
    assert await office.commands.raise_overdue(2) > 1, "what was raised, too"
    before = await stands(thread)
    seen: list[int] = []
    report = await rebuild(thread, progress=lambda r: seen.append(r.barn)).run()
    assert (report.lik, report.byttet, report.fortalt) == (True, True, 0)
    assert report.digest_for == report.digest_etter
    assert (report.barn, seen) == (CHILDREN, [4, 8, 12])
    assert report.hendelser == sum(
        r[0] for r in await thread.rows("SELECT count(*) FROM tidslinje WHERE NOT venter")
    )
    assert await office.commands.raise_overdue(2) == 0, "each step once, after a rebuild too"
    assert await stands(thread) == before
    await thread.until(SCHEMA, 0)
    await agree(office)
    async with thread.engine.connect() as conn:
        differences = await conn.run_sync(lambda c: compare_metadata(MigrationContext.configure(c), metadata))
    assert differences == [], "the fresh tables have the live ones' indexes, by name"
    # Life goes on in them: facts, people, and the child that was blocked.
    await thread.publish(APPOINTED, subject=child(0))
    await office.commands.act(of("skole"), await task_of(office, 1), Ordre("utfor"))
    thread.samtykke.change(child(8), "aktiv")
    await thread.loops.changes()
    found = dict(await thread.rows("SELECT subject::text, status FROM oppgave"))
    assert [found[child(n)] for n in (0, 1, 8)] == ["oppfylt"] * 3


async def test_what_happens_meanwhile_is_in_what_the_switch_puts_in_place(office: Office) -> None:  # noqa: F811
    await municipality(office)
    thread = office.thread  # noqa: F811
    first, last = sorted(child(n) for n in (0, 10, 11))[::2]

    async def meanwhile(gjenoppbygging: Gjenoppbygging) -> Rapport:
        """The consumer and people go on between the first pass and the switch."""
        compare = gjenoppbygging._catch_up

        async def catch_up(report: Rapport) -> None:
            await compare(report)
            await thread.publish(APPOINTED, subject=first)
            await thread.publish(*SHARED, subject=child(99))
            (row,) = await thread.rows("SELECT id::text AS id FROM oppgave WHERE subject = $1::uuid", last)
            await office.commands.act(ENHET, row["id"], Ordre("tilby", til="helsestasjon"))

        gjenoppbygging._catch_up = catch_up  # type: ignore[method-assign]  # what the test is about
        return await gjenoppbygging.run()

    report = await meanwhile(rebuild(thread))
    assert (report.byttet, report.omigjen, report.fortalt) == (True, 3, 0)
    rows = {
        r["subject"]: r for r in await thread.rows("SELECT subject::text, status, tilbudt_til FROM oppgave")
    }
    assert rows[first]["status"] == "oppfylt"
    assert rows[last]["tilbudt_til"] == "helsestasjon"
    assert rows[child(99)]["status"] == "aapen"
    assert len(set(await office.told())) > 1
    ids = [r["id"] for r in await thread.rows("SELECT id FROM journal")]
    assert len(ids) == len(set(ids))


async def test_killed_half_way_it_leaves_the_live_tables_and_can_be_run_again(office: Office) -> None:  # noqa: F811
    await municipality(office)
    thread = office.thread  # noqa: F811
    before = await stands(thread)

    class Killed(BaseException):
        pass

    def die(report: Rapport) -> None:
        if report.barn == 8:
            raise Killed

    with pytest.raises(Killed):
        await rebuild(thread, progress=die).run()
    await thread.until(SCHEMA, 1)
    assert await stands(thread) == before
    assert (await rebuild(thread).run()).byttet
    assert await stands(thread) == before


async def test_a_change_of_rules_is_counted_and_needs_to_be_accepted_and_is_told_once(office: Office) -> None:  # noqa: F811
    await municipality(office)
    thread = office.thread  # noqa: F811
    before = await stands(thread)
    later = replace(samarbeid.REGEL, frist=Frist(30), versjon=2)
    changed = Regelverk(
        thread.catalogue, [later if r.navn == "samarbeid" else r for r in thread.rules.regler]
    )
    report = await rebuild(thread, changed).run()
    assert not report.byttet
    # Of twelve: one finished, one met, one fallen away, one blocked, one erased; the facts of the rest are due later.
    assert report.avvik == {"samarbeid": Avvik(0, 0, 9)}
    assert await stands(thread) == before, "nothing changes unaccepted"
    report = await rebuild(thread, changed).run(godta=True)
    assert report.byttet
    moved = {
        r["subject"]: r for r in await thread.rows("SELECT subject::text, frist, versjon, eier FROM oppgave")
    }
    assert moved[child(1)]["eier"] == "skole", "what people did survives"
    assert moved[child(0)]["frist"] > date(2026, 4, 1) + timedelta(days=14)
    told = await office.told()
    assert report.fortalt == told[len(before[2]) :].count("oppgave.opprettet") == 7
    assert [r["id"] for r in (await stands(thread))[0]] == [r["id"] for r in before[0]], "ids survive"
    again = await rebuild(thread, changed).run()
    assert (again.lik, again.fortalt) == (True, 0)
    assert await office.told() == told


async def test_two_rebuilds_do_not_run_at_once(office: Office) -> None:  # noqa: F811
    await municipality(office)
    thread = office.thread  # noqa: F811
    first = rebuild(thread)
    second = rebuild(thread)
    compute = first._compute

    async def while_working(*args: Any) -> int:
        with pytest.raises(Busy):
            await second.run()
        return await compute(*args)

    first._compute = while_working  # type: ignore[method-assign, assignment]  # what the test is about
    assert (await first.run()).byttet


async def test_time_that_has_come_and_was_not_looked_at_is_no_difference(office: Office) -> None:  # noqa: F811
    await municipality(office)
    thread = office.thread  # noqa: F811
    thread.now += timedelta(days=400)
    report = await rebuild(thread).run()
    assert report.lik
    await thread.loops.timers()
    open_ = await thread.rows("SELECT count(*) FROM oppgave WHERE status = 'aapen' AND regel = 'samarbeid'")
    assert open_[0][0] == 1, "only the blocked child's stands: the others' involvements have lapsed"
