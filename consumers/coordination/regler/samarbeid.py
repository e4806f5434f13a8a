"""Cooperation to be considered: two services are involved because of a concern or a need, and nobody
coordinates.

Provisions: barnevernsloven § 15-8 (the municipality coordinates) and each service's own samarbeidsplikt.
The law sets no date, so the date is local. One occasion per *episode*: everything since the last
samarbeid.avsluttet.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import EIERS_PLIKT, Duty, Her, Regel, day_of
from consumers.coordination.sak import Fact, Involvement, Sak
from contracts.tjenester import KOORDINERENDE_ENHET

_APPOINTED = ("barnekoordinator.oppnevnt", "koordinator.oppnevnt")
ENDED = "samarbeid.avsluttet"
LUKKES_AV = (*_APPOINTED, ENDED)
_SAMORDNING = "barnevernsloven-15-8"


def derive(sak: Sak, her: Her) -> Iterator[Duty | datetime]:
    for occasion, episode, end in episodes(sak.known_to(KOORDINERENDE_ENHET)):
        closing = next((f for f in episode if f.kind.navn in _APPOINTED), end)
        at = closing.time if closing else sak.now
        active = _cooperating(sak, episode, at)
        if len(active) >= 2:
            yield _duty(sak, her, occasion, active, closing)
            if closing is None:
                yield from sak.lapses()


def episodes(known: Iterable[Fact]) -> Iterator[tuple[str, list[Fact], Fact | None]]:
    """(occasion, its facts in order, what ended it or None for the present one)."""
    occasion, episode = "forste", list[Fact]()
    for fact in known:
        if fact.kind.navn == ENDED:
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


def _duty(
    sak: Sak, her: Her, occasion: str, active: list[tuple[str, Involvement]], closing: Fact | None
) -> Duty:
    second = day_of(active[1][1].began)
    own = {sak.tjenester[navn].samarbeidsplikt for navn, _ in active if navn in sak.tjenester}
    return her.duty(
        sak,
        occasion,
        KOORDINERENDE_ENHET,
        her.frist.after(second),
        (involvement.began for _, involvement in active),
        met=closing is not None,
        since=second,
        argumenter=(
            ("antall", len(active)),
            ("tjenester", ", ".join(sak.visningsnavn(navn) for navn, _ in active)),
        ),
        bestemmelser=(_SAMORDNING, *sorted(own - {_SAMORDNING})),
    )


REGEL = Regel(
    "samarbeid",
    1,
    date(2022, 8, 1),
    dict.fromkeys(LUKKES_AV, ()),
    derive,
    eiere=(KOORDINERENDE_ENHET,),
    frist=Frist(14),
    fristslag="lokal_frist",
    bestemmelser=(_SAMORDNING, EIERS_PLIKT),
    lukkes_av=LUKKES_AV,
    involverte_minst=2,
)
