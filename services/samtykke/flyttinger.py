"""A child moves to another municipality: responsibility goes over, and what the family's consents name, not the log.

samtykke says in the new place that a child is coming (`overgang.planlagt`, to the service that is to receive it),
gives the named consents there anew, and says in the old place, when somebody in the new one has confirmed, that it was
received (`overgang.mottak-bekreftet`): which closes the sender's duty.
"""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID, uuid5

import asyncpg
from pydantic import JsonValue

from backbone import ledger
from backbone.clock import OSLO
from backbone.database import driver
from backbone.journal import NewEvent
from backbone.tokens import Principal
from contracts import samtykke_api as api
from contracts.envelope import Content
from contracts.tilgang import SKJERMEDE_TJENESTER
from contracts.tjenester import KOORDINERENDE_ENHET, SAMTYKKE
from services.samtykke.flytting import PLANLAGT, SLAG, event, opened, sealed
from services.samtykke.identitet import Identity, Person
from services.samtykke.kropp import exactly_one, place, problem, wrong
from services.samtykke.personer import NoIdentity, person_of
from services.samtykke.porter import Kjerne
from services.samtykke.samtykker import Entry, Ledger

ART = "flytting"

LOCK = "SELECT pg_advisory_xact_lock(hashtext('flytting'), hashtext($1))"
LINK = """
    INSERT INTO kobling (subject, art, til, versjon, gjelder, tid) VALUES ($1, $2, $3, 1, true, $4)
    ON CONFLICT (subject, art) DO UPDATE
    SET til = excluded.til, versjon = kobling.versjon + 1, gjelder = true, tid = excluded.tid
    RETURNING versjon
"""
SAVE = """
    INSERT INTO flytting (subject, versjon, overgang_forseglet, til_kommune, tid) VALUES ($1, $2, $3, $4, $5)
"""
STANDING = """
    SELECT k.til, f.versjon, f.overgang_forseglet FROM kobling k JOIN flytting f USING (subject, versjon)
    WHERE k.subject = $1 AND k.art = 'flytting' AND k.gjelder AND f.bekreftet IS NULL
"""


class Flyttinger:
    """Every method is one transaction and raises ProblemError when it says no."""

    def __init__(self, kjerne: Kjerne, consents: Ledger) -> None:
        self._kjerne = kjerne
        self._ledger = consents

    async def register(self, who: Principal, body: api.FlyttingInn) -> UUID:
        """The child's subject in the new municipality. The same again changes nothing."""
        exactly_one(body, "person", "subject")
        self._check(who, body)
        now = self._kjerne.clock()
        async with self._kjerne.engine.begin() as conn:
            db = await driver(conn)
            old = await self._person(db, body)
            await db.execute(LOCK, str(old.subject))
            named = await self._named(db, who, old, body["samtykker"], now)
            new = await self._in_new_place(db, old, body["til_kommune"])
            standing = await db.fetchrow(STANDING, old.subject)
            keys = self._kjerne.keys
            if standing and standing["til"] == new.subject:
                before = await opened(keys, old.subject, standing["overgang_forseglet"])
                if before == body["overgang"]:
                    return new.subject
            versjon = await db.fetchval(LINK, old.subject, ART, new.subject, now)
            await db.execute(
                SAVE,
                old.subject,
                versjon,
                await sealed(keys, old.subject, body["overgang"]),
                body["til_kommune"],
                now,
            )
            for entry in named:
                await self._give_anew(db, entry, new, who, now)
            await self._kjerne.journal.append(db, [_planned(old, new, body, who, versjon, now)], now)
            await ledger.write(db, [_act(who, old, body["til_kommune"], now)])
        return new.subject

    def _check(self, who: Principal, body: api.FlyttingInn) -> None:
        if who.rolle != "system" and body["kommune"] != who.kommune:
            raise problem(403, "annen-kommune")
        if body["til_kommune"] == body["kommune"]:
            raise wrong(place("/til_kommune", "flytting-samme-kommune"))
        mottaker = body.get("mottaker")
        if mottaker is not None and mottaker not in self._kjerne.catalogue.tjenester:
            known = ", ".join(sorted(self._kjerne.catalogue.tjenester))
            raise wrong(place("/mottaker", "tjeneste-ukjent", kjente=known))
        if not body["samtykker"]:
            raise problem(409, "flytting-uten-samtykke")

    async def _person(self, db: asyncpg.Connection, body: api.FlyttingInn) -> Person:
        try:
            person = await person_of(
                self._kjerne, db, body["kommune"], body.get("person"), body.get("subject")
            )
        except NoIdentity as error:
            raise wrong(place("/person" if "person" in body else "/subject", error.kode)) from None
        if person.status != "aktiv":
            raise problem(409, f"koble-{person.status}")
        return person

    async def _named(
        self, db: asyncpg.Connection, who: Principal, old: Person, ids: Collection[str], now: datetime
    ) -> list[Entry]:
        """The consents that say what may go over: the child's own, in force, the caller a party to each."""
        found = []
        for id_ in sorted(set(ids)):
            entry = await self._ledger.lock(db, UUID(id_))
            ours = entry is not None and entry.subject in old.barn
            party = entry is not None and who.tjeneste in (entry.fra_tjeneste, *entry.til_tjenester)
            if entry is None or not ours or not (who.rolle == "system" or party):
                raise problem(404, "samtykke-ukjent")
            lasts = entry.utloper is None or now < entry.utloper
            if entry.status != "gitt" or entry.gyldig_fra > now or not lasts:
                raise problem(409, "flytting-uten-samtykke")
            found.append(entry)
        return found

    async def _in_new_place(self, db: asyncpg.Connection, old: Person, til_kommune: str) -> Person:
        """The same number in the other municipality; a subject without a number cannot be followed."""
        number = await self._kjerne.register.number(db, old.subject)
        if number is None:
            raise problem(409, "flytting-uten-nummer")
        today = self._kjerne.clock().astimezone(OSLO).date()
        identity = self._kjerne.register.identify(til_kommune, "", number, None, today)
        if not isinstance(identity, Identity):
            raise problem(409, "flytting-uten-nummer")
        return (await self._kjerne.register.resolve(db, [identity]))[identity.oppslag]

    async def _give_anew(
        self, db: asyncpg.Connection, entry: Entry, new: Person, who: Principal, now: datetime
    ) -> None:
        """The same words about the child in its new municipality, as a consent of its own there."""
        copy = Entry(
            id=uuid5(new.subject, str(entry.id)),
            subject=new.subject,
            kommune=new.kommune,
            status="gitt",
            sekvens=0,
            fra_tjeneste=entry.fra_tjeneste,
            til_tjenester=entry.til_tjenester,
            kategorier=entry.kategorier,
            gyldig_fra=entry.gyldig_fra,
            utloper=entry.utloper,
            record={**entry.record, "kommune": new.kommune},
            tid=now,
            givere=entry.givere,
        )
        if await self._ledger.lock(db, copy.id) is None:
            await self._ledger.take(db, copy, "gitt", who.sub, now)


def receiver(mottaker: str | None, avsender: str | None) -> str:
    """The service that everybody there is told is to receive the child: none that would tell a secret connection, but
    the coordinating unit in its place. Who may know of it has the consents given anew."""
    to = mottaker or avsender or KOORDINERENDE_ENHET
    return KOORDINERENDE_ENHET if to in SKJERMEDE_TJENESTER else to


def _planned(
    old: Person, new: Person, body: api.FlyttingInn, who: Principal, versjon: int, now: datetime
) -> NewEvent:
    """In the new municipality: a child is coming, to this service, on this day."""
    day: date | None = body.get("dato")
    data: dict[str, JsonValue] = {
        "slag": SLAG,
        "fra": old.kommune,
        "til": receiver(body.get("mottaker"), who.tjeneste),
        "dato": day.isoformat() if day else None,
    }
    content = Content(nokkel=body["overgang"], versjon=versjon, data=data)
    return event(PLANLAGT, new.kommune, new.subject, versjon, content, now)


def _act(who: Principal, old: Person, til_kommune: str, now: datetime) -> ledger.Entry:
    return ledger.Entry(
        SAMTYKKE,
        now,
        "forvaltning",
        who.sub,
        "flyttet",
        rolle=who.rolle,
        orgnr=who.orgnr,
        kommune=old.kommune,
        tjeneste=who.tjeneste,
        slag="kobling",
        subject=old.subject,
        detaljer={"til_kommune": til_kommune, "art": ART},
    )
