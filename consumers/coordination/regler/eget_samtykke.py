"""The young person's own consent at 18: the parents' consents lapse that day, so it is due 90 days before.

Provision: forvaltningsloven § 13 a nr. 1 (consent lifts secrecy); the date is local. Each service whose information may
go out by a consent that ends on or before the birthday owns one, from so many months before. Met when a consent of the
same information holds beyond it; gone when none is left that would lapse.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from backbone.frister import midnight, months_after
from consumers.coordination.facts import micros
from consumers.coordination.regler.alder import BIRTHDAY, birthday
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import AVSENDER, Duty, Her, Regel
from consumers.coordination.sak import Sak

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
    beyond = {c.fra_tjeneste for c in sak.consents if c.utloper is None or c.utloper > end}
    lapsing = {c.fra_tjeneste for c in sak.consents if c.utloper is not None and c.utloper <= end}
    for tjeneste in sorted(lapsing):
        if sak.is_service(tjeneste):
            yield her.duty(
                sak,
                f"{_MAJORITY} {tjeneste}",
                tjeneste,
                majority - timedelta(days=her.terskler["dager_for"]),
                [told],
                met=tjeneste in beyond,
                since=majority,
            )


REGEL = Regel(
    "eget-samtykke",
    1,
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
