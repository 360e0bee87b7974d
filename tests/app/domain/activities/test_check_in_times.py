"""Which signatures of a phone without network are accepted, and at what time they are recorded."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities.check_in import (
    LATE,
    PROMPT,
    TICKET_LIFE,
    CheckIn,
    CheckInClosed,
    OldTicket,
    Ticket,
    check_in_time,
    close_check_in,
    is_late,
    open_check_in,
    time_made,
)

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECONDS = st.integers(0, 12 * 3600).map(lambda seconds: timedelta(seconds=seconds))


def a_room(closed_after: timedelta | None) -> CheckIn:
    room = CheckIn(activity_id=uuid.uuid4(), campus_id=uuid.uuid4(), opened_at=NOON, closes_at=NOON)
    open_check_in(room, sign="ABC", capacity=None, at=NOON)
    if closed_after is not None:
        close_check_in(room, at=NOON + closed_after)
    return room


@given(
    scanned=st.integers(0, 3600).map(lambda seconds: timedelta(seconds=seconds)),
    elapsed=st.none() | SECONDS,
    delay=SECONDS,
    closed=st.none() | SECONDS,
)
def test_accepted_signature_was_made_in_time_whatever_the_phone_claims(
    scanned: timedelta, elapsed: timedelta | None, delay: timedelta, closed: timedelta | None
) -> None:
    ticket, room = Ticket(uuid.uuid4(), "phone", NOON + scanned), a_room(closed)
    at = ticket.given_at + delay
    made = time_made(ticket, elapsed, at=at)
    assert ticket.given_at <= made <= at
    try:
        check_in_time(room, ticket, made, at=at)
    except (CheckInClosed, OldTicket):
        return
    assert made < (room.closed_at or room.closes_at)
    assert made - ticket.given_at <= TICKET_LIFE
    assert at - made <= LATE
    if elapsed is None:
        assert made == at
    assert is_late(room, made, at=at) or at - made < PROMPT


def test_signature_made_just_before_closing_and_received_just_after_is_accepted_and_marked() -> None:
    room = a_room(timedelta(minutes=10))
    ticket = Ticket(uuid.uuid4(), "phone", NOON + timedelta(minutes=9))
    at = NOON + timedelta(minutes=10, seconds=20)
    made = time_made(ticket, timedelta(seconds=45), at=at)
    check_in_time(room, ticket, made, at=at)
    assert is_late(room, made, at=at)
