"""A failure's type says what happens next to what was being handled: try again, set aside, or stop."""

import asyncio
import random
from collections.abc import Iterator


class Retry(Exception):
    """Something we depend on is away; the work stays where it is and is tried again with backoff."""


class Failing(Retry):
    """The other side is there and says that it failed (HTTP 500): it is ill, or fails on something it was given."""


class Park(Exception):
    """This one event can't be handled (poison, a future version); it is set aside with `reason`, others go on.

    `reason` is a code for the dead-letter list and never holds personal data.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Stop(Exception):
    """A bug or a broken promise that trying again can't mend: the process says so and ends."""


def backoff(rng: random.Random, first_s: float = 0.1, most_s: float = 5.0) -> Iterator[float]:
    """Endless waits in seconds: doubling, capped, with full jitter so that restarts don't march in step."""
    ceiling = first_s
    while True:
        yield rng.uniform(ceiling / 2, ceiling)
        ceiling = min(ceiling * 2, most_s)


def unless_cancelled() -> None:
    """Raises CancelledError where this task was told to end.

    A CancelledError may be a library's own (aiokafka's, of a task that it ended), and a loop must not end of it. And a
    call that is cancelled just as its connection is lost raises the loss in place of the cancellation (SQLAlchemy on
    closing it, httpcore): a loop that waits for neighbours that are away would go on for ever, and who waits for it
    too.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
