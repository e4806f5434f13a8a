"""Corrections and retractions through the whole of a real run: from the sender's HTTP to the tasks of coordination."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from backbone.tokens import Principal, issue
from contracts.personnummer import tenor
from deploy.commands import felles
from tests.up_process import Up, four_free_ports, up

pytestmark = pytest.mark.timeout(300)
WITHIN_S = 90
CORRECTED, WRONG, BEFORE, OTHERS, GAVE, GOT, LAST = (tenor(date(2014, 5, n), n) for n in range(1, 8))


class Sender:
    """Barnevern of one organisation."""

    def __init__(self, http: httpx.AsyncClient, url: str, token: str) -> None:
        self._http, self._url = http, f"{url}/barnevern/hendelser"
        self._headers = {"authorization": f"Bearer {token}"}

    async def send(self, person: str, versjon: int, *, trukket: bool = False, dager: int = 1) -> str:
        """The event's id. A melding got some days ago, in its version, or its retraction."""
        event = {
            "type": "henvendelse.mottatt",
            "person": person,
            "tid": (datetime.now(UTC) - timedelta(days=dager)).isoformat(timespec="seconds"),
            "nokkel": "M1",
            "versjon": versjon,
            "tilbaketrukket": trukket,
            "data": {} if trukket else {"slag": 2},
        }
        answer = await self._http.post(self._url, json=event, headers=self._headers)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["kvitteringer"][0]["id"])

    async def receipt(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self._http.get(f"{self._url}/{id_}", headers=self._headers)).json()
        return found


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not await true():
            await asyncio.sleep(0.2)


async def test_a_sender_corrects_and_takes_back_its_own_and_only_its_own(tmp_path: Path) -> None:
    async with (
        up(tmp_path / "d", four_free_ports(), "--uten-simulering") as run,
        httpx.AsyncClient(trust_env=False, timeout=30) as http,
    ):
        ours = Sender(http, run.ready["tjenester"], run.tokens()["barnevern"])
        other = Sender(http, run.ready["tjenester"], _token_of_another(run))
        ids = {
            CORRECTED: [await ours.send(CORRECTED, 1), await ours.send(CORRECTED, 2, dager=3)],
            WRONG: [await ours.send(WRONG, 1), await ours.send(WRONG, 2, trukket=True)],
            BEFORE: [await ours.send(BEFORE, 2, trukket=True), await ours.send(BEFORE, 1)],
            OTHERS: [await ours.send(OTHERS, 1)],
            GAVE: [await ours.send(GAVE, 1), await ours.send(GAVE, 2, trukket=True)],
            GOT: [await ours.send(GOT, 3)],
            LAST: [await ours.send(LAST, 1)],
        }
        taken_back_by_another = await other.send(OTHERS, 2, trukket=True)

        async def released(sender: Sender, id_: str) -> bool:
            return (await sender.receipt(id_)).get("publisert") is not None

        for id_ in (id_ for of_child in ids.values() for id_ in of_child):
            await until(lambda id_=id_: released(ours, id_))  # type: ignore[misc]
        await until(lambda: released(other, taken_back_by_another))
        subjects = {person: (await ours.receipt(of[0]))["subject"] for person, of in ids.items()}

        async def task(person: str) -> dict[str, Any] | None:
            parameters = {"subject": subjects[person]}
            system = {"authorization": f"Bearer {run.tokens()['system']}"}
            address = f"{run.ready['samordning']}/samordning/oppgaver"
            found = (await http.get(address, params=parameters, headers=system)).json()["oppgaver"]
            tasks = [t for t in found if t["regel"] == "bekymringsmelding" and t["status"] == "aapen"]
            assert len(tasks) <= 1
            return tasks[0] if tasks else None

        async def on_timeline(person: str) -> int:
            system = {"authorization": f"Bearer {run.tokens()['system']}"}
            address = f"{run.ready['samordning']}/samordning/barn/{subjects[person]}"
            return len((await http.get(address, headers=system)).json()["tidslinje"])

        async def all_read() -> bool:
            counts = [await on_timeline(person) for person in ids]
            return counts == [2, 2, 2, 2, 2, 1, 1]

        await until(all_read)
        corrected, last = await task(CORRECTED), await task(LAST)
        assert corrected is not None
        assert last is not None
        days = date.fromisoformat(last["frist"]) - date.fromisoformat(corrected["frist"])
        assert days == timedelta(days=2)  # the deadline runs from the day in the corrected version
        assert await task(WRONG) is None
        assert await task(BEFORE) is None
        assert await task(OTHERS) is not None
        assert await task(GAVE) is None
        assert await task(GOT) is not None


def _token_of_another(run: Up) -> str:
    who = Principal(sub="annen", rolle="fagsystem", orgnr="974557747", kommune="4601", tjeneste="barnevern")
    return issue(who, felles.settings(run.data_dir), datetime.now(UTC), timedelta(hours=1))
