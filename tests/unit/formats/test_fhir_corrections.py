"""HL7 FHIR over several sendings: a status that is corrected takes back what the one before told, and nothing else."""

from itertools import permutations
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from services.format import Companion, EventDraft, Record
from services.helsestasjon.fhir import Fhir
from tests.formats_suite import CHILD, OTHER
from tests.unit.formats.test_fhir import appointment, bundle, procedure
from tests.unit.formats.test_fhir_rules import encounter, request
from tests.unit.formats.test_forgetting import forgotten

HELD, MISSED = "konsultasjon.gjennomfort", "konsultasjon.ikke-mott"
SKOLESTART = "skolestartundersokelse.gjennomfort"
START = {"serviceType": {"text": "Skolestartundersøkelse"}}


def v(nr: int, resource: dict[str, Any]) -> dict[str, Any]:
    return {**resource, "meta": {"versionId": str(nr)}}


class Station:
    """A health station's memory with us, over several sendings."""

    def __init__(self) -> None:
        self.fhir = Fhir()
        self.state: dict[str, JsonValue | None] = {}
        self.told: list[EventDraft] = []
        self.notices: list[str] = []

    def send(self, document: Any, person: str = CHILD) -> list[tuple[str, bool]]:
        """(type, retracted) of each event it gives."""
        out: list[EventDraft] = []
        for item in self.fhir.parse(orjson.dumps(document), Companion(person)):
            records: tuple[Record, ...] = (item,) if isinstance(item, Record) else ()
            if not isinstance(item, Record):
                self.state = dict.fromkeys(self.fhir.needs(item, self.state)) | self.state
                records, changed = self.fhir.step(item, self.state)
                self.state |= changed
            assert not any(record.problems for record in records)
            out += [draft for record in records for draft in record.drafts]
            self.notices += [w.code for record in records for w in record.warnings]
        self.told += out
        return [(draft.type, draft.tilbaketrukket) for draft in out]

    def stands(self) -> set[tuple[str | None, str, str]]:
        """(person, type, key) of what holds, as the fact sets reckon it."""
        last = {
            (d.person, d.type, d.nokkel): d.tilbaketrukket
            for d in sorted(self.told, key=lambda d: (d.versjon, d.tilbaketrukket))
        }
        return {key for key, trukket in last.items() if not trukket}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (appointment(), appointment("noshow"), [(MISSED, False), (HELD, True)]),
        (appointment("noshow"), appointment(), [(HELD, False), (MISSED, True)]),
        (appointment("noshow"), appointment("arrived"), [(MISSED, True)]),
        (appointment(), appointment("cancelled"), [(HELD, True)]),
        (appointment(), appointment("entered-in-error"), [(HELD, True)]),
        (encounter(**START), encounter(status="entered-in-error"), [(SKOLESTART, True)]),
        (encounter(**START), encounter(), [(HELD, False), (SKOLESTART, True)]),
        (
            encounter(**START),
            encounter(status="cancelled", period={"end": "2026-01-05"}),
            [(SKOLESTART, True)],
        ),
        (procedure(), procedure(code={"text": "MMR-vaksine"}), [(SKOLESTART, True)]),
        (procedure(), procedure("not-done"), [(SKOLESTART, True)]),
        (appointment(), appointment(), [(HELD, False)]),
    ],
)
def test_another_status_takes_back_what_was_told_and_no_more(
    before: dict[str, Any], after: dict[str, Any], told: list[tuple[str, bool]]
) -> None:
    station = Station()
    station.send(v(3, before))
    assert station.send(v(4, after)) == told
    assert station.notices == []
    assert {kind for _, kind, _ in station.stands()} == {kind for kind, trukket in told if not trukket}


def test_what_was_never_told_is_not_taken_back() -> None:
    station = Station()
    for nr, status in enumerate(("booked", "arrived", "fulfilled"), 1):
        station.send(v(nr, appointment(status)))
    assert [(d.type, d.tilbaketrukket) for d in station.told] == [(HELD, False)]
    assert station.send(v(2, encounter(status="unknown"))) == []


@pytest.mark.parametrize(
    "later", [request(status="on-hold"), request(status="unknown"), request(intent="plan")]
)
def test_a_referral_stands_until_it_is_revoked(later: dict[str, Any]) -> None:
    station = Station()
    station.send(v(1, request()))
    assert station.send(v(2, later)) == []
    assert station.send(v(3, request(status="revoked"))) == [("henvisning.sendt", True)]


def test_a_status_that_is_not_known_takes_nothing_back() -> None:
    station = Station()
    station.send(v(1, encounter()))
    assert station.send(v(2, encounter(status="unknown"))) == []
    assert station.notices == ["status-uten-hendelse"]


def test_the_same_version_again_gives_the_same_events() -> None:
    station = Station()
    station.send(v(1, appointment()))
    station.send(v(2, appointment("noshow")))
    seen = station.told[-2:]
    station.send(v(2, appointment("noshow")))
    assert sorted(map(repr, station.told[-2:])) == sorted(map(repr, seen))


def test_another_status_without_a_version_takes_back_too() -> None:
    station = Station()
    station.send(appointment())
    station.send(appointment("noshow"))
    assert {kind for _, kind, _ in station.stands()} == {MISSED}


def test_an_encounter_whose_appointment_tells_the_same_is_taken_back() -> None:
    station = Station()
    documented = encounter(appointment=[{"reference": "Appointment/a1"}])
    station.send(documented)
    station.send(bundle(appointment(), documented))
    assert station.stands() == {(CHILD, HELD, "Appointment/a1")}


def test_what_is_sent_of_one_child_takes_back_nothing_of_another() -> None:
    station = Station()
    station.send(v(1, appointment()), OTHER)
    station.send(v(1, appointment()))
    station.send(v(2, appointment("noshow")))
    assert station.stands() == {(OTHER, HELD, "Appointment/a1"), (CHILD, MISSED, "Appointment/a1")}


WORDS = {
    1: appointment("noshow"),
    2: appointment(),
    3: appointment(serviceType=[{"text": "8. trinn"}]),
    4: appointment("noshow"),
}


@pytest.mark.parametrize("order", [*permutations(WORDS)])
def test_versions_in_any_order_leave_the_newest_standing(order: tuple[int, ...]) -> None:
    station = Station()
    for nr in order:
        station.send(v(nr, WORDS[nr]))
    assert {kind for _, kind, _ in station.stands()} == {MISSED}
    station.send(v(5, appointment("entered-in-error")))
    assert station.stands() == set()


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1))
def test_versions_repeated_at_random_leave_the_newest_standing(sent: list[tuple[int, bool]]) -> None:
    station = Station()
    for nr, twice in sent:
        for _ in range(1 + twice):
            station.send(v(nr, WORDS[nr]))
    newest = {1: MISSED, 2: HELD, 3: "atte-trinnssamtale.gjennomfort", 4: MISSED}[max(nr for nr, _ in sent)]
    assert {kind for _, kind, _ in station.stands()} == {newest}


def test_an_older_version_than_what_was_told_says_nothing_but_a_notice() -> None:
    station = Station()
    station.send(v(2, appointment("noshow")))
    assert station.send(v(1, appointment())) == []
    assert station.notices == ["alt-fortalt"]


def test_a_station_forgets_a_child_and_keeps_the_others() -> None:
    station = Station()
    for person in (CHILD, OTHER):
        station.send(v(1, appointment()), person)
    left = forgotten(station.fhir, station.state, CHILD)
    assert [key.split(":")[1] for key in left] == [OTHER]
