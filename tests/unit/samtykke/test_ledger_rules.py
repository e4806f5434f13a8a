"""The steps a consent may take, and what a parent's consent is worth when the child comes of age."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts import samtykke_api as api
from services.samtykke.alder import age, birthday
from services.samtykke.identitet import Person
from services.samtykke.samtykker import Entry, NotAllowed, entry_of, give, give_again, refuse, withdraw
from tests.unit.samtykke.gitt import NOW

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
    made = entry_of(ID, Person(subject, "4601", "aktiv", born), body(**changed), NOW)
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


def test_what_is_kept_of_a_consent_says_nothing_of_who_the_child_is() -> None:
    kept = entry_of(ID, Person(CHILD, "4601", "aktiv", None), body(id=str(ID), person="1"), NOW).record
    assert not {"person", "subject", "id"} & kept.keys()
