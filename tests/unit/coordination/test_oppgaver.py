"""From duties to tasks: what is written, and what is told once."""

from dataclasses import replace
from datetime import date

from consumers.coordination.oppgaveflyt import Flyt
from consumers.coordination.oppgaver import Oppgave, Step, steps
from consumers.coordination.regler.regel import Duty, Grunn

GROUND = Grunn(
    "skole", "fravar", "T", "no.samspor.skole.fravaer.terskel-passert", "/4601/skole/910000001", "e1"
)
DUTY = Duty(
    subject="1f9c1f5e-3c0f-4a8e-9c59-0a4b0a4d7b11",
    regel="frafall",
    regelversjon=1,
    regelsett="standard",
    anledning="2026-2027",
    tilstand="aapen",
    eier="skole",
    frist=date(2026, 10, 19),
    fristslag="lokal_frist",
    bestemmelser=("opplaeringslova-24-1",),
    lukkes_av=("koordinator.oppnevnt",),
    koordinering=False,
    hviler_pa=(GROUND,),
    forklaring="oppgave-frafall",
    argumenter=(("dato", date(2026, 10, 5)),),
)
MET = replace(DUTY, tilstand="oppfylt")


def after(*history: Duty | None) -> list[Step]:
    """Every step taken as the duty changes; None: it cannot be derived."""
    held: dict[str, Oppgave] = {}
    taken: list[Step] = []
    for duty in history:
        found = list(steps(held, [duty] if duty else [], "4601"))
        held |= {s.oppgave.id: s.oppgave for s in found}
        taken += found
    return taken


def told(*history: Duty | None) -> list[str | None]:
    return [step.told for step in after(*history)]


def test_a_task_has_the_same_id_wherever_it_is_derived() -> None:
    (step,) = after(DUTY)
    assert step.oppgave.id == MET.oppgave_id == "8662b1ce-cd1c-5f52-a0e1-c648b01657e4"
    assert replace(DUTY, anledning="2027-2028").oppgave_id != DUTY.oppgave_id


def test_what_has_not_changed_is_neither_written_nor_told() -> None:
    assert told(DUTY, DUTY) == ["opprettet"]
    assert told(MET, MET) == ["utfort"]
    assert told(None, None) == []


def test_a_duty_that_is_met_or_gone_is_told_once() -> None:
    assert told(DUTY, MET, MET) == ["opprettet", "utfort"]
    assert told(DUTY, None, None) == ["opprettet", "bortfalt"]


def test_a_duty_that_comes_back_opens_the_same_task_again() -> None:
    taken = after(DUTY, None, DUTY, MET, DUTY)
    assert [s.told for s in taken] == ["opprettet", "bortfalt", "opprettet", "utfort", "opprettet"]
    assert len({s.oppgave.id for s in taken}) == 1
    assert len({s.event_id for s in taken}) == 5, "each step is told under an id of its own"
    assert [s.content().versjon for s in taken] == [1, 2, 3, 4, 5]


def test_a_new_owner_or_date_is_told_and_other_changes_are_only_written() -> None:
    assert told(DUTY, replace(DUTY, eier="koordinerende-enhet")) == ["opprettet", "opprettet"]
    assert told(DUTY, replace(DUTY, frist=date(2026, 10, 20))) == ["opprettet", "opprettet"]
    written = after(DUTY, replace(DUTY, hviler_pa=(replace(GROUND, id="e2"),)))
    assert [s.told for s in written] == ["opprettet", None]
    assert written[1].oppgave.hviler_pa[0].id == "e2"


def test_what_is_told_holds_no_more_than_who_must_do_what_by_when() -> None:
    (step,) = after(DUTY)
    assert step.content().data == {
        "oppgave": DUTY.oppgave_id,
        "regel": "frafall",
        "eier": "skole",
        "frist": "2026-10-19",
        "fristslag": "lokal_frist",
    }


def handed(flyt: Flyt, duty: Duty | None, *may: str) -> list[Step]:
    """What is done with a task that people have handed on, `may` being who may know its facts."""
    (opened,) = after(DUTY)
    held = {opened.oppgave.id: replace(opened.oppgave, flyt=flyt, eier=flyt.ansvarlig or "skole")}
    return list(steps(held, [duty] if duty else [], "4601", lambda tjeneste, _: tjeneste in may))


TAKEN = Flyt("overtatt", "nav", steg=2)
DONE = Flyt("utfort", "nav", steg=3)


def test_who_took_a_task_over_keeps_it_when_the_facts_change() -> None:
    (step,) = handed(TAKEN, replace(DUTY, frist=date(2026, 11, 2)), "nav")
    assert (step.oppgave.eier, step.oppgave.flyt, step.told) == ("nav", TAKEN, "opprettet")
    assert handed(TAKEN, DUTY, "nav") == []


def test_who_may_no_longer_know_the_facts_gives_way_to_the_rules_owner_and_comes_back() -> None:
    (step,) = handed(TAKEN, DUTY)
    assert (step.oppgave.eier, step.told) == ("skole", "opprettet")
    assert step.oppgave.flyt == TAKEN, "what people did stands, for when consent is given again"
    (back,) = steps({step.oppgave.id: step.oppgave}, [DUTY], "4601", lambda *_: True)
    assert (back.oppgave.eier, back.told) == ("nav", "opprettet")


def test_a_task_that_falls_away_and_comes_back_lies_where_people_left_it() -> None:
    (gone,) = handed(TAKEN, None, "nav")
    assert (gone.oppgave.status, gone.oppgave.flyt) == ("bortfalt", TAKEN)
    (back,) = steps({gone.oppgave.id: gone.oppgave}, [DUTY], "4601", lambda *_: True)
    assert (back.oppgave.status, back.oppgave.eier, back.oppgave.flyt) == ("aapen", "nav", TAKEN)


def test_a_task_somebody_finished_stays_finished_whatever_the_facts_do() -> None:
    (done,) = handed(DONE, DUTY, "nav")
    assert (done.oppgave.status, done.told) == ("oppfylt", "utfort")
    for duty in (DUTY, MET, None):
        assert (
            list(steps({done.oppgave.id: done.oppgave}, [duty] if duty else [], "4601", lambda *_: True))
            == []
        )
