"""Barnevernet has closed a case because the child moved to another municipality, and no one there has confirmed.

Provision: barnevernsloven § 15-8; the date is local. SSB's conclusion codes: a melding's 7; an undersøkelse's 9, and 5
until 2025.
"""

from datetime import date

from consumers.coordination.regler.folge import Folge, Samme, folge
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.overgang import BEKREFTET
from consumers.coordination.sak import Fact, Sak

_MOVED = {"henvendelse.konkludert": ("7",), "undersokelse.konkludert": ("5", "9")}


def _moved(fact: Fact, _: Sak) -> bool:
    return fact.data.get("kode") in _MOVED[fact.kind.navn]


def _to_a_municipality(closing: Fact, _: Fact) -> bool:
    return closing.data.get("slag") == "kommune-kommune"


REGEL = folge(
    "flyttet-kommune",
    dict.fromkeys(_MOVED, ("kode",)),
    {BEKREFTET: ("slag",)},
    Frist(10),
    ("barnevernsloven-15-8",),
    Folge(gjelder=_moved, lukker=_to_a_municipality, samme=Samme.BARN),
    gyldig_fra=date(2023, 1, 1),
)
