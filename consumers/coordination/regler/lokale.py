"""The local rules: one file per municipality (TOML), read, checked and turned into what holds from which day.

A file has versions; the latest that has begun holds. A version switches rules off, sets their local dates, thresholds
and owners, when and to whom an overdue duty is raised, and how tasks change hands. What law sets (a lovfrist, and the
owner of a duty that only one service can know of) cannot be set. The file also names the municipality's units, as a
tree, and the agreements on cooperation between its services.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator
from pydantic_core import PydanticCustomError

from consumers.coordination.oppgaveflyt import Flytregler
from consumers.coordination.regler.eskalering import LEDER, Trinn
from consumers.coordination.regler.oppsett import Enhet, Frist, Parametre
from consumers.coordination.regler.regel import AVSENDER, MOTTAKER, Her, Regel
from contracts.catalogue import Catalogue
from contracts.tjenester import KOORDINERENDE_ENHET

DAYS_MOST = 3_650
STANDARD = "standard"
"""The set of rules where a municipality has said nothing."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class LokalFrist(_Model):
    """Så lenge etter dagen plikten regnes fra."""

    antall: int = Field(ge=0, le=DAYS_MOST)
    enhet: Enhet = "arbeidsdager"


class Eskaleringstrinn(_Model):
    """Når fristen er gått ut, løftes plikten etter så mange arbeidsdager: til leder i tjenesten, eller en tjeneste."""

    etter_arbeidsdager: int = Field(ge=0, le=DAYS_MOST)
    til: str = LEDER


class Kommuneenhet(_Model):
    """En del av kommunen. `over` er enheten den hører til, `orgnr` avsenderne den svarer for."""

    id: str = Field(min_length=1)
    navn: str = Field(min_length=1)
    over: str | None = None
    tjeneste: str | None = None
    byomrade: str | None = None
    rolle: str | None = None
    orgnr: list[Annotated[str, Field(pattern=r"^\d{9}$")]] = []


class Samarbeidsavtale(_Model):
    """En avtale mellom tjenester, og hvor lenge før den går ut at partene minnes om det."""

    id: str = Field(min_length=1)
    navn: str = Field(min_length=1)
    parter: list[str] = Field(min_length=2)
    gyldig_fra: date
    gyldig_til: date
    pamin_dager: int = Field(default=90, ge=0, le=DAYS_MOST)


class _Versjon(_Model, Parametre):
    navn: str = Field(min_length=1)
    gyldig_fra: date
    eskalering: list[Eskaleringstrinn] = [Eskaleringstrinn(etter_arbeidsdager=0, til=KOORDINERENDE_ENHET)]
    oppgaver: Flytregler = Flytregler()


@dataclass(frozen=True)
class Lokalversjon:
    """What holds from a day on. `her` lacks the rules that are switched off."""

    navn: str
    gyldig_fra: date
    parametre: Parametre
    her: Mapping[str, Her]
    trinn: tuple[Trinn, ...]
    flyt: Flytregler


@dataclass(frozen=True)
class Lokal:
    """One municipality's rules; `versjoner` by when they begin."""

    kommune: str
    versjoner: tuple[Lokalversjon, ...]
    enheter: tuple[Kommuneenhet, ...] = ()
    avtaler: tuple[Samarbeidsavtale, ...] = ()

    def ansvarlig(self, tjeneste: str, orgnr: str | None = None) -> tuple[Kommuneenhet, ...]:
        """The unit that answers for a service (or for one of its senders), and those above it."""
        own = [e for e in self.enheter if e.tjeneste == tjeneste]
        unit = next((e for e in own if orgnr in e.orgnr), None) or next((e for e in own if not e.orgnr), None)
        by_id = {e.id: e for e in self.enheter}
        path: list[Kommuneenhet] = []
        while unit:
            path.append(unit)
            unit = by_id.get(unit.over) if unit.over else None
        return tuple(path)

    def avtaler_som_utloper(self, day: date) -> list[Samarbeidsavtale]:
        """Agreements to be renewed: within their days of warning, or lapsed, the soonest first."""
        near = (a for a in self.avtaler if day >= a.gyldig_til - timedelta(days=a.pamin_dager))
        return sorted(near, key=lambda a: (a.gyldig_til, a.id))


@dataclass(frozen=True)
class Feil:
    """What is wrong in a file, and where. `kode` is a message of nb.ftl (`regler-feil-…`); `linje` from 1."""

    peker: str
    kode: str
    linje: int | None = None
    args: tuple[tuple[str, str | int], ...] = ()


class InvalidLocalRules(Exception):
    """The file cannot be used; every reason is in `feil`."""

    def __init__(self, feil: Iterable[Feil]) -> None:
        self.feil = tuple(feil)
        super().__init__(", ".join(f"{f.peker}: {f.kode}" for f in self.feil))


def standard(regler: Iterable[Regel]) -> Lokalversjon:
    """What holds where a municipality has said nothing."""
    her = {rule.navn: Her.standard(rule) for rule in regler}
    return Lokalversjon(STANDARD, date.min, Parametre(), her, (Trinn(0, KOORDINERENDE_ENHET),), Flytregler())


def read_file(path: Path, regler: tuple[Regel, ...], catalogue: Catalogue) -> Lokal:
    """Raises InvalidLocalRules, and OSError."""
    return read(path.read_text("utf-8"), regler, catalogue)


def read_folder(folder: Path, regler: tuple[Regel, ...], catalogue: Catalogue) -> dict[str, Lokal]:
    """Every `*.toml` of the folder, by municipality. Raises as `read_file`."""
    found = (read_file(path, regler, catalogue) for path in sorted(folder.glob("*.toml")))
    return {lokal.kommune: lokal for lokal in found}


def read(text: str, regler: tuple[Regel, ...], catalogue: Catalogue) -> Lokal:
    """Raises InvalidLocalRules."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidLocalRules([Feil("/", "regler-feil-toml", _line_said(str(error)))]) from None
    try:
        fil: Any = model(regler, tuple(catalogue.tjenester)).model_validate(raw)
    except ValidationError as error:
        raise InvalidLocalRules([_feil(e, text) for e in error.errors()]) from None
    versions = sorted(fil.versjoner, key=lambda v: v.gyldig_fra)
    return Lokal(
        fil.kommune,
        tuple(_versjon(v, regler) for v in versions),
        tuple(fil.enheter),
        tuple(fil.samarbeidsavtaler),
    )


def model(regler: tuple[Regel, ...], tjenester: tuple[str, ...]) -> type[BaseModel]:
    """The file's shape: of each rule only what may be set of it. Its JSON Schema is what editors check against."""
    each: dict[str, Any] = {r.navn: (_rule_model(r, tjenester), None) for r in regler}
    rules = create_model("Regler", __base__=_Model, **each)
    own: dict[str, Any] = {"regler": (rules, rules())}
    versjon = create_model("Versjon", __base__=_Versjon, **own)
    known = frozenset(tjenester)

    class Lokalfil(_Model):
        """De lokale reglene i en kommune."""

        kommune: str = Field(pattern=r"^\d{4}$")
        versjoner: list[versjon] = Field(min_length=1)
        enheter: list[Kommuneenhet] = []
        samarbeidsavtaler: list[Samarbeidsavtale] = []

        @model_validator(mode="after")
        def _consistent(self) -> Self:
            for kode, args in _contradictions(self, known):
                raise PydanticCustomError(kode, "{kode}", {"kode": kode, **args})
            return self

    return Lokalfil


def _rule_model(rule: Regel, tjenester: tuple[str, ...]) -> type[BaseModel]:
    fields: dict[str, Any] = {"paa": (bool, True)}
    if rule.fristslag == "lokal_frist" and rule.frist.antall:
        fields["frist"] = (LokalFrist | None, None)
    if rule.eiere_lokalt:
        who: Any = Literal[(*tjenester, AVSENDER, MOTTAKER)]
        fields["eiere"] = (Annotated[list[who], Field(min_length=1)] | None, None)
    for terskel, default in rule.terskler.items():
        fields[terskel] = (Annotated[int, Field(ge=1, le=DAYS_MOST)], default)
    return create_model(f"Regel_{rule.navn}", __base__=_Model, **fields)


def _contradictions(fil: Any, tjenester: frozenset[str]) -> Iterator[tuple[str, dict[str, str]]]:
    days = [v.gyldig_fra for v in fil.versjoner]
    if len(set(days)) < len(days):
        yield "samme-dag", {}
    ids = {e.id: e for e in fil.enheter}
    if len(ids) < len(fil.enheter):
        yield "samme-enhet", {}
    for unit in fil.enheter:
        if unit.over is not None and unit.over not in ids:
            yield "ukjent-enhet", {"verdi": unit.over}
        if unit.tjeneste is not None and unit.tjeneste not in tjenester:
            yield "ukjent-tjeneste", {"verdi": unit.tjeneste}
        above, seen = unit.over, {unit.id}
        while above in ids:
            if above in seen:
                yield "enhet-i-ring", {"verdi": unit.id}
                break
            seen.add(above)
            above = ids[above].over
    for avtale in fil.samarbeidsavtaler:
        if avtale.gyldig_til < avtale.gyldig_fra:
            yield "slutt-for-start", {"verdi": avtale.id}
    named = [p for a in fil.samarbeidsavtaler for p in a.parter]
    named += [t.til for v in fil.versjoner for t in v.eskalering if t.til != LEDER]
    named += [v.oppgaver.avgjorer for v in fil.versjoner]
    for navn in named:
        if navn not in tjenester:
            yield "ukjent-tjeneste", {"verdi": navn}


def _versjon(said: Any, regler: Iterable[Regel]) -> Lokalversjon:
    her = {}
    for rule in regler:
        here = getattr(said.regler, rule.navn)
        if here is None:
            her[rule.navn] = Her.standard(rule, said.navn)
        elif here.paa:
            frist = getattr(here, "frist", None)
            her[rule.navn] = Her(
                rule,
                Frist(frist.antall, frist.enhet) if frist else rule.frist,
                tuple(getattr(here, "eiere", None) or rule.eiere),
                {terskel: getattr(here, terskel) for terskel in rule.terskler},
                said.navn,
            )
    steps = sorted((Trinn(t.etter_arbeidsdager, t.til) for t in said.eskalering), key=lambda t: t.etter)
    common = Parametre(**{name: getattr(said, name) for name in Parametre.model_fields})
    return Lokalversjon(said.navn, said.gyldig_fra, common, her, tuple(steps), said.oppgaver)


_KNOWN = frozenset(
    {
        "date_from_datetime_inexact", "date_type", "extra_forbidden", "greater_than_equal", "int_type",
        "less_than_equal", "literal_error", "missing", "string_pattern_mismatch", "string_type", "too_short",
        "samme-dag", "samme-enhet", "ukjent-enhet", "ukjent-tjeneste", "enhet-i-ring", "slutt-for-start",
    }
)  # fmt: skip


def _feil(error: Any, text: str) -> Feil:
    loc = tuple(error["loc"])
    kode = str(error["type"]) if error["type"] in _KNOWN else "annet"
    said = {"min": "ge", "maks": "le", "mulige": "expected", "verdi": "verdi", "monster": "pattern"}
    context = error.get("ctx", {})
    args = tuple(
        (name, context[key]) for name, key in said.items() if isinstance(context.get(key), str | int)
    )
    code = "regler-feil-" + kode.replace("_", "-")
    return Feil("/" + "/".join(map(str, loc)), code, _line_of(loc, text), args)


def _line_of(loc: tuple[str | int, ...], text: str) -> int | None:
    """The line that names the innermost key of the place that stands in the file; None where none does."""
    lines = text.splitlines()
    at, found = 0, None
    previous: str | None = None
    for step in loc:
        if isinstance(step, int):
            heads = [i for i, line in enumerate(lines) if line.strip().rstrip("]").lstrip("[") == previous]
            if step < len(heads):
                at = found = heads[step]
            continue
        previous = step
        here = next((i for i in range(at, len(lines)) if _names(lines[i], step)), None)
        if here is not None:
            at = found = here
    return None if found is None else found + 1


def _names(line: str, key: str) -> bool:
    head = line.split("#")[0]
    if head.lstrip().startswith("["):
        return key in head.strip().strip("[]").split(".")
    return any(part.strip(" {,") == key for part in head.replace(",", "=").split("=")[::1])


def _line_said(message: str) -> int | None:
    _, _, rest = message.partition("(at line ")
    number = rest.partition(",")[0]
    return int(number) if number.isdigit() else None
