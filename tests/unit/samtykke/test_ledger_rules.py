"""The steps a consent may take, and what a parent's consent is worth when the child comes of age."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts import samtykke_api as api
from contracts.alder import Aldre, UnknownAgeRule
from contracts.lov import Lov
from services.samtykke.alder import age, birthday, first_told, next_limit, reached
from services.samtykke.identitet import Person
from services.samtykke.samtykker import (
    Entry,
    Hendelse,
    NotAllowed,
    Steg,
    accede,
    check_age,
    entry_of,
    fold,
    give,
    give_again,
    lapse,
    refuse,
    takes_both,
    withdraw,
)
from tests.unit.samtykke.gitt import NOW

LAW = Lov()
ID, CHILD = UUID(int=1), UUID(int=2)


def body(**changed: Any) -> api.SamtykkeInn:
    fields: dict[str, Any] = {
        "kommune": "4601",
        "hvem": "forelder",
        "fra_tjeneste": "skole",
        "til_tjenester": ["nav"],
        "kategorier": ["fravar"],
        "formal": "samarbeid",
        "gyldig_fra": NOW,
        "utloper": None,
        **changed,
    }
    return fields  # type: ignore[return-value]


def entry(status: str = "gitt", born: date | None = None, subject: UUID = CHILD, **changed: Any) -> Entry:
    made = entry_of(ID, Person(subject, "4601", "aktiv", born), body(**changed), NOW, LAW)
    object.__setattr__(made, "status", status)
    return made


def test_a_first_consent_is_given_and_the_same_again_is_a_repeat() -> None:
    assert give(None, entry(), NOW) == "gitt"
    assert give(entry(), entry(), NOW) is None
    reordered = entry(til_tjenester=["nav", "nav"])
    assert give(entry(), reordered, NOW) is None


def test_other_words_under_the_same_id_replace_what_stood_there() -> None:
    assert give(entry(), entry(kategorier=["skolegang"]), NOW) == "erstattet"


@pytest.mark.parametrize("status", ["trukket", "utlopt"])
def test_a_late_repeat_of_the_first_sending_never_brings_a_withdrawn_consent_back(status: str) -> None:
    assert give(entry(status), entry(), NOW) is None
    with pytest.raises(NotAllowed, match="samtykke-ikke-gjeldende"):
        give(entry(status), entry(kategorier=["skolegang"]), NOW)


def test_a_refusal_stands_until_the_family_says_yes() -> None:
    assert refuse(None, entry()) == "avslatt"
    assert refuse(entry("avslatt"), entry()) is None
    assert give(entry("avslatt"), entry(), NOW) == "gitt"
    with pytest.raises(NotAllowed, match="samtykke-alt-besvart"):
        refuse(entry(), entry())


def test_withdrawing_and_giving_again_can_be_repeated_without_effect() -> None:
    assert withdraw(entry()) == "trukket"
    assert withdraw(entry("trukket")) is None
    assert withdraw(entry("utlopt")) is None
    assert give_again(entry("trukket"), NOW) == "gitt-igjen"
    assert give_again(entry(), NOW) is None
    with pytest.raises(NotAllowed, match="samtykke-avslatt"):
        withdraw(entry("avslatt"))
    with pytest.raises(NotAllowed, match="samtykke-avslatt"):
        give_again(entry("avslatt"), NOW)


def test_a_consent_past_its_end_is_neither_given_nor_given_again() -> None:
    over = entry(gyldig_fra=NOW - timedelta(days=2), utloper=NOW)
    with pytest.raises(NotAllowed, match="samtykke-alt-utlopt"):
        give(None, over, NOW)
    object.__setattr__(over, "status", "trukket")
    with pytest.raises(NotAllowed, match="samtykke-alt-utlopt"):
        give_again(over, NOW)


def test_one_id_is_one_child() -> None:
    with pytest.raises(NotAllowed, match="samtykke-annet-barn"):
        give(entry(), entry(subject=UUID(int=9)), NOW)


def test_a_parents_consent_ends_at_midnight_in_norway_when_the_child_turns_18() -> None:
    born = date(2010, 7, 1)
    midnight = datetime(2028, 6, 30, 22, tzinfo=UTC)
    assert entry(born=born).utloper == midnight
    assert entry(born=born, utloper=NOW + timedelta(days=1)).utloper == NOW + timedelta(days=1)
    assert entry(born=born, hvem="selv").utloper is None
    with pytest.raises(NotAllowed, match="samtykke-alt-utlopt"):
        give(None, entry(born=date(2008, 11, 22)), NOW)


def test_ages_turn_at_norwegian_midnight_and_leap_children_on_the_first_of_march() -> None:
    assert age(date(2010, 11, 23), datetime(2026, 11, 22, 22, 59, tzinfo=UTC)) == 15
    assert age(date(2010, 11, 23), datetime(2026, 11, 22, 23, 0, tzinfo=UTC)) == 16
    assert age(date(2027, 1, 1), NOW) < 0
    assert birthday(date(2008, 2, 29), 18).date() == date(2026, 3, 1)
    assert birthday(date(2008, 2, 29), 20).date() == date(2028, 2, 29)


def test_one_parents_consent_to_what_takes_both_waits_for_the_other() -> None:
    first = entry("venter", fra_tjeneste="helsestasjon", kategorier=["helseoppfolging"], giver="mor")
    assert takes_both(first, LAW)
    assert give(None, first, NOW, both=True) == "venter"
    assert give(first, first, NOW, both=True) is None
    other = entry(fra_tjeneste="helsestasjon", kategorier=["helseoppfolging"], giver="far")
    assert give(first, other, NOW, both=True) == "tiltradt"
    assert accede(first, "far") == "tiltradt"
    for giver, code in (("mor", "samme-forelder"), (None, "giver-mangler")):
        with pytest.raises(NotAllowed, match=code):
            accede(first, giver)
    assert accede(entry(), "far") is None
    with pytest.raises(NotAllowed, match="samtykke-ikke-venter"):
        accede(entry("trukket"), "far")
    assert withdraw(first) == "trukket"
    assert refuse(first, other) == "avslatt"
    with pytest.raises(NotAllowed, match="giver-mangler"):
        give(None, entry(fra_tjeneste="helsestasjon", kategorier=["helseoppfolging"]), NOW, both=True)
    with pytest.raises(NotAllowed, match="samtykke-krever-begge"):
        give(entry(), first, NOW, both=True)


@pytest.mark.parametrize(
    "changed", [{"hvem": "begge-foreldre"}, {"hvem": "verge"}, {"hvem": "selv"}, {"foreldreansvar": "alene"}]
)
def test_whoever_decides_alone_waits_for_nobody(changed: dict[str, Any]) -> None:
    assert not takes_both(entry(fra_tjeneste="helsestasjon", kategorier=["helseoppfolging"], **changed), LAW)


def test_what_took_both_is_given_again_by_both() -> None:
    with pytest.raises(NotAllowed, match="gi-igjen-krever-begge"):
        give_again(entry("trukket"), NOW, both=True)
    assert give_again(entry("trukket"), NOW, both=True, giver="mor") == "venter"


@pytest.mark.parametrize(
    ("hvem", "fra", "kategori", "til", "years", "code"),
    [
        ("selv", "skole", "fravar", "nav", 14, "barnet-for-ungt"),
        ("selv", "skole", "fravar", "nav", 15, None),
        ("selv", "helsestasjon", "helseprogram", "nav", 15, "barnet-for-ungt"),
        ("selv", "helsestasjon", "helseprogram", "nav", 16, None),
        ("selv", "helsestasjon", "henvisning", "nav", 15, "barnet-for-ungt"),
        ("selv", "helsestasjon", "helseprogram", "foresatt", 12, None),
        ("selv", "helsestasjon", "helseprogram", "foresatt", 11, "barnet-for-ungt"),
        ("forelder", "helsestasjon", "helseprogram", "nav", 15, None),
        ("forelder", "helsestasjon", "helseprogram", "nav", 16, "barnet-samtykker-selv"),
        ("begge-foreldre", "helsestasjon", "helseoppfolging", "nav", 16, "barnet-samtykker-selv"),
        ("forelder", "skole", "fravar", "nav", 17, None),
        ("verge", "helsestasjon", "helseprogram", "nav", 17, None),
    ],
)
def test_who_may_consent_follows_from_the_childs_age_and_the_kind_of_information(
    hvem: str, fra: str, kategori: str, til: str, years: int, code: str | None
) -> None:
    born = date(NOW.year - years, NOW.month, NOW.day)
    asked = entry(born=born, hvem=hvem, fra_tjeneste=fra, kategorier=[kategori], til_tjenester=[til])
    check_age(asked, None, LAW, NOW)  # of a child whose birth date nobody knows, nothing can be said
    if code is None:
        check_age(asked, born, LAW, NOW)
    else:
        with pytest.raises(NotAllowed, match=code):
            check_age(asked, born, LAW, NOW)


def test_a_parents_consent_loses_health_at_16_and_ends_with_its_last_category() -> None:
    born = date(2010, 11, 23)
    mixed = entry(born=born, fra_tjeneste="helsestasjon", kategorier=["helseprogram", "overgang"])
    school = entry(born=born, fra_tjeneste="skole", kategorier=["fravar"])
    eve, day = NOW, NOW + timedelta(days=1)
    assert (mixed.utloper, school.utloper) == (birthday(born, 16), birthday(born, 18))
    assert lapse(mixed, born, LAW, eve) is None
    assert lapse(mixed, born, LAW, day) == ("utlopt", mixed)
    assert lapse(school, born, LAW, day) is None
    law = Lov(aldre=Aldre().changed({"overgang": {"foreldre_til": 18}}))
    unknown = entry(fra_tjeneste="helsestasjon", kategorier=["helseprogram", "overgang"])
    step, after = lapse(unknown, born, law, day) or (None, unknown)
    assert step == "innsnevret"
    assert (after.kategorier, after.utloper) == (("overgang",), birthday(born, 18))


def test_a_consent_is_the_fold_of_its_ledger() -> None:
    given = entry(kategorier=["fravar", "skolegang"])
    steps: list[tuple[Steg, tuple[str, ...], tuple[str, ...]]] = [
        ("venter", given.kategorier, ("mor",)),
        ("tiltradt", given.kategorier, ("mor", "far")),
        ("innsnevret", ("fravar",), ("mor", "far")),
        ("trukket", ("fravar",), ("mor", "far")),
        ("gitt-igjen", ("fravar",), ("mor", "far")),
    ]
    rows = [
        Hendelse(nr, step, given.record, kategorier, None, givere, "u", NOW + timedelta(days=nr))
        for nr, (step, kategorier, givere) in enumerate(steps, start=1)
    ]
    stood = [fold(ID, CHILD, rows[:n]) for n in range(1, 6)]
    assert [e.status for e in stood] == ["venter", "gitt", "gitt", "trukket", "gitt"]
    assert (stood[-1].sekvens, stood[-1].kategorier, stood[-1].givere) == (5, ("fravar",), ("mor", "far"))
    assert stood[-1].gyldig_fra == given.gyldig_fra


def test_the_days_on_which_rights_change_are_found_across_leap_years() -> None:
    born = date(2012, 2, 29)
    assert next_limit(born, (7, 16, 18), date(2026, 1, 1)) == date(2028, 2, 29)
    assert next_limit(born, (7, 13, 18), date(2024, 6, 1)) == date(2025, 3, 1)
    assert next_limit(born, (7,), date(2019, 3, 1)) is None
    assert first_told(born, (7, 16, 18), date(2020, 1, 1)) == date(2028, 2, 29)
    assert first_told(born, (7, 16, 18), date(2028, 2, 29)) == date(2028, 2, 29)
    assert first_told(born, (7, 16, 18), date(2035, 1, 1)) == date(2030, 3, 1)
    assert first_told(born, (18,), date(2020, 1, 1)) == date(2030, 3, 1)
    assert reached(born, (7, 13, 16), date(2019, 3, 1), date(2025, 3, 1)) == [7, 13]
    assert reached(born, (7, 13, 16), date(2019, 3, 2), date(2025, 2, 28)) == []


def test_a_municipality_may_set_its_own_ages_and_nothing_else() -> None:
    own = Aldre().changed({"helseprogram": {"foresatt_begrenset": 13}, "fravar": {"begge_foreldre": 1}})
    assert own.regel("helseprogram", helse=True).foresatt_begrenset == 13
    assert own.regel("fravar", helse=False).begge_foreldre
    assert own.regel("skolegang", helse=False) == Aldre().regel("skolegang", helse=False)
    assert 13 in own.grenser
    for wrong in ({"x": {"alder": 3}}, {"x": {"barn_innsyn": 40}}, {"x": {"foresatt_slutt": 3}}):
        with pytest.raises(UnknownAgeRule):
            Aldre().changed(wrong)


def test_every_age_rests_on_a_provision_of_the_law_table() -> None:
    assert all(provision in LAW for _, rule in Aldre() for provision in rule.bestemmelser)


def test_what_is_kept_of_a_consent_says_nothing_of_who_the_child_is() -> None:
    kept = entry_of(ID, Person(CHILD, "4601", "aktiv", None), body(id=str(ID), person="1"), NOW, LAW).record
    assert not {"person", "subject", "id"} & kept.keys()
