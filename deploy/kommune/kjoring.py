"""Runs the synthetic municipality against a running Samspor: first the story, then everyday life, day by day."""

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson

from backbone.clock import OSLO, system_clock
from backbone.failures import Retry
from backbone.samtykke_client import InternalClient
from backbone.settings import Settings
from deploy.demo import write_private
from deploy.klient import Fagsystem, Svar
from deploy.kommune.folk import Barn, Person, barn
from deploy.kommune.historie import Historie, historie
from deploy.kommune.hverdag import Sending, dagens_sendinger
from deploy.kommune.kropper import KOMMUNE
from deploy.parts import log_to
from deploy.supervisor import end_with_supervisor

DEMO_BARN = 400
DEMO_DAGER = 60
DEMO_SEED = 24
SAMTIDIG = 8
SNUR_ETTER_S = 20.0
"""How long a visitor sees the consent as it was, and then as withdrawn, before it turns."""
NYE_DAGER_S = 60.0
RETRY_S = 0.5
BARNEKOORDINATOR = "demo:barnekoordinator"


@dataclass
class Tellere:
    """What came of the sendings: events accepted, known from before, and records refused."""

    mottatt: int = 0
    kjent: int = 0
    feil: int = 0

    def legg_til(self, svar: Svar) -> None:
        kjente = sum(kvittering["status"] == "kjent" for kvittering in svar.kvitteringer)
        self.kjent += kjente
        self.mottatt += len(svar.kvitteringer) - kjente
        self.feil += len(svar.feil)


class Kommune:
    """The municipality's fagsystemer, and its families as far as they register and consent."""

    def __init__(self, samtykke: InternalClient, fagsystem: Fagsystem) -> None:
        self._samtykke = samtykke
        self._fagsystem = fagsystem
        self.tellere = Tellere()

    async def fortell(self, historien: Historie, anker: date) -> None:
        """Register and send the whole story. Doing it again changes nothing."""
        await self.registrer(historien.barn)
        for samtykke in historien.samtykker:
            await self._si("/samtykke/samtykker", samtykke.body(anker))
        for koordinert in historien.koordineres:
            await self._si(
                "/samtykke/tildelinger",
                {
                    "person": koordinert.nummer,
                    "kommune": KOMMUNE,
                    "koordinator": BARNEKOORDINATOR,
                    "rolle": "barnekoordinator",
                },
            )
        for barnet, bruker, rolle in historien.familie:
            body = {"person": barnet.nummer, "kommune": KOMMUNE, "bruker": bruker, "rolle": rolle}
            await self._si("/samtykke/familie", body)
        await send_alle(self._fagsystem, self.tellere, historien.sendinger)

    async def snu(self, historien: Historie, anker: date) -> None:
        """A family withdraws a consent and gives it again, once ever: alerts go and come while somebody looks."""
        snur = historien.snur
        naa = await self._si("/samtykke/samtykker", snur.body(anker))
        if naa["status"] == "gitt" and naa["sekvens"] == 1:
            await asyncio.sleep(SNUR_ETTER_S)
            naa = await self._si(f"/samtykke/samtykker/{snur.id}/trekk")
        if naa["status"] == "trukket":
            await asyncio.sleep(SNUR_ETTER_S)
            await self._si(f"/samtykke/samtykker/{snur.id}/gi-igjen")

    async def registrer(self, folk: Sequence[Person]) -> None:
        """Names to the vault, so that those who may open a child see who it is."""
        for start in range(0, len(folk), SAMTIDIG):
            await asyncio.gather(
                *(
                    self._si("/samtykke/personer", {"person": p.nummer, "kommune": KOMMUNE, "navn": p.navn})
                    for p in folk[start : start + SAMTIDIG]
                )
            )

    async def _si(self, path: str, body: Any = None) -> Any:
        """A call to samtykke, again and again while it is away; each of ours may be repeated without harm."""
        while True:
            try:
                return await self._samtykke.call("POST", path, body)
            except Retry:
                await asyncio.sleep(RETRY_S)


async def lev(
    fagsystem: Fagsystem, tellere: Tellere, seed: int, folk: Sequence[Barn], dag: date, forste_dag: date
) -> None:
    """One day of everyday life. Each service's fagsystem sends its own in order; they don't wait for one another."""
    per_tjeneste: dict[str, list[Sending]] = {}
    for sending in dagens_sendinger(seed, folk, dag, forste_dag):
        per_tjeneste.setdefault(sending.tjeneste, []).append(sending)
    await asyncio.gather(*(send_alle(fagsystem, tellere, sine) for sine in per_tjeneste.values()))


async def send_alle(fagsystem: Fagsystem, tellere: Tellere, sendinger: Sequence[Sending]) -> None:
    for sending in sendinger:
        tellere.legg_til(await fagsystem.send(sending))


async def demo(settings: Settings, tokens: Mapping[str, str], tempo: float) -> None:
    """The embedded run's municipality: the story, then everyday life at `tempo` days a second up to today, and on.

    Where it had come to is kept in the data directory, so the next start goes on from there.
    """
    kept = _Fremdrift(settings.data_dir / "kommune.json")
    forste_dag = kept.anker - timedelta(days=DEMO_DAGER)
    async with (
        InternalClient(settings, "kommune", "samtykke") as samtykke,
        _fagsystem(settings, tokens) as fagsystem,
    ):
        kommune = Kommune(samtykke, fagsystem)
        historien = historie(kept.anker)
        await kommune.fortell(historien, kept.anker)
        folk = [barn(DEMO_SEED, nr, kept.anker) for nr in range(DEMO_BARN)]
        if kept.levd_til is None:
            await kommune.registrer(folk)
        async with asyncio.TaskGroup() as group:
            group.create_task(kommune.snu(historien, kept.anker))
            group.create_task(_leve(fagsystem, kommune.tellere, folk, forste_dag, kept, tempo))


async def _leve(
    fagsystem: Fagsystem,
    tellere: Tellere,
    folk: Sequence[Barn],
    forste_dag: date,
    kept: "_Fremdrift",
    tempo: float,
) -> None:
    dag = forste_dag if kept.levd_til is None else kept.levd_til + timedelta(days=1)
    while True:
        if dag > _idag():
            await asyncio.sleep(NYE_DAGER_S)
            continue
        await lev(fagsystem, tellere, DEMO_SEED, folk, dag, forste_dag)
        kept.levd(dag)
        dag += timedelta(days=1)
        await asyncio.sleep(1 / tempo)


async def simuler(
    fagsystem: Fagsystem,
    seed: int,
    antall: int,
    dager: int,
    tempo: float | None,
    meld: Callable[[date, Tellere], None],
) -> Tellere:
    """`antall` children through `dager` days that end today, at `tempo` days a second (None: as fast as it goes).

    `meld` hears of each day when it is over.
    """
    siste_dag = _idag()
    forste_dag = siste_dag - timedelta(days=dager - 1)
    folk = [barn(seed, nr, siste_dag) for nr in range(antall)]
    tellere = Tellere()
    for nr in range(dager):
        dag = forste_dag + timedelta(days=nr)
        await lev(fagsystem, tellere, seed, folk, dag, forste_dag)
        meld(dag, tellere)
        await asyncio.sleep(1 / tempo if tempo else 0)
    return tellere


class _Fremdrift:
    """How far the demo municipality has lived: the day the story counts from, and the last day sent in full."""

    def __init__(self, path: Path) -> None:
        self._path = path
        kept: dict[str, str] = orjson.loads(path.read_bytes()) if path.exists() else {}
        self.anker = date.fromisoformat(kept["anker"]) if "anker" in kept else _idag()
        self.levd_til = date.fromisoformat(kept["levd_til"]) if "levd_til" in kept else None
        self._save()

    def levd(self, dag: date) -> None:
        self.levd_til = dag
        self._save()

    def _save(self) -> None:
        levd_til = {} if self.levd_til is None else {"levd_til": str(self.levd_til)}
        write_private(self._path, {"anker": str(self.anker), **levd_til})


def _fagsystem(settings: Settings, tokens: Mapping[str, str]) -> Fagsystem:
    return Fagsystem(settings.url("tjenester"), tokens)


def _idag() -> date:
    return system_clock().astimezone(OSLO).date()


def simulate_as_child(settings: Settings, tokens: Path, tempo: float, log: Path) -> None:
    """The demo municipality as a process of the embedded run."""
    end_with_supervisor()
    log_to(log)

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            await demo(settings, orjson.loads(tokens.read_bytes()), tempo)
        except asyncio.CancelledError:
            pass  # asked to stop; what was not answered is sent again at the next start

    asyncio.run(main())
