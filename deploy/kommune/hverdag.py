"""Everyday life: what happens to every child on one day, at the frequencies of a real population (domain notes §3)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from struct import Struct

from deploy.kommune import kropper
from deploy.kommune.folk import Barn, trinn
from deploy.kommune.kropper import DIGISOS, FHIR, FIKS, FINT, Fravaer

SKOLEDAGER_AAR = 190
ARBEIDSDAGER_AAR = 260
FRAVAER_DAGER_SNITT = 2
IKKE_MOTT = 0.05
PROGRAM = (
    (8, "hjemmebesøk"), (28, "4 uker"), (42, "6 uker"), (91, "3 måneder"), (122, "4 måneder"), (152, "5 måneder"),
    (183, "6 måneder"), (243, "8 måneder"), (304, "10 måneder"), (365, "12 måneder"), (456, "15 måneder"),
    (533, "17–18 måneder"), (730, "2 år"), (1461, "4 år"),
)  # fmt: skip
"""The fourteen consultations before school by age in days, ten of them in the first year."""
BEKYMRINGSMELDING_AAR = 50 / 1000
GJENNOMGATT_ETTER_DAGER = 5
GJENNOMGATT = 0.9
UNDERSOKELSE = 0.8
"""Of a thousand children, some 50 are reported and some 40 investigated a year."""
HELSEOPPFOLGING_AAR = 100 / 1000
SKOLEMILJO_AAR = 40 / 1000
TILRETTELEGGING_AAR = 80 / 1000
NAV_SOKNAD_AAR = 30 / 1000
NAV_EGEN_FRA_AAR = 18


@dataclass(frozen=True)
class Sending:
    """One thing a fagsystem sends: `body` in `format` (None: Samspor's own JSON) to `tjeneste`.

    `person` and `barn` go beside the file where the format does not name them. `ref` is stable and tells nothing.
    """

    tjeneste: str
    tid: datetime
    body: bytes
    ref: str
    format: str | None = None
    person: str | None = None
    barn: tuple[str, ...] = ()


def dagens_sendinger(seed: int, folk: Sequence[Barn], dag: date, forste_dag: date) -> list[Sending]:
    """Everything the services send on `dag`, in order of time; they began to send on `forste_dag`."""
    sendinger = [s for barn in folk for s in _barnets_dag(seed, barn, dag)]
    if skolens := _skolens_dag(seed, folk, dag, forste_dag):
        sendinger.append(skolens)
    return sorted(sendinger, key=lambda s: (s.tid, s.ref))


def _skolens_dag(seed: int, folk: Sequence[Barn], dag: date, forste_dag: date) -> Sending | None:
    """The school's nightly extract: absences of the day; on the first day, every pupil."""
    elever = [barn for barn in folk if trinn(barn, dag)]
    fravaer = [f for barn in elever if (f := _fravaer(seed, barn, dag)) is not None]
    med = elever if dag == forste_dag else [f.barn for f in fravaer]
    if not med:
        return None
    skolestart = date(dag.year if dag.month >= 8 else dag.year - 1, 8, 17)
    body = kropper.fint([(barn, skolestart) for barn in med], fravaer)
    return Sending("skole", _klokken(dag, 16), body, kropper.ref("fint", seed, len(folk), dag), FINT)


def _fravaer(seed: int, barn: Barn, dag: date) -> Fravaer | None:
    if dag.weekday() > 4:
        return None
    kast = _kast(seed, barn.nr, dag.toordinal(), "fravaer")
    if next(kast) >= barn.fravaer_dager_aar / SKOLEDAGER_AAR / FRAVAER_DAGER_SNITT:
        return None
    varighet = min((1, 1, 2, 4)[int(next(kast) * 4)], 5 - dag.weekday())
    return Fravaer(barn, dag, dag + timedelta(days=varighet - 1), dokumentert=next(kast) < 0.6)


def _barnets_dag(seed: int, barn: Barn, dag: date) -> Iterator[Sending]:
    kast = _kast(seed, barn.nr, dag.toordinal())
    tid = _klokken(dag, 8 + int(next(kast) * 7), int(next(kast) * 60))
    if punkt := _programpunkt(barn, dag):
        body = kropper.fhir_konsultasjon(barn, punkt, tid, mott=next(kast) >= IKKE_MOTT)
        yield Sending("helsestasjon", tid, body, kropper.ref(barn.nummer, punkt), FHIR)
    yield from _barnevern(seed, barn, dag, tid)
    if dag.weekday() > 4:
        return
    if _hender(kast, HELSEOPPFOLGING_AAR * barn.bydel.belastning):
        yield _generisk("helsestasjon", barn, "oppfolging.utvidet", tid)
    if trinn(barn, dag):
        if _hender(kast, SKOLEMILJO_AAR * barn.bydel.belastning):
            yield _generisk("skole", barn, "skolemiljo.meldt", tid)
        if _hender(kast, TILRETTELEGGING_AAR * barn.bydel.belastning):
            yield _generisk("skole", barn, "ppt.henvist", tid)
    if _hender(kast, NAV_SOKNAD_AAR * barn.bydel.belastning):
        yield _soknad(barn, tid, egen=barn.alder(dag) >= NAV_EGEN_FRA_AAR)


def _barnevern(seed: int, barn: Barn, dag: date, tid: datetime) -> Iterator[Sending]:
    """A bekymringsmelding, and most of those that came in five days ago reviewed."""
    idag = _kast(seed, barn.nr, dag.toordinal(), "melding")
    if dag.weekday() < 5 and _hender(idag, BEKYMRINGSMELDING_AAR * barn.bydel.belastning):
        body = kropper.fiks_bekymringsmelding(barn, tid)
        yield Sending("barnevern", tid, body, kropper.ref(barn.nummer, dag, "melding"), FIKS)
    kom = dag - timedelta(days=GJENNOMGATT_ETTER_DAGER)
    kast = _kast(seed, barn.nr, kom.toordinal(), "melding")
    if (
        kom.weekday() < 5
        and _hender(kast, BEKYMRINGSMELDING_AAR * barn.bydel.belastning)
        and next(kast) < GJENNOMGATT
    ):
        data = {"undersokelse": next(kast) < UNDERSOKELSE}
        body = kropper.generisk(barn, "henvendelse.konkludert", tid, f"fiks:{kom}", data)
        yield Sending("barnevern", tid, body, kropper.ref(barn.nummer, kom, "konklusjon"))


def _generisk(tjeneste: str, barn: Barn, type_: str, tid: datetime) -> Sending:
    nokkel = kropper.ref(barn.nummer, tid.date(), type_)
    return Sending(tjeneste, tid, kropper.generisk(barn, type_, tid, nokkel), nokkel)


def _soknad(barn: Barn, tid: datetime, egen: bool) -> Sending:
    """A NAV application: the youth's own, or a parent's that concerns the child."""
    body = kropper.digisos([(tid, {"type": "soknadsStatus", "status": "MOTTATT"})])
    person, andre = (barn.nummer, ()) if egen else (barn.foresatt.nummer, (barn.nummer,))
    return Sending("nav", tid, body, kropper.ref(barn.nummer, tid.date(), "soknad"), DIGISOS, person, andre)


def _programpunkt(barn: Barn, dag: date) -> str | None:
    """The programme point due on `dag`; one that falls on a weekend is held on the Monday."""
    if dag.weekday() > 4:
        return None
    for bakover in range(3 if dag.weekday() == 0 else 1):
        alder_dager = (dag - timedelta(days=bakover) - barn.fodselsdato).days
        for dager, punkt in PROGRAM:
            if alder_dager == dager:
                return punkt
    return None


def _hender(kast: Iterator[float], per_aar: float) -> bool:
    """Does it happen today, when it happens to `per_aar` children of one a year on working days?"""
    return next(kast) < per_aar / ARBEIDSDAGER_AAR


_SEKSTEN = Struct(">16I")


def _kast(*deler: object) -> Iterator[float]:
    """Sixteen throws in [0, 1), the same for the same parts: far cheaper than seeding a generator per child and day."""
    digest = blake2b("/".join(map(str, deler)).encode(), digest_size=_SEKSTEN.size).digest()
    return (tall / 2**32 for tall in _SEKSTEN.unpack(digest))


def _klokken(dag: date, time_: int, minutt: int = 0) -> datetime:
    return datetime.combine(dag, time(time_, minutt), UTC)
