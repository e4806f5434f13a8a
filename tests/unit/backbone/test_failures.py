"""What a failure's type says happens next."""

import asyncio

import pytest

from backbone.failures import unless_cancelled


async def test_a_loop_that_waits_for_neighbours_ends_when_it_is_told_to() -> None:
    async def patient() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                unless_cancelled()

    task = asyncio.create_task(patient())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=1)
    assert task.cancelled()


async def test_a_time_that_ran_out_is_no_such_word() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await asyncio.sleep(1)
    unless_cancelled()
