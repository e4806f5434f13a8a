"""FHIR's XML as its JSON: the same elements, with those that repeat as lists.

Only the parts that are read need their lists told apart; of the rest nothing is used.
"""

from dataclasses import replace

from lxml import etree
from pydantic import JsonValue

from services.format import RECORDS_MOST, Problem, Record
from services.skjema import Refused, bound_values

FHIR = "{http://hl7.org/fhir}"
LISTS = {  # of a resource; the identifier of a reference is one
    "": frozenset({"contained", "entry", "identifier", "participant", "performer"}),
    "Appointment": frozenset({"serviceType"}),
    "Encounter": frozenset({"type", "appointment"}),
}
WITHIN = frozenset({"coding"})  # of a part of a resource
HOLDERS = frozenset({"contained", "resource"})  # their only child is a resource
BOOLEANS = {"doNotPerform": {"true": True, "false": False}}


def to_resource(body: bytes) -> dict[str, JsonValue]:
    """Raises Refused for what is no XML, is no FHIR, or declares a DOCTYPE (entities are a way to attack)."""
    bound_values(body)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise Refused((Problem("", "ikke-xml", {"linje": line or 1, "kolonne": column or 1}),)) from None
    if root.getroottree().docinfo.doctype:
        raise Refused((Problem("", "xml-doctype"),))
    if not root.tag.startswith(FHIR):
        raise Refused((Problem("/*", "ikke-fhir"),))
    if len(root) > RECORDS_MOST:
        raise Refused((Problem("/*", "for-mange", {"grense": RECORDS_MOST}),))
    return _resource(root)


def with_xpath(record: Record) -> Record:
    """The record with its JSON pointers as paths into the XML."""

    def moved(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
        return tuple(replace(p, pointer=_xpath(p.pointer)) for p in problems)

    return replace(
        record,
        pointer=_xpath(record.pointer),
        problems=moved(record.problems),
        warnings=moved(record.warnings),
    )


def _xpath(pointer: str) -> str:
    out = "/*"
    for part in pointer.removesuffix("/resourceType").split("/")[1:]:
        out += f"[{int(part) + 1}]" if part.isdigit() else f"/{part}"
        if part == "resource" or (part.isdigit() and out.rpartition("/")[2].startswith("contained")):
            out += "/*"
    return out


def _resource(element: etree._Element) -> dict[str, JsonValue]:
    kind = element.tag.removeprefix(FHIR)
    return {"resourceType": kind, **_members(element, LISTS[""] | LISTS.get(kind, frozenset()))}


def _members(element: etree._Element, lists: frozenset[str]) -> dict[str, JsonValue]:
    """What repeats though it is one becomes a list, and is refused as that where it is read."""
    found: dict[str, list[JsonValue]] = {}
    for child in element.iterchildren(f"{FHIR}*"):
        name = child.tag.removeprefix(FHIR)
        found.setdefault(name, []).append(_value(child, name))
    return {name: values if name in lists or len(values) > 1 else values[0] for name, values in found.items()}


def _value(child: etree._Element, name: str) -> JsonValue:
    if name in HOLDERS:
        return next((_resource(inner) for inner in child.iterchildren(f"{FHIR}*")), {})
    plain: str | None = child.get("value")
    return _members(child, WITHIN) if plain is None else BOOLEANS.get(name, {}).get(plain, plain)
