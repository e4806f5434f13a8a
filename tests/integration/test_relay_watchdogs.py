"""A relay that can't do something says so, heals, and lets no row hold up another."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from prometheus_client import Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import lane, metrics
from backbone import relay as relay_module
from backbone.database import dedicated
from backbone.failures import Failing, Retry
from backbone.journal import observe
from backbone.kafka import Outgoing, Publisher
from backbone.relay import Relay
from backbone.samtykke_client import Rejected
from backbone.settings import Settings
from contracts import samtykke_api as api
from contracts.catalogue import Catalogue
from contracts.envelope import Content, from_kafka
from deploy.dlq import DeadLetters, Ref
from tests.conftest import NOW, MakeDatabase
from tests.integration.test_journal_and_relay import (
    NUMBER,
    Decisions,
    accept,
    event,
    published,
    subject_of,
    until,
)

HOLDER = (
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@pytest.fixture
async def engine(make_database: MakeDatabase) -> AsyncEngine:
    return await make_database("skole", lane.metadata)


@asynccontextmanager
async def relaying(
    engine: AsyncEngine, settings: Settings, catalogue: Catalogue, decisions: Decisions
) -> AsyncIterator[None]:
    fast = settings.model_copy(update={"relay_poll_s": 0.02, "delivery_timeout_s": 5.0})
    stop = asyncio.Event()
    relay = Relay(engine, "skole", decisions, fast, catalogue, lambda: NOW, random.Random(1))
    task = asyncio.create_task(relay.run(stop))
    try:
        async with asyncio.timeout(40):
            yield
    finally:
        stop.set()
        await task


def value(metric: Counter | Gauge, *labels: str) -> float:
    return float(metric.labels(*labels)._value.get())


async def parked(engine: AsyncEngine) -> dict[str, str]:
    conn = await dedicated(engine)
    try:
        return {
            r["id"]: r["parkert"] for r in await conn.fetch("SELECT * FROM journal WHERE parkert IS NOT NULL")
        }
    finally:
        await conn.close()


async def execute(engine: AsyncEngine, statement: str) -> Any:
    conn = await dedicated(engine)
    try:
        return await conn.fetchval(statement)
    finally:
        await conn.close()


async def test_rows_that_cannot_be_opened_read_or_sent_are_parked_and_the_others_go(
    engine: AsyncEngine, settings: Settings, topics: Catalogue
) -> None:
    before = value(metrics.RELAY_PARKED, "skole", "for-stor")
    huge = event(3, content=Content(nokkel="n-3", data={"dager": "x" * 1_100_000}))
    await accept(engine, settings, event(1), event(2), huge, event(4), event(5))
    await execute(engine, "UPDATE journal SET innhold = 'poison' WHERE id = 'h-2'")
    await execute(engine, "UPDATE journal SET type = 'no.samspor.skole.finnes.ikke' WHERE id = 'h-4'")
    async with relaying(engine, settings, topics, Decisions()):
        await until(engine, "count(publisert) = 2 AND count(parkert) = 3")
    assert await parked(engine) == {"h-2": "feil-SealBroken", "h-3": "for-stor", "h-4": "feil-SealBroken"}
    assert {from_kafka(r.headers).id for r in await published(settings)} == {"h-1", "h-5"}
    assert value(metrics.RELAY_PARKED, "skole", "for-stor") == before + 1
    await observe(engine, "skole")
    assert value(metrics.JOURNAL_ROWS, "skole", "parkert") == 3
    assert value(metrics.JOURNAL_ROWS, "skole", "for-relay") == 0


async def test_what_samtykke_wont_take_is_found_among_the_others_and_parked(
    engine: AsyncEngine, settings: Settings, topics: Catalogue
) -> None:
    class Choosy(Decisions):
        async def decide(self, tjeneste: str, items: Sequence[api.AvgjorelseItem]) -> list[api.Avgjorelse]:
            if any(item["sak"] == "vond" for item in items):
                raise Rejected(422, {})
            return await super().decide(tjeneste, items)

    await accept(engine, settings, *(event(n) for n in range(6)), event(9, person=None, sak="vond"))
    async with relaying(engine, settings, topics, Choosy()):
        await until(engine, "count(publisert) = 6 AND count(parkert) = 1")
    assert await parked(engine) == {"h-9": "avvist-av-samtykke"}


async def test_a_parked_withheld_row_stays_parked_when_the_child_changes(
    engine: AsyncEngine, settings: Settings, topics: Catalogue
) -> None:
    decisions = Decisions()
    decisions.needs_consent = True
    await accept(engine, settings, event(1))
    async with relaying(engine, settings, topics, decisions):
        await until(engine, "count(*) FILTER (WHERE utfall = 'withhold') = 1")
        await execute(engine, "UPDATE journal SET parkert = 'prove', trenger_relay = false")
        decisions.consent(subject_of(NUMBER))
        await asyncio.sleep(0.5)
        assert await parked(engine) == {"h-1": "prove"}
        await execute(engine, "UPDATE journal SET parkert = NULL, trenger_relay = true")
        await until(engine, "count(publisert) = 1")


@pytest.mark.parametrize("given_again", [False, True])
async def test_a_row_parked_after_its_decision_is_asked_about_again_when_it_is_replayed(
    engine: AsyncEngine, settings: Settings, topics: Catalogue, given_again: bool
) -> None:
    decisions = Decisions()
    decisions.needs_consent = True
    decisions.consent(subject_of(NUMBER))
    await accept(engine, settings, event(1))
    async with relaying(engine, settings, topics, decisions):
        await until(engine, "count(publisert) = 1")
        await execute(engine, "UPDATE journal SET parkert = 'for-stor', publisert = NULL")
        decisions.consented.clear()
        await DeadLetters(settings, topics).replay([Ref("journal", "skole", row=1)], NOW)
        await until(engine, "count(*) FILTER (WHERE utfall = 'withhold' AND NOT trenger_relay) = 1")
        assert await execute(engine, "SELECT count(publisert) FROM journal") == 0
        if given_again:
            decisions.consent(subject_of(NUMBER))
            await until(engine, "count(publisert) = 1")
    assert len(await published(settings)) == 1 + given_again
    assert await parked(engine) == {}


@pytest.mark.parametrize("error", [Rejected(403, {}), KeyError("siste")])
async def test_a_change_feed_that_answers_otherwise_is_followed_again_when_it_answers(
    engine: AsyncEngine, settings: Settings, topics: Catalogue, error: Exception
) -> None:
    class Proxied(Decisions):
        refusals = 3

        async def changes(self, after: int, wait_s: float = 0.0) -> api.EndringerUt:
            if self.refusals:
                self.refusals -= 1
                self.away = not self.refusals  # and the work ends too, of something that is waited out
                raise error
            return await super().changes(after, wait_s)

    decisions = Proxied()
    decisions.needs_consent = True
    await accept(engine, settings, event(1))
    async with relaying(engine, settings, topics, decisions):
        async with asyncio.timeout(20):
            while decisions.refusals:
                await asyncio.sleep(0.05)
        await accept(engine, settings, event(2))
        await asyncio.sleep(0.5)
        decisions.away = False
        await until(engine, "count(*) FILTER (WHERE utfall = 'withhold') = 2")
        decisions.consent(subject_of(NUMBER))
        await until(engine, "count(publisert) = 2")


async def test_a_no_from_something_in_between_about_one_row_alone_is_waited_out(
    engine: AsyncEngine, settings: Settings, topics: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "ASK_TRIES", 2)

    class IllThenProxied(Decisions):
        calls = 0

        async def decide(self, tjeneste: str, items: Sequence[api.AvgjorelseItem]) -> list[api.Avgjorelse]:
            self.calls += 1
            if self.calls <= 2:
                raise Failing("HTTP 500")
            if self.calls == 3:
                raise Rejected(404, {})
            return await super().decide(tjeneste, items)

    await accept(engine, settings, event(1))
    async with relaying(engine, settings, topics, IllThenProxied()):
        await until(engine, "count(publisert) = 1")
    assert await parked(engine) == {}


async def test_a_lock_gone_from_a_living_connection_is_noticed_said_and_taken_again(
    engine: AsyncEngine, settings: Settings, topics: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlock, unlocked = asyncio.Event(), asyncio.Event()
    check = Relay._check_lock

    async def check_once_unlocked(relay: Relay, conn: asyncpg.Connection) -> None:
        # On the relay's own turn, when nobody else uses the connection.
        if unlock.is_set() and not unlocked.is_set():
            await conn.execute("SELECT pg_advisory_unlock_all()")
            unlocked.set()
        await check(relay, conn)

    monkeypatch.setattr(Relay, "_check_lock", check_once_unlocked)
    monkeypatch.setattr(relay_module, "LOCK_CHECK_S", 0.2)
    lost = value(metrics.RELAY_LOCK_LOST, "skole")
    await accept(engine, settings, event(1))
    async with relaying(engine, settings, topics, Decisions()):
        await until(engine, "count(publisert) = 1")
        assert value(metrics.RELAY_LOCK_HELD, "skole") == 1
        unlock.set()
        await unlocked.wait()
        await accept(engine, settings, event(2))
        await until(engine, "count(publisert) = 2")
    assert value(metrics.RELAY_LOCK_LOST, "skole") == lost + 1
    assert value(metrics.RELAY_LOCK_HELD, "skole") == 0


async def test_a_connection_that_is_cut_is_noticed_counted_and_made_anew(
    engine: AsyncEngine, settings: Settings, topics: Catalogue
) -> None:
    await accept(engine, settings, event(1))
    async with relaying(engine, settings, topics, Decisions()):
        await until(engine, "count(publisert) = 1")
        await execute(engine, f"SELECT pg_terminate_backend(pid) FROM ({HOLDER}) AS h")
        await accept(engine, settings, event(2))
        await until(engine, "count(publisert) = 2")
    waits = [
        s for m in metrics.RELAY_WAITS.collect() for s in m.samples if s.labels.get("tjeneste") == "skole"
    ]
    assert waits, "the relay said that it waited"


async def test_a_change_feed_that_answers_its_cancellation_by_a_loss_holds_nobody_up(
    engine: AsyncEngine, settings: Settings, topics: Catalogue
) -> None:
    class Lossy(Decisions):
        async def changes(self, after: int, wait_s: float = 0.0) -> api.EndringerUt:
            try:
                await asyncio.sleep(60)
            except (
                asyncio.CancelledError
            ):  # SQLAlchemy's rollback on a connection that is lost raises that instead
                raise Retry("the connection was lost") from None
            raise AssertionError

    await accept(engine, settings, event(1))
    async with relaying(engine, settings, topics, Lossy()):
        await until(engine, "count(publisert) = 1")
        await execute(engine, f"SELECT pg_terminate_backend(pid) FROM ({HOLDER}) AS h")
        await accept(engine, settings, event(2))
        await until(engine, "count(publisert) = 2")


async def test_a_statement_swallowed_with_its_connection_ends_in_time(engine: AsyncEngine) -> None:
    conn = await dedicated(engine, 0.2)
    with pytest.raises(OSError):  # noqa: PT011 - TimeoutError, as the relay waits it out
        await conn.execute("SELECT pg_sleep(5)")
    conn.terminate()


async def test_a_producer_that_gets_no_acknowledgement_is_made_anew_and_the_outcome_is_unknown(
    settings: Settings, topics: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = Publisher(settings.model_copy(update={"delivery_timeout_s": 0.5}), "prove")
    record = Outgoing(settings.topic("skole.hendelser"), b"k", [], b"v")
    renewed = value(metrics.PRODUCER_RENEWED, "prove")
    try:
        first = await publisher._started()

        async def silent(*_: Any, **__: Any) -> asyncio.Future[Any]:
            return asyncio.get_running_loop().create_future()

        monkeypatch.setattr(first, "send_batch", silent)
        async with asyncio.timeout(10):
            assert await publisher.send([record]) == [None]
        publisher._settings = settings
        (sent,) = await publisher.send([record])
        assert sent is not None
        assert publisher._producer is not first
        assert value(metrics.PRODUCER_RENEWED, "prove") == renewed + 1
    finally:
        await publisher.close()
