"""The national programme of the health stations: which of its consultations a text means.

Source: Helsedirektoratet, Nasjonal faglig retningslinje for helsestasjon og skolehelsetjeneste: fourteen
consultations from birth to four years, then school start and 8th grade.
"""

import re
from collections.abc import Iterable

SKOLESTART, ATTENDE_TRINN = "skolestart", "8. trinn"
WEEKS, MONTHS, YEARS = (4, 6), (3, 4, 5, 6, 8, 10, 12, 15), (2, 4)

_AGE = re.compile(r"\b(\d{1,2})(?:\s*[-–]\s*(\d{1,2}))?[\s-]*(uke|måned|maned|mnd|år|ar)")


def programpunkt(words: Iterable[str]) -> str | None:
    """The consultation that the first recognisable of `words` names, as the programme writes it."""
    return next((punkt for word in words if (punkt := _punkt(word.lower()))), None)


def event_name(punkt: str | None) -> str:
    """The type of event when the consultation has been held."""
    if punkt == SKOLESTART:
        return "skolestartundersokelse.gjennomfort"
    return "atte-trinnssamtale.gjennomfort" if punkt == ATTENDE_TRINN else "konsultasjon.gjennomfort"


def _punkt(word: str) -> str | None:
    if "hjemmebesøk" in word or "hjemmebesok" in word:
        return "hjemmebesøk"
    if "skolestart" in word:
        return SKOLESTART
    if re.search(r"\b(8\.?|åttende)[\s-]*trinn", word):
        return ATTENDE_TRINN
    age = _AGE.search(word)
    if age is None:
        return None
    first, last, unit = int(age[1]), int(age[2] or age[1]), age[3]
    if unit == "uke":
        return f"{first} uker" if first in WEEKS else None
    if unit in ("år", "ar"):
        return f"{first} år" if first in YEARS else None
    if {first, last} <= {17, 18}:
        return "17–18 måneder"
    return f"{first} måneder" if first in MONTHS else None
