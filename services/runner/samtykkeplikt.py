"""Consent missing where cooperation looks necessary: the sender's own duty, by what it alone knows. Pure.

Something it sent because of a concern or a need waits in its journal for a consent, so nobody else can know of it and
no rule of coordination can see it. Consent lifts secrecy (forvaltningsloven § 13 a nr. 1); law sets no date, so it is
the installation's own. What is for all children (the programme, school attendance) asks for nothing.
"""

from datetime import date, datetime
from typing import TypedDict

from backbone.frister import local_date, working_days_after
from contracts.hendelser import EventType, Innsats

REGEL, VERSJON = "samtykke-mangler", 1
BESTEMMELSE = "forvaltningsloven-13-a-1"
WAITS_FOR_CONSENT = "mangler-samtykke"


class Plikt(TypedDict):
    """`frist` is the last Norwegian date to have asked the family."""

    regel: str
    regelversjon: int
    bestemmelse: str
    eier: str
    frist: date
    fristslag: str


def plikt(
    kind: EventType, tjeneste: str, kode: str | None, mottatt: datetime, arbeidsdager: int
) -> Plikt | None:
    """Of a withheld row: of its type, sent by `tjeneste`, waiting for the reason `kode` since `mottatt` (aware)."""
    if kode != WAITS_FOR_CONSENT or kind.innsats not in (Innsats.SELEKTERT, Innsats.INDIKERT):
        return None
    return {
        "regel": REGEL,
        "regelversjon": VERSJON,
        "bestemmelse": BESTEMMELSE,
        "eier": tjeneste,
        "frist": working_days_after(local_date(mottatt), arbeidsdager),
        "fristslag": "lokal_frist",
    }
