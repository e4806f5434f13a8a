"""What is said of every event type."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Skjerming(StrEnum):
    """Shielding class of what an event tells."""

    N = "N"  # administrative
    T = "T"  # secret (taushetsbelagt)
    H = "H"  # health
    X = "X"  # barnevern, or otherwise shielded


class Innsats(StrEnum):
    """For whom the effort is: for all, or because of a concern (selektert) or a need (indikert)."""

    UNIVERSELL = "universell"
    SELEKTERT = "selektert"
    INDIKERT = "indikert"


class Involvering(StrEnum):
    """What the event does to the service's involvement with the child."""

    APNER = "apner"
    FORTSETTER = "fortsetter"
    LUKKER = "lukker"
    LUKKER_ALLE = "lukker-alle"
    INGEN = "ingen"


class EventData(BaseModel):
    """Base of the data an event carries beyond its key: strict, frozen, and nothing unknown goes through."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


@dataclass(frozen=True)
class EventType:
    """One kind of event. `tjenester` None means that every service may send it.

    `versjon` is the major version of `data`, from 1; `tidligere` holds the models of the versions before it, oldest
    first, because what was published once must always be read.
    `egen_plikt`: the event carries a statutory duty of the sending service itself, so it is published shielded
    (visible to and counted for that service only) where no consent lets others know.
    `egen_kanal`: it goes to one recipient by a lane of its own, and never to a service's topic or a timeline.
    """

    navn: str
    tjenester: frozenset[str] | None
    kategori: str
    skjerming: Skjerming
    innsats: Innsats | None
    involvering: Involvering
    data: type[EventData]
    versjon: int = 1
    egen_plikt: bool = False
    egen_kanal: bool = False
    tidligere: tuple[type[EventData], ...] = ()

    def __post_init__(self) -> None:
        if self.versjon != len(self.tidligere) + 1:
            raise ValueError(
                f"{self.navn}: version {self.versjon} needs the models of all versions before it"
            )

    @property
    def modeller(self) -> tuple[type[EventData], ...]:
        """The data model of each version, version 1 first."""
        return (*self.tidligere, self.data)

    def may_be_sent_by(self, tjeneste: str) -> bool:
        return self.tjenester is None or tjeneste in self.tjenester

    def skjerming_for(self, tjeneste: str) -> Skjerming:
        """The class when `tjeneste` is the sender: all that barnevern writes is X, because the connection to
        barnevern is itself secret, and of the types that every service sends, what a health service writes under
        secrecy is health data."""
        if tjeneste == "barnevern":
            return Skjerming.X
        if self.tjenester is None and tjeneste in HELSETJENESTER and self.skjerming is Skjerming.T:
            return Skjerming.H
        return self.skjerming


HELSETJENESTER = frozenset({"helsestasjon", "helse", "bup", "spesialisthelsetjeneste", "tannhelse"})
