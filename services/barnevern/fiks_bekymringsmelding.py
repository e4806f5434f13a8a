"""KS Fiks bekymringsmelding, offentlig and privat, v1 and v2: one message, an event for each child it names.

Schemas: fiks.ks.no/bekymringsmelding.{offentlig,privat}.{v1,v2}.json. v2 only adds `andreSynspunkter`, and
nothing in a message says which version it follows, so every message is read as v2. Names, addresses and the
concern itself are checked and left behind: only what barnevern's own deadlines need goes on.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Discriminator, Field, JsonValue, Tag, TypeAdapter

from contracts.personnummer import InvalidNumber, classify
from services.barnevern.melder import offentlig_melderkode, privat_melderkode
from services.format import RECORDS_MOST, Companion, EventDraft, Problem, Record
from services.skjema import AT_MOST, NOT_NULL, OSLO, TAG, Line, Refused, Skjema, Tid, matches, read_json

Kommunenummer = Annotated[str, matches(r"[0-9]{4}")]
Bydelsnummer = Annotated[str, matches(r"[0-9]{2}")]
Telefonnummer = Annotated[str, matches(r"[+]?[0-9]+([- ][0-9]+)*")]
_LOCAL, _HOST = r"[A-Za-zæøåÆØÅ0-9_-]+", r"[A-Za-zæøåÆØÅ0-9-]+"
Epost = Annotated[str, matches(rf"{_LOCAL}(\.{_LOCAL})*@{_HOST}(\.{_HOST})*(\.[A-Za-z]{{2,}})")]


class Adresse(Skjema):
    adresselinje1: str
    adresselinje2: str = ""
    adresselinje3: str = ""
    postnummer: str = ""
    poststed: str = ""


class Virksomhet(Skjema):
    navn: Line
    orgnr: Line = ""
    adresse: Adresse


class OffentligMelder(Skjema):
    personnavn: Line
    rolle: Line
    telefonnummer: Telefonnummer
    epost: Epost
    virksomhet: Virksomhet


class OffentligBarn(Skjema):
    fnr: str
    ufoedt: bool
    personnavn: Line
    telefonnummer: str = ""
    adresse: Adresse
    orientert: bool
    orientertGrunn: Line = ""


class Foresatt(Skjema):
    personnavn: Line
    telefonnummer: Line = ""
    orientert: bool
    orientertGrunn: Line = ""


class Innhold(Skjema):
    melding: str
    historie: str
    andreSynspunkter: str = ""


class Offentlig(Skjema):
    kommunenummer: Kommunenummer
    kommunenavn: Line
    bydelsnummer: Bydelsnummer
    bydelsnavn: Line
    offentligMelder: OffentligMelder
    offentligBarn: Annotated[tuple[OffentligBarn, ...], Field(min_length=1, max_length=RECORDS_MOST)]
    foresatte: Annotated[tuple[Foresatt, ...], Field(min_length=1, max_length=2)]
    behovForTolk: str = ""
    andreHjelpeinstanser: str = ""
    melding: Innhold
    sendingstidspunkt: Tid
    leveringskanal: str


class PrivatMelder(Skjema):
    personnavn: str
    telefonnummer: Telefonnummer = ""
    adresse: Annotated[Adresse | None, NOT_NULL] = None


class PrivatBarn(Skjema):
    personnavn: str
    antattAlder: str = ""
    relasjon: str = ""
    adresse: Adresse


class Privat(Skjema):
    kommunenummer: Kommunenummer
    kommunenavn: str
    bydelsnummer: Bydelsnummer
    bydelsnavn: str
    privatMelder: PrivatMelder
    privatBarn: Annotated[
        tuple[PrivatBarn, ...], AT_MOST
    ]  # the schema says minLength of an array, which forbids nothing
    melding: str
    sendingstidspunkt: Tid
    leveringskanal: str


VALUES_MOST = 100_000  # in one message, whose free text is a person's


def _which(message: Any) -> str:
    if isinstance(message, dict) and not message.keys() & {"offentligMelder", "offentligBarn"}:
        return f"{TAG}privat" if message.keys() & {"privatMelder", "privatBarn"} else f"{TAG}offentlig"
    return f"{TAG}offentlig"


Melding = Annotated[
    Annotated[Offentlig, Tag(f"{TAG}offentlig")] | Annotated[Privat, Tag(f"{TAG}privat")],
    Discriminator(_which),
]
MELDING: TypeAdapter[Offentlig | Privat] = TypeAdapter(Melding)


@dataclass(frozen=True)
class FiksBekymringsmelding:
    """A violation of the schema anywhere refuses the whole message, so no child of it is taken in twice."""

    navn: str = "fiks-bekymringsmelding"
    media_types: tuple[str, ...] = ("application/json",)
    messages: str = "services.barnevern"

    def read(self, body: bytes, companion: Companion) -> Iterable[Record]:
        try:
            message = read_json(MELDING, body, values_most=VALUES_MOST)
        except Refused as refused:
            return (Record("", (), refused.problems),)
        return tuple(_offentlig(message) if isinstance(message, Offentlig) else _privat(message))


def _offentlig(message: Offentlig) -> Iterator[Record]:
    at = message.sendingstidspunkt
    common: dict[str, JsonValue] = {
        "slag": 2,
        "melderkode": offentlig_melderkode(message.offentligMelder.rolle, at.date()),
        "foresatte_orientert": all(f.orientert for f in message.foresatte),
    }
    seen: set[str] = set()
    for ordinal, barn in enumerate(message.offentligBarn):
        place = f"/offentligBarn/{ordinal}"
        person, warnings = _person(barn, at.astimezone(OSLO).date(), f"{place}/fnr")
        if person in seen:
            yield Record(place, (), warnings=(Problem(f"{place}/fnr", "barn-gjentatt"),))
            continue
        if person is not None:
            seen.add(person)
        data = {**common, "barn_orientert": barn.orientert, "ufodt": barn.ufoedt}
        yield Record(place, (_draft(person, _sak(message, ordinal), at, data),), warnings=warnings)


def _privat(message: Privat) -> Iterator[Record]:
    at = message.sendingstidspunkt
    for ordinal, barn in enumerate(message.privatBarn):
        data: dict[str, JsonValue] = {"slag": 2, "melderkode": privat_melderkode(barn.relasjon)}
        yield Record(f"/privatBarn/{ordinal}", (_draft(None, _sak(message, ordinal), at, data),))
    if not message.privatBarn:  # a concern about nobody named still has to be looked at within its seven days
        draft = _draft(None, _sak(message, 0), at, {"slag": 2, "melderkode": None})
        yield Record("/privatBarn", (draft,), warnings=(Problem("/privatBarn", "uten-barn"),))


def _person(barn: OffentligBarn, today: date, place: str) -> tuple[str | None, tuple[Problem, ...]]:
    """The child's number, or None: a concern is never refused for a number, it gets a subject of its own."""
    nummer = barn.fnr.replace(" ", "")
    if not nummer:
        return None, () if barn.ufoedt else (Problem(place, "fnr-mangler"),)
    try:
        identitet = classify(nummer, today)
    except InvalidNumber as error:
        return None, (Problem(place, error.code),)
    return (nummer, ()) if identitet.identifies else (None, ())


def _draft(person: str | None, sak: str, at: datetime, data: dict[str, JsonValue]) -> EventDraft:
    return EventDraft(
        type="henvendelse.mottatt",
        person=person,
        sak=None if person else sak,
        time=at,
        nokkel=f"fiks:{at.astimezone(OSLO).date()}",  # a message has no id of its own: child + date
        versjon=max(1, int(at.timestamp())),
        data=data,
    )


def _sak(message: Offentlig | Privat, ordinal: int) -> str:
    """A case of its own for a child without number: the same when the same message comes again, however it
    is spaced or ordered, and another for another message of the same second."""
    content = message.model_dump_json(exclude={"sendingstidspunkt"})
    digest = hashlib.blake2b(content.encode(), digest_size=12).hexdigest()
    return f"fiks:{int(message.sendingstidspunkt.timestamp())}:{digest}:{ordinal}"
