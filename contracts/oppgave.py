"""What others than coordination must know of a task: how the events about it are named, and how the read gate is asked
about it."""

import uuid
from collections.abc import Mapping
from typing import Any

from contracts.samtykke_api import Hvilegrunn, LesingItem

OPPGAVE = "no.samspor.samordning.oppgave.opprettet"
STRICTEST = "NTHX"


def step_event_id(oppgave: str, steg: str, versjon: int) -> str:
    """Id of the event that tells of a task's step: UUIDv5 of the task, the step (opprettet, utfort, bortfalt …) and
    the task's version, so that the same step is never told twice."""
    return str(uuid.uuid5(uuid.UUID(oppgave), f"{steg}\n{versjon}"))


def lies_with(task: Mapping[str, Any]) -> tuple[str | None, ...]:
    """Whom the task lies with: the holder, who it is offered to, who must settle it, and to whom it was raised."""
    return task["eier"], task.get("tilbudt_til"), task.get("avgjores_av"), task.get("loftet_til")


def lesing_item(task: Mapping[str, Any], leser: str | None = None) -> LesingItem:
    """The question whether somebody of the service (or unit) `leser` may see a task, `task` as coordination's API gives
    it. Its `eier` is then that service, where the task lies with it."""
    grounds = [
        Hvilegrunn(tjeneste=g["tjeneste"], kategori=g["kategori"], skjerming=g["skjerming"])
        for g in task["hviler_pa"]
    ]
    return LesingItem(
        ref=0,
        subject=task["subject"],
        slag="oppgave",
        type=OPPGAVE,
        tjeneste="samordning",
        kategori="koordinering",
        skjerming=max((g["skjerming"] for g in grounds), key=STRICTEST.index, default="T"),
        nokkelid=task.get("nokkelid"),
        kommune=task["kommune"],
        koordinering=bool(task["koordinering"]),
        eier=leser if leser is not None and leser in lies_with(task) else task["eier"],
        regel=task["regel"],
        hviler_pa=grounds,
        hendelse=task["id"],
    )
