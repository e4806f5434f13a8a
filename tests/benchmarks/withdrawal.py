"""`make bench-withdrawal`: how long a withdrawal takes to hold, under load.

Each withdrawal is timed from its 2xx to the first refusal at each gate: the page (NAV's, of the child), the API (the
read gate as the portal asks it), and another service's publish (the relay's decision about the school's next event,
which rested on the consent). Withdrawals begin at an even pace, whether those before them have ended or not. Meanwhile
other children's events come in at half of what the whole way, from accept to timeline, was just measured to take. A
gate that lets something through is asked again at once: its figure runs until it refuses.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import orjson
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from backbone.tokens import Principal, issue, system_principal
from tests.benchmarks.load import generic_events, number
from tests.benchmarks.stand import KOMMUNE, ORGNR, TJENESTE, Stand, engines, now, stand

PARTS = ("samtykke", "tjenester", "relay", "samordning", "portal")
SCHOOL = Principal(sub="bench", rolle="fagsystem", orgnr=ORGNR, kommune=KOMMUNE, tjeneste=TJENESTE)
READER = Principal(sub="bench:nav", rolle="fagperson", orgnr=ORGNR, kommune=KOMMUNE, tjeneste="nav")
SYSTEM = system_principal("bench", KOMMUNE)
TOKEN_LIFE = timedelta(hours=3)
TYPE, KATEGORI, SAID = "ppt.henvist", "tilrettelegging", "Henvist til PPT"
TARGET_S = 1.0
A_SECOND = 2
"""Withdrawals that begin, whether those before them have ended or not. With all that each one asks, four a second are a
load of their own: a third of what the events at half of the capacity take."""
GIVEN_AT_ONCE = 20
LOADS_A_SECOND = 5
PATIENCE_S = 300.0
FIRST_BIRTH = date(2016, 1, 1)
"""Other years than those of the load's children."""

Gate = Callable[[str], Awaitable[bool]]
"""Asks once about a child: True when it refused."""


@dataclass
class Figures:
    """Seconds from the 2xx to the first refusal, by gate; events a second."""

    capacity: float = 0.0
    load: float = 0.0
    gates: dict[str, list[float]] = field(default_factory=lambda: {"page": [], "API": [], "publish": []})
    let_through: int = 0


def main(withdrawals: int = 1_000, events: int = 20_000) -> None:
    """`events` measure the capacity; half of it is the load while the consents are withdrawn."""
    figures = uvloop.run(measure(withdrawals, events))
    table = Table("from the 2xx to the first refusal at", "p50 ms", "p99 ms", "most ms")
    for gate, seconds in figures.gates.items():
        p50, p99 = (statistics.quantiles(seconds, n=100, method="inclusive")[place] for place in (49, 98))
        table.add_row(gate, *(f"{1000 * s:,.0f}" for s in (p50, p99, max(seconds))))
    console = Console()
    console.print(table)
    console.print(
        f"{withdrawals} withdrawals while {figures.load:,.0f} events/s came in; the whole way takes"
        f" {figures.capacity:,.0f} events/s; answers that let something through: {figures.let_through};"
        f" target p99 < {TARGET_S:.0f} s"
    )


async def measure(withdrawals: int, events: int) -> Figures:
    figures = Figures()
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(stand(await stack.enter_async_context(engines())))
        for part in PARTS:
            await stack.enter_async_context(place.part(part))
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=60))
        family = Family(place, http)
        figures.capacity = await _capacity(family, events)
        await family.give(withdrawals)
        async with _loaded(family, figures):
            began, sent = time.perf_counter(), dict[str, datetime]()
            async with asyncio.TaskGroup() as running:
                for nr in range(withdrawals):
                    await asyncio.sleep(max(0.0, began + nr / A_SECOND - time.perf_counter()))
                    running.create_task(_withdraw(family, nr, figures, sent))
        for id_, at in (await family.held_back(sent)).items():
            figures.gates["publish"].append((at - sent[id_]).total_seconds())
    return figures


class Family:
    """Everybody who calls: the fagsystem, the reader's page and API, and the family that gives and withdraws."""

    def __init__(self, place: Stand, http: httpx.AsyncClient) -> None:
        self.place = place
        self._http = http
        self._urls = {part: place.settings.url(part) for part in PARTS}
        self._tokens = {
            who.sub: issue(who, place.settings, now(), TOKEN_LIFE) for who in (SCHOOL, READER, SYSTEM)
        }
        self._consents: list[dict[str, Any]] = []

    async def call(
        self, who: Principal, method: str, part: str, path: str, content: bytes | None = None
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {self._tokens[who.sub]}"}
        return await self._http.request(method, f"{self._urls[part]}{path}", content=content, headers=headers)

    async def give(self, count: int) -> None:
        """A child each, whose school lets NAV know; and waits until NAV sees it."""
        for first in range(0, count, GIVEN_AT_ONCE):
            some = range(first, min(first + GIVEN_AT_ONCE, count))
            self._consents += await asyncio.gather(*(self._given(nr) for nr in some))
        lines = b"\n".join(orjson.dumps(self.referral(nr, "first")) for nr in range(count))
        _checked(await self.call(SCHOOL, "POST", "tjenester", f"/{TJENESTE}/hendelser", lines), 202)
        await self.on_timeline(f"type LIKE '%.{TYPE}'", count)

    async def _given(self, nr: int) -> dict[str, Any]:
        body = {
            "person": _child(nr), "kommune": KOMMUNE, "hvem": "begge-foreldre", "fra_tjeneste": TJENESTE,
            "til_tjenester": ["nav"], "kategorier": [KATEGORI], "formal": "samarbeid",
            "gyldig_fra": now() - timedelta(days=30), "utloper": None,
        }  # fmt: skip
        given = await self.call(SYSTEM, "POST", "samtykke", "/samtykke/samtykker", orjson.dumps(body))
        answer: dict[str, Any] = _checked(given, 200).json()
        return answer

    def referral(self, nr: int, mark: str) -> dict[str, Any]:
        at = (now() - timedelta(days=1)).isoformat()
        id_ = f"w-{nr}-{mark}"
        return {"type": TYPE, "person": _child(nr), "tid": at, "nokkel": id_, "id": id_}

    async def withdraw(self, nr: int) -> str:
        """The child's subject, when the answer is there."""
        given = self._consents[nr]
        path = f"/samtykke/samtykker/{given['samtykke']}/trekk"
        _checked(await self.call(SYSTEM, "POST", "samtykke", path), 200)
        return str(given["subject"])

    async def page_refuses(self, subject: str) -> bool:
        answer = await self.call(READER, "GET", "portal", f"/barn/{subject}")
        if answer.status_code not in (200, 404):
            raise RuntimeError(f"the page answered {answer.status_code}")
        return SAID not in answer.text

    async def api_refuses(self, subject: str) -> bool:
        item = {
            "ref": 0, "subject": subject, "slag": "hendelse", "type": f"no.samspor.{TJENESTE}.{TYPE}",
            "tjeneste": TJENESTE, "kategori": KATEGORI, "skjerming": "T", "nokkelid": None, "kommune": KOMMUNE,
        }  # fmt: skip
        body = {"viewer": READER.model_dump(), "formal": "maling", "items": [item]}
        answer = await self.call(SYSTEM, "POST", "samtykke", "/samtykke/lesinger", orjson.dumps(body))
        return bool(_checked(answer, 200).json()["items"][0]["tilgang"] == "deny")

    async def publish(self, nr: int) -> str:
        """One more event that rests on the consent; its id."""
        event = self.referral(nr, "after")
        _checked(
            await self.call(SCHOOL, "POST", "tjenester", f"/{TJENESTE}/hendelser", orjson.dumps(event)), 202
        )
        return str(event["id"])

    async def held_back(self, ids: Collection[str]) -> dict[str, datetime]:
        """When the relay first held back each of these events. Asked of the ledger when all is over: hundreds of calls
        a second for receipts would be a load of their own. Raises TimeoutError where one is not."""
        query = (
            "SELECT hendelse, min(tid) AS tid FROM revisjon WHERE hendelse = ANY($1::text[]) AND utfall = 'withhold'"
            " GROUP BY hendelse"
        )
        async with self.place.database(TJENESTE) as conn, asyncio.timeout(PATIENCE_S):
            while len(rows := await conn.fetch(query, list(ids))) < len(ids):
                await asyncio.sleep(0.2)
        return {row["hendelse"]: row["tid"] for row in rows}

    async def send(self, lines: list[bytes]) -> None:
        _checked(
            await self.call(SCHOOL, "POST", "tjenester", f"/{TJENESTE}/hendelser", b"\n".join(lines)), 202
        )

    async def on_timeline(self, which: str, count: int) -> None:
        async with self.place.database("samordning") as conn, asyncio.timeout(PATIENCE_S):
            while await conn.fetchval(f"SELECT count(*) FROM tidslinje WHERE {which}") < count:
                await asyncio.sleep(0.05)


async def _capacity(family: Family, events: int) -> float:
    """Events a second from accept to timeline, all parts at once on this machine."""
    lines = list(generic_events(events, 0))
    began = time.perf_counter()
    for first in range(0, events, 1_000):
        await family.send(lines[first : first + 1_000])
    await family.on_timeline("true", events)
    return events / (time.perf_counter() - began)


@asynccontextmanager
async def _loaded(family: Family, figures: Figures) -> AsyncIterator[None]:
    """Other children's events at half of the capacity, for as long as the block lasts."""
    stop = asyncio.Event()
    sending = asyncio.create_task(_send(family, figures, stop))
    try:
        yield
    finally:
        stop.set()
        await sending


async def _send(family: Family, figures: Figures, stop: asyncio.Event) -> None:
    each = max(1, round(figures.capacity / 2 / LOADS_A_SECOND))
    began, rounds = time.perf_counter(), 0
    while not stop.is_set():
        rounds += 1
        await family.send(list(generic_events(each, rounds, after=rounds * each)))
        await asyncio.sleep(max(0.0, began + rounds / LOADS_A_SECOND - time.perf_counter()))
    figures.load = rounds * each / (time.perf_counter() - began)


async def _withdraw(family: Family, nr: int, figures: Figures, sent: dict[str, datetime]) -> None:
    """Withdraws, and asks each gate; `sent` gets the id of the event that was published, and when the 2xx was there."""
    subject = await family.withdraw(nr)
    began, at = time.perf_counter(), now()

    async def until_refused(gate: Gate) -> float:
        while not await gate(subject):
            figures.let_through += 1
        return time.perf_counter() - began

    gates: dict[str, Gate] = {"page": family.page_refuses, "API": family.api_refuses}
    publishing = asyncio.create_task(family.publish(nr))
    found = await asyncio.gather(*map(until_refused, gates.values()))
    sent[await publishing] = at
    for name, seconds in zip(gates, found, strict=True):
        figures.gates[name].append(seconds)


def _child(nr: int) -> str:
    return number(nr, FIRST_BIRTH)


def _checked(answer: httpx.Response, status: int) -> httpx.Response:
    if answer.status_code != status:
        raise RuntimeError(f"{answer.request.url.path} answered {answer.status_code}: {answer.text[:300]}")
    return answer


if __name__ == "__main__":
    typer.run(main)
