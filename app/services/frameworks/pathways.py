"""Pathways of a campus: drafted, published in versions, read by everybody."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.db.campus import CampusStore, HistoryStore
from app.db.frameworks import CompetencyStore
from app.db.frameworks.pathways import PathwayStore, PickedBadge
from app.db.publishing.catalogue import CatalogueStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.signed_terms import day_in_france
from app.domain.core import Clock, check_as_shown, new_id
from app.domain.frameworks import Competency, Framework
from app.domain.frameworks.pathways import (
    ConditionKind,
    Named,
    Pathway,
    PathwayContent,
    PathwayVersion,
    Stage,
    StageCondition,
    check_publishable,
    check_stage,
    check_texts,
)
from app.domain.publishing.catalogue import CatalogueEntry
from app.errors import Conflict, NotFound

_BY_ACTIVITY: Final = frozenset({ConditionKind.HOURS, ConditionKind.ACTIVITIES})

__all__ = ["PathwayService", "PickedBadge", "PublicPathway"]


@dataclass(frozen=True)
class PublicPathway:
    pathway: Pathway
    version: PathwayVersion
    content: PathwayContent
    campus: Campus
    badges: dict[uuid.UUID, PickedBadge]
    """Those that the pathway names, with their current pictures."""


@dataclass(frozen=True)
class StageDraft:
    """A stage as typed; names are added when it is stored."""

    title: str
    summary: str = ""
    after: tuple[str, ...] = ()
    choice: str = ""
    is_optional: bool = False
    badge_ids: tuple[uuid.UUID, ...] = ()
    least_badges: int = 1
    competency_id: uuid.UUID | None = None
    level: int = 0
    others: tuple[StageCondition, ...] = ()
    """Hours, activities, a decision."""


@dataclass(frozen=True)
class PathwayService:
    pathways: PathwayStore
    campuses: CampusStore
    competencies: CompetencyStore
    catalogue: CatalogueStore
    history: HistoryStore
    clock: Clock

    # --- by designers

    def list_of(self, campus: Campus) -> Sequence[Pathway]:
        return self.pathways.list_of(campus.id)

    def get(self, campus: Campus, pathway_id: uuid.UUID) -> tuple[Pathway, PathwayContent]:
        """With its draft."""
        pathway = self.pathways.get_in_campus(pathway_id, campus.id)
        return pathway, PathwayContent.from_document(pathway.draft)

    def published(self, pathway: Pathway) -> PathwayContent | None:
        if not pathway.number:
            return None
        return PathwayContent.from_document(self.pathways.version(pathway.id, pathway.number).content)

    def versions_of(self, pathway: Pathway) -> Sequence[PathwayVersion]:
        return self.pathways.versions_of(pathway.id)

    def create(
        self, campus: Campus, content: PathwayContent, *, by: Actor, once: uuid.UUID | None = None
    ) -> Pathway:
        """Idempotent by `once`."""
        check_texts(content)
        if once is not None:
            self.campuses.lock(campus.id)
            if made := self.pathways.find_in_campus(once, campus.id):
                return made
        pathway = Pathway(
            id=once or new_id(),
            campus_id=campus.id,
            title=content.title,
            draft=content.to_document(),
            created_at=self.clock(),
        )
        self.pathways.add(pathway)
        self._write(by, "create", campus, pathway)
        return pathway

    def describe(
        self,
        campus: Campus,
        pathway_id: uuid.UUID,
        *,
        title: str,
        summary: str,
        badge_id: uuid.UUID | None,
        by: Actor,
    ) -> None:
        pathway, content = self.get(campus, pathway_id)
        badge = self._names(campus, [badge_id], content)[0] if badge_id else None
        content = replace(content, title=title.strip(), summary=summary.strip(), badge=badge)
        check_texts(content)
        self._save(campus, pathway, content, by)

    def badges_to_pick(self, campus: Campus) -> list[PickedBadge]:
        return self.pathways.badges_to_pick(campus.id)

    def competencies_to_pick(
        self, campus: Campus, chosen: Collection[uuid.UUID] = ()
    ) -> list[tuple[Competency, Framework]]:
        """`chosen` stay, archived or not."""
        listed = self.competencies.list_of(campus.id)
        return [pair for pair in listed if pair[0].archived_at is None or pair[0].id in chosen]

    def save_stage(
        self,
        campus: Campus,
        pathway_id: uuid.UUID,
        key: str,
        draft: StageDraft,
        *,
        by: Actor,
        seen: str = "",
    ) -> str:
        """`key` is empty for a new stage; returns the key. `seen`: the mark of the stage that the page showed.

        A new stage that is already there is not added a second time.
        """
        pathway, content = self.get(campus, pathway_id)
        before = content.stage(key)
        if key and before is None:
            raise NotFound("Cette étape n’existe pas dans ce parcours.")
        stage = Stage(
            key or content.next_key(),
            draft.title.strip(),
            draft.summary.strip(),
            self._conditions(campus, draft, content),
            tuple(each for each in draft.after if content.stage(each) is not None and each != key),
            draft.choice,
            draft.is_optional,
        )
        if not key and (twin := content.twin_of(stage)):
            return twin.key
        if key and stage != before:
            check_as_shown(seen, before)
        check_stage(content, stage)
        content = content.with_stage(stage)
        check_texts(content)
        self._save(campus, pathway, content, by)
        return stage.key

    def remove_stage(
        self, campus: Campus, pathway_id: uuid.UUID, key: str, *, by: Actor, seen: str = ""
    ) -> None:
        """`seen`: the mark of the stage that the page showed."""
        pathway, content = self.get(campus, pathway_id)
        if stage := content.stage(key):
            check_as_shown(seen, stage)
        self._save(campus, pathway, content.without_stage(key), by)

    def move_stage(self, campus: Campus, pathway_id: uuid.UUID, key: str, *, up: bool, by: Actor) -> None:
        pathway, content = self.get(campus, pathway_id)
        self._save(campus, pathway, content.moved(key, -1 if up else 1), by)

    def publish(self, campus: Campus, pathway_id: uuid.UUID, *, by: Actor, seen: str = "") -> int:
        """A new version; idempotent where the draft is the newest one. `seen`: the mark of the draft that the page
        showed."""
        self.pathways.lock(pathway_id)
        pathway, content = self.get(campus, pathway_id)
        check_publishable(content)
        if content == self.published(pathway):
            return pathway.number
        check_as_shown(seen, content)
        pathway.number += 1
        pathway.title = content.title
        self.pathways.add(pathway)
        version = PathwayVersion(
            pathway_id=pathway.id,
            number=pathway.number,
            content=content.to_document(),
            published_at=self.clock(),
        )
        self.pathways.add(version)
        self.pathways.save_subjects(pathway.id, content.subjects)
        self._write(by, "publish", campus, pathway)
        return pathway.number

    def archive(self, campus: Campus, pathway_id: uuid.UUID, *, archived: bool, by: Actor) -> None:
        """An archived pathway takes no new people; those on it stay."""
        pathway, _ = self.get(campus, pathway_id)
        if (self.pathways.hold_row(pathway).archived_at is not None) is archived:
            return
        pathway.archived_at = self.clock() if archived else None
        self.pathways.add(pathway)
        if archived:
            self.catalogue.drop(pathway.id)
        self._write(by, "archive" if archived else "restore", campus, pathway)

    def _conditions(
        self, campus: Campus, draft: StageDraft, content: PathwayContent
    ) -> tuple[StageCondition, ...]:
        found = []
        if draft.badge_ids:
            names = tuple(self._names(campus, draft.badge_ids, content))
            found.append(StageCondition(ConditionKind.BADGES, draft.least_badges, names))
        if draft.competency_id is not None:
            competency, _ = self.competencies.get_in_campus(draft.competency_id, campus.id)
            level = min(max(draft.level, 0), len(competency.levels))
            found.append(
                StageCondition(
                    ConditionKind.COMPETENCY,
                    level,
                    competency=Named(competency.id, competency.statement, campus.id),
                    level=competency.levels[level - 1] if level else "",
                )
            )
        return (*found, *draft.others)

    def _names(self, campus: Campus, ids: Sequence[uuid.UUID], content: PathwayContent) -> list[Named]:
        """Badges that may be picked, and those that the pathway names already."""
        picked = {
            each.badge.id: Named(each.badge.id, each.version.name, each.campus.id)
            for each in self.badges_to_pick(campus)
        }
        present = filter(None, (*content.badges, content.badge))
        known = {each.id: each for each in present} | picked
        if any(each not in known for each in ids):
            raise Conflict("Un de ces badges n’est plus proposé : choisissez-en un autre.")
        return [known[each] for each in dict.fromkeys(ids)]

    def _save(self, campus: Campus, pathway: Pathway, content: PathwayContent, by: Actor) -> None:
        document = content.to_document()
        if document == pathway.draft:
            return
        pathway.draft = document
        if not pathway.number:
            pathway.title = content.title
        self.pathways.add(pathway)
        self._write(by, "change", campus, pathway)

    def _write(self, by: Actor, done: str, campus: Campus, pathway: Pathway) -> None:
        self.history.write(by, done, "pathway", pathway.id, at=self.clock(), campus_id=campus.id)

    # --- for everybody

    def list_public(self) -> list[PublicPathway]:
        found = [
            (pathway, version, PathwayContent.from_document(version.content), campus)
            for pathway, version, campus in self.pathways.published()
        ]
        badges = self.pathways.badges(
            content.badge.id for _, _, content, _ in found if content.badge is not None
        )
        return [PublicPathway(*each, badges) for each in found]

    def whole_badges(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, PickedBadge]:
        """The badge of the whole of each published pathway."""
        named = self.pathways.whole_badges(ids)
        badges = self.pathways.badges(named.values())
        return {number: badges[badge] for number, badge in named.items() if badge in badges}

    def show(self, pathway_id: uuid.UUID) -> PublicPathway:
        """The newest version."""
        pathway = self.pathways.get(pathway_id)
        if not pathway.number:
            raise NotFound("Ce parcours n’existe pas ici.")
        version = self.pathways.version(pathway_id, pathway.number)
        return self.shown(pathway, version, PathwayContent.from_document(version.content))

    def shown(self, pathway: Pathway, version: PathwayVersion, content: PathwayContent) -> PublicPathway:
        campus = self.campuses.get_by_id(pathway.campus_id)
        if campus.suspended_at is not None:
            raise NotFound("Ce campus n’existe pas ici.")
        named = [*content.badges, *([content.badge] if content.badge else [])]
        badges = self.pathways.badges(each.id for each in named)
        return PublicPathway(pathway, version, content, campus, badges)

    def next_activities(self, campus: Campus, stages: Sequence[Stage]) -> dict[str, CatalogueEntry]:
        """By stage: the next announced activity that leads to it, else the campus's next one for its hours."""
        conditions = [each for stage in stages for each in stage.conditions]
        badges = {badge.id for each in conditions for badge in each.badges}
        competencies = {each.competency.id for each in conditions if each.competency is not None}
        found = self.catalogue.next_towards(
            badges,
            competencies,
            campus.id if any(each.kind in _BY_ACTIVITY for each in conditions) else None,
            since=day_in_france(self.clock()),
        )
        leading: dict[str, CatalogueEntry] = {}
        for stage in stages:
            wanted = {badge.id for each in stage.conditions for badge in each.badges}
            wanted |= {each.competency.id for each in stage.conditions if each.competency is not None}
            entries = [found[each] for each in wanted if each in found]
            if (
                not entries
                and campus.id in found
                and any(each.kind in _BY_ACTIVITY for each in stage.conditions)
            ):
                entries = [found[campus.id]]
            if entries:
                leading[stage.key] = min(entries, key=lambda each: (str(each.starts_on), each.title))
        return leading
