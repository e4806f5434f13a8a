"""FINT Utdanning: given resources over several sendings, then these events."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest
from pydantic import JsonValue

from services.format import Companion, EventDraft, Problem, Record
from services.skole.fint_utdanning import FintUtdanning
from services.skole.terskler import Fravar, Terskel, passings
from tests.formats_suite import CHILD, NOW, OTHER, places
from tests.unit.formats.files import FINT, elev, elevforhold, fravar, link, person

THREE = Terskel(regel="tre-dager", dager=3)
SCHOOL = (person(), elev(), elevforhold())
FIRST = int(NOW.timestamp())


class School:
    """A school owner's memory with us, over several sendings."""

    def __init__(self, *rules: Terskel, now: datetime = NOW) -> None:
        self.now = now
        self.fint = FintUtdanning(terskler=rules or (THREE,), clock=lambda: self.now)
        self.state: dict[str, JsonValue | None] = {}
        self.told: list[EventDraft] = []
        self.warnings: list[Problem] = []

    def send(self, *resources: Any) -> list[EventDraft]:
        return self.send_body(orjson.dumps(resources))

    def send_body(self, body: bytes) -> list[EventDraft]:
        out: list[EventDraft] = []
        for item in self.fint.parse(body, Companion()):
            if isinstance(item, Record):
                assert item.problems == ()
                continue
            while missing := self.fint.needs(item, self.state) - self.state.keys():
                self.state.update(dict.fromkeys(missing))
            read, changed = self.fint.step(item, self.state)
            self.state.update(changed)
            out += [draft for record in read for draft in record.drafts]
            self.warnings += [warning for record in read for warning in record.warnings]
        self.told += out
        return out

    def facts(self) -> dict[tuple[str | None, str, str], tuple[bool, str, dict[str, JsonValue]]]:
        """What holds after all of it: the highest version of each fact."""
        last = {(d.person, d.type, d.nokkel): d for d in sorted(self.told, key=lambda d: d.versjon)}
        return {k: (d.tilbaketrukket, d.time.isoformat(), dict(d.data)) for k, d in last.items()}


def absent(nr: int, day: str, until: str | None = None, **more: Any) -> dict[str, Any]:
    return fravar(nr, f"{day}T00:00:00Z", f"{until}T00:00:00Z" if until else None, **more)


def test_an_enrolment_is_told_when_its_pupil_is_known_and_ended_when_it_has_ended() -> None:
    school = School()
    assert school.send(elevforhold(slutt="2026-06-19T22:00:00Z")) == []
    (started,) = school.send(elev())
    assert (started.type, started.person, started.nokkel) == ("elevforhold.startet", CHILD, "elevforhold:H1")
    school.now = datetime(2026, 6, 21, tzinfo=UTC)
    (ended,) = school.send(elevforhold(slutt="2026-06-19T22:00:00Z"))
    assert (ended.type, ended.nokkel) == ("elevforhold.avsluttet", "elevforhold:H1")


def test_an_end_that_is_taken_back_is_retracted() -> None:
    school = School()
    school.send(*SCHOOL[:2], elevforhold(slutt="2026-02-01T00:00:00Z"))
    (back,) = school.send(elevforhold())
    assert (back.type, back.versjon, back.tilbaketrukket) == ("elevforhold.avsluttet", FIRST + 1, True)


def test_a_threshold_is_told_once_with_what_was_counted_on_the_day_it_was_passed() -> None:
    school = School()
    school.send(*SCHOOL, absent(1, "2025-09-01", "2025-09-02"))
    (passed,) = school.send(absent(2, "2025-09-03", "2025-09-05"))
    assert passed.nokkel == "fravaer:tre-dager:2025-2026"
    assert passed.time.isoformat() == "2025-09-03T00:00:00+02:00"
    assert dict(passed.data) == {
        "dager": 3,
        "timer": 0,
        "dokumentert": False,
        "periode": "2025-2026",
        "regel": "tre-dager",
    }
    assert school.send(absent(3, "2025-10-01", "2025-10-10")) == []


def test_the_same_file_again_tells_nothing_new() -> None:
    school = School()
    school.send(*SCHOOL, absent(1, "2025-09-01", "2025-09-05"))
    assert school.send(*SCHOOL, absent(1, "2025-09-01", "2025-09-05")) == []


def test_what_is_sent_when_the_memory_was_lost_is_newer_than_all_that_was_told_before() -> None:
    school = School()
    school.send(*SCHOOL)
    for slutt in ("2026-02-01T00:00:00Z", None, "2026-02-02T00:00:00Z"):
        school.send(elevforhold(slutt=slutt))
    school.state.clear()
    school.now += timedelta(hours=1)
    school.send(*SCHOOL[:2], elevforhold(slutt="2026-02-03T00:00:00Z"))
    ended = school.facts()[CHILD, "elevforhold.avsluttet", "elevforhold:H1"]
    assert ended == (False, "2026-02-03T00:00:00+00:00", {})


def test_an_absence_changed_or_deleted_below_the_threshold_retracts_and_passing_again_is_a_new_version() -> (
    None
):
    school = School()
    school.send(*SCHOOL, absent(1, "2025-09-01", "2025-09-03"))
    (shorter,) = school.send(absent(1, "2025-09-01", "2025-09-02"))
    assert (shorter.versjon, shorter.tilbaketrukket) == (FIRST + 1, True)
    (again,) = school.send(absent(1, "2025-09-01", "2025-09-03"))
    assert (again.versjon, again.tilbaketrukket) == (FIRST + 2, False)
    (deleted,) = school.send({"systemId": {"identifikatorverdi": "F1"}, "slettet": True})
    assert (deleted.versjon, deleted.tilbaketrukket) == (FIRST + 3, True)


def test_an_absence_whose_id_is_no_longer_valid_is_deleted() -> None:
    school = School()
    school.send(*SCHOOL, absent(1, "2025-09-01", "2025-09-03"))
    gone = absent(1, "2025-09-01", "2025-09-03")
    gone["systemId"]["gyldighetsperiode"] = {"start": "2025-09-01T00:00:00Z", "slutt": "2025-12-01T00:00:00Z"}
    assert [d.tilbaketrukket for d in school.send(gone)] == [True]


@pytest.mark.parametrize("kind", ["elevforhold", "elev"])
@pytest.mark.parametrize("linked", [True, False])
def test_an_enrolment_or_a_pupil_deleted_takes_back_what_was_told_with_its_absences(
    kind: str, linked: bool
) -> None:
    school = School()
    school.send(*SCHOOL, absent(1, "2025-09-01", "2025-09-03"))
    whole = elevforhold() if kind == "elevforhold" else elev()
    if not linked:
        whole["_links"].pop("self")
    gone = school.send({**whole, "slettet": True})
    assert {(d.type, d.tilbaketrukket) for d in gone} == {
        ("elevforhold.startet", True),
        ("fravaer.terskel-passert", True),
    }
    assert school.send(absent(2, "2025-10-01", "2025-10-10")) == []
    back = school.send(elevforhold() if kind == "elevforhold" else elev())
    assert {(d.type, d.tilbaketrukket) for d in back} == {
        ("elevforhold.startet", False),
        ("fravaer.terskel-passert", False),
    }


def test_a_deleted_enrolment_needs_nothing_but_its_id() -> None:
    school = School()
    school.send(*SCHOOL)
    bare = {"elevforhold": [{"systemId": {"identifikatorverdi": "H1"}, "slettet": True}]}
    assert [d.tilbaketrukket for d in school.send_body(orjson.dumps(bare))] == [True]


def test_an_enrolment_whose_id_is_no_longer_valid_stands_and_the_sender_is_told() -> None:
    school = School()
    ended = elevforhold()
    ended["systemId"]["gyldighetsperiode"] = {
        "start": "2025-08-17T22:00:00Z",
        "slutt": "2025-12-01T00:00:00Z",
    }
    assert [d.type for d in school.send(*SCHOOL[:2], ended)] == ["elevforhold.startet"]
    assert [(w.pointer, w.code) for w in school.warnings] == [
        ("/2/systemId/gyldighetsperiode/slutt", "id-utlopt")
    ]


def test_an_absence_moved_to_another_pupil_changes_both() -> None:
    school = School()
    school.send(*SCHOOL, person(OTHER), elev("E2", OTHER), elevforhold("H2", "elev/systemid/E2"))
    school.send(absent(1, "2025-09-01", "2025-09-03"))
    moved = school.send(absent(1, "2025-09-01", "2025-09-03", forhold="H2"))
    assert {(d.person, d.tilbaketrukket) for d in moved} == {(CHILD, True), (OTHER, False)}


def test_a_pupil_who_gets_another_number_takes_the_facts_along() -> None:
    school = School()
    school.send(elev(), elevforhold(), absent(1, "2025-09-01", "2025-09-03"))
    moved = school.send(elev(number=OTHER))
    assert {(d.person, d.type, d.tilbaketrukket) for d in moved} == {
        (CHILD, "elevforhold.startet", True),
        (CHILD, "fravaer.terskel-passert", True),
        (OTHER, "elevforhold.startet", False),
        (OTHER, "fravaer.terskel-passert", False),
    }


def test_absence_at_two_schools_counts_together() -> None:
    school = School()
    school.send(*SCHOOL, elevforhold("H2"), absent(1, "2025-09-01", "2025-09-02"))
    assert [d.type for d in school.send(absent(2, "2025-11-03", forhold="H2"))] == ["fravaer.terskel-passert"]


def test_a_link_by_another_identifier_means_the_same_pupil() -> None:
    school = School()
    school.send(elevforhold(elev="elev/elevnummer/nr-E1"), absent(1, "2025-09-01", "2025-09-03"))
    assert len(school.send(elev())) == 2


def test_a_link_with_a_placeholder_for_the_host_is_a_link() -> None:
    school = School()
    pupil = elev()
    pupil["_links"]["self"] = [{"href": "${utdanning.elev.Elev}/systemid/E1"}]
    assert [d.person for d in school.send(elevforhold(), pupil)] == [CHILD]


def test_what_has_not_happened_yet_is_told_when_it_is_sent_again_after_it_has() -> None:
    school = School(now=datetime(2025, 9, 2, 12, tzinfo=UTC))
    assert [d.type for d in school.send(*SCHOOL, absent(1, "2025-09-01", "2025-09-05"))] == [
        "elevforhold.startet"
    ]
    school.now = datetime(2025, 9, 3, 12, tzinfo=UTC)
    assert [d.type for d in school.send(absent(1, "2025-09-01", "2025-09-05"))] == ["fravaer.terskel-passert"]


@pytest.mark.parametrize(
    "shape", ["array", "ndjson", "embedded", "kinds", "fravær", "fravaer", "one of each"]
)
def test_every_shape_of_a_file_is_read(shape: str) -> None:
    resources = [*SCHOOL, absent(1, "2025-09-01", "2025-09-03")]
    kinds = {"person": [SCHOOL[0]], "elev": [SCHOOL[1]], "elevforhold": [SCHOOL[2]]}
    body = {
        "array": orjson.dumps(resources),
        "ndjson": b"\n".join(orjson.dumps(r) for r in resources),
        "embedded": orjson.dumps({"_embedded": {"_entries": resources}, "total_items": 4}),
        "kinds": orjson.dumps({**kinds, "fravar": [resources[3]]}),
        "fravaer": orjson.dumps({**kinds, "fravaer": [resources[3]]}),
        "one of each": orjson.dumps(
            {**{kind: one for kind, (one,) in kinds.items()}, "fravar": resources[3]}
        ),
        "fravær": orjson.dumps({**kinds, "fravær": [resources[3]]}),
    }[shape]
    assert [d.type for d in School().send_body(body)] == ["elevforhold.startet", "fravaer.terskel-passert"]


def test_without_its_own_link_a_resource_is_known_by_its_shape() -> None:
    named = [*SCHOOL, absent(1, "2025-09-01", "2025-09-03")]
    bare = [{**r, "_links": {k: v for k, v in r["_links"].items() if k != "self"}} for r in named]
    assert [d.type for d in School().send(*bare)] == ["elevforhold.startet", "fravaer.terskel-passert"]


def test_a_school_or_a_group_that_links_to_pupils_is_none_of_them() -> None:
    others = [
        {"navn": "Skolen", "_links": link(self="skole/skolenummer/1", elevforhold="elevforhold/systemid/H1")},
        {"hovedskole": True, "_links": link(self="undervisningsforhold/systemid/1")},
        {
            "foresPaVitnemal": True,
            "_links": link(self="fravarsregistrering/systemid/1", elev="elev/systemid/1"),
        },
        {"navn": "10A", "beskrivelse": "Basisgruppe"},
    ]
    for other in others:
        (record,) = FintUtdanning().parse(orjson.dumps(other), Companion())
        assert isinstance(record, Record)
        assert (record.problems, [w.code for w in record.warnings]) == ((), ["ukjent-ressurs"])


@pytest.mark.parametrize(
    ("resource", "place"),
    [
        ({"fodselsdato": "2012-05-15"}, ("/fodselsnummer", "mangler")),
        ({"fodselsnummer": CHILD}, ("/fodselsnummer", "ikke-objekt")),
        ({**elev(), "_links": {}}, ("/_links/person", "mangler")),
        ({k: v for k, v in elev().items() if k != "_links"}, ("/_links", "mangler")),
        ({**elev(), "systemId": None}, ("/systemId", "ikke-objekt")),
        ({**elev(), "elevnummer": {}}, ("/elevnummer/identifikatorverdi", "mangler")),
        (elevforhold("H" * 151), ("/systemId/identifikatorverdi", "for-lang")),
        ({**elev(), "_links": {"person": {"href": "x/y"}}}, ("/_links/person", "ikke-liste")),
        ({**elev(), "_links": {"person": [{}]}}, ("/_links/person/0/href", "mangler")),
        ({k: v for k, v in elevforhold().items() if k != "systemId"}, ("/systemId", "mangler")),
        ({**elevforhold(), "_links": link(self="elevforhold/systemid/H1")}, ("/_links/elev", "mangler")),
        (elevforhold(slutt="2024-08-17T22:00:00Z"), ("/gyldighetsperiode/slutt", "slutt-for-start")),
        ({**elevforhold(), "gyldighetsperiode": {}}, ("/gyldighetsperiode/start", "mangler")),
        (fravar(1, "01.09.2025"), ("/gjelderPeriode/start", "ugyldig-tid")),
        (fravar(1, "2025-02-30"), ("/gjelderPeriode/start", "ugyldig-tid")),
        ({**fravar(1, "2025-09-01"), "gjelderPeriode": []}, ("/gjelderPeriode", "ikke-objekt")),
        ({**fravar(1, "2025-09-01"), "dokumentert": "true"}, ("/dokumentert", "ikke-sant-usant")),
        ({**fravar(1, "2025-09-01"), "dokumentert": None}, ("/dokumentert", "ikke-sant-usant")),
    ],
)
def test_what_fint_requires_is_missed_at_its_place(resource: dict[str, Any], place: tuple[str, str]) -> None:
    assert places(FintUtdanning(clock=lambda: NOW), orjson.dumps(resource)) == {place}


def test_all_that_is_wrong_with_a_resource_is_told_and_the_others_are_taken() -> None:
    broken = [
        {"systemId": {}, "_links": {"self": [{"href": "x/elev/systemid/1"}]}},
        {"dokumentert": "ja", "gjelderPeriode": {"slutt": "i går"}},
        absent(1, "2025-09-03", "2025-09-01"),
        absent(2, "2025-09-03", "2028-09-01"),
        {"fodselsnummer": {"identifikatorverdi": ""}},
        4,
    ]
    assert places(FintUtdanning(clock=lambda: NOW), orjson.dumps(broken)) == {
        ("/0/systemId/identifikatorverdi", "mangler"),
        ("/0/_links/person", "mangler"),
        ("/1/systemId", "mangler"),
        ("/1/dokumentert", "ikke-sant-usant"),
        ("/1/gjelderPeriode/start", "mangler"),
        ("/1/gjelderPeriode/slutt", "ugyldig-tid"),
        ("/1/_links", "mangler"),
        ("/2/gjelderPeriode/slutt", "slutt-for-start"),
        ("/3/gjelderPeriode/slutt", "for-lang-periode"),
        ("/4/fodselsnummer/identifikatorverdi", "for-kort"),
        ("/5", "ikke-objekt"),
    }


def test_the_state_holds_no_name_and_no_comment() -> None:
    school = School()
    school.send_body(orjson.dumps(FINT))
    assert "Hemmelig" not in str(school.state)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def first(
    *absences: Fravar, rule: Terskel = THREE, today: date = date(2026, 7, 31)
) -> list[tuple[str, JsonValue]]:
    return [(p.dato.isoformat(), p.data["dager"]) for p in passings(absences, (rule,), today)]


def days(start: str, slutt: str, dokumentert: bool = False) -> Fravar:
    return Fravar(at(start), at(slutt), dokumentert)


def test_weekends_and_public_holidays_are_no_absence() -> None:
    assert first(days("2025-09-05", "2025-09-08")) == []  # Friday to Monday
    assert first(days("2026-04-30", "2026-05-04")) == []  # 1 May and a weekend between
    assert first(days("2025-09-05", "2025-09-09")) == [("2025-09-09", 3)]


def test_a_day_counts_once_however_often_it_is_registered() -> None:
    assert first(days("2025-09-01", "2025-09-02"), days("2025-09-02", "2025-09-02")) == []


def test_the_school_year_turns_on_the_first_of_august() -> None:
    spring, autumn = days("2025-06-02", "2025-06-03"), days("2025-08-18", "2025-08-19")
    assert first(spring, autumn) == []
    more = days("2025-08-20", "2025-08-20")
    assert first(spring, autumn, more) == [("2025-08-20", 3)]


def test_hours_count_as_hours_until_they_are_a_school_day() -> None:
    rule = Terskel(regel="timer", timer=4)
    lessons = [days(f"2025-09-0{n}T08:30", f"2025-09-0{n}T10:00") for n in (1, 2)]
    (passed,) = passings(lessons, (rule,), date(2026, 1, 1))
    assert (passed.data["timer"], passed.data["dager"]) == (4, 0)
    assert first(*(days(f"2025-09-0{n}T08:00", f"2025-09-0{n}T14:00") for n in (1, 2, 3))) == [
        ("2025-09-03", 3)
    ]


def test_a_rule_for_undocumented_absence_leaves_out_what_is_documented() -> None:
    rule = Terskel(regel="udok", dager=3, udokumentert_bare=True)
    sick, skipped = days("2025-09-01", "2025-09-05", True), days("2025-09-08", "2025-09-10")
    assert first(sick, rule=rule) == []
    (passed,) = passings([sick, skipped], (rule,), date(2026, 1, 1))
    assert (passed.dato, passed.data["dokumentert"]) == (date(2025, 9, 10), False)


def test_a_rule_for_thirty_days_lets_go_of_what_is_older() -> None:
    rule = Terskel(regel="vindu", dager=3, periode="30-dager")
    assert first(days("2025-09-01", "2025-09-02"), days("2025-10-06", "2025-10-06"), rule=rule) == []
    assert first(days("2025-09-01", "2025-09-02"), days("2025-09-30", "2025-09-30"), rule=rule) == [
        ("2025-09-30", 3)
    ]


def test_a_rule_must_say_what_it_counts() -> None:
    with pytest.raises(ValueError, match="dager or timer"):
        Terskel(regel="tom")
