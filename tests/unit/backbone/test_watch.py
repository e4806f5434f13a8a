"""A consumer that hangs without a word (aiokafka #1154) is noticed, on one partition too; a slow one is left alone."""

import asyncio
from collections.abc import Collection

import pytest
from aiokafka import TopicPartition

from backbone.kafka import STARVED_TIMES, Standstill, Watch

STUCK, MOVING = TopicPartition("skole.hendelser", 0), TopicPartition("nav.hendelser", 0)
PATIENCE_S = 10.0


class Kafka:
    def __init__(self) -> None:
        self.ends = {STUCK: 9, MOVING: 1_000}
        self.at = {STUCK: 3, MOVING: 3}
        self.asked = 0

    def assignment(self) -> set[TopicPartition]:
        return set(self.ends)

    async def end_offsets(self, _: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        self.asked += 1
        return dict(self.ends)

    async def position(self, place: TopicPartition) -> int:
        if place == MOVING:
            self.at[MOVING] += 1
        return self.at[place]


class Time:
    """The loop's clock, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)

    async def look(
        self, watch: Watch, kafka: Kafka, after_s: float = PATIENCE_S, drained: bool = True
    ) -> None:
        self.now += after_s
        await watch.look(kafka, drained=drained)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(monkeypatch)


async def test_a_partition_that_stands_still_is_noticed_though_others_get_on(clock: Time) -> None:
    watch, kafka = Watch(PATIENCE_S), Kafka()
    await clock.look(watch, kafka)
    with pytest.raises(Standstill):
        await clock.look(watch, kafka)


async def test_one_that_moves_or_has_read_everything_does_not_stand_still(clock: Time) -> None:
    watch, kafka = Watch(PATIENCE_S), Kafka()
    for at in (3, 4, 5, 9, 9, 9):
        kafka.at[STUCK] = at
        await clock.look(watch, kafka)


async def test_one_behind_others_in_line_is_given_longer_and_not_for_ever(clock: Time) -> None:
    watch, kafka = Watch(PATIENCE_S), Kafka()
    for _ in range(STARVED_TIMES):
        await clock.look(watch, kafka, drained=False)
    with pytest.raises(Standstill):
        await clock.look(watch, kafka, drained=False)


async def test_it_asks_no_more_often_than_it_has_patience(clock: Time) -> None:
    watch, kafka = Watch(PATIENCE_S), Kafka()
    kafka.at[STUCK] = kafka.ends[STUCK]
    for _ in range(25):
        await clock.look(watch, kafka, PATIENCE_S / 10)
    assert kafka.asked == 2
