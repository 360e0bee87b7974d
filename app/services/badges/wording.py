"""The authored content of a badge: what a version stores, and the part of it that each step of the editor writes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.domain.badges import (
    Badge,
    BadgeCompetency,
    BadgeKind,
    BadgeText,
    BadgeVersion,
    Lack,
    Part,
    PictureLook,
    Repeat,
    Step,
    join_criteria,
    lacks_of,
    split_criteria,
)
from app.domain.badges.rules import Rule, criteria_words, rule_of
from app.domain.badges.shared_definitions import BADGE_PARTS, Values
from app.domain.frameworks import MOST_ALIGNMENTS, PublicAlignment
from app.errors import InvalidInput
from app.language import speaking


@dataclass(frozen=True)
class Wording:
    """The authored content of a badge: everything that makes a version."""

    kind: BadgeKind
    name: str
    description: str
    criteria: str
    language: str = "fr"
    tags: list[str] = field(default_factory=list)
    validity_days: int | None = None
    required_hours: float | None = None
    competencies: list[tuple[uuid.UUID, int | None]] = field(default_factory=list)
    """Competencies with the attested level, counted from 1."""
    alignments: list[PublicAlignment] = field(default_factory=list)
    alternative: str = ""
    hue: float | None = None
    liveliness: float | None = None
    emblem: str = ""
    look: str = PictureLook.SHAPE.value
    art: bytes = b""
    rule: Rule | None = None


def said_in(version: BadgeVersion, wording: Wording) -> list[BadgeCompetency]:
    """Copy the content into its version; returns the competencies it attests."""
    if len(wording.alignments) > MOST_ALIGNMENTS:
        raise InvalidInput("Dix correspondances au plus.")
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
    version.look, version.art = wording.look, wording.art or None
    return [
        BadgeCompetency(version_id=version.id, competency_id=competency_id, level=level, position=position)
        for position, (competency_id, level) in enumerate(wording.competencies)
    ]


def _criteria_of(wording: Wording) -> str:
    """A badge with a rule derives its criteria text from it."""
    if wording.rule is None:
        return ""
    with speaking(wording.language):
        return criteria_words(wording.rule)


def wording_of(version: BadgeVersion, links: Sequence[BadgeCompetency]) -> Wording:
    """The authored content of a version, unchanged."""
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
        look=version.look,
        art=version.art or b"",
        rule=rule_of(version.rule),
    )


def as_kept(wording: Wording) -> Wording:
    """The content normalised as a version stores it."""
    return replace(
        wording,
        name=wording.name.strip(),
        description=wording.description.strip(),
        criteria=wording.criteria.strip() or _criteria_of(wording),
        alternative=wording.alternative.strip(),
        emblem=wording.emblem.strip(),
    )


STEP_FIELDS: Mapping[Step, tuple[str, ...]] = {
    Step.CONTENT: ("kind", "name", "description", "criteria", "language", "tags"),
    Step.COMPETENCIES: ("competencies", "alignments"),
    Step.AWARDING: ("validity_days", "required_hours", "rule"),
    Step.PICTURE: ("alternative", "hue", "liveliness", "emblem", "look", "art"),
    Step.PUBLISHING: (),
}
"""The fields of a wording that each step of the editor writes."""


def with_step(stored: Wording, typed: Wording, step: Step) -> Wording:
    """The stored wording with one step replaced; what its kind does not use is left out."""
    wording = replace(stored, **{name: getattr(typed, name) for name in STEP_FIELDS[step]})
    if step is Step.AWARDING and stored.rule and stored.criteria == _criteria_of(stored):
        wording = replace(wording, criteria="")
    if not wording.kind.is_assessed:
        wording = replace(wording, competencies=[])
    return replace(wording, required_hours=None) if wording.kind is BadgeKind.BELONGING else wording


def state_of(badge: Badge, wording: Wording, step: Step) -> str:
    """A short digest of one step, for optimistic locking: two people may edit different steps."""
    settings = (badge.repeat.value, badge.accepts_requests) if step is Step.AWARDING else ()
    said = repr(([getattr(wording, name) for name in STEP_FIELDS[step]], settings))
    return sha256(said.encode()).hexdigest()[:32]


def badge_values(wording: Wording, competencies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`competencies`: named as in a definition, with their level."""
    criteria, assessment = split_criteria(wording.criteria)
    return {
        Part.KIND.value: wording.kind.value,
        Part.NAME.value: wording.name.strip(),
        Part.DESCRIPTION.value: wording.description.strip(),
        Part.CRITERIA.value: criteria,
        Part.ASSESSMENT.value: assessment,
        Part.COMPETENCIES.value: [dict(each) for each in competencies],
        # Without the release: each campus dates its own.
        Part.ALIGNMENTS.value: [each.of_release("", None).kept() for each in wording.alignments],
        Part.REQUIRED_HOURS.value: wording.required_hours,
        Part.VALIDITY.value: wording.validity_days,
        Part.TAGS.value: list(wording.tags),
        Part.LANGUAGE.value: wording.language,
    }


def wording_with(
    wording: Wording,
    values: Values,
    parts: Collection[Part],
    competencies: Sequence[tuple[uuid.UUID, int | None]],
) -> Wording:
    """`wording` with some parts of a definition; `competencies`: those of the campus, for that part."""
    criteria, assessment = split_criteria(wording.criteria)
    language = values[Part.LANGUAGE.value] if Part.LANGUAGE in parts else wording.language
    criteria = values[Part.CRITERIA.value] if Part.CRITERIA in parts else criteria
    assessment = values[Part.ASSESSMENT.value] if Part.ASSESSMENT in parts else assessment
    fields: dict[Part, dict[str, Any]] = {
        Part.KIND: {"kind": BadgeKind(values.get(Part.KIND.value, wording.kind))},
        Part.NAME: {"name": values.get(Part.NAME.value)},
        Part.DESCRIPTION: {"description": values.get(Part.DESCRIPTION.value)},
        Part.COMPETENCIES: {"competencies": list(competencies)},
        Part.ALIGNMENTS: {
            "alignments": [PublicAlignment.read(each) for each in values.get(Part.ALIGNMENTS.value) or ()]
        },
        Part.REQUIRED_HOURS: {"required_hours": values.get(Part.REQUIRED_HOURS.value)},
        Part.VALIDITY: {"validity_days": values.get(Part.VALIDITY.value)},
        Part.TAGS: {"tags": list(values.get(Part.TAGS.value) or ())},
    }
    changed: dict[str, Any] = {
        "language": language,
        "criteria": join_criteria(criteria, assessment, language),
    }
    for part in parts:
        changed |= fields.get(part, {})
    return replace(wording, **changed)


def wording_in(values: Values) -> Wording:
    """Of a definition, without competencies: they are named by the network's ids."""
    blank = Wording(BadgeKind(values[Part.KIND.value]), "", "", "")
    return wording_with(blank, values, BADGE_PARTS, [])


# --- Models of badges to start from, read from `badge_templates/models.json`


@dataclass(frozen=True)
class BadgeModel:
    """`ideas`: statements of competencies that such a badge usually attests."""

    slug: str
    wording: Wording
    repeat: Repeat
    accepts_requests: bool
    ideas: Sequence[str]

    @property
    def kind(self) -> BadgeKind:
        return self.wording.kind


@cache
def read_models(folder: Path) -> tuple[BadgeModel, ...]:
    """By kind, in the order of the kinds."""
    found = [_model(each) for each in json.loads((folder / "models.json").read_text("utf-8"))]
    return tuple(sorted(found, key=lambda model: list(BadgeKind).index(model.kind)))


def _model(written: dict[str, Any]) -> BadgeModel:
    return BadgeModel(
        slug=written["slug"],
        wording=Wording(
            BadgeKind(written["kind"]),
            written["name"],
            written["description"],
            join_criteria(written["criteria"], written.get("judging", "")),
            tags=written.get("tags", []),
            validity_days=written.get("validity_days"),
            required_hours=written.get("required_hours"),
            rule=rule_of(written.get("rule")),
        ),
        repeat=Repeat(written["repeat"]),
        accepts_requests=written.get("accepts_requests", False),
        ideas=tuple(written.get("ideas", ())),
    )


def lacks_of_version(version: BadgeVersion, attested: Sequence[tuple[int | None, int]]) -> list[Lack]:
    """What this kind of badge requires and the content lacks; `attested` as in BadgeText."""
    criteria, assessment = split_criteria(version.criteria)
    return lacks_of(
        BadgeText(version.kind, version.name, version.description, criteria, assessment, attested)
    )
