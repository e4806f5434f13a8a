"""The short form of `make faults`: some telling rows and two planted bugs, one seed each, on one running Samspor."""

from pathlib import Path

import pytest

from tests.faults.check import Key
from tests.faults.rows import BY_NAVN, ROWS
from tests.faults.run import run_seed
from tests.faults.stack import stack

EVENTS, SEED = 120, 1
SHORT = (
    "kill",
    "consumer-before-commit",
    "planted ack-before-commit",
    "planted consent-ignored",
)

pytestmark = pytest.mark.timeout(600)


async def test_faults_lose_double_and_leak_nothing_and_planted_bugs_are_caught(tmp_path: Path) -> None:
    async with stack(tmp_path) as running:
        earlier = set[Key]()
        for nr, navn in enumerate(SHORT):
            row = BY_NAVN[navn]
            outcome = await run_seed(
                row, running, SEED, EVENTS, ROWS.index(row), tmp_path / f"journal-{nr}", earlier
            )
            assert outcome.passed, (navn, outcome.violations)
