"""A body without end, sent to a running service: refused soon, with little held, and the next sender is served."""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import lane
from backbone.http import serve
from backbone.settings import Settings
from backbone.tokens import Principal, issue
from contracts.catalogue import Catalogue
from services.registry import standard
from services.runner.app import build
from tests.conftest import NOW, MakeDatabase
from tests.unit.formats import files

GIGABYTE = 1 << 30
SENT_MOST = GIGABYTE // 4  # by the time the refusal is read; sender and service take turns in one process
HELD_MOST = 200 << 20  # more than before, in this process, which is sender and service both
SECONDS_MOST = 20
LINE = b"x" * 65_536


@pytest.fixture
async def database(make_database: MakeDatabase) -> AsyncEngine:
    return await make_database("barnevern", lane.metadata)


@pytest.fixture
async def port(settings: Settings, catalogue: Catalogue, database: AsyncEngine) -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as held:
        number = int(held.getsockname()[1])
    app = build(settings, standard(catalogue, lambda: NOW), {"barnevern": database}, lambda: NOW)
    stop = asyncio.Event()
    server = asyncio.create_task(serve(app, "127.0.0.1", number, stop))
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(SECONDS_MOST):
        while True:
            try:
                await http.get(f"http://127.0.0.1:{number}/helse")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.01)
    yield number
    stop.set()
    await server


def _token(settings: Settings) -> str:
    who = Principal(sub="fag", rolle="fagsystem", orgnr="974557746", kommune="4601", tjeneste="barnevern")
    return issue(who, settings, NOW, timedelta(hours=1))


@pytest.mark.parametrize("framing", ["declared", "chunked"])
@pytest.mark.parametrize("path", ["hendelser", "formater/ssb-barnevern", "formater/fiks-bekymringsmelding"])
async def test_a_line_of_a_gigabyte_is_refused_long_before_its_end(
    port: int, settings: Settings, path: str, framing: str
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    started = time.monotonic()
    status, problem, sent = await _sent_without_end(port, _token(settings), path, framing)
    assert status == 413
    assert problem["detail"]
    assert sent < SENT_MOST
    assert time.monotonic() - started < SECONDS_MOST
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before < HELD_MOST
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        good = await http.post(
            "/barnevern/formater/fiks-bekymringsmelding",
            content=orjson.dumps(files.OFFENTLIG),
            headers={"authorization": f"Bearer {_token(settings)}"},
        )
    assert good.status_code == 202


async def _sent_without_end(
    port: int, token: str, path: str, framing: str
) -> tuple[int, dict[str, str], int]:
    """(status, problem, bytes sent before the answer was here)"""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    length = f"Content-Length: {GIGABYTE}" if framing == "declared" else "Transfer-Encoding: chunked"
    head = f"POST /barnevern/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{length}\r\n\r\n"
    writer.write(head.encode())
    sent = 0

    async def write() -> None:
        nonlocal sent
        chunk = LINE if framing == "declared" else b"%x\r\n%s\r\n" % (len(LINE), LINE)
        while sent < GIGABYTE:
            writer.write(chunk)
            await writer.drain()
            sent += len(LINE)

    writing = asyncio.create_task(write())
    try:
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS_MOST)
        before_answer = sent
        headers = dict(line.lower().split(b": ", 1) for line in answer.split(b"\r\n")[1:] if b": " in line)
        body = await reader.readexactly(int(headers[b"content-length"]))
    finally:
        writing.cancel()
        await asyncio.wait({writing})
        writer.transport.abort()
    return int(answer.split()[1]), orjson.loads(body), before_answer
