"""The ledger of consents, and what stands now beside it.

The ledger is append-only, and the state of a consent is the fold of its rows. A change is one transaction: the ledger's
row, the projection, the event for the journal, and last the change feed. What was written down, and who consented, lies
sealed under the child's identity key; in clear is only what the gates and the clockwork look for.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from pydantic import JsonValue

from backbone.clock import OSLO
from backbone.journal import Journal, NewEvent
from backbone.seal import SealBroken, open_sealed, seal
from backbone.settings import Settings
from contracts import samtykke_api as api
from contracts.alder import MYNDIG
from contracts.catalogue import PREFIX
from contracts.envelope import Content, timestamp
from contracts.lov import Lov
from contracts.samtykke_api import FORESATT, Samtykkesteg
from contracts.tjenester import SAMTYKKE
from services.samtykke.alder import age, birthday, law_of, next_limit, reached
from services.samtykke.decide import PARENTS, age_rule, outgrown
from services.samtykke.endringer import announce
from services.samtykke.identitet import Person
from services.samtykke.nokler import IDENTITET, KeyStore
from services.samtykke.tilside import Aside

Steg = Samtykkesteg

REGISTER_ORGNR = "000000000"
"""The register speaks for the municipality and is no organisation of its own: one source for all versions
of a consent, whoever wrote them down.
"""

STATUS: dict[Steg, api.Samtykkestatus] = {
    "venter": "venter",
    "gitt": "gitt",
    "tiltradt": "gitt",
    "gitt-igjen": "gitt",
    "erstattet": "gitt",
    "avslatt": "avslatt",
    "trukket": "trukket",
    "utlopt": "utlopt",
}
"""What stands after a step; after `innsnevret`, what stood before."""
EXPIRY_BATCH = 500
SYSTEM = "system:samtykke"

LOCK = "SELECT * FROM samtykke WHERE samtykke = $1 FOR UPDATE"
OF_CHILD = "SELECT * FROM samtykke WHERE subject = ANY($1::uuid[]) ORDER BY tid, samtykke"
HISTORY = "SELECT * FROM samtykke_hendelse WHERE samtykke = $1 ORDER BY sekvens"
EXPIRED = """
    SELECT * FROM samtykke s WHERE status IN ('gitt', 'venter') AND utloper <= $1 AND samtykke <> ALL($3::uuid[])
    AND NOT EXISTS (SELECT FROM person p WHERE p.subject = s.subject AND p.status = 'slettet')
    ORDER BY utloper, samtykke LIMIT $2 FOR UPDATE SKIP LOCKED
"""
STARTED = """
    UPDATE samtykke SET startet = true WHERE status = 'gitt' AND NOT startet AND gyldig_fra <= $1
    RETURNING subject
"""
BY_PARENTS = """
    SELECT * FROM samtykke
    WHERE subject = ANY($1::uuid[]) AND status IN ('gitt', 'venter') AND hvem IN ('forelder', 'begge-foreldre')
    ORDER BY samtykke FOR UPDATE
"""
BIRTHDAYS = """
    SELECT p.subject, p.kommune, p.fodselsdato, p.neste_alder, p.status,
           ARRAY(SELECT o.subject FROM person o WHERE o.kanonisk = p.kanonisk) AS koblet
    FROM person p
    WHERE p.neste_alder <= $1 AND p.fodselsdato IS NOT NULL AND p.subject <> ALL($3::uuid[])
    ORDER BY p.neste_alder, p.subject LIMIT $2 FOR UPDATE SKIP LOCKED
"""
SET_NEXT = """
    UPDATE person SET neste_alder = n.dag
    FROM unnest($1::uuid[], $2::date[]) AS n(subject, dag) WHERE person.subject = n.subject
"""
INSERT_STEP = """
    INSERT INTO samtykke_hendelse
        (samtykke, sekvens, subject, slag, forseglet, kategorier, utloper, aktor, tid)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
UPSERT = """
    INSERT INTO samtykke (samtykke, subject, kommune, status, sekvens, fra_tjeneste, til_tjenester,
                          kategorier, gyldig_fra, utloper, hvem, startet, forseglet, tid)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    ON CONFLICT (samtykke) DO UPDATE SET
        status = excluded.status, sekvens = excluded.sekvens, fra_tjeneste = excluded.fra_tjeneste,
        til_tjenester = excluded.til_tjenester, kategorier = excluded.kategorier,
        gyldig_fra = excluded.gyldig_fra, utloper = excluded.utloper, hvem = excluded.hvem,
        startet = excluded.startet, forseglet = excluded.forseglet, tid = excluded.tid
"""


class NotAllowed(Exception):
    """The consent can't take this step from where it stands; `kode` names the message, `data` its arguments."""

    def __init__(self, kode: str, **data: str | int) -> None:
        super().__init__(kode)
        self.kode = kode
        self.data = data


@dataclass(frozen=True, slots=True)
class Entry:
    """A consent as it stands. `kategorier` and `utloper` are what holds; `record` is what was written down, JSON-ready.
    `givere` have consented, by their subs or the sender's words for them.
    """

    id: UUID
    subject: UUID
    kommune: str
    status: api.Samtykkestatus
    sekvens: int
    fra_tjeneste: str
    til_tjenester: tuple[str, ...]
    kategorier: tuple[str, ...]
    gyldig_fra: datetime
    utloper: datetime | None
    record: dict[str, Any]
    tid: datetime
    givere: tuple[str, ...] = ()

    @property
    def hvem(self) -> api.Samtykkegiver:
        hvem: api.Samtykkegiver = self.record["hvem"]
        return hvem


@dataclass(frozen=True, slots=True)
class Hendelse:
    """One row of the ledger."""

    sekvens: int
    steg: Steg
    record: dict[str, Any]
    kategorier: tuple[str, ...]
    utloper: datetime | None
    givere: tuple[str, ...]
    aktor: str
    tid: datetime


# The rules, pure


def record_of(body: api.SamtykkeInn) -> dict[str, Any]:
    """What is kept of a consent as it came: everything but who the child is and who spoke, lists in one order."""
    kept: dict[str, Any] = {k: v for k, v in body.items() if k not in ("id", "person", "subject", "giver")}
    kept["til_tjenester"] = sorted(set(body["til_tjenester"]))
    kept["kategorier"] = sorted(set(body["kategorier"]))
    kept["gyldig_fra"] = timestamp(body["gyldig_fra"])
    kept["utloper"] = timestamp(body["utloper"]) if body["utloper"] else None
    return kept


def entry_of(id_: UUID, person: Person, body: api.SamtykkeInn, now: datetime, law: Lov) -> Entry:
    """The consent as an entry that has no step yet."""
    record = record_of(body)
    made = Entry(
        id=id_,
        subject=person.subject,
        kommune=person.kommune,
        status="gitt",
        sekvens=0,
        fra_tjeneste=body["fra_tjeneste"],
        til_tjenester=tuple(record["til_tjenester"]),
        kategorier=tuple(record["kategorier"]),
        gyldig_fra=body["gyldig_fra"],
        utloper=body["utloper"],
        record=record,
        tid=now,
        givere=(body["giver"],) if "giver" in body else (),
    )
    return replace(made, utloper=ends(made, made.kategorier, person.fodselsdato, law))


def ends(entry: Entry, kategorier: Iterable[str], fodselsdato: date | None, law: Lov) -> datetime | None:
    """When the consent runs out: as it says, and a parent's at the latest when its last category lapses."""
    own = [entry.utloper] if entry.utloper else []
    if entry.hvem in PARENTS and fodselsdato:
        lapses = [age_rule(law, entry.fra_tjeneste, k).foreldre_til for k in kategorier]
        own.append(birthday(fodselsdato, max(lapses, default=MYNDIG)))
    return min(own, default=None)


def takes_both(entry: Entry, law: Lov) -> bool:
    """Whether this one parent's consent waits for the other's."""
    if entry.hvem != "forelder" or entry.record.get("foreldreansvar") == "alene":
        return False
    return any(age_rule(law, entry.fra_tjeneste, k).begge_foreldre for k in entry.kategorier)


def check_age(entry: Entry, fodselsdato: date | None, law: Lov, now: datetime) -> None:
    """Raises NotAllowed where the child is too young, or too old, for that person to consent to all of this."""
    if fodselsdato is None:
        return
    years = age(fodselsdato, now)
    for kategori in entry.kategorier:
        rule = age_rule(law, entry.fra_tjeneste, kategori)
        if outgrown(entry.hvem, entry.fra_tjeneste, kategori, fodselsdato, law, now):
            raise NotAllowed("barnet-samtykker-selv", kategori=kategori, alder=rule.foreldre_til)
        lets_guardians = set(entry.til_tjenester) == {FORESATT}
        least = min(rule.samtykker_selv, rule.foresatt_begrenset) if lets_guardians else rule.samtykker_selv
        if entry.hvem == "selv" and years < least:
            raise NotAllowed("barnet-for-ungt", kategori=kategori, alder=least)


def give(current: Entry | None, new: Entry, now: datetime, *, both: bool = False) -> Steg | None:
    """The step that giving `new` is, None when it says nothing new. `both`: it takes both parents. Raises NotAllowed.

    The same words again after a withdrawal are a repeat of the first sending, never a new consent; from the other
    parent, while one is waited for, they are hers.
    """
    _same_child(current, new)
    repeat = current is not None and current.record == new.record
    if new.utloper is not None and new.utloper <= max(now, new.gyldig_fra):
        if repeat:
            return None
        raise NotAllowed("samtykke-alt-utlopt")
    if both and not new.givere and not repeat:
        raise NotAllowed("giver-mangler")
    first: Steg = "venter" if both else "gitt"
    if current is None or current.status == "avslatt":
        return first
    if repeat:
        other = current.status == "venter" and new.givere and new.givere[0] not in current.givere
        return "tiltradt" if other else None
    if current.status == "gitt":
        if both:
            raise NotAllowed("samtykke-krever-begge")
        return "erstattet"
    if current.status == "venter":
        return first
    raise NotAllowed("samtykke-ikke-gjeldende")


def accede(current: Entry, giver: str | None) -> Steg | None:
    """The other parent consents too."""
    if current.status == "gitt":
        return None
    if current.status != "venter":
        raise NotAllowed("samtykke-ikke-venter")
    if giver is None:
        raise NotAllowed("giver-mangler")
    if giver in current.givere:
        raise NotAllowed("samme-forelder")
    return "tiltradt"


def refuse(current: Entry | None, new: Entry) -> Steg | None:
    """Raises NotAllowed where the consent has been given: that is withdrawn, not refused."""
    _same_child(current, new)
    if current is None or current.status == "venter":
        return "avslatt"
    if current.status == "avslatt":
        return None
    raise NotAllowed("samtykke-alt-besvart")


def withdraw(current: Entry) -> Steg | None:
    if current.status == "avslatt":
        raise NotAllowed("samtykke-avslatt")
    return "trukket" if current.status in ("gitt", "venter") else None


def give_again(current: Entry, now: datetime, *, both: bool = False, giver: str | None = None) -> Steg | None:
    if current.status in ("gitt", "venter"):
        return None
    if current.status == "avslatt":
        raise NotAllowed("samtykke-avslatt")
    if current.utloper is not None and current.utloper <= now:
        raise NotAllowed("samtykke-alt-utlopt")
    if not both:
        return "gitt-igjen"
    if giver is None:
        raise NotAllowed("gi-igjen-krever-begge")
    return "venter"


def lapse(entry: Entry, fodselsdato: date, law: Lov, now: datetime) -> tuple[Steg, Entry] | None:
    """What a birthday, or a birth date that came to be known, does to a parent's consent; None: nothing."""
    left = tuple(
        k for k in entry.kategorier if not outgrown(entry.hvem, entry.fra_tjeneste, k, fodselsdato, law, now)
    )
    if not left:
        return "utlopt", entry
    after = replace(entry, kategorier=left, utloper=ends(entry, left, fodselsdato, law))
    return None if after == entry else ("innsnevret", after)


def evolve(before: Entry, hendelse: Hendelse) -> Entry:
    """The consent after one row of its ledger."""
    record = hendelse.record
    return replace(
        before,
        status=STATUS.get(hendelse.steg, before.status),
        sekvens=hendelse.sekvens,
        fra_tjeneste=record["fra_tjeneste"],
        til_tjenester=tuple(record["til_tjenester"]),
        kategorier=hendelse.kategorier,
        gyldig_fra=datetime.fromisoformat(record["gyldig_fra"]),
        utloper=hendelse.utloper,
        record=record,
        tid=hendelse.tid,
        givere=hendelse.givere,
    )


def fold(id_: UUID, subject: UUID, history: Sequence[Hendelse]) -> Entry:
    """The consent as its whole ledger, in order and not empty, says that it stands."""
    first = history[0]
    entry = Entry(
        id_,
        subject,
        first.record["kommune"],
        "gitt",
        0,
        "",
        (),
        (),
        first.tid,
        None,
        first.record,
        first.tid,
    )
    for hendelse in history:
        entry = evolve(entry, hendelse)
    return entry


def _same_child(current: Entry | None, new: Entry) -> None:
    if current is not None and current.subject != new.subject:
        raise NotAllowed("samtykke-annet-barn")


# The ledger


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is sealed of a step and of what stands after it."""

    record: dict[str, Any]
    givere: Sequence[str]


class Ledger:
    """Every method works on the caller's connection, inside the caller's transaction. A consent of a child whose key is
    destroyed is not there: nobody can read it.
    """

    def __init__(self, settings: Settings, keys: KeyStore) -> None:
        self._journal = Journal(settings, SAMTYKKE)
        self._keys = keys
        self._law = law_of(settings)
        self._aside = Aside()

    async def lock(self, db: asyncpg.Connection, id_: UUID) -> Entry | None:
        return next(iter(await self._entries(await db.fetch(LOCK, id_))), None)

    async def of_child(self, db: asyncpg.Connection, barn: Sequence[UUID]) -> list[Entry]:
        """`barn`: all of the child's subjects."""
        return await self._entries(await db.fetch(OF_CHILD, barn)) if barn else []

    async def history(self, db: asyncpg.Connection, id_: UUID) -> list[Hendelse]:
        """The consent's ledger, oldest first."""
        return [_hendelse(row, kept) for row, kept in await self._opened(await db.fetch(HISTORY, id_))]

    async def expire(self, db: asyncpg.Connection, now: datetime) -> int:
        """Writes down what has run out and announces what has begun since the last call; how many there
        were. A consent that this fails on is put aside.
        """

        async def expire(rows: Sequence[asyncpg.Record]) -> list[Entry]:
            return await self._write(
                db, [("utlopt", entry) for entry in await self._entries(rows)], SYSTEM, now
            )

        rows = await db.fetch(EXPIRED, now, EXPIRY_BATCH, self._aside.at(now))
        started = {row["subject"] for row in await db.fetch(STARTED, now)}
        expired = await self._aside.each(rows, "samtykke", db, expire, now)
        await announce(db, sorted(started | {entry.subject for entry in expired}))
        return len(started) + len(expired)

    async def birthdays(self, db: asyncpg.Connection, now: datetime) -> int:
        """Children who have reached an age that rights hang on: told of, their parents' consents looked at again, and
        announced; how many there were. A child that this fails on is put aside.
        """
        today = now.astimezone(OSLO).date()

        async def birthdays(rows: Sequence[asyncpg.Record]) -> list[UUID]:
            return await self._birthdays(db, rows, today, now)

        rows = await db.fetch(BIRTHDAYS, today, EXPIRY_BATCH, self._aside.at(now))
        told = await self._aside.each(rows, "subject", db, birthdays, now)
        await announce(db, sorted(told))
        return len(told)

    async def _birthdays(
        self, db: asyncpg.Connection, rows: Sequence[asyncpg.Record], today: date, now: datetime
    ) -> list[UUID]:
        limits = self._law.aldre.grenser
        later = [next_limit(row["fodselsdato"], limits, today) for row in rows]
        await db.execute(SET_NEXT, [row["subject"] for row in rows], later)
        told = []
        for row in rows:
            if row["status"] == "slettet":
                continue
            if row["neste_alder"] > row["fodselsdato"]:  # else nobody has looked for the next one before
                days = reached(row["fodselsdato"], limits, row["neste_alder"], today)
                told += [_birthday(row, years) for years in days]
            await self.reconsider(db, row["koblet"] or [row["subject"]], row["fodselsdato"], now)
        if told:
            await self._journal.append(db, told, now)
        return [row["subject"] for row in rows]

    async def reconsider(
        self, db: asyncpg.Connection, barn: Sequence[UUID], fodselsdato: date, now: datetime
    ) -> None:
        """Writes down what the child's age leaves of its parents' consents. The caller announces the child."""
        entries = await self._entries(await db.fetch(BY_PARENTS, barn))
        changes = [lapse(entry, fodselsdato, self._law, now) for entry in entries]
        await self._write(db, [change for change in changes if change], SYSTEM, now)

    async def take(
        self, db: asyncpg.Connection, entry: Entry, step: Steg, aktor: str, now: datetime
    ) -> Entry:
        """The consent after the step. `entry` carries the number of its last one."""
        (after,) = await self._write(db, [(step, entry)], aktor, now)
        await announce(db, [entry.subject])
        return after

    async def _write(
        self, db: asyncpg.Connection, changes: Sequence[tuple[Steg, Entry]], aktor: str, now: datetime
    ) -> list[Entry]:
        if not changes:
            return []
        rows = [
            (
                e,
                Hendelse(e.sekvens + 1, step, e.record, e.kategorier, e.utloper, e.givere, aktor, now),
            )
            for step, e in changes
        ]
        after = [evolve(e, hendelse) for e, hendelse in rows]
        keys = await self._keys.of((e.subject, IDENTITET) for e in after)
        sealed = [_sealed(keys[e.subject, IDENTITET].key, e) for e in after]
        steps = [_step(e, hendelse, blob) for (e, hendelse), blob in zip(rows, sealed, strict=True)]
        await db.executemany(INSERT_STEP, steps)
        await db.executemany(UPSERT, [_row(e, blob, now) for e, blob in zip(after, sealed, strict=True)])
        # One parent's word alone changes nothing for anybody else.
        await self._journal.append(db, [_event(e, now) for e in after if e.status != "venter"], now)
        return after

    async def _entries(self, rows: Sequence[asyncpg.Record]) -> list[Entry]:
        return [_entry(row, kept) for row, kept in await self._opened(rows)]

    async def _opened(self, rows: Sequence[asyncpg.Record]) -> list[tuple[asyncpg.Record, _Kept]]:
        """Each row of either table with what is sealed in it; without those that no key opens."""
        # Only keys that there are: a register restored from before an erasure has consents that nobody can open.
        keys = await self._keys.existing((row["subject"], IDENTITET) for row in rows)
        found = []
        for row in rows:
            if key := keys.get((row["subject"], IDENTITET)):
                bound = _context(row["samtykke"], row["sekvens"], row["subject"])
                with suppress(SealBroken):
                    found.append((row, _Kept(**orjson.loads(open_sealed(key.key, row["forseglet"], bound)))))
        return found


def _event(entry: Entry, now: datetime) -> NewEvent:
    data: dict[str, JsonValue] = {
        "fra_tjeneste": entry.fra_tjeneste,
        "til_tjenester": list(entry.til_tjenester),
        "kategorier": list(entry.kategorier),
        "gyldig_fra": timestamp(entry.gyldig_fra),
        "utloper": timestamp(entry.utloper) if entry.utloper else None,
    }
    return NewEvent(
        id=f"{entry.id}.{entry.sekvens}",
        source=f"/{entry.kommune}/{SAMTYKKE}/{REGISTER_ORGNR}",
        type=f"{PREFIX}{SAMTYKKE}.samtykke.{entry.status}",
        kommune=entry.kommune,
        orgnr=REGISTER_ORGNR,
        time=now,
        content=Content(nokkel=str(entry.id), versjon=entry.sekvens, data=data),
        subject=str(entry.subject),
    )


def _birthday(row: asyncpg.Record, years: int) -> NewEvent:
    return NewEvent(
        id=f"{row['subject']}.alder.{years}",
        source=f"/{row['kommune']}/{SAMTYKKE}/{REGISTER_ORGNR}",
        type=f"{PREFIX}{SAMTYKKE}.kontekst.fodselsdag-passert",
        kommune=row["kommune"],
        orgnr=REGISTER_ORGNR,
        time=birthday(row["fodselsdato"], years),
        content=Content(nokkel=f"alder/{years}", versjon=1, data={"alder": years}),
        subject=str(row["subject"]),
    )


def _step(entry: Entry, hendelse: Hendelse, sealed: bytes) -> tuple[Any, ...]:
    return (
        entry.id,
        hendelse.sekvens,
        entry.subject,
        hendelse.steg,
        sealed,
        list(hendelse.kategorier),
        hendelse.utloper,
        hendelse.aktor,
        hendelse.tid,
    )


def _row(entry: Entry, sealed: bytes, now: datetime) -> tuple[Any, ...]:
    return (
        entry.id,
        entry.subject,
        entry.kommune,
        entry.status,
        entry.sekvens,
        entry.fra_tjeneste,
        list(entry.til_tjenester),
        list(entry.kategorier),
        entry.gyldig_fra,
        entry.utloper,
        entry.hvem,
        entry.gyldig_fra <= now,
        sealed,
        now,
    )


def _entry(row: asyncpg.Record, kept: _Kept) -> Entry:
    return Entry(
        id=row["samtykke"],
        subject=row["subject"],
        kommune=row["kommune"],
        status=row["status"],
        sekvens=row["sekvens"],
        fra_tjeneste=row["fra_tjeneste"],
        til_tjenester=tuple(row["til_tjenester"]),
        kategorier=tuple(row["kategorier"]),
        gyldig_fra=row["gyldig_fra"],
        utloper=row["utloper"],
        record=kept.record,
        tid=row["tid"],
        givere=tuple(kept.givere),
    )


def _hendelse(row: asyncpg.Record, kept: _Kept) -> Hendelse:
    return Hendelse(
        row["sekvens"],
        row["slag"],
        kept.record,
        tuple(row["kategorier"]),
        row["utloper"],
        tuple(kept.givere),
        row["aktor"],
        row["tid"],
    )


def _sealed(key: bytes, entry: Entry) -> bytes:
    kept = orjson.dumps({"record": entry.record, "givere": entry.givere}, option=orjson.OPT_SORT_KEYS)
    return seal(key, kept, _context(entry.id, entry.sekvens, entry.subject))


def _context(id_: UUID, sekvens: int, subject: UUID) -> bytes:
    return f"samtykke|{id_}|{sekvens}|{subject}".encode()
