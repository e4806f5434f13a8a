"""Whatever is killed, nothing is lost and nothing doubled: the real thing, killed while 2,000 events come in."""

import asyncio
import base64
import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from backbone.database import create_engine, driver
from backbone.frister import (
    calendar_days_after,
    local_date,
    school_year,
    working_days_after,
)
from backbone.samtykke_client import InternalClient
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from contracts.personnummer import tenor
from contracts.samtykke_api import KOORDINATOR
from deploy.commands.felles import settings as settings_of
from deploy.demo import principals
from deploy.klient import Fagsystem, Journal
from deploy.kommune.hverdag import Sending
from deploy.kommune.kropper import KOMMUNE
from tests.up_process import Up, four_free_ports

EVENTS, PER_REQUEST, CHILDREN = 2_000, 20, 50
SEED = 20261122
PARTS = ("tjenester", "relay", "samtykke", "samordning", "kafka", "postgres")
SETTLED_WITHIN_S = 120
HAPPENED = datetime.now(UTC) - timedelta(hours=1)
SENDERS = ("skole", "helsestasjon", "barnevern", "nav")
CONSENTS = {"skole": ["fravar"], "helsestasjon": ["helseprogram"], "nav": ["nav-sosial"]}
RECIPIENTS = (*CONSENTS, "koordinerende-enhet", KOORDINATOR)
OUTCOMES = ("release", "shield", "withhold", "refuse")

pytestmark = pytest.mark.timeout(420)

Key = tuple[str, str]
"""(source, id) of an event."""
Duty = tuple[int, str, str, str, str, str]
"""Child, rule, occasion, state, owner, date."""


async def test_what_was_accepted_is_accounted_for_exactly_once_whatever_is_killed(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    port, data_dir = four_free_ports(), tmp_path / "d"
    sendinger = list(_sendinger())
    places = rng.sample(range(5, len(sendinger) - 5), len(PARTS))
    killed = dict(zip(places, rng.sample(PARTS, len(PARTS)), strict=True))
    restart_at = len(sendinger) // 2
    run = await Up.start(data_dir, port, "--uten-simulering")
    try:
        settings: Settings = settings_of(data_dir)
        children = await _register(settings)
        async with Fagsystem(
            settings.url("tjenester"), run.tokens(), Journal(tmp_path / "journal")
        ) as fagsystem:
            for nr, sending in enumerate(sendinger):
                if nr == restart_at:
                    assert await run.stop() == 0
                    run = await Up.start(data_dir, port, "--uten-simulering")
                on_its_way = asyncio.create_task(fagsystem.send(sending))
                if nr in killed:
                    await run.kill_part(killed[nr])
                await on_its_way
        accepted = _accepted(tmp_path / "journal")
        assert len(accepted) == EVENTS
        settings = settings_of(data_dir)
        found = await _settled(settings, accepted)
        _account_for(accepted, found)
        assert _digest(await _duties(settings, children)) == _digest(_expected_duties())
    finally:
        if run.process.returncode is None:
            await run.stop()


@dataclass(frozen=True)
class Found:
    """What the databases hold: `outcomes` in the services' journals ("park": set aside there), the rest in
    coordination's."""

    outcomes: Mapping[Key, str | None]
    unpublished: int
    timeline: Counter[Key]
    parked: Counter[Key]


def _account_for(accepted: set[Key], found: Found) -> None:
    """accepted = timeline ∪ withheld ∪ refused ∪ parked, each exactly once, and nothing from nowhere."""
    assert found.outcomes.keys() == accepted
    assert set(found.timeline.values()) == {1}
    of = {outcome: {key for key, got in found.outcomes.items() if got == outcome} for outcome in OUTCOMES}
    assert not found.timeline.keys() & found.parked.keys()
    assert found.timeline.keys() | found.parked.keys() == of["release"] | of["shield"]
    assert of["release"]
    assert of["shield"]
    assert of["withhold"]


def _accepted(journal: Path) -> set[Key]:
    """What the sender was promised, from the file it kept."""
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert not [line for line in lines if line["utfall"] == "feil"]
    return {(r["source"], r["id"]) for line in lines for r in line.get("kvitteringer", ())}


async def _settled(settings: Settings, accepted: set[Key]) -> Found:
    """Waits until everything is decided, published and read, then looks."""
    async with asyncio.timeout(SETTLED_WITHIN_S):
        while True:
            found = await _look(settings)
            published = sum(outcome in ("release", "shield") for outcome in found.outcomes.values())
            read = found.timeline.total() + found.parked.total()
            if None not in found.outcomes.values() and not found.unpublished and read >= published:
                return found
            await asyncio.sleep(1)


async def _look(settings: Settings) -> Found:
    outcomes: dict[Key, str | None] = {}
    unpublished = 0
    for owner in Catalogue.standard().tjenester:
        for row in await _rows(settings, owner, "SELECT source, id, utfall, publisert, parkert FROM journal"):
            outcomes[row["source"], row["id"]] = "park" if row["parkert"] else row["utfall"]
            unpublished += row["utfall"] in ("release", "shield") and not (row["publisert"] or row["parkert"])
    told = await _rows(
        settings, "samordning", "SELECT source, id FROM tidslinje WHERE type NOT LIKE '%.samtykke.%'"
    )
    parked = await _rows(settings, "samordning", "SELECT hoder FROM parkert")
    return Found(
        outcomes,
        unpublished,
        Counter((row["source"], row["id"]) for row in told),
        Counter(_key_of(orjson.loads(row["hoder"])) for row in parked),
    )


def _key_of(headers: list[tuple[str, str]]) -> Key:
    plain = {name: base64.b64decode(value).decode() for name, value in headers}
    return plain["ce_source"], plain["ce_id"]


async def _rows(settings: Settings, database: str, query: str) -> list[asyncpg.Record]:
    engine = create_engine(settings, database, pool_size=1)
    try:
        async with engine.connect() as connection:
            return list(await (await driver(connection)).fetch(query))
    finally:
        await engine.dispose()


async def _register(settings: Settings) -> dict[str, int]:
    """Every child, by subject; every second one with consents from all services to all."""
    children = {}
    async with InternalClient(settings, "test", "samtykke") as samtykke:
        for child in range(CHILDREN):
            person = {"person": _person(child), "kommune": KOMMUNE}
            known = await samtykke.call("POST", "/samtykke/personer", {**person, "navn": f"Barn {child}"})
            children[known["subject"]] = child
            for tjeneste, kategorier in CONSENTS.items() if _consenting(child) else ():
                samtykke_gitt = {
                    **person,
                    "hvem": "begge-foreldre",
                    "fra_tjeneste": tjeneste,
                    "til_tjenester": [navn for navn in RECIPIENTS if navn != tjeneste],
                    "kategorier": kategorier,
                    "formal": "Samordnet hjelp",
                    "gyldig_fra": HAPPENED - timedelta(days=30),
                    "utloper": None,
                }
                await samtykke.call("POST", "/samtykke/samtykker", samtykke_gitt)
    return children


async def _duties(settings: Settings, children: Mapping[str, int]) -> list[Duty]:
    async with InternalClient(settings, "test", "samordning") as samordning:
        tasks = (await samordning.call("GET", "/samordning/oppgaver"))["oppgaver"]
    return [
        (children[t["subject"]], t["regel"], t["anledning"], t["status"], t["eier"], t["frist"])
        for t in tasks
    ]


def _expected_duties() -> Iterator[Duty]:
    """Each melding its seven days; where consents let others know, cooperation and the risk of dropping out."""
    barnevern = principals(Catalogue.standard().tjenester)["barnevern"]
    day = local_date(HAPPENED)
    year = school_year(day, 8)
    for child in range(CHILDREN):
        for nr in range(child, EVENTS, CHILDREN):
            if _event(nr)[0] == "barnevern":
                occasion = f"/{KOMMUNE}/barnevern/{barnevern.orgnr} n{nr}"
                due = calendar_days_after(day, 7)
                yield child, "bekymringsmelding", occasion, "aapen", "barnevern", str(due)
        if _consenting(child):
            dropout, cooperation = working_days_after(day, 10), working_days_after(day, 14)
            yield child, "frafall", f"{year}-{year + 1}", "aapen", "skole", str(dropout)
            yield child, "samarbeid", "forste", "aapen", "koordinerende-enhet", str(cooperation)


def _digest(duties: Iterable[Duty]) -> str:
    return hashlib.sha256(orjson.dumps(sorted(duties))).hexdigest()


def _sendinger() -> Iterator[Sending]:
    """Forty events on each of fifty children, in requests of one service each."""
    per_service: dict[str, list[dict[str, Any]]] = {navn: [] for navn in SENDERS}
    for nr in range(EVENTS):
        tjeneste, event = _event(nr)
        per_service[tjeneste].append(event)
    requests = [
        (tjeneste, events[start : start + PER_REQUEST])
        for tjeneste, events in per_service.items()
        for start in range(0, len(events), PER_REQUEST)
    ]
    random.Random(SEED).shuffle(requests)
    for nr, (tjeneste, events) in enumerate(requests):
        yield Sending(tjeneste, HAPPENED, b"\n".join(map(orjson.dumps, events)), f"sending-{nr}")


def _event(nr: int) -> tuple[str, dict[str, Any]]:
    """Who sends the `nr`th event, and what: kinds that are released, shielded and withheld."""
    event = {"person": _person(nr % CHILDREN), "tid": HAPPENED.isoformat(), "nokkel": f"n{nr}"}
    match nr // CHILDREN % 5:
        case 0:
            data = {"dager": 10, "timer": 0, "periode": "skoleåret", "regel": "test"}
            return "skole", {**event, "type": "fravaer.terskel-passert", "data": data}
        case 1:
            held = {"dato": str(HAPPENED.date())}
            return "helsestasjon", {**event, "type": "konsultasjon.gjennomfort", "data": held}
        case 2:
            return "barnevern", {
                **event,
                "type": "henvendelse.mottatt",
                "data": {"slag": 2, "melderkode": "23"},
            }
        case 3:
            return "nav", {**event, "type": "soknad.status-endret", "data": {"status": "MOTTATT"}}
        case _:
            return "skole", {**event, "type": "overgang.planlagt", "data": {"slag": "skole-vgs"}}


def _person(child: int) -> str:
    return tenor(date(2012, 3, 1 + child % 28), child)


def _consenting(child: int) -> bool:
    return child % 2 == 0
