"""Every format bound to the suite of what holds for all."""

from services.barnevern.fiks_bekymringsmelding import FiksBekymringsmelding
from services.format import Companion
from services.helsestasjon.fhir import Fhir
from services.nav.digisos_soker import DigisosSoker
from services.skole.fint_utdanning import FintUtdanning
from tests.formats_suite import CHILD, NOW, FormatSuite
from tests.unit.formats import files


class TestFiksOffentlig(FormatSuite):
    fmt, tjeneste, good = FiksBekymringsmelding(), "barnevern", files.OFFENTLIG


class TestFiksPrivat(FormatSuite):
    fmt, tjeneste, good = FiksBekymringsmelding(), "barnevern", files.PRIVAT


class TestDigisos(FormatSuite):
    fmt, tjeneste, good = DigisosSoker(), "nav", files.DIGISOS
    companion = Companion(person=CHILD)


class TestFhir(FormatSuite):
    fmt, tjeneste, good = Fhir(), "helsestasjon", files.BUNDLE


class TestFint(FormatSuite):
    fmt, tjeneste, good = FintUtdanning(clock=lambda: NOW), "skole", files.FINT
