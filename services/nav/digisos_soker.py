"""NAV digisos-soker: the history of one application for social assistance, an event for each line of it.

Schemas: navikt/soknadsosialhjelp-filformat, soker/. The file repeats its history each time, so an event's key and
version come from the line itself. It is add-only: fields and enum values not known here are accepted, a kind of
line not known here gives no event. It names no person: that comes beside the file, with the children concerned
where the case is a parent's. Amounts are checked and forgotten: they have no field to go on in.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, JsonValue, Tag, TypeAdapter

from contracts.personnummer import masked
from services.format import RECORDS_MOST, Companion, EventDraft, Problem, Record
from services.skjema import (
    NOT_NULL,
    OSLO,
    TAG,
    Heltall,
    Refused,
    Skjema,
    matches,
    pattern_error,
    read_json,
    read_time,
    time_of,
)

_TIDSPUNKT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})[^\n\r\u2028\u2029]([0-9]+)Z"
)


def read_tidspunkt(text: str) -> datetime:
    """The schema's `.` before the fraction is any character: all it allows is read. Raises ValueError."""
    parts = _TIDSPUNKT.fullmatch(text)
    if parts is None:
        raise pattern_error()
    return read_time(f"{parts[1]}.{parts[2][:6]}Z")


Tidspunkt = Annotated[datetime, time_of(read_tidspunkt)]
Dato = Annotated[str, matches(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")]
Uuid = Annotated[str, matches(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
Kode = Annotated[str, matches(r"\S[\s\S]*")]  # of an enum that is added to: new, yet there
Belop = Annotated[float, AfterValidator(lambda _: 0.0)]


def _by_type(*known: str) -> Discriminator:
    """The model named by `type`; what is missing or newer than this code is read by the common model."""

    def tag(value: Any) -> str:
        kind = value.get("type") if isinstance(value, dict) else None
        return TAG + (kind if isinstance(kind, str) and kind in known else "")

    return Discriminator(tag)


class AnnenFil(Skjema):
    type: Kode


class Dokumentlager(AnnenFil):
    id: Uuid


class SvarUt(AnnenFil):
    id: Uuid
    nr: Heltall


Filreferanse = Annotated[
    Annotated[SvarUt, Tag(f"{TAG}svarut")]
    | Annotated[Dokumentlager, Tag(f"{TAG}dokumentlager")]
    | Annotated[AnnenFil, Tag(TAG)],
    _by_type("svarut", "dokumentlager"),
]


class Brev(Skjema):
    referanse: Filreferanse


class Vedlegg(Skjema):
    tittel: str
    referanse: Filreferanse


class Hendelse(Skjema):
    """A line of a kind that is not known here."""

    type: Kode
    hendelsestidspunkt: Tidspunkt


class TildeltNavKontor(Hendelse):
    navKontor: Annotated[str, matches(r"[0-9]{4}")]


class SoknadsStatus(Hendelse):
    status: Kode


class SaksStatus(Hendelse):
    referanse: str
    tittel: str = ""
    status: Kode = ""


class VedtakFattet(Hendelse):
    saksreferanse: str
    utfall: Kode = ""
    vedtaksfil: Brev
    vedlegg: tuple[Vedlegg, ...] = ()


class Dokument(Skjema):
    dokumenttype: str
    tilleggsinformasjon: str = ""
    innsendelsesfrist: Tidspunkt
    dokumentreferanse: str = ""


class DokumentasjonEtterspurt(Hendelse):
    dokumenter: tuple[Dokument, ...]
    forvaltningsbrev: Annotated[Brev | None, NOT_NULL] = None
    vedlegg: tuple[Vedlegg, ...] = ()


class ForelopigSvar(Hendelse):
    forvaltningsbrev: Brev
    vedlegg: tuple[Vedlegg, ...] = ()


class Vilkar(Hendelse):
    vilkarreferanse: str
    saksreferanse: str = ""
    utbetalingsreferanse: tuple[str, ...] = ()
    tittel: str = ""
    beskrivelse: str = ""
    status: Kode = ""


class Dokumentasjonkrav(Hendelse):
    dokumentasjonkravreferanse: str
    saksreferanse: str = ""
    utbetalingsreferanse: tuple[str, ...] = ()
    tittel: str = ""
    beskrivelse: str = ""
    frist: Annotated[Tidspunkt | None, NOT_NULL] = None
    status: Kode = ""


class Utbetaling(Hendelse):
    utbetalingsreferanse: str
    saksreferanse: str = ""
    rammevedtaksreferanse: str = ""
    status: Kode = ""
    belop: Belop = 0.0
    beskrivelse: str = ""
    forfallsdato: Dato = ""
    utbetalingsdato: Dato = ""
    fom: Dato = ""
    tom: Dato = ""
    annenMottaker: bool = False
    mottaker: str = ""
    kontonummer: Annotated[str, matches(r"[0-9]{11}")] = ""
    utbetalingsmetode: str = ""


class Rammevedtak(Hendelse):
    rammevedtaksreferanse: str
    saksreferanse: str = ""
    beskrivelse: str = ""
    belop: Belop = 0.0
    fom: Dato = ""
    tom: Dato = ""


EnHendelse = Annotated[
    Annotated[TildeltNavKontor, Tag(f"{TAG}tildeltNavKontor")]
    | Annotated[SoknadsStatus, Tag(f"{TAG}soknadsStatus")]
    | Annotated[SaksStatus, Tag(f"{TAG}saksStatus")]
    | Annotated[VedtakFattet, Tag(f"{TAG}vedtakFattet")]
    | Annotated[DokumentasjonEtterspurt, Tag(f"{TAG}dokumentasjonEtterspurt")]
    | Annotated[ForelopigSvar, Tag(f"{TAG}forelopigSvar")]
    | Annotated[Vilkar, Tag(f"{TAG}vilkar")]
    | Annotated[Dokumentasjonkrav, Tag(f"{TAG}dokumentasjonkrav")]
    | Annotated[Utbetaling, Tag(f"{TAG}utbetaling")]
    | Annotated[Rammevedtak, Tag(f"{TAG}rammevedtak")]
    | Annotated[Hendelse, Tag(TAG)],
    _by_type(
        "tildeltNavKontor",
        "soknadsStatus",
        "saksStatus",
        "vedtakFattet",
        "dokumentasjonEtterspurt",
        "forelopigSvar",
        "vilkar",
        "dokumentasjonkrav",
        "utbetaling",
        "rammevedtak",
    ),
]


class Avsender(Skjema):
    systemnavn: str
    systemversjon: str


class Fil(Skjema):
    version: Annotated[str, matches(r"[0-9]+\.[0-9]+\.[0-9]+(-[a-zA-Z0-9]+)?(\+[a-zA-Z0-9]+)?")]
    avsender: Avsender
    hendelser: Annotated[tuple[EnHendelse, ...], Field(min_length=1, max_length=RECORDS_MOST)]


FIL: TypeAdapter[Fil] = TypeAdapter(Fil)


@dataclass(frozen=True)
class DigisosSoker:
    """A violation anywhere refuses the file: the next one repeats what this one said."""

    navn: str = "digisos-soker"
    media_types: tuple[str, ...] = ("application/json",)
    messages: str = "services.nav"

    def read(self, body: bytes, companion: Companion) -> Iterable[Record]:
        try:
            fil = read_json(FIL, body)
        except Refused as refused:
            return (Record("", problems=refused.problems),)
        return tuple(_records(fil, companion))


@dataclass(frozen=True)
class Fact:
    """What a line tells: `nokkel` names the matter, so a later line about it replaces this one."""

    type: str
    nokkel: str
    data: Mapping[str, JsonValue]
    tilbaketrukket: bool = False


def _records(fil: Fil, companion: Companion) -> Iterator[Record]:
    barn = tuple(dict.fromkeys(companion.barn))
    about: list[tuple[str | None, str]] = [(b, "foresatt") for b in barn] or [(companion.person, "egen")]
    if not barn and companion.person is None:
        yield Record("", warnings=(Problem("", "person-mangler"),))
    told = [_facts(hendelse) for hendelse in fil.hendelser]
    last = {
        (fact.type, fact.nokkel, hendelse.hendelsestidspunkt): place
        for place, hendelse in enumerate(fil.hendelser)
        for fact in told[place]
    }
    for place, hendelse in enumerate(fil.hendelser):
        at = hendelse.hendelsestidspunkt
        drafts = tuple(
            EventDraft(
                type=fact.type,
                person=person,
                sak=None,
                time=at,
                nokkel=fact.nokkel,
                versjon=max(1, round(at.timestamp() * 1000)),
                data={**fact.data, "gjelder": gjelder},
                tilbaketrukket=fact.tilbaketrukket,
            )
            for fact in told[place]
            if last[fact.type, fact.nokkel, at]
            == place  # of two lines on one matter at one time the last counts
            for person, gjelder in about
        )
        pointer = f"/hendelser/{place}"
        notice = () if told[place] else (Problem(pointer, "gir-ingen-hendelse"),)
        yield Record(pointer, drafts, warnings=notice)


AVSLUTTET = frozenset({"FERDIGBEHANDLET", "BEHANDLES_IKKE"})


def _facts(hendelse: Hendelse) -> tuple[Fact, ...]:
    match hendelse:
        case TildeltNavKontor():
            return (Fact("nav-kontor.tildelt", "nav-kontor", {"nav_kontor": hendelse.navKontor}),)
        case SoknadsStatus():
            status = {"status": _code(hendelse.status)}
            endret = Fact("soknad.status-endret", "soknad", status)
            closing = (Fact("sak.avsluttet", "soknad", status),) if hendelse.status in AVSLUTTET else ()
            return (endret, *closing)
        case SaksStatus():
            wrong = hendelse.status == "FEILREGISTRERT"
            nokkel = f"sak:{masked(hendelse.referanse)}"
            return (Fact("sak.status-endret", nokkel, {"status": _code(hendelse.status)}, wrong),)
        case VedtakFattet():
            nokkel = f"vedtak:{masked(hendelse.saksreferanse)}"
            return (Fact("vedtak.fattet", nokkel, {"status": _code(hendelse.utfall)}),)
        case DokumentasjonEtterspurt():
            frister = [d.innsendelsesfrist for d in hendelse.dokumenter]
            data = {"frist": _date(min(frister, default=None))}
            return (Fact("dokumentasjon.etterspurt", "dokumentasjon", data, not frister),)
        case ForelopigSvar():
            return (Fact("forelopig-svar.gitt", "forelopig-svar", {}),)
        case Vilkar():
            nokkel = f"vilkar:{masked(hendelse.vilkarreferanse)}"
            return (Fact("vilkar.satt", nokkel, {"status": _code(hendelse.status)}, _void(hendelse.status)),)
        case Dokumentasjonkrav():
            nokkel = f"dokumentasjonkrav:{masked(hendelse.dokumentasjonkravreferanse)}"
            krav = {"frist": _date(hendelse.frist), "status": _code(hendelse.status)}
            return (Fact("dokumentasjon.etterspurt", nokkel, krav, _void(hendelse.status)),)
        case _:  # money, and kinds of line that are newer than this code
            return ()


def _void(status: str) -> bool:
    return status == "ANNULLERT"


def _code(status: str) -> str | None:
    """A status as the enums write them; anything else is free text, which goes no further."""
    return status if re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", status) else None


def _date(at: datetime | None) -> str | None:
    return at.astimezone(OSLO).date().isoformat() if at else None
