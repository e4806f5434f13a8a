"""docs/formater is what the code says today."""

import inspect
import re

from backbone.meldinger import messages
from contracts.personnummer import identity_numbers, is_synthetic
from services.runner import check
from tests.format_docs import FOLDER, pages
from tests.formats_suite import SECRET
from tests.unit.formats.hostile import FORMATS


def test_the_pages_are_those_that_the_code_gives() -> None:
    for name, page in pages().items():
        assert (FOLDER / name).read_text("utf-8") == page, "run: python -m tests.format_docs"


def test_every_format_has_a_page_with_fields_events_a_sample_and_errors() -> None:
    for navn, (tjeneste, _) in FORMATS.items():
        page = pages()[f"{navn}.md"]
        assert f"`no.samspor.{tjeneste}." in page
        assert "| Felt | Verdi | Må være der |" in page
        assert "| `mangler` | Feltet mangler. |" in page
        assert "```xml" in page or "```json" in page


def test_what_the_door_itself_refuses_is_on_the_page_of_our_own_format() -> None:
    refused = set(re.findall(r'"([a-z]+(?:-[a-z]+)*)"', inspect.getsource(check)))
    codes = {code for code in refused if code in messages("services") or code in messages("services.runner")}
    page = pages()["hendelser.md"]
    assert {"styretegn", "hendelse-for-stor", "melding-for-stor", "for-gammel"} <= codes
    assert [code for code in codes if f"| `{code}` |" not in page] == []


def test_the_samples_are_about_nobody() -> None:
    for page in FOLDER.glob("*.md"):
        text = page.read_text("utf-8")
        assert SECRET not in text
        assert all(is_synthetic(match.group()) for match in identity_numbers(text))
