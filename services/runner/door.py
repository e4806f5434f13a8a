"""The door to barnevern's inbox, at the address where fagsystemer already send.

The inbox is a part of its own, which alone holds the private key and judges the caller's token; this passes the call on
and the answer back, and keeps, counts and traces nothing of either.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request, Response

from backbone.client import http_client
from backbone.http import RETRY_AFTER_S
from backbone.problems import ProblemError
from backbone.settings import Settings
from contracts.innboks import MOTTAKER


class InboxDoor:
    """`open` is the application's lifespan, `paths` what it must not count or trace."""

    paths = (f"/{MOTTAKER}/innboks", f"/{MOTTAKER}/innboks/")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def open(self, _: FastAPI) -> AsyncIterator[None]:
        timeout_s = self._settings.samtykke_timeout_s
        url = self._settings.url("innboks")
        async with http_client(base_url=url, timeout=timeout_s) as self._http:
            yield

    async def knock(self, request: Request) -> Response:
        """The inbox's own answer. Raises ProblemError 503 when it is away."""
        headers = {"authorization": request.headers.get("authorization", "")}
        try:
            assert self._http is not None
            answer = await self._http.request(
                request.method, request.url.path, params=request.query_params, headers=headers
            )
        except httpx.HTTPError:
            raise ProblemError(
                503,
                "innboks-borte",
                package="services.runner",
                headers={"Retry-After": str(RETRY_AFTER_S)},
                sekunder=RETRY_AFTER_S,
            ) from None
        told = {
            name: answer.headers[name]
            for name in ("www-authenticate", "retry-after")
            if name in answer.headers
        }
        return Response(answer.content, answer.status_code, told, answer.headers.get("content-type"))
