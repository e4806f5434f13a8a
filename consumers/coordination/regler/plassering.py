"""Moves that barnevernet makes: SSB's codes of where to (Barnevern v4, FlyttingTil)."""

from consumers.coordination.sak import Fact, Sak

FLYTTING = "flytting"
_PLACEMENTS = frozenset("12345")
"""Foster home (in the family, outside it, for emergencies), institution, housing with follow-up."""


def placed(fact: Fact, _: Sak) -> bool:
    return fact.data.get("til") in _PLACEMENTS
