"""Duties are a pure function of facts, rules and time: order, repetition and batching change nothing."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.clock import OSLO
from consumers.coordination.duties import digest, duties, evaluate, next_change
from consumers.coordination.facts import FactSet, merged
from consumers.coordination.regler.regelverk import Regelverk
from consumers.coordination.regler.standard import STANDARD
from deploy.kommune.hverdag import PROGRAM
from tests.unit.coordination.given import RULES, SUBJECT, Event, consent, event, facts

START = datetime(2026, 1, 5, tzinfo=UTC)
CATALOGUE = RULES.catalogue
TYPES = sorted({(rule_type, t) for rule in STANDARD for rule_type in rule.leser for t in CATALOGUE.tjenester})
KINDS = [
    (tjeneste, navn, CATALOGUE.for_service(tjeneste, navn).kategori)
    for navn, tjeneste in TYPES
    if navn in CATALOGUE.names_for(tjeneste)
]
KINDS += [("samtykke", "kontekst.fodselsdag-passert", "identitet")]
"""Every type that a rule reads, from every service that sends it."""
dates = st.integers(-30, 200).map(lambda d: (START + timedelta(days=d)).date().isoformat())
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "slag": st.sampled_from([1, 2, "mottak", "konklusjon", "skole-nav", "kommune-kommune"]),
    "undersokelse": st.booleans(),
    "kode": st.sampled_from(["1", "4", "6", "7", "8", "9"]),
    "melderkode": st.sampled_from(["2", "11", "23"]),
    "mottaker": st.sampled_from(["helsestasjon", "nav", "bup"]),
    "til": st.sampled_from(["nav", "skole", "1", "6"]),
    "utfall": st.sampled_from(["mottatt", "avslatt", "videresendt"]),
    "tidspunkt": st.sampled_from(["for", "etter"]),
    "trinn": st.sampled_from([10, 11, 13]),
    "alder": st.sampled_from([16, 17, 24]),
    **dict.fromkeys(("neste_steg", "dato", "evalueringsdato", "evalueres_innen", "slutt", "frist"), dates),
    **dict.fromkeys(("langvarig", "sammensatt", "alvorlig", "familien_onsker"), st.just(True)),
    **dict.fromkeys(("nytte", "virkning"), st.integers(1, 5)),
    "bti_niva": st.integers(0, 3),
}
days = st.integers(0, 420)


@st.composite
def service_events(draw: st.DrawFn) -> Event:
    tjeneste, navn, _ = draw(st.sampled_from(KINDS))
    read = {field for rule in STANDARD for field in rule.leser.get(navn, ())}
    data = {field: draw(VALUES[field]) for field in sorted(read)}
    # Few nokler and versions, so that events meet and replace each other.
    when = (START + timedelta(days=draw(days), hours=draw(st.sampled_from([0, 8, 23])))).astimezone(OSLO)
    return event(
        tjeneste,
        navn,
        when.replace(tzinfo=None).isoformat(),
        draw(st.sampled_from(["a", "b", "fiks:a"])),
        versjon=draw(st.integers(1, 3)),
        trukket=draw(st.sampled_from([False, False, True])),
        **data,
    )


@st.composite
def consent_events(draw: st.DrawFn) -> Event:
    tjeneste, _, kategori = draw(st.sampled_from([k for k in KINDS if k[0] != "samtykke"]))
    start = START + timedelta(days=draw(days))
    end = draw(st.none() | days.map(lambda d: (start + timedelta(days=d)).isoformat()))
    return consent(
        tjeneste,
        [kategori],
        draw(st.sampled_from([["skole"], ["koordinerende-enhet"], ["nav"], ["koordinator"]])),
        status=draw(st.sampled_from(["gitt", "gitt", "trukket", "utlopt"])),
        sekvens=draw(st.integers(1, 3)),
        id_=f"{tjeneste} {draw(st.sampled_from('xy'))}",
        gyldig_fra=start.isoformat(),
        utloper=end,
    )


histories = st.lists(service_events() | consent_events() | consent_events(), max_size=30)
moments = days.map(lambda d: START + timedelta(days=d, hours=12))


@settings(max_examples=300, deadline=None)
@given(histories, moments, st.randoms(use_true_random=False))
def test_any_order_repetition_and_batching_gives_the_same_digest(
    history: list[Event], at: datetime, rng: random.Random
) -> None:
    expected = digest(duties(facts(*history), RULES, at))
    shuffled = history + rng.choices(history, k=len(history)) if history else []
    rng.shuffle(shuffled)
    cuts = sorted(rng.sample(range(len(shuffled) + 1), min(3, len(shuffled) + 1)))
    batches = [shuffled[a:b] for a, b in pairwise([0, *cuts, len(shuffled)])]
    stored = FactSet(SUBJECT).encode()
    for batch in batches:  # as the consumer does: load, merge a batch, save
        held = FactSet.decode(SUBJECT, stored)
        held.merge(facts(*batch))
        stored = held.encode()
    found = duties(FactSet.decode(SUBJECT, stored), RULES, at)
    assert digest(found) == expected
    assert len({d.oppgave_id for d in found}) == len(found), "one task an occasion"


@settings(max_examples=100, deadline=None)
@given(histories, histories, histories)
def test_merging_is_commutative_associative_and_idempotent(
    a: list[Event], b: list[Event], c: list[Event]
) -> None:
    x, y, z = facts(*a), facts(*b), facts(*c)

    def union(*sets: FactSet) -> bytes:
        return merged(SUBJECT, sets).encode()

    assert union(x, y) == union(y, x)
    assert union(merged(SUBJECT, [x, y]), z) == union(x, merged(SUBJECT, [y, z]))
    assert union(x, x) == x.encode()


@settings(max_examples=300, deadline=None)
@given(histories, moments, st.floats(0, 1, exclude_max=True))
def test_nothing_changes_before_the_next_change(history: list[Event], at: datetime, part: float) -> None:
    known = facts(*history)
    now, until = evaluate(known, RULES, at)
    assert until == next_change(known, RULES, at)
    assert until is None or until > at
    end = until or at + timedelta(days=900)
    # The product is rounded, so it can be all of the way.
    between = min(at + (end - at) * part, end - timedelta.resolution)
    assert duties(known, RULES, between) == now


@settings(max_examples=300, deadline=None)
@given(histories, moments)
def test_a_rule_that_is_not_run_on_a_child_would_have_found_nothing(
    history: list[Event], at: datetime
) -> None:
    every = [replace(rule, utloses_av=frozenset(), involverte_minst=0) for rule in STANDARD]
    everything = [consent(t, [k], ["koordinerende-enhet", "skole"], id_=f"{t} {k}") for t, _, k in KINDS]
    known = facts(*history, *everything)
    assert duties(known, RULES, at) == duties(known, Regelverk(RULES.catalogue, every), at)


@settings(max_examples=200, deadline=None)
@given(histories, moments)
def test_an_owner_may_know_every_fact_a_duty_rests_on(history: list[Event], at: datetime) -> None:
    known = facts(*history)
    active = [c for c in known.consents.values() if c.active(int(at.timestamp()) * 1_000_000)]
    for duty in duties(known, RULES, at):
        for ground in duty.hviler_pa:
            covering = [
                c
                for c in active
                if (c.fra_tjeneste, ground.kategori) in {(ground.tjeneste, k) for k in c.kategorier}
            ]
            named = any(duty.eier in c.til_tjenester for c in covering)
            released = covering and duty.eier == "koordinerende-enhet" and ground.skjerming != "X"
            assert ground.tjeneste == duty.eier or ground.skjerming == "N" or named or released


def universal_child(rng: random.Random) -> Iterator[Event]:
    """A childhood with the services that are there for all: programme, school, and transitions that are received."""
    birth = START - timedelta(days=rng.randrange(0, 17 * 365))

    def on(days: float) -> str:
        return (birth + timedelta(days=days)).replace(tzinfo=None).isoformat()

    for nr, (days, _) in enumerate(PROGRAM):
        if rng.random() < 0.05:  # one missed appointment, and the family comes the week after
            yield event("helsestasjon", "konsultasjon.ikke-mott", on(days), f"p{nr}", dato=on(days)[:10])
            days += 7
        yield event("helsestasjon", "konsultasjon.gjennomfort", on(days), f"p{nr}", dato=on(days)[:10])
    yield event("helsestasjon", "skolestartundersokelse.gjennomfort", on(6 * 365), "s", dato=on(6 * 365)[:10])
    yield event("helsestasjon", "journal.overfort", on(rng.randrange(4000)), "j")
    moved = rng.randrange(7, 13) * 365
    yield event("skole", "elevforhold.startet", on(6 * 365), "e1")
    yield event("skole", "elevforhold.avsluttet", on(moved), "e1")
    yield event("skole", "elevforhold.startet", on(moved + 3), "e2")
    yield event("skole", "medvirkning.gjennomfort", on(9 * 365), "m")
    for slag, years in (("barnehage-skole", 6), ("skole-vgs", 16)):
        when = years * 365
        day = on(when)[:10]
        yield event("skole", "overgang.planlagt", on(when - 60), slag, slag=slag, til="skole", dato=day)
        yield event("skole", "overgang.mottak-bekreftet", on(when - rng.randrange(1, 50)), slag, slag=slag)


def test_ten_thousand_children_with_services_for_all_only_give_no_duty() -> None:
    rng = random.Random(20260105)
    everything = [
        consent(t, ["skolegang", "helseprogram", "overgang", "medvirkning"])
        for t in ("skole", "helsestasjon", "nav")
    ]
    for _ in range(10_000):
        child = list(universal_child(rng))
        when = START + timedelta(days=rng.randrange(300))
        assert duties(facts(*child, *everything), RULES, when) == ()
