"""Ratings: the lower bound that ranks badges, and what a sentence may contain."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.learners.ratings import (
    FEWEST_RATINGS,
    Distribution,
    checked_score,
    checked_sentence,
    school_year,
    wilson_bound,
)
from app.errors import InvalidInput


@given(st.integers(0, 500), st.integers(1, 500))
def test_bound_lies_between_zero_and_the_share(favourable: int, more: int):
    total = favourable + more
    assert 0 <= wilson_bound(favourable, total) <= favourable / total + 1e-9


@given(st.integers(1, 200), st.integers(0, 200), st.integers(2, 20))
def test_bound_grows_with_the_number_of_ratings_of_one_share(useful: int, other: int, times: int):
    few, many = (
        wilson_bound(useful, useful + other),
        wilson_bound(useful * times, (useful + other) * times),
    )
    assert few < many


def test_known_bounds():
    assert wilson_bound(0, 0) == 0
    assert wilson_bound(10, 10) == pytest.approx(0.7225, abs=1e-3)
    assert wilson_bound(60, 64) == pytest.approx(0.850, abs=1e-3)


def test_a_badge_with_too_few_ratings_has_no_rank():
    assert Distribution([0, 0, 0, 0, FEWEST_RATINGS - 1]).bound == 0
    assert Distribution([0, 0, 0, 0, FEWEST_RATINGS]).bound > 0
    assert Distribution([1, 0, 0, 0, 1]).mean == 3


@given(st.text(max_size=300))
def test_a_sentence_is_one_line_without_addresses_or_is_refused(written: str):
    try:
        sentence = checked_sentence(written)
    except InvalidInput:
        return
    assert "\n" not in sentence
    assert "@" not in sentence
    assert "://" not in sentence
    assert len(sentence) <= 200


def test_a_score_is_one_to_five():
    assert [checked_score(str(score)) for score in range(1, 6)] == [1, 2, 3, 4, 5]
    for written in ("", "0", "6", "4.5", "²", "11", "-1"):
        with pytest.raises(InvalidInput):
            checked_score(written)


def test_a_school_year_begins_in_september():
    assert school_year(date(2026, 8, 31)) == 2025
    assert school_year(date(2026, 9, 1)) == 2026
