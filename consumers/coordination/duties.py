"""Duties as a pure function of a child's facts, the rules and the time."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime

import orjson

from consumers.coordination.facts import FactSet, moment
from consumers.coordination.regler import frister
from consumers.coordination.regler.regel import Duty
from consumers.coordination.sak import Regelverk, Sak


def duties(facts: FactSet, rules: Regelverk, at: datetime) -> tuple[Duty, ...]:
    """The duties at the moment `at` (aware), met and unmet, by rule and occasion. The rules in force that
    day in Norway decide."""
    return _derive(Sak(facts, rules, at))


def next_change(facts: FactSet, rules: Regelverk, at: datetime) -> datetime | None:
    """When the duties may next change, or one passes its date, though nothing more is reported: never too
    late, at times too early. None when only an event can change them."""
    return _next(Sak(facts, rules, at), facts, duties(facts, rules, at))


def evaluate(facts: FactSet, rules: Regelverk, at: datetime) -> tuple[tuple[Duty, ...], datetime | None]:
    """(duties, next_change), the facts read once."""
    sak = Sak(facts, rules, at)
    derived = _derive(sak)
    return derived, _next(sak, facts, derived)


def digest(duties: Iterable[Duty]) -> str:
    """SHA-256 in hex over (child, rule, occasion, state, owner, date): equal when the same is due."""
    rows = sorted((d.subject, d.regel, d.anledning, d.tilstand, d.eier, d.frist.isoformat()) for d in duties)
    return hashlib.sha256(orjson.dumps(rows)).hexdigest()


def _derive(sak: Sak) -> tuple[Duty, ...]:
    if not sak.facts:
        return ()
    today = frister.local_date(sak.at)
    found = (d for rule in sak.rules.regler if rule.in_force(today) for d in rule.derive(sak))
    return tuple(sorted(found, key=lambda d: (d.regel, d.anledning)))


def _next(sak: Sak, facts: FactSet, derived: Iterable[Duty]) -> datetime | None:
    return min((c for c in _candidates(sak, facts, derived) if c > sak.at), default=None)


def _candidates(sak: Sak, facts: FactSet, derived: Iterable[Duty]) -> Iterator[datetime]:
    for _, retracted, time, _, _ in facts.facts.values():
        if time > sak.now and not retracted:
            yield moment(time)
    if not facts.facts:
        return
    for consent in facts.consents.values():
        if consent.status == "gitt":
            yield moment(consent.gyldig_fra)
            if consent.utloper is not None:
                yield moment(consent.utloper)
    by_name = {rule.navn: rule for rule in sak.rules.regler}
    yield from sak.rules.turns
    for duty in derived:
        if duty.tilstand == "aapen":
            yield from by_name[duty.regel].changes(sak, duty)
