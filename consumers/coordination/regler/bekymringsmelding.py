"""A bekymringsmelding must be reviewed: barnevernsloven § 2-1, seven calendar days from when it came in.

The duty is barnevern's own and rests on its own facts. One occasion per melding (source and nokkel); it is met by the
conclusion of the same melding. A søknad (slag 1) carries no such date.

A melding sent through Fiks has no id, and barnevern's own system registers it again under one: the first Melding that
begins within seven days of it is the same one. The date then counts from the earlier, and the conclusion of the later
meets it.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import Duty, Her, Regel, day_of
from consumers.coordination.sak import Fact, Sak

BARNEVERN = "barnevern"
MOTTATT, KONKLUDERT = "henvendelse.mottatt", "henvendelse.konkludert"
MELDING = 2
_WITHOUT_ID = "fiks:"
"""How a nokkel begins that is only the day it came."""
_REGISTERED_WITHIN = timedelta(days=7)


def derive(sak: Sak, her: Her) -> Iterator[Duty]:
    concluded = {(f.source, f.nokkel) for f in sak.facts if f.kind.navn == KONKLUDERT}
    for same in meldinger(sak):
        received = day_of(same[0])
        yield her.duty(
            sak,
            occasion(same),
            BARNEVERN,
            her.frist.after(received),
            same,
            met=any((f.source, f.nokkel) in concluded for f in same),
            since=received,
        )


def occasion(same: Sequence[Fact]) -> str:
    """The natural key of a melding: that of its first fact."""
    return f"{same[0].source} {same[0].nokkel}"


def meldinger(sak: Sak) -> Iterator[tuple[Fact, ...]]:
    """The facts of each melding, the one without an id first."""
    came = [f for f in sak.facts if f.kind.navn == MOTTATT and f.data.get("slag") == MELDING]
    yield from _joined(came)


def _joined(came: Sequence[Fact]) -> Iterator[tuple[Fact, ...]]:
    """`came` is in order of time."""
    registered = [f for f in came if not f.nokkel.startswith(_WITHOUT_ID)]
    for fact in came:
        if fact.nokkel.startswith(_WITHOUT_ID):
            same = next((r for r in registered if _registers(r, fact)), None)
            if same is not None:
                registered.remove(same)
            yield (fact, same) if same else (fact,)
    yield from ((f,) for f in registered)


def _registers(registered: Fact, sent: Fact) -> bool:
    after = day_of(registered) - day_of(sent)
    return registered.source == sent.source and timedelta(0) <= after <= _REGISTERED_WITHIN


REGEL = Regel(
    "bekymringsmelding",
    1,
    date(2018, 1, 1),
    {MOTTATT: ("slag",), KONKLUDERT: ()},
    derive,
    eiere=(BARNEVERN,),
    frist=Frist(7, "dager"),
    fristslag="lovfrist",
    bestemmelser=("barnevernsloven-2-1",),
    lukkes_av=(KONKLUDERT,),
    utloses_av=frozenset({MOTTATT}),
)
