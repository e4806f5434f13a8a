"""Young people in ettervern are followed up until they are 25: so long without a word from barnevernet is too long.

Provision: barnevernsloven § 3-6; the date is local. From the day the offer is answered, each contact (a measure, plan,
decision or new answer) is to be followed by another. It begins so many days before the date, so that those who are
followed up see nothing of it. One occasion per contact, named by it.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise

from backbone.frister import midnight
from consumers.coordination.regler.alder import BIRTHDAY, birthday
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import Duty, Her, Regel, day_of
from consumers.coordination.sak import Fact, Sak

_BARNEVERN = "barnevern"
_ANSWERED = "ettervern.konkludert"
_CONTACT = (
    "ettervern.tilbudt",
    "plan.opprettet",
    "tiltak.avsluttet",
    "tiltak.evaluert",
    "tiltak.iverksatt",
    "vedtak.fattet",
)
_LAST_AGE = 25


def derive(sak: Sak, her: Her) -> Iterator[Duty | datetime]:
    own = [f for f in sak.facts if f.kind.tjeneste == _BARNEVERN]
    answered = next((f for f in own if f.kind.navn == _ANSWERED), None)
    if answered is None:
        return
    contacts = [answered, *(f for f in own if f > answered and f.kind.navn in (_ANSWERED, *_CONTACT))]
    known = birthday(sak, _LAST_AGE)
    for contact, then in pairwise([*contacts, None]):
        assert contact is not None
        yield from _between(sak, her, contact, then, known[1] if known else date.max)


def _between(sak: Sak, her: Her, contact: Fact, then: Fact | None, until: date) -> Iterator[Duty | datetime]:
    frist = her.frist.after(day_of(contact))
    begins = midnight(frist - timedelta(days=her.terskler["dager_for"]))
    if frist >= until or (then and then.at < begins):
        return
    if sak.at < begins:
        yield begins
        return
    yield her.duty(
        sak,
        f"{contact.source} {contact.kind.navn} {contact.nokkel}",
        _BARNEVERN,
        frist,
        [contact],
        met=then is not None,
        since=day_of(contact),
    )


REGEL = Regel(
    "ettervern-oppfolging",
    1,
    date(2023, 1, 1),
    {BIRTHDAY: ("alder",), **dict.fromkeys((_ANSWERED, *_CONTACT), ())},
    derive,
    eiere=(_BARNEVERN,),
    frist=Frist(12, "maneder"),
    fristslag="lokal_frist",
    bestemmelser=("barnevernsloven-3-6",),
    lukkes_av=(_ANSWERED, *_CONTACT),
    terskler={"dager_for": 60},
    utloses_av=frozenset({_ANSWERED}),
)
