"""What rules count: the log entries of a campus per person, and who meets a badge's rule."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.db.activities import ActivityStore
from app.db.activity_log import ActivityLogStore
from app.db.awards import AwardRecord, AwardStore
from app.db.badges import BadgeStore, RuleCountStore
from app.db.people import PeopleStore
from app.domain.activity_log import CONTRIBUTION, PARTICIPATION
from app.domain.awards import Award
from app.domain.badges import Badge, BadgeVersion
from app.domain.badges.rules import CountedLine, Progress, Rule, contributed_line, counted_line, rule_of
from app.domain.campus.campus import Campus
from app.domain.core import Clock, plain_text
from app.domain.people import Person
from app.errors import NotFound

READ_AT_ONCE = 500
"""Eligible people with entries read and shown at once; the next follow when these have the badge."""
NEAR = 50
"""How many people who do not meet the rule yet are named, nearest first."""

Lines = dict[uuid.UUID, list[CountedLine]]
"""By person."""


class RefusalGround(StrEnum):
    """Why an award depends on an entry."""

    ACTIVITY = "activity"
    """It belongs to the activity of the award."""
    RULE = "rule"
    CHOSEN = "chosen"
    """The issuer chose it."""


@dataclass(frozen=True)
class Standing:
    """One person's progress; `held`: the badge, if they already have it."""

    person: Person
    progress: Progress
    held: Award | None = None


@dataclass(frozen=True)
class Roll:
    """Everyone with entries in the log, compared with one badge's rule."""

    badge: Badge
    version: BadgeVersion
    rule: Rule
    ready: Sequence[Standing]
    near: Sequence[Standing]
    held: int
    others: int
    """Number of people who have started but are not among the nearest."""
    waiting: int = 0
    """Number of people probably eligible, read when those above have the badge."""


@dataclass(frozen=True, eq=False)
class RuleLedger:
    log: ActivityLogStore
    activities: ActivityStore
    badges: BadgeStore
    awards: AwardStore
    people: PeopleStore
    counts: RuleCountStore
    clock: Clock

    def lines_of(self, campus: Campus, person_ids: Iterable[uuid.UUID] | None = None) -> Lines:
        """Current log entries of each of these people, or of everyone, with corrections applied.

        A co-organised activity is in the log of every campus that accepted.
        """
        wanted = None if person_ids is None else list(person_ids)
        newest: dict[uuid.UUID, tuple[uuid.UUID, CountedLine | None]] = {}
        for log in self.log.list_of(campus.id):
            for noun, read in ((PARTICIPATION, counted_line), (CONTRIBUTION, contributed_line)):
                for said in self.log.said_of_people(log.id, noun, wanted):
                    number = said.number if log.closed_at is None else None
                    newest[said.noun_id] = said.about_id, read(said.noun_id, number, said.facts)
        found: Lines = {}
        for person_id, line in newest.values():
            if line is not None:
                found.setdefault(person_id, []).append(line)
        return found

    def progress(self, campus: Campus, version: BadgeVersion, person_id: uuid.UUID) -> Progress | None:
        """A person's progress; None if the badge has no rule."""
        rule = rule_of(version.rule)
        if rule is None:
            return None
        lines = self.lines_of(campus, [person_id]).get(person_id, ())
        return rule.progress(lines, today=campus.day_of(self.clock()))

    def ways_ahead(self, campus: Campus, person_id: uuid.UUID) -> list[tuple[Badge, BadgeVersion, Progress]]:
        """The campus's badges with a rule that a person does not hold yet, nearest first."""
        ruled = [
            (badge, version, rule)
            for badge, version in self.badges.list_current(campus.id)
            if badge.archived_at is None
            and (rule := rule_of(version.rule)) is not None
            and person_id not in self.awards.held(badge, [person_id], None)
        ]
        if not ruled:
            return []
        lines, today = self.lines_of(campus, [person_id]).get(person_id, ()), campus.day_of(self.clock())
        standings = [(badge, version, rule.progress(lines, today=today)) for badge, version, rule in ruled]
        return sorted(standings, key=lambda one: (-one[2].share, plain_text(one[1].name)))

    def why(
        self, record: AwardRecord, participation_ids: Collection[uuid.UUID]
    ) -> dict[uuid.UUID, RefusalGround]:
        """Why an award depends on each participation."""
        rule = rule_of(record.version.rule)
        there = self.activities.activities_of(participation_ids)
        day = record.campus.day_of(record.award.awarded_at)
        lines = {
            line.participation_id: line
            for line in self.lines_of(record.campus, [record.award.person_id]).get(record.award.person_id, ())
        }
        found = {}
        for one in participation_ids:
            line = lines.get(one)
            if one in there and there[one].id == record.award.activity_id:
                found[one] = RefusalGround.ACTIVITY
            elif rule is not None and line is not None and rule.counts(line, today=day):
                found[one] = RefusalGround.RULE
            else:
                found[one] = RefusalGround.CHOSEN
        return found

    def roll(self, campus: Campus, badge_id: uuid.UUID) -> Roll:
        badge = self.badges.get_of(campus.id, badge_id)
        version = self.badges.current_version(badge.id)
        rule = rule_of(version.rule)
        if rule is None:
            raise NotFound("Ce badge n’a pas de règle.")
        there, behind, held = self._foreseen(campus, badge, rule)
        shown = [*there[:READ_AT_ONCE], *behind[:NEAR]]
        lines, today = self.lines_of(campus, shown), campus.day_of(self.clock())
        read = {one: rule.progress(lines.get(one, ()), today=today) for one in shown}
        people = {person.id: person for person in self.people.list_by_id(shown)}
        standings = [Standing(people[one], read[one]) for one in shown if one in people and read[one].lines]
        near = sorted((one for one in standings if not one.progress.is_met), key=_nearest_first)
        return Roll(
            badge,
            version,
            rule,
            sorted((one for one in standings if one.progress.is_met), key=_by_name),
            near[:NEAR],
            held,
            max(0, len(behind) - NEAR),
            max(0, len(there) - READ_AT_ONCE),
        )

    def _foreseen(
        self, campus: Campus, badge: Badge, rule: Rule
    ) -> tuple[list[uuid.UUID], list[uuid.UUID], int]:
        """From database sums: who is eligible, who is not (nearest first), and how many hold the badge."""
        today, conditions = campus.day_of(self.clock()), rule.conditions
        counts = [self.counts.counts(campus.id, each, rule, today) for each in conditions]
        begun = {
            person_id: rule.estimated([each.get(person_id, 0) for each in counts])
            for person_id in set().union(*counts)
        }
        begun = {one: each for one, each in begun.items() if any(step.reached for step in each.nearest)}
        held = self.awards.held(badge, list(begun), None)
        before = self.counts.holders(badge.id)
        there = sorted(
            (one for one, each in begun.items() if each.is_met and one not in held),
            key=lambda one: (one in before, one.hex),
        )
        behind = sorted(
            (one for one, each in begun.items() if not each.is_met and one not in held),
            key=lambda one: (-begun[one].share, one.hex),
        )
        return there, behind, len(held)


def _nearest_first(standing: Standing) -> tuple[float, str]:
    return -standing.progress.share, standing.person.id.hex


def _by_name(standing: Standing) -> tuple[str, str]:
    person = standing.person
    return person.listed_as, person.id.hex
