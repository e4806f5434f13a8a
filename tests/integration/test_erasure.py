"""A child blocked and erased on the real engines: afterwards no copy can be read, with all the keys there are."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from backbone import journal, lane
from backbone.clock import system_clock
from backbone.database import database_name, dedicated
from backbone.journal import KEY_GRACE, KEY_HOUR, JournalKeys, NewEvent, forget_undecided
from backbone.journal import Journal as EventJournal
from backbone.kafka import Outgoing, Publisher
from backbone.settings import Settings
from backbone.tokens import Principal, issue
from contracts.envelope import Content
from contracts.personnummer import tenor
from deploy.migrate import databases
from tests import copies
from tests.conftest import NOW, MakeDatabase
from tests.pipeline_fixture import Pipeline, running_pipeline  # noqa: F401 - a fixture
from tests.unit.formats.files import elev, elevforhold, fravar, person

NUMBER, OTHER = tenor(date(2012, 5, 6), 77), tenor(date(2013, 1, 2), 31)
NAME, TEXT = "Kanarinius", "fuglefeberkanari"
PURPOSE, WAY, PARENT = "formaalskanari", "metodekanari", "giverkanari"
"""What a consent says in words of its own."""
CANARIES = (NUMBER, NAME, TEXT, PURPOSE, WAY, PARENT)
KOMMUNE = "4601"

REPORTS = "SELECT count(*) FROM oppgave WHERE regel = 'bekymringsmelding'"
"""Tasks to look at a melding, one each."""

pytestmark = pytest.mark.timeout(300)


def lead(sub: str, **changed: Any) -> Principal:
    return Principal(**{"sub": sub, "rolle": "leder", "orgnr": "964338531", "kommune": KOMMUNE, **changed})


async def call(
    pipeline: Pipeline, who: Principal, method: str, path: str, body: Any = None
) -> httpx.Response:
    token = issue(who, pipeline.settings, system_clock(), timedelta(minutes=5))
    return await pipeline.http.request(
        method,
        f"{pipeline.settings.url('samtykke')}/samtykke{path}",
        content=orjson.dumps(body) if body is not None else None,
        headers={"authorization": f"Bearer {token}"},
    )


def event(type_: str, nr: int, data: dict[str, Any], number: str = NUMBER) -> dict[str, Any]:
    at = (system_clock() - timedelta(hours=1)).isoformat()
    return {"type": type_, "person": number, "tid": at, "nokkel": f"{type_}-{nr}", "data": data}


async def lived(pipeline: Pipeline) -> None:
    """A child with a name, a consent, what four services know, a task, something that waits, something set aside; and
    another."""
    system = pipeline.as_("system")
    for number, name in ((NUMBER, f"{NAME} Fugl"), (OTHER, "Ola Annen")):
        body = {"person": number, "kommune": KOMMUNE, "navn": name}
        url = f"{pipeline.settings.url('samtykke')}/samtykke/personer"
        assert (await pipeline.http.post(url, json=body, headers=system)).is_success
    consent = {
        "person": NUMBER,
        "kommune": KOMMUNE,
        "hvem": "forelder",
        "giver": PARENT,
        "fra_tjeneste": "skole",
        "til_tjenester": ["nav"],
        "kategorier": ["skolegang"],
        "formal": PURPOSE,
        "metode": WAY,
        "gyldig_fra": system_clock().isoformat(),
        "utloper": None,
    }
    url = f"{pipeline.settings.url('samtykke')}/samtykke/samtykker"
    answer = await pipeline.http.post(url, json=consent, headers=system)
    assert answer.is_success, answer.text
    school = [
        {**person(number), "navn": {"fornavn": NAME, "etternavn": NAME}}
        | {"_links": person(number)["_links"]}
        for number in (NUMBER, OTHER)
    ]
    pupils = [
        elev("E1", NUMBER),
        elev("E2", OTHER),
        elevforhold("H1", "elev/systemid/E1"),
        elevforhold("H2", "elev/systemid/E2"),
    ]
    absent = [
        fravar(1, "2026-01-05T00:00:00Z", "2026-01-16T00:00:00Z"),
        fravar(2, "2026-01-07T00:00:00Z", forhold="H2"),
    ]
    sent = [
        await pipeline.send("skole", [*school, *pupils, *absent], "formater/fint-utdanning"),
        await pipeline.send("barnevern", event("henvendelse.mottatt", 1, {"slag": 2, "melderkode": TEXT})),
        await pipeline.send("barnevern", event("henvendelse.mottatt", 2, {"slag": 2}, OTHER)),
        await pipeline.send("skole", event("ppt.henvist", 1, {"sak": TEXT})),
    ]
    assert [answer.status_code for answer in sent] == [202] * 4, [answer.text for answer in sent]
    await pipeline.until("samordning", "SELECT count(DISTINCT subject) FROM oppgave", 2)
    await pipeline.until("skole", "SELECT count(*) FROM journal WHERE utfall = 'withhold'", 1)
    for owner in ("skole", "barnevern", "samordning"):
        await pipeline.until(owner, "SELECT count(*) FROM journal WHERE journalnokkel IS NOT NULL", 0)
        await pipeline.until(
            owner, "SELECT count(*) FROM journal WHERE publisert IS NULL AND utfall <> 'withhold'", 0
        )


async def broken_copy(pipeline: Pipeline) -> None:
    """A record of the child's with a header that nobody understands: set aside, body and all."""
    kept = await copies.records(pipeline.settings, pipeline.catalogue)
    subject = await subject_of(pipeline)
    topic = pipeline.settings.topic("barnevern.hendelser")
    (found,) = [r for r in kept if r.topic == topic and r.key == subject.encode()]
    headers = [(n, b"no.samspor.barnevern.finnes-ikke" if n == "ce_type" else v) for n, v in found.headers]
    publisher = Publisher(pipeline.settings, "prove")
    await publisher.send([Outgoing(topic, found.key, headers, found.value)])
    await publisher.close()
    await pipeline.until("samordning", "SELECT count(*) FROM parkert WHERE sendt IS NOT NULL", 1)


async def subject_of(pipeline: Pipeline) -> str:
    rows = "SELECT subject::text FROM person ORDER BY tid, subject LIMIT 1"
    return str(await pipeline.value("samtykke", rows))


async def backed_up(pipeline: Pipeline) -> dict[str, bytes]:
    """A dump of every database but the keys'."""
    names = [name for name in databases(pipeline.catalogue) if name != "nokler"]
    dumps = (copies.dump(pipeline.settings, database_name(pipeline.settings, name)) for name in names)
    return dict(zip(names, await asyncio.gather(*dumps), strict=True))


async def dumped(settings: Settings, names: Iterable[str]) -> list[bytes]:
    """Everything in these databases, tables of keys too."""
    dumps = (copies.dump(settings, database_name(settings, name), keys=True) for name in names)
    return list(await asyncio.gather(*dumps))


async def on_kafka(pipeline: Pipeline) -> tuple[bytes, list[bytes]]:
    """What lies there in clear, and the bodies."""
    kept = await copies.records(pipeline.settings, pipeline.catalogue)
    clear = [
        piece for r in kept for piece in (r.key or b"", r.value or b"", *(v or b"" for _, v in r.headers))
    ]
    return b"\n".join(clear), [r.value for r in kept if r.value]


def readable(dumps: Iterable[bytes], bodies: Sequence[bytes], keys: Sequence[bytes]) -> set[str]:
    """Canaries, in clear or under any of the keys."""
    out = copies.found(CANARIES, copies.opened(bodies, keys))
    for one in dumps:
        out |= copies.found(CANARIES, one) | copies.found(CANARIES, copies.opened(copies.blobs(one), keys))
    return out


async def erased(pipeline: Pipeline) -> None:
    """Proposed by one and approved by another; until every part has forgotten."""
    proposal = {"person": NUMBER, "kommune": KOMMUNE, "beslutning": "2026/1234-5"}
    first = await call(pipeline, lead("leder:a"), "POST", "/slettinger", proposal)
    assert first.status_code == 200, first.text
    way = f"/slettinger/{first.json()['sletting']}"
    assert (await call(pipeline, lead("leder:a"), "POST", f"{way}/godkjenning")).status_code == 403
    assert (
        await call(pipeline, lead("leder:x", kommune="0301"), "POST", f"{way}/godkjenning")
    ).status_code == 404
    assert await pipeline.value("nokler", "SELECT count(*) > 0 FROM datanokkel") is True
    second = await call(pipeline, lead("leder:b"), "POST", f"{way}/godkjenning")
    assert second.status_code == 200, second.text
    told: dict[str, Any] = {}
    for _ in range(600):
        told = (await call(pipeline, lead("leder:b"), "GET", way)).json()
        if told["status"] == "fullfort":
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"not carried out by {told['gjenstar']}")


async def test_after_an_erasure_no_copy_can_be_read_with_any_key_there_is(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    settings = pipeline.settings
    await lived(pipeline)
    await broken_copy(pipeline)
    backup = await backed_up(pipeline)
    keys_before = await copies.keyring(settings, pipeline.catalogue)
    names = [*backup, "nokler"]
    clear, bodies = await on_kafka(pipeline)
    before = readable(await dumped(settings, names), bodies, keys_before)
    assert {c.split(" ")[0] for c in before} == set(CANARIES), (
        "all of it could be read, so the search finds things"
    )
    assert readable([clear], bodies, keys_before)

    subject = await subject_of(pipeline)
    await erased(pipeline)

    keys = await copies.keyring(settings, pipeline.catalogue)
    clear, bodies = await on_kafka(pipeline)
    assert readable([clear, *await dumped(settings, names)], bodies, keys) == set()
    old = settings.model_copy(update={"database_prefix": f"{settings.database_prefix}g"})
    try:
        await asyncio.gather(
            *(
                copies.restore(settings, database_name(old, n), content, tmp_path)
                for n, content in backup.items()
            )
        )
        restored = await dumped(old, backup)
        assert readable(restored, [], keys) == set()
        assert readable(restored, [], keys_before), "the same copies open with the keys of before"
    finally:
        for name in backup:
            gone = f'DROP DATABASE IF EXISTS "{database_name(old, name)}" WITH (FORCE)'
            await copies.run("psql", "-qc", gone, database="postgres", settings=settings)

    assert await pipeline.value("nokler", f"SELECT count(*) FROM datanokkel WHERE subject = '{subject}'") == 0
    for database, table in (("samordning", "oppgave"), ("samordning", "faktasett"), ("portal", "varsel")):
        count = f"SELECT count(*) FILTER (WHERE subject::text = '{subject}'), count(*) FROM {table}"
        assert await pipeline.value(database, count) == 0
        assert await pipeline.value(database, f"SELECT count(*) FROM {table}") > 0, (
            "the other child is as before"
        )
    assert await pipeline.value("samordning", "SELECT count(*) FROM parkert") == 0
    assert await pipeline.value("skole", "SELECT count(*) FROM journal WHERE utfall = 'withhold'") == 0
    acts = (
        "SELECT string_agg(slag || ':' || aktor, ' ' ORDER BY lopenr) FROM revisjon"
        f" WHERE slag LIKE 'sletting%' AND subject = '{subject}'"
    )
    assert await pipeline.value("samtykke", acts) == (
        "sletting-foreslatt:leder:a sletting-godkjent:leder:b sletting-fullfort:system:samtykke"
    )

    # For good: what is sent later is refused, and what lies on Kafka is skipped and counted.
    await pipeline.send("barnevern", event("henvendelse.mottatt", 3, {"slag": 2}))
    await pipeline.until("barnevern", "SELECT count(*) FROM journal WHERE grunner->0->>'kode' = 'slettet'", 1)
    await pipeline.value("samordning", "UPDATE posisjon SET slettet = 0")
    kept = await copies.records(settings, pipeline.catalogue)
    again = [r for r in kept if r.key == subject.encode() and r.topic.endswith("skole.hendelser")]
    publisher = Publisher(settings, "prove")
    await publisher.send([Outgoing(r.topic, r.key, list(r.headers), r.value) for r in again])
    await publisher.close()
    await pipeline.until("samordning", "SELECT sum(slettet)::int FROM posisjon", len(again))
    assert len(again) > 0
    assert await pipeline.value("nokler", f"SELECT count(*) FROM datanokkel WHERE subject = '{subject}'") == 0


async def test_a_blocked_child_stands_still_and_goes_on_where_it_stopped(pipeline: Pipeline) -> None:
    report = event("henvendelse.mottatt", 1, {"slag": 2})
    await pipeline.send("barnevern", report)
    await pipeline.until("samordning", REPORTS, 1)
    body = {"person": NUMBER, "kommune": KOMMUNE, "sperret": True, "grunn": "begrensning-art-18"}
    assert (
        await call(pipeline, lead("leder:x", kommune="0301"), "POST", "/sperringer", body)
    ).status_code == 403
    assert (
        await call(pipeline, lead("s", rolle="fagperson"), "POST", "/sperringer", body)
    ).status_code == 403
    answer = await call(pipeline, lead("leder:a"), "POST", "/sperringer", body)
    assert answer.json()["status"] == "sperret"
    await pipeline.send("barnevern", event("henvendelse.mottatt", 2, {"slag": 2}))
    await pipeline.until("barnevern", "SELECT count(*) FROM journal WHERE utfall = 'withhold'", 1)
    assert (
        await call(pipeline, lead("leder:b"), "POST", "/sperringer", {**body, "sperret": False})
    ).is_success
    await pipeline.until("samordning", REPORTS, 2)
    acts = (
        "SELECT string_agg(slag || ':' || aktor || ':' || grunn, ' ' ORDER BY lopenr) FROM revisjon"
        " WHERE handling = 'forvaltning' AND utfall = 'utfort'"
    )
    assert await pipeline.value("samtykke", acts) == (
        "sperring:leder:a:begrensning-art-18 sperring-opphevet:leder:b:begrensning-art-18"
    )


async def test_what_waits_is_forgotten_some_at_a_time_and_locks_no_other_child(
    settings: Settings, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "FORGET_BATCH", 10)
    engine = await make_database("skole", lane.metadata)
    conn, other = await dedicated(engine), await dedicated(engine)
    keys = JournalKeys(settings, "skole")
    whom = [NUMBER if nr % 5 == 0 else OTHER for nr in range(95)]
    rows = [
        NewEvent(f"h-{nr}", "/s", "t", KOMMUNE, "9" * 9, NOW, Content(nokkel="n"), person=number)
        for nr, number in enumerate(whom)
    ]
    for hour in range(3):  # each under a key of its own
        async with conn.transaction():
            at = NOW + timedelta(hours=hour)
            await EventJournal(settings, "skole").append(conn, rows[hour::3], at)
    await conn.execute("UPDATE journal SET innhold = '' WHERE id = 'h-1'")  # nobody can open it

    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    async with conn.transaction():
        # Decided while it is looked for: it is under the child's keys now, and is left alone.
        await other.execute("UPDATE journal SET journalnokkel = NULL, utfall = 'release' WHERE id = 'h-0'")
        before = turns
        count = await forget_undecided(conn, keys, ["ingen"], NUMBER, NOW)
        assert turns - before > len(rows) / journal.FORGET_BATCH
        locked = "SELECT id FROM journal EXCEPT SELECT id FROM"
        free = await other.fetch(f"{locked} (SELECT id FROM journal FOR UPDATE SKIP LOCKED) AS f")
    beside.cancel()
    about = {row.id for row in rows if row.person == NUMBER} - {"h-0"}
    assert count == len(about)
    assert {row["id"] for row in free} == about, "the others' rows are locked by nobody"
    refused = await conn.fetch("SELECT id, innhold, journalnokkel FROM journal WHERE utfall = 'refuse'")
    assert {row["id"] for row in refused} == about
    assert {(row["innhold"], row["journalnokkel"]) for row in refused} == {(b"", None)}
    assert await forget_undecided_again(conn, keys) == 0
    await conn.close()
    await other.close()


async def forget_undecided_again(conn: asyncpg.Connection, keys: JournalKeys) -> int:
    async with conn.transaction():
        return await forget_undecided(conn, keys, [], NUMBER, NOW)


async def test_no_journal_key_outlives_its_grace_also_where_a_row_is_never_decided(
    settings: Settings, make_database: MakeDatabase
) -> None:
    engine = await make_database("skole", lane.metadata)
    row = NewEvent("h-1", "/s", "t", KOMMUNE, "9" * 9, NOW, Content(nokkel="n", data={}), person=NUMBER)
    conn = await dedicated(engine)
    keys = JournalKeys(settings, "skole")
    async with conn.transaction():
        await EventJournal(settings, "skole").append(conn, [row], NOW)
    old = await conn.fetchval("SELECT journalnokkel FROM journal")
    later = NOW + KEY_HOUR + KEY_GRACE + timedelta(hours=1)
    await keys.renew_undecided(conn, later)
    await keys.destroy_unneeded(conn, later)
    (left,) = await conn.fetch("SELECT id FROM journalnokkel")
    assert left["id"] != old and left["id"] == await conn.fetchval("SELECT journalnokkel FROM journal")
    (key,) = (await keys.load(conn, [left["id"]])).values()
    assert NUMBER.encode() in copies.opened([await conn.fetchval("SELECT innhold FROM journal")], [key])
    await conn.close()
