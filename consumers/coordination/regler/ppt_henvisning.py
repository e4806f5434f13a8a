"""A referral to PPT without an expert assessment.

Provision: the school's samarbeidsplikt; the date is local.
"""

from datetime import date

from consumers.coordination.regler.folge import folge
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import EIERS_PLIKT

REGEL = folge(
    "ppt-henvisning",
    {"ppt.henvist": ()},
    {"sakkyndig-vurdering.mottatt": (), "ito.vedtak": ()},
    Frist(3, "maneder"),
    (EIERS_PLIKT,),
    gyldig_fra=date(2022, 8, 1),
)
