"""Barnekoordinator to be appointed: the unit has considered it, and neither appointed nor refused.

Provisions: hol. § 7-2 a, pbrl. § 2-5 c. The date is local, the coordinating unit's own.
"""

from datetime import date

from consumers.coordination.regler.folge import Folge, Samme, folge
from consumers.coordination.regler.oppsett import Frist
from contracts.tjenester import KOORDINERENDE_ENHET

REGEL = folge(
    "barnekoordinator-oppnevning",
    {"barnekoordinator.vurdert": ()},
    {"barnekoordinator.oppnevnt": (), "barnekoordinator.avslatt": ()},
    Frist(10),
    ("hol-7-2-a", "pbrl-2-5-c"),
    Folge(samme=Samme.BARN),
    gyldig_fra=date(2022, 8, 1),
    eiere=(KOORDINERENDE_ENHET,),
)
