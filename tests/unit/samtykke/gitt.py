"""What the tests of decisions are given."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.samtykke.decide import Consent

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def consent(
    fra: str, *, kategori: str = "k", til: str = "skole", status: Any = "gitt", **changed: Any
) -> Consent:
    """A consent that counts at NOW unless something is changed."""
    fields: dict[str, Any] = {"gyldig_fra": NOW - timedelta(days=1), "utloper": None, **changed}
    return Consent("s-1", status, fra, frozenset({til}), frozenset({kategori}), **fields)
