"""The rows of `make faults`: every kind of fault, as a script that runs beside the load."""

import asyncio
import random
import signal
from contextlib import AsyncExitStack

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from backbone.kafka import bootstrap
from consumers.coordination.consumer import GROUP
from deploy.parts import PARTS
from tests.faults import hooks, poison
from tests.faults.check import Kind, Violation
from tests.faults.run import Fault, Row, Script
from tests.faults.stack import SESSION_TIMEOUT_MS
from tests.up_process import frozen

KILLED = tuple(part.navn for part in PARTS)
LOCKED_WITHIN_S = 15.0
FROZEN_S = (0.5, 3.0)
AWAY_S = (12.0, 40.0)
"""Past the patience of all that waits for an engine: 10 s for an acknowledgement, 15 s in a client's end."""
HEALTH_GIVES_UP_S = 90.0
"""The supervisor asks a part that does not answer six times before it kills it."""
NEVER_RESTS_S = 15.0
STORM_MEMBERS, STORM_STAYS_S, STORM_PACE = 5, (0.2, 1.5), 5.0


async def kill_at_random(fault: Fault) -> None:
    """SIGKILL three parts, each at a moment of its own."""
    for at in fault.moments(3):
        await fault.load.reached(at)
        await fault.stack.kill(fault.rng.choice(KILLED))


def kill_at(point: str, times: int = 2) -> Script:
    async def script(fault: Fault) -> None:
        for at in fault.moments(times):
            await fault.load.reached(at)
            await fault.at_point(point)

    return script


def kill(navn: str, times: int = 1) -> Script:
    async def script(fault: Fault) -> None:
        for at in fault.moments(times):
            await fault.load.reached(at)
            await fault.stack.kill(navn)

    return script


def away(engine: str) -> Script:
    async def script(fault: Fault) -> None:
        (at,) = fault.moments(1)
        await fault.load.reached(at)
        async with fault.stack.away(engine):
            await asyncio.sleep(fault.rng.uniform(*AWAY_S))

    return script


def silent(engine: str) -> Script:
    async def script(fault: Fault) -> None:
        (at,) = fault.moments(1)
        await fault.load.reached(at)
        with fault.stack.silent(engine):
            await asyncio.sleep(fault.rng.uniform(*AWAY_S))

    return script


async def freeze_relay(fault: Fault) -> None:
    """SIGSTOP the relay that holds the locks while a second one waits. Awake again, it has the lock still, or (its
    connections ended meanwhile) goes on with a batch that the second one has; every tenth seed it stays frozen until
    the supervisor ends it."""
    async with fault.stack.second("relay"):
        for at in fault.moments(2):
            await fault.load.reached(at)
            holder = fault.stack.pids()["relay"]
            ended = fault.rng.random() < 0.5
            with frozen(holder):
                await asyncio.sleep(fault.rng.uniform(*FROZEN_S))
                if ended:
                    await fault.stack.end_lock_holders()
                    await asyncio.sleep(fault.rng.uniform(*FROZEN_S))
        if fault.load.plan.seed % 10 == 0:
            holder = fault.stack.pids()["relay"]
            with frozen(holder):
                await _replaced(fault, "relay", holder)


async def freeze_consumer(fault: Fault) -> None:
    """SIGSTOP the consumer for longer than its session, while a second one takes what it held; then it wakes up with
    a batch that is no longer its own."""
    async with fault.stack.second("samordning"):
        (at,) = fault.moments(1)
        await fault.load.reached(at)
        with frozen(fault.stack.pids()["samordning"]):
            await asyncio.sleep(SESSION_TIMEOUT_MS / 1000 + fault.rng.uniform(*FROZEN_S))
        await fault.load.done.wait()


async def lose_locks(fault: Fault) -> None:
    """The connections that hold the relays' locks are ended, three times, when they hold them again."""
    for at in fault.moments(3):
        await fault.load.reached(at)
        try:
            async with asyncio.timeout(LOCKED_WITHIN_S):
                while not await fault.stack.end_lock_holders():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            fault.violations.append(Violation(Kind.NOT_HIT, 1, "no relay held a lock"))


async def storm(fault: Fault) -> None:
    """Members join and leave the group all the time, and do nothing with what they are given; and a second process
    that does. A fetch lasts through each coming and going."""
    (at,) = fault.moments(1)
    fault.load.pace = STORM_PACE
    async with AsyncExitStack() as stack:
        stack.enter_context(fault.stack.planted(hooks.LONG_FETCHES))
        await stack.enter_async_context(fault.stack.second("samordning"))
        await fault.load.reached(at)
        for _ in range(STORM_MEMBERS):
            await _visit(fault, fault.rng)
        if fault.rng.random() < 0.5:
            await fault.stack.kill("samordning")


async def _visit(fault: Fault, rng: random.Random) -> None:
    settings = fault.stack.settings
    member = AIOKafkaConsumer(
        *fault.witness.read_by_coordination,
        bootstrap_servers=bootstrap(settings),
        group_id=settings.topic(GROUP),
        client_id="visitor",
        partition_assignment_strategy=(RangePartitionAssignor,),
        enable_auto_commit=False,
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=SESSION_TIMEOUT_MS // 3,
    )
    try:
        await member.start()
        await asyncio.sleep(rng.uniform(*STORM_STAYS_S))
    except KafkaError:
        pass  # thrown out again by another's coming
    finally:
        await member.stop()


async def republish(fault: Fault) -> None:
    """Everything that came to Kafka since the seed began comes once more and in another order, midway and at the end
    (all that stands there would be four times as much after each seed)."""
    for at in (*fault.moments(1), 1.0):
        await fault.load.reached(at)
        records = await fault.witness.since(fault.start, fault.witness.read_by_coordination)
        again: list[poison.Record] = [(r.topic, r.key, list(r.headers), r.value) for r in records]
        again = [r for r in again if not _is_poison(r)]
        fault.rng.shuffle(again)
        await poison.send(fault.stack.settings, again)


async def send_poison(fault: Fault) -> None:
    """Broken records and future versions among the others, twice."""
    for at in (0.3, 0.7):
        await fault.load.reached(at)
        records: list[object] = []
        while not records:
            records = await fault.witness.since(fault.start, _services(fault))
            await asyncio.sleep(0.1)
        fault.injected |= await poison.send(fault.stack.settings, poison.poisoned(records, fault.rng))


async def ask_to_end(fault: Fault) -> None:
    """SIGTERM to a part, and then to everything, under load: it ends in order, and the next start goes on."""
    part, everything = fault.moments(2)
    await fault.load.reached(part)
    fault.stack.terminate(fault.rng.choice(KILLED))
    await fault.load.reached(everything)
    code = await fault.stack.stop(signal.SIGTERM)
    if code != 0:
        fault.violations.append(Violation(Kind.STOPPED_BADLY, 1, f"exit {code}"))
    await fault.stack.start()


async def commit_late(fault: Fault) -> None:
    """Some transactions of the journal take their time, so that later numbers are visible before earlier ones."""
    with fault.stack.planted(hooks.LATE_COMMITS):
        await fault.load.done.wait()
        await asyncio.sleep(2 * hooks.LATE_COMMIT_S)


async def _replaced(fault: Fault, navn: str, pid: int) -> None:
    for _ in range(int(HEALTH_GIVES_UP_S)):
        if fault.stack.pids().get(navn) not in (None, pid):
            return
        await asyncio.sleep(1)
    fault.violations.append(Violation(Kind.NOT_HEALED, 1, f"a frozen {navn} was not replaced"))


def _services(fault: Fault) -> list[str]:
    return [t for t in fault.witness.read_by_coordination if not t.endswith("samtykke.hendelser")]


def _is_poison(record: poison.Record) -> bool:
    ids = [value for name, value in record[2] if name == "ce_id"]
    return not ids or ids[0].startswith((b"poison-", b"\xff"))


def _at_point(point: str, part: str) -> Row:
    return Row(point, f"SIGKILL of {part} at the point", kill_at(point), frozenset({part}))


ROWS = (
    Row("kill", "SIGKILL of three parts at random", kill_at_random, frozenset(KILLED)),
    *(_at_point(point, part) for part, points in hooks.POINTS.items() for point in points),
    Row("freeze-relay", "SIGSTOP of the locks' holder, a second relay waiting", freeze_relay),
    Row("lose-locks", "the connections that hold the locks are ended", lose_locks, frozenset()),
    Row("freeze-consumer", "SIGSTOP of the consumer past its session, a second one beside", freeze_consumer),
    Row("kill-kafka", "SIGKILL of the broker", kill("kafka")),
    Row("kill-postgres", "SIGKILL of PostgreSQL", kill("postgres")),
    Row("kafka-away", "SIGKILL of the broker, and it stays away", away("kafka")),
    Row("postgres-away", "SIGKILL of PostgreSQL, and it stays away", away("postgres")),
    Row("silent-kafka", "SIGSTOP of the broker, its connections stand", silent("kafka")),
    Row("silent-postgres", "SIGSTOP of PostgreSQL, its connections stand", silent("postgres")),
    Row("rebalance-storm", "members join and leave", storm),
    Row("republish", "all on every topic once more, shuffled", republish, frozenset()),
    Row("poison", "broken records and future versions", send_poison, frozenset()),
    Row("sigterm", "SIGTERM of a part, then of everything", ask_to_end),
    Row("late-commits", "rows become visible out of order", commit_late, frozenset()),
    Row(
        hooks.STALLED_CONSUMER,
        "the consumer's client no longer gives anything",
        kill_at(hooks.STALLED_CONSUMER, 1),
        frozenset(),
    ),
    Row(
        hooks.SILENT_PRODUCER,
        "a relay's client no longer acknowledges",
        kill_at(hooks.SILENT_PRODUCER, 1),
        frozenset(),
    ),
    Row(
        "planted ack-before-commit",
        "answered first, committed afterwards",
        kill("tjenester", 3),
        bugs=(hooks.ACK_BEFORE_COMMIT,),
        caught=frozenset({Kind.LOST}),
    ),
    Row(
        "planted cursor-outbox",
        "a cursor in place of the pending flag",
        commit_late,
        bugs=(hooks.CURSOR_OUTBOX,),
        caught=frozenset({Kind.LOST}),
        rests=False,
        heals_within_s=NEVER_RESTS_S,
    ),
    Row(
        "planted consent-ignored",
        "the relay sends what is withheld",
        kill_at_random,
        bugs=(hooks.CONSENT_IGNORED,),
        caught=frozenset({Kind.LEAKED}),
    ),
    Row(
        "planted position-before-effects",
        "offsets saved before the effects",
        kill_at(hooks.POSITION_FIRST),
        bugs=(hooks.POSITION_FIRST,),
        caught=frozenset({Kind.LOST}),
    ),
)
BY_NAVN = {row.navn: row for row in ROWS}
