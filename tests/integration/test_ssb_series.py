"""SSB's files as a barneverntjeneste sends them: changes, then the whole, then everything once more."""

import re
from collections import Counter
from pathlib import Path

from contracts.envelope import from_kafka
from services.dry_run import bytt_identer
from tests.integration.test_journal_and_relay import published
from tests.pipeline_fixture import Pipeline, running_pipeline  # noqa: F401 - a fixture
from tests.unit.formats import test_ssb_barnevern as ssb
from tests.unit.formats.schemas import SAMPLES, needs_samples

FILES = Path(SAMPLES, "barnevern-ssb")
OWN = [
    ssb.fil(ssb.personalia(ssb.BARN), ssb.MELDING, day=1),
    ssb.fil(ssb.personalia(ssb.BARN), ssb.KONKLUDERT, ssb.UNDERSOKELSE, day=2),
    ssb.fil(ssb.personalia(ssb.BARN), ssb.TILTAK, ssb.VEDTAK, day=3),
]
TOTAL = ssb.fil(ssb.personalia(ssb.BARN), ssb.KONKLUDERT, ssb.UNDERSOKELSE, ssb.TILTAK, ssb.VEDTAK, day=4)


async def each_version_is_published_once(
    pipeline: Pipeline, changes: list[bytes], totals: list[bytes]
) -> int:
    """Sends changes, totals, and all of it again; the number of records on Kafka, each of its own (source, id)."""
    for body in (*changes, *totals, *changes, *totals):
        answer = await pipeline.send("barnevern", body, "formater/ssb-barnevern")
        assert answer.status_code == 202, answer.text
    await pipeline.until("barnevern", "SELECT count(*) FROM journal WHERE publisert IS NULL", 0)
    records = await published(pipeline.settings, "barnevern.hendelser")
    seen = Counter((e.source, e.id) for e in (from_kafka(r.headers) for r in records))
    assert set(seen.values()) == {1}
    assert len(seen) == await pipeline.value("barnevern", "SELECT count(*) FROM journal")
    return len(seen)


async def test_changes_then_the_total_then_all_again_publish_each_event_version_once(
    pipeline: Pipeline,
) -> None:
    told = {(d.type, d.nokkel, d.versjon) for body in OWN for d in ssb.Mottaker().send(body)}
    assert await each_version_is_published_once(pipeline, OWN, [TOTAL]) == len(told)


@needs_samples
async def test_ssbs_own_series_publishes_each_event_version_once(pipeline: Pipeline) -> None:
    files = sorted(FILES.glob("test0*_file*.xml"), key=lambda f: re.findall(r"\d+", f.name))
    bodies = {f.name: bytt_identer(f.read_bytes()) for f in files}
    changes = [body for name, body in bodies.items() if "changes" in name]
    totals = [body for name, body in bodies.items() if "total" in name]
    assert changes
    assert totals
    # One melding received and concluded, one undersøkelse started and concluded: what the total repeats.
    assert await each_version_is_published_once(pipeline, changes, totals) >= 4
