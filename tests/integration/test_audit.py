"""`samspor audit`: the whole way of an event for an auditor, and the ledgers held against the heads on Kafka."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from backbone.clock import system_clock
from backbone.ledger import Fault
from backbone.samtykke_client import SamtykkeClient
from backbone.tokens import Principal
from contracts.samtykke_api import LesingItem
from deploy import revisjon
from deploy.revisjon import Denied, Sporing, Steg, Unknown
from tests.pipeline_fixture import Pipeline, running_pipeline  # noqa: F401 - a fixture
from tests.samtykke_fixture import KOMMUNE, ORGNR, number

AUDITOR = Principal(sub="revisor:r", rolle="revisor", orgnr=ORGNR, kommune=KOMMUNE)
TEACHER = Principal(sub="larer:l", rolle="fagperson", orgnr=ORGNR, kommune=KOMMUNE, tjeneste="skole")

REPORTS = "SELECT count(*) FROM oppgave WHERE regel = 'bekymringsmelding'"
"""Tasks to look at a melding, one each."""

pytestmark = pytest.mark.timeout(300)


def event(type_: str, nr: int, data: dict[str, Any], person: str | None = None) -> dict[str, Any]:
    at = (system_clock() - timedelta(hours=1)).isoformat()
    return {"type": type_, "person": person or number(), "tid": at, "nokkel": f"{type_}-{nr}", "data": data}


async def sent(pipeline: Pipeline, tjeneste: str, body: dict[str, Any]) -> str:
    answer = await pipeline.send(tjeneste, body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["kvitteringer"][0]["id"])


async def way(pipeline: Pipeline, name: str, viewer: Principal = AUDITOR) -> list[Steg]:
    async with SamtykkeClient(pipeline.settings, "cli") as samtykke:
        return await Sporing(pipeline.settings, pipeline.catalogue, samtykke, viewer, system_clock).follow(
            name
        )


async def test_the_whole_way_is_told_to_an_auditor_who_is_logged_and_to_nobody_else(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    absence = {"dager": 10, "timer": 0, "periode": "2026-2027", "regel": "10-dager"}
    seen = await sent(pipeline, "skole", event("fravaer.terskel-passert", 1, absence))
    melding = await sent(pipeline, "barnevern", event("henvendelse.mottatt", 1, {"slag": 2}, number(2)))
    refused = await sent(pipeline, "skole", event("ppt.henvist", 1, {}, number(3)))
    await pipeline.until("samordning", REPORTS, 1)
    await pipeline.until("portal", "SELECT count(*) > 0 FROM varsel", True)
    await pipeline.until("samordning", "SELECT count(*) FROM tidslinje", 2)
    await pipeline.until("skole", "SELECT count(*) FROM journal WHERE utfall = 'withhold'", 1)
    subject = await pipeline.value("skole", "SELECT subject FROM journal WHERE id = $1", seen)
    item = LesingItem(
        ref=0, subject=subject, slag="hendelse", type="no.samspor.skole.fravaer.terskel-passert",
        tjeneste="skole", kategori="fravar", skjerming="T", nokkelid=None, kommune=KOMMUNE, hendelse=seen,
    )  # fmt: skip
    async with SamtykkeClient(pipeline.settings, "portal") as samtykke:
        await samtykke.read(TEACHER, "oppfolging", [item])

    steps = await way(pipeline, seen)
    told = [(s.hva, s.hvor) for s in steps]
    for step in (
        ("mottatt", "skole"),
        ("besluttet", "skole"),
        ("publisert", "skole"),
        ("behandlet", "samordning"),
    ):
        assert step in told
    (read,) = [s for s in steps if s.mer.get("aktor") == TEACHER.sub]
    assert (read.hva, read.mer["utfall"], read.mer["formal"]) == ("lesing", "full", "oppfolging")
    assert [s.tid for s in steps] == sorted(s.tid for s in steps)

    hidden = await way(pipeline, melding)
    assert {"varslet", "oppgave", "publisert"} <= {s.hva for s in hidden}
    said = orjson.dumps([s.as_json() for s in hidden]).decode()
    assert "barnevern" not in said and "henvendelse" not in said and "bekymring" not in said
    (held,) = [s for s in await way(pipeline, refused) if s.hva == "avgjorelse"]
    assert held.mer["utfall"] == "withhold" and held.mer["grunn"]

    task = str(await pipeline.value("samordning", "SELECT id FROM oppgave WHERE regel = 'bekymringsmelding'"))
    assert "oppgave" in {s.hva for s in await way(pipeline, task)}
    assert {"behandlet", "lesing"} <= {s.hva for s in await way(pipeline, subject)}
    asked = "SELECT count(*) > 0 FROM revisjon WHERE aktor = 'revisor:r' AND hendelse = $1 AND formal = 'revisjon'"
    assert await pipeline.value("samtykke", asked, seen) is True

    with pytest.raises(Denied):
        await way(pipeline, seen, TEACHER)
    with pytest.raises(Denied):
        await way(pipeline, seen, AUDITOR.model_copy(update={"kommune": "0301"}))
    denied = "SELECT count(*) FROM revisjon WHERE aktor = 'revisor:r' AND utfall = 'deny'"
    assert await pipeline.value("samtykke", denied) == 1
    with pytest.raises(Unknown):
        await way(pipeline, "finnes-ikke")

    await whole_and_then_not(pipeline, tmp_path)


async def whole_and_then_not(pipeline: Pipeline, tmp_path: Path) -> None:
    """Every ledger against the heads on Kafka and in a file; the one that is cut is named."""
    settings, names = pipeline.settings, revisjon.ledgers(pipeline.catalogue)
    for name in names:
        await pipeline.until(name, "SELECT count(*) FROM revisjon WHERE nummer IS NULL", 0)
        await pipeline.until(name, "SELECT count(*) FROM revisjon_kjede WHERE publisert IS NULL", 0)
    heads = await revisjon.published(settings)
    found = await revisjon.verify(settings, names, heads)
    assert {one.kjede: one.fault for one in found} == dict.fromkeys(names)
    (skole,) = [one for one in found if one.kjede == "skole"]
    assert skole.rader == 1 and skole.hoder == 1
    file = tmp_path / "hoder.jsonl"
    file.write_text(revisjon.encoded(heads))
    assert revisjon.heads_in(file) == heads
    for table in ("revisjon", "revisjon_kjede"):
        await pipeline.value("skole", f"DELETE FROM {table}")
    (one,) = await revisjon.verify(settings, ["skole"], revisjon.heads_in(file))
    assert one.fault == Fault("avkuttet", 1)


def test_the_command_says_what_is_wrong_with_what_it_is_given(tmp_path: Path) -> None:
    from deploy.cli import app

    runner = CliRunner()
    bad = tmp_path / "hoder"
    bad.write_text("ikke et hode\n")
    common = ["--data-dir", str(tmp_path)]
    assert runner.invoke(app, ["audit", "verify", "--hoder", str(bad), *common]).exit_code == 2
    assert runner.invoke(app, ["audit", "verify", "--database", "nokler", *common]).exit_code == 2
    token = ["audit", "show", "x", "--token-fil"]
    assert runner.invoke(app, [*token, str(tmp_path / "mangler"), *common]).exit_code == 2
