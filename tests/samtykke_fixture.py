"""samtykke as the tests use it: its two databases, and its API called as our own processes and services call it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.database import dedicated
from backbone.settings import Settings
from backbone.tokens import Principal, issue, system_principal
from contracts.catalogue import Catalogue
from contracts.personnummer import tenor
from services.samtykke.app import build
from services.samtykke.endringer import Feed
from services.samtykke.forvaltning import Consents
from services.samtykke.porter import Kjerne
from services.samtykke.samtykker import Ledger
from services.samtykke.tables import metadata, nokler_metadata
from tests.conftest import NOW, MakeDatabase

ORGNR = "974767880"
KOMMUNE = "4601"
SYSTEM = system_principal("prove")
ABSENCE = "no.samspor.skole.fravaer.terskel-passert"  # T, a duty of the school's own
REFERRAL = "no.samspor.skole.ppt.henvist"  # T
PUPIL = "no.samspor.skole.elevforhold.startet"  # N
MEASURE = "no.samspor.barnevern.tiltak.iverksatt"  # X


def number(serial: int = 1, born: date = date(2015, 3, 14)) -> str:
    """A synthetic national id."""
    return tenor(born, serial)


def staff(tjeneste: str | None, rolle: Any = "fagperson", **changed: Any) -> Principal:
    fields: dict[str, Any] = {"sub": f"{rolle}:{tjeneste}", "orgnr": ORGNR, "kommune": KOMMUNE, **changed}
    return Principal(rolle=rolle, tjeneste=tjeneste, **fields)


@dataclass
class Samtykke:
    """One process of samtykke over its ASGI interface; `now` is its clock."""

    settings: Settings
    engine: AsyncEngine
    nokler: AsyncEngine
    kjerne: Kjerne
    ledger: Ledger
    feed: Feed
    http: httpx.AsyncClient
    now: datetime = NOW

    async def call(
        self, method: str, path: str, body: Any = None, who: Principal = SYSTEM, **params: Any
    ) -> Any:
        """The answer's JSON; an error answer fails the test."""
        answer = await self.raw(method, path, body, who, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def raw(
        self, method: str, path: str, body: Any = None, who: Principal = SYSTEM, **params: Any
    ) -> httpx.Response:
        token = issue(who, self.settings, self.now, timedelta(minutes=5))
        return await self.http.request(
            method,
            f"/samtykke{path}",
            content=orjson.dumps(body) if body is not None else None,
            headers={"authorization": f"Bearer {token}"},
            params=params,
        )

    async def decide(self, *items: dict[str, Any], tjeneste: str = "skole") -> list[dict[str, Any]]:
        """The publish gate; each item says what differs from absence of the first child."""
        asked = [{**self.item(nr), **item} for nr, item in enumerate(items)]
        answer = await self.call("POST", "/avgjorelser", {"tjeneste": tjeneste, "items": asked})
        found: list[dict[str, Any]] = answer["items"]
        assert [a["ref"] for a in found] == [i["ref"] for i in asked]
        return found

    def item(self, nr: int = 0) -> dict[str, Any]:
        return {
            "ref": nr,
            "person": number(),
            "sak": None,
            "subject": None,
            "kommune": KOMMUNE,
            "orgnr": ORGNR,
            "type": ABSENCE,
            "time": self.now,
        }

    async def consent(self, who: Principal = SYSTEM, **changed: Any) -> dict[str, Any]:
        """skole lets nav know of absence, unless something is changed."""
        answer: dict[str, Any] = await self.call("POST", "/samtykker", self.consent_body(**changed), who)
        return answer

    def consent_body(self, **changed: Any) -> dict[str, Any]:
        body = {
            "person": number(),
            "kommune": KOMMUNE,
            "hvem": "forelder",
            "fra_tjeneste": "skole",
            "til_tjenester": ["nav"],
            "kategorier": ["fravar", "tilrettelegging"],
            "formal": "samarbeid om skolegang",
            "gyldig_fra": self.now,
            "utloper": None,
            **changed,
        }
        return {name: value for name, value in body.items() if value is not ...}

    async def read(self, viewer: Principal, *items: dict[str, Any]) -> list[dict[str, Any]]:
        """The read gate; each item says what differs from a published absence event."""
        asked = [{**READ, "ref": nr, **item} for nr, item in enumerate(items)]
        body = {"viewer": viewer.model_dump(), "formal": "oppfolging", "items": asked, "sporing": "4bf92f35"}
        found: list[dict[str, Any]] = (await self.call("POST", "/lesinger", body))["items"]
        return found

    async def rows(self, query: str, *args: Any, database: str = "samtykke") -> list[asyncpg.Record]:
        conn = await dedicated(self.engine if database == "samtykke" else self.nokler)
        try:
            found: list[asyncpg.Record] = await conn.fetch(query, *args)
            return found
        finally:
            await conn.close()


READ: dict[str, Any] = {
    "slag": "hendelse",
    "type": ABSENCE,
    "tjeneste": "skole",
    "kategori": "fravar",
    "skjerming": "T",
    "nokkelid": None,
    "kommune": KOMMUNE,
}


@pytest.fixture(name="samtykke")
async def running_samtykke(
    settings: Settings, make_database: MakeDatabase, catalogue: Catalogue
) -> AsyncIterator[Samtykke]:
    engine = await make_database("samtykke", metadata)
    nokler = await make_database("nokler", nokler_metadata)

    def clock() -> datetime:
        return made.now

    kjerne = Kjerne.build(settings, catalogue, engine, nokler, clock)
    ledger, feed = Ledger(settings, kjerne.keys), Feed(engine, asyncio.Event())
    app = build(settings, kjerne, Consents(kjerne, ledger), feed, clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://samtykke") as http:
        made = Samtykke(settings, engine, nokler, kjerne, ledger, feed, http)
        yield made
