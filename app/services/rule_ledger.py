"""What rules count: the lines of a campus's log about each person, and who meets a badge's rule."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.db.activities import ActivityStore
from app.db.activity_log import ActivityLogStore
from app.db.awards import AwardRecord, AwardStore
from app.db.badges import BadgeStore
from app.db.people import PeopleStore
from app.domain.awards import Award
from app.domain.badge_rules import CountedLine, Progress, Rule, counted_line, rule_of
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus import Campus
from app.domain.clock import Clock
from app.domain.log_facts import PARTICIPATION
from app.domain.people import Person
from app.errors import NotFound
from app.language import N_

NEAR = 50
"""How many of those who are not there yet are named, the nearest first."""

Lines = dict[uuid.UUID, list[CountedLine]]
"""By person."""


class Why(StrEnum):
    """Why an award rests on a line."""

    ACTIVITY = "activity"
    """It is of the activity that the badge was given for."""
    RULE = "rule"
    CHOSEN = "chosen"
    """Whoever gave the badge chose it."""


@dataclass(frozen=True)
class Standing:
    """Where one person stands; `held` is the badge, where they have it already."""

    person: Person
    progress: Progress
    held: Award | None = None


@dataclass(frozen=True)
class Roll:
    """Everybody of whom the log says something, against the rule of one badge."""

    badge: Badge
    version: BadgeVersion
    rule: Rule
    ready: Sequence[Standing]
    near: Sequence[Standing]
    held: int
    others: int
    """Who have begun and are not named among the nearest."""


class RuleLedger:
    def __init__(
        self,
        log: ActivityLogStore,
        activities: ActivityStore,
        badges: BadgeStore,
        awards: AwardStore,
        people: PeopleStore,
        clock: Clock,
    ) -> None:
        self.log = log
        self.activities = activities
        self.badges = badges
        self.awards = awards
        self.people = people
        self.clock = clock

    def lines_of(self, campus: Campus, person_ids: Iterable[uuid.UUID] | None = None) -> Lines:
        """What the campus's logs say now of each of these people, or of everybody: corrected lines as they were corrected.

        An activity that campuses organise together stands in the log of each that agreed.
        """
        wanted = None if person_ids is None else list(person_ids)
        newest: dict[uuid.UUID, tuple[uuid.UUID, CountedLine | None]] = {}
        for log in self.log.list_of(campus.id):
            for said in self.log.said_of_people(log.id, PARTICIPATION, wanted):
                number = said.number if log.closed_at is None else None
                newest[said.noun_id] = said.about_id, counted_line(said.noun_id, number, said.facts)
        found: Lines = {}
        for person_id, line in newest.values():
            if line is not None:
                found.setdefault(person_id, []).append(line)
        return found

    def today(self, campus: Campus) -> date:
        return self.clock().astimezone(ZoneInfo(campus.time_zone)).date()

    def progress(self, campus: Campus, version: BadgeVersion, person_id: uuid.UUID) -> Progress | None:
        """How far somebody is; None where the badge has no rule."""
        rule = rule_of(version.rule)
        if rule is None:
            return None
        lines = self.lines_of(campus, [person_id]).get(person_id, ())
        return rule.progress(lines, today=self.today(campus))

    def ways_ahead(self, campus: Campus, person_id: uuid.UUID) -> list[tuple[Badge, BadgeVersion, Progress]]:
        """The campus's badges with a rule that somebody does not hold yet, those they are nearest to first."""
        ruled = [
            (badge, version, rule)
            for badge, version in self.badges.list_current(campus.id)
            if badge.archived_at is None
            and (rule := rule_of(version.rule)) is not None
            and person_id not in self.awards.held(badge, [person_id], None)
        ]
        if not ruled:
            return []
        lines, today = self.lines_of(campus, [person_id]).get(person_id, ()), self.today(campus)
        told = [(badge, version, rule.progress(lines, today=today)) for badge, version, rule in ruled]
        return sorted(told, key=lambda one: (-one[2].share, one[1].name))

    def why(self, record: AwardRecord, participation_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Why]:
        """Of each participation that an award rests on, why it does."""
        rule = rule_of(record.version.rule)
        there = self.activities.activities_of(participation_ids)
        day = record.award.awarded_at.astimezone(ZoneInfo(record.campus.time_zone)).date()
        lines = {
            line.participation_id: line
            for line in self.lines_of(record.campus, [record.award.person_id]).get(record.award.person_id, ())
        }
        found = {}
        for one in participation_ids:
            line = lines.get(one)
            if one in there and there[one].id == record.award.activity_id:
                found[one] = Why.ACTIVITY
            elif rule is not None and line is not None and rule.counts(line, today=day):
                found[one] = Why.RULE
            else:
                found[one] = Why.CHOSEN
        return found

    def roll(self, campus: Campus, badge_id: uuid.UUID) -> Roll:
        badge = self.badges.get(badge_id)
        if badge.campus_id != campus.id:
            raise NotFound(N_("Ce badge n’existe pas ici."))
        version = self.badges.current_version(badge.id)
        rule = rule_of(version.rule)
        if rule is None:
            raise NotFound(N_("Ce badge n’a pas de règle."))
        today = self.today(campus)
        begun = {
            person_id: progress
            for person_id, lines in self.lines_of(campus).items()
            if (progress := rule.progress(lines, today=today)).lines
        }
        held = self.awards.held(badge, list(begun), None)
        there = [person_id for person_id, each in begun.items() if each.is_met and person_id not in held]
        behind = sorted(
            (person_id for person_id, each in begun.items() if not each.is_met and person_id not in held),
            key=lambda person_id: (-begun[person_id].share, person_id.hex),
        )
        people = {person.id: person for person in self.people.list_by_id([*there, *behind[:NEAR]])}
        return Roll(
            badge,
            version,
            rule,
            sorted((Standing(people[one], begun[one]) for one in there if one in people), key=_by_name),
            [Standing(people[one], begun[one]) for one in behind[:NEAR] if one in people],
            len(held),
            max(0, len(behind) - NEAR),
        )


def _by_name(standing: Standing) -> tuple[str, str, str]:
    person = standing.person
    return person.family_name.casefold(), person.given_name.casefold(), person.id.hex
