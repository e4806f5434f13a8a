"""`samspor up` as a whole: it starts, it stops, and it leaves nothing behind."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.up_process import Up, all_gone, four_free_ports, up

GONE_WITHIN_S = 15
FORK_SERVER_ENDS_S = 3  # it sees the end of its pipe, and goes

pytestmark = pytest.mark.timeout(240)


async def test_everything_starts_answers_and_stops_without_a_trace(tmp_path: Path) -> None:
    async with up(tmp_path / "d", four_free_ports(), "--uten-simulering") as run:
        assert set(run.ready["deler"]) == {
            "samtykke",
            "portal",
            "tjenester",
            "relay",
            "innboks",
            "samordning",
        }
        assert set(run.ready["motorer"]) == {"postgres", "kafka"}
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(run.ready["portal"], follow_redirects=True)).status_code == 200
            for part in ("tjenester", "samtykke", "samordning"):
                assert (await client.get(f"{run.ready[part]}/helse")).status_code == 200
        for secret in ("hemmeligheter.json", "tokens.json", "kjorer.json"):
            assert (tmp_path / "d" / secret).stat().st_mode & 0o077 == 0
        family = run.family()
        assert len(family) > 7
        assert await run.stop() == 0
        assert await all_gone(family, FORK_SERVER_ENDS_S) == set()


async def test_a_killed_supervisor_takes_everything_with_it_and_the_next_start_goes_on(
    tmp_path: Path,
) -> None:
    port = four_free_ports()
    run = await Up.start(tmp_path / "d", port, "--uten-simulering")
    family = run.family()
    await run.stop(signal.SIGKILL)
    assert await all_gone(family, GONE_WITHIN_S) == set()
    async with up(tmp_path / "d", port, "--uten-simulering") as again:
        assert again.tokens().keys() == run.tokens().keys()


async def test_a_second_run_on_the_same_data_is_told_so_and_the_first_goes_on(tmp_path: Path) -> None:
    async with up(tmp_path / "d", four_free_ports(), "--uten-simulering") as run:
        second = _up(tmp_path / "d", four_free_ports())
        assert second.returncode == 2
        assert "kjører allerede" in second.stderr
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"{run.ready['samtykke']}/helse")).status_code == 200
        assert run.now()["pid"] == run.process.pid


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = _up(tmp_path / "d", port)
    assert answer.returncode == 2
    assert str(port) in answer.stderr
    assert "--port" in answer.stderr


def _up(data_dir: Path, port: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.cli", "up", "--data-dir", str(data_dir), "--port", str(port)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
