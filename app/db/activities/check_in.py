"""Check-ins and what phones signed in them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, delete, func, select, update

from app.db.engine.queries import Store
from app.domain.activities import Participation
from app.domain.activities.check_in import CheckIn, CheckInEntry, RememberedPhone, WaitingSignature
from app.domain.people import Person


@dataclass(frozen=True)
class Pulse:
    """Changes when a participant signs, or is ticked or unticked."""

    signed: int = 0
    present: int = 0
    waiting: int = 0
    """Entries for which a trainer must choose the person."""

    @property
    def places_taken(self) -> int:
        return self.present + self.waiting


class CheckInStore(Store):
    def find_of(self, activity_id: uuid.UUID, session_id: uuid.UUID | None) -> CheckIn | None:
        query = select(CheckIn).where(CheckIn.activity_id == activity_id, CheckIn.session_id == session_id)
        return self.session.exec(query.order_by(col(CheckIn.id))).first()

    def find(self, room_id: uuid.UUID) -> CheckIn | None:
        return self.session.get(CheckIn, room_id)

    def find_signed(self, sign: str) -> CheckIn | None:
        return self.session.exec(select(CheckIn).where(CheckIn.sign == sign)).first()

    def find_open_of(self, activity_id: uuid.UUID, *, at: datetime) -> CheckIn | None:
        """The one opened last."""
        return self.session.exec(
            select(CheckIn)
            .where(
                CheckIn.activity_id == activity_id,
                col(CheckIn.closed_at).is_(None),
                col(CheckIn.closes_at) > at,
            )
            .order_by(col(CheckIn.opened_at).desc(), col(CheckIn.id))
        ).first()

    def lock(self, room_id: uuid.UUID) -> CheckIn:
        """The check-in, reloaded and locked until the transaction ends."""
        return self.session.exec(
            select(CheckIn)
            .where(CheckIn.id == room_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one()

    def save(self, room: CheckIn) -> None:
        self.session.add(room)
        self.session.flush()

    def shut_overdue(self, at: datetime) -> None:
        """Overdue check-ins free their sign."""
        self.session.exec(
            update(CheckIn)
            .where(col(CheckIn.sign).is_not(None), col(CheckIn.closes_at) <= at)
            .values(sign=None, closed_at=col(CheckIn.closes_at))
        )

    def find_entry(self, room_id: uuid.UUID, phone_digest: str) -> tuple[CheckInEntry, Person] | None:
        row = self.session.exec(
            select(CheckInEntry, Person)
            .join(Participation, col(Participation.id) == col(CheckInEntry.participation_id))
            .join(Person, col(Person.id) == col(Participation.person_id))
            .where(CheckInEntry.room_id == room_id, CheckInEntry.phone_digest == phone_digest)
        ).first()
        return (row[0], row[1]) if row else None

    def save_entry(self, entry: CheckInEntry) -> None:
        self.session.add(entry)
        self.session.flush()

    def has_entry_of(self, room_id: uuid.UUID, participation_id: uuid.UUID) -> bool:
        query = select(CheckInEntry.id).where(
            CheckInEntry.room_id == room_id, CheckInEntry.participation_id == participation_id
        )
        return self.session.exec(query).first() is not None

    def entries(self, room_id: uuid.UUID) -> list[tuple[CheckInEntry, Participation, Person]]:
        """Latest first: the most recent signature is on top."""
        rows = self.session.exec(
            select(CheckInEntry, Participation, Person)
            .join(Participation, col(Participation.id) == col(CheckInEntry.participation_id))
            .join(Person, col(Person.id) == col(Participation.person_id))
            .where(CheckInEntry.room_id == room_id)
            .order_by(col(CheckInEntry.signed_at).desc(), col(CheckInEntry.id))
        )
        return [(entry, participation, person) for entry, participation, person in rows]

    def pulse(self, room_id: uuid.UUID) -> Pulse:
        counts = self.session.exec(
            select(col(Participation.is_present), func.count())
            .join(CheckInEntry, col(CheckInEntry.participation_id) == col(Participation.id))
            .where(CheckInEntry.room_id == room_id)
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
        """Of all check-ins of an activity, the earliest signature first."""
        return self.session.exec(
            select(WaitingSignature)
            .join(CheckIn, col(CheckIn.id) == col(WaitingSignature.room_id))
            .where(CheckIn.activity_id == activity_id)
            .order_by(col(WaitingSignature.signed_at), col(WaitingSignature.id))
        ).all()

    def how_many_wait(self, activity_id: uuid.UUID) -> int:
        """Of all check-ins of an activity."""
        query = (
            select(func.count())
            .select_from(WaitingSignature)
            .join(CheckIn, col(CheckIn.id) == col(WaitingSignature.room_id))
            .where(CheckIn.activity_id == activity_id)
        )
        return self.session.exec(query).one()

    def save_waiting(self, waiting: WaitingSignature) -> None:
        self.session.add(waiting)
        self.session.flush()

    def remove_waiting(self, waiting: WaitingSignature) -> None:
        self.session.delete(waiting)
        self.session.flush()

    def remove_entry(self, entry: CheckInEntry) -> None:
        self.session.delete(entry)
        self.session.flush()

    def entries_of_person(
        self, person_id: uuid.UUID, campus_id: uuid.UUID
    ) -> list[tuple[CheckInEntry, Participation]]:
        rows = self.session.exec(
            select(CheckInEntry, Participation)
            .join(Participation, col(Participation.id) == col(CheckInEntry.participation_id))
            .join(CheckIn, col(CheckIn.id) == col(CheckInEntry.room_id))
            .where(Participation.person_id == person_id, CheckIn.campus_id == campus_id)
            .order_by(col(CheckInEntry.signed_at), col(CheckInEntry.id))
        )
        return [(entry, participation) for entry, participation in rows]

    def remember(self, phone: RememberedPhone) -> None:
        self.session.add(phone)
        self.session.flush()

    def remembered(
        self, campus_id: uuid.UUID, digests: Collection[str], *, at: datetime
    ) -> tuple[RememberedPhone, Person] | None:
        """The newest of that campus among these phones."""
        row = self.session.exec(
            select(RememberedPhone, Person)
            .join(Person, col(Person.id) == col(RememberedPhone.person_id))
            .where(
                RememberedPhone.campus_id == campus_id,
                col(RememberedPhone.secret_digest).in_(digests),
                col(RememberedPhone.expires_at) > at,
            )
            .order_by(col(RememberedPhone.remembered_at).desc(), col(RememberedPhone.id))
        ).first()
        return (row[0], row[1]) if row else None

    def remembered_among(self, digests: Collection[str]) -> Sequence[RememberedPhone]:
        return self.session.exec(
            select(RememberedPhone).where(col(RememberedPhone.secret_digest).in_(digests))
        ).all()

    def count_remembered(self, person_id: uuid.UUID) -> int:
        query = (
            select(func.count()).select_from(RememberedPhone).where(RememberedPhone.person_id == person_id)
        )
        return self.session.exec(query).one()

    def forget_phones(self, phone_ids: Collection[uuid.UUID]) -> None:
        self.session.exec(delete(RememberedPhone).where(col(RememberedPhone.id).in_(phone_ids)))

    def forget_phones_of(self, person_id: uuid.UUID, campus_id: uuid.UUID | None = None) -> None:
        query = delete(RememberedPhone).where(col(RememberedPhone.person_id) == person_id)
        if campus_id is not None:
            query = query.where(col(RememberedPhone.campus_id) == campus_id)
        self.session.exec(query)
