"""The synthetic municipality: repeatable, realistic, made-up, and understood by the services' own formats."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from consumers.coordination.duties import duties
from consumers.coordination.facts import FactSet
from consumers.coordination.regler.regelverk import Regelverk
from consumers.coordination.regler.standard import STANDARD, regelverk
from contracts.catalogue import Catalogue
from contracts.envelope import Content
from contracts.personnummer import identity_numbers, is_synthetic
from deploy.kommune.folk import Barn, barn, trinn
from deploy.kommune.historie import Samtykke, historie
from deploy.kommune.hverdag import Sending, dagens_sendinger
from deploy.kommune.kropper import FIKS, FINT
from services.dry_run import Verdict, judge
from services.format import AnyFormat, Companion
from services.registry import standard
from services.runner.generic import GenericJson
from services.samtykke.alder import birthday
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


def test_where_living_conditions_are_harder_more_concerns_arise() -> None:
    folk = _folk(1_200)
    by_number = {b.nummer: b.bydel.navn for b in folk}
    meldinger = [s for s in _alt(folk, dager=365) if s.format == FIKS]
    where = Counter(by_number[str(d.person)] for s in meldinger for d in _judge(s, s.tid.date()).events)
    assert where["Nord"] > 1.5 * where["Vest"]


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


@pytest.mark.parametrize(
    "anker",
    [
        date(2026, 11, 22),
        date(2027, 8, 1),
        date(2027, 8, 3),
        date(2027, 8, 20),
        date(2027, 9, 7),
        date(2028, 2, 29),
    ],
)
def test_the_story_gives_every_duty_at_least_once_on_any_day(anker: date) -> None:
    told = _duties_of_the_story(anker)
    assert {rule.navn for rule in STANDARD} - {regel for _, regel in told} == set()
    assert not [regel for navn, regel in told if navn == "Oliver Bakke"], "services for all give none"


def _duties_of_the_story(anker: date) -> set[tuple[str, str]]:
    """(name, rule) of the open duties, with what samtykke would let go, and the birthdays that it tells."""
    story, rules = historie(anker), regelverk(CATALOGUE)
    at = datetime(anker.year, anker.month, anker.day, 12, tzinfo=UTC)
    sets = {barn.nummer: FactSet(barn.nummer) for barn in story.barn}
    consented = {(s.barn.nummer, s.fra_tjeneste, k) for s in story.samtykker for k in s.kategorier}
    for sending in story.sendinger:
        for draft in _judge(sending, anker).events:
            person = str(draft.person)
            full = CATALOGUE.full_type(sending.tjeneste, draft.type)
            kind = CATALOGUE.event_type(full)
            if (
                str(kind.skjerming_for(sending.tjeneste)) in "NX"
                or kind.egen_plikt
                or (person, sending.tjeneste, kind.kategori) in consented
            ):
                said = Content(nokkel=draft.nokkel, versjon=draft.versjon, data=dict(draft.data))
                source = f"/4601/{sending.tjeneste}/910000001"
                rules.tell(sets[person], source, full, draft.time, f"{sending.ref} {draft.nokkel}", said)
    for samtykke in story.samtykker:
        _tell_consent(rules, sets[samtykke.barn.nummer], samtykke, anker)
    for one in story.barn:
        for alder in range(15, one.alder(anker) + 1):
            said = Content(nokkel=str(alder), versjon=1, data={"alder": alder})
            full = "no.samspor.samtykke.kontekst.fodselsdag-passert"
            rules.tell(
                sets[one.nummer], "/4601/samtykke/0", full, birthday(one.fodselsdato, alder), full, said
            )
    names = {barn.nummer: barn.navn for barn in story.barn}
    return {
        (names[person], duty.regel)
        for person, facts in sets.items()
        for duty in duties(facts, rules, at)
        if duty.tilstand == "aapen"
    }


def _tell_consent(rules: Regelverk, facts: FactSet, samtykke: Samtykke, anker: date) -> None:
    body = samtykke.body(anker)
    ends = None if samtykke.hvem == "selv" else birthday(samtykke.barn.fodselsdato, 18).isoformat()
    data = {k: body[k] for k in ("fra_tjeneste", "til_tjenester", "kategorier", "gyldig_fra")} | {
        "utloper": ends
    }
    said = Content(nokkel=samtykke.id, versjon=1, data=data)
    full = "no.samspor.samtykke.samtykke.gitt"
    rules.tell(facts, "/4601/samtykke/0", full, datetime(2026, 1, 1, tzinfo=UTC), samtykke.id, said)


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
