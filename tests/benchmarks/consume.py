"""Coordination as a process of its own, from Kafka to timeline, fact sets, duties and tasks, with everything on.

A rate counts only where what came out is what a computation from scratch gives: the same events, and the same tasks.
"""

import asyncio
import base64
import random
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from backbone.samtykke_client import SamtykkeClient
from backbone.seal import open_sealed
from consumers.coordination.duties import duties
from consumers.coordination.facts import FactSet
from consumers.coordination.regler.standard import regelverk
from contracts.envelope import Content, Envelope, from_kafka
from tests.benchmarks.flow import PATIENCE_S, POLL_S, read_all
from tests.benchmarks.stand import TJENESTE, Stand, now

KEYS_AT_A_TIME = 5_000


class Consumed(NamedTuple):
    """Events a second, how many tasks they gave, and the process's largest resident memory in MB."""

    rate: float
    tasks: int
    memory_mb: float


async def consume(stand: Stand, count: int) -> Consumed:
    """Raises RuntimeError where the tasks are not those that the events give.

    Every row bears the time its batch's transaction began, so looking on costs nothing: the rate is of all batches but
    the last, from the first one's beginning to the last one's. What coordination tells of its tasks comes back to it on
    a topic of its own, and is not counted.
    """
    topic = stand.settings.topic(f"{TJENESTE}.hendelser")
    async with stand.database("samordning") as conn:
        async with stand.part("samordning") as process, asyncio.timeout(PATIENCE_S):
            reached = "SELECT coalesce(sum(hendelser), 0)::bigint FROM posisjon WHERE topic = $1"
            while await conn.fetchval(reached, topic) < count:
                await asyncio.sleep(POLL_S)
            memory_mb = _largest_mb(process.pid)
        batches = await conn.fetch(
            "SELECT count(*), extract(epoch FROM mottatt)::float8 AS at FROM tidslinje"
            " WHERE topic = $1 GROUP BY mottatt ORDER BY mottatt",
            topic,
        )
        held = await conn.fetch(
            "SELECT subject::text, regel, anledning, status, eier, frist FROM oppgave WHERE status <> 'bortfalt'"
        )
    tasks = {tuple(row) for row in held}
    if tasks != await _from_scratch(stand, count):
        raise RuntimeError("the tasks are not those that the events give")
    events = sum(batch["count"] for batch in batches[:-1])
    return Consumed(float(events / (batches[-1]["at"] - batches[0]["at"])), len(tasks), memory_mb)


async def _from_scratch(stand: Stand, count: int) -> set[tuple[object, ...]]:
    """The tasks that the events on Kafka give when all are read at once, in no order, by the contract's own reader."""
    records = await read_all(stand, stand.settings.topic(f"{TJENESTE}.hendelser"))
    if len(records) != count:
        raise RuntimeError("not every event stands on Kafka once")
    random.Random(count).shuffle(records)
    events = [(from_kafka(r.headers), r.value) for r in records]
    rules, facts = regelverk(stand.catalogue), dict[str, FactSet]()
    keys = await _keys(stand, (e for e, _ in events))
    for e, body in events:
        content = Content.model_validate_json(open_sealed(keys[e.nokkelid], body, e.aad()))
        rules.tell(facts.setdefault(e.subject, FactSet(e.subject)), e.source, e.type, e.time, e.id, content)
    found = (d for known in facts.values() for d in duties(known, rules, now()))
    return {(d.subject, d.regel, d.anledning, d.tilstand, d.eier, d.frist) for d in found}


async def _keys(stand: Stand, envelopes: Iterable[Envelope]) -> dict[str, bytes]:
    wanted: dict[str, set[str]] = defaultdict(set)
    for e in envelopes:
        wanted[e.subject].add(e.nokkelid)
    subjects = sorted(wanted)
    found: dict[str, bytes] = {}
    async with SamtykkeClient(stand.settings, "benchmark") as samtykke:
        for start in range(0, len(subjects), KEYS_AT_A_TIME):
            some = subjects[start : start + KEYS_AT_A_TIME]
            for answer in await samtykke.keys([{"subject": s, "nokkelider": list(wanted[s])} for s in some]):
                found |= {id_: base64.b64decode(key) for id_, key in answer["nokler"].items()}
    return found


def _largest_mb(pid: int | None) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (row for row in status.splitlines() if row.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
