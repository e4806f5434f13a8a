"""SSB's own files of changes, played in their order, give the duties that their dates imply; the total adds nothing."""

from consumers.coordination.duties import digest, duties
from consumers.coordination.facts import FactSet
from contracts.envelope import Content
from services.dry_run import bytt_identer
from tests.unit.coordination.given import RULES, SUBJECT, at
from tests.unit.formats.schemas import needs_samples, sample
from tests.unit.formats.test_ssb_barnevern import Mottaker

pytestmark = needs_samples
MELDING, UNDERSOKELSE = "bb6b82ea-c3da-4882-b591-cccd833c262d", "b6ef9c26-c3b9-4679-8b61-af5437891488"
SOURCE = "/3401/barnevern/944117784"

Due = set[tuple[str, str, str, str]]


class Sent:
    """A municipality's files as they come in, and the child's facts after them."""

    def __init__(self) -> None:
        self._receiver = Mottaker()
        self.facts = FactSet(SUBJECT)

    def file(self, name: str) -> int:
        """How many events it told."""
        drafts = self._receiver.send(bytt_identer(sample(f"barnevern-ssb/{name}.xml")))
        for d in drafts:
            content = Content(
                nokkel=d.nokkel, versjon=d.versjon, tilbaketrukket=d.tilbaketrukket, data=dict(d.data)
            )
            full_type = f"no.samspor.barnevern.{d.type}"
            RULES.tell(self.facts, SOURCE, full_type, d.time, f"{d.type} {d.nokkel} {d.versjon}", content)
        return len(drafts)

    def due(self, when: str) -> Due:
        found = duties(self.facts, RULES, at(when))
        assert {d.eier for d in found} == {"barnevern"}
        return {(d.regel, d.anledning.removeprefix(f"{SOURCE} "), str(d.frist), d.tilstand) for d in found}


def test_the_files_of_changes_give_exactly_the_duties_that_their_dates_imply() -> None:
    sent = Sent()
    sent.file("test01_file01_changes")
    assert sent.due("2021-01-03") == {("bekymringsmelding", MELDING, "2021-01-09", "aapen")}

    sent.file(
        "test01_file02_changes"
    )  # it came a day earlier; reviewed on the 8th, and an undersøkelse begun
    assert sent.due("2021-01-10") == {
        ("bekymringsmelding", MELDING, "2021-01-08", "oppfylt"),
        ("undersokelse-start", MELDING, "2021-01-08", "oppfylt"),
        ("undersokelse", UNDERSOKELSE, "2021-04-08", "aapen"),
        ("barnets-syn", UNDERSOKELSE, "2021-02-05", "aapen"),
    }

    sent.file("test01_file03_changes")  # concluded on 8 March
    concluded = {
        ("bekymringsmelding", MELDING, "2021-01-08", "oppfylt"),
        ("undersokelse-start", MELDING, "2021-01-08", "oppfylt"),
        ("undersokelse", UNDERSOKELSE, "2021-04-08", "oppfylt"),
        ("barnets-syn", UNDERSOKELSE, "2021-02-05", "aapen"),
    }
    assert sent.due("2021-03-10") == concluded
    # From 2023 the law has the melder told; this one was the child itself, so the conclusion is not.
    assert sent.due("2026-03-10") == concluded | {("tilbakemelding-mottak", MELDING, "2021-01-22", "aapen")}


def test_a_total_file_afterwards_changes_nothing() -> None:
    sent = Sent()
    for name in ("test01_file01_changes", "test01_file02_changes", "test01_file03_changes"):
        sent.file(name)
    before, facts = digest(duties(sent.facts, RULES, at("2026-03-10"))), sent.facts.encode()
    assert sent.file("test01_file03_total") == 0
    assert sent.facts.encode() == facts
    assert digest(duties(sent.facts, RULES, at("2026-03-10"))) == before
