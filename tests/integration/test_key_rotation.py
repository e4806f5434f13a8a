"""The key-encryption key changed under a running system: old data stays readable, also broken off in the middle."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from backbone import lane
from backbone.database import create_engine, driver
from backbone.failures import Stop
from backbone.journal import Journal, JournalKeys, NewEvent
from backbone.settings import DEFAULT_KEK, MissingSecret, Settings, add_embedded_kek, fresh_key
from contracts.catalogue import Catalogue
from contracts.envelope import Content
from deploy import nokler
from deploy.nokler import rotate
from services.runner.memory import Memory, MemoryKeys, forget
from services.samtykke.nokler import KeyStore
from services.samtykke.tables import nokler_metadata
from tests.conftest import NOW, MakeDatabase
from tests.pipeline_fixture import make_all


def renewed(settings: Settings) -> Settings:
    """The settings once a new key is the current one."""
    assert settings.kek is not None
    return settings.model_copy(
        update={
            "kek": SecretStr(fresh_key()),
            "kek_id": "kek-2",
            "kek_earlier": {DEFAULT_KEK: settings.kek},
        }
    )


def without_earlier(settings: Settings) -> Settings:
    return settings.model_copy(update={"kek_earlier": {}})


async def turned(settings: Settings, catalogue: Catalogue, batch: int = 1_000) -> dict[str, int]:
    found = rotate(settings, catalogue, lambda: NOW, batch)
    return {f"{place.database}.{place.table}": count async for place, count in found if count}


async def test_everything_that_a_key_wraps_is_read_before_during_and_after_a_rotation(
    settings: Settings, topics: Catalogue, make_database: MakeDatabase
) -> None:
    engines = await make_all(topics, make_database)
    owners = [(uuid4(), "skole") for _ in range(5)]
    store = KeyStore(engines["nokler"], settings)
    before = await store.of(owners)
    event = NewEvent("h-1", "/4601/skole/1", "t", "4601", "9" * 9, NOW, Content(nokkel="n", data={}), sak="s")
    async with engines["skole"].begin() as connection:
        conn = await driver(connection)
        await Journal(settings, "skole").append(conn, [event], NOW)
        memory = Memory(conn, MemoryKeys(settings, "skole"), "/4601 f", NOW)
        memory.take({"a": "husket"})
        await memory.save()
        (journal_key,) = await conn.fetch("SELECT id FROM journalnokkel")
        kept = await JournalKeys(settings, "skole").load(conn, [journal_key["id"]])

    new = renewed(settings)
    assert await KeyStore(engines["nokler"], new).of(owners) == before
    with pytest.raises(Stop):
        await KeyStore(engines["nokler"], without_earlier(new)).of(owners)
    assert await turned(new, topics, batch=2) == {
        "nokler.datanokkel": 5,
        "skole.journalnokkel": 1,
        "skole.formatnokkel": 1,
    }
    assert await turned(new, topics) == {}
    alone = without_earlier(new)
    assert await KeyStore(engines["nokler"], alone).of(owners) == before
    async with engines["skole"].begin() as connection:
        conn = await driver(connection)
        assert await JournalKeys(alone, "skole").load(conn, [journal_key["id"]]) == kept
        again = Memory(conn, MemoryKeys(alone, "skole"), "/4601 f", NOW)
        await again.load({"a"})
        assert again.state == {"a": "husket"}
    async with engines["samtykke"].begin() as connection:
        rows = await (await driver(connection)).fetch("SELECT slag, detaljer FROM revisjon ORDER BY lopenr")
    assert [(r["slag"], r["detaljer"]) for r in rows] == [
        ("nokkelrotasjon", {"kek": "kek-2", "nokler": count}) for count in (7, 0)
    ]


async def test_a_rotation_broken_off_goes_on_where_it_stopped_and_all_is_readable_meanwhile(
    settings: Settings, make_database: MakeDatabase, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await make_database("nokler", nokler_metadata)
    owners = [(uuid4(), "skole") for _ in range(7)]
    before = await KeyStore(engine, settings).of(owners)
    new = renewed(settings)
    place = nokler.places(new, catalogue)[0]
    assert await nokler._some(engine, place, 3) == 3
    wrap, count = place.keks.wrap, iter(range(2))

    def killed(key: bytes, context: bytes) -> bytes:
        if next(count, None) is None:
            raise KeyboardInterrupt
        return wrap(key, context)

    with monkeypatch.context() as patch:
        patch.setattr(place.keks, "wrap", killed)
        with pytest.raises(KeyboardInterrupt):
            await nokler._some(engine, place, 3)
    assert await KeyStore(engine, new).of(owners) == before
    assert [await nokler._some(engine, place, 3) for _ in range(3)] == [3, 1, 0]
    assert await KeyStore(engine, without_earlier(new)).of(owners) == before


def test_the_embedded_run_keeps_its_earlier_keys_in_its_file_of_secrets(tmp_path: Path) -> None:
    first = Settings.embedded(tmp_path)
    assert add_embedded_kek(tmp_path) == "kek-2"
    second = Settings.embedded(tmp_path)
    assert second.kek_id == "kek-2" and second.keks()["kek-1"] == first.secret_bytes("kek")
    assert add_embedded_kek(tmp_path) == "kek-3"
    assert set(Settings.embedded(tmp_path).keks()) == {"kek-1", "kek-2", "kek-3"}
    file = tmp_path / "hemmeligheter.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text())["identity_key"]


def test_a_key_is_never_given_the_id_of_another(tmp_path: Path) -> None:
    file = tmp_path / "hemmeligheter.json"
    Settings.embedded(tmp_path)
    add_embedded_kek(tmp_path)
    second = Settings.embedded(tmp_path)
    alone = {**json.loads(file.read_text()), "kek_earlier": {}}  # all is wrapped anew, the old one taken out
    file.write_text(json.dumps(alone))
    assert add_embedded_kek(tmp_path) == "kek-3"
    assert Settings.embedded(tmp_path).keks()["kek-2"] == second.secret_bytes("kek")

    clash = {**json.loads(file.read_text()), "kek_earlier": {"kek-3": fresh_key()}}
    file.write_text(json.dumps(clash))
    with pytest.raises(MissingSecret, match="kek-3"):
        Settings.embedded(tmp_path).keks()
    with pytest.raises(MissingSecret, match="kek-3"):
        add_embedded_kek(tmp_path)
    assert json.loads(file.read_text()) == clash


def test_the_current_key_may_be_among_the_earlier_ones_too(settings: Settings) -> None:
    assert settings.kek is not None
    both = settings.model_copy(update={"kek_earlier": {settings.kek_id: settings.kek}})
    assert both.keks() == settings.keks()


class Notes:
    """A format that remembers a note for each person, and a list of friends."""

    navn = "notater"

    def about(self, person: str, state: Any) -> set[str]:
        friends = state.get(f"venner:{person}") or []
        return {f"venner:{person}", *(f"venn:{f}" for f in friends)}


async def test_what_a_format_remembers_of_a_child_is_deleted_and_no_copy_of_it_can_be_opened(
    settings: Settings, make_database: MakeDatabase
) -> None:
    engine = await make_database("skole", lane.metadata)
    keys = MemoryKeys(settings, "skole")
    scope = "/4601/skole/1 notater"

    async def memory(change: dict[str, Any] | None = None, *wanted: str) -> dict[str, Any]:
        async with engine.begin() as connection:
            one = Memory(await driver(connection), keys, scope, NOW)
            await one.load(set(wanted))
            one.take(change or {})
            await one.save()
            return dict(one.state)

    async def rows() -> list[Any]:
        async with engine.begin() as connection:
            return list(await (await driver(connection)).fetch("SELECT * FROM formattilstand"))

    await memory({"venner:1": ["a", "b"], "venn:a": "A", "venn:b": "B", "venner:2": ["c"], "venn:c": "C"})
    copied = await rows()
    await forget(engine, keys, {"notater": Notes()}, ["1"], NOW)  # type: ignore[dict-item]
    left = {"venner:2": ["c"], "venn:c": "C"}
    wanted = ("venner:1", "venn:a", "venn:b", *left)
    assert {k: v for k, v in (await memory(None, *wanted)).items() if v is not None} == left
    async with engine.begin() as connection:
        conn = await driver(connection)
        kept = {r["id"] for r in await conn.fetch("SELECT id FROM formatnokkel")}
    assert len(kept) == 1 and kept.isdisjoint(r["nokkelid"] for r in copied)
    assert len(await rows()) == 2
    await memory({"venn:d": "D"})
    engine2 = create_engine(settings, "skole")
    await forget(engine2, keys, {"notater": Notes()}, ["2"], NOW)  # type: ignore[dict-item]
    await engine2.dispose()
    assert await memory(None, "venn:d", "venn:c") == {"venn:d": "D", "venn:c": None}
