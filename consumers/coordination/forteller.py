"""The events that coordination publishes about tasks and batons, ready for its journal."""

from datetime import date, datetime

from pydantic import JsonValue

from backbone.journal import NewEvent
from consumers.coordination.oppgaveflyt import Hendelse, Slag
from consumers.coordination.oppgaver import Oppgave, Step
from consumers.coordination.stafett import Pinnehendelse
from contracts.envelope import Content, Row
from contracts.oppgave import step_event_id
from contracts.tjenester import SAMORDNING

ORGNR = "000000000"
"""The coordination's own events are no organisation's."""

STEG: dict[Slag, str] = {
    "overtatt": "overtatt",
    "avgjort": "overtatt",
    "tilbudt": "tilbudt",
    "avvist": "avvist",
    "eskalert": "eskalert",
    "uenighet": "eskalert",
    "forfalt": "eskalert",
    "utfort": "utfort",
}
"""What happened to a task, and the short name of the event that tells of it."""


def told_step(step: Step, now: datetime, cause: Row | None, traceparent: str | None) -> NewEvent:
    """What a rule did: a task opened, was met or fell away. `cause` is the event that made it."""
    return _event(
        step.oppgave.kommune,
        step.oppgave.subject,
        f"oppgave.{step.told}",
        step.event_id,
        step.content(),
        now,
        cause,
        traceparent,
    )


def told_flow(task: Oppgave, hendelse: Hendelse, av: str | None, now: datetime) -> NewEvent:
    """What somebody did with a task; `task` as it is after it, `av` the service that acted."""
    steg = STEG[hendelse.slag]
    data: dict[str, JsonValue] = {
        "oppgave": task.id,
        "regel": task.regel,
        "eier": task.eier,
        "frist": task.frist.isoformat(),
        "fristslag": task.fristslag,
        "aktor": av,
    }
    if steg != "utfort":
        reason = hendelse.slag if hendelse.slag in ("uenighet", "avgjort") else hendelse.grunn
        data |= {"til": hendelse.til, "grunn": reason, "svar_innen": _text(hendelse.svar_innen)}
    content = Content(nokkel=task.id, versjon=task.versjon, data=data)
    id_ = step_event_id(task.id, steg, task.versjon)
    return _event(task.kommune, task.subject, f"oppgave.{steg}", id_, content, now)


def told_baton(
    kommune: str, subject: str, hendelse: Pinnehendelse, versjon: int, av: str | None, now: datetime
) -> NewEvent:
    """What happened to a child's baton; `versjon` is its number."""
    navn = f"stafett.{hendelse.slag}"
    data: dict[str, JsonValue] = {
        "fra": hendelse.fra,
        "til": hendelse.til,
        "grunn": hendelse.grunn,
        "svar_innen": _text(hendelse.svar_innen),
        "aktor": av,
    }
    content = Content(nokkel=subject, versjon=versjon, data=data)
    return _event(kommune, subject, navn, step_event_id(subject, navn, versjon), content, now)


def _event(
    kommune: str,
    subject: str,
    navn: str,
    id_: str,
    content: Content,
    now: datetime,
    cause: Row | None = None,
    traceparent: str | None = None,
) -> NewEvent:
    return NewEvent(
        id=id_,
        source=f"/{kommune}/{SAMORDNING}/{ORGNR}",
        type=f"no.samspor.{SAMORDNING}.{navn}",
        kommune=kommune,
        orgnr=ORGNR,
        time=now,
        content=content,
        subject=subject,
        traceparent=traceparent,
        correlationid=cause.correlationid if cause else None,
        causationid=cause.id if cause else None,
    )


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
