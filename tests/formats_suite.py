"""What holds for every format: bound to each by a class that gives the format and a good file."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.catalogue import Catalogue
from contracts.personnummer import identity_numbers, tenor
from services.dry_run import judge, records
from services.format import AnyFormat, Companion, EventDraft, Problem, Record
from services.runner.check import Checked, check
from services.wording import describe

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHILD, OTHER, PARENT = tenor(date(2012, 5, 15), 7), tenor(date(2014, 2, 3), 11), tenor(date(1985, 1, 9), 5)
SECRET = "Hemmelig Navnesen"


def drafts(fmt: AnyFormat, body: bytes, companion: Companion = Companion()) -> list[EventDraft]:
    return [draft for record in records(fmt, body, companion) for draft in record.drafts]


def problems(fmt: AnyFormat, body: bytes, companion: Companion = Companion()) -> list[Problem]:
    return [p for record in records(fmt, body, companion) for p in record.problems]


def places(fmt: AnyFormat, body: bytes) -> set[tuple[str, str]]:
    """(pointer, code) of every problem."""
    return {(p.pointer, p.code) for p in problems(fmt, body)}


def resolves(document: Any, pointer: str) -> bool:
    for part in pointer.split("/")[1:]:
        step = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        else:
            return False
    return True


def mutations(document: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Each place of a document, with the document where that place is left out, emptied or of another type."""
    if path:
        yield path, without(document, path)
        values: tuple[Any, ...] = (None, "", 17, True, [], {}, [{}], SECRET, CHILD)
        for value in values:
            yield path, with_value(document, path, value)
    here = at(document, path)
    if isinstance(here, dict):
        for key in here:
            yield from mutations(document, (*path, key))
    elif isinstance(here, list):
        for nr in range(len(here)):
            yield from mutations(document, (*path, nr))


def at(document: Any, path: Iterable[str | int]) -> Any:
    for step in path:
        document = document[step]
    return document


def without(document: Any, path: tuple[str | int, ...]) -> Any:
    copy = orjson.loads(orjson.dumps(document))
    del at(copy, path[:-1])[path[-1]]
    return copy


def with_value(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    copy = orjson.loads(orjson.dumps(document))
    at(copy, path[:-1])[path[-1]] = value
    return copy


class FormatSuite:
    """Subclass with `fmt`, `tjeneste`, `good` (a document) and, where the file names nobody, `companion`."""

    fmt: ClassVar[AnyFormat]
    tjeneste: ClassVar[str]
    good: ClassVar[Any]
    companion: ClassVar[Companion] = Companion()

    def read(self, document: Any) -> list[Record]:
        return list(records(self.fmt, orjson.dumps(document), self.companion))

    def test_a_good_file_becomes_events_the_catalogue_knows(self) -> None:
        read = self.read(self.good)
        assert [p for r in read for p in r.problems] == []
        found = [draft for record in read for draft in record.drafts]
        assert found
        for draft in found:
            assert draft.time.tzinfo is not None
            answer = check(draft, "", self.tjeneste, Catalogue.standard(), NOW, demo=True)
            assert isinstance(answer, Checked), answer

    def test_the_same_file_gives_the_same_events(self) -> None:
        assert self.read(self.good) == self.read(self.good)

    def test_unknown_fields_are_ignored_wherever_they_stand(self) -> None:
        def added(value: Any) -> Any:
            if isinstance(value, dict):
                return {"ukjentFelt": [{"x": SECRET}], **{k: added(v) for k, v in value.items()}}
            return [added(v) for v in value] if isinstance(value, list) else value

        assert self.read(added(self.good)) == self.read(self.good)

    def test_no_natural_key_and_no_data_holds_a_national_id(self) -> None:
        for record in self.read(self.good):
            for draft in record.drafts:
                assert not any(identity_numbers(f"{draft.nokkel} {dict(draft.data)}"))

    def test_every_problem_says_what_is_wrong_and_what_to_do_at_a_place_in_the_file_and_repeats_nothing(
        self,
    ) -> None:
        seen = set()
        for path, broken in mutations(self.good):
            for record in self.read(broken):
                for problem in (*record.problems, *record.warnings):
                    seen.add(problem.code)
                    told = describe(problem, self.fmt.messages)
                    assert told["feil"], path
                    assert told["gjor"], path
                    text = f"{told['feil']} {told['gjor']} {problem.args}"
                    assert SECRET not in text
                    assert not re.search(r"[0-9]{11}", text)
                    parent = problem.pointer.rpartition("/")[0]
                    assert resolves(broken, problem.pointer) or resolves(broken, parent), problem
        assert "mangler" in seen

    def test_a_broken_file_is_never_judged_as_an_exception(self) -> None:
        for _, broken in mutations(self.good):
            body = orjson.dumps(broken)
            judge(self.tjeneste, self.fmt, body, self.companion, Catalogue.standard(), NOW)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b" ",
            b"null",
            b"[]",
            b"{}",
            b'"x"',
            b"\xff\xfe\x00",
            b"<",
            b"<x/>",
            b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
            b"{" * 5000,
            b"[" * 5000,
            b'{"a":1e999}',
            b'{"a":' + b"9" * 5000 + b"}",
            b'{"a":NaN}\n{"a":NaN}',
            b'{"a":"\\ud800"}',
            b"{}\n{}\n[",
            b'{"a":1,"a":2}',
        ],
    )
    def test_garbage_is_a_problem_or_nothing_and_never_an_exception(self, body: bytes) -> None:
        assert drafts(self.fmt, body) == []

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(body=st.binary(max_size=200))
    def test_no_bytes_whatever_make_it_fail(self, body: bytes) -> None:
        assert drafts(self.fmt, body) == []

    def test_a_byte_order_mark_is_no_part_of_the_file(self) -> None:
        body = orjson.dumps(self.good)
        assert drafts(self.fmt, b"\xef\xbb\xbf" + body, self.companion) == drafts(
            self.fmt, body, self.companion
        )
