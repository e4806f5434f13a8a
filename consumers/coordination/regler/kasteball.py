"""A child pushed from service to service, where nobody takes charge (kasteball).

Provisions: barnevernsloven § 15-8 and the owner's samarbeidsplikt; the date is local. A push is a referral refused or
sent on, or barnevernet closing a case because another agency should have it (SSB's conclusion 8 of a melding, 6 of an
undersøkelse). So many pushes within a window, all known to one owner, make the duty; one occasion per episode, as
cooperation has. Met by whoever takes the child on.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from backbone.frister import calendar_days_after, midnight
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import EIERS_PLIKT, Duty, Her, Regel, day_of
from consumers.coordination.regler.samarbeid import ENDED, episodes
from consumers.coordination.sak import Fact, Sak
from contracts.tjenester import KOORDINERENDE_ENHET

_BESVART = "henvisning.besvart"
_CODES = {"henvendelse.konkludert": "8", "undersokelse.konkludert": "6"}
_TAKEN_ON = ("barnekoordinator.oppnevnt", "koordinator.oppnevnt", "tjeneste.innvilget")


def derive(sak: Sak, her: Her) -> Iterator[Duty | datetime]:
    own = dict.fromkeys(f.kind.tjeneste for f in sak.facts if _is_push(f))
    candidates = [eier for eier in (*her.eiere, *own) if sak.is_service(eier)]
    for eier in candidates:
        found = list(_of(sak, her, eier))
        if any(isinstance(out, Duty) for out in found):
            yield from found
            return


def _of(sak: Sak, her: Her, eier: str) -> Iterator[Duty | datetime]:
    for occasion, episode, end in episodes(sak.known_to(eier)):
        pushes = [f for f in episode if _is_push(f)]
        enough = _enough(pushes, her)
        if not enough:
            continue
        last = enough[-1]
        closing = next((f for f in episode if f > last and _takes_on(f)), end)
        yield her.duty(
            sak,
            occasion,
            eier,
            her.frist.after(day_of(last)),
            enough,
            met=closing is not None,
            since=day_of(last),
            argumenter=(("antall", len(enough)),),
        )


def _enough(pushes: Sequence[Fact], her: Her) -> Sequence[Fact]:
    """The first pushes that are as many as it takes, within the window; none where there are not so many."""
    antall = her.terskler["antall"]
    for start in range(len(pushes) - antall + 1):
        found = pushes[start : start + antall]
        until = midnight(calendar_days_after(day_of(found[0]), her.terskler["innen_dager"] + 1))
        if found[-1].at < until:
            return found
    return ()


def _is_push(fact: Fact) -> bool:
    if fact.kind.navn == _BESVART:
        return fact.data.get("utfall") in ("avslatt", "videresendt")
    code = _CODES.get(fact.kind.navn)
    return code is not None and fact.data.get("kode") == code


def _takes_on(fact: Fact) -> bool:
    return fact.kind.navn in _TAKEN_ON or (
        fact.kind.navn == _BESVART and fact.data.get("utfall") == "mottatt"
    )


REGEL = Regel(
    "kasteball",
    1,
    date(2022, 8, 1),
    {
        _BESVART: ("utfall",),
        **dict.fromkeys(_CODES, ("kode",)),
        **dict.fromkeys((*_TAKEN_ON, ENDED), ()),
    },
    derive,
    eiere=(KOORDINERENDE_ENHET,),
    frist=Frist(5),
    fristslag="lokal_frist",
    bestemmelser=("barnevernsloven-15-8", EIERS_PLIKT),
    lukkes_av=(*_TAKEN_ON, _BESVART, ENDED),
    terskler={"antall": 2, "innen_dager": 365},
    utloses_av=frozenset({_BESVART, *_CODES}),
    eiere_lokalt=True,
)
