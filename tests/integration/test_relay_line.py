"""A relay decides a batch while it sends the one before: in order, none twice, whatever happens in between."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import lane
from backbone import relay as relay_module
from backbone.database import dedicated
from backbone.failures import Failing
from backbone.kafka import Outgoing, Publisher, Sent
from backbone.relay import Relay
from backbone.settings import Settings
from contracts import samtykke_api as api
from contracts.catalogue import Catalogue
from contracts.envelope import from_kafka
from contracts.personnummer import tenor
from tests.conftest import NOW, MakeDatabase
from tests.integration.test_journal_and_relay import (
    Decisions,
    accept,
    event,
    published,
    subject_of,
    until,
)
from tests.integration.test_relay_watchdogs import parked

CHILDREN = [tenor(NOW.date().replace(year=2014), nr) for nr in range(9)]

DECIDED = "SELECT id, innhold FROM journal WHERE utfall = 'release'"


@pytest.fixture
async def engine(make_database: MakeDatabase) -> AsyncEngine:
    return await make_database("skole", lane.metadata)


class Gate:
    """Holds the publisher back; `calls` are the events it was given, call by call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = asyncio.Event()
        self.calls: list[list[str]] = []
        real = Publisher.send

        async def send(publisher: Publisher, records: Sequence[Outgoing]) -> list[Sent | None]:
            self.calls.append([from_kafka(r.headers).id for r in records])
            await self.open.wait()
            return await real(publisher, records)

        monkeypatch.setattr(Publisher, "send", send)


@asynccontextmanager
async def relaying(
    engine: AsyncEngine, settings: Settings, catalogue: Catalogue, decisions: Decisions, **changed: Any
) -> AsyncIterator[asyncio.Task[None]]:
    fast = settings.model_copy(update={"relay_poll_s": 0.02, "relay_batch": 2, **changed})
    stop = asyncio.Event()
    relay = Relay(engine, "skole", decisions, fast, catalogue, lambda: NOW, random.Random(1))
    task = asyncio.create_task(relay.run(stop))
    try:
        async with asyncio.timeout(60):
            yield task
    finally:
        stop.set()
        await asyncio.wait({task})


async def rows(engine: AsyncEngine, query: str) -> list[Any]:
    conn = await dedicated(engine)
    try:
        return list(await conn.fetch(query))
    finally:
        await conn.close()


def asked(decisions: Decisions) -> list[int]:
    return [item["ref"] for items in decisions.asked for item in items]


async def test_the_next_batches_are_decided_and_saved_while_one_is_sent_and_go_after_it(
    engine: AsyncEngine, settings: Settings, topics: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, decisions = Gate(monkeypatch), Decisions()
    await accept(engine, settings, *(event(nr) for nr in range(9)))
    async with relaying(engine, settings, topics, decisions):
        await until(engine, "count(*) FILTER (WHERE utfall = 'release') = 4")
        while len(asked(decisions)) < 6:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)  # time to go on, if it did
        assert gate.calls == [["h-0", "h-1"]]
        assert len(asked(decisions)) == len(set(asked(decisions))) == 6
        gate.open.set()
        await until(engine, "count(publisert) = 9")
    assert sorted(asked(decisions)) == sorted(set(asked(decisions)))
    assert [from_kafka(r.headers).id for r in await published(settings)] == [f"h-{nr}" for nr in range(9)]


async def test_a_relay_killed_between_the_stages_sends_what_it_decided_as_it_was_sealed(
    engine: AsyncEngine, settings: Settings, topics: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Decisions(), Decisions()
    second.key = first.key
    await accept(engine, settings, *(event(nr) for nr in range(6)))
    with monkeypatch.context() as patch:
        gate = Gate(patch)
        async with relaying(engine, settings, topics, first) as killed:
            await until(engine, "count(*) FILTER (WHERE utfall = 'release') = 4")
            killed.cancel()
            await asyncio.wait({killed})
            assert gate.calls == [["h-0", "h-1"]]
    sealed = {r["id"]: r["innhold"] for r in await rows(engine, DECIDED)}
    async with relaying(engine, settings, topics, second):
        await until(engine, "count(publisert) = 6")
    assert sorted(asked(second)) == [5, 6]
    records = {from_kafka(r.headers).id: r for r in await published(settings)}
    assert {id_: records[id_].value for id_ in sealed} == sealed


async def test_a_batch_does_not_overtake_one_whose_outcome_is_unknown(
    engine: AsyncEngine, settings: Settings, topics: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = Publisher.send, list[list[str]]()

    async def forgetful(publisher: Publisher, records: Sequence[Outgoing]) -> list[Sent | None]:
        calls.append([from_kafka(r.headers).id for r in records])
        if len(calls) == 1:
            await asyncio.sleep(0.3)  # time to decide the next ones
            return [None] * len(records)
        return await real(publisher, records)

    monkeypatch.setattr(Publisher, "send", forgetful)
    await accept(engine, settings, *(event(nr) for nr in range(6)))
    async with relaying(engine, settings, topics, Decisions()):
        await until(engine, "count(publisert) = 6")
    assert calls[:2] == [["h-0", "h-1"]] * 2
    assert [from_kafka(r.headers).id for r in await published(settings)] == [f"h-{nr}" for nr in range(6)]


async def test_a_consent_given_while_a_withholding_is_on_its_way_to_the_journal_wakes_it(
    engine: AsyncEngine, settings: Settings, topics: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    decisions, held, go_on = Decisions(), asyncio.Event(), asyncio.Event()
    decisions.needs_consent = True
    real = Relay._save

    async def late(relay: Relay, *args: Any) -> None:
        held.set()
        await go_on.wait()
        await real(relay, *args)

    monkeypatch.setattr(Relay, "_save", late)
    await accept(engine, settings, event(1, person=CHILDREN[1]))
    async with relaying(engine, settings, topics, decisions):
        await held.wait()
        decisions.consent(subject_of(CHILDREN[1]))
        await asyncio.sleep(0.3)  # the feed has told it
        go_on.set()
        await until(engine, "count(publisert) = 1")


async def test_a_sweep_finds_what_the_feed_did_not_tell_and_writes_nothing_else(
    engine: AsyncEngine, settings: Settings, topics: Catalogue
) -> None:
    decisions = Decisions()
    decisions.needs_consent = True
    await accept(engine, settings, *(event(nr, person=CHILDREN[nr]) for nr in range(5)))
    async with relaying(engine, settings, topics, decisions, relay_sweep_s=0.1, relay_sweep_rows=2):
        await until(engine, "count(*) FILTER (WHERE utfall = 'withhold') = 5")
        before = {r["id"]: r["xmin"] for r in await rows(engine, "SELECT id, xmin::text FROM journal")}
        decisions.consented.add(subject_of(CHILDREN[3]))
        await until(engine, "count(publisert) = 1")
        swept = len(asked(decisions))
        while len(asked(decisions)) < swept + 8:
            await asyncio.sleep(0.02)
    after = {r["id"]: r["xmin"] for r in await rows(engine, "SELECT id, xmin::text FROM journal")}
    assert {id_ for id_ in after if after[id_] != before[id_]} == {"h-3"}


class Ill(Decisions):
    """Fails on the events of one child, or on all."""

    def __init__(self, fails_on: str) -> None:
        super().__init__()
        self.fails_on = fails_on
        self.all = False
        self.failed = 0

    async def decide(self, tjeneste: str, items: Sequence[api.AvgjorelseItem]) -> list[api.Avgjorelse]:
        if self.all or any(item["person"] == self.fails_on for item in items):
            self.failed += 1
            raise Failing("HTTP 500")
        return await super().decide(tjeneste, items)


async def test_a_row_that_samtykke_fails_on_is_found_and_parked_and_the_others_go(
    engine: AsyncEngine, settings: Settings, topics: Catalogue
) -> None:
    decisions = Ill(CHILDREN[3])
    await accept(engine, settings, *(event(nr, person=CHILDREN[nr]) for nr in range(6)))
    async with relaying(engine, settings, topics, decisions, relay_batch=10):
        await until(engine, "count(publisert) = 5 AND count(parkert) = 1")
    assert await parked(engine) == {"h-3": "feilet-i-samtykke"}
    assert decisions.failed > 2 * relay_module.ASK_TRIES


async def test_no_row_is_parked_while_samtykke_fails_on_all(
    engine: AsyncEngine, settings: Settings, topics: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "ASK_TRIES", 2)
    decisions = Ill("")
    decisions.all = True
    await accept(engine, settings, *(event(nr) for nr in range(3)))
    async with relaying(engine, settings, topics, decisions, relay_batch=10):
        while decisions.failed < 12:
            await asyncio.sleep(0.05)
        assert await parked(engine) == {}
        decisions.all = False
        await until(engine, "count(publisert) = 3")


async def test_records_of_a_key_stand_on_its_partition_in_order_though_they_fill_several_batches(
    settings: Settings, topics: Catalogue
) -> None:
    topic = settings.topic("skole.hendelser")
    records = [
        Outgoing(topic, f"barn-{nr % 7}".encode(), [("ce_id", b"%d" % nr)], bytes(150_000))
        for nr in range(60)
    ]
    publisher = Publisher(settings, "prove")
    alone = AIOKafkaProducer(bootstrap_servers=settings.kafka)
    await alone.start()
    try:
        sent = await publisher.send(records)
        kept = {(r.partition, r.offset): (r.key, dict(r.headers)["ce_id"]) for r in await published(settings)}
        for nr, (record, place) in enumerate(zip(records, sent, strict=True)):
            assert place is not None
            assert kept[place.partition, place.offset] == (record.key, b"%d" % nr)
            earlier = [p.offset for p in sent[:nr] if p and p.partition == place.partition]
            assert all(offset < place.offset for offset in earlier)
        for key in {r.key for r in records}:
            theirs = await alone.send_and_wait(topic, b"", key)
            assert theirs.partition in {
                p.partition for r, p in zip(records, sent, strict=True) if p and r.key == key
            }
    finally:
        await publisher.close()
        await alone.stop()
