"""`samspor rules try` on the real database: what other local rules would change, counted, and nothing changed."""

from consumers.coordination.handler import Handler
from consumers.coordination.prove import prove
from consumers.coordination.regler.lokale import read
from consumers.coordination.regler.regelverk import Regelverk
from tests.integration.test_coordination import CASE, child
from tests.integration.test_kommandoer import Direct, thread  # noqa: F401 - a fixture
from tests.unit.coordination.given import event

LOCAL = """kommune = "4601"
[[versjoner]]
navn = "ny"
gyldig_fra = 2026-01-01
[versjoner.regler.samarbeid]
frist = { antall = 3 }
[versjoner.regler.bekymringsmelding]
paa = false
"""
MELDING = event("barnevern", "henvendelse.mottatt", "2026-03-30", "M", slag=2)
STATE = "SELECT id, status, eier, frist, endret FROM oppgave ORDER BY id"


async def test_what_other_local_rules_would_change_is_counted_and_nothing_is_changed(
    thread: Direct,  # noqa: F811
) -> None:
    await thread.publish(*CASE, subject=child(1))
    await thread.publish(MELDING, subject=child(2))
    now = thread.rules
    local = {"4601": read(LOCAL, now.regler, thread.catalogue)}
    then = Regelverk(thread.catalogue, now.regler, local).for_kommune("4601")
    before = await thread.rows(STATE)
    assert len(before) == 2

    children, found = await prove(thread.engine, thread.samtykke, now, then, "4601", thread.now)
    assert children == 2
    assert found == {("samarbeid", "flyttes"): 1, ("bekymringsmelding", "lukkes"): 1}
    _, back = await prove(thread.engine, thread.samtykke, then, now, "4601", thread.now)
    assert back == {("samarbeid", "flyttes"): 1, ("bekymringsmelding", "apnes"): 1}
    assert await prove(thread.engine, thread.samtykke, now, then, "0301", thread.now) == (0, {})
    assert await thread.rows(STATE) == before

    thread.samtykke.status[child(2)] = "sperret"
    children, found = await prove(thread.engine, thread.samtykke, now, then, "4601", thread.now)
    assert (children, found) == (1, {("samarbeid", "flyttes"): 1})


async def test_a_child_with_two_subjects_is_tried_as_one(thread: Direct) -> None:  # noqa: F811
    school, health, *consents = CASE
    await thread.publish(school, *consents, subject=child(1))
    await thread.publish(health, *consents, subject=child(2))
    thread.samtykke.joined = tuple(sorted((child(1), child(2))))
    none = Regelverk(thread.catalogue, [])
    children, found = await prove(thread.engine, thread.samtykke, none, thread.rules, "4601", thread.now)
    assert (children, found) == (1, {("samarbeid", "apnes"): 1})


async def test_a_task_keeps_which_local_rules_it_was_derived_by(thread: Direct) -> None:  # noqa: F811
    kept = "SELECT regel, regelversjon, regelsett, frist FROM oppgave ORDER BY regel"
    await thread.publish(*CASE, MELDING, subject=child(1))
    assert [(r["regel"], r["regelsett"], str(r["frist"])) for r in await thread.rows(kept)] == [
        ("bekymringsmelding", "standard", "2026-04-06"),
        ("samarbeid", "standard", "2026-03-30"),
    ]
    regler = thread.rules.regler
    local = Regelverk(
        thread.catalogue, regler, {"4601": read(LOCAL.replace("paa = false", ""), regler, thread.catalogue)}
    )
    thread.handler = Handler(
        thread.engine, thread.samtykke, thread.settings, thread.catalogue, local, lambda: thread.now
    )
    await thread.handler.refresh([child(1)])
    assert [(r["regel"], r["regelsett"], str(r["frist"])) for r in await thread.rows(kept)] == [
        ("bekymringsmelding", "ny", "2026-04-06"),
        ("samarbeid", "ny", "2026-03-13"),
    ]
