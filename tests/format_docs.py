"""`python -m tests.format_docs`: writes docs/formater/, a page a format, from the code and the tests' own samples.

What is read comes of the models, what it becomes of running the format on the samples, and what can be wrong of the
message catalogues. Only the introduction of each page is written by hand, in deploy/nb.ftl.
"""

import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import orjson
from fluent.syntax import FluentParser, ast
from lxml import etree
from pydantic import AwareDatetime, BaseModel

from backbone.meldinger import messages
from contracts.catalogue import PREFIX
from services.barnevern import fiks_bekymringsmelding as fiks
from services.barnevern.ssb.hendelser import TING
from services.barnevern.ssb.skjema import BARNEVERN, ROOT, Child, Element
from services.barnevern.ssb.verdier import Boolsk, Dato, Koder, Tekst, Tidspunkt
from services.dry_run import records
from services.format import AnyFormat, Companion
from services.helsestasjon import fhir
from services.nav import digisos_soker as digisos
from services.runner import generic
from services.skjema import CODES
from services.skole import fint_utdanning as fint
from tests.formats_suite import CHILD, SECRET
from tests.unit.formats import files
from tests.unit.formats import test_ssb_barnevern as ssb
from tests.unit.formats.hostile import FORMATS

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "formater"
GENERIC = "hendelser"
SSB = "ssb-barnevern"
DEPTH_MOST = 6
KODER_SHOWN = 12
SSB_CODES = frozenset(
    {
        *("mangler", "for-kort", "for-lang", "feil-monster", "ukjent-verdi", "ugyldig-dato", "ugyldig-tid"),
        "styretegn",
    }
)
ROUND = ("for-mange-verdier", "flere-feil", "styretegn")
GENERIC_SAMPLE = {
    "type": "fravaer.terskel-passert",
    "person": CHILD,
    "tid": "2026-02-20T10:00:00+01:00",
    "nokkel": "2025-2026/10-dager",
    "versjon": 1,
    "data": {"dager": 10, "timer": 0, "periode": "2025-2026", "regel": "10-dager-skolear"},
}
FHIR_EVENTS: Mapping[str, type[BaseModel]] = {
    model.__name__: model for model in (fhir.Appointment, fhir.Encounter, fhir.ServiceRequest, fhir.Procedure)
}
PROCEDURE = {
    "resourceType": "Procedure",
    "id": "k1",
    "status": "completed",
    "code": {"text": "8. trinn-samtale"},
    "subject": {"identifier": {"system": files.FNR, "value": CHILD}},
    "performedDateTime": "2026-01-08T10:00:00+01:00",
}
MODELS: Mapping[str, Mapping[str, type[BaseModel]]] = {
    GENERIC: {"Hendelse": generic.GenericEvent},
    "fiks-bekymringsmelding": {"Offentlig melding": fiks.Offentlig, "Privat melding": fiks.Privat},
    "digisos-soker": {
        "Filen": digisos.Fil,
        **{
            _name[0].lower() + _name[1:]: _model
            for _name, _model in sorted(vars(digisos).items())
            if isinstance(_model, type)
            and issubclass(_model, digisos.Hendelse)
            and _model is not digisos.Hendelse
        },
    },
    "fhir": {
        "Bundle": fhir.Bundle,
        "Patient": fhir.Patient,
        **FHIR_EVENTS,
    },
    "fint-utdanning": {
        "Person": fint.PersonRessurs,
        "Elev": fint.ElevRessurs,
        "Elevforhold": fint.ElevforholdRessurs,
        "Fravar": fint.FravarRessurs,
    },
}

READ = {SSB: "leses-ssb", GENERIC: "leses-hendelser"}
NOBODY = Companion()


@dataclass(frozen=True)
class Sample:
    """A file to try, and the name of what it shows."""

    navn: str
    body: bytes
    companion: Companion = NOBODY


def pages() -> dict[str, str]:
    """Every page by its file name."""
    found = {f"{navn}.md": _page(navn, tjeneste, fmt) for navn, (tjeneste, fmt) in FORMATS.items()}
    rows = (
        (f"[{navn}]({navn}.md)", tjeneste if navn != GENERIC else "alle")
        for navn, (tjeneste, _) in FORMATS.items()
    )
    listed = "\n".join(_table(("Format", "Tjeneste"), rows))
    return {**found, "README.md": f"# Formater\n\n{_text('formater')}\n\n{listed}\n"}


def _page(navn: str, tjeneste: str, fmt: AnyFormat) -> str:
    address = f"/{tjeneste}/hendelser" if navn == GENERIC else f"/{tjeneste}/formater/{navn}"
    first = _samples(navn)[0]
    parts = [
        f"# {navn}",
        _text("laget"),
        _text(navn),
        f"`POST {address}` · {', '.join(f'`{m}`' for m in fmt.media_types)}",
        f"```sh\nsamspor send {tjeneste} FIL --format {navn} --dry-run --json\n```",
        "## Det som leses",
        _text(READ.get(navn, "leses")),
        *(_ssb_read() if navn == SSB else _read(MODELS[navn])),
        "## Det som blir hendelser",
        "\n".join(_table(("Fra", "Hendelse", "`nokkel`"), _becomes(navn, fmt))),
        "## Eksempel",
        _fenced(first.body),
        "## Feil og merknader",
        _text("feil"),
        "\n".join(_table(("Kode", "Hva som er galt", "Hva du gjør"), _codes(navn, fmt))),
    ]
    return "\n\n".join(parts) + "\n"


def _samples(navn: str) -> list[Sample]:
    if navn == SSB:
        ting = (
            ssb.KONKLUDERT,
            ssb.UNDERSOKELSE,
            ssb.PLAN,
            ssb.TILTAK,
            ssb.VEDTAK,
            ssb.ETTERVERN,
            ssb.FLYTTING,
        )
        body = ssb.fil(ssb.personalia(ssb.BARN), *ting)
        root = etree.fromstring(body, etree.XMLParser(remove_blank_text=True))
        return [Sample("", etree.tostring(root, pretty_print=True, encoding="unicode").encode())]
    documents: dict[str, list[Sample]] = {
        GENERIC: [_json("", GENERIC_SAMPLE)],
        "fiks-bekymringsmelding": [_json("offentlig", files.OFFENTLIG), _json("privat", files.PRIVAT)],
        "digisos-soker": [_json("", files.DIGISOS, Companion(CHILD))],
        "fint-utdanning": [_json("", files.FINT)],
        "fhir": [_json("", files.BUNDLE), *_fhir_statuses()],
    }
    return documents[navn]


def _json(navn: str, document: Any, companion: Companion = NOBODY) -> Sample:
    return Sample(navn, orjson.dumps(document, option=orjson.OPT_INDENT_2), companion)


def _fhir_statuses() -> Iterator[Sample]:
    """Each resource with each status there is."""
    for resource in (*(entry["resource"] for entry in files.BUNDLE["entry"]), PROCEDURE):
        model = FHIR_EVENTS.get(resource["resourceType"])
        for status in get_args(model.model_fields["status"].annotation) if model else ():
            named = f"{resource['resourceType']} `{status}`"
            yield _json(named, {**resource, "status": status}, Companion(CHILD))


def _becomes(navn: str, fmt: AnyFormat) -> Iterator[tuple[str, str, str]]:
    tjeneste = FORMATS[navn][0]
    seen = set()
    for sample in _samples(navn):
        for record in records(fmt, sample.body, sample.companion):
            drafts = {
                f"`{PREFIX}{tjeneste}.{d.type}`{' (trekkes tilbake)' if d.tilbaketrukket else ''}": d.nokkel
                for d in record.drafts
            }
            place = sample.navn or _place(record.pointer, sample.body)
            for event, nokkel in (drafts or {"–": ""}).items():
                if sample.navn == "" and event == "–" and navn == SSB:
                    continue
                if (place, event) not in seen:
                    seen.add((place, event))
                    yield place, event, f"`{nokkel}`" if nokkel else ""


def _place(pointer: str, body: bytes) -> str:
    """The pointer, with the kind of line where the place has one."""
    if body.startswith(b"<"):
        return f"`{pointer.rpartition('/')[2].partition('[')[0]}`"
    here: Any = orjson.loads(body)
    for part in pointer.split("/")[1:]:
        here = here[int(part)] if isinstance(here, list) else here[part]
    kind = next((here[key] for key in ("resourceType", "type") if isinstance(here, dict) and key in here), "")
    return f"`{pointer or '/'}`{f' ({kind})' if kind else ''}"


def _read(models: Mapping[str, type[BaseModel]]) -> Iterator[str]:
    for title, model in models.items():
        yield f"### {title}"
        yield "\n".join(_table(("Felt", "Verdi", "Må være der"), _fields(model)))


def _fields(model: type[BaseModel], under: str = "", depth: int = 0) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        if field.exclude:
            continue  # looked for, not read
        path = f"{under}/{field.alias or name}"
        value, inner, many = _value(field.annotation)
        must = "ja" if field.is_required() else ""
        yield f"`{path}{'[]' if many else ''}`", value, must
        if inner and depth < DEPTH_MOST:
            yield from _fields(inner, f"{path}{'[]' if many else ''}", depth + 1)


def _value(annotation: Any) -> tuple[str, type[BaseModel] | None, bool]:
    """(what it is in words, the model inside, whether it is a list)"""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        kept = [a for a in arguments if a is not type(None)]
        return _value(kept[0]) if len(kept) == 1 else ("en av flere former", None, False)
    if origin is tuple:
        value, inner, _ = _value(arguments[0])
        return f"liste av {value}", inner, True
    if origin is Literal:
        return " ".join(f"`{a}`" for a in arguments), None, False
    if origin is dict:
        return "objekt", None, False
    if origin is not None and hasattr(annotation, "__metadata__"):
        return _value(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "objekt", annotation, False
    return WORDS.get(annotation, "objekt"), None, False


WORDS: Mapping[Any, str] = {
    str: "tekst",
    bool: "ja/nei",
    int: "heltall",
    float: "tall",
    datetime: "tidspunkt",
    AwareDatetime: "tidspunkt med tidssone",
    date: "dato",
}


def _ssb_read() -> Iterator[str]:
    sak = next(child.element for child in _children(BARNEVERN) if child.name == "Sak")
    for child in _children(sak):
        yield f"### {child.name}"
        told = "gir hendelser" if child.name in TING else _text("ssb-uten-hendelser")
        yield f"`/{ROOT}/Sak/{child.name}`: {told}."
        yield "\n".join(_table(("Felt", "Verdi", "Må være der"), _elements(child.element, "")))


def _children(element: Element) -> tuple[Child, ...]:
    return element.content if isinstance(element.content, tuple) else ()


def _elements(element: Element, under: str) -> Iterator[tuple[str, str, str]]:
    for name, (value, must) in element.attributes.items():
        yield f"`{under}@{name}`", _ssb_value(value), "ja" if must else ""
    for child in _children(element):
        path = f"{under}{child.name}"
        simple = "" if isinstance(child.element.content, tuple) else _ssb_value(child.element.content)
        yield f"`{path}{'[]' if child.most > 1 else ''}`", simple or "element", "ja" if child.least else ""
        yield from _elements(child.element, f"{path}/")


def _ssb_value(value: Any) -> str:
    match value:
        case Koder(koder=koder):
            rest = " …" if len(koder) > KODER_SHOWN else ""
            return "kode: " + " ".join(f"`{kode}`" for kode in koder[:KODER_SHOWN]) + rest
        case Dato():
            return "dato"
        case Tidspunkt():
            return "tidspunkt med sone"
        case Boolsk():
            return "ja/nei"
        case Tekst(least=least, most=most):
            limits = f" {least}–{most} tegn" if most and least != most else f" {most} tegn" if most else ""
            return f"tekst{limits}"
        case _:
            return "tekst"


def _codes(navn: str, fmt: AnyFormat) -> Iterator[tuple[str, str, str]]:
    own = _catalogue(fmt.messages)
    if fmt.messages == "services.barnevern":
        own = {code: said for code, said in own.items() if code.startswith("ssb-") == (navn == SSB)}
    shared = _catalogue("services")
    wanted = SSB_CODES if navn == SSB else {*CODES, *ROUND}
    checked = _catalogue("services.runner")
    runner = (c for c in checked if c in RUNNER_CODES)
    found = {c: checked[c] for c in runner} | {c: shared[c] for c in sorted(wanted)} | own
    if fmt.messages == "services":
        found = {c: said for c, said in found.items() if c in {*RUNNER_CODES, *wanted}}
    for code, (text, action) in sorted(found.items()):
        yield f"`{code}`", text, action


RUNNER_CODES = frozenset(
    {
        *("annet-innhold", "ukjent-type", "person-mangler", "plassholder", "ekte-nummer", "for-gammel"),
        *("i-fremtiden", "nummer-i-nokkel", "nummer-form", "nummer-kontroll", "nummer-dato"),
        *("hendelse-for-stor", "melding-for-stor"),
    }
)


def _catalogue(package: str) -> dict[str, tuple[str, str]]:
    """(text, what to do) of each message, its arguments as {name}."""
    source = resources.files(package).joinpath("nb.ftl").read_text("utf-8")
    found = {}
    for message in FluentParser(with_spans=False).parse(source).body:
        if isinstance(message, ast.Message) and message.value:
            action = next((a.value for a in message.attributes if a.id.name == "gjor"), None)
            found[message.id.name] = (_plain(message.value), _plain(action) if action else "")
    return found


def _plain(pattern: ast.Pattern) -> str:
    return "".join(
        element.value if isinstance(element, ast.TextElement) else _argument(element.expression)
        for element in pattern.elements
    )


def _argument(expression: Any) -> str:
    match expression:
        case ast.VariableReference(id=name):
            return f"{{{name.name}}}"
        case ast.FunctionReference(arguments=arguments):
            return _argument(arguments.positional[0])
        case ast.SelectExpression(variants=variants):
            return _plain(next(v.value for v in variants if v.default))
        case ast.StringLiteral(value=value):
            return str(value)
        case _:
            return ""


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = tuple(head)
    for row in (head, ("---",) * len(head), *rows):
        cells = (cell.replace("|", "\\|").replace("\n", " ") for cell in row)
        yield f"| {' | '.join(cells)} |"


def _fenced(body: bytes) -> str:
    kind = "xml" if body.startswith(b"<") else "json"
    return f"```{kind}\n{body.decode().replace(SECRET, '…').strip()}\n```"


def _text(code: str) -> str:
    return messages("deploy").text(f"format-{code}")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, page in pages().items():
        (FOLDER / name).write_text(page, "utf-8")


if __name__ == "__main__":
    main()
