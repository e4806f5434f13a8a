"""Why a task is as it is: the facts, the rule and its version, the date and how it was counted. Pure.

Only what the asker may know: a contact person who sees the task sees every fact beneath it; a service, and the
coordinating unit, those it may know the kind and sender of.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from babel.dates import format_date

from backbone.meldinger import Messages
from consumers.coordination.duties import of_case
from consumers.coordination.regler.lokale import STANDARD
from consumers.coordination.regler.regel import Duty, Grunn, day_of
from consumers.coordination.regler.regelverk import Regelverk
from consumers.coordination.sak import Sak

Json = dict[str, Any]


def forklar(
    sak: Sak, rules: Regelverk, regel: str, anledning: str, unit: str | None, texts: Messages
) -> Json | None:
    """`unit` None: a contact person. None where the duty is not derivable from this case (any more)."""
    duty = next((d for d in of_case(sak, rules) if (d.regel, d.anledning) == (regel, anledning)), None)
    if duty is None:
        return None
    at = {(f.source, f.id): day_of(f) for f in sak.facts}
    facts = [g for g in duty.hviler_pa if unit is None or sak.may_know(g, unit)]
    return {
        "regel": texts.text(
            "forklart-regel", regel=duty.regel, versjon=duty.regelversjon, sett=_rules_said(duty, texts)
        ),
        "frist": _date_said(duty, texts),
        "regelversjon": duty.regelversjon,
        "regelsett": duty.regelsett,
        "fakta": [_fact(ground, at) for ground in facts],
    }


def _fact(ground: Grunn, at: Mapping[tuple[str, str], date]) -> Json:
    day = at.get((ground.source, ground.id))
    return {
        "tjeneste": ground.tjeneste,
        "type": ground.type,
        "source": ground.source,
        "id": ground.id,
        "dato": day.isoformat() if day else None,
    }


def _rules_said(duty: Duty, texts: Messages) -> str:
    if duty.regelsett == STANDARD:
        return texts.text("forklart-standard")
    return texts.text("forklart-lokale", navn=duty.regelsett)


def _date_said(duty: Duty, texts: Messages) -> str:
    frist = format_date(duty.frist, "d. MMMM y", locale="nb")
    kind = "lov" if duty.fristslag == "lovfrist" else "lokal"
    if duty.regnet is None:
        return texts.text("forklart-frist-oppgitt", frist=frist, slag=kind)
    since, length = duty.regnet
    return texts.text(
        "forklart-frist",
        frist=frist,
        slag=kind,
        antall=length.antall,
        enhet=length.enhet,
        fra=format_date(since, "d. MMMM y", locale="nb"),
    )
