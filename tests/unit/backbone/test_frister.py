"""Dates by the Norwegian calendar: working days, calendar months, and the two nights the clock is moved."""

from datetime import date, timedelta

import pytest

from backbone.frister import is_working_day, local_date, midnight, months_after, passed, working_days_after


@pytest.mark.parametrize(
    ("start", "months", "then"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 31), 6, date(2027, 6, 30)),
        (date(2026, 3, 2), 3, date(2026, 6, 2)),
        (date(2026, 2, 28), 1, date(2026, 3, 28)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 1, 15), -13, date(2024, 12, 15)),
    ],
)
def test_a_month_is_a_calendar_month(start: date, months: int, then: date) -> None:
    assert months_after(start, months) == then


@pytest.mark.parametrize(
    ("start", "days", "then"),
    [
        (date(2026, 4, 1), 1, date(2026, 4, 7)),  # Wednesday before Easter 2026: Tuesday after
        (date(2026, 5, 13), 1, date(2026, 5, 15)),  # Ascension Day is the 14th
        (date(2027, 5, 14), 1, date(2027, 5, 18)),  # 17 May 2027 is both national day and Whit Monday
        (date(2028, 5, 16), 1, date(2028, 5, 18)),  # 17 May on a Wednesday
        (date(2026, 12, 23), 2, date(2026, 12, 28)),  # the 24th counts, Christmas Day and the weekend don't
        (date(2026, 12, 31), 1, date(2027, 1, 4)),
        (date(2026, 3, 27), 1, date(2026, 3, 30)),  # summer time begins on the 29th
        (date(2026, 10, 23), 1, date(2026, 10, 26)),  # and ends on the 25th
        (date(2026, 3, 2), 0, date(2026, 3, 2)),
    ],
)
def test_working_days_leave_out_weekends_and_public_holidays(start: date, days: int, then: date) -> None:
    assert working_days_after(start, days) == then


def test_each_working_day_is_reached_by_one_more_day() -> None:
    year = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    working = [day for day in year if is_working_day(day)]
    assert [working_days_after(date(2025, 12, 31), n + 1) for n in range(len(working))] == working


@pytest.mark.parametrize(
    "day", [date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 24), date(2026, 10, 25)]
)
def test_a_date_ends_at_norwegian_midnight_also_when_the_clock_is_moved(day: date) -> None:
    assert local_date(passed(day)) == day + timedelta(days=1)
    assert local_date(passed(day) - timedelta(microseconds=1)) == day
    assert local_date(midnight(day)) == day
