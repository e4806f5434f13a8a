"""What a child or a guardian sees of what is held: in words, by rule, and to take away."""

import re
from html.parser import HTMLParser
from itertools import product
from typing import Any

import httpx
import pytest

from contracts.oppgave import OPPGAVE
from tests.unit.portal.conftest import Browser
from tests.unit.portal.test_readable_by_all import Outline
from tests.unit.portal.verden import FORESATT, LAERER, NOW, REVISOR, Verden, principal

READ = {
    "tid": NOW.isoformat(),
    "rolle": "fagperson",
    "tjeneste": "skole",
    "formal": "oppfølging av barnet",
    "utfall": "deny",
    "kategorier": ["helseoppfolging"],
}


@pytest.fixture
def kari(verden: Verden) -> str:
    kari = verden.child("Kari Testdatter")
    verden.families[FORESATT.sub] = [kari]
    verden.readings = [READ]
    row = verden.event(kari, "skole", "fravaer.terskel-passert", {"dager": 12})
    verden.event(kari, "nav", "soknad.status-endret", {"status": "MOTTATT", "gjelder": "foresatt"})
    verden.task(kari, "skole", [row])
    verden.consent(kari, "skole", ["foresatt"], ["fravar"])
    return kari


async def test_a_guardian_comes_from_the_start_to_the_childs_innsyn(kari: str, browser: Browser) -> None:
    client = browser(FORESATT)
    assert (await client.get("/")).headers["location"] == "/innsyn"
    assert (await client.get("/innsyn")).headers["location"] == f"/innsyn/{kari}"
    assert (await client.get(f"/barn/{kari}")).headers["location"] == f"/innsyn/{kari}"


async def test_one_with_several_children_chooses_and_one_with_none_is_told_what_to_do(
    kari: str, verden: Verden, browser: Browser
) -> None:
    verden.families[FORESATT.sub].append(verden.child("Ola Testsønn"))
    text = (await browser(FORESATT).get("/innsyn")).text
    assert text.index("Kari Testdatter") < text.index("Ola Testsønn")
    other = principal("foresatt", sub="en-annen")
    assert "kommunen" in (await browser(other).get("/innsyn")).text


async def test_the_page_says_in_words_what_is_held_which_consents_and_who_has_read_or_been_denied(
    kari: str, browser: Browser
) -> None:
    text = (await browser(FORESATT).get(f"/innsyn/{kari}")).text
    for said in ("Kari Testdatter", "Fravær over terskelen", "12", "Fagperson, Skole", "Fikk ikke se"):
        assert said in text
    for said in ("Helseoppfølging", "oppfølging av barnet", "begge foreldre"):
        assert said in text
    assert "/hendelser/" not in text, "an event's way is for those who answer for it"


async def test_what_is_another_persons_or_tells_who_reported_is_on_no_page_and_in_no_file(
    kari: str, verden: Verden, browser: Browser
) -> None:
    verden.event(kari, "barnevern", "henvendelse.mottatt", {"slag": 2, "melderkode": "11"})
    verden.event(kari, "barnevern", "henvendelse.konkludert", {"kode": "1"})
    for path in ("", "/innsyn.html", "/innsyn.json"):
        text = (await browser(FORESATT).get(f"/innsyn/{kari}{path}")).text
        assert "Mottatt" not in re.sub("Henvendelse mottatt", "", text), "a parent's own case"
        assert "Melder" not in text
        assert "melderkode" not in text
    assert [body["ingen_undersokelse"] for body in verden.insights] == [True] * 3


async def test_a_task_that_rests_on_a_parents_own_case_and_who_has_read_of_it_are_another_persons_too(
    kari: str, verden: Verden, browser: Browser
) -> None:
    absence, case = verden.rows
    own = verden.tasks[0]
    verden.task(kari, "koordinerende-enhet", [case, absence])
    by_nav = {
        **READ,
        "tjeneste": "nav",
        "utfall": "full",
        "kategorier": ["nav-sosial"],
        "hendelse": case["id"],
    }
    verden.readings = [READ, by_nav]
    own["forklaring"] = None
    for who, path in product((FORESATT, principal("barn")), ("", "/innsyn.html", "/innsyn.json")):
        text = (await browser(who).get(f"/innsyn/{kari}{path}")).text
        assert "NAV" not in text, path
        assert "To tjenester følger opp barnet" not in text, path
    assert verden.insights[-1]["sett"] == [
        {"id": absence["id"], "type": absence["type"]},
        {"id": own["id"], "type": OPPGAVE},
    ]


async def test_while_barnevernet_investigates_the_gate_is_told_that_it_may_and_shows_nothing_of_it(
    kari: str, verden: Verden, browser: Browser
) -> None:
    verden.event(kari, "barnevern", "undersokelse.startet")
    verden.investigated.add(kari)
    text = (await browser(FORESATT).get(f"/innsyn/{kari}")).text
    assert "Undersøkelse" not in text
    assert "Barnevern" not in text
    assert not verden.insights[-1]["ingen_undersokelse"]


@pytest.mark.parametrize("who", [LAERER, REVISOR])
async def test_innsyn_is_the_familys_alone(kari: str, browser: Browser, who: Any) -> None:
    client = browser(who)
    for path in ("/innsyn", f"/innsyn/{kari}", f"/innsyn/{kari}/innsyn.json", f"/innsyn/{kari}/innsyn.html"):
        assert (await client.get(path)).status_code == 404


async def test_a_child_that_is_not_hers_looks_like_one_that_does_not_exist(
    kari: str, verden: Verden, browser: Browser
) -> None:
    verden.gate = lambda viewer, item: "deny"
    client = browser(FORESATT)
    hers = await client.get(f"/innsyn/{kari}")
    nobodys = await client.get("/innsyn/00000000-0000-4000-8000-000000000000")
    assert (hers.status_code, hers.text) == (404, nobodys.text.replace(nobodys.url.path, hers.url.path))


async def test_a_family_is_not_shown_the_way_of_an_event(kari: str, verden: Verden, browser: Browser) -> None:
    row = verden.rows[0]
    for way in (f"{row['source']}/{row['id']}", f"/{row['id']}"):
        assert (await browser(FORESATT).get(f"/hendelser{way}")).status_code == 404


async def test_the_data_file_has_what_the_page_has(kari: str, browser: Browser) -> None:
    answer = await browser(FORESATT).get(f"/innsyn/{kari}/innsyn.json")
    assert answer.headers["content-disposition"] == 'attachment; filename="innsyn.json"'
    body = answer.json()
    (event,) = body["hendelser"]
    assert (event["tjeneste"], event["opplysninger"]["Dager"]) == ("Skole", "12")
    (read,) = body["lesinger"]
    assert (read["hvem"], read["utfall"], read["hva"]) == (
        "Fagperson, Skole",
        "Fikk ikke se",
        ["Helseoppfølging"],
    )
    assert len(body["oppgaver"]) == len(body["samtykker"]) == 1


class Loads(HTMLParser):
    """What a file would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "action")]
        self.found += [tag] if tag in ("script", "link", "img", "iframe") else []


async def test_the_file_to_keep_needs_nothing_from_anywhere_and_reads_by_itself(
    kari: str, browser: Browser
) -> None:
    answer = await browser(FORESATT).get(f"/innsyn/{kari}/innsyn.html")
    assert answer.headers["content-disposition"] == 'attachment; filename="innsyn.html"'
    loads, outline = Loads(), Outline()
    loads.feed(answer.text)
    outline.feed(answer.text)
    assert loads.found == []
    assert answer.text.lstrip().startswith("<!doctype html>")
    assert (outline.lang, outline.headings.count(1), outline.unbalanced) == ("nb", 1, [])


async def test_the_page_is_built_as_the_others_are(kari: str, browser: Browser) -> None:
    for path in ("/innsyn", f"/innsyn/{kari}"):
        answer = await _followed(browser(FORESATT), path)
        outline = Outline()
        outline.feed(answer.text)
        assert outline.lang == "nb"
        assert outline.headings.count(1) == 1
        steps = zip(outline.headings, outline.headings[1:], strict=False)
        assert all(after - before <= 1 for before, after in steps), outline.headings
        assert len(outline.ids) == len(set(outline.ids))
        assert set(outline.refs) <= set(outline.ids)
        assert not outline.unbalanced


async def _followed(client: httpx.AsyncClient, path: str) -> httpx.Response:
    return await client.get(path, follow_redirects=True)
