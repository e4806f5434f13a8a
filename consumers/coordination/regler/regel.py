"""What a rule is, and what it makes: duties."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from consumers.coordination.sak import Fact, Sak

KOORDINERENDE_ENHET = "koordinerende-enhet"

Tilstand = Literal["aapen", "oppfylt"]
Fristslag = Literal["lovfrist", "lokal_frist"]

_TASKS = uuid.UUID("6e0f5d2c-6b0a-5e0b-9a52-0d1c9d5c7f3e")


class Parametre(BaseModel):
    """What a municipality may set. Days are whole days; working days leave out public holidays."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    inaktiv_etter_dager: int = Field(default=180, ge=1)
    samarbeid_frist_arbeidsdager: int = Field(default=14, ge=1)
    frafall_frist_arbeidsdager: int = Field(default=10, ge=1)
    melding_frist_dager: int = Field(default=7, ge=1)
    skolear_starter_maned: int = Field(default=8, ge=1, le=12)


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

    `anledning` is the natural key of what it is about, `frist` the last Norwegian date to meet it,
    `bestemmelser` ids in contracts.lov, `lukkes_av` the short types that meet it. `forklaring` is a message
    id of nb.ftl and `argumenter` its arguments: they may tell of secret facts, so the text is stored
    sealed.
    """

    subject: str
    regel: str
    regelversjon: int
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
    argumenter: tuple[tuple[str, str | int | date], ...]

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
    involvements is known to every rule. `derive` gives the duties of a case, `changes` the moments at which
    an open duty of its own may change though nothing is reported.

    A rule is run only for a child that it can give a duty: one with a fact of a short type in `utloses_av` (a part of
    `leser`; none named: whatever its facts are), and with facts that open or continue an involvement from at least
    `involverte_minst` services. Both must hold of every duty, met or not, whenever it is derived.
    """

    navn: str
    versjon: int
    gyldig_fra: date
    leser: Mapping[str, tuple[str, ...]]
    derive: "Callable[[Sak], Iterable[Duty]]"
    changes: "Callable[[Sak, Duty], Iterable[datetime]]"
    gyldig_til: date | None = None
    utloses_av: frozenset[str] = frozenset()
    involverte_minst: int = 0

    def __post_init__(self) -> None:
        if not self.utloses_av <= self.leser.keys():
            raise ValueError(f"{self.navn}: a rule is never told of a type that it does not read")

    def in_force(self, day: date) -> bool:
        return self.gyldig_fra <= day and (self.gyldig_til is None or day <= self.gyldig_til)


def ground(fact: "Fact") -> Grunn:
    kind = fact.kind
    return Grunn(kind.tjeneste, kind.kategori, kind.skjerming, fact.type, fact.source, fact.id)
