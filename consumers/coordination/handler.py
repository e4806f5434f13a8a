"""What is done with a batch of records, and with children whose time or circumstances have changed.

Everything a batch causes (timeline rows, fact sets, tasks, events about tasks, parked records, positions)
is one transaction: done, or not done at all and tried again.
"""

import base64
import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import asyncpg
from babel.dates import format_date
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import metrics, telemetry
from backbone.clock import Clock
from backbone.database import driver
from backbone.journal import Journal, NewEvent
from backbone.meldinger import messages
from backbone.seal import SealBroken, open_sealed, seal
from backbone.settings import Settings
from consumers.coordination import steglager, store
from consumers.coordination.duties import evaluate
from consumers.coordination.facts import FactSet, merged
from consumers.coordination.forteller import told_baton, told_step
from consumers.coordination.innlesing import Arrival, Opened, Parked, Record, open_body, read
from consumers.coordination.koblede import as_given
from consumers.coordination.oppgaver import Oppgave, Step, everybody, handed_on, steps
from consumers.coordination.regler import samarbeid
from consumers.coordination.regler.regel import Duty
from consumers.coordination.regler.regelverk import Regelverk
from consumers.coordination.sak import Sak
from consumers.coordination.stafett import begin
from contracts import samtykke_api as api
from contracts.catalogue import Catalogue
from contracts.envelope import Content, Envelope
from contracts.tjenester import SAMORDNING, SAMTYKKE
from contracts.topics import event_topic

log = logging.getLogger(__name__)


class Keys(Protocol):
    """samtykke. Raises Retry when it can't answer."""

    async def keys(self, items: Sequence[api.NokkelItem]) -> list[api.NokkelSvar]: ...


@dataclass(frozen=True, slots=True)
class ChildKeys:
    """What samtykke answered for one child, for this batch alone. `koblet`: see NokkelSvar."""

    status: api.Personstatus
    data: Mapping[str, bytes]
    fact_key_id: str
    fact_key: bytes
    koblet: tuple[str, ...] = ()


class News:
    """What a batch tells of one child."""

    __slots__ = ("cause", "facts", "kommune")

    def __init__(self, subject: str, kommune: str) -> None:
        self.facts = FactSet(subject)
        self.kommune = kommune
        self.cause: Envelope | None = None


class Spans:
    """The spans of one batch: of each event, and of each step of a task that one caused, in the event's own trace.
    They tell what the transaction did, so they are ended when it has committed, and otherwise never seen."""

    def __init__(self, arrivals: Iterable[Arrival]) -> None:
        self._events: dict[store.Place, telemetry.Span] = {}
        self._steps: list[telemetry.Span] = []
        if telemetry.on():
            self._events = {(a.envelope.source, a.envelope.id): _process_span(a) for a in arrivals}

    def caused(self, step: Step, cause: Envelope | None) -> str:
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
        self._catalogue = catalogue
        self._rules = rules
        self._clock = clock
        self._journal = Journal(settings, SAMORDNING)
        self._texts = messages("consumers.coordination")
        self._topic_of = {t: settings.topic(event_topic(t).navn) for t in (*catalogue.tjenester, SAMTYKKE)}

    async def handle(self, records: Sequence[Record], *, replay: bool = False) -> None:
        """A batch from Kafka, or (`replay`) records parked earlier. Raises what backbone and drivers raise
        when samtykke or the database is away; then nothing of the batch is done."""
        arrivals, parked = read(records, self._catalogue, self._topic_of)
        said: dict[str, str | int] = {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.consumer.group.name": SAMORDNING,
            "messaging.batch.message_count": len(records),
        }
        links = (a.envelope.traceparent for a in arrivals)
        with telemetry.span("process batch", "consumer", said, links=links):
            spans = Spans(arrivals)
            new = await self._handle(records, arrivals, parked, spans, replay)
            spans.committed(new)
        _count(parked)

    async def _handle(
        self,
        records: Sequence[Record],
        arrivals: Sequence[Arrival],
        parked: list[Parked],
        spans: Spans,
        replay: bool,
    ) -> set[store.Place]:
        """Adds to `parked`; which timeline rows are new."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for arrival in arrivals:
            wanted[arrival.envelope.subject].add(arrival.envelope.nokkelid)
        keys = await self._keys(wanted)
        erased = [a for a in arrivals if keys[a.envelope.subject].status == "slettet"]
        blocked = [a for a in arrivals if keys[a.envelope.subject].status == "sperret"]
        told: dict[str, News] = {}
        counted: list[Arrival] = []
        for arrival in arrivals:
            child = keys[arrival.envelope.subject]
            if child.status == "aktiv":
                found = self._tell(told, open_body(arrival, child.data.get(arrival.envelope.nokkelid)))
                parked.append(found) if isinstance(found, Parked) else counted.append(found.arrival)
        now = self._clock()
        async with self._engine.begin() as conn:
            db = await driver(conn)
            rows = [(a, False) for a in counted] + [(a, True) for a in blocked]
            new = await store.add_to_timeline(db, rows, now)
            fresh = {a.envelope.subject for a in counted if (a.envelope.source, a.envelope.id) in new}
            await self._settle(db, {s: n for s, n in told.items() if s in fresh}, keys, now, spans)
            await store.park(db, parked, now)
            if replay:
                still = {p.record.place for p in parked}
                await store.unpark(db, (r.place for r in records if r.place not in still))
            else:
                await store.save_positions(db, _reached(records, [a for a, _ in rows], new, erased), now)
        return new

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
        async with self._engine.begin() as conn:
            db = await driver(conn)
            await store.hold(db, by_status["sperret"])
            await store.forget(db, by_status["slettet"], now)
            told, counted = await self._waiting(db, by_status["aktiv"], keys)
            spans = Spans(())
            await self._settle(db, told, keys, now, spans, recompute=True)
            await store.save_joined(db, {s: child.koblet[:1] for s, child in keys.items()})
            for barn in sorted({child.koblet for child in keys.values() if child.koblet}):
                await self._settle_joined(
                    db, [s for s in barn if keys[s].status == "aktiv"], keys, now, spans
                )
            await store.counted(db, counted)
        spans.committed(())

    async def _keys(self, wanted: Mapping[str, Iterable[str]]) -> dict[str, ChildKeys]:
        """One call for the whole batch."""
        if not wanted:
            return {}
        items: list[api.NokkelItem] = [{"subject": s, "nokkelider": list(ids)} for s, ids in wanted.items()]
        found: dict[str, ChildKeys] = {}
        for answer in await self._samtykke.keys(items):
            own = answer["samordning"]
            data = {id_: base64.b64decode(key) for id_, key in answer["nokler"].items()}
            found[answer["subject"]] = ChildKeys(
                answer["status"] if own or answer["status"] == "slettet" else "sperret",
                data,
                own["nokkelid"] if own else "",
                base64.b64decode(own["nokkel"]) if own else b"",
                tuple(answer.get("koblet", ())),
            )
        return found

    def _tell(self, told: dict[str, News], opened: Opened | Parked) -> Opened | Parked:
        """Adds an event to what the batch tells of its child; parked where its content breaks its own
        type."""
        if isinstance(opened, Parked):
            return opened
        e = opened.arrival.envelope
        news = told.get(e.subject) or News(e.subject, e.kommune)
        try:
            heard = self._rules.tell(news.facts, e.source, e.type, e.time, e.id, opened.content)
        except (KeyError, ValueError, TypeError):
            return Parked(opened.arrival.record, "ugyldig-innhold", e.type)
        if heard:
            told[e.subject] = news
            if news.cause is None or (news.cause.time, news.cause.id) < (e.time, e.id):
                news.cause = e
        return opened

    async def _waiting(
        self, db: asyncpg.Connection, subjects: Sequence[str], keys: Mapping[str, ChildKeys]
    ) -> tuple[dict[str, News], list[store.Place]]:
        """What the waiting rows of these children tell, and which rows were read."""
        told = {s: News(s, "") for s in subjects}
        counted: list[store.Place] = []
        for row in await store.waiting(db, subjects):
            key = keys[row.subject].data.get(row.nokkelid)
            if key is None:
                continue  # it came after the keys were asked for: the next sweep takes it
            counted.append((row.source, row.id))
            told[row.subject].kommune = row.kommune
            try:
                content = Content.model_validate_json(open_sealed(key, row.innhold, row.aad))
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
    ) -> None:
        """Merges what was told into the fact sets and brings tasks into line with the duties."""
        if not told:
            return
        held = await store.lock_fact_sets(db, {s: n.kommune for s, n in told.items()})
        tasks = await store.tasks_of(db, held)
        saved: list[store.Saved] = []
        written: list[store.Written] = []
        events: list[NewEvent] = []
        cooperation: list[Oppgave] = []
        unreadable: list[str] = []
        for subject, row in held.items():
            news, key = told[subject], keys[subject]
            facts = _open(subject, row, key)
            if facts is None:
                unreadable.append(subject)
                continue
            if not facts.merge(news.facts) and not recompute:
                continue
            sealed = seal(key.fact_key, facts.encode(), fact_context(subject))
            if key.koblet:  # what is due follows from all of the child's subjects: soon, and together
                saved.append(store.Saved(subject, key.fact_key_id, sealed, now))
                continue
            duties, next_change = evaluate(facts, self._rules, now)
            saved.append(store.Saved(subject, key.fact_key_id, sealed, next_change))
            mine = tasks.get(subject, {})
            knows = Sak(facts, self._rules, now).knows if handed_on(mine.values()) else everybody
            for step in steps(mine, duties, row.kommune, knows):
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

    async def _settle_joined(
        self,
        db: asyncpg.Connection,
        barn: Sequence[str],
        keys: Mapping[str, ChildKeys],
        now: datetime,
        spans: Spans,
    ) -> None:
        """Brings the tasks of a child with several subjects, the canonical one first, into line with all its facts."""
        held = await store.lock_fact_sets(db, dict.fromkeys(barn, ""))
        opened = {s: _open(s, row, keys[s]) for s, row in held.items()}
        sets = [facts for facts in opened.values() if facts is not None]
        if len(sets) < len(held) or not sets:
            await store.rebuild(db, [s for s, facts in opened.items() if facts is None])
            return
        facts = merged(barn[0], sets)
        duties, next_change = evaluate(facts, self._rules, now)
        tasks = {id_: t for own in (await store.tasks_of(db, barn)).values() for id_, t in own.items()}
        knows = Sak(facts, self._rules, now).knows if handed_on(tasks.values()) else everybody
        written: list[store.Written] = []
        events: list[NewEvent] = []
        cooperation: list[Oppgave] = []
        kommune = next(iter(held.values())).kommune
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
        sealed = seal(key.fact_key, text.encode(), task_context(step.oppgave.id))
        return store.Written(step.oppgave, (key.fact_key_id, sealed))


def fact_context(subject: str) -> bytes:
    return f"faktasett|{subject}".encode()


def task_context(id_: str) -> bytes:
    """What a task's explanation is bound to; the portal opens it with the same bytes."""
    return f"oppgave|{id_}".encode()


def _open(subject: str, row: store.Held, key: ChildKeys) -> FactSet | None:
    """None for a set under another key or in another format."""
    if row.innhold is None:
        return FactSet(subject)
    try:
        return FactSet.decode(subject, open_sealed(key.fact_key, row.innhold, fact_context(subject)))
    except (SealBroken, ValueError):
        return None


def _arguments(duty: Duty) -> dict[str, str | int]:
    return {
        name: format_date(value, "d. MMMM y", locale="nb") if isinstance(value, date) else value
        for name, value in duty.argumenter
    }


def _reached(
    records: Iterable[Record],
    stored: Iterable[Arrival],
    new: Collection[store.Place],
    erased: Iterable[Arrival],
) -> dict[tuple[str, int], tuple[int, int, int]]:
    """Per (topic, partition): the next offset to read, rows added, rows skipped as erased."""
    after: dict[tuple[str, int], int] = {}
    for r in records:
        after[r.topic, r.partition] = max(r.offset + 1, after.get((r.topic, r.partition), 0))
    first = {(a.envelope.source, a.envelope.id): a.record for a in stored}
    added = Counter((first[place].topic, first[place].partition) for place in new)
    skipped = Counter((a.record.topic, a.record.partition) for a in erased)
    return {place: (offset, added[place], skipped[place]) for place, offset in after.items()}
