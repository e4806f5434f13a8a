"""A consent's life on the real engines, from the fagsystem's HTTP to the tasks of coordination: given again, given by
both guardians, reaching a case that turns out to be the child's and leaving it again, and run out on a birthday."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest

from backbone import samtykke_client
from backbone.clock import OSLO, system_clock
from backbone.settings import Settings
from backbone.tokens import Principal, issue
from consumers.coordination import main as coordination
from contracts.catalogue import Catalogue
from contracts.personnummer import tenor
from deploy.demo import principals
from deploy.ports import free_ports
from services.registry import standard
from services.runner import main as runner
from services.samtykke import main as samtykke
from tests.conftest import MakeDatabase
from tests.pipeline_fixture import PORTS, Pipeline, _ready, make_all

KOMMUNE, ORGNR = "4601", "964338531"
MOTHER, FATHER = (
    Principal(sub=f"demo:{who}", rolle="foresatt", orgnr=ORGNR, kommune=KOMMUNE) for who in ("mor", "far")
)
SAK = "ufødt 2026/1"
LINES = "SELECT count(*) FROM tidslinje WHERE type = 'no.samspor.{}'"
WITHHELD = "SELECT count(*) FROM journal WHERE utfall = 'withhold' AND type = 'no.samspor.{}'"
TASKS = "SELECT string_agg(status, ',') FROM oppgave WHERE regel = 'samarbeid'"


@dataclass
class Life:
    """The parts that a consent meets, running; `ahead` is how far their clock is before the machine's."""

    pipeline: Pipeline
    ahead: timedelta = timedelta()

    def clock(self) -> datetime:
        return system_clock() + self.ahead

    def known(self, who: str) -> Principal:
        return principals(self.pipeline.catalogue.tjenester)[who]

    def bearer(self, who: Principal) -> str:
        """A token of this clock's hour."""
        return f"Bearer {issue(who, self.pipeline.settings, self.clock(), timedelta(hours=1))}"

    async def call(self, method: str, path: str, body: Any = None, who: Principal | None = None) -> Any:
        answer = await self.pipeline.http.request(
            method,
            f"{self.pipeline.settings.url('samtykke')}/samtykke{path}",
            json=body,
            headers={"authorization": self.bearer(who or self.known("system"))},
        )
        assert answer.is_success, answer.text
        return answer.json()

    async def consent(self, who: Principal | None = None, **changed: Any) -> str:
        body = {
            "kommune": KOMMUNE,
            "hvem": "begge-foreldre",
            "til_tjenester": ["koordinerende-enhet"],
            "formal": "samordnet hjelp",
            "gyldig_fra": (self.clock() - timedelta(days=30)).isoformat(),
            "utloper": None,
            **changed,
        }
        return str((await self.call("POST", "/samtykker", body, who))["samtykke"])

    async def tells(self, tjeneste: str, navn: str, nokkel: str, **of: str) -> None:
        event = {
            "type": navn,
            "tid": (self.clock() - timedelta(days=3)).isoformat(),
            "nokkel": nokkel,
            **of,
        }
        bearer = self.bearer(self.known(tjeneste))
        answer = await self.pipeline.send(tjeneste, event, authorization=bearer)
        assert answer.status_code == 202, answer.text

    async def on_timelines(self, full: str, count: int) -> None:
        await self.pipeline.until("samordning", LINES.format(full), count, within_s=60)

    async def withheld(self, full: str, count: int) -> None:
        await self.pipeline.until(full.partition(".")[0], WITHHELD.format(full), count, within_s=60)

    async def tasks(self, states: str | None) -> None:
        await self.pipeline.until("samordning", TASKS, states, within_s=60)


@pytest.fixture
async def life(
    settings: Settings, topics: Catalogue, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Life]:
    # A token made just before the clock is moved must still hold after it.
    monkeypatch.setattr(samtykke_client, "TOKEN_LIFE", timedelta(days=30))
    await make_all(topics, make_database)
    settings = settings.model_copy(update=dict(zip(PORTS, free_ports("127.0.0.1", len(PORTS)), strict=True)))
    stop = asyncio.Event()
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        made = Life(Pipeline(settings, topics, http))
        running = [
            asyncio.create_task(samtykke.run(settings, topics, stop, made.clock)),
            asyncio.create_task(runner.run(settings, standard(topics, made.clock), stop, made.clock)),
            asyncio.create_task(runner.run_relays(settings, standard(topics, made.clock), stop, made.clock)),
            asyncio.create_task(coordination.run(settings, topics, stop, made.clock)),
        ]
        try:
            async with asyncio.timeout(60):
                for part in ("samtykke", "tjenester", "samordning"):
                    await _ready(http, f"{settings.url(part)}/helse", running)
            yield made
        finally:
            stop.set()
            async with asyncio.timeout(60):
                await asyncio.gather(*running)


def turning_18_soon() -> tuple[str, int]:
    """A synthetic number, and in how many days its owner comes of age."""
    for days in (2, 3):
        day = datetime.now(OSLO).date() + timedelta(days=days)
        if (day.month, day.day) != (2, 29):
            return tenor(date(day.year - 18, day.month, day.day), 11), days
    raise AssertionError("two days in a row are no leap days")


@pytest.mark.timeout(300)
async def test_a_consent_lives_from_the_familys_yes_to_the_childs_birthday(life: Life) -> None:
    child = tenor((system_clock() - timedelta(days=8 * 365)).date(), 12)
    grown, days = turning_18_soon()
    relation = {"person": child, "kommune": KOMMUNE, "rolle": "forelder"}
    await life.call("POST", "/familie", {**relation, "bruker": MOTHER.sub})
    subject = (await life.call("POST", "/familie", {**relation, "bruker": FATHER.sub}))["subject"]

    # Withheld, released, withdrawn, given again.
    await life.tells("nav", "vilkar.satt", "v-1", person=grown)
    await life.withheld("nav.vilkar.satt", 1)
    nav = await life.consent(person=grown, fra_tjeneste="nav", kategorier=["nav-sosial"])
    await life.on_timelines("nav.vilkar.satt", 1)
    await life.call("POST", f"/samtykker/{nav}/trekk")
    await life.tells("nav", "vilkar.satt", "v-2", person=grown)
    await life.withheld("nav.vilkar.satt", 1)
    await life.call("POST", f"/samtykker/{nav}/gi-igjen")
    await life.on_timelines("nav.vilkar.satt", 2)

    # Both guardians.
    await life.tells("helsestasjon", "oppfolging.utvidet", "h-1", person=child)
    await life.withheld("helsestasjon.oppfolging.utvidet", 1)
    health = {"subject": subject, "fra_tjeneste": "helsestasjon", "kategorier": ["helseoppfolging"]}
    waiting = await life.consent(MOTHER, **health, hvem="forelder")
    await life.withheld("helsestasjon.oppfolging.utvidet", 1)
    await life.call("POST", f"/samtykker/{waiting}/tiltre", {}, FATHER)
    await life.on_timelines("helsestasjon.oppfolging.utvidet", 1)

    # Joined and parted: the school knows a case only.
    await life.consent(person=child, fra_tjeneste="skole", kategorier=["tilrettelegging"])
    await life.tells("skole", "ppt.henvist", "p-1", sak=SAK)
    await life.withheld("skole.ppt.henvist", 1)
    await life.tasks(None)
    orgnr = await life.pipeline.value("skole", "SELECT orgnr FROM journal LIMIT 1")
    case = {"kommune": KOMMUNE, "sak": SAK, "orgnr": orgnr}
    joined = await life.call("POST", "/koblinger", {**case, "person": child})
    assert (joined["kanonisk"], len(joined["koblet"])) == (subject, 2)
    await life.on_timelines("skole.ppt.henvist", 1)
    await life.tasks("aapen")
    await life.call("DELETE", "/koblinger", case)
    await life.tasks("bortfalt")
    await life.call("POST", "/koblinger", {**case, "person": child})
    await life.tasks("aapen")

    # A birthday: nothing was done, and the parents' consent is over.
    await life.on_timelines("samtykke.kontekst.fodselsdag-passert", 1)
    life.ahead = timedelta(days=days)
    await life.on_timelines("samtykke.kontekst.fodselsdag-passert", 2)
    await life.tells("nav", "vilkar.satt", "v-3", person=grown)
    await life.withheld("nav.vilkar.satt", 1)
    await life.on_timelines("nav.vilkar.satt", 2)
    ended = "SELECT status FROM samtykke WHERE samtykke = $1"
    assert await life.pipeline.value("samtykke", ended, nav) == "utlopt"
