"""`make faults`: every kind of fault against the real process tree, each with many seeds, and a table of the results.

    python -m tests.faults --seeds 20
    python -m tests.faults --row kill-kafka --row "planted cursor-outbox" --seed 7

A seed determines children, events, order, targets, and after how many acknowledged events each fault happens. Engines
and parts go on from seed to seed; a seed with a violation is the last of its stack. All listens on loopback, and only
processes that were started here are ended. Ends with 1 when anything is wrong.
"""

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from tests.faults.check import Key, Kind
from tests.faults.rows import BY_NAVN, ROWS
from tests.faults.run import Outcome, Row, run_seed
from tests.faults.stack import Stack

EVENTS = 400
WIDTH = 120
"""Of what is written to a file."""
SHOWN = (Kind.LOST, Kind.DOUBLED, Kind.LEAKED)
Tell = Callable[[Outcome], None]


def main(
    seeds: Annotated[int, typer.Option(min=1, help="seeds of each row, from --first on")] = 20,
    first: Annotated[int, typer.Option(min=0)] = 1,
    seed: Annotated[list[int] | None, typer.Option(help="just these seeds, to replay them")] = None,
    row: Annotated[list[str] | None, typer.Option(help=f"just these rows: {', '.join(BY_NAVN)}")] = None,
    events: Annotated[int, typer.Option(min=100, help="events of each seed")] = EVENTS,
    jobs: Annotated[int, typer.Option(min=1, help="seeds run side by side, each on engines of its own")] = 2,
    minutes: Annotated[float | None, typer.Option(help="begin no seed after this long")] = None,
    keep: Annotated[bool, typer.Option(help="leave the data of failed seeds where it is")] = False,
) -> None:
    """Run the rows, print the table."""
    unknown = [navn for navn in row or () if navn not in BY_NAVN]
    if unknown:
        raise typer.BadParameter(f"no such row: {', '.join(unknown)}")
    rows = [BY_NAVN[navn] for navn in row] if row else list(ROWS)
    width = None if sys.stdout.isatty() else WIDTH
    console, began = Console(soft_wrap=True, highlight=False, width=width), time.monotonic()
    for one in rows:
        console.print(f"[dim]{one.navn}: {one.what}[/dim]")
    waiting = deque((one, nr) for nr in seed or range(first, first + seeds) for one in rows)
    outcomes: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        outcomes.append(outcome)
        console.print(_line(outcome))

    def go_on() -> bool:
        return bool(waiting) and (minutes is None or time.monotonic() - began < minutes * 60)

    ended = False
    try:
        asyncio.run(run(waiting, go_on, events, jobs, tell, keep))
        ended = True
    except KeyboardInterrupt:
        console.print("stopped")
    except (
        ExceptionGroup
    ) as broken:  # a stack that did not start: what was seen before it counts all the same
        console.print(f"[red]stopped[/red]: {escape(repr(broken.exceptions[0]))}")
    console.print(table(sorted(outcomes, key=lambda o: (ROWS.index(o.row), o.seed))))
    left = f", {len(waiting)} not begun" if waiting else ""
    console.print(f"{len(outcomes)} seeds in {(time.monotonic() - began) / 60:.0f} minutes{left}")
    for outcome in outcomes:
        if not outcome.passed:
            console.print(f"[red]failed[/red], again: {replay(outcome)}")
    sys.exit(not ended or any(not outcome.passed for outcome in outcomes))


Waiting = deque[tuple[Row, int]]


async def run(
    waiting: Waiting, go_on: Callable[[], bool], events: int, jobs: int, tell: Tell, keep: bool
) -> None:
    """Seed by seed through all rows, so that a run that is stopped has seen every row about as often."""

    async def worker() -> None:
        while go_on():
            await on_one_stack(waiting, go_on, events, tell, keep)

    async with asyncio.TaskGroup() as group:
        for _ in range(jobs):
            group.create_task(worker())


async def on_one_stack(
    waiting: Waiting, go_on: Callable[[], bool], events: int, tell: Tell, keep: bool
) -> None:
    """Takes from `waiting` until there is no more or a seed has failed: what that left behind is nobody else's to
    suffer."""
    directory = Path(tempfile.mkdtemp(prefix="samspor-faults-"))
    stack, earlier, passed = Stack(directory), set[Key](), True
    try:
        await stack.start()
        while passed and go_on():
            row, seed = waiting.popleft()
            series = ROWS.index(row)
            outcome = await run_seed(
                row, stack, seed, events, series, directory / f"journal-{series}-{seed}", earlier
            )
            tell(outcome)
            passed = outcome.passed
    finally:
        await stack.stop()
        if passed or not keep:
            shutil.rmtree(directory, ignore_errors=True)


def replay(outcome: Outcome) -> str:
    row = f"'{outcome.row.navn}'" if " " in outcome.row.navn else outcome.row.navn
    return f'make faults ARGS="--row {row} --seed {outcome.seed} --events {outcome.events}"'


def table(outcomes: Sequence[Outcome]) -> Table:
    """A row a kind of fault; of a planted bug, how many seeds caught it."""
    by_row: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_row[outcome.row.navn].append(outcome)
    heads = ("seeds", "events", "lost", "doubled", "leaked", "other", "healed s, p50 / max", "")
    found = Table(Column("row", no_wrap=True), *heads, box=SIMPLE_HEAD)
    for navn, of_row in by_row.items():
        healed = [o.healed_s for o in of_row if o.healed_s is not None]
        counts = [sum(o.count(kind) for o in of_row) for kind in SHOWN]
        other = sum(v.count for o in of_row for v in o.violations if v.kind not in SHOWN)
        passed = sum(o.passed for o in of_row)
        planted = of_row[0].row.planted
        found.add_row(
            navn,
            str(len(of_row)),
            f"{sum(o.events for o in of_row):,}",
            *(f"({n})" if planted else str(n) for n in (*counts, other)),
            f"{statistics.median(healed):.1f} / {max(healed):.1f}" if healed else "–",
            ("caught" if planted else "ok")
            if passed == len(of_row)
            else f"[red]{len(of_row) - passed} failed[/red]",
        )
    return found


def _line(outcome: Outcome) -> str:
    state = "[green]ok[/green]" if outcome.passed else "[red]failed[/red]"
    healed = "never at rest" if outcome.healed_s is None else f"at rest after {outcome.healed_s:.1f} s"
    what = "; ".join(escape(f"{v.kind} {v.count}: {v.what}") for v in outcome.violations)
    return f"{state} {outcome.row.navn} seed {outcome.seed}: {healed}{', ' if what else ''}{what}"


if __name__ == "__main__":
    typer.run(main)
