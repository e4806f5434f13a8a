"""Copies of databases as an operator makes them, and everything that can be read out of them with a set of keys."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from sqlalchemy import make_url

from backbone.database import create_engine, dedicated, driver
from backbone.journal import JournalKeys
from backbone.kek import Keks
from backbone.seal import NONCE_BYTES, derive
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from contracts.tjenester import SAMORDNING, SAMTYKKE
from deploy.engines.postgres import programs
from services.runner.memory import memory_keks
from services.samtykke.nokler import context

KEPT_OUT = ("journalnokkel", "formatnokkel")
"""Tables of keys, which belong with the keys' database: their backups are kept 24 hours."""
TAG_BYTES = 16
_BYTEA = re.compile(rb"\\\\x((?:[0-9a-f]{2})+)")


def forms(secret: str) -> dict[str, bytes]:
    """The ways that a text is written by accident."""
    utf8 = secret.encode()
    return {
        "utf-8": utf8,
        "utf-16-le": secret.encode("utf-16-le"),
        "utf-16-be": secret.encode("utf-16-be"),
        "hex": utf8.hex().encode(),
        "HEX": utf8.hex().upper().encode(),
        "url": "".join(f"%{b:02X}" for b in utf8).encode(),
        "xml": "".join(f"&#{ord(c)};" for c in secret).encode(),
        "reversed": secret[::-1].encode(),
        **{f"base64+{n}": _base64(utf8, n) for n in range(3)},
    }


def _base64(text: bytes, shift: int) -> bytes:
    """What stands in base64 whatever lies around it: `shift` bytes before, and an uncut middle."""
    encoded = base64.b64encode(b"\0" * shift + text)
    first = -(-shift * 8 // 6)
    return encoded[first : (shift + len(text)) * 8 // 6]


def found(secrets: Iterable[str], content: bytes) -> set[str]:
    """Which secret stands in it, and how."""
    lower = content.lower()
    return {
        f"{secret} ({how})"
        for secret in secrets
        for how, form in forms(secret).items()
        if form in content or (how in ("utf-8", "hex") and form.lower() in lower)
    }


async def run(program: str, *arguments: str, database: str, settings: Settings) -> bytes:
    url = make_url(settings.database_url or "").set(database=database)
    target = url.set(drivername="postgresql").render_as_string(hide_password=False)
    process = await asyncio.create_subprocess_exec(
        str(programs() / program), *arguments, target, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, program
    return out


async def dump(settings: Settings, database: str, *, keys: bool = False) -> bytes:
    """pg_dump of one database, without the tables of keys unless `keys`."""
    without = [] if keys else [f"--exclude-table-data={table}" for table in KEPT_OUT]
    return await run("pg_dump", *without, database=database, settings=settings)


async def restore(settings: Settings, database: str, content: bytes, folder: Path) -> None:
    """Into a new database."""
    file = folder / f"{database}.sql"
    file.write_bytes(content)
    made = f'CREATE DATABASE "{database}" TEMPLATE template0'
    await run("psql", "-qc", made, database="postgres", settings=settings)
    await run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(file), database=database, settings=settings)


async def keyring(settings: Settings, catalogue: Catalogue) -> list[bytes]:
    """Every key that there is at this moment: in the settings, in the keys' database, in the services'."""
    secrets = [settings.secret_bytes(name) for name in ("kek", "identity_key", "service_key")]
    owners = (*catalogue.tjenester, SAMTYKKE, SAMORDNING)
    found = [*secrets, *(derive(secrets[0], label, o) for label in KEPT_OUT for o in owners)]
    keks = Keks(settings)
    async for row in rows(settings, "nokler", "datanokkel"):
        bound = context(row["nokkelid"], row["subject"], row["tjeneste"])
        found.append(keks.unwrap(row["kek_id"], row["innpakket"], bound))
    for owner in owners:
        engine = create_engine(settings, owner, 2)
        async with engine.begin() as connection:
            conn = await driver(connection)
            ids = [row["id"] for row in await conn.fetch("SELECT id FROM journalnokkel")]
            found += (await JournalKeys(settings, owner).load(conn, ids)).values()
        await engine.dispose()
        memory = memory_keks(settings, owner)
        async for row in rows(settings, owner, "formatnokkel"):
            found.append(memory.unwrap(row["kek_id"], row["innpakket"], row["id"].bytes))
    return found


async def rows(settings: Settings, database: str, table: str) -> AsyncIterator[Any]:
    engine = create_engine(settings, database, 2)
    conn = await dedicated(engine)
    try:
        for row in await conn.fetch(f'SELECT * FROM "{table}"'):
            yield row
    finally:
        await conn.close()
        await engine.dispose()


def blobs(dumped: bytes) -> list[bytes]:
    """Every value in a dump that might be sealed."""
    return [bytes.fromhex(found.decode()) for found in _BYTEA.findall(dumped)]


def opened(blobs: Iterable[bytes], keys: Sequence[bytes]) -> bytes:
    """Each blob under each key, whatever it was bound to: AES-GCM is AES-CTR with a tag that we do not ask about."""
    out = []
    for blob in blobs:
        if len(blob) > NONCE_BYTES + TAG_BYTES:
            counter = blob[:NONCE_BYTES] + (2).to_bytes(4, "big")
            for key in keys:
                decryptor = Cipher(algorithms.AES(key), modes.CTR(counter)).decryptor()
                out.append(decryptor.update(blob[NONCE_BYTES:-TAG_BYTES]))
    return b"\n".join(out)


async def records(settings: Settings, catalogue: Catalogue) -> list[Any]:
    """Everything that lies on Kafka under this run's prefix."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [
            TopicPartition(settings.topic(topic.navn), nr)
            for topic in catalogue.topics()
            for nr in range(topic.partitions)
        ]
        ends = await consumer.end_offsets(partitions)
        unread = {partition: end for partition, end in ends.items() if end > 0}
        consumer.assign(list(unread))
        out: list[Any] = []
        while unread:
            for partition, some in (await consumer.getmany(timeout_ms=1000)).items():
                out += some
                if some[-1].offset + 1 >= unread[partition]:
                    del unread[partition]
        return out
    finally:
        await consumer.stop()
