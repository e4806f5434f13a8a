"""The relay: takes accepted rows to samtykke's decision and then to Kafka, one relay at a time for each journal.

It holds a PostgreSQL advisory lock on the very connection that marks rows, so that losing the one is losing the
other. A batch: one call to samtykke; each row re-sealed under the child's key, which is committed; what may go is sent
in the order of acceptance and marked when the broker has acknowledged. The next batch is decided while this one is
sent, but sent only when this one is marked, so the order holds. Whatever happens in between, a row is sent again
rather than lost: readers drop the duplicate. A row that can't be handled is parked with a reason, and holds up no
other.
"""

import asyncio
import logging
import random
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import ledger, metrics, telemetry
from backbone.clock import Clock
from backbone.database import DATABASE_AWAY, dedicated
from backbone.failures import Failing, Retry, backoff, unless_cancelled
from backbone.journal import JournalKeys
from backbone.kafka import Outgoing, Publisher, Sent
from backbone.relay_batch import (
    COLUMNS,
    Batch,
    Row,
    Writer,
    journal_keys,
    opened,
    reason,
    received_late,
    settle,
)
from backbone.samtykke_client import Rejected
from backbone.settings import Settings
from contracts import samtykke_api as api
from contracts.catalogue import Catalogue
from contracts.topics import event_topic

log = logging.getLogger(__name__)

FEED_WAIT_S = 5.0
WAIT_S_MAX = 2.0
"""Longest pause after a failure: what waited meanwhile is to be drained within seconds of a neighbour's return."""
LOCK_POLL_S = 1.0
LOCK_CHECK_S = 5.0
COMMAND_TIMEOUT_S = 120.0
"""A statement that takes longer was swallowed with its connection, and the lock with both."""
UNPROCESSABLE = (400, 413, 422)
ASK_TRIES = 4
"""Calls that samtykke fails on (500) before it is one of the rows that is looked for, and for each row alone."""
FAILED_HALVES_MOST = 64
"""Calls that fail without one that is answered: then it is samtykke that is ill, and not some row."""
LINE_MOST = 2
"""Batches that are decided and not yet marked, beside the one that is being decided."""
_TAKE = f"""
SELECT {COLUMNS} FROM journal WHERE trenger_relay AND lopenr NOT IN (SELECT unnest($2::bigint[]))
ORDER BY lopenr LIMIT $1
"""  # noqa: S608 - column names of ours
_LOCK = "SELECT pg_try_advisory_lock(hashtext('samspor-relay'), hashtext($1))"
_HELD = """
SELECT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()
       AND classid::int8 = hashtext('samspor-relay')::int8 & 4294967295
       AND objid::int8 = hashtext($1)::int8 & 4294967295)
"""

AWAY = (Retry, *DATABASE_AWAY)
"""What a neighbour that is away raises. The lock ends with its connection, so losing that is waited out alike."""


class LockLost(Retry):
    """The connection lives and no longer holds the lock (a pooler in between, an administrator): another relay may
    hold it, so this one lets go and asks again."""


class Decider(Protocol):
    """samtykke, over HTTP or in its own process. Both methods raise Retry when it can't answer, and Rejected when it
    won't take the call."""

    async def decide(self, tjeneste: str, items: Sequence[api.AvgjorelseItem]) -> list[api.Avgjorelse]: ...

    async def changes(self, after: int, wait_s: float = 0.0) -> api.EndringerUt: ...


class Relay:
    """The relay of one owner's journal."""

    def __init__(
        self,
        engine: AsyncEngine,
        owner: str,
        decider: Decider,
        settings: Settings,
        catalogue: Catalogue,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._engine = engine
        self._owner = owner
        self._decider = decider
        self._settings = settings
        self._catalogue = catalogue
        self._clock = clock
        self._rng = rng
        self._keys = JournalKeys(settings, owner)
        self._publisher = Publisher(settings, f"samspor-relay-{owner}")
        self._topic = settings.topic(event_topic(owner).navn)
        self._writer = Writer(self._topic, catalogue)
        self._turn = asyncio.Lock()  # the connection does one thing at a time
        self._failures = 0  # calls in a row that samtykke failed on
        self._swept = ("", 0)  # (subject, number) of the last withheld row that a sweep asked about

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Every failure of a neighbour is waited out; nothing is given up."""
        waits = backoff(self._rng, most_s=WAIT_S_MAX)
        try:
            while not stop.is_set():
                try:
                    await self._hold_lock(stop)
                    waits = backoff(self._rng, most_s=WAIT_S_MAX)
                except AWAY as error:
                    log.warning("relay %s waits: %s", self._owner, type(error).__name__)
                    metrics.RELAY_WAITS.labels(self._owner, type(error).__name__).inc()
                    await _pause(stop, next(waits))
        finally:
            await self._publisher.close()

    async def _hold_lock(self, stop: asyncio.Event) -> None:
        conn = await dedicated(self._engine, COMMAND_TIMEOUT_S)
        held = metrics.RELAY_LOCK_HELD.labels(self._owner)
        try:
            held.set(0)
            while not await conn.fetchval(_LOCK, self._owner):
                if await _pause(stop, LOCK_POLL_S):
                    return
            held.set(1)
            await self._relay(conn, stop)
        finally:
            held.set(0)
            conn.terminate()

    async def _check_lock(self, conn: asyncpg.Connection) -> None:
        """Raises LockLost."""
        if not await conn.fetchval(_HELD, self._owner):
            log.error("relay %s: the lock is gone from a connection that lives", self._owner)
            metrics.RELAY_LOCK_LOST.labels(self._owner).inc()
            raise LockLost

    async def _relay(self, conn: asyncpg.Connection, stop: asyncio.Event) -> None:
        feed: asyncio.Queue[api.EndringerUt] = asyncio.Queue(maxsize=1)
        position = await conn.fetchval("SELECT endring FROM relay_tilstand WHERE relay = $1", self._owner)
        follower = asyncio.create_task(self._follow(position or 0, feed))
        line = _Line()
        try:
            await self._work(conn, stop, feed, line, follower)
        except (asyncio.CancelledError, LockLost):
            line.cancel()
            raise
        finally:
            follower.cancel()
            await line.end()  # what is decided goes, also when samtykke is away for what comes next
            await asyncio.wait({follower})
            self._tell_of(follower)

    def _tell_of(self, follower: "asyncio.Task[None]") -> None:
        """A follower ends by itself only of what it can't handle; what ended the work goes before that."""
        if not follower.cancelled() and (error := follower.exception()) is not None:
            log.error("relay %s: the change feed ended: %s", self._owner, type(error).__name__)

    async def _work(
        self,
        conn: asyncpg.Connection,
        stop: asyncio.Event,
        feed: "asyncio.Queue[api.EndringerUt]",
        line: "_Line",
        follower: "asyncio.Task[None]",
    ) -> None:
        """Until `stop` is set. Raises Retry when something is away, or the change feed is followed no longer."""
        loop = asyncio.get_running_loop()
        next_sweep = loop.time()
        next_check = loop.time() + LOCK_CHECK_S
        while not stop.is_set():
            if follower.done():
                raise Retry("nobody follows the change feed")
            if loop.time() >= next_check:
                async with self._turn:
                    await self._check_lock(conn)
                next_check = loop.time() + LOCK_CHECK_S
            if loop.time() >= next_sweep:
                await self._sweep(conn)
                next_sweep = loop.time() + self._settings.relay_sweep_s
            while not feed.empty():
                # What was asked about before the change must stand as withheld for the change to wake it.
                await line.saved()
                await self._wake(conn, feed.get_nowait())
            if not await self._step(conn, line):
                await _pause(stop, self._settings.relay_poll_s)

    async def _follow(self, position: int, feed: "asyncio.Queue[api.EndringerUt]") -> None:
        """Long-polls samtykke's change feed into `feed`."""
        waits = backoff(self._rng, most_s=WAIT_S_MAX)
        while True:
            try:
                change = await self._decider.changes(position, FEED_WAIT_S)
            except (Retry, Rejected) as error:
                unless_cancelled()
                if isinstance(error, Rejected):
                    log.warning("relay %s: the change feed answers %d", self._owner, error.status)
                await asyncio.sleep(next(waits))
                continue
            waits = backoff(self._rng, most_s=WAIT_S_MAX)
            if change["siste"] > position:
                await feed.put(change)
                position = change["siste"]

    async def _wake(self, conn: asyncpg.Connection, change: api.EndringerUt) -> None:
        """A change to a child: its withheld rows are asked about again."""
        async with self._turn, conn.transaction():
            await conn.execute(
                "UPDATE journal SET trenger_relay = true"
                " WHERE utfall = 'withhold' AND parkert IS NULL AND subject = ANY($1::text[])",
                change["subjects"],
            )
            await conn.execute(
                "INSERT INTO relay_tilstand (relay, endring) VALUES ($1, $2)"
                " ON CONFLICT (relay) DO UPDATE SET endring = excluded.endring",
                self._owner,
                change["siste"],
            )

    async def _sweep(self, conn: asyncpg.Connection) -> None:
        """The net beneath the change feed: some of the withheld rows, and next time those after them, are asked about,
        and only what is answered otherwise is written and taken again. Old journal keys go."""
        async with self._turn:
            await self._keys.renew_undecided(conn, self._clock())
            await self._keys.destroy_unneeded(conn, self._clock())
            rows = await conn.fetch(_WITHHELD, *self._swept, self._settings.relay_sweep_rows)
        full = len(rows) == self._settings.relay_sweep_rows
        self._swept = (rows[-1]["subject"], rows[-1]["lopenr"]) if full else ("", 0)
        if not rows:
            return
        try:
            answers = await self._decider.decide(self._owner, [_item_of_withheld(row) for row in rows])
            still = {answer["ref"] for answer in answers if answer["outcome"] == "withhold"}
        except Rejected:
            still = set()  # something is wrong with some of them: asking about each finds it
        except Retry:
            return  # the next sweep does not come back to these, the one after all of them does
        changed = [row["lopenr"] for row in rows if row["lopenr"] not in still]
        if changed:
            async with self._turn:
                await conn.execute(
                    "UPDATE journal SET trenger_relay = true"
                    " WHERE utfall = 'withhold' AND parkert IS NULL AND lopenr = ANY($1::bigint[])",
                    changed,
                )

    async def _step(self, conn: asyncpg.Connection, line: "_Line") -> bool:
        """Takes a batch and asks about it, and leaves the rest of its way to the line. False when there is nothing to
        do. Raises Retry when samtykke or Kafka is away."""
        async with self._turn:
            records = await conn.fetch(_TAKE, self._settings.relay_batch, line.numbers())
            needed = journal_keys(records)
            keys = await self._keys.load(conn, needed) if needed else {}
        if not records:
            return await line.first()
        links = (record["traceparent"] for record in records)
        span = telemetry.begin("relay batch", "internal", None, self._said(records), links)
        with telemetry.continuing(span.traceparent):
            try:
                batch = opened(records, keys)
                spans = self._decision_spans(batch)
                answers = await self._ask(batch.items, batch.parked)
                settle(batch, answers, self._catalogue)
                if late := received_late(batch, answers, self._catalogue):
                    settle(batch, await self._ask(late, batch.parked), self._catalogue)
                while len(line) >= LINE_MOST:
                    await line.first()
            except BaseException as error:
                span.failed(type(error).__name__)
                span.end()
                raise
            saving = asyncio.create_task(self._save(conn, batch, spans))
            sending = asyncio.create_task(self._send(conn, batch, saving, line.last(), span))
        line.add(_OnTheWay(list(batch.rows), saving, sending))
        return True

    async def _save(self, conn: asyncpg.Connection, batch: Batch, spans: dict[int, telemetry.Span]) -> None:
        """Commits what was decided."""
        async with self._turn, conn.transaction():
            await self._write_decisions(conn, batch.decided)
            await self._park(conn, batch.parked)
            await ledger.write(conn, self._held_back(batch))
        # A withheld row is asked about again and again; only what became of it is told.
        told = [row for row in batch.decided if row.utfall != batch.before[row.lopenr]]
        for utfall, count in Counter(row.utfall for row in told).items():
            metrics.RELAY_DECISIONS.labels(self._owner, utfall).inc(count)
        if spans:
            for row in told:
                spans[row.lopenr].set("samspor.utfall", row.utfall or "-")
                spans[row.lopenr].end()

    def _held_back(self, batch: Batch) -> list[ledger.Entry]:
        """What the ledger is told: refusals and withholdings, once each. The rest become events."""
        now = self._clock()
        return [
            ledger.Entry(
                skriver=f"relay {self._owner}",
                tid=now,
                handling="avgjorelse",
                aktor="system:relay",
                utfall=row.utfall,
                orgnr=row.orgnr,
                kommune=row.kommune,
                tjeneste=self._owner,
                subject=row.subject,
                hendelse=row.id,
                type=row.type,
                grunn=row.grunner[0]["kode"] if row.grunner else None,
                sporing=telemetry.trace_id(row.traceparent),
            )
            for row in batch.decided
            if row.utfall in ("withhold", "refuse") and row.utfall != batch.before[row.lopenr]
        ]

    async def _send(
        self,
        conn: asyncpg.Connection,
        batch: Batch,
        saving: "asyncio.Task[None]",
        before: "asyncio.Task[None] | None",
        span: telemetry.Span,
    ) -> None:
        """Sends and marks what may go, when it is saved and all before it is marked. Raises Retry where an outcome is
        unknown: what was acknowledged is marked even so."""
        try:
            await saving
            if before is not None:
                await before
            await self._publish(conn, batch.ready)
        except BaseException as error:
            span.failed(type(error).__name__)
            raise
        finally:
            span.end()

    async def _ask(self, items: Sequence[api.AvgjorelseItem], parked: dict[int, str]) -> list[api.Avgjorelse]:
        """One call. What samtykke won't take is found by halving and added to `parked`; so is what it fails on, when
        it has failed some times in a row and does answer for others."""
        answers: list[api.Avgjorelse] = []
        failed: dict[int, str] = {}
        failures = 0
        left = deque([items] if items else [])
        while left:
            some = left.popleft()
            try:
                answers += await self._decider.decide(self._owner, some)
                continue
            except Rejected as error:
                if error.status not in UNPROCESSABLE:
                    raise Retry(f"HTTP {error.status}") from None
                if len(some) == 1:
                    parked[some[0]["ref"]] = "avvist-av-samtykke"
            except Failing:
                self._failures += 1
                failures += 1
                if self._failures < ASK_TRIES:
                    raise
                if not answers and failures >= FAILED_HALVES_MOST:
                    self._failures = 0
                    raise
                if len(some) == 1:
                    answer = await self._ask_alone(some)
                    answers += answer
                    if not answer:
                        failed[some[0]["ref"]] = "feilet-i-samtykke"
            if len(some) > 1:
                middle = len(some) // 2
                left += (some[:middle], some[middle:])
        if failed and not answers:
            raise Failing("samtykke fails on every row")
        self._failures = 0
        parked.update(failed)
        return answers

    async def _ask_alone(self, item: Sequence[api.AvgjorelseItem]) -> list[api.Avgjorelse]:
        """The answer about one row that samtykke failed on; none when it goes on failing, or won't take it. Raises
        Retry."""
        waits = backoff(self._rng, most_s=WAIT_S_MAX)
        for _ in range(ASK_TRIES):
            await asyncio.sleep(next(waits))
            try:
                return await self._decider.decide(self._owner, item)
            except Failing:
                continue
            except Rejected as error:
                if error.status not in UNPROCESSABLE:
                    raise Retry(f"HTTP {error.status}") from None
                break
        return []

    async def _park(self, conn: asyncpg.Connection, reasons: dict[int, str]) -> None:
        """Sets rows (by number) aside until somebody replays or drops them (`samspor dlq`)."""
        if not reasons:
            return
        await conn.execute(
            "UPDATE journal j SET parkert = p.grunn, trenger_relay = false"
            " FROM unnest($1::bigint[], $2::text[]) AS p(lopenr, grunn) WHERE j.lopenr = p.lopenr",
            list(reasons),
            list(reasons.values()),
        )
        for why, count in Counter(reasons.values()).items():
            metrics.RELAY_PARKED.labels(self._owner, why).inc(count)
            log.error("relay %s parked %d rows: %s", self._owner, count, why)

    def _said(self, rows: Sequence[Any]) -> dict[str, str | int]:
        return {"samspor.tjeneste": self._owner, "messaging.batch.message_count": len(rows)}

    def _decision_spans(self, batch: Batch) -> dict[int, telemetry.Span]:
        if not telemetry.on():
            return {}
        said = {"samspor.tjeneste": self._owner}
        return {
            nr: telemetry.begin("decide", "internal", batch.rows[nr].traceparent, said) for nr in batch.before
        }

    def _send_span(self, row: Row) -> telemetry.Span:
        said: dict[str, str | int] = {
            "messaging.system": "kafka",
            "messaging.destination.name": self._topic,
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
        }
        return telemetry.begin(f"send {self._topic}", "producer", row.traceparent, said)

    async def _write_decisions(self, conn: asyncpg.Connection, rows: Sequence[Row]) -> None:
        if not rows:
            return
        # Thousands of rows share a handful of decisions: each is sent once, and a row names its own by number.
        numbers: dict[tuple[str | None, str | None, str | None, bytes], int] = {}
        row_numbers: list[int] = []
        for row in rows:
            decision = row.utfall, row.grunnlag, row.lovversjon, orjson.dumps(row.grunner)
            row_numbers.append(numbers.setdefault(decision, len(numbers)))
        done = await conn.execute(
            _DECIDED,
            [row.lopenr for row in rows],
            row_numbers,
            [row.subject for row in rows],
            [row.nokkelid for row in rows],
            [row.innhold for row in rows],
            [utfall for utfall, *_ in numbers],
            [grunnlag for _, grunnlag, *_ in numbers],
            [lovversjon for *_, lovversjon, _ in numbers],
            [grunner.decode() for *_, grunner in numbers],
            self._clock(),
        )
        assert done == f"UPDATE {len(rows)}", done

    async def _publish(self, conn: asyncpg.Connection, rows: Sequence[Row]) -> None:
        records: list[Outgoing] = []
        numbers: list[int] = []
        spans: list[telemetry.Span] = []
        parked: dict[int, str] = {}
        traced = telemetry.on()
        for row in rows:
            span = self._send_span(row) if traced else None
            try:
                record = self._writer.record(row, span.traceparent if span else row.traceparent)
            except Exception as error:
                parked[row.lopenr] = reason(error)
                continue
            if not record.fits:
                parked[row.lopenr] = "for-stor"
                continue
            records.append(record)
            numbers.append(row.lopenr)
            if span:
                spans.append(span)
        if parked:
            async with self._turn:
                await self._park(conn, parked)
        if not records:
            return
        outcomes = await self._publisher.send(records)
        sent = [(nr, place) for nr, place in zip(numbers, outcomes, strict=True) if place is not None]
        if traced:
            _end_sends(spans, outcomes)
        if sent:
            await self._mark(conn, sent)
            metrics.RELAY_PUBLISHED.labels(self._owner).inc(len(sent))
        if len(sent) < len(records):
            raise Retry("unknown outcome")

    async def _mark(self, conn: asyncpg.Connection, sent: Sequence[tuple[int, Sent]]) -> None:
        async with self._turn:
            await conn.execute(
                """UPDATE journal j SET topic = $4, partition = s.partition, "offset" = s.place,
                          publisert = $5, trenger_relay = false
                   FROM unnest($1::bigint[], $2::int[], $3::bigint[]) AS s(lopenr, partition, place)
                   WHERE j.lopenr = s.lopenr""",
                [lopenr for lopenr, _ in sent],
                [place.partition for _, place in sent],
                [place.offset for _, place in sent],
                self._topic,
                self._clock(),
            )


@dataclass(frozen=True, slots=True)
class _OnTheWay:
    """A decided batch: the numbers of its rows, and what is left of its way. `sending` waits for `saving`."""

    numbers: list[int]
    saving: "asyncio.Task[None]"
    sending: "asyncio.Task[None]"


class _Line:
    """Batches on their way, oldest first. A row in one is not taken again before its batch is through."""

    def __init__(self) -> None:
        self._batches: deque[_OnTheWay] = deque()

    def __len__(self) -> int:
        return len(self._batches)

    def add(self, batch: _OnTheWay) -> None:
        self._batches.append(batch)

    def numbers(self) -> list[int]:
        return [number for batch in self._batches for number in batch.numbers]

    def last(self) -> "asyncio.Task[None] | None":
        return self._batches[-1].sending if self._batches else None

    async def saved(self) -> None:
        """Waits until every decision so far is committed, or has failed."""
        if self._batches:
            await asyncio.wait([batch.saving for batch in self._batches])

    async def first(self) -> bool:
        """Waits for the oldest and raises what it raised; False when there is none."""
        if not self._batches:
            return False
        try:
            await self._batches[0].sending
        finally:
            self._batches.popleft()
        return True

    def cancel(self) -> None:
        for batch in self._batches:
            batch.saving.cancel()
            batch.sending.cancel()

    async def end(self) -> None:
        """Waits for all. What a neighbour that is away did to them is left: their rows are pending still."""
        ended = await asyncio.gather(*(batch.sending for batch in self._batches), return_exceptions=True)
        self._batches.clear()
        for error in ended:
            if isinstance(error, Exception) and not isinstance(error, AWAY):
                raise error


_DECIDED = """
UPDATE journal j SET utfall = b.utfall, grunnlag = b.grunnlag, lovversjon = b.lovversjon, grunner = b.grunner,
       subject = r.subject, nokkelid = r.nokkelid, innhold = r.innhold, journalnokkel = NULL, besluttet = $10,
       trenger_relay = b.utfall IN ('release', 'shield')
FROM unnest($1::bigint[], $2::int[], $3::text[], $4::uuid[], $5::bytea[])
         AS r(lopenr, nr, subject, nokkelid, innhold)
JOIN unnest($6::text[], $7::text[], $8::text[], $9::jsonb[])
         WITH ORDINALITY AS b(utfall, grunnlag, lovversjon, grunner, nr) ON b.nr = r.nr + 1
WHERE j.lopenr = r.lopenr
"""
_WITHHELD = """
SELECT lopenr, subject, kommune, orgnr, type, tid FROM journal
WHERE utfall = 'withhold' AND parkert IS NULL AND NOT trenger_relay AND (subject, lopenr) > ($1, $2)
ORDER BY subject, lopenr LIMIT $3
"""


def _item_of_withheld(row: asyncpg.Record) -> api.AvgjorelseItem:
    return {
        "ref": row["lopenr"],
        "person": None,
        "sak": None,
        "subject": row["subject"],
        "kommune": row["kommune"],
        "orgnr": row["orgnr"],
        "type": row["type"],
        "time": row["tid"],
    }


def _end_sends(spans: Sequence[telemetry.Span], outcomes: Sequence[Sent | None]) -> None:
    for span, place in zip(spans, outcomes, strict=True):
        if place is None:
            span.failed("unknown-outcome")
        else:
            span.set("messaging.destination.partition.id", str(place.partition))
            span.set("messaging.kafka.offset", place.offset)
        span.end()


async def _pause(stop: asyncio.Event, seconds: float) -> bool:
    """Waits; True when `stop` was set meanwhile."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
    return stop.is_set()
