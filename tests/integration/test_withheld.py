"""Withheld, released, withdrawn, given again: on the real engines, through the APIs and the page."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from backbone.clock import system_clock
from contracts.personnummer import tenor
from tests.pipeline_fixture import Pipeline, running_pipeline  # noqa: F401 - a fixture

pytestmark = pytest.mark.timeout(240)

NOW = system_clock()
CHILD = tenor((NOW - timedelta(days=9 * 365)).date(), 12)
REFERRED = "PPT"
"""What NAV's page says of the referral, a word of its type's name."""


def referral(nr: int) -> dict[str, Any]:
    at = (NOW - timedelta(days=2)).isoformat()
    return {"type": "ppt.henvist", "person": CHILD, "tid": at, "nokkel": f"ppt-{nr}", "id": f"r-{nr}"}


async def waiting(pipeline: Pipeline, who: str = "skole", **params: Any) -> httpx.Response:
    url = f"{pipeline.settings.url('tjenester')}/skole/venter"
    return await pipeline.http.get(url, headers=pipeline.as_(who), params=params)


async def consent(pipeline: Pipeline, path: str = "", body: Any = None) -> Any:
    url = f"{pipeline.settings.url('samtykke')}/samtykke/samtykker{path}"
    answer = await pipeline.http.post(url, json=body, headers=pipeline.as_("system"))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def page(pipeline: Pipeline, subject: str) -> httpx.Response:
    """The child's page as NAV's adviser sees it now."""
    portal = pipeline.settings.url("portal")
    headers = pipeline.as_("persona:nav-veileder")
    return await pipeline.http.get(f"{portal}/barn/{subject}", headers=headers)


async def test_a_withheld_event_waits_at_its_sender_alone_and_goes_stays_and_goes_again_as_the_family_says(
    pipeline: Pipeline,
) -> None:
    for nr in (1, 2, 3):
        assert (await pipeline.send("skole", referral(nr))).status_code == 202
    await pipeline.until("skole", "SELECT count(*) FROM journal WHERE utfall = 'withhold'", 3)
    first = (await waiting(pipeline, antall=2)).json()
    second = (await waiting(pipeline, antall=2, etter=first["neste"])).json()
    assert [row["id"] for row in (*first["venter"], *second["venter"])] == ["r-1", "r-2", "r-3"]
    (row,) = second["venter"]
    assert row["kategori"] == "tilrettelegging" and row["gjor"].startswith("Innhent samtykke")
    assert (row["plikt"]["regel"], row["plikt"]["eier"]) == ("samtykke-mangler", "skole")
    assert "taushetsbelagt" in row["hvorfor"] and CHILD not in str(second)
    for who in ("nav", "system", "drift", "persona:laerer", "persona:revisor"):
        assert (await waiting(pipeline, who)).status_code == 403, who
    assert await pipeline.value("samordning", "SELECT count(*) FROM tidslinje") == 0

    body = {
        "person": CHILD, "kommune": "4601", "hvem": "begge-foreldre", "fra_tjeneste": "skole",
        "til_tjenester": ["nav"], "kategorier": ["tilrettelegging"], "formal": "samordnet hjelp",
        "gyldig_fra": (NOW - timedelta(days=1)).isoformat(), "utloper": None,
    }  # fmt: skip
    given = await consent(pipeline, "", body)
    subject = given["subject"]
    await pipeline.until("samordning", "SELECT count(*) FROM tidslinje WHERE tjeneste = 'skole'", 3)
    assert (await waiting(pipeline)).json()["venter"] == []
    assert REFERRED in (await page(pipeline, subject)).text

    await consent(pipeline, f"/{given['samtykke']}/trekk")
    assert REFERRED not in (await page(pipeline, subject)).text, "from the very next page on"
    assert (await pipeline.send("skole", referral(4))).status_code == 202
    await pipeline.until("skole", "SELECT count(*) FROM journal WHERE utfall = 'withhold'", 1)
    assert [row["id"] for row in (await waiting(pipeline)).json()["venter"]] == ["r-4"]

    await consent(pipeline, f"/{given['samtykke']}/gi-igjen")
    assert REFERRED in (await page(pipeline, subject)).text
    await pipeline.until("samordning", "SELECT count(*) FROM tidslinje WHERE tjeneste = 'skole'", 4)
    assert (await waiting(pipeline)).json()["venter"] == []
