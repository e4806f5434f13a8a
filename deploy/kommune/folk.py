"""The people: children by number, each with a name, a Tenor number, a birth date and a guardian."""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from contracts.personnummer import tenor

ALDER_MAX_AAR = 18
FRAVAER_MEDIAN_DAGER = 8
FRAVAER_SIGMA = math.log(20 / FRAVAER_MEDIAN_DAGER) / 1.036
"""15 % of the tenth grade are absent 20 days or more a year (domain notes §3); 1.036 is the normal 85 % point."""

FORNAVN = (
    "Ada", "Aksel", "Alma", "Amir", "Anja", "Aurora", "Birk", "Brage", "Celine", "Daniel", "Ella", "Elias", "Embla",
    "Even", "Fatima", "Filip", "Frida", "Hedda", "Hugo", "Ida", "Imran", "Ingrid", "Iver", "Jakob", "Jenny", "Julie",
    "Kaja", "Kasper", "Leah", "Liam", "Linnea", "Ludvig", "Maja", "Marius", "Mathilde", "Mikkel", "Mina", "Nils",
    "Noah", "Olivia", "Oskar", "Pernille", "Ravn", "Sander", "Selma", "Signe", "Sigurd", "Tiril", "Tobias", "Vilde",
)  # fmt: skip
ETTERNAVN = (
    "Aasen", "Berntsen", "Brekke", "Dahl", "Eide", "Fjell", "Fossum", "Grønli", "Haugland", "Hovland", "Iversen",
    "Karlsen", "Lie", "Lunde", "Moen", "Myhre", "Nygård", "Omar", "Rasmussen", "Sandvik", "Skaar", "Solheim", "Strand",
    "Tangen", "Vik", "Voll", "Warsame", "Ødegård", "Østby", "Åsheim",
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A made-up person. `nummer` is a Tenor number."""

    nummer: str
    navn: str
    fodselsdato: date

    def alder(self, dag: date) -> int:
        """Whole years on `dag`."""
        had_birthday = (dag.month, dag.day) >= (self.fodselsdato.month, self.fodselsdato.day)
        return dag.year - self.fodselsdato.year - (not had_birthday)


@dataclass(frozen=True)
class Bydel:
    """A district; `belastning` is how much oftener than in the whole municipality a concern arises there."""

    nummer: str
    navn: str
    belastning: float


BYDELER = (
    Bydel("01", "Sentrum", 1.0),
    Bydel("02", "Nord", 1.6),
    Bydel("03", "Vest", 0.5),
    Bydel("04", "Sør", 0.9),
)
"""Uneven living conditions; as many children in each, and together as in a real population."""


@dataclass(frozen=True)
class Barn(Person):
    """A child, its guardian, how many days a year it tends to be absent from school, and where it lives."""

    nr: int
    foresatt: Person
    fravaer_dager_aar: float
    bydel: Bydel = BYDELER[0]


def barn(seed: int, nr: int, idag: date) -> Barn:
    """Child number `nr` of the municipality of `seed`; birth dates are spread evenly over 0–18 years before `idag`."""
    random = Random(f"{seed}/{nr}")
    fodt = idag - timedelta(days=random.randrange(1, ALDER_MAX_AAR * 365))
    etternavn = random.choice(ETTERNAVN)
    foresatt_fodt = fodt - timedelta(days=random.randrange(20 * 365, 40 * 365))
    foresatt = Person(
        tenor(foresatt_fodt, random.randrange(400)), f"{random.choice(FORNAVN)} {etternavn}", foresatt_fodt
    )
    return Barn(
        nummer=tenor(fodt, random.randrange(400)),
        navn=f"{random.choice(FORNAVN)} {etternavn}",
        fodselsdato=fodt,
        nr=nr,
        foresatt=foresatt,
        fravaer_dager_aar=random.lognormvariate(math.log(FRAVAER_MEDIAN_DAGER), FRAVAER_SIGMA),
        bydel=BYDELER[nr % len(BYDELER)],
    )


def trinn(person: Person, dag: date) -> int | None:
    """The school grade 1–13 in the school year of `dag`, None for one too young or too old."""
    skolear = dag.year if dag.month >= 8 else dag.year - 1
    grade = skolear - person.fodselsdato.year - 5
    return grade if 1 <= grade <= 13 else None
