"""An undersøkelse to be begun: a melding is taken on, and nothing has started seven days after it came.

Provision: barnevernsloven § 2-2. A melding that came while an undersøkelse was going on (SSB's conclusion 4) belongs to
that one. Met by any undersøkelse begun since the day the melding came: Fiks knows the hour, SSB only the day.
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
from consumers.coordination.sak import Fact, Sak

_GOES_ON = "4"


def derive(sak: Sak, her: Her) -> Iterator[Duty]:
    decided = taken_on(sak)
    started = [day_of(f) for f in sak.facts if f.kind.navn == STARTET]
    for same in meldinger(sak):
        concluded = next((c for f in same if (c := decided.get((f.source, f.nokkel)))), None)
        if concluded is None:
            continue
        received = day_of(same[0])
        yield her.duty(
            sak,
            occasion(same),
            BARNEVERN,
            her.frist.after(received),
            (*same, concluded),
            met=any(day >= received for day in started),
            since=received,
        )


def taken_on(sak: Sak) -> dict[tuple[str, str], Fact]:
    """The conclusions by which a henvendelse is to be investigated anew, by its source and nokkel."""
    return {
        (f.source, f.nokkel): f
        for f in sak.facts
        if f.kind.navn == KONKLUDERT and f.data.get("undersokelse") is True and f.data.get("kode") != _GOES_ON
    }


REGEL = Regel(
    "undersokelse-start",
    2,
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
