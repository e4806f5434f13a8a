"""Ettervern has been offered, and nobody knows what the young person answered: the offer must be made known.

Provision: barnevernsloven § 3-6; the date is local.
"""

from datetime import date

from consumers.coordination.regler.folge import folge
from consumers.coordination.regler.oppsett import Frist

REGEL = folge(
    "ettervern-svar",
    {"ettervern.tilbudt": ()},
    {"ettervern.konkludert": ()},
    Frist(3, "maneder"),
    ("barnevernsloven-3-6",),
    gyldig_fra=date(2023, 1, 1),
)
