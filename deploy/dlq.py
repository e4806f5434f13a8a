"""What was set aside: journals' refused and parked rows, coordination's and the portal's records. Not what barnevern's
inbox sets aside: how many reports there are is nobody's to see (`deploy.doctor` says that there is something).

An entry is named by where it stands: `journal/<owner>/<row>`, `samordning/<topic>/<partition>/<offset>`,
`portal/<topic>/<partition>/<offset>`. Entries tell where, when and why, never what: no body, header, event id,
subject or organisation is in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

import asyncpg

from backbone import ledger
from backbone.database import create_engine, driver
from backbone.samtykke_client import InternalClient
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from contracts.tjenester import SAMORDNING, SAMTYKKE

Kilde = Literal["journal", "samordning", "portal"]

PORTAL = "portal"
PLACES_MAX = 100
"""In one call: they stand in its address, and coordination handles them before it answers."""
_JOURNAL = """
SELECT lopenr, type, mottatt, coalesce(parkert, grunner->0->>'kode', utfall) AS grunn, parkert IS NOT NULL AS parkert,
       grunner, besluttet, substring(traceparent FROM 4 FOR 32) AS sporing, length(innhold) AS byte
FROM journal WHERE (parkert IS NOT NULL OR utfall = 'refuse') AND ($1::bigint IS NULL OR lopenr = $1)
ORDER BY parkert IS NULL, lopenr DESC LIMIT $2
"""
_SAMORDNING = """
SELECT topic, partition, "offset", type, grunn, mottatt, sendt, length(innhold) AS byte FROM parkert
WHERE $1::text IS NULL OR (topic = $1 AND partition = $2 AND "offset" = $3)
ORDER BY mottatt DESC, topic, partition, "offset" LIMIT $4
"""
_PORTAL = """
SELECT emne AS topic, partisjon AS partition, plass AS "offset", NULL AS type, grunn, mottatt FROM parkert
WHERE $1::text IS NULL OR (emne = $1 AND partisjon = $2 AND plass = $3)
ORDER BY mottatt DESC, emne, partisjon, plass LIMIT $4
"""


class UnknownEntry(LookupError):
    """No entry is named so."""


@dataclass(frozen=True)
class Ref:
    """Where an entry stands. `owner` is a journal's owner or a topic."""

    kilde: Kilde
    owner: str
    row: int = 0
    partition: int = 0
    offset: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises UnknownEntry."""
        match text.split("/"):
            case ["journal", owner, row] if row.isdecimal():
                return cls("journal", owner, row=int(row))
            case ["samordning" | "portal" as kilde, topic, partition, offset] if (
                topic and partition.isdecimal() and offset.isdecimal()
            ):
                return cls(kilde, topic, partition=int(partition), offset=int(offset))
        raise UnknownEntry(text)

    def __str__(self) -> str:
        if self.kilde == "journal":
            return f"journal/{self.owner}/{self.row}"
        return f"{self.kilde}/{self.place}"

    @property
    def place(self) -> str:
        return f"{self.owner}/{self.partition}/{self.offset}"


@dataclass(frozen=True)
class Entry:
    """`parkert`: it waits for somebody; otherwise it is a refusal, which has ended. `mer` is what `show` adds."""

    ref: Ref
    type: str | None
    grunn: str
    mottatt: datetime
    parkert: bool
    mer: dict[str, Any]

    @property
    def kan(self) -> tuple[str, ...]:
        """A refused event's content is not kept, and the portal keeps none: there is nothing to replay."""
        return ("replay", "drop") if self.parkert and self.ref.kilde != "portal" else ("drop",)

    def brief(self) -> dict[str, Any]:
        return {
            "id": str(self.ref),
            "type": self.type,
            "grunn": self.grunn,
            "mottatt": self.mottatt,
            "tilstand": "parkert" if self.parkert else "avvist",
            "kan": self.kan,
        }


class DeadLetters:
    """All of them, of one installation. Raises `DATABASE_AWAY` when PostgreSQL is away, and Retry or Rejected where
    coordination has to answer and does not, or says no."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._settings = settings
        self._owners = (*catalogue.tjenester, SAMTYKKE, SAMORDNING)

    async def entries(self, most: int) -> list[Entry]:
        """At most `most` from each place, what is parked before what is refused, the newest first."""
        entries: list[Entry] = []
        for owner in self._owners:
            entries += await self._journal(owner, None, most)
        for kilde in ("samordning", "portal"):
            entries += await self._records(kilde, None, most)
        return sorted(entries, key=lambda e: (e.parkert, e.mottatt), reverse=True)

    async def show(self, ref: Ref) -> Entry:
        """Raises UnknownEntry."""
        found = []
        if ref.kilde != "journal":
            found = await self._records(ref.kilde, ref, 1)
        elif ref.owner in self._owners:
            found = await self._journal(ref.owner, ref.row, 1)
        if not found:
            raise UnknownEntry(str(ref))
        return found[0]

    async def replay(self, refs: Sequence[Ref], now: datetime) -> list[Entry]:
        """Lets them be handled once more, as what they are: (source, id) stays, so nothing is done twice. Those that
        are set aside still (of coordination's; a journal's row is the relay's to try, under a decision of today)."""
        for ref in refs:
            if ref.kilde == "journal":
                await self._write(
                    ref.owner,
                    _AGAIN,
                    ref.row,
                    act=("dlq-avspilling", ref, now),
                )
        places = [ref.place for ref in refs if ref.kilde == "samordning"]
        if not places:
            return []
        async with InternalClient(self._settings, "dlq", SAMORDNING) as samordning:
            for at in range(0, len(places), PLACES_MAX):
                some = places[at : at + PLACES_MAX]
                await samordning.call("POST", "/samordning/parkert/avspilling", maks=len(some), sted=some)
        tried = set(places)
        return [e for e in await self._records("samordning", None, 10_000) if e.ref.place in tried]

    async def drop(self, ref: Ref, now: datetime) -> None:
        """Gives it up. A parked row becomes a refused one that says so; a refused row is forgotten, so that its sender
        may send the event again; a record's copy on Kafka stays as long as its topic keeps it."""
        act = ("dlq-fjerning", ref, now)
        if ref.kilde == "samordning":
            async with InternalClient(self._settings, "dlq", SAMORDNING) as samordning:
                await samordning.call("DELETE", "/samordning/parkert", sted=[ref.place])
        elif ref.kilde == "portal":
            await self._write(
                PORTAL,
                "DELETE FROM parkert WHERE emne = $1 AND partisjon = $2 AND plass = $3",
                ref.owner,
                ref.partition,
                ref.offset,
                act=act,
            )
        elif (await self.show(ref)).parkert:
            await self._write(ref.owner, _GIVE_UP, ref.row, now, act=act)
        else:
            forgotten = "DELETE FROM journal WHERE lopenr = $1 AND utfall = 'refuse'"
            await self._write(ref.owner, forgotten, ref.row, act=act)

    async def _journal(self, owner: str, row: int | None, most: int) -> list[Entry]:
        return [
            Entry(
                Ref("journal", owner, row=r["lopenr"]),
                r["type"],
                r["grunn"],
                r["mottatt"],
                r["parkert"],
                {name: r[name] for name in ("grunner", "besluttet", "sporing", "byte")},
            )
            for r in await self._read(owner, _JOURNAL, row, most)
        ]

    async def _records(self, kilde: Kilde, ref: Ref | None, most: int) -> list[Entry]:
        query, database = (_SAMORDNING, SAMORDNING) if kilde == "samordning" else (_PORTAL, PORTAL)
        place = (ref.owner, ref.partition, ref.offset) if ref else (None, None, None)
        return [
            Entry(
                Ref(kilde, r["topic"], partition=r["partition"], offset=r["offset"]),
                r["type"],
                r["grunn"],
                r["mottatt"],
                True,
                {name: r[name] for name in ("sendt", "byte") if name in r},
            )
            for r in await self._read(database, query, *place, most)
        ]

    async def _read(self, database: str, query: str, *args: Any) -> list[asyncpg.Record]:
        engine = create_engine(self._settings, database, pool_size=2)
        try:
            async with engine.connect() as connection:
                return list(await (await driver(connection)).fetch(query, *args))
        finally:
            await engine.dispose()

    async def _write(self, database: str, statement: str, *args: Any, act: tuple[str, Ref, datetime]) -> None:
        """The statement, and what the ledger is told of it (what, to which entry, when), in one transaction."""
        slag, ref, now = act
        told = ledger.Entry(
            "cli", now, "forvaltning", "system:dlq", "utfort", slag=slag, detaljer={"sted": [str(ref)]}
        )
        engine = create_engine(self._settings, database, pool_size=2)
        try:
            async with engine.begin() as connection:
                conn = await driver(connection)
                await conn.execute(statement, *args)
                await ledger.write(conn, [told])
        finally:
            await engine.dispose()


_AGAIN = """
UPDATE journal SET parkert = NULL, trenger_relay = true,
       utfall = CASE WHEN utfall IN ('release', 'shield') AND publisert IS NULL THEN 'withhold' ELSE utfall END
WHERE lopenr = $1 AND parkert IS NOT NULL
"""
"""What let it go may have been withdrawn since: it is asked about again, as what is withheld is."""
_GIVE_UP = """
UPDATE journal SET utfall = 'refuse', parkert = NULL, trenger_relay = false, journalnokkel = NULL, nokkelid = NULL,
       innhold = '', besluttet = $2,
       grunner = jsonb_build_array(jsonb_build_object('kode', 'oppgitt', 'bestemmelse', NULL, 'lovversjon', NULL,
                                                      'samtykke', NULL, 'parkert', parkert))
WHERE lopenr = $1 AND parkert IS NOT NULL
"""
