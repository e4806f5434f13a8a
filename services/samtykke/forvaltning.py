"""What families and services do with consents, and who coordinates whom: checked, then written in one
transaction.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from backbone import ledger
from backbone.database import driver
from backbone.tokens import Principal
from contracts import samtykke_api as api
from contracts.tilgang import BARN, FORESATT
from services.samtykke import familie
from services.samtykke.decide import FAMILY
from services.samtykke.identitet import Person
from services.samtykke.kropp import Refused, exactly_one, place, problem, wrong
from services.samtykke.logg import Read, acts, log_consents_read, log_reads
from services.samtykke.personer import NoIdentity, person_of
from services.samtykke.porter import Kjerne, ReadGate
from services.samtykke.samtykker import (
    Entry,
    Hendelse,
    Ledger,
    NotAllowed,
    Steg,
    accede,
    check_age,
    entry_of,
    give,
    give_again,
    refuse,
    takes_both,
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
        return await self._change(who, id_, lambda entry, _: (withdraw(entry), entry))

    async def accede(self, who: Principal, id_: UUID, body: api.TiltreInn) -> Entry:
        """The other parent's consent."""

        def step(entry: Entry, _: datetime) -> tuple[Steg | None, Entry]:
            giver = _giver(who, body)
            found = accede(entry, giver)
            return found, replace(entry, givere=(*entry.givere, giver or ""))

        return await self._change(who, id_, step)

    async def give_again(self, who: Principal, id_: UUID) -> Entry:
        def step(entry: Entry, now: datetime) -> tuple[Steg | None, Entry]:
            both, giver = takes_both(entry, self._kjerne.law), _giver(who, {})
            found = give_again(entry, now, both=both, giver=giver)
            return found, replace(entry, givere=(giver,)) if both and giver else entry

        return await self._change(who, id_, step)

    async def of_child(self, who: Principal, subject: UUID) -> list[Entry]:
        """For our own processes all of them; for a service those it is a party to; for the child and its guardians
        those that are theirs to give. That they were asked for is committed to the ledger before this returns.
        """
        now = self._kjerne.clock()
        async with self._kjerne.engine.begin() as conn:
            db = await driver(conn)
            person = (await self._kjerne.register.by_subject(db, [subject])).get(subject)
            if person is None:
                await log_consents_read(db, who, subject, "deny", "ukjent-barn", now)
                return []
            entries = await self._ledger.of_child(db, person.barn)
            if who.rolle in FAMILY:
                await self._family(db, who, person)
                shown = [e for e in entries if _theirs(who, e)]
                utfall, grunn = "full", PERMITTED[who.rolle]
            else:
                shown = [e for e in entries if who.rolle == "system" or _own_party(who, e)]
                utfall, grunn = _permitted(who, person, bool(shown))
            await log_consents_read(db, who, subject, utfall, grunn, now)
        return shown

    async def history(self, who: Principal, id_: UUID) -> list[Hendelse]:
        """The consent's ledger, for whoever may change it."""
        async with self._kjerne.engine.begin() as conn:
            db = await driver(conn)
            entry = await self._mine(db, who, id_)
            grunn = PERMITTED.get(who.rolle, PARTY)
            await log_consents_read(db, who, entry.subject, "full", grunn, self._kjerne.clock(), id_)
            return await self._ledger.history(db, id_)

    async def seen_by(self, body: api.SamtykkelesingInn) -> list[Entry]:
        """Those that the viewer may see: the ones that name her, and those that betray no shielded service and
        nothing that is the child's own to tell.
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
        listed = {c.id for c in gate.consents.get(subject, ()) if gate.lists(subject, c)}
        return [e for e in entries if str(e.id) in listed]

    async def _register(self, who: Principal, body: api.SamtykkeInn, *, refused: bool) -> Entry:
        self._check(who, body)
        law, now = self._kjerne.law, self._kjerne.clock()
        id_ = UUID(body["id"]) if "id" in body else uuid4()
        async with self._kjerne.engine.begin() as conn:
            db = await driver(conn)
            person = await resolve(self._kjerne, db, body)
            if who.rolle in FAMILY:
                await self._family(db, who, person, body["hvem"])
                body = {**body, "giver": who.sub}
            await db.execute(LOCK_ID, str(id_))  # there may be no row to lock yet
            current = await self._ledger.lock(db, id_)
            new = entry_of(id_, person, body, now, law)
            if current is not None and current.subject in person.barn:
                new = replace(new, subject=current.subject)
            try:
                if not refused and (current is None or current.record != new.record):
                    check_age(new, person.fodselsdato, law, now)
                both = takes_both(new, law)
                step = refuse(current, new) if refused else give(current, new, now, both=both)
                if step is None:
                    assert current is not None
                    return current
            except NotAllowed as error:
                raise problem(409, error.kode, **error.data) from None
            if step == "tiltradt" and current is not None:
                new = replace(new, givere=(*current.givere, *new.givere))
            numbered = replace(new, sekvens=current.sekvens if current else 0)
            return await self._ledger.take(db, numbered, step, who.sub, now)

    async def _change(
        self,
        who: Principal,
        id_: UUID,
        step_of: Callable[[Entry, datetime], tuple[Steg | None, Entry]],
    ) -> Entry:
        now = self._kjerne.clock()
        async with self._kjerne.engine.begin() as conn:
            db = await driver(conn)
            entry = await self._mine(db, who, id_)
            try:
                step, after = step_of(entry, now)
            except NotAllowed as error:
                raise problem(409, error.kode, **error.data) from None
            return await self._ledger.take(db, after, step, who.sub, now) if step else entry

    async def _mine(self, db: asyncpg.Connection, who: Principal, id_: UUID) -> Entry:
        """The consent, locked, where it is the caller's to change. Raises ProblemError."""
        entry = await self._ledger.lock(db, id_)
        if entry is None:
            raise problem(404, "samtykke-ukjent")
        if who.rolle != "system" and entry.kommune != who.kommune:
            raise Refused(404, "samtykke-ukjent", entry.subject)
        if who.rolle in FAMILY:
            people = await self._kjerne.register.by_subject(db, [entry.subject])
            await self._family(db, who, people[entry.subject])
            if not _theirs(who, entry):
                raise Refused(403, "ikke-ditt-samtykke", entry.subject)
        elif who.rolle != "system" and not _party(who, entry):
            raise Refused(403, "ikke-part", entry.subject)
        return entry

    async def _family(
        self, db: asyncpg.Connection, who: Principal, person: Person, hvem: api.Samtykkegiver | None = None
    ) -> None:
        """Raises ProblemError unless the register has the caller as this child or its guardian, and she speaks as
        that.
        """
        found = await familie.families_of(db, who.sub, person.barn)
        roles = {rolle for of in found.values() for _, rolle in of} & FAMILY[who.rolle]
        if person.kommune != who.kommune or not roles:
            raise Refused(403, "ikke-eget-barn", person.subject)
        if hvem is not None and hvem not in {SPEAKS_AS[rolle] for rolle in roles}:
            raise Refused(403, "ikke-din-rolle", person.subject)

    def _check(self, who: Principal, body: api.SamtykkeInn) -> None:
        exactly_one(body, "person", "subject")
        faults = [*self._faults(body)]
        if faults:
            raise wrong(*faults)
        if who.rolle == "system":
            return
        if body["kommune"] != who.kommune:
            raise problem(403, "annen-kommune")
        if who.rolle in FAMILY:
            if body.get("giver", who.sub) != who.sub:
                raise problem(403, "ikke-din-rolle")
        elif who.tjeneste not in (body["fra_tjeneste"], *body["til_tjenester"]):
            raise problem(403, "ikke-part")

    def _faults(self, body: api.SamtykkeInn) -> list[dict[str, Any]]:
        services = self._kjerne.catalogue.tjenester.keys()
        recipients = services | {api.KOORDINATOR, api.FORESATT}
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
        for nr, name in enumerate(body["til_tjenester"]):
            if name == api.FORESATT and body["hvem"] != "selv":
                out.append(place(f"/til_tjenester/{nr}", "foresatt-bare-fra-barnet"))
            known_service = self._kjerne.catalogue.tjenester.get(name)
            if known_service and known_service.frivillig and self._secret(body):
                out.append(place(f"/til_tjenester/{nr}", "mottaker-frivillig"))
        return out

    def _secret(self, body: api.SamtykkeInn) -> bool:
        """Whether the service tells anything but N in one of the categories."""
        return any(
            t.skjerming_for(body["fra_tjeneste"]) != "N"
            for t in self._kjerne.catalogue.typer
            if t.kategori in body["kategorier"] and t.may_be_sent_by(body["fra_tjeneste"])
        )


SPEAKS_AS: dict[api.Familierolle, api.Samtykkegiver] = {
    "barn": "selv",
    "forelder": "forelder",
    "verge": "verge",
}


PARTY = "part-i-samtykke"
PERMITTED = {BARN: "barnet-selv", FORESATT: "foresatt", "system": "intern"}
"""Why a role reads consents, as the ledger has it; a service does as a party."""


def _permitted(who: Principal, person: Person, shown: bool) -> tuple[str, str]:
    """(outcome, why) of a service's or our own reading."""
    if who.rolle == "system":
        return "full", PERMITTED["system"]
    if person.kommune != who.kommune:
        return "deny", "annen-kommune"
    return ("full", PARTY) if shown else ("deny", "ikke-part")


def _own_party(who: Principal, entry: Entry) -> bool:
    return entry.kommune == who.kommune and _party(who, entry)


def _theirs(who: Principal, entry: Entry) -> bool:
    """Whether the consent is the child's, or a guardian's, to give and withdraw."""
    return (entry.hvem == "selv") == (who.rolle == BARN)


def _giver(who: Principal, body: api.TiltreInn) -> str | None:
    return who.sub if who.rolle in FAMILY else body.get("giver")


def _party(who: Principal, entry: Entry) -> bool:
    return who.tjeneste is not None and who.tjeneste in (entry.fra_tjeneste, *entry.til_tjenester)


async def assign(kjerne: Kjerne, who: Principal, body: api.TildelingInn) -> UUID:
    """Makes the user the child's coordinator. Raises ProblemError."""
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        person = await resolve(kjerne, db, body)
        await db.execute(INSERT_ASSIGNMENT, person.subject, body["koordinator"], body["rolle"])
        whom = {"koordinator": body["koordinator"], "som": body["rolle"]}
        told = acts(who, "tildeling", [person.subject], None, kjerne.clock(), **whom)
        await ledger.write(db, told)
    return person.subject


async def unassign(kjerne: Kjerne, who: Principal, body: api.TildelingInn) -> UUID:
    """From the next call on she is no coordinator of this child. Raises ProblemError."""
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        person = await resolve(kjerne, db, body)
        await db.execute(DELETE_ASSIGNMENT, person.barn, body["koordinator"])
        told = acts(
            who, "fratildeling", [person.subject], None, kjerne.clock(), koordinator=body["koordinator"]
        )
        await ledger.write(db, told)
    return person.subject


async def add_family(kjerne: Kjerne, who: Principal, body: api.FamilieInn) -> UUID:
    """Writes down that the user is this child, its parent or its guardian. Raises ProblemError."""
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        person = await resolve(kjerne, db, body)
        await db.execute(familie.INSERT, person.subject, body["bruker"], body["rolle"])
        whom = {"bruker": body["bruker"], "som": body["rolle"]}
        told = acts(who, "familie-knyttet", [person.subject], None, kjerne.clock(), **whom)
        await ledger.write(db, told)
    return person.subject


async def remove_family(kjerne: Kjerne, who: Principal, body: api.FamilieInn) -> UUID:
    """From the next call on the user is nobody to this child. Raises ProblemError."""
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        person = await resolve(kjerne, db, body)
        await db.execute(familie.DELETE, person.barn, body["bruker"])
        told = acts(who, "familie-losnet", [person.subject], None, kjerne.clock(), bruker=body["bruker"])
        await ledger.write(db, told)
    return person.subject


async def children_of(kjerne: Kjerne, bruker: str) -> list[UUID]:
    """The children that the user is, or is a guardian of."""
    async with kjerne.engine.connect() as conn:
        rows = await (await driver(conn)).fetch(familie.CHILDREN, bruker)
    return [row["subject"] for row in rows]


async def resolve(
    kjerne: Kjerne,
    db: asyncpg.Connection,
    body: api.SamtykkeInn | api.TildelingInn | api.FamilieInn | api.SperringInn | api.SlettingInn,
) -> Person:
    """The child that a body names by `person` or `subject`. Raises ProblemError."""
    exactly_one(body, "person", "subject")
    field = "person" if "person" in body else "subject"
    try:
        person = await person_of(kjerne, db, body["kommune"], body.get("person"), body.get("subject"))
    except NoIdentity as error:
        raise wrong(place(f"/{field}", error.kode)) from None
    if person.status == "slettet":
        raise wrong(place(f"/{field}", "slettet"))
    return person


async def assigned(kjerne: Kjerne, koordinator: str) -> list[UUID]:
    """The children that the coordinator with this `sub` is assigned to."""
    async with kjerne.engine.connect() as conn:
        rows = await (await driver(conn)).fetch(SELECT_ASSIGNED, koordinator)
    return [row["subject"] for row in rows]
