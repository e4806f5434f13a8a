"""What each thing of a case tells: its events, by the day they happened. The natural key is SSB's Id."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from pydantic import JsonValue

from services.barnevern.ssb.strom import Node
from services.barnevern.ssb.verdier import read_date


@dataclass(frozen=True)
class Hendelse:
    """`dato` is None where the file's date lies outside 1900–2200."""

    type: str
    nokkel: str
    dato: date | None
    data: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.type} {self.nokkel}"


def hendelser(ting: Node) -> tuple[Hendelse, ...]:
    """The events of a thing; none of one that is marked deleted."""
    read = TING.get(ting.name)
    if read is None or ting.slettet:
        return ()
    # Two evaluations on one day are one event.
    return tuple({h.key: h for h in read(ting)}.values())


MELDING = 2
_INVESTIGATED, _WITH_MEASURES, _BEING_INVESTIGATED = "2", "3", "4"
_MEASURE_PLANS = frozenset(
    "12345"
)  # the plans that are about measures, and not about visits or an investigation
_PARTICIPATION = {"1.1": "samtale", "1.2": "representant", "1.3": "observasjon", "1.4": "andre uttrykk"}
_GRANTED = "1"


def _melding(ting: Node) -> Iterator[Hendelse]:
    melder = ting.one("Melder")
    innhold: list[JsonValue] = [*dict.fromkeys(i.attributes["Kode"] for i in ting.all("Saksinnhold"))]
    data: dict[str, JsonValue] = {"slag": MELDING, "saksinnhold": innhold}
    if melder:
        data["melderkode"] = melder.attributes["Kode"]
    yield Hendelse("henvendelse.mottatt", ting.id, ting.dato("StartDato"), data)
    konklusjon = ting.one("Konklusjon")
    if konklusjon and not konklusjon.slettet:
        kode = konklusjon.attributes["Kode"]
        answer: dict[str, JsonValue] = {"kode": kode}
        if kode != _WITH_MEASURES:  # dropped because measures go on: nothing begins, and nothing ends
            answer["undersokelse"] = kode in (_INVESTIGATED, _BEING_INVESTIGATED)
        yield Hendelse("henvendelse.konkludert", ting.id, konklusjon.dato("SluttDato"), answer)


def _undersokelse(ting: Node) -> Iterator[Hendelse]:
    yield Hendelse("undersokelse.startet", ting.id, ting.dato("StartDato"))
    frist = ting.one("UtvidetFrist")
    if frist and frist.get("Innvilget") == _GRANTED:
        yield Hendelse("undersokelse.frist-utvidet", ting.id, frist.dato("StartDato"))
    medvirkning = ting.one("BarnetsMedvirkning")
    form = _PARTICIPATION.get(medvirkning.text_of("MedvirkningType")) if medvirkning else None
    if medvirkning and form:
        dato = read_date(medvirkning.text_of("StartDato"))
        yield Hendelse("medvirkning.gjennomfort", ting.id, dato, {"form": form})
    yield from _konkludert("undersokelse.konkludert", ting)


def _plan(ting: Node) -> Iterator[Hendelse]:
    yield Hendelse("plan.opprettet", ting.id, ting.dato("StartDato"))
    if ting.get("Plantype") in _MEASURE_PLANS:
        for evaluering in ting.all("Evaluering"):
            dato = evaluering.dato("UtfortDato")
            yield Hendelse("tiltak.evaluert", f"{ting.id}:{dato}", dato)


def _tiltak(ting: Node) -> Iterator[Hendelse]:
    kategori = ting.one("Kategori")
    data: dict[str, JsonValue] = {"kategori": kategori.get("Kode") if kategori else None}
    yield Hendelse("tiltak.iverksatt", ting.id, ting.dato("StartDato"), data)
    if ting.one("Konklusjon"):
        slutt = ting.slutt
        data = {**data, "slutt": slutt.isoformat()} if slutt else data
        yield Hendelse("tiltak.avsluttet", ting.id, slutt, data)


def _vedtak(ting: Node) -> Iterator[Hendelse]:
    latest = max(ting.all("Status"), key=lambda status: status.dato("EndretDato") or date.min)
    data: dict[str, JsonValue] = {"utfall": latest.get("Kode"), "lovhjemmel": _lovhjemmel(ting)}
    yield Hendelse("vedtak.fattet", ting.id, ting.dato("StartDato"), data)


def _lovhjemmel(ting: Node) -> str | None:
    hjemmel = ting.one("Lovhjemmel")
    if hjemmel is None:
        return None
    return f"{hjemmel.text_of('Lov')} {hjemmel.text_of('Kapittel')}-{hjemmel.text_of('Paragraf')}"


def _ettervern(ting: Node) -> Iterator[Hendelse]:
    yield Hendelse("ettervern.tilbudt", ting.id, ting.dato("TilbudSendtDato"))
    yield from _konkludert("ettervern.konkludert", ting)


def _flytting(ting: Node) -> Iterator[Hendelse]:
    arsak, til = ting.one("ArsakFra"), ting.one("FlyttingTil")
    data: dict[str, JsonValue] = {
        "arsak": arsak.get("Kode") if arsak else None,
        "til": til.get("Kode") if til else None,
    }
    yield Hendelse("flytting", ting.id, ting.dato("SluttDato"), data)


def _konkludert(navn: str, ting: Node) -> Iterator[Hendelse]:
    if konklusjon := ting.one("Konklusjon"):
        yield Hendelse(navn, ting.id, konklusjon.dato("SluttDato"), {"kode": konklusjon.get("Kode")})


TING: Mapping[str, Callable[[Node], Iterator[Hendelse]]] = {
    "Melding": _melding,
    "Undersokelse": _undersokelse,
    "Plan": _plan,
    "Tiltak": _tiltak,
    "Vedtak": _vedtak,
    "Ettervern": _ettervern,
    "Flytting": _flytting,
}
