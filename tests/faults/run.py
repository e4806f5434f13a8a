"""One seed of one row: load and faults side by side, rest, and the checker's word."""

import asyncio
import random
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path

from deploy.parts import PARTS
from tests.faults.check import Key, Kind, Violation, check
from tests.faults.load import Load, Plan
from tests.faults.look import Before, Ends, Place, Witness, at_rest, look
from tests.faults.stack import Stack

HEALS_WITHIN_S = 90.0
"""From the last fault and the last answer until all is at rest; generous, for machines that do other things too."""
SEED_BOUND_S = 420.0
REST_POLL_S = 0.4
FIRED_WITHIN_S = 8.0


@dataclass
class Fault:
    """What a row's script has to work with, and what it leaves behind."""

    stack: Stack
    load: Load
    witness: Witness
    start: Ends
    rng: random.Random
    injected: set[Place] = field(default_factory=set)
    violations: list[Violation] = field(default_factory=list)

    async def at_point(self, point: str) -> None:
        """Kills whoever passes the point next, or soon after; the fault has happened when this returns."""
        self.stack.arm(point, self.rng.randint(1, 2))
        while not await self.stack.fired(point, FIRED_WITHIN_S):
            if self.load.done.is_set() and not await self.load.nudge():
                return  # it is armed still, and told as such

    def moments(self, count: int) -> list[float]:
        """Shares of the load after which something happens, in order."""
        return sorted(self.rng.uniform(0.05, 0.8) for _ in range(count))


Script = Callable[[Fault], Coroutine[None, None, None]]


@dataclass(frozen=True)
class Row:
    """A kind of fault. `hits`: the only parts that may be started anew because of it; None: any. `bugs` are planted
    for the row, which then passes where the checker finds one of `caught`; with `rests` False the bug keeps it from
    ever coming to rest, which must be seen too."""

    navn: str
    what: str
    script: Script
    hits: frozenset[str] | None = None
    bugs: tuple[str, ...] = ()
    caught: frozenset[Kind] = frozenset()
    rests: bool = True
    heals_within_s: float = HEALS_WITHIN_S

    @property
    def planted(self) -> bool:
        return bool(self.caught)


@dataclass(frozen=True)
class Outcome:
    """What one seed of a row came to. `healed_s`: None where it never came to rest."""

    row: Row
    seed: int
    events: int
    violations: tuple[Violation, ...]
    healed_s: float | None

    @property
    def passed(self) -> bool:
        if self.row.planted:
            # What is still under way is not lost: only rest, or the lack of it, makes it so.
            rested = self.healed_s is not None
            return rested is self.row.rests and any(v.kind in self.row.caught for v in self.violations)
        return not self.violations

    def count(self, kind: Kind) -> int:
        return sum(v.count for v in self.violations if v.kind is kind)


async def run_seed(
    row: Row, stack: Stack, seed: int, events: int, series: int, journal: Path, earlier: set[Key]
) -> Outcome:
    """Runs it on a stack at rest. `earlier` are the events of earlier seeds on the same stack; this one's are added."""
    plan = Plan(seed, events, series)
    try:
        async with asyncio.timeout(SEED_BOUND_S):
            outcome = await _run(row, stack, plan, journal, earlier)
    except Exception as error:
        # Told as this seed's failure: the other seeds run all the same.
        outcome = Outcome(row, seed, events, (Violation(Kind.NOT_RUN, 1, _first(error)),), None)
    earlier |= {event.key for event in plan.events}
    return outcome


async def _run(row: Row, stack: Stack, plan: Plan, journal: Path, earlier: set[Key]) -> Outcome:
    load = Load(plan, stack.settings, stack.up.tokens(), journal)
    await load.prepare()
    witness = Witness(stack)
    try:
        return await _hurt(row, stack, load, witness, earlier)
    finally:
        await witness.close()


async def _hurt(row: Row, stack: Stack, load: Load, witness: Witness, earlier: set[Key]) -> Outcome:
    plan = load.plan
    fault = Fault(stack, load, witness, await witness.ends(), random.Random(f"{row.navn} {plan.seed}"))
    before, pids = await Before.of(stack), stack.pids()
    with stack.planted(*row.bugs):
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run())
            group.create_task(row.script(fault))
        healed_s = await _rest(fault, row.heals_within_s)
        violations = fault.violations
        violations += [Violation(Kind.NOT_HIT, 1, point) for point in stack.disarm()]
        if healed_s is None:
            violations.append(Violation(Kind.NOT_HEALED, 1, f"not at rest after {row.heals_within_s:.0f} s"))
        found = await look(stack, witness, load, fault.start, fault.injected, before)
        violations += check(load.history(), found, plan.allowed, earlier)
        violations += _spread(row, pids, stack.pids())
    if row.planted:  # what the bug held back goes now, and not into the next seed
        await _rest(fault, HEALS_WITHIN_S)
    return Outcome(row, plan.seed, load.total, tuple(violations), healed_s)


def _first(error: BaseException) -> str:
    """What went wrong, and the innermost place in the tests where it did."""
    if isinstance(error, BaseExceptionGroup):
        return _first(error.exceptions[0])
    places = [f for f in traceback.extract_tb(error.__traceback__) if "tests" in f.filename]
    return f"{type(error).__name__} in {places[-1].name}" if places else type(error).__name__


async def _rest(fault: Fault, within_s: float) -> float | None:
    """Seconds until all was at rest, seen twice in a row; None: not within that time."""
    clock = asyncio.get_running_loop().time
    began, seen = clock(), False
    while clock() - began < within_s:
        if await at_rest(fault.stack, fault.witness, fault.load.plan.allowed):
            if seen:
                return clock() - began
            seen = True
        else:
            seen = False
        await asyncio.sleep(REST_POLL_S)
    return None


def _spread(row: Row, before: dict[str, int], after: dict[str, int]) -> list[Violation]:
    """One part's end must not be another's."""
    if row.hits is None:
        return []
    others = {part.navn for part in PARTS} - row.hits
    return [
        Violation(Kind.SPREAD, 1, f"{navn} was started anew")
        for navn in others
        if before[navn] != after.get(navn)
    ]
