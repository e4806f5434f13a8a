"""The baton of a child: which service holds the thread. Pure: decide and evolve.

From the first cooperation on there is exactly one holder, who keeps it until the next has accepted (BTI). Two refusals,
or an offer that nobody answers, bring it to the coordinating unit, which the law makes responsible for coordination
(barnevernsloven § 15-8) and which may not refuse.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Literal

from backbone import frister
from consumers.coordination.oppgaveflyt import (
    AVSLATT,
    GRUNNER,
    IKKE_SVART,
    Flytregler,
    MayOwn,
    NotAllowed,
    Onske,
    Part,
)
from contracts.tjenester import KOORDINERENDE_ENHET

Kommando = Literal["ta", "tilby", "avvis", "svarfrist"]
Slag = Literal["mottatt", "tilbudt", "avslatt"]


@dataclass(frozen=True, slots=True)
class Stafett:
    """Who holds a child's baton. `svar_innen` is the last Norwegian date to answer the offer, `avslag` the refusals
    since somebody last accepted, `steg` how many things have happened."""

    innehaver: str
    tilbudt_til: str | None = None
    svar_innen: date | None = None
    avslag: int = 0
    steg: int = 0


@dataclass(frozen=True, slots=True)
class Pinnehendelse:
    """Something that happened to the baton: `fra` held it, `til` is whom it concerns."""

    slag: Slag
    fra: str
    til: str
    grunn: str | None = None
    svar_innen: date | None = None


MASKIN: Mapping[tuple[bool, str], frozenset[Part]] = MappingProxyType(
    {
        (False, "tilby"): frozenset({"ansvarlig", "kontakt"}),
        (True, "ta"): frozenset({"tilbudt", "ansvarlig"}),
        (True, "avvis"): frozenset({"tilbudt"}),
        (True, "svarfrist"): frozenset({"tid"}),
    }
)
"""(offered, command) to the parts that may give it."""


def begin(innehaver: str) -> Pinnehendelse:
    """The first holder: who owns the duty to consider cooperation."""
    return Pinnehendelse("mottatt", innehaver, innehaver)


def parter(stafett: Stafett, tjeneste: str | None, kontakt: bool) -> frozenset[Part]:
    found: set[Part] = {"kontakt"} if kontakt or tjeneste == KOORDINERENDE_ENHET else set()
    if tjeneste is not None and tjeneste == stafett.innehaver:
        found.add("ansvarlig")
    if tjeneste is not None and tjeneste == stafett.tilbudt_til:
        found.add("tilbudt")
    return frozenset(found)


def kommandoer(stafett: Stafett, parts: Collection[Part]) -> tuple[str, ...]:
    offered = stafett.tilbudt_til is not None
    return tuple(k for (state, k), who in MASKIN.items() if state is offered and who & set(parts))


def decide(
    stafett: Stafett, onske: Onske, may_own: MayOwn, regler: Flytregler, now: datetime
) -> tuple[Pinnehendelse, ...]:
    """What the command makes happen. Raises NotAllowed."""
    allowed = MASKIN.get((stafett.tilbudt_til is not None, onske.kommando))
    if allowed is None:
        raise NotAllowed("kommando-passer-ikke")
    if not allowed & onske.parter:
        raise NotAllowed("ikke-din-tur")
    return tuple(_decide(stafett, onske, may_own, regler, now))


def _decide(
    stafett: Stafett, onske: Onske, may_own: MayOwn, regler: Flytregler, now: datetime
) -> Iterable[Pinnehendelse]:
    holder, asked = stafett.innehaver, stafett.tilbudt_til
    if onske.kommando == "tilby":
        if onske.til is None:
            raise NotAllowed("mottaker-mangler")
        if onske.til == holder:
            raise NotAllowed("mottaker-har-oppgaven")
        if not may_own(onske.til):
            raise NotAllowed("mottaker-kan-ikke-eie")
        until = frister.working_days_after(frister.local_date(now), regler.svarfrist_arbeidsdager)
        yield Pinnehendelse("tilbudt", holder, onske.til, svar_innen=until)
    elif onske.kommando == "ta":
        assert onske.av is not None
        if not (onske.av == holder or may_own(onske.av)):
            raise NotAllowed("kan-ikke-eie")
        yield Pinnehendelse("mottatt", holder, onske.av)
    elif onske.kommando == "avvis":
        if onske.grunn not in GRUNNER:
            raise NotAllowed("grunn-mangler")
        if onske.grunn == "annet" and not onske.kommentert:
            raise NotAllowed("kommentar-mangler")
        assert asked is not None
        yield Pinnehendelse("avslatt", holder, asked, onske.grunn)
        if stafett.avslag + 1 >= regler.avslag_for_lofting:
            yield Pinnehendelse("mottatt", holder, KOORDINERENDE_ENHET, AVSLATT)
    elif stafett.svar_innen is not None and frister.local_date(now) > stafett.svar_innen:
        yield Pinnehendelse("mottatt", holder, KOORDINERENDE_ENHET, IKKE_SVART)


def evolve(stafett: Stafett | None, hendelse: Pinnehendelse) -> Stafett:
    """What holds after something has happened; None before anything has."""
    steps = (stafett.steg if stafett else 0) + 1
    if stafett is None or hendelse.slag == "mottatt":
        return Stafett(hendelse.til, steg=steps)
    if hendelse.slag == "tilbudt":
        return replace(stafett, tilbudt_til=hendelse.til, svar_innen=hendelse.svar_innen, steg=steps)
    return replace(stafett, tilbudt_til=None, svar_innen=None, avslag=stafett.avslag + 1, steg=steps)


def fold(hendelser: Iterable[Pinnehendelse]) -> Stafett | None:
    stafett: Stafett | None = None
    for hendelse in hendelser:
        stafett = evolve(stafett, hendelse)
    return stafett
