"""The file drop against the services' own HTTP on the real PostgreSQL: what an operator finds in the folder."""

import asyncio
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import lane
from backbone.database import driver
from backbone.http import serve
from backbone.meldinger import messages
from backbone.settings import Settings
from backbone.tokens import Principal, issue
from contracts.catalogue import Catalogue
from contracts.personnummer import tenor
from deploy import filslipp
from deploy.filslipp import AVVIST, KVITTERT, Filslipp, FolderTaken, Tempo
from deploy.klient import Fagsystem, Svar
from deploy.kommune.hverdag import Sending
from services.format import Companion
from services.nav.digisos_soker import DigisosSoker
from services.registry import Registry
from services.runner.app import build
from tests.conftest import NOW, MakeDatabase
from tests.unit.formats import files

CHILD, SISTER = tenor(NOW.date().replace(year=2012), 3), tenor(NOW.date().replace(year=2014), 4)
TEMPO = Tempo(poll_s=0.01, still_s=0.05, stop_s=2.0)
GOOD = orjson.dumps(files.DIGISOS)
BROKEN = orjson.dumps({**files.DIGISOS, "hendelser": [{"type": "soknadsStatus"}]})
PATIENCE_S = 20


class Sender:
    """A file drop for NAV's files, and what it has said."""

    def __init__(self, folder: Path, url: str, token: str) -> None:
        self.folder = folder
        self.told: list[dict[str, Any]] = []
        self.waiting: list[str] = []
        self._url = url
        self._token = token

    @asynccontextmanager
    async def following(self, file_bytes_most: int = 1_000_000) -> AsyncIterator[None]:
        stop = asyncio.Event()
        async with Fagsystem(self._url, {"nav": self._token}) as fagsystem:

            async def send(body: bytes, companion: Companion) -> Svar:
                person, barn = companion.person, companion.barn
                return await fagsystem.send(Sending("nav", NOW, body, "", "digisos-soker", person, barn), 1)

            drop = Filslipp(
                self.folder,
                send,
                self.told.append,
                self.waiting.append,
                lambda: NOW,
                file_bytes_most,
                TEMPO,
            )
            running = asyncio.create_task(drop.run(stop))
            try:
                yield
            finally:
                stop.set()
                await running

    def put(self, name: str, body: bytes, **persons: Any) -> None:
        """As a careful system does it: whom it is about first, then the file, each in one go."""
        if persons:
            (self.folder / f"{name}.personer.json").write_bytes(orjson.dumps(persons))
        (self.folder / f"{name}.tmp").write_bytes(body)
        (self.folder / f"{name}.tmp").rename(self.folder / name)

    def names(self, folder: str = "") -> set[str]:
        return {p.name for p in (self.folder / folder).iterdir() if p.is_file()}

    def receipt(self, folder: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads((self.folder / folder / f"{name}.kvittering.json").read_bytes())
        return found


@pytest.fixture
async def database(make_database: MakeDatabase) -> AsyncEngine:
    return await make_database("nav", lane.metadata)


Serving = Callable[[], Any]


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


@pytest.fixture
def serving(settings: Settings, catalogue: Catalogue, database: AsyncEngine, port: int) -> Serving:
    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        app = build(
            settings, Registry.of(catalogue, {"nav": [DigisosSoker()]}), {"nav": database}, lambda: NOW
        )
        stop = asyncio.Event()
        server = asyncio.create_task(serve(app, "127.0.0.1", port, stop))
        try:
            async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(PATIENCE_S):
                while not await _answers(http, f"http://127.0.0.1:{port}/helse"):
                    await asyncio.sleep(0.01)
            yield
        finally:
            stop.set()
            await server

    return running


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def drop(tmp_path: Path, settings: Settings, port: int) -> Sender:
    who = Principal(sub="fag", rolle="fagsystem", orgnr="974557746", kommune="4601", tjeneste="nav")
    return Sender(tmp_path, f"http://127.0.0.1:{port}", issue(who, settings, NOW, timedelta(hours=1)))


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.01)


async def rows(database: AsyncEngine) -> int:
    async with database.begin() as conn:
        return int(await (await driver(conn)).fetchval("SELECT count(*) FROM journal"))


async def test_a_good_file_is_kvittert_and_a_broken_one_avvist_each_with_its_answer_beside(
    drop: Sender, serving: Serving, database: AsyncEngine
) -> None:
    async with serving(), drop.following():
        drop.put("god.json", GOOD, person=CHILD)
        drop.put("feil.json", BROKEN, person=CHILD)
        await until(lambda: len(drop.told) == 2)
    assert drop.names() == set()
    assert drop.names(KVITTERT) == {"god.json", "god.json.kvittering.json"}
    taken, refused = drop.receipt(KVITTERT, "god.json"), drop.receipt(AVVIST, "feil.json")
    assert (taken["fil"], taken["utfall"], taken["status"]) == ("god.json", "kvittert", 202)
    assert len(taken["kvitteringer"]) == await rows(database) == 10
    assert taken["feil"] == []
    assert {a["kode"] for a in taken["advarsler"]} == {"gir-ingen-hendelse"}
    assert refused["status"] == 422
    assert [(f["peker"], f["kode"]) for f in refused["feil"]] == [
        ("/hendelser/0/hendelsestidspunkt", "mangler"),
        ("/hendelser/0/status", "mangler"),
    ]
    assert all(f["feil"] and f["gjor"] and "linje" in f for f in refused["feil"])
    assert (drop.folder / KVITTERT / "god.json").read_bytes() == GOOD
    assert drop.told == [taken, refused] or drop.told == [refused, taken]


async def test_the_numbers_beside_a_file_are_deleted_when_it_is_taken_and_follow_it_when_it_is_not(
    drop: Sender, serving: Serving, database: AsyncEngine
) -> None:
    async with serving(), drop.following():
        drop.put("god.json", GOOD, person=None, barn=[CHILD, SISTER])
        drop.put("feil.json", BROKEN, person=CHILD)
        await until(lambda: len(drop.told) == 2)
    assert await rows(database) == 20  # a parent's case, on each child
    assert drop.names() == set()
    assert "god.json.personer.json" not in drop.names(KVITTERT)
    kept = drop.folder / AVVIST / "feil.json.personer.json"
    assert orjson.loads(kept.read_bytes()) == {"person": CHILD}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    for receipt in drop.told:
        assert CHILD not in str(receipt)


@pytest.mark.parametrize(
    "persons", [b"{", b'{"person": 1}', b'{"navn": "x"}', b"[]", b'{"person": ""}', b" " * 100_000]
)
async def test_a_file_is_not_sent_when_what_is_beside_it_cannot_be_read(
    drop: Sender, serving: Serving, database: AsyncEngine, persons: bytes
) -> None:
    async with serving(), drop.following():
        (drop.folder / "a.json.personer.json").write_bytes(persons)
        drop.put("a.json", GOOD)
        await until(lambda: len(drop.told) == 1)
    assert [f["kode"] for f in drop.receipt(AVVIST, "a.json")["feil"]] == ["personer-ugyldig"]
    assert await rows(database) == 0


async def test_a_file_being_written_and_files_of_others_are_left_alone(
    drop: Sender, serving: Serving
) -> None:
    (drop.folder / "mappe").mkdir()
    (drop.folder / "lenke.json").symlink_to("/etc/hostname")
    for name in (".skjult.json", "halv.json.tmp", "halv.json.part", "x.kvittering.json", "y.personer.json"):
        (drop.folder / name).write_bytes(GOOD)
    before = drop.names()
    async with serving(), drop.following():
        with (drop.folder / "sakte.json").open("wb") as file:
            for start in range(0, len(GOOD), 200):
                file.write(GOOD[start : start + 200])
                file.flush()
                await asyncio.sleep(0.02)
                assert drop.told == []
        await until(lambda: len(drop.told) == 1)
    assert drop.names() == before
    assert drop.told[0]["fil"] == "sakte.json"
    assert {f["kode"] for f in drop.told[0]["feil"]} == {"person-mangler"}


async def test_files_stay_while_the_service_is_away_and_are_sent_when_it_is_back(
    drop: Sender, serving: Serving, database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filslipp, "backoff", lambda *_: iter(lambda: 0.05, None))
    drop.put("a.json", GOOD, person=CHILD)
    async with drop.following():
        await until(lambda: drop.waiting == ["folg-borte"])
        await asyncio.sleep(0.3)
        assert drop.waiting == ["folg-borte"]  # said once
        assert drop.names() == {"a.json", "a.json.personer.json"}
        assert drop.told == []
        async with serving():
            await until(lambda: len(drop.told) == 1)
    assert drop.told[0]["utfall"] == "kvittert"
    assert await rows(database) == 10


async def test_a_token_that_is_not_accepted_is_no_fault_of_the_file(drop: Sender, serving: Serving) -> None:
    drop.put("a.json", GOOD, person=CHILD)
    drop._token = "x"
    async with serving(), drop.following():
        await until(lambda: drop.waiting == ["folg-tilgang"])
    assert drop.names() == {"a.json", "a.json.personer.json"}


async def test_a_crash_between_the_sending_and_the_move_harms_nothing(
    drop: Sender, serving: Serving, database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended before the receipt, before the numbers are gone, and before the file is moved."""
    async with serving():
        for number, (owner, name) in enumerate(
            ((filslipp, "_write"), (Path, "unlink"), (Path, "replace")), start=1
        ):
            drop.put("a.json", GOOD, person=CHILD)
            with monkeypatch.context() as patch:
                real: Callable[..., Any] = getattr(owner, name)

                def crash(path: Path, *rest: Any, _real: Callable[..., Any] = real, **more: Any) -> Any:
                    if path.name.startswith("a") and path.parent.name in (KVITTERT, drop.folder.name):
                        raise KeyboardInterrupt
                    return _real(path, *rest, **more)

                patch.setattr(owner, name, crash)
                with pytest.raises(KeyboardInterrupt):
                    await _followed_here(drop)
            assert "a.json" in drop.names()
            async with drop.following():
                await until(lambda: drop.names() == set())
            assert len([n for n in drop.names(KVITTERT) if not n.endswith("kvittering.json")]) == number
            assert drop.names(AVVIST) == set()
    assert await rows(database) == 10


async def _followed_here(drop: Sender) -> None:
    """One file taken, in this task: what ends it comes out here."""
    answered: Callable[[str], Awaitable[Any]]
    async with Fagsystem(drop._url, {"nav": drop._token}) as fagsystem:

        async def send(body: bytes, companion: Companion) -> Svar:
            sending = Sending("nav", NOW, body, "", "digisos-soker", companion.person, companion.barn)
            return await fagsystem.send(sending, 1)

        one = Filslipp(
            drop.folder, send, drop.told.append, drop.waiting.append, lambda: NOW, 1_000_000, TEMPO
        )
        for name in (KVITTERT, AVVIST):
            (drop.folder / name).mkdir(exist_ok=True)
        answered = one._answered
        one._ready()
        await answered("a.json")


async def test_the_same_name_again_gets_a_number_and_the_same_content_is_known(
    drop: Sender, serving: Serving, database: AsyncEngine
) -> None:
    async with serving(), drop.following():
        for count in (1, 2, 3):
            drop.put("a.json", GOOD, person=CHILD)
            await until(lambda count=count: len(drop.told) == count)  # type: ignore[misc]
    files_ = {"a.json", "a-2.json", "a-3.json"}
    assert drop.names(KVITTERT) == files_ | {f"{name}.kvittering.json" for name in files_}
    assert {k["status"] for k in drop.receipt(KVITTERT, "a-2.json")["kvitteringer"]} == {"kjent"}
    assert await rows(database) == 10


async def test_a_file_larger_than_we_take_is_refused_unread(drop: Sender, serving: Serving) -> None:
    with (drop.folder / "stor.json").open("wb") as file:
        os.truncate(file.fileno(), 1 << 30)
    async with serving(), drop.following(file_bytes_most=1_000):
        await until(lambda: len(drop.told) == 1)
    assert [f["kode"] for f in drop.receipt(AVVIST, "stor.json")["feil"]] == ["fil-for-stor"]


async def test_a_file_larger_than_the_service_takes_is_avvist_with_what_the_service_said(
    drop: Sender, serving: Serving, settings: Settings
) -> None:
    drop.put("stor.json", b" " * (settings.body_bytes_max + 1))
    async with serving(), drop.following(file_bytes_most=1 << 30):
        await until(lambda: len(drop.told) == 1)
    receipt = drop.receipt(AVVIST, "stor.json")
    assert receipt["status"] == 413
    assert receipt["feil"][0]["gjor"]


@pytest.mark.parametrize("length", [230, 239, 240, 242, 255])
async def test_a_name_too_long_for_its_receipt_is_said_and_those_behind_it_are_sent(
    drop: Sender, serving: Serving, database: AsyncEngine, length: int
) -> None:
    name = "a" * (length - len(".json")) + ".json"
    (drop.folder / name).write_bytes(GOOD)
    drop.put("b.json", GOOD, person=CHILD)
    fits = length < 240
    async with serving(), drop.following():
        await until(lambda: len(drop.told) == 1 + fits)
    assert "b.json" in drop.names(KVITTERT)
    assert drop.names() == (set() if fits else {name})
    assert drop.waiting == ([] if fits else ["folg-navn"])
    assert messages("deploy").text("folg-navn")


async def test_a_folder_is_followed_by_one_at_a_time(drop: Sender, serving: Serving) -> None:
    async with serving(), drop.following():
        await until(lambda: (drop.folder / KVITTERT).exists())
        with pytest.raises(FolderTaken):
            async with drop.following():
                pass


async def test_a_stop_waits_for_the_answer_on_its_way_and_leaves_the_rest(
    drop: Sender, tmp_path: Path
) -> None:
    sent, answered = asyncio.Event(), asyncio.Event()

    async def slow(body: bytes, companion: Companion) -> Svar:
        sent.set()
        await answered.wait()
        return Svar(202, [], [])

    for name in ("a.json", "b.json"):
        drop.put(name, GOOD)
    stop = asyncio.Event()
    one = Filslipp(tmp_path, slow, drop.told.append, drop.waiting.append, lambda: NOW, 1_000_000, TEMPO)
    running = asyncio.create_task(one.run(stop))
    await asyncio.wait_for(sent.wait(), PATIENCE_S)
    stop.set()
    await asyncio.sleep(0.05)
    answered.set()
    await asyncio.wait_for(running, PATIENCE_S)
    assert [receipt["fil"] for receipt in drop.told] == ["a.json"]
    assert drop.names() == {"b.json"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_command_follows_until_it_is_told_to_stop(
    drop: Sender,
    serving: Serving,
    port: int,
    tmp_path_factory: pytest.TempPathFactory,
    number: signal.Signals,
) -> None:
    data_dir = tmp_path_factory.mktemp("data")
    (data_dir / "token").write_text(drop._token)
    drop.put("a.json", GOOD, person=CHILD)
    async with serving():
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.cli", "send", "nav", "--følg", str(drop.folder), "--json"),
            *(
                "--format",
                "digisos-soker",
                "--token-fil",
                str(data_dir / "token"),
                "--data-dir",
                str(data_dir),
            ),
            env={**os.environ, "SAMSPOR_TJENESTER_PORT": str(port), "PYTHONIOENCODING": "utf-8"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout
            told = orjson.loads(await asyncio.wait_for(process.stdout.readline(), 60))
            assert (told["fil"], told["utfall"]) == ("a.json", "kvittert")
            process.send_signal(number)
            _, said = await asyncio.wait_for(process.communicate(), 60)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0
    assert "Traceback" not in said.decode()
