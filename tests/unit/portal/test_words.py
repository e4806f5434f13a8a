"""Every word the portal needs is in its catalogue, and dates read as Norwegians write them."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import get_args

import pytest

from backbone.meldinger import messages
from consumers.coordination.oppgaveflyt import (
    AVSLATT,
    FRIST_PASSERT,
    GRUNNER,
    IKKE_SVART,
    TIDENS,
    Kommando,
    Slag,
    Tilstand,
)
from consumers.coordination.stafett import Slag as Pinneslag
from consumers.portal import oppgaveside, personas
from consumers.portal.lesing import Sett
from consumers.portal.sider import Portal
from consumers.portal.texts import Texts, dato, klokke, tidspunkt, ukedag_og_dato
from consumers.portal.visning import Visning
from contracts.catalogue import Catalogue
from contracts.hendelser import Involvering
from contracts.lov import Lov
from contracts.roller import ROLLER
from contracts.samtykke_api import Samtykkegiver, Samtykkestatus
from contracts.tjenester import Tjeneste
from tests.unit.portal.verden import CATALOGUE

PORTAL = Path(__file__).parents[3] / "consumers" / "portal"
TEXTS = messages("consumers.portal")


def code(kind: str, word: str) -> str:
    return f"{kind}-{word.replace('.', '-').replace('_', '-')}"


def needed() -> set[str]:
    fields = {name for t in CATALOGUE.typer for name in t.data.model_fields}
    return {
        *(code("type", t.navn) for t in CATALOGUE.typer),
        *(code("kategori", t.kategori) for t in CATALOGUE.typer),
        *(code("felt", name) for name in fields),
        *(code("tjeneste", t) for t in (*CATALOGUE.tjenester, "samtykke", "samordning", "koordinator")),
        *(code("rolle", r) for r in ROLLER),
        *(code("status", i) for i in Involvering),
        *(code("samtykke-status", s) for s in (*get_args(Samtykkestatus), "kommende")),
        *(code("samtykke-hvem", h) for h in get_args(Samtykkegiver)),
        *(code("oppgave-status", s) for s in ("aapen", "oppfylt", "bortfalt")),
        *(code("oppgave-fristslag", s) for s in ("lovfrist", "lokal_frist")),
        *(code("kvittering", s) for s in ("mottatt", "frigitt", "skjermet", "venter", "avvist")),
        *(
            code("varsel", s)
            for s in ("opprettet", "utfort", "bortfalt", "tilbudt", "overtatt", "avvist", "eskalert")
        ),
        *(code("handling", k) for k in (*get_args(Kommando), "kommenter") if k not in TIDENS),
        *(code("handling", f"{k}-stafett") for k in ("ta", "tilby", "avvis")),
        *(code("avslag", g) for g in (*GRUNNER, AVSLATT, IKKE_SVART, FRIST_PASSERT)),
        *(code("persona", p.id) for p in personas.STANDARD),
        *(code("persona", f"{p.id}-forklaring") for p in personas.STANDARD),
    }


@pytest.mark.parametrize("id_", sorted(needed()))
def test_the_contracts_words_have_bokmal_names(id_: str) -> None:
    assert TEXTS.text(id_)


def test_every_word_the_templates_ask_for_is_there() -> None:
    asked = {
        found
        for template in (PORTAL / "templates").glob("*.html")
        for found in re.findall(r"""\bt\(["']([a-z-]+[a-z])["']""", template.read_text("utf-8"))
    }
    assert len(asked) > 50
    assert {id_ for id_ in asked if id_ not in TEXTS} == set()


def test_no_text_a_reader_sees_is_written_in_a_template() -> None:
    for template in (PORTAL / "templates").glob("*.html"):
        bare = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", " ", template.read_text("utf-8"), flags=re.S
        )
        words = re.findall(r"[A-Za-zÆØÅæøå]{2,}", bare)
        assert words == [], template.name


def test_a_service_added_by_an_installation_is_called_what_its_registry_line_says(portal: Portal) -> None:
    bup = Tjeneste(
        "bup", "Barne- og ungdomspsykiatrien", "spesialisthelsetjenesteloven-2-1-e", "helsepersonelloven-21"
    )
    texts = Texts(TEXTS, Catalogue.standard().extended(tjenester=[bup]), Lov())
    assert texts.tjeneste("bup") == "Barne- og ungdomspsykiatrien"
    assert texts.event("no.samspor.bup.noe.helt-nytt") == "Noe.helt-nytt"


def test_dates_are_norwegian_and_in_norwegian_time() -> None:
    late = datetime(2026, 6, 30, 22, 14, tzinfo=UTC)
    assert dato(late) == "1.\u00a0juli\u00a02026"
    assert ukedag_og_dato(date(2026, 11, 23)) == "Mandag 23. november 2026"
    assert klokke(late) == "kl.\u00a000.14"
    assert klokke(datetime(2026, 12, 1, 8, 5, tzinfo=UTC)) == "kl.\u00a009.05"
    assert klokke(datetime(2026, 6, 30, 22, 0, tzinfo=UTC)) == ""
    assert tidspunkt(late) == "1.\u00a0juli\u00a02026 kl.\u00a000.14"


def test_the_reasons_on_the_form_are_those_coordination_takes() -> None:
    assert oppgaveside.GRUNNER == GRUNNER


@pytest.mark.parametrize("slag", [*get_args(Slag), *get_args(Pinneslag), "kommentar", "begynte"])
def test_every_step_of_a_task_or_baton_reads_as_a_sentence(slag: str) -> None:
    assert TEXTS.text(f"steg-{slag}", av="Skole", fra="Skole", til="NAV")


@pytest.mark.parametrize("state", [s for s in get_args(Tilstand) if s not in ("aapen", "utfort")])
def test_every_state_of_an_open_task_has_its_mark(state: str) -> None:
    assert TEXTS.text(f"flyt-{state}", til="NAV")


@pytest.mark.parametrize(("placeless", "links"), [(False, True), (True, False)])
def test_of_a_child_with_a_protected_address_no_link_names_the_municipality(
    placeless: bool, links: bool
) -> None:
    row = {
        "time": "2026-06-30T08:00:00Z",
        "tjeneste": "skole",
        "type": "no.samspor.skole.elevforhold.startet",
        "source": "/4601/skole/974767880",
        "id": "1",
    }
    shown = Visning(Texts(TEXTS, CATALOGUE, Lov()), CATALOGUE).event(
        Sett(row, "full", (), uten_sted=placeless)
    )
    assert bool(shown.vei) == links
