"""What a family may see of an opened event, and whether an undersøkelse goes on. Pure; asked by whoever opens the
seal, because the read gate never sees content.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from contracts.tilgang import Vilkar

MELDERFELT = frozenset({"melderkode", "barn_orientert", "foresatte_orientert"})
"""Fields that tell who reported, or in whose words."""

STEDSFELT = frozenset({"fra_kommune", "til_kommune", "enhet", "fra", "til"})
"""Fields that name a school, a municipality or a place."""

STEDSHODER = frozenset({"kommune", "orgnr", "source", "topic"})
"""What of an envelope names a place."""

_BEGYNT = {"no.samspor.barnevern.henvendelse.mottatt", "no.samspor.barnevern.undersokelse.startet"}
_UTVIDET = "no.samspor.barnevern.undersokelse.frist-utvidet"
_SLUTT = {
    "no.samspor.barnevern.henvendelse.konkludert": "no.samspor.barnevern.henvendelse.mottatt",
    "no.samspor.barnevern.undersokelse.konkludert": "no.samspor.barnevern.undersokelse.startet",
}


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


def undersokelse_pagar(typer: Iterable[str]) -> bool:
    """Whether barnevernet is looking into the child's case, by the full types of its timeline in order of time.

    From a henvendelse or an undersøkelse is begun until as many of its kind are concluded; in doubt it goes on.
    """
    open_ = dict.fromkeys(_BEGYNT, 0)
    extended = False
    for full_type in typer:
        if full_type in _BEGYNT:
            open_[full_type] += 1
        elif full_type == _UTVIDET:
            extended = True
        elif began := _SLUTT.get(full_type):
            open_[began] = max(open_[began] - 1, 0)
            extended = False
    return extended or any(open_.values())
