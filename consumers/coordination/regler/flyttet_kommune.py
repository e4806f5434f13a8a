"""Barnevernet has closed a case because the child moved to another municipality, and no one there has confirmed.

Provision: barnevernsloven § 15-8; the date is local. SSB's conclusion codes: a melding's 7; an undersøkelse's 9, and 5
until 2025.

The other municipality may have received the child while the case was still open here. samtykke says so once, that day,
to the municipality that the child came from: its word counts for as long before the conclusion as an undersøkelse may
last, six months (§ 2-2). A service's own word from before may be that the child moved in, and does not count.
"""

from datetime import date

from consumers.coordination.regler.folge import Folge, Samme, folge
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.overgang import BEKREFTET
from consumers.coordination.sak import Fact, Sak
from contracts.tjenester import SAMTYKKE

_MOVED = {"henvendelse.konkludert": ("7",), "undersokelse.konkludert": ("5", "9")}
_SIX_MONTHS = 184
"""In days, at most."""


def _moved(fact: Fact, _: Sak) -> bool:
    return fact.data.get("kode") in _MOVED[fact.kind.navn]


def _to_a_municipality(closing: Fact, start: Fact) -> bool:
    since = closing.time >= start.time or closing.kind.tjeneste == SAMTYKKE
    return since and closing.data.get("slag") == "kommune-kommune"


REGEL = folge(
    "flyttet-kommune",
    dict.fromkeys(_MOVED, ("kode",)),
    {BEKREFTET: ("slag",)},
    Frist(10),
    ("barnevernsloven-15-8",),
    Folge(gjelder=_moved, lukker=_to_a_municipality, samme=Samme.BARN, dager_for=_SIX_MONTHS),
    versjon=2,
    gyldig_fra=date(2023, 1, 1),
)
