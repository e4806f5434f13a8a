"""Blocking a child: nothing about it moves or is read until the blocking is lifted. Nothing is lost meanwhile.

It is what a child or guardian who asks for restriction gets, and what stands in for erasure where archives must be
kept: what services send waits in their journals, keys are handed out to nobody, and tasks stand still.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from backbone import ledger
from backbone.database import driver
from backbone.tokens import Principal
from contracts import samtykke_api as api
from contracts.samtykke_api import Personstatus
from services.samtykke.endringer import announce
from services.samtykke.forvaltning import resolve
from services.samtykke.kropp import problem
from services.samtykke.logg import acts
from services.samtykke.porter import Kjerne

SET_STATUS = "UPDATE person SET status = $2 WHERE subject = ANY($1::uuid[])"
# One at a time in a municipality: joining, parting and erasing may each touch every row of two children.
LOCK_MUNICIPALITY = "SELECT pg_advisory_xact_lock(hashtext('kobling'), hashtext($1))"
LOCK = "SELECT status FROM person WHERE subject = ANY($1::uuid[]) ORDER BY subject FOR UPDATE"


async def block(kjerne: Kjerne, who: Principal, body: api.SperringInn) -> tuple[UUID, Personstatus]:
    """The child and its status afterwards. Raises ProblemError."""
    own_municipality(who, body["kommune"])
    status: Personstatus = "sperret" if body["sperret"] else "aktiv"
    now = kjerne.clock()
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        person = await resolve(kjerne, db, body)
        subjects = list(person.barn)
        held = await locked(db, subjects)
        if "slettet" in held:
            raise problem(409, "slettet")
        if held != {status}:
            await db.execute(SET_STATUS, subjects, status)
            slag = "sperring" if body["sperret"] else "sperring-opphevet"
            await ledger.write(db, acts(who, slag, subjects, body["grunn"], now))
            await announce(db, subjects)
    return person.subject, status


def own_municipality(who: Principal, kommune: str) -> None:
    if who.rolle != "system" and who.kommune != kommune:
        raise problem(403, "annen-kommune")


async def locked(db: asyncpg.Connection, subjects: Sequence[UUID]) -> set[str]:
    """The statuses of these subjects, whose rows stay locked until the transaction ends."""
    return {row["status"] for row in await db.fetch(LOCK, list(subjects))}
