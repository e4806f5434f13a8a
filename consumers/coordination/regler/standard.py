"""The rules in use. A new rule is a module and a line here."""

from consumers.coordination.regler import bekymringsmelding, frafall, samarbeid
from consumers.coordination.regler.oppsett import Parametre
from consumers.coordination.regler.regel import Regel
from consumers.coordination.regler.regelverk import Regelverk
from contracts.catalogue import Catalogue

STANDARD: tuple[Regel, ...] = (samarbeid.REGEL, bekymringsmelding.REGEL, frafall.REGEL)


def regelverk(catalogue: Catalogue, parametre: Parametre | None = None) -> Regelverk:
    return Regelverk(catalogue, STANDARD, parametre)
