"""A written plan for a child's school environment: reported, and no plan made.

Provision: opplæringslova kap. 12, which sets no number of days; the date is local.
"""

from datetime import date

from consumers.coordination.regler.folge import folge
from consumers.coordination.regler.oppsett import Frist

REGEL = folge(
    "skolemiljo-plan",
    {"skolemiljo.meldt": ()},
    {"skolemiljo.plan-opprettet": (), "skolemiljo.avsluttet": ()},
    Frist(5),
    ("opplaeringslova-12",),
    gyldig_fra=date(2024, 8, 1),
)
