"""SSB Barnevern v4: which events a file gives, and what a file after it changes."""

import tracemalloc
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from pydantic import JsonValue

from backbone.meldinger import messages
from contracts.catalogue import Catalogue
from contracts.personnummer import identity_numbers, tenor
from services.barnevern.ssb.kontroll import problems_of
from services.barnevern.ssb_barnevern import SsbBarnevern
from services.dry_run import judge
from services.format import Companion, EventDraft, Problem, Record
from services.wording import describe
from tests.unit.formats import ssb_filer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BARN, ANNET = tenor(date(2012, 5, 4), 2), tenor(date(2013, 6, 7), 3)
SAK = "7317a453-2d65-465a-9589-519311d66579"
M, U, P, T, V, E, F = (f"{n}b6b82ea-c3da-4882-b591-cccd833c262d" for n in "abcdef0")
FMT = SsbBarnevern(clock=lambda: NOW)
FIRST = int(NOW.timestamp())

MELDERE = '<Melder Kode="11"/><Melder Kode="9"/>'
INNHOLD = '<Saksinnhold Kode="1"/><Saksinnhold Kode="1.3.02"/>'
MELDING = f'<Melding Id="{M}" StartDato="2025-01-02">{MELDERE}{INNHOLD}</Melding>'
KONKLUDERT = MELDING.replace("</Melding>", '<Konklusjon SluttDato="2025-01-08" Kode="2"/></Melding>')
UNDERSOKELSE = f"""<Undersokelse Id="{U}" StartDato="2025-01-08"><Vedtaksgrunnlag Kode="1"/><BarnetsMedvirkning>
  <StartDato>2025-01-20</StartDato><MedvirkningType>1.1</MedvirkningType></BarnetsMedvirkning>
  <UtvidetFrist StartDato="2025-03-01" Innvilget="1"/><Konklusjon SluttDato="2025-05-02" Kode="6"/></Undersokelse>"""
EVALUERT = '<Evaluering UtfortDato="2025-06-01"/><Evaluering UtfortDato="2025-09-01"/>'
PLAN = f'<Plan Id="{P}" StartDato="2025-05-03" Plantype="1">{EVALUERT}</Plan>'
HJEMMEL = "<Lovhjemmel><Lov>BVL2021</Lov><Kapittel>3</Kapittel><Paragraf>1</Paragraf></Lovhjemmel>"
ENDED = '<Konklusjon SluttDato="2025-11-01"/>'
TILTAK = f'<Tiltak Id="{T}" StartDato="2025-05-04">{HJEMMEL}<Kategori Kode="3.1"/>{ENDED}</Tiltak>'
STATUS = f'<Status Id="{V}" EndretDato="2025-05-04" Kode="1"/>'
VEDTAK = f'<Vedtak Id="{V}" StartDato="2025-05-04">{HJEMMEL}{STATUS}</Vedtak>'
TAKEN = '<Konklusjon SluttDato="2025-11-20" Kode="1"/>'
ETTERVERN = f'<Ettervern Id="{E}" TilbudSendtDato="2025-11-02">{TAKEN}</Ettervern>'
FLYTTING = (
    f'<Flytting Id="{F}" SluttDato="2025-10-01"><ArsakFra Kode="1.1.1"/><FlyttingTil Kode="6"/></Flytting>'
)


def personalia(nummer: str, nr: int = 1, start: str = "2025-01-01", more: str = "") -> str:
    """For a boy or a girl, as the number says, born on the day it says where it says one."""
    kjonn = 2 - int(nummer[8]) % 2
    return (
        f'<Personalia Id="{nr}986e5eb-82ca-57fc-abc8-9884fb8f1bb5" StartDato="{start}" Fodselsnummer="{nummer}"'
        f' Fodseldato="20{nummer[4:6]}-{int(nummer[2:4]) % 20:02}-{nummer[:2]}" Kjonn="{kjonn}"{more}/>'
    )


def slettet(kind: str, nummer: str) -> str:
    return f'<Slettet Id="{nummer}" Type="{kind}" SluttDato="2025-12-01"/>'


def fil(*ting: str, day: int = 1, nr: int = 0, forrige: int | None = None, sak: str = "") -> bytes:
    """A file extracted on that day of February 2026. `nr` is its place in a chain of files, 0 for none."""
    before = f' ForrigeId="{forrige:08x}-9930-11ec-b909-0242ac120002"' if forrige is not None else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Barnevern Id="{nr:08x}-9930-11ec-b909-0242ac120002" DatoUttrekk="2026-02-{day:02}T02:00:00+01:00"{before}>
  <Fagsystem Versjon="1.0" Navn="Familia" Leverandor="Prøve"/>
  <Avgiver Kommunenummer="4601" Kommunenavn="Bergen" Organisasjonsnummer="123456785"/>
  <Sak Id="{SAK}" StartDato="2025-01-01" Journalnummer="j1"{sak}>{"".join(ting)}</Sak>
</Barnevern>""".encode()


class Mottaker:
    """Takes files one after the other as the runner does, and knows what stands after them."""

    def __init__(self, fmt: SsbBarnevern = FMT) -> None:
        self.fmt = fmt
        self.state: dict[str, JsonValue | None] = {}
        self.standing: dict[tuple[str | None, str, str], EventDraft] = {}
        self.sent: set[tuple[object, ...]] = set()

    def send(self, body: bytes) -> list[EventDraft]:
        out = [draft for record in self._records(body) for draft in record.drafts]
        for draft in out:
            version = (
                draft.person or draft.sak,
                draft.type,
                draft.nokkel,
                draft.versjon,
                draft.tilbaketrukket,
            )
            assert version not in self.sent, "an event version is told once"
            self.sent.add(version)
            key = (draft.person or draft.sak, draft.type, draft.nokkel)
            old = self.standing.get(key)
            assert old is None or old.versjon < draft.versjon, "a later word has a higher version"
            self.standing[key] = draft
        return out

    def facts(self) -> dict[tuple[str | None, str, str], Any]:
        """Who, what, which: what holds now."""
        return {k: (d.time, dict(d.data)) for k, d in self.standing.items() if not d.tilbaketrukket}

    def _records(self, body: bytes) -> Iterator[Record]:
        for item in self.fmt.parse(body, Companion()):
            if isinstance(item, Record):
                assert item.problems == ()
                continue
            while missing := self.fmt.needs(item, self.state) - self.state.keys():
                self.state.update(dict.fromkeys(missing))
            records, changed = self.fmt.step(item, self.state)
            self.state.update(changed)
            yield from records


def told(*bodies: bytes) -> list[tuple[str, int, bool]]:
    """(type, version counted from 1, retracted) of what the last file gives, after the others."""
    mottaker = Mottaker()
    out: list[EventDraft] = []
    for body in bodies:
        out = mottaker.send(body)
    return [(d.type, d.versjon - FIRST + 1, d.tilbaketrukket) for d in out]


def warnings(body: bytes) -> dict[str, tuple[str, str]]:
    """SSB's control and severity by code."""
    found: Iterable[Problem] = (
        w for item in FMT.parse(body, Companion()) if isinstance(item, Record) for w in item.warnings
    )
    return {w.code: (str(w.args["regel"]), str(w.args["alvorlighet"])) for w in found}


def test_each_thing_of_a_case_gives_its_events_with_ssbs_id_as_key() -> None:
    out = Mottaker().send(
        fil(personalia(BARN), KONKLUDERT, UNDERSOKELSE, PLAN, TILTAK, VEDTAK, ETTERVERN, FLYTTING)
    )
    assert [(d.type, d.nokkel, d.time.date().isoformat(), dict(d.data)) for d in out] == [
        (
            "henvendelse.mottatt",
            M,
            "2025-01-02",
            {"slag": 2, "saksinnhold": ["1", "1.3.02"], "melderkode": "11"},
        ),
        ("henvendelse.konkludert", M, "2025-01-08", {"kode": "2", "undersokelse": True}),
        ("undersokelse.startet", U, "2025-01-08", {}),
        ("undersokelse.frist-utvidet", U, "2025-03-01", {}),
        ("medvirkning.gjennomfort", U, "2025-01-20", {"form": "samtale"}),
        ("undersokelse.konkludert", U, "2025-05-02", {"kode": "6"}),
        ("plan.opprettet", P, "2025-05-03", {}),
        ("tiltak.evaluert", f"{P}:2025-06-01", "2025-06-01", {}),
        ("tiltak.evaluert", f"{P}:2025-09-01", "2025-09-01", {}),
        ("tiltak.iverksatt", T, "2025-05-04", {"kategori": "3.1"}),
        ("tiltak.avsluttet", T, "2025-11-01", {"kategori": "3.1", "slutt": "2025-11-01"}),
        ("vedtak.fattet", V, "2025-05-04", {"utfall": "1", "lovhjemmel": "BVL2021 3-1"}),
        ("ettervern.tilbudt", E, "2025-11-02", {}),
        ("ettervern.konkludert", E, "2025-11-20", {"kode": "1"}),
        ("flytting", F, "2025-10-01", {"arsak": "1.1.1", "til": "6"}),
    ]
    assert {d.person for d in out} == {BARN}


def test_every_event_is_one_the_catalogue_knows() -> None:
    body = fil(personalia(BARN), KONKLUDERT, UNDERSOKELSE, PLAN, TILTAK, VEDTAK, ETTERVERN, FLYTTING)
    verdict = judge("barnevern", FMT, body, Companion(), Catalogue.standard(), NOW, demo=True)
    assert verdict.errors == ()
    assert len(verdict.events) == 15


@pytest.mark.parametrize(
    ("kode", "undersokelse"),
    [("1", False), ("2", True), ("3", None), ("4", True), ("7", False), ("8", False)],
)
def test_a_conclusion_ends_the_engagement_only_where_nothing_goes_on(
    kode: str, undersokelse: bool | None
) -> None:
    out = Mottaker().send(fil(personalia(BARN), KONKLUDERT.replace('Kode="2"', f'Kode="{kode}"')))
    assert out[1].data.get("undersokelse") is undersokelse


def test_a_child_that_did_not_take_part_and_a_date_not_granted_give_no_event() -> None:
    thing = UNDERSOKELSE.replace("1.1<", "2.1<").replace('Innvilget="1"', 'Innvilget="2"')
    assert told(fil(personalia(BARN), thing)) == [
        ("undersokelse.startet", 1, False),
        ("undersokelse.konkludert", 1, False),
    ]


def test_changed_content_is_a_new_version_of_what_changed_alone() -> None:
    first = fil(personalia(BARN), MELDING, day=1)
    assert told(first, fil(personalia(BARN), KONKLUDERT, day=2)) == [("henvendelse.konkludert", 1, False)]
    assert told(first, fil(personalia(BARN), MELDING.replace('"11"', '"8"'), day=2)) == [
        ("henvendelse.mottatt", 2, False)
    ]


def test_what_is_gone_from_a_thing_is_taken_back() -> None:
    assert told(fil(personalia(BARN), KONKLUDERT, day=1), fil(personalia(BARN), MELDING, day=2)) == [
        ("henvendelse.konkludert", 2, True)
    ]


def test_sending_all_again_tells_nothing() -> None:
    files = [
        fil(personalia(BARN), MELDING, day=1),
        fil(personalia(BARN), KONKLUDERT, day=2),
        fil(personalia(BARN), UNDERSOKELSE, day=3),
        fil(personalia(BARN), KONKLUDERT, UNDERSOKELSE, day=2),  # the total, with an earlier extraction
        fil(personalia(BARN), slettet("Melding", M), day=4),
    ]
    mottaker = Mottaker()
    assert [len(mottaker.send(body)) for body in files] == [1, 1, 4, 0, 2]
    assert [mottaker.send(body) for body in files] == [[]] * 5


def test_what_is_sent_when_the_memory_was_lost_is_newer_than_all_that_was_told_before() -> None:
    now = NOW
    mottaker = Mottaker(SsbBarnevern(clock=lambda: now))
    for day, thing in enumerate((KONKLUDERT, MELDING, KONKLUDERT), 1):
        mottaker.send(fil(personalia(BARN), thing, day=day))
    mottaker.state.clear()
    now += timedelta(hours=1)
    changed = KONKLUDERT.replace('"11"', '"8"')
    assert [d.type for d in mottaker.send(fil(personalia(BARN), changed, day=4))] == [
        "henvendelse.mottatt",
        "henvendelse.konkludert",
    ]
    assert mottaker.facts()[BARN, "henvendelse.mottatt", M][1]["melderkode"] == "8"


def test_a_thing_absent_from_a_total_file_stands() -> None:
    assert told(fil(personalia(BARN), MELDING, TILTAK, day=1), fil(personalia(BARN), MELDING, day=2)) == []


def test_content_seen_before_is_new_again_in_a_newer_file() -> None:
    files = [
        fil(personalia(BARN), thing, day=day)
        for day, thing in ((1, KONKLUDERT), (2, MELDING), (3, KONKLUDERT))
    ]
    assert told(*files) == [("henvendelse.konkludert", 3, False)]
    assert told(*files, files[1]) == []


def test_unseen_content_counts_although_its_file_says_an_earlier_extraction() -> None:
    assert told(fil(personalia(BARN), MELDING, day=5), fil(personalia(BARN), KONKLUDERT, day=4)) == [
        ("henvendelse.konkludert", 1, False)
    ]


def test_a_file_that_comes_after_its_successor_changes_nothing() -> None:
    first = fil(personalia(BARN), MELDING, day=1, nr=1)
    second = fil(personalia(BARN), KONKLUDERT, day=2, nr=2, forrige=1)
    assert told(second, first) == []


@pytest.mark.parametrize(
    "gone", [slettet("Melding", M), KONKLUDERT.replace("<Melding", '<Melding ErSlettet="1"')]
)
def test_a_deleted_thing_is_taken_back_and_no_older_file_brings_it_again(gone: str) -> None:
    first, deletion = fil(personalia(BARN), KONKLUDERT, day=1), fil(personalia(BARN), gone, day=2)
    assert told(first, deletion) == [
        ("henvendelse.konkludert", 2, True),
        ("henvendelse.mottatt", 2, True),
    ]
    assert told(first, deletion, first) == []
    assert told(first, deletion, fil(personalia(BARN), MELDING, day=1)) == []
    assert told(first, deletion, fil(personalia(BARN), MELDING, day=3)) == [("henvendelse.mottatt", 3, False)]


def test_a_deletion_that_comes_before_its_target_holds() -> None:
    assert told(fil(slettet("Melding", M), day=2), fil(personalia(BARN), KONKLUDERT, day=1)) == []


def test_a_deleted_conclusion_is_taken_back_alone() -> None:
    gone = KONKLUDERT.replace("<Konklusjon", '<Konklusjon ErSlettet="true"')
    assert told(fil(personalia(BARN), KONKLUDERT), fil(personalia(BARN), gone, day=2)) == [
        ("henvendelse.konkludert", 2, True)
    ]


def test_a_deleted_case_takes_back_all_of_it() -> None:
    first = fil(personalia(BARN), MELDING, TILTAK)
    assert {t for t, _, gone in told(first, fil(day=2, sak=' ErSlettet="true"')) if gone} == {
        "henvendelse.mottatt",
        "tiltak.iverksatt",
        "tiltak.avsluttet",
    }


@pytest.mark.parametrize(
    "nummer", ["04051299999", "04051200100", "04051200200", "04051255555", "04051212345"]
)
def test_a_number_that_names_nobody_leaves_the_event_with_the_case(nummer: str) -> None:
    (draft,) = Mottaker().send(fil(personalia(nummer), MELDING))
    assert (draft.person, draft.sak) == (None, f"ssb:{SAK}")


def test_a_duf_number_names_the_child_where_no_other_does() -> None:
    (draft,) = Mottaker().send(fil(personalia("04051200100", more=' DUFnummer="209900000103"'), MELDING))
    assert draft.person == "209900000103"


def test_when_the_child_is_known_what_stood_on_the_case_moves_to_the_child() -> None:
    mottaker = Mottaker()
    mottaker.send(fil(MELDING, day=1))
    mottaker.send(fil(personalia(BARN), day=2))
    assert set(mottaker.facts()) == {(BARN, "henvendelse.mottatt", M)}


def test_a_change_that_does_not_name_the_child_is_about_the_child_named_before() -> None:
    mottaker = Mottaker()
    mottaker.send(fil(personalia(BARN), MELDING, day=1))
    assert [d.person for d in mottaker.send(fil(KONKLUDERT, day=2))] == [BARN]


def test_a_wrong_child_is_taken_back_and_told_of_the_right_one() -> None:
    mottaker = Mottaker()
    first = fil(personalia(BARN), KONKLUDERT, TILTAK, day=1)
    mottaker.send(first)
    out = mottaker.send(fil(personalia(ANNET), KONKLUDERT, day=2))
    assert {(d.person, d.tilbaketrukket) for d in out} == {(BARN, True), (ANNET, False)}
    assert {whom for whom, _, _ in mottaker.facts()} == {ANNET}
    assert len(mottaker.facts()) == 4
    assert mottaker.send(first) == []


def test_the_latest_personalia_tell_whom_and_deleted_ones_do_not() -> None:
    both = personalia(ANNET, 2, "2025-06-01"), personalia(BARN, 1, "2025-01-01")
    mottaker = Mottaker()
    assert {d.person for d in mottaker.send(fil(*both, MELDING))} == {ANNET}
    mottaker.send(fil(slettet("Personalia", "2986e5eb-82ca-57fc-abc8-9884fb8f1bb5"), day=2))
    assert {whom for whom, _, _ in mottaker.facts()} == {BARN}


@pytest.mark.parametrize(
    ("thing", "code"),
    [
        (MELDING.replace("2025-01-02", "2026-03-02"), "ssb-fremtid"),
        (MELDING.replace("2025-01-02", "12025-01-02"), "ssb-utenfor-kalender"),
        (MELDING.replace("2025-01-02", "-0001-01-02"), "ssb-utenfor-kalender"),
        (MELDING.replace("2025-01-02", "2038-06-04"), "ssb-fremtid"),
    ],
)
def test_a_date_no_event_can_have_gives_a_warning_and_the_file_is_taken(thing: str, code: str) -> None:
    verdict = judge("barnevern", FMT, fil(personalia(BARN), thing), Companion(), Catalogue.standard(), NOW)
    assert (verdict.events, verdict.errors) == ((), ())
    assert code in {w.code for w in verdict.warnings}


def test_a_person_over_25_gives_a_warning_and_no_event() -> None:
    old = tenor(date(1990, 1, 1), 1)
    body = fil(personalia(old).replace("2090", "1990"), MELDING)
    verdict = judge("barnevern", FMT, body, Companion(), Catalogue.standard(), NOW)
    assert (verdict.events, verdict.errors) == ((), ())
    assert "ssb-for-gammel" in {w.code for w in verdict.warnings}


THINGS = [
    [MELDING, KONKLUDERT, KONKLUDERT.replace('"11"', '"8"'), slettet("Melding", M)],
    [UNDERSOKELSE, UNDERSOKELSE.replace("2025-01-08", "2025-01-09"), slettet("Undersokelse", U)],
    [TILTAK, TILTAK.replace("3.1", "3.2")],
    [VEDTAK, VEDTAK.replace('Kode="1"', 'Kode="4"')],
]
WHOM = [[], [personalia(BARN)], [personalia(ANNET)]]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_however_a_series_is_split_and_repeated_the_same_stands(data: st.DataObject) -> None:
    """A series of days; on each, some things in one file or a file each, some files twice, old ones in between."""
    whole, split = Mottaker(), Mottaker()
    earlier: list[bytes] = []
    whom = data.draw(st.sampled_from(WHOM))
    for day in range(1, data.draw(st.integers(1, 5)) + 1):
        whom = data.draw(st.sampled_from([whom, whom, WHOM[1], WHOM[2]]))
        ting = [data.draw(st.sampled_from(states)) for states in THINGS if data.draw(st.booleans())]
        ting.sort(key=lambda thing: "<Slettet" in thing)
        whole.send(fil(*whom, *ting, day=day))
        pieces = [fil(*whom, thing, day=day) for thing in ting] or [fil(*whom, day=day)]
        for body in pieces:
            for again in data.draw(st.lists(st.sampled_from([*earlier, body]), max_size=2)):
                if again != body:
                    split.send(again)
            split.send(body)
            if data.draw(st.booleans()):
                split.send(body)
            earlier.append(body)
    assert split.facts() == whole.facts()


MIGRERT = MELDING.replace("<Melding", '<Melding MigrertId="1"')
BEGRUNNET = UNDERSOKELSE.replace('Kode="6"', 'Kode="1"')
BRUK = fil(personalia(BARN), KONKLUDERT)


@pytest.mark.parametrize(
    ("body", "code", "control"),
    [
        (fil(MELDING), "ssb-uten-personalia", ("Personalia kontroll 11", "ERROR")),
        (fil(personalia(BARN)), "ssb-tom-sak", ("Sak kontroll 21", "ERROR")),
        (
            fil(personalia(BARN), KONKLUDERT.replace("2025-01-08", "2025-01-01")),
            "ssb-start-etter-slutt",
            ("Melding kontroll 2a", "ERROR"),
        ),
        (
            fil(personalia(BARN), KONKLUDERT.replace("2025-01-08", "2025-01-10")),
            "ssb-melding-frist",
            ("Melding kontroll 3", "WARNING"),
        ),
        (
            fil(personalia(BARN), MELDING.replace("2025-01-02", "2024-12-31")),
            "ssb-for-sak",
            ("Melding kontroll 2e", "ERROR"),
        ),
        (
            fil(personalia(BARN), MIGRERT.replace("2025-01-02", "2024-12-31")),
            "ssb-for-sak",
            ("Melding kontroll 2e", "WARNING"),
        ),
        (
            fil(personalia(BARN), KONKLUDERT, sak=' SluttDato="2025-01-07"'),
            "ssb-etter-sak",
            ("Melding kontroll 2c", "ERROR"),
        ),
        (
            fil(personalia(BARN), KONKLUDERT.replace(MELDERE, "")),
            "ssb-uten-melder",
            ("Melding kontroll 4", "ERROR"),
        ),
        (
            fil(personalia(BARN), KONKLUDERT.replace(INNHOLD, "")),
            "ssb-uten-saksinnhold",
            ("Melding kontroll 5", "ERROR"),
        ),
        (
            fil(personalia(BARN), MELDING.replace('"11"', '"22"')),
            "ssb-presisering",
            ("Melder kontroll 2", "ERROR"),
        ),
        (
            fil(personalia(BARN), BEGRUNNET.replace('<Vedtaksgrunnlag Kode="1"/>', "")),
            "ssb-uten-vedtaksgrunnlag",
            ("Undersøkelse kontroll 7", "ERROR"),
        ),
        (
            fil(personalia(BARN), VEDTAK.replace('Kode="1"', 'Kode="3"')),
            "ssb-vedtak-uten-slutt",
            ("Vedtak kontroll 3", "ERROR"),
        ),
        (
            fil(personalia(BARN), VEDTAK.replace("BVL2021", "BVL")),
            "ssb-feil-lov",
            ("Vedtak kontroll 5", "ERROR"),
        ),
        (
            fil(personalia(BARN), TILTAK.replace("3.1", "3.99")),
            "ssb-presisering",
            ("Tiltak kontroll 7", "ERROR"),
        ),
        (fil(personalia("04051212345"), MELDING), "ssb-fodselsnummer", ("Personalia kontroll 12", "ERROR")),
        (fil(personalia("04051200100"), MELDING), "ssb-ufullstendig-nummer", ("Personalia kontroll 18", "INFO")),
    ],
)  # fmt: skip
def test_ssbs_controls_are_told_with_ssbs_severity(body: bytes, code: str, control: tuple[str, str]) -> None:
    assert code not in warnings(BRUK)
    assert warnings(body)[code] == control


@pytest.mark.parametrize(
    ("start", "extended", "late"),
    [
        ("2025-11-01", "", False),
        ("2025-10-20", "", True),
        ("2025-10-20", "1", False),
        ("2025-07-20", "1", True),
    ],
)
def test_ssb_counts_an_undersokelse_from_the_day_of_its_melding(
    start: str, extended: str, late: bool
) -> None:
    frist = f'<UtvidetFrist StartDato="2025-12-01" Innvilget="{extended}"/>' if extended else ""
    relasjon = f'<Relasjon Id="{P}" FraId="{M}" FraType="Melding" TilId="{U}" TilType="Undersokelse"/>'
    body = fil(
        personalia(BARN),
        MELDING.replace("2025-01-02", start),
        f'<Undersokelse Id="{U}" StartDato="2025-11-01">{frist}</Undersokelse>',
        relasjon,
    )
    found = warnings(body).get("ssb-undersokelse-frist")
    assert found == (("Undersøkelse kontroll 11", "WARNING") if late else None)


def test_a_file_that_does_not_follow_the_description_is_refused_whole() -> None:
    body = fil(personalia(BARN), MELDING, TILTAK.replace('Kode="3.1"', 'Kode="3.11"'))
    verdict = judge("barnevern", FMT, body, Companion(), Catalogue.standard(), NOW)
    assert verdict.events == ()
    assert [(p.pointer, p.code) for p in verdict.errors] == [
        ("/Barnevern/Sak[1]/Tiltak[1]/Kategori/@Kode", "ukjent-verdi")
    ]


def test_a_second_case_in_a_file_is_refused_at_its_place() -> None:
    first = fil(personalia(BARN), MELDING).decode()
    body = first.replace(
        "</Sak>", f'</Sak><Sak Id="{M}" StartDato="2025-01-01" Journalnummer="j2"/>'
    ).encode()
    assert [(p.pointer, p.code) for p in problems_of(body)] == [("/Barnevern/Sak[2]", "ssb-flere-saker")]


def test_every_problem_has_words_that_repeat_nothing_of_the_file() -> None:
    seen = set()
    choose = Random(7)
    for _, file in ssb_filer.broken(ssb_filer.full(Random(1), 1), lambda: choose.randrange(15) == 0):
        for problem in problems_of(etree.tostring(file)):
            seen.add(problem.code)
            words = describe(problem, FMT.messages)
            assert words["feil"]
            assert words["gjor"]
            assert not any(identity_numbers(f"{words}"))
    assert {"mangler", "ukjent-verdi", "ssb-rekkefolge", "ssb-tekst", "ssb-element-mangler"} <= seen


def test_every_control_has_words() -> None:
    args: dict[str, Any] = {
        "regel": "x",
        "alvorlighet": "ERROR",
        "fra": 2000,
        "til": 2052,
        "dager": 97,
        "type": "x",
    }
    args |= {"linje": 1, "kolonne": 1, "grense": 1, "kjente": "x"}
    catalogue = messages(FMT.messages)
    for code in warnings(fil(personalia("04051212345"), MELDING)) | {"ssb-slettet-ukjent": ("", "")}:
        assert catalogue.text(code, **args)
        assert catalogue.action(code, **args)


BOMB = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(10))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (
            f'<!DOCTYPE Barnevern [<!ENTITY a0 "x">{BOMB}]><Barnevern Id="&a9;">&a9;</Barnevern>'.encode(),
            "ssb-doctype",
        ),
        (
            b'<!DOCTYPE B [<!ENTITY x SYSTEM "file:///etc/hostname">]><Barnevern>&x;</Barnevern>',
            "ssb-doctype",
        ),
        (b'<!DOCTYPE B [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]><Barnevern/>', "ssb-doctype"),
        (b'<!DOCTYPE Barnevern SYSTEM "http://127.0.0.1:9/x.dtd"><Barnevern/>', "ssb-doctype"),
        (b"<a>" * 10_000, "ssb-feil-rot"),
        (b"<Barnevern>" * 10_000, "ssb-ikke-xml"),
        (b'<Barnevern Id="' + b"x" * 20_000_000, "ssb-ikke-xml"),
        (b"<Barnevern>" + b"x" * 20_000_000, "ssb-tekst"),
        (b'<Barnevern Id="\xff"/>', "ssb-ikke-xml"),
        (b"", "ssb-ikke-xml"),
        (b"{}", "ssb-ikke-xml"),
    ],
    ids=range(11),
)
def test_a_hostile_file_is_refused(body: bytes, code: str) -> None:
    assert code in {p.code for p in problems_of(body)}


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=300), at=st.integers(0, 2_000), cut=st.integers(0, 20))
def test_no_bytes_whatever_make_it_fail(body: bytes, at: int, cut: int) -> None:
    good = fil(personalia(BARN), KONKLUDERT, TILTAK)
    judge("barnevern", FMT, body, Companion(), Catalogue.standard(), NOW)
    judge("barnevern", FMT, good[:at] + body + good[at + cut :], Companion(), Catalogue.standard(), NOW)


def test_a_large_case_is_read_thing_by_thing() -> None:
    def big(count: int) -> bytes:
        wordy = MELDING.replace('"11"', f'"22" Presisering="{"ø" * 9_000}"')
        return fil(personalia(BARN), *(wordy.replace("ab6b82ea", f"{n:08x}") for n in range(count)))

    def peak_bytes(body: bytes) -> int:
        tracemalloc.start()
        for _ in FMT.parse(body, Companion()):
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    small, large = big(50), big(500)
    assert peak_bytes(large) - peak_bytes(small) < (len(large) - len(small)) / 5
