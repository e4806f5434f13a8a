"""Barnekoordinator to be considered: a need is reported and all four conditions hold.

Provisions: hol. § 7-2 a and pbrl. § 2-5 c; the law sets no date. The coordinating unit owns it where it may know the
need; else whoever reported it, who must ask for consent first. Met when the unit has considered, appointed or refused.
"""

from datetime import date

from consumers.coordination.regler.behov import BEHOV, VILKAR, all_four
from consumers.coordination.regler.folge import Folge, Samme, folge
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import AVSENDER
from contracts.tjenester import KOORDINERENDE_ENHET

REGEL = folge(
    "barnekoordinator",
    {BEHOV: VILKAR},
    {"barnekoordinator.vurdert": (), "barnekoordinator.oppnevnt": (), "barnekoordinator.avslatt": ()},
    Frist(10),
    ("hol-7-2-a", "pbrl-2-5-c"),
    Folge(gjelder=all_four, samme=Samme.BARN),
    gyldig_fra=date(2022, 8, 1),
    eiere=(KOORDINERENDE_ENHET, AVSENDER),
)
