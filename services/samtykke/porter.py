"""The two gates: gather what a decision needs in a few bulk statements, decide each item, hand out the
keys.

Nothing is kept between calls, so what a family withdrew is withdrawn from the next call on.
"""

from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import metrics, telemetry
from backbone.clock import OSLO, Clock
from backbone.database import driver
from backbone.journal import Journal, JournalKeys
from backbone.settings import Settings
from contracts import samtykke_api as api
from contracts.catalogue import Catalogue, UnknownType, split
from contracts.lov import Lov
from contracts.tilgang import FORESATT, FRIVILLIG, KOORDINERENDE_ENHET, SKJERMEDE_TJENESTER
from contracts.tjenester import SAMORDNING, SAMTYKKE
from services.samtykke.alder import law_of
from services.samtykke.decide import (
    FAMILY,
    Child,
    Consent,
    Decision,
    Event,
    Fakta,
    Unknown,
    Viewer,
    decide,
    describe,
    guardians_may_know,
)
from services.samtykke.familie import families_of
from services.samtykke.flytting import confirm
from services.samtykke.identitet import Identity, Person, Register
from services.samtykke.logg import Read, log_handout, log_reads
from services.samtykke.nokler import DataKey, KeyStore

SELECT_CONSENTS = """
    SELECT subject, samtykke, status, fra_tjeneste, til_tjenester, kategorier, gyldig_fra, utloper, hvem
    FROM samtykke WHERE subject = ANY($1::uuid[]) ORDER BY samtykke
"""
SELECT_COORDINATED = "SELECT subject FROM tildeling WHERE subject = ANY($1::uuid[]) AND koordinator = $2"

NOBODY = Unknown("ukjent-barn")


@dataclass(frozen=True)
class Kjerne:
    """What every call works with."""

    engine: AsyncEngine
    register: Register
    keys: KeyStore
    catalogue: Catalogue
    law: Lov
    clock: Clock
    journal: Journal
    journal_keys: JournalKeys

    @classmethod
    def build(
        cls, settings: Settings, catalogue: Catalogue, engine: AsyncEngine, nokler: AsyncEngine, clock: Clock
    ) -> "Kjerne":
        keys = KeyStore(nokler, settings)
        return cls(
            engine,
            Register(settings, keys),
            keys,
            catalogue,
            law_of(settings),
            clock,
            Journal(settings, SAMTYKKE),
            JournalKeys(settings, SAMTYKKE),
        )


# The publish gate


async def decide_batch(
    kjerne: Kjerne, tjeneste: str, items: Sequence[api.AvgjorelseItem], mottaker: str
) -> list[api.Avgjorelse]:
    """What may become of each event, under which subject and key. `mottaker` is who is handed the keys.

    Events of one type about one child on one day are one question, asked and answered once; a confirmed reception is
    another than the others of its type.
    """
    now = kjerne.clock()
    asked = [_question(item) for item in items]
    questions = dict(zip(asked, items, strict=True))
    decided = await _decide(kjerne, tjeneste, [*questions.values()], mottaker, now)
    answers = dict(zip(questions, decided, strict=True))
    return [{**answers[question], "ref": item["ref"]} for question, item in zip(asked, items, strict=True)]


def _question(item: api.AvgjorelseItem) -> tuple[str | date | bool | None, ...]:
    """All that a decision, and what follows from it, depends on; of the time only the day, by which an age is
    counted."""
    day = item["time"].astimezone(OSLO).date()
    whom = (item["person"], item["sak"], item["subject"])
    return (item["type"], item["kommune"], item["orgnr"], *whom, day, item.get("flytting", False))


async def _decide(
    kjerne: Kjerne, tjeneste: str, items: Sequence[api.AvgjorelseItem], mottaker: str, now: datetime
) -> list[api.Avgjorelse]:
    events = [_event_from(kjerne, tjeneste, item) for item in items]
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        people = await _people(kjerne, db, items, events, now)
        consents = await consents_of(db, {p.subject: p for p in people if isinstance(p, Person)}.values())
        decisions = [
            decide(event, _child(person), None, _consents(person, consents), kjerne.law, now)
            for event, person in zip(events, people, strict=True)
        ]
        keys = await kjerne.keys.of(
            (person.subject, tjeneste)
            for person, decision in zip(people, decisions, strict=True)
            if isinstance(person, Person) and decision.outcome != "refuse"
        )
        await log_handout(db, mottaker, "publisering", len(keys), len(keys), now)
        if received := _received(items, people, decisions):
            await confirm(kjerne.keys, kjerne.journal, db, received, now)
    return [
        _answer(kjerne, item, person, decision, keys, tjeneste)
        for item, person, decision in zip(items, people, decisions, strict=True)
    ]


def _received(
    items: Sequence[api.AvgjorelseItem], people: Sequence[Person | Unknown], decisions: Sequence[Decision]
) -> set[UUID]:
    """Children that a service says to have received from another municipality."""
    return {
        subject
        for item, person, decision in zip(items, people, decisions, strict=True)
        if item.get("flytting") and decision.outcome == "release" and isinstance(person, Person)
        for subject in person.barn
    }


def _event_from(kjerne: Kjerne, tjeneste: str, item: api.AvgjorelseItem) -> Event | None:
    """None for a type that the service may not send."""
    event = describe(kjerne.catalogue, item["type"], item["kommune"], item["time"])
    return event if event is not None and event.tjeneste == tjeneste else None


async def _people(
    kjerne: Kjerne,
    db: asyncpg.Connection,
    items: Sequence[api.AvgjorelseItem],
    events: Sequence[Event | None],
    now: datetime,
) -> list[Person | Unknown]:
    today = now.astimezone(OSLO).date()

    def identified(item: api.AvgjorelseItem, event: Event | None) -> UUID | Identity | Unknown:
        if item["subject"]:
            return UUID(item["subject"])
        found = kjerne.register.identify(item["kommune"], item["orgnr"], item["person"], item["sak"], today)
        if isinstance(found, Unknown):
            return found
        # Whom we have no ground to keep anything about does not come into the register either.
        newcomer = Child(found.kommune, fodselsdato=found.fodselsdato)
        decision = decide(event, newcomer, None, (), kjerne.law, now)
        return Unknown(decision.grunner[0]["kode"]) if decision.outcome == "refuse" else found

    identities = [identified(item, event) for item, event in zip(items, events, strict=True)]
    by_subject = await kjerne.register.by_subject(db, {i for i in identities if isinstance(i, UUID)})
    resolved = await kjerne.register.resolve(db, (i for i in identities if isinstance(i, Identity)))

    def person(identity: UUID | Identity | Unknown) -> Person | Unknown:
        if isinstance(identity, UUID):
            return by_subject.get(identity, NOBODY)
        return resolved[identity.oppslag] if isinstance(identity, Identity) else identity

    return [person(identity) for identity in identities]


def _child(person: Person | Unknown) -> Child | Unknown:
    if isinstance(person, Unknown):
        return person
    return Child(person.kommune, person.status, person.fodselsdato)


def _consents(person: Person | Unknown, consents: Mapping[UUID, Sequence[Consent]]) -> Sequence[Consent]:
    return consents.get(person.subject, ()) if isinstance(person, Person) else ()


def _answer(
    kjerne: Kjerne,
    item: api.AvgjorelseItem,
    person: Person | Unknown,
    decision: Decision,
    keys: dict[tuple[UUID, str], DataKey],
    tjeneste: str,
) -> api.Avgjorelse:
    key = None
    if isinstance(person, Person) and decision.outcome != "refuse":
        key = keys[person.subject, tjeneste]
    return {
        "ref": item["ref"],
        "outcome": decision.outcome,  # type: ignore[typeddict-item]  # without a viewer it is the publish gate's
        "subject": str(key.subject) if key else None,
        "nokkelid": str(key.id) if key else None,
        "nokkel": _base64(key) if key else None,
        "grunnlag": decision.grunnlag,
        "lovversjon": kjerne.law.versjon,
        "grunner": list(decision.grunner),
    }


# Keys for the coordination consumer


async def hand_out(
    kjerne: Kjerne, formal: str, items: Sequence[api.NokkelItem], mottaker: str
) -> list[api.NokkelSvar]:
    """The keys named, of each child that is neither blocked nor erased, and the key of its fact set."""
    now = kjerne.clock()
    asked = [(UUID(item["subject"]), [UUID(id_) for id_ in item["nokkelider"]]) for item in items]
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        people = await kjerne.register.by_subject(db, {subject for subject, _ in asked})
        active = {subject for subject, person in people.items() if person.status == "aktiv"}
        named = await kjerne.keys.by_id({id_ for subject, ids in asked if subject in active for id_ in ids})
        own = await kjerne.keys.of((subject, SAMORDNING) for subject in active)
        answers = [_keys_of(subject, ids, people, named, own) for subject, ids in asked]
        await log_handout(db, mottaker, formal, len(active), sum(len(a["nokler"]) for a in answers), now)
    return answers


def _keys_of(
    subject: UUID,
    ids: list[UUID],
    people: dict[UUID, Person],
    named: dict[UUID, DataKey],
    own: dict[tuple[UUID, str], DataKey],
) -> api.NokkelSvar:
    # Nobody we know of: no keys, yet "erased" would make the consumer give the row up for good.
    status = people[subject].status if subject in people else "sperret"
    fact_key = own.get((subject, SAMORDNING))
    keys = (named.get(id_) for id_ in ids)
    answer: api.NokkelSvar = {
        "subject": str(subject),
        "status": status,
        "nokler": {str(k.id): _base64(k) for k in keys if k and k.subject == subject},
        "samordning": {"nokkelid": str(fact_key.id), "nokkel": _base64(fact_key)} if fact_key else None,
    }
    if subject in people and people[subject].koblet:
        answer["koblet"] = [str(one) for one in people[subject].koblet]
    return answer


def _base64(key: DataKey) -> str:
    return b64encode(key.key).decode()


# The read gate


async def read_batch(kjerne: Kjerne, body: api.LesingerInn) -> list[api.Lesing]:
    """Each item's access and, with "full", its key. The access log is committed before this returns."""
    now = kjerne.clock()
    items = body["items"]
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        gate = await ReadGate.open(kjerne, db, body["viewer"], {UUID(item["subject"]) for item in items}, now)
        decided = [(item, gate.decide(UUID(item["subject"]), _event(kjerne, item))) for item in items]
        keys = await kjerne.keys.by_id(
            {UUID(id_) for item, d in decided if d.outcome == "full" and (id_ := item["nokkelid"])}
        )
        handed = [(item, *_with_key(item, decision, keys)) for item, decision in decided]
        reads = (
            Read(
                item["slag"],
                UUID(item["subject"]),
                decision,
                item["type"],
                item["kategori"],
                item.get("hendelse"),
            )
            for item, decision, _ in handed
        )
        sporing = body.get("sporing") or telemetry.trace_id(telemetry.here())
        await log_reads(db, body["viewer"], body["formal"], reads, now, sporing)
    for (slag, access), count in Counter((item["slag"], d.outcome) for item, d, _ in handed).items():
        metrics.READ_GATE.labels(slag, access).inc(count)
    return [
        {
            "ref": item["ref"],
            "tilgang": decision.outcome,  # type: ignore[typeddict-item]  # with a viewer it is the read gate's
            "grunner": list(decision.grunner),
            "nokkel": _base64(key) if key else None,
            "vilkar": [str(vilkar) for vilkar in decision.vilkar],
        }
        for item, decision, key in handed
    ]


def _event(kjerne: Kjerne, item: api.LesingItem) -> Event | None:
    koordinering = item.get("koordinering", False)
    no_investigation = item.get("ingen_undersokelse", False)
    if item["slag"] == "hendelse":
        event = describe(kjerne.catalogue, item["type"], item["kommune"], koordinering=koordinering)
        return replace(event, ingen_undersokelse=True) if event and no_investigation else event
    return Event(
        tjeneste=item["tjeneste"],
        kategori=item["kategori"],
        skjerming=item["skjerming"],
        kommune=item["kommune"],
        slag=item["slag"],
        eier=item.get("eier"),
        koordinering=koordinering,
        ingen_undersokelse=no_investigation,
        hviler_pa=tuple(
            Fakta(f["tjeneste"], f["kategori"], f["skjerming"]) for f in item.get("hviler_pa", ())
        ),
    )


def _with_key(
    item: api.LesingItem, decision: Decision, keys: dict[UUID, DataKey]
) -> tuple[Decision, DataKey | None]:
    """A permitted item's key. An asked-for key that is gone, or is another child's or service's, denies
    it.
    """
    if decision.outcome != "full" or item["nokkelid"] is None:
        return decision, None
    key = keys.get(UUID(item["nokkelid"]))
    if key is None:
        return denied("nokkel-slettet"), None
    if key.subject != UUID(item["subject"]) or key.tjeneste != _sealed_by(item):
        return denied("nokkel-passer-ikke"), None
    return decision, key


def _sealed_by(item: api.LesingItem) -> str:
    try:
        return split(item["type"])[0] if item["slag"] == "hendelse" else SAMORDNING
    except UnknownType:
        return ""


def denied(kode: str) -> Decision:
    """A no that is found outside the table."""
    reason = api.Grunn(kode=kode, bestemmelse=None, lovversjon=None, samtykke=None, sporsmal="adgang")
    return Decision("deny", (reason,))


@dataclass(frozen=True)
class ReadGate:
    """One viewer and everything known of the children she asks about, as of one moment."""

    kjerne: Kjerne
    viewer: Viewer
    people: dict[UUID, Person]
    consents: Mapping[UUID, Sequence[Consent]]
    coordinated: set[UUID]
    known: set[UUID]
    familie: Mapping[UUID, frozenset[tuple[str, api.Familierolle]]]
    now: datetime

    @classmethod
    async def open(
        cls,
        kjerne: Kjerne,
        db: asyncpg.Connection,
        viewer: api.Viewer,
        subjects: Collection[UUID],
        now: datetime,
    ) -> "ReadGate":
        rolle, tjeneste = viewer["rolle"], viewer.get("tjeneste")
        if rolle == KOORDINERENDE_ENHET:
            tjeneste = KOORDINERENDE_ENHET  # the role is the service, also where the token does not repeat it
        service = kjerne.catalogue.tjenester.get(tjeneste or "")
        if service and service.frivillig:
            rolle = FRIVILLIG  # whatever the token calls her
        people = await kjerne.register.by_subject(db, subjects)
        everyone = {one for person in people.values() for one in person.barn}
        return cls(
            kjerne,
            Viewer(viewer["sub"], rolle, viewer["kommune"], tjeneste, viewer.get("skjermet", False)),
            people,
            await consents_of(db, people.values()),
            await _coordinated_by(db, viewer["sub"], everyone),
            await kjerne.keys.with_key_of(tjeneste, everyone) if tjeneste else set(),
            await families_of(db, viewer["sub"], everyone) if rolle in FAMILY else {},
            now,
        )

    def decide(self, subject: UUID, event: Event | None) -> Decision:
        person = self.people.get(subject)
        child: Child | Unknown = NOBODY
        if person is not None:
            own = self.viewer.tjeneste
            child = Child(
                person.kommune,
                person.status,
                person.fodselsdato,
                frozenset((self.viewer.sub,) if not self.coordinated.isdisjoint(person.barn) else ()),
                frozenset((own,) if own and not self.known.isdisjoint(person.barn) else ()),
                frozenset(role for one in person.barn for role in self.familie.get(one, ())),
                person.adressebeskyttelse,
            )
        consents = self.consents.get(subject, ())
        return decide(event, child, self.viewer, consents, self.kjerne.law, self.now)

    def lists(self, subject: UUID, consent: Consent) -> bool:
        """Whether the viewer, who may open the child, may be told of this consent: one that names her, or else one that
        betrays no shielded service and, to a guardian, nothing that is the child's own.
        """
        if self.viewer.party is not None and consent.names(self.viewer.party):
            return True
        if any(consent.names(shielded) for shielded in SKJERMEDE_TJENESTER):
            return False
        born = self.people[subject].fodselsdato
        return self.viewer.rolle != FORESATT or guardians_may_know(consent, born, self.kjerne.law, self.now)

    def decide_child(self, subject: UUID, *, koordinering: bool = False, oppgave: bool = False) -> Decision:
        """Whether the viewer may know who the child is."""
        event = Event(
            tjeneste="",
            kategori="navn",
            skjerming="N",
            kommune=self.viewer.kommune,
            slag="barn",
            eier=self.viewer.tjeneste if oppgave else None,
            koordinering=koordinering,
        )
        return self.decide(subject, event)


async def consents_of(db: asyncpg.Connection, people: Collection[Person]) -> dict[UUID, Sequence[Consent]]:
    """Every consent of each child, whatever its state and whichever of its subjects it was given for."""
    found: dict[UUID, list[Consent]] = defaultdict(list)
    wanted = list({subject for person in people for subject in person.barn})
    for row in await db.fetch(SELECT_CONSENTS, wanted) if wanted else ():
        found[row["subject"]].append(
            Consent(
                id=str(row["samtykke"]),
                status=row["status"],
                fra_tjeneste=row["fra_tjeneste"],
                til_tjenester=frozenset(row["til_tjenester"]),
                kategorier=frozenset(row["kategorier"]),
                gyldig_fra=row["gyldig_fra"],
                utloper=row["utloper"],
                hvem=row["hvem"],
            )
        )
    return {
        p.subject: [c for subject in p.koblet for c in found.get(subject, ())]
        if p.koblet
        else found.get(p.subject, ())
        for p in people
    }


async def _coordinated_by(db: asyncpg.Connection, sub: str, subjects: Collection[UUID]) -> set[UUID]:
    rows = await db.fetch(SELECT_COORDINATED, list(subjects), sub) if subjects else []
    return {row["subject"] for row in rows}
