"""What behov.meldt says of a child: the four conditions for barnekoordinator (hol. § 7-2 a)."""

from consumers.coordination.sak import Fact, Sak

BEHOV = "behov.meldt"
VILKAR = ("langvarig", "sammensatt", "alvorlig", "familien_onsker")


def all_four(fact: Fact, _: Sak) -> bool:
    return all(fact.data.get(vilkar) is True for vilkar in VILKAR)


def complex_and_lasting(fact: Fact, _: Sak) -> bool:
    return fact.data.get("langvarig") is True and fact.data.get("sammensatt") is True


def a_coordinator_but_no_barnekoordinator(fact: Fact, sak: Sak) -> bool:
    return complex_and_lasting(fact, sak) and not all_four(fact, sak)
