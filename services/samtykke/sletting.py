"""Erasing a child: by a decision's reference and two people, because archives law may forbid it.

One person proposes, another approves. From the approval on no gate opens and no key is handed out; the child's data
keys are destroyed, so every copy of what was sealed under them is noise, also in backups. Each part then forgets what
it keeps in other ways, and says so; it is given the numbers for that. When all have, the numbers and the name go too.
What is left is the look-up of the number, which is what makes the child skipped for good, and the ledger's rows.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

import asyncpg

from backbone import ledger
from backbone.database import DATABASE_AWAY, driver
from backbone.journal import forget_undecided
from backbone.tokens import Principal
from contracts import samtykke_api as api
from contracts.personnummer import identity_numbers
from contracts.tjenester import SAMORDNING
from services.samtykke.endringer import announce
from services.samtykke.forvaltning import resolve
from services.samtykke.kropp import Refused, place, problem, wrong
from services.samtykke.logg import acts
from services.samtykke.porter import Kjerne
from services.samtykke.sperring import LOCK_MUNICIPALITY, SET_STATUS, locked, own_municipality
from services.samtykke.tilside import Aside

PORTAL = "portal"

INSERT = """
    INSERT INTO sletting (id, subjects, kommune, beslutning, foreslatt_av, foreslatt) VALUES ($1, $2, $3, $4, $5, $6)
"""
STANDS = "SELECT * FROM sletting WHERE subjects && $1::uuid[] AND status IN ('foreslatt', 'godkjent')"
LOCK = "SELECT * FROM sletting WHERE id = $1 FOR UPDATE"
SELECT = "SELECT * FROM sletting WHERE id = $1"
APPROVE = "UPDATE sletting SET status = 'godkjent', godkjent_av = $2, godkjent = $3 WHERE id = $1"
REJECT = "UPDATE sletting SET status = 'forkastet' WHERE id = $1"
COMPLETE = "UPDATE sletting SET status = 'fullfort', fullfort = $2 WHERE id = $1"
APPROVED = "SELECT * FROM sletting WHERE status = 'godkjent' ORDER BY godkjent, id"
RECEIPT = (
    "INSERT INTO sletting_kvittering (sletting, mottaker, tid) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
)
RECEIPTS = "SELECT mottaker FROM sletting_kvittering WHERE sletting = $1"
EMPTY_PERSON = """
    UPDATE person SET nummer_forseglet = NULL, navn_forseglet = NULL, fodselsdato = NULL, neste_alder = NULL
    WHERE subject = ANY($1::uuid[])
"""
FORGET = (
    "DELETE FROM navneoppslag WHERE subject = ANY($1::uuid[])",
    "DELETE FROM flytting WHERE subject = ANY($1::uuid[])",
    "DELETE FROM familie WHERE subject = ANY($1::uuid[])",
    "DELETE FROM tildeling WHERE subject = ANY($1::uuid[])",
    "DELETE FROM samtykke WHERE subject = ANY($1::uuid[])",
    "DELETE FROM samtykke_hendelse WHERE subject = ANY($1::uuid[])",
)


class Erasures:
    """Every method raises ProblemError when it says no."""

    def __init__(self, kjerne: Kjerne) -> None:
        self._kjerne = kjerne
        self._recipients = frozenset((*kjerne.catalogue.tjenester, SAMORDNING, PORTAL))
        self._aside = Aside()

    async def propose(self, who: Principal, body: api.SlettingInn) -> api.Sletting:
        own_municipality(who, body["kommune"])
        if next(identity_numbers(body["beslutning"]), None):
            raise wrong(place("/beslutning", "felt-ugyldig"))
        now = self._kjerne.clock()
        async with self._kjerne.engine.begin() as conn:
            db = await driver(conn)
            await db.execute(LOCK_MUNICIPALITY, body["kommune"])
            person = await resolve(self._kjerne, db, body)
            subjects = list(person.barn)
            if "slettet" in await locked(db, subjects):
                raise problem(409, "slettet")
            if await db.fetchrow(STANDS, subjects):
                raise problem(409, "sletting-alt-foreslatt")
            id_ = uuid4()
            await db.execute(INSERT, id_, subjects, body["kommune"], body["beslutning"], who.sub, now)
            await self._tell(db, who, "sletting-foreslatt", subjects, id_, body["beslutning"], now)
            return await self._told(db, id_)

    async def approve(self, who: Principal, id_: UUID) -> api.Sletting:
        """By another than the one who proposed it, and of the child as it was then. Approving what is approved changes
        nothing."""
        now = self._kjerne.clock()
        async with self._kjerne.engine.begin() as conn:
            db = await driver(conn)
            row = await self._own(db, who, id_, LOCK)
            if row["status"] == "forkastet":
                raise problem(409, "sletting-forkastet")
            if row["status"] == "foreslatt":
                if row["foreslatt_av"] == who.sub:
                    raise Refused(403, "sletting-samme-person", row["subjects"][0])
                subjects = row["subjects"]
                await db.execute(LOCK_MUNICIPALITY, row["kommune"])
                await locked(db, subjects)
                if not await self._one_child(db, subjects):
                    raise problem(409, "sletting-annet-barn")
                await db.execute(APPROVE, id_, who.sub, now)
                await db.execute(SET_STATUS, subjects, "slettet")
                await self._tell(db, who, "sletting-godkjent", subjects, id_, row["beslutning"], now)
                await announce(db, subjects)
            answer = await self._told(db, id_)
        await self.advance()
        return answer

    async def _one_child(self, db: asyncpg.Connection, subjects: Sequence[UUID]) -> bool:
        """Whether these are all of one child's subjects, and no others."""
        people = await self._kjerne.register.by_subject(db, subjects)
        return all(set(person.barn) == set(subjects) for person in people.values())

    async def reject(self, who: Principal, id_: UUID) -> api.Sletting:
        """By anybody who may propose, as long as it is not approved."""
        now = self._kjerne.clock()
        async with self._kjerne.engine.begin() as conn:
            db = await driver(conn)
            row = await self._own(db, who, id_, LOCK)
            if row["status"] in ("godkjent", "fullfort"):
                raise problem(409, "slettet")
            if row["status"] == "foreslatt":
                await db.execute(REJECT, id_)
                await self._tell(db, who, "sletting-forkastet", row["subjects"], id_, row["beslutning"], now)
            return await self._told(db, id_)

    async def show(self, who: Principal, id_: UUID) -> api.Sletting:
        async with self._kjerne.engine.connect() as conn:
            db = await driver(conn)
            await self._own(db, who, id_, SELECT)
            return await self._told(db, id_)

    # The parts that forget

    async def waiting_for(self, recipient: str) -> list[api.Glemsel]:
        """Approved erasures that the part has not yet carried out, each with the child's numbers."""
        async with self._kjerne.engine.connect() as conn:
            db = await driver(conn)
            waiting = []
            for row in await db.fetch(APPROVED):
                if recipient not in await self._receipts(db, row["id"]):
                    numbers = [await self._kjerne.register.number(db, subject) for subject in row["subjects"]]
                    waiting.append(
                        api.Glemsel(
                            sletting=str(row["id"]),
                            subjects=[str(subject) for subject in row["subjects"]],
                            personer=[number for number in numbers if number],
                        )
                    )
            return waiting

    async def done(self, id_: UUID, recipient: str) -> None:
        async with self._kjerne.engine.begin() as conn:
            db = await driver(conn)
            if recipient not in self._recipients or await db.fetchrow(SELECT, id_) is None:
                raise problem(404, "sletting-ukjent")
            await db.execute(RECEIPT, id_, recipient, self._kjerne.clock())
        await self.advance()

    async def advance(self) -> None:
        """Destroys the data keys of what is approved (also those that a call under way made since), and ends the
        erasures that every part has carried out. Called again and again: a process that is killed loses nothing, and an
        erasure that this fails on is put aside."""
        async with self._kjerne.engine.connect() as conn:
            db = await driver(conn)
            rows = await db.fetch(APPROVED)
            carried_out = {row["id"] for row in rows if not await self._left(db, row["id"])}
        now = self._kjerne.clock()
        aside = self._aside.at(now)
        for row in rows:
            if row["id"] in aside:
                continue
            try:
                for subject in row["subjects"]:
                    await self._kjerne.keys.destroy(subject, identity=row["id"] in carried_out)
                if row["id"] in carried_out:
                    await self._end(row["id"])
            except DATABASE_AWAY:
                raise
            except Exception as error:
                self._aside.put(row["id"], now, "advance", error)

    async def _end(self, id_: UUID) -> None:
        now = self._kjerne.clock()
        async with self._kjerne.engine.begin() as conn:
            db = await driver(conn)
            row = await db.fetchrow(LOCK, id_)
            if row is None or row["status"] != "godkjent":
                return
            # First of all, so that the relay, which asks the gate and then marks its rows, is never waited for with
            # anything locked that the gate needs.
            subjects = [str(subject) for subject in row["subjects"]]
            await forget_undecided(db, self._kjerne.journal_keys, subjects, None, now)
            await db.execute(EMPTY_PERSON, row["subjects"])
            for statement in FORGET:
                await db.execute(statement, row["subjects"])
            await db.execute(COMPLETE, id_, now)
            act = ledger.Entry(
                skriver="samtykke",
                tid=now,
                handling="forvaltning",
                aktor="system:samtykke",
                utfall="utfort",
                kommune=row["kommune"],
                slag="sletting-fullfort",
                subject=row["subjects"][0],
                hendelse=str(id_),
            )
            await ledger.write(db, [act])

    async def _left(self, db: asyncpg.Connection, id_: UUID) -> list[str]:
        return sorted(self._recipients - await self._receipts(db, id_))

    async def _receipts(self, db: asyncpg.Connection, id_: UUID) -> set[str]:
        return {row["mottaker"] for row in await db.fetch(RECEIPTS, id_)}

    async def _own(self, db: asyncpg.Connection, who: Principal, id_: UUID, statement: str) -> asyncpg.Record:
        row = await db.fetchrow(statement, id_)
        if row is None:
            raise problem(404, "sletting-ukjent")
        if who.rolle != "system" and row["kommune"] != who.kommune:
            raise Refused(404, "sletting-ukjent", row["subjects"][0])
        return row

    async def _told(self, db: asyncpg.Connection, id_: UUID) -> api.Sletting:
        row = await db.fetchrow(SELECT, id_)
        assert row is not None
        return {
            "sletting": str(id_),
            "subjects": [str(subject) for subject in row["subjects"]],
            "status": row["status"],
            "beslutning": row["beslutning"],
            "foreslatt_av": row["foreslatt_av"],
            "godkjent_av": row["godkjent_av"],
            "gjenstar": await self._left(db, id_) if row["status"] == "godkjent" else [],
        }

    async def _tell(
        self,
        db: asyncpg.Connection,
        who: Principal,
        slag: str,
        subjects: Sequence[UUID],
        id_: UUID,
        beslutning: str,
        now: datetime,
    ) -> None:
        await ledger.write(db, acts(who, slag, subjects, None, now, sletting=str(id_), beslutning=beslutning))
