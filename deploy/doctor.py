"""What is wrong with an installation, looked at from outside: engines, topics, databases, parts, relays, consumers.

Nothing is changed. Each finding is a code with numbers and names of ours, so a report can be sent to anybody.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from sqlalchemy.exc import DBAPIError

from backbone import consumer_end
from backbone.client import http_client
from backbone.database import create_engine, driver
from backbone.kafka import bootstrap
from backbone.settings import KEYS, MissingSecret, Settings
from contracts.catalogue import Catalogue
from contracts.tjenester import SAMORDNING, SAMTYKKE
from contracts.topics import INNBOKS, event_topic
from deploy.migrate import strays

Alvor = Literal["feil", "advarsel"]
Place = tuple[str, int]
"""(topic, partition)"""

INNBOKS_PART = "innboks"
PARTS = ("samtykke", "portal", "tjenester", "relay", INNBOKS_PART, "samordning")
SKEW_S_MAX = 2.0
ANSWER_S = 5.0
AWAY = (asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError, OSError, KafkaError, MissingSecret)

_LOCK_HELD = """
SELECT EXISTS (
    SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
     WHERE d.datname = current_database() AND locktype = 'advisory' AND granted
       AND classid::int8 = hashtext('samspor-relay')::int8 & 4294967295
       AND objid::int8 = hashtext($1)::int8 & 4294967295)
"""
_JOURNAL = """
SELECT count(*) FILTER (WHERE mottatt < now() - make_interval(secs => $1)) AS gamle,
       coalesce(extract(epoch FROM now() - min(mottatt)), 0)::int AS eldste_s,
       (SELECT count(*) FROM journal WHERE parkert IS NOT NULL) AS parkert
FROM journal WHERE trenger_relay AND utfall IS DISTINCT FROM 'withhold' AND parkert IS NULL
"""
_LANE = """
SELECT EXISTS (
    SELECT FROM utsending WHERE innhold IS NOT NULL AND mottatt < now() - make_interval(secs => $1)) AS star
"""
_INBOX = """
SELECT EXISTS (SELECT FROM melding WHERE kommune IS NULL) AS "innboks-nokkel",
       EXISTS (SELECT FROM parkert) AS "innboks-parkert"
"""
_READERS = {
    SAMORDNING: "SELECT topic, partition, neste_offset AS neste FROM posisjon",
    "portal": "SELECT emne AS topic, partisjon AS partition, neste FROM posisjon",
    INNBOKS_PART: "SELECT NULL AS topic, partisjon AS partition, neste FROM posisjon",
}


@dataclass(frozen=True)
class Finding:
    """`kode` names the message (`lege-<kode>`) that says what is wrong, and what to do; `args` fill it in."""

    kode: str
    alvor: Alvor
    args: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """`undecided_s`: how old a row may be that the relay has still to handle. `watch_s`: how long positions are
    watched; one that gets on slower than that looks static."""

    undecided_s: int = 300
    watch_s: float = 3.0


class Doctor:
    """One look at an installation; never raises because something is wrong with it."""

    def __init__(self, settings: Settings, catalogue: Catalogue, limits: Limits) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._limits = limits
        self._owners = (*catalogue.tjenester, SAMTYKKE, SAMORDNING)

    async def examine(self) -> list[Finding]:
        """All findings, errors first. Where an engine is away, what needs it is not looked at."""
        parts, database, kafka = await asyncio.gather(self._parts(), self._database(), self._kafka())
        findings = [*self._secrets(), *database, *kafka, *parts]
        if not any(f.kode in ("postgres-borte", "database-gammel", "database-nyere") for f in database):
            findings += await self._journals()
            findings += await self._parked()
            findings += await self._lane()
            if not any(f.kode == "kafka-borte" for f in kafka):
                findings += [f for f in await self._readers() if f not in findings]
        return sorted(findings, key=lambda f: f.alvor != "feil")

    def _secrets(self) -> list[Finding]:
        found = []
        for name in KEYS:
            try:
                self._settings.secret_bytes(name)
            except MissingSecret:
                found.append(Finding("hemmelighet", "feil", {"variabel": f"SAMSPOR_{name.upper()}"}))
        return found

    async def _parts(self) -> list[Finding]:
        async with http_client(timeout=ANSWER_S) as http:
            return [f for found in await asyncio.gather(*(self._part(http, p) for p in PARTS)) for f in found]

    async def _part(self, http: httpx.AsyncClient, part: str) -> list[Finding]:
        url = self._settings.url(part)
        try:
            answer = await http.get(f"{url}/helse")
        except httpx.HTTPError as error:
            return [Finding("del-borte", "feil", {"del": part, "adresse": url, "feil": type(error).__name__})]
        if not answer.is_success:
            return [Finding("del-syk", "feil", {"del": part, "status": answer.status_code})]
        try:
            # The header is whole seconds, and up to one second old.
            said = parsedate_to_datetime(answer.headers["date"])
        except (KeyError, ValueError):
            return []
        return _skew(part, (said - datetime.now(UTC)).total_seconds() + 0.5, SKEW_S_MAX + 1)

    async def _database(self) -> list[Finding]:
        try:
            async with asyncio.timeout(2 * ANSWER_S):
                old, newer = await strays(self._settings, self._catalogue)
                if old or newer:
                    named = {"database-gammel": old, "database-nyere": newer}
                    return [Finding(k, "feil", {"navn": ", ".join(n)}) for k, n in named.items() if n]
                before = time.time()
                (row,) = await self._rows(
                    SAMTYKKE, "SELECT extract(epoch FROM clock_timestamp())::float8 AS tid"
                )
                return _skew("PostgreSQL", row["tid"] - (before + time.time()) / 2, SKEW_S_MAX)
        except AWAY as error:
            return [Finding("postgres-borte", "feil", {"feil": type(error).__name__})]

    async def _kafka(self) -> list[Finding]:
        try:
            async with asyncio.timeout(2 * ANSWER_S):
                admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap(self._settings))
                try:
                    await admin.start()
                    wanted = {self._settings.topic(t.navn): t for t in self._catalogue.topics()}
                    known = [t for t in await admin.list_topics() if t in wanted]
                    described = await admin.describe_topics(known)
                    kept = await _kept_ms(admin, known)
                finally:
                    await admin.close()
        except AWAY as error:
            return [Finding("kafka-borte", "feil", {"feil": type(error).__name__})]
        missing = [t for t in wanted if t not in known]
        found = [Finding("emne-mangler", "feil", {"navn": ", ".join(missing)})] if missing else []
        for topic in described:
            name, has = topic["topic"], len(topic["partitions"])
            if has != (partitions := wanted[name].partitions):
                found.append(
                    Finding("emne-partisjoner", "feil", {"navn": name, "har": has, "skal": partitions})
                )
        for name, topic in wanted.items():
            if (ms := kept.get(name, -1)) != -1 and not 0 <= topic.retention_ms <= ms:
                short = {"navn": name, "har": str(ms), "skal": str(topic.retention_ms)}
                found.append(Finding("emne-lagring", "feil", short))
        return found

    async def _journals(self) -> list[Finding]:
        found = []
        for owner in self._owners:
            (held,) = await self._rows(owner, _LOCK_HELD, owner)
            (journal,) = await self._rows(owner, _JOURNAL, self._limits.undecided_s)
            if not held["exists"]:
                found.append(Finding("formidler-mangler", "feil", {"journal": owner}))
            if journal["gamle"]:
                stands = {"journal": owner, "antall": journal["gamle"], "sekunder": journal["eldste_s"]}
                found.append(Finding("journal-henger", "feil", stands))
            if journal["parkert"]:
                found.append(Finding("parkert", "advarsel", {"hvor": owner, "antall": journal["parkert"]}))
        return found

    async def _lane(self) -> list[Finding]:
        """Whether reports to barnevern get through (whether the inbox reads them: `_readers`), and never whose or how
        many: that is nobody else's to know."""
        waiting = [
            (await self._rows(owner, _LANE, self._limits.undecided_s))[0]["star"]
            for owner in self._catalogue.tjenester
        ]
        found = [Finding("meldevei-star", "feil")] if any(waiting) else []
        (inbox,) = await self._rows(INNBOKS_PART, _INBOX)
        return [*found, *(Finding(code, "feil") for code, so in inbox.items() if so)]

    async def _parked(self) -> list[Finding]:
        found = []
        for reader in (SAMORDNING, "portal"):
            (row,) = await self._rows(reader, "SELECT count(*) AS antall FROM parkert")
            if row["antall"]:
                found.append(Finding("parkert", "advarsel", {"hvor": reader, "antall": row["antall"]}))
        return found

    async def _readers(self) -> list[Finding]:
        """Who has something to read and does not move while watched."""
        found = []
        try:
            ends = await self._ends()
        except AWAY:
            return []  # said already, or gone meanwhile
        before = {reader: await self._positions(reader) for reader in _READERS}
        if not any(_waiting(ends[reader], before[reader]) for reader in _READERS):
            return []
        await asyncio.sleep(self._limits.watch_s)
        for reader in _READERS:
            after = await self._positions(reader)
            static = {
                place: behind
                for place, behind in _waiting(ends[reader], after).items()
                if after.get(place, 0) == before[reader].get(place, 0)
            }
            if static and reader == INNBOKS_PART:
                found.append(Finding("meldevei-star", "feil"))
            elif static:
                waiting = {"antall": sum(static.values()), "partisjoner": len(static)}
                found.append(Finding("leser-star", "feil", {"leser": reader, **waiting}))
        return found

    async def _positions(self, reader: str) -> dict[Place, int]:
        rows = await self._rows(reader, _READERS[reader])
        inbox = self._settings.topic(INNBOKS.navn)
        return {(r["topic"] or inbox, r["partition"]): r["neste"] for r in rows}

    async def _ends(self) -> dict[str, dict[Place, int]]:
        """Per reader, where each partition it should read ends; one in which nothing is kept any more is left out."""
        topics = {
            SAMORDNING: [self._settings.topic(name) for name in self._catalogue.event_topics()],
            "portal": [self._settings.topic(event_topic(SAMORDNING).navn)],
            INNBOKS_PART: [self._settings.topic(INNBOKS.navn)],
        }
        wanted = {topic for names in topics.values() for topic in names}
        consumer = AIOKafkaConsumer(*wanted, bootstrap_servers=bootstrap(self._settings))
        try:
            async with asyncio.timeout(2 * ANSWER_S):
                await consumer.start()
                places = [
                    TopicPartition(topic, partition)
                    for topic in wanted
                    for partition in consumer.partitions_for_topic(topic) or ()
                ]
                begins = await consumer.beginning_offsets(places)
                ends = await consumer.end_offsets(places)
        finally:
            await consumer_end.end(consumer)
        return {
            reader: {
                (tp.topic, tp.partition): end
                for tp, end in ends.items()
                if tp.topic in names and begins[tp] < end
            }
            for reader, names in topics.items()
        }

    async def _rows(self, database: str, query: str, *args: Any) -> list[asyncpg.Record]:
        engine = create_engine(self._settings, database, pool_size=2)
        try:
            async with engine.connect() as connection:
                return list(await (await driver(connection)).fetch(query, *args))
        finally:
            await engine.dispose()


async def _kept_ms(admin: AIOKafkaAdminClient, topics: list[str]) -> dict[str, int]:
    """How long each topic keeps what is in it, -1 for ever; left out where we may not ask."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, {"retention.ms": None}) for name in topics]
    resources = [r for answer in await admin.describe_configs(asked) for r in answer.resources]
    return {name: int(value) for *_, name, entries in resources for _, value, *_ in entries}


def _waiting(ends: Mapping[Place, int], positions: Mapping[Place, int]) -> dict[Place, int]:
    """How much each partition has that its reader has not read."""
    return {place: end - at for place, end in ends.items() if (at := positions.get(place, 0)) < end}


def _skew(who: str, seconds: float, most: float) -> list[Finding]:
    if abs(seconds) <= most:
        return []
    return [Finding("klokke", "feil", {"hvem": who, "sekunder": round(seconds)})]
