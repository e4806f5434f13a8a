"""Valid files changed at random, in their bytes and in their structure: every format reads them or says why not.

Short in the suite; `make fuzz` sets SAMSPOR_FUZZ_EXAMPLES to look for longer.
"""

import os
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from contracts.catalogue import Catalogue
from services.dry_run import bytt_identer, judge
from services.format import Companion
from tests.formats_suite import CHILD, NOW, OTHER, PARENT, SECRET
from tests.unit.formats import files, ssb_filer
from tests.unit.formats.hostile import FORMATS

EXAMPLES = int(os.environ.get("SAMSPOR_FUZZ_EXAMPLES", "60"))
CATALOGUE = Catalogue.standard()
GENERIC: list[dict[str, Any]] = [
    {
        "type": "fravaer.terskel-passert",
        "person": CHILD,
        "tid": "2026-02-20T10:00:00+01:00",
        "nokkel": "2025-2026/1",
        "data": {"dager": 10, "timer": 0, "periode": "2025-2026", "regel": "10-dager"},
    },
    {
        "type": "undring.registrert",
        "sak": "s1",
        "tid": "2026-02-20T10:00:00Z",
        "nokkel": "u1",
        "data": {"bti_niva": 1},
        "tilbaketrukket": True,
    },
]
FHIR_XML = f"""<Bundle xmlns="http://hl7.org/fhir"><entry><fullUrl value="urn:uuid:1"/><resource><Patient>
<identifier><system value="{files.FNR}"/><value value="{CHILD}"/></identifier><name><family value="{SECRET}"/></name>
</Patient></resource></entry><entry><resource><Appointment><id value="a1"/><status value="fulfilled"/>
<serviceType><coding><display value="12-månederskontroll"/></coding></serviceType>
<start value="2026-01-05T09:00:00+01:00"/><participant><actor><reference value="urn:uuid:1"/></actor>
<status value="accepted"/></participant></Appointment></resource></entry></Bundle>""".encode()
JSON: dict[str, list[Any]] = {
    "hendelser": [GENERIC, GENERIC[0]],
    "fiks-bekymringsmelding": [files.OFFENTLIG, files.PRIVAT],
    "digisos-soker": [files.DIGISOS],
    "fhir": [files.BUNDLE],
    "fint-utdanning": [files.FINT],
}
SSB = etree.tostring(ssb_filer.full(Random(4), each=1))
BYTES: dict[str, list[bytes]] = {
    **{navn: [orjson.dumps(document) for document in documents] for navn, documents in JSON.items()},
    "ssb-barnevern": [SSB],
}
BYTES["fhir"].append(FHIR_XML)
BYTES["hendelser"].append(b"\n".join(map(orjson.dumps, GENERIC)))
TOKENS = (
    *(
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xc3",
        b"\r",
        b"\n",
        b'"',
        b"\\",
        b"\\u0000",
        b"\\ud800",
        b"{",
        b"}",
    ),
    *(
        b"[",
        b"]",
        b",",
        b":",
        b"<",
        b">",
        b"/>",
        b"&",
        b"&#0;",
        b"&a;",
        b"<!--",
        b"]]>",
        b"<![CDATA[",
        b"<?xml?>",
    ),
    *(b"<!DOCTYPE x>", b'xmlns="x"', b"null", b"true", b"-0", b"1e999", b"9" * 40, b"NaN", b"2026-02-30"),
    *(
        b"0001-01-01T00:00:00Z",
        b"9999-12-31T23:59:59-14:00",
        b"24:00:00",
        b"+99:99",
        "😀å".encode(),
        b" " * 50,
    ),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["", "0001-01-01", "9999-12-31T23:59:59-14:00", "2026-02-30T10:00:00Z", "\0", CHILD, "#", "/"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)

fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
pytestmark = pytest.mark.timeout(0 if EXAMPLES > 1_000 else 300)


def held(navn: str, body: bytes) -> None:
    """Read or refused, the same each time, in words that repeat nothing private."""
    tjeneste, fmt = FORMATS[navn]
    for companion in (Companion(), Companion(PARENT, (CHILD, OTHER))):
        first, again = (judge(tjeneste, fmt, body, companion, CATALOGUE, NOW).as_dict("fil") for _ in "12")
        assert first == again
        said = orjson.dumps(first).decode()
        assert SECRET not in said
        for number in (CHILD, OTHER, PARENT):
            assert number not in said
        assert all(p["feil"] and p["gjor"] for p in (*first["feil"], *first["advarsler"]))


@st.composite
def changed_bytes(draw: st.DrawFn, bodies: list[bytes]) -> bytes:
    body = draw(st.sampled_from(bodies))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.sampled_from((0, 0, 1, 2, 8, 60, 1_000))))
        piece = draw(
            st.sampled_from(TOKENS)
            | st.binary(max_size=4)
            | st.just(body[start:end] * 2)
            | st.just(body[:end])
        )
        body = body[:start] + piece + body[end:]
    return body


@st.composite
def changed_json(draw: st.DrawFn, documents: list[Any]) -> bytes:
    document = orjson.loads(orjson.dumps(draw(st.sampled_from(documents))))
    for _ in range(draw(st.integers(1, 4))):
        holder, place = _somewhere(draw, document)
        if holder is None:
            document = draw(VALUES)
            continue
        match draw(st.sampled_from(("value", "drop", "twice", "wrap", "rename"))):
            case "value":
                holder[place] = draw(VALUES)
            case "drop":
                del holder[place]
            case "twice" if isinstance(holder, list):
                holder.insert(place, holder[place])
            case "rename" if isinstance(holder, dict):
                holder[draw(st.text(max_size=6) | st.sampled_from(["id", "type", "status", "_links"]))] = (
                    holder.pop(place)
                )
            case _:
                holder[place] = draw(st.sampled_from((lambda x: [x], lambda x: {"x": x})))(holder[place])
    return _dumped(document)


def _somewhere(draw: st.DrawFn, document: Any) -> tuple[Any, Any]:
    """A place in the document, as what holds it and the key or number there."""
    holder, place, here = None, None, document
    while isinstance(here, dict | list) and here and (holder is None or draw(st.integers(0, 3))):
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        holder, place = here, draw(st.sampled_from(keys))
        here = holder[place]
    return holder, place


def _dumped(document: Any) -> bytes:
    """As Python writes it: NaN, infinities, large integers and lone surrogates too."""
    import json

    return json.dumps(document, ensure_ascii=True).encode()


@pytest.mark.parametrize("navn", FORMATS)
def test_no_change_of_bytes_makes_a_format_fail(navn: str) -> None:
    @fuzzed
    @given(changed_bytes(BYTES[navn]))
    def run(body: bytes) -> None:
        held(navn, body)
        bytt_identer(body)

    run()


@pytest.mark.parametrize("navn", JSON)
def test_no_change_of_structure_makes_a_format_fail(navn: str) -> None:
    @fuzzed
    @given(changed_json(JSON[navn]))
    def run(body: bytes) -> None:
        held(navn, body)

    run()


def test_no_change_of_elements_makes_a_case_fail() -> None:
    @fuzzed
    @given(st.randoms(use_true_random=False))
    def run(random: Any) -> None:
        root = ssb_filer.at_random(random)
        for _ in range(random.randint(1, 4)):
            elements = [e for e in root.iter() if isinstance(e.tag, str)]
            one, other = random.choice(elements), random.choice(elements)
            match random.randrange(5):
                case 0 if one is not root:
                    one.getparent().remove(one)
                case 1 if one is not root and one not in other.iterancestors() and one is not other:
                    other.append(ssb_filer.copied(one))
                case 2 if one.attrib:
                    one.set(random.choice(list(one.attrib)), random.choice(ssb_filer.ODD))
                case 3:
                    one.text = random.choice(ssb_filer.ODD) or None
                case _:
                    one.tag = other.tag
        held("ssb-barnevern", etree.tostring(root))

    run()
