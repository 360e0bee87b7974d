"""What the log counts for somebody in the giving of one badge: how far they are, and the lines it would rest on."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.db.activities.activities import ActivityStore
from app.domain.activities.activities import Activity, Participation
from app.domain.activity_log.facts import told_of
from app.domain.badges.rules import CountedLine, Progress, counted_line
from app.services.awards.issuing.cases import Case
from app.services.awards.rule_ledger import Lines, RuleLedger


@dataclass(frozen=True)
class Counted:
    """What was read once for all the people of a promise; `activity_of` names the activity of each line."""

    lines: Lines = field(default_factory=dict)
    activity_of: Mapping[uuid.UUID, uuid.UUID] = field(default_factory=dict)
    practised: Sequence[uuid.UUID] = ()


NOTHING = Counted()


@dataclass(frozen=True)
class Count:
    """Of one person. `rests_on` is None where the participation in the activity is all that counts."""

    progress: Progress | None = None
    rests_on: Sequence[CountedLine] | None = None


class AwardCounting:
    def __init__(self, ledger: RuleLedger, activities: ActivityStore) -> None:
        self.ledger = ledger
        self.activities = activities

    def read(self, case: Case, person_ids: Iterable[uuid.UUID]) -> Counted:
        """Nothing is read for a badge without a rule whose giver chose no lines."""
        if not case.asks_the_log:
            return NOTHING
        lines = self.ledger.lines_of(case.campus, set(person_ids))
        activity_of = {}
        if case.grounds is not None:
            ids = [line.participation_id for some in lines.values() for line in some]
            activity_of = {one: activity.id for one, activity in self.activities.activities_of(ids).items()}
        practised = self.activities.practised_in(case.activity.id) if case.activity else ()
        return Counted(lines, activity_of, practised)

    def count(
        self, case: Case, counted: Counted, person_id: uuid.UUID, participation: Participation | None
    ) -> Count:
        """`participation` as it would be recorded: it counts before the log says it."""
        if not case.asks_the_log:
            return Count()
        lines = _with(counted, counted.lines.get(person_id, ()), case.activity, participation)
        own = participation.id if participation else None
        contributed = [line for line in lines if line.is_contribution]
        if case.grounds is not None:
            lines = [
                line
                for line in lines
                if line.is_contribution or line.participation_id == own or _is_chosen(case, counted, line)
            ]
        if case.rule is None:
            return Count(None, [line for line in lines if not line.is_contribution])
        progress = case.rule.progress(lines, today=self.ledger.today(case.campus))
        if case.grounds is not None:
            # A giver chooses among activities; of contributions, those that the rule counts go with them.
            left_out = {line.participation_id for line in contributed} - {
                line.participation_id for line in progress.lines
            }
            return Count(progress, [line for line in lines if line.participation_id not in left_out])
        kept = {line.participation_id for line in progress.lines} | {own}
        return Count(progress, [line for line in lines if line.participation_id in kept])


def _with(
    counted: Counted,
    lines: Sequence[CountedLine],
    activity: Activity | None,
    participation: Participation | None,
) -> list[CountedLine]:
    if activity is None or participation is None:
        return list(lines)
    others = [line for line in lines if line.participation_id != participation.id]
    own = counted_line(participation.id, None, told_of(activity, participation, counted.practised))
    return [*others, own] if own else others


def _is_chosen(case: Case, counted: Counted, line: CountedLine) -> bool:
    assert case.grounds is not None, "asked only where the giver chose"
    return (
        line.participation_id in case.grounds
        or counted.activity_of.get(line.participation_id) in case.grounds
    )
