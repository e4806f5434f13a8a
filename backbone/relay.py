"""The relay: takes accepted rows to samtykke's decision and then to Kafka, one relay at a time for each journal.

It holds a PostgreSQL advisory lock on the very connection that marks rows, so that losing the one is losing the
other. A batch: one call to samtykke; each row re-sealed under the child's key; what may go is sent in the order of
acceptance and marked when the broker has acknowledged. Whatever happens in between, a row is sent again rather than
lost: readers drop the duplicate.
"""

import asyncio
import base64
import logging
import random
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.clock import Clock
from backbone.database import dedicated
from backbone.failures import Retry, backoff
from backbone.journal import JournalKeys, open_row
from backbone.kafka import Outgoing, Publisher, Sent
from backbone.seal import seal
from backbone.settings import Settings
from contracts import samtykke_api as api
from contracts.catalogue import Catalogue, split
from contracts.envelope import Envelope, seal_context, to_kafka
from contracts.topics import event_topic

log = logging.getLogger(__name__)

FEED_WAIT_S = 5.0
LOCK_POLL_S = 1.0
_LOCK = "SELECT pg_try_advisory_lock(hashtext('samspor-relay'), hashtext($1))"

AWAY = (Retry, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
"""What a neighbour that is away raises. The lock ends with its connection, so losing that is waited out alike."""


class Decider(Protocol):
    """samtykke, over HTTP or in its own process. Both methods raise Retry when it can't answer."""

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
                    await _pause(stop, next(waits))
        finally:
            await self._publisher.close()

    async def _hold_lock(self, stop: asyncio.Event) -> None:
        conn = await dedicated(self._engine)
        try:
            while not await conn.fetchval(_LOCK, self._owner):
                if await _pause(stop, LOCK_POLL_S):
                    return
            await self._relay(conn, stop)
        finally:
            conn.terminate()

    async def _relay(self, conn: asyncpg.Connection, stop: asyncio.Event) -> None:
        feed: asyncio.Queue[api.EndringerUt] = asyncio.Queue(maxsize=1)
        position = await conn.fetchval("SELECT endring FROM relay_tilstand WHERE relay = $1", self._owner)
        follower = asyncio.create_task(self._follow(position or 0, feed))
        loop = asyncio.get_running_loop()
        next_sweep = loop.time()
        try:
            while not stop.is_set():
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
                "UPDATE journal SET trenger_relay = true WHERE utfall = 'withhold' AND subject = ANY($1::text[])",
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
            "UPDATE journal SET trenger_relay = true WHERE utfall = 'withhold' AND NOT trenger_relay"
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
        items: list[api.AvgjorelseItem] = []
        for nr, row in enumerate(rows):
            person = sak = None
            if row["journalnokkel"] is not None:
                opened = open_row(keys[row["journalnokkel"]], row)
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
        answers = await self._decider.decide(self._owner, items)
        decided = {}
        for answer in answers:
            row = rows[answer["ref"]]
            decided[row["lopenr"]] = self._decided(row, answer, contents.get(answer["ref"]))
        await self._save(conn, list(decided.values()))
        return decided

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
        if not rows:
            return
        outcomes = await self._publisher.send([self._outgoing(row) for row in rows])
        sent = [
            (row["lopenr"], place) for row, place in zip(rows, outcomes, strict=True) if place is not None
        ]
        await self._mark(conn, sent)
        if len(sent) < len(rows):
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

    def _outgoing(self, row: Any) -> Outgoing:
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
            traceparent=row["traceparent"],
            correlationid=row["correlationid"],
            causationid=row["causationid"],
        )
        key, headers = to_kafka(envelope)
        return Outgoing(self._topic, key, headers, row["innhold"])


async def _pause(stop: asyncio.Event, seconds: float) -> bool:
    """Waits; True when `stop` was set meanwhile."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
    return stop.is_set()
