"""The way of a task from hand to hand: what people may do with it, and what then holds. Pure: decide and evolve.

Whoever holds a task keeps it until the next has accepted it, so a task has exactly one holder at any time. The state
machine is the table `MASKIN`; `decide` turns a command into what happened, `evolve` what happened into what holds. What
people did is kept as it happened (`Hendelse`), beside the duty beneath the task, which facts open and close: neither
undoes the other (see `oppgaver`).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from backbone import frister
from contracts.tjenester import KOORDINERENDE_ENHET

Tilstand = Literal["aapen", "tilbudt", "overtatt", "eskalert", "uenighet", "utfort"]
Kommando = Literal["ta", "tilby", "avvis", "uenig", "utfor", "avgjor", "svarfrist", "fristbrudd"]
TIDENS: frozenset[Kommando] = frozenset({"svarfrist", "fristbrudd"})
"""What only time does: a date to answer an offer, or the task's own, has gone by."""
Part = Literal["ansvarlig", "tilbudt", "kontakt", "enhet", "avgjorer", "tid"]
"""Who acts: the holder; the one it is offered to; the child's contact person; the one it was raised to; the one that
settles a disagreement; time itself."""
Slag = Literal["overtatt", "tilbudt", "avvist", "eskalert", "uenighet", "avgjort", "utfort", "forfalt"]

GRUNNER = ("ikke-var-oppgave", "annen-naermere", "mangler-kapasitet", "mangler-samtykke", "annet")
"""Why a service refuses; "annet" needs a comment that says it."""
IKKE_SVART = "ikke-svart"
AVSLATT = "avslatt"
FRIST_PASSERT = "frist-passert"


class Flytregler(BaseModel):
    """What a municipality may set about the way of its tasks. Days are arbeidsdager."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    svarfrist_arbeidsdager: int = Field(default=5, ge=1)
    avslag_for_lofting: int = Field(default=2, ge=1)
    avgjorer: str = KOORDINERENDE_ENHET
    """Who settles a disagreement: a service or unit of the municipality."""


@dataclass(frozen=True, slots=True)
class Flyt:
    """What people have made of a task. `ansvarlig` None: nobody took it over, and it is its rule's owner's.

    `svar_innen` is the last Norwegian date to answer the offer, `avslag` the refusals since somebody last took it,
    `avgjores_av` who must act now that it was raised (and stays until somebody has taken it), `steg` how many things
    have happened. Its own date gone by changes none of this: `trinn` is the highest step of the municipality's
    escalation that was told, 0 before the first, and `loftet_til` to whom, until somebody takes the task.
    """

    tilstand: Tilstand = "aapen"
    ansvarlig: str | None = None
    tilbudt_til: str | None = None
    svar_innen: date | None = None
    avslag: int = 0
    avgjores_av: str | None = None
    steg: int = 0
    trinn: int = 0
    loftet_til: str | None = None


NY = Flyt()


@dataclass(frozen=True, slots=True)
class Hendelse:
    """Something that happened to a task. `til` is the service it concerns, `trinn` the step of escalation reached."""

    slag: Slag
    til: str | None = None
    grunn: str | None = None
    svar_innen: date | None = None
    trinn: int | None = None


@dataclass(frozen=True, slots=True)
class Onske:
    """A command: `av` is the service that acts, None for time; `parter` are its parts in the matter; `trinn` the step
    of escalation that an overdue task has reached."""

    kommando: Kommando
    parter: frozenset[Part]
    av: str | None = None
    til: str | None = None
    grunn: str | None = None
    kommentert: bool = False
    trinn: int | None = None


class NotAllowed(Exception):
    """The command cannot be followed; `kode` names a message with what to do in nb.ftl."""

    def __init__(self, kode: str) -> None:
        super().__init__(kode)
        self.kode = kode


MayOwn = Callable[[str], bool]
"""Whether a service may know every fact the task rests on."""

MASKIN: Mapping[tuple[Tilstand, Kommando], frozenset[Part]] = MappingProxyType(
    {
        ("aapen", "ta"): frozenset({"ansvarlig"}),
        ("aapen", "tilby"): frozenset({"ansvarlig", "kontakt"}),
        ("aapen", "avvis"): frozenset({"ansvarlig"}),
        ("aapen", "uenig"): frozenset({"ansvarlig"}),
        ("aapen", "utfor"): frozenset({"ansvarlig"}),
        ("tilbudt", "ta"): frozenset({"tilbudt", "ansvarlig"}),
        ("tilbudt", "avvis"): frozenset({"tilbudt"}),
        ("tilbudt", "uenig"): frozenset({"tilbudt", "ansvarlig"}),
        ("tilbudt", "utfor"): frozenset({"ansvarlig"}),
        ("tilbudt", "svarfrist"): frozenset({"tid"}),
        ("overtatt", "tilby"): frozenset({"ansvarlig", "kontakt"}),
        ("overtatt", "uenig"): frozenset({"ansvarlig"}),
        ("overtatt", "utfor"): frozenset({"ansvarlig"}),
        ("eskalert", "ta"): frozenset({"enhet", "ansvarlig"}),
        ("eskalert", "tilby"): frozenset({"enhet"}),
        ("eskalert", "avvis"): frozenset({"enhet"}),
        ("eskalert", "uenig"): frozenset({"enhet", "ansvarlig"}),
        ("eskalert", "utfor"): frozenset({"ansvarlig"}),
        ("uenighet", "ta"): frozenset({"ansvarlig"}),
        ("uenighet", "avgjor"): frozenset({"avgjorer"}),
        ("uenighet", "utfor"): frozenset({"ansvarlig"}),
        ("aapen", "fristbrudd"): frozenset({"tid"}),
        ("tilbudt", "fristbrudd"): frozenset({"tid"}),
        ("overtatt", "fristbrudd"): frozenset({"tid"}),
        ("eskalert", "fristbrudd"): frozenset({"tid"}),
        ("uenighet", "fristbrudd"): frozenset({"tid"}),
    }
)
"""Which part may give which command in which state; what is not here cannot be done."""

TRENGER_GRUNN = frozenset({"avvis", "uenig"})
TRENGER_MOTTAKER = frozenset({"tilby", "avgjor"})


def parter(flyt: Flyt, eier: str, tjeneste: str | None, kontakt: bool) -> frozenset[Part]:
    """The parts that `tjeneste` has in a task whose holder is `eier`; `kontakt`: she is the child's contact person.
    Whom an overdue task was raised to may offer it on as she may."""
    allots = tjeneste is not None and tjeneste in (KOORDINERENDE_ENHET, flyt.loftet_til)
    found: set[Part] = {"kontakt"} if kontakt or allots else set()
    if tjeneste is not None:
        if tjeneste == eier:
            found.add("ansvarlig")
        if tjeneste == flyt.tilbudt_til:
            found.add("tilbudt")
        if tjeneste == flyt.avgjores_av:
            found.add("avgjorer" if flyt.tilstand == "uenighet" else "enhet")
    return frozenset(found)


def kommandoer(flyt: Flyt, parts: Collection[Part]) -> tuple[Kommando, ...]:
    """What somebody with these parts may do now, in the table's order."""
    return tuple(k for (state, k), who in MASKIN.items() if state == flyt.tilstand and who & set(parts))


def decide(
    flyt: Flyt, eier: str, onske: Onske, may_own: MayOwn, regler: Flytregler, now: datetime
) -> tuple[Hendelse, ...]:
    """What the command makes happen to a task that `eier` holds. Raises NotAllowed."""
    allowed = MASKIN.get((flyt.tilstand, onske.kommando))
    if flyt.tilstand == "utfort":
        raise NotAllowed("oppgave-avsluttet")
    if allowed is None:
        raise NotAllowed("kommando-passer-ikke")
    if not allowed & onske.parter:
        raise NotAllowed("ikke-din-tur")
    if onske.kommando in TRENGER_GRUNN:
        _check_reason(onske)
    if onske.kommando in TRENGER_MOTTAKER:
        _check_recipient(eier, onske, may_own)
    return tuple(HANDLINGER[onske.kommando](flyt, eier, onske, may_own, regler, now))


def _check_reason(onske: Onske) -> None:
    if onske.grunn not in GRUNNER:
        raise NotAllowed("grunn-mangler")
    if onske.grunn == "annet" and not onske.kommentert:
        raise NotAllowed("kommentar-mangler")


def _check_recipient(eier: str, onske: Onske, may_own: MayOwn) -> None:
    if onske.til is None:
        raise NotAllowed("mottaker-mangler")
    if onske.kommando == "tilby" and onske.til == eier:
        raise NotAllowed("mottaker-har-oppgaven")
    if not may_own(onske.til):
        raise NotAllowed("mottaker-kan-ikke-eie")


def _take(
    flyt: Flyt, eier: str, onske: Onske, may_own: MayOwn, regler: Flytregler, now: datetime
) -> Iterable[Hendelse]:
    if onske.av is None or not (onske.av == eier or may_own(onske.av)):
        raise NotAllowed("kan-ikke-eie")
    yield Hendelse("overtatt", onske.av)


def _offer(
    flyt: Flyt, eier: str, onske: Onske, may_own: MayOwn, regler: Flytregler, now: datetime
) -> Iterable[Hendelse]:
    until = frister.working_days_after(frister.local_date(now), regler.svarfrist_arbeidsdager)
    yield Hendelse("tilbudt", onske.til, svar_innen=until)


def _refuse(
    flyt: Flyt, eier: str, onske: Onske, may_own: MayOwn, regler: Flytregler, now: datetime
) -> Iterable[Hendelse]:
    yield Hendelse("avvist", onske.av, onske.grunn)
    if flyt.avgjores_av is not None:
        yield Hendelse("uenighet", _settler(eier, may_own, regler), AVSLATT)
    elif flyt.avslag + 1 >= regler.avslag_for_lofting:
        yield Hendelse("eskalert", _raised_to(eier, may_own), AVSLATT)


def _disagree(
    flyt: Flyt, eier: str, onske: Onske, may_own: MayOwn, regler: Flytregler, now: datetime
) -> Iterable[Hendelse]:
    yield Hendelse("uenighet", _settler(eier, may_own, regler), onske.grunn)


def _finish(
    flyt: Flyt, eier: str, onske: Onske, may_own: MayOwn, regler: Flytregler, now: datetime
) -> Iterable[Hendelse]:
    yield Hendelse("utfort", onske.av)


def _settle(
    flyt: Flyt, eier: str, onske: Onske, may_own: MayOwn, regler: Flytregler, now: datetime
) -> Iterable[Hendelse]:
    yield Hendelse("avgjort", onske.til)


def _no_answer(
    flyt: Flyt, eier: str, onske: Onske, may_own: MayOwn, regler: Flytregler, now: datetime
) -> Iterable[Hendelse]:
    if flyt.svar_innen is None or frister.local_date(now) <= flyt.svar_innen:
        return
    if flyt.avgjores_av is not None:
        yield Hendelse("uenighet", _settler(eier, may_own, regler), IKKE_SVART)
    else:
        yield Hendelse("eskalert", _raised_to(eier, may_own), IKKE_SVART)


def _date_passed(
    flyt: Flyt, eier: str, onske: Onske, may_own: MayOwn, regler: Flytregler, now: datetime
) -> Iterable[Hendelse]:
    """Each step once, whatever becomes of the date or the duty afterwards."""
    if onske.trinn is not None and onske.trinn > flyt.trinn:
        yield Hendelse("forfalt", onske.til, FRIST_PASSERT, trinn=onske.trinn)


def _raised_to(eier: str, may_own: MayOwn) -> str:
    """The coordinating unit; of what it may not know (barnevern's own), the holder itself must find the way."""
    return KOORDINERENDE_ENHET if may_own(KOORDINERENDE_ENHET) else eier


def _settler(eier: str, may_own: MayOwn, regler: Flytregler) -> str:
    return regler.avgjorer if may_own(regler.avgjorer) else _raised_to(eier, may_own)


Handling = Callable[[Flyt, str, Onske, MayOwn, Flytregler, datetime], Iterable[Hendelse]]

HANDLINGER: Mapping[Kommando, Handling] = MappingProxyType(
    {
        "ta": _take,
        "tilby": _offer,
        "avvis": _refuse,
        "uenig": _disagree,
        "utfor": _finish,
        "avgjor": _settle,
        "svarfrist": _no_answer,
        "fristbrudd": _date_passed,
    }
)


def evolve(flyt: Flyt, hendelse: Hendelse) -> Flyt:
    """What holds after something has happened."""
    counted = replace(flyt, steg=flyt.steg + 1)
    unanswered = replace(counted, tilbudt_til=None, svar_innen=None)
    if hendelse.slag in ("overtatt", "avgjort"):
        return Flyt("overtatt", hendelse.til, steg=counted.steg, trinn=flyt.trinn)
    if hendelse.slag == "forfalt":
        return replace(counted, trinn=hendelse.trinn or flyt.trinn, loftet_til=hendelse.til)
    if hendelse.slag == "tilbudt":
        return replace(counted, tilstand="tilbudt", tilbudt_til=hendelse.til, svar_innen=hendelse.svar_innen)
    if hendelse.slag == "avvist":
        return replace(unanswered, tilstand=_back(flyt), avslag=flyt.avslag + 1)
    if hendelse.slag in ("eskalert", "uenighet"):
        raised: Tilstand = "eskalert" if hendelse.slag == "eskalert" else "uenighet"
        return replace(unanswered, tilstand=raised, avgjores_av=hendelse.til)
    return replace(unanswered, tilstand="utfort", avgjores_av=None)


def _back(flyt: Flyt) -> Tilstand:
    """Where a refused task lies again: with whom it was before it was offered."""
    if flyt.avgjores_av is not None:
        return "eskalert"
    return "aapen" if flyt.ansvarlig is None else "overtatt"


def fold(hendelser: Iterable[Hendelse]) -> Flyt:
    """What holds after all that has happened, in order."""
    flyt = NY
    for hendelse in hendelser:
        flyt = evolve(flyt, hendelse)
    return flyt


def holder(flyt: Flyt, regelens_eier: str, may_own: MayOwn) -> str:
    """The one holder: who took it over, while that service may still know what it rests on, else the rule's owner."""
    return flyt.ansvarlig if flyt.ansvarlig is not None and may_own(flyt.ansvarlig) else regelens_eier
