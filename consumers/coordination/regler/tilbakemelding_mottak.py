"""The melder is to be told that the bekymringsmelding is received, within three weeks.

Provision: barnevernsloven § 13-4. One occasion per melding. An anonymous melder cannot be told. Met by feedback about
the same melding, whose nokkel is the melding's own or begins with it and a colon.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from consumers.coordination.regler.bekymringsmelding import BARNEVERN, MOTTATT, meldinger, occasion
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import Duty, Her, Regel, day_of
from consumers.coordination.sak import Fact, Sak

SENDT = "tilbakemelding.sendt"
_ANONYMOUS = "23"  # SSB's Melder


def derive(sak: Sak, her: Her) -> Iterator[Duty]:
    feedback = [f for f in sak.facts if f.kind.navn == SENDT]
    for same in meldinger(sak):
        if any(f.data.get("melderkode") == _ANONYMOUS for f in same):
            continue
        received = day_of(same[0])
        yield her.duty(
            sak,
            occasion(same),
            BARNEVERN,
            her.frist.after(received),
            same,
            met=any(is_about(f, same) for f in feedback),
            since=received,
        )


def is_about(feedback: Fact, facts: Iterable[Fact]) -> bool:
    """Whether it is about the case of any of these facts."""
    return any(
        feedback.source == f.source
        and (feedback.nokkel == f.nokkel or feedback.nokkel.startswith(f"{f.nokkel}:"))
        for f in facts
    )


REGEL = Regel(
    "tilbakemelding-mottak",
    1,
    date(2023, 1, 1),
    {MOTTATT: ("slag", "melderkode"), SENDT: ("slag",)},
    derive,
    eiere=(BARNEVERN,),
    frist=Frist(21, "dager"),
    fristslag="lovfrist",
    bestemmelser=("barnevernsloven-13-4",),
    lukkes_av=(SENDT,),
    utloses_av=frozenset({MOTTATT}),
)
