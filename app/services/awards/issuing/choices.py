"""The lines of the log that a giver may choose from: those of whoever is ready, by activity, or one by one for one person."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from app.db.activities.activities import ActivityStore
from app.domain.activities.activities import Activity, PartKind
from app.domain.badges.rules import CountedLine
from app.services.awards.issuing.cases import JudgedLine, Preview
from app.services.awards.rule_ledger import RuleLedger

MOST_OFFERED = 60


@dataclass(frozen=True)
class OfferedLine:
    """`id` is of an activity, or of one person's part in it where there is only one person.

    `is_own`: the activity that the badge is given for, which its credential names whatever is chosen.
    """

    id: uuid.UUID
    title: str
    starts_on: date
    ends_on: date
    people: int
    minutes: int
    part: PartKind | None
    is_chosen: bool
    is_own: bool


class AwardChoices:
    def __init__(self, ledger: RuleLedger, activities: ActivityStore) -> None:
        self.ledger = ledger
        self.activities = activities

    def offered(self, preview: Preview) -> list[OfferedLine]:
        """What most of those who are ready have in common comes first, the latest of as many."""
        ready = {line.person.id: line for line in preview.ready if line.person}
        if not ready:
            return []
        lines = self.ledger.lines_of(preview.campus, ready)
        activities = self.activities.activities_of(
            line.participation_id for some in lines.values() for line in some
        )
        own = preview.activity.id if preview.activity else None
        offered: dict[uuid.UUID, OfferedLine] = {}
        for person_id, some in lines.items():
            chosen = _chosen(ready[person_id])
            for line in some:
                activity = activities.get(line.participation_id)
                if activity is None:
                    continue
                one = _offer(line, activity, alone=len(ready) == 1, own=own, chosen=chosen)
                before = offered.get(one.id)
                offered[one.id] = one if before is None else _together(before, one)
        return sorted(
            offered.values(),
            key=lambda one: (
                not one.is_own,
                not one.is_chosen,
                -one.people,
                -one.starts_on.toordinal(),
                one.title,
            ),
        )[:MOST_OFFERED]


def _chosen(line: JudgedLine) -> set[uuid.UUID]:
    return {each.participation_id for each in line.rests_on or ()}


def _offer(
    line: CountedLine, activity: Activity, *, alone: bool, own: uuid.UUID | None, chosen: set[uuid.UUID]
) -> OfferedLine:
    is_own = activity.id == own
    return OfferedLine(
        line.participation_id if alone else activity.id,
        line.title,
        line.starts_on,
        line.ends_on,
        1,
        line.minutes,
        line.part if alone else None,
        is_own or line.participation_id in chosen,
        is_own,
    )


def _together(one: OfferedLine, other: OfferedLine) -> OfferedLine:
    return replace(
        one,
        people=one.people + other.people,
        minutes=max(one.minutes, other.minutes),
        is_chosen=one.is_chosen or other.is_chosen,
    )


def suggested(offered: Sequence[OfferedLine]) -> frozenset[uuid.UUID]:
    return frozenset(one.id for one in offered if one.is_chosen and not one.is_own)
