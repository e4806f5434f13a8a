"""A transition that nobody has confirmed to have received: a glippsone.

Provision: the owner's samarbeidsplikt; the date is local. It begins on the transition's day, or where none is given so
many days after it was planned: what is confirmed before leaves nothing to do. The receiver owns it where it is one of
the services, except barnevernet, for the owner's name would tell that barnevernet knows the child; else the sender, as
when a child moves to another municipality; else, where samtykke tells that a child comes from one, the coordinating
unit. The confirmation carries the transition's nokkel and kind, whoever sends it.
"""

from datetime import date

from backbone.frister import calendar_days_after
from consumers.coordination.regler.folge import Folge, Samme, date_in, folge
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import AVSENDER, EIERS_PLIKT, MOTTAKER, Argument, Her, day_of
from consumers.coordination.sak import Fact
from contracts.tjenester import KOORDINERENDE_ENHET

BEKREFTET = "overgang.mottak-bekreftet"


def _same_kind(closing: Fact, start: Fact) -> bool:
    return closing.data.get("slag") == start.data.get("slag")


def _from(fact: Fact, her: Her) -> date:
    return date_in(fact, "dato") or calendar_days_after(day_of(fact), her.terskler["uten_dato_dager"])


def _told(fact: Fact) -> tuple[Argument, ...]:
    return (("slag", str(fact.data.get("slag"))),)


REGEL = folge(
    "overgang",
    {"overgang.planlagt": ("slag", "til", "dato")},
    {BEKREFTET: ("slag",)},
    Frist(10),
    (EIERS_PLIKT,),
    Folge(lukker=_same_kind, samme=Samme.NOKKEL, mottaker="til", fra=_from, vent=True, argumenter=_told),
    gyldig_fra=date(2022, 8, 1),
    eiere=(MOTTAKER, AVSENDER, KOORDINERENDE_ENHET),
    versjon=2,
    terskler={"uten_dato_dager": 30},
)
