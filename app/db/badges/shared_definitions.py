"""Definitions that networks share, who adopted them, and what campuses propose."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import and_, case, or_
from sqlmodel import SQLModel, col, func, select

from app.db.engine.queries import RowStore, locked
from app.domain.badges import BadgeVersion
from app.domain.badges.shared_definitions import (
    DefinitionAdoption,
    DefinitionProposal,
    ProposalState,
    SharedBadge,
    SharedBadgeVersion,
)
from app.domain.campus.campus import Campus, Network, NetworkMember
from app.domain.frameworks import Competency, CompetencyVersion, Framework

_ITEM = "competency"
"""The kind of items that can be adopted; groups and domains cannot."""


class SharedDefinitionStore(RowStore[SQLModel]):
    # --- definitions

    def badge(self, definition_id: uuid.UUID) -> SharedBadge | None:
        return self.session.get(SharedBadge, definition_id)

    def lock_badge(self, badge: SharedBadge) -> None:
        self.session.refresh(badge, with_for_update=True)

    def badges_of(self, network_ids: Collection[uuid.UUID]) -> list[tuple[SharedBadge, SharedBadgeVersion]]:
        """With their newest version."""
        newest = (
            select(
                col(SharedBadgeVersion.shared_badge_id).label("id"),
                func.max(SharedBadgeVersion.number).label("number"),
            )
            .group_by(col(SharedBadgeVersion.shared_badge_id))
            .subquery()
        )
        rows = self.session.exec(
            select(SharedBadge, SharedBadgeVersion)
            .join(newest, newest.c.id == col(SharedBadge.id))
            .join(
                SharedBadgeVersion,
                and_(
                    col(SharedBadgeVersion.shared_badge_id) == col(SharedBadge.id),
                    col(SharedBadgeVersion.number) == newest.c.number,
                ),
            )
            .where(col(SharedBadge.network_id).in_(network_ids))
            .order_by(col(SharedBadge.created_at), col(SharedBadge.id))
        )
        return [(badge, version) for badge, version in rows]

    def versions_of(self, definition_id: uuid.UUID) -> Sequence[SharedBadgeVersion]:
        query = select(SharedBadgeVersion).where(SharedBadgeVersion.shared_badge_id == definition_id)
        return self.session.exec(query.order_by(col(SharedBadgeVersion.number))).all()

    def competencies_of(self, network_ids: Collection[uuid.UUID]) -> list[tuple[Competency, Framework, int]]:
        """With the number of their newest version."""
        newest = (
            select(
                col(CompetencyVersion.competency_id).label("id"),
                func.max(CompetencyVersion.number).label("number"),
            )
            .group_by(col(CompetencyVersion.competency_id))
            .subquery()
        )
        rows = self.session.exec(
            select(Competency, Framework, newest.c.number)
            .join(Framework, col(Framework.id) == col(Competency.framework_id))
            .join(newest, newest.c.id == col(Competency.id))
            .where(
                col(Framework.network_id).in_(network_ids),
                Competency.kind == _ITEM,
                col(Competency.ended_on).is_(None),
            )
            .order_by(col(Framework.code), col(Competency.position), col(Competency.code))
        )
        return [(item, framework, number) for item, framework, number in rows]

    def competency(self, definition_id: uuid.UUID) -> tuple[Competency, Framework] | None:
        row = self.session.exec(
            select(Competency, Framework)
            .join(Framework, col(Framework.id) == col(Competency.framework_id))
            .where(
                Competency.id == definition_id,
                Competency.kind == _ITEM,
                col(Framework.network_id).is_not(None),
            )
        ).first()
        return (row[0], row[1]) if row else None

    def competency_versions(self, definition_id: uuid.UUID) -> Sequence[CompetencyVersion]:
        query = select(CompetencyVersion).where(CompetencyVersion.competency_id == definition_id)
        return self.session.exec(query.order_by(col(CompetencyVersion.number))).all()

    def frameworks_of(self, network_id: uuid.UUID) -> Sequence[Framework]:
        query = select(Framework).where(Framework.network_id == network_id)
        return self.session.exec(query.order_by(col(Framework.code))).all()

    def networks(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Network]:
        query = select(Network).where(col(Network.id).in_(set(ids)))
        return {each.id: each for each in self.session.exec(query)}

    def members(self, network_id: uuid.UUID) -> Sequence[Campus]:
        query = select(Campus).join(NetworkMember, col(NetworkMember.campus_id) == col(Campus.id))
        query = query.where(NetworkMember.network_id == network_id)
        return self.session.exec(query.order_by(col(Campus.short_name))).all()

    # --- adoptions

    def adoption(
        self, campus_id: uuid.UUID, definition_id: uuid.UUID, *, lock: bool = False
    ) -> DefinitionAdoption | None:
        query = select(DefinitionAdoption).where(
            DefinitionAdoption.campus_id == campus_id,
            or_(
                col(DefinitionAdoption.shared_badge_id) == definition_id,
                col(DefinitionAdoption.shared_competency_id) == definition_id,
            ),
        )
        return self.session.exec(locked(query) if lock else query).first()

    def adoptions_of(self, campus_id: uuid.UUID) -> Sequence[DefinitionAdoption]:
        query = select(DefinitionAdoption).where(DefinitionAdoption.campus_id == campus_id)
        return self.session.exec(query.order_by(col(DefinitionAdoption.adopted_at))).all()

    def of_badge(self, badge_id: uuid.UUID) -> DefinitionAdoption | None:
        query = select(DefinitionAdoption).where(DefinitionAdoption.badge_id == badge_id)
        return self.session.exec(query).first()

    def of_badges(self, badge_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, DefinitionAdoption]:
        query = select(DefinitionAdoption).where(col(DefinitionAdoption.badge_id).in_(badge_ids))
        return {each.badge_id: each for each in self.session.exec(query) if each.badge_id}

    def of_competencies(self, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, DefinitionAdoption]:
        """By the campus's own competency."""
        query = select(DefinitionAdoption).where(col(DefinitionAdoption.competency_id).in_(ids))
        return {each.competency_id: each for each in self.session.exec(query) if each.competency_id}

    def adopters(self, definition_id: uuid.UUID) -> list[tuple[DefinitionAdoption, Campus]]:
        rows = self.session.exec(
            select(DefinitionAdoption, Campus)
            .join(Campus, col(Campus.id) == col(DefinitionAdoption.campus_id))
            .where(
                or_(
                    col(DefinitionAdoption.shared_badge_id) == definition_id,
                    col(DefinitionAdoption.shared_competency_id) == definition_id,
                )
            )
            .order_by(col(Campus.short_name))
        )
        return [(adoption, campus) for adoption, campus in rows]

    def count_adopters(self, network_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
        """By definition."""
        adopted = case(
            (col(DefinitionAdoption.shared_badge_id).is_not(None), col(DefinitionAdoption.shared_badge_id)),
            else_=col(DefinitionAdoption.shared_competency_id),
        )
        query = (
            select(adopted, func.count())
            .where(col(DefinitionAdoption.network_id).in_(network_ids))
            .group_by(adopted)
        )
        return {key: count for key, count in self.session.execute(query)}  # noqa: C416

    def published_badges(self, ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """Those with a version that was awarded: they have a public page."""
        query = select(BadgeVersion.badge_id).where(
            col(BadgeVersion.badge_id).in_(ids), col(BadgeVersion.frozen_at).is_not(None)
        )
        return set(self.session.exec(query.distinct()))

    def count_improvements(self, campus_id: uuid.UUID) -> int:
        """Adopted definitions with a version on which the campus has not decided."""
        badge = (
            select(func.max(SharedBadgeVersion.number))
            .where(SharedBadgeVersion.shared_badge_id == DefinitionAdoption.shared_badge_id)
            .scalar_subquery()
        )
        competency = (
            select(func.max(CompetencyVersion.number))
            .where(CompetencyVersion.competency_id == DefinitionAdoption.shared_competency_id)
            .scalar_subquery()
        )
        query = (
            select(func.count())
            .select_from(DefinitionAdoption)
            .where(
                DefinitionAdoption.campus_id == campus_id,
                func.coalesce(badge, competency) > col(DefinitionAdoption.number),
            )
        )
        return self.session.exec(query).one()

    # --- proposals

    def proposal(self, proposal_id: uuid.UUID, *, lock: bool = False) -> DefinitionProposal | None:
        query = select(DefinitionProposal).where(DefinitionProposal.id == proposal_id)
        return self.session.exec(locked(query) if lock else query).first()

    def proposals_to(self, network_id: uuid.UUID) -> list[tuple[DefinitionProposal, Campus]]:
        """Waiting ones first, the oldest of them first; then the latest decisions."""
        rows = self.session.exec(
            select(DefinitionProposal, Campus)
            .join(Campus, col(Campus.id) == col(DefinitionProposal.campus_id))
            .where(DefinitionProposal.network_id == network_id)
            .order_by(
                col(DefinitionProposal.decided_at).is_not(None),
                col(DefinitionProposal.decided_at).desc(),
                col(DefinitionProposal.proposed_at),
            )
        )
        return [(proposal, campus) for proposal, campus in rows]

    def proposals_of(self, campus_id: uuid.UUID) -> Sequence[DefinitionProposal]:
        query = select(DefinitionProposal).where(DefinitionProposal.campus_id == campus_id)
        return self.session.exec(query.order_by(col(DefinitionProposal.proposed_at).desc())).all()

    def waiting_proposal(
        self,
        campus_id: uuid.UUID,
        *,
        definition_id: uuid.UUID | None = None,
        badge_id: uuid.UUID | None = None,
    ) -> DefinitionProposal | None:
        query = select(DefinitionProposal).where(
            DefinitionProposal.campus_id == campus_id, DefinitionProposal.state == ProposalState.WAITING
        )
        if definition_id is not None:
            query = query.where(
                or_(
                    col(DefinitionProposal.shared_badge_id) == definition_id,
                    col(DefinitionProposal.shared_competency_id) == definition_id,
                )
            )
        else:
            query = query.where(
                DefinitionProposal.badge_id == badge_id, col(DefinitionProposal.shared_badge_id).is_(None)
            )
        return self.session.exec(query).first()
