"""Alerts as they happen, over server-sent events.

A subscriber holds a cursor and no queue: it is woken, reads a page of rows from the database, and asks the gate about
each for its own viewer. So one that is slow, or gone, costs the others nothing.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

from backbone.failures import Retry, backoff
from consumers.portal.varsellager import Varsel, Varsellager

HEARTBEAT_S = 15.0
RETRY_MS = 2000
PAGE = 50

Render = Callable[[Varsel], Awaitable[str | None]]
"""The alert as HTML for one viewer, None when it is not for her. Raises Retry."""


class Vekker:
    """Wakes every subscriber of this process; each has one flag, so a burst wakes it once."""

    def __init__(self) -> None:
        self._flags: set[asyncio.Event] = set()

    def wake(self) -> None:
        for flag in self._flags:
            flag.set()

    @contextmanager
    def flag(self) -> Iterator[asyncio.Event]:
        mine = asyncio.Event()
        self._flags.add(mine)
        try:
            yield mine
        finally:
            self._flags.discard(mine)

    def __len__(self) -> int:
        return len(self._flags)


async def stream(
    lager: Varsellager,
    vekker: Vekker,
    kommune: str,
    cursor: int | None,
    render: Render,
    still_welcome: Callable[[], bool],
    stopping: Callable[[], bool],
    heartbeat_s: float = HEARTBEAT_S,
) -> AsyncIterator[bytes]:
    """Bytes of text/event-stream for one subscriber; ends when she is no longer signed in (and says so, so that
    the browser stays away) or the process stops (and the browser comes back).

    `cursor` is the last alert she has, None for "from now on". Where a neighbour is away, the same alert is tried
    again later: none is skipped.
    """
    yield f"retry: {RETRY_MS}\n\n".encode()
    waits = backoff(random.Random(), first_s=0.5)
    with vekker.flag() as flag:
        while not stopping():
            if not still_welcome():
                yield b"event: slutt\ndata: slutt\n\n"
                return
            flag.clear()
            pause_s = heartbeat_s
            try:
                if cursor is None:
                    cursor = await lager.latest()
                    yield b"id: %d\n\n" % cursor
                for alert in await lager.after(cursor, kommune, PAGE):
                    html = await render(alert)
                    cursor = alert.sekvens
                    yield message(cursor, html)
                    flag.set()  # there may be another page
                waits = backoff(random.Random(), first_s=0.5)
            except Retry:
                pause_s = next(waits)
            try:
                async with asyncio.timeout(pause_s):
                    await flag.wait()
            except TimeoutError:
                yield b": her\n\n"


def message(sekvens: int, html: str | None) -> bytes:
    """One alert; without HTML only the cursor moves on, which a browser notes and nobody is told of."""
    if html is None:
        return b"id: %d\n\n" % sekvens
    lines = "".join(f"data: {line}\n" for line in html.splitlines())
    return f"id: {sekvens}\nevent: varsel\n{lines}\n".encode()
