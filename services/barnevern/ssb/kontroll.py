"""Holding a file to the table, as a stream: nothing of it is kept but where we are.

One difference to SSB's XSD is meant: a document type declaration is refused, for it is how XML bombs and reads
of other files are built, and no file of this format has one.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from lxml import etree

from services.barnevern.ssb.skjema import BARNEVERN, ROOT, Child, Element
from services.barnevern.ssb.verdier import XML_SPACE
from services.format import Argument, Problem

CHUNK_BYTES = 1 << 16
PROBLEMS_MOST = 100
TEXT_MOST = 10_000  # no value that is longer can be right
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_HINTS = {f"{XSI}schemaLocation", f"{XSI}noNamespaceSchemaLocation"}


class DoctypeRefused(Exception):
    """The file declares a document type."""


class Malformed(Exception):
    """The file is no well-formed XML with namespaces; where, both from 1."""

    def __init__(self, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}")
        self.line, self.column = max(line, 1), max(column, 1)


class _Enough(Exception):
    """There is no use in more problems."""


def problems_of(body: bytes) -> tuple[Problem, ...]:
    """All that is wrong with the file, up to PROBLEMS_MOST; none when it follows the format."""
    checker = _Checker()
    try:
        for _ in fed(body, checker):
            pass
    except _Enough:
        pass
    except DoctypeRefused:
        return (Problem("/", "ssb-doctype"),)
    except Malformed as error:
        return (
            *checker.problems,
            Problem("/", "ssb-ikke-xml", {"linje": error.line, "kolonne": error.column}),
        )
    return tuple(checker.problems)


def fed(body: bytes, target: Any) -> Iterator[None]:
    """Feeds the file to a parser target bit by bit, pausing after each. Raises Malformed."""
    parser = etree.XMLParser(target=target, resolve_entities="internal", no_network=True)
    view = memoryview(body)
    try:
        for start in range(0, len(view), CHUNK_BYTES):
            parser.feed(bytes(view[start : start + CHUNK_BYTES]))
            _well_formed(parser)
            yield
        parser.close()
    except etree.XMLSyntaxError as error:
        raise Malformed(*error.position) from None
    _well_formed(parser)


def _well_formed(parser: etree.XMLParser) -> None:
    """A parser target is not told of a prefix without namespace: the parser's log is."""
    for entry in parser.feed_error_log.filter_from_errors():
        raise Malformed(entry.line, entry.column)


class _Open:
    """An element that has begun. `element` is None in and below what the table does not know.

    One is made for each element of the file, so what few need is made when needed.
    """

    __slots__ = ("count", "element", "keys", "place", "prefixes", "seen", "spoken", "tag", "text")

    def __init__(self, tag: str, element: Element | None, prefixes: Mapping[str | None, str]) -> None:
        self.tag, self.element, self.prefixes = tag, element, prefixes
        self.place = 0  # in the sequence of children
        self.count = 0  # of children at that place
        self.seen: dict[str, int] | None = None
        self.keys: set[tuple[str, ...]] | None = None
        self.text = ""
        self.spoken = False  # its text has been found wrong

    @property
    def children(self) -> tuple[Child, ...]:
        content = self.element.content if self.element else ()
        return content if isinstance(content, tuple) else ()


class _Checker:
    """A parser target."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._open: list[_Open] = []

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise DoctypeRefused

    def start(self, tag: str, attributes: Mapping[str, str], prefixes: Mapping[str | None, str]) -> None:
        if not self._open:
            if tag != ROOT:
                self._tell("/*", "ssb-feil-rot")
                raise _Enough
            self._open.append(_Open(tag, BARNEVERN, prefixes))
            self._attributes(BARNEVERN, attributes)
            return
        parent = self._open[-1]
        seen = parent.seen = {} if parent.seen is None else parent.seen
        seen[tag] = seen.get(tag, 0) + 1
        this = _Open(tag, None, prefixes)
        self._open.append(this)
        if parent.element:
            this.element = self._child(parent, tag)
        if this.element:
            if parent.element and parent.element.unique:
                self._unique(parent, tag, attributes)
            self._attributes(this.element, attributes)

    def end(self, tag: str) -> None:
        this = self._open[-1]
        if this.element:
            if isinstance(this.element.content, tuple):
                self._missing(this, len(this.children))
            elif fault := this.element.content.fault(this.text):
                self._tell(self._path(), *fault)
        self._open.pop()

    def data(self, text: str) -> None:
        this = self._open[-1]
        if this.element is None or this.spoken:
            return
        if not isinstance(this.element.content, tuple):
            if len(this.text) <= TEXT_MOST:
                this.text += text
        elif not this.element.content or text.strip(XML_SPACE):
            this.spoken = True
            self._tell(self._path(), "ssb-tekst")

    def close(self) -> None:
        pass

    def _child(self, parent: _Open, tag: str) -> Element | None:
        """What `tag` is, here where it begins; moves on in the parent's sequence."""
        children = parent.children
        for place in range(parent.place, len(children)):
            child = children[place]
            if child.name == tag:
                self._missing(parent, place)
                if place > parent.place:
                    parent.place, parent.count = place, 0
                parent.count += 1
                if parent.count > child.most:
                    self._too_many(child)
                return child.element
        passed = next((child.element for child in children if child.name == tag), None)
        if passed:
            self._tell(self._path(), "ssb-rekkefolge")
        elif children:
            known = ", ".join(child.name for child in children)
            self._tell(self._path(), "ssb-element-ukjent", {"kjente": known})
        else:
            self._tell(self._path(), "ssb-element-uventet")
        return passed

    def _too_many(self, child: Child) -> None:
        if child.name == "Sak":
            self._tell(self._path(), "ssb-flere-saker")
            raise _Enough
        self._tell(self._path(), "ssb-for-mange", {"grense": child.most})

    def _missing(self, this: _Open, until: int) -> None:
        """Tells of what must come before place `until` and has not."""
        for place in range(this.place, until):
            child = this.children[place]
            if child.least > (this.count if place == this.place else 0):
                self._tell(f"{self._path(this)}/{child.name}", "ssb-element-mangler")

    def _attributes(self, element: Element, attributes: Mapping[str, str]) -> None:
        for name in sorted(element.required - attributes.keys()):
            self._tell(f"{self._path()}/@{name}", "mangler")
        for name, text in attributes.items():
            if declared := element.attributes.get(name):
                if fault := declared[0].fault(text):
                    self._tell(f"{self._path()}/@{name}", *fault)
            elif name == f"{XSI}type":
                if element.type_name is None or self._type(text) != element.type_name:
                    self._tell(self._path(), "ssb-feil-type")
            elif name not in _HINTS:
                local = name.rpartition("}")[2]
                self._tell(f"{self._path()}/@*[local-name()='{local}']", "ssb-attributt-ukjent")

    def _type(self, text: str) -> str:
        """The type's name as lxml writes names, from a name with a prefix."""
        prefix, _, local = text.rpartition(":")
        scope = (
            this.prefixes[prefix or None]
            for this in reversed(self._open)
            if (prefix or None) in this.prefixes
        )
        namespace = next(scope, "?" if prefix else "")
        return f"{{{namespace}}}{local}" if namespace else local

    def _unique(self, parent: _Open, tag: str, attributes: Mapping[str, str]) -> None:
        fields = parent.element.unique.get(tag) if parent.element else None
        if not fields or not all(f in attributes for f in fields):
            return
        key = (tag, *(attributes[f] for f in fields))
        keys = parent.keys = set() if parent.keys is None else parent.keys
        if key in keys:
            self._tell(f"{self._path()}/@Id", "ssb-id-gjentatt")
        keys.add(key)

    def _path(self, to: _Open | None = None) -> str:
        """XPath of the innermost open element, or of `to`."""
        steps = [f"/{ROOT}"]
        for parent, this in pairwise(self._open):
            if parent is to:
                break
            steps.append(_step(this.tag, parent))
        return "".join(steps)

    def _tell(self, pointer: str, code: str, args: Mapping[str, Argument] | None = None) -> None:
        self.problems.append(Problem(pointer, code, args or {}))
        if len(self.problems) >= PROBLEMS_MOST:
            raise _Enough


def _step(tag: str, parent: _Open) -> str:
    """The XPath step to the latest child of `parent`: by name, and by number where there can be several."""
    seen = parent.seen or {}
    if tag.startswith("{"):
        return f"/*[{sum(seen.values())}]"
    single = any(child.name == tag and child.most == 1 for child in parent.children) and tag != "Sak"
    return f"/{tag}" if single and seen[tag] == 1 else f"/{tag}[{seen[tag]}]"
