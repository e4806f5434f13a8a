"""Individuell plan to be offered: a lasting and complex need is reported.

Provisions: hol. § 7-1, pbrl. § 2-5. The date is local. Met when a plan is offered, refused by the family or made.
"""

from datetime import date

from consumers.coordination.regler.behov import BEHOV, VILKAR, complex_and_lasting
from consumers.coordination.regler.folge import Folge, Samme, folge
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import AVSENDER
from contracts.tjenester import KOORDINERENDE_ENHET

REGEL = folge(
    "individuell-plan",
    {BEHOV: VILKAR},
    {"individuell-plan.tilbudt": (), "individuell-plan.takket-nei": (), "individuell-plan.opprettet": ()},
    Frist(20),
    ("hol-7-1", "pbrl-2-5"),
    Folge(gjelder=complex_and_lasting, samme=Samme.BARN),
    gyldig_fra=date(2018, 1, 1),
    eiere=(KOORDINERENDE_ENHET, AVSENDER),
)
