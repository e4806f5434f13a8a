"""Files that are made to harm whoever reads them, and the formats they are sent to."""

from collections.abc import Callable

from contracts.catalogue import Catalogue
from services.format import AnyFormat
from services.registry import standard
from services.runner.generic import GenericJson
from tests.formats_suite import NOW

FORMATS: dict[str, tuple[str, AnyFormat]] = {
    "hendelser": ("skole", GenericJson()),
    **{
        fmt.navn: (tjeneste, fmt)
        for tjeneste, formats in standard(Catalogue.standard(), lambda: NOW).formats.items()
        for fmt in formats.values()
    },
}
DEEP = 10_000
BODY = 16 * 1024 * 1024 - 100  # what a service takes at most
FHIR = b'xmlns="http://hl7.org/fhir"'


def _bomb(root: bytes) -> bytes:
    levels = b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10 if n else b"lol") for n in range(12)
    )
    return b"<!DOCTYPE x [" + levels + b"]>" + root.replace(b"?", b"&a11;")


def _quadratic(root: bytes) -> bytes:
    entity = b'<!DOCTYPE x [<!ENTITY a "' + b"x" * 100_000 + b'">]>'
    return entity + root.replace(b"?", b"&a;" * 10_000)


def _filled(start: bytes, item: bytes, end: bytes) -> bytes:
    """As many items as a body has room for."""
    return start + item * ((BODY - len(start) - len(end)) // len(item)) + end


FILES: dict[str, Callable[[], bytes]] = {
    "entity bomb": lambda: _bomb(b"<Barnevern>?</Barnevern>"),
    "entity bomb in FHIR": lambda: _bomb(b"<Bundle " + FHIR + b"><id value='?'/></Bundle>"),
    "quadratic entities": lambda: _quadratic(b"<Barnevern>?</Barnevern>"),
    "quadratic entities in FHIR": lambda: _quadratic(b"<Bundle " + FHIR + b">?</Bundle>"),
    "entity of an entity": lambda: (
        b"<!DOCTYPE x [<!ENTITY % a \"<!ENTITY b 'c'>\"> %a;]><Barnevern>&b;</Barnevern>"
    ),
    "deep XML": lambda: b"<Barnevern>" * DEEP + b"</Barnevern>" * DEEP,
    "deep case": lambda: b"<Barnevern>" + b"<Sak>" * DEEP + b"</Sak>" * DEEP + b"</Barnevern>",
    "deep FHIR": lambda: (
        b"<Patient "
        + FHIR
        + b">"
        + b"<contained><Patient>" * DEEP
        + b"</Patient></contained>" * DEEP
        + b"</Patient>"
    ),
    "deep XML, cut": lambda: b"<a>" * DEEP,
    "deep arrays": lambda: b"[" * DEEP + b"]" * DEEP,
    "deep objects": lambda: b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep data": lambda: (
        b'{"type":"x","resourceType":"Bundle","data":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}"
    ),
    "deep JSON, cut": lambda: b'{"a":[' * DEEP,
    "invalid UTF-8": lambda: b'{"type":"\xff\xfe","resourceType":"\xc3\x28"}',
    "overlong UTF-8": lambda: b'{"type":"\xc0\xaf"}',
    "invalid UTF-8 in XML": lambda: b"<Patient " + FHIR + b'><id value="\xff"/></Patient>',
    "UTF-16": lambda: '{"type": "x"}'.encode("utf-16"),
    "an encoding nobody has": lambda: b'<?xml version="1.0" encoding="x-ukjent"?><Barnevern/>',
    "NUL bytes": lambda: b"\0" * 1_000,
    "NUL in JSON": lambda: b'{"type":"a\0b"}',
    "NUL in XML": lambda: b"<Barnevern>\0</Barnevern>",
    "two byte order marks": lambda: b"\xef\xbb\xbf\xef\xbb\xbf{}",
    "a byte order mark alone": lambda: b"\xef\xbb\xbf",
    "lone surrogates": lambda: b'{"type":"\\ud800","person":"\\udfff","resourceType":"\\ud800"}',
    "a lone surrogate in XML": lambda: b"<Barnevern>&#xD800;</Barnevern>",
    "an enormous number": lambda: b'{"type":1e400000,"versjon":1e400000,"resourceType":-1e400000}',
    "an enormous integer": lambda: b'{"versjon":' + b"9" * 1_000_000 + b"}",
    "a long line": lambda: b"x" * BODY,
    "a long text": lambda: b'{"type":"' + b"x" * (BODY - 11) + b'"}',
    "a long escaped text": lambda: _filled(b'{"type":"', b"\\u0000", b'"}'),
    "a long attribute": lambda: b'<Barnevern Id="' + b"x" * (BODY - 20) + b'"/>',
    "a long text in XML": lambda: _filled(b"<Barnevern>", b"x", b"</Barnevern>"),
    "spaces": lambda: b" " * BODY,
    "line breaks": lambda: b"\n" * BODY,
    "many objects": lambda: _filled(b"", b"{}\n", b"{}"),
    "many objects in an array": lambda: _filled(b"[", b"{},", b"{}]"),
    "many numbers": lambda: _filled(b"[", b"1,", b"1]"),
    "many strings": lambda: _filled(b'{"fravar":[', b'"",', b'""]}'),
    "many entries": lambda: _filled(b'{"resourceType":"Bundle","entry":[', b"{},", b"{}]}"),
    "many lines of a case": lambda: _filled(
        b'{"version":"1.0.0","avsender":{},"hendelser":[', b"{},", b"{}]}"
    ),
    "many children": lambda: _filled(b'{"privatMelder":{},"privatBarn":[', b"{},", b"{}]}"),
    "many absences": lambda: _filled(b'{"fravar":[', b"{},", b"{}]}"),
    "many unknown fields": lambda: _filled(b'{"type":"x"', b',"a%d":1' % 1, b"}"),
    "many different fields": lambda: b"{" + b",".join(b'"%d":1' % n for n in range(900_000)) + b"}",
    "many elements": lambda: _filled(b"<Barnevern>", b"<x/>", b"</Barnevern>"),
    "many elements of FHIR": lambda: _filled(b"<Bundle " + FHIR + b">", b"<entry/>", b"</Bundle>"),
    "many attributes": lambda: b"<Barnevern " + b" ".join(b'a%d=""' % n for n in range(300_000)) + b"/>",
    "many comments": lambda: _filled(b"<Barnevern>", b"<!---->", b"</Barnevern>"),
    "many instructions": lambda: _filled(b"<Barnevern>", b"<?a?>", b"</Barnevern>"),
}
