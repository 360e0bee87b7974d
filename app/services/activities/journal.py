"""The journal of one activity: what the campus's log says of it, the latest first, and what people say is wrong."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.activities.activities import ActivityStore
from app.db.activities.activity_files import ActivityFileStore
from app.db.activity_log.activity_log import ActivityLogStore
from app.db.activity_log.disputes import LogDisputeStore
from app.domain.activity_log.activity_log import EntryKind
from app.domain.activity_log.artefact_facts import ARTEFACT
from app.domain.activity_log.disputes import LogDispute
from app.domain.activity_log.facts import PARTICIPATION
from app.domain.campus.campus import Campus

LATEST = 200


@dataclass(frozen=True)
class JournalLine:
    """`replaced` once a later line corrects it; `who` is empty where the person was forgotten.

    `participation_id` is None for a line about a photo or a file.
    """

    number: int
    kind: EntryKind
    at: datetime
    participation_id: uuid.UUID | None
    who: str
    facts: Mapping[str, object]
    replaced: bool
    disputes: Sequence[LogDispute]


@dataclass(frozen=True)
class Journal:
    lines: Sequence[JournalLine]
    total: int

    @property
    def open_disputes(self) -> list[tuple[JournalLine, LogDispute]]:
        return [(line, each) for line in self.lines for each in line.disputes if each.answered_at is None]

    @property
    def version(self) -> str:
        """Changes whenever something is to be seen anew."""
        answered = sum(1 for line in self.lines for each in line.disputes if each.answered_at)
        return f"{self.total}-{sum(len(line.disputes) for line in self.lines)}-{answered}"


class ActivityJournal:
    def __init__(
        self,
        store: ActivityLogStore,
        disputes: LogDisputeStore,
        activities: ActivityStore,
        pieces: ActivityFileStore,
    ) -> None:
        self.store = store
        self.disputes = disputes
        self.activities = activities
        self.pieces = pieces

    def of(self, campus: Campus, activity_id: uuid.UUID) -> Journal:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        log = self.store.find(campus.id)
        if log is None:
            return Journal((), 0)
        there = self.activities.participants(activity.id, with_absent=True)
        names = {participation.id: person.name for participation, person in there}
        told = [
            *self.store.payloads_of(PARTICIPATION, list(names)),
            *self.store.payloads_of(ARTEFACT, self.pieces.ever_of(activity.id)),
        ]
        payloads = [each for each in told if each.log_id == log.id]
        latest = sorted(payloads, key=lambda each: each.number, reverse=True)
        # A line that is in dispute is shown however long ago it was written.
        said = self.disputes.about(log.id, [each.number for each in latest])
        disputed = {each.number for each in said}
        chosen = [each for at, each in enumerate(latest) if at < LATEST or each.number in disputed]
        newest: dict[uuid.UUID, int] = {}
        for each in payloads:
            newest[each.noun_id] = max(newest.get(each.noun_id, -1), each.number)
        entries = {
            entry.number: entry for entry in self.store.numbered(log.id, [each.number for each in chosen])
        }
        lines = [
            JournalLine(
                each.number,
                entries[each.number].kind,
                entries[each.number].at,
                each.noun_id if each.noun == PARTICIPATION else None,
                names.get(each.noun_id, ""),
                each.facts,
                newest[each.noun_id] != each.number,
                [one for one in said if one.number == each.number],
            )
            for each in chosen
        ]
        return Journal(lines, len(payloads))
