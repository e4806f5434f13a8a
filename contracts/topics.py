"""The Kafka topics, with everything a broker must be told about them."""

from dataclasses import dataclass, field

PARTITIONS = 12
"""The same for every event topic, so that one child's events of all topics meet in one process."""

DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class Topic:
    """`retention_ms` in milliseconds; -1 keeps for ever (the timeline can be rebuilt from the topic)."""

    navn: str
    partitions: int = PARTITIONS
    retention_ms: int = -1
    min_insync_replicas: int = 1
    config: dict[str, str] = field(default_factory=dict)


def event_topic(tjeneste: str) -> Topic:
    return Topic(f"{tjeneste}.hendelser")


PARKERT = Topic("samordning.parkert", retention_ms=90 * DAY_MS)
KJEDE = Topic("revisjon.kjede", partitions=1)
"""Heads of the ledgers' chains: the word that a ledger is held against, kept for ever."""

INNBOKS = Topic("barnevern.innboks", retention_ms=30 * DAY_MS)
"""Statutory reports to barnevern, sealed to its key, under random keys. Its inbox keeps what it has read itself."""
