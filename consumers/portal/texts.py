"""Words for what the contracts name by code, and dates as Norwegians write them (Europe/Oslo)."""

from collections.abc import Mapping
from datetime import date, datetime, time

from babel.dates import format_date
from markupsafe import Markup

from backbone.clock import OSLO
from backbone.meldinger import Argument, Messages
from contracts.catalogue import Catalogue, UnknownType, split
from contracts.lov import Bestemmelse, Lov

NBSP = "\u00a0"


class Texts:
    """The portal's words. A service or type that an installation added is called what its registry line calls it."""

    def __init__(self, messages: Messages, catalogue: Catalogue, lov: Lov) -> None:
        self._messages = messages
        self._catalogue = catalogue
        self._lov = lov

    def __call__(self, code: str, **args: Argument) -> str:
        """Raises UnknownMessage."""
        return self._messages.text(code, **args)

    def name(self, kind: str, word: str) -> str:
        """The bokmål name of `word` ("kategori", "felt", "rolle" …), the word itself where nobody gave it one."""
        code = f"{kind}-{word.replace('.', '-').replace('_', '-')}"
        return self._messages.text(code) if code in self._messages else word.replace("_", " ").capitalize()

    def tjeneste(self, navn: str) -> str:
        known = self._catalogue.tjenester.get(navn)
        if f"tjeneste-{navn}" not in self._messages and known is not None:
            return known.visningsnavn
        return self.name("tjeneste", navn)

    def event(self, full_type: str) -> str:
        """What happened, in words."""
        try:
            return self.name("type", split(full_type)[1])
        except UnknownType:
            return full_type

    def short_event(self, navn: str) -> str:
        """As `event`, of a full or a short type name."""
        return self.event(navn) if navn.startswith("no.samspor.") else self.name("type", navn)

    def bestemmelse(self, id_: str) -> Bestemmelse | None:
        try:
            return self._lov[id_]
        except KeyError:
            return None

    def value(self, field: str, value: object) -> str:
        """One value of an event's data as text."""
        if value is None:
            return "–"
        if isinstance(value, bool):
            return self("verdi-ja" if value else "verdi-nei")
        if isinstance(value, list | tuple):
            return ", ".join(self.value(field, v) for v in value)
        named = f"verdi-{field}-{value}".lower().replace("_", "-").replace(".", "-")
        if named in self._messages:
            return self._messages.text(named)
        if isinstance(value, str):
            if field.endswith("tjeneste") or field in ("til_tjenester", "eier"):
                return self.tjeneste(value)
            if field == "kategorier":
                return self.name("kategori", value)
            fra, _, til = (_as_date(part) for part in value.partition("/"))
            return self("verdi-fra-til", fra=fra, til=til) if fra and til else fra or value
        return str(value)


def _as_date(text: str) -> str | None:
    try:
        return dato(date.fromisoformat(text)) if len(text) == 10 else dato(datetime.fromisoformat(text))
    except ValueError:
        return None


def local_date(at: date | datetime) -> date:
    """The calendar date in Norway."""
    return at.astimezone(OSLO).date() if isinstance(at, datetime) else at


def dato(at: date | datetime) -> str:
    """For example "3. mars 2026"."""
    return format_date(local_date(at), "d. MMMM y", "nb").replace(" ", NBSP)


def ukedag_og_dato(at: date | datetime) -> str:
    """For example "Tirsdag 3. mars 2026"."""
    return format_date(local_date(at), "EEEE d. MMMM y", "nb").capitalize()


def klokke(at: datetime) -> str:
    """For example "kl. 08.14"; empty at midnight, which is what a date without a time becomes."""
    local = at.astimezone(OSLO)
    return f"kl.{NBSP}{local:%H.%M}" if local.time() != time() else ""


def tidspunkt(at: datetime) -> str:
    """For example "3. mars 2026 kl. 08.14"."""
    return f"{dato(at)} {klokke(at)}".rstrip()


def time_tag(at: date | datetime, text: str | None = None) -> Markup:
    """`<time>` with the machine-readable form; the text is a date unless given."""
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), text or dato(at))


FILTERS: Mapping[str, object] = {
    "dato": dato,
    "ukedag": ukedag_og_dato,
    "klokke": klokke,
    "tidspunkt": tidspunkt,
    "time_tag": time_tag,
}
