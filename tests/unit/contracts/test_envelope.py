"""The envelope and its Kafka binary mode, held against the CloudEvents SDK."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.catalogue import UnknownType
from contracts.envelope import (
    Envelope,
    FutureVersion,
    MalformedEnvelope,
    Row,
    RowReader,
    Stamp,
    from_kafka,
    to_kafka,
)
from contracts.hendelser import Skjerming

Headers = list[tuple[str, bytes | None]]
WORD = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
TIME = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
OPTIONAL = st.none() | WORD
ENVELOPES = st.builds(
    Envelope,
    id=WORD,
    source=WORD.map(lambda w: f"/4601/skole/{w}"),
    type=st.just("no.samspor.skole.fravaer.terskel-passert"),
    subject=st.uuids().map(str),
    time=TIME,
    recordedtime=TIME,
    dataschema=st.just("urn:samspor:skole.fravaer.terskel-passert:1"),
    kommune=st.from_regex(r"\A[0-9]{4}\Z"),
    orgnr=st.from_regex(r"\A[0-9]{9}\Z"),
    kategori=WORD,
    skjerming=st.sampled_from(Skjerming),
    grunnlag=WORD,
    beslutning=st.sampled_from(["release", "shield"]),
    lovversjon=WORD,
    nokkelid=st.uuids().map(str),
    traceparent=OPTIONAL,
    correlationid=OPTIONAL,
    causationid=OPTIONAL,
)


@given(ENVELOPES)
def test_an_envelope_comes_back_as_it_was_sent(envelope: Envelope) -> None:
    key, headers = to_kafka(envelope)
    assert key == envelope.subject.encode()
    assert from_kafka(headers) == envelope


@given(ENVELOPES, st.binary(min_size=1, max_size=200))
def test_the_sdk_reads_what_we_write(envelope: Envelope, body: bytes) -> None:
    key, headers = to_kafka(envelope)
    event = from_binary(KafkaMessage(dict(headers), key, body), JSONFormat())
    assert (event.get_id(), event.get_source(), event.get_type()) == (
        envelope.id,
        envelope.source,
        envelope.type,
    )
    assert event.get_subject() == envelope.subject == event.get_extension("partitionkey")
    assert event.get_time() == envelope.time
    assert event.get_extension("nokkelid") == envelope.nokkelid
    assert event.get_datacontenttype() == "application/vnd.samspor.sealed"


@given(ENVELOPES)
def test_we_read_what_the_sdk_writes_and_both_write_the_same(envelope: Envelope) -> None:
    _, ours = to_kafka(envelope)
    attributes = {**envelope.attributes(), "time": envelope.time}
    sdk = to_binary(CloudEvent(attributes, b"x"), JSONFormat(), lambda event: event.get_subject())
    assert sdk.key == envelope.subject
    assert dict(ours) == sdk.headers
    assert from_kafka(sdk.headers.items()) == envelope


DIFFERING = [
    "id",
    "subject",
    "time",
    "recordedtime",
    "grunnlag",
    "nokkelid",
    "traceparent",
    "correlationid",
    "causationid",
]


def differing(envelope: Envelope) -> dict[str, Any]:
    return {name: getattr(envelope, name) for name in DIFFERING}


@given(ENVELOPES, ENVELOPES)
def test_a_stamp_writes_what_to_kafka_writes(first: Envelope, other: Envelope) -> None:
    second = first.model_copy(update=differing(other))
    assert Stamp(first).to_kafka(**differing(second)) == to_kafka(second)
    assert Stamp(second).to_kafka(**differing(first)) == to_kafka(first)


NO_WORD = st.sampled_from(["", "a b", "æ", "a\n", "a\x00", "x" * 257]) | st.text(max_size=5)


@given(ENVELOPES, st.sampled_from(DIFFERING), NO_WORD | TIME | TIME.map(lambda t: t.replace(tzinfo=None)))
def test_a_stamp_takes_what_an_envelope_takes_and_nothing_else(
    envelope: Envelope, name: str, value: str | datetime
) -> None:
    assume(isinstance(value, datetime) == (name in ("time", "recordedtime")))
    fields = differing(envelope) | {name: value}
    try:
        expected = to_kafka(Envelope.model_validate(envelope.model_dump() | fields))
    except ValidationError:
        with pytest.raises(MalformedEnvelope, match=f"^{name}$"):
            Stamp(envelope).to_kafka(**fields)
    else:
        assert Stamp(envelope).to_kafka(**fields) == expected


def one(**changed: bytes | None) -> list[tuple[str, bytes | None]]:
    envelope = Envelope(
        id="h-1",
        source="/4601/skole/974557746",
        type="no.samspor.skole.fravaer.terskel-passert",
        subject="5f0c1f3e-0000-4000-8000-000000000001",
        time=datetime(2026, 3, 29, 12, tzinfo=timezone(timedelta(hours=2))),
        recordedtime=datetime(2026, 3, 29, 12, tzinfo=UTC),
        dataschema="urn:samspor:skole.fravaer.terskel-passert:1",
        kommune="4601",
        orgnr="974557746",
        kategori="fravar",
        skjerming=Skjerming.T,
        grunnlag="samtykke:1",
        beslutning="release",
        lovversjon="2026-11-01",
        nokkelid="5f0c1f3e-0000-4000-8000-000000000002",
    )
    headers: dict[str, bytes | None] = dict(to_kafka(envelope)[1])
    headers.update(changed)
    return list(headers.items())


def test_unknown_attributes_are_ignored() -> None:
    more: Headers = [("ce_nytt", b"1"), ("annet", b"2"), ("ce_tomt", None), ("ce_annet", b"\xff")]
    assert from_kafka([*one(), *more]) == from_kafka(one())


def test_times_travel_in_utc() -> None:
    assert dict(one())["ce_time"] == b"2026-03-29T10:00:00Z"


@pytest.mark.parametrize("version", [b"2.0", b"3.1"])
def test_a_future_major_version_is_told_apart_from_a_broken_record(version: bytes) -> None:
    with pytest.raises(FutureVersion):
        from_kafka(one(ce_specversion=version))


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ce_specversion", b""),
        ("ce_specversion", None),
        ("ce_subject", None),
        ("ce_id", b""),
        ("ce_time", b"i dag"),
        ("ce_time", b"2026-03-29T10:00:00"),
        ("ce_kommune", b"46"),
        ("ce_skjerming", b"Q"),
        ("ce_beslutning", b"withhold"),
        ("ce_id", b"\xff"),
        ("content-type", b"application/json"),
    ],
)
def test_a_broken_attribute_is_named_and_its_value_is_not_repeated(header: str, value: bytes | None) -> None:
    with pytest.raises(MalformedEnvelope) as error:
        from_kafka(one(**{header: value}))
    name = {"content-type": "datacontenttype"}.get(header, header.removeprefix("ce_"))
    assert str(error.value) == name
    assert error.value.__cause__ is None


def test_each_attribute_that_gives_the_body_its_meaning_is_bound_to_it() -> None:
    envelope = from_kafka(one())
    changes: dict[str, object] = {
        "id": "h-2",
        "source": "/4601/skole/974557747",
        "type": "no.samspor.skole.skolemiljo.meldt",
        "subject": "annen",
        "time": envelope.time + timedelta(seconds=1),
        "kategori": "annen",
        "skjerming": Skjerming.N,
    }
    contexts = {envelope.model_copy(update={name: value}).aad() for name, value in changes.items()}
    assert len(contexts | {envelope.aad()}) == len(changes) + 1


REFUSALS = (MalformedEnvelope, FutureVersion, UnknownType)
TIMES = [
    b"2026-03-29T10:00:00.120000Z", b"2026-03-29T10:00:00.000000Z", b"2026-03-29T10:00:00.12Z", b"2026-03-29",
    b"2026-03-29T10:00:00+00:00", b"2026-03-29T10:00:60Z", b"2026-03-29T24:00:00Z", b"2026-02-30T10:00:00Z",
    b"0001-01-01T00:00:00Z", b"1774778400",
]  # fmt: skip
IDS = [b"5F0C1F3E-0000-4000-8000-000000000001", b"5f0c1f3e-0000-4000-8000-00000000000a", b"h-3"]
ODD = [None, b"", b"-", b"x y", b"\n", b"x\ny", b"\xff", "æ".encode(), b"x" * 256, b"x" * 257]
VALUES: dict[str, list[bytes]] = {
    "ce_specversion": [b"1.0", b"1.1", b"2.0"],
    "ce_id": IDS,
    "ce_source": [b"/4601/skole/974557747"],
    "ce_type": [b"no.samspor.skole", b"no.annen.skole.x", b"no.samspor.nav.undring.registrert"],
    "ce_subject": IDS,
    "ce_time": TIMES,
    "ce_recordedtime": TIMES,
    "ce_dataschema": [b"urn:samspor:x:9", b"urn:samspor:x:ny"],
    "content-type": [b"application/json", b"application/vnd.samspor.sealed"],
    "ce_datacontenttype": [b"application/json", b"application/vnd.samspor.sealed"],
    "ce_kommune": [b"4602", b"46"],
    "ce_orgnr": [b"974557747", b"9"],
    "ce_kategori": [b"skolegang"],
    "ce_skjerming": [b"N", b"Q"],
    "ce_grunnlag": [b"samtykke:2"],
    "ce_beslutning": [b"shield", b"withhold"],
    "ce_lovversjon": [b"2027-01-01"],
    "ce_nokkelid": IDS,
    "ce_traceparent": [b"00-1-2-00"],
    "ce_correlationid": [b"k-2"],
    "ce_causationid": [b"a-2"],
    "ce_nytt": [b"1"],
}
WRITTEN: tuple[dict[str, bytes | None], ...] = (
    {},
    {"ce_traceparent": b"00-1-2-01", "ce_correlationid": b"k", "ce_causationid": b"a"},
    {"ce_id": b"h-2", "ce_time": b"2026-03-29T10:00:00.120000Z", "ce_grunnlag": b"opplaeringslova-24-1"},
)


@st.composite
def changed_headers(draw: st.DrawFn) -> Headers:
    """What `to_kafka` writes, with at most two headers changed, taken away or repeated, in any order."""
    headers = one(**draw(st.sampled_from(WRITTEN)))
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(sorted(VALUES)))
        how = draw(st.sampled_from(["set", "set", "drop", "repeat before", "repeat after"]))
        if how in ("set", "drop"):
            headers = [(n, v) for n, v in headers if n != name]
        if how != "drop":
            value = draw(st.sampled_from(VALUES[name] + ODD))
            headers.insert(0 if how == "repeat before" else len(headers), (name, value))
    return draw(st.permutations(headers)) if draw(st.booleans()) else headers


def outcome(read: Callable[[Headers], Row], headers: Headers) -> Row | tuple[type[Exception], str]:
    try:
        return read(headers)
    except REFUSALS as error:
        return type(error), str(error)


@settings(max_examples=1000, deadline=None)
@given(st.lists(changed_headers(), min_size=1, max_size=4))
def test_the_reader_of_many_gives_what_the_definition_gives(records: Sequence[Headers]) -> None:
    reader = RowReader()
    for headers in (*records, *records):  # the second time it knows what they share
        assert outcome(reader, headers) == outcome(lambda h: Row.of(from_kafka(h)), headers)


def test_the_reader_of_many_takes_the_short_way_for_what_we_write(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = RowReader()
    expected = reader(one())
    monkeypatch.setattr("contracts.envelope.from_kafka", None)
    assert reader(one()) == expected
    assert reader(one(ce_id=b"h-2", ce_traceparent=b"00-1-2-01")) == expected._replace(
        id="h-2", traceparent="00-1-2-01", aad=expected.aad.replace(b"h-1", b"h-2")
    )


def test_the_reader_of_many_keeps_nothing_of_a_child_and_not_without_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RowReader, "SHARED_MAX", 3)
    reader = RowReader()
    for n in range(10):
        reader(one(ce_source=f"/4601/skole/{n}".encode()))
    assert 0 < len(reader._known) <= 3
    kept = repr(reader._known)
    assert not [v for v in ("h-1", "5f0c1f3e", "samtykke:1") if v in kept]
