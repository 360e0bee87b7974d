"""Who takes part: lines judged before anything is written."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.campus import Campus
from app.domain.participant_lists import ListedPerson, tidy, without_repeats
from app.services.activities import ActivityService, fault_of


class Entry(StrEnum):
    """What recording would make of one line."""

    NEW = "new"
    THERE = "there"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True)
class CheckedLine:
    line: ListedPerson
    entry: Entry
    sentence: str = ""
    """Why it is refused: French, for the catalogues."""


class ParticipantService:
    def __init__(self, activity_service: ActivityService) -> None:
        self.activity_service = activity_service

    def check(
        self, campus: Campus, activity_id: uuid.UUID, lines: Sequence[ListedPerson]
    ) -> list[CheckedLine]:
        """Every line judged as `record` would, in the order given; nothing is written."""
        activity = self.activity_service.get(campus, activity_id)
        kept, repeated = without_repeats([tidy(line) for line in lines])
        known = self.activity_service.known(activity, kept)
        checked = [CheckedLine(line, Entry.REPEATED) for line in repeated]
        seen: set[uuid.UUID] = set()
        for line in kept:
            fault = fault_of(line)
            participation, person = known.get(line.line_key, (None, None))
            if fault is not None:
                checked.append(CheckedLine(line, Entry.REFUSED, fault.sentence))
            elif person is not None and person.id in seen:
                checked.append(CheckedLine(line, Entry.REPEATED))
            else:
                checked.append(CheckedLine(line, Entry.THERE if participation else Entry.NEW))
            if person is not None:
                seen.add(person.id)
        return sorted(checked, key=lambda one: one.line.line)
