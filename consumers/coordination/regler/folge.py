"""The shape of most rules: something has happened, and what should follow has not.

One occasion per fact that sets it off (source and nokkel). It is the owner's from the day of that fact, or, with
`vent`, from the day its patience ends: what followed before then leaves nothing to do. What meets it must be known to
its owner.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from backbone import frister
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import AVSENDER, Argument, Duty, Fristslag, Her, Regel, day_of
from consumers.coordination.sak import Fact, Sak


class Samme(StrEnum):
    """What the closing fact must share with the one that set the duty off."""

    SAK = "sak"  # sender and nokkel
    NOKKEL = "nokkel"  # whoever sends it
    AVSENDER = "avsender"
    BARN = "barn"


def _always(_: Fact) -> bool:
    return True


def _since(fact: Fact, her: Her) -> date:
    return day_of(fact)


def _nothing(_: Fact) -> tuple[Argument, ...]:
    return ()


@dataclass(frozen=True)
class Folge:
    """`gjelder` picks the facts that set it off, `lukker` those that close it, of the types named. `mottaker` is the
    data field that names a receiving service. `fra` says from which day `frist` counts, and whether there is one at
    all; `dato` a data field that is itself the date. With `vent` the duty begins at that day."""

    gjelder: Callable[[Fact], bool] = _always
    lukker: Callable[[Fact], bool] = _always
    samme: Samme = Samme.SAK
    mottaker: str | None = None
    fra: Callable[[Fact, Her], date | None] = _since
    dato: str | None = None
    vent: bool = False
    argumenter: Callable[[Fact], tuple[Argument, ...]] = _nothing

    def derive(self, sak: Sak, her: Her) -> Iterator[Duty | datetime]:
        for fact in sak.facts:
            if fact.kind.navn in her.regel.utloses_av and self.gjelder(fact):
                yield from self._of(sak, her, fact)

    def _of(self, sak: Sak, her: Her, fact: Fact) -> Iterator[Duty | datetime]:
        start = self.fra(fact, her)
        mottaker = fact.data.get(self.mottaker) if self.mottaker else None
        eier = her.owner(sak, [fact], her.owners(fact, mottaker))
        if start is None or eier is None:
            return
        closing = next((f for f in sak.known_to(eier) if self._closes(her.regel, f, fact)), None)
        if self.vent:
            begins = frister.midnight(start)
            if closing and closing.at < begins:
                return
            if sak.at < begins:
                yield begins
                return
        yield her.duty(
            sak,
            f"{fact.source} {fact.nokkel}",
            eier,
            _date(fact, self.dato) or her.frist.after(start),
            [fact],
            met=closing is not None,
            since=day_of(fact),
            argumenter=(("tjeneste", sak.visningsnavn(fact.kind.tjeneste)), *self.argumenter(fact)),
        )

    def _closes(self, rule: Regel, fact: Fact, start: Fact) -> bool:
        kind = fact.kind
        return (
            (kind.navn in rule.lukkes_av or f"{kind.tjeneste}:{kind.navn}" in rule.lukkes_av)
            and fact.time >= start.time
            and self._shares(fact, start)
            and self.lukker(fact)
        )

    def _shares(self, fact: Fact, start: Fact) -> bool:
        if self.samme is Samme.BARN:
            return True
        if self.samme is Samme.NOKKEL:
            return fact.nokkel == start.nokkel
        if self.samme is Samme.AVSENDER:
            return fact.source == start.source
        return (fact.source, fact.nokkel) == (start.source, start.nokkel)


def folge(
    navn: str,
    utloses_av: Mapping[str, tuple[str, ...]],
    lukkes_av: Mapping[str, tuple[str, ...]],
    frist: Frist,
    bestemmelser: tuple[str, ...],
    form: Folge | None = None,
    *,
    versjon: int = 1,
    gyldig_fra: date,
    eiere: tuple[str, ...] = (AVSENDER,),
    fristslag: Fristslag = "lokal_frist",
    terskler: Mapping[str, int] | None = None,
) -> Regel:
    """A rule of this shape. The mappings name the data fields that are read of each type; a closing type may be
    bound to its sender ("skole:elevforhold.startet")."""
    form = form or Folge()
    leser = dict(utloses_av)
    for closing, fields in lukkes_av.items():
        short = closing.rpartition(":")[2]
        leser[short] = (*leser.get(short, ()), *fields)
    return Regel(
        navn,
        versjon,
        gyldig_fra,
        leser,
        form.derive,
        eiere,
        frist,
        fristslag,
        bestemmelser,
        tuple(lukkes_av),
        terskler or {},
        utloses_av=frozenset(utloses_av),
    )


def _date(fact: Fact, field: str | None) -> date | None:
    value = fact.data.get(field) if field else None
    return date.fromisoformat(value) if isinstance(value, str) else None
