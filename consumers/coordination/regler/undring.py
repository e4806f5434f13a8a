"""A concern without a next step: nothing agreed, or the agreed day has gone by and nothing has happened.

Provision: the sender's samarbeidsplikt; the date is local, and shorter the higher the level of BTI (0 needs nothing).
What the service does about it meets it; so does a new version of the concern that agrees on a day, or clears it.
"""

from datetime import date, timedelta

from consumers.coordination.regler.folge import Folge, Samme, date_in, folge
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import EIERS_PLIKT, Argument, Her, day_of
from consumers.coordination.sak import Fact, Sak

_DONE = (
    "henvisning.sendt",
    "lag.endret",
    "oppfolging.startet",
    "oppfolging.utvidet",
    "ppt.henvist",
    "samarbeid.avsluttet",
    "skolemiljo.meldt",
    "tjeneste.innvilget",
)


def _level(fact: Fact) -> int:
    return int(fact.data.get("bti_niva", 0))


def _concerns(fact: Fact, _: Sak) -> bool:
    return _level(fact) > 0


def _from(fact: Fact, _: Her) -> date:
    agreed = date_in(fact, "neste_steg")
    return agreed + timedelta(days=1) if agreed else day_of(fact)


def _frist(fact: Fact, her: Her) -> Frist:
    level = _level(fact)
    return her.frist if level == 1 else Frist(her.terskler[f"niva_{level}_arbeidsdager"])


def _told(fact: Fact) -> tuple[Argument, ...]:
    return (("niva", _level(fact)),)


REGEL = folge(
    "undring",
    {"undring.registrert": ("bti_niva", "neste_steg")},
    dict.fromkeys(_DONE, ()),
    Frist(10),
    (EIERS_PLIKT,),
    Folge(gjelder=_concerns, samme=Samme.AVSENDER, fra=_from, frist=_frist, vent=True, argumenter=_told),
    gyldig_fra=date(2022, 8, 1),
    terskler={"niva_2_arbeidsdager": 7, "niva_3_arbeidsdager": 5},
)
