"""Whether barnevernet is looking into a child's case, by its facts: the last version of each, none retracted. Pure.

In doubt it goes on: a family is shown what barnevernet has sent only where this says that it does not.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from backbone.frister import months_after
from consumers.coordination.regler.bekymringsmelding import KONKLUDERT as MELDING_KONKLUDERT
from consumers.coordination.regler.bekymringsmelding import MELDING, MOTTATT, meldinger
from consumers.coordination.regler.regel import day_of
from consumers.coordination.regler.undersokelse import EXTENDED_MONTHS, KONKLUDERT, STARTET, UTVIDET
from consumers.coordination.regler.undersokelse_start import taken_on
from consumers.coordination.sak import Fact, Sak


def pagar(sak: Sak) -> bool:
    """From a henvendelse comes, or an undersøkelse is begun or extended, until that very one is concluded; and from an
    undersøkelse is decided on until it is begun."""
    inquiries = ((f,) for f in sak.facts if f.kind.navn in (STARTET, UTVIDET))
    return (
        _any_open(sak, _henvendelser(sak), MELDING_KONKLUDERT)
        or _any_open(sak, inquiries, KONKLUDERT)
        or _any_awaited(sak)
    )


def _henvendelser(sak: Sak) -> Iterator[Sequence[Fact]]:
    yield from meldinger(sak)
    yield from ((f,) for f in sak.facts if f.kind.navn == MOTTATT and f.data.get("slag") != MELDING)


def _any_open(sak: Sak, begun: Iterator[Sequence[Fact]], ending: str) -> bool:
    ended = {(f.source, f.nokkel) for f in sak.facts if f.kind.navn == ending}
    return any(not any((f.source, f.nokkel) in ended for f in same) for same in begun)


def _any_awaited(sak: Sak) -> bool:
    """Whether an undersøkelse is decided on and none is known that began on the henvendelse's day (Fiks gives the hour,
    SSB the day) or later. One that is never registered is awaited as long as the law lets one last, six months
    (barnevernsloven § 2-2)."""
    decided, begun = taken_on(sak), _latest_begun(sak)
    return any(
        begun < day_of(same[0]) and sak.today <= months_after(day_of(decided[key]), EXTENDED_MONTHS)
        for same in _henvendelser(sak)
        for f in same
        if (key := (f.source, f.nokkel)) in decided
    )


def _latest_begun(sak: Sak) -> date:
    """The day of the first that is known of the undersøkelse begun last."""
    first: dict[tuple[str, str], date] = {}
    for fact in sak.facts:
        if fact.kind.navn in (STARTET, UTVIDET, KONKLUDERT):
            first.setdefault((fact.source, fact.nokkel), day_of(fact))
    return max(first.values(), default=date.min)
