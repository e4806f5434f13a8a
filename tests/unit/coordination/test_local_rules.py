"""The local rules: what a municipality may set, what it may not, and from when it holds."""

import json
from datetime import date
from pathlib import Path

import pytest

from backbone.meldinger import messages
from consumers.coordination.duties import duties, evaluate
from consumers.coordination.regler import lokale
from consumers.coordination.regler.eskalering import LEDER, Eskalering, Trinn, eskalering
from consumers.coordination.regler.lokale import InvalidLocalRules, Lokal
from consumers.coordination.regler.regelverk import Regelverk
from consumers.coordination.regler.standard import STANDARD, regelverk, with_local
from deploy.commands.rules import document, said
from tests.unit.coordination.given import RULES, at, event, facts

FOLDER = Path(__file__).parents[3] / "docs" / "lokale-regler"
HEAD = 'kommune = "4601"\n[[versjoner]]\nnavn = "a"\ngyldig_fra = 2026-01-01\n'
CONCERN = event("skole", "undring.registrert", "2026-03-02T10:00", bti_niva=1)
MELDING = event("barnevern", "henvendelse.mottatt", "2026-03-02T10:00", "M", slag=2)


def read(text: str) -> Lokal:
    return lokale.read(text, STANDARD, RULES.catalogue)


def rules(text: str) -> Regelverk:
    return regelverk(RULES.catalogue, {"4601": read(text)}).for_kommune("4601")


def wrong(text: str) -> list[tuple[str, str, int | None]]:
    with pytest.raises(InvalidLocalRules) as invalid:
        read(text)
    for feil in invalid.value.feil:
        told = said(feil)
        assert told["feil"] and told["gjor"]
    return [(f.peker, f.kode.removeprefix("regler-feil-"), f.linje) for f in invalid.value.feil]


def test_the_example_is_valid_and_the_schema_is_the_codes_own() -> None:
    example = read((FOLDER / "4601.eksempel.toml").read_text("utf-8"))
    assert example.kommune == "4601"
    written = json.loads((FOLDER / "lokale-regler.schema.json").read_text("utf-8"))
    assert written == document(), "samspor rules schema > docs/lokale-regler/lokale-regler.schema.json"


def test_a_municipality_that_says_nothing_has_the_standard_and_so_has_every_other() -> None:
    ours = rules(HEAD)
    assert regelverk(RULES.catalogue, {"4601": read(HEAD)}).for_kommune("0301").versjoner == RULES.versjoner
    (duty,) = duties(facts(CONCERN), ours, at("2026-03-03"))
    (standard,) = duties(facts(CONCERN), RULES, at("2026-03-03"))
    assert (duty.frist, duty.eier) == (standard.frist, standard.eier)
    assert (duty.regelsett, standard.regelsett) == ("a", "standard")


def test_a_date_a_threshold_and_a_switch_hold_from_the_versions_first_day() -> None:
    text = HEAD + (
        "[versjoner.regler.undring]\nfrist = { antall = 3 }\n"
        '[[versjoner]]\nnavn = "b"\ngyldig_fra = 2026-04-01\n[versjoner.regler.undring]\npaa = false\n'
    )
    ours, known = rules(text), facts(CONCERN)
    (before,) = duties(known, ours, at("2026-03-31T23:59:59"))
    assert (before.frist, before.regelsett) == (date(2026, 3, 5), "a")
    assert duties(known, ours, at("2026-04-01T00:00:00")) == ()
    assert evaluate(known, ours, at("2026-03-20"))[1] == at("2026-04-01T00:00:00"), "the timer is set to it"
    assert duties(known, ours, at("2025-12-31")) == ()


def test_owners_are_tried_in_the_municipalitys_order_and_still_have_to_be_allowed_to_know() -> None:
    text = HEAD + '[versjoner.regler.undring]\neiere = ["koordinerende-enhet", "avsender"]\n'
    (duty,) = duties(facts(CONCERN), rules(text), at("2026-03-03"))
    assert duty.eier == "skole", "the unit may not know of it"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('kommune = "4601\n', ("/", "toml", 1)),
        (HEAD + "[versjoner.regler.bekymringsmelding]\nfrist = { antall = 9 }\n",
         ("/versjoner/0/regler/bekymringsmelding/frist", "extra-forbidden", 6)),
        (HEAD + '[versjoner.regler.bekymringsmelding]\neiere = ["skole"]\n',
         ("/versjoner/0/regler/bekymringsmelding/eiere", "extra-forbidden", 6)),
        (HEAD + "[versjoner.regler.kasteball]\nantall = 0\n",
         ("/versjoner/0/regler/kasteball/antall", "greater-than-equal", 6)),
        (HEAD + '[versjoner.regler.undring]\neiere = ["rektor"]\n',
         ("/versjoner/0/regler/undring/eiere/0", "literal-error", 6)),
        (HEAD + "[versjoner.regler.finnes-ikke]\npaa = true\n",
         ("/versjoner/0/regler/finnes-ikke", "extra-forbidden", 5)),
        (HEAD + 'inaktiv_etter_dager = "180"\n', ("/versjoner/0/inaktiv_etter_dager", "int-type", 5)),
        ('kommune = "460"\nversjoner = []\n', ("/kommune", "string-pattern-mismatch", 1)),
        (HEAD + '[[versjoner]]\nnavn = "b"\n', ("/versjoner/1/gyldig_fra", "missing", 5)),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place_and_line(text: str, where: tuple[str, str, int | None]) -> None:
    assert where in wrong(text)


@pytest.mark.parametrize(
    ("text", "kode"),
    [
        ('[[versjoner]]\nnavn = "b"\ngyldig_fra = 2026-01-01\n', "samme-dag"),
        ('[[enheter]]\nid = "a"\nnavn = "A"\n[[enheter]]\nid = "a"\nnavn = "B"\n', "samme-enhet"),
        ('[[enheter]]\nid = "a"\nnavn = "A"\nover = "b"\n', "ukjent-enhet"),
        ('[[enheter]]\nid = "a"\nnavn = "A"\nover = "a"\n', "enhet-i-ring"),
        ('[[enheter]]\nid = "a"\nnavn = "A"\ntjeneste = "sirkus"\n', "ukjent-tjeneste"),
        ('[versjoner.oppgaver]\navgjorer = "rektor"\n', "ukjent-tjeneste"),
        ('[[versjoner.eskalering]]\netter_arbeidsdager = 1\ntil = "sirkus"\n', "ukjent-tjeneste"),
        ('[[samarbeidsavtaler]]\nid = "x"\nnavn = "X"\nparter = ["skole", "nav"]\n'
         "gyldig_fra = 2026-01-01\ngyldig_til = 2025-01-01\n", "slutt-for-start"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(text: str, kode: str) -> None:
    assert [k for _, k, _ in wrong(HEAD + text)] == [kode]


def test_every_code_has_its_words_in_bokmal() -> None:
    for kode in lokale._KNOWN | {"annet", "toml"}:
        assert f"regler-feil-{kode.replace('_', '-')}" in messages("deploy")


def test_a_unit_is_found_by_its_senders_and_leads_to_those_above() -> None:
    example = read((FOLDER / "4601.eksempel.toml").read_text("utf-8"))
    assert [e.id for e in example.ansvarlig("skole", "910000001")] == ["skole-nord", "bbsi"]
    assert [e.id for e in example.ansvarlig("skole", "999999999")] == ["bbsi"]
    assert example.ansvarlig("nav") == ()


@pytest.mark.parametrize(
    ("day", "told"),
    [(date(2026, 10, 1), []), (date(2026, 10, 2), ["skole-nav"]), (date(2027, 3, 1), ["skole-nav"])],
)
def test_an_agreement_about_to_lapse_is_told_in_time(day: date, told: list[str]) -> None:
    example = read((FOLDER / "4601.eksempel.toml").read_text("utf-8"))
    assert [a.id for a in example.avtaler_som_utloper(day)] == told


STEPS = (Trinn(0, LEDER), Trinn(5, "koordinerende-enhet"))


@pytest.mark.parametrize(
    ("when", "step"),
    [
        ("2026-03-31T23:59:59", None),
        ("2026-04-01T00:00:00", Eskalering(1, LEDER, date(2026, 4, 1))),
        # five arbeidsdager after Tuesday 31 March, over Easter: Friday 10 April
        ("2026-04-10T23:59:59", Eskalering(1, LEDER, date(2026, 4, 1))),
        ("2026-04-11T00:00:00", Eskalering(2, "koordinerende-enhet", date(2026, 4, 11))),
        ("2026-12-01T00:00:00", Eskalering(2, "koordinerende-enhet", date(2026, 4, 11))),
    ],
)
def test_an_overdue_duty_is_raised_to_the_step_reached_and_no_other(
    when: str, step: Eskalering | None
) -> None:
    assert eskalering(date(2026, 3, 31), STEPS, at(when), lambda _: True) == step


def test_whoever_may_not_know_is_not_told_and_the_leader_is() -> None:
    told = eskalering(date(2026, 3, 31), STEPS, at("2026-06-01"), lambda _: False)
    assert told is not None and told.til == LEDER


def test_the_timer_is_set_to_each_step() -> None:
    text = (
        HEAD
        + "[[versjoner.eskalering]]\netter_arbeidsdager = 0\n[[versjoner.eskalering]]\netter_arbeidsdager = 2\n"
    )
    known, ours = facts(MELDING), rules(text)
    assert evaluate(known, ours, at("2026-03-10T00:00:00"))[1] == at("2026-03-12T00:00:00")
    assert evaluate(known, ours, at("2026-06-01"))[1] is None


def test_a_folder_holds_a_file_for_each_municipality(tmp_path: Path) -> None:
    (tmp_path / "4601.toml").write_text(HEAD, "utf-8")
    (tmp_path / "0301.toml").write_text(HEAD.replace("4601", "0301").replace('"a"', '"oslo"'), "utf-8")
    (tmp_path / "les-meg.txt").write_text("ikke en regel", "utf-8")
    ours = with_local(RULES.catalogue, tmp_path)
    assert ours.lokale.keys() == {"0301", "4601"}
    assert ours.for_kommune("0301").versjon(date(2026, 6, 1)).navn == "oslo"
    assert with_local(RULES.catalogue, None).lokale == {}
    (tmp_path / "0301.toml").write_text("kommune = 301\n", "utf-8")
    with pytest.raises(InvalidLocalRules):
        with_local(RULES.catalogue, tmp_path)
