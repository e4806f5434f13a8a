"""The HTTP client of every part: its errors are httpx's, whatever beneath it fails."""

from typing import Any

import httpx


class Transport(httpx.AsyncHTTPTransport):
    """httpx's own; a connection that is lost just as it is made is an httpx.ConnectError.

    anyio then asks a socket that is gone (AttributeError) and uvloop writes on a closed transport (RuntimeError), and
    httpcore passes both on: whoever waits out httpx.HTTPError would end of them.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except (AttributeError, RuntimeError, OSError) as error:
            raise httpx.ConnectError(type(error).__name__, request=request) from None


def http_client(**settings: Any) -> httpx.AsyncClient:
    """With `settings` of httpx.AsyncClient; proxies of the environment are not used."""
    return httpx.AsyncClient(transport=Transport(), trust_env=False, **settings)
