"""What a family may see of an opened event. Pure; asked by whoever opens the seal, because the read gate never sees
content.
"""

from collections.abc import Collection, Mapping
from typing import Any

from contracts.tilgang import Vilkar

MELDERFELT = frozenset({"melderkode", "barn_orientert", "foresatte_orientert"})
"""Fields that tell who reported, or in whose words."""

STEDSFELT = frozenset({"fra_kommune", "til_kommune", "enhet", "fra", "til"})
"""Fields that name a school, a municipality or a place."""

STEDSHODER = frozenset({"kommune", "orgnr", "source", "topic"})
"""What of an envelope names a place."""


def vis(vilkar: Collection[str], data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The event's data as the conditions leave it; None where nothing of the event may be shown."""
    if Vilkar.KUN_OM_BARNET in vilkar and data.get("gjelder") == "foresatt":
        return None
    hidden: frozenset[str] = frozenset()
    if Vilkar.UTEN_MELDER in vilkar:
        hidden |= MELDERFELT
    if Vilkar.UTEN_STED in vilkar:
        hidden |= STEDSFELT
    return {name: value for name, value in data.items() if name not in hidden}
