"""NAV digisos-soker: given a file and whom it is about, then these events."""

from typing import Any

import orjson
import pytest

from services.dry_run import records
from services.format import Companion, EventDraft
from services.nav.digisos_soker import FIL as FIL_ADAPTER
from services.nav.digisos_soker import DigisosSoker
from tests.formats_suite import CHILD, OTHER, PARENT, places
from tests.unit.formats.files import DIGISOS, FIL, nav

NAV = DigisosSoker()
OWN = Companion(person=CHILD)


def drafts(*hendelser: dict[str, Any], companion: Companion = OWN) -> list[EventDraft]:
    body = orjson.dumps({**DIGISOS, "hendelser": list(hendelser)})
    return [draft for record in records(NAV, body, companion) for draft in record.drafts]


def test_each_line_is_told_under_a_key_made_of_its_reference() -> None:
    told = drafts(*DIGISOS["hendelser"])
    assert [(d.type, d.nokkel, dict(d.data)) for d in told] == [
        ("soknad.status-endret", "soknad", {"status": "MOTTATT", "gjelder": "egen"}),
        ("nav-kontor.tildelt", "nav-kontor", {"nav_kontor": "1208", "gjelder": "egen"}),
        ("sak.status-endret", "sak:S1", {"status": "UNDER_BEHANDLING", "gjelder": "egen"}),
        ("dokumentasjon.etterspurt", "dokumentasjon", {"frist": "2026-02-11", "gjelder": "egen"}),
        ("forelopig-svar.gitt", "forelopig-svar", {"gjelder": "egen"}),
        ("vedtak.fattet", "vedtak:S1", {"status": "DELVIS_INNVILGET", "gjelder": "egen"}),
        ("vilkar.satt", "vilkar:V1", {"status": "RELEVANT", "gjelder": "egen"}),
        (
            "dokumentasjon.etterspurt",
            "dokumentasjonkrav:K1",
            {"frist": "2026-02-01", "status": "RELEVANT", "gjelder": "egen"},
        ),
        ("soknad.status-endret", "soknad", {"status": "FERDIGBEHANDLET", "gjelder": "egen"}),
        ("sak.avsluttet", "soknad", {"status": "FERDIGBEHANDLET", "gjelder": "egen"}),
    ]


def test_no_amount_payee_or_free_text_leaves_the_parser() -> None:
    told = repr(drafts(*DIGISOS["hendelser"]))
    for secret in ("31337", "12345678901", "Hemmelig"):
        assert secret not in told


def test_an_amount_is_forgotten_as_soon_as_it_is_checked() -> None:
    assert "31337" not in str(FIL_ADAPTER.validate_json(orjson.dumps(DIGISOS)).model_dump())


def test_a_later_file_repeats_the_history_under_the_same_ids() -> None:
    history = DIGISOS["hendelser"]
    earlier, later = drafts(*history[:4]), drafts(*history)
    assert later[: len(earlier)] == earlier


def test_a_parents_case_is_told_on_each_child_that_the_sender_names_and_on_no_one_else() -> None:
    companion = Companion(person=PARENT, barn=(CHILD, OTHER, CHILD))
    told = drafts(nav("soknadsStatus", 1, status="MOTTATT"), companion=companion)
    assert [(d.person, d.data["gjelder"]) for d in told] == [(CHILD, "foresatt"), (OTHER, "foresatt")]


def test_a_file_about_nobody_says_so_once() -> None:
    body = orjson.dumps(DIGISOS)
    warned = [w.code for r in records(NAV, body, Companion()) for w in r.warnings]
    assert warned.count("person-mangler") == 1
    assert {d.person for r in records(NAV, body, Companion()) for d in r.drafts} == {None}


def test_the_version_is_the_lines_own_time_in_milliseconds() -> None:
    (told,) = drafts(nav("soknadsStatus", 1, status="MOTTATT"))
    assert told.versjon == int(told.time.timestamp() * 1000) == 1767533821134


@pytest.mark.parametrize(
    "void",
    [
        nav("vilkar", 1, vilkarreferanse="V1", status="ANNULLERT"),
        nav("dokumentasjonkrav", 1, dokumentasjonkravreferanse="K1", status="ANNULLERT"),
        nav("saksStatus", 1, referanse="S1", status="FEILREGISTRERT"),
        nav("dokumentasjonEtterspurt", 1, dokumenter=[]),
    ],
)
def test_what_nav_takes_back_is_retracted(void: dict[str, Any]) -> None:
    assert [d.tilbaketrukket for d in drafts(void)] == [True]


def test_the_earliest_of_several_deadlines_counts_as_a_norwegian_date() -> None:
    papers = [
        {"dokumenttype": "a", "innsendelsesfrist": at}
        for at in ("2026-03-10T10:00:00.0Z", "2026-03-04T23:30:00.0Z")
    ]
    assert drafts(nav("dokumentasjonEtterspurt", 1, dokumenter=papers))[0].data["frist"] == "2026-03-05"


def test_money_and_kinds_of_line_newer_than_we_know_are_taken_and_not_told() -> None:
    body = orjson.dumps(
        {**DIGISOS, "hendelser": [nav("rammevedtak", 1, rammevedtaksreferanse="R"), nav("nytt", 2)]}
    )
    read = list(records(NAV, body, OWN))
    assert [(r.problems, r.drafts) for r in read] == [((), ()), ((), ())]
    assert [w.code for r in read for w in r.warnings] == ["gir-ingen-hendelse"] * 2


def test_a_new_status_is_taken_but_free_text_in_its_place_goes_no_further() -> None:
    told = drafts(
        nav("soknadsStatus", 1, status="TIL_VURDERING"), nav("soknadsStatus", 2, status="Ring Ola!")
    )
    assert [d.data["status"] for d in told] == ["TIL_VURDERING", None]


def test_a_reference_that_holds_a_national_id_loses_it() -> None:
    assert drafts(nav("saksStatus", 1, referanse=f"{CHILD}-1"))[0].nokkel == "sak:#-1"


def test_of_two_lines_on_one_matter_at_one_time_the_last_counts() -> None:
    told = drafts(
        nav("soknadsStatus", 1, status="MOTTATT"), nav("soknadsStatus", 1, status="UNDER_BEHANDLING")
    )
    assert [d.data["status"] for d in told] == ["UNDER_BEHANDLING"]


def test_all_that_is_wrong_is_told_at_its_place() -> None:
    broken = {
        "version": "1",
        "hendelser": [
            nav("vedtakFattet", 1, vedtaksfil={"referanse": {"type": "svarut", "id": "X"}}),
            {"type": "soknadsStatus", "hendelsestidspunkt": "2026-01-04T13:37:00Z"},
            nav("utbetaling", 3, belop="1"),
            nav("vilkar", 4, vilkarreferanse="V", utbetalingsreferanse=[1]),
            7,
        ],
    }
    assert places(NAV, orjson.dumps(broken)) == {
        ("/version", "feil-monster"),
        ("/avsender", "mangler"),
        ("/hendelser/0/saksreferanse", "mangler"),
        ("/hendelser/0/vedtaksfil/referanse/id", "feil-monster"),
        ("/hendelser/0/vedtaksfil/referanse/nr", "mangler"),
        ("/hendelser/1/status", "mangler"),
        ("/hendelser/1/hendelsestidspunkt", "feil-monster"),
        ("/hendelser/2/utbetalingsreferanse", "mangler"),
        ("/hendelser/2/belop", "ikke-tall"),
        ("/hendelser/3/utbetalingsreferanse/0", "ikke-tekst"),
        ("/hendelser/4", "ikke-objekt"),
    }


@pytest.mark.parametrize(
    "text", ["2026-01-04T13:37:00,5Z", "2026-01-04T13:37:00.1234567890Z", "2026-01-04T13:37:60.0Z"]
)
def test_every_time_the_schema_allows_is_read(text: str) -> None:
    line = {"type": "soknadsStatus", "hendelsestidspunkt": text, "status": "MOTTATT"}
    assert drafts(line)[0].time.year == 2026


def test_a_file_reference_of_a_kind_newer_than_we_know_is_taken() -> None:
    line = nav("forelopigSvar", 1, forvaltningsbrev={"referanse": {"type": "nytt-lager"}})
    assert len(drafts(line)) == 1
    assert len(drafts(nav("forelopigSvar", 1, forvaltningsbrev={"referanse": FIL}))) == 1


@pytest.mark.parametrize("empty", ["", " "])
def test_an_enum_value_may_be_new_but_not_empty(empty: str) -> None:
    lines = [
        nav("soknadsStatus", 1, status=empty),
        nav(empty, 2),
        nav("saksStatus", 3, referanse="S", status=empty),
        nav("forelopigSvar", 4, forvaltningsbrev={"referanse": {"type": empty}}),
    ]
    assert places(NAV, orjson.dumps({**DIGISOS, "hendelser": lines})) == {
        ("/hendelser/0/status", "feil-monster"),
        ("/hendelser/1/type", "feil-monster"),
        ("/hendelser/2/status", "feil-monster"),
        ("/hendelser/3/forvaltningsbrev/referanse/type", "feil-monster"),
    }
