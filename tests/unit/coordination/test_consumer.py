"""A consumer that hangs without a word (aiokafka #1154) is noticed; one that is merely slow is left alone."""

import random
from typing import Any

import pytest
from aiokafka import TopicPartition

from backbone.settings import Settings
from consumers.coordination.consumer import Consumer, Stalled

PLACE = TopicPartition("skole.hendelser", 0)


class Kafka:
    def __init__(self, end: int, position: int) -> None:
        self.end, self.at = end, position

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    async def end_offsets(self, _: Any) -> dict[TopicPartition, int]:
        return {PLACE: self.end}

    async def position(self, _: TopicPartition) -> int:
        return self.at


def consumer(kafka: Kafka) -> Consumer:
    nothing: Any = None
    made = Consumer(nothing, nothing, Settings(), [PLACE.topic], random.Random(1))
    made._kafka = kafka
    return made


async def test_the_same_position_before_something_to_read_twice_is_a_standstill() -> None:
    kafka = Kafka(end=7, position=3)
    reading = consumer(kafka)
    before = await reading._standing_still(kafka, {})
    with pytest.raises(Stalled):
        await reading._standing_still(kafka, before)


async def test_a_consumer_that_moves_or_has_read_everything_does_not_stand_still() -> None:
    kafka = Kafka(end=7, position=3)
    reading = consumer(kafka)
    before = await reading._standing_still(kafka, {})
    kafka.at = 4
    before = await reading._standing_still(kafka, before)
    kafka.at = 7
    assert await reading._standing_still(kafka, before) == {}
