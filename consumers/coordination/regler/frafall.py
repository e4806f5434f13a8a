"""Risk of dropping out: absence past a threshold this school year while another service is involved.

Provision: opplæringslova § 24-1 (cooperation); the law sets no date, so the date is local. One occasion per
school year. The school owns it where it may know every fact it rests on; else the coordinating unit, where
that one may; else nobody is told. It is met when the child gets a coordinator, an individual plan or
oppfølgingstjenesten, or when the cooperation ends, later in the same school year: the domain notes name no
closing event of their own, and these are the steps by which somebody takes the child on. A conversation
with the child (medvirkning) is not one.
"""

from collections.abc import Iterator
from datetime import date, datetime

from consumers.coordination.regler import frister
from consumers.coordination.regler.regel import KOORDINERENDE_ENHET, Duty, Regel, ground
from consumers.coordination.sak import Fact, Sak

NAVN = "frafall"
VERSJON = 1
_SKOLE = "skole"
_FRAVAER = "fravaer.terskel-passert"
LUKKES_AV = (
    "barnekoordinator.oppnevnt",
    "individuell-plan.opprettet",
    "koordinator.oppnevnt",
    "oppfolgingstjenesten.tilmeldt",
    "samarbeid.avsluttet",
)


def derive(sak: Sak) -> Iterator[Duty]:
    absences = [f for f in sak.facts if f.kind.navn == _FRAVAER]
    for year in sorted({_year(sak, f.at) for f in absences}):
        for owner in (_SKOLE, KOORDINERENDE_ENHET):
            if duty := _owned(sak, owner, year):
                yield duty
                break


def _owned(sak: Sak, owner: str, year: int) -> Duty | None:
    known = sak.known_to(owner)
    this_year = [f for f in known if _year(sak, f.at) == year]
    absence = next((f for f in this_year if f.kind.navn == _FRAVAER), None)
    if absence is None:
        return None
    closing = next((f for f in this_year if f > absence and f.kind.navn in LUKKES_AV), None)
    if closing is None and _year(sak, sak.at) != year:
        return None
    before = [f for f in known if f < closing] if closing else known
    active = sak.involvements(before, closing.time if closing else sak.now)
    others = sorted(i.began for navn, i in active.items() if navn not in (_SKOLE, KOORDINERENDE_ENHET))
    return _duty(sak, owner, year, absence, others[0], closing) if others else None


def _duty(sak: Sak, owner: str, year: int, absence: Fact, other: Fact, closing: Fact | None) -> Duty:
    since = frister.local_date(max(absence, other).at)
    days = sak.rules.parametre.frafall_frist_arbeidsdager
    return Duty(
        subject=sak.subject,
        regel=NAVN,
        regelversjon=VERSJON,
        anledning=f"{year}-{year + 1}",
        tilstand="oppfylt" if closing else "aapen",
        eier=owner,
        frist=frister.working_days_after(since, days),
        fristslag="lokal_frist",
        bestemmelser=("opplaeringslova-24-1",),
        lukkes_av=LUKKES_AV,
        koordinering=False,
        hviler_pa=tuple(sorted((ground(absence), ground(other)))),
        forklaring="oppgave-frafall",
        argumenter=(("skolear", f"{year}–{year + 1}"), ("dato", since)),
    )


def _year(sak: Sak, at: datetime) -> int:
    return frister.school_year(frister.local_date(at), sak.rules.parametre.skolear_starter_maned)


def changes(sak: Sak, duty: Duty) -> Iterator[datetime]:
    yield frister.passed(duty.frist)
    yield frister.midnight(date(_year(sak, sak.at) + 1, sak.rules.parametre.skolear_starter_maned, 1))
    yield from sak.lapses()


REGEL = Regel(
    NAVN,
    VERSJON,
    date(2024, 8, 1),
    {_FRAVAER: (), **dict.fromkeys(LUKKES_AV, ())},
    derive,
    changes,
    utloses_av=frozenset({_FRAVAER}),
    involverte_minst=2,
)
