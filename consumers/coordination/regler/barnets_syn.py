"""The child's view has not been obtained: a case has begun, and the service that opened it has not heard the child.

Provision: barnekonvensjonen art. 12; the date is local. A talk in the thirty days before counts.
"""

from datetime import date

from consumers.coordination.regler.folge import Folge, Samme, folge
from consumers.coordination.regler.oppsett import Frist

REGEL = folge(
    "barnets-syn",
    {
        "undersokelse.startet": (),
        "skolemiljo.meldt": (),
        "ppt.henvist": (),
        "individuell-plan.opprettet": (),
    },
    {"medvirkning.gjennomfort": ()},
    Frist(20),
    ("barnekonvensjonen-12",),
    Folge(samme=Samme.AVSENDER, dager_for=30),
    gyldig_fra=date(2018, 1, 1),
)
