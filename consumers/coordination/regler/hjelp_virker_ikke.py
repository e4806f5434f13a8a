"""The family says that the help did not work.

Provision: the owner's samarbeidsplikt and pbrl. § 2-5 b; the date is local. The coordinating unit owns it where the
family lets it know. Met when the help is looked at again with them: the team changed, a plan or measure evaluated, the
child heard, or a later word that it works.
"""

from datetime import date

from consumers.coordination.regler.folge import Folge, Samme, folge
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import EIERS_PLIKT
from consumers.coordination.sak import Fact, Sak
from contracts.tjenester import KOORDINERENDE_ENHET

_GITT = "tilbakemelding.gitt"
_FIELDS = ("tidspunkt", "nytte", "virkning")
_LOW = 2
"""Of 1 (not at all) to 5 (very much)."""


def _worked(fact: Fact) -> bool:
    return bool(min(fact.data.get("nytte", 5), fact.data.get("virkning", 5)) > _LOW)


def _failed(fact: Fact, _: Sak) -> bool:
    return fact.data.get("tidspunkt") == "etter" and not _worked(fact)


def _looked_at_again(closing: Fact, _: Fact) -> bool:
    return closing.kind.navn != _GITT or _worked(closing)


REGEL = folge(
    "hjelp-virker-ikke",
    {_GITT: _FIELDS},
    {
        "lag.endret": (),
        "individuell-plan.evaluert": (),
        "tiltak.evaluert": (),
        "medvirkning.gjennomfort": (),
        _GITT: (),
    },
    Frist(10),
    ("pbrl-2-5-b", EIERS_PLIKT),
    Folge(gjelder=_failed, lukker=_looked_at_again, samme=Samme.BARN),
    gyldig_fra=date(2022, 8, 1),
    eiere=(KOORDINERENDE_ENHET,),
)
