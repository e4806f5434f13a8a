"""An undersøkelse to be begun: a melding is taken on, and nothing has started seven days after it came.

Provision: barnevernsloven § 2-2. A melding that came while an undersøkelse was going on (SSB's conclusion 4) belongs to
that one. Met by any undersøkelse begun since the melding came.
"""

from collections.abc import Iterator
from datetime import date

from consumers.coordination.regler.bekymringsmelding import (
    BARNEVERN,
    KONKLUDERT,
    MOTTATT,
    meldinger,
    occasion,
)
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import Duty, Her, Regel, day_of
from consumers.coordination.regler.undersokelse import REVIEW_DAYS, STARTET
from consumers.coordination.sak import Sak

_GOES_ON = "4"


def derive(sak: Sak, her: Her) -> Iterator[Duty]:
    taken_on = {
        (f.source, f.nokkel): f
        for f in sak.facts
        if f.kind.navn == KONKLUDERT and f.data.get("undersokelse") is True and f.data.get("kode") != _GOES_ON
    }
    started = [f.time for f in sak.facts if f.kind.navn == STARTET]
    for same in meldinger(sak):
        concluded = next((c for f in same if (c := taken_on.get((f.source, f.nokkel)))), None)
        if concluded is None:
            continue
        received = day_of(same[0])
        yield her.duty(
            sak,
            occasion(same),
            BARNEVERN,
            her.frist.after(received),
            (*same, concluded),
            met=any(time >= same[0].time for time in started),
            since=received,
        )


REGEL = Regel(
    "undersokelse-start",
    1,
    date(2018, 1, 1),
    {MOTTATT: ("slag",), KONKLUDERT: ("undersokelse", "kode"), STARTET: ()},
    derive,
    eiere=(BARNEVERN,),
    frist=Frist(REVIEW_DAYS, "dager"),
    fristslag="lovfrist",
    bestemmelser=("barnevernsloven-2-2",),
    lukkes_av=(STARTET,),
    utloses_av=frozenset({KONKLUDERT}),
)
