"""Alerts on their way from Kafka to the portal's database: kept once, in order, and none lost."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.failures import Retry
from backbone.kafka import Outgoing, Publisher
from backbone.settings import Settings
from consumers.portal.tables import metadata, parkert, posisjon, varsel
from consumers.portal.varsellager import Varsellager
from consumers.portal.varselmottak import Varselmottak
from consumers.portal.varselstrom import Vekker
from contracts.catalogue import Catalogue
from contracts.envelope import Envelope, to_kafka
from tests.conftest import NOW, MakeDatabase

KOMMUNE = "4601"
TOPIC = "samordning.hendelser"


def told(task: str, steg: str = "opprettet", nr: int = 1, kommune: str = KOMMUNE) -> Envelope:
    full_type = f"no.samspor.samordning.oppgave.{steg}"
    return Envelope.model_validate(
        {
            "id": str(uuid.uuid5(uuid.UUID(task), f"{steg}\n{nr}")),
            "source": f"/{kommune}/samordning/000000000",
            "type": full_type,
            "subject": str(uuid.uuid4()),
            "time": NOW,
            "recordedtime": NOW + timedelta(seconds=1),
            "dataschema": Envelope.dataschema_of(full_type, 1),
            "kommune": kommune,
            "orgnr": "000000000",
            "kategori": "koordinering",
            "skjerming": "T",
            "grunnlag": "gdpr-6-1-e",
            "beslutning": "shield",
            "lovversjon": "2026-11-01",
            "nokkelid": str(uuid.uuid4()),
            "causationid": "arsak-1",
        },
        strict=False,
    )


def record(settings: Settings, envelope: Envelope) -> Outgoing:
    key, headers = to_kafka(envelope)
    return Outgoing(settings.topic(TOPIC), key, headers, b"sealed")


@pytest.fixture
async def engine(make_database: MakeDatabase) -> AsyncEngine:
    return await make_database("portal", metadata)


@pytest.fixture
async def publisher(settings: Settings) -> AsyncIterator[Publisher]:
    made = Publisher(settings, "prove")
    yield made
    await made.close()


@asynccontextmanager
async def receiving(settings: Settings, lager: Varsellager, vekker: Vekker) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(Varselmottak(settings, lager, vekker.wake, lambda: NOW).run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(running, 30)


async def count(engine: AsyncEngine, wanted: int) -> int:
    """The number of alerts, when it has come to `wanted` or ten seconds have gone."""
    found = 0
    for _ in range(200):
        async with engine.connect() as conn:
            found = int(await conn.scalar(select(func.count()).select_from(varsel)) or 0)
        if found >= wanted:
            break
        await asyncio.sleep(0.05)
    return found


async def test_alerts_are_kept_once_and_those_who_watch_are_woken(
    settings: Settings, topics: Catalogue, engine: AsyncEngine, publisher: Publisher
) -> None:
    lager, vekker = Varsellager(engine), Vekker()
    tasks = [str(uuid.uuid4()) for _ in range(3)]
    with vekker.flag() as flag:
        async with receiving(settings, lager, vekker):
            await publisher.send([record(settings, told(t)) for t in tasks] * 2)
            await asyncio.wait_for(flag.wait(), 20)
            assert await count(engine, 3) == 3
        async with receiving(settings, lager, vekker):
            await publisher.send(
                [record(settings, told(tasks[0])), record(settings, told(tasks[0], "utfort", 2))]
            )
            assert await count(engine, 4) == 4
    found = await lager.after(0, KOMMUNE)
    assert [v.sekvens for v in found] == sorted({v.sekvens for v in found})
    assert {t for t in tasks if any(v.tells_of(t) for v in found)} == set(tasks)
    assert [v.steg for v in found if v.tells_of(tasks[0])] == ["opprettet", "utfort"]
    assert await lager.after(found[-1].sekvens, KOMMUNE) == []
    assert await lager.after(0, "0301") == []
    assert await lager.latest() == found[-1].sekvens


async def test_what_is_no_alert_is_set_aside_and_stops_no_other(
    settings: Settings, topics: Catalogue, engine: AsyncEngine, publisher: Publisher
) -> None:
    good = record(settings, told(str(uuid.uuid4())))
    broken = Outgoing(good.topic, good.key, [("ce_specversion", b"1.0")], b"")
    future = Outgoing(good.topic, good.key, [("ce_specversion", b"2.0")], b"")
    await publisher.send([broken, future, good])
    async with receiving(settings, Varsellager(engine), Vekker()):
        assert await count(engine, 1) == 1
    async with engine.connect() as conn:
        reasons = set(await conn.scalars(select(parkert.c.grunn)))
        following = await conn.scalar(select(func.max(posisjon.c.neste)))
    assert reasons == {"MalformedEnvelope", "FutureVersion"}
    assert following == 3


async def test_offsets_are_not_committed_before_the_alerts_are_kept(
    settings: Settings, topics: Catalogue, engine: AsyncEngine, publisher: Publisher
) -> None:
    class Away(Varsellager):
        calls = 0

        async def take(self, *args: object, **kwargs: object) -> int:
            Away.calls += 1
            if Away.calls <= 2:
                raise Retry("away")
            return await super().take(*args, **kwargs)  # type: ignore[arg-type]

    await publisher.send([record(settings, told(str(uuid.uuid4())))])
    async with receiving(settings, Away(engine), Vekker()):
        assert await count(engine, 1) == 1
    assert Away.calls == 3


async def test_a_number_once_seen_is_followed_by_higher_ones_only(engine: AsyncEngine) -> None:
    """Two writers at once take turns: a reader that saw 5 never finds a 4 later."""
    lager = Varsellager(engine)
    seen: list[int] = []

    async def write() -> None:
        for _ in range(20):
            await lager.take([told(str(uuid.uuid4()))], {(TOPIC, 0): 1}, [], NOW)

    async def read() -> None:
        while len(seen) < 40:
            seen.extend(v.sekvens for v in await lager.after(seen[-1] if seen else 0, KOMMUNE))

    async with asyncio.timeout(30):
        await asyncio.gather(write(), write(), read())
    assert len(seen) == len(set(seen)) == 40


async def test_with_the_database_away_it_says_so(settings: Settings) -> None:
    from backbone.database import create_engine

    engine = create_engine(settings, "finnes_ikke")
    with pytest.raises(Retry):
        await Varsellager(engine).latest()
    await engine.dispose()
