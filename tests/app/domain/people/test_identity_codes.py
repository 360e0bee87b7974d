"""Six digits belong to one award for ten minutes, and nobody makes a ticket of their own."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domain.people import LIFE, are_digits, digits_of, is_living_ticket, new_ticket

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
SECRET = b"s" * 32
AWARD = uuid.uuid4()


def test_a_ticket_lives_for_ten_minutes_and_for_its_award_alone():
    ticket = new_ticket(SECRET, AWARD, at=NOON)
    assert is_living_ticket(SECRET, ticket, AWARD, at=NOON + LIFE - timedelta(seconds=1))
    assert not is_living_ticket(SECRET, ticket, AWARD, at=NOON + LIFE)
    assert not is_living_ticket(SECRET, ticket, uuid.uuid4(), at=NOON)
    assert not is_living_ticket(b"t" * 32, ticket, AWARD, at=NOON)


@given(st.integers(0, 62), st.sampled_from("AZaz09-_"))
def test_a_ticket_with_one_sign_changed_is_none(place: int, sign: str):
    ticket = new_ticket(SECRET, AWARD, at=NOON)
    changed = ticket[:place] + sign + ticket[place + 1 :]
    assert (changed == ticket) == is_living_ticket(SECRET, changed, AWARD, at=NOON)


@given(st.text(max_size=300))
def test_anything_else_is_no_ticket(text: str):
    assert not is_living_ticket(SECRET, text, AWARD, at=NOON)


def test_digits_are_taken_however_they_are_spaced_and_differ_by_ticket():
    ticket = new_ticket(SECRET, AWARD, at=NOON)
    digits = digits_of(SECRET, ticket)
    assert len(digits) == 7
    assert are_digits(SECRET, ticket, f"  {digits.replace(' ', '-')} ")
    assert not are_digits(SECRET, ticket, digits[:-1])
    others = {digits_of(SECRET, new_ticket(SECRET, AWARD, at=NOON)) for _ in range(20)}
    assert len(others) > 10
