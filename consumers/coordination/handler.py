"""What is done with a batch of records, and with children whose time or circumstances have changed.

Everything a batch causes (timeline rows, fact sets, tasks, events about tasks, parked records, positions)
is one transaction: done, or not done at all and tried again.
"""

import asyncio
import base64
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Protocol, TypeVar

import asyncpg
from babel.dates import format_date
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import metrics, telemetry
from backbone.clock import Clock
from backbone.database import driver
from backbone.failures import Stop
from backbone.journal import Journal, JournalKeys, NewEvent, forget_undecided
from backbone.meldinger import messages
from backbone.seal import SealBroken, Sealer
from backbone.settings import Settings
from consumers.coordination import steglager, store
from consumers.coordination.duties import evaluate
from consumers.coordination.facts import FactSet, merged
from consumers.coordination.forteller import told_baton, told_step
from consumers.coordination.innlesing import Arrival, Parked, Reader, Record, content_of, open_body
from consumers.coordination.koblede import as_given
from consumers.coordination.oppgaver import Oppgave, Step, everybody, handed_on, steps
from consumers.coordination.regler import samarbeid
from consumers.coordination.regler.regel import Duty
from consumers.coordination.regler.regelverk import Regelverk
from consumers.coordination.sak import Sak
from consumers.coordination.stafett import begin
from contracts import samtykke_api as api
from contracts.catalogue import PREFIX, Catalogue
from contracts.envelope import Content, Row
from contracts.tjenester import SAMORDNING, SAMTYKKE
from contracts.topics import event_topic

log = logging.getLogger(__name__)

AT_A_TIME = 500
"""Records read, or children settled, before others get their turn."""
PREPARED_HOLDS = timedelta(seconds=5)
"""How long samtykke's answers for a batch that waits its turn count; after that it is asked again."""
SET_ASIDE = timedelta(hours=1)
"""When a child whose duties could not be derived is looked at again."""
JOINED, PARTED = (f"{PREFIX}{SAMTYKKE}.identitet.{step}" for step in ("koblet", "frakoblet"))

T = TypeVar("T")


class Keys(Protocol):
    """samtykke. Raises Retry when it can't answer."""

    async def keys(self, items: Sequence[api.NokkelItem]) -> list[api.NokkelSvar]: ...


@dataclass(frozen=True, slots=True)
class ChildKeys:
    """What samtykke answered for one child, for this batch alone. `koblet`: see NokkelSvar."""

    status: api.Personstatus
    data: Mapping[str, Sealer]
    fact_key_id: str
    own: Sealer | None
    koblet: tuple[str, ...] = ()

    @property
    def facts(self) -> Sealer:
        """The key of the child's fact set and explanations. Raises Stop for a blocked child, who has none here."""
        if self.own is None:
            raise Stop("a blocked child's facts are neither opened nor sealed")
        return self.own


class News:
    """What a batch tells of one child. `again`: it was joined or parted, and is to be looked at with keys that samtykke
    gives after that."""

    __slots__ = ("again", "cause", "facts", "kommune")

    def __init__(self, subject: str, kommune: str) -> None:
        self.facts = FactSet(subject)
        self.kommune = kommune
        self.cause: Row | None = None
        self.again = False


class Spans:
    """The spans of one batch: of each event, and of each step of a task that one caused, in the event's own trace.
    They tell what the transaction did, so they are ended when it has committed, and otherwise never seen."""

    def __init__(self, arrivals: Iterable[Arrival]) -> None:
        self._events: dict[store.Place, telemetry.Span] = {}
        self._steps: list[telemetry.Span] = []
        if telemetry.on():
            self._events = {(a.envelope.source, a.envelope.id): _process_span(a) for a in arrivals}

    def caused(self, step: Step, cause: Row | None) -> str:
        """The trace context of the step's event; a trace of its own for what only time or a change caused."""
        parent = cause.traceparent if cause else None
        if cause and (event := self._events.get((cause.source, cause.id))):
            parent = event.traceparent
        span = telemetry.begin(
            f"oppgave {step.told}",
            "internal",
            parent,
            {"samspor.regel": step.oppgave.regel, "samspor.steg": step.told or ""},
        )
        self._steps.append(span)
        return span.traceparent or telemetry.new_traceparent()

    def committed(self, new: Iterable[store.Place]) -> None:
        """`new`: the events that were not known already."""
        for span in self._steps:
            span.end()
        if self._events:
            for place in new:
                self._events[place].end()


@dataclass(slots=True)
class Prepared:
    """A batch that is read and opened, and not yet in the database. Its keys are dropped with it."""

    at: datetime
    records: Sequence[Record]
    parked: list[Parked]
    spans: Spans
    span: telemetry.Span
    keys: dict[str, ChildKeys]
    told: dict[str, News] = field(default_factory=dict)
    counted: list[Arrival] = field(default_factory=list)
    blocked: list[Arrival] = field(default_factory=list)
    erased: list[Arrival] = field(default_factory=list)

    def leave_out(self, forgotten: Collection[str]) -> None:
        """Children who were erased after samtykke was asked about them: nothing may be made of them again."""
        if not forgotten:
            return
        for sort in (self.counted, self.blocked):
            self.erased += [a for a in sort if a.envelope.subject in forgotten]
            sort[:] = [a for a in sort if a.envelope.subject not in forgotten]
        for subject in forgotten:
            self.told.pop(subject, None)


@contextmanager
def _batch(span: telemetry.Span) -> Iterator[None]:
    """What is done inside belongs to the batch's span; an error ends it."""
    with telemetry.continuing(span.traceparent):
        try:
            yield
        except BaseException as error:
            span.failed(type(error).__name__)
            span.end()
            raise


def _said(count: int) -> dict[str, str | int]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": SAMORDNING,
        "messaging.batch.message_count": count,
    }


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """So that others get their turn between two: a batch takes tens of milliseconds."""
    for start in range(0, len(items), AT_A_TIME):
        yield items[start : start + AT_A_TIME]


def _process_span(arrival: Arrival) -> telemetry.Span:
    record = arrival.record
    said: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": record.topic,
        "messaging.destination.partition.id": str(record.partition),
        "messaging.kafka.offset": record.offset,
        "messaging.consumer.group.name": SAMORDNING,
    }
    return telemetry.begin(f"process {record.topic}", "consumer", arrival.envelope.traceparent, said)


def _count(parked: Collection[Parked]) -> None:
    reasons = Counter(p.grunn for p in parked)
    for reason, count in reasons.items():
        metrics.CONSUMER_PARKED.labels(SAMORDNING, reason).inc(count)
    if reasons:
        log.warning("parked %s", dict(reasons))


class Handler:
    """Pure rules between samtykke's keys and the database `engine`."""

    def __init__(
        self,
        engine: AsyncEngine,
        samtykke: Keys,
        settings: Settings,
        catalogue: Catalogue,
        rules: Regelverk,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._samtykke = samtykke
        self._rules = rules
        self._clock = clock
        self._journal = Journal(settings, SAMORDNING)
        self._journal_keys = JournalKeys(settings, SAMORDNING)
        self._texts = messages("consumers.coordination")
        topic_of = {t: settings.topic(event_topic(t).navn) for t in (*catalogue.tjenester, SAMTYKKE)}
        self._reader = Reader(catalogue, topic_of)

    async def handle(
        self, records: Sequence[Record], *, replay: bool = False, ahead: Awaitable[Prepared] | None = None
    ) -> None:
        """A batch from Kafka, or (`replay`) records parked earlier. Raises what backbone and drivers raise
        when samtykke or the database is away; then nothing of the batch is done.

        `ahead` is what `prepare` made of the same records while the batch before was written."""
        prepared = await ahead if ahead else await self.prepare(records)
        if self._clock() - prepared.at > PREPARED_HOLDS:
            prepared = await self.prepare(records)
        with _batch(prepared.span):
            await self._carry_out(prepared, replay)
        prepared.span.end()
        _count(prepared.parked)

    async def prepare(self, records: Sequence[Record]) -> Prepared:
        """What can be done of a batch before the one before it is in the database: headers read, keys asked
        for, bodies opened. Raises as `handle`."""
        now = self._clock()
        arrivals: list[Arrival] = []
        parked: list[Parked] = []
        for part in _parts(records):
            for record in part:
                found = self._reader.read(record)
                parked.append(found) if isinstance(found, Parked) else arrivals.append(found)
            await asyncio.sleep(0)
        span = telemetry.begin(
            "process batch",
            "consumer",
            telemetry.here(),
            _said(len(records)),
            links=(a.envelope.traceparent for a in arrivals),
        )
        wanted: dict[str, set[str]] = defaultdict(set)
        for _, envelope in arrivals:
            wanted[envelope.subject].add(envelope.nokkelid)
        with _batch(span):
            keys = await self._keys(wanted)
        prepared = Prepared(now, records, parked, Spans(arrivals), span, keys)
        for some in _parts(arrivals):
            for arrival in some:
                self._take(prepared, arrival)
            await asyncio.sleep(0)
        return prepared

    def _take(self, prepared: Prepared, arrival: Arrival) -> None:
        """Sorts an arrival by what may become of it."""
        envelope = arrival.envelope
        child = prepared.keys[envelope.subject]
        if child.status == "sperret":
            prepared.blocked.append(arrival)
        elif child.status == "slettet":
            prepared.erased.append(arrival)
        elif isinstance(content := open_body(arrival, child.data.get(envelope.nokkelid)), Parked):
            prepared.parked.append(content)
        elif problem := self._tell(prepared.told, arrival, content):
            prepared.parked.append(problem)
        else:
            prepared.counted.append(arrival)

    async def _carry_out(self, prepared: Prepared, replay: bool) -> None:
        """The batch's one transaction."""
        now, p = self._clock(), prepared
        async with self._engine.begin() as conn:
            db = await driver(conn)
            p.leave_out(await store.forgotten(db, p.keys))
            new = await store.add_to_timeline(db, p.counted, p.blocked, now)
            await self._settle(db, _fresh(p, new), p.keys, now, p.spans)
            await store.park(db, p.parked, now)
            if replay:
                still = {parked.record.place for parked in p.parked}
                await store.unpark(db, (r.place for r in p.records if r.place not in still))
            else:
                stored = (*p.counted, *p.blocked)
                await store.save_positions(db, _reached(p.records, stored, new, p.erased), now)
        p.spans.committed(new)

    async def set_aside(self, parked: Parked) -> None:
        """Parks a record that could not be handled, and goes past it."""
        now = self._clock()
        async with self._engine.begin() as conn:
            db = await driver(conn)
            await store.park(db, [parked], now)
            await store.save_positions(db, _reached([parked.record], [], set(), []), now)
        _count([parked])

    async def refresh(self, subjects: Collection[str]) -> None:
        """Children whose time has come or whose status may have changed: what waits is counted, the duties
        are derived anew. Raises as `handle`."""
        async with self._engine.begin() as conn:
            wanted = await store.waiting_keys(await driver(conn), subjects)
        keys = await self._keys({s: wanted.get(s, ()) for s in subjects})
        keys |= await self._keys({s: () for child in keys.values() for s in child.koblet if s not in keys})
        by_status: dict[str, list[str]] = defaultdict(list)
        for subject, child in keys.items():
            by_status[child.status].append(subject)
        now = self._clock()
        if by_status["slettet"]:
            await self._forget(by_status["slettet"])
        async with self._engine.begin() as conn:
            db = await driver(conn)
            gone = await store.forgotten(db, keys)
            await store.hold(db, by_status["sperret"])
            active = [s for s in by_status["aktiv"] if s not in gone]
            told, counted = await self._waiting(db, active, keys)
            spans = Spans(())
            unreadable = await self._settle(db, told, keys, now, spans, recompute=True)
            await store.save_joined(db, {s: child.koblet[:1] for s, child in keys.items()})
            for barn in sorted({child.koblet for child in keys.values() if child.koblet}):
                await self._settle_joined(db, [s for s in barn if s in active], keys, now, spans)
            await store.counted(db, [place for s in told.keys() - unreadable for place in counted[s]])
        spans.committed(())

    async def forget(self, glemsel: api.Glemsel) -> None:
        """An erased child. Raises asyncpg's errors and OSError when the database is away."""
        await self._forget(glemsel["subjects"])

    async def _forget(self, subjects: Sequence[str]) -> None:
        now = self._clock()
        async with self._engine.begin() as conn:
            db = await driver(conn)
            await store.forget(db, subjects, now)
            await forget_undecided(db, self._journal_keys, subjects, None, now)

    async def _keys(self, wanted: Mapping[str, Iterable[str]]) -> dict[str, ChildKeys]:
        """One call for the whole batch."""
        if not wanted:
            return {}
        items: list[api.NokkelItem] = [{"subject": s, "nokkelider": list(ids)} for s, ids in wanted.items()]
        found: dict[str, ChildKeys] = {}
        for answer in await self._samtykke.keys(items):
            own = answer["samordning"]
            data = {id_: Sealer(base64.b64decode(key)) for id_, key in answer["nokler"].items()}
            found[answer["subject"]] = ChildKeys(
                answer["status"] if own or answer["status"] == "slettet" else "sperret",
                data,
                own["nokkelid"] if own else "",
                Sealer(base64.b64decode(own["nokkel"])) if own else None,
                tuple(answer.get("koblet", ())),
            )
        return found

    def _tell(self, told: dict[str, News], arrival: Arrival, content: Content) -> Parked | None:
        """Adds an event to what the batch tells of its child; parked where its content breaks its own
        type."""
        e = arrival.envelope
        news = told.get(e.subject) or News(e.subject, e.kommune)
        try:
            heard = self._rules.tell(news.facts, e.source, e.type, e.time, e.id, content)
        except (KeyError, ValueError, TypeError):
            return Parked(arrival.record, "ugyldig-innhold", e.type)
        if e.type in (JOINED, PARTED):
            news.again = True
            told[e.subject] = news
        if heard:
            told[e.subject] = news
            if news.cause is None or (news.cause.time, news.cause.id) < (e.time, e.id):
                news.cause = e
        return None

    async def _waiting(
        self, db: asyncpg.Connection, subjects: Sequence[str], keys: Mapping[str, ChildKeys]
    ) -> tuple[dict[str, News], dict[str, list[store.Place]]]:
        """What the waiting rows of these children tell, and which rows were read, by child."""
        told = {s: News(s, "") for s in subjects}
        counted: dict[str, list[store.Place]] = defaultdict(list)
        for row in await store.waiting(db, subjects):
            key = keys[row.subject].data.get(row.nokkelid)
            if key is None:
                continue  # it came after the keys were asked for: the next sweep takes it
            counted[row.subject].append((row.source, row.id))
            told[row.subject].kommune = row.kommune
            try:
                content = content_of(key.open(row.innhold, row.aad))
                self._rules.tell(told[row.subject].facts, row.source, row.type, row.time, row.id, content)
            except (SealBroken, LookupError, ValueError, TypeError) as error:
                log.error("a timeline row of type %s can't be counted: %s", row.type, type(error).__name__)
        return told, counted

    async def _settle(
        self,
        db: asyncpg.Connection,
        told: Mapping[str, News],
        keys: Mapping[str, ChildKeys],
        now: datetime,
        spans: Spans,
        *,
        recompute: bool = False,
    ) -> Collection[str]:
        """Merges what was told into the fact sets and brings tasks into line with the duties. `recompute`: what was
        told is all that waits. The children whose facts can't be read: they are built anew, from every row."""
        if not told:
            return ()
        held = await store.lock_fact_sets(db, told)
        tasks = await store.tasks_of(db, told)
        saved: list[store.Saved] = []
        written: list[store.Written] = []
        events: list[NewEvent] = []
        cooperation: list[Oppgave] = []
        unreadable: list[str] = []
        for number, (subject, news) in enumerate(told.items(), 1):
            if number % AT_A_TIME == 0:
                await asyncio.sleep(0)
            key, row = keys[subject], held.get(subject)
            facts = (
                FactSet(subject) if recompute and row and row.innhold is None else _open(subject, row, key)
            )
            if facts is None:
                unreadable.append(subject)
                continue
            if not facts.merge(news.facts) and not ((recompute or news.again) and row):
                continue
            kommune = row.kommune if row else news.kommune
            sealed = key.facts.seal(facts.encode(), fact_context(subject))
            if (
                key.koblet or news.again
            ):  # what is due follows from all of the child's subjects: soon, and together
                saved.append(store.Saved(subject, kommune, key.fact_key_id, sealed, now, row is None))
                continue
            rules = self._rules.for_kommune(kommune)
            duties, next_change = self._due(facts, rules, now)
            saved.append(store.Saved(subject, kommune, key.fact_key_id, sealed, next_change, row is None))
            if duties is None:
                continue
            mine = tasks.get(subject, {})
            knows = Sak(facts, rules, now).knows if handed_on(mine.values()) else everybody
            for step in steps(mine, duties, kommune, knows):
                written.append(self._written(step, key))
                if step.told:
                    events.append(told_step(step, now, news.cause, spans.caused(step, news.cause)))
                    if step.told == "opprettet" and step.oppgave.regel == samarbeid.REGEL.navn:
                        cooperation.append(step.oppgave)
        await store.save_fact_sets(db, saved, now)
        await store.save_tasks(db, written, now)
        for task in await steglager.begin_batons(db, cooperation, now):
            events.append(told_baton(task.kommune, task.subject, begin(task.eier), 1, None, now))
        if events:
            await self._journal.append(db, events, now)
        if unreadable:
            log.error("%d fact sets can't be opened and are built anew", len(unreadable))
            await store.rebuild(db, unreadable)
        return unreadable

    def _due(
        self, facts: FactSet, rules: Regelverk, now: datetime
    ) -> tuple[tuple[Duty, ...] | None, datetime | None]:
        """What `evaluate` says; None where it fails: the tasks stand as they stand, and no other child, and no event,
        suffers for it."""
        try:
            return evaluate(facts, rules, now)
        except Exception as error:
            log.error("a child's duties can't be derived: %s", type(error).__name__)
            return None, now + SET_ASIDE

    async def _settle_joined(
        self,
        db: asyncpg.Connection,
        barn: Sequence[str],
        keys: Mapping[str, ChildKeys],
        now: datetime,
        spans: Spans,
    ) -> None:
        """Brings the tasks of a child with several subjects, the canonical one first, into line with all its facts."""
        held = await store.lock_fact_sets(db, barn)
        opened = {s: _open(s, row, keys[s]) for s, row in held.items()}
        sets = [facts for facts in opened.values() if facts is not None]
        if len(sets) < len(held) or not sets:
            await store.rebuild(db, [s for s, facts in opened.items() if facts is None])
            return
        facts = merged(barn[0], sets)
        kommune = next(iter(held.values())).kommune
        rules = self._rules.for_kommune(kommune)
        duties, next_change = self._due(facts, rules, now)
        if duties is None:
            await store.look_again(db, list(held), next_change)
            return
        tasks = {id_: t for own in (await store.tasks_of(db, barn)).values() for id_, t in own.items()}
        knows = Sak(facts, rules, now).knows if handed_on(tasks.values()) else everybody
        written: list[store.Written] = []
        events: list[NewEvent] = []
        cooperation: list[Oppgave] = []
        for step in steps(tasks, as_given(duties, barn, tasks), kommune, knows):
            written.append(self._written(step, keys[step.oppgave.subject]))
            if step.told:
                events.append(told_step(step, now, None, spans.caused(step, None)))
                if step.told == "opprettet" and step.oppgave.regel == samarbeid.REGEL.navn:
                    cooperation.append(step.oppgave)
        await store.save_tasks(db, written, now)
        await store.look_again(db, list(held), next_change)
        if cooperation and not await steglager.any_baton(db, barn):
            for task in await steglager.begin_batons(db, cooperation[:1], now):
                events.append(told_baton(task.kommune, task.subject, begin(task.eier), 1, None, now))
        if events:
            await self._journal.append(db, events, now)

    def _written(self, step: Step, key: ChildKeys) -> store.Written:
        if step.duty is None:
            return store.Written(step.oppgave, None)
        text = self._texts.text(step.duty.forklaring, **_arguments(step.duty))
        sealed = key.facts.seal(text.encode(), task_context(step.oppgave.id))
        return store.Written(step.oppgave, (key.fact_key_id, sealed))


def fact_context(subject: str) -> bytes:
    return f"faktasett|{subject}".encode()


def task_context(id_: str) -> bytes:
    """What a task's explanation is bound to; the portal opens it with the same bytes."""
    return f"oppgave|{id_}".encode()


def _open(subject: str, row: store.Held | None, key: ChildKeys) -> FactSet | None:
    """None for a set under another key, in another format, or about to be built anew."""
    if row is None:
        return FactSet(subject)
    if row.innhold is None:
        return None
    try:
        return FactSet.decode(subject, key.facts.open(row.innhold, fact_context(subject)))
    except (SealBroken, ValueError):
        return None


def _arguments(duty: Duty) -> dict[str, str | int]:
    return {
        name: _written_date(value) if isinstance(value, date) else value for name, value in duty.argumenter
    }


@lru_cache(maxsize=1_000)
def _written_date(day: date) -> str:
    return format_date(day, "d. MMMM y", locale="nb")


def _fresh(prepared: Prepared, new: Collection[store.Place]) -> dict[str, News]:
    """What was told of children of whom the batch brought something new."""
    if len(new) == len(prepared.counted) + len(prepared.blocked):
        return prepared.told
    fresh = {e.subject for _, e in prepared.counted if (e.source, e.id) in new}
    return {subject: news for subject, news in prepared.told.items() if subject in fresh}


def _reached(
    records: Iterable[Record],
    stored: Sequence[Arrival],
    new: Collection[store.Place],
    erased: Iterable[Arrival],
) -> dict[tuple[str, int], tuple[int, int, int]]:
    """Per (topic, partition): the next offset to read, rows added, rows skipped as erased."""
    after: dict[tuple[str, int], int] = {}
    for topic, partition, offset, *_ in records:
        place = topic, partition
        if offset >= after.get(place, 0):
            after[place] = offset + 1
    if len(new) < len(stored):  # of two with one id, the first
        first = {(a.envelope.source, a.envelope.id): a for a in reversed(stored)}
        stored = [first[place] for place in new]
    added, skipped = (Counter((r.topic, r.partition) for r, _ in some) for some in (stored, erased))
    return {place: (offset, added[place], skipped[place]) for place, offset in after.items()}
