"""Tasks and batons on the real database: through the API of the services, past the clock and beside the facts."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from backbone.http import Gatekeeper
from backbone.kafka import Outgoing, Publisher
from backbone.settings import Settings
from backbone.tokens import Principal, issue
from consumers.coordination import oppgaveapi, oppgaveflyt
from consumers.coordination.api import create
from consumers.coordination.innlesing import Record
from consumers.coordination.kommandoer import Kommandoer
from consumers.coordination.main import dates
from consumers.coordination.oppgaveflyt import Hendelse
from consumers.coordination.stafett import fold
from consumers.coordination.steglager import Lest, happened
from consumers.coordination.tables import metadata
from contracts import samtykke_api as api
from contracts.catalogue import Catalogue
from tests.conftest import MakeDatabase
from tests.integration.test_coordination import (
    APPOINTED,
    CASE,
    GIVEN_AGAIN,
    WITHDRAWN,
    Thread,
    child,
)
from tests.unit.coordination.given import at, consent, event
from tests.unit.coordination.test_local_rules import HEAD, read

ORGNR = "310000001"
UNIT = "koordinerende-enhet"


def of(tjeneste: str | None, rolle: Any = "fagsystem", kommune: str = "4601") -> Principal:
    return Principal(sub=f"{rolle}:{tjeneste}", rolle=rolle, orgnr=ORGNR, kommune=kommune, tjeneste=tjeneste)


ENHET = of("koordinerende-enhet", "koordinerende-enhet")
KOORDINATOR = of(None, "koordinator")


class Direct(Thread):
    """Coordination that is handed its records, without Kafka between."""

    read = 0

    async def send(self, *records: Outgoing) -> None:
        batch = [
            Record(r.topic, 0, self.read + nr, r.key, r.headers, r.value) for nr, r in enumerate(records)
        ]
        self.read += len(batch)
        await self.handler.handle(batch)


@pytest.fixture
async def thread(
    settings: Settings, catalogue: Catalogue, make_database: MakeDatabase
) -> AsyncIterator[Direct]:
    publisher = Publisher(settings, "prove")
    made = Direct(settings, catalogue, await make_database("samordning", metadata), publisher)
    yield made
    await made.loops.close()
    await publisher.close()


class Port:
    """The read gate as far as tasks go: whom a task lies with, and coordinators; never another municipality."""

    def __init__(self, thread: Thread) -> None:
        self._thread = thread
        self.asked: list[Principal] = []

    async def keys(self, items: Sequence[api.NokkelItem]) -> list[api.NokkelSvar]:
        return await self._thread.samtykke.keys(items)

    async def read(
        self, viewer: Principal, formal: str, items: Sequence[api.LesingItem], sporing: str | None = None
    ) -> list[api.Lesing]:
        self.asked.append(viewer)
        return [self._answer(viewer, item) for item in items]

    def _answer(self, viewer: Principal, item: api.LesingItem) -> api.Lesing:
        lies = item["eier"] == (viewer.tjeneste or viewer.rolle) or viewer.rolle == "koordinator"
        full = lies and viewer.kommune == item["kommune"] and viewer.rolle != "fagsystem"
        _, key = self._thread.samtykke.key(item["subject"], "samordning")
        return {
            "ref": item["ref"],
            "tilgang": "full" if full else "deny",
            "grunner": [],
            "nokkel": base64.b64encode(key).decode() if full else None,
        }


class Office:
    """The API, called by token."""

    def __init__(self, thread: Thread, http: httpx.AsyncClient, commands: Kommandoer) -> None:
        self.thread = thread
        self.http = http
        self.commands = commands

    async def call(
        self, who: Principal, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        token = issue(who, self.thread.settings, self.thread.now, timedelta(minutes=5))
        return await self.http.request(
            method,
            path,
            content=orjson.dumps(body) if body is not None else None,
            headers={"authorization": f"Bearer {token}", **headers},
        )

    async def do(
        self, who: Principal, path: str, kommando: str, status: int = 200, etag: str = "*", **body: Any
    ) -> dict[str, Any]:
        answer = await self.call(who, "POST", f"{path}/{kommando}", body, **{"if-match": etag})
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def told(self) -> list[str]:
        rows = await self.thread.rows("SELECT type FROM journal ORDER BY lopenr")
        return [row["type"].removeprefix("no.samspor.samordning.") for row in rows]


@pytest.fixture
async def office(thread: Thread) -> AsyncIterator[Office]:
    port = Port(thread)
    commands = Kommandoer(thread.engine, port, thread.settings, thread.rules, lambda: thread.now)
    gate = Gatekeeper(thread.settings, lambda: thread.now)
    app = create(
        thread.engine,
        thread.handler,
        thread.consumer(),
        thread.settings,
        lambda: thread.now,
        (oppgaveapi.public(commands, gate), oppgaveapi.internal(commands, gate)),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://samordning") as http:
        yield Office(thread, http, commands)


async def cooperation(office: Office) -> str:
    """A child two services cooperate about, each having consent to know of the other; the path of the task."""
    await office.thread.publish(*SHARED)
    (row,) = await office.thread.rows("SELECT id::text AS id FROM oppgave")
    return f"/oppgaver/{row['id']}"


SHARED = (
    *CASE[:2],
    consent("skole", ["tilrettelegging"], ["helsestasjon", "nav"]),
    consent("helsestasjon", ["helseoppfolging"], ["skole"]),
)


async def test_a_task_goes_from_hand_to_hand_and_each_step_is_told_once(office: Office) -> None:
    path = await cooperation(office)
    listed = (await office.call(ENHET, "GET", "/oppgaver")).json()["oppgaver"]
    assert [t["handlinger"] for t in listed] == [["ta", "tilby", "avvis", "uenig", "utfor", "kommenter"]]
    assert (await office.call(of("skole"), "GET", "/oppgaver")).json() == {"oppgaver": []}
    assert (await office.call(of("skole"), "GET", path)).status_code == 404
    offered = await office.do(ENHET, path, "tilby", til="skole")
    assert (offered["eier"], offered["tilbudt_til"]) == ("koordinerende-enhet", "skole")
    assert offered["svar_innen"] == "2026-04-13", "five arbeidsdager from 1 April 2026, past Easter"
    (mine,) = (await office.call(of("skole"), "GET", "/oppgaver")).json()["oppgaver"]
    assert mine["handlinger"] == ["ta", "avvis", "uenig", "kommenter"]
    assert mine["forklaring"].startswith("2 tjenester følger opp barnet")
    assert mine["hendelser"] == [CASE[0].id], "of what it rests on, the school's own"
    taken = await office.do(of("skole"), path, "ta", etag=f'"{mine["versjon"]}"')
    assert (taken["eier"], taken["flyt"]) == ("skole", "overtatt")
    assert (await office.call(ENHET, "GET", path)).status_code == 404, "what it gave away it sees no more"
    done = await office.do(of("skole"), path, "utfor", kommentar="Vi har hatt et møte.")
    assert (done["status"], done["handlinger"]) == ("oppfylt", ["kommenter"])
    assert [(s["slag"], s["av"], s["kommentar"]) for s in done["steg"]] == [
        ("tilbudt", "koordinerende-enhet", None),
        ("overtatt", "skole", None),
        ("utfort", "skole", "Vi har hatt et møte."),
    ]
    assert await office.told() == [
        "oppgave.opprettet",
        "stafett.mottatt",
        "oppgave.tilbudt",
        "oppgave.overtatt",
        "oppgave.utfort",
    ]
    # The facts go on beneath: finished is finished, and told no more.
    await office.thread.publish(APPOINTED)
    assert len(await office.told()) == 5


async def test_who_may_not_know_every_fact_is_not_offered_the_task(office: Office) -> None:
    path = await cooperation(office)
    assert (await office.call(ENHET, "GET", path)).json()["mottakere"] == ["helsestasjon", "skole"]
    for til in ("nav", "barnevern", "finnes-ikke"):
        problem = await office.do(ENHET, path, "tilby", 409, til=til)
        assert problem["type"].endswith("mottaker-kan-ikke-eie")
        assert "samtykke" in problem["detail"]
    await office.do(ENHET, path, "tilby", til="skole")
    await office.thread.publish(WITHDRAWN)
    assert await office.thread.tasks() == [("samarbeid", "bortfalt", 3)]
    assert (await office.do(of("skole"), path, "ta", 409))["type"].endswith("oppgave-avsluttet")
    await office.thread.publish(GIVEN_AGAIN)
    assert await office.thread.tasks() == [("samarbeid", "aapen", 4)]
    assert (await office.do(of("skole"), path, "ta"))["eier"] == "skole", "the offer outlived the closing"


async def test_two_refusals_by_anyone_go_to_the_coordinating_unit_and_then_to_who_decides(
    office: Office,
) -> None:
    path = await cooperation(office)
    await office.do(ENHET, path, "tilby", til="skole")
    assert (await office.do(of("skole"), path, "avvis", 409))["type"].endswith("grunn-mangler")
    refused = await office.do(of("skole"), path, "avvis", 409, grunn="annet")
    assert refused["type"].endswith("kommentar-mangler")
    await office.do(of("skole"), path, "avvis", grunn="mangler-kapasitet")
    await office.do(ENHET, path, "tilby", til="helsestasjon")
    await office.do(of("helsestasjon"), path, "avvis", grunn="annet", kommentar="Skolen er nærmere.")
    raised = (await office.call(ENHET, "GET", path)).json()
    assert (raised["flyt"], raised["avgjores_av"]) == ("eskalert", "koordinerende-enhet")
    assert raised["eier"] == "koordinerende-enhet"
    await office.do(ENHET, path, "tilby", til="skole")
    await office.do(of("skole"), path, "uenig", grunn="annen-naermere")
    disagreed = (await office.call(ENHET, "GET", path)).json()
    assert (disagreed["flyt"], disagreed["handlinger"]) == (
        "uenighet",
        ["ta", "avgjor", "utfor", "kommenter"],
    )
    await office.do(ENHET, path, "avgjor", til="skole")
    settled = (await office.call(of("skole"), "GET", path)).json()
    assert (settled["eier"], settled["flyt"], settled["avgjores_av"]) == ("skole", "overtatt", None)
    assert [s["kommentar"] for s in settled["steg"] if s["kommentar"]] == ["Skolen er nærmere."]
    (row,) = await office.thread.rows("SELECT kommentar FROM steg WHERE kommentar IS NOT NULL")
    assert b"Skolen" not in row["kommentar"], "sealed where it lies"
    told = [t for t in await office.told() if t.startswith("oppgave.")]
    assert told.count("oppgave.avvist") == 2
    assert told.count("oppgave.eskalert") == 2
    await agree(office)


async def test_an_offer_nobody_answers_is_raised_once_when_its_day_has_gone_by(office: Office) -> None:
    path = await cooperation(office)
    await office.do(ENHET, path, "tilby", til="skole")
    await office.do(ENHET, f"/stafett/{child()}", "tilby", til="helsestasjon")
    for moment, flyt in (
        (datetime(2026, 4, 13, 21, 59, tzinfo=UTC), "tilbudt"),
        (datetime(2026, 4, 13, 22, 0, tzinfo=UTC), "eskalert"),
    ):
        office.thread.now = moment
        await office.commands.raise_unanswered(100)
        await office.commands.raise_unanswered(100)
        (row,) = await office.thread.rows("SELECT flyt FROM oppgave")
        assert row["flyt"] == flyt
    told = await office.told()
    assert told.count("oppgave.eskalert") == 1
    assert told.count("stafett.mottatt") == 2
    await agree(office)


STEGENE = """
[[versjoner.eskalering]]
etter_arbeidsdager = 0
til = "leder"
[[versjoner.eskalering]]
etter_arbeidsdager = 3
til = "koordinerende-enhet"
[[versjoner.eskalering]]
etter_arbeidsdager = 5
til = "skole"
[[versjoner.eskalering]]
etter_arbeidsdager = 10
til = "nav"
"""


async def raised(office: Office) -> list[tuple[str | None, int | None]]:
    """(to whom, which step) of each time that an overdue task was raised."""
    rows = await office.thread.rows("SELECT til, trinn FROM steg WHERE slag = 'forfalt' ORDER BY nr")
    assert (await office.told()).count("oppgave.eskalert") == len(rows), "each with its event, and no other"
    return [(row["til"], row["trinn"]) for row in rows]


@pytest.mark.parametrize("rules", ["standard", "lokale"])
async def test_a_task_whose_date_has_gone_by_is_raised_once_for_each_step_at_midnight(
    office: Office, rules: str
) -> None:
    if rules == "lokale":
        office.thread.rules.lokale = {"4601": read(HEAD + STEGENE)}
    office.thread.now = at("2026-03-25T12:00")
    path = await cooperation(office)
    (task,) = await office.thread.rows("SELECT frist FROM oppgave")
    assert task["frist"] == date(2026, 3, 30)
    local = [(UNIT, 1), (UNIT, 2), ("skole", 3), (UNIT, 4)]
    for moment, steps in (
        ("2026-03-29T12:00:00", 0),
        ("2026-03-30T23:59:59", 0),
        ("2026-03-31T00:00:00", 1),
        ("2026-04-07T23:59:59", 1),  # the third arbeidsdag after it: Easter is from 2 to 6 April
        ("2026-04-08T00:00:00", 2),
        ("2026-04-10T00:00:00", 3),
        ("2026-04-16T23:59:59", 3),
        ("2026-04-17T00:00:00", 4),  # to nav, which may not know: to the holder
    ):
        office.thread.now = at(moment)
        await dates(office.commands)()
        await office.thread.loops.timers()
        await dates(office.commands)()
        told = local[:steps] if rules == "lokale" else [(UNIT, 1)][:steps]
        assert await raised(office) == told, moment
    seen = (await office.call(ENHET, "GET", path)).json()
    assert (seen["flyt"], seen["eier"], seen["loftet_til"]) == ("aapen", UNIT, UNIT)
    assert {"ta", "tilby", "utfor"} <= set(seen["handlinger"]), "nobody's hands are tied by it"
    await agree(office)


async def test_whoever_was_away_tells_an_overdue_task_once_and_of_the_most_severe_step(
    office: Office,
) -> None:
    office.thread.rules.lokale = {"4601": read(HEAD + STEGENE)}
    path = await cooperation(office)
    await office.do(ENHET, path, "tilby", til="skole")
    office.thread.now = at("2026-04-12T12:00")
    port, settings, rules = Port(office.thread), office.thread.settings, office.thread.rules
    again = Kommandoer(office.thread.engine, port, settings, rules, lambda: office.thread.now)
    await asyncio.gather(office.commands.raise_overdue(100), again.raise_overdue(100))
    assert await raised(office) == [("skole", 3)], "two processes that come back at once tell it once"
    (row,) = await office.thread.rows("SELECT flyt, tilbudt_til FROM oppgave")
    assert tuple(row) == ("tilbudt", "skole"), "the offer stands"
    # It falls away and comes back, and is taken: what was told is not told again.
    await office.thread.publish(WITHDRAWN)
    assert await again.raise_overdue(100) == 0
    await office.thread.publish(GIVEN_AGAIN)
    assert await again.raise_overdue(100) == 0
    await office.do(of("skole"), path, "ta")
    assert await again.raise_overdue(100) == 0
    (row,) = await office.thread.rows("SELECT trinn, loftet_til FROM oppgave")
    assert tuple(row) == (3, None), "who took it has it"
    assert await raised(office) == [("skole", 3)]
    await agree(office)


async def test_a_blocked_childs_overdue_task_waits_and_is_then_raised(office: Office) -> None:
    await cooperation(office)
    office.thread.now = at("2026-04-02T12:00")
    office.thread.samtykke.status[child()] = "sperret"
    assert await office.commands.raise_overdue(100) == 0
    assert await raised(office) == []
    office.thread.samtykke.status[child()] = "aktiv"
    assert await office.commands.raise_overdue(100) == 1
    assert await raised(office) == [(UNIT, 1)]


async def test_a_change_on_what_has_changed_is_refused_with_what_to_do(office: Office) -> None:
    path = await cooperation(office)
    etag = (await office.call(ENHET, "GET", path)).headers["etag"]
    assert etag == '"1"'
    first = await office.call(ENHET, "POST", f"{path}/tilby", {"til": "skole"}, **{"if-match": etag})
    assert first.headers["etag"] == '"2"'
    late = await office.do(ENHET, path, "tilby", 412, etag, til="helsestasjon")
    assert late["type"].endswith("versjon-endret")
    assert (await office.call(ENHET, "POST", f"{path}/ta", {})).status_code == 428
    assert (await office.do(ENHET, path, "tilby", 409, til="helsestasjon"))["detail"]
    assert (await office.do(ENHET, path, "ta", 422, ukjent="felt"))["feil"]
    assert (await office.call(of("skole", "leder"), "GET", "/oppgaver")).status_code == 403
    elsewhere = of("skole", kommune="0301")
    assert (await office.call(elsewhere, "GET", path)).status_code == 404
    assert (await office.call(elsewhere, "GET", "/oppgaver")).json() == {"oppgaver": []}


async def test_of_many_who_take_at_the_same_moment_one_holds_it(office: Office) -> None:
    path = await cooperation(office)
    await office.do(ENHET, path, "tilby", til="skole")
    calls = [
        office.call(of("skole"), "POST", f"{path}/{k}", b, **{"if-match": '"2"'})
        for k, b in (("ta", {}), ("avvis", {"grunn": "mangler-kapasitet"}), ("ta", {}))
    ]
    answers = sorted(a.status_code for a in await asyncio.gather(*calls))
    assert answers[0] == 200
    assert set(answers[1:]) <= {404, 412}
    (row,) = await office.thread.rows("SELECT count(*) FROM steg WHERE gjelder <> subject")
    assert row[0] == 2, "the offer, and one answer"
    await agree(office)


async def test_the_contact_person_allots_and_the_portal_speaks_for_her(office: Office) -> None:
    path = await cooperation(office)
    system = of(None, "system")
    inner = f"/samordning{path}"
    viewer = KOORDINATOR.model_dump()
    seen = (await office.call(system, "POST", f"{inner}/lesing", {"viewer": viewer})).json()
    assert seen["handlinger"] == ["tilby", "kommenter"]
    body = {"viewer": viewer, "versjon": seen["versjon"], "til": "skole"}
    given = await office.call(system, "POST", f"{inner}/ordre/tilby", body)
    assert given.json()["tilbudt_til"] == "skole"
    assert given.json()["steg"][0]["av"] == "koordinator"
    again = await office.call(system, "POST", f"{inner}/ordre/tilby", body)
    assert again.status_code == 412
    comment = {"viewer": viewer, "tekst": "Ring meg gjerne."}
    said = await office.call(system, "POST", f"{inner}/kommentarer", comment)
    assert said.json()["steg"][-1]["kommentar"] == "Ring meg gjerne."
    assert said.json()["versjon"] == given.json()["versjon"], "a word changes nothing"
    assert (await office.call(KOORDINATOR, "POST", f"{inner}/lesing", {"viewer": viewer})).status_code == 403


async def test_the_baton_has_one_holder_from_the_first_cooperation_on(office: Office) -> None:
    await cooperation(office)
    path = f"/stafett/{child()}"
    first = (await office.call(ENHET, "GET", path)).json()
    assert (first["innehaver"], first["versjon"]) == ("koordinerende-enhet", 1)
    assert first["mottakere"] == ["helsestasjon", "skole"]
    assert (await office.call(of("skole"), "GET", path)).status_code == 404
    await office.do(ENHET, path, "tilby", etag='"1"', til="skole")
    assert (await office.do(of("skole"), path, "avvis", grunn="ikke-var-oppgave")) == {"subject": child()}
    await office.do(ENHET, path, "tilby", til="helsestasjon")
    held = await office.do(of("helsestasjon"), path, "ta")
    assert (held["innehaver"], held["handlinger"]) == ("helsestasjon", ["tilby"])
    await office.thread.publish(APPOINTED)
    assert await office.thread.tasks() == [("samarbeid", "oppfylt", 2)]
    assert (await office.call(of("helsestasjon"), "GET", path)).json()["innehaver"] == "helsestasjon"
    assert [t for t in await office.told() if t.startswith("stafett.")] == [
        "stafett.mottatt",
        "stafett.tilbudt",
        "stafett.avslatt",
        "stafett.tilbudt",
        "stafett.mottatt",
    ]
    await agree(office)


async def test_a_blocked_childs_task_stands_still(office: Office) -> None:
    path = await cooperation(office)
    office.thread.samtykke.status[child()] = "sperret"
    assert (await office.do(ENHET, path, "tilby", 409, til="skole"))["type"].endswith("barn-sperret")


async def test_a_joined_child_is_one_child_whoever_of_its_subjects_is_asked_about(office: Office) -> None:
    thread = office.thread
    school, health = child(1), child(2)
    thread.samtykke.join(school, health)
    await thread.publish(SHARED[0], SHARED[2], subject=school)
    await thread.publish(SHARED[1], SHARED[3], subject=health)
    await thread.loops.timers()
    await thread.loops.changes()
    (row,) = await thread.rows("SELECT id::text AS id FROM oppgave WHERE regel = 'samarbeid'")
    seen = (await office.call(ENHET, "GET", f"/oppgaver/{row['id']}")).json()
    assert seen["mottakere"] == ["helsestasjon", "skole"], "they may know what both subjects' facts say"
    await office.do(ENHET, f"/oppgaver/{row['id']}", "tilby", til="helsestasjon")
    batons = [(await office.call(ENHET, "GET", f"/stafett/{s}")).json() for s in (school, health)]
    assert batons[0] == batons[1]
    await office.do(ENHET, f"/stafett/{health}", "tilby", til="skole")
    assert (await office.call(ENHET, "GET", f"/stafett/{school}")).json()["tilbudt_til"] == "skole"
    await agree(office)


async def agree(office: Office) -> None:
    """What is kept of tasks and batons is the sum of the steps."""
    columns = "flyt, ansvarlig, tilbudt_til, svar_innen, avslag, avgjores_av, steg, trinn, loftet_til"
    for row in await office.thread.rows(f"SELECT id, {columns} FROM oppgave"):
        steps = await office.thread.rows(
            "SELECT slag, til, grunn, svar_innen, trinn FROM steg"
            " WHERE gjelder = $1 AND slag <> 'kommentar' ORDER BY nr",
            row["id"],
        )
        assert oppgaveflyt.fold(Hendelse(*s) for s in steps) == oppgaveflyt.Flyt(*row[1:])
    for row in await office.thread.rows(
        "SELECT subject, innehaver, tilbudt_til, svar_innen, avslag, steg FROM stafett"
    ):
        steps = await office.thread.rows(
            "SELECT nr, slag, tid, av, rolle, fra, til, grunn, svar_innen, nokkelid, kommentar FROM steg"
            " WHERE gjelder = $1 ORDER BY nr",
            row["subject"],
        )
        held = fold(happened(Lest(*s)) for s in steps)
        assert held is not None
        assert (held.innehaver, held.tilbudt_til, held.svar_innen, held.avslag, held.steg) == tuple(row[1:])


async def test_barnevernet_looks_into_a_case_until_it_is_concluded_again_when_a_conclusion_is_taken_back(
    office: Office,
) -> None:
    async def goes_on() -> bool:
        system = Principal(sub="system:portal", rolle="system", orgnr=ORGNR, kommune="4601")
        answer = await office.call(system, "GET", f"/samordning/barn/{child()}/undersokelse")
        return bool(answer.json()["pagar"])

    def said(navn: str, nokkel: str = "a", **more: Any) -> Any:
        return event("barnevern", f"henvendelse.{navn}", "2026-03-02", nokkel, **more)

    assert not await goes_on()
    await office.thread.publish(said("mottatt", slag=2), said("mottatt", "b", slag=2))
    await office.thread.publish(said("konkludert"), said("konkludert", versjon=2))
    assert await goes_on(), "b is open, however often a is concluded"
    await office.thread.publish(said("konkludert", "b"))
    assert not await goes_on()
    await office.thread.publish(said("konkludert", "b", versjon=2, trukket=True))
    assert await goes_on()
    await office.thread.publish(said("konkludert", "b", versjon=3))
    assert not await goes_on()
    await office.thread.rows("UPDATE faktasett SET venter = true RETURNING subject")
    assert await goes_on(), "in doubt"
    await office.thread.rows("UPDATE faktasett SET venter = false RETURNING subject")
    office.thread.samtykke.status[child()] = "sperret"
    assert await goes_on(), "in doubt"
    forbidden = await office.call(ENHET, "GET", f"/samordning/barn/{child()}/undersokelse")
    assert forbidden.status_code == 403
