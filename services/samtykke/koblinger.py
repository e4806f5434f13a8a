"""Two subjects that turn out to be one child are joined, and parted where that was wrong.

A subject keeps its id, its keys, its events and its consents; joining says only that they are one child's, so parting
gives each its own again. The child is known by its canonical subject: the one that the first was joined to.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg

from backbone import ledger
from backbone.database import driver
from backbone.journal import Journal, NewEvent
from backbone.settings import Settings
from backbone.tokens import Principal
from contracts import samtykke_api as api
from contracts.catalogue import PREFIX
from contracts.envelope import Content
from contracts.tjenester import SAMTYKKE
from services.samtykke.endringer import announce
from services.samtykke.identitet import Person
from services.samtykke.kropp import exactly_one, place, problem, wrong
from services.samtykke.personer import NoIdentity, case_of, person_of
from services.samtykke.porter import Kjerne
from services.samtykke.samtykker import REGISTER_ORGNR, Ledger
from services.samtykke.sletting import STANDS
from services.samtykke.sperring import LOCK_MUNICIPALITY, locked

Art = Literal["samme-barn", "flytting"]
Steg = Literal["koblet", "frakoblet"]

SAMME_BARN: Art = "samme-barn"

LINKS = "SELECT subject, til FROM kobling WHERE gjelder AND art = $2 AND subject = ANY($1::uuid[])"
WRITE_LINK = """
    INSERT INTO kobling (subject, art, til, versjon, gjelder, tid) VALUES ($1, $2, $3, 1, $4, $5)
    ON CONFLICT (subject, art) DO UPDATE
    SET til = excluded.til, versjon = kobling.versjon + 1, gjelder = excluded.gjelder, tid = excluded.tid
    RETURNING versjon
"""
SET_CANONICAL = """
    UPDATE person SET kanonisk = n.kanonisk
    FROM unnest($1::uuid[], $2::uuid[]) AS n(subject, kanonisk) WHERE person.subject = n.subject
"""


@dataclass(frozen=True, slots=True)
class Kobling:
    """What stands after the step."""

    subject: UUID
    kanonisk: UUID
    koblet: tuple[UUID, ...]


def canonical(links: dict[UUID, UUID], subjects: Collection[UUID]) -> dict[UUID, UUID | None]:
    """Each subject's canonical one, by the links (from, to) that stand; None for one that is joined with none."""

    def root(subject: UUID) -> UUID:
        while subject in links:
            subject = links[subject]
        return subject

    roots = {subject: root(subject) for subject in subjects}
    sizes: dict[UUID, int] = {}
    for found in roots.values():
        sizes[found] = sizes.get(found, 0) + 1
    return {subject: found if sizes[found] > 1 else None for subject, found in roots.items()}


class Koblinger:
    """Every method is one transaction and raises ProblemError when it says no."""

    def __init__(self, kjerne: Kjerne, settings: Settings) -> None:
        self._kjerne = kjerne
        self._journal = Journal(settings, SAMTYKKE)
        self._ledger = Ledger(settings, kjerne.keys)

    async def join(self, who: Principal, body: api.KoblingInn) -> Kobling:
        """Joining what is joined already changes nothing."""
        if ("person" in body) == ("til" in body):
            raise wrong(place("", "en-av-person-og-til"))
        now = self._kjerne.clock()
        async with self._kjerne.engine.begin() as conn:
            db = await driver(conn)
            await db.execute(LOCK_MUNICIPALITY, body["kommune"])
            first = await self._first(db, who, body)
            other = await self._person(db, body["kommune"], body.get("person"), body.get("til"))
            if first.subject == other.subject:
                raise problem(409, "samme-subject")
            everyone = sorted({*first.barn, *other.barn})
            held = await locked(db, everyone)
            for status in ("slettet", "sperret"):
                if status in held:
                    raise problem(409, f"koble-{status}")
            await self._no_erasure(db, everyone)
            links = await self._links(db, everyone)
            if links.get(first.subject) == other.subject:
                return self._after(first.subject, canonical(links, everyone))
            if first.kanonisk == other.kanonisk:
                raise problem(409, "alt-samme-barn")
            if first.subject in links:
                raise problem(409, "alt-koblet")
            links[first.subject] = other.subject
            if (
                born := other.fodselsdato or first.fodselsdato
            ):  # for the other of them it was not known until now
                await self._ledger.reconsider(db, everyone, born, now)
            return await self._write(db, who, first, other.subject, "koblet", links, everyone, now)

    async def part(self, who: Principal, body: api.KoblingInn) -> Kobling:
        """Each has its own again. Parting what is joined to nobody changes nothing."""
        now = self._kjerne.clock()
        async with self._kjerne.engine.begin() as conn:
            db = await driver(conn)
            await db.execute(LOCK_MUNICIPALITY, body["kommune"])
            first = await self._first(db, who, body)
            everyone = sorted(first.barn)
            await locked(db, everyone)
            links = await self._links(db, everyone)
            other = links.pop(first.subject, None)
            if other is None:
                if first.koblet:
                    raise problem(409, "koblet-til-denne")
                return self._after(first.subject, canonical(links, everyone))
            await self._no_erasure(db, everyone)
            return await self._write(db, who, first, other, "frakoblet", links, everyone, now)

    async def _no_erasure(self, db: asyncpg.Connection, subjects: Collection[UUID]) -> None:
        """Raises ProblemError where it is proposed to erase any of them: the decision is about the child as it was."""
        if await db.fetchrow(STANDS, list(subjects)):
            raise problem(409, "koble-sletting-foreslatt")

    async def _first(self, db: asyncpg.Connection, who: Principal, body: api.KoblingInn) -> Person:
        if who.rolle != "system":
            if body["kommune"] != who.kommune:
                raise problem(403, "annen-kommune")
            if "sak" not in body or "orgnr" in body or "til" in body:
                raise problem(403, "bare-egen-sak")
        if "sak" in body:
            exactly_one(body, "sak", "subject")
            orgnr = body.get("orgnr", who.orgnr)
            found = await case_of(self._kjerne, db, body["kommune"], orgnr, body["sak"])
            if found is None:
                raise wrong(place("/sak", "ukjent-sak"))
            return found
        return await self._person(db, body["kommune"], None, body.get("subject"))

    async def _person(
        self, db: asyncpg.Connection, kommune: str, number: str | None, subject: str | None
    ) -> Person:
        try:
            return await person_of(self._kjerne, db, kommune, number, subject)
        except NoIdentity as error:
            raise wrong(place("/person" if number else "/subject", error.kode)) from None

    async def _links(self, db: asyncpg.Connection, subjects: Collection[UUID]) -> dict[UUID, UUID]:
        return {row["subject"]: row["til"] for row in await db.fetch(LINKS, list(subjects), SAMME_BARN)}

    async def _write(
        self,
        db: asyncpg.Connection,
        who: Principal,
        first: Person,
        other: UUID,
        step: Steg,
        links: dict[UUID, UUID],
        everyone: Collection[UUID],
        now: datetime,
    ) -> Kobling:
        """Link, canonical subjects, the ledger, an event on each of the two, and last the feed: to all who are joined
        now and all who were."""
        versjon: int = await db.fetchval(WRITE_LINK, first.subject, SAMME_BARN, other, step == "koblet", now)
        roots = canonical(links, everyone)
        await db.execute(SET_CANONICAL, list(roots), list(roots.values()))
        await ledger.write(db, [_act(who, first, other, step, now)])
        pairs = ((first.subject, other), (other, first.subject))
        events = [_event(first, subject, annen, step, versjon, now) for subject, annen in pairs]
        await self._journal.append(db, events, now)
        await announce(db, sorted(everyone))
        return self._after(first.subject, roots)

    def _after(self, subject: UUID, roots: dict[UUID, UUID | None]) -> Kobling:
        root = roots[subject]
        if root is None:
            return Kobling(subject, subject, (subject,))
        rest = sorted(one for one, its in roots.items() if its == root and one != root)
        return Kobling(subject, root, (root, *rest))


def _act(who: Principal, first: Person, other: UUID, step: Steg, now: datetime) -> ledger.Entry:
    return ledger.Entry(
        SAMTYKKE,
        now,
        "forvaltning",
        who.sub,
        step,
        rolle=who.rolle,
        orgnr=who.orgnr,
        kommune=first.kommune,
        tjeneste=who.tjeneste,
        slag="kobling",
        subject=first.subject,
        detaljer={"annen_subject": str(other), "art": SAMME_BARN},
    )


def _event(first: Person, subject: UUID, annen: UUID, step: Steg, versjon: int, now: datetime) -> NewEvent:
    return NewEvent(
        id=f"{first.subject}.{annen}.{versjon}",
        source=f"/{first.kommune}/{SAMTYKKE}/{REGISTER_ORGNR}",
        type=f"{PREFIX}{SAMTYKKE}.identitet.{step}",
        kommune=first.kommune,
        orgnr=REGISTER_ORGNR,
        time=now,
        content=Content(
            nokkel=f"kobling/{first.subject}", versjon=versjon, data={"annen_subject": str(annen)}
        ),
        subject=str(subject),
    )
