"""Each format as its fagsystem sends it: files through HTTP until they are committed."""

import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import orjson

from backbone.tokens import Principal, issue
from contracts.personnummer import tenor
from tests.benchmarks.stand import KOMMUNE, ORGNR, Stand, now
from tests.unit.formats import files
from tests.unit.formats import test_ssb_barnevern as ssb

BORN = date(2010, 1, 1)
PUPILS_PER_FILE = 250
RESOURCES_PER_BUNDLE = 500
LINES_PER_HISTORY = 20
Body = tuple[bytes, str | None, int]  # file, person beside it, records in it


def _child(nr: int) -> str:
    return tenor(BORN + timedelta(days=nr % 2_000), nr // 2_000)


def _fiks(records: int) -> Iterator[Body]:
    """A record is a child that a message names, two to a message."""
    for nr in range(0, records, 2):
        barn = [{**files.OFFENTLIG["offentligBarn"][0], "fnr": _child(nr + n)} for n in range(2)]
        yield orjson.dumps({**files.OFFENTLIG, "offentligBarn": barn}), None, 2


def _ssb(records: int) -> Iterator[Body]:
    """A record is a thing of a case, seven to a file; each file another case and child."""
    ting = (ssb.KONKLUDERT, ssb.UNDERSOKELSE, ssb.PLAN, ssb.TILTAK, ssb.VEDTAK, ssb.ETTERVERN, ssb.FLYTTING)
    for nr in range(0, records, len(ting)):
        body = ssb.fil(ssb.personalia(_child(nr)), *ting, nr=nr + 1)
        case = f"{nr:08x}-2d65-465a-9589-519311d66579".encode()
        yield body.replace(ssb.SAK.encode(), case), None, len(ting)


def _fhir(records: int) -> Iterator[Body]:
    """A record is a consultation held, five hundred to a Bundle."""
    appointment = files.BUNDLE["entry"][1]["resource"]
    for first in range(0, records, RESOURCES_PER_BUNDLE):
        entries = [
            {"resource": {**appointment, "id": f"a{nr}", "participant": _participant(_child(nr))}}
            for nr in range(first, min(first + RESOURCES_PER_BUNDLE, records))
        ]
        yield (
            orjson.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}),
            None,
            len(entries),
        )


def _participant(number: str) -> list[dict[str, Any]]:
    return [{"actor": {"identifier": {"system": files.FNR, "value": number}}, "status": "accepted"}]


def _digisos(records: int) -> Iterator[Body]:
    """A record is a line of a history, twenty to a file; each file another applicant."""
    for nr in range(0, records, LINES_PER_HISTORY):
        lines = [
            {
                "type": "saksStatus",
                "hendelsestidspunkt": f"2026-01-04T13:37:{line:02}.134Z",
                "referanse": f"S{line}",
                "status": "UNDER_BEHANDLING",
            }
            for line in range(LINES_PER_HISTORY)
        ]
        yield orjson.dumps({**files.DIGISOS, "hendelser": lines}), _child(nr), LINES_PER_HISTORY


def _fint(records: int) -> Iterator[Body]:
    """A record is a resource: person, pupil, enrolment and absence of 250 pupils to a file."""
    per_file = 4 * PUPILS_PER_FILE
    for first in range(0, records // 4, PUPILS_PER_FILE):
        pupils = range(first, first + PUPILS_PER_FILE)
        document = {
            "person": [files.person(_child(nr)) for nr in pupils],
            "elev": [files.elev(f"E{nr}", _child(nr)) for nr in pupils],
            "elevforhold": [files.elevforhold(f"H{nr}", f"elev/systemid/E{nr}") for nr in pupils],
            "fravar": [
                files.fravar(nr, "2025-09-01T00:00:00Z", "2025-09-12T00:00:00Z", forhold=f"H{nr}")
                for nr in pupils
            ],
        }
        yield orjson.dumps(document), None, per_file


FORMATS: dict[str, tuple[str, Callable[[int], Iterator[Body]]]] = {
    "fiks-bekymringsmelding": ("barnevern", _fiks),
    "ssb-barnevern": ("barnevern", _ssb),
    "fhir": ("helsestasjon", _fhir),
    "digisos-soker": ("nav", _digisos),
    "fint-utdanning": ("skole", _fint),
}


async def rate(http: httpx.AsyncClient, stand: Stand, navn: str, records: int) -> tuple[float, float]:
    """(records, events) a second, one file at a time; the part "tjenester" must be running."""
    tjeneste, make = FORMATS[navn]
    sender = Principal(sub="bench", rolle="fagsystem", orgnr=ORGNR, kommune=KOMMUNE, tjeneste=tjeneste)
    headers = {"authorization": f"Bearer {issue(sender, stand.settings, now(), timedelta(hours=1))}"}
    bodies = list(make(records))
    events, started = 0, time.perf_counter()
    for body, person, _ in bodies:
        address = f"/{tjeneste}/formater/{navn}"
        if person is None:
            answer = await http.post(address, content=body, headers=headers)
        else:
            file = {"fil": ("fil", body, "application/json")}
            answer = await http.post(address, files=file, data={"person": person}, headers=headers)
        if answer.status_code != 202 or answer.json()["feil"]:
            raise RuntimeError(f"{navn}: not accepted: {answer.status_code}")
        events += len(answer.json()["kvitteringer"])
    took_s = time.perf_counter() - started
    return sum(count for *_, count in bodies) / took_s, events / took_s


async def rates(stand: Stand, records: int) -> dict[str, tuple[float, float]]:
    """`rate` of every format."""
    async with (
        stand.part("tjenester"),
        httpx.AsyncClient(base_url=stand.settings.url("tjenester"), timeout=120, trust_env=False) as http,
    ):
        return {navn: await rate(http, stand, navn, records) for navn in FORMATS}
