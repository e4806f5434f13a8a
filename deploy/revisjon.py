"""The ledgers as an auditor uses them: held against the published heads, and read along one event, task or child.

An auditor sees metadata: when, by whom, decided how and why. Samtykke's read gate is asked for each thing first, so
what is shown is permitted, and logged as read, before it is shown.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from backbone import consumer_end, ledger
from backbone.clock import Clock
from backbone.database import create_engine, driver
from backbone.journal import receipt
from backbone.kafka import bootstrap
from backbone.ledger import Head, Verified
from backbone.samtykke_client import SamtykkeClient
from backbone.settings import Settings
from backbone.tokens import Principal
from consumers.coordination import queries
from contracts import samtykke_api as api
from contracts.catalogue import Catalogue, UnknownType, split
from contracts.hendelser import Skjerming
from contracts.tilgang import REVISOR, SKJERMEDE_TJENESTER
from contracts.tjenester import SAMORDNING, SAMTYKKE
from contracts.topics import KJEDE
from deploy.migrate import databases, metadata

FORMAL = "revisjon"
SKJERMET = "skjermet"
_LEDGER = """
    SELECT tid, handling, aktor, rolle, tjeneste, formal, slag, kategori, utfall, grunn, hendelse, nummer, detaljer
    FROM revisjon WHERE hendelse = $1 OR subject = $2::uuid ORDER BY tid, lopenr
"""
_CAUSED = 'SELECT id, type, mottatt, utfall, topic, partition, "offset", publisert FROM journal WHERE causationid = $1'
_ALERTS = "SELECT hendelse_id, type, tid, mottatt FROM varsel WHERE arsak = $1 ORDER BY sekvens"


class Denied(Exception):
    """The gate says no, and has logged that it was asked; `kode` is its reason."""

    def __init__(self, kode: str) -> None:
        super().__init__(kode)
        self.kode = kode


class Unknown(LookupError):
    """No event, task or child is named so here."""


# Heads and verifying


def ledgers(catalogue: Catalogue) -> tuple[str, ...]:
    """The databases that have a ledger; each chain is named by its database."""
    return tuple(n for n, schema in databases(catalogue).items() if "revisjon" in metadata(schema).tables)


def heads_of(lines: Iterable[bytes]) -> list[Head]:
    """From published records or the lines of a file of them. Raises ValueError."""
    return [Head.decode(line) for line in lines if line.strip()]


def heads_in(path: Path) -> list[Head]:
    """Raises OSError and ValueError."""
    return heads_of(path.read_bytes().splitlines())


async def published(settings: Settings) -> list[Head]:
    """Every head on Kafka. Raises KafkaError."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap(settings), auto_offset_reset="earliest")
    await consumer.start()
    try:
        place = TopicPartition(settings.topic(KJEDE.navn), 0)
        consumer.assign([place])
        end = (await consumer.end_offsets([place]))[place]
        await consumer.seek_to_beginning(place)
        lines: list[bytes] = []
        while await consumer.position(place) < end:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                lines += [record.value for record in records]
        return heads_of(lines)
    finally:
        await consumer_end.end(consumer)


async def verify(settings: Settings, names: Iterable[str], heads: Sequence[Head]) -> list[Verified]:
    """Each ledger from its first row. Raises asyncpg's errors and OSError when a database is away."""
    out = []
    for name in names:
        async with _connection(settings, name) as conn:
            out.append(await ledger.verify(conn, name, heads))
    return out


@asynccontextmanager
async def _connection(settings: Settings, name: str) -> AsyncIterator[asyncpg.Connection]:
    engine = create_engine(settings, name, pool_size=2)
    try:
        async with engine.connect() as connection:
            # The transaction that SQLAlchemy would begin is the caller's to begin.
            raw = await connection.get_raw_connection()
            assert isinstance(raw.driver_connection, asyncpg.Connection)
            yield raw.driver_connection
    finally:
        await engine.dispose()


# The whole way


@dataclass(frozen=True)
class Steg:
    """One thing that happened. `hva` names the message that says it; the rest is metadata."""

    tid: datetime
    hva: str
    hvor: str
    mer: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {"tid": self.tid, "hva": self.hva, "hvor": self.hvor, **self.mer}


class Sporing:
    """For one auditor. Raises Denied, Unknown, Retry where samtykke is away, and the database's errors."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        samtykke: SamtykkeClient,
        viewer: Principal,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._samtykke = samtykke
        self._viewer = viewer
        self._clock = clock

    async def follow(self, name: str) -> list[Steg]:
        """The way of the event with this id, the task with this id, or everything about the child with this subject
        id; in the order of time."""
        if self._viewer.rolle != REVISOR:
            raise Denied("rolle")
        found = await self._event(name) or await self._task(name) or await self._child(name)
        if not found:
            raise Unknown(name)
        return sorted(found, key=lambda steg: steg.tid)

    async def _event(self, id_: str) -> list[Steg]:
        out: list[Steg] = []
        receipts = await self._receipts(id_)
        subject = next((r["subject"] for _, r in receipts if r["subject"]), None)
        hidden = False
        for owner, one in receipts:
            hidden = await self._ask_about_event(one) or hidden
            out += _journal_steps(owner, one, hidden)
        if not receipts:
            return []
        async with _connection(self._settings, SAMORDNING) as conn:
            known = await queries.event(conn, id_, None)
            caused = await conn.fetch(_CAUSED, id_)
        if known is not None:
            row = known["hendelse"]
            where = f"{row['topic']}/{row['partition']}/{row['offset']}"
            out.append(Steg(row["mottatt"], "behandlet", SAMORDNING, {"sted": SKJERMET if hidden else where}))
            out += [step for task in known["oppgaver"] for step in await self._task_steps(task)]
        out += [
            Steg(r["mottatt"], "fortalt", SAMORDNING, {"hendelse": r["id"], "type": r["type"]})
            for r in caused
        ]
        async with _connection(self._settings, "portal") as conn:
            alerts = await conn.fetch(_ALERTS, id_)
        out += [Steg(r["mottatt"], "varslet", "portal", {"varsel": r["hendelse_id"]}) for r in alerts]
        return out + await self._told(id_, None, subject)

    async def _task(self, name: str) -> list[Steg]:
        if not _is_uuid(name):
            return []
        async with _connection(self._settings, SAMORDNING) as conn:
            tasks = await queries.tasks(conn, id_=name)
        out = [step for task in tasks for step in await self._task_steps(task)]
        return out + await self._told(name, None, tasks[0]["subject"]) if tasks else []

    async def _child(self, name: str) -> list[Steg]:
        if not _is_uuid(name):
            return []
        await self._ask(_item(name, "barn", kommune=self._viewer.kommune))
        async with _connection(self._settings, SAMORDNING) as conn:
            rows = await queries.timeline(conn, name)
            tasks = await queries.tasks(conn, subject=name)
        out = []
        for row in rows:
            hidden = await self._ask_about_event(row)
            more = {"hendelse": row["id"], "type": SKJERMET if hidden else row["type"]}
            out.append(Steg(row["mottatt"], "behandlet", SAMORDNING, more))
        out += [step for task in tasks for step in await self._task_steps(task)]
        return out + await self._told(None, name, name)

    async def _receipts(self, id_: str) -> list[tuple[str, dict[str, Any]]]:
        found = []
        for owner in (*self._catalogue.tjenester, SAMTYKKE, SAMORDNING):
            async with _connection(self._settings, owner) as conn:
                found += [(owner, one) for one in await receipt(conn, id_)]
        return found

    async def _task_steps(self, task: dict[str, Any]) -> list[Steg]:
        grounds = [
            api.Hvilegrunn(tjeneste=g["tjeneste"], kategori=g["kategori"], skjerming=g["skjerming"])
            for g in task["hviler_pa"]
        ]
        item = _item(task["subject"], "oppgave", kommune=task["kommune"], hendelse=task["id"])
        item["eier"], item["regel"], item["hviler_pa"] = task["eier"], task["regel"], grounds
        item["tjeneste"] = SAMORDNING
        hidden = await self._ask(item)
        more = {
            "oppgave": task["id"],
            "regel": SKJERMET if hidden else task["regel"],
            "eier": SKJERMET if hidden else task["eier"],
            "status": task["status"],
            "frist": task["frist"],
        }
        return [Steg(task["opprettet"], "oppgave", SAMORDNING, more)]

    async def _told(self, event: str | None, child: str | None, subject: str | None) -> list[Steg]:
        """The ledgers' own rows: refusals, reads and denials, acts. Shown where the gate lets her see who has read."""
        if subject is not None:
            await self._ask(_item(subject, "lesing", kommune=self._viewer.kommune))
        out = []
        secret = {
            t.kategori for t in self._catalogue.typer if t.skjerming is Skjerming.X
        } | SKJERMEDE_TJENESTER
        for name in ledgers(self._catalogue):
            async with _connection(self._settings, name) as conn:
                for row in await conn.fetch(_LEDGER, event, child):
                    hva = "tilgang-nektet" if row["utfall"] == "deny" else row["handling"]
                    hidden = not secret.isdisjoint((name, row["tjeneste"], row["kategori"]))
                    more = {
                        k: SKJERMET if hidden and k in ("tjeneste", "kategori", "slag") else v
                        for k, v in row.items()
                        if v is not None and k not in ("tid", "handling")
                    }
                    out.append(Steg(row["tid"], hva, SKJERMET if name in secret else name, more))
        return out

    async def _ask_about_event(self, row: dict[str, Any]) -> bool:
        """Whether its type is hidden. An event of nobody we know is the municipality's own to audit."""
        try:
            tjeneste, _ = split(row["type"])
            kind = self._catalogue.event_type(row["type"])
        except UnknownType:
            raise Denied("ukjent-type") from None
        if row["subject"] is None:
            if row["kommune"] != self._viewer.kommune:
                raise Denied("annen-kommune")
            await self._log(row)
            return str(kind.skjerming_for(tjeneste)) == "X"
        item = _item(
            row["subject"], "hendelse", kommune=row["kommune"], hendelse=row["id"], type_=row["type"]
        )
        item["tjeneste"], item["kategori"] = tjeneste, kind.kategori
        item["skjerming"] = kind.skjerming_for(tjeneste).value
        return await self._ask(item)

    async def _ask(self, item: api.LesingItem) -> bool:
        """Whether the kind of thing is hidden. Raises Denied."""
        (answer,) = await self._samtykke.read(self._viewer, FORMAL, [item])
        if answer["tilgang"] == "deny":
            raise Denied(answer["grunner"][0]["kode"])
        return any(g["kode"] == SKJERMET for g in answer["grunner"])

    async def _log(self, row: dict[str, Any]) -> None:
        who = self._viewer
        entry = ledger.Entry(
            skriver="cli",
            tid=self._clock(),
            handling="lesing",
            aktor=who.sub,
            utfall="metadata",
            rolle=who.rolle,
            orgnr=who.orgnr,
            kommune=who.kommune,
            formal=FORMAL,
            slag="hendelse",
            hendelse=row["id"],
            type=row["type"],
            grunn="revisjon",
        )
        engine = create_engine(self._settings, SAMTYKKE, pool_size=2)
        try:
            async with engine.begin() as connection:
                await ledger.write(await driver(connection), [entry])
        finally:
            await engine.dispose()


def _journal_steps(owner: str, one: dict[str, Any], hidden: bool) -> list[Steg]:
    """The sender and the place of a hidden event would tell its kind."""
    type_ = SKJERMET if hidden else one["type"]
    owner = SKJERMET if hidden else owner
    out = [
        Steg(one["mottatt"], "mottatt", owner, {"hendelse": one["id"], "type": type_, "skjedde": one["tid"]})
    ]
    if one["besluttet"]:
        why = {name: one[name] for name in ("status", "grunnlag", "lovversjon")}
        reasons = [g["kode"] for g in one["grunner"]]
        out.append(Steg(one["besluttet"], "besluttet", owner, {**why, "grunner": reasons}))
    if one["publisert"]:
        place = one["publisert"]
        where = f"{place['topic']}/{place['partition']}/{place['offset']}"
        out.append(Steg(place["tid"], "publisert", owner, {"sted": SKJERMET if hidden else where}))
    if one["parkert"]:
        out.append(Steg(one["mottatt"], "parkert", owner, {"grunn": one["parkert"]}))
    return out


def _item(
    subject: str, slag: Any, *, kommune: str, hendelse: str | None = None, type_: str = ""
) -> api.LesingItem:
    item = api.LesingItem(
        ref=0,
        subject=subject,
        slag=slag,
        type=type_,
        tjeneste="",
        kategori="",
        skjerming="N",
        nokkelid=None,
        kommune=kommune,
    )
    if hendelse is not None:
        item["hendelse"] = hendelse
    return item


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def encoded(heads: Iterable[Head]) -> str:
    """A file's content: a head a line."""
    return "".join(orjson.dumps(orjson.loads(head.encode())).decode() + "\n" for head in heads)
