"""Ettervern to be offered before a young person with measures turns 18.

Provision: barnevernsloven § 3-6; the date is local: the day before the birthday. It begins so many months before, for
whoever has a measure then or later, and is met by the offer.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from backbone.frister import midnight, months_after
from consumers.coordination.facts import micros
from consumers.coordination.regler.alder import BIRTHDAY, birthday
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import Duty, Her, Regel
from consumers.coordination.regler.tiltak_evaluering import AVSLUTTET, IVERKSATT
from consumers.coordination.sak import Fact, Sak

TILBUDT = "ettervern.tilbudt"
_BARNEVERN = "barnevern"
_MAJORITY = 18


def derive(sak: Sak, her: Her) -> Iterator[Duty | datetime]:
    if (known := birthday(sak, _MAJORITY)) is None:
        return
    told, majority = known
    begins = midnight(months_after(majority, -her.terskler["maneder_for"]))
    if sak.at < begins:
        yield begins
        return
    offered = next((f for f in sak.facts if f.kind.navn == TILBUDT), None)
    until = min(sak.now, micros(midnight(majority)), offered.time if offered else sak.now)
    measure = _running(sak, until)
    if measure is None:
        return
    yield midnight(majority)
    yield her.duty(
        sak,
        str(_MAJORITY),
        _BARNEVERN,
        majority - timedelta(days=1),
        (told, measure),
        met=offered is not None,
        since=majority,
    )


def _running(sak: Sak, at: int) -> Fact | None:
    """The first measure that runs at `at` (µs)."""
    until = [f for f in sak.facts if f.time <= at]
    ended = {(f.source, f.nokkel) for f in until if f.kind.navn == AVSLUTTET}
    begun = (f for f in until if f.kind.navn == IVERKSATT)
    return next((f for f in begun if (f.source, f.nokkel) not in ended), None)


REGEL = Regel(
    "ettervern-tilbud",
    1,
    date(2023, 1, 1),
    {BIRTHDAY: ("alder",), IVERKSATT: (), AVSLUTTET: (), TILBUDT: ()},
    derive,
    eiere=(_BARNEVERN,),
    frist=Frist(0, "dager"),
    fristslag="lokal_frist",
    bestemmelser=("barnevernsloven-3-6",),
    lukkes_av=(TILBUDT,),
    terskler={"maneder_for": 12},
    utloses_av=frozenset({IVERKSATT}),
)
