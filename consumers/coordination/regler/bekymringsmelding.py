"""A bekymringsmelding must be reviewed: barnevernsloven § 2-1, seven calendar days from when it came in.

The duty is barnevern's own and rests on its own facts. One occasion per melding (source and nokkel); it is met by the
conclusion of the same melding. A søknad (slag 1) carries no such date.

A melding sent through Fiks has no id, and barnevern's own system registers it again under one: the first Melding that
begins within seven days of it is the same one. The date then counts from the earlier, and the conclusion of the later
meets it.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from consumers.coordination.regler import frister
from consumers.coordination.regler.regel import Duty, Regel, ground
from consumers.coordination.sak import Fact, Sak

NAVN = "bekymringsmelding"
VERSJON = 1
_EIER = "barnevern"
_MOTTATT, _KONKLUDERT = "henvendelse.mottatt", "henvendelse.konkludert"
_MELDING = 2
_WITHOUT_ID = "fiks:"
"""How a nokkel begins that is only the day it came."""
_REGISTERED_WITHIN = timedelta(days=7)


def derive(sak: Sak) -> Iterator[Duty]:
    own = [f for f in sak.facts if f.kind.tjeneste == _EIER]
    concluded = {(f.source, f.nokkel) for f in own if f.kind.navn == _KONKLUDERT}
    came = [f for f in own if f.kind.navn == _MOTTATT and f.data.get("slag") == _MELDING]
    for same in _meldinger(came):
        first, received = same[0], frister.local_date(same[0].at)
        yield Duty(
            subject=sak.subject,
            regel=NAVN,
            regelversjon=VERSJON,
            anledning=f"{first.source} {first.nokkel}",
            tilstand="oppfylt" if any((f.source, f.nokkel) in concluded for f in same) else "aapen",
            eier=_EIER,
            frist=frister.calendar_days_after(received, sak.rules.parametre.melding_frist_dager),
            fristslag="lovfrist",
            bestemmelser=("barnevernsloven-2-1",),
            lukkes_av=(_KONKLUDERT,),
            koordinering=False,
            hviler_pa=tuple(sorted(ground(f) for f in same)),
            forklaring="oppgave-bekymringsmelding",
            argumenter=(("dato", received),),
        )


def _meldinger(came: Sequence[Fact]) -> Iterator[tuple[Fact, ...]]:
    """The facts of each melding, the one without an id first. `came` is in order of time."""
    registered = [f for f in came if not f.nokkel.startswith(_WITHOUT_ID)]
    for fact in came:
        if fact.nokkel.startswith(_WITHOUT_ID):
            same = next((r for r in registered if _registers(r, fact)), None)
            if same is not None:
                registered.remove(same)
            yield (fact, same) if same else (fact,)
    yield from ((f,) for f in registered)


def _registers(registered: Fact, sent: Fact) -> bool:
    after = frister.local_date(registered.at) - frister.local_date(sent.at)
    return registered.source == sent.source and timedelta(0) <= after <= _REGISTERED_WITHIN


def changes(sak: Sak, duty: Duty) -> Iterator[datetime]:
    yield frister.passed(duty.frist)


REGEL = Regel(
    NAVN,
    VERSJON,
    date(2018, 1, 1),
    {_MOTTATT: ("slag",), _KONKLUDERT: ()},
    derive,
    changes,
    utloses_av=frozenset({_MOTTATT}),
)
