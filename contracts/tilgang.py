"""Who may read what, as data: one rule per kind of viewer and kind of thing, and what the rule requires.

What is not in the table is denied, and so is everything of another municipality before the table is looked
at. Source: the project's domain notes §7. Evaluated by samtykke alone (services/samtykke/decide.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from contracts.samtykke_api import Tilgang


class Kolonne(StrEnum):
    """The kinds of things there are to read."""

    EGEN = "egen"  # an event of the viewer's own service
    N = "N"  # other services' events, by shielding class
    T = "T"
    H = "H"
    X = "X"
    SAMTYKKE = "samtykke"  # what samtykke itself publishes: N, but a consent can betray a shielded service
    OPPGAVE = "oppgave"
    BARN = "barn"  # that the child exists, and its name


class Krav(StrEnum):
    """What must hold; the word is also the reason given when it does not."""

    KOORDINATOR_FOR_BARNET = "ikke-koordinator-for-barnet"
    SAMTYKKE = "mangler-samtykke"  # a consent from the event's service on its category names the viewer
    SKJERMET_RETT = "mangler-skjermet-rett"
    INGEN_SKJERMET_PART = (
        "skjermet"  # no consent of the child betrays a shielded service the viewer is no party to
    )
    KOORDINERING = "ikke-koordinering"  # a need or a duty about coordinator or plan
    EIER = "ikke-egen-oppgave"
    SYNLIG_GRUNNLAG = "hviler-pa-skjult"  # the viewer may see in full each fact the task rests on
    UTEN_X = "hviler-pa-skjermet"  # the task rests on no X fact of another service
    KJENT_BARN = (
        "ikke-kjent-for-tjenesten"  # the service has sent about the child, has a task, or a consent names it
    )


@dataclass(frozen=True)
class Regel:
    """`tilgang` is given when all of `krav` hold; `grunn` says why."""

    tilgang: Tilgang
    grunn: str
    krav: tuple[Krav, ...] = ()


FAGPERSON = "fagperson"
KOORDINATOR = "koordinator"
KOORDINERENDE_ENHET = "koordinerende-enhet"
REVISOR = "revisor"

_MITT_BARN = Krav.KOORDINATOR_FOR_BARNET
_METADATA = Regel("metadata", "revisjon")
_SKJERMET_METADATA = Regel("metadata", "skjermet")  # the page shows the type as "skjermet"
_MED_SAMTYKKE = Regel("full", "samtykke", (Krav.SAMTYKKE,))
_KOORDINATORS_SAMTYKKE = Regel("full", "samtykke", (_MITT_BARN, Krav.SAMTYKKE))

LESETABELL: Mapping[tuple[str, Kolonne], tuple[Regel, ...]] = MappingProxyType(
    {
        (FAGPERSON, Kolonne.EGEN): (Regel("full", "egen-tjeneste"),),
        (FAGPERSON, Kolonne.N): (Regel("full", "administrativ"),),
        (FAGPERSON, Kolonne.T): (_MED_SAMTYKKE,),
        (FAGPERSON, Kolonne.H): (_MED_SAMTYKKE,),
        (FAGPERSON, Kolonne.SAMTYKKE): (Regel("full", "administrativ", (Krav.INGEN_SKJERMET_PART,)),),
        (FAGPERSON, Kolonne.OPPGAVE): (Regel("full", "egen-oppgave", (Krav.EIER, Krav.SYNLIG_GRUNNLAG)),),
        (FAGPERSON, Kolonne.BARN): (Regel("full", "kjent-for-tjenesten", (Krav.KJENT_BARN,)),),
        (KOORDINATOR, Kolonne.N): (Regel("full", "administrativ", (_MITT_BARN,)),),
        (KOORDINATOR, Kolonne.T): (_KOORDINATORS_SAMTYKKE,),
        (KOORDINATOR, Kolonne.H): (_KOORDINATORS_SAMTYKKE,),
        (KOORDINATOR, Kolonne.X): (Regel("status", "kun-status", (_MITT_BARN, Krav.SKJERMET_RETT)),),
        (KOORDINATOR, Kolonne.SAMTYKKE): (
            Regel("full", "administrativ", (_MITT_BARN, Krav.INGEN_SKJERMET_PART)),
            Regel("status", "kun-status", (_MITT_BARN, Krav.SKJERMET_RETT)),
        ),
        (KOORDINATOR, Kolonne.OPPGAVE): (
            Regel("full", "koordinator-for-barnet", (_MITT_BARN, Krav.SYNLIG_GRUNNLAG)),
        ),
        (KOORDINATOR, Kolonne.BARN): (Regel("full", "koordinator-for-barnet", (_MITT_BARN,)),),
        (KOORDINERENDE_ENHET, Kolonne.EGEN): (Regel("full", "egen-tjeneste"),),
        (KOORDINERENDE_ENHET, Kolonne.N): (Regel("full", "administrativ", (Krav.KOORDINERING,)),),
        (KOORDINERENDE_ENHET, Kolonne.SAMTYKKE): (
            Regel("full", "administrativ", (Krav.KOORDINERING, Krav.INGEN_SKJERMET_PART)),
        ),
        (KOORDINERENDE_ENHET, Kolonne.OPPGAVE): (Regel("full", "egen-oppgave", (Krav.EIER, Krav.UTEN_X)),),
        (KOORDINERENDE_ENHET, Kolonne.BARN): (
            Regel("full", "koordinering", (Krav.KOORDINERING,)),
            Regel("full", "kjent-for-tjenesten", (Krav.KJENT_BARN,)),
        ),
        (REVISOR, Kolonne.N): (_METADATA,),
        (REVISOR, Kolonne.T): (_METADATA,),
        (REVISOR, Kolonne.H): (_METADATA,),
        (REVISOR, Kolonne.X): (_SKJERMET_METADATA,),
        (REVISOR, Kolonne.SAMTYKKE): (_METADATA,),
        (REVISOR, Kolonne.OPPGAVE): (
            Regel("metadata", "revisjon", (Krav.UTEN_X,)),
            _SKJERMET_METADATA,
        ),
        (REVISOR, Kolonne.BARN): (_METADATA,),
    }
)

SKJERMEDE_TJENESTER = frozenset({"barnevern"})
"""Services a connection to which is itself secret."""
