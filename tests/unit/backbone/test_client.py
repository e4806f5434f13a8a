"""A client's errors are httpx's."""

import httpcore
import httpx
import pytest

from backbone.client import http_client


@pytest.mark.parametrize("error", [AttributeError("family"), RuntimeError("closed"), ConnectionResetError()])
async def test_a_connection_lost_just_as_it_is_made_is_an_error_of_httpx(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise error

    monkeypatch.setattr(httpcore.AsyncConnectionPool, "handle_async_request", lost)
    async with http_client(base_url="http://127.0.0.1:1") as client:
        with pytest.raises(httpx.ConnectError, match=type(error).__name__):
            await client.get("/")
