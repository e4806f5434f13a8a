"""Every rule has its page, and the page says what the rule does; every reference to the law is a row of the table."""

import pytest

from consumers.coordination.regler.regel import EIERS_PLIKT, Regel
from consumers.coordination.regler.standard import STANDARD
from contracts.catalogue import Catalogue
from contracts.lov import Lov
from tests import rule_docs


def test_the_pages_are_the_codes_own() -> None:
    written = {path.name: path.read_text("utf-8") for path in rule_docs.FOLDER.glob("*.md")}
    assert written == rule_docs.pages(), "python -m tests.rule_docs"


@pytest.mark.parametrize("rule", STANDARD, ids=lambda rule: rule.navn)
def test_each_law_reference_is_a_row_of_the_table_and_its_page_says_how_far_it_is_checked(
    rule: Regel,
) -> None:
    page = (rule_docs.FOLDER / f"{rule.navn}.md").read_text("utf-8")
    law = Lov()
    for id_ in rule.bestemmelser:
        if id_ != EIERS_PLIKT:
            assert law[id_].henvisning in page
            assert (law[id_].status == "ikke kvalitetssikret") <= ("(ikke kvalitetssikret)" in page)
    for provision in rule_docs.sample(rule).bestemmelser:
        assert provision in law


def test_every_service_has_a_duty_to_cooperate_that_is_in_the_table() -> None:
    law = Lov()
    assert [t.navn for t in Catalogue.standard().tjenester.values() if t.samarbeidsplikt not in law] == []
