"""What there is: whether all has come to rest, and what the databases, Kafka, the logs and the read gate then hold."""

import asyncio
import base64
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import asyncpg
import httpx
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from backbone.clock import system_clock
from backbone.database import DATABASE_AWAY
from backbone.failures import Retry
from backbone.kafka import bootstrap
from backbone.samtykke_client import SamtykkeClient
from backbone.tokens import Principal
from contracts import samtykke_api as api
from contracts.tjenester import SAMORDNING
from contracts.topics import INNBOKS
from deploy.kommune.kropper import KOMMUNE
from tests.faults.check import Duty, Found, Key
from tests.faults.load import CONSENTS, Child, Load
from tests.faults.scratch import ROWS, derived
from tests.faults.stack import Stack

KAFKA_TIMEOUT_S = 30.0
AWAY = (*DATABASE_AWAY, KafkaError, Retry)
Place = tuple[str, int, int]
Ends = Mapping[TopicPartition, int]

_UNDONE = (
    "SELECT count(*) AS n FROM journal WHERE parkert IS NULL"
    " AND (utfall IS NULL OR (utfall IN ('release', 'shield') AND publisert IS NULL))"
)
_WITHHELD = "SELECT source, id FROM journal WHERE utfall = 'withhold'"
_UNSENT_REPORTS = "SELECT count(*) AS n FROM utsending WHERE innhold IS NOT NULL"
_REPORTS_READ = "SELECT coalesce(sum(neste), 0)::int8 AS n FROM posisjon"
_BEHIND = (
    "SELECT count(*) AS n FROM unnest($1::text[], $2::int[], $3::bigint[]) AS slutt (topic, partition, naadd)"
    " LEFT JOIN posisjon p USING (topic, partition) WHERE coalesce(p.neste_offset, 0) < slutt.naadd"
)


class Witness:
    """Reads Kafka beside everybody else, in no group."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._watcher: AIOKafkaConsumer | None = None
        settings = stack.settings
        self.read_by_coordination = [settings.topic(name) for name in stack.catalogue.event_topics()]
        self._partitions = [
            TopicPartition(settings.topic(topic.navn), nr)
            for topic in stack.catalogue.topics()
            for nr in range(topic.partitions)
        ]

    async def ends(self) -> Ends:
        """The end of every partition now. Raises KafkaError or TimeoutError."""
        try:
            async with asyncio.timeout(KAFKA_TIMEOUT_S):
                if self._watcher is None:
                    self._watcher = await self._consumer()
                return await self._ends(self._watcher)
        except (KafkaError, TimeoutError):
            await self.close()  # a consumer that saw the broker go may never come back (aiokafka #1154)
            raise

    async def since(self, start: Ends, topics: Collection[str] | None = None) -> list[Any]:
        """Every record from `start` to the ends as they are now, of all topics or of these. Raises KafkaError."""
        consumer = await self._consumer()
        try:
            ends = await self._ends(consumer)
            wanted = {tp: end for tp, end in ends.items() if end > start.get(tp, 0)}
            wanted = {tp: end for tp, end in wanted.items() if topics is None or tp.topic in topics}
            for tp in wanted:
                consumer.seek(tp, start.get(tp, 0))
            consumer.resume(*wanted)
            records: list[Any] = []
            while wanted:
                for tp, some in (await consumer.getmany(timeout_ms=500)).items():
                    records += [r for r in some if tp in wanted and r.offset < wanted[tp]]
                wanted = {tp: end for tp, end in wanted.items() if await consumer.position(tp) < end}
            return records
        finally:
            await consumer.stop()

    async def close(self) -> None:
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            await watcher.stop()

    async def _consumer(self) -> AIOKafkaConsumer:
        """Assigned everything, and fetching nothing yet."""
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap(self._stack.settings), group_id=None)
        await consumer.start()
        consumer.assign(self._partitions)
        consumer.pause(*self._partitions)
        return consumer

    async def _ends(self, consumer: AIOKafkaConsumer) -> Ends:
        found: Ends = await consumer.end_offsets(self._partitions)
        return found


async def at_rest(stack: Stack, witness: Witness, allowed: Mapping[Key, Collection[str]]) -> bool:
    """Every part answers, every row is decided and published, what a consent now covers waits no longer, every record
    is read."""
    try:
        if not await stack.all_answer():
            return False
        for owner in stack.owners:
            if (await stack.rows(owner, _UNDONE))[0]["n"]:
                return False
        for owner in stack.catalogue.tjenester:
            if (await stack.rows(owner, _UNSENT_REPORTS))[0]["n"]:
                return False
            for row in await stack.rows(owner, _WITHHELD):
                if "withhold" not in allowed.get((row["source"], row["id"]), ("withhold",)):
                    return False
        found = await witness.ends()
        reports = sum(end for tp, end in found.items() if tp.topic == stack.settings.topic(INNBOKS.navn))
        if (await stack.rows("innboks", _REPORTS_READ))[0]["n"] < reports:
            return False
        ends = [
            (tp.topic, tp.partition, end)
            for tp, end in found.items()
            if tp.topic in witness.read_by_coordination
        ]
        behind = await stack.rows(SAMORDNING, _BEHIND, *map(list, zip(*ends, strict=True)))
        unsent = await stack.rows(SAMORDNING, "SELECT count(*) AS n FROM parkert WHERE sendt IS NULL")
        return not behind[0]["n"] and not unsent[0]["n"]
    except AWAY:
        return False


async def look(
    stack: Stack, witness: Witness, load: Load, start: Ends, injected: Collection[Place], before: "Before"
) -> Found:
    """Everything that the checker wants to know, of the load's own events and children."""
    journal: dict[Key, str | None] = {}
    for owner in stack.catalogue.tjenester:
        for row in await stack.rows(owner, "SELECT source, id, utfall, parkert FROM journal"):
            journal[row["source"], row["id"]] = "park" if row["parkert"] else row["utfall"]
    told = await stack.rows(SAMORDNING, "SELECT source, id FROM tidslinje WHERE type NOT LIKE '%.samtykke.%'")
    counts = await stack.rows(
        SAMORDNING,
        "SELECT (SELECT count(*) FROM tidslinje) AS rows, (SELECT sum(hendelser) FROM posisjon)::int8 AS counted",
    )
    parked = [row for row in await stack.rows(SAMORDNING, _PARKED) if _place(row) not in before.set_aside]
    records = await witness.since(start)
    sent = [r for r in records if (r.topic, r.partition, r.offset) not in injected]
    own_topics = {stack.settings.topic(f"{t}.hendelser") for t in stack.catalogue.tjenester}
    subjects = list(load.subjects)
    rows = await stack.rows(SAMORDNING, ROWS, subjects)
    tasks = await stack.rows(SAMORDNING, _TASKS, subjects)
    return Found(
        journal=journal,
        timeline=Counter((row["source"], row["id"]) for row in told),
        kafka=Counter(_key(r.headers) for r in sent if r.topic in own_topics),
        parked=Counter(_key(_headers(row["hoder"])) for row in parked if _place(row) not in injected),
        inbox=await _inbox(stack),
        injected=frozenset(injected),
        set_aside=frozenset(map(_place, parked)),
        rows=counts[0]["rows"],
        rows_counted=counts[0]["counted"] or 0,
        tasks=Counter((t["subject"], t["regel"], t["anledning"]) for t in tasks),
        duties=frozenset(_duty(t) for t in tasks if t["status"] != "bortfalt"),
        derived=await derived(rows, stack.settings, stack.catalogue, system_clock()),
        exposed=(*_spoken(load, records, stack), *await _shown(stack, load.subjects, subjects)),
    )


class Before:
    """What there was when a run on a used stack began."""

    def __init__(self, set_aside: Collection[Place]) -> None:
        self.set_aside = set_aside

    @classmethod
    async def of(cls, stack: Stack) -> "Before":
        return cls({_place(row) for row in await stack.rows(SAMORDNING, _PARKED)})


_PARKED = 'SELECT topic, partition, "offset", hoder FROM parkert'
_TASKS = (
    "SELECT subject::text, regel, anledning, status, eier, frist FROM oppgave WHERE subject = ANY($1::uuid[])"
)
_TIMELINE = (
    "SELECT subject::text, type, tjeneste, kategori, skjerming, kommune, nokkelid::text FROM tidslinje"
    " WHERE subject = ANY($1::uuid[]) AND type NOT LIKE '%.samtykke.%'"
)


async def _inbox(stack: Stack) -> Counter[Key]:
    """Every report that barnevern is given, acknowledged or not."""
    found: Counter[Key] = Counter()
    headers = {"authorization": f"Bearer {stack.up.tokens()['barnevern']}"}
    after = 0
    async with httpx.AsyncClient(timeout=30, trust_env=False, headers=headers) as http:
        while True:
            url = f"{stack.settings.url('tjenester')}/barnevern/innboks"
            page = (await http.get(url, params={"alle": True, "antall": 1000, "etter": after})).json()
            reports = [report["hendelse"] for report in page["meldinger"]]
            found.update((report["source"], report["id"]) for report in reports)
            if not reports:
                return found
            after = page["neste"]


def _spoken(load: Load, records: Collection[Any], stack: Stack) -> Iterator[str]:
    """Words of the load that stand in the open: on Kafka, in a log."""
    words = load.plan.words
    for r in records:
        said = b"\n".join((r.key or b"", r.value or b"", *(value or b"" for _, value in r.headers)))
        if any(word in said for word in words):
            yield f"a word at {r.topic}/{r.partition}/{r.offset}"
    for name, said in stack.logs():
        if any(word in said for word in words):
            yield f"a word in {name}"


async def _shown(stack: Stack, children: Mapping[str, Child], subjects: list[str]) -> list[str]:
    """Rows that the read gate gives to a professional of a service that neither sent them nor is named by a consent."""
    rows = await stack.rows(SAMORDNING, _TIMELINE, subjects)
    wrong = []
    async with SamtykkeClient(stack.settings, "test") as samtykke:
        for viewer in ("skole", "helsestasjon", "barnevern", "nav"):
            who = Principal(
                sub=f"test:{viewer}",
                rolle="fagperson",
                orgnr="310000099",
                kommune=KOMMUNE,
                tjeneste=viewer,
            )
            barred = [r for r in rows if not _may_read(viewer, r, children[r["subject"]])]
            items: list[api.LesingItem] = [
                {"ref": nr, "slag": "hendelse", **dict(row)}  # type: ignore[typeddict-item]  # the columns are its fields
                for nr, row in enumerate(barred)
            ]
            answers = await samtykke.read(who, "kontroll", items) if items else []
            wrong += [
                f"{viewer} is shown {barred[a['ref']]['type']}" for a in answers if a["tilgang"] != "deny"
            ]
    return wrong


def _may_read(viewer: str, row: asyncpg.Record, child: Child) -> bool:
    if row["tjeneste"] == viewer or row["skjerming"] == "N":
        return True
    covered = child.consents != "never" and row["kategori"] in CONSENTS.get(row["tjeneste"], ())
    return covered and viewer in CONSENTS


def _duty(row: asyncpg.Record) -> Duty:
    return (
        row["subject"],
        row["regel"],
        row["anledning"],
        row["status"],
        row["eier"],
        row["frist"].isoformat(),
    )


def _place(row: asyncpg.Record) -> Place:
    return row["topic"], row["partition"], row["offset"]


def _headers(blob: bytes) -> list[tuple[str, bytes]]:
    return [(name, base64.b64decode(value or "")) for name, value in orjson.loads(blob)]


def _key(headers: Collection[tuple[str, bytes | None]]) -> Key:
    plain = dict(headers)
    return (plain.get("ce_source") or b"").decode(), (plain.get("ce_id") or b"").decode()
