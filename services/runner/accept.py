"""Taking in: from bytes to rows in a service's journal, in one transaction. Nobody else is needed for it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import asyncpg
import orjson
from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.clock import Clock
from backbone.database import driver
from backbone.journal import Journal, NewEvent
from backbone.problems import ProblemError
from backbone.seal import derive, mac, open_sealed, seal
from backbone.settings import Settings
from backbone.tokens import Principal
from contracts.catalogue import Catalogue
from services.format import AnyFormat, Companion, EventDraft, Format, Problem, Record, StatefulFormat, unknown
from services.runner.check import Checked, check
from services.wording import describe, line_of

ID_HEX = 32
ITEMS_AT_ONCE = 1_000  # of a format that remembers, whose memory is loaded together
TOLD_MOST = 1_000  # errors in an answer, and notices


@dataclass
class Outcome:
    """What became of a request: receipts for what was taken, and for each bad record why; `rejected` counts all the
    errors by code, also those that the answer has no room for."""

    receipts: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
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
        root = settings.secret_bytes("service_key")
        self._id_key = derive(root, "hendelse-id", tjeneste)
        self._state_key = derive(root, "formattilstand", tjeneste)
        self._state_seal = derive(settings.secret_bytes("kek"), "formattilstand", tjeneste)

    async def take(self, fmt: AnyFormat, body: bytes, companion: Companion, sender: Principal) -> Outcome:
        """All good records are committed when this returns. Raises asyncpg's errors and OSError when the database is
        away: then nothing was taken."""
        try:
            return await self._take(fmt, body, companion, sender)
        except asyncpg.DeadlockDetectedError:
            # Two requests with the same events in different order; the other one is through now.
            return await self._take(fmt, body, companion, sender)

    async def _take(self, fmt: AnyFormat, body: bytes, companion: Companion, sender: Principal) -> Outcome:
        outcome = Outcome()
        now = self._clock()
        source = f"/{sender.kommune}/{self._tjeneste}/{sender.orgnr}"
        async with self._engine.begin() as connection:
            conn = await driver(connection)
            if isinstance(fmt, Format):
                records: Iterable[Record] = fmt.read(body, companion)
            else:
                records = await self._step(conn, fmt, body, companion, source)
            events: list[NewEvent] = []
            places: list[str] = []
            for record in records:
                self._tell(fmt, record.warnings, outcome.notices)
                taken, problems = self._check(record, sender, source, now)
                if problems:
                    outcome.rejected.update(p.code for p in problems)
                    self._tell(fmt, problems, outcome.errors)
                else:
                    events += taken
                    places += [record.pointer] * len(taken)
                if len(events) > self._settings.events_per_request_max:
                    raise ProblemError(
                        413,
                        "for-mange",
                        package="services.runner",
                        maks=self._settings.events_per_request_max,
                    )
            if events:
                await self._append(conn, events, places, fmt, outcome, now)
        return outcome

    def _check(
        self, record: Record, sender: Principal, source: str, now: datetime
    ) -> tuple[list[NewEvent], tuple[Problem, ...]]:
        problems = list(record.problems)
        events = []
        for draft in record.drafts:
            checked = check(draft, record.pointer, self._tjeneste, self._catalogue, now, self._settings.demo)
            if isinstance(checked, Checked):
                events.append(self._event(draft, checked, sender, source))
            else:
                problems += checked
        return events, tuple(problems)

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
        return mac(self._id_key, *parts).hex()[:ID_HEX]

    async def _append(
        self,
        conn: asyncpg.Connection,
        events: Sequence[NewEvent],
        places: Sequence[str],
        fmt: AnyFormat,
        outcome: Outcome,
        now: datetime,
    ) -> None:
        for event, place, answer in zip(
            events, places, await self._journal.append(conn, events, now), strict=True
        ):
            if answer == "konflikt":
                outcome.rejected["annet-innhold"] += 1
                self._tell(fmt, (Problem(place, "annet-innhold"),), outcome.errors)
            else:
                outcome.receipts.append(
                    {"linje": line_of(place), "id": event.id, "source": event.source, "status": answer}
                )

    async def _step(
        self,
        conn: asyncpg.Connection,
        fmt: StatefulFormat[Any],
        body: bytes,
        companion: Companion,
        source: str,
    ) -> list[Record]:
        """Runs a format that remembers: one request at a time for each sender, its memory loaded and kept sealed."""
        await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{source} {fmt.navn}")
        state: dict[str, JsonValue | None] = {}
        changed: dict[str, JsonValue | None] = {}
        records: list[Record] = []
        items = iter(fmt.parse(body, companion))
        while batch := [*islice(items, ITEMS_AT_ONCE)]:
            parsed = [item for item in batch if not isinstance(item, Record)]
            # What most of them need, in a few queries; what an earlier one of the batch makes a later one need, below.
            while missing := set[str]().union(*(unknown(fmt.needs(item, state), state) for item in parsed)):
                state.update(await self._load(conn, f"{source} {fmt.navn}", missing))
            for item in batch:
                if isinstance(item, Record):
                    records.append(item)
                    continue
                while missing := unknown(fmt.needs(item, state), state):
                    state.update(await self._load(conn, f"{source} {fmt.navn}", missing))
                out, change = fmt.step(item, state)
                records += out
                state.update(change)
                changed.update(change)
        await self._keep(conn, f"{source} {fmt.navn}", changed)
        return records

    async def _load(
        self, conn: asyncpg.Connection, scope: str, keys: set[str]
    ) -> dict[str, JsonValue | None]:
        by_digest = {mac(self._state_key, scope, key): key for key in keys}
        rows = await conn.fetch(
            "SELECT nokkel, innhold FROM formattilstand WHERE nokkel = ANY($1::bytea[])", list(by_digest)
        )
        found: dict[str, JsonValue | None] = dict.fromkeys(keys)
        for row in rows:
            opened = open_sealed(self._state_seal, row["innhold"], row["nokkel"])
            found[by_digest[row["nokkel"]]] = orjson.loads(opened)
        return found

    async def _keep(
        self, conn: asyncpg.Connection, scope: str, changed: Mapping[str, JsonValue | None]
    ) -> None:
        kept = [(mac(self._state_key, scope, key), value) for key, value in changed.items()]
        await conn.execute(
            "DELETE FROM formattilstand WHERE nokkel = ANY($1::bytea[])",
            [d for d, value in kept if value is None],
        )
        rows = [(d, seal(self._state_seal, orjson.dumps(value), d)) for d, value in kept if value is not None]
        await conn.execute(
            "INSERT INTO formattilstand (nokkel, innhold) SELECT * FROM unnest($1::bytea[], $2::bytea[])"
            " ON CONFLICT (nokkel) DO UPDATE SET innhold = excluded.innhold",
            [d for d, _ in rows],
            [blob for _, blob in rows],
        )

    def _tell(self, fmt: AnyFormat, problems: Sequence[Problem], told: list[dict[str, Any]]) -> None:
        """Adds them to what the answer tells, as long as it has room."""
        for problem in problems[: TOLD_MOST - len(told)]:
            told.append({"linje": line_of(problem.pointer), **describe(problem, fmt.messages)})
