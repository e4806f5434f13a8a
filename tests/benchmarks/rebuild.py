"""What a rebuild costs: simulated children whose tasks people work with, then `samspor rebuild` of all of it.

`python -m tests.benchmarks.rebuild` (200,000 events) prints a line of JSON: that the digest is equal, that nothing was
told again, events a second, and the most memory the process took. Keys come from this process, so samtykke's part is
measured elsewhere (`make bench`).
"""

import random
import resource
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import orjson
import typer
import uvloop

from backbone.database import create_engine
from backbone.kafka import Publisher
from backbone.problems import ProblemError
from consumers.coordination.gjenoppbygging import Gjenoppbygging, Rapport
from consumers.coordination.handler import Handler
from consumers.coordination.kommandoer import Kommandoer, Ordre
from consumers.coordination.regler.standard import regelverk
from tests.benchmarks.stand import engines, stand
from tests.integration.test_kommandoer import ENHET, Direct, Port, of
from tests.unit.coordination.given import Event, consent, event

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
NOW = START + timedelta(days=200)
EVENTS_A_CHILD = 10
CHILDREN_A_BATCH = 200
WORKED_ON = 400
"""So many tasks are worked on by people, each in several steps."""
KINDS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("skole", "ppt.henvist", {}),
    ("skole", "fravaer.terskel-passert", {}),
    ("skole", "elevforhold.startet", {}),
    ("helsestasjon", "oppfolging.utvidet", {}),
    ("helsestasjon", "konsultasjon.gjennomfort", {"dato": "2026-02-02"}),
    ("nav", "oppfolging.startet", {}),
    ("nav", "oppfolging.avsluttet", {}),
    ("barnevern", "henvendelse.mottatt", {"slag": 2}),
    ("koordinerende-enhet", "koordinator.oppnevnt", {}),
)
CONSENTS = (
    consent("skole", ["fravar", "tilrettelegging"], ["helsestasjon", "nav"]),
    consent("helsestasjon", ["helseoppfolging"], ["skole"]),
    consent("nav", ["nav-oppfolging"], ["skole"]),
)


def histories(rng: random.Random, count: int) -> list[list[Event]]:
    """What may happen to a child, a few hundred variants of it."""
    return [
        [
            *rng.sample(CONSENTS, rng.randrange(4)),
            *(
                event(
                    tjeneste,
                    navn,
                    (START + timedelta(days=rng.randrange(190))).replace(tzinfo=None).isoformat(),
                    str(nr),
                    **data,
                )
                for nr, (tjeneste, navn, data) in enumerate(rng.choices(KINDS, k=EVENTS_A_CHILD))
            ),
        ][:EVENTS_A_CHILD]
        for _ in range(count)
    ]


async def work(thread: Direct, commands: Kommandoer, rng: random.Random) -> int:
    """People do what people do; how many steps that were."""
    tasks = await thread.rows("SELECT id::text AS id FROM oppgave WHERE status = 'aapen' ORDER BY id")
    units = (ENHET, *(of(t) for t in ("skole", "helsestasjon", "nav", "barnevern")))
    for row in rng.sample(tasks, min(WORKED_ON, len(tasks))):
        for ordre in (
            Ordre("tilby", til=rng.choice(("skole", "helsestasjon", "nav"))),
            Ordre(rng.choice(("ta", "avvis")), grunn="mangler-kapasitet"),
            Ordre("utfor") if rng.randrange(2) else Ordre("uenig", grunn="annen-naermere"),
        ):
            for who in units:
                try:
                    await commands.act(who, row["id"], ordre)
                    break
                except ProblemError:
                    continue
    steps = await thread.rows("SELECT count(*) FROM steg")
    return int(steps[0][0])


async def measure(events: int, seed: int) -> dict[str, Any]:
    rng = random.Random(seed)
    async with engines() as running, stand(running) as made:
        engine = create_engine(made.settings, "samordning")
        thread = Direct(made.settings, made.catalogue, engine, Publisher(made.settings, "bench"), now=NOW)
        thread.rules = regelverk(made.catalogue)
        args = (engine, thread.samtykke, made.settings, made.catalogue, thread.rules, lambda: thread.now)
        thread.handler = Handler(*args)
        variants = histories(rng, 300)
        children = [
            str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(events // EVENTS_A_CHILD)
        ]
        for start in range(0, len(children), CHILDREN_A_BATCH):
            batch = children[start : start + CHILDREN_A_BATCH]
            await thread.send(*(thread.outgoing(e, s) for s in batch for e in rng.choice(variants)))
        commands = Kommandoer(engine, Port(thread), made.settings, thread.rules, lambda: thread.now)
        steps = await work(thread, commands, rng)
        told = await thread.rows("SELECT count(*) FROM journal")
        began = time.perf_counter()
        report: Rapport = await Gjenoppbygging(
            engine, thread.samtykke, made.settings, thread.rules, lambda: thread.now
        ).run()
        seconds = time.perf_counter() - began
        after = await thread.rows("SELECT count(*) FROM journal")
        tasks = await thread.rows("SELECT count(*) FROM oppgave")
        await engine.dispose()
    return {
        "hendelser": report.hendelser,
        "barn": report.barn,
        "oppgaver": tasks[0][0],
        "menneskelige_steg": steps,
        "likt_avtrykk": report.digest_for == report.digest_etter,
        "lik": report.lik,
        "byttet": report.byttet,
        "nye_varsler": after[0][0] - told[0][0],
        "sekunder": round(seconds, 1),
        "hendelser_i_sekundet": round(report.hendelser / seconds),
        "minne_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main(
    events: Annotated[int, typer.Option(min=100)] = 200_000, seed: Annotated[int, typer.Option()] = 1
) -> None:
    """Measure on this machine."""
    found = uvloop.run(measure(events, seed))
    typer.echo(orjson.dumps(found).decode())
    if not (found["lik"] and found["byttet"]) or found["nye_varsler"]:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
