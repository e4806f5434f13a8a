"""The plan for a child's school environment to be evaluated: on the plan's own date, else by the local one.

Provision: opplæringslova kap. 12.
"""

from datetime import date

from consumers.coordination.regler.folge import Folge, folge
from consumers.coordination.regler.oppsett import Frist

REGEL = folge(
    "skolemiljo-evaluering",
    {"skolemiljo.plan-opprettet": ("evalueringsdato",)},
    {"skolemiljo.evaluert": (), "skolemiljo.avsluttet": ()},
    Frist(30),
    ("opplaeringslova-12",),
    Folge(dato="evalueringsdato"),
    gyldig_fra=date(2024, 8, 1),
)
