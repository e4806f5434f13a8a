"""Whether barnevernet is looking into a child's case, by its facts: the last version of each, none retracted. Pure.

In doubt it goes on: a family is shown what barnevernet has sent only where this says that it does not.
"""

from collections.abc import Iterator, Sequence

from consumers.coordination.regler.bekymringsmelding import KONKLUDERT as MELDING_KONKLUDERT
from consumers.coordination.regler.bekymringsmelding import MELDING, MOTTATT, meldinger
from consumers.coordination.regler.undersokelse import KONKLUDERT, STARTET, UTVIDET
from consumers.coordination.sak import Fact, Sak


def pagar(sak: Sak) -> bool:
    """From a henvendelse comes, or an undersøkelse is begun or extended, until that very one is concluded."""
    inquiries = ((f,) for f in sak.facts if f.kind.navn in (STARTET, UTVIDET))
    return _any_open(sak, _henvendelser(sak), MELDING_KONKLUDERT) or _any_open(sak, inquiries, KONKLUDERT)


def _henvendelser(sak: Sak) -> Iterator[Sequence[Fact]]:
    yield from meldinger(sak)
    yield from ((f,) for f in sak.facts if f.kind.navn == MOTTATT and f.data.get("slag") != MELDING)


def _any_open(sak: Sak, begun: Iterator[Sequence[Fact]], ending: str) -> bool:
    ended = {(f.source, f.nokkel) for f in sak.facts if f.kind.navn == ending}
    return any(not any((f.source, f.nokkel) in ended for f in same) for same in begun)
