"""A measure past its date: it should have ended, and nobody has said whether it has.

Provision: barnevernsloven § 8-1; the date is local. It begins on the day after the measure's last.
"""

from datetime import date, timedelta

from consumers.coordination.regler.folge import Folge, date_in, folge
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import Her
from consumers.coordination.regler.tiltak_evaluering import AVSLUTTET, IVERKSATT
from consumers.coordination.sak import Fact


def _from(fact: Fact, _: Her) -> date | None:
    last = date_in(fact, "slutt")
    return last + timedelta(days=1) if last else None


REGEL = folge(
    "tiltak-slutt",
    {IVERKSATT: ("slutt",)},
    {AVSLUTTET: ()},
    Frist(5),
    ("barnevernsloven-8-1",),
    Folge(fra=_from, vent=True),
    gyldig_fra=date(2023, 1, 1),
)
