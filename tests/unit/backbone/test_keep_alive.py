"""A connection that a client keeps idle is still good when it is used again."""

import asyncio
from contextlib import suppress

from backbone.http import create_app, serve
from deploy.ports import free_ports

IDLE_S = 5.5
"""A little longer than httpx, and many others, keep an idle connection."""
QUESTION = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


async def test_a_server_lets_go_of_an_idle_connection_later_than_its_clients_do() -> None:
    (port,) = free_ports("127.0.0.1", 1)
    stop = asyncio.Event()
    server = asyncio.create_task(serve(create_app("prove"), "127.0.0.1", port, stop))
    try:
        reader, writer = await _connected(port)
        assert await _asked(reader, writer) == b"HTTP/1.1 404 Not Found\r\n"
        await asyncio.sleep(IDLE_S)
        assert await _asked(reader, writer) == b"HTTP/1.1 404 Not Found\r\n"
        writer.close()
    finally:
        stop.set()
        await server


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(10):
        while True:
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
            await asyncio.sleep(0.02)


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(QUESTION)
    status = await reader.readline()
    with suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            while await reader.readline() != b"\r\n":
                pass
            await reader.read(65_536)
    return status
