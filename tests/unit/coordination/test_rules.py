"""Every rule: given what has happened, when the clock says so, then whose duty it is, by when, and what meets it."""

from datetime import datetime, timedelta

import pytest

from backbone.clock import OSLO
from backbone.frister import midnight, passed
from backbone.meldinger import messages
from consumers.coordination.duties import duties, evaluate
from consumers.coordination.handler import _arguments
from consumers.coordination.regler import folge
from consumers.coordination.regler.regel import Duty, Regel
from consumers.coordination.regler.standard import STANDARD
from consumers.coordination.sak import Fact
from contracts.catalogue import Catalogue
from contracts.lov import Lov
from tests.unit.coordination.given import Event, at, event, facts, rules_of
from tests.unit.coordination.regler_tabell import STARTS, TABELL, Build, Tid, Tilfelle, after

FIRST = Tid(STARTS[0])
MICROSECOND = timedelta(microseconds=1)
every_rule = pytest.mark.parametrize("navn", TABELL)


def found(navn: str, events: list[Event], when: datetime) -> list[Duty]:
    return [d for d in duties(facts(*events), rules_of(navn), when) if d.regel == navn]


def one(navn: str, events: list[Event], when: datetime) -> Duty:
    (duty,) = found(navn, events, when)
    return duty


def begins(case: Tilfelle, t: Tid) -> datetime:
    """A moment at which the duty is there for sure."""
    return max(at(t(case.begynner)), midnight(t.dag(case.begynner)) + timedelta(hours=1))


@every_rule
@pytest.mark.parametrize("start", STARTS)
def test_it_is_the_owners_by_its_date(navn: str, start: str) -> None:
    case, t = TABELL[navn], Tid(start)
    duty = one(navn, [*case.gitt(t)], begins(case, t))
    assert (duty.eier, duty.tilstand) == (case.eier, "aapen")
    assert duty.frist == after(case.fra(t), case.frist)
    assert duty.fristslag == ("lovfrist" if case.lov else "lokal_frist")


@every_rule
@pytest.mark.parametrize("start", STARTS)
def test_on_its_date_it_is_in_time_and_the_day_after_it_has_passed(navn: str, start: str) -> None:
    case, t = TABELL[navn], Tid(start)
    known = facts(*case.gitt(t))
    due = one(navn, [*case.gitt(t)], begins(case, t)).frist
    over = passed(due)
    assert over == datetime(due.year, due.month, due.day, tzinfo=OSLO) + timedelta(days=1)
    rules = rules_of(navn)
    for when in (midnight(due) - MICROSECOND, midnight(due), over - MICROSECOND, over):
        if when < begins(case, t):
            continue
        (duty,), then = evaluate(known, rules, when)
        assert (duty.frist, duty.tilstand) == (due, "aapen"), when
        assert when >= over or (then is not None and then <= over), "the timer is set to it"
        assert when < over - MICROSECOND or when >= over or then == over


@every_rule
def test_it_is_met_by_what_closes_it_and_from_then_on(navn: str) -> None:
    case = TABELL[navn]
    for closing in case.lukkes:
        events = [*case.gitt(FIRST), *closing(FIRST)]
        last = max(e.time for e in events)
        assert one(navn, events, last + timedelta(days=1)).tilstand == "oppfylt", closing(FIRST)[0].type
        first = min(e.time for e in closing(FIRST))
        if first > begins(case, FIRST) and not closing(FIRST)[0].type.startswith("no.samspor.samtykke."):
            assert one(navn, events, first - MICROSECOND).tilstand == "aapen"


@every_rule
def test_it_is_not_met_by_anything_else(navn: str) -> None:
    case = TABELL[navn]
    for other in case.lukkes_ikke:
        events = [*case.gitt(FIRST), *other(FIRST)]
        when = max(begins(case, FIRST), max(e.time for e in events) + timedelta(hours=1))
        assert found(navn, events, when)[0].tilstand == "aapen", other(FIRST)


@pytest.mark.parametrize(("navn", "build"), [(n, b) for n, case in TABELL.items() for b in case.ingen])
def test_there_is_none_where_something_is_missing(navn: str, build: Build) -> None:
    events = [*build(FIRST)]
    for days in (1, 20, 70, 130, 345):
        assert found(navn, events, at(FIRST(days))) == [], days


@every_rule
def test_what_is_retracted_never_set_it_off(navn: str) -> None:
    case = TABELL[navn]
    events = [*case.gitt(FIRST)]
    gone = [
        e._replace(id=e.id + "x", content=e.content.model_copy(update={"versjon": 9, "tilbaketrukket": True}))
        for e in events
        if not e.type.startswith("no.samspor.samtykke.samtykke")
    ]
    assert found(navn, [*gone, *events], begins(case, FIRST)) == []


@pytest.mark.parametrize("navn", [n for n, c in TABELL.items() if c.begynner])
def test_one_that_waits_is_not_there_before_its_time_and_the_timer_is_set(navn: str) -> None:
    case = TABELL[navn]
    known, rules = facts(*case.gitt(FIRST)), rules_of(navn)
    moment = at(FIRST())
    derived, then = evaluate(known, rules, moment)
    while not derived:
        assert then is not None, "it says when to look again"
        moment = then
        derived, then = evaluate(known, rules, moment)
    assert duties(known, rules, moment - MICROSECOND) == ()


@every_rule
def test_it_explains_itself_in_bokmal_and_rests_on_the_law(navn: str) -> None:
    case, texts, law = TABELL[navn], messages("consumers.coordination"), Lov()
    duty = one(navn, [*case.gitt(FIRST)], begins(case, FIRST))
    assert any(character.isdigit() for character in texts.text(duty.forklaring, **_arguments(duty)))
    assert duty.bestemmelser
    assert duty.hviler_pa
    for provision in duty.bestemmelser:
        assert law[provision].status in ("lest", "sett", "ikke kvalitetssikret")
    if duty.fristslag == "lovfrist":
        assert any(law[provision].frist for provision in duty.bestemmelser), "a lovfrist is set by a law"
    assert f"regel-{navn}" in messages("consumers.portal")


def test_every_type_a_rule_reads_or_is_closed_by_exists() -> None:
    known = {t.navn for t in Catalogue.standard().typer}
    assert {navn for rule in STANDARD for navn in rule.leser} <= known
    assert {navn.rpartition(":")[2] for rule in STANDARD for navn in rule.lukkes_av} <= known


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len({rule.navn for rule in STANDARD}) == len(STANDARD)


def test_a_flood_of_one_childs_facts_is_gone_through_once_for_each_owner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once for each fact that sets a rule off, and some thousands would keep everybody else waiting."""
    looked = 0
    real = folge._may_close

    def counting(rule: Regel, fact: Fact) -> bool:
        nonlocal looked
        looked += 1
        return real(rule, fact)

    monkeypatch.setattr(folge, "_may_close", counting)
    flood = [event("skole", "ppt.henvist", "2026-03-02T10:00", str(nr)) for nr in range(200)]
    assert len(found("ppt-henvisning", flood, at("2026-03-03T10:00"))) == len(flood)
    assert looked == len(flood)
