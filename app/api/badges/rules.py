"""The rule of a badge, and how far people are, as programs write and read them."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from app.api.shapes import Shape, example
from app.domain.activities.activities import ActivityKind, PartKind
from app.domain.badges.badges import BadgeVersion
from app.domain.badges.rule_words import missing_words, rule_words, step_words
from app.domain.badges.rules import MOST_CONDITIONS, MOST_MONTHS, Measure, Rule, rule_of
from app.services.awards.rule_ledger import Roll, Standing

RULE: dict[str, Any] = {
    "any": [
        {
            "all": [
                {"measure": "activities", "least": 3, "kinds": ["workshop"]},
                {"measure": "hours", "least": 720},
            ]
        }
    ],
    "period": {},
}


class CompetencyShape(Shape):
    id: uuid.UUID
    name: str = Field(min_length=1, max_length=300)


class ConditionShape(Shape):
    """At least so many activities, minutes or confirmed contributions: of these kinds, in that part, practising that competency."""

    measure: Measure
    least: int = Field(ge=1, description="Activities or contributions, or minutes where hours are counted.")
    kinds: list[ActivityKind] = Field([], max_length=5)
    part: PartKind | None = None
    competency: CompetencyShape | None = None


class WayShape(Shape):
    all: list[ConditionShape] = Field(min_length=1, max_length=MOST_CONDITIONS)


class PeriodShape(Shape):
    """Days, both included, or the last so many months."""

    from_: date | None = Field(None, alias="from")
    to: date | None = None
    months: int | None = Field(None, ge=1, le=MOST_MONTHS)


class RuleShape(Shape):
    """Any of these ways leads to the badge, each of them with all of its conditions."""

    model_config = example(**RULE)
    any: list[WayShape] = Field(min_length=1, max_length=MOST_CONDITIONS)
    period: PeriodShape = Field(default_factory=PeriodShape)

    def rule(self) -> Rule:
        return Rule.from_document(self.model_dump(mode="json", by_alias=True))

    @staticmethod
    def of(version: BadgeVersion) -> RuleShape | None:
        rule = rule_of(version.rule)
        return RuleShape.model_validate(rule.to_document()) if rule else None


class StepView(BaseModel):
    measure: Measure
    reached: int
    least: int
    in_words: str


class StandingView(BaseModel):
    """Along the way that the person is nearest on."""

    person: uuid.UUID
    given_name: str
    family_name: str
    is_met: bool
    steps: list[StepView]
    missing: str

    @staticmethod
    def of(one: Standing) -> StandingView:
        nearest = one.progress.nearest
        return StandingView(
            person=one.person.id,
            given_name=one.person.given_name,
            family_name=one.person.family_name,
            is_met=one.progress.is_met,
            steps=[
                StepView(
                    measure=step.condition.measure,
                    reached=step.reached,
                    least=step.condition.least,
                    in_words=step_words(step),
                )
                for step in nearest
            ],
            missing=missing_words(nearest),
        )


class ProgressView(BaseModel):
    """`others` have begun and are not listed; `held` have the badge already.

    Of those who are there 500 are listed; `waiting` seem to be there too, and are listed once those have the badge.
    """

    model_config = example(
        rule_in_words="3 ateliers et 12 h",
        ready=[],
        near=[
            {
                "person": "5f7b0d4e-6e0b-4f3e-9c53-0d7c0e2f0b11",
                "given_name": "Anne-Gaëlle",
                "family_name": "Le Bœuf",
                "is_met": False,
                "steps": [
                    {"measure": "activities", "reached": 2, "least": 3, "in_words": "2 sur 3 ateliers"},
                    {"measure": "hours", "reached": 720, "least": 720, "in_words": "12 h"},
                ],
                "missing": "un atelier",
            }
        ],
        others=12,
        held=4,
        waiting=0,
    )
    rule_in_words: str
    ready: list[StandingView]
    near: list[StandingView]
    others: int
    held: int
    waiting: int

    @staticmethod
    def of(roll: Roll) -> ProgressView:
        return ProgressView(
            rule_in_words=rule_words(roll.rule),
            ready=[StandingView.of(one) for one in roll.ready],
            near=[StandingView.of(one) for one in roll.near],
            others=roll.others,
            held=roll.held,
            waiting=roll.waiting,
        )


def in_words(version: BadgeVersion) -> str:
    rule = rule_of(version.rule)
    return rule_words(rule) if rule else ""
