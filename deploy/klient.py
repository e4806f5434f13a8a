"""The fagsystem's side of the HTTP API: sends until there is an answer, and can remember what it was told.

Sending the same again is harmless, so every doubt (no connection, a cut answer, 503) is met by sending again.
"""

import asyncio
import itertools
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import orjson

from backbone.client import http_client
from backbone.failures import backoff
from deploy.kommune.hverdag import Sending

TIMEOUT_S = 30.0
BUSY = frozenset({429, 502, 503, 504})


class Utfall(StrEnum):
    """What the client knows: written down before the call (`ukjent`) and after it."""

    OK = "ok"
    FEIL = "feil"
    UKJENT = "ukjent"


@dataclass(frozen=True)
class Svar:
    """The answer to one sending. `kvitteringer`, `feil` and `advarsler` as the service gave them."""

    status: int
    kvitteringer: list[dict[str, Any]]
    feil: list[dict[str, Any]]
    advarsler: list[dict[str, Any]] = field(default_factory=list)

    @property
    def utfall(self) -> Utfall:
        return Utfall.FEIL if self.feil else Utfall.OK


class Journal:
    """A file of JSON lines, each on disk before the next step: what was sent, and what became of it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, ref: str, utfall: Utfall, **detaljer: Any) -> None:
        os.write(self._file, orjson.dumps({"ref": ref, "utfall": utfall, **detaljer}) + b"\n")
        os.fsync(self._file)


class Fagsystem:
    """Sends to the services at `url` with one bearer token per service."""

    def __init__(self, url: str, tokens: Mapping[str, str], journal: Journal | None = None) -> None:
        self._tokens = tokens
        self._journal = journal
        self._http = http_client(base_url=url, timeout=TIMEOUT_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def send(self, sending: Sending, tries_max: int | None = None) -> Svar:
        """Raises httpx.TransportError or httpx.HTTPStatusError when `tries_max` tries gave no answer (None: never)."""
        if self._journal:
            self._journal.write(sending.ref, Utfall.UKJENT)
        svar = await self._until_answered(sending, tries_max)
        if self._journal:
            self._journal.write(
                sending.ref, svar.utfall, status=svar.status, kvitteringer=svar.kvitteringer, feil=svar.feil
            )
        return svar

    async def _until_answered(self, sending: Sending, tries_max: int | None) -> Svar:
        waits = backoff(random.Random())
        for tries in itertools.count(1):
            try:
                return await self._once(sending)
            except (httpx.TransportError, httpx.HTTPStatusError):
                if tries == tries_max:
                    raise
                await asyncio.sleep(next(waits))
        raise AssertionError  # the count has no end

    async def _once(self, sending: Sending) -> Svar:
        headers = {"Authorization": f"Bearer {self._tokens[sending.tjeneste]}"}
        if sending.format is None:
            headers["Content-Type"] = "application/json"
            answer = await self._http.post(
                f"/{sending.tjeneste}/hendelser", content=sending.body, headers=headers
            )
        elif sending.person is None and not sending.barn:
            headers["Content-Type"] = "application/json"
            answer = await self._http.post(
                f"/{sending.tjeneste}/formater/{sending.format}", content=sending.body, headers=headers
            )
        else:
            answer = await self._http.post(
                f"/{sending.tjeneste}/formater/{sending.format}",
                files=[
                    ("fil", (f"{sending.format}.json", sending.body, "application/json")),
                    *([("person", (None, sending.person.encode()))] if sending.person else []),
                    *(("barn", (None, nummer.encode())) for nummer in sending.barn),
                ],
                headers=headers,
            )
        if answer.status_code in BUSY:
            answer.raise_for_status()
        return _read(answer)


def _read(answer: httpx.Response) -> Svar:
    """A refusal of the whole request is told as one error at the root. Raises httpx.RemoteProtocolError for what is
    no answer of ours, as when something between says a word of its own."""
    try:
        kropp = answer.json()
    except ValueError:
        raise httpx.RemoteProtocolError("not an answer of the service") from None
    feil = kropp.get("feil", [])
    if answer.status_code != httpx.codes.ACCEPTED and not feil:
        feil = [{"peker": "", "kode": kropp["type"], "feil": kropp["title"], "gjor": kropp["detail"]}]
    return Svar(answer.status_code, kropp.get("kvitteringer", []), feil, kropp.get("advarsler", []))
