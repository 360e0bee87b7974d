"""What campuses share with their networks."""

from __future__ import annotations

import uuid

from sqlmodel import col, select

from app.db.engine.queries import Store
from app.domain.campus.campus import Campus, Network, NetworkMember
from app.domain.reports.network import ReportSharing


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
