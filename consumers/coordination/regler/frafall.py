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

from backbone import frister
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import Duty, Her, Regel, day_of
from consumers.coordination.sak import Fact, Sak
from contracts.tjenester import KOORDINERENDE_ENHET

_SKOLE = "skole"
_FRAVAER = "fravaer.terskel-passert"
LUKKES_AV = (
    "barnekoordinator.oppnevnt",
    "individuell-plan.opprettet",
    "koordinator.oppnevnt",
    "oppfolgingstjenesten.tilmeldt",
    "samarbeid.avsluttet",
)


def derive(sak: Sak, her: Her) -> Iterator[Duty | datetime]:
    absences = [f for f in sak.facts if f.kind.navn == _FRAVAER]
    for year in sorted({_year(sak, f.at) for f in absences}):
        duty = next((d for owner in her.eiere if (d := _owned(sak, her, owner, year))), None)
        if duty:
            yield duty
            if duty.tilstand == "aapen":
                yield frister.midnight(date(year + 1, sak.parametre.skolear_starter_maned, 1))
                yield from sak.lapses()


def _owned(sak: Sak, her: Her, owner: str, year: int) -> Duty | None:
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
    return _duty(sak, her, owner, year, absence, others[0], closing) if others else None


def _duty(
    sak: Sak, her: Her, owner: str, year: int, absence: Fact, other: Fact, closing: Fact | None
) -> Duty:
    since = day_of(max(absence, other))
    return her.duty(
        sak,
        f"{year}-{year + 1}",
        owner,
        her.frist.after(since),
        (absence, other),
        met=closing is not None,
        since=since,
        argumenter=(("skolear", f"{year}–{year + 1}"),),
    )


def _year(sak: Sak, at: datetime) -> int:
    return frister.school_year(frister.local_date(at), sak.parametre.skolear_starter_maned)


REGEL = Regel(
    "frafall",
    1,
    date(2024, 8, 1),
    {_FRAVAER: (), **dict.fromkeys(LUKKES_AV, ())},
    derive,
    eiere=(_SKOLE, KOORDINERENDE_ENHET),
    frist=Frist(10),
    fristslag="lokal_frist",
    bestemmelser=("opplaeringslova-24-1",),
    lukkes_av=LUKKES_AV,
    utloses_av=frozenset({_FRAVAER}),
    involverte_minst=2,
    eiere_lokalt=True,
)
