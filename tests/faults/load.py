"""The load: children, consents and events that a seed determines, what may become of each, and the sending of them."""

import asyncio
import itertools
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import orjson

from backbone.failures import Retry
from backbone.samtykke_client import InternalClient
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from contracts.personnummer import tenor
from contracts.samtykke_api import KOORDINATOR
from deploy.demo import principals
from deploy.klient import Fagsystem, Journal
from deploy.kommune.hverdag import Sending
from deploy.kommune.kropper import KOMMUNE
from tests.faults.check import INBOX, History, Key

CHILDREN = 20
PER_REQUEST = 10
SPARE, PER_SPARE = 6, 2
LANES = ("skole", "skole", "helsestasjon", "barnevern", "nav", "nav")
"""Each lane sends its service's events one request after the other, beside the other lanes."""
CONSENTS = {"skole": ["fravar"], "helsestasjon": ["helseprogram"], "nav": ["nav-sosial"]}
RECIPIENTS = (*CONSENTS, "koordinerende-enhet", KOORDINATOR)
SECRET = "forborgen"
"""In every natural key: what must not be found outside a seal."""
BROKEN_SHARE, TOO_OLD_SHARE, GIVEN_UP_SHARE, RETRACTED_SHARE = 0.02, 0.02, 0.08, 0.15
REPORT_SHARE = 0.05
PAUSE_S = (0.1, 0.5)
YOUNGEST_DAYS, BIRTHDAYS = 8 * 365, 700
"""Eight to ten years old, whatever day the tests are run: the parents consent for them."""
TOO_OLD = date(1990, 5, 17)
SERIALS = 400
SEEDS_A_SERIES = 400

PUBLISHED_OR_OWN = frozenset({"release", "shield"})


@dataclass(frozen=True)
class Child:
    """`consents`: "start" (from the beginning), "midway" (given while the load runs) or "never"."""

    person: str
    navn: str
    consents: str


@dataclass(frozen=True)
class Event:
    """One event to send: its place on the wire, the line, and the outcomes it may come to (none: it is refused at
    the door)."""

    key: Key
    line: bytes
    allowed: frozenset[str]


@dataclass(frozen=True)
class Request:
    """One request of a lane: `tries_max` None for a sender that never gives up."""

    sending: Sending
    events: tuple[Event, ...]
    pause_s: float
    tries_max: int | None


class Plan:
    """What is sent in one run. The same seed and series give the same children, events, order, pauses and givings-up;
    two series on the same databases have no child and no event in common."""

    def __init__(self, seed: int, events: int, series: int = 0, happened: datetime | None = None) -> None:
        self.seed = seed
        self._name = f"{series}.{seed}"
        self._first_child = (series * SEEDS_A_SERIES + seed) * CHILDREN
        self._count = events
        self.happened = (happened or datetime.now(UTC)).replace(microsecond=0) - timedelta(hours=1)
        self._orgnr = {navn: p.orgnr for navn, p in principals(Catalogue.standard().tjenester).items()}

    @cached_property
    def children(self) -> tuple[Child, ...]:
        return tuple(self._child(nr) for nr in range(CHILDREN))

    def _child(self, nr: int) -> Child:
        at = self._first_child + nr
        born = self.happened.date() - timedelta(days=YOUNGEST_DAYS + at % BIRTHDAYS)
        person = tenor(born, at // BIRTHDAYS % SERIALS)
        return Child(person, f"Barn Provenavn{self._name}x{nr}", ("start", "midway", "never")[nr % 3])

    @cached_property
    def lanes(self) -> tuple[tuple[Request, ...], ...]:
        rng = random.Random(self._name)
        waiting: list[list[Event]] = [[] for _ in LANES]
        for nr in range(self._count):
            lane = rng.randrange(len(LANES))
            waiting[lane].append(self._event(rng, LANES[lane], nr))
        return tuple(
            tuple(self._requests(rng, lane, LANES[lane], events)) for lane, events in enumerate(waiting)
        )

    def _requests(
        self, rng: random.Random, lane: int, tjeneste: str, events: list[Event], size: int = PER_REQUEST
    ) -> Iterator[Request]:
        for nr, start in enumerate(range(0, len(events), size)):
            some = tuple(events[start : start + size])
            body = b"\n".join(event.line for event in some)
            ref = f"{self._name}-{lane}-{nr}"
            given_up = len(some) > 1 and rng.random() < GIVEN_UP_SHARE
            yield Request(
                Sending(tjeneste, self.happened, body, ref),
                some,
                rng.uniform(*PAUSE_S),
                1 if given_up else None,
            )

    def _event(self, rng: random.Random, tjeneste: str, nr: int) -> Event:
        key = (f"/{KOMMUNE}/{tjeneste}/{self._orgnr[tjeneste]}", f"f{self._name}-{nr}")
        child = rng.choice(self.children)
        said: dict[str, Any] = {
            "id": key[1],
            "person": child.person,
            "tid": self.happened.isoformat(),
            "nokkel": f"{SECRET}-{nr}",
        }
        navn, data, allowed = self._kind(rng, tjeneste, child)
        if rng.random() < BROKEN_SHARE:
            return Event(key, orjson.dumps({**said, "type": "finnes.ikke"}), frozenset())
        if INBOX not in allowed and rng.random() < TOO_OLD_SHARE:
            said["person"], allowed = (
                tenor(TOO_OLD, (self._first_child + nr) % SERIALS),
                frozenset({"refuse"}),
            )
        if navn == "henvendelse.mottatt" and rng.random() < RETRACTED_SHARE:
            # Of a case already told or not: in whatever order the two come, the higher version stands.
            retracted = f"{SECRET}-{max(nr - rng.randrange(40), 0)}"
            said.update(nokkel=retracted, versjon=2, tilbaketrukket=True)
        return Event(key, orjson.dumps({**said, "type": navn, "data": data}), allowed)

    def _kind(
        self, rng: random.Random, tjeneste: str, child: Child
    ) -> tuple[str, dict[str, Any], frozenset[str]]:
        """Type, data, and what law and consent allow: by hand, so that the decision is not checked against itself."""
        with_consent = {"start": "release", "midway": "either", "never": "none"}[child.consents]
        if tjeneste != "barnevern" and rng.random() < REPORT_SHARE:
            return "bekymringsmelding.sendt", {"beskrivelse": SECRET}, frozenset({INBOX})
        if tjeneste == "barnevern":
            return "henvendelse.mottatt", {"slag": 2}, frozenset({"shield"})
        if tjeneste == "helsestasjon":
            held = {"dato": str(self.happened.date())}
            return "konsultasjon.gjennomfort", held, _or_withheld(with_consent)
        if tjeneste == "nav":
            return "soknad.status-endret", {"status": "MOTTATT"}, _or_withheld(with_consent)
        if rng.random() < 0.5:
            return "overgang.planlagt", {"slag": "skole-vgs"}, frozenset({"release"})
        absent: dict[str, Any] = {"dager": 10, "timer": 0, "periode": "skoleåret", "regel": "test"}
        return "fravaer.terskel-passert", absent, _own_duty(with_consent)

    @cached_property
    def spare(self) -> tuple[Request, ...]:
        """Requests of a service's own, sent only when a fault waits for something to happen."""
        rng = random.Random(f"spare {self._name}")
        events = [self._event(rng, "skole", self._count + nr) for nr in range(SPARE * PER_SPARE)]
        return tuple(self._requests(rng, len(LANES), "skole", events, PER_SPARE))

    @property
    def requests(self) -> Iterator[Request]:
        return itertools.chain(*self.lanes, self.spare)

    @property
    def events(self) -> Iterator[Event]:
        return (event for request in self.requests for event in request.events)

    @property
    def allowed(self) -> dict[Key, frozenset[str]]:
        """The outcomes that each event may have when all has come to rest. One consent midway covers what waited."""
        return {event.key: event.allowed for event in self.events if event.allowed}

    @property
    def words(self) -> list[bytes]:
        """What must stand nowhere in the open: numbers, names, and what only a seal may hold."""
        numbers = [json.loads(event.line)["person"] for event in self.events]
        names = [child.navn.split()[-1] for child in self.children]
        return sorted({word.encode() for word in (*numbers, *names, SECRET)})


def _or_withheld(consent: str) -> frozenset[str]:
    return frozenset({"withhold"} if consent == "none" else {"release"})


def _own_duty(consent: str) -> frozenset[str]:
    """The sender's own duty: goes shielded without consent."""
    return {"release": frozenset({"release"}), "either": PUBLISHED_OR_OWN, "none": frozenset({"shield"})}[
        consent
    ]


class Load:
    """Sends a plan, and keeps on disk what it was told."""

    def __init__(self, plan: Plan, settings: Settings, tokens: Mapping[str, str], journal: Path) -> None:
        self.plan = plan
        self._settings = settings
        self._tokens = tokens
        self._journal = journal
        self._acknowledged = 0
        self._more = asyncio.Condition()
        self._spare = list(plan.spare)
        self.pace = 1.0
        """The lanes' pauses are so many times as long."""
        self.total = sum(len(request.events) for lane in plan.lanes for request in lane)
        self.done = asyncio.Event()
        self.subjects: dict[str, Child] = {}

    async def prepare(self) -> None:
        """Every child registered, and the consents there are from the start."""
        async with InternalClient(self._settings, "test", "samtykke") as samtykke:
            for child in self.plan.children:
                person = {"person": child.person, "kommune": KOMMUNE, "navn": child.navn}
                known = await _persist(samtykke, "/samtykke/personer", person)
                self.subjects[known["subject"]] = child
                if child.consents == "start":
                    await self._consent(samtykke, child)

    async def run(self) -> None:
        """All lanes until the last answer; midway, the consents that come midway."""
        try:
            async with self._fagsystem() as fagsystem, asyncio.TaskGroup() as group:
                for lane in self.plan.lanes:
                    group.create_task(self._lane(fagsystem, lane))
                group.create_task(self._midway())
        finally:
            self.done.set()
            async with self._more:
                self._more.notify_all()

    async def nudge(self) -> bool:
        """Sends one more request, for a fault that waits for something to happen; False when none is left."""
        if not self._spare:
            return False
        async with self._fagsystem() as fagsystem:
            await fagsystem.send(self._spare.pop().sending)
        return True

    def _fagsystem(self) -> Fagsystem:
        return Fagsystem(self._settings.url("tjenester"), self._tokens, Journal(self._journal))

    async def reached(self, share: float) -> None:
        """Waits until that share of the events has an answer, or the load is over."""
        async with self._more:
            await self._more.wait_for(lambda: self.done.is_set() or self._acknowledged >= share * self.total)

    def history(self) -> History:
        """From the file: what a sender that lost its memory would know."""
        ok: set[Key] = set()
        failed: set[Key] = set()
        sent = {request.sending.ref: request.events for request in self.plan.requests}
        tried: set[str] = set()
        for line in map(orjson.loads, self._journal.read_bytes().splitlines()):
            tried.add(line["ref"])
            ok |= {(r["source"], r["id"]) for r in line.get("kvitteringer", ())}
            failed |= {event.key for f in line.get("feil", ()) for event in _meant(f, sent[line["ref"]])}
        keys = {event.key for ref in tried for event in sent[ref]}
        return History(frozenset(ok), frozenset(failed), frozenset(keys - ok - failed))

    async def _lane(self, fagsystem: Fagsystem, lane: tuple[Request, ...]) -> None:
        for request in lane:
            try:
                await fagsystem.send(request.sending, request.tries_max)
            except (httpx.TransportError, httpx.HTTPStatusError):
                pass  # it gave up, and does not know: that is what its journal says
            async with self._more:
                self._acknowledged += len(request.events)
                self._more.notify_all()
            await asyncio.sleep(request.pause_s * self.pace)

    async def _midway(self) -> None:
        await self.reached(0.5)
        async with InternalClient(self._settings, "test", "samtykke") as samtykke:
            for child in self.plan.children:
                if child.consents == "midway":
                    await self._consent(samtykke, child)

    async def _consent(self, samtykke: InternalClient, child: Child) -> None:
        for tjeneste, kategorier in CONSENTS.items():
            given = {
                "person": child.person,
                "kommune": KOMMUNE,
                "hvem": "begge-foreldre",
                "fra_tjeneste": tjeneste,
                "til_tjenester": [navn for navn in RECIPIENTS if navn != tjeneste],
                "kategorier": kategorier,
                "formal": "Samordnet hjelp",
                "gyldig_fra": self.plan.happened - timedelta(days=30),
                "utloper": None,
            }
            await _persist(samtykke, "/samtykke/samtykker", given)


def _meant(feil: Mapping[str, Any], events: tuple[Event, ...]) -> tuple[Event, ...]:
    """The events that an error is about: one line, or (no line is named) the whole request."""
    nr = feil.get("linje")
    return events if nr is None else events[nr - 1 : nr]


async def _persist(samtykke: InternalClient, path: str, body: dict[str, Any]) -> Any:
    """Until there is an answer; giving the same consent twice is giving it."""
    while True:
        try:
            return await samtykke.call("POST", path, body)
        except Retry:
            await asyncio.sleep(0.2)
