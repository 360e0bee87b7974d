"""Drafts, declared figures and signed editions of yearly reports."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlmodel import SQLModel, col, select

from app.db.engine.queries import Store
from app.db.engine.writes import among
from app.domain.campus.campus import Campus, Network, NetworkMember
from app.domain.reports.editions import ReportDraft, ReportEdition, ReportPicture
from app.domain.reports.facts import Declared, DeclaredFigure
from app.domain.reports.network import ReportSharing


class EditionStore(Store):
    def draft(self, campus_id: uuid.UUID, period: str) -> ReportDraft | None:
        query = select(ReportDraft).where(ReportDraft.campus_id == campus_id, ReportDraft.period == period)
        return self.session.exec(query).first()

    def save(self, row: SQLModel) -> None:
        self.session.add(row)
        self.session.flush()

    def keep_picture(self, campus_id: uuid.UUID, digest: str, content: bytes) -> None:
        """Idempotent."""
        if self.session.get(ReportPicture, (campus_id, digest)) is None:
            self.save(ReportPicture(campus_id=campus_id, digest=digest, content=content))

    def pictures(self, campus_id: uuid.UUID, digests: Collection[str]) -> Mapping[str, bytes]:
        query = select(ReportPicture).where(
            ReportPicture.campus_id == campus_id, col(ReportPicture.digest).in_(digests)
        )
        return {row.digest: row.content for row in self.session.exec(query)}

    def digests(self, campus_id: uuid.UUID) -> Sequence[str]:
        """Of all pictures that signed versions keep."""
        query = select(ReportPicture.digest).where(ReportPicture.campus_id == campus_id)
        return self.session.exec(query.order_by(col(ReportPicture.digest))).all()

    def delete_picture(self, campus_id: uuid.UUID, digest: str) -> None:
        row = self.session.get(ReportPicture, (campus_id, digest))
        if row is not None:
            self.session.delete(row)
            self.session.flush()

    def declared(self, activity_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Sequence[DeclaredFigure]]:
        found: dict[uuid.UUID, list[DeclaredFigure]] = defaultdict(list)
        query = (
            select(DeclaredFigure)
            .where(among(self.session, col(DeclaredFigure.activity_id), activity_ids))
            .order_by(col(DeclaredFigure.declared_at), col(DeclaredFigure.id))
        )
        for row in self.session.exec(query):
            found[row.activity_id].append(row)
        return found

    def unsettle(self, activity_id: uuid.UUID, about: Declared) -> None:
        query = select(DeclaredFigure).where(
            DeclaredFigure.activity_id == activity_id,
            DeclaredFigure.about == about,
            col(DeclaredFigure.is_settled),
        )
        for row in self.session.exec(query):
            self.session.delete(row)
        self.session.flush()

    def editions(self, campus_id: uuid.UUID, period: str) -> Sequence[ReportEdition]:
        query = select(ReportEdition).where(
            ReportEdition.campus_id == campus_id, ReportEdition.period == period
        )
        return self.session.exec(query.order_by(col(ReportEdition.number).desc())).all()

    def all_editions(self, campus_id: uuid.UUID) -> Sequence[ReportEdition]:
        """Of every period, its last one first."""
        query = select(ReportEdition).where(ReportEdition.campus_id == campus_id)
        return self.session.exec(
            query.order_by(col(ReportEdition.period), col(ReportEdition.number).desc())
        ).all()


# --- What campuses share with their networks


class ReportSharingStore(Store):
    def find_network(self, slug: str) -> Network | None:
        return self.session.exec(select(Network).where(Network.slug == slug)).first()

    def members(self, network_id: uuid.UUID) -> list[Campus]:
        query = (
            select(Campus)
            .join(NetworkMember, col(NetworkMember.campus_id) == col(Campus.id))
            .where(NetworkMember.network_id == network_id)
            .order_by(col(Campus.short_name), col(Campus.id))
        )
        return list(self.session.exec(query))

    def of_network(self, network_id: uuid.UUID) -> dict[uuid.UUID, ReportSharing]:
        rows = self.session.exec(select(ReportSharing).where(ReportSharing.network_id == network_id))
        return {row.campus_id: row for row in rows}

    def find(self, campus_id: uuid.UUID, network_id: uuid.UUID) -> ReportSharing | None:
        return self.session.get(ReportSharing, (campus_id, network_id))

    def save(self, sharing: ReportSharing) -> None:
        self.session.add(sharing)
        self.session.flush()
