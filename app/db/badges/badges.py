"""Badges and their versions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy.orm import defer
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from app.domain.activity_log.integrity import PictureDigest, picture_digests
from app.domain.badges.badges import Badge, BadgeCompetency, BadgeVersion
from app.errors import NotFound
from app.language import N_

# A picture weighs a hundred kilobytes: lists of versions leave it where it lies until it is asked for.
WITHOUT_PICTURES = (
    defer(BadgeVersion.picture_png),  # type: ignore[arg-type]
    defer(BadgeVersion.picture_svg),  # type: ignore[arg-type]
)


class BadgeStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, badge: Badge) -> None:
        self.session.add(badge)
        self.session.flush()

    def add_version(self, version: BadgeVersion, competencies: Sequence[BadgeCompetency]) -> None:
        self.session.add(version)
        self.session.flush()
        self.session.add_all(competencies)
        self.session.flush()

    def get(self, badge_id: uuid.UUID) -> Badge:
        badge = self.session.get(Badge, badge_id)
        if badge is None:
            raise NotFound(N_("Ce badge n’existe pas ici."))
        return badge

    def find(self, campus_id: uuid.UUID, slug: str) -> Badge | None:
        return self.session.exec(
            select(Badge).where(Badge.campus_id == campus_id, Badge.slug == slug)
        ).first()

    def get_version(self, badge_id: uuid.UUID, number: int) -> BadgeVersion:
        query = select(BadgeVersion).where(BadgeVersion.badge_id == badge_id, BadgeVersion.number == number)
        version = self.session.exec(query).first()
        if version is None:
            raise NotFound(N_("Cette version du badge n’existe pas."))
        return version

    def get_version_by_id(self, version_id: uuid.UUID) -> BadgeVersion:
        version = self.session.get(BadgeVersion, version_id)
        if version is None:
            raise NotFound(N_("Cette version du badge n’existe pas."))
        return version

    def add_pictures(self, version: BadgeVersion) -> None:
        """The digests of a version's pictures, which change no more."""
        self.session.add(PictureDigest(version_id=version.id, **picture_digests(version)))
        self.session.flush()

    def current_version(self, badge_id: uuid.UUID) -> BadgeVersion:
        """The newest wording that may be given; a badge that is all draft has only its draft to show."""
        query = select(BadgeVersion).where(
            BadgeVersion.badge_id == badge_id, col(BadgeVersion.is_draft).is_(False)
        )
        version = self.session.exec(query.order_by(col(BadgeVersion.number).desc()).limit(1)).first()
        return version or self.newest_version(badge_id)

    def newest_version(self, badge_id: uuid.UUID) -> BadgeVersion:
        """The newest wording, be it a draft."""
        query = select(BadgeVersion).where(BadgeVersion.badge_id == badge_id)
        version = self.session.exec(query.order_by(col(BadgeVersion.number).desc()).limit(1)).first()
        if version is None:
            raise NotFound(N_("Ce badge n’a pas encore de version."))
        return version

    def versions_of(self, badge_id: uuid.UUID) -> Sequence[BadgeVersion]:
        query = select(BadgeVersion).where(BadgeVersion.badge_id == badge_id)
        return self.session.exec(query.order_by(col(BadgeVersion.number))).all()

    def newest_frozen_number(self, badge_id: uuid.UUID) -> int | None:
        """Asked for every public award: no pictures are loaded for it."""
        query = select(func.max(BadgeVersion.number)).where(
            BadgeVersion.badge_id == badge_id, col(BadgeVersion.frozen_at).is_not(None)
        )
        return self.session.exec(query).one()

    def save_version(self, version: BadgeVersion, competencies: Sequence[BadgeCompetency]) -> None:
        """A version written anew, with what it attests now."""
        for link in self.competencies_of(version.id):
            self.session.delete(link)
        self.session.flush()
        self.add_version(version, competencies)

    def list_newest(self, campus_id: uuid.UUID) -> list[tuple[Badge, BadgeVersion]]:
        """Every badge of a campus with its newest version, drafts too, by name."""
        return self._list(campus_id, select(BadgeVersion))

    def list_current(self, campus_id: uuid.UUID) -> list[tuple[Badge, BadgeVersion]]:
        """Every badge of a campus that is not all draft, with the newest version that may be given, by name."""
        return self._list(campus_id, select(BadgeVersion).where(col(BadgeVersion.is_draft).is_(False)))

    def _list(
        self, campus_id: uuid.UUID, counted: SelectOfScalar[BadgeVersion]
    ) -> list[tuple[Badge, BadgeVersion]]:
        newest = (
            counted.with_only_columns(
                col(BadgeVersion.badge_id).label("badge_id"), func.max(BadgeVersion.number).label("number")
            )
            .join(Badge, col(Badge.id) == col(BadgeVersion.badge_id))
            .where(col(Badge.campus_id) == campus_id)
            .group_by(col(BadgeVersion.badge_id))
            .subquery()
        )
        rows = self.session.exec(
            select(Badge, BadgeVersion)
            .join(BadgeVersion, col(BadgeVersion.badge_id) == col(Badge.id))
            .join(
                newest,
                (newest.c.badge_id == col(BadgeVersion.badge_id))
                & (newest.c.number == col(BadgeVersion.number)),
            )
            .where(Badge.campus_id == campus_id)
            .options(*WITHOUT_PICTURES)
            .order_by(col(BadgeVersion.name))
        )
        return [(badge, version) for badge, version in rows]

    def frozen_of(self, campus_id: uuid.UUID) -> Sequence[tuple[uuid.UUID, int]]:
        """Every version that the world may read, of archived badges too."""
        query = (
            select(BadgeVersion.badge_id, BadgeVersion.number)
            .join(Badge, col(Badge.id) == col(BadgeVersion.badge_id))
            .where(Badge.campus_id == campus_id, col(BadgeVersion.frozen_at).is_not(None))
        )
        return self.session.exec(query.order_by(col(BadgeVersion.badge_id), col(BadgeVersion.number))).all()

    def competencies_of(self, version_id: uuid.UUID) -> Sequence[BadgeCompetency]:
        query = select(BadgeCompetency).where(BadgeCompetency.version_id == version_id)
        return self.session.exec(query.order_by(col(BadgeCompetency.position))).all()
