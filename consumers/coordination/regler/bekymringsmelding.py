"""A bekymringsmelding must be reviewed: barnevernsloven § 2-1, seven calendar days from when it came in.

The duty is barnevern's own and rests on its own facts. One occasion per melding (source and nokkel); it is
met by the conclusion of the same melding. A søknad (slag 1) carries no such date.
"""

from collections.abc import Iterator
from datetime import date, datetime

from consumers.coordination.regler import frister
from consumers.coordination.regler.regel import Duty, Regel, ground
from consumers.coordination.sak import Sak

NAVN = "bekymringsmelding"
VERSJON = 1
_EIER = "barnevern"
_MOTTATT, _KONKLUDERT = "henvendelse.mottatt", "henvendelse.konkludert"
_MELDING = 2


def derive(sak: Sak) -> Iterator[Duty]:
    own = [f for f in sak.facts if f.kind.tjeneste == _EIER]
    concluded = {(f.source, f.nokkel) for f in own if f.kind.navn == _KONKLUDERT}
    for fact in own:
        if fact.kind.navn != _MOTTATT or fact.data.get("slag") != _MELDING:
            continue
        received = frister.local_date(fact.at)
        yield Duty(
            subject=sak.subject,
            regel=NAVN,
            regelversjon=VERSJON,
            anledning=f"{fact.source} {fact.nokkel}",
            tilstand="oppfylt" if (fact.source, fact.nokkel) in concluded else "aapen",
            eier=_EIER,
            frist=frister.calendar_days_after(received, sak.rules.parametre.melding_frist_dager),
            fristslag="lovfrist",
            bestemmelser=("barnevernsloven-2-1",),
            lukkes_av=(_KONKLUDERT,),
            koordinering=False,
            hviler_pa=(ground(fact),),
            forklaring="oppgave-bekymringsmelding",
            argumenter=(("dato", received),),
        )


def changes(sak: Sak, duty: Duty) -> Iterator[datetime]:
    yield frister.passed(duty.frist)


REGEL = Regel(NAVN, VERSJON, date(2018, 1, 1), {_MOTTATT: ("slag",), _KONKLUDERT: ()}, derive, changes)
