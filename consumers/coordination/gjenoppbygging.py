"""Rebuild: fact sets and tasks computed anew from the timeline, into fresh tables beside the live ones.

The consumer goes on meanwhile, and people too: what changes in the live tables is seen by their rows' versions (xmin)
and those children are done again, until few are left; those are done under a lock that lasts as long as that takes, and
in the same transaction the fresh tables take the place of the live ones. Ended half-way, it leaves a schema that the
next run throws away.

What people did (`steg`, `stafett`) and what was told are inputs and stay. A task whose duty is as it was is carried
over as it is, so nothing is told of it again. What a change of code or rules makes different is counted per rule,
needs to be accepted, and is then told as any other change: once. Memory is bounded by one range of children.
"""

import base64
import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.clock import Clock
from backbone.database import dedicated, driver
from backbone.journal import Journal
from backbone.meldinger import messages
from backbone.seal import SealBroken, open_sealed, seal
from backbone.settings import Settings
from consumers.coordination import steglager, store
from consumers.coordination.duties import evaluate
from consumers.coordination.facts import FactSet, merged
from consumers.coordination.forteller import told_baton, told_step
from consumers.coordination.handler import SET_ASIDE, Keys, _arguments, fact_context, task_context
from consumers.coordination.innlesing import content_of
from consumers.coordination.koblede import as_given
from consumers.coordination.oppgaver import Oppgave, Step, Telling, everybody, handed_on, steps
from consumers.coordination.regler import samarbeid
from consumers.coordination.regler.regelverk import Regelverk
from consumers.coordination.sak import Sak
from consumers.coordination.stafett import begin
from contracts import samtykke_api as api
from contracts.tjenester import SAMORDNING

log = logging.getLogger(__name__)

FRESH, OLD = "gjenoppbygging", "gjenoppbygging_gammel"
TABLES = ("faktasett", "oppgave")
CHUNK = 500
FEW = 50
"""So few changed children are done under the lock."""
ROUNDS_MAX = 100
LOCK = 0x67_6A_65_6E
_FIRST = "00000000-0000-0000-0000-000000000000"

TOLD: Mapping[str, Telling] = {"aapen": "opprettet", "oppfylt": "utfort", "bortfalt": "bortfalt"}


class Busy(Exception):
    """Another rebuild is under way."""


class Different(Exception):
    """What is computed is not what stands, and nobody has accepted that."""


@dataclass(frozen=True, slots=True)
class Avvik:
    """How the tasks of one rule differ: counts only."""

    nye: int
    bortfalt: int
    endret: int


@dataclass(slots=True)
class Rapport:
    """What a rebuild did. `ulike_faktasett`: children whose facts read differently; `fortalt`: events that tell of
    accepted differences; `omigjen`: children done again because something happened meanwhile."""

    barn: int = 0
    hendelser: int = 0
    omigjen: int = 0
    digest_for: str = ""
    digest_etter: str = ""
    ulike_faktasett: int = 0
    avvik: dict[str, Avvik] = field(default_factory=dict)
    fortalt: int = 0
    byttet: bool = False

    @property
    def lik(self) -> bool:
        return not self.avvik and not self.ulike_faktasett and self.digest_for == self.digest_etter


class Levende(NamedTuple):
    """A child's live fact set, and the marks of what the rebuild read."""

    kommune: str
    nokkelid: str | None
    innhold: bytes | None
    neste_endring: datetime | None
    venter: bool
    oppdatert: datetime | None
    merke: str


class Gjenoppbygging:
    """One rebuild of the database `engine`. `progress` hears of each range of children."""

    def __init__(
        self,
        engine: AsyncEngine,
        samtykke: Keys,
        settings: Settings,
        rules: Regelverk,
        clock: Clock,
        progress: Callable[[Rapport], None] = lambda rapport: None,
        chunk: int = CHUNK,
    ) -> None:
        self._engine = engine
        self._samtykke = samtykke
        self._rules = rules
        self._clock = clock
        self._progress = progress
        self._chunk = chunk
        self._journal = Journal(settings, SAMORDNING)
        self._texts = messages("consumers.coordination")

    async def run(self, godta: bool = False) -> Rapport:
        """Raises Busy, and what backbone and drivers raise when samtykke or the database is away; then nothing has
        changed. A difference that is not accepted (`godta`) changes nothing either."""
        alone = await dedicated(self._engine)
        try:
            if not await alone.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
                raise Busy
            return await self._run(godta)
        finally:
            await alone.close()

    async def _run(self, godta: bool) -> Rapport:
        report = Rapport()
        async with self._engine.begin() as conn:
            await _make_fresh(await driver(conn))
        after = _FIRST
        while True:
            async with self._engine.connect() as conn:
                some = await _next_children(await driver(conn), after, self._chunk)
            if not some:
                break
            report.hendelser += await self._children(some)
            report.barn += len(some)
            after = some[-1]
            self._progress(report)
        await self._catch_up(report)
        async with self._engine.begin() as conn:
            await _index_fresh(await driver(conn))
        await self._switch(report, godta)
        if not report.byttet:
            async with self._engine.begin() as conn:
                await (await driver(conn)).execute(f"DROP SCHEMA {FRESH} CASCADE")
        return report

    async def _catch_up(self, report: Rapport) -> None:
        """Does again the children that changed since, until few are left."""
        for _ in range(ROUNDS_MAX):
            async with self._engine.connect() as conn:
                stale = await _stale(await driver(conn), self._chunk)
            if len(stale) <= FEW:
                return
            await self._children(stale)
            report.omigjen += len(stale)
            self._progress(report)

    async def _switch(self, report: Rapport, godta: bool) -> None:
        try:
            async with self._engine.begin() as conn:
                db = await driver(conn)
                # Facts first, tasks after: the order in which everybody else locks them.
                await store.let_nobody_forget(db)
                await db.execute("LOCK TABLE public.faktasett IN ACCESS EXCLUSIVE MODE")
                await db.execute("LOCK TABLE public.oppgave IN ACCESS EXCLUSIVE MODE")
                while stale := await _stale(db, self._chunk):
                    keys = await self._keys(db, stale)
                    await self._compute(db, list(keys), keys)
                    report.omigjen += len(stale)
                await _compare(db, report)
                if not (godta or report.lik):
                    raise Different
                report.fortalt = await self._tell(db)
                await _swap(db)
            report.byttet = True
        except Different:
            pass  # rolled back, and reported

    async def _children(self, subjects: Sequence[str]) -> int:
        """How many timeline rows they have; children joined with them are done with them."""
        async with self._engine.connect() as conn:
            db = await driver(conn)
            keys = await self._keys(db, subjects)
            subjects = list(keys)
        async with self._engine.begin() as conn:
            db = await driver(conn)
            await store.let_nobody_forget(db)
            await db.fetch(
                "SELECT FROM public.faktasett WHERE subject = ANY($1::uuid[]) ORDER BY subject FOR UPDATE",
                subjects,
            )
            return await self._compute(db, subjects, keys)

    async def _keys(self, db: asyncpg.Connection, subjects: Sequence[str]) -> "dict[str, _Svar]":
        rows = await db.fetch(
            "SELECT subject::text, array_agg(DISTINCT nokkelid::text) FROM tidslinje WHERE subject = ANY($1::uuid[])"
            " GROUP BY subject",
            subjects,
        )
        named = {row[0]: row[1] for row in rows}
        items: list[api.NokkelItem] = [{"subject": s, "nokkelider": named.get(s, [])} for s in subjects]
        answers = await self._samtykke.keys(items)
        found = {a["subject"]: _Svar(a, frozenset(named.get(a["subject"], ()))) for a in answers}
        others = {s for svar in found.values() for s in svar.barn} - found.keys()
        return {**found, **await self._keys(db, sorted(others))} if others else found

    async def _compute(
        self, db: asyncpg.Connection, subjects: Sequence[str], keys: "Mapping[str, _Svar]"
    ) -> int:
        """Writes these children's fact sets and tasks into the fresh tables, from what is committed now."""
        gone = await store.forgotten(db, subjects)
        child = _Children(
            await _live(db, subjects),
            await _task_marks(db, subjects),
            await _timeline(db, subjects),
            await store.tasks_of(db, subjects),
            {s: _open_key(keys.get(s)) if s not in gone else None for s in subjects},
        )
        await _carry_over(db, subjects)
        out = _Written()
        for barn in sorted({(keys[s].barn if s in keys else ()) or (s,) for s in subjects}):
            self._barn(child, barn, out)
        await db.executemany(_SAVE_FACTS, out.facts)
        await db.execute(f"SET LOCAL search_path = {FRESH}, public")
        await store.save_tasks(db, out.tasks, self._clock())
        await db.execute("SET LOCAL search_path = DEFAULT")
        await db.executemany(_SAVE_MARK, out.marks)
        return sum(map(len, child.rows.values()))

    def _barn(self, all_: "_Children", barn: Sequence[str], out: "_Written") -> None:
        """One child, by all its subjects, the canonical one first."""
        now = self._clock()
        found: dict[str, FactSet] = {}
        for subject in barn:
            live, key = all_.live.get(subject), all_.keys.get(subject)
            mark = live.merke if live else None
            if key is None:  # blocked or erased: it stands as it stands
                if live:
                    out.facts.append((subject, *live[:-1]))
                out.marks.append((subject, mark, all_.marks.get(subject), False))
                continue
            facts = self._tell_all(subject, all_.rows.get(subject, ()), key)
            if facts is None:  # a key came after they were asked for: it is done again
                out.marks.append((subject, "", None, False))
                return
            differs = False
            if live or facts.facts or facts.consents:
                found[subject] = facts
                differs = _differs(subject, live, key, facts.encode())
            out.marks.append((subject, mark, all_.marks.get(subject), differs))
        if found:
            self._settle(all_, barn, found, now, out)

    def _settle(
        self,
        all_: "_Children",
        barn: Sequence[str],
        found: Mapping[str, FactSet],
        now: datetime,
        out: "_Written",
    ) -> None:
        first = next(s for s in barn if s in found)
        facts = found[first] if len(barn) == 1 else merged(first, found.values())
        at = min(_as_of(all_.live.get(s), now) for s in found)
        live = all_.live.get(first)
        rules = self._rules.for_kommune(live.kommune if live else all_.rows[first][0].kommune)
        try:
            duties, next_change = evaluate(facts, rules, at)
        except Exception as error:  # as the consumer: its tasks stand as they stand
            log.error("a child's duties can't be derived: %s", type(error).__name__)
            duties, next_change = None, now + SET_ASIDE
        looked_at = sorted(found)[
            0
        ]  # a child's next look is kept on one of its subjects, as the consumer keeps it
        for subject, own in found.items():
            live, key = all_.live.get(subject), all_.keys[subject]
            assert key is not None
            kommune = live.kommune if live else all_.rows[subject][0].kommune
            sealed = seal(key.own, own.encode(), fact_context(subject))
            change = next_change if subject == looked_at else None
            out.facts.append((subject, kommune, key.own_id, sealed, change, bool(live and live.venter), at))
        if duties is None:
            return
        held = {id_: task for s in barn for id_, task in all_.tasks.get(s, {}).items()}
        knows = Sak(facts, rules, at).knows if handed_on(held.values()) else everybody
        given = duties if len(barn) == 1 else as_given(duties, barn, held)
        for step in steps(held, given, out.facts[-1][1], knows):
            key = all_.keys[step.oppgave.subject]
            if key is not None:
                out.tasks.append(self._written(step, key))

    def _tell_all(self, subject: str, rows: Iterable[store.Waiting], keys: "_Key") -> FactSet | None:
        """None where a row came after the keys were asked for. What samtykke has no key of any more (the keys'
        database was restored) tells nothing: a difference like any other."""
        facts = FactSet(subject)
        for row in rows:
            key = keys.data.get(row.nokkelid)
            if key is None:
                if row.nokkelid not in keys.asked:
                    return None
                continue
            try:
                content = content_of(open_sealed(key, row.innhold, row.aad))
                self._rules.tell(facts, row.source, row.type, row.time, row.id, content)
            except (SealBroken, LookupError, ValueError, TypeError):
                continue  # it was not counted when it came, either
        return facts

    def _written(self, step: Step, key: "_Key") -> store.Written:
        if step.duty is None:
            return store.Written(step.oppgave, None)
        text = self._texts.text(step.duty.forklaring, **_arguments(step.duty))
        return store.Written(
            step.oppgave, (key.own_id, seal(key.own, text.encode(), task_context(step.oppgave.id)))
        )

    async def _tell(self, db: asyncpg.Connection) -> int:
        """Tells of what differs, as ever: each task's step once, under the version that makes its event's id."""
        now, told = self._clock(), 0
        changed = [
            (str(row["subject"]), str(row["id"])) for row in await db.fetch(_TOLD)
        ]  # ids alone; an accepted change of rules
        for some in _parts(changed, self._chunk):
            await db.execute(f"SET LOCAL search_path = {FRESH}, public")
            held = await store.tasks_of(db, {subject for subject, _ in some})
            await db.execute("SET LOCAL search_path = DEFAULT")
            tasks = [held[subject][id_] for subject, id_ in some]
            events = [told_step(Step(t, None, TOLD[t.status]), now, None, None) for t in tasks]
            opened = [t for t in tasks if t.regel == samarbeid.REGEL.navn and t.status == "aapen"]
            for task in await steglager.begin_batons(db, opened, now):
                events.append(told_baton(task.kommune, task.subject, begin(task.eier), 1, None, now))
            await self._journal.append(db, events, now)
            told += len(events)
        return told


@dataclass(frozen=True, slots=True)
class _Children:
    """What is known of a range of children, by subject."""

    live: Mapping[str, Levende]
    marks: Mapping[str, str]
    rows: Mapping[str, list[store.Waiting]]
    tasks: Mapping[str, dict[str, Oppgave]]
    keys: Mapping[str, "_Key | None"]


@dataclass(slots=True)
class _Written:
    """What is to be written of it."""

    facts: list[tuple[Any, ...]] = field(default_factory=list)
    tasks: list[store.Written] = field(default_factory=list)
    marks: list[tuple[str, str | None, str | None, bool]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Key:
    own_id: str
    own: bytes
    data: Mapping[str, bytes]
    asked: frozenset[str]


class _Svar(NamedTuple):
    """samtykke's answer, and the ids of the keys it was asked for."""

    answer: api.NokkelSvar
    asked: frozenset[str]

    @property
    def barn(self) -> tuple[str, ...]:
        return tuple(self.answer.get("koblet", ()))


def _open_key(svar: _Svar | None) -> _Key | None:
    own = svar.answer["samordning"] if svar else None
    if svar is None or own is None or svar.answer["status"] != "aktiv":
        return None
    return _Key(
        own["nokkelid"],
        base64.b64decode(own["nokkel"]),
        {id_: base64.b64decode(key) for id_, key in svar.answer["nokler"].items()},
        svar.asked,
    )


def _as_of(child: Levende | None, now: datetime) -> datetime:
    """Now; of a child whose time has come and who was not looked at since, when it last was: the timers take it from
    there, and what time alone changed is no difference."""
    due = child is not None and child.neste_endring is not None and child.neste_endring <= now
    return child.oppdatert if due and child is not None and child.oppdatert is not None else now


def _differs(subject: str, child: Levende | None, key: _Key, encoded: bytes) -> bool:
    if child is None:
        return True
    if child.innhold is None:
        return bool(encoded != FactSet(subject).encode())
    try:
        return open_sealed(key.own, child.innhold, fact_context(subject)) != encoded
    except SealBroken:
        return True


def _parts(rows: Sequence[tuple[str, str]], size: int) -> Iterator[Sequence[tuple[str, str]]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


# The SQL. Names of tables are ours; the live ones are in `public`, as everywhere.


async def _make_fresh(db: asyncpg.Connection) -> None:
    """An empty copy of each table, without its indexes but the primary key, and the table of marks."""
    await db.execute(f"DROP SCHEMA IF EXISTS {FRESH} CASCADE")
    await db.execute(f"CREATE SCHEMA {FRESH}")
    for table in TABLES:
        await db.execute(
            f"CREATE TABLE {FRESH}.{table} (LIKE public.{table} INCLUDING DEFAULTS INCLUDING COMMENTS"
            " INCLUDING STORAGE INCLUDING GENERATED INCLUDING IDENTITY)"
        )
        for name, definition in await db.fetch(_CONSTRAINTS, f"public.{table}"):
            await db.execute(f'ALTER TABLE {FRESH}.{table} ADD CONSTRAINT "{name}" {definition}')
        options = await db.fetchval(
            "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = $1::text::regclass",
            f"public.{table}",
        )
        if options:
            await db.execute(f"ALTER TABLE {FRESH}.{table} SET ({options})")
    await db.execute(
        f"CREATE TABLE {FRESH}.merke (subject uuid PRIMARY KEY, fakta text, oppgaver text, ulik boolean NOT NULL)"
    )


async def _index_fresh(db: asyncpg.Connection) -> None:
    """The live tables' other indexes, under their own names; made last, which is fastest."""
    for table in TABLES:
        for definition in await db.fetch(_INDEXES, f"public.{table}"):
            await db.execute(definition[0].replace(" ON public.", f" ON {FRESH}.", 1))
        await db.execute(f"ANALYZE {FRESH}.{table}")
    await db.execute(f"ANALYZE {FRESH}.merke")


async def _swap(db: asyncpg.Connection) -> None:
    """The fresh tables take the live ones' place, name and owner; all or nothing, with the transaction."""
    await db.execute(f"CREATE SCHEMA {OLD}")
    for table in TABLES:
        owner = await db.fetchval(
            "SELECT tableowner FROM pg_tables WHERE schemaname = 'public' AND tablename = $1", table
        )
        await db.execute(f"ALTER TABLE public.{table} SET SCHEMA {OLD}")
        await db.execute(f'ALTER TABLE {FRESH}.{table} OWNER TO "{owner}"')
        await db.execute(f"ALTER TABLE {FRESH}.{table} SET SCHEMA public")
    await db.execute(f"DROP SCHEMA {OLD} CASCADE")
    await db.execute(f"DROP SCHEMA {FRESH} CASCADE")


_CONSTRAINTS = (
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::text::regclass"
    " AND contype IN ('p', 'u', 'c') ORDER BY contype DESC"
)
_INDEXES = (
    "SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE i.indrelid = $1::text::regclass"
    " AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)"
)
_NEXT = """
SELECT subject::text FROM (
    (SELECT subject FROM public.faktasett WHERE subject > $1::uuid ORDER BY subject LIMIT $2)
    UNION (SELECT DISTINCT subject FROM tidslinje WHERE subject > $1::uuid ORDER BY subject LIMIT $2)
    UNION (SELECT DISTINCT subject FROM public.oppgave WHERE subject > $1::uuid ORDER BY subject LIMIT $2)
) AS barn ORDER BY subject LIMIT $2
"""
_TASK_MARKS = "string_agg(id::text || ':' || xmin::text, ' ' ORDER BY id)"
_STALE = f"""
SELECT subject::text FROM (
    SELECT f.subject FROM public.faktasett f LEFT JOIN {FRESH}.merke m USING (subject)
     WHERE m.fakta IS DISTINCT FROM f.xmin::text
    UNION
    SELECT m.subject FROM {FRESH}.merke m LEFT JOIN public.faktasett f USING (subject)
     WHERE m.fakta IS NOT NULL AND f.subject IS NULL
    UNION
    SELECT subject FROM {FRESH}.merke m
      FULL JOIN (SELECT subject, {_TASK_MARKS} AS oppgaver FROM public.oppgave GROUP BY subject) o USING (subject)
     WHERE o.oppgaver IS DISTINCT FROM m.oppgaver
) AS endret ORDER BY subject LIMIT $1
"""  # noqa: S608
_LIVE = (
    "SELECT subject::text, kommune, nokkelid::text, innhold, neste_endring, venter, oppdatert, xmin::text"
    " FROM public.faktasett WHERE subject = ANY($1::uuid[])"
)
_SAVE_FACTS = (
    f"INSERT INTO {FRESH}.faktasett (subject, kommune, nokkelid, innhold, neste_endring, venter, oppdatert)"  # noqa: S608
    " VALUES ($1::uuid, $2, $3::uuid, $4, $5, $6, $7)"
)
_SAVE_MARK = f"INSERT INTO {FRESH}.merke (subject, fakta, oppgaver, ulik) VALUES ($1::uuid, $2, $3, $4)"  # noqa: S608
_TOLD = f"""
SELECT n.subject, n.id FROM {FRESH}.oppgave n LEFT JOIN public.oppgave g USING (id)
 WHERE n.versjon > coalesce(g.versjon, 0) ORDER BY n.subject, n.id
"""  # noqa: S608
_SAME = ", ".join(
    f"{{0}}.{c}"
    for c in (
        "status", "eier", "frist", "fristslag", "regelversjon", "regelsett", "bestemmelser", "lukkes_av",
        "koordinering", "hviler_pa", "versjon",
    )
)  # fmt: skip
_DIFFERENT = f"""
SELECT coalesce(n.regel, g.regel) AS regel,
       count(*) FILTER (WHERE g.id IS NULL) AS nye,
       count(*) FILTER (WHERE g.id IS NOT NULL AND (n.id IS NULL OR n.status = 'bortfalt' AND g.status <> 'bortfalt'))
           AS bortfalt,
       count(*) AS alle
  FROM {FRESH}.oppgave n FULL JOIN public.oppgave g USING (id)
 WHERE n.id IS NULL OR g.id IS NULL
    OR ({_SAME.replace("{0}", "n")}) IS DISTINCT FROM ({_SAME.replace("{0}", "g")})
 GROUP BY 1 ORDER BY 1
"""  # noqa: S608


async def _next_children(db: asyncpg.Connection, after: str, limit: int) -> list[str]:
    return [row[0] for row in await db.fetch(_NEXT, after, limit)]


async def _stale(db: asyncpg.Connection, limit: int) -> list[str]:
    """Children that changed since they were done, or came since."""
    return [row[0] for row in await db.fetch(_STALE, limit)]


async def _live(db: asyncpg.Connection, subjects: Sequence[str]) -> dict[str, Levende]:
    return {row[0]: Levende(*row[1:]) for row in await db.fetch(_LIVE, subjects)}


async def _task_marks(db: asyncpg.Connection, subjects: Sequence[str]) -> dict[str, str]:
    rows = await db.fetch(
        f"SELECT subject::text, {_TASK_MARKS} FROM public.oppgave WHERE subject = ANY($1::uuid[]) GROUP BY subject",  # noqa: S608
        subjects,
    )
    return {row[0]: row[1] for row in rows}


async def _carry_over(db: asyncpg.Connection, subjects: Sequence[str]) -> None:
    """The tasks as they stand, with what people did and what was told; what is computed is written over them."""
    for table in (*TABLES, "merke"):
        await db.execute(f"DELETE FROM {FRESH}.{table} WHERE subject = ANY($1::uuid[])", subjects)  # noqa: S608
    await db.execute(
        f"INSERT INTO {FRESH}.oppgave SELECT * FROM public.oppgave WHERE subject = ANY($1::uuid[])",  # noqa: S608
        subjects,
    )


async def _timeline(db: asyncpg.Connection, subjects: Sequence[str]) -> dict[str, list[store.Waiting]]:
    """The rows whose facts count; those that wait are counted by the sweep, in the live tables."""
    found: dict[str, list[store.Waiting]] = defaultdict(list)
    for row in await db.fetch(
        "SELECT source, id, subject::text, kommune, type, time, nokkelid::text, innhold, aad FROM tidslinje"
        " WHERE NOT venter AND subject = ANY($1::uuid[])",
        subjects,
    ):
        found[row[2]].append(store.Waiting(*row))
    return found


async def _compare(db: asyncpg.Connection, report: Rapport) -> None:
    report.avvik = {
        row["regel"]: Avvik(row["nye"], row["bortfalt"], row["alle"] - row["nye"] - row["bortfalt"])
        for row in await db.fetch(_DIFFERENT)
    }
    report.digest_for = await _digest(db, "public.oppgave")
    report.digest_etter = await _digest(db, f"{FRESH}.oppgave")
    report.ulike_faktasett = await db.fetchval(f"SELECT count(*) FROM {FRESH}.merke WHERE ulik")  # noqa: S608


async def _digest(db: asyncpg.Connection, table: str) -> str:
    """SHA-256 in hex over the tasks, in the order of their ids: equal when the same is due, and lies with the same."""
    out = hashlib.sha256()
    query = (
        "SELECT id::text, subject::text, regel, anledning, status, eier, frist, versjon, flyt, steg"  # noqa: S608
        f" FROM {table} ORDER BY id"
    )
    async for row in db.cursor(query, prefetch=2_000):
        out.update(orjson.dumps(tuple(row)))
    return out.hexdigest()
