"""What the rules need to know of one child: a compact set of facts that merges in any order.

A fact is known by (source, type, nokkel); of several, the highest (versjon, tilbaketrukket, time, id)
stands. A consent is known by its id, and its highest sequence number stands. Taking a maximum is
commutative, associative and idempotent, so the set is the same whatever the order, the batches or the
repetitions. Facts are plain tuples: a batch of thousands of children decodes, merges and encodes them
without building objects.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from contracts.samtykke_api import FORESATT

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FORMAT = 1

Data = Mapping[str, Any]
Key = tuple[str, str, str]
"""(source, full type, nokkel)"""
Standing = tuple[int, bool, int, str, Data]
"""(versjon, tilbaketrukket, time in µs since 1970 UTC, event id, the data fields some rule reads)"""


class ConsentStanding(NamedTuple):
    """A consent as its latest event left it. Times in µs since 1970 UTC; `utloper` None: until withdrawn."""

    sekvens: int
    time: int
    id: str
    status: str
    fra_tjeneste: str
    til_tjenester: tuple[str, ...]
    kategorier: tuple[str, ...]
    gyldig_fra: int
    utloper: int | None

    def active(self, at: int) -> bool:
        return self.status == "gitt" and self.gyldig_fra <= at and (self.utloper is None or at < self.utloper)

    @property
    def topics(self) -> Iterator[tuple[str, str]]:
        """What it is about: (from service, category)."""
        return ((self.fra_tjeneste, kategori) for kategori in self.kategorier)

    @property
    def releases(self) -> bool:
        """Whether it names any recipient but the child's guardians, who are no service."""
        return any(til != FORESATT for til in self.til_tjenester)


class FactSet:
    """The facts and consents of one child (`subject`)."""

    __slots__ = ("consents", "facts", "subject")

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.facts: dict[Key, Standing] = {}
        self.consents: dict[str, ConsentStanding] = {}

    def add(self, key: Key, standing: Standing) -> bool:
        """Whether the fact changed anything."""
        held = self.facts.get(key)
        if held is not None and _rank(held) >= _rank(standing):
            return False
        self.facts[key] = standing
        return True

    def add_consent(self, consent: str, standing: ConsentStanding) -> bool:
        """Whether the consent's event changed anything."""
        held = self.consents.get(consent)
        if held is not None and _consent_rank(held) >= _consent_rank(standing):
            return False
        self.consents[consent] = standing
        return True

    def merge(self, other: "FactSet") -> bool:
        """Take in what `other` knows; whether it changed anything."""
        if not self.facts and not self.consents:
            self.facts.update(other.facts)
            self.consents.update(other.consents)
            return bool(other.facts or other.consents)
        changes = [self.add(k, s) for k, s in other.facts.items()]
        changes += [self.add_consent(c, s) for c, s in other.consents.items()]
        return any(changes)

    def encode(self) -> bytes:
        """Canonical JSON: equal sets give equal bytes. Sources and types, which repeat, are written once."""
        sources = sorted({k[0] for k in self.facts})
        types = sorted({k[1] for k in self.facts})
        s_at, t_at = {s: i for i, s in enumerate(sources)}, {t: i for i, t in enumerate(types)}
        rows = [
            (s_at[source], t_at[full_type], nokkel, versjon, int(trukket), time, id_, data)
            for (source, full_type, nokkel), (versjon, trukket, time, id_, data) in sorted(
                self.facts.items(), key=_first
            )
        ]
        consents = [(c, *s) for c, s in sorted(self.consents.items(), key=_first)]
        return orjson.dumps((_FORMAT, sources, types, rows, consents), option=orjson.OPT_SORT_KEYS)

    @classmethod
    def decode(cls, subject: str, blob: bytes) -> "FactSet":
        """Raises ValueError for bytes that `encode` did not write."""
        version, sources, types, rows, consents = orjson.loads(blob)
        if version != _FORMAT:
            raise ValueError("unknown fact set format")
        found = cls(subject)
        found.facts = {
            (sources[s], types[t], nokkel): (versjon, bool(trukket), time, id_, data)
            for s, t, nokkel, versjon, trukket, time, id_, data in rows
        }
        found.consents = {
            c: ConsentStanding(sekvens, time, id_, status, fra, tuple(til), tuple(kat), gyldig, utloper)
            for c, sekvens, time, id_, status, fra, til, kat, gyldig, utloper in consents
        }
        return found


def merged(subject: str, sets: Iterable[FactSet]) -> FactSet:
    """The union of several sets of one child."""
    out = FactSet(subject)
    for one in sets:
        out.merge(one)
    return out


def micros(at: datetime) -> int:
    """µs since 1970 UTC of an aware time, exact."""
    return (at - EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """The UTC time of µs since 1970."""
    return EPOCH + timedelta(microseconds=at)


def _first(item: tuple[Any, Any]) -> Any:
    return item[0]


def _rank(s: Standing) -> tuple[int, bool, int, str, bytes]:
    # The data decides between two that claim the same id, so that even a broken sender is read alike
    # everywhere.
    return s[0], s[1], s[2], s[3], orjson.dumps(s[4], option=orjson.OPT_SORT_KEYS) if s[4] else b""


def _consent_rank(s: ConsentStanding) -> tuple[int, int, str, bytes]:
    return s.sekvens, s.time, s.id, orjson.dumps(s[3:])
