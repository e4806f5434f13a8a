"""Our table of SSB Barnevern v4 says what SSB's own XSD says, file by file: lxml with the XSD is the judge."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from services.barnevern.ssb.kontroll import problems_of
from tests.unit.formats import ssb_filer
from tests.unit.formats.schemas import SAMPLES, needs_samples, sample

pytestmark = needs_samples

ONE_IN = 40  # of all small breakages in one run; which ones, the seed says


@pytest.fixture(scope="module")
def xsd() -> Callable[[bytes], bool]:
    schema = etree.XMLSchema(etree.parse(str(SAMPLES / "barnevern-ssb" / "Barnevern_v4.xsd")))

    def accepts(body: bytes) -> bool:
        try:
            return bool(schema.validate(etree.fromstring(body)))
        except etree.XMLSyntaxError:
            return False

    return accepts


def resolves(root: Any, pointer: str) -> bool:
    """The place is in the file, or what is missing there has its parent in it."""
    parent = pointer.rpartition("/")[0] or "/*"
    return bool(root.getroottree().xpath(pointer) or root.getroottree().xpath(parent))


@pytest.mark.parametrize("seed", range(60))
def test_a_file_made_from_the_table_is_valid_to_both(seed: int, xsd: Callable[[bytes], bool]) -> None:
    random = Random(seed)
    body = etree.tostring(ssb_filer.at_random(random) if seed % 10 else ssb_filer.full(random))
    assert problems_of(body) == ()
    assert xsd(body)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_small_breakage_is_judged_as_the_xsd_judges_it(seed: int, xsd: Callable[[bytes], bool]) -> None:
    random = Random(seed)
    verdicts = set()
    for what, file in ssb_filer.broken(ssb_filer.full(random), lambda: random.randrange(ONE_IN) == 0):
        body = etree.tostring(file)
        accepted, problems = xsd(body), problems_of(body)
        verdicts.add(accepted)
        assert accepted == (not problems), (what, problems)
        for problem in problems:
            assert resolves(etree.fromstring(body), problem.pointer), (what, problem)
    assert verdicts == {True, False}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_text_in_any_attribute_is_judged_as_the_xsd_judges_it(
    data: st.DataObject, xsd: Callable[[bytes], bool]
) -> None:
    root = ssb_filer.full(Random(3), 1)
    element = data.draw(st.sampled_from([e for e in root.iter() if e.attrib]))
    name = data.draw(st.sampled_from(sorted(element.attrib)))
    characters = st.characters(min_codepoint=32, exclude_categories=("Cs", "Cn", "Co"), max_codepoint=0x1F000)
    element.set(name, data.draw(st.text("0123456789-+:TZ. \t\nabcdef", max_size=40) | st.text(characters)))
    body = etree.tostring(root)
    assert xsd(body) == (problems_of(body) == ())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<Melder Kode='1'/>", "<Melder Kode='1'> </Melder>"),
        ("<Melder Kode='1'/>", "<Melder Kode='1'><![CDATA[]]></Melder>"),
        ("<Melder Kode='1'/>", "<Melder Kode='1'><!-- ja --><?og det?></Melder>"),
        ("<Melder Kode='1'/>", "<![CDATA[ ]]>&#13;<Melder Kode='1'/>"),
        ("<Melder Kode='1'/>", "<![CDATA[x]]><Melder Kode='1'/>"),
        ("<Melder Kode='1'/>", "<x:Melder Kode='1'/>"),
        ("<Melder Kode='1'/>", "<Melder Kode='1' x:y='1'/>"),
        ("<Melder Kode='1'/>", "<Melder Kode='1' xmlns=''/>"),
        ("<Melder Kode='1'/>", "<Melder Kode='1' xmlns='urn:x'/>"),
        ("<Melder Kode='1'/>", "<Melder Kode='1' Kode='1'/>"),
        ("<Melder Kode='1'/>", "<Melder Kode='1' xmlns:i='urn:i' xmlns:j='urn:i' i:a='1' j:a='1'/>"),
        ("<Melder Kode='1'/>", "<Melder Kode='&#49;'/>"),
        ("<Melder Kode='1'/>", "<Melder Kode='&ukjent;'/>"),
        ("<?xml version='1.0' encoding='UTF-8'?>", ""),
        ("<?xml version='1.0' encoding='UTF-8'?>", "<?xml version='1.1'?>"),
        ("<?xml version='1.0' encoding='UTF-8'?>", "<?xml version='2.0'?>"),
        ("<?xml version='1.0' encoding='UTF-8'?>", " <?xml version='1.0'?>"),
        ("</Barnevern>", "</Barnevern><!-- slutt -->"),
        ("</Barnevern>", "</Barnevern>x"),
        ("</Barnevern>", "</Barnevern><Barnevern/>"),
        ("</Barnevern>", ""),
        ("</Sak>", "</Sak><Sak Id='7317a453-2d65-465a-9589-519311d66579' StartDato='2021-01-01' Journalnummer='1'/>"),
    ],
)  # fmt: skip
def test_what_xml_itself_allows_is_judged_as_the_xsd_judges_it(
    before: str, after: str, xsd: Callable[[bytes], bool]
) -> None:
    text = (
        sample("barnevern-ssb/test00_file01_changes.xml")
        .decode()
        .replace('<Melder Kode="1"/>', "<Melder Kode='1'/>")
    )
    assert before in text
    body = text.replace(before, after, 1).encode()
    assert xsd(body) == (problems_of(body) == ())


@pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-16", "windows-1252", "utf-8"])
def test_a_file_may_be_in_any_encoding_it_declares(encoding: str, xsd: Callable[[bytes], bool]) -> None:
    text = sample("barnevern-ssb/test00_file01_changes.xml").decode().replace("Kongsvinger", "Bærum")
    body = text.replace("encoding='UTF-8'", f"encoding='{encoding}'").encode(encoding)
    assert xsd(body)
    assert problems_of(body) == ()
