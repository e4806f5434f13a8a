"""The services and event types in use. Extended by adding, so a fifth service is an argument and not an edit."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from contracts import hendelser, tjenester, topics
from contracts.hendelser import EventType
from contracts.tjenester import Tjeneste
from contracts.topics import Topic

PREFIX = "no.samspor."


class UnknownType(LookupError):
    """No such event type, or not for this service."""


class Catalogue:
    """Look-up of services, event types and topics. Immutable; `extended` gives a larger one.

    A full type is `no.samspor.<tjeneste>.<navn>` (CloudEvents `type`); the short name is `<navn>`.
    """

    def __init__(self, tjenester: Iterable[Tjeneste], typer: Iterable[EventType]) -> None:
        self.tjenester: Mapping[str, Tjeneste] = MappingProxyType({t.navn: t for t in tjenester})
        self.typer: tuple[EventType, ...] = tuple(typer)
        self._by_navn: dict[str, tuple[EventType, ...]] = {}
        for event_type in self.typer:
            self._by_navn[event_type.navn] = (*self._by_navn.get(event_type.navn, ()), event_type)
        self._by_full: dict[str, EventType] = {}

    @classmethod
    def standard(cls) -> "Catalogue":
        return cls(tjenester.STANDARD, hendelser.STANDARD)

    def extended(self, tjenester: Iterable[Tjeneste] = (), typer: Iterable[EventType] = ()) -> "Catalogue":
        return Catalogue((*self.tjenester.values(), *tjenester), (*self.typer, *typer))

    def event_type(self, full_type: str) -> EventType:
        """Raises UnknownType."""
        found = self._by_full.get(full_type)
        if found is None:
            tjeneste, navn = split(full_type)
            found = self._by_full[full_type] = self.for_service(tjeneste, navn)
        return found

    def for_service(self, tjeneste: str, navn: str) -> EventType:
        """The type `navn` as sent by `tjeneste` on its own topic, so none that has a lane of its own.
        Raises UnknownType."""
        if tjeneste in self.tjenester or tjeneste in INTERNAL:
            for event_type in self._by_navn.get(navn, ()):
                if _on_topic_of(tjeneste, event_type):
                    return event_type
        raise UnknownType(f"{PREFIX}{tjeneste}.{navn}")

    def accepted_from(self, tjeneste: str, navn: str) -> EventType:
        """The type `navn` as `tjeneste` may send it, on its own topic or by a lane of the type's own.
        Raises UnknownType."""
        return self.lanes_of(tjeneste).get(navn) or self.for_service(tjeneste, navn)

    def lanes_of(self, tjeneste: str) -> Mapping[str, EventType]:
        """By short name, the types that `tjeneste` may send and that go past every topic of events."""
        if tjeneste not in self.tjenester:
            return {}
        return {t.navn: t for t in self.typer if t.egen_kanal and t.may_be_sent_by(tjeneste)}

    def names_for(self, tjeneste: str) -> tuple[str, ...]:
        """Short names that `tjeneste` may send on its own topic, sorted."""
        return tuple(sorted(t.navn for t in self.typer if _on_topic_of(tjeneste, t)))

    def full_type(self, tjeneste: str, navn: str) -> str:
        return f"{PREFIX}{tjeneste}.{navn}"

    def event_topics(self) -> tuple[str, ...]:
        """Topics that coordination reads: every service's, and samtykke's."""
        return tuple(topics.event_topic(t).navn for t in (*self.tjenester, tjenester.SAMTYKKE))

    def topics(self) -> tuple[Topic, ...]:
        """Every topic the backbone needs."""
        names = (*self.tjenester, tjenester.SAMTYKKE, tjenester.SAMORDNING)
        own = (topics.PARKERT, topics.KJEDE, topics.INNBOKS)
        return (*(topics.event_topic(n) for n in names), *own)


INTERNAL = frozenset({tjenester.SAMTYKKE, tjenester.SAMORDNING})


def _on_topic_of(tjeneste: str, event_type: EventType) -> bool:
    if event_type.egen_kanal or (event_type.tjenester is None and tjeneste in INTERNAL):
        return False
    return event_type.may_be_sent_by(tjeneste)


def split(full_type: str) -> tuple[str, str]:
    """(tjeneste, navn) of a full type. Raises UnknownType."""
    tjeneste, dot, navn = full_type.removeprefix(PREFIX).partition(".")
    if not full_type.startswith(PREFIX) or not dot or not navn:
        raise UnknownType(full_type)
    return tjeneste, navn
