"""`make bench`: what accepting, relaying and consuming cost beside programs that do nothing else.

Rounds are interleaved (ours, bare, ours, bare …) on the same engines; a row gives each side's median, the spread, and
the median of the ratios taken round by round. Figures belong in docs/measured.md with date, versions and command.
"""

import statistics
from collections import defaultdict
from importlib.metadata import version

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from backbone.kafka import BATCH_BYTES
from tests.benchmarks import accept, faststream_peer, flow, formats
from tests.benchmarks.consume import consume
from tests.benchmarks.stand import engines, stand

PAIRS = (
    ("accept, NDJSON", "bulk", "executemany of the same rows", "same rows"),
    ("accept, NDJSON", "bulk", "executemany into a bare table", "bare accept"),
    ("accept, one event a call", "single", "INSERT a row", "bare single"),
    ("relay", "relay", "aiokafka send loop", "bare send"),
    ("relay", "relay", "the same, batches as large as ours", "bare send, large"),
    ("consume", "consume", "aiokafka + COPY", "bare consume"),
    ("consume", "consume", "FastStream batch + COPY", "faststream batch"),
    ("consume", "consume", "FastStream one at a time", "faststream single"),
    ("consume, each another child", "consume spread", "aiokafka + COPY", "bare consume"),
)
AIOKAFKA_BATCH_BYTES = 16_384
"""What its producer has when it is not told."""
BATCHES = {"relay_batch": 4_000, "consumer_batch": 5_000}
"""As set by default."""
BATCHES_LEAST = 6
"""So that a rate between the first batch and the last one says something."""
FormatRates = dict[str, list[tuple[float, float]]]
"""(records, events) a second of each format, one a round."""
LIBRARIES = ("aiokafka", "faststream", "asyncpg", "fastapi", "pydantic", "cryptography")


def main(events: int = 30_000, rounds: int = 3, quick: bool = False) -> None:
    """Measure on this machine. `--quick`: one small round, to see that it runs."""
    if quick:
        events, rounds = 4_000, 1
    rates, by_format = uvloop.run(measure(events, rounds))  # the loop that our processes have, for every side
    console = Console()
    table = Table(
        "",
        "ours /s",
        "bare",
        "bare /s",
        "ratio",
        "spread of ratio",
        title=f"{events} events, {rounds} rounds",
    )
    for name, ours, bare_name, bare in PAIRS:
        ratios = [a / b for a, b in zip(rates[ours], rates[bare], strict=True)]
        table.add_row(
            name,
            f"{statistics.median(rates[ours]):,.0f}",
            bare_name,
            f"{statistics.median(rates[bare]):,.0f}",
            f"{statistics.median(ratios):.2f}",
            f"{min(ratios):.2f}–{max(ratios):.2f}",
        )
    console.print(table)
    console.print(
        f"the consumer's memory: {max(rates['memory']):,.0f} MB at most; each run's tasks are those that its"
        f" events give when computed from scratch: {statistics.median(rates['tasks']):,.0f}"
    )
    console.print(_formats_table(by_format, len(rates["bulk"])))
    console.print(" ".join(f"{name} {version(name)}" for name in LIBRARIES))


def _formats_table(by_format: FormatRates, rounds: int) -> Table:
    table = Table("", "records /s", "events /s", title=f"each format, HTTP to committed, {rounds} rounds")
    for navn, measured in by_format.items():
        records, events = (statistics.median(side) for side in zip(*measured, strict=True))
        table.add_row(navn, f"{records:,.0f}", f"{events:,.0f}")
    return table


async def measure(events: int, rounds: int) -> tuple[dict[str, list[float]], FormatRates]:
    """Rates of every side and of every format, one a round."""
    rates: dict[str, list[float]] = defaultdict(list)
    by_format: FormatRates = defaultdict(list)
    async with engines() as running:
        for seed in range(rounds):
            async with stand(running) as place:
                rates["bulk"].append(await accept.bulk(place, events, 2 * seed))
                rates["same rows"].append(await accept.same_rows(place))
                rates["bare accept"].append(await accept.bare(place, events, 2 * seed))
                few = max(events // 10, 100)
                rates["single"].append(await accept.single(place, few, 2 * seed + 1))
                rates["bare single"].append(await accept.bare_single(place, few, 2 * seed + 1))
            async with stand(running) as place:
                for navn, measured in (await formats.rates(place, max(events // 10, 1_000))).items():
                    by_format[navn].append(measured)
            batches = {name: min(most, events // BATCHES_LEAST) for name, most in BATCHES.items()}
            async with stand(running, **batches) as place, place.part("samtykke"):
                await flow.fill_journal(place, events, seed)
                rates["relay"].append(await flow.relay(place, events))
                rates["bare send"].append(await flow.bare_send(place, events, AIOKAFKA_BATCH_BYTES))
                rates["bare send, large"].append(await flow.bare_send(place, events, BATCH_BYTES))
                consumed = await consume(place, events)
                rates["consume"].append(consumed.rate)
                rates["memory"].append(consumed.memory_mb)
                rates["tasks"].append(consumed.tasks)
                rates["bare consume"].append(await flow.bare_consume(place, events))
                rates["faststream batch"].append(await faststream_peer.batch(place, events))
                few = max(events // 30, 100)
                rates["faststream single"].append(await faststream_peer.one_at_a_time(place, few))
            async with stand(running, **batches) as place, place.part("samtykke"):
                await flow.fill_journal(place, events, seed, spread=True)
                await flow.relay(place, events)
                rates["consume spread"].append((await consume(place, events)).rate)
    return rates, by_format


if __name__ == "__main__":
    typer.run(main)
