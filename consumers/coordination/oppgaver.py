"""From duties to tasks: what has to be written, and what is told. Pure.

A task is the lasting trace of a duty: met, it stays as `oppfylt`; no longer derivable, it is `bortfalt`;
derivable again, it opens again under the same id. Each step that others are told of raises `versjon`, which
makes the id of the event that tells it: the same step is never told twice.

What people did with a task (`flyt`) is an input here and never changed: facts open and close the duty beneath it, and
a task that fell away and came back lies where they left it. A task that somebody finished stays finished.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from pydantic import JsonValue

from consumers.coordination.oppgaveflyt import NY, Flyt, holder
from consumers.coordination.regler.regel import Duty, Fristslag, Grunn
from contracts.envelope import Content
from contracts.oppgave import step_event_id

Status = Literal["aapen", "oppfylt", "bortfalt"]
Telling = Literal["opprettet", "utfort", "bortfalt"]
Knows = Callable[[str, tuple[Grunn, ...]], bool]
"""Whether a service may know every one of these facts."""


def everybody(tjeneste: str, grunner: tuple[Grunn, ...]) -> bool:
    """For tasks that nobody has handed on: then nothing needs to be asked."""
    return True


@dataclass(frozen=True, slots=True)
class Oppgave:
    """A task as it is stored; see Duty for the fields they share. `eier` is its one holder."""

    id: str
    subject: str
    kommune: str
    regel: str
    regelversjon: int
    anledning: str
    status: Status
    eier: str
    frist: date
    fristslag: Fristslag
    bestemmelser: tuple[str, ...]
    lukkes_av: tuple[str, ...]
    koordinering: bool
    hviler_pa: tuple[Grunn, ...]
    versjon: int
    flyt: Flyt = NY
    regelsett: str = "standard"


@dataclass(frozen=True, slots=True)
class Step:
    """One task to write. `duty` carries the explanation to seal, None where the old one stays."""

    oppgave: Oppgave
    duty: Duty | None
    told: Telling | None

    def content(self) -> Content:
        """What is told of the step: no more than who must do what by when."""
        task = self.oppgave
        data: dict[str, JsonValue] = {
            "oppgave": task.id,
            "regel": task.regel,
            "eier": task.eier,
            "frist": task.frist.isoformat(),
            "fristslag": task.fristslag,
        }
        return Content(nokkel=task.id, versjon=task.versjon, data=data)

    @property
    def event_id(self) -> str:
        return step_event_id(self.oppgave.id, str(self.told), self.oppgave.versjon)


def steps(
    held: Mapping[str, Oppgave], duties: Iterable[Duty], kommune: str, knows: Knows = everybody
) -> Iterator[Step]:
    """What changes for one child, given its tasks by id and its duties now. Nothing when nothing changed."""
    due = {duty.oppgave_id: duty for duty in duties}
    for id_, duty in due.items():
        before = held.get(id_)
        after = _task(id_, duty, kommune, before, knows)
        if before != after:
            told = _told(before, after)
            yield Step(replace(after, versjon=after.versjon + 1) if told else after, duty, told)
    for id_, before in held.items():
        if id_ not in due and before.status != "bortfalt" and before.flyt.tilstand != "utfort":
            yield Step(replace(before, status="bortfalt", versjon=before.versjon + 1), None, "bortfalt")


def handed_on(held: Iterable[Oppgave]) -> bool:
    """Whether somebody other than a rule may hold one of the tasks, so that `knows` will be asked."""
    return any(task.flyt.ansvarlig is not None for task in held)


def _told(before: Oppgave | None, after: Oppgave) -> Telling | None:
    if after.status == "oppfylt":
        return "utfort" if before is None or before.status != "oppfylt" else None
    if before is None or before.status != "aapen" or (before.eier, before.frist) != (after.eier, after.frist):
        return "opprettet"
    return None


def _task(id_: str, duty: Duty, kommune: str, before: Oppgave | None, knows: Knows) -> Oppgave:
    flyt = before.flyt if before else NY
    return Oppgave(
        id=id_,
        subject=duty.subject,
        kommune=kommune,
        regel=duty.regel,
        regelversjon=duty.regelversjon,
        anledning=duty.anledning,
        status="oppfylt" if flyt.tilstand == "utfort" else duty.tilstand,
        eier=holder(flyt, duty.eier, lambda tjeneste: knows(tjeneste, duty.hviler_pa)),
        frist=duty.frist,
        fristslag=duty.fristslag,
        bestemmelser=duty.bestemmelser,
        lukkes_av=duty.lukkes_av,
        koordinering=duty.koordinering,
        hviler_pa=duty.hviler_pa,
        versjon=before.versjon if before else 0,
        flyt=flyt,
        regelsett=duty.regelsett,
    )
