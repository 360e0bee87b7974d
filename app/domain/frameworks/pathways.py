"""Pathways: stages with conditions towards a badge, and how far a person is."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlmodel import Field, Index, SQLModel, UniqueConstraint

from app.domain.activities import ActivityKind
from app.domain.core import enum_column, foreign_key, json_column, new_id, primary_foreign_key, utc_datetime
from app.errors import AppError, Conflict, InvalidInput

MOST_STAGES: Final = 30
MOST_BADGES: Final = 20
LONGEST_TITLE: Final = 200
LONGEST_SUMMARY: Final = 2_000
LONGEST_NOTE: Final = 1_000
SHORTEST_REASON: Final = 5
LONGEST_REASON: Final = 500


class Pathway(SQLModel, table=True):
    """`draft` is what its editor shows; `number` the newest published version, 0 if there is none."""

    __tablename__ = "pathway"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    title: str = Field(max_length=LONGEST_TITLE)
    number: int = 0
    draft: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    created_at: datetime = Field(sa_column=utc_datetime())
    archived_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class PathwayVersion(SQLModel, table=True):
    """A published version: a trigger prevents changes to the row."""

    __tablename__ = "pathway_version"
    pathway_id: uuid.UUID = Field(sa_column=primary_foreign_key("pathway"))
    number: int = Field(primary_key=True)
    content: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    published_at: datetime = Field(sa_column=utc_datetime())


class PathwaySubject(SQLModel, table=True):
    """A badge or competency that the newest published version names: which pathways lead through it."""

    __tablename__ = "pathway_subject"
    __table_args__ = (Index("pathways_of_subject", "subject_id"),)
    pathway_id: uuid.UUID = Field(sa_column=primary_foreign_key("pathway"))
    subject_id: uuid.UUID = Field(primary_key=True)


class ProposalState(StrEnum):
    NONE = "none"
    WAITING = "waiting"
    DECLINED = "declined"
    AWARDED = "awarded"


class PathwayEnrolment(SQLModel, table=True):
    """A person on a version of a pathway, until they leave it.

    `stale_at`: what its stages rest on has changed since they were computed. `changed_at`: when a stage was
    last reached, or the person joined.
    """

    __tablename__ = "pathway_enrolment"
    __table_args__ = (
        UniqueConstraint("person_id", "pathway_id", name="one_enrolment_per_pathway"),
        Index("enrolments_of_pathway", "pathway_id", "number", "proposal"),
        Index("enrolments_by_name", "pathway_id", "listed_as", "id"),
        Index("pathway_proposals", "campus_id", "proposal", "proposed_at"),
        Index("enrolments_stale", "stale_at"),
        Index("enrolments_checked", "checked_at"),
        Index("enrolments_changed", "changed_at"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    pathway_id: uuid.UUID = Field(sa_column=foreign_key("pathway", index=False))
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    person_id: uuid.UUID = Field(sa_column=foreign_key("person", index=False))
    listed_as: str = Field(default="", max_length=520, sa_column_kwargs={"server_default": ""})
    """As the person's: the order of lists, and what their filter by name reads."""
    number: int
    joined_at: datetime = Field(sa_column=utc_datetime())
    changed_at: datetime = Field(sa_column=utc_datetime())
    stale_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    checked_at: datetime = Field(sa_column=utc_datetime())
    proposal: ProposalState = Field(
        default=ProposalState.NONE, sa_column=enum_column(ProposalState, name="pathway_proposal_state")
    )
    proposed_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    reason: str = Field(default="", max_length=LONGEST_REASON)
    """Why the badge is not awarded; the person reads it."""
    decided_by: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("person", nullable=True, index=False)
    )


class StageState(StrEnum):
    DONE = "done"
    OPEN = "open"
    LATER = "later"


class PathwayStageState(SQLModel, table=True):
    """One stage of one enrolment, as last computed: read by overviews. `is_needed`: see `StageProgress`."""

    __tablename__ = "pathway_stage_state"
    __table_args__ = (
        Index("pathway_stages", "pathway_id", "stage", "state", "is_needed", "since", "enrolment_id"),
    )
    enrolment_id: uuid.UUID = Field(sa_column=primary_foreign_key("pathway_enrolment"))
    stage: str = Field(primary_key=True, max_length=12)
    pathway_id: uuid.UUID = Field(sa_column=foreign_key("pathway", index=False))
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    state: StageState = Field(sa_column=enum_column(StageState, name="pathway_stage_state"))
    is_needed: bool = True
    since: datetime = Field(sa_column=utc_datetime())


class PathwayDecision(SQLModel, table=True):
    """A person of the campus found that a stage's condition is met. `note`: what they saw."""

    __tablename__ = "pathway_decision"
    __table_args__ = (UniqueConstraint("enrolment_id", "stage", name="one_decision_per_stage"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    enrolment_id: uuid.UUID = Field(sa_column=foreign_key("pathway_enrolment", index=False))
    stage: str = Field(max_length=12)
    decided_by: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("person", nullable=True, index=False)
    )
    decided_at: datetime = Field(sa_column=utc_datetime())
    note: str = Field(default="", max_length=LONGEST_NOTE)


# --- what a version contains


@dataclass(frozen=True)
class Named:
    """A badge or a competency as the version names it: text, and the campus that maintains it."""

    id: uuid.UUID
    name: str
    campus_id: uuid.UUID | None = None

    def to_document(self) -> dict[str, str]:
        found = {"id": str(self.id), "name": self.name}
        return {**found, "campus": str(self.campus_id)} if self.campus_id else found

    @classmethod
    def from_document(cls, document: Mapping[str, str]) -> Named:
        campus = document.get("campus")
        return cls(uuid.UUID(document["id"]), document["name"], uuid.UUID(campus) if campus else None)


class ConditionKind(StrEnum):
    BADGES = "badges"
    COMPETENCY = "competency"
    HOURS = "hours"
    ACTIVITIES = "activities"
    DECISION = "decision"


@dataclass(frozen=True)
class StageCondition:
    """`least`: badges out of `badges`; a level, 0 for any; hours; activities. Empty `kinds` match all."""

    kind: ConditionKind
    least: int = 1
    badges: tuple[Named, ...] = ()
    competency: Named | None = None
    level: str = ""
    """The name of the level, for texts."""
    kinds: tuple[ActivityKind, ...] = ()
    text: str = ""

    def to_document(self) -> dict[str, Any]:
        return {
            "kind": self.kind.value,
            "least": self.least,
            "badges": [each.to_document() for each in self.badges],
            "competency": self.competency.to_document() if self.competency else None,
            "level": self.level,
            "kinds": [each.value for each in self.kinds],
            "text": self.text,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> StageCondition:
        competency = document.get("competency")
        return cls(
            ConditionKind(document["kind"]),
            int(document["least"]),
            tuple(map(Named.from_document, document["badges"])),
            Named.from_document(competency) if competency else None,
            document["level"],
            tuple(ActivityKind(each) for each in document["kinds"]),
            document["text"],
        )


@dataclass(frozen=True)
class Stage:
    """`after`: keys of stages to reach before. Of the stages with one `choice`, one suffices."""

    key: str
    title: str
    summary: str = ""
    conditions: tuple[StageCondition, ...] = ()
    after: tuple[str, ...] = ()
    choice: str = ""
    is_optional: bool = False

    def to_document(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "title": self.title,
            "summary": self.summary,
            "conditions": [each.to_document() for each in self.conditions],
            "after": list(self.after),
            "choice": self.choice,
            "is_optional": self.is_optional,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Stage:
        return cls(
            document["key"],
            document["title"],
            document["summary"],
            tuple(map(StageCondition.from_document, document["conditions"])),
            tuple(document["after"]),
            document["choice"],
            document["is_optional"],
        )


@dataclass(frozen=True)
class PathwayContent:
    title: str
    summary: str = ""
    badge: Named | None = None
    """The badge of the whole, proposed at the end."""
    stages: tuple[Stage, ...] = ()

    def to_document(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "summary": self.summary,
            "badge": self.badge.to_document() if self.badge else None,
            "stages": [each.to_document() for each in self.stages],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> PathwayContent:
        badge = document["badge"]
        return cls(
            document["title"],
            document["summary"],
            Named.from_document(badge) if badge else None,
            tuple(map(Stage.from_document, document["stages"])),
        )

    def stage(self, key: str) -> Stage | None:
        return next((each for each in self.stages if each.key == key), None)

    def twin_of(self, stage: Stage) -> Stage | None:
        return next((each for each in self.stages if replace(each, key=stage.key) == stage), None)

    def together(self, stage: Stage) -> list[Stage]:
        """The stages of its choice, or the stage alone."""
        return [each for each in self.stages if stage.choice and each.choice == stage.choice] or [stage]

    @property
    def badges(self) -> list[Named]:
        return [badge for stage in self.stages for each in stage.conditions for badge in each.badges]

    @property
    def condition_kinds(self) -> set[ConditionKind]:
        return {each.kind for stage in self.stages for each in stage.conditions}

    @property
    def subjects(self) -> set[uuid.UUID]:
        """Badges and competencies that it names, the badge of the whole too."""
        competencies = [each.competency for stage in self.stages for each in stage.conditions]
        named = (*self.badges, self.badge, *competencies)
        return {each.id for each in named if each is not None}

    @property
    def campus_ids(self) -> set[uuid.UUID]:
        """Campuses with a badge on the pathway."""
        return {each.campus_id for each in self.badges if each.campus_id is not None}

    def next_key(self) -> str:
        used = {int(each.key[1:]) for each in self.stages}
        return f"e{max(used, default=0) + 1}"

    def with_stage(self, stage: Stage) -> PathwayContent:
        """Replaces the stage of that key, or adds it at the end."""
        if self.stage(stage.key) is None:
            return replace(self, stages=(*self.stages, stage))
        return replace(self, stages=tuple(stage if each.key == stage.key else each for each in self.stages))

    def without_stage(self, key: str) -> PathwayContent:
        left = (each for each in self.stages if each.key != key)
        return replace(
            self,
            stages=tuple(
                replace(each, after=tuple(one for one in each.after if one != key)) for each in left
            ),
        )

    def moved(self, key: str, by: int) -> PathwayContent:
        stages = list(self.stages)
        start = next((at for at, each in enumerate(stages) if each.key == key), None)
        if start is not None and 0 <= start + by < len(stages):
            stages.insert(start + by, stages.pop(start))
        return replace(self, stages=tuple(stages))


def check_texts(content: PathwayContent) -> None:
    """What a draft must fulfil."""
    for fault in faults_of_pathway(content.title, content.summary).values():
        raise fault
    if len(content.stages) > MOST_STAGES:
        raise InvalidInput("Un parcours a {most} étapes au plus.", most=MOST_STAGES)


def faults_of_pathway(title: str, summary: str) -> dict[str, AppError]:
    """By parameter."""
    faults = _faults_of_length(title, summary)
    return faults if title.strip() else {"title": InvalidInput("Donnez un titre au parcours."), **faults}


def faults_of_stage(title: str, summary: str, decision: str = "") -> dict[str, AppError]:
    """Of its texts, by parameter; `decision` is empty where no person decides."""
    faults = _faults_of_length(title, summary)
    if len(decision) > LONGEST_NOTE:
        faults["decision"] = InvalidInput("Dites en une phrase ce que la personne du campus regarde.")
    return faults if title.strip() else {"title": InvalidInput("Donnez un titre à l’étape."), **faults}


def _faults_of_length(title: str, summary: str) -> dict[str, AppError]:
    lengths = {"title": (title, LONGEST_TITLE), "summary": (summary, LONGEST_SUMMARY)}
    return {
        name: InvalidInput("Le titre tient en 200 signes, la présentation en 2 000.")
        for name, (text, most) in lengths.items()
        if len(text) > most
    }


def check_stage(content: PathwayContent, stage: Stage) -> None:
    for fault in faults_of_stage(stage.title, stage.summary).values():
        raise fault
    if not stage.conditions:
        raise InvalidInput("Dites ce qu’il faut pour cette étape : remplissez au moins une condition.")
    for each in stage.conditions:
        _check_condition(each)
    check_order(content.with_stage(stage))


def _check_condition(condition: StageCondition) -> None:
    if condition.kind is ConditionKind.BADGES and (
        len(condition.badges) > MOST_BADGES or not 1 <= condition.least <= len(condition.badges)
    ):
        raise InvalidInput("Cochez des badges, et un nombre qui ne les dépasse pas.")
    if condition.kind in (ConditionKind.HOURS, ConditionKind.ACTIVITIES) and not 1 <= condition.least <= 9999:
        raise InvalidInput("Écrivez un nombre entier, d’au moins 1.")
    if condition.kind is ConditionKind.DECISION and not 0 < len(condition.text) <= LONGEST_NOTE:
        raise InvalidInput("Dites en une phrase ce que la personne du campus regarde.")


def check_order(content: PathwayContent) -> None:
    """Raises InvalidInput if stages wait for each other."""
    known = {each.key for each in content.stages}
    waiting = {each.key: {one for one in each.after if one in known} for each in content.stages}
    for stage in content.stages:
        if waiting[stage.key] & {each.key for each in content.together(stage) if stage.choice}:
            raise InvalidInput("Des étapes au choix ne s’attendent pas entre elles.")
    while waiting:
        free = {key for key, others in waiting.items() if not others}
        if not free:
            raise InvalidInput("Ces étapes s’attendent l’une l’autre : aucune ne pourrait commencer.")
        waiting = {key: others - free for key, others in waiting.items() if key not in free}


def check_publishable(content: PathwayContent) -> None:
    check_texts(content)
    if not any(not each.is_optional for each in content.stages):
        raise InvalidInput("Un parcours a au moins une étape qui n’est pas facultative.")
    if content.badge is None:
        raise InvalidInput("Choisissez le badge de l’ensemble, proposé à la fin.")
    for each in content.stages:
        check_stage(content, each)
        alone = each.choice and len(content.together(each)) == 1
        if alone:
            raise InvalidInput(
                "« {title} » est seule dans son choix : ajoutez une autre étape au même choix.",
                title=each.title,
            )


# --- differences between versions


class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    CONDITIONS = "conditions"
    ORDER = "order"
    OPTIONAL = "optional"
    BADGE = "badge"


@dataclass(frozen=True)
class PathwayChange:
    kind: ChangeKind
    title: str
    before: Stage | None = None
    after: Stage | None = None


def changes_between(old: PathwayContent, new: PathwayContent) -> list[PathwayChange]:
    """What a learner of `old` would find different in `new`, in the order of `new`."""
    found = []
    if old.badge != new.badge:
        found.append(PathwayChange(ChangeKind.BADGE, new.badge.name if new.badge else ""))
    for stage in new.stages:
        before = old.stage(stage.key)
        if before is None:
            found.append(PathwayChange(ChangeKind.ADDED, stage.title, after=stage))
            continue
        for kind, differs in (
            (ChangeKind.RENAMED, before.title != stage.title),
            (ChangeKind.CONDITIONS, before.conditions != stage.conditions),
            (ChangeKind.ORDER, set(before.after) != set(stage.after)),
            (
                ChangeKind.OPTIONAL,
                (before.choice, before.is_optional) != (stage.choice, stage.is_optional),
            ),
        ):
            if differs:
                found.append(PathwayChange(kind, stage.title, before, stage))
    found += [
        PathwayChange(ChangeKind.REMOVED, stage.title, before=stage)
        for stage in old.stages
        if new.stage(stage.key) is None
    ]
    return found


# --- the proposal at the end


def decline(enrolment: PathwayEnrolment, reason: str, *, by: uuid.UUID | None) -> None:
    if enrolment.proposal is not ProposalState.WAITING:
        raise Conflict("Cette proposition n’attend plus de décision.")
    if not SHORTEST_REASON <= len(reason.strip()) <= LONGEST_REASON:
        raise InvalidInput("Dites pourquoi, en une phrase : la personne la lira.")
    enrolment.proposal, enrolment.reason, enrolment.decided_by = (
        ProposalState.DECLINED,
        reason.strip(),
        by,
    )


def check_note(note: str) -> None:
    if not SHORTEST_REASON <= len(note.strip()) <= LONGEST_NOTE:
        raise InvalidInput("Dites en une phrase ce que vous avez vu : cela fait partie du dossier.")
