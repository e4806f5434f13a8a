"""A fifth service costs its registry line: the whole way, without a change to `backbone/` or `consumers/`."""

from datetime import timedelta

import pytest

from backbone.clock import system_clock
from contracts.catalogue import Catalogue
from contracts.personnummer import tenor
from contracts.tjenester import Tjeneste
from tests.pipeline_fixture import Pipeline, running_pipeline  # noqa: F401 - a fixture

BARNEHAGE = Tjeneste("barnehage", "Barnehage", "barnehageloven-2-b", "forvaltningsloven-13")


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue.standard().extended([BARNEHAGE])


async def test_what_a_barnehage_sends_comes_to_the_childs_timeline_and_counts_for_cooperation(
    pipeline: Pipeline,
) -> None:
    now = system_clock()
    child = tenor((now - timedelta(days=4 * 365)).date(), 7)
    for tjeneste, kategori in (("barnehage", "bekymring"), ("helsestasjon", "helseoppfolging")):
        consent = {
            "person": child,
            "kommune": "4601",
            "hvem": "begge-foreldre",
            "fra_tjeneste": tjeneste,
            "til_tjenester": ["koordinerende-enhet"],
            "kategorier": [kategori],
            "formal": "samordnet hjelp",
            "gyldig_fra": (now - timedelta(days=30)).isoformat(),
            "utloper": None,
        }
        given = await pipeline.http.post(
            f"{pipeline.settings.url('samtykke')}/samtykke/samtykker",
            json=consent,
            headers=pipeline.as_("system"),
        )
        assert given.status_code == 200, given.text
    seen = {"person": child, "tid": (now - timedelta(days=3)).isoformat(), "nokkel": "u-1"}
    sent = [
        ("barnehage", {**seen, "type": "undring.registrert", "data": {"bti_niva": 1}}),
        ("helsestasjon", {**seen, "type": "oppfolging.utvidet"}),
    ]
    for tjeneste, event in sent:
        assert (await pipeline.send(tjeneste, event)).status_code == 202
    await pipeline.until(
        "samordning",
        "SELECT count(*) FROM tidslinje WHERE type = 'no.samspor.barnehage.undring.registrert'",
        1,
    )
    await pipeline.until("samordning", "SELECT count(*) FROM oppgave WHERE regel = 'samarbeid'", 1)
