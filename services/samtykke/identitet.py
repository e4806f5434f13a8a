"""The identity register: national id or case to subject, inside one municipality, and the names in the
vault.

A number is kept as a keyed digest to find it by and as a sealed copy; it is in clear in no table.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID, uuid4

import asyncpg

from backbone.seal import Mac, SealBroken, derive, open_sealed, seal
from backbone.settings import Settings
from contracts.personnummer import InvalidNumber, classify
from contracts.samtykke_api import Personstatus
from services.samtykke.alder import first_told, law_of
from services.samtykke.decide import Unknown
from services.samtykke.nokler import IDENTITET, KeyStore

SEARCH_HITS_MAX = 50

SELECT_BY_SUBJECT = """
    SELECT subject, kommune, oppslag, status, fodselsdato, adressebeskyttelse, navn_forseglet, kanonisk
    FROM person WHERE subject = ANY($1::uuid[])
"""
SELECT_JOINED = """
    SELECT subject, kommune, oppslag, status, fodselsdato, adressebeskyttelse, navn_forseglet, kanonisk
    FROM person WHERE kanonisk = ANY($1::uuid[]) ORDER BY subject <> kanonisk, subject
"""
SELECT_BY_LOOKUP = """
    SELECT subject, kommune, oppslag, status, fodselsdato, adressebeskyttelse, navn_forseglet, kanonisk
    FROM unnest($1::text[], $2::bytea[]) AS q(kommune, oppslag) JOIN person p USING (kommune, oppslag)
"""
INSERT = """
    INSERT INTO person (subject, kommune, oppslag, fodselsdato, neste_alder)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::date[], $5::date[])
    ON CONFLICT (kommune, oppslag) DO NOTHING
    RETURNING subject, kommune, oppslag
"""
SET_NUMBER = """
    UPDATE person SET nummer_forseglet = n.forseglet
    FROM unnest($1::uuid[], $2::bytea[]) AS n(subject, forseglet) WHERE person.subject = n.subject
"""
SET_NAME = "UPDATE person SET navn_forseglet = $2, adressebeskyttelse = $3 WHERE subject = $1"
CLEAR_WORDS = "DELETE FROM navneoppslag WHERE subject = $1"
INSERT_WORDS = "INSERT INTO navneoppslag (oppslag, subject) SELECT w, $2 FROM unnest($1::bytea[]) w"
SELECT_BY_WORDS = """
    SELECT n.subject FROM navneoppslag n JOIN person p USING (subject)
    WHERE n.oppslag = ANY($1::bytea[]) AND p.kommune = $2 AND NOT p.adressebeskyttelse
    GROUP BY n.subject HAVING count(*) = $3 ORDER BY n.subject LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a child can be found by, on the day `idag`. `nummer` is None where only a case is known."""

    kommune: str
    oppslag: bytes
    idag: date
    nummer: str | None = None
    fodselsdato: date | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """One subject. What is known of a child stands for every subject it is joined with: birth date, protected address
    and name (`navn` with the subject whose key seals it), and a blocking. `barn` are all of the child's subjects, the
    canonical one first; alone, the subject itself.
    """

    subject: UUID
    kommune: str
    status: Personstatus
    fodselsdato: date | None
    navn: tuple[UUID, bytes] | None = None
    adressebeskyttelse: bool = False
    koblet: tuple[UUID, ...] = ()

    @property
    def barn(self) -> tuple[UUID, ...]:
        return self.koblet or (self.subject,)

    @property
    def kanonisk(self) -> UUID:
        return self.koblet[0] if self.koblet else self.subject


def as_one_child(person: Person, joined: Sequence[Person]) -> Person:
    """`person` with what is known of the child by any of its subjects, the canonical one first in `joined`."""
    status = person.status
    if status == "aktiv" and any(other.status == "sperret" for other in joined):
        status = "sperret"
    return replace(
        person,
        status=status,
        fodselsdato=next((p.fodselsdato for p in joined if p.fodselsdato), None),
        navn=next((p.navn for p in joined if p.navn), None),
        adressebeskyttelse=any(p.adressebeskyttelse for p in joined),
        koblet=tuple(p.subject for p in joined),
    )


class Register:
    """Every method works on the caller's connection, inside the caller's transaction."""

    def __init__(self, settings: Settings, keys: KeyStore) -> None:
        root = settings.secret_bytes("identity_key")
        self._lookup_mac = Mac(derive(root, "samtykke", "oppslag"))
        self._word_mac = Mac(derive(root, "samtykke", "navn"))
        self._demo = settings.demo
        self._ages = law_of(settings).aldre.grenser
        self._keys = keys

    def identify(
        self, kommune: str, orgnr: str, person: str | None, sak: str | None, today: date
    ) -> Identity | Unknown:
        """A number that points at one person; else the organisation's own case; else why not."""
        problem = "uten-identitet"
        if person is not None:
            try:
                number = classify(person, today)
            except InvalidNumber as error:
                return Unknown(error.code)
            if self._demo and not number.synthetic:
                return Unknown("ekte-nummer")
            if number.identifies:
                digest = self._lookup_mac(kommune, "nummer", person)
                return Identity(kommune, digest, today, person, number.fodselsdato)
            problem = "plassholder-uten-sak"
        if sak is None:
            return Unknown(problem)
        return Identity(kommune, self._lookup_mac(kommune, "sak", orgnr, sak), today)

    async def by_subject(self, db: asyncpg.Connection, subjects: Collection[UUID]) -> dict[UUID, Person]:
        """Those of `subjects` that exist."""
        rows = await db.fetch(SELECT_BY_SUBJECT, list(subjects)) if subjects else []
        return dict(zip((row["subject"] for row in rows), await _people(db, rows), strict=True))

    async def find(self, db: asyncpg.Connection, identities: Iterable[Identity]) -> dict[bytes, Person]:
        """Those known already, by their look-up."""
        wanted = {i.oppslag: i.kommune for i in identities}
        if not wanted:
            return {}
        rows = await db.fetch(SELECT_BY_LOOKUP, list(wanted.values()), list(wanted))
        return dict(zip((row["oppslag"] for row in rows), await _people(db, rows), strict=True))

    async def resolve(self, db: asyncpg.Connection, identities: Iterable[Identity]) -> dict[bytes, Person]:
        """Each identity's person by its look-up, given a subject now where it has none.

        Two callers that meet the same child at the same moment get the same subject: the second waits for
        the first to commit.
        """
        wanted = {i.oppslag: i for i in identities}
        found = await self.find(db, wanted.values())
        missing = [wanted[oppslag] for oppslag in sorted(wanted.keys() - found.keys())]
        if missing:
            await self._mint(db, missing)
            found |= await self.find(db, missing)
        return found

    async def _mint(self, db: asyncpg.Connection, identities: list[Identity]) -> None:
        new = await db.fetch(
            INSERT,
            [uuid4() for _ in identities],
            [i.kommune for i in identities],
            [i.oppslag for i in identities],
            [i.fodselsdato for i in identities],
            [first_told(i.fodselsdato, self._ages, i.idag) if i.fodselsdato else None for i in identities],
        )
        numbers = {i.oppslag: i.nummer for i in identities if i.nummer is not None}
        numbered = {row["subject"]: numbers[row["oppslag"]] for row in new if row["oppslag"] in numbers}
        keys = await self._keys.of((subject, IDENTITET) for subject in numbered)
        sealed = [
            seal(keys[subject, IDENTITET].key, number.encode(), _context("nummer", subject))
            for subject, number in numbered.items()
        ]
        await db.execute(SET_NUMBER, list(numbered), sealed)

    async def number(self, db: asyncpg.Connection, subject: UUID) -> str | None:
        """The national id, opened; None where only a case is known."""
        sealed = await db.fetchval("SELECT nummer_forseglet FROM person WHERE subject = $1", subject)
        if sealed is None:
            return None
        key = (await self._keys.of([(subject, IDENTITET)]))[subject, IDENTITET].key
        return open_sealed(key, sealed, _context("nummer", subject)).decode()

    async def set_name(self, db: asyncpg.Connection, subject: UUID, navn: str, protected: bool) -> None:
        """Replaces the name in the vault; a protected address takes the child out of every name search."""
        key = (await self._keys.of([(subject, IDENTITET)]))[subject, IDENTITET].key
        await db.execute(SET_NAME, subject, seal(key, navn.encode(), _context("navn", subject)), protected)
        await db.execute(CLEAR_WORDS, subject)
        if not protected:
            await db.execute(INSERT_WORDS, self._words(navn), subject)

    async def names(self, people: Iterable[Person]) -> dict[UUID, str]:
        """The names that are known, opened."""
        sealed = {p.subject: p.navn for p in people if p.navn is not None}
        # Only keys that there are: a register restored from before an erasure has names that nobody can open.
        keys = await self._keys.existing((owner, IDENTITET) for owner, _ in sealed.values())
        found = {}
        for subject, (owner, blob) in sealed.items():
            if key := keys.get((owner, IDENTITET)):
                with suppress(SealBroken):
                    found[subject] = open_sealed(key.key, blob, _context("navn", owner)).decode()
        return found

    async def search(self, db: asyncpg.Connection, kommune: str, navn: str) -> list[UUID]:
        """Children of the municipality whose name has every word of `navn`, the first 50."""
        words = self._words(navn)
        if not words:
            return []
        rows = await db.fetch(SELECT_BY_WORDS, words, kommune, len(words), SEARCH_HITS_MAX)
        return [row["subject"] for row in rows]

    def _words(self, navn: str) -> list[bytes]:
        words = set(re.findall(r"\w+", unicodedata.normalize("NFKC", navn).casefold()))
        return [self._word_mac(word) for word in sorted(words)]


async def _people(db: asyncpg.Connection, rows: Sequence[asyncpg.Record]) -> list[Person]:
    """In the order of the rows; one statement more where some of them are joined."""
    roots = {row["kanonisk"] for row in rows if row["kanonisk"] is not None}
    if not roots:
        return [_person(row) for row in rows]
    joined: dict[UUID, list[Person]] = {root: [] for root in roots}
    for row in await db.fetch(SELECT_JOINED, list(roots)):
        joined[row["kanonisk"]].append(_person(row))
    return [
        as_one_child(_person(row), joined[row["kanonisk"]]) if row["kanonisk"] else _person(row)
        for row in rows
    ]


def _person(row: asyncpg.Record) -> Person:
    navn = row["navn_forseglet"]
    return Person(
        row["subject"],
        row["kommune"],
        row["status"],
        row["fodselsdato"],
        (row["subject"], navn) if navn is not None else None,
        row["adressebeskyttelse"],
    )


def _context(felt: str, subject: UUID) -> bytes:
    return f"person|{felt}|{subject}".encode()
