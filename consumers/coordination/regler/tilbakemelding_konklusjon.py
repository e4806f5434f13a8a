"""A public melder is to be told again when the undersøkelse is concluded, within three weeks.

Provision: barnevernsloven § 13-4. One occasion per undersøkelse that a public melder's melding came before: the latest
melding by the day it began. Met by feedback on the conclusion, about the melding or the undersøkelse.
"""

from collections.abc import Iterator
from datetime import date

from consumers.coordination.regler.bekymringsmelding import BARNEVERN, MOTTATT
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import Duty, Her, Regel, day_of
from consumers.coordination.regler.tilbakemelding_mottak import SENDT, is_about
from consumers.coordination.regler.undersokelse import KONKLUDERT, STARTET, melding_before
from consumers.coordination.sak import Sak

_PUBLIC = frozenset(map(str, (*range(5, 21), 22, 24, 25)))
"""SSB's Melder: the services; not the family, private persons (1-4), voluntary organisations (21) or nobody (23)."""


def derive(sak: Sak, her: Her) -> Iterator[Duty]:
    began = {(f.source, f.nokkel): f for f in sak.facts if f.kind.navn == STARTET}
    feedback = [f for f in sak.facts if f.kind.navn == SENDT and f.data.get("slag") != "mottak"]
    for concluded in (f for f in sak.facts if f.kind.navn == KONKLUDERT):
        start = began.get((concluded.source, concluded.nokkel))
        melding = melding_before(sak, start) if start else ()
        if not any(f.data.get("melderkode") in _PUBLIC for f in melding):
            continue
        since = day_of(concluded)
        told = (f for f in feedback if f.time >= concluded.time)
        yield her.duty(
            sak,
            f"{concluded.source} {concluded.nokkel}",
            BARNEVERN,
            her.frist.after(since),
            (concluded, *melding),
            met=any(is_about(f, (concluded, *melding)) for f in told),
            since=since,
        )


REGEL = Regel(
    "tilbakemelding-konklusjon",
    1,
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
