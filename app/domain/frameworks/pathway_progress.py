"""How far a person is on a pathway: pure, from awards, activities and decisions."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.activities import ActivityKind
from app.domain.frameworks.pathways import (
    ConditionKind,
    PathwayContent,
    PathwayEnrolment,
    ProposalState,
    Stage,
    StageCondition,
    StageState,
)


@dataclass(frozen=True)
class HeldBadge:
    """An award; `levels` by competency, 0 where it attests none."""

    award_id: uuid.UUID
    badge_id: uuid.UUID
    awarded_at: datetime
    levels: Mapping[uuid.UUID, int] = field(default_factory=dict)
    valid_until: datetime | None = None
    suspended_until: datetime | None = None
    is_revoked: bool = False

    def counts(self, at: datetime) -> bool:
        is_suspended = self.suspended_until is not None and at < self.suspended_until
        is_over = self.valid_until is not None and self.valid_until <= at
        return not (self.is_revoked or is_suspended or is_over)


@dataclass(frozen=True)
class AttendedActivity:
    """Or a confirmed contribution (`is_contribution`): its hours count, it is no activity attended.

    `kind` is None for a contribution to no activity.
    """

    participation_id: uuid.UUID
    kind: ActivityKind | None
    minutes: int
    at: datetime
    is_contribution: bool = False


@dataclass(frozen=True)
class StageDecision:
    stage: str
    at: datetime
    note: str = ""


@dataclass(frozen=True)
class PathwayFacts:
    """What is known of one person: order and repetition do not matter."""

    badges: Sequence[HeldBadge] = ()
    activities: Sequence[AttendedActivity] = ()
    decisions: Sequence[StageDecision] = ()


@dataclass(frozen=True)
class ConditionProgress:
    """`reached` in the unit of `least`, minutes for hours. `evidence`: awards and participations."""

    condition: StageCondition
    reached: int
    met_at: datetime | None
    evidence: tuple[uuid.UUID, ...] = ()

    @property
    def is_met(self) -> bool:
        return self.met_at is not None


@dataclass(frozen=True)
class StageProgress:
    """`since`: when it was reached, or became possible; None if it was possible from the beginning.

    `is_needed`: neither optional nor an alternative to a stage that was reached.
    """

    stage: Stage
    state: StageState
    since: datetime | None
    conditions: tuple[ConditionProgress, ...]
    is_needed: bool = True


@dataclass(frozen=True)
class PathwayProgress:
    stages: tuple[StageProgress, ...]

    @property
    def is_complete(self) -> bool:
        return all(each.state is StageState.DONE for each in self.stages if each.is_needed)

    @property
    def done(self) -> int:
        return sum(each.state is StageState.DONE for each in self.stages)

    @property
    def next(self) -> StageProgress | None:
        """The first needed stage that is possible now, else an optional one."""
        possible = [each for each in self.stages if each.state is StageState.OPEN]
        return next((each for each in possible if each.is_needed), possible[0] if possible else None)

    @property
    def evidence(self) -> set[uuid.UUID]:
        done = (each for each in self.stages if each.state is StageState.DONE)
        return {one for each in done for condition in each.conditions for one in condition.evidence}


def progress_of(content: PathwayContent, facts: PathwayFacts, *, at: datetime) -> PathwayProgress:
    """Pure: a stage is reached when its conditions are met, whichever came first."""
    steps = {
        each.key: tuple(_progress(one, each.key, facts, at) for one in each.conditions)
        for each in content.stages
    }
    done = {key: _all_met(found) for key, found in steps.items()}
    passed = {each.key: _first(done[one.key] for one in content.together(each)) for each in content.stages}
    found = []
    for stage in content.stages:
        since: datetime | None
        reached = done[stage.key]
        before = [passed[key] for key in stage.after if key in passed]
        if reached is not None:
            state, since = StageState.DONE, reached
        elif all(before):
            state, since = StageState.OPEN, max(filter(None, before), default=None)
        else:
            state, since = StageState.LATER, None
        by_other = stage.choice and reached is None and passed[stage.key] is not None
        found.append(
            StageProgress(stage, state, since, steps[stage.key], not (stage.is_optional or by_other))
        )
    return PathwayProgress(tuple(found))


def _all_met(found: Sequence[ConditionProgress]) -> datetime | None:
    days = [each.met_at for each in found]
    return max(day for day in days if day is not None) if days and all(days) else None


def _first(days: Iterable[datetime | None]) -> datetime | None:
    return min((day for day in days if day is not None), default=None)


def _progress(condition: StageCondition, stage: str, facts: PathwayFacts, at: datetime) -> ConditionProgress:
    match condition.kind:
        case ConditionKind.BADGES:
            firsts: dict[uuid.UUID, HeldBadge] = {}
            wanted = {each.id for each in condition.badges}
            for held in sorted(facts.badges, key=lambda each: (each.awarded_at, each.award_id)):
                if held.badge_id in wanted and held.counts(at):
                    firsts.setdefault(held.badge_id, held)
            return _counted(condition, [(held.awarded_at, held.award_id) for held in firsts.values()])
        case ConditionKind.COMPETENCY:
            wanted_id = condition.competency.id if condition.competency else None
            attesting = sorted(
                (held.awarded_at, held.award_id)
                for held in facts.badges
                if held.counts(at) and held.levels.get(wanted_id, -1) >= condition.least  # type: ignore[arg-type]
            )
            level = max(
                (held.levels.get(wanted_id, 0) for held in facts.badges if held.counts(at)),  # type: ignore[arg-type]
                default=0,
            )
            return ConditionProgress(
                condition,
                level,
                attesting[0][0] if attesting else None,
                (attesting[0][1],) if attesting else (),
            )
        case ConditionKind.HOURS:
            return _hours(condition, facts.activities)
        case ConditionKind.ACTIVITIES:
            return _counted(
                condition,
                sorted(
                    (each.at, each.participation_id)
                    for each in _matching(condition, facts.activities)
                    if not each.is_contribution
                ),
            )
        case ConditionKind.DECISION:
            decided = [each.at for each in facts.decisions if each.stage == stage]
            return ConditionProgress(condition, len(decided[:1]), _first(decided))


def _matching(condition: StageCondition, activities: Iterable[AttendedActivity]) -> list[AttendedActivity]:
    each_once = {each.participation_id: each for each in activities}
    return [each for each in each_once.values() if not condition.kinds or each.kind in condition.kinds]


def _counted(condition: StageCondition, found: Sequence[tuple[datetime, uuid.UUID]]) -> ConditionProgress:
    """`found` in order of time."""
    met = found[condition.least - 1][0] if len(found) >= condition.least else None
    return ConditionProgress(condition, len(found), met, tuple(one for _, one in found))


def _hours(condition: StageCondition, activities: Iterable[AttendedActivity]) -> ConditionProgress:
    reached = 0
    met: datetime | None = None
    counted = sorted(
        (each for each in _matching(condition, activities) if each.minutes > 0),
        key=lambda each: (each.at, each.participation_id),
    )
    for each in counted:
        reached += each.minutes
        if met is None and reached >= condition.least * 60:
            met = each.at
    return ConditionProgress(condition, reached, met, tuple(each.participation_id for each in counted))


def note_progress(
    enrolment: PathwayEnrolment, progress: PathwayProgress, *, holds_badge: bool, at: datetime
) -> None:
    """A complete pathway is proposed once; a declined proposal stays declined until it is reopened."""
    if holds_badge:
        enrolment.proposal = ProposalState.AWARDED
        return
    if enrolment.proposal is ProposalState.AWARDED:
        enrolment.proposal, enrolment.proposed_at = ProposalState.NONE, None
    if progress.is_complete and enrolment.proposal is ProposalState.NONE:
        enrolment.proposal, enrolment.proposed_at = ProposalState.WAITING, at
    elif not progress.is_complete and enrolment.proposal is ProposalState.WAITING:
        enrolment.proposal, enrolment.proposed_at = ProposalState.NONE, None
