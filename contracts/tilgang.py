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
    LESING = "lesing"  # that somebody read something: service, role, time, purpose
    TALL = "tall"  # figures about no child in particular


class Krav(StrEnum):
    """What must hold; the word is also the reason given when it does not."""

    KOORDINATOR_FOR_BARNET = "ikke-koordinator-for-barnet"
    SAMTYKKE = "mangler-samtykke"  # a consent from the event's service on its category names the viewer
    SKJERMET_RETT = "mangler-skjermet-rett"
    INGEN_SKJERMET_PART = (
        "skjermet"  # no consent of the child betrays a shielded service the viewer is no party to
    )
    KJENTE_SAMTYKKER = (
        "barnets-eget-samtykke"  # a guardian may know of each of the child's consents, whatever became of it
    )
    KOORDINERING = "ikke-koordinering"  # a need or a duty about coordinator or plan
    EIER = "ikke-egen-oppgave"
    SYNLIG_GRUNNLAG = "hviler-pa-skjult"  # the viewer may see in full each fact the task rests on
    UTEN_X = "hviler-pa-skjermet"  # nothing X of another service beneath it, and no other shielded service's name on it
    KJENT_BARN = (
        "ikke-kjent-for-tjenesten"  # the service has sent about the child, has a task, or a consent names it
    )
    EGET_BARN = "ikke-eget-barn"  # the register has her as this child, its parent or its guardian
    BARNETS_ALDER = "for-ung"  # the child is old enough to see this itself
    FORESATTES_ALDER = "alder"  # the child is so young that a guardian sees everything
    FORESATTES_BEGRENSEDE_ALDER = (
        "alder-begrenset"  # the child is younger than where a guardian sees nothing more
    )
    IKKE_UNDER_UNDERSOKELSE = "under-undersokelse"  # no undersøkelse is known to go on
    LESER_KAN_NEVNES = "leser-skjermet"  # that this service has read betrays nothing the viewer may not know


class Vilkar(StrEnum):
    """What the process that opens the seal must still do: only the content can tell. See `vis`."""

    KUN_OM_BARNET = "kun-om-barnet"  # nothing that is another person's, such as a parent's own case
    UTEN_MELDER = "uten-melder"  # nothing that tells who reported
    UTEN_STED = "uten-sted"  # protected address: no school, municipality or place
    SMA_TALL = "sma-tall"  # small cells and what would reveal them are suppressed
    ANONYMT = "anonymt"  # nothing that points at one child


@dataclass(frozen=True)
class Regel:
    """`tilgang` is given when all of `krav` hold, with the conditions `vilkar`; `grunn` says why."""

    tilgang: Tilgang
    grunn: str
    krav: tuple[Krav, ...] = ()
    vilkar: tuple[Vilkar, ...] = ()


FAGPERSON = "fagperson"
KOORDINATOR = "koordinator"
KOORDINERENDE_ENHET = "koordinerende-enhet"
REVISOR = "revisor"
LEDER = "leder"
SLT = "slt"
DRIFT = "drift"
BARN = "barn"
FORESATT = "foresatt"
FRIVILLIG = "frivillig"

_MITT_BARN = Krav.KOORDINATOR_FOR_BARNET
_METADATA = Regel("metadata", "revisjon")
_SKJERMET_METADATA = Regel("metadata", "skjermet")  # the page shows the type as "skjermet"
_MED_SAMTYKKE = Regel("full", "samtykke", (Krav.SAMTYKKE,))
_KOORDINATORS_SAMTYKKE = Regel("full", "samtykke", (_MITT_BARN, Krav.SAMTYKKE))

_FAMILIENS = (Vilkar.KUN_OM_BARNET, Vilkar.UTEN_MELDER)
_MEG_SELV = (Krav.EGET_BARN, Krav.BARNETS_ALDER)
_BARNETS_EGET = Regel("full", "barnet-selv", _MEG_SELV, _FAMILIENS)
_MITT_LILLE_BARN = (Krav.EGET_BARN, Krav.FORESATTES_ALDER)
_BARNET_LAR_MEG = (Krav.EGET_BARN, Krav.SAMTYKKE)
_FORESATTES = (
    Regel("full", "foresatt", _MITT_LILLE_BARN, _FAMILIENS),
    Regel("full", "samtykke", _BARNET_LAR_MEG, _FAMILIENS),
    Regel("status", "kun-status", (Krav.EGET_BARN, Krav.FORESATTES_BEGRENSEDE_ALDER)),
)

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
        (REVISOR, Kolonne.LESING): (Regel("full", "revisjon", (Krav.UTEN_X,)), _SKJERMET_METADATA),
        (BARN, Kolonne.N): (_BARNETS_EGET,),
        (BARN, Kolonne.T): (_BARNETS_EGET,),
        (BARN, Kolonne.H): (_BARNETS_EGET,),
        (BARN, Kolonne.X): (
            Regel("full", "barnet-selv", (*_MEG_SELV, Krav.IKKE_UNDER_UNDERSOKELSE), _FAMILIENS),
        ),
        (BARN, Kolonne.SAMTYKKE): (
            Regel("full", "barnet-selv", (*_MEG_SELV, Krav.INGEN_SKJERMET_PART)),
            Regel("full", "barnet-selv", (*_MEG_SELV, Krav.IKKE_UNDER_UNDERSOKELSE)),
        ),
        (BARN, Kolonne.OPPGAVE): (Regel("full", "barnet-selv", (*_MEG_SELV, Krav.SYNLIG_GRUNNLAG)),),
        (BARN, Kolonne.BARN): (Regel("full", "barnet-selv", (Krav.EGET_BARN,)),),
        (BARN, Kolonne.LESING): (
            Regel("full", "innsyn", (*_MEG_SELV, Krav.SYNLIG_GRUNNLAG, Krav.LESER_KAN_NEVNES)),
        ),
        (FORESATT, Kolonne.N): _FORESATTES[:2],
        (FORESATT, Kolonne.T): _FORESATTES,
        (FORESATT, Kolonne.H): _FORESATTES,
        (FORESATT, Kolonne.X): (
            Regel("full", "samtykke", (*_BARNET_LAR_MEG, Krav.IKKE_UNDER_UNDERSOKELSE), _FAMILIENS),
        ),
        (FORESATT, Kolonne.SAMTYKKE): (
            Regel("full", "foresatt", (*_MITT_LILLE_BARN, Krav.KJENTE_SAMTYKKER, Krav.INGEN_SKJERMET_PART)),
        ),
        (FORESATT, Kolonne.OPPGAVE): (Regel("full", "foresatt", (Krav.EGET_BARN, Krav.SYNLIG_GRUNNLAG)),),
        (FORESATT, Kolonne.BARN): (Regel("full", "foresatt", _MITT_LILLE_BARN),),
        (FORESATT, Kolonne.LESING): (
            Regel("full", "innsyn", (Krav.EGET_BARN, Krav.SYNLIG_GRUNNLAG, Krav.LESER_KAN_NEVNES)),
        ),
        (FRIVILLIG, Kolonne.EGEN): (Regel("full", "egen-tjeneste"),),
        (FRIVILLIG, Kolonne.N): (_MED_SAMTYKKE,),
        (FRIVILLIG, Kolonne.BARN): (Regel("full", "kjent-for-tjenesten", (Krav.KJENT_BARN,)),),
        (LEDER, Kolonne.TALL): (Regel("full", "egen-kommune", vilkar=(Vilkar.SMA_TALL,)),),
        (SLT, Kolonne.TALL): (Regel("full", "egen-kommune", vilkar=(Vilkar.SMA_TALL, Vilkar.ANONYMT)),),
        (DRIFT, Kolonne.TALL): (Regel("metadata", "drift", vilkar=(Vilkar.ANONYMT,)),),
    }
)

SKJERMEDE_TJENESTER = frozenset({"barnevern"})
"""Services a connection to which is itself secret; each has one category, of its own name."""
