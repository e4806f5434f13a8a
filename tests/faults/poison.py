"""Records that no service of ours would send: copies of real ones, each broken in its own way."""

import random
from collections.abc import Callable, Collection, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from backbone.kafka import bootstrap
from backbone.settings import Settings

Headers = list[tuple[str, bytes]]
Record = tuple[str, bytes | None, Headers, bytes | None]
"""Topic, key, headers, value."""


def _with(headers: Headers, name: str, value: bytes) -> Headers:
    return [(n, value if n == name else v) for n, v in headers]


def _flipped(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1])


BREAKS: tuple[Callable[[Record], Record], ...] = (
    lambda r: (r[0], r[1], _with(r[2], "ce_dataschema", b"urn:samspor:framtid:99"), r[3]),
    lambda r: (r[0], r[1], _with(r[2], "ce_specversion", b"2.0"), r[3]),
    lambda r: (r[0], r[1], _with(r[2], "ce_type", b"no.samspor.skole.finnes.ikke"), r[3]),
    lambda r: (r[0], r[1], r[2], _flipped(r[3] or b"\0")),
    lambda r: (r[0], r[1], r[2], None),
    lambda r: (r[0], None, r[2], r[3]),
    lambda r: (r[0], b"somebody-else", r[2], r[3]),
    lambda r: (r[0], r[1], [], r[3]),
    lambda r: (r[0], r[1], [("ce_id", b"\xff\xfe")], r[3]),
    lambda r: ("samtykke.hendelser", r[1], r[2], r[3]),
)
"""Future versions of the data and of the envelope, an unknown type, a broken seal, a tombstone, keys of nobody, headers
that are missing or no text, and somebody else's topic."""


def poisoned(records: Sequence[Any], rng: random.Random) -> list[Record]:
    """One of each kind, from copies under ids of their own."""
    made = []
    for nr, broken in enumerate(BREAKS):
        r = rng.choice(records)
        headers = _with(list(r.headers), "ce_id", f"poison-{rng.getrandbits(64):x}-{nr}".encode())
        made.append(broken((r.topic, r.key, headers, r.value)))
    return made


async def send(settings: Settings, records: Collection[Record]) -> set[tuple[str, int, int]]:
    """Where they now stand. Raises KafkaError."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap(settings), acks="all")
    await producer.start()
    try:
        futures = [
            await producer.send(topic, value, key, headers=headers) for topic, key, headers, value in records
        ]
        return {(m.topic, m.partition, m.offset) for m in [await future for future in futures]}
    finally:
        await producer.stop()
