"""Consent missing where cooperation looks necessary: only what was sent because of a concern or a need asks for it."""

from datetime import date, datetime

import pytest

from backbone.clock import OSLO
from contracts.catalogue import Catalogue
from contracts.lov import Lov
from services.runner.samtykkeplikt import BESTEMMELSE, WAITS_FOR_CONSENT, plikt

CATALOGUE = Catalogue.standard()


def frist(tjeneste: str, navn: str, mottatt: str, kode: str | None = WAITS_FOR_CONSENT) -> date | None:
    at = datetime.fromisoformat(mottatt).replace(tzinfo=OSLO)
    found = plikt(CATALOGUE.for_service(tjeneste, navn), tjeneste, kode, at, 10)
    return found["frist"] if found else None


@pytest.mark.parametrize(
    ("mottatt", "last"),
    [
        ("2026-03-02T10:00", date(2026, 3, 16)),
        ("2026-03-27T23:59", date(2026, 4, 15)),  # over Easter
        ("2026-12-22T00:00", date(2027, 1, 7)),  # over Christmas and New Year
    ],
)
def test_what_was_sent_for_a_need_and_waits_is_to_be_asked_for(mottatt: str, last: date) -> None:
    assert frist("skole", "ppt.henvist", mottatt) == last


def test_what_is_there_for_all_children_asks_for_nothing() -> None:
    assert frist("helsestasjon", "konsultasjon.gjennomfort", "2026-03-02") is None
    assert frist("skole", "medvirkning.gjennomfort", "2026-03-02") is None


def test_a_row_that_waits_for_another_reason_is_not_asked_for() -> None:
    assert frist("skole", "ppt.henvist", "2026-03-02", "sperret") is None
    assert frist("skole", "ppt.henvist", "2026-03-02", None) is None


def test_it_rests_on_a_row_of_the_law_table() -> None:
    assert BESTEMMELSE in Lov()
