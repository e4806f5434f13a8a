"""`python -m tests.rule_docs`: writes docs/regler/, a page a rule, from the rules themselves and the tests' own table.

A test holds the pages to the code (tests/unit/coordination/test_rule_docs.py).
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from backbone.frister import midnight
from backbone.meldinger import messages
from consumers.coordination.duties import duties
from consumers.coordination.handler import _arguments
from consumers.coordination.regler.lokale import DAYS_MOST
from consumers.coordination.regler.oppsett import Frist
from consumers.coordination.regler.regel import AVSENDER, EIERS_PLIKT, MOTTAKER, Duty, Regel
from consumers.coordination.regler.standard import STANDARD
from consumers.portal.texts import Texts
from contracts.catalogue import Catalogue
from contracts.lov import Lov
from tests.unit.coordination.given import at, facts, rules_of
from tests.unit.coordination.regler_tabell import STARTS, TABELL, Tid

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "regler"
INDEX = "README.md"
TEXTS = Texts(messages("consumers.portal"), Catalogue.standard(), Lov())
ENHETER = {"dager": "kalenderdager", "arbeidsdager": "arbeidsdager", "maneder": "kalendermåneder"}
EIERE = {AVSENDER: "den som sendte hendelsen", MOTTAKER: "den hendelsen er rettet til"}


def pages() -> dict[str, str]:
    """Every page, by its file's name."""
    return {INDEX: _index(), **{f"{rule.navn}.md": "\n".join(_page(rule)) + "\n" for rule in STANDARD}}


def sample(rule: Regel) -> Duty:
    """A duty of the rule, as the tests' table sets it off."""
    case, t = TABELL[rule.navn], Tid(STARTS[0])
    when = max(at(t(case.begynner)), midnight(t.dag(case.begynner)) + timedelta(hours=1))
    found = duties(facts(*case.gitt(t)), rules_of(rule.navn), when)
    return next(duty for duty in found if duty.regel == rule.navn)


def _title(rule: Regel) -> str:
    return TEXTS.name("regel", rule.navn)


def _page(rule: Regel) -> Iterator[str]:
    duty = sample(rule)
    yield f"# {_title(rule)}"
    yield ""
    yield f"Laget av koden med `python -m tests.rule_docs`. Regelen heter `{rule.navn}`, versjon {rule.versjon}, og"
    yield f"gjelder fra {rule.gyldig_fra:%d.%m.%Y}. [Alle reglene]({INDEX})"
    yield ""
    yield f"> {messages('consumers.coordination').text(duty.forklaring, **_arguments(duty))}"
    yield ""
    yield "| | |"
    yield "| --- | --- |"
    yield f"| Bestemmelser | {'; '.join(_provisions(rule))} |"
    yield f"| Frist | {_date(rule)} |"
    yield f"| Ansvarlig | {', ellers '.join(_owner(e) for e in rule.eiere)} |"
    yield f"| Utløses av | {_types(tuple(sorted(rule.utloses_av))) or _involved(rule)} |"
    yield f"| Lukkes av | {_types(rule.lukkes_av)} |"
    yield f"| Kan settes lokalt | {'; '.join(_settable(rule))} |"
    yield ""
    yield "Ansvarlig er den første som har lov til å vite om alt plikten hviler på. Ellers får ingen vite om den."


def _index() -> str:
    lines = [
        "# Pliktene",
        "",
        "Laget av koden med `python -m tests.rule_docs`: hver regel, hva den bygger på, og hvem plikten er. Det en",
        "kommune kan sette selv, står i [lokale regler](../lokale-regler/4601.eksempel.toml).",
        "",
        "To plikter står utenfor: at **samtykke mangler** der et behov venter, kan bare avsenderen vite, og står i",
        "dens egen `GET /{tjeneste}/venter` (`plikt`; forvaltningsloven § 13 a nr. 1, lokal frist",
        "`SAMSPOR_SAMTYKKE_FRIST_ARBEIDSDAGER`). At en **samarbeidsavtale** går ut, gjelder ikke et barn: avtalene",
        "står i de lokale reglene, og `samspor rules check` sier fra.",
        "",
        "| Plikt | Bestemmelser | Frist | Ansvarlig |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| [{_title(rule)}]({rule.navn}.md) | {'; '.join(_provisions(rule))} | {_date(rule)} |"
        f" {_owner(rule.eiere[0])} |"
        for rule in sorted(STANDARD, key=_title)
    ]
    return "\n".join(lines) + "\n"


def _provisions(rule: Regel) -> Iterator[str]:
    law = Lov()
    for id_ in rule.bestemmelser:
        if id_ == EIERS_PLIKT:
            yield "samarbeidsplikten til den ansvarlige"
            continue
        row = law[id_]
        mark = f" ({row.status})" if row.status == "ikke kvalitetssikret" else ""
        yield f"{row.henvisning}{mark}"


def _date(rule: Regel) -> str:
    kind = "lovfrist" if rule.fristslag == "lovfrist" else "lokal frist"
    return f"{_length(rule.frist)}, {kind}" if rule.frist.antall else f"etter fødselsdagen, {kind}"


def _length(frist: Frist) -> str:
    return f"{frist.antall} {ENHETER[frist.enhet]}"


def _owner(eier: str) -> str:
    return EIERE.get(eier) or TEXTS.tjeneste(eier).lower()


def _types(types: tuple[str, ...]) -> str:
    return ", ".join(f"{TEXTS.short_event(navn.rpartition(':')[2])} (`{navn}`)" for navn in types)


def _involved(rule: Regel) -> str:
    return f"at minst {rule.involverte_minst} tjenester følger opp barnet"


def _settable(rule: Regel) -> Iterator[str]:
    yield "om regelen er på"
    if rule.fristslag == "lokal_frist" and rule.frist.antall:
        yield "fristen"
    if rule.eiere_lokalt:
        yield "hvem som er ansvarlig"
    for navn, standard in rule.terskler.items():
        yield f"`{navn}` (1–{DAYS_MOST}, standard {standard})"


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, content in wanted.items():
        (FOLDER / name).write_text(content, "utf-8")


if __name__ == "__main__":
    write()
