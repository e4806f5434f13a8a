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

    `egen_plikt`: the event carries a statutory duty of the sending service itself, so it is published shielded
    (visible to and counted for that service only) where no consent lets others know.
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

    def may_be_sent_by(self, tjeneste: str) -> bool:
        return self.tjenester is None or tjeneste in self.tjenester

    def skjerming_for(self, tjeneste: str) -> Skjerming:
        """The class when `tjeneste` is the sender: all that barnevern writes is X, because the connection to
        barnevern is itself secret, and what a health service writes under secrecy is health data."""
        if tjeneste == "barnevern":
            return Skjerming.X
        if tjeneste in HELSETJENESTER and self.skjerming is Skjerming.T:
            return Skjerming.H
        return self.skjerming


HELSETJENESTER = frozenset({"helsestasjon", "helse", "bup", "spesialisthelsetjeneste", "tannhelse"})
