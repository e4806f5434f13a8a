"""When a child reaches an age, as samtykke's birthdays tell: it alone knows the birth date."""

from datetime import date

from consumers.coordination.regler.regel import day_of
from consumers.coordination.sak import Fact, Sak

BIRTHDAY = "kontekst.fodselsdag-passert"


def birthday(sak: Sak, years: int) -> tuple[Fact, date] | None:
    """The day the child turns or turned `years`, and the latest birthday that says so. Born on 29 February: 1 March in
    other years."""
    told = [f for f in sak.facts if f.kind.navn == BIRTHDAY and isinstance(f.data.get("alder"), int)]
    if not told:
        return None
    latest = told[-1]
    day = day_of(latest)
    year = day.year + years - latest.data["alder"]
    try:
        return latest, day.replace(year=year)
    except ValueError:
        return latest, date(year, 3, 1)
