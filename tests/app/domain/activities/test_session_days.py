"""The days of a series, said at once: by a rhythm that ends, one by one, or both."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.activities.days_as_written import Rhythm, days_in, days_of
from app.errors import InvalidInput

FIRST = date(2026, 11, 24)


def test_every_week_until_a_day_counts_that_day() -> None:
    until = Rhythm(7, until=date(2026, 12, 8))
    assert days_of(FIRST, until) == [FIRST, date(2026, 12, 1), date(2026, 12, 8)]
    assert days_of(FIRST, Rhythm(7, times=2, until=date(2026, 12, 8))) == [FIRST, date(2026, 12, 1)]


def test_days_said_one_by_one_join_those_of_the_rhythm_once() -> None:
    others = [date(2026, 12, 1), date(2026, 11, 26)]
    assert days_of(FIRST, Rhythm(7, times=2), others) == [FIRST, date(2026, 11, 26), date(2026, 12, 1)]


@pytest.mark.parametrize(
    "rhythm",
    [Rhythm(7), Rhythm(7, times=0), Rhythm(7, times=61), Rhythm(1, until=date(9999, 12, 31)), Rhythm(7, until=date(2026, 11, 1))],
)  # fmt: skip
def test_a_rhythm_that_never_ends_or_ends_too_soon_is_refused(rhythm: Rhythm) -> None:
    with pytest.raises(InvalidInput):
        days_of(FIRST, rhythm)


def test_days_are_read_as_people_write_them() -> None:
    assert days_in("8 décembre, 15/12\n05/01/2027 ; mardi 12 janvier", after=FIRST) == [
        date(2026, 12, 8),
        date(2026, 12, 15),
        date(2027, 1, 5),
        date(2027, 1, 12),
    ]


@pytest.mark.parametrize("word", ["31/02/2027", "demain", "🎈", "99", "x" * 2000])
def test_a_day_that_cannot_be_read_is_named(word: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        days_in(f"8 décembre\n{word}", after=FIRST)
    assert refused.value.values["word"] == word[:40]
