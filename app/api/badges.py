"""Badges of a campus, for programs."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from app.container import Services
from app.domain.activities import ActivityKind, PartKind
from app.domain.badges import BadgeKind, BadgeVersion, Repeat
from app.domain.badges.rules import (
    MOST_CONDITIONS,
    MOST_MONTHS,
    Measure,
    Rule,
    missing_words,
    rule_of,
    rule_words,
    step_words,
)
from app.domain.campus.campus import MOST_LIVELY
from app.domain.frameworks import MOST_ALIGNMENTS, PublicFramework, public_alignment
from app.http.programs import (
    BadgeWriter,
    Day,
    Page,
    Paged,
    Reader,
    Shape,
    UpdatedSince,
    Writing,
    example,
    version_1,
)
from app.services.awards.rule_ledger import Roll, Standing
from app.services.badges import BadgePage, Wording

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
    """Minimum number of activities, minutes or confirmed contributions: of these kinds, in that part,
    practising that competency."""

    measure: Measure
    least: int = Field(ge=1, description="Activities or contributions, or minutes where hours are counted.")
    kinds: list[ActivityKind] = Field([], max_length=10)
    part: PartKind | None = None
    competency: CompetencyShape | None = None


class WayShape(Shape):
    all: list[ConditionShape] = Field(min_length=1, max_length=MOST_CONDITIONS)


class PeriodShape(Shape):
    """Days, both included, or the last months."""

    from_: Day | None = Field(None, alias="from")
    to: Day | None = None
    months: int | None = Field(None, ge=1, le=MOST_MONTHS)


class RuleShape(Shape):
    """The rule is met when any of these ways has all of its conditions met."""

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
    """For the way that the person is closest to completing."""

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

    At most 500 people who meet the rule are listed; `waiting` seem to meet it too, and are listed once those
    have the badge.
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


router = version_1("/campuses/{slug}/badges", route_class=Writing, tags=["badges"])


_WORDING = {
    "kind": "participation",
    "name": "Robotique pour tous",
    "description": "Une première rencontre avec la robotique, au village ressource.",
    "criteria": "La personne a monté un robot et l’a programmé pour suivre une ligne.",
}
_BADGE = "5f7b0d4e-6e0b-4f3e-9c53-0d7c0e2f0b11"
_ADDRESS = f"https://badges.exemple.fr/badges/{_BADGE}"


class AttestedCompetency(Shape):
    """`level` counts from 1, the lowest."""

    id: uuid.UUID
    level: int | None = Field(None, ge=1, le=10)


class PublicAlignmentShape(Shape):
    """An entry of a public framework: `rome`, `rncp`, `rs` or `esco`, by its code and its name there."""

    framework: PublicFramework
    code: str = Field(min_length=1, max_length=200)
    name: str = Field(min_length=1, max_length=200)


class WordingRequest(Shape):
    model_config = example(**_WORDING, language="fr", tags=["robotique"])
    kind: BadgeKind
    name: str = Field(min_length=1, max_length=120)
    description: str = Field(min_length=1, max_length=500)
    criteria: str = Field(
        min_length=1, max_length=8000, description="Markdown: what was done, and how it was judged."
    )
    language: str = Field("fr", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    tags: list[str] = Field([], max_length=20)
    validity_days: int | None = Field(None, ge=1, le=36_500)
    required_hours: float | None = Field(None, gt=0, le=10_000)
    competencies: list[AttestedCompetency] = Field([], max_length=30)
    alignments: list[PublicAlignmentShape] = Field([], max_length=MOST_ALIGNMENTS)
    alternative: str = Field("", max_length=300, description="The picture in words, if not the usual ones.")
    hue: float | None = Field(None, ge=0, lt=360, description="The badge's own colour, if not the campus's.")
    liveliness: float | None = Field(None, ge=0, le=MOST_LIVELY)
    emblem: str = Field(
        "", max_length=8, description="Letters in the middle, if not the campus's short name."
    )
    rule: RuleShape | None = Field(None, description="What the campus's log must say of whoever is given it.")

    def wording(self) -> Wording:
        facts = self.model_dump(
            include=set(WordingRequest.model_fields) - {"competencies", "alignments", "rule"}
        )
        return Wording(
            **facts,
            competencies=[(attested.id, attested.level) for attested in self.competencies],
            alignments=[
                public_alignment(each.framework.value, each.code, each.name) for each in self.alignments
            ],
            rule=self.rule.rule() if self.rule else None,
        )


class BadgeRequest(WordingRequest):
    model_config = example(**_WORDING, slug="robotique-pour-tous", repeat="once")
    slug: str = Field(min_length=1, max_length=60)
    repeat: Repeat = Repeat.ONCE
    accepts_requests: bool = False


class VersionView(BaseModel):
    number: int
    address: str
    frozen_at: datetime | None


_SHOWN = dict(
    **_WORDING,
    id=_BADGE,
    slug="robotique-pour-tous",
    address=_ADDRESS,
    language="fr",
    tags=["robotique"],
    validity_days=1095,
    required_hours=3,
    repeat="once",
    competencies=[],
    alignments=[{"framework": "rome", "code": "I1307", "name": "Technicien / Technicienne réseaux"}],
    alternative="",
    hue=210.0,
    liveliness=0.08,
    emblem="3D",
    rule=RULE,
    rule_in_words="3 ateliers et 12 h",
    accepts_requests=False,
    archived=False,
    version=1,
    versions=[{"number": 1, "address": f"{_ADDRESS}/v1", "frozen_at": "2026-11-25T10:00:00Z"}],
)


class BadgeView(BaseModel):
    model_config = example(**_SHOWN)
    id: uuid.UUID
    slug: str
    address: str
    kind: BadgeKind
    name: str
    description: str
    criteria: str
    language: str
    tags: list[str]
    validity_days: int | None
    required_hours: float | None
    repeat: Repeat
    competencies: list[AttestedCompetency]
    alignments: list[PublicAlignmentShape]
    alternative: str
    hue: float | None
    liveliness: float | None
    emblem: str
    rule: RuleShape | None
    rule_in_words: str
    accepts_requests: bool
    archived: bool
    version: int
    versions: list[VersionView]
    shared_definition: str | None = Field(
        None, description="The page of the definition that the campus adopted from a network."
    )

    @staticmethod
    def of(page: BadgePage, services: Services) -> BadgeView:
        badge, version, addresses = page.badge, page.version, services.addresses
        shared = services.shared_definitions.about_badges([badge.id]).get(badge.id)
        return BadgeView(
            id=badge.id,
            slug=badge.slug,
            address=addresses.badge(badge.id),
            kind=version.kind,
            name=version.name,
            description=version.description,
            criteria=version.criteria,
            language=version.language,
            tags=version.tags,
            validity_days=version.validity_days,
            required_hours=version.required_hours,
            repeat=badge.repeat,
            competencies=[
                AttestedCompetency(id=competency.id, level=link.level)
                for link, competency, _ in page.competencies
            ],
            alignments=[
                PublicAlignmentShape(**{name: each[name] for name in PublicAlignmentShape.model_fields})
                for each in version.alignments
            ],
            alternative=version.alternative,
            hue=version.hue,
            liveliness=version.liveliness,
            emblem=version.emblem,
            rule=RuleShape.of(version),
            rule_in_words=in_words(version),
            accepts_requests=badge.accepts_requests,
            archived=badge.archived_at is not None,
            version=version.number,
            versions=[
                VersionView(
                    number=each.number,
                    address=addresses.version(badge.id, each.number),
                    frozen_at=each.frozen_at,
                )
                for each in page.versions
                if not each.is_draft
            ],
            shared_definition=f"{addresses.network(shared[1].slug)}/definitions/{shared[0]}"
            if shared
            else None,
        )


class BadgesPage(Page[BadgeView]):
    model_config = example(items=[_SHOWN], next=None)


@router.get("", summary="The badges of a campus, each in its newest version")
def list_badges(program: Reader, paging: Paged, updated_since: UpdatedSince = None) -> BadgesPage:
    badges, campus = program.services.badges, program.campus
    there = [badge.id for badge, _ in badges.list_current(campus)]
    changed = program.services.program_lists.changed_among(campus, there, updated_since)
    shown, cursor = paging.slice([each for each in there if each in changed], lambda badge_id: badge_id)
    items = [BadgeView.of(badges.page(campus, each), program.services) for each in shown]
    return BadgesPage(items=items, next=cursor)


@router.get("/{badge_id}", summary="One badge, in its newest version")
def get_badge(badge_id: uuid.UUID, program: Reader) -> BadgeView:
    return BadgeView.of(program.services.badges.page(program.campus, badge_id), program.services)


@router.get("/{badge_id}/progress", summary="Who meets a badge's rule, and who is near")
def list_badge_progress(badge_id: uuid.UUID, program: Reader) -> ProgressView:
    """Counted in the campus's log in its current state; 404 for a badge without a rule."""
    return ProgressView.of(program.services.rule_ledger.roll(program.campus, badge_id))


@router.post("", status_code=201, summary="Define a badge")
def create_badge(body: BadgeRequest, program: BadgeWriter) -> BadgeView:
    page = program.services.badges.create(
        program.campus,
        body.wording(),
        slug=body.slug,
        repeat=body.repeat,
        accepts_requests=body.accepts_requests,
        by=program.actor,
    )
    return BadgeView.of(page, program.services)


@router.post("/{badge_id}/versions", status_code=201, summary="Reword a badge: its next version")
def revise_badge(badge_id: uuid.UUID, body: WordingRequest, program: BadgeWriter) -> BadgeView:
    """Existing awards stay on the version they were awarded under."""
    page = program.services.badges.revise(program.campus, badge_id, body.wording(), by=program.actor)
    return BadgeView.of(page, program.services)
