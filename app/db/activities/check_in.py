"""Rooms and what phones signed in them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select, update

from app.domain.activities.activities import Participation
from app.domain.activities.check_in import Room, RoomEntry, WaitingSignature
from app.domain.people.people import Person


@dataclass(frozen=True)
class Pulse:
    """What changes when somebody signs, is ticked or unticked."""

    signed: int = 0
    present: int = 0
    waiting: int = 0
    """Signatures of which a trainer has to say whose they are."""

    @property
    def places_taken(self) -> int:
        return self.present + self.waiting


class RoomStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def find_of(self, activity_id: uuid.UUID, session_id: uuid.UUID | None) -> Room | None:
        query = select(Room).where(Room.activity_id == activity_id, Room.session_id == session_id)
        return self.session.exec(query.order_by(col(Room.id))).first()

    def find(self, room_id: uuid.UUID) -> Room | None:
        return self.session.get(Room, room_id)

    def find_signed(self, sign: str) -> Room | None:
        return self.session.exec(select(Room).where(Room.sign == sign)).first()

    def lock(self, room_id: uuid.UUID) -> Room:
        """The room as it is now, held until the transaction ends."""
        return self.session.exec(
            select(Room).where(Room.id == room_id).with_for_update().execution_options(populate_existing=True)
        ).one()

    def save(self, room: Room) -> None:
        self.session.add(room)
        self.session.flush()

    def shut_overdue(self, at: datetime) -> None:
        """Rooms that nobody shut give their sign back."""
        self.session.exec(
            update(Room)
            .where(col(Room.sign).is_not(None), col(Room.closes_at) <= at)
            .values(sign=None, closed_at=col(Room.closes_at))
        )

    def find_entry(self, room_id: uuid.UUID, phone_digest: str) -> tuple[RoomEntry, Person] | None:
        row = self.session.exec(
            select(RoomEntry, Person)
            .join(Participation, col(Participation.id) == col(RoomEntry.participation_id))
            .join(Person, col(Person.id) == col(Participation.person_id))
            .where(RoomEntry.room_id == room_id, RoomEntry.phone_digest == phone_digest)
        ).first()
        return (row[0], row[1]) if row else None

    def save_entry(self, entry: RoomEntry) -> None:
        self.session.add(entry)
        self.session.flush()

    def has_entry_of(self, room_id: uuid.UUID, participation_id: uuid.UUID) -> bool:
        query = select(RoomEntry.id).where(
            RoomEntry.room_id == room_id, RoomEntry.participation_id == participation_id
        )
        return self.session.exec(query).first() is not None

    def entries(self, room_id: uuid.UUID) -> list[tuple[RoomEntry, Participation, Person]]:
        """Latest first: whoever has just signed is on top."""
        rows = self.session.exec(
            select(RoomEntry, Participation, Person)
            .join(Participation, col(Participation.id) == col(RoomEntry.participation_id))
            .join(Person, col(Person.id) == col(Participation.person_id))
            .where(RoomEntry.room_id == room_id)
            .order_by(col(RoomEntry.signed_at).desc(), col(RoomEntry.id))
        )
        return [(entry, participation, person) for entry, participation, person in rows]

    def pulse(self, room_id: uuid.UUID) -> Pulse:
        counts = self.session.exec(
            select(col(Participation.is_present), func.count())
            .join(RoomEntry, col(RoomEntry.participation_id) == col(Participation.id))
            .where(RoomEntry.room_id == room_id)
            .group_by(col(Participation.is_present))
        )
        found = {bool(present): count for present, count in counts}
        waiting = select(func.count()).where(WaitingSignature.room_id == room_id)
        return Pulse(sum(found.values()), found.get(True, 0), self.session.exec(waiting).one())

    def find_waiting(self, room_id: uuid.UUID, phone_digest: str) -> WaitingSignature | None:
        return self.session.exec(
            select(WaitingSignature).where(
                WaitingSignature.room_id == room_id, WaitingSignature.phone_digest == phone_digest
            )
        ).first()

    def get_waiting(self, waiting_id: uuid.UUID) -> WaitingSignature | None:
        return self.session.get(WaitingSignature, waiting_id)

    def waiting(self, activity_id: uuid.UUID) -> Sequence[WaitingSignature]:
        """Of all the rooms of an activity; who signed first is asked first."""
        return self.session.exec(
            select(WaitingSignature)
            .join(Room, col(Room.id) == col(WaitingSignature.room_id))
            .where(Room.activity_id == activity_id)
            .order_by(col(WaitingSignature.signed_at), col(WaitingSignature.id))
        ).all()

    def how_many_wait(self, activity_id: uuid.UUID) -> int:
        """Of all the rooms of an activity."""
        query = (
            select(func.count())
            .select_from(WaitingSignature)
            .join(Room, col(Room.id) == col(WaitingSignature.room_id))
            .where(Room.activity_id == activity_id)
        )
        return self.session.exec(query).one()

    def save_waiting(self, waiting: WaitingSignature) -> None:
        self.session.add(waiting)
        self.session.flush()

    def remove_waiting(self, waiting: WaitingSignature) -> None:
        self.session.delete(waiting)
        self.session.flush()
