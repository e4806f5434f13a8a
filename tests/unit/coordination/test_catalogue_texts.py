"""Every rule can explain itself, cites provisions that exist, and reads types that exist."""

from backbone.meldinger import messages
from consumers.coordination.handler import _arguments
from consumers.coordination.regler.standard import STANDARD
from contracts.catalogue import Catalogue
from contracts.lov import Lov
from tests.unit.coordination.given import consent, event, given

EVERYTHING = (
    event("skole", "fravaer.terskel-passert", "2026-10-05"),
    event("nav", "oppfolging.startet", "2026-10-06"),
    event("barnevern", "henvendelse.mottatt", "2026-10-07", slag=2),
    consent("skole", ["fravar"], ["nav"]),
    consent("nav", ["nav-oppfolging"], ["skole"]),
)


def test_every_rule_explains_itself_and_cites_the_law() -> None:
    found = given(*EVERYTHING, when="2026-10-08")
    assert found.keys() == {rule.navn for rule in STANDARD}
    for duty in found.values():
        text = messages("consumers.coordination").text(duty.forklaring, **_arguments(duty))
        assert "oktober 2026" in text
        assert all(provision in Lov() for provision in duty.bestemmelser)


def test_every_type_a_rule_reads_or_is_closed_by_exists() -> None:
    known = {t.navn for t in Catalogue.standard().typer}
    assert {navn for rule in STANDARD for navn in rule.leser} <= known
    assert {
        navn for duty in given(*EVERYTHING, when="2026-10-08").values() for navn in duty.lukkes_av
    } <= known
