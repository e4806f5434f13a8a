"""The shape of most rules: something has happened, and what should follow has not.

One occasion per fact that sets it off (source and nokkel). It is the owner's from the day of that fact, or, with
`vent`, from the day its patience ends: what followed before then leaves nothing to do. What meets it must be known to
its owner.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import partial

from backbone import frister
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import AVSENDER, Argument, Duty, Fristslag, Her, Regel, day_of
from consumers.coordination.sak import Fact, Sak

_DAY = 24 * 3600 * 1_000_000  # in µs


class Samme(StrEnum):
    """What the closing fact must share with the one that set the duty off."""

    SAK = "sak"  # sender and nokkel
    NOKKEL = "nokkel"  # whoever sends it
    AVSENDER = "avsender"
    BARN = "barn"


def _always(_: Fact, __: object) -> bool:
    return True


def _since(fact: Fact, her: Her) -> date:
    return day_of(fact)


def _frist(_: Fact, her: Her) -> Frist:
    return her.frist


def _nothing(_: Fact) -> tuple[Argument, ...]:
    return ()


@dataclass(frozen=True)
class Folge:
    """`gjelder` picks the facts that set it off, `lukker` those that close it (given with the one that set it off), of
    the types named; one that closes may be `dager_for` older. `mottaker` is the data field that names a receiving
    service. `fra` says from which day `frist` counts, and whether there is one at all; `dato` a data field that is
    itself the date. With `vent` the duty begins at that day."""

    gjelder: Callable[[Fact, Sak], bool] = _always
    lukker: Callable[[Fact, Fact], bool] = _always
    dager_for: int = 0
    samme: Samme = Samme.SAK
    mottaker: str | None = None
    fra: Callable[[Fact, Her], date | None] = _since
    frist: Callable[[Fact, Her], Frist] = _frist
    dato: str | None = None
    vent: bool = False
    argumenter: Callable[[Fact], tuple[Argument, ...]] = _nothing

    def derive(self, types: Container[str], sak: Sak, her: Her) -> Iterator[Duty | datetime]:
        """`types`: short types of the facts that may set it off."""
        known_closing: dict[str, tuple[Fact, ...]] = {}  # what each owner knows of the types that close
        for fact in sak.facts:
            if fact.kind.navn in types and self.gjelder(fact, sak):
                yield from self._of(sak, her, fact, known_closing)

    def _of(
        self, sak: Sak, her: Her, fact: Fact, known_closing: dict[str, tuple[Fact, ...]]
    ) -> Iterator[Duty | datetime]:
        start = self.fra(fact, her)
        mottaker = fact.data.get(self.mottaker) if self.mottaker else None
        eier = her.owner(sak, [fact], her.owners(fact, mottaker))
        if start is None or eier is None:
            return
        if eier not in known_closing:
            known_closing[eier] = tuple(f for f in sak.known_to(eier) if _may_close(her.regel, f))
        closing = next((f for f in known_closing[eier] if self._closes(f, fact)), None)
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
            date_in(fact, self.dato) or self.frist(fact, her).after(start),
            [fact],
            met=closing is not None,
            since=day_of(fact),
            regnet=(start, self.frist(fact, her)),
            argumenter=(("tjeneste", sak.visningsnavn(fact.kind.tjeneste)), *self.argumenter(fact)),
        )

    def _closes(self, fact: Fact, start: Fact) -> bool:
        return (
            fact.time >= start.time - self.dager_for * _DAY
            and self._shares(fact, start)
            and self.lukker(fact, start)
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
        partial(form.derive, frozenset(utloses_av)),
        eiere,
        frist,
        fristslag,
        bestemmelser,
        tuple(lukkes_av),
        terskler or {},
        utloses_av=frozenset(utloses_av),
        eiere_lokalt=True,
    )


def _may_close(rule: Regel, fact: Fact) -> bool:
    kind = fact.kind
    return kind.navn in rule.lukkes_av or f"{kind.tjeneste}:{kind.navn}" in rule.lukkes_av


def date_in(fact: Fact, field: str | None) -> date | None:
    """The date in a data field."""
    value = fact.data.get(field) if field else None
    return date.fromisoformat(value) if isinstance(value, str) else None
