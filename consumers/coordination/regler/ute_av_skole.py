"""A young person has left school, and nobody follows up.

Provision: opplæringslova § 24-1; the date is local. It begins when so many working days have gone by without a new
school, counted from mid-August for one who left in the summer. Whoever leaves year 13 in the summer has finished, and
has not left early, nor has one who is a pupil elsewhere.
"""

from datetime import date

from backbone.frister import working_days_after
from consumers.coordination.regler.folge import Folge, Samme, folge
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.overgang import BEKREFTET
from consumers.coordination.regler.regel import Her, day_of
from consumers.coordination.sak import Fact, Sak

_STARTED, _ENDED = "elevforhold.startet", "elevforhold.avsluttet"
_LAST_YEAR = 13
_SUMMER, _SCHOOL_STARTS = range(5, 9), (8, 15)


def _left(fact: Fact, sak: Sak) -> bool:
    if fact.data.get("trinn") == _LAST_YEAR and day_of(fact).month in _SUMMER:
        return False
    until = [f for f in sak.facts if f.time <= fact.time]
    ended = {(f.source, f.nokkel) for f in until if f.kind.navn == _ENDED}
    return all((f.source, f.nokkel) in ended for f in until if f.kind.navn == _STARTED)


def _from(fact: Fact, her: Her) -> date:
    left = day_of(fact)
    if left.month in _SUMMER:
        left = max(left, date(left.year, *_SCHOOL_STARTS))
    return working_days_after(left, her.terskler["vent_arbeidsdager"])


REGEL = folge(
    "ute-av-skole",
    {_ENDED: ("trinn",)},
    {_STARTED: (), "oppfolgingstjenesten.tilmeldt": (), "nav:oppfolging.startet": (), BEKREFTET: ()},
    Frist(10),
    ("opplaeringslova-24-1",),
    Folge(gjelder=_left, samme=Samme.BARN, fra=_from, vent=True),
    gyldig_fra=date(2024, 8, 1),
    versjon=2,
    terskler={"vent_arbeidsdager": 20},
)
