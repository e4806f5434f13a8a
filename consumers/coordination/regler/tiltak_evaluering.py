"""A measure that has not been evaluated: by its own date, else by the local one.

Provision: barnevernsloven § 8-1. An evaluation by the same service counts for the measures it has then; so does the
measure's end.
"""

from datetime import date

from consumers.coordination.regler.folge import Folge, Samme, folge
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.sak import Fact

IVERKSATT, EVALUERT, AVSLUTTET = "tiltak.iverksatt", "tiltak.evaluert", "tiltak.avsluttet"


def _evaluated_or_ended(closing: Fact, start: Fact) -> bool:
    return closing.kind.navn == EVALUERT or closing.nokkel == start.nokkel


REGEL = folge(
    "tiltak-evaluering",
    {IVERKSATT: ("evalueres_innen",)},
    {EVALUERT: (), AVSLUTTET: ()},
    Frist(6, "maneder"),
    ("barnevernsloven-8-1",),
    Folge(lukker=_evaluated_or_ended, samme=Samme.AVSENDER, dato="evalueres_innen"),
    gyldig_fra=date(2023, 1, 1),
)
