"""Coordinator to be considered and appointed: a lasting and complex need that does not give a barnekoordinator.

Provisions: hol. § 7-2, pbrl. § 2-5 b (the family's right to coordination). The date is local.
"""

from datetime import date

from consumers.coordination.regler.behov import BEHOV, VILKAR, a_coordinator_but_no_barnekoordinator
from consumers.coordination.regler.folge import Folge, Samme, folge
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import AVSENDER
from contracts.tjenester import KOORDINERENDE_ENHET

REGEL = folge(
    "koordinator",
    {BEHOV: VILKAR},
    {"koordinator.oppnevnt": (), "barnekoordinator.oppnevnt": ()},
    Frist(10),
    ("hol-7-2", "pbrl-2-5-b"),
    Folge(gjelder=a_coordinator_but_no_barnekoordinator, samme=Samme.BARN),
    gyldig_fra=date(2022, 8, 1),
    eiere=(KOORDINERENDE_ENHET, AVSENDER),
)
