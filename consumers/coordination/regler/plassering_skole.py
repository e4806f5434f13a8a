"""A child moved to a foster home or an institution, and no school has taken over.

Provision: barnevernsloven § 15-8; the date is local. Barnevernet owns it, for only it knows of the move; what meets it
is what the school says of itself, as far as barnevernet may know that.
"""

from datetime import date

from consumers.coordination.regler.folge import Folge, Samme, folge
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.plassering import FLYTTING, placed

REGEL = folge(
    "plassering-skole",
    {FLYTTING: ("til",)},
    {"skole:overgang.mottak-bekreftet": (), "elevforhold.startet": ()},
    Frist(10),
    ("barnevernsloven-15-8",),
    Folge(gjelder=placed, samme=Samme.BARN),
    gyldig_fra=date(2023, 1, 1),
)
