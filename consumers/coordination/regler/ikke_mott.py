"""Not met twice at the health station, and nothing since.

Provisions: barnekonvensjonen art. 6 (development) and the health station's samarbeidsplikt; the date is local. One
occasion per run of missed appointments with nothing held between, named by its first. Met by a consultation held, or by
what the health station does instead.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby

from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import AVSENDER, EIERS_PLIKT, Duty, Her, Regel, day_of
from consumers.coordination.sak import Fact, Sak

_MISSED = "konsultasjon.ikke-mott"
_LUKKES_AV = (
    "konsultasjon.gjennomfort",
    "skolestartundersokelse.gjennomfort",
    "atte-trinnssamtale.gjennomfort",
    "oppfolging.utvidet",
    "henvisning.sendt",
    "undring.registrert",
)


def derive(sak: Sak, her: Her) -> Iterator[Duty]:
    wanted = (_MISSED, *_LUKKES_AV)
    relevant = sorted(
        (f for f in sak.facts if f.kind.navn in wanted), key=lambda f: (f.kind.tjeneste, f.time, f)
    )
    for tjeneste, facts in groupby(relevant, key=lambda f: f.kind.tjeneste):
        for missed, then in _runs(list(facts)):
            duty = _duty(sak, her, tjeneste, missed, then)
            if duty:
                yield duty


def _runs(facts: Sequence[Fact]) -> Iterator[tuple[list[Fact], Fact | None]]:
    """Each run of missed appointments, and what came after it."""
    run: list[Fact] = []
    for fact in facts:
        if fact.kind.navn == _MISSED:
            run.append(fact)
        elif run:
            yield run, fact
            run = []
    if run:
        yield run, None


def _duty(sak: Sak, her: Her, tjeneste: str, missed: Sequence[Fact], then: Fact | None) -> Duty | None:
    antall = her.terskler["antall"]
    eier = her.owner(sak, missed, her.owners(missed[0]))
    if len(missed) < antall or eier is None:
        return None
    since = day_of(missed[antall - 1])
    return her.duty(
        sak,
        f"{missed[0].source} {missed[0].nokkel}",
        eier,
        her.frist.after(since),
        missed,
        met=then is not None,
        since=since,
        argumenter=(("antall", len(missed)),),
    )


REGEL = Regel(
    "ikke-mott",
    1,
    date(2018, 1, 1),
    dict.fromkeys((_MISSED, *_LUKKES_AV), ()),
    derive,
    eiere=(AVSENDER,),
    frist=Frist(5),
    fristslag="lokal_frist",
    bestemmelser=("barnekonvensjonen-6", EIERS_PLIKT),
    lukkes_av=_LUKKES_AV,
    terskler={"antall": 2},
    utloses_av=frozenset({_MISSED}),
    eiere_lokalt=True,
)
