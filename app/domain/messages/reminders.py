"""Who is reminded of a badge they have not claimed, when, and how often: twice at most, and never who asked not to be."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.awards.awards import Award
from app.domain.messages.letters import Occasion, PromisedLetter, letter_about

BETWEEN_REMINDERS = timedelta(days=6)
"""Nobody is written to more often, however many badges wait for them."""


@dataclass(frozen=True)
class Turn:
    """A reminder leaves between `after` and `until` since the letter it reminds of; later it is not worth it."""

    occasion: Occasion
    after: timedelta
    until: timedelta


TURNS = (
    Turn(Occasion.FIRST_REMINDER, timedelta(days=7), timedelta(days=28)),
    Turn(Occasion.SECOND_REMINDER, timedelta(days=30), timedelta(days=60)),
)


@dataclass(frozen=True)
class Waiting:
    """An award that nobody claimed, and the address that was told of it."""

    award: Award
    address: str
    occasion: Occasion


def grouped(waiting: Iterable[Waiting], *, at: datetime) -> list[PromisedLetter]:
    """One envelope for everything one person has to claim from one campus at one address."""
    envelopes: dict[tuple[uuid.UUID, uuid.UUID, str], list[PromisedLetter]] = {}
    for each in waiting:
        letters = envelopes.setdefault(
            (each.award.campus_id, each.award.person_id, each.address.casefold()), []
        )
        if any(letter.award_id == each.award.id for letter in letters):
            continue
        letter = letter_about(each.award, each.address, each.occasion, at=at)
        letter.envelope = letters[0].id if letters else letter.id
        letters.append(letter)
    return [letter for letters in envelopes.values() for letter in letters]
