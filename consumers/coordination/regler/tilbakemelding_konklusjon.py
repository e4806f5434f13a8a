"""A public melder is to be told again when the undersøkelse is concluded, within three weeks.

Provision: barnevernsloven § 13-4. One occasion per undersøkelse that a public melder's melding led to, also where
others' did too. Met when each such melder has feedback on the conclusion, about her melding or the undersøkelse.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from consumers.coordination.regler.bekymringsmelding import BARNEVERN, MOTTATT
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import Duty, Her, Regel, day_of
from consumers.coordination.regler.tilbakemelding_mottak import SENDT, is_about
from consumers.coordination.regler.undersokelse import KONKLUDERT, STARTET, meldinger_before
from consumers.coordination.sak import Fact, Sak

_PUBLIC = frozenset(map(str, (*range(5, 21), 22, 24, 25)))
"""SSB's Melder: the services; not the family, private persons (1-4), voluntary organisations (21) or nobody (23)."""


def derive(sak: Sak, her: Her) -> Iterator[Duty]:
    began = {(f.source, f.nokkel): f for f in sak.facts if f.kind.navn == STARTET}
    feedback = [f for f in sak.facts if f.kind.navn == SENDT and f.data.get("slag") != "mottak"]
    for concluded in (f for f in sak.facts if f.kind.navn == KONKLUDERT):
        start = began.get((concluded.source, concluded.nokkel))
        meldinger = [same for same in meldinger_before(sak, start) if _public(same)] if start else []
        if not meldinger:
            continue
        since = day_of(concluded)
        told = [f for f in feedback if f.time >= concluded.time]
        yield her.duty(
            sak,
            f"{concluded.source} {concluded.nokkel}",
            BARNEVERN,
            her.frist.after(since),
            (concluded, *(f for same in meldinger for f in same)),
            met=all(any(is_about(f, (concluded, *same)) for f in told) for same in meldinger),
            since=since,
        )


def _public(melding: Iterable[Fact]) -> bool:
    return any(f.data.get("melderkode") in _PUBLIC for f in melding)


REGEL = Regel(
    "tilbakemelding-konklusjon",
    2,
    date(2023, 1, 1),
    {MOTTATT: ("slag", "melderkode"), STARTET: (), KONKLUDERT: (), SENDT: ("slag",)},
    derive,
    eiere=(BARNEVERN,),
    frist=Frist(21, "dager"),
    fristslag="lovfrist",
    bestemmelser=("barnevernsloven-13-4",),
    lukkes_av=(SENDT,),
    utloses_av=frozenset({KONKLUDERT}),
)
