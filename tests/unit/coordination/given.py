"""Given events, when the clock says so, then duties: the words the tests of the rules are written in."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from backbone.clock import OSLO
from consumers.coordination.duties import duties
from consumers.coordination.facts import FactSet
from consumers.coordination.regler.regel import Duty
from consumers.coordination.regler.regelverk import Regelverk
from consumers.coordination.regler.standard import STANDARD, regelverk
from contracts.catalogue import Catalogue
from contracts.envelope import Content

SUBJECT = "1f9c1f5e-3c0f-4a8e-9c59-0a4b0a4d7b11"
RULES = regelverk(Catalogue.standard())
ORGNR = {
    "skole": "910000001",
    "helsestasjon": "910000002",
    "barnevern": "910000003",
    "nav": "910000004",
    "koordinerende-enhet": "910000005",
    "familie": "910000006",
    "samtykke": "910000009",
}


def rules_of(*navn: str) -> Regelverk:
    """A rule or some, alone."""
    return Regelverk(RULES.catalogue, [rule for rule in STANDARD if rule.navn in navn])


class Event(NamedTuple):
    source: str
    type: str
    time: datetime
    id: str
    content: Content


def at(text: str) -> datetime:
    """Norwegian local time."""
    return datetime.fromisoformat(text).replace(tzinfo=OSLO)


def event(
    tjeneste: str,
    navn: str,
    when: str,
    nokkel: str = "1",
    *,
    versjon: int = 1,
    trukket: bool = False,
    **data: Any,
) -> Event:
    source = f"/4601/{tjeneste}/{ORGNR[tjeneste]}"
    id_ = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{source} {navn} {nokkel} {versjon} {trukket}"))
    content = Content(nokkel=nokkel, versjon=versjon, tilbaketrukket=trukket, data=data)
    return Event(source, f"no.samspor.{tjeneste}.{navn}", at(when), id_, content)


def consent(
    fra: str,
    kategorier: Iterable[str],
    til: Iterable[str] = ("koordinator",),
    *,
    status: str = "gitt",
    sekvens: int = 1,
    id_: str | None = None,
    gyldig_fra: str = "2026-01-01T00:00:00+01:00",
    utloper: str | None = None,
) -> Event:
    return event(
        "samtykke",
        f"samtykke.{status}",
        "2026-01-01",
        id_ or f"samtykke {fra}",
        versjon=sekvens,
        fra_tjeneste=fra,
        til_tjenester=list(til),
        kategorier=list(kategorier),
        gyldig_fra=gyldig_fra,
        utloper=utloper,
    )


def facts(*events: Event, rules: Regelverk = RULES) -> FactSet:
    out = FactSet(SUBJECT)
    for e in events:
        rules.tell(out, e.source, e.type, e.time, e.id, e.content)
    return out


def given(*events: Event, when: str) -> dict[str, Duty]:
    """The duties by rule; a test that expects several of one rule calls `duties` itself."""
    return {d.regel: d for d in duties(facts(*events), RULES, at(when))}
