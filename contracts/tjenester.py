"""The services around a child that may publish events."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tjeneste:
    """One publishing service.

    `navn` is the word on the wire (topic, type, URL); `samarbeidsplikt` and `taushetsplikt` are ids in
    `contracts.lov` of the provisions that oblige it to cooperate and to keep secrecy. A voluntary organisation
    (`frivillig`) is never a recipient of what is secret.
    """

    navn: str
    visningsnavn: str
    samarbeidsplikt: str
    taushetsplikt: str
    frivillig: bool = False


STANDARD: tuple[Tjeneste, ...] = (
    Tjeneste("skole", "Skole", "opplaeringslova-24-1", "forvaltningsloven-13"),
    Tjeneste("helsestasjon", "Helsestasjon", "hol-3-4", "helsepersonelloven-21"),
    Tjeneste("barnevern", "Barnevern", "barnevernsloven-15-8", "barnevernsloven-13-1"),
    Tjeneste("nav", "NAV", "sosialtjenesteloven-13", "sosialtjenesteloven-44"),
    Tjeneste("koordinerende-enhet", "Koordinerende enhet", "hol-3-4", "helsepersonelloven-21"),
    Tjeneste("familie", "Familien", "pbrl-2-5-b", "forvaltningsloven-13"),
)

SAMTYKKE = "samtykke"
SAMORDNING = "samordning"
KOORDINERENDE_ENHET = "koordinerende-enhet"
