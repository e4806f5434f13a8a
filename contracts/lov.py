"""The law table: every provision the product leans on, as data a lawyer can correct.

`status` says how far the reference has been checked: "lest" (read in the source), "sett" (seen cited in a public
source) or "ikke kvalitetssikret" (widely known, not read); the portal shows the last one with that mark.
Dates are inclusive. Source: shared domain notes §2, collected from lovdata.no references in public documents.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from contracts.alder import Aldre

LOV_VERSJON = "2026-11-22"
"""Date of the last change to this table; travels with each decision so that it can be explained later."""

Status = Literal["lest", "sett", "ikke kvalitetssikret"]


@dataclass(frozen=True)
class Bestemmelse:
    """One provision. `frist` is the statutory deadline in words, None where law sets no date."""

    id: str
    lov: str
    paragraf: str
    plikt: str
    status: Status
    kilde: str
    ledd: str | None = None
    frist: str | None = None
    gyldig_fra: date | None = None
    gyldig_til: date | None = None

    @property
    def henvisning(self) -> str:
        """The reference as a reader writes it, for example "barnevernsloven § 15-8"."""
        return f"{self.lov} {self.paragraf}" + (f" {self.ledd}" if self.ledd else "")


def _samarbeid(id_: str, lov: str, paragraf: str, status: Status = "sett") -> Bestemmelse:
    return Bestemmelse(
        id_, lov, paragraf, "samarbeidsplikt", status, "samordnede samarbeidsbestemmelser 2022"
    )


def _taushet(id_: str, lov: str, paragraf: str) -> Bestemmelse:
    return Bestemmelse(id_, lov, paragraf, "taushetsplikt", "ikke kvalitetssikret", "alminnelig kjent")


def _alder(
    id_: str, lov: str, paragraf: str, plikt: str, status: Status = "ikke kvalitetssikret"
) -> Bestemmelse:
    return Bestemmelse(id_, lov, paragraf, plikt, status, "alminnelig kjent")


LOVTABELL: tuple[Bestemmelse, ...] = (
    Bestemmelse(
        "barnevernsloven-15-8",
        "barnevernsloven",
        "§ 15-8",
        "samarbeidsplikt og samordning",
        "sett",
        "barnevernsloven 2023",
        gyldig_fra=date(2023, 1, 1),
    ),
    Bestemmelse(
        "barnevernloven-1992-3-2",
        "barnevernloven (1992)",
        "§ 3-2",
        "samarbeidsplikt",
        "sett",
        "barnevernloven 1992",
        gyldig_til=date(2022, 12, 31),
    ),
    Bestemmelse(
        "opplaeringslova-24-1",
        "opplæringslova",
        "§ 24-1",
        "samarbeidsplikt",
        "ikke kvalitetssikret",
        "opplæringslova 2024",
        gyldig_fra=date(2024, 8, 1),
    ),
    Bestemmelse(
        "opplaeringslova-1998-15-8",
        "opplæringslova (1998)",
        "§ 15-8",
        "samarbeidsplikt",
        "sett",
        "opplæringslova 1998",
        gyldig_til=date(2024, 7, 31),
    ),
    _samarbeid("hol-3-4", "helse- og omsorgstjenesteloven", "§ 3-4"),
    _samarbeid("sosialtjenesteloven-13", "sosialtjenesteloven", "§ 13"),
    _samarbeid("nav-loven-15-a", "NAV-loven", "§ 15 a"),
    _samarbeid("privatskoleloven-3-6-a", "privatskoleloven", "§ 3-6 a"),
    _samarbeid("barnehageloven-2-b", "barnehageloven", "§ 2 b"),
    _samarbeid("krisesenterloven-4", "krisesenterloven", "§ 4"),
    _samarbeid("familievernkontorloven-1-a", "familievernkontorloven", "§ 1 a"),
    _samarbeid("integreringsloven-50", "integreringsloven", "§ 50"),
    _samarbeid("spesialisthelsetjenesteloven-2-1-e", "spesialisthelsetjenesteloven", "§ 2-1 e"),
    _samarbeid("psykisk-helsevernloven-4-1", "psykisk helsevernloven", "§ 4-1"),
    _samarbeid("tannhelsetjenesteloven-1-4-a", "tannhelsetjenesteloven", "§ 1-4 a"),
    Bestemmelse(
        "pbrl-2-5-b", "pasient- og brukerrettighetsloven", "§ 2-5 b", "rett til samordning", "lest", "pbrl."
    ),
    Bestemmelse("hol-7-2-a", "helse- og omsorgstjenesteloven", "§ 7-2 a", "barnekoordinator", "sett", "hol."),
    Bestemmelse(
        "pbrl-2-5-c", "pasient- og brukerrettighetsloven", "§ 2-5 c", "barnekoordinator", "sett", "pbrl."
    ),
    Bestemmelse(
        "barnevernsloven-15-9", "barnevernsloven", "§ 15-9", "individuell plan", "sett", "barnevernsloven"
    ),
    Bestemmelse(
        "hol-7-1",
        "helse- og omsorgstjenesteloven",
        "§ 7-1",
        "individuell plan",
        "ikke kvalitetssikret",
        "hol.",
    ),
    Bestemmelse(
        "hol-7-2",
        "helse- og omsorgstjenesteloven",
        "§ 7-2",
        "koordinator",
        "ikke kvalitetssikret",
        "hol.",
    ),
    Bestemmelse(
        "pbrl-2-5",
        "pasient- og brukerrettighetsloven",
        "§ 2-5",
        "individuell plan",
        "ikke kvalitetssikret",
        "pbrl.",
    ),
    Bestemmelse(
        "barnevernsloven-13-2",
        "barnevernsloven",
        "§ 13-2",
        "personlig meldeplikt",
        "sett",
        "barnevernsloven",
        frist="uten ugrunnet opphold",
    ),
    Bestemmelse(
        "helsepersonelloven-33",
        "helsepersonelloven",
        "§ 33",
        "personlig meldeplikt",
        "sett",
        "helsepersonelloven",
        frist="uten ugrunnet opphold",
    ),
    Bestemmelse(
        "barnehageloven-46",
        "barnehageloven",
        "§ 46",
        "personlig meldeplikt",
        "ikke kvalitetssikret",
        "alminnelig kjent",
        frist="uten ugrunnet opphold",
    ),
    Bestemmelse(
        "sosialtjenesteloven-45",
        "sosialtjenesteloven",
        "§ 45",
        "personlig meldeplikt",
        "ikke kvalitetssikret",
        "alminnelig kjent",
        frist="uten ugrunnet opphold",
    ),
    Bestemmelse(
        "opplaeringslova-24-3",
        "opplæringslova",
        "§ 24-3",
        "personlig meldeplikt",
        "ikke kvalitetssikret",
        "alminnelig kjent",
        frist="uten ugrunnet opphold",
    ),
    _taushet("barnevernsloven-13-1", "barnevernsloven", "§ 13-1"),
    _taushet("helsepersonelloven-21", "helsepersonelloven", "§§ 21–25"),
    _taushet("sosialtjenesteloven-44", "sosialtjenesteloven", "§ 44"),
    _taushet("nav-loven-7", "NAV-loven", "§ 7"),
    _taushet("forvaltningsloven-13", "forvaltningsloven", "§ 13"),
    Bestemmelse(
        "forvaltningsloven-13-a-1",
        "forvaltningsloven",
        "§ 13 a nr. 1",
        "samtykke opphever taushetsplikt",
        "ikke kvalitetssikret",
        "forvaltningsloven",
    ),
    Bestemmelse(
        "forvaltningsloven-13-a-2",
        "forvaltningsloven",
        "§ 13 a nr. 2",
        "anonymisert",
        "sett",
        "forvaltningsloven",
    ),
    Bestemmelse(
        "forvaltningsloven-13-b-7",
        "forvaltningsloven",
        "§ 13 b nr. 7",
        "fare for liv eller helse",
        "sett",
        "forvaltningsloven",
    ),
    Bestemmelse(
        "gdpr-6-1-e", "personvernforordningen", "art. 6 nr. 1 e", "behandlingsgrunnlag", "lest", "GDPR"
    ),
    Bestemmelse(
        "gdpr-9-2-g", "personvernforordningen", "art. 9 nr. 2 g", "behandlingsgrunnlag", "lest", "GDPR"
    ),
    Bestemmelse("gdpr-15", "personvernforordningen", "art. 15", "innsyn", "lest", "GDPR"),
    Bestemmelse(
        "gdpr-17-3", "personvernforordningen", "art. 17 nr. 3", "grenser for sletting", "lest", "GDPR"
    ),
    Bestemmelse("arkivlova-9", "arkivlova", "§ 9", "kassasjonsforbud", "lest", "arkivlova"),
    Bestemmelse("barnekonvensjonen-3", "barnekonvensjonen", "art. 3", "barnets beste", "sett", "FN"),
    Bestemmelse("barnekonvensjonen-6", "barnekonvensjonen", "art. 6", "liv og utvikling", "sett", "FN"),
    Bestemmelse("barnekonvensjonen-12", "barnekonvensjonen", "art. 12", "rett til å bli hørt", "sett", "FN"),
    _alder("vergemalsloven-9", "vergemålsloven", "§ 9", "myndig ved 18 år"),
    _alder("forvaltningsloven-18", "forvaltningsloven", "§ 18", "partsinnsyn, mindreårig over 15 år"),
    _alder("barneloven-30", "barnelova", "§ 30", "begge foreldre har foreldreansvar"),
    _alder("barneloven-31", "barnelova", "§ 31", "barnet høres fra 7 år, vekt fra 12 år", "sett"),
    _alder("pbrl-3-4", "pasient- og brukerrettighetsloven", "§ 3-4", "foreldres informasjon, 12 til 16 år"),
    _alder(
        "pbrl-4-3",
        "pasient- og brukerrettighetsloven",
        "§ 4-3",
        "samtykker selv til helsehjelp fra 16 år",
        "sett",
    ),
    _alder(
        "pbrl-4-4", "pasient- og brukerrettighetsloven", "§ 4-4", "foreldre samtykker for barn under 16 år"
    ),
    _alder("barnevernsloven-12-3", "barnevernsloven", "§ 12-3", "part fra 15 år"),
    Bestemmelse(
        "barnevernsloven-15-1", "barnevernsloven", "§ 15-1", "forebyggende plan", "sett", "barnevernsloven"
    ),
    Bestemmelse(
        "barnevernsloven-15-3",
        "barnevernsloven",
        "§ 15-3",
        "årlig tilstandsrapport",
        "ikke kvalitetssikret",
        "alminnelig kjent",
        frist="årlig",
    ),
    Bestemmelse(
        "barnevernsloven-2-1",
        "barnevernsloven",
        "§ 2-1",
        "gjennomgå bekymringsmelding",
        "ikke kvalitetssikret",
        "fristen sett i SSBs kontroller",
        frist="7 dager",
    ),
    Bestemmelse(
        "barnevernsloven-2-2",
        "barnevernsloven",
        "§ 2-2",
        "avslutte undersøkelse",
        "ikke kvalitetssikret",
        "fristen sett i SSBs kontroller",
        frist="3 måneder, 6 unntaksvis",
    ),
    Bestemmelse(
        "barnevernsloven-8-1",
        "barnevernsloven",
        "§ 8-1",
        "plan for tiltak og evaluering av dem",
        "ikke kvalitetssikret",
        "alminnelig kjent",
    ),
    Bestemmelse(
        "barnevernsloven-13-4",
        "barnevernsloven",
        "§ 13-4",
        "tilbakemelding til melder",
        "ikke kvalitetssikret",
        "fristen sett",
        frist="3 uker",
    ),
    Bestemmelse(
        "barnevernsloven-3-6",
        "barnevernsloven",
        "§ 3-6",
        "ettervern",
        "ikke kvalitetssikret",
        "alderen 25 sett",
    ),
    Bestemmelse(
        "opplaeringslova-12",
        "opplæringslova",
        "kap. 12",
        "trygt og godt skolemiljø",
        "sett",
        "opplæringslova",
        gyldig_fra=date(2024, 8, 1),
    ),
    Bestemmelse(
        "samtykke-koordinering",
        "samtykkeregisteret",
        "eget vedtak",
        "samtykkeforvaltning",
        "lest",
        "denne løsningen",
    ),
)


class Lov:
    """Look-up in a law table; `versjon` names its edition, `aldre` the ages that go with it."""

    def __init__(
        self,
        bestemmelser: Iterable[Bestemmelse] = LOVTABELL,
        versjon: str = LOV_VERSJON,
        aldre: Aldre | None = None,
    ) -> None:
        self._by_id = {b.id: b for b in bestemmelser}
        self.versjon = versjon
        self.aldre = aldre or Aldre()

    def __getitem__(self, id_: str) -> Bestemmelse:
        """Raises KeyError for an id that is not in the table."""
        return self._by_id[id_]

    def __contains__(self, id_: object) -> bool:
        return id_ in self._by_id

    def in_force(self, id_: str, at: date) -> bool:
        """Whether the provision applies on the Norwegian calendar date `at`."""
        b = self._by_id[id_]
        return (b.gyldig_fra is None or b.gyldig_fra <= at) and (b.gyldig_til is None or at <= b.gyldig_til)
