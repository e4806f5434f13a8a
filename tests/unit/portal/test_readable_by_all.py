"""The basics of WCAG in the pages' structure; the browser test looks at contrast, focus and reflow."""

from html.parser import HTMLParser

import pytest

from tests.unit.portal.conftest import Browser
from tests.unit.portal.verden import KOORDINATOR, Varsler, Verden

VOID = {"meta", "link", "input", "br", "hr", "img"}


class Outline(HTMLParser):
    """Headings, landmarks, ids and references of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.refs: list[str] = []
        self.lang: str | None = None
        self.labels: set[str] = set()
        self.inputs: list[str | None] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.links: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {k: v or "" for k, v in attrs}
        self.tags.append(tag)
        if tag == "html":
            self.lang = given.get("lang")
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.headings.append(int(tag[1]))
        if "id" in given:
            self.ids.append(given["id"])
        for name in ("aria-labelledby", "aria-describedby"):
            self.refs += given.get(name, "").split()
        if tag == "label":
            self.labels.add(given.get("for", ""))
        if tag == "input" and given.get("type") != "hidden":
            self.inputs.append(given.get("id"))
        if tag in ("a", "button"):
            self.links.append([given.get("aria-label", "")])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self.links and any(tag in ("a", "button") for tag in self.open):
            self.links[-1].append(data)


@pytest.fixture
def pages(verden: Verden, varsler: Varsler) -> list[str]:
    kari = verden.child("Kari Testdatter")
    row = verden.event(kari, "skole", "fravaer.terskel-passert", {"dager": 12})
    verden.event(kari, "barnevern", "tiltak.iverksatt")
    verden.task(kari, "skole", [row])
    verden.task(kari, "skole", [row], frist="2026-11-01")
    verden.task(kari, "skole", [row], status="oppfylt")
    verden.consent(kari, "skole", ["koordinator"], ["fravar"])
    varsler.add(verden.tasks[0])
    way = f"/hendelser{row['source']}/{row['id']}"
    return ["/", f"/barn/{kari}", way, "/barn/sok", "/innlogging", "/finnes-ikke"]


async def test_each_page_has_language_landmarks_a_skip_link_and_ordered_headings(
    pages: list[str], browser: Browser
) -> None:
    client = browser(KOORDINATOR)
    for path in pages:
        text = (await client.get(path)).text
        outline = Outline()
        outline.feed(text)
        assert outline.lang == "nb", path
        assert outline.headings[0] == 1, path
        assert outline.headings.count(1) == 1, path
        steps = zip(outline.headings, outline.headings[1:], strict=False)
        assert all(after - before <= 1 for before, after in steps), (path, outline.headings)
        for landmark in ("header", "main", "footer"):
            assert outline.tags.count(landmark) == 1, (path, landmark)
        assert text.index('href="#innhold"') < text.index("<header"), path
        assert len(outline.ids) == len(set(outline.ids)), path
        assert set(outline.refs) <= set(outline.ids), path
        assert all(i in outline.labels for i in outline.inputs), path
        assert not outline.unbalanced, (path, outline.unbalanced)
        assert not outline.open, path
        assert all("".join(words).strip() for words in outline.links), path


async def test_a_list_of_tasks_says_in_words_what_it_says_in_colour(
    pages: list[str], browser: Browser
) -> None:
    text = (await browser(KOORDINATOR).get("/")).text
    assert "Forfalt" in text
    assert "dager over fristen" in text


async def test_alerts_are_announced_politely(pages: list[str], browser: Browser) -> None:
    text = (await browser(KOORDINATOR).get("/")).text
    assert 'aria-live="polite"' in text
    assert 'sse-connect="/varsler/strom?etter=1"' in text
