"""What a rule is, and what it makes: duties."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from backbone import frister
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.sak import Fact, Sak, betrays
from contracts.lov import Lov
from contracts.tjenester import KOORDINERENDE_ENHET

Tilstand = Literal["aapen", "oppfylt"]
Fristslag = Literal["lovfrist", "lokal_frist"]
Argument = tuple[str, str | int | date]

AVSENDER, MOTTAKER = "avsender", "mottaker"
"""Owners that the fact itself names: who sent it, and the service it says it is for."""

EIERS_PLIKT = "eiers-samarbeidsplikt"
"""Stands for the provision that obliges the owner to cooperate (contracts.tjenester)."""

_BEFORE = {
    "barnevernsloven-15-8": "barnevernloven-1992-3-2",
    "opplaeringslova-24-1": "opplaeringslova-1998-15-8",
}
_LOV = Lov()
_TASKS = uuid.UUID("6e0f5d2c-6b0a-5e0b-9a52-0d1c9d5c7f3e")


@dataclass(frozen=True, slots=True, order=True)
class Grunn:
    """A fact that a duty rests on, as an owner or a read gate must weigh it. `type` is the full type."""

    tjeneste: str
    kategori: str
    skjerming: str
    type: str
    source: str
    id: str


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty of the service `eier` towards the child `subject`, met or not.

    `regelsett` names the local rules that the rule's version was applied with. `anledning` is the natural key of
    what it is about, `frist` the last Norwegian date to meet it, `bestemmelser` ids in contracts.lov, `lukkes_av` the
    short types that meet it. `forklaring` is a message id of nb.ftl and `argumenter` its arguments: they may tell of
    secret facts, so the text is stored sealed. `regnet`: the day the date is counted from and how far; None where the
    facts themselves name it.
    """

    subject: str
    regel: str
    regelversjon: int
    regelsett: str
    anledning: str
    tilstand: Tilstand
    eier: str
    frist: date
    fristslag: Fristslag
    bestemmelser: tuple[str, ...]
    lukkes_av: tuple[str, ...]
    koordinering: bool
    hviler_pa: tuple[Grunn, ...]
    forklaring: str
    argumenter: tuple[Argument, ...]
    regnet: tuple[date, Frist] | None = None

    @property
    def oppgave_id(self) -> str:
        return task_id(self.subject, self.regel, self.anledning)


def task_id(subject: str, regel: str, anledning: str) -> str:
    """The same task whenever and wherever it is derived: UUIDv5 of child, rule and occasion."""
    return str(uuid.uuid5(_TASKS, f"{subject}\n{regel}\n{anledning}"))


@dataclass(frozen=True)
class Regel:
    """One rule in one version, in force from `gyldig_fra` to `gyldig_til` (Norwegian dates, inclusive).

    `leser` names the short types it reads and the data fields it needs of each; what opens and closes
    involvements is known to every rule. `derive` gives the duties of a case, and the moments at which a duty may
    come or change though nothing is reported (that an open one passes its date is known to all).

    `eiere` are services by preference, or AVSENDER or MOTTAKER; `frist` and `terskler` (all whole numbers) are what
    a municipality may set, `frist` only where `fristslag` says that no law does, `eiere` only with `eiere_lokalt`.
    `bestemmelser` are ids of
    contracts.lov, or EIERS_PLIKT.

    A rule is run only for a child that it can give a duty: one with a fact of a short type in `utloses_av` (a part of
    `leser`; none named: whatever its facts are), and with facts that open or continue an involvement from at least
    `involverte_minst` services. Both must hold of every duty, met or not, whenever it is derived.
    """

    navn: str
    versjon: int
    gyldig_fra: date
    leser: Mapping[str, tuple[str, ...]]
    derive: Callable[[Sak, "Her"], Iterable[Duty | datetime]]
    eiere: tuple[str, ...]
    frist: Frist
    fristslag: Fristslag
    bestemmelser: tuple[str, ...]
    lukkes_av: tuple[str, ...]
    terskler: Mapping[str, int] = field(default_factory=dict)
    gyldig_til: date | None = None
    utloses_av: frozenset[str] = frozenset()
    involverte_minst: int = 0
    eiere_lokalt: bool = False

    def __post_init__(self) -> None:
        if not self.utloses_av <= self.leser.keys():
            raise ValueError(f"{self.navn}: a rule is never told of a type that it does not read")

    def in_force(self, day: date) -> bool:
        return self.gyldig_fra <= day and (self.gyldig_til is None or day <= self.gyldig_til)


@dataclass(frozen=True)
class Her:
    """A rule as it holds in one municipality on one day: its own words where the municipality has not set others."""

    regel: Regel
    frist: Frist
    eiere: tuple[str, ...]
    terskler: Mapping[str, int]
    regelsett: str

    @classmethod
    def standard(cls, regel: Regel, regelsett: str = "standard") -> "Her":
        return cls(regel, regel.frist, regel.eiere, regel.terskler, regelsett)

    def owners(self, fact: Fact, mottaker: object = None) -> Iterator[str]:
        """Services that could own a duty set off by `fact`, the preferred first."""
        for eier in self.eiere:
            if eier == AVSENDER:
                yield fact.kind.tjeneste
            elif eier != MOTTAKER:
                yield eier
            elif isinstance(mottaker, str):
                yield mottaker

    def owner(self, sak: Sak, facts: Iterable[Fact], candidates: Iterable[str]) -> str | None:
        """The first of the candidates that is a service, may know of each fact, and whose name tells nothing secret."""
        known = list(facts)
        kinds = [f.kind for f in known]
        services = (e for e in candidates if sak.is_service(e) and not betrays(e, kinds))
        return next((e for e in services if sak.may_know_all(known, e)), None)

    def duty(
        self,
        sak: Sak,
        anledning: str,
        eier: str,
        frist: date,
        rests_on: Iterable[Fact],
        *,
        met: bool,
        since: date,
        argumenter: Iterable[Argument] = (),
        bestemmelser: tuple[str, ...] | None = None,
        forklaring: str | None = None,
        regnet: tuple[date, Frist] | None = None,
    ) -> Duty:
        """`since`: the day whose law obliges, also an argument `dato` of the explanation; the date is counted from it
        where `regnet` says nothing else and it fits."""
        counted = regnet or (since, self.frist)
        rule = self.regel
        provisions = rule.bestemmelser if bestemmelser is None else bestemmelser
        own = sak.tjenester[eier].samarbeidsplikt
        return Duty(
            subject=sak.subject,
            regel=rule.navn,
            regelversjon=rule.versjon,
            regelsett=self.regelsett,
            anledning=anledning,
            tilstand="oppfylt" if met else "aapen",
            eier=eier,
            frist=frist,
            fristslag=rule.fristslag,
            bestemmelser=tuple(dict.fromkeys(_at(own if p == EIERS_PLIKT else p, since) for p in provisions)),
            lukkes_av=tuple(dict.fromkeys(navn.rpartition(":")[2] for navn in rule.lukkes_av)),
            koordinering=eier == KOORDINERENDE_ENHET,
            hviler_pa=tuple(sorted({ground(f) for f in rests_on})),
            forklaring=forklaring or f"oppgave-{rule.navn}",
            argumenter=(("dato", since), *argumenter),
            regnet=counted if counted[1].after(counted[0]) == frist else None,
        )


def day_of(fact: Fact) -> date:
    """The Norwegian date it happened."""
    return frister.local_date(fact.at)


def ground(fact: Fact) -> Grunn:
    kind = fact.kind
    return Grunn(kind.tjeneste, kind.kategori, kind.skjerming, fact.type, fact.source, fact.id)


def _at(provision: str, day: date) -> str:
    """The provision that then held the same duty."""
    before = _BEFORE.get(provision)
    return before if before and not _LOV.in_force(provision, day) else provision
