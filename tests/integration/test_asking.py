"""What a caller gets wrong is said as what it is: not as an outage, not as another's mistake, never passed over."""

import re
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import lane
from backbone.database import driver
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from contracts.personnummer import tenor
from services.nav.digisos_soker import DigisosSoker
from services.registry import Registry
from services.runner.app import build
from tests.conftest import NOW, MakeDatabase
from tests.integration.test_runner import CHILD, bearer
from tests.unit.formats.files import DIGISOS

PARENT = tenor(NOW.date().replace(year=1990), 5)
FIL = ("soknad.json", orjson.dumps(DIGISOS), "application/json")


@pytest.fixture
async def database(make_database: MakeDatabase) -> AsyncEngine:
    return await make_database("nav", lane.metadata)


@pytest.fixture
async def client(settings: Settings, catalogue: Catalogue, database: AsyncEngine) -> httpx.AsyncClient:
    app = build(settings, Registry.of(catalogue, {"nav": [DigisosSoker()]}), {"nav": database}, lambda: NOW)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://nav", headers=bearer(settings, "nav"))


async def post(client: httpx.AsyncClient, parts: list[tuple[str, Any]]) -> httpx.Response:
    return await client.post("/nav/formater/digisos-soker", files=parts)


async def rows(database: AsyncEngine) -> int:
    async with database.begin() as conn:
        return int(await (await driver(conn)).fetchval("SELECT count(*) FROM journal"))


def kind(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


async def test_whom_it_is_about_may_be_said_in_a_file_part(
    client: httpx.AsyncClient, database: AsyncEngine
) -> None:
    as_text = [("fil", FIL), ("person", (None, PARENT)), ("barn", (None, CHILD))]
    as_file = [("fil", FIL), ("person", ("p.txt", PARENT + "\n")), ("barn", ("b.txt", CHILD + "\r\n"))]
    first, again = await post(client, as_text), await post(client, as_file)
    assert (first.status_code, again.status_code) == (202, 202), again.text
    told = [[(k["id"], k["status"]) for k in answer.json()["kvitteringer"]] for answer in (first, again)]
    assert told[0]
    assert told[1] == [(id_, "kjent") for id_, _ in told[0]]


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([("fil", FIL), ("person", (None, PARENT)), ("barn[]", (None, CHILD))], "ukjent-del"),
        ([("fil", FIL), ("person", (None, PARENT)), ("person", (None, CHILD))], "dobbel-del"),
        ([("fil", FIL), ("fil", FIL), ("person", (None, PARENT))], "dobbel-del"),
        ([("person", (None, PARENT))], "fil-mangler"),
    ],
)
async def test_no_part_is_passed_over(
    client: httpx.AsyncClient, database: AsyncEngine, parts: list[tuple[str, Any]], code: str
) -> None:
    assert kind(await post(client, parts)) == (400, code)
    assert await rows(database) == 0


async def test_broken_multipart_is_said_to_be_that(client: httpx.AsyncClient, database: AsyncEngine) -> None:
    asked = client.build_request(
        "POST", "/nav/formater/digisos-soker", files=[("fil", FIL), ("person", (None, CHILD))]
    )
    whole, media = b"".join(asked.stream), asked.headers["content-type"]  # type: ignore[arg-type]
    cut = re.sub(rb"--\r\n$", b"", whole)
    for body, content_type in (
        (whole, "multipart/form-data"),
        (whole, "multipart/form-data; boundary=another"),
        (whole.replace(b"\r\n", b"\n"), media),
        (cut, media),
    ):
        answer = await client.post(
            "/nav/formater/digisos-soker", content=body, headers={"content-type": content_type}
        )
        assert kind(answer) == (400, "ugyldig-multipart"), content_type
    assert await rows(database) == 0
    upper = media.replace("multipart/form-data", "Multipart/Form-Data")
    answer = await client.post("/nav/formater/digisos-soker", content=whole, headers={"content-type": upper})
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/nav/venter?etter=99999999999999999999",
        "/nav/venter?etter=-1",
        "/nav/hendelser/a%00b",
        "/barnevern/innboks?etter=99999999999999999999",
    ],
)
async def test_what_no_database_can_hold_is_no_outage(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 422, answer.text
    assert "retry-after" not in answer.headers


async def test_the_description_is_enough_for_a_client(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for path in ("/{tjeneste}/hendelser", "/{tjeneste}/formater/{format}"):
        call = document["paths"][path]["post"]
        answer = call["responses"]["202"]["content"]["application/json"]["schema"]
        assert set(answer["required"]) == {"kvitteringer", "feil", "advarsler"}
        assert "application/problem+json" in call["responses"]["default"]["content"]
    parts = document["paths"]["/{tjeneste}/formater/{format}"]["post"]["requestBody"]["content"]
    assert set(parts["multipart/form-data"]["schema"]["properties"]) == {"fil", "person", "barn"}
