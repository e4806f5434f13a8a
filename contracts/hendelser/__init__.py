"""The event types: one typed model of the data each carries, and what it means for the child's case."""

from contracts.hendelser.begrep import EventData, EventType, Innsats, Involvering, Skjerming
from contracts.hendelser.typer import STANDARD

__all__ = ["STANDARD", "EventData", "EventType", "Innsats", "Involvering", "Skjerming"]
