"""Which formats each service takes: a line a service. Generic JSON is always there, so a new one may have none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backbone.clock import Clock, system_clock
from contracts.catalogue import Catalogue
from services.format import AnyFormat


@dataclass(frozen=True)
class Registry:
    """The services that a runner serves, each with its formats by name."""

    catalogue: Catalogue
    formats: Mapping[str, Mapping[str, AnyFormat]]

    @classmethod
    def of(cls, catalogue: Catalogue, formats: Mapping[str, Sequence[AnyFormat]]) -> "Registry":
        """Every service of the catalogue; those without formats take generic JSON alone."""
        return cls(
            catalogue, {navn: {f.navn: f for f in formats.get(navn, ())} for navn in catalogue.tjenester}
        )


def standard(catalogue: Catalogue, clock: Clock = system_clock) -> Registry:
    """The registry of the product, for the services in `catalogue`; `clock` is what its formats go by."""
    from services.barnevern.fiks_bekymringsmelding import FiksBekymringsmelding
    from services.barnevern.ssb_barnevern import SsbBarnevern
    from services.helsestasjon.fhir import Fhir
    from services.nav.digisos_soker import DigisosSoker
    from services.skole.fint_utdanning import FintUtdanning

    formats: dict[str, Sequence[AnyFormat]] = {
        "skole": [FintUtdanning()],
        "helsestasjon": [Fhir()],
        "barnevern": [FiksBekymringsmelding(), SsbBarnevern(clock=clock)],
        "nav": [DigisosSoker()],
    }
    return Registry.of(catalogue, formats)
