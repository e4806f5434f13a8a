"""The relay: takes accepted rows to samtykke's decision and then to Kafka, one relay at a time for each journal.

It holds a PostgreSQL advisory lock on the very connection that marks rows, so that losing the one is losing the
other. A batch: one call to samtykke; each row re-sealed under the child's key; what may go is sent in the order of
acceptance and marked when the broker has acknowledged. Whatever happens in between, a row is sent again rather than
lost: readers drop the duplicate. A row that can't be handled is parked with a reason, and holds up no other.
"""

import asyncio
import base64
import logging
import random
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import ledger, metrics, telemetry
from backbone.clock import Clock
from backbone.database import DATABASE_AWAY, dedicated
from backbone.failures import Retry, backoff
from backbone.journal import JournalKeys, open_row
from backbone.kafka import Outgoing, Publisher, Sent
from backbone.samtykke_client import Rejected
from backbone.seal import seal
from backbone.settings import Settings
from contracts import samtykke_api as api
from contracts.catalogue import Catalogue, split
from contracts.envelope import Envelope, seal_context, to_kafka
from contracts.topics import event_topic

log = logging.getLogger(__name__)

FEED_WAIT_S = 5.0
LOCK_POLL_S = 1.0
LOCK_CHECK_S = 5.0
COMMAND_TIMEOUT_S = 120.0
"""A statement that takes longer was swallowed with its connection, and the lock with both."""
UNPROCESSABLE = (400, 413, 422)
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

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Every failure of a neighbour is waited out; nothing is given up."""
        waits = backoff(self._rng)
        try:
            while not stop.is_set():
                try:
                    await self._hold_lock(stop)
                    waits = backoff(self._rng)
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
        loop = asyncio.get_running_loop()
        next_sweep = loop.time()
        next_check = loop.time() + LOCK_CHECK_S
        try:
            while not stop.is_set():
                if loop.time() >= next_check:
                    await self._check_lock(conn)
                    next_check = loop.time() + LOCK_CHECK_S
                if loop.time() >= next_sweep:
                    await self._sweep(conn)
                    next_sweep = loop.time() + self._settings.relay_sweep_s
                while not feed.empty():
                    await self._wake(conn, feed.get_nowait())
                if not await self.step(conn):
                    await _pause(stop, self._settings.relay_poll_s)
        finally:
            follower.cancel()
            with suppress(asyncio.CancelledError):
                await follower

    async def _follow(self, position: int, feed: "asyncio.Queue[api.EndringerUt]") -> None:
        """Long-polls samtykke's change feed into `feed`."""
        waits = backoff(self._rng)
        while True:
            try:
                change = await self._decider.changes(position, FEED_WAIT_S)
            except Retry:
                await asyncio.sleep(next(waits))
                continue
            waits = backoff(self._rng)
            if change["siste"] > position:
                await feed.put(change)
                position = change["siste"]

    async def _wake(self, conn: asyncpg.Connection, change: api.EndringerUt) -> None:
        """A change to a child: its withheld rows are asked about again."""
        async with conn.transaction():
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
        """The net beneath the change feed: every withheld row is asked about again; old journal keys go."""
        await conn.execute(
            "UPDATE journal SET trenger_relay = true"
            " WHERE utfall = 'withhold' AND parkert IS NULL AND NOT trenger_relay"
        )
        await self._keys.destroy_unneeded(conn, self._clock())

    async def step(self, conn: asyncpg.Connection) -> bool:
        """Takes one batch all the way; False when there was none. Raises Retry when samtykke or Kafka is away."""
        rows = await conn.fetch(
            "SELECT lopenr, source, id, type, kommune, orgnr, tid, mottatt, journalnokkel, nokkelid, innhold,"
            " subject, traceparent, correlationid, causationid, utfall, grunnlag, lovversjon"
            " FROM journal WHERE trenger_relay ORDER BY lopenr LIMIT $1",
            self._settings.relay_batch,
        )
        if not rows:
            return False
        with telemetry.span(
            "relay batch", attributes=self._batch(rows), links=(r["traceparent"] for r in rows)
        ):
            undecided = [row for row in rows if row["utfall"] in (None, "withhold")]
            decided = await self._decide(conn, undecided) if undecided else {}
            ready = [decided.get(row["lopenr"], row) for row in rows]
            await self._publish(conn, [row for row in ready if row["utfall"] in ("release", "shield")])
        return True

    async def _decide(
        self, conn: asyncpg.Connection, rows: Sequence[asyncpg.Record]
    ) -> dict[int, dict[str, Any]]:
        """Asks about the rows, re-seals them under the child's key and commits what was decided."""
        keys = await self._keys.load(conn, {row["journalnokkel"] for row in rows if row["journalnokkel"]})
        contents: dict[int, bytes] = {}
        parked: dict[int, str] = {}
        items: list[api.AvgjorelseItem] = []
        for nr, row in enumerate(rows):
            person = sak = None
            if row["journalnokkel"] is not None:
                try:
                    opened = open_row(keys[row["journalnokkel"]], row)
                except Exception as error:  # no I/O in it: it is this row's own fault
                    parked[nr] = f"feil-{type(error).__name__}"
                    continue
                person, sak, contents[nr] = opened.person, opened.sak, opened.content
            items.append(
                {
                    "ref": nr,
                    "person": person,
                    "sak": sak,
                    "subject": row["subject"],
                    "kommune": row["kommune"],
                    "orgnr": row["orgnr"],
                    "type": row["type"],
                    "time": row["tid"],
                }
            )
        spans = [self._decision_span(row) for row in rows] if telemetry.on() else []
        decided = {}
        for answer in await self._ask(items, parked):
            nr = answer["ref"]
            try:
                decided[nr] = self._decided(rows[nr], answer, contents.get(nr))
            except Exception as error:
                parked[nr] = f"feil-{type(error).__name__}"
        async with conn.transaction():
            await self._save(conn, list(decided.values()))
            await self._park(conn, {rows[nr]["lopenr"]: reason for nr, reason in parked.items()})
            await ledger.write(conn, self._held_back(rows, decided))
        for nr, row in decided.items():
            # A withheld row is asked about each minute; only what became of it is told.
            if row["utfall"] != rows[nr]["utfall"]:
                metrics.RELAY_DECISIONS.labels(self._owner, row["utfall"]).inc()
                if spans:
                    spans[nr].set("samspor.utfall", row["utfall"])
                    spans[nr].end()
        aside = {rows[nr]["lopenr"]: {**rows[nr], "utfall": None} for nr in parked}
        return aside | {row["lopenr"]: row for row in decided.values()}

    def _held_back(self, rows: Sequence[Any], decided: Mapping[int, dict[str, Any]]) -> list[ledger.Entry]:
        """What the ledger is told: refusals and withholdings, once each. The rest become events."""
        now = self._clock()
        return [
            ledger.Entry(
                skriver=f"relay {self._owner}",
                tid=now,
                handling="avgjorelse",
                aktor="system:relay",
                utfall=row["utfall"],
                orgnr=row["orgnr"],
                kommune=row["kommune"],
                tjeneste=self._owner,
                subject=row["subject"],
                hendelse=row["id"],
                type=row["type"],
                grunn=row["grunner"][0]["kode"] if row["grunner"] else None,
                sporing=telemetry.trace_id(row["traceparent"]),
            )
            for nr, row in decided.items()
            if row["utfall"] in ("withhold", "refuse") and row["utfall"] != rows[nr]["utfall"]
        ]

    async def _ask(self, items: Sequence[api.AvgjorelseItem], parked: dict[int, str]) -> list[api.Avgjorelse]:
        """One call; what samtykke won't take is found by halving and added to `parked`."""
        if not items:
            return []
        try:
            return await self._decider.decide(self._owner, items)
        except Rejected as error:
            if error.status not in UNPROCESSABLE:
                raise Retry(f"HTTP {error.status}") from None
        if len(items) == 1:
            parked[items[0]["ref"]] = "avvist-av-samtykke"
            return []
        middle = len(items) // 2
        return await self._ask(items[:middle], parked) + await self._ask(items[middle:], parked)

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
        for reason, count in Counter(reasons.values()).items():
            metrics.RELAY_PARKED.labels(self._owner, reason).inc(count)
            log.error("relay %s parked %d rows: %s", self._owner, count, reason)

    def _batch(self, rows: Sequence[Any]) -> dict[str, str | int]:
        return {"samspor.tjeneste": self._owner, "messaging.batch.message_count": len(rows)}

    def _decision_span(self, row: Any) -> telemetry.Span:
        return telemetry.begin("decide", "internal", row["traceparent"], {"samspor.tjeneste": self._owner})

    def _send_span(self, row: Any) -> telemetry.Span:
        said: dict[str, str | int] = {
            "messaging.system": "kafka",
            "messaging.destination.name": self._topic,
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
        }
        return telemetry.begin(f"send {self._topic}", "producer", row["traceparent"], said)

    def _decided(self, row: asyncpg.Record, answer: api.Avgjorelse, content: bytes | None) -> dict[str, Any]:
        out = dict(row)
        out.update(
            utfall=answer["outcome"],
            grunnlag=answer["grunnlag"],
            lovversjon=answer["lovversjon"],
            grunner=answer["grunner"],
            journalnokkel=None,
        )
        if answer["outcome"] == "refuse":
            # Nothing gives us a ground to keep what it says; the row and its reason remain.
            return {**out, "innhold": b"", "nokkelid": None}
        assert answer["subject"] and answer["nokkelid"] and answer["nokkel"]
        out["subject"] = answer["subject"]
        if content is not None:
            out["nokkelid"] = uuid.UUID(answer["nokkelid"])
            out["innhold"] = seal(base64.b64decode(answer["nokkel"]), content, self._context(out))
        return out

    def _context(self, row: dict[str, Any]) -> bytes:
        tjeneste, _ = split(row["type"])
        event_type = self._catalogue.event_type(row["type"])
        return seal_context(
            id=row["id"],
            source=row["source"],
            type=row["type"],
            subject=row["subject"],
            time=row["tid"],
            kategori=event_type.kategori,
            skjerming=event_type.skjerming_for(tjeneste),
        )

    async def _save(self, conn: asyncpg.Connection, rows: Sequence[dict[str, Any]]) -> None:
        done = await conn.execute(
            """UPDATE journal j SET utfall = d.utfall, grunnlag = d.grunnlag, lovversjon = d.lovversjon,
                      grunner = d.grunner, subject = d.subject, nokkelid = d.nokkelid, innhold = d.innhold,
                      journalnokkel = NULL, besluttet = $9, trenger_relay = d.utfall IN ('release', 'shield')
               FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::text[], $7::uuid[],
                           $8::bytea[])
                    AS d(lopenr, utfall, grunnlag, lovversjon, grunner, subject, nokkelid, innhold)
               WHERE j.lopenr = d.lopenr""",
            [r["lopenr"] for r in rows],
            [r["utfall"] for r in rows],
            [r["grunnlag"] for r in rows],
            [r["lovversjon"] for r in rows],
            [orjson.dumps(r["grunner"]).decode() for r in rows],
            [r["subject"] for r in rows],
            [r["nokkelid"] for r in rows],
            [r["innhold"] for r in rows],
            self._clock(),
        )
        assert done == f"UPDATE {len(rows)}", done

    async def _publish(self, conn: asyncpg.Connection, rows: Sequence[Any]) -> None:
        """Sends and marks. Raises Retry where an outcome is unknown: what was acknowledged is marked even so."""
        records: list[Outgoing] = []
        numbers: list[int] = []
        spans: list[telemetry.Span] = []
        parked: dict[int, str] = {}
        for row in rows:
            span = self._send_span(row)
            try:
                record = self._outgoing(row, span.traceparent)
            except Exception as error:
                parked[row["lopenr"]] = f"feil-{type(error).__name__}"
                continue
            if not record.fits:
                parked[row["lopenr"]] = "for-stor"
                continue
            records.append(record)
            numbers.append(row["lopenr"])
            spans.append(span)
        await self._park(conn, parked)
        if not records:
            return
        outcomes = await self._publisher.send(records)
        sent = [(nr, place) for nr, place in zip(numbers, outcomes, strict=True) if place is not None]
        if telemetry.on():
            _end_sends(spans, outcomes)
        await self._mark(conn, sent)
        metrics.RELAY_PUBLISHED.labels(self._owner).inc(len(sent))
        if len(sent) < len(records):
            raise Retry("unknown outcome")

    async def _mark(self, conn: asyncpg.Connection, sent: Sequence[tuple[int, Sent]]) -> None:
        await conn.execute(
            """UPDATE journal j SET topic = s.topic, partition = s.partition, "offset" = s.place, publisert = $5,
                      trenger_relay = false
               FROM unnest($1::bigint[], $2::text[], $3::int[], $4::bigint[]) AS s(lopenr, topic, partition, place)
               WHERE j.lopenr = s.lopenr""",
            [lopenr for lopenr, _ in sent],
            [place.topic for _, place in sent],
            [place.partition for _, place in sent],
            [place.offset for _, place in sent],
            self._clock(),
        )

    def _outgoing(self, row: Any, traceparent: str | None) -> Outgoing:
        tjeneste, _ = split(row["type"])
        event_type = self._catalogue.event_type(row["type"])
        envelope = Envelope(
            id=row["id"],
            source=row["source"],
            type=row["type"],
            subject=row["subject"],
            time=row["tid"],
            recordedtime=row["mottatt"],
            dataschema=Envelope.dataschema_of(row["type"], event_type.versjon),
            kommune=row["kommune"],
            orgnr=row["orgnr"],
            kategori=event_type.kategori,
            skjerming=event_type.skjerming_for(tjeneste),
            grunnlag=row["grunnlag"],
            beslutning=row["utfall"],
            lovversjon=row["lovversjon"],
            nokkelid=str(row["nokkelid"]),
            traceparent=traceparent,
            correlationid=row["correlationid"],
            causationid=row["causationid"],
        )
        key, headers = to_kafka(envelope)
        return Outgoing(self._topic, key, headers, row["innhold"])


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
