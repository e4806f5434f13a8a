"""Accept: POST of NDJSON and of single events through HTTP, against executemany of the same rows and of bare ones."""

import asyncio
import re
import secrets
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import cache

import asyncpg
import httpx

from backbone.tokens import Principal, issue
from tests.benchmarks.load import generic_events
from tests.benchmarks.stand import KOMMUNE, ORGNR, TJENESTE, Stand, now

LINES_PER_CALL = 1_000
CALLERS = 8
BARE = "CREATE TABLE IF NOT EXISTS bare (id text PRIMARY KEY, type text, tid timestamptz, innhold bytea)"


async def bulk(stand: Stand, count: int, seed: int) -> float:
    """Events a second, NDJSON of LINES_PER_CALL lines a call, one call at a time."""
    lines = list(generic_events(count, seed))
    async with stand.part("tjenester"), _client(stand) as http:
        started = time.perf_counter()
        for first in range(0, count, LINES_PER_CALL):
            await _post(http, b"\n".join(lines[first : first + LINES_PER_CALL]))
        return count / (time.perf_counter() - started)


async def single(stand: Stand, count: int, seed: int) -> float:
    """Events a second, one a call, eight callers that write HTTP/1.1 themselves: a client library in Python costs as
    much as the service."""
    lines = iter(list(generic_events(count, seed)))
    async with stand.part("tjenester"):

        async def caller() -> None:
            reader, writer = await asyncio.open_connection(stand.settings.host, stand.settings.tjenester_port)
            for line in lines:
                head = (
                    f"POST /{TJENESTE}/hendelser HTTP/1.1\r\nhost: bench\r\ncontent-length: {len(line)}\r\n"
                )
                writer.write(f"{head}authorization: {_bearer(stand)}\r\n\r\n".encode() + line)
                await _accepted(reader)
            writer.close()

        started = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(CALLERS)))
        return count / (time.perf_counter() - started)


async def _accepted(reader: asyncio.StreamReader) -> None:
    answer = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not answer.startswith(b"http/1.1 202 "):
        raise RuntimeError("not accepted")
    length = re.search(rb"content-length: (\d+)", answer)
    assert length is not None
    await reader.readexactly(int(length[1]))


async def same_rows(stand: Stand) -> float:
    """Rows a second: asyncpg's executemany of what `bulk` has just written, the journal's columns and the journal's
    indexes, as many a transaction: what is left of accepting when nothing is read, checked, sealed or answered."""
    columns = "source, id, type, kommune, orgnr, tid, mottatt, avtrykk, journalnokkel, innhold, traceparent"
    places = ", ".join(f"${nr + 1}" for nr in range(len(columns.split(","))))
    statement = f"INSERT INTO journal ({columns}) VALUES ({places}) ON CONFLICT DO NOTHING"
    async with stand.database(TJENESTE) as conn:
        rows = [tuple(r) for r in await conn.fetch(f"SELECT {columns} FROM journal ORDER BY lopenr")]
        await conn.execute("TRUNCATE journal")
        started = time.perf_counter()
        for first in range(0, len(rows), LINES_PER_CALL):
            async with conn.transaction():
                await conn.executemany(statement, rows[first : first + LINES_PER_CALL])
        return len(rows) / (time.perf_counter() - started)


async def bare(stand: Stand, count: int, seed: int) -> float:
    """Rows a second: asyncpg's executemany of the same bytes into a table of four columns and no index but the key."""
    lines = list(generic_events(count, seed))
    at = now()
    async with stand.database(TJENESTE) as conn:
        await conn.execute(BARE)
        started = time.perf_counter()
        for first in range(0, count, LINES_PER_CALL):
            batch = lines[first : first + LINES_PER_CALL]
            rows = [(f"{seed}-{first + nr}", "fravaer", at, line) for nr, line in enumerate(batch)]
            async with conn.transaction():
                await conn.executemany("INSERT INTO bare VALUES ($1, $2, $3, $4)", rows)
        return count / (time.perf_counter() - started)


async def bare_single(stand: Stand, count: int, seed: int) -> float:
    """Rows a second: one INSERT and commit a row, eight connections, the same bytes."""
    lines = iter(list(generic_events(count, seed)))
    at = now()
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(stand.database(TJENESTE)) for _ in range(CALLERS)]
        await connections[0].execute(BARE)

        async def caller(conn: asyncpg.Connection) -> None:
            for line in lines:
                await conn.execute(
                    "INSERT INTO bare VALUES ($1, $2, $3, $4)", secrets.token_hex(16), "x", at, line
                )

        started = time.perf_counter()
        await asyncio.gather(*(caller(conn) for conn in connections))
        return count / (time.perf_counter() - started)


def _client(stand: Stand) -> httpx.AsyncClient:
    headers = {"authorization": _bearer(stand)}
    return httpx.AsyncClient(
        base_url=stand.settings.url("tjenester"), headers=headers, timeout=60, trust_env=False
    )


@cache
def _bearer(stand: Stand) -> str:
    sender = Principal(sub="bench", rolle="fagsystem", orgnr=ORGNR, kommune=KOMMUNE, tjeneste=TJENESTE)
    return "Bearer " + issue(sender, stand.settings, now(), timedelta(hours=1))


async def _post(http: httpx.AsyncClient, body: bytes) -> None:
    answer = await http.post(f"/{TJENESTE}/hendelser", content=body)
    if answer.status_code != 202:
        raise RuntimeError(f"not accepted: {answer.status_code}")
