"""A valid file as a stream: the case's own attributes, and each thing in it, forgotten when it has been used."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from services.barnevern.ssb.kontroll import fed
from services.barnevern.ssb.verdier import read_bool, read_date, read_time

PARTS_MOST = 2_000  # of one name that are kept in one thing: no case has as many, and memory is bounded
_THING_DEPTH = 3  # Barnevern, Sak, thing


@dataclass(slots=True)
class Node:
    """An element. `pointer` is its XPath."""

    name: str
    pointer: str
    attributes: Mapping[str, str]
    children: "list[Node]" = field(default_factory=list)
    text: str = ""

    def get(self, name: str) -> str | None:
        return self.attributes.get(name)

    def dato(self, name: str) -> date | None:
        text = self.attributes.get(name)
        return read_date(text) if text is not None else None

    def all(self, name: str) -> "list[Node]":
        return [child for child in self.children if child.name == name]

    def one(self, name: str) -> "Node | None":
        return next((child for child in self.children if child.name == name), None)

    def text_of(self, name: str) -> str:
        child = self.one(name)
        return child.text if child else ""

    @property
    def id(self) -> str:
        return self.attributes["Id"]

    @property
    def slettet(self) -> bool:
        return read_bool(self.attributes.get("ErSlettet"))

    @property
    def migrert(self) -> bool:
        return "MigrertId" in self.attributes

    @property
    def slutt(self) -> date | None:
        """The day it ended: its own SluttDato, or its conclusion's."""
        konklusjon = self.one("Konklusjon")
        return konklusjon.dato("SluttDato") if konklusjon else self.dato("SluttDato")


@dataclass(frozen=True)
class Fil:
    """What the file says of itself: its id and that of the file before it, the time of extraction, who sends, and
    the case."""

    id: str
    forrige: str | None
    uttrekk: datetime | None
    avgiver: Node
    sak: Node


def read(body: bytes) -> tuple[Fil, Iterator[Node]]:
    """The file and, one at a time, the things of its case in order. The file must be valid."""
    builder = _Builder()
    fed_bit = fed(body, builder)
    while builder.fil is None:
        next(fed_bit)
    return builder.fil, _things(builder, fed_bit)


def _things(builder: "_Builder", fed_bit: Iterator[None]) -> Iterator[Node]:
    ready = builder.ready
    while True:
        while ready:
            yield ready.popleft()
        if next(fed_bit, _END) is _END:
            break
    yield from ready


_END = object()


class _Builder:
    """A parser target."""

    def __init__(self) -> None:
        self.fil: Fil | None = None
        self.ready: deque[Node] = deque()
        self._open: list[Node] = []
        self._counts: list[dict[str, int]] = [{}]
        self._avgiver = Node("Avgiver", "/Barnevern[1]/Avgiver[1]", {})

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        counts, depth = self._counts[-1], len(self._open) + 1
        ordinal = counts[tag] = counts.get(tag, 0) + 1
        above = self._open[-1].pointer if self._open else ""
        node = Node(tag, f"{above}/{tag}[{ordinal}]", attributes)
        if tag == "Avgiver":
            self._avgiver = node
        elif tag == "Sak":
            root = self._open[0]
            uttrekk = read_time(root.attributes["DatoUttrekk"])
            self.fil = Fil(root.id, root.get("ForrigeId"), uttrekk, self._avgiver, node)
        elif depth > _THING_DEPTH and ordinal <= PARTS_MOST:
            self._open[-1].children.append(node)
        self._open.append(node)
        self._counts.append({})

    def end(self, tag: str) -> None:
        node = self._open.pop()
        self._counts.pop()
        if len(self._open) == _THING_DEPTH - 1 and self._open[-1].name == "Sak":
            self.ready.append(node)

    def data(self, text: str) -> None:
        node = self._open[-1]
        if len(self._open) > _THING_DEPTH and not text.isspace():  # no value has a space in it
            node.text += text

    def close(self) -> None:
        pass
