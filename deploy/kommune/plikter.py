"""A child for each duty that the story's first children do not meet: what its services send, as of `anker`. Pure.

A line is one event in Samspor's own JSON: who sends it, what, how many days ago, the key of what it is about, and its
data, in which a number of days stands for a date where the field is one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from deploy.kommune import kropper
from deploy.kommune.folk import Barn
from deploy.kommune.hverdag import Sending
from deploy.kommune.kropper import OSLO

DATOFELT = frozenset({"dato", "slutt", "evalueringsdato", "evalueres_innen", "neste_steg"})
UNIT = "koordinerende-enhet"
ALLE_VILKAR = {"langvarig": True, "sammensatt": True, "alvorlig": True, "familien_onsker": True}
FORELDRE = "begge-foreldre"


@dataclass(frozen=True)
class Linje:
    """`dager` before the anchor; `data` as above."""

    tjeneste: str
    type: str
    dager: int
    nokkel: str = "1"
    data: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Fortelling:
    """A child, `alder` years and `dager` days old, what is sent about it, and what its parents consent to: per service
    the categories."""

    navn: str
    alder: int
    dager: int
    linjer: tuple[Linje, ...]
    samtykker: Mapping[str, tuple[str, ...]]

    def sendinger(self, barn: Barn, anker: date) -> Iterator[Sending]:
        for linje in self.linjer:
            tid = _midt_pa_dagen(anker, linje.dager)
            data = {felt: _verdi(felt, v, anker) for felt, v in (linje.data or {}).items()}
            nokkel = kropper.ref("plikt", barn.nummer, linje.nokkel)
            body = kropper.generisk(barn, linje.type, tid, nokkel, data)
            ref = kropper.ref("plikt", barn.nummer, linje.type, linje.nokkel)
            yield Sending(linje.tjeneste, tid, body, ref)


def _verdi(felt: str, verdi: Any, anker: date) -> Any:
    return str(anker - timedelta(days=verdi)) if felt in DATOFELT else verdi


def _midt_pa_dagen(anker: date, dager: int) -> datetime:
    return datetime.combine(anker - timedelta(days=dager), time(9, 30), OSLO)


def _barnevern(type_: str, dager: int, nokkel: str, **data: Any) -> Linje:
    return Linje("barnevern", type_, dager, nokkel, data)


def _melding(dager: int) -> Linje:
    return _barnevern("henvendelse.mottatt", dager, "melding", slag=2, melderkode="11")


def _tas_opp(dager: int) -> Linje:
    return _barnevern("henvendelse.konkludert", dager, "melding", kode="2", undersokelse=True)


FORTELLINGER: tuple[Fortelling, ...] = (
    Fortelling(  # barnekoordinator, individuell-plan
        "Live Tveit", 4, 30, (Linje("helsestasjon", "behov.meldt", 8, data=ALLE_VILKAR),),
        {"helsestasjon": ("koordinering",)},
    ),
    Fortelling(  # barnekoordinator-oppnevning
        "Håkon Sletten", 5, 200,
        (Linje("helsestasjon", "behov.meldt", 40, data=ALLE_VILKAR), Linje(UNIT, "barnekoordinator.vurdert", 12),
         Linje(UNIT, "individuell-plan.tilbudt", 12)),
        {"helsestasjon": ("koordinering",)},
    ),
    Fortelling(  # koordinator
        "Mille Grov", 11, 90, (Linje("helsestasjon", "behov.meldt", 6, data={**ALLE_VILKAR, "alvorlig": False}),),
        {"helsestasjon": ("koordinering",)},
    ),
    Fortelling(  # undersokelse-start
        "Leo Myklebust", 6, 20, (_melding(12), _tas_opp(8)), {},
    ),
    Fortelling(  # undersokelse, barnets-syn
        "Tuva Hagen", 7, 140, (_melding(60), _tas_opp(55), _barnevern("undersokelse.startet", 53, "u")), {},
    ),
    Fortelling(  # tilbakemelding-konklusjon
        "Ida Solvang", 9, 250,
        (_melding(100), _barnevern("tilbakemelding.sendt", 90, "melding:mottak", slag="mottak"), _tas_opp(96),
         _barnevern("undersokelse.startet", 95, "u"), _barnevern("undersokelse.konkludert", 5, "u", kode="1")),
        {},
    ),
    Fortelling(  # tiltak-evaluering, tiltak-slutt, plassering-skole, plassering-helse
        "Mathias Rød", 12, 60,
        (_barnevern("tiltak.iverksatt", 210, "t", kategori="2.2", slutt=10), _barnevern("flytting", 9, "f", til="2")),
        {},
    ),
    Fortelling(  # flyttet-kommune
        "Ylva Stene", 3, 180, (_melding(20), _barnevern("henvendelse.konkludert", 14, "melding", kode="7")), {},
    ),
    Fortelling(  # ettervern-tilbud, eget-samtykke
        "Aksel Nesse", 17, 100, (_barnevern("tiltak.iverksatt", 120, "t", kategori="2.2"),),
        {"skole": ("fravar",)},
    ),
    Fortelling("Thea Rognan", 18, 100, (_barnevern("ettervern.tilbudt", 80, "e"),), {}),  # ettervern-svar
    Fortelling(  # ettervern-oppfolging
        "Jonathan Eik", 20, 10, (_barnevern("ettervern.konkludert", 350, "e", kode="1"),), {},
    ),
    Fortelling(  # ikke-mott
        "Selma Ørn", 1, 30,
        (Linje("helsestasjon", "konsultasjon.ikke-mott", 40, "1", {"programpunkt": "12 måneder", "dato": 40}),
         Linje("helsestasjon", "konsultasjon.ikke-mott", 12, "2", {"programpunkt": "12 måneder", "dato": 12})),
        {"helsestasjon": ("helseprogram",)},
    ),
    Fortelling(  # henvisning
        "Birk Haugen", 8, 70, (Linje("skole", "henvisning.sendt", 35, data={"mottaker": "helsestasjon"}),), {},
    ),
    Fortelling(  # kasteball
        "Noor Rahimi", 14, 45,
        (Linje("skole", "henvisning.sendt", 80, "1", {"mottaker": "bup"}),
         Linje("skole", "henvisning.besvart", 60, "1", {"utfall": "avslatt"}),
         Linje("skole", "henvisning.sendt", 50, "2", {"mottaker": "familievern"}),
         Linje("skole", "henvisning.besvart", 10, "2", {"utfall": "videresendt"})),
        {"skole": ("henvisning",)},
    ),
    Fortelling(  # ppt-henvisning
        "Sigrid Moe", 10, 120, (Linje("skole", "ppt.henvist", 100), Linje("skole", "medvirkning.gjennomfort", 99)),
        {"skole": ("tilrettelegging", "medvirkning")},
    ),
    Fortelling(  # skolemiljo-plan
        "Elias Fonn", 12, 300, (Linje("skole", "skolemiljo.meldt", 9),), {},
    ),
    Fortelling(  # skolemiljo-evaluering
        "Marte Kvam", 11, 10,
        (Linje("skole", "skolemiljo.meldt", 70),
         Linje("skole", "skolemiljo.plan-opprettet", 65, data={"evalueringsdato": 5})),
        {},
    ),
    Fortelling(  # undring
        "Oda Lien", 5, 330, (Linje("helsestasjon", "undring.registrert", 20, data={"bti_niva": 2}),), {},
    ),
    Fortelling(  # overgang
        "Jakob Vinje", 16, 20,
        (Linje("skole", "overgang.planlagt", 60, data={"slag": "skole-nav", "til": "nav", "dato": 15}),), {},
    ),
    Fortelling(  # ute-av-skole
        "Sunniva Berg", 17, 250, (Linje("skole", "elevforhold.avsluttet", 150, data={"trinn": 12}),), {},
    ),
    Fortelling(  # hjelp-virker-ikke
        "Iben Sand", 13, 15,
        (Linje("familie", "tilbakemelding.gitt", 6, data={
            "tidspunkt": "etter", "nytte": 2, "virkning": 1, "tillit": 3, "medvirkning": 2, "hjelpernes_kunnskap": 2,
        }),),
        {"familie": ("medvirkning",)},
    ),
)  # fmt: skip
