"""What is written of a badge, what its writers see of it, and what it still lacks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from app.domain.badges.badges import Badge, BadgeCompetency, BadgeVersion, Kind
from app.domain.badges.readiness import BadgeText, Lack, lacks_of, split_criteria
from app.domain.badges.rule_words import criteria_words
from app.domain.badges.rules import Rule, rule_of
from app.domain.campus.campus import Campus
from app.domain.frameworks.alignments import MOST_ALIGNMENTS, PublicAlignment
from app.domain.frameworks.competencies import Competency, Framework
from app.errors import InvalidInput
from app.language import N_, speaking


@dataclass(frozen=True)
class Wording:
    """What a person writes of a badge: everything that makes a version."""

    kind: Kind
    name: str
    description: str
    criteria: str
    language: str = "fr"
    tags: list[str] = field(default_factory=list)
    validity_days: int | None = None
    required_hours: float | None = None
    competencies: list[tuple[uuid.UUID, int | None]] = field(default_factory=list)
    """Competencies with the level attested, counted from 1."""
    alignments: list[PublicAlignment] = field(default_factory=list)
    alternative: str = ""
    hue: float | None = None
    liveliness: float | None = None
    emblem: str = ""
    rule: Rule | None = None


@dataclass(frozen=True)
class BadgePage:
    """A badge version with all that one says of it."""

    campus: Campus
    badge: Badge
    version: BadgeVersion
    competencies: Sequence[tuple[BadgeCompetency, Competency, Framework]]
    versions: Sequence[BadgeVersion]

    @property
    def is_current(self) -> bool:
        return self.version.number == max(version.number for version in self.versions)


@dataclass(frozen=True)
class Manuscript:
    """A badge as its writers see it: the newest version, drafts too, and what it still lacks."""

    page: BadgePage
    lacks: Sequence[Lack]

    @property
    def may_open(self) -> bool:
        return self.page.version.is_draft and not self.lacks and self.page.badge.archived_at is None


def said_in(version: BadgeVersion, wording: Wording) -> list[BadgeCompetency]:
    """Put the wording into its version; what comes back are the competencies it attests."""
    if len(wording.alignments) > MOST_ALIGNMENTS:
        raise InvalidInput(N_("Dix correspondances au plus."))
    wording = as_kept(wording)
    version.kind = wording.kind
    version.name = wording.name
    version.description = wording.description
    version.criteria = wording.criteria
    version.rule = wording.rule.to_document() if wording.rule else {}
    version.language = wording.language
    version.tags = wording.tags
    version.validity_days = wording.validity_days
    version.required_hours = wording.required_hours
    version.alignments = [each.kept() for each in wording.alignments]
    version.alternative = wording.alternative
    version.hue, version.liveliness = wording.hue, wording.liveliness
    version.emblem = wording.emblem
    return [
        BadgeCompetency(version_id=version.id, competency_id=competency_id, level=level, position=position)
        for position, (competency_id, level) in enumerate(wording.competencies)
    ]


def _criteria_of(wording: Wording) -> str:
    """A rule says of itself what there was to do."""
    if wording.rule is None:
        return ""
    with speaking(wording.language):
        return criteria_words(wording.rule)


def wording_of(version: BadgeVersion, links: Sequence[BadgeCompetency]) -> Wording:
    """What was written into a version, as it was written."""
    return Wording(
        kind=version.kind,
        name=version.name,
        description=version.description,
        criteria=version.criteria,
        language=version.language,
        tags=version.tags,
        validity_days=version.validity_days,
        required_hours=version.required_hours,
        competencies=[(link.competency_id, link.level) for link in links],
        alignments=[PublicAlignment.read(each) for each in version.alignments],
        alternative=version.alternative,
        hue=version.hue,
        liveliness=version.liveliness,
        emblem=version.emblem,
        rule=rule_of(version.rule),
    )


def as_kept(wording: Wording) -> Wording:
    """What a version says once it was written so."""
    return replace(
        wording,
        name=wording.name.strip(),
        description=wording.description.strip(),
        criteria=wording.criteria.strip() or _criteria_of(wording),
        alternative=wording.alternative.strip(),
        emblem=wording.emblem.strip(),
    )


def state_of(badge: Badge, wording: Wording) -> str:
    """What a badge says and how it is given, in a few signs: whoever writes it knows by them what they started from."""
    said = repr((wording, badge.repeat.value, badge.accepts_requests))
    return sha256(said.encode()).hexdigest()[:32]


def lacks_in(page: BadgePage) -> list[Lack]:
    """What the kind of a badge asks for and this wording does not say yet."""
    version = page.version
    criteria, judging = split_criteria(version.criteria)
    attested = [(link.level, len(competency.levels)) for link, competency, _ in page.competencies]
    return lacks_of(BadgeText(version.kind, version.name, version.description, criteria, judging, attested))
