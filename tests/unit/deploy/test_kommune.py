"""The synthetic municipality: repeatable, realistic, made-up, and understood by the services' own formats."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.catalogue import Catalogue
from contracts.personnummer import identity_numbers, is_synthetic
from deploy.kommune.folk import Barn, barn, trinn
from deploy.kommune.historie import historie
from deploy.kommune.hverdag import Sending, dagens_sendinger
from deploy.kommune.kropper import FIKS, FINT
from services.dry_run import Verdict, judge
from services.format import AnyFormat, Companion
from services.registry import standard
from services.runner.generic import GenericJson
from services.skole.fint_utdanning import FintUtdanning

IDAG = date(2026, 11, 22)
FORSTE = IDAG - timedelta(days=60)
CATALOGUE = Catalogue.standard()
FORMATS = standard(CATALOGUE).formats


def test_the_same_seed_and_day_give_the_same_bodies() -> None:
    folk = _folk(50)
    assert _alt(folk, dager=20) == _alt(_folk(50), dager=20)
    assert _alt(folk, dager=20) != [
        s for n in range(20) for s in dagens_sendinger(8, folk, FORSTE + timedelta(days=n), FORSTE)
    ]


def test_every_body_is_accepted_whole_by_the_service_it_is_sent_to() -> None:
    for sending in [*_alt(_folk(400), dager=60), *historie(IDAG).sendinger]:
        verdict = _judge(sending)
        assert not verdict.errors, (sending.tjeneste, sending.format, verdict.errors)
        assert not verdict.warnings, (sending.tjeneste, sending.format, verdict.warnings)


def test_nobody_is_real() -> None:
    people = [*_folk(200), *historie(IDAG).barn]
    for person in people:
        assert is_synthetic(person.nummer)
        assert is_synthetic(person.foresatt.nummer)
    assert len({p.nummer for p in people}) == len(people)
    for sending in _alt(_folk(100), dager=10):
        assert all(is_synthetic(found.group()) for found in identity_numbers(sending.body.decode()))


def test_a_sendings_reference_tells_no_number_and_is_its_own() -> None:
    sendinger = [*_alt(_folk(300), dager=60), *historie(IDAG).sendinger]
    assert len({s.ref for s in sendinger}) == len(sendinger)
    assert not any(any(identity_numbers(s.ref)) for s in sendinger)


def test_things_happen_as_often_as_in_a_real_population() -> None:
    folk = _folk(1_200)
    year = _alt(folk, dager=365)
    per_year = Counter(s.tjeneste for s in year if s.format != FINT)
    meldinger = sum(s.format == FIKS for s in year)
    assert meldinger / len(folk) == pytest.approx(0.050, rel=0.25)
    assert per_year["nav"] / len(folk) == pytest.approx(0.030, rel=0.3)
    assert (per_year["barnevern"] - meldinger) / meldinger == pytest.approx(0.9, abs=0.1)
    days = sorted(b.fravaer_dager_aar for b in folk)
    assert days[len(days) // 2] == pytest.approx(8, rel=0.1)
    assert sum(d >= 20 for d in days) / len(days) == pytest.approx(0.15, rel=0.2)


def test_the_story_stands_still_however_often_it_is_told() -> None:
    assert historie(IDAG) == historie(IDAG)


@pytest.mark.parametrize(
    "anker", [date(2026, 11, 22), date(2027, 1, 2), date(2028, 2, 29), date(2027, 6, 15)]
)
def test_the_story_holds_on_any_day_of_the_school_year(anker: date) -> None:
    types = {(s.tjeneste, draft.type) for s in historie(anker).sendinger for draft in _judge(s, anker).events}
    assert {
        ("skole", "fravaer.terskel-passert"),
        ("helsestasjon", "oppfolging.utvidet"),
        ("barnevern", "henvendelse.mottatt"),
        ("nav", "soknad.status-endret"),
    } <= types


def test_grades_follow_the_school_year() -> None:
    child = barn(1, 1, IDAG)
    born = child.fodselsdato.year
    assert trinn(child, date(born + 6, 7, 31)) is None
    assert trinn(child, date(born + 6, 8, 20)) == 1
    assert trinn(child, date(born + 7, 1, 5)) == 1


def _folk(count: int) -> list[Barn]:
    return [barn(7, nr, IDAG) for nr in range(count)]


def _alt(folk: list[Barn], dager: int) -> list[Sending]:
    days = (FORSTE + timedelta(days=n) for n in range(dager))
    return [s for day in days for s in dagens_sendinger(7, folk, day, FORSTE)]


def _judge(sending: Sending, today: date = IDAG) -> Verdict:
    now = max(datetime(today.year, today.month, today.day, 23, tzinfo=UTC), sending.tid)
    companion = Companion(sending.person, sending.barn)
    return judge(sending.tjeneste, _format(sending, now), sending.body, companion, CATALOGUE, now, demo=True)


def _format(sending: Sending, now: datetime) -> AnyFormat:
    if sending.format == FINT:
        return FintUtdanning(clock=lambda: now)
    return GenericJson() if sending.format is None else FORMATS[sending.tjeneste][sending.format]
