"""The services' HTTP face on the real PostgreSQL: what an integrator meets."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone import lane
from backbone.database import driver
from backbone.settings import Settings
from backbone.tokens import Principal, issue
from contracts.catalogue import Catalogue
from contracts.personnummer import is_valid, tenor
from contracts.tjenester import Tjeneste
from services.helsestasjon.fhir import NATIONAL_IDS, Fhir
from services.nav.digisos_soker import DigisosSoker
from services.registry import Registry
from services.runner.app import build
from services.skole.fint_utdanning import FintUtdanning
from tests.conftest import NOW, MakeDatabase

CHILD = tenor(NOW.date().replace(year=2012), 3)
ADULT = tenor(NOW.date().replace(year=1980), 3)
REAL_LOOKING = next(
    n for n in (f"010112{tail:05}" for tail in range(50_000, 90_000)) if is_valid(n, NOW.date())
)
BARNEHAGE = Tjeneste("barnehage", "Barnehage", "barnehageloven-2-b", "forvaltningsloven-13")


def bearer(settings: Settings, tjeneste: str = "skole", **changed: Any) -> dict[str, str]:
    who = {
        "sub": "fag",
        "rolle": "fagsystem",
        "orgnr": "974557746",
        "kommune": "4601",
        "tjeneste": tjeneste,
        **changed,
    }
    return {"authorization": "Bearer " + issue(Principal(**who), settings, NOW, timedelta(hours=1))}


def absence(nr: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "type": "fravaer.terskel-passert",
        "person": CHILD,
        "tid": "2026-11-20T10:00:00+01:00",
        "nokkel": f"2026-2027/{nr}",
        "data": {"dager": 10, "timer": 0, "periode": "2026-2027", "regel": "10-dager"},
        **changed,
    }


@pytest.fixture
async def database(make_database: MakeDatabase) -> AsyncEngine:
    return await make_database("skole", lane.metadata)


@pytest.fixture
async def client(
    settings: Settings, catalogue: Catalogue, database: AsyncEngine
) -> AsyncIterator[httpx.AsyncClient]:
    small = settings.model_copy(update={"body_bytes_max": 2_000_000, "accept_bytes_max": 3_000_000})
    app = build(small, Registry.of(catalogue, {"skole": [DigisosSoker()]}), {"skole": database}, lambda: NOW)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tjenester") as http:
        http.headers.update(bearer(settings))
        yield http


async def send(client: httpx.AsyncClient, body: Any, **kwargs: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return await client.post("/skole/hendelser", content=content, **kwargs)


async def rows(database: AsyncEngine) -> int:
    async with database.begin() as conn:
        return int(await (await driver(conn)).fetchval("SELECT count(*) FROM journal"))


async def test_202_means_committed_and_the_receipt_can_be_fetched(
    client: httpx.AsyncClient, database: AsyncEngine
) -> None:
    answer = await send(client, absence())
    assert answer.status_code == 202
    receipt = answer.json()["kvitteringer"][0]
    assert await rows(database) == 1
    kept = (await client.get(f"/skole/hendelser/{receipt['id']}")).json()
    assert (kept["status"], kept["source"]) == ("mottatt", "/4601/skole/974557746")
    assert CHILD not in answer.text + orjson.dumps(kept).decode()


async def test_the_same_again_gives_the_same_receipt_and_another_content_409(
    client: httpx.AsyncClient, database: AsyncEngine
) -> None:
    first, again = (await send(client, absence(id="a-1")), await send(client, absence(id="a-1")))
    assert first.json()["kvitteringer"][0]["id"] == again.json()["kvitteringer"][0]["id"] == "a-1"
    assert again.json()["kvitteringer"][0]["status"] == "kjent"
    other = await send(client, absence(id="a-1", tid="2026-11-21T10:00:00+01:00"))
    assert other.status_code == 409
    assert other.headers["content-type"] == "application/problem+json"
    assert "versjon" in other.json()["detail"]
    assert await rows(database) == 1


@pytest.mark.parametrize("form", ["array", "ndjson"])
async def test_a_bad_line_never_stops_a_good_one_and_its_error_says_where_and_what_to_do(
    client: httpx.AsyncClient, database: AsyncEngine, form: str
) -> None:
    bad = absence(
        2, data={"dager": "mange", "timer": 0, "periode": "x", "regel": "y", "fritekst": "Ola har feber"}
    )
    events = [absence(1), bad, absence(3, type="finnes.ikke"), absence(4)]
    body = orjson.dumps(events) if form == "array" else b"\n".join(map(orjson.dumps, events))
    answer = await send(client, body)
    assert answer.status_code == 202
    assert [k["linje"] for k in answer.json()["kvitteringer"]] == [1, 4]
    errors = {(e["linje"], e["peker"]) for e in answer.json()["feil"]}
    assert errors == {(2, "/1/data/dager"), (2, "/1/data/fritekst"), (3, "/2/type")}
    assert all(e["feil"] and e["gjor"] for e in answer.json()["feil"])
    assert await rows(database) == 2
    for private in ("Ola", "feber", "mange", CHILD):
        assert private not in answer.text


async def test_a_broken_line_in_ndjson_is_told_and_the_others_are_taken(client: httpx.AsyncClient) -> None:
    body = orjson.dumps(absence(1)) + b'\n{"type": \n' + orjson.dumps(absence(3))
    answer = await send(client, body)
    assert [k["linje"] for k in answer.json()["kvitteringer"]] == [1, 3]
    assert [(e["linje"], e["kode"]) for e in answer.json()["feil"]] == [(2, "ikke-json")]


@pytest.mark.parametrize("body", [b"", b"null", b"[1]", b"{", b"\xff\xfe", b"[", b'"x"', b"[[]]", b"NaN"])
async def test_what_is_no_event_at_all_is_refused_with_a_reason(
    client: httpx.AsyncClient, body: bytes
) -> None:
    answer = await send(client, body)
    assert answer.status_code == 422
    assert answer.json()["feil"][0]["gjor"]


@pytest.mark.parametrize(
    ("changed", "pointer", "code"),
    [
        ({"person": None}, "/person", "person-mangler"),
        ({"person": "123"}, "/person", "nummer-form"),
        ({"person": CHILD[:-1] + str((int(CHILD[-1]) + 1) % 10)}, "/person", "nummer-kontroll"),
        ({"person": ADULT}, "/person", "for-gammel"),
        ({"person": REAL_LOOKING}, "/person", "ekte-nummer"),
        ({"tid": "2026-11-20T10:00:00"}, "/tid", None),
        ({"tid": "2027-11-20T10:00:00+01:00"}, "/tid", "i-fremtiden"),
        ({"nokkel": f"elev-{CHILD}"}, "/nokkel", "nummer-i-nokkel"),
        ({"id": CHILD}, "/nokkel", "nummer-i-nokkel"),
        ({"versjon": False}, "/versjon", None),
        ({"kommune": "0301"}, "/kommune", None),
        ({"type": "henvendelse.mottatt"}, "/type", "ukjent-type"),
    ],
)
async def test_each_mistake_is_pointed_at(
    client: httpx.AsyncClient, database: AsyncEngine, changed: dict[str, Any], pointer: str, code: str | None
) -> None:
    answer = await send(client, absence(**changed))
    assert answer.status_code == 422, answer.text
    errors = answer.json()["feil"]
    assert [e["peker"] for e in errors] == [pointer]
    assert code in (None, errors[0]["kode"])
    assert str(next(iter(changed.values()))) not in answer.text.replace("henvendelse.mottatt", "")
    assert await rows(database) == 0


async def test_a_value_that_no_reader_can_reckon_with_is_told_and_stops_no_other_line(
    client: httpx.AsyncClient, database: AsyncEngine
) -> None:
    data = absence()["data"]
    sak = {"type": "skolemiljo.meldt", "data": {"evalueringsdato": "9999-12-31"}}
    odd: list[tuple[dict[str, Any], str, str]] = [
        ({"tid": "9999-12-31T23:59:59Z"}, "tid", "ugyldig-tid"),
        ({"tid": "0001-01-01T00:00:00+14:00"}, "tid", "ugyldig-tid"),
        ({"tid": "2201-01-01T00:00:00Z"}, "tid", "ugyldig-tid"),
        ({"versjon": 10**20}, "versjon", "for-stort"),
        ({"data": {**data, "dager": 10**20}}, "data/dager", "for-stort"),
        ({"data": {**data, "annet": [{"x": -(10**20)}]}}, "data/annet/0/x", "for-lite"),
        (sak, "data/evalueringsdato", "ugyldig-dato"),
        ({"nokkel": "2026\0"}, "nokkel", "styretegn"),
        ({"nokkel": "2026\n2027"}, "nokkel", "styretegn"),
        ({"data": {**data, "regel": "a\0"}}, "data/regel", "styretegn"),
    ]
    lines = [absence(nr, **changed) for nr, (changed, _, _) in enumerate(odd)]
    body = "\n".join(map(json.dumps, [*lines, absence(99)]))
    answer = await send(client, body.encode())
    assert answer.status_code == 202, answer.text
    assert [k["linje"] for k in answer.json()["kvitteringer"]] == [len(odd) + 1]
    told = [(e["peker"], e["kode"]) for e in answer.json()["feil"]]
    assert told == [(f"/{nr}/{place}", code) for nr, (_, place, code) in enumerate(odd)]
    assert all(e["feil"] and e["gjor"] for e in answer.json()["feil"])
    assert await rows(database) == 1


@pytest.mark.parametrize("form", ["array", "ndjson"])
async def test_a_line_of_hundreds_of_levels_is_told_and_stops_no_other(
    client: httpx.AsyncClient, form: str
) -> None:
    deep = b'{"data":' + b'{"a":' * 400 + b"1" + b"}" * 400 + b"}"
    lines = [orjson.dumps(absence(1)), deep, orjson.dumps(absence(2))]
    answer = await send(client, b"[" + b",".join(lines) + b"]" if form == "array" else b"\n".join(lines))
    assert answer.status_code == 202, answer.text
    assert [k["linje"] for k in answer.json()["kvitteringer"]] == [1, 3]
    assert [(e["peker"], e["kode"]) for e in answer.json()["feil"]] == [("/1", "for-dypt")]


async def test_a_service_publishes_only_as_itself(client: httpx.AsyncClient, settings: Settings) -> None:
    for headers, status in (
        (bearer(settings, "nav"), 403),
        (bearer(settings, rolle="fagperson"), 403),
        (bearer(settings, rolle="system"), 403),
        ({"authorization": "Bearer x"}, 401),
        ({"authorization": ""}, 401),
    ):
        answer = await send(client, absence(), headers=headers)
        assert answer.status_code == status
        assert answer.json()["detail"]


async def test_one_organisation_does_not_see_the_receipts_of_another(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    id_ = (await send(client, absence())).json()["kvitteringer"][0]["id"]
    for other in (bearer(settings, orgnr="974557747"), bearer(settings, kommune="0301")):
        assert (await client.get(f"/skole/hendelser/{id_}", headers=other)).status_code == 404


async def test_bodies_are_bounded(client: httpx.AsyncClient, database: AsyncEngine) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 100_000

    for body in (b" " * 2_000_001, endless()):
        answer = await client.post("/skole/hendelser", content=body)
        assert answer.status_code == 413
        assert "2\u00a0000\u00a0000" in answer.json()["title"]
    assert (await send(client, absence())).status_code == 202


async def test_a_database_away_gives_503_with_retry_after(
    settings: Settings, catalogue: Catalogue, database: AsyncEngine
) -> None:
    gone = settings.model_copy(update={"database_prefix": "finnes_ikke"})
    from backbone.database import create_engine

    engine = create_engine(gone, "skole")
    app = build(settings, Registry.of(catalogue, {"skole": [DigisosSoker()]}), {"skole": engine}, lambda: NOW)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tjenester") as http:
        answer = await http.post(
            "/skole/hendelser", content=orjson.dumps(absence()), headers=bearer(settings)
        )
    await engine.dispose()
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


async def test_unknown_service_and_format_list_the_known_ones(client: httpx.AsyncClient) -> None:
    assert "skole" in (await client.post("/finnes-ikke/hendelser")).json()["detail"]
    assert "digisos-soker" in (await client.post("/skole/formater/finnes-ikke")).json()["detail"]


async def test_thousands_in_one_request(client: httpx.AsyncClient, database: AsyncEngine) -> None:
    body = b"\n".join(orjson.dumps(absence(n)) for n in range(3_000))
    answer = await send(client, body)
    assert len(answer.json()["kvitteringer"]) == await rows(database) == 3_000


async def test_a_repeat_and_a_conflict_are_told_though_what_they_repeat_was_written_long_before(
    client: httpx.AsyncClient, database: AsyncEngine
) -> None:
    events = [absence(nr, id=f"a-{nr}") for nr in range(900)]
    events[700] = events[10]
    events[800] = {**events[20], "nokkel": "en annen"}
    answer = await send(client, b"\n".join(map(orjson.dumps, events)))
    assert answer.status_code == 202
    statuses = {k["linje"]: k["status"] for k in answer.json()["kvitteringer"]}
    assert statuses == {nr + 1: "kjent" if nr == 700 else "mottatt" for nr in range(900) if nr != 800}
    assert [(e["linje"], e["kode"]) for e in answer.json()["feil"]] == [(801, "annet-innhold")]
    again = await send(client, b"\n".join(map(orjson.dumps, events)))
    assert {k["status"] for k in again.json()["kvitteringer"]} == {"kjent"}
    assert await rows(database) == 898


async def test_what_was_written_before_a_request_was_refused_is_gone(
    settings: Settings, catalogue: Catalogue, database: AsyncEngine
) -> None:
    few = settings.model_copy(update={"events_per_request_max": 800})
    app = build(few, Registry.of(catalogue, {}), {"skole": database}, lambda: NOW)
    body = b"\n".join(orjson.dumps(absence(nr)) for nr in range(801))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tjenester") as http:
        answer = await http.post("/skole/hendelser", content=body, headers=bearer(settings))
    assert answer.status_code == 413
    assert await rows(database) == 0


async def test_a_fifth_service_is_a_registry_line(
    settings: Settings, catalogue: Catalogue, make_database: MakeDatabase
) -> None:
    larger = catalogue.extended([BARNEHAGE])
    engine = await make_database("barnehage", lane.metadata)
    app = build(settings, Registry.of(larger, {}), {"barnehage": engine}, lambda: NOW)
    event = {**absence(), "type": "undring.registrert", "data": {"bti_niva": 1}}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tjenester") as http:
        answer = await http.post("/barnehage/hendelser", json=event, headers=bearer(settings, "barnehage"))
        kept = await http.get(
            f"/barnehage/hendelser/{answer.json()['kvitteringer'][0]['id']}",
            headers=bearer(settings, "barnehage"),
        )
    assert kept.json()["type"] == "no.samspor.barnehage.undring.registrert"
    assert "barnehage.hendelser" in larger.event_topics()


async def test_the_api_describes_itself(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert {"/{tjeneste}/hendelser", "/{tjeneste}/formater/{format}", "/helse"} <= document["paths"].keys()
    assert (await client.get("/helse")).json()["status"] == "oppe"


def fint(number: str) -> dict[str, Any]:
    """A pupil at a school, as FINT tells it."""

    def links(**to: str) -> dict[str, Any]:
        return {
            rel: [{"href": f"https://fint.example/utdanning/elev/{rel}/systemid/{id_}"}]
            for rel, id_ in to.items()
        }

    return {
        "person": [
            {
                "fodselsnummer": {"identifikatorverdi": number},
                "navn": {"fornavn": "Kari", "etternavn": "Kanarifugl"},
                "_links": {"elev": [{"href": "https://fint.example/utdanning/elev/elev/systemid/E1"}]},
            }
        ],
        "elev": [
            {
                "systemId": {"identifikatorverdi": "E1"},
                "_links": {
                    "person": [
                        {"href": f"https://fint.example/utdanning/elev/person/fodselsnummer/{number}"}
                    ],
                    **links(elevforhold="H1"),
                },
            }
        ],
        "elevforhold": [
            {
                "systemId": {"identifikatorverdi": "H1"},
                "gyldighetsperiode": {"start": "2026-08-17T00:00:00Z"},
                "_links": links(elev="E1"),
            }
        ],
    }


async def test_what_was_refused_is_not_remembered_as_sent(
    settings: Settings, catalogue: Catalogue, database: AsyncEngine
) -> None:
    registry = Registry.of(catalogue, {"skole": [FintUtdanning(clock=lambda: NOW)]})
    real = settings.model_copy(update={"demo": False})
    answers = []
    # In the demonstration the real-looking number is refused; with the same memory, the same file is then taken.
    for place in (settings, real):
        app = build(place, registry, {"skole": database}, lambda: NOW)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tjenester") as http:
            answers.append(
                await http.post(
                    "/skole/formater/fint-utdanning", json=fint(REAL_LOOKING), headers=bearer(settings)
                )
            )
    assert [a.status_code for a in answers] == [422, 202]
    assert {e["kode"] for e in answers[0].json()["feil"]} == {"ekte-nummer"}
    assert [k["status"] for k in answers[1].json()["kvitteringer"]] == ["mottatt"]
    assert await rows(database) == 1


def appointment(nr: int, versjon: int, status: str) -> dict[str, Any]:
    child = {"identifier": {"system": NATIONAL_IDS[0], "value": CHILD}}
    return {
        "resourceType": "Appointment",
        "id": f"a{nr}",
        "meta": {"versionId": f"{versjon}"},
        "status": status,
        "start": "2026-11-02T09:00:00Z",
        "end": "2026-11-04T09:30:00Z",
        "participant": [{"actor": child, "status": "accepted"}],
    }


async def test_a_corrected_status_takes_back_what_was_told_also_beside_a_resource_that_is_not_taken(
    settings: Settings, catalogue: Catalogue, make_database: MakeDatabase
) -> None:
    database = await make_database("helsestasjon", lane.metadata)
    app = build(
        settings, Registry.of(catalogue, {"helsestasjon": [Fhir()]}), {"helsestasjon": database}, lambda: NOW
    )

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tjenester") as http:

        async def told(*appointments: dict[str, Any]) -> tuple[int, list[str]]:
            """How many receipts, and the errors."""
            entries = [{"resource": one} for one in appointments]
            answer = await http.post(
                "/helsestasjon/formater/fhir",
                json={"resourceType": "Bundle", "type": "batch", "entry": entries},
                headers=bearer(settings, "helsestasjon"),
            )
            said = answer.json()
            return len(said["kvitteringer"]), [e["kode"] for e in said["feil"]]

        held = [appointment(nr, 1, "fulfilled") for nr in (1, 2)]
        assert await told(*held) == (2, [])
        moved = {**appointment(1, 1, "fulfilled"), "start": "2026-11-03T09:00:00Z"}
        assert await told(moved, appointment(2, 2, "noshow")) == (2, ["annet-innhold"])
        assert await told(appointment(1, 2, "noshow")) == (2, [])
        assert await told(appointment(2, 3, "noshow")) == (1, [])
    assert await rows(database) == 7


def ended(slutt: str) -> dict[str, Any]:
    """The pupil's enrolment, with an end."""
    file = fint(CHILD)
    file["elevforhold"][0]["gyldighetsperiode"]["slutt"] = slutt
    return file


async def test_a_change_after_the_formats_memory_was_lost_is_taken_and_what_was_not_taken_is_not_remembered(
    settings: Settings, catalogue: Catalogue, database: AsyncEngine
) -> None:
    at = NOW
    registry = Registry.of(catalogue, {"skole": [FintUtdanning(clock=lambda: at)]})
    app = build(settings, registry, {"skole": database}, lambda: NOW)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tjenester") as http:

        async def told(file: dict[str, Any]) -> tuple[list[str], list[str]]:
            answer = await http.post("/skole/formater/fint-utdanning", json=file, headers=bearer(settings))
            said = answer.json()
            return [k["status"] for k in said["kvitteringer"]], [e["kode"] for e in said["feil"]]

        async def lose_the_memory() -> None:
            async with database.begin() as conn:
                await (await driver(conn)).execute("DELETE FROM formatnokkel")

        assert await told(ended("2026-10-01T00:00:00Z")) == (["mottatt", "mottatt"], [])
        await lose_the_memory()  # within the very second: the same version once more
        assert await told(ended("2026-10-02T00:00:00Z")) == (["kjent"], ["annet-innhold"])
        at += timedelta(seconds=1)
        assert await told(ended("2026-10-02T00:00:00Z")) == (["mottatt", "mottatt"], [])
        assert await told(ended("2026-10-02T00:00:00Z")) == ([], [])
        await lose_the_memory()
        at += timedelta(seconds=1)
        assert await told(ended("2026-10-03T00:00:00Z")) == (["mottatt", "mottatt"], [])
    assert await rows(database) == 6


SCHOOL_DAYS = (1, 2, 5, 6, 7, 8, 9, 12, 13, 14, 15)  # of October 2026


def absent(nr: int, day: str) -> dict[str, Any]:
    return {
        "systemId": {"identifikatorverdi": f"F{nr}"},
        "dokumentert": False,
        "gjelderPeriode": {"start": f"{day}T00:00:00Z", "slutt": f"{day}T00:00:00Z"},
        "_links": {"elevforhold": [{"href": "https://fint.example/utdanning/elev/elevforhold/systemid/H1"}]},
    }


async def test_absence_sent_day_by_day_is_counted_together_and_tells_of_a_threshold_once(
    settings: Settings, catalogue: Catalogue, database: AsyncEngine
) -> None:
    registry = Registry.of(catalogue, {"skole": [FintUtdanning(clock=lambda: NOW)]})
    app = build(settings, registry, {"skole": database}, lambda: NOW)
    taken = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tjenester") as http:
        files = [fint(CHILD), *({"fravar": [absent(day, f"2026-10-{day:02}")]} for day in SCHOOL_DAYS)]
        for file in files:
            answer = await http.post("/skole/formater/fint-utdanning", json=file, headers=bearer(settings))
            assert answer.status_code == 202, answer.text
            taken.append(len(answer.json()["kvitteringer"]))
    # The pupil, then five undocumented days within thirty, then ten days of the school year.
    assert taken == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
