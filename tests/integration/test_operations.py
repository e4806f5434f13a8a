"""Operating it: what was set aside is found, explained, replayed or dropped, and what is wrong is said."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import asyncpg
import orjson
import pytest
import typer
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from backbone.clock import system_clock
from backbone.database import create_engine, driver
from backbone.kafka import Outgoing, Publisher, bootstrap, ensure_topics
from backbone.meldinger import messages
from backbone.samtykke_client import InternalClient, Rejected
from backbone.settings import Settings, fresh_secrets
from contracts.catalogue import Catalogue
from contracts.topics import INNBOKS, KJEDE, PARKERT, Topic
from deploy.commands import dlq as dlq_command
from deploy.commands import felles
from deploy.commands import migrate as migrate_command
from deploy.commands import status as status_command
from deploy.commands.doctor import told
from deploy.dlq import DeadLetters, Entry, Ref, UnknownEntry
from deploy.doctor import Doctor, Finding, Limits
from deploy.parts import PARTS
from tests.conftest import MakeDatabase
from tests.integration.test_meldeplikt import melding
from tests.integration.test_sight import CANARY, NOKKEL, NUMBER, report
from tests.pipeline_fixture import Pipeline, make_all, running_pipeline  # noqa: F401 - a fixture

pytestmark = pytest.mark.timeout(240)
NO_PARTS: Any = {
    f"{part}_port": 1 for part in ("portal", "tjenester", "samtykke", "samordning", "relay", "innboks")
}
LIMITS = Limits(undecided_s=1, watch_s=0.5)


@pytest.fixture
def letters(pipeline: Pipeline) -> DeadLetters:
    return DeadLetters(pipeline.settings, pipeline.catalogue)


@pytest.fixture
async def publisher(pipeline: Pipeline) -> AsyncIterator[Publisher]:
    made = Publisher(pipeline.settings, "prove")
    yield made
    await made.close()


def doctor(pipeline: Pipeline, **changed: Any) -> Doctor:
    return Doctor(pipeline.settings.model_copy(update=changed), pipeline.catalogue, LIMITS)


async def refs(letters: DeadLetters) -> dict[str, Entry]:
    return {str(e.ref): e for e in await letters.entries(100)}


async def test_a_row_the_relay_parked_is_explained_without_what_it_says_and_replayed_once(
    pipeline: Pipeline,
    letters: DeadLetters,
) -> None:
    await pipeline.send("barnevern", report(1))
    await pipeline.until("barnevern", "SELECT count(publisert) FROM journal", 1)
    park = "UPDATE journal SET parkert = 'feil-ValueError', publisert = NULL"
    await pipeline.value("barnevern", park)
    (entry,) = (await refs(letters)).values()
    assert (entry.ref.kilde, entry.ref.owner, entry.grunn, entry.parkert) == (
        "journal",
        "barnevern",
        "feil-ValueError",
        True,
    )
    shown = orjson.dumps({**(await letters.show(entry.ref)).brief(), **entry.mer}).decode()
    assert not [secret for secret in (NUMBER, NOKKEL, "974557746") if secret in shown]
    assert await letters.replay([entry.ref], system_clock()) == []
    told = "SELECT slag || ' ' || (detaljer->'sted'->>0) FROM revisjon WHERE handling = 'forvaltning'"
    assert await pipeline.value("barnevern", told) == f"dlq-avspilling {entry.ref}"
    await pipeline.until("barnevern", "SELECT count(publisert) FROM journal WHERE parkert IS NULL", 1)
    await pipeline.until("samordning", "SELECT sum(neste_offset)::int FROM posisjon", 2)
    assert await pipeline.value("samordning", "SELECT count(*) FROM tidslinje") == 1
    assert await pipeline.value("samordning", "SELECT count(*) FROM journal") == 1, (
        "the task was told of once"
    )
    assert await refs(letters) == {}


async def test_a_parked_row_given_up_is_refused_and_keeps_nothing_and_a_refused_one_forgotten_may_come_again(
    pipeline: Pipeline,
    letters: DeadLetters,
) -> None:
    sent = await pipeline.send("barnevern", report(1))
    await pipeline.until("barnevern", "SELECT count(publisert) FROM journal", 1)
    await pipeline.value("barnevern", "UPDATE journal SET parkert = 'for-stor'")
    (entry,) = (await refs(letters)).values()
    await letters.drop(entry.ref, system_clock())
    assert (
        await pipeline.value("barnevern", "SELECT length(innhold) FROM journal WHERE utfall = 'refuse'") == 0
    )
    receipt = sent.json()["kvitteringer"][0]
    url = f"{pipeline.settings.url('tjenester')}/barnevern/hendelser/{receipt['id']}"
    kept = (await pipeline.http.get(url, headers=pipeline.as_("barnevern"))).json()
    assert (kept["status"], kept["grunner"][0]["kode"]) == ("avvist", "oppgitt")

    (refused,) = (await refs(letters)).values()
    assert (refused.parkert, refused.grunn, refused.kan) == (False, "oppgitt", ("drop",))
    await letters.drop(refused.ref, system_clock())
    again = await pipeline.send("barnevern", report(1, tid=report()["tid"]))
    assert again.json()["kvitteringer"][0]["status"] == "mottatt"


async def test_a_record_coordination_parked_is_replayed_or_dropped_by_where_it_lies(
    pipeline: Pipeline,
    letters: DeadLetters,
    publisher: Publisher,
) -> None:
    topic = pipeline.settings.topic("skole.hendelser")
    poison = [Outgoing(topic, b"k", [("ce_type", CANARY.encode())], NUMBER.encode()) for _ in range(2)]
    first, second = await publisher.send(poison)
    await pipeline.until("samordning", "SELECT count(*) FROM parkert", 2)
    assert first and second
    ref = Ref.parse(f"samordning/{topic}/{first.partition}/{first.offset}")
    shown = await letters.show(ref)
    assert (shown.grunn, shown.type, shown.kan) == ("ugyldig-konvolutt", None, ("replay", "drop"))
    assert CANARY not in str(shown) and NUMBER not in str(shown)
    (still,) = await letters.replay([ref], system_clock())
    assert still.ref == ref
    await letters.drop(ref, system_clock())
    assert [e.ref.offset for e in (await refs(letters)).values()] == [second.offset]
    with pytest.raises(UnknownEntry):
        await letters.show(ref)


async def test_more_records_than_coordination_takes_at_a_time_are_replayed(
    pipeline: Pipeline, letters: DeadLetters
) -> None:
    topic = "t" * 249  # the longest that Kafka knows
    await pipeline.value(
        "samordning",
        'INSERT INTO parkert (topic, partition, "offset", grunn, mottatt, hoder)'
        " SELECT $1, 0, number, 'foer', now(), '[]' FROM generate_series(1, 1001) AS number",
        topic,
    )
    still = await letters.replay([Ref("samordning", topic, offset=n) for n in range(1, 1002)], system_clock())
    assert [entry.grunn for entry in still] == ["ugyldig-konvolutt"] * 1001


@pytest.mark.parametrize(
    "text", ["", "journal/skole", "journal/skole/x", "samordning/t/1", "annet/t/1/2", "journal/finnes-ikke/1"]
)
async def test_what_names_nothing_is_said_to(catalogue: Catalogue, text: str) -> None:
    letters = DeadLetters(Settings(), catalogue)
    with pytest.raises(UnknownEntry):
        await letters.show(Ref.parse(text))


async def test_what_is_wrong_is_found_and_said_with_what_to_do(
    pipeline: Pipeline,
) -> None:
    await pipeline.send("barnevern", report(1))
    await pipeline.until("portal", "SELECT count(*) FROM varsel", 1)
    await pipeline.send("skole", melding())
    await pipeline.until("innboks", "SELECT sum(neste)::int FROM posisjon", 1)
    assert await doctor(pipeline).examine() == [], "nothing is wrong yet"
    await pipeline.value(
        "nav",
        "INSERT INTO journal (source, id, type, kommune, orgnr, tid, mottatt, avtrykk, innhold, trenger_relay, parkert)"
        " VALUES ('s', 'i', 't', '4601', '974557746', now(), now(), '', '', false, 'for-stor')",
    )
    found = await doctor(pipeline, portal_port=1, kek=None).examine()
    assert {(f.kode, f.alvor) for f in found} == {
        ("hemmelighet", "feil"),
        ("del-borte", "feil"),
        ("parkert", "advarsel"),
    }
    assert found[-1].args == {"hvor": "nav", "antall": 1}
    assert all(told(f)["melding"] and told(f)["gjor"] for f in found)

    prefix = f"{pipeline.settings.topic_prefix}annet."
    other = pipeline.settings.model_copy(update={"topic_prefix": prefix})
    await ensure_topics(other, [Topic("skole.hendelser", partitions=3)])
    by_code = {f.kode: f.args for f in await doctor(pipeline, topic_prefix=prefix).examine()}
    assert by_code["emne-partisjoner"] == {"navn": f"{prefix}skole.hendelser", "har": 3, "skal": 12}
    missing = str(by_code["emne-mangler"]["navn"]).split(", ")
    assert f"{prefix}nav.hendelser" in missing and f"{prefix}skole.hendelser" not in missing


async def test_a_topic_that_forgets_what_is_to_be_kept_is_found(
    settings: Settings, topics: Catalogue
) -> None:
    settings = _apart(settings)
    short, shorter = replace(KJEDE, retention_ms=60_000), replace(PARKERT, retention_ms=60_000)
    await ensure_topics(settings, [short, shorter, replace(INNBOKS, retention_ms=-1)])
    await _listed(settings, 3)
    found = await Doctor(settings.model_copy(update=NO_PARTS), topics, LIMITS).examine()
    assert [f.args for f in found if f.kode == "emne-lagring"] == [
        {"navn": settings.topic(PARKERT.navn), "har": "60000", "skal": "7776000000"},
        {"navn": settings.topic(KJEDE.navn), "har": "60000", "skal": "-1"},
    ]


async def test_after_migrate_databases_and_topics_are_as_they_should_be(
    settings: Settings, topics: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _apart(settings)

    async def wrong() -> set[str]:
        found = await Doctor(settings.model_copy(update=NO_PARTS), topics, LIMITS).examine()
        return {f.kode for f in found if f.kode.startswith(("emne", "database"))}

    monkeypatch.setattr(felles, "settings", lambda _: settings)
    assert await wrong() == {"emne-mangler", "database-gammel"}
    assert (await said_by(migrate_command, tmp_path))[0] == 0
    await _listed(settings, len(topics.topics()))
    assert await wrong() == set()

    engine = create_engine(settings, "skole", 2)
    async with engine.begin() as connection:
        await (await driver(connection)).execute("UPDATE alembic_version SET version_num = '9999_x'")
    await engine.dispose()
    assert await wrong() == {"database-nyere"}
    code, said = await said_by(migrate_command, tmp_path)
    assert code == 2 and "skole" in said


@pytest.mark.parametrize("command", [migrate_command, status_command])
async def test_engines_that_are_away_are_said_in_words(
    command: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"DATABASE_URL": "postgresql://127.0.0.1:1", "KAFKA": "127.0.0.1:1"}.items():
        monkeypatch.setenv(f"SAMSPOR_{name}", value)
    assert (await said_by(command, tmp_path))[0] == 2


async def test_migrate_says_that_kafka_is_away_when_the_databases_are_there(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(felles, "settings", lambda _: settings.model_copy(update={"kafka": "127.0.0.1:1"}))
    code, said = await said_by(migrate_command, tmp_path)
    assert code == 2 and "SAMSPOR_KAFKA" in said


async def test_status_says_what_to_do_where_there_are_no_databases_and_what_samordning_says_no_to(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no(*_: Any, **__: Any) -> None:
        raise Rejected(403, {"feil": [{"feil": "Ikke for deg.", "gjor": "Spør."}]})

    monkeypatch.setattr(felles, "settings", lambda _: settings.model_copy(update=NO_PARTS))
    code, said = await said_by(status_command, tmp_path)
    assert code == 2 and "samspor doctor" in said
    monkeypatch.setattr(InternalClient, "call", no)
    code, said = await said_by(status_command, tmp_path)
    assert code == 1 and "Ikke for deg." in said


def _apart(settings: Settings) -> Settings:
    """With no topic yet; those made are deleted with the test's own."""
    return settings.model_copy(update={"topic_prefix": f"{settings.topic_prefix}annet."})


async def _listed(settings: Settings, count: int) -> None:
    """A broker says that topics are made a moment before it lists them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap(settings))
    await admin.start()
    try:
        async with asyncio.timeout(20):
            while sum(t.startswith(settings.topic_prefix) for t in await admin.list_topics()) < count:
                await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def said_by(command: ModuleType, data_dir: Path) -> tuple[int, str]:
    """What the command ends with, and says; never a traceback."""
    app = typer.Typer()
    command.register(app)
    answer = await asyncio.to_thread(lambda: CliRunner().invoke(app, ["--data-dir", str(data_dir)]))
    assert answer.exception is None or isinstance(answer.exception, SystemExit)
    return answer.exit_code, answer.output


async def test_engines_that_are_away_are_said_once_and_what_needs_them_is_not_looked_at(
    catalogue: Catalogue,
) -> None:
    nothing = Settings(
        kafka="127.0.0.1:1", database_url="postgresql://127.0.0.1:1", **fresh_secrets(), **NO_PARTS
    )
    found = await Doctor(nothing, catalogue, LIMITS).examine()
    assert [f.kode for f in found if f.kode != "del-borte"] == ["postgres-borte", "kafka-borte"]


async def test_without_parts_nobody_relays_rows_grow_old_and_readers_stand_still(
    settings: Settings, topics: Catalogue, make_database: MakeDatabase
) -> None:
    engines = await make_all(topics, make_database)
    async with engines["skole"].begin() as connection:
        await (await driver(connection)).execute(
            "INSERT INTO journal (source, id, type, kommune, orgnr, tid, mottatt, avtrykk, innhold)"
            " VALUES ('s', 'i', 't', '4601', '974557746', now(), now() - interval '1 hour', '', '')"
        )
    await _publish(settings, "skole.hendelser", 3)
    found = await Doctor(settings.model_copy(update=NO_PARTS), topics, LIMITS).examine()
    codes = [f.kode for f in found]
    assert codes.count("del-borte") == len(PARTS)
    by_code: dict[str, Finding] = {f.kode: f for f in found}
    assert by_code["formidler-mangler"].args["journal"] in engines
    assert by_code["journal-henger"].args["journal"] == "skole"
    assert by_code["leser-star"].args == {"leser": "samordning", "antall": 3, "partisjoner": 1}


async def test_reports_that_barneverns_inbox_does_not_get_are_told_of_and_not_how_many(
    settings: Settings, topics: Catalogue, make_database: MakeDatabase
) -> None:
    engines = await make_all(topics, make_database)

    async def found(*statements: str) -> list[str]:
        async with engines["innboks"].begin() as connection:
            for statement in statements:
                await (await driver(connection)).execute(statement)
        examined = await Doctor(settings.model_copy(update=NO_PARTS), topics, LIMITS).examine()
        about = [f for f in examined if f.kode.startswith(("meldevei", "innboks", "parkert", "leser"))]
        assert all(f.args == {} for f in about), "a count of them is nobody else's to know"
        return [f.kode for f in about]

    assert await found() == []
    await _publish(settings, INNBOKS.navn, 3)
    assert await found() == ["meldevei-star"], "the inbox reads nothing"
    async with engines["skole"].begin() as connection:
        await (await driver(connection)).execute(
            "INSERT INTO utsending (id, plass, avtrykk, nokkelid, innhold, mottatt)"
            " VALUES (gen_random_uuid(), '', '', 'n', 'x', now() - interval '1 hour')"
        )
    assert await found() == ["meldevei-star"], "told once, though it stands still in two places"
    async with engines["skole"].begin() as connection:
        await (await driver(connection)).execute("UPDATE utsending SET innhold = NULL")
    read = "INSERT INTO posisjon SELECT number, 3 FROM generate_series(0, 11) AS number"
    parked = "INSERT INTO parkert VALUES (1, 2, 'FutureVersion', now())"
    assert await found(read, parked) == ["innboks-parkert"]
    assert await found("UPDATE posisjon SET neste = 2", "DELETE FROM parkert") == ["meldevei-star"]
    await _forget(settings, INNBOKS)
    assert await found("DELETE FROM posisjon") == [], "the topic keeps nothing that could be read"


async def _publish(settings: Settings, topic: str, count: int) -> None:
    publisher = Publisher(settings, "prove")
    await publisher.send([Outgoing(settings.topic(topic), b"k", [], b"")] * count)
    await publisher.close()


async def _forget(settings: Settings, topic: Topic) -> None:
    """As when all of it is older than the topic keeps."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap(settings))
    await admin.start()
    try:
        places = [TopicPartition(settings.topic(topic.navn), number) for number in range(topic.partitions)]
        await admin.delete_records({place: RecordsToDelete(before_offset=-1) for place in places})
    finally:
        await admin.close()


CODES = (
    "hemmelighet", "postgres-borte", "database-gammel", "database-nyere", "kafka-borte", "emne-mangler",
    "emne-partisjoner", "emne-lagring", "del-borte", "del-syk", "formidler-mangler", "journal-henger", "parkert",
    "leser-star", "klokke",
    "meldevei-star", "innboks-nokkel", "innboks-parkert",
)  # fmt: skip


def test_every_finding_has_words_and_something_to_do() -> None:
    texts = messages("deploy")
    names = (
        "variabel",
        "feil",
        "navn",
        "har",
        "skal",
        "del",
        "adresse",
        "status",
        "journal",
        "antall",
        "sekunder",
    )
    words: dict[str, Any] = dict.fromkeys((*names, "hvor", "leser", "partisjoner", "hvem"), "x")
    for code in CODES:
        assert texts.text(f"lege-{code}", **words) and texts.action(f"lege-{code}", **words)


@pytest.mark.parametrize("command", ["list", "show", "replay", "drop"])
def test_the_command_says_what_is_missing_where_nothing_runs(
    command: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SAMSPOR_DATABASE_URL", "SAMSPOR_KAFKA"):
        monkeypatch.delenv(name, raising=False)
    app = typer.Typer()
    dlq_command.register(app)
    arguments: list[str] = {"list": [], "replay": ["journal/skole/1"]}.get(command, ["journal/skole/1"])
    answer = CliRunner().invoke(app, ["dlq", command, *arguments, "--data-dir", str(tmp_path)])
    assert answer.exit_code == 2
    assert "SAMSPOR_DATABASE_URL" in answer.output


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Rejected(403, {"feil": [{"feil": "Ikke for deg.", "gjor": "Spør."}]}), 1, "Ikke for deg."),
        (asyncpg.CannotConnectNowError(), 2, "PostgreSQL"),
        (DBAPIError("", None, Exception()), 2, "PostgreSQL"),
    ],
)
def test_a_no_and_a_database_that_is_away_are_said_in_words(
    error: Exception, code: int, said: str, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    async def main(_: DeadLetters) -> None:
        raise error

    with pytest.raises(typer.Exit) as ended:
        dlq_command._run(tmp_path, main)
    assert ended.value.exit_code == code and said in capsys.readouterr().err
