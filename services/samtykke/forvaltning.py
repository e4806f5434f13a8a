"""What families and services do with consents, and who coordinates whom: checked, then written in one
transaction.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from backbone.database import driver
from backbone.tokens import Principal
from contracts import samtykke_api as api
from contracts.tilgang import SKJERMEDE_TJENESTER
from services.samtykke import familie
from services.samtykke.identitet import Person
from services.samtykke.kropp import exactly_one, place, problem, wrong
from services.samtykke.logg import Read, log_reads
from services.samtykke.personer import NoIdentity, person_of
from services.samtykke.porter import Kjerne, ReadGate
from services.samtykke.samtykker import (
    Entry,
    Ledger,
    NotAllowed,
    entry_of,
    give,
    give_again,
    refuse,
    withdraw,
)

INSERT_ASSIGNMENT = """
    INSERT INTO tildeling (subject, koordinator, rolle) VALUES ($1, $2, $3)
    ON CONFLICT (subject, koordinator) DO UPDATE SET rolle = excluded.rolle
"""
DELETE_ASSIGNMENT = "DELETE FROM tildeling WHERE subject = ANY($1::uuid[]) AND koordinator = $2"
SELECT_ASSIGNED = """
    SELECT DISTINCT coalesce(p.kanonisk, t.subject) AS subject
    FROM tildeling t JOIN person p USING (subject) WHERE t.koordinator = $1 ORDER BY subject
"""
LOCK_ID = "SELECT pg_advisory_xact_lock(hashtext('samtykke'), hashtext($1))"


class Consents:
    """The commands on consents. Every method raises ProblemError when it says no."""

    def __init__(self, kjerne: Kjerne, ledger: Ledger) -> None:
        self._kjerne = kjerne
        self._ledger = ledger
        self._categories = frozenset(t.kategori for t in kjerne.catalogue.typer)

    async def give(self, who: Principal, body: api.SamtykkeInn) -> Entry:
        return await self._register(who, body, refused=False)

    async def refuse(self, who: Principal, body: api.SamtykkeInn) -> Entry:
        return await self._register(who, body, refused=True)

    async def withdraw(self, who: Principal, id_: UUID) -> Entry:
        return await self._change(who, id_, again=False)

    async def give_again(self, who: Principal, id_: UUID) -> Entry:
        return await self._change(who, id_, again=True)

    async def of_child(self, who: Principal, subject: UUID) -> list[Entry]:
        """For our own processes all of them; for a service those it is a party to."""
        async with self._kjerne.engine.connect() as conn:
            db = await driver(conn)
            person = (await self._kjerne.register.by_subject(db, [subject])).get(subject)
            entries = await self._ledger.of_child(db, person.barn if person else ())
        return [e for e in entries if who.rolle == "system" or (e.kommune == who.kommune and _party(who, e))]

    async def seen_by(self, body: api.SamtykkelesingInn) -> list[Entry]:
        """Those that the viewer may see: the ones that name her, and those that betray no shielded
        service.
        """
        now = self._kjerne.clock()
        subject = UUID(body["subject"])
        async with self._kjerne.engine.begin() as conn:
            db = await driver(conn)
            gate = await ReadGate.open(self._kjerne, db, body["viewer"], [subject], now)
            decision = gate.decide_child(
                subject, koordinering=body.get("koordinering", False), oppgave=body.get("oppgave", False)
            )
            barn = gate.people[subject].barn if decision.outcome != "deny" else ()
            entries = await self._ledger.of_child(db, barn)
            await log_reads(
                db, body["viewer"], "samtykker", [Read("barn", subject, decision, kategori="samtykke")], now
            )
        return [
            e
            for e in entries
            if gate.viewer.party in (e.fra_tjeneste, *e.til_tjenester)
            or SKJERMEDE_TJENESTER.isdisjoint((e.fra_tjeneste, *e.til_tjenester))
        ]

    async def _register(self, who: Principal, body: api.SamtykkeInn, *, refused: bool) -> Entry:
        self._check(who, body)
        now = self._kjerne.clock()
        id_ = UUID(body["id"]) if "id" in body else uuid4()
        async with self._kjerne.engine.begin() as conn:
            db = await driver(conn)
            person = await resolve(self._kjerne, db, body)
            await db.execute(LOCK_ID, str(id_))  # there may be no row to lock yet
            current = await self._ledger.lock(db, id_)
            new = entry_of(id_, person, body, now)
            if current is not None and current.subject in person.barn:
                new = replace(new, subject=current.subject)
            try:
                step = refuse(current, new) if refused else give(current, new, now)
            except NotAllowed as error:
                raise problem(409, error.kode) from None
            if step is None:
                assert current is not None
                return current
            numbered = replace(new, sekvens=current.sekvens if current else 0)
            return await self._ledger.take(db, numbered, step, who.sub, now)

    async def _change(self, who: Principal, id_: UUID, *, again: bool) -> Entry:
        now = self._kjerne.clock()
        async with self._kjerne.engine.begin() as conn:
            db = await driver(conn)
            entry = await self._ledger.lock(db, id_)
            if entry is None or (who.rolle != "system" and entry.kommune != who.kommune):
                raise problem(404, "samtykke-ukjent")
            if who.rolle != "system" and not _party(who, entry):
                raise problem(403, "ikke-part")
            try:
                step = give_again(entry, now) if again else withdraw(entry)
            except NotAllowed as error:
                raise problem(409, error.kode) from None
            return await self._ledger.take(db, entry, step, who.sub, now) if step else entry

    def _check(self, who: Principal, body: api.SamtykkeInn) -> None:
        exactly_one(body, "person", "subject")
        faults = [*self._faults(body)]
        if faults:
            raise wrong(*faults)
        if who.rolle == "system":
            return
        if body["kommune"] != who.kommune:
            raise problem(403, "annen-kommune")
        if who.tjeneste not in (body["fra_tjeneste"], *body["til_tjenester"]):
            raise problem(403, "ikke-part")

    def _faults(self, body: api.SamtykkeInn) -> list[dict[str, Any]]:
        services = self._kjerne.catalogue.tjenester.keys()
        recipients = services | {api.KOORDINATOR}
        out = []
        if body["fra_tjeneste"] not in services:
            out.append(place("/fra_tjeneste", "tjeneste-ukjent", kjente=", ".join(sorted(services))))
        if not set(body["til_tjenester"]) - {body["fra_tjeneste"]}:
            out.append(place("/til_tjenester", "mottaker-mangler"))
        for nr, name in enumerate(body["til_tjenester"]):
            if name not in recipients:
                known = ", ".join(sorted(recipients))
                out.append(place(f"/til_tjenester/{nr}", "tjeneste-ukjent", kjente=known))
        if not body["kategorier"]:
            out.append(place("/kategorier", "kategori-mangler"))
        for nr, name in enumerate(body["kategorier"]):
            if name not in self._categories:
                known = ", ".join(sorted(self._categories))
                out.append(place(f"/kategorier/{nr}", "kategori-ukjent", kjente=known))
        return out


def _party(who: Principal, entry: Entry) -> bool:
    return who.tjeneste is not None and who.tjeneste in (entry.fra_tjeneste, *entry.til_tjenester)


async def assign(kjerne: Kjerne, body: api.TildelingInn) -> UUID:
    """Makes the user the child's coordinator. Raises ProblemError."""
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        person = await resolve(kjerne, db, body)
        await db.execute(INSERT_ASSIGNMENT, person.subject, body["koordinator"], body["rolle"])
    return person.subject


async def unassign(kjerne: Kjerne, body: api.TildelingInn) -> UUID:
    """From the next call on she is no coordinator of this child. Raises ProblemError."""
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        person = await resolve(kjerne, db, body)
        await db.execute(DELETE_ASSIGNMENT, person.barn, body["koordinator"])
    return person.subject


async def add_family(kjerne: Kjerne, body: api.FamilieInn) -> UUID:
    """Writes down that the user is this child, its parent or its guardian. Raises ProblemError."""
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        person = await resolve(kjerne, db, body)
        await db.execute(familie.INSERT, person.subject, body["bruker"], body["rolle"])
    return person.subject


async def remove_family(kjerne: Kjerne, body: api.FamilieInn) -> UUID:
    """From the next call on the user is nobody to this child. Raises ProblemError."""
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        person = await resolve(kjerne, db, body)
        await db.execute(familie.DELETE, person.barn, body["bruker"])
    return person.subject


async def children_of(kjerne: Kjerne, bruker: str) -> list[UUID]:
    """The children that the user is, or is a guardian of."""
    async with kjerne.engine.connect() as conn:
        rows = await (await driver(conn)).fetch(familie.CHILDREN, bruker)
    return [row["subject"] for row in rows]


async def resolve(
    kjerne: Kjerne, db: asyncpg.Connection, body: api.SamtykkeInn | api.TildelingInn | api.FamilieInn
) -> Person:
    """The child that a body names by `person` or `subject`. Raises ProblemError."""
    exactly_one(body, "person", "subject")
    field = "person" if "person" in body else "subject"
    try:
        return await person_of(kjerne, db, body["kommune"], body.get("person"), body.get("subject"))
    except NoIdentity as error:
        raise wrong(place(f"/{field}", error.kode)) from None


async def assigned(kjerne: Kjerne, koordinator: str) -> list[UUID]:
    """The children that the coordinator with this `sub` is assigned to."""
    async with kjerne.engine.connect() as conn:
        rows = await (await driver(conn)).fetch(SELECT_ASSIGNED, koordinator)
    return [row["subject"] for row in rows]
