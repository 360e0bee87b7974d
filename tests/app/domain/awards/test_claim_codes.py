"""Short codes: read whatever way they are typed, one slip always caught."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.awards import LENGTH, code_of, read_code, shown_code
from app.domain.core import ALPHABET
from app.errors import InvalidInput

SECRET = b"a secret of the tests, long enough"
codes = st.builds(code_of, st.just(SECRET), st.uuids(), st.integers(0, 9), st.integers(0, 3))


@given(code=codes)
def test_a_code_is_read_as_it_is_shown(code: str):
    assert len(code) == LENGTH
    assert read_code(shown_code(code)) == code
    assert read_code(f"  {shown_code(code).lower()} ") == code
    assert read_code(code.replace("0", "o").replace("1", "l")) == code


@given(code=codes, place=st.integers(0, LENGTH - 1), sign=st.sampled_from(ALPHABET))
def test_one_wrong_sign_is_always_caught(code: str, place: int, sign: str):
    typed = code[:place] + sign + code[place + 1 :]
    if typed == code:
        assert read_code(typed) == code
        return
    with pytest.raises(InvalidInput, match="faute de frappe"):
        read_code(typed)


@given(typed=st.text(max_size=30))
def test_anything_else_is_refused_in_words(typed: str):
    try:
        code = read_code(typed)
    except InvalidInput:
        return
    assert read_code(shown_code(code)) == code


def test_a_renewed_link_has_another_code():
    award = uuid.uuid4()
    assert len({code_of(SECRET, award, generation, turn) for generation in (0, 1) for turn in (0, 1)}) == 4
