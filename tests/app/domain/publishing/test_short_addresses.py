"""A short address leads back to its award, however it was typed."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.publishing import ids_of_code, short_code

ids = st.uuids(version=4)


@given(ids)
def test_it_leads_back_to_the_number_it_was_made_of(award_id: uuid.UUID):
    found = ids_of_code(short_code(award_id))
    assert found is not None
    first, last = found
    assert first <= award_id <= last


@given(ids, ids)
def test_numbers_that_begin_otherwise_are_outside(one: uuid.UUID, other: uuid.UUID):
    found = ids_of_code(short_code(one))
    assert found is not None
    assert (found[0] <= other <= found[1]) == (one.int >> 68 == other.int >> 68)


@given(ids)
def test_small_letters_missing_hyphens_and_misread_digits_do_no_harm(award_id: uuid.UUID):
    code = short_code(award_id)
    typed = code.replace("-", " ").replace("0", "o").replace("1", "l").lower()
    assert ids_of_code(typed) == ids_of_code(code)
    assert ids_of_code(code.replace("-", "")) == ids_of_code(code)
    assert ids_of_code(f"{code}).") == ids_of_code(code)


@pytest.mark.parametrize("code", ["", "K7QM-29XF", "K7QM-29XF-4R8T-9", "K7QM-29XF-4R8U", "é" * 12, "-" * 12])
def test_what_cannot_be_one_is_none(code: str):
    assert ids_of_code(code) is None
