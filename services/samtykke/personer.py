"""Names: kept in the vault, shown to those who may open the child, found by those who may know it exists."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import asyncpg

from backbone.clock import OSLO
from backbone.database import driver
from contracts import samtykke_api as api
from services.samtykke.decide import Unknown
from services.samtykke.identitet import Person
from services.samtykke.logg import Read, log_reads
from services.samtykke.porter import Kjerne, ReadGate, denied


class NoIdentity(Exception):
    """The number or case does not point at a person here; `kode` says why, and the number is not in it."""

    def __init__(self, kode: str) -> None:
        super().__init__(kode)
        self.kode = kode


async def person_of(
    kjerne: Kjerne, db: asyncpg.Connection, kommune: str, number: str | None, subject: str | None
) -> Person:
    """The person meant by a request that names a number or a subject; a number not seen before gets a
    subject.

    Raises NoIdentity, also for a subject of another municipality.
    """
    if subject is not None:
        person = (await kjerne.register.by_subject(db, [UUID(subject)])).get(UUID(subject))
        if person is None or person.kommune != kommune:
            raise NoIdentity("ukjent-barn")
        return person
    today = kjerne.clock().astimezone(OSLO).date()
    identity = kjerne.register.identify(kommune, "", number, None, today)
    if isinstance(identity, Unknown):
        raise NoIdentity(identity.kode)
    return (await kjerne.register.resolve(db, [identity]))[identity.oppslag]


async def case_of(
    kjerne: Kjerne, db: asyncpg.Connection, kommune: str, orgnr: str, sak: str
) -> Person | None:
    """The subject of an organisation's own case, None where nothing was ever sent on it."""
    identity = kjerne.register.identify(kommune, orgnr, None, sak, kjerne.clock().astimezone(OSLO).date())
    if isinstance(identity, Unknown):
        return None
    return (await kjerne.register.find(db, [identity])).get(identity.oppslag)


async def save(kjerne: Kjerne, body: api.PersonInn) -> UUID:
    """Raises NoIdentity."""
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        person = await person_of(kjerne, db, body["kommune"], body["person"], None)
        if person.status == "slettet":
            raise NoIdentity("slettet")
        await kjerne.register.set_name(
            db, person.subject, body["navn"], body.get("adressebeskyttelse", False)
        )
    return person.subject


async def names(kjerne: Kjerne, body: api.NavnInn) -> dict[str, str]:
    """By subject, of those that the viewer may open; every question is logged before the answer."""
    now = kjerne.clock()
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        subjects = {UUID(subject) for subject in body["subjects"]}
        gate = await ReadGate.open(kjerne, db, body["viewer"], subjects, now)
        flags = {"koordinering": body.get("koordinering", False), "oppgave": body.get("oppgave", False)}
        decided = {subject: gate.decide_child(subject, **flags) for subject in sorted(subjects)}
        found = await kjerne.register.names(
            gate.people[subject] for subject, decision in decided.items() if decision.outcome == "full"
        )
        reads = [Read("barn", subject, d, kategori="navn") for subject, d in decided.items()]
        await log_reads(db, body["viewer"], "navn", reads, now)
    return {str(subject): navn for subject, navn in found.items()}


async def search(kjerne: Kjerne, body: api.SokInn) -> list[str]:
    """Subjects of the viewer's own municipality that match and that she may open; the search is logged."""
    now = kjerne.clock()
    viewer = body["viewer"]
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        hits = await _hits(kjerne, db, body, now)
        gate = await ReadGate.open(kjerne, db, viewer, hits, now)
        if "navn" in body:  # whose address is protected by any of its subjects, is found by no name
            hits = [subject for subject in hits if not gate.people[subject].adressebeskyttelse]
        decided = {subject: gate.decide_child(subject) for subject in sorted(hits)}
        reads = [Read("barn", subject, d, kategori="sok") for subject, d in decided.items()]
        missed = [] if reads else [Read("barn", None, denied("ingen-treff"), kategori="sok")]
        await log_reads(db, viewer, "sok", reads or missed, now)
    return list(
        dict.fromkeys(
            str(gate.people[subject].kanonisk)
            for subject, decision in decided.items()
            if decision.outcome == "full"
        )
    )


async def _hits(kjerne: Kjerne, db: asyncpg.Connection, body: api.SokInn, now: datetime) -> Collection[UUID]:
    kommune = body["viewer"]["kommune"]
    if "navn" in body:
        return await kjerne.register.search(db, kommune, body["navn"])
    identity = kjerne.register.identify(kommune, "", body["person"], None, now.astimezone(OSLO).date())
    if isinstance(identity, Unknown):
        return ()
    return [person.subject for person in (await kjerne.register.find(db, [identity])).values()]
