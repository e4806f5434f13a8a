"""A child moved to a foster home or an institution, and no health service has taken over.

Provision: barnevernsloven § 15-8; the date is local. Barnevernet owns it, for only it knows of the move; what meets it
is what the health service says of itself, as far as barnevernet may know that.
"""

from datetime import date

from consumers.coordination.regler.folge import Folge, Samme, folge
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.plassering import FLYTTING, placed

REGEL = folge(
    "plassering-helse",
    {FLYTTING: ("til",)},
    {
        "helsestasjon:overgang.mottak-bekreftet": (),
        "helsestasjon:konsultasjon.gjennomfort": (),
        "journal.overfort": (),
    },
    Frist(10),
    ("barnevernsloven-15-8",),
    Folge(gjelder=placed, samme=Samme.BARN),
    gyldig_fra=date(2023, 1, 1),
)
