"""Generic JSON: where one event ends and the next begins, and times that are none."""

import json
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts import samtykke_api as api
from contracts.catalogue import Catalogue
from contracts.envelope import CONTENT_BYTES_MAX
from services.format import Companion, EventDraft, Problem, Record
from services.runner.check import Checked, check
from services.runner.generic import GenericJson
from tests.conftest import NOW
from tests.formats_suite import CHILD

NOBODY = Companion()
CATALOGUE = Catalogue.standard()
BOM = b"\xef\xbb\xbf"


def line(**changed: Any) -> bytes:
    event = {"type": "skolemiljo.meldt", "person": CHILD, "tid": "2026-02-20T10:00:00Z", "nokkel": "n"}
    return json.dumps({**event, **changed}).encode()


def read(body: bytes) -> list[Record]:
    return list(GenericJson().read(body, NOBODY))


def told(body: bytes) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.code) for record in read(body) for problem in record.problems]


def checked(**data: Any) -> Checked | tuple[Problem, ...]:
    draft = EventDraft("skolemiljo.meldt", CHILD, None, NOW, "n", 1, data)
    return check(draft, "", "skole", CATALOGUE, NOW, demo=False)


@pytest.mark.parametrize(
    "tid", ["20260220", "202602201000", "1700000000", "-1234567", "1700000000.5", 1700000000]
)
def test_digits_are_no_time_and_never_seconds_since_1970(tid: str | int) -> None:
    assert told(line(tid=tid)) == [("/tid", "ugyldig-tid")]


@pytest.mark.parametrize(
    "tid", ["2026-02-20T10:00:00Z", "2026-02-20T11:00:00+01:00", "2026-02-20 10:00:00.000Z"]
)
def test_a_time_is_read_as_it_is_written(tid: str) -> None:
    [record] = read(line(tid=tid))
    assert record.drafts[0].time.isoformat() == "2026-02-20T10:00:00+00:00"


@pytest.mark.parametrize("day", ["1767225600", "20260101", "2026-01-01T00:00:00", 1767225600, ""])
def test_a_date_is_year_month_and_day(day: str | int) -> None:
    assert checked(evalueringsdato=day) == (Problem("/data/evalueringsdato", "ugyldig-dato"),)
    assert isinstance(checked(evalueringsdato="2026-01-01"), Checked)


@pytest.mark.parametrize("field", ["gyldig_fra", "utloper"])
def test_a_consent_has_no_time_of_digits_alone(field: str) -> None:
    consent: dict[str, Any] = {
        "person": CHILD,
        "kommune": "4601",
        "hvem": "forelder",
        "fra_tjeneste": "skole",
        "til_tjenester": ["nav"],
        "kategorier": ["fravar"],
        "formal": "samarbeid",
        "gyldig_fra": "2026-01-01T00:00:00Z",
        "utloper": None,
    }
    adapter: TypeAdapter[Any] = TypeAdapter(api.SamtykkeInn)
    assert adapter.validate_json(json.dumps(consent))["gyldig_fra"].year == 2026
    with pytest.raises(ValidationError):
        adapter.validate_json(json.dumps({**consent, field: "20270101"}))


def test_what_kafka_would_not_take_is_refused_at_the_door() -> None:
    too_large = Problem("/data", "hendelse-for-stor", {"maks": CONTENT_BYTES_MAX})
    assert checked(sak="x" * CONTENT_BYTES_MAX) == (too_large,)
    assert isinstance(checked(sak="x" * (CONTENT_BYTES_MAX - 100)), Checked)


def test_a_first_line_that_is_cut_stops_no_other() -> None:
    records = read(b'{"type": "undr\n' + line() + b"\n" + line(nokkel="m"))
    assert [(len(r.drafts), [p.pointer for p in r.problems]) for r in records] == [
        (0, ["/0"]),
        (1, []),
        (1, []),
    ]


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(json.loads(line()), indent=2).encode(),
        line()[:-1] + b',"data":\n{"sak":"a"}\n}',
        line()[:-1] + b',"data":\n{"sak":"a"}}',
    ],
    ids=["indented", "object on a line of its own", "object on the last line"],
)
def test_one_object_over_several_lines_is_one(body: bytes) -> None:
    [record] = read(body)
    assert len(record.drafts) == 1


def test_a_byte_order_mark_is_passed_over_whatever_follows() -> None:
    for body in (line(), b"[" + line() + b"]", line() + b"\n" + line(nokkel="m")):
        assert told(BOM + body) == []
        assert len(read(BOM + body)) == len(read(body))
