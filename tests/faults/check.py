"""The checker: what the client was told against what the databases and Kafka hold. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Key = tuple[str, str]
"""(source, id) of an event."""
Duty = tuple[str, str, str, str, str, str]
"""Subject, rule, occasion, state, owner, date."""
INBOX = "inbox"
"""The outcome of a statutory report, which nobody decides: barnevern's inbox alone."""
PUBLISHED = frozenset({"release", "shield"})


class Kind(StrEnum):
    """What can be wrong."""

    LOST = "lost"
    DOUBLED = "doubled"
    NOWHERE = "from nowhere"
    LEAKED = "leaked"
    DUTIES = "duties differ"
    NOT_HEALED = "not healed"
    SPREAD = "spread"
    NOT_HIT = "fault did not happen"
    STOPPED_BADLY = "stopped badly"
    NOT_RUN = "did not run through"


@dataclass(frozen=True, order=True)
class Violation:
    """`count` things are wrong in this way; `what` names one of them, with nothing of anybody's in it."""

    kind: Kind
    count: int
    what: str


@dataclass(frozen=True)
class History:
    """What the client knows of the events it sent: acknowledged, told that they are wrong, and never answered."""

    ok: frozenset[Key]
    failed: frozenset[Key]
    unknown: frozenset[Key]

    @property
    def sent(self) -> frozenset[Key]:
        return self.ok | self.failed | self.unknown


@dataclass(frozen=True)
class Found:
    """What there is when all has come to rest.

    - `journal`: what became of each accepted event: an outcome, "park", or None while undecided.
    - `kafka`, `timeline`, `parked` (set aside by coordination), `inbox` (barnevern's): how often each event stands
      there.
    - `injected`, `set_aside`: places (topic, partition, offset) of records that no service sent, and of all that
      coordination set aside.
    - `rows`, `rows_counted`: how many rows all timelines have, and how many the positions say were added.
    - `tasks`: how many there are for each (child, rule, occasion).
    - `duties`, `derived`: the tasks as they stand, and the duties as derived anew from the timeline.
    - `exposed`: words found where they must not be, and reads that were let through: where, never what.
    """

    journal: Mapping[Key, str | None]
    timeline: Counter[Key]
    kafka: Counter[Key] = field(default_factory=Counter)
    parked: Counter[Key] = field(default_factory=Counter)
    inbox: Counter[Key] = field(default_factory=Counter)
    injected: frozenset[tuple[str, int, int]] = frozenset()
    set_aside: frozenset[tuple[str, int, int]] = frozenset()
    rows: int = 0
    rows_counted: int = 0
    tasks: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    duties: frozenset[Duty] = frozenset()
    derived: frozenset[Duty] = frozenset()
    exposed: tuple[str, ...] = ()


def check(
    history: History, found: Found, allowed: Mapping[Key, Collection[str]], earlier: Collection[Key] = ()
) -> list[Violation]:
    """Everything that is wrong, worst first; nothing when nothing is.

    `allowed`: the outcomes each event may have come to (INBOX for a report), by consent and law, as the sender of the
    load knows them. `earlier`: events of the same databases that other histories speak of.
    """
    violations = [
        *_places(history, found),
        *_strangers(history, found, frozenset(earlier)),
        *_effects(found),
        *_leaks(found, allowed),
        *_duties(found),
    ]
    order = list(Kind)
    return sorted(violations, key=lambda v: order.index(v.kind))


def places(key: Key, found: Found) -> list[str]:
    """Every place the event is in; one, if all is well."""
    there = []
    if found.timeline[key]:
        there.append("timeline")
    if found.parked[key] or found.journal.get(key) == "park":
        there.append("parked")
    if found.inbox[key]:
        there.append("inbox")
    if (outcome := found.journal.get(key)) in ("withhold", "refuse"):
        there.append(outcome)
    return there


def _places(history: History, found: Found) -> Iterator[Violation]:
    """Acknowledged = timeline ∪ withheld ∪ refused ∪ parked ∪ inbox, each in one place; and so is what was never
    answered, if it was taken at all."""
    kept = found.journal.keys() | found.inbox.keys()
    taken = history.unknown & kept
    by_count = {key: places(key, found) for key in history.ok | taken}
    lost = {key for key, at in by_count.items() if not at} | (history.ok - kept)
    yield from _told(Kind.LOST, (f"{key[1]} is nowhere" for key in lost))
    yield from _told(
        Kind.DOUBLED, (f"{key[1]} is in {' and '.join(at)}" for key, at in by_count.items() if len(at) > 1)
    )
    yield from _told(
        Kind.LOST, (f"poison at {place} was not set aside" for place in found.injected - found.set_aside)
    )


def _strangers(history: History, found: Found, earlier: frozenset[Key]) -> Iterator[Violation]:
    """Nothing is there that was not sent, and nothing that the sender was told is wrong."""
    may_be = history.ok | history.unknown | earlier
    for where, keys in (
        ("timeline", found.timeline.keys()),
        ("journal", found.journal.keys()),
        ("kafka", found.kafka.keys()),
        ("parked", found.parked.keys()),
        ("inbox", found.inbox.keys()),
    ):
        yield from _told(Kind.NOWHERE, (f"{key[1]} in {where}" for key in keys - may_be))


def _effects(found: Found) -> Iterator[Violation]:
    """One effect an event, one task an occasion."""
    yield from _told(
        Kind.DOUBLED, (f"{key[1]} in the timeline" for key, n in found.timeline.items() if n > 1)
    )
    yield from _told(Kind.DOUBLED, (f"{key[1]} in the inbox" for key, n in found.inbox.items() if n > 1))
    yield from _told(Kind.DOUBLED, (f"{key[1]} set aside" for key, n in found.parked.items() if n > 1))
    yield from _told(Kind.DOUBLED, (f"task of {rule}" for (_, rule, _), n in found.tasks.items() if n > 1))
    more = found.rows_counted - found.rows
    if more:
        yield Violation(Kind.DOUBLED if more > 0 else Kind.LOST, abs(more), "rows that positions count")


def _leaks(found: Found, allowed: Mapping[Key, Collection[str]]) -> Iterator[Violation]:
    """What may not go is not on Kafka and on no timeline, whatever the journal says it became."""
    barred = {key for key, outcomes in allowed.items() if not PUBLISHED & set(outcomes)}
    yield from _told(Kind.LEAKED, (f"{key[1]} on Kafka" for key in barred & found.kafka.keys()))
    yield from _told(Kind.LEAKED, (f"{key[1]} in a timeline" for key in barred & found.timeline.keys()))
    reports = {key for key, outcomes in allowed.items() if INBOX in outcomes}
    yield from _told(Kind.LEAKED, (f"report {key[1]} in a journal" for key in reports & found.journal.keys()))
    yield from _told(
        Kind.LEAKED, (f"{key[1]} in the inbox" for key in found.inbox.keys() & allowed.keys() - reports)
    )
    yield from _told(
        Kind.LEAKED,
        (
            f"{key[1]} became {found.journal[key]}"
            for key, outcomes in allowed.items()
            if found.journal.get(key) in PUBLISHED - set(outcomes)
        ),
    )
    yield from _told(Kind.LEAKED, iter(found.exposed))
    # The other way round nobody is exposed, but somebody is not told.
    yield from _told(
        Kind.LOST,
        (
            f"{key[1]} became {found.journal[key]}"
            for key, outcomes in allowed.items()
            if found.journal.get(key) in {"withhold", "refuse"} - set(outcomes)
        ),
    )


def _duties(found: Found) -> Iterator[Violation]:
    """The digest of what is due: from the tasks as they stand, and from scratch."""
    differ = sorted(found.duties ^ found.derived)
    if differ:
        _, rule, _, state, _, _ = differ[0]
        yield Violation(Kind.DUTIES, len(differ), f"{rule}, {state}")


def _told(kind: Kind, what: Iterator[str]) -> Iterator[Violation]:
    found = sorted(what)
    if found:
        yield Violation(kind, len(found), found[0])
