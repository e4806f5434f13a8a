"""An undersøkelse to be concluded: three calendar months from its start, six where the time has been extended.

Provision: barnevernsloven § 2-2. The start is what barnevernet says, but at latest seven days after the melding that
led to it: the latest melding taken on to be investigated, with no other undersøkelse begun since, all by their days. An
extension may name an earlier date than six months. (SSB's own warning counts 7 + 90 or 180 days from the melding: the
format gives that.)
"""

from collections.abc import Iterator
from datetime import date

from backbone.frister import calendar_days_after, months_after
from consumers.coordination.regler.bekymringsmelding import (
    BARNEVERN,
    MOTTATT,
    meldinger,
)
from consumers.coordination.regler.bekymringsmelding import KONKLUDERT as MELDING_KONKLUDERT
from consumers.coordination.regler.folge import date_in
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import Duty, Her, Regel, day_of
from consumers.coordination.sak import Fact, Sak

STARTET, KONKLUDERT = "undersokelse.startet", "undersokelse.konkludert"
UTVIDET = "undersokelse.frist-utvidet"
REVIEW_DAYS = 7
EXTENDED_MONTHS = 6


def derive(sak: Sak, her: Her) -> Iterator[Duty]:
    concluded = {(f.source, f.nokkel) for f in sak.facts if f.kind.navn == KONKLUDERT}
    extended = {(f.source, f.nokkel): f for f in sak.facts if f.kind.navn == UTVIDET}
    for began in (f for f in sak.facts if f.kind.navn == STARTET):
        key = (began.source, began.nokkel)
        melding = melding_before(sak, began)
        start = day_of(began)
        if melding:
            start = min(start, calendar_days_after(day_of(melding[0]), REVIEW_DAYS))
        longer = extended.get(key)
        yield her.duty(
            sak,
            f"{began.source} {began.nokkel}",
            BARNEVERN,
            _last_day(her, start, longer),
            (began, *melding, *((longer,) if longer else ())),
            met=key in concluded,
            since=start,
            forklaring="oppgave-undersokelse-utvidet" if longer else None,
        )


def _last_day(her: Her, start: date, extended: Fact | None) -> date:
    if extended is None:
        return her.frist.after(start)
    most = months_after(start, EXTENDED_MONTHS)
    return min(date_in(extended, "frist") or most, most)


def melding_before(sak: Sak, began: Fact) -> tuple[Fact, ...]:
    """The facts of the latest melding that led to this undersøkelse, none where none did."""
    return max(meldinger_before(sak, began), key=lambda same: same[0], default=())


def meldinger_before(sak: Sak, began: Fact) -> list[tuple[Fact, ...]]:
    """The facts of each melding that led to this undersøkelse."""
    taken_on = {
        (f.source, f.nokkel)
        for f in sak.facts
        if f.kind.navn == MELDING_KONKLUDERT and f.data.get("undersokelse") is True
    }
    start = day_of(began)
    others = [day for f in sak.facts if f.kind.navn == STARTET and (day := day_of(f)) < start]
    return [
        same
        for same in meldinger(sak)
        if (came := day_of(same[0])) <= start
        and any((f.source, f.nokkel) in taken_on for f in same)
        and not any(day >= came for day in others)
    ]


REGEL = Regel(
    "undersokelse",
    2,
    date(2018, 1, 1),
    {
        MOTTATT: ("slag",),
        MELDING_KONKLUDERT: ("undersokelse",),
        STARTET: (),
        UTVIDET: ("frist",),
        KONKLUDERT: (),
    },
    derive,
    eiere=(BARNEVERN,),
    frist=Frist(3, "maneder"),
    fristslag="lovfrist",
    bestemmelser=("barnevernsloven-2-2",),
    lukkes_av=(KONKLUDERT,),
    utloses_av=frozenset({STARTET}),
)
