"""Promised letters: each promised once, due when their time has come, on both engines."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from app.db.messages import LetterStore
from app.domain.messages import LetterState, Occasion, QueuedMessage, letter_about
from tests.support.app import NOON, App

pytestmark = pytest.mark.both_engines


@pytest.fixture
def letters(app: App) -> Iterator[tuple[LetterStore, list[QueuedMessage]]]:
    """Two letters about two awards, not yet promised."""
    lines = app.award("Zoé Martin;zoe@exemple.fr", "Lucas Bernard;lucas@exemple.fr").lines
    with app.unit_of_work() as services:
        awards = [services.stores.awards.find(line.award_id) for line in lines if line.award_id]
        made = [
            letter_about(
                award, f"{place}@exemple.fr", at=NOON, not_before=NOON + timedelta(minutes=5 * place)
            )
            for place, award in enumerate(awards)
            if award
        ]
        yield services.stores.letters, made


def test_a_letter_promised_twice_is_one_letter(letters):
    store, (first, second) = letters
    store.enqueue_many([first])
    again = letter_about_same(first)
    store.enqueue_many([again, second])
    kept = store.of_awards([first.award_id, second.award_id])
    assert {letter.id for letter in kept} == {first.id, second.id}


def letter_about_same(letter: QueuedMessage) -> QueuedMessage:
    other = uuid.uuid4()
    return QueuedMessage(**{**letter.model_dump(), "id": other, "envelope": other})


def test_a_letter_is_due_when_its_time_has_come_and_not_before(letters):
    store, (now, later) = letters
    store.enqueue_many([later, now])
    assert store.due(NOON, limit=10) == [now.id]
    assert store.due(NOON + timedelta(minutes=5), limit=10) == [now.id, later.id]
    assert store.due(NOON + timedelta(minutes=5), limit=1) == [now.id]


def test_cancelling_touches_only_what_has_not_left(letters):
    store, (first, second) = letters
    second.state = LetterState.SENT
    store.enqueue_many([first, second])
    store.cancel_waiting([first.award_id, second.award_id])
    states = {letter.id: letter.state for letter in store.of_awards([first.award_id, second.award_id])}
    assert states == {first.id: LetterState.CANCELLED, second.id: LetterState.SENT}
    assert store.due(NOON, limit=10) == []


def test_one_award_is_reported_of_once_per_occasion(letters):
    store, (first, _) = letters
    withdrawn = QueuedMessage(
        **{**letter_about_same(first).model_dump(), "once_key": f"{Occasion.WITHDRAWN}/{first.award_id}"}
    )
    store.enqueue_many([first, withdrawn])
    assert len(store.of_awards([first.award_id])) == 2
