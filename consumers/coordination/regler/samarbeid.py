"""Cooperation to be considered: two services are involved because of a concern or a need, and nobody
coordinates.

Provisions: barnevernsloven § 15-8 (the municipality coordinates) and each service's own samarbeidsplikt.
The law sets no date, so the date is local. One occasion per *episode*: everything since the last
samarbeid.avsluttet.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from consumers.coordination.regler import frister
from consumers.coordination.regler.regel import KOORDINERENDE_ENHET, Duty, Regel, ground
from consumers.coordination.sak import Fact, Involvement, Sak
from contracts.lov import Lov

NAVN = "samarbeid"
VERSJON = 1
_APPOINTED = ("barnekoordinator.oppnevnt", "koordinator.oppnevnt")
_ENDED = "samarbeid.avsluttet"
LUKKES_AV = (*_APPOINTED, _ENDED)
_SAMORDNING = "barnevernsloven-15-8"
_BEFORE = {
    "barnevernsloven-15-8": "barnevernloven-1992-3-2",
    "opplaeringslova-24-1": "opplaeringslova-1998-15-8",
}
_LOV = Lov()


def derive(sak: Sak) -> Iterator[Duty]:
    for occasion, episode, end in _episodes(sak.known_to(KOORDINERENDE_ENHET)):
        closing = next((f for f in episode if f.kind.navn in _APPOINTED), end)
        at = closing.time if closing else sak.now
        active = _cooperating(sak, episode, at)
        if len(active) >= 2:
            yield _duty(sak, occasion, active, closing)


def _episodes(known: Iterable[Fact]) -> Iterator[tuple[str, list[Fact], Fact | None]]:
    """(occasion, its facts in order, what ended it or None for the present one)."""
    occasion, episode = "forste", list[Fact]()
    for fact in known:
        if fact.kind.navn == _ENDED:
            yield occasion, episode, fact
            occasion, episode = f"etter {fact.source} {fact.nokkel}", []
        else:
            episode.append(fact)
    yield occasion, episode, None


def _cooperating(sak: Sak, episode: Iterable[Fact], at: int) -> list[tuple[str, Involvement]]:
    """The active services by when each became so. The coordinating unit is the owner and no party."""
    active = sak.involvements(episode, at)
    active.pop(KOORDINERENDE_ENHET, None)
    return sorted(active.items(), key=lambda item: item[1].began)


def _duty(sak: Sak, occasion: str, active: list[tuple[str, Involvement]], closing: Fact | None) -> Duty:
    parametre, tjenester = sak.rules.parametre, sak.rules.catalogue.tjenester
    second = frister.local_date(active[1][1].began.at)
    own = {tjenester[navn].samarbeidsplikt for navn, _ in active if navn in tjenester}
    return Duty(
        subject=sak.subject,
        regel=NAVN,
        regelversjon=VERSJON,
        anledning=occasion,
        tilstand="oppfylt" if closing else "aapen",
        eier=KOORDINERENDE_ENHET,
        frist=frister.working_days_after(second, parametre.samarbeid_frist_arbeidsdager),
        fristslag="lokal_frist",
        bestemmelser=tuple(_at(p, second) for p in (_SAMORDNING, *sorted(own - {_SAMORDNING}))),
        lukkes_av=LUKKES_AV,
        koordinering=True,
        hviler_pa=tuple(sorted(ground(involvement.began) for _, involvement in active)),
        forklaring="oppgave-samarbeid",
        argumenter=(
            ("antall", len(active)),
            ("tjenester", ", ".join(tjenester[n].visningsnavn if n in tjenester else n for n, _ in active)),
            ("dato", second),
        ),
    )


def _at(provision: str, day: date) -> str:
    """The provision that then held the same duty."""
    before = _BEFORE.get(provision)
    return before if before and not _LOV.in_force(provision, day) else provision


def changes(sak: Sak, duty: Duty) -> Iterator[datetime]:
    yield frister.passed(duty.frist)
    yield from sak.lapses()


REGEL = Regel(
    NAVN, VERSJON, date(2022, 8, 1), dict.fromkeys(LUKKES_AV, ()), derive, changes, involverte_minst=2
)
