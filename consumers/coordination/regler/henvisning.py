"""A referral that nobody has answered.

Provision: the owner's samarbeidsplikt; the date is local. The receiver owns it where it is one of the services and may
know of it; else the sender, who must ask. So it is of a referral to barnevernet, for the owner's name would tell that
barnevernet knows the child. The answer may come from either, with the referral's nokkel.
"""

from datetime import date

from consumers.coordination.regler.folge import Folge, Samme, folge
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import AVSENDER, EIERS_PLIKT, MOTTAKER

REGEL = folge(
    "henvisning",
    {"henvisning.sendt": ("mottaker",)},
    {"henvisning.besvart": ()},
    Frist(20),
    (EIERS_PLIKT,),
    Folge(samme=Samme.NOKKEL, mottaker="mottaker"),
    gyldig_fra=date(2022, 8, 1),
    eiere=(MOTTAKER, AVSENDER),
)
