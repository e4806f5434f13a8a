"""The whole process samtykke: HTTP on a port, the clockwork, and its own events on Kafka."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from backbone.clock import system_clock
from backbone.kafka import bootstrap
from backbone.samtykke_client import Rejected, SamtykkeClient
from backbone.seal import open_sealed
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from contracts.envelope import Envelope, from_kafka
from services.samtykke.main import run
from services.samtykke.tables import metadata, nokler_metadata
from tests.conftest import MakeDatabase
from tests.samtykke_fixture import ABSENCE, KOMMUNE, ORGNR, PUPIL, number, staff


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture
async def client(
    settings: Settings, topics: Catalogue, make_database: MakeDatabase
) -> AsyncIterator[SamtykkeClient]:
    await make_database("samtykke", metadata)
    await make_database("nokler", nokler_metadata)
    settings = settings.model_copy(update={"samtykke_port": free_port()})
    stop = asyncio.Event()
    running = asyncio.create_task(run(settings, topics, stop))
    try:
        async with asyncio.timeout(20), httpx.AsyncClient(trust_env=False) as http:
            while True:
                try:
                    await http.get(f"{settings.url('samtykke')}/helse")
                    break
                except httpx.TransportError:
                    assert not running.done(), running
                    await asyncio.sleep(0.05)
        async with SamtykkeClient(settings, "prove") as made:
            yield made
    finally:
        stop.set()
        async with asyncio.timeout(30):
            await running


def consent(**changed: Any) -> dict[str, Any]:
    return {
        "person": number(),
        "kommune": KOMMUNE,
        "hvem": "forelder",
        "fra_tjeneste": "skole",
        "til_tjenester": ["nav"],
        "kategorier": ["fravar"],
        "formal": "samarbeid",
        "gyldig_fra": system_clock(),
        "utloper": None,
        **changed,
    }


async def consume(settings: Settings, wanted: int) -> list[tuple[Envelope, bytes]]:
    consumer = AIOKafkaConsumer(
        settings.topic("samtykke.hendelser"),
        bootstrap_servers=bootstrap(settings),
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            records = [await consumer.getone() for _ in range(wanted)]
        return [(from_kafka(r.headers), r.value) for r in records]
    finally:
        await consumer.stop()


async def test_giving_running_out_and_withdrawing_reach_kafka_sealed_under_the_childs_key(
    client: SamtykkeClient, settings: Settings
) -> None:
    given = await client.call("POST", "/samtykke/samtykker", consent())
    await client.call("POST", f"/samtykke/samtykker/{given['samtykke']}/trekk")
    short = consent(kategorier=["skolegang"], utloper=system_clock() + timedelta(seconds=2))
    brief = await client.call("POST", "/samtykke/samtykker", short)
    events = await consume(settings, 4)
    assert {e.subject for e, _ in events} == {given["subject"]}
    assert {(e.beslutning, e.grunnlag) for e, _ in events} == {("release", "samtykke-koordinering")}
    (keys,) = await client.keys(
        [{"subject": given["subject"], "nokkelider": list({e.nokkelid for e, _ in events})}]
    )
    contents = []
    for envelope, value in events:
        key = base64.b64decode(keys["nokler"][envelope.nokkelid])
        content = orjson.loads(open_sealed(key, value, envelope.aad()))
        contents.append((envelope.type.rpartition(".")[2], content["nokkel"], content["versjon"]))
    assert contents == [
        ("gitt", given["samtykke"], 1),
        ("trukket", given["samtykke"], 2),
        ("gitt", brief["samtykke"], 1),
        ("utlopt", brief["samtykke"], 2),
    ]


async def test_the_client_of_the_other_processes_is_answered_as_the_contract_says(
    client: SamtykkeClient,
) -> None:
    item: Any = {
        "ref": 7, "person": number(), "sak": None, "subject": None, "kommune": KOMMUNE, "orgnr": ORGNR,
        "type": PUPIL, "time": system_clock(),
    }  # fmt: skip
    (decision,) = await client.decide("skole", [item])
    assert (decision["ref"], decision["outcome"]) == (7, "release")
    subject = decision["subject"]
    assert subject
    assert decision["nokkelid"]
    waiting = asyncio.create_task(client.changes(0, 5))
    await client.call("POST", "/samtykke/samtykker", consent())
    assert (await waiting)["subjects"] == [subject]
    assert [c["kategorier"] for c in await client.consents(subject)] == [["fravar"]]
    name = {"person": number(), "kommune": KOMMUNE, "navn": "Ola Nordmann"}
    await client.call("POST", "/samtykke/personer", name)
    viewer = staff("skole")
    assert await client.names(viewer, [subject]) == {subject: "Ola Nordmann"}
    assert (
        await client.search(viewer, navn="ola") == await client.search(viewer, person=number()) == [subject]
    )
    (read,) = await client.read(
        viewer,
        "oppfolging",
        [
            {
                "ref": 1, "subject": subject, "slag": "hendelse", "type": ABSENCE, "tjeneste": "skole",
                "kategori": "fravar", "skjerming": "T", "nokkelid": decision["nokkelid"], "kommune": KOMMUNE,
            }
        ],
    )  # fmt: skip
    assert (read["tilgang"], read["nokkel"]) == ("full", decision["nokkel"])
    with pytest.raises(Rejected) as rejected:
        await client.call("POST", "/samtykke/samtykker", consent(kategorier=["alt"]))
    assert rejected.value.problem["feil"][0]["kode"] == "kategori-ukjent"
