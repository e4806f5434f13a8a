"""Duties as a pure function of a child's facts, the rules and the time."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime

import orjson

from backbone import frister
from consumers.coordination.facts import FactSet, moment
from consumers.coordination.regler.eskalering import turns
from consumers.coordination.regler.regel import Duty, Regel
from consumers.coordination.regler.regelverk import Regelverk
from consumers.coordination.sak import Sak


def duties(facts: FactSet, rules: Regelverk, at: datetime) -> tuple[Duty, ...]:
    """The duties at the moment `at` (aware), met and unmet, by rule and occasion. The rules in force that
    day in Norway decide."""
    return evaluate(facts, rules, at)[0]


def next_change(facts: FactSet, rules: Regelverk, at: datetime) -> datetime | None:
    """When the duties may next change, or one passes its date, though nothing more is reported: never too
    late, at times too early. None when only an event can change them."""
    return evaluate(facts, rules, at)[1]


def evaluate(facts: FactSet, rules: Regelverk, at: datetime) -> tuple[tuple[Duty, ...], datetime | None]:
    """(duties, next_change), the facts read once, and not at all where no rule can find a duty in them."""
    regler = rules.candidates(facts)
    if not regler:
        return (), None
    sak = Sak(facts, rules, at)
    derived, moments = _derive(sak, rules, regler)
    moments += _moments(sak, facts, regler)
    return derived, min((m for m in moments if m > at), default=None)


def of_case(sak: Sak, rules: Regelverk) -> tuple[Duty, ...]:
    """The duties of a case that has been read."""
    return _derive(sak, rules, rules.regler)[0]


def digest(duties: Iterable[Duty]) -> str:
    """SHA-256 in hex over (child, rule, occasion, state, owner, date): equal when the same is due."""
    rows = sorted((d.subject, d.regel, d.anledning, d.tilstand, d.eier, d.frist.isoformat()) for d in duties)
    return hashlib.sha256(orjson.dumps(rows)).hexdigest()


def _derive(sak: Sak, rules: Regelverk, regler: Iterable[Regel]) -> tuple[tuple[Duty, ...], list[datetime]]:
    """The duties, and when one may come, change, or pass its date."""
    derived: list[Duty] = []
    moments = [frister.midnight(v.gyldig_fra) for v in rules.versjoner[1:]]
    steps = rules.versjon(sak.today).trinn
    for rule in regler:
        her = rules.her(rule, sak.today)
        for found in rule.derive(sak, her) if her and sak.facts else ():
            if isinstance(found, datetime):
                moments.append(found)
                continue
            derived.append(found)
            if found.tilstand == "aapen":
                moments.append(frister.passed(found.frist))
                moments.extend(turns(found.frist, steps))
    return tuple(sorted(derived, key=lambda d: (d.regel, d.anledning))), moments


def _moments(sak: Sak, facts: FactSet, regler: Iterable[Regel]) -> Iterator[datetime]:
    """When what counts changes, and when a rule comes into force or goes out of it."""
    for _, retracted, time, _, _ in facts.facts.values():
        if time > sak.now and not retracted:
            yield moment(time)
    for consent in facts.consents.values():
        if consent.status == "gitt":
            yield moment(consent.gyldig_fra)
            if consent.utloper is not None:
                yield moment(consent.utloper)
    for rule in regler:
        yield frister.midnight(rule.gyldig_fra)
        if rule.gyldig_til:
            yield frister.passed(rule.gyldig_til)
