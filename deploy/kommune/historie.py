"""The story that a visitor sees: named children whose cases meet each duty, told the same way every time.

Everything is counted from `anker`, the day the story was first told, and carries stable ids: telling it again changes
nothing. What each child is there for is said at its name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from contracts.personnummer import tenor
from contracts.samtykke_api import KOORDINATOR
from deploy.kommune import kropper
from deploy.kommune.folk import Barn, Person
from deploy.kommune.hverdag import Sending
from deploy.kommune.kropper import DIGISOS, FHIR, FIKS, FINT, OSLO, Fravaer
from deploy.kommune.plikter import FORELDRE, FORTELLINGER

SERIE = 400
"""Tenor serials of the story start here; everyday children have lower ones, so nobody is both."""

FORESATT, UNGDOM = "demo:foresatt", "demo:barn"
"""The personas (consumers/portal/personas.py) of a family."""
ALLE = ("skole", "helsestasjon", "nav", "koordinerende-enhet", KOORDINATOR)


@dataclass(frozen=True)
class Samtykke:
    """A consent of one service's information to the others around the child, and whoever gives it."""

    barn: Barn
    fra_tjeneste: str
    kategorier: tuple[str, ...]
    hvem: str = "begge-foreldre"

    @property
    def id(self) -> str:
        return kropper.ref("samtykke", self.barn.nummer, self.fra_tjeneste)

    def body(self, anker: date) -> dict[str, Any]:
        """What POST /samtykke/samtykker takes."""
        return {
            "id": self.id,
            "person": self.barn.nummer,
            "kommune": kropper.KOMMUNE,
            "hvem": self.hvem,
            "fra_tjeneste": self.fra_tjeneste,
            "til_tjenester": [navn for navn in ALLE if navn != self.fra_tjeneste],
            "kategorier": list(self.kategorier),
            "formal": "Samordnet hjelp rundt barnet",
            "gyldig_fra": _dager_for(anker, 90).isoformat(),
            "utloper": None,
            "barnets_syn": "enig",
            "metode": "digital",
            "tekstversjon": "1",
            "sprak": "nb",
        }


@dataclass(frozen=True)
class Historie:
    """What to register, in this order, and what the services send. `familie`: which persona is which child, or its
    guardian. `snur` is withdrawn and given again in the run."""

    barn: tuple[Barn, ...]
    samtykker: tuple[Samtykke, ...]
    koordineres: tuple[Barn, ...]
    familie: tuple[tuple[Barn, str, str], ...]
    sendinger: tuple[Sending, ...]
    snur: Samtykke


def historie(anker: date) -> Historie:
    """The story as of `anker`."""
    emil = _barn(0, "Emil Fossheim", anker, 15, 40)  # all four services, barnevern too; has a coordinator
    nora = _barn(
        1, "Nora Lindås", anker, 17, 200
    )  # risk of dropping out; a consent withdrawn and given again
    jonas = _barn(2, "Jonas Dalen", anker, 8, 100)  # a bekymringsmelding past its seven days
    amina = _barn(3, "Amina Farah", anker, 13, 150)  # cooperation to be considered: school, health, NAV
    sara = _barn(4, "Sara Holmefjord", anker, 16, 300)  # no consent: NAV's event is withheld at NAV
    oliver = _barn(
        5, "Oliver Bakke", anker, 10, 60
    )  # universal services only: nothing to see, and rightly so
    giver = ((emil, "begge-foreldre"), (nora, "selv"), (amina, "begge-foreldre"))
    nav_nora = Samtykke(nora, "nav", ("nav-sosial", "nav-oppfolging"), "selv")
    egne = [(f, _barn(6 + nr, f.navn, anker, f.alder, f.dager)) for nr, f in enumerate(FORTELLINGER)]
    return Historie(
        barn=(emil, nora, jonas, amina, sara, oliver, *(barn for _, barn in egne)),
        samtykker=(
            *(Samtykke(barn, "skole", ("fravar", "skolemiljo"), hvem) for barn, hvem in giver),
            *(
                Samtykke(barn, "helsestasjon", ("helseprogram", "helseoppfolging"), hvem)
                for barn, hvem in giver
            ),
            *(Samtykke(barn, "nav", ("nav-sosial",), "begge-foreldre") for barn in (emil, amina)),
            nav_nora,
            *(
                Samtykke(barn, tjeneste, kategorier, FORELDRE)
                for fortelling, barn in egne
                for tjeneste, kategorier in fortelling.samtykker.items()
            ),
        ),
        koordineres=(emil,),
        familie=((jonas, FORESATT, "forelder"), (amina, FORESATT, "forelder"), (nora, UNGDOM, "barn")),
        sendinger=tuple(
            sorted(
                (
                    *_sendinger(anker, emil, nora, jonas, amina, sara, oliver),
                    *(s for fortelling, barn in egne for s in fortelling.sendinger(barn, anker)),
                ),
                key=lambda s: (s.tid, s.ref),
            )
        ),
        snur=nav_nora,
    )


def _sendinger(
    anker: date, emil: Barn, nora: Barn, jonas: Barn, amina: Barn, sara: Barn, oliver: Barn
) -> Iterator[Sending]:
    borte = [*_fravaer(emil, anker), *_fravaer(nora, anker), *_fravaer(amina, anker)]
    elever = [(barn, _skolestart(anker)) for barn in (emil, nora, jonas, amina, sara, oliver)]
    yield Sending(
        "skole", _dager_for(anker, 6), kropper.fint(elever, borte), kropper.ref("historie-fint", anker), FINT
    )
    for barn, punkt in ((emil, "8. trinn"), (oliver, "skolestart"), (amina, "8. trinn")):
        tid = _dager_for(anker, 40)
        body = kropper.fhir_konsultasjon(barn, punkt, tid)
        yield Sending("helsestasjon", tid, body, kropper.ref("historie", barn.nummer, punkt), FHIR)
    for barn in (emil, amina):
        tid = _dager_for(anker, 20)
        nokkel = kropper.ref("historie-oppfolging", barn.nummer)
        yield Sending("helsestasjon", tid, kropper.generisk(barn, "oppfolging.utvidet", tid, nokkel), nokkel)
    for barn, dager in ((emil, 2), (jonas, 9)):
        tid = _dager_for(anker, dager)
        body = kropper.fiks_bekymringsmelding(barn, tid)
        yield Sending("barnevern", tid, body, kropper.ref("historie-melding", barn.nummer), FIKS)
    yield from _fravaer_fra_august(nora, anker)
    for barn, egen in ((emil, False), (nora, True), (amina, False), (sara, True)):
        yield _soknad(barn, _dager_for(anker, 5), egen)


def _soknad(barn: Barn, tid: datetime, egen: bool) -> Sending:
    """A NAV application that is being handled: the youth's own, or a parent's that concerns the child."""
    body = kropper.digisos(
        [
            (tid, {"type": "soknadsStatus", "status": "MOTTATT"}),
            (tid + timedelta(hours=3), {"type": "soknadsStatus", "status": "UNDER_BEHANDLING"}),
        ]
    )
    return Sending(
        "nav",
        tid,
        body,
        kropper.ref("historie-soknad", barn.nummer),
        DIGISOS,
        person=barn.nummer if egen else barn.foresatt.nummer,
        barn=() if egen else (barn.nummer,),
    )


def _fravaer(barn: Barn, anker: date) -> Iterator[Fravaer]:
    """Away from school, undocumented, for the last three whole weeks."""
    siste_mandag = anker - timedelta(days=anker.weekday() + 7)
    for uke in range(3):
        mandag = siste_mandag - timedelta(weeks=uke)
        yield Fravaer(barn, mandag, mandag + timedelta(days=4), dokumentert=False)


def _fravaer_fra_august(barn: Barn, anker: date) -> Iterator[Sending]:
    """In the first weeks of a school year the last three weeks' absences are of the year before: the school then says
    itself that a threshold has been passed in this one."""
    forste = date(_skolear(anker), 8, 1)
    if anker < forste + timedelta(weeks=6):
        tid = datetime.combine(max(forste, anker - timedelta(days=6)), time(), OSLO)
        skolear = f"{forste.year}-{forste.year + 1}"
        nokkel = kropper.ref("historie-fravaer", barn.nummer, skolear)
        data = {"dager": 10, "timer": 0, "periode": skolear, "regel": "10-dager-skolear"}
        body = kropper.generisk(barn, "fravaer.terskel-passert", tid, nokkel, data)
        yield Sending("skole", tid, body, nokkel)


def _barn(nr: int, navn: str, anker: date, alder: int, dager: int) -> Barn:
    """`alder` years and `dager` days old at the first telling."""
    fodt = anker.replace(year=anker.year - alder, day=min(anker.day, 28)) - timedelta(days=dager)
    foresatt_fodt = fodt - timedelta(days=31 * 365)
    return Barn(
        nummer=tenor(fodt, SERIE + nr),
        navn=navn,
        fodselsdato=fodt,
        nr=-1 - nr,
        foresatt=Person(
            tenor(foresatt_fodt, SERIE + nr), f"Foresatt {navn.rpartition(' ')[2]}", foresatt_fodt
        ),
        fravaer_dager_aar=0.0,
    )


def _skolear(dag: date) -> int:
    return dag.year if dag.month >= 8 else dag.year - 1


def _skolestart(anker: date) -> date:
    """The last one that has been."""
    start = date(anker.year, 8, 17)
    return start if start <= anker else start.replace(year=anker.year - 1)


def _dager_for(anker: date, dager: int) -> datetime:
    return datetime.combine(anker - timedelta(days=dager), time(9, 30), UTC)
