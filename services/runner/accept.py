"""Taking in: from bytes to rows in a service's journal, in one transaction. Nobody else is needed for it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Self, TypeVar

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.clock import Clock
from backbone.database import driver
from backbone.journal import Accepted, Journal, NewEvent
from backbone.lane import Lane
from backbone.problems import ProblemError
from backbone.seal import Mac, derive
from backbone.settings import Settings
from backbone.tokens import Principal
from contracts.catalogue import Catalogue
from services.format import AnyFormat, Companion, EventDraft, Format, Problem, Record, unknown
from services.runner.check import Checked, Checker
from services.runner.memory import Change, Memory, MemoryKeys
from services.wording import describe, line_of

ID_HEX = 32
ITEMS_AT_ONCE = 1_000  # of a format that remembers, whose memory is loaded together
RECORDS_AT_ONCE = 125  # of one that does not: read while those before them are being written
TOLD_MOST = 1_000  # errors in an answer, and notices
TURNS_TO_SEND = 2  # of the loop, until what a task has written is with PostgreSQL
THREAD_BYTES = 256 * 1024  # from this size a body is read in a thread

Item = TypeVar("Item")


@dataclass
class Outcome:
    """What became of a request: receipts for what was taken, and for each bad record why. `received` counts the
    journal's answers, `rejected` all the errors by code, also those that the answer has no room for."""

    receipts: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    received: Counter[Accepted] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)


class Acceptor:
    """Accepts for one service."""

    def __init__(
        self, tjeneste: str, engine: AsyncEngine, settings: Settings, catalogue: Catalogue, clock: Clock
    ) -> None:
        self._tjeneste = tjeneste
        self._engine = engine
        self._settings = settings
        self._catalogue = catalogue
        self._clock = clock
        self._journal = Journal(settings, tjeneste)
        self.lane = Lane(settings, tjeneste)
        self._by_lane = {catalogue.full_type(tjeneste, navn) for navn in catalogue.lanes_of(tjeneste)}
        self._id_mac = Mac(derive(settings.secret_bytes("service_key"), "hendelse-id", tjeneste))
        self._memory_keys = MemoryKeys(settings, tjeneste)

    async def take(self, fmt: AnyFormat, body: bytes, companion: Companion, sender: Principal) -> Outcome:
        """All good records are committed when this returns. Raises asyncpg's errors and OSError when the database is
        away: then nothing was taken."""
        try:
            return await self._take(fmt, body, companion, sender)
        except (asyncpg.DeadlockDetectedError, _Untold):
            # Two requests with the same events in different order; the other one is through now. Or see _Untold.
            return await self._take(fmt, body, companion, sender, waits=True)

    async def _take(
        self, fmt: AnyFormat, body: bytes, companion: Companion, sender: Principal, *, waits: bool = False
    ) -> Outcome:
        """A format that remembers can wait for the journal's answer to each step, a call each. Raises _Untold where
        it should have."""
        outcome = Outcome()
        remembers = not isinstance(fmt, Format)
        now = self._clock()
        source = f"/{sender.kommune}/{self._tjeneste}/{sender.orgnr}"
        async with self._engine.begin() as connection:
            conn = await driver(connection)
            memory = Memory(conn, self._memory_keys, f"{source} {fmt.navn}", now)
            checker = Checker(self._tjeneste, self._catalogue, now, self._settings.demo)
            # A format that remembers needs the connection itself while it reads.
            append = partial(self._committed_to, conn, outcome, now)
            async with _Appending(append, beside=not remembers) as journal:
                async for records, change in _read(fmt, body, companion, memory):
                    good = True
                    for record in records:
                        if record.warnings:
                            self._tell(fmt, record.warnings, outcome.notices)
                        taken, problems = self._check(record, checker, sender, source)
                        if problems:
                            good = False
                            outcome.rejected.update(p.code for p in problems)
                            self._tell(fmt, problems, outcome.errors)
                        else:
                            journal.add(taken, record.pointer)
                    answers = await journal.end() if waits and remembers else []
                    # What was refused was not sent, and must not be remembered as sent.
                    if good and "konflikt" not in answers:
                        memory.take(change)
                    if len(journal.events) > self._settings.events_per_request_max:
                        raise ProblemError(
                            413,
                            "for-mange",
                            package="services.runner",
                            maks=self._settings.events_per_request_max,
                        )
                    await journal.go_on()
                if "konflikt" in await journal.end() and remembers:
                    raise _Untold
                await memory.save()
        self._answer(journal, fmt, outcome)
        return outcome

    def _check(
        self, record: Record, checker: Checker, sender: Principal, source: str
    ) -> tuple[list[NewEvent], Sequence[Problem]]:
        problems = list(record.problems)
        events = []
        for draft in record.drafts:
            checked = checker.check(draft, record.pointer)
            if isinstance(checked, Checked):
                events.append(self._event(draft, checked, sender, source))
            else:
                problems += checked
        return events, problems

    def _event(self, draft: EventDraft, checked: Checked, sender: Principal, source: str) -> NewEvent:
        return NewEvent(
            id=draft.id or self._id(draft, source),
            source=source,
            type=checked.full_type,
            kommune=sender.kommune,
            orgnr=sender.orgnr,
            time=draft.time,
            content=checked.content,
            person=draft.person,
            sak=None if draft.person else draft.sak,
        )

    def _id(self, draft: EventDraft, source: str) -> str:
        """What makes it the same event again, under a key: not computable from a national id."""
        whom = f"person:{draft.person}" if draft.person else f"sak:{draft.sak}"
        step = "trukket" if draft.tilbaketrukket else "gjelder"
        parts = (source, draft.type, whom, draft.nokkel, str(draft.versjon), step)
        return self._id_mac(*parts).hex()[:ID_HEX]

    def _answer(self, journal: "_Appending", fmt: AnyFormat, outcome: Outcome) -> None:
        for event, place, answer in zip(journal.events, journal.places, journal.answers, strict=True):
            if answer == "konflikt":
                outcome.rejected["annet-innhold"] += 1
                self._tell(fmt, (Problem(place, "annet-innhold"),), outcome.errors)
            else:
                outcome.receipts.append(
                    {"linje": line_of(place), "id": event.id, "source": event.source, "status": answer}
                )

    async def _committed_to(
        self, conn: asyncpg.Connection, outcome: Outcome, now: datetime, events: Sequence[NewEvent]
    ) -> list[Accepted]:
        """Each event into the journal, or onto its type's own lane; of the latter nothing is counted."""
        if not any(event.type in self._by_lane for event in events):
            answers = await self._journal.append(conn, events, now)
            outcome.received.update(answers)
            return answers
        parts = [[e for e in events if (e.type in self._by_lane) is lane] for lane in (True, False)]
        by_lane = iter(await self.lane.append(conn, parts[0], now))
        in_journal = await self._journal.append(conn, parts[1], now) if parts[1] else []
        outcome.received.update(in_journal)
        others = iter(in_journal)
        return [next(by_lane if event.type in self._by_lane else others) for event in events]

    def _tell(self, fmt: AnyFormat, problems: Sequence[Problem], told: list[dict[str, Any]]) -> None:
        """Adds them to what the answer tells, as long as it has room."""
        for problem in problems[: TOLD_MOST - len(told)]:
            told.append({"linje": line_of(problem.pointer), **describe(problem, fmt.messages)})


class _Untold(Exception):
    """An event was not taken, for the journal has it with another content, and what the format would remember, on which
    its later steps rest, says that it was told. Nothing is committed."""


class _Appending:
    """What a request has taken so far, appended in slices, each beside the reading of the next one: PostgreSQL works
    while this process does. All by `append`, which is in the request's transaction and on its connection."""

    def __init__(
        self, append: Callable[[Sequence[NewEvent]], Coroutine[Any, Any, list[Accepted]]], *, beside: bool
    ) -> None:
        self._append = append
        self._beside = beside
        self._begun = 0
        self._slice: asyncio.Task[list[Accepted]] | None = None
        self.events: list[NewEvent] = []
        self.places: list[str] = []
        self.answers: list[Accepted] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._slice is not None:
            self._slice.cancel()
            await asyncio.gather(self._slice, return_exceptions=True)

    def add(self, events: Sequence[NewEvent], place: str) -> None:
        self.events += events
        self.places += [place] * len(events)

    async def go_on(self) -> None:
        """Begins a slice when there is enough for one."""
        if self._beside and len(self.events) - self._begun >= RECORDS_AT_ONCE:
            await self._finish()
            events, self._begun = self.events[self._begun :], len(self.events)
            self._slice = asyncio.create_task(self._append(events))
            for _ in range(TURNS_TO_SEND):
                await asyncio.sleep(0)

    async def end(self) -> list[Accepted]:
        """Appends the rest; the answers to it."""
        await self._finish()
        rest, self._begun = self.events[self._begun :], len(self.events)
        answers = await self._append(rest) if rest else []
        self.answers += answers
        return answers

    async def _finish(self) -> None:
        if self._slice is not None:
            self.answers += await self._slice
            self._slice = None


async def _read(
    fmt: AnyFormat, body: bytes, companion: Companion, memory: Memory
) -> AsyncIterator[tuple[Sequence[Record], Change]]:
    """The file's records as they are read, each with what the format would remember once they are taken."""
    if isinstance(fmt, Format):
        async for some in _batches(fmt.read(body, companion), body, RECORDS_AT_ONCE):
            yield some, {}
        return
    await memory.lock()
    async for batch in _batches(fmt.parse(body, companion), body, ITEMS_AT_ONCE):
        parsed = [item for item in batch if not isinstance(item, Record)]
        # What most of them need, in a few queries; what an earlier one of the batch makes a later one need, below.
        while missing := set[str]().union(
            *(unknown(fmt.needs(i, memory.state), memory.state) for i in parsed)
        ):
            await memory.load(missing)
        for item in batch:
            if isinstance(item, Record):
                yield (item,), {}
                continue
            while missing := unknown(fmt.needs(item, memory.state), memory.state):
                await memory.load(missing)
            yield fmt.step(item, memory.state)


async def _batches(items: Iterable[Item], body: bytes, size: int) -> AsyncIterator[list[Item]]:
    """A large body is read beside the loop, so that it keeps nobody else waiting."""
    source = iter(items)

    def some() -> list[Item]:
        return [*islice(source, size)]

    while batch := some() if len(body) < THREAD_BYTES else await asyncio.to_thread(some):
        yield batch
