"""KS Fiks bekymringsmelding: given a message, then these events."""

from datetime import date
from typing import Any

import orjson
import pytest

from contracts.personnummer import tenor
from services.barnevern.fiks_bekymringsmelding import FiksBekymringsmelding
from services.barnevern.melder import offentlig_melderkode, privat_melderkode
from services.dry_run import records
from services.format import Companion, EventDraft, Record
from tests.formats_suite import CHILD, OTHER, places
from tests.unit.formats.files import OFFENTLIG, PRIVAT

FIKS = FiksBekymringsmelding()


def read(document: Any) -> list[Record]:
    return list(records(FIKS, orjson.dumps(document), Companion()))


def drafts(document: Any) -> list[EventDraft]:
    return [draft for record in read(document) for draft in record.drafts]


def with_barn(**fields: Any) -> dict[str, Any]:
    return {**OFFENTLIG, "offentligBarn": [{**OFFENTLIG["offentligBarn"][0], **fields}]}


def test_each_child_of_a_public_message_is_an_event_of_its_own() -> None:
    born, unborn = drafts(OFFENTLIG)
    assert (born.person, born.sak) == (CHILD, None)
    assert (unborn.person, unborn.data["ufodt"]) == (None, True)
    assert unborn.sak
    assert dict(born.data) == {
        "slag": 2,
        "melderkode": "11",
        "barn_orientert": True,
        "foresatte_orientert": False,
        "ufodt": False,
    }


def test_the_key_is_the_norwegian_date_and_a_later_message_of_the_day_is_a_higher_version() -> None:
    evening, later = (
        drafts(OFFENTLIG)[0],
        drafts({**OFFENTLIG, "sendingstidspunkt": "2026-01-16T23:29:34"})[0],
    )
    assert evening.nokkel == later.nokkel == "fiks:2026-01-16"
    assert later.versjon == evening.versjon + 1
    assert drafts({**OFFENTLIG, "sendingstidspunkt": "2026-01-16T23:30:00Z"})[0].nokkel == "fiks:2026-01-17"


@pytest.mark.parametrize(
    "text", ["2026-01-16T23:29:33", "2026-01-16T23:29:33.000+01:00", "2026-01-16t22:29:33z"]
)
def test_a_time_without_offset_is_norwegian(text: str) -> None:
    at = drafts({**OFFENTLIG, "sendingstidspunkt": text})[0].time
    assert at.isoformat() in ("2026-01-16T23:29:33+01:00", "2026-01-16T22:29:33+00:00")


@pytest.mark.parametrize(
    "text", ["i går", "2026-13-01T00:00:00", "", "2026-01-16T25:00:00", "0001-01-01T00:00:00Z"]
)
def test_a_time_that_is_none_refuses_the_message(text: str) -> None:
    assert places(FIKS, orjson.dumps({**OFFENTLIG, "sendingstidspunkt": text})) == {
        ("/sendingstidspunkt", "ugyldig-tid")
    }


def test_one_broken_child_refuses_the_whole_message_with_all_that_is_wrong() -> None:
    message = {**OFFENTLIG, "foresatte": [], "bydelsnummer": "2"}
    message["offentligBarn"] = [OFFENTLIG["offentligBarn"][0], {"fnr": 1}]
    assert drafts(message) == []
    assert places(FIKS, orjson.dumps(message)) == {
        ("/foresatte", "for-fa"),
        ("/bydelsnummer", "feil-monster"),
        ("/offentligBarn/1/fnr", "ikke-tekst"),
        ("/offentligBarn/1/ufoedt", "mangler"),
        ("/offentligBarn/1/personnavn", "mangler"),
        ("/offentligBarn/1/adresse", "mangler"),
        ("/offentligBarn/1/orientert", "mangler"),
    }


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("kommunenummer", "12345"),
        ("kommunenummer", "1201\n"),
        ("kommunenummer", "١٢٠١"),
        ("bydelsnavn", "to\nlinjer"),
    ],
)
def test_patterns_mean_what_they_mean_in_ecma_262(place: str, value: str) -> None:
    assert places(FIKS, orjson.dumps({**OFFENTLIG, place: value})) == {(f"/{place}", "feil-monster")}


@pytest.mark.parametrize(
    ("fnr", "ufoedt", "warned"),
    [
        ("", False, ["fnr-mangler"]),
        ("", True, []),
        ("12345678901", False, ["nummer-kontroll"]),
        ("ukjent", False, ["nummer-form"]),
        ("15052699999", True, []),
    ],
)
def test_a_concern_without_a_number_that_holds_is_taken_on_a_case_of_its_own(
    fnr: str, ufoedt: bool, warned: list[str]
) -> None:
    (record,) = read(with_barn(fnr=fnr, ufoedt=ufoedt))
    assert (record.drafts[0].person, bool(record.drafts[0].sak)) == (None, True)
    assert [w.code for w in record.warnings] == warned


def test_a_number_written_with_a_space_is_the_same_child() -> None:
    assert drafts(with_barn(fnr=f"{CHILD[:6]} {CHILD[6:]}"))[0].person == CHILD


def test_the_same_child_twice_is_one_event() -> None:
    barn = OFFENTLIG["offentligBarn"][0]
    first, again, other = read({**OFFENTLIG, "offentligBarn": [barn, barn, {**barn, "fnr": OTHER}]})
    assert (len(first.drafts), len(again.drafts), len(other.drafts)) == (1, 0, 1)
    assert [w.code for w in again.warnings] == ["barn-gjentatt"]


def test_children_of_a_private_message_have_a_case_each_that_no_other_message_shares() -> None:
    one, two = drafts(PRIVAT)
    assert one.person is None
    assert one.sak != two.sak
    again = [d.sak for d in drafts(dict(reversed(PRIVAT.items())))]
    assert again == [one.sak, two.sak]  # resent with its fields in another order
    changed = {d.sak for d in drafts({**PRIVAT, "melding": "Noe annet"})}
    assert not changed & {one.sak, two.sak}
    assert [one.data["melderkode"], two.data["melderkode"]] == ["4", None]


def test_a_private_message_that_names_no_child_is_allowed_and_is_not_lost() -> None:
    (record,) = read({**PRIVAT, "privatBarn": []})
    assert len(record.drafts) == 1
    assert [w.code for w in record.warnings] == ["uten-barn"]


def test_a_members_null_is_not_the_same_as_leaving_it_out() -> None:
    assert places(FIKS, orjson.dumps({**PRIVAT, "privatMelder": {"personnavn": "a", "adresse": None}})) == {
        ("/privatMelder/adresse", "ikke-objekt")
    }


@pytest.mark.parametrize(
    ("rolle", "year", "code"),
    [
        ("Lærer", 2026, "11"),
        (" HELSESYKEPLEIER ", 2026, "10"),
        ("Fastlege", 2024, "15"),
        ("Fastlege", 2025, "24"),
        ("Tannlege", 2025, "25"),
        ("Avdelingsleder", 2026, None),
        ("", 2026, None),
    ],
)
def test_a_public_role_has_ssbs_code_only_where_it_leaves_no_doubt(
    rolle: str, year: int, code: str | None
) -> None:
    assert offentlig_melderkode(rolle, date(year, 1, 1)) == code


def test_a_private_relation_has_ssbs_code_only_where_it_leaves_no_doubt() -> None:
    assert [privat_melderkode(r) for r in ("Mor", "farmor", "Nabo, hører gråt", "fosterhjem?", "")] == [
        "2",
        "3",
        "4",
        None,
        None,
    ]


def test_a_number_is_judged_by_the_day_of_the_message_and_no_clock() -> None:
    newborn = tenor(date(2026, 1, 10), 1)
    assert drafts(with_barn(fnr=newborn))[0].person == newborn
    before = {**with_barn(fnr=newborn), "sendingstidspunkt": "2026-01-09T12:00:00"}
    assert drafts(before)[0].person is None


def test_a_line_break_at_the_end_of_a_line_refuses_no_message() -> None:
    assert places(FIKS, orjson.dumps(with_barn(orientertGrunn="Av hensyn til barnet.\n"))) == set()
