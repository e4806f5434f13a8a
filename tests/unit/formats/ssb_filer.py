"""SSB files made from our table, full or at random, and all the ways to break one a little."""

import copy
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from random import Random
from uuid import UUID

from lxml import etree

from contracts.personnummer import tenor
from services.barnevern.ssb.skjema import BARNEVERN, ROOT, Child, Element
from services.barnevern.ssb.verdier import Boolsk, Dato, Koder, Tekst, Tidspunkt, Verdi

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
STRANGE = (
    "Ukjent",
    "{urn:x}Id",
    "{http://www.w3.org/XML/1998/namespace}lang",
    f"{XSI}nil",
    f"{XSI}schemaLocation",
    f"{XSI}x",
)
TYPES = ("MeldingType", "SaksinnholdType", "BegrepsType", "xs:date", "")
BARN = tenor(date(2012, 5, 4), 0)
DATES = (
    "2021-01-01",
    "2021-01-01Z",
    "2020-02-29",
    "-0004-02-29",
    "12021-12-31",
    "2021-06-30+14:00",
    "1999-12-31-05:30",
)
TIMES = (
    "2021-01-01T13:22:00+01:00",
    "2021-12-31T24:00:00Z",
    "2021-01-01T00:00:00.123456789-14:00",
    " 2021-01-01T13:22:00Z ",
)
WORDS = r"""
0 1 2 3 4 8 9 10 11 25 26 36 37 99 01 1.1 1.99 1.3 1.1.1 1.1.01 2.5.01 3.3.07 9.1 a A ab æ BVL bvl
BVL2022 BL1981 Melding melding Sak Slettet true false TRUE yes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx xx xxx 1a 12a 123a 1234 1a1 a1 ٣ 12345 123456789 1234567890
٩٤٤١١٧٧٨٤ 12345678901 123456789012 1234567890123 2021-01-01 2021-01-01Z 2021-02-29 2020-02-29
1900-02-29 2000-02-29 0000-01-01 -0001-01-01 -0001-02-29 -0004-02-29 10000-01-01 010000-01-01
2021-1-1 2021-13-01 2021-04-31 2021-00-01 2021-01-00 2021-01-32 2021-01-01+14:00 2021-01-01+14:01
2021-01-01-14:00 2021-01-01+13:60 2021-01-01+00:00 2021-01-01z 01.01.2021 20210101 2021-01 2021
--01-01 2021-01-01T00:00:00 2021-01-01T00:00:00Z 2021-01-01T24:00:00Z 2021-01-01T24:00:01Z
2021-01-01T24:01:00Z 2021-01-01T23:59:60Z 2021-01-01T23:59:59.Z 2021-01-01T23:59:59.1Z
2021-01-01T23:59:59.1234567890Z 2021-01-01t00:00:00Z 2021-01-01T00:00Z 0000-01-01T00:00:00Z
-2021-01-01T00:00:00Z 12021-01-01T00:00:00Z 2021-01-01T00:00:00+14:01 2021-01-01T00:00:00+0100
2021-01-01T24:00:00.000Z 2021-02-30T00:00:00Z 7317a453-2d65-465a-9589-519311d66579
7317A453-2D65-465A-9589-519311D66579 7317a453-2d65-665a-9589-519311d66579
7317a453-2d65-465a-c589-519311d66579 {7317a453-2d65-465a-9589-519311d6657}
7317a4532d65465a9589519311d66579 7317a453-2d65-465a-9589-519311d6657
g317a453-2d65-465a-9589-519311d66579 <&"'> 😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀
😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀
"""
ODD = (
    *WORDS.split(),
    *("x" * length for length in (50, 51, 100, 101, 250, 251, 300, 301, 10_000, 10_001)),
    "",
    " ",
    " 1",
    "1 ",
    "1\n",
    " true ",
    "12 4",
    " 2021-01-01",
    "2021-01-01 ",
    "\t2021-01-01\n",
    "2021-01-01 00:00:00Z",
    " 2021-01-01T00:00:00Z\n",
    "7317a453-2d65-465a-9589-519311d66579 ",
    "\xa0",
)


Times = Callable[[Child], int]


def full(random: Random, each: int = 2) -> etree._Element:
    """A valid file with every element and attribute there is, `each` of those that may be repeated."""
    return _made(ROOT, BARNEVERN, random, lambda child: min(child.most, each), 1.0)


def at_random(random: Random) -> etree._Element:
    """A valid file with some of all."""

    def times(child: Child) -> int:
        return random.randint(child.least, min(child.most, child.least + 2))

    return _made(ROOT, BARNEVERN, random, times, 0.5)


def _made(name: str, element: Element, random: Random, times: Times, share: float) -> etree._Element:
    made = etree.Element(name)
    attributes = [(n, v) for n, (v, must) in element.attributes.items() if must or random.random() < share]
    random.shuffle(attributes)
    for attribute, value in attributes:
        made.set(attribute, BARN if attribute == "Fodselsnummer" else valid(value, random))
    if isinstance(element.content, tuple):
        for child in element.content:
            for _ in range(times(child)):
                made.append(_made(child.name, child.element, random, times, share))
    else:
        made.text = valid(element.content, random)
    return made


def valid(value: Verdi, random: Random) -> str:
    if isinstance(value, Koder):
        return random.choice(value.koder)
    if isinstance(value, Dato):
        return random.choice(DATES)
    if isinstance(value, Tidspunkt):
        return random.choice(TIMES)
    if isinstance(value, Boolsk):
        return random.choice(("true", "false", "1", "0", " true "))
    return _text(value, random)


def _text(value: Tekst, random: Random) -> str:
    if value.least == value.most == 36:
        return str(UUID(int=random.getrandbits(128), version=random.randint(1, 5)))
    most = min(value.most or 4, 40)
    if value.pattern is None:
        return "".join(random.choices("abcæøå <&\"'😀", k=random.randint(max(value.least, 1), most)))
    if value.pattern == "[a-z]":
        return random.choice("abcxyz")
    digits = most if value.least == most else random.randint(1, most)
    text = "".join(random.choices("0123456789", k=digits))
    return text + "a" * random.randint(0, most - digits) if "a-z" in value.pattern else text


def copied(root: etree._Element) -> etree._Element:
    return copy.deepcopy(root)


def broken(
    root: etree._Element, chosen: Callable[[], bool] = lambda: True
) -> Iterator[tuple[str, etree._Element]]:
    """(what was done, the file) for each element and attribute dropped, emptied, doubled, moved, renamed, retyped."""
    for number, original in enumerate(root.iter()):
        for what, change in (*_element_changes(original), *_attribute_changes(original)):
            if chosen():
                file = copied(root)
                change(next(e for n, e in enumerate(file.iter()) if n == number))
                yield f"{root.getroottree().getpath(original)} {what}", file


Change = Callable[[etree._Element], object]


def _element_changes(element: etree._Element) -> Iterator[tuple[str, Change]]:
    if element.getparent() is not None:
        yield "dropped", lambda e: e.getparent().remove(e)
        yield "doubled", lambda e: e.addnext(copied(e))
        yield "first", lambda e: e.getparent().insert(0, e)
        yield "last", lambda e: e.getparent().append(e)
    if element.getnext() is not None:
        yield "one later", lambda e: e.getnext().addnext(e)
    if len(list(element.iterancestors())) > 1:
        yield "moved up", lambda e: e.getparent().getparent().append(e)
    yield "renamed", lambda e: setattr(e, "tag", "Ukjent")
    yield "in a namespace", lambda e: setattr(e, "tag", f"{{urn:x}}{e.tag}")
    yield "emptied", lambda e: [e.remove(child) for child in e]
    yield "with a stranger", lambda e: e.append(etree.Element("Ukjent"))
    yield "with a stranger first", lambda e: e.insert(0, etree.Element("Ukjent"))
    yield "with a comment", lambda e: e.insert(0, etree.Comment("x"))
    simple = len(element) == 0 and element.text
    for text in (" ", "x", "\n", "\u00a0", None, *(ODD if simple else ())):
        yield f"text {text!r:.20}", partial(_write, text=text)
    if len(element):
        yield "text between", lambda e: setattr(e[-1], "tail", "x")
    for name in STRANGE:
        yield f"with {name}", partial(_set, name=name, text="true")
    for name in TYPES:
        yield f"of {name}", partial(_set, name=f"{XSI}type", text=name)
    if "Id" in element.attrib and (before := element.getprevious()) is not None and "Id" in before.attrib:
        yield "with the same id", partial(_set, name="Id", text=before.get("Id"))
        yield "with the same id in capitals", partial(_set, name="Id", text=before.get("Id").upper())


def _attribute_changes(element: etree._Element) -> Iterator[tuple[str, Change]]:
    for name in element.attrib:
        yield f"@{name} dropped", partial(_drop, name=name)
        yield f"@{name} in lower case", partial(_lower, name=name)
        for text in ODD:
            yield f"@{name}={text!r:.40}", partial(_set, name=name, text=text)


def _write(element: etree._Element, text: str | None) -> None:
    element.text = text


def _set(element: etree._Element, name: str, text: str) -> None:
    element.set(name, text)


def _drop(element: etree._Element, name: str) -> None:
    del element.attrib[name]


def _lower(element: etree._Element, name: str) -> None:
    element.set(name.lower(), element.attrib.pop(name))
