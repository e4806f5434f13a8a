"""Given, when, then for every rule, as a table: what sets it off, whose it is, its date, what meets it and what not."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from consumers.coordination.regler.standard import STANDARD
from tests.unit.coordination.given import Event, consent, event

UNIT = "koordinerende-enhet"
HOLIDAYS = {
    date(2026, 1, 1), date(2026, 4, 2), date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1), date(2026, 5, 14),
    date(2026, 5, 17), date(2026, 5, 25), date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1),
    date(2027, 3, 25), date(2027, 3, 26), date(2027, 3, 29), date(2027, 5, 1), date(2027, 5, 6), date(2027, 5, 17),
}  # fmt: skip
"""Norway's, from the almanac and not from the library that the code uses."""

STARTS = (
    "2026-03-02T10:00",
    "2026-03-27T10:00",  # Easter ahead
    "2026-03-28T23:30",  # the night summer time begins
    "2026-05-12T10:00",  # Ascension Day and 17 May ahead
    "2026-10-24T23:30",  # the night it ends
    "2026-11-30T10:00",  # three months on: the last of February
    "2026-12-22T10:00",  # Christmas and New Year ahead
)

Build = Callable[["Tid"], Sequence[Event]]


class Tid:
    """The moment a case begins at; `t(3)` is three days later, `t.dag(3)` its date."""

    def __init__(self, start: str) -> None:
        self.start = datetime.fromisoformat(start)

    def __call__(self, days: int = 0) -> str:
        return (self.start + timedelta(days=days)).isoformat()

    def dag(self, days: int = 0) -> date:
        return self.start.date() + timedelta(days=days)


class Tilfelle(NamedTuple):
    """`frist` from `fra` (days after the start). `lukkes` and `lukkes_ikke` come `senere` days after the start, `ingen`
    instead of what is given. `begynner`: days until the duty is there."""

    gitt: Build
    eier: str
    frist: tuple[int, str]
    lov: bool
    lukkes: Sequence[Build]
    lukkes_ikke: Sequence[Build] = ()
    ingen: Sequence[Build] = ()
    begynner: int = 0
    fra: Callable[[Tid], date] = Tid.dag
    anledninger: int = 1


def of(tjeneste: str, navn: str, nokkel: str = "1", days: int = 0, **data: Any) -> Build:
    return lambda t: [event(tjeneste, navn, t(days), nokkel, **data)]


def og(*parts: Build) -> Build:
    return lambda t: [e for part in parts for e in part(t)]


def with_consent(fra: str, *kategorier: str, til: Sequence[str] = (UNIT,)) -> Build:
    return lambda _: [consent(fra, kategorier, til)]


def behov(**said: bool) -> Build:
    four: dict[str, Any] = {"langvarig": True, "sammensatt": True, "alvorlig": True, "familien_onsker": True}
    return of("helsestasjon", "behov.meldt", **{**four, **said})


RELEASED = with_consent("helsestasjon", "koordinering")
MELDING = of("barnevern", "henvendelse.mottatt", "M", slag=2, melderkode="11")
TAKEN_ON = of("barnevern", "henvendelse.konkludert", "M", days=3, undersokelse=True)
STARTED = of("barnevern", "undersokelse.startet", "U", days=3)
CONCLUDED = of("barnevern", "undersokelse.konkludert", "U", days=60)
MEASURE = of("barnevern", "tiltak.iverksatt", "T")


def senere(days: int, tjeneste: str, navn: str, nokkel: str = "1", **data: Any) -> Build:
    return of(tjeneste, navn, nokkel, days, **data)


def birthday(alder: int, days: int = 0) -> Build:
    return of("samtykke", "kontekst.fodselsdag-passert", str(alder), days, alder=alder)


def majority(t: Tid) -> date:
    """A year after the seventeenth birthday."""
    return t.dag().replace(year=t.dag().year + 1)


TABELL: Mapping[str, Tilfelle] = {
    "samarbeid": Tilfelle(
        og(
            of("skole", "ppt.henvist"),
            of("helsestasjon", "oppfolging.utvidet"),
            with_consent("skole", "tilrettelegging", til=["nav"]),
            with_consent("helsestasjon", "helseoppfolging", til=["nav"]),
        ),
        UNIT,
        (14, "arbeidsdager"),
        False,
        [senere(2, UNIT, "koordinator.oppnevnt"), senere(2, UNIT, "barnekoordinator.oppnevnt"),
         senere(2, UNIT, "samarbeid.avsluttet")],
        [senere(2, UNIT, "individuell-plan.tilbudt")],
        [of("skole", "ppt.henvist")],
    ),
    "barnekoordinator": Tilfelle(
        og(behov(), RELEASED),
        UNIT,
        (10, "arbeidsdager"),
        False,
        [senere(2, UNIT, f"barnekoordinator.{s}") for s in ("vurdert", "oppnevnt", "avslatt")],
        [senere(2, UNIT, "koordinator.oppnevnt")],
        [og(behov(**{vilkar: False}), RELEASED)
         for vilkar in ("langvarig", "sammensatt", "alvorlig", "familien_onsker")],
    ),
    "barnekoordinator-oppnevning": Tilfelle(
        of(UNIT, "barnekoordinator.vurdert"),
        UNIT,
        (10, "arbeidsdager"),
        False,
        [senere(2, UNIT, "barnekoordinator.oppnevnt"), senere(2, UNIT, "barnekoordinator.avslatt")],
        [senere(2, UNIT, "koordinator.oppnevnt")],
    ),
    "koordinator": Tilfelle(
        og(behov(alvorlig=False), RELEASED),
        UNIT,
        (10, "arbeidsdager"),
        False,
        [senere(2, UNIT, "koordinator.oppnevnt"), senere(2, UNIT, "barnekoordinator.oppnevnt")],
        [senere(2, UNIT, "barnekoordinator.avslatt")],
        [og(behov(), RELEASED), og(behov(langvarig=False), RELEASED)],
    ),
    "individuell-plan": Tilfelle(
        og(behov(familien_onsker=False), RELEASED),
        UNIT,
        (20, "arbeidsdager"),
        False,
        [senere(2, UNIT, f"individuell-plan.{s}") for s in ("tilbudt", "takket-nei", "opprettet")],
        [senere(2, UNIT, "koordinator.oppnevnt")],
        [og(behov(sammensatt=False), RELEASED)],
    ),
    "bekymringsmelding": Tilfelle(
        MELDING,
        "barnevern",
        (7, "dager"),
        True,
        [TAKEN_ON],
        [senere(2, "barnevern", "henvendelse.konkludert", "M2"), senere(2, "barnevern", "tilbakemelding.sendt", "M")],
        [of("barnevern", "henvendelse.mottatt", "M", slag=1)],
    ),
    "tilbakemelding-mottak": Tilfelle(
        MELDING,
        "barnevern",
        (21, "dager"),
        True,
        [senere(2, "barnevern", "tilbakemelding.sendt", "M"),
         senere(2, "barnevern", "tilbakemelding.sendt", "M:mottak", slag="mottak")],
        [senere(2, "barnevern", "tilbakemelding.sendt", "M2"), TAKEN_ON],
        [of("barnevern", "henvendelse.mottatt", "M", slag=2, melderkode="23"),
         of("barnevern", "henvendelse.mottatt", "M", slag=1)],
    ),
    "tilbakemelding-konklusjon": Tilfelle(
        og(MELDING, TAKEN_ON, STARTED, CONCLUDED),
        "barnevern",
        (21, "dager"),
        True,
        [senere(62, "barnevern", "tilbakemelding.sendt", "M", slag="konklusjon"),
         senere(62, "barnevern", "tilbakemelding.sendt", "U")],
        [senere(62, "barnevern", "tilbakemelding.sendt", "M", slag="mottak"),
         senere(59, "barnevern", "tilbakemelding.sendt", "M", slag="konklusjon")],
        [og(of("barnevern", "henvendelse.mottatt", "M", slag=2, melderkode="2"), TAKEN_ON, STARTED, CONCLUDED),
         og(STARTED, CONCLUDED)],
        begynner=60,
        fra=lambda t: t.dag(60),
    ),
    "undersokelse-start": Tilfelle(
        og(MELDING, TAKEN_ON),
        "barnevern",
        (7, "dager"),
        True,
        [senere(5, "barnevern", "undersokelse.startet", "U")],
        [senere(5, "barnevern", "tiltak.iverksatt", "U")],
        [og(MELDING, of("barnevern", "henvendelse.konkludert", "M", undersokelse=False)),
         og(MELDING, of("barnevern", "henvendelse.konkludert", "M", undersokelse=True, kode="4"))],
        begynner=3,
    ),
    "undersokelse": Tilfelle(
        og(MELDING, TAKEN_ON, STARTED),
        "barnevern",
        (3, "maneder"),
        True,
        [CONCLUDED],
        [senere(20, "barnevern", "undersokelse.konkludert", "U2")],
        begynner=3,
        fra=lambda t: t.dag(3),
    ),
    "skolemiljo-plan": Tilfelle(
        of("skole", "skolemiljo.meldt"),
        "skole",
        (5, "arbeidsdager"),
        False,
        [senere(2, "skole", "skolemiljo.plan-opprettet"), senere(2, "skole", "skolemiljo.avsluttet")],
        [senere(2, "skole", "skolemiljo.plan-opprettet", "2"), senere(2, "skole", "skolemiljo.evaluert")],
    ),
    "skolemiljo-evaluering": Tilfelle(
        of("skole", "skolemiljo.plan-opprettet"),
        "skole",
        (30, "arbeidsdager"),
        False,
        [senere(2, "skole", "skolemiljo.evaluert"), senere(2, "skole", "skolemiljo.avsluttet")],
        [senere(2, "skole", "skolemiljo.evaluert", "2")],
        [of("skole", "skolemiljo.meldt")],
    ),
    "henvisning": Tilfelle(
        of("skole", "henvisning.sendt", mottaker="helsestasjon"),
        "skole",
        (20, "arbeidsdager"),
        False,
        [senere(2, "skole", "henvisning.besvart", utfall="mottatt"),
         og(senere(2, "helsestasjon", "henvisning.besvart", utfall="mottatt"),
            with_consent("helsestasjon", "henvisning", til=["skole"]))],
        [senere(2, "skole", "henvisning.besvart", "2"),
         senere(2, "helsestasjon", "henvisning.besvart")],  # an answer that the owner may not know
    ),
    "ppt-henvisning": Tilfelle(
        of("skole", "ppt.henvist"),
        "skole",
        (3, "maneder"),
        False,
        [senere(2, "skole", "sakkyndig-vurdering.mottatt"), senere(2, "skole", "ito.vedtak")],
        [senere(2, "skole", "ito.vedtak", "2")],
    ),
    "kasteball": Tilfelle(
        og(
            of("skole", "henvisning.besvart", "1", utfall="avslatt"),
            of("skole", "henvisning.besvart", "2", 4, utfall="videresendt"),
            with_consent("skole", "henvisning", "tjeneste", til=["nav"]),
        ),
        UNIT,
        (5, "arbeidsdager"),
        False,
        [senere(6, "skole", "tjeneste.innvilget", slag="avlastning"),
         senere(6, UNIT, "koordinator.oppnevnt"), senere(6, UNIT, "samarbeid.avsluttet"),
         senere(6, "skole", "henvisning.besvart", "3", utfall="mottatt")],
        [senere(6, "nav", "tjeneste.innvilget", slag="avlastning")],
        [of("skole", "henvisning.besvart", "1", utfall="avslatt"),
         og(of("skole", "henvisning.besvart", "1", utfall="avslatt"),
            of("skole", "henvisning.besvart", "2", utfall="mottatt"))],
        begynner=4,
        fra=lambda t: t.dag(4),
    ),
    "undring": Tilfelle(
        of("skole", "undring.registrert", bti_niva=1),
        "skole",
        (10, "arbeidsdager"),
        False,
        [senere(2, "skole", navn, "2") for navn in
         ("henvisning.sendt", "lag.endret", "ppt.henvist", "samarbeid.avsluttet", "skolemiljo.meldt",
          "tjeneste.innvilget")],
        [senere(2, "helsestasjon", "oppfolging.utvidet"), senere(2, "skole", "medvirkning.gjennomfort")],
        [of("skole", "undring.registrert", bti_niva=0)],
    ),
    "overgang": Tilfelle(
        lambda t: [event("skole", "overgang.planlagt", t(), slag="skole-nav", til="nav", dato=str(t.dag(14)))],
        "nav",
        (10, "arbeidsdager"),
        False,
        [senere(20, "nav", "overgang.mottak-bekreftet", slag="skole-nav"),
         senere(20, "skole", "overgang.mottak-bekreftet", slag="skole-nav")],
        [senere(20, "nav", "overgang.mottak-bekreftet", "2", slag="skole-nav"),
         senere(20, "nav", "overgang.mottak-bekreftet", slag="skole-vgs")],
        [lambda t: [event("skole", "overgang.planlagt", t(), slag="skole-nav", til="nav", dato=str(t.dag(14))),
                    event("nav", "overgang.mottak-bekreftet", t(10), slag="skole-nav")]],
        begynner=14,
        fra=lambda t: t.dag(14),
    ),
    "flyttet-kommune": Tilfelle(
        of("barnevern", "undersokelse.konkludert", kode="9"),
        "barnevern",
        (10, "arbeidsdager"),
        False,
        [senere(2, "barnevern", "overgang.mottak-bekreftet", "x", slag="kommune-kommune")],
        [senere(2, "barnevern", "overgang.mottak-bekreftet", slag="omsorg-ettervern")],
        [of("barnevern", "undersokelse.konkludert", kode="7"), of("barnevern", "henvendelse.konkludert", kode="9")],
    ),
    "ikke-mott": Tilfelle(
        og(of("helsestasjon", "konsultasjon.ikke-mott", "1"), of("helsestasjon", "konsultasjon.ikke-mott", "2", 5)),
        "helsestasjon",
        (5, "arbeidsdager"),
        False,
        [senere(8, "helsestasjon", navn, "3") for navn in
         ("konsultasjon.gjennomfort", "skolestartundersokelse.gjennomfort", "atte-trinnssamtale.gjennomfort",
          "oppfolging.utvidet", "henvisning.sendt", "undring.registrert")],
        [senere(8, "skole", "henvisning.sendt", "3")],
        [of("helsestasjon", "konsultasjon.ikke-mott", "1"),
         og(of("helsestasjon", "konsultasjon.ikke-mott", "1"), of("helsestasjon", "konsultasjon.gjennomfort", "2", 2),
            of("helsestasjon", "konsultasjon.ikke-mott", "3", 5))],
        begynner=5,
        fra=lambda t: t.dag(5),
    ),
    "barnets-syn": Tilfelle(
        of("skole", "skolemiljo.meldt"),
        "skole",
        (20, "arbeidsdager"),
        False,
        [senere(2, "skole", "medvirkning.gjennomfort", "2"), senere(-20, "skole", "medvirkning.gjennomfort", "2")],
        [senere(2, "helsestasjon", "medvirkning.gjennomfort", "2"),
         senere(-32, "skole", "medvirkning.gjennomfort", "2")],
    ),
    "tiltak-evaluering": Tilfelle(
        MEASURE,
        "barnevern",
        (6, "maneder"),
        False,
        [senere(2, "barnevern", "tiltak.evaluert", "P"), senere(2, "barnevern", "tiltak.avsluttet", "T")],
        [senere(2, "barnevern", "tiltak.avsluttet", "T2")],
    ),
    "tiltak-slutt": Tilfelle(
        lambda t: [event("barnevern", "tiltak.iverksatt", t(), "T", slutt=str(t.dag(30)))],
        "barnevern",
        (5, "arbeidsdager"),
        False,
        [senere(32, "barnevern", "tiltak.avsluttet", "T")],
        [senere(32, "barnevern", "tiltak.evaluert", "T")],
        [MEASURE],
        begynner=31,
        fra=lambda t: t.dag(31),
    ),
    "ettervern-tilbud": Tilfelle(
        og(MEASURE, birthday(17)),
        "barnevern",
        (-1, "dager"),
        False,
        [senere(20, "barnevern", "ettervern.tilbudt")],
        [senere(20, "barnevern", "plan.opprettet")],
        [birthday(17), og(MEASURE, of("barnevern", "tiltak.avsluttet", "T"), birthday(17)), MEASURE],
        fra=majority,
    ),
    "ettervern-svar": Tilfelle(
        of("barnevern", "ettervern.tilbudt"),
        "barnevern",
        (3, "maneder"),
        False,
        [senere(2, "barnevern", "ettervern.konkludert", kode="1")],
        [senere(2, "barnevern", "ettervern.konkludert", "2", kode="1")],
    ),
    "ettervern-oppfolging": Tilfelle(
        of("barnevern", "ettervern.konkludert", kode="1"),
        "barnevern",
        (12, "maneder"),
        False,
        [senere(350, "barnevern", navn) for navn in ("tiltak.evaluert", "vedtak.fattet", "plan.opprettet")],
        [senere(350, "barnevern", "flytting", til="7")],
        [og(of("barnevern", "ettervern.konkludert", kode="1"), birthday(24, -300))],
        begynner=340,
    ),
    "eget-samtykke": Tilfelle(
        lambda t: [*birthday(17)(t), _parents(t)],
        "skole",
        (-90, "dager"),
        False,
        [lambda t: [event("samtykke", "samtykke.gitt", t(2), "own", **_consented(t, 2, None))]],
        [lambda t: [event("samtykke", "samtykke.gitt", t(2), "nav", **_consented(t, 2, None, "nav"))],
         lambda t: [event("samtykke", "samtykke.gitt", t(2), "other",
                          **{**_consented(t, 2, None), "kategorier": ["skolemiljo"]})]],
        [birthday(17), lambda t: [_parents(t)],
         lambda t: [*birthday(17)(t), event("samtykke", "samtykke.gitt", t(), "own", **_consented(t, 0, None))]],
        fra=majority,
    ),
    "frafall": Tilfelle(
        og(
            of("skole", "fravaer.terskel-passert"),
            of("nav", "oppfolging.startet", "N", -10),
            with_consent("nav", "nav-oppfolging", til=["skole"]),
        ),
        "skole",
        (10, "arbeidsdager"),
        False,
        [senere(2, "skole", "oppfolgingstjenesten.tilmeldt")],
        [senere(2, "skole", "medvirkning.gjennomfort")],
        [of("skole", "fravaer.terskel-passert")],
    ),
    "ute-av-skole": Tilfelle(
        of("skole", "elevforhold.avsluttet", trinn=11),
        "skole",
        (10, "arbeidsdager"),
        False,
        [senere(140, "skole", "oppfolgingstjenesten.tilmeldt"), senere(140, "skole", "elevforhold.startet", "2"),
         senere(140, "nav", "overgang.mottak-bekreftet", slag="skole-nav"),
         og(senere(140, "nav", "oppfolging.startet"), with_consent("nav", "nav-oppfolging", til=["skole"]))],
        [senere(140, "nav", "oppfolging.startet"), senere(140, "skole", "ppt.henvist")],
        [senere(100, "skole", "elevforhold.avsluttet", trinn=13),  # June
         og(of("skole", "elevforhold.avsluttet"), of("skole", "elevforhold.startet", "2", 10)),
         og(of("skole", "elevforhold.startet", "2", -10), of("skole", "elevforhold.avsluttet"))],
        begynner=130,
        fra=lambda t: _waited(t),
    ),
    "plassering-skole": Tilfelle(
        of("barnevern", "flytting", til="2"),
        "barnevern",
        (10, "arbeidsdager"),
        False,
        [senere(2, "skole", "elevforhold.startet", "2"), senere(2, "skole", "overgang.mottak-bekreftet", "2")],
        [senere(2, "helsestasjon", "overgang.mottak-bekreftet", "2")],
        [of("barnevern", "flytting", til="6"), of("barnevern", "flytting")],
    ),
    "plassering-helse": Tilfelle(
        of("barnevern", "flytting", til="4"),
        "barnevern",
        (10, "arbeidsdager"),
        False,
        [senere(2, "helsestasjon", "overgang.mottak-bekreftet", "2"),
         og(senere(2, "helsestasjon", "journal.overfort"),
            with_consent("helsestasjon", "overgang", til=["barnevern"]))],
        [senere(2, "skole", "overgang.mottak-bekreftet", "2"), senere(2, "helsestasjon", "journal.overfort")],
        [of("barnevern", "flytting", til="9")],
    ),
    "hjelp-virker-ikke": Tilfelle(
        og(of("familie", "tilbakemelding.gitt", tidspunkt="etter", nytte=4, virkning=2),
           with_consent("familie", "medvirkning")),
        UNIT,
        (10, "arbeidsdager"),
        False,
        [senere(2, UNIT, "lag.endret"), senere(2, UNIT, "individuell-plan.evaluert"),
         senere(2, UNIT, "medvirkning.gjennomfort"),
         senere(2, "familie", "tilbakemelding.gitt", "2", tidspunkt="etter", nytte=3, virkning=3)],
        [senere(2, "familie", "tilbakemelding.gitt", "2", tidspunkt="etter", nytte=3, virkning=1)],
        [og(of("familie", "tilbakemelding.gitt", tidspunkt="for", nytte=1, virkning=1),
            with_consent("familie", "medvirkning")),
         og(of("familie", "tilbakemelding.gitt", tidspunkt="etter", nytte=3, virkning=3),
            with_consent("familie", "medvirkning")),
         of("familie", "tilbakemelding.gitt", tidspunkt="etter", nytte=1, virkning=1)],
    ),
}  # fmt: skip


def _consented(t: Tid, days: int, utloper: date | None, fra: str = "skole") -> dict[str, Any]:
    return {
        "fra_tjeneste": fra,
        "til_tjenester": ["helsestasjon"],
        "kategorier": ["fravar"],
        "gyldig_fra": f"{t.dag(days)}T00:00:00+01:00",
        "utloper": f"{utloper}T00:00:00+02:00" if utloper else None,
    }


def _parents(t: Tid) -> Event:
    return event("samtykke", "samtykke.gitt", t(-100), "parents", **_consented(t, -100, majority(t)))


def _waited(t: Tid) -> date:
    left = t.dag()
    if left.month in range(5, 9):
        left = max(left, date(left.year, 8, 15))
    return after(left, (20, "arbeidsdager"))


def after(day: date, frist: tuple[int, str]) -> date:
    """The date, counted the slow way."""
    antall, enhet = frist
    if enhet == "dager":
        return day + timedelta(days=antall)
    if enhet == "maneder":
        months = day.year * 12 + day.month - 1 + antall
        for last in (day.day, 30, 29, 28):
            try:
                return date(months // 12, months % 12 + 1, min(day.day, last))
            except ValueError:
                continue
        raise AssertionError
    while antall:
        day += timedelta(days=1)
        antall -= day.weekday() < 5 and day not in HOLIDAYS
    return day


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12))


assert TABELL.keys() == {rule.navn for rule in STANDARD}, "every rule stands in the table"
