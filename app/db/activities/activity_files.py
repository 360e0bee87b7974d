"""Which files belong to which activity."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from sqlmodel import Session, col, select

from app.domain.activities.activities import Participation
from app.domain.activities.activity_files import ActivityFile
from app.domain.activities.files import StoredFile
from app.errors import NotFound
from app.language import N_


class ActivityFileStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def save(self, row: ActivityFile) -> None:
        self.session.add(row)
        self.session.flush()

    def get(self, activity_id: uuid.UUID, file_id: uuid.UUID) -> ActivityFile:
        row = self.session.get(ActivityFile, file_id)
        if row is None or row.activity_id != activity_id or row.removed_at is not None:
            raise NotFound(N_("Ce fichier n’est pas ici, ou n’y est plus."))
        return row

    def ever_of(self, activity_id: uuid.UUID) -> list[uuid.UUID]:
        """The files that belong to it, and those that were removed."""
        query = select(ActivityFile.file_id).where(ActivityFile.activity_id == activity_id)
        return list(self.session.exec(query))

    def of(self, activity_ids: Collection[uuid.UUID]) -> Sequence[tuple[ActivityFile, StoredFile]]:
        query = (
            select(ActivityFile, StoredFile)
            .join(StoredFile, col(StoredFile.id) == col(ActivityFile.file_id))
            .where(col(ActivityFile.activity_id).in_(activity_ids), col(ActivityFile.removed_at).is_(None))
            .order_by(col(StoredFile.added_at), col(StoredFile.name), col(StoredFile.id))
        )
        return self.session.exec(query).all()

    def activities_of(
        self, person_id: uuid.UUID, participation_ids: Collection[uuid.UUID]
    ) -> dict[uuid.UUID, uuid.UUID]:
        """The activity of each of these participations where the person was there."""
        rows = self.session.exec(
            select(Participation.id, Participation.activity_id).where(
                Participation.person_id == person_id,
                col(Participation.is_present),
                col(Participation.id).in_(participation_ids),
            )
        )
        return dict(rows.all())

    def was_there(self, person_id: uuid.UUID, activity_id: uuid.UUID) -> bool:
        query = select(Participation.id).where(
            Participation.person_id == person_id,
            Participation.activity_id == activity_id,
            col(Participation.is_present),
        )
        return self.session.exec(query).first() is not None
