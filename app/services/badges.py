"""Badges: written, drawn, revised, and frozen when first given."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.adapters.badge_pictures import BadgeArtist, PictureOrder
from app.credentials.json_text import dump_json
from app.credentials.vocabulary import CONTEXT_OB_3_0_3, CONTEXT_V2
from app.db.badges import BadgeStore
from app.db.competencies import CompetencyStore
from app.db.history import HistoryStore
from app.domain.addresses import Addresses
from app.domain.badges import (
    Badge,
    BadgeCompetency,
    BadgeVersion,
    Kind,
    Repeat,
    check_may_change,
    check_version,
    next_number,
    version_year,
)
from app.domain.campus import Campus, check_slug
from app.domain.clock import Clock
from app.domain.competencies import Competency, Framework, check_level
from app.domain.history import Actor
from app.domain.open_badges import achievement_of
from app.errors import Conflict, NotFound
from app.language import N_


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


class BadgeService:
    def __init__(
        self,
        badges: BadgeStore,
        competencies: CompetencyStore,
        history: HistoryStore,
        artist: BadgeArtist,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self.badges = badges
        self.competencies = competencies
        self.history = history
        self.artist = artist
        self.addresses = addresses
        self.clock = clock

    def create(
        self, campus: Campus, wording: Wording, *, slug: str, repeat: Repeat = Repeat.ONCE, by: Actor
    ) -> BadgePage:
        check_slug(slug)
        if self.badges.find(campus.id, slug):
            raise Conflict(N_("Ce campus a déjà un badge à l’adresse « {slug} »."), slug=slug)
        at = self.clock()
        badge = Badge(campus_id=campus.id, slug=slug, repeat=repeat, created_at=at)
        self.badges.add(badge)
        self._add_version(campus, badge, wording, 1)
        self.history.write(by, "create", "badge", badge.id, at=at, campus_id=campus.id)
        return self.page(campus, badge.id)

    def revise(self, campus: Campus, badge_id: uuid.UUID, wording: Wording, *, by: Actor) -> BadgePage:
        """A next version; those given under an earlier one keep what they were given for."""
        badge = self._get(campus, badge_id)
        number = next_number(self.badges.versions_of(badge.id))
        self._add_version(campus, badge, wording, number)
        self.history.write(
            by, "revise", "badge", badge.id, at=self.clock(), campus_id=campus.id, number=number
        )
        return self.page(campus, badge.id)

    def _add_version(self, campus: Campus, badge: Badge, wording: Wording, number: int) -> None:
        version = BadgeVersion(
            badge_id=badge.id,
            number=number,
            kind=wording.kind,
            name=wording.name.strip(),
            description=wording.description.strip(),
            criteria=wording.criteria.strip(),
            language=wording.language,
            tags=wording.tags,
            validity_days=wording.validity_days,
            required_hours=wording.required_hours,
            created_at=self.clock(),
        )
        links = [
            BadgeCompetency(
                version_id=version.id, competency_id=competency_id, level=level, position=position
            )
            for position, (competency_id, level) in enumerate(wording.competencies)
        ]
        check_version(version, links)
        for link in links:
            competency, _ = self.competencies.get_in_campus(link.competency_id, campus.id)
            check_level(competency, link.level)
        self._draw(campus, version, links)
        self.badges.add_version(version, links)

    def _draw(self, campus: Campus, version: BadgeVersion, links: Sequence[BadgeCompetency]) -> None:
        """The master picture: every award of this version is baked into a copy of it."""
        level, levels = self._level_shown(links)
        order = PictureOrder(
            kind=version.kind.value,
            title=version.name,
            campus_short_name=campus.short_name,
            year=str(version_year(version)),
            address=f"{self.addresses.host}/campus/{campus.slug}",
            hue=campus.hue,
            liveliness=campus.liveliness,
            level=level,
            levels=levels,
        )
        version.picture_svg = self.artist.draw(order)
        version.picture_png = self.artist.rasterise(version.picture_svg)

    def _level_shown(self, links: Sequence[BadgeCompetency]) -> tuple[int | None, int | None]:
        """A picture shows the level when the badge attests one competency, at one level."""
        if len(links) != 1 or links[0].level is None:
            return None, None
        competency, _ = self.competencies.get_many([links[0].competency_id])[links[0].competency_id]
        return links[0].level, len(competency.levels)

    def freeze(self, campus: Campus, badge: Badge, version: BadgeVersion) -> BadgeVersion:
        """Fix the wording for ever and write the definition that the world will read (T46)."""
        if version.frozen_at is not None:
            return version
        check_may_change(version)
        achievement = achievement_of(campus, badge, version, self.competencies_of(version), self.addresses)
        version.definition = dump_json(
            {"@context": [CONTEXT_V2, CONTEXT_OB_3_0_3], **achievement.to_document()}
        )
        version.frozen_at = self.clock()
        self.badges.add_version(version, [])
        return version

    def archive(self, campus: Campus, badge_id: uuid.UUID, *, by: Actor) -> None:
        badge = self._get(campus, badge_id)
        if badge.archived_at is None:
            badge.archived_at = self.clock()
            self.badges.add(badge)
            self.history.write(by, "archive", "badge", badge.id, at=self.clock(), campus_id=campus.id)

    def list_current(self, campus: Campus) -> list[tuple[Badge, BadgeVersion]]:
        return self.badges.list_current(campus.id)

    def page(self, campus: Campus, badge_id: uuid.UUID, number: int | None = None) -> BadgePage:
        """One version of the campus's badge, the newest unless `number` says which."""
        badge = self._get(campus, badge_id)
        version = (
            self.badges.current_version(badge.id)
            if number is None
            else self.badges.get_version(badge.id, number)
        )
        return BadgePage(
            campus, badge, version, self.competencies_of(version), self.badges.versions_of(badge.id)
        )

    def competencies_of(self, version: BadgeVersion) -> list[tuple[BadgeCompetency, Competency, Framework]]:
        links = self.badges.competencies_of(version.id)
        known = self.competencies.get_many(link.competency_id for link in links)
        return [(link, *known[link.competency_id]) for link in links]

    def _get(self, campus: Campus, badge_id: uuid.UUID) -> Badge:
        badge = self.badges.get(badge_id)
        if badge.campus_id != campus.id:
            raise NotFound(N_("Ce badge n’existe pas ici."))
        return badge
