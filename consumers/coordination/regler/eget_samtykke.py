"""The young person's own consent at 18: the parents' consents lapse that day, so it is due 90 days before.

Provision: forvaltningsloven § 13 a nr. 1 (consent lifts secrecy); the date is local. Each service whose information may
go out by a consent that ends on or before the birthday owns one, from so many months before. Met when consents to all
the same information hold beyond it; gone when none is left that would lapse. That a young person lets her guardians see
is neither. Barnevernet's rests on a fact of its own too, for else the owner's name would tell that it knows the child.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from backbone.frister import midnight, months_after
from consumers.coordination.facts import micros
from consumers.coordination.regler.alder import BIRTHDAY, birthday
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import AVSENDER, Duty, Her, Regel
from consumers.coordination.sak import Fact, Sak, betrays

_MAJORITY = 18


def derive(sak: Sak, her: Her) -> Iterator[Duty | datetime]:
    if (known := birthday(sak, _MAJORITY)) is None:
        return
    told, majority = known
    begins = midnight(months_after(majority, -her.terskler["maneder_for"]))
    if sak.at < begins:
        yield begins
        return
    end = micros(midnight(majority))
    consents = [c for c in sak.consents if c.releases]
    beyond = {t for c in consents if c.utloper is None or c.utloper > end for t in c.topics}
    lapsing = {t for c in consents if c.utloper is not None and c.utloper <= end for t in c.topics}
    for tjeneste in sorted({fra for fra, _ in lapsing}):
        rests_on = _rests_on(sak, tjeneste, told)
        if sak.is_service(tjeneste) and rests_on:
            yield her.duty(
                sak,
                f"{_MAJORITY} {tjeneste}",
                tjeneste,
                majority - timedelta(days=her.terskler["dager_for"]),
                rests_on,
                met=all(topic in beyond for topic in lapsing if topic[0] == tjeneste),
                since=majority,
            )


def _rests_on(sak: Sak, tjeneste: str, told: Fact) -> tuple[Fact, ...]:
    """Nothing where the service has told nothing and its name is secret."""
    if not betrays(tjeneste, [told.kind]):
        return (told,)
    own = next((f for f in sak.facts if f.kind.tjeneste == tjeneste), None)
    return (told, own) if own else ()


REGEL = Regel(
    "eget-samtykke",
    2,
    date(2022, 8, 1),
    {BIRTHDAY: ("alder",)},
    derive,
    eiere=(AVSENDER,),
    frist=Frist(0, "dager"),
    fristslag="lokal_frist",
    bestemmelser=("forvaltningsloven-13-a-1",),
    lukkes_av=("samtykke.gitt",),
    terskler={"dager_for": 90, "maneder_for": 12},
    utloses_av=frozenset({BIRTHDAY}),
)
