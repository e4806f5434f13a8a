"""Who is said to receive a child that moves to another municipality, where everybody there may read it."""

import pytest

from services.samtykke.flyttinger import receiver


@pytest.mark.parametrize(
    ("mottaker", "avsender", "told"),
    [
        ("nav", "skole", "nav"),
        (None, "skole", "skole"),
        (None, None, "koordinerende-enhet"),
        (None, "barnevern", "koordinerende-enhet"),
        ("barnevern", "skole", "koordinerende-enhet"),
        ("skole", "barnevern", "skole"),
    ],
)
def test_barnevern_is_never_the_one_that_all_are_told_is_to_receive_the_child(
    mottaker: str | None, avsender: str | None, told: str
) -> None:
    assert receiver(mottaker, avsender) == told
