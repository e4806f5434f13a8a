"""The clock as an argument: tests and replays give their own."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
"""Returns the present, aware, in UTC."""

OSLO = ZoneInfo("Europe/Oslo")


def system_clock() -> datetime:
    return datetime.now(UTC)
