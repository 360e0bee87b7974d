"""Status lists and their slots."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.db.engine.bulk import IN_ONE_QUERY, among, insert_values
from app.domain.publishing.status import StatusList, StatusSlot
from app.errors import NotFound
from app.language import N_


class Place(NamedTuple):
    list_id: uuid.UUID
    position: int


class StatusStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, row: StatusList) -> None:
        self.session.add(row)
        self.session.flush()

    def get(self, list_id: uuid.UUID) -> StatusList:
        row = self.session.get(StatusList, list_id)
        if row is None:
            raise NotFound(N_("Cette liste de statuts n’existe pas ici."))
        return row

    def find(self, list_id: uuid.UUID) -> StatusList | None:
        return self.session.get(StatusList, list_id)

    def sequences(self) -> dict[uuid.UUID, int]:
        """Of every list of every campus, how often it was signed."""
        return dict(self.session.exec(select(StatusList.id, StatusList.sequence)).all())

    def slots_at(self, list_id: uuid.UUID, positions: Collection[int]) -> list[StatusSlot]:
        """Whatever lies at these positions, in order."""
        asked = among(self.session, col(StatusSlot.position), positions)
        query = select(StatusSlot).where(StatusSlot.list_id == list_id, asked)
        return list(self.session.exec(query.order_by(col(StatusSlot.position))))

    def ids_of(self, campus_id: uuid.UUID) -> Sequence[uuid.UUID]:
        return self.session.exec(select(StatusList.id).where(StatusList.campus_id == campus_id)).all()

    def lock_open(self, campus_id: uuid.UUID) -> StatusList | None:
        """The campus's open list, held until the transaction ends: places are given one request at a time."""
        query = select(StatusList).where(
            StatusList.campus_id == campus_id, col(StatusList.closed_at).is_(None)
        )
        return self.session.exec(_afresh(query)).first()

    def lock(self, list_id: uuid.UUID) -> StatusList:
        return self.session.exec(_afresh(select(StatusList).where(StatusList.id == list_id))).one()

    def taken(self, list_id: uuid.UUID, positions: Collection[int]) -> set[int]:
        """Which of these places are somebody's."""
        asked = among(self.session, col(StatusSlot.position), positions)
        return set(self.session.exec(select(StatusSlot.position).where(StatusSlot.list_id == list_id, asked)))

    def add_slots(self, places: Mapping[uuid.UUID, Place]) -> None:
        """The place of each award, none of them raised."""
        insert_values(
            self.session,
            StatusSlot,
            [
                {"list_id": place.list_id, "position": place.position, "award_id": award_id}
                for award_id, place in places.items()
            ],
        )

    def slots_of(self, award_ids: Sequence[uuid.UUID]) -> list[StatusSlot]:
        found: list[StatusSlot] = []
        for start in range(0, len(award_ids), IN_ONE_QUERY):
            query = select(StatusSlot).where(
                col(StatusSlot.award_id).in_(award_ids[start : start + IN_ONE_QUERY])
            )
            found += self.session.exec(query)
        return found

    def raised(self, list_id: uuid.UUID) -> Sequence[int]:
        query = select(StatusSlot.position).where(
            StatusSlot.list_id == list_id, col(StatusSlot.raised_at).is_not(None)
        )
        return self.session.exec(query).all()

    def raise_slots(self, slots: Sequence[StatusSlot], *, at: datetime) -> None:
        for slot in slots:
            slot.raised_at = slot.raised_at or at
        self.session.add_all(slots)
        self.session.flush()


def _afresh(query: SelectOfScalar[StatusList]) -> SelectOfScalar[StatusList]:
    """Held, and as it is now: the session may have read it before somebody else signed it."""
    return query.with_for_update().execution_options(populate_existing=True)
