"""Queries: sessions, series, check-in, files."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, inspect
from sqlmodel import col, delete, func, select, update

from app.db.activities.campus_activities import LATEST, activities_page, are_of, hold
from app.db.engine.queries import RowStore, Start, locked
from app.db.engine.writes import IN_ONE_QUERY, add_rows, among, read_bare
from app.domain.activities import (
    Activity,
    ActivityCampus,
    ActivityCompetency,
    ActivitySession,
    Attendance,
    CampusActivity,
    Participation,
)
from app.domain.activities.check_in import CheckIn, CheckInEntry, RememberedPhone, WaitingSignature
from app.domain.activities.files import ActivityFile, FileContent, FileNoun, FileState, StoredFile
from app.domain.campus.campus import Campus
from app.domain.core import words_of
from app.domain.people import Person
from app.errors import NotFound

# --- Activities, their campuses and participants


def organised_by(campus_id: uuid.UUID) -> ColumnElement[bool]:
    """Rows of `ActivityCampus` by which that campus organises it: accepted, not just invited."""
    return and_(col(ActivityCampus.campus_id) == campus_id, col(ActivityCampus.accepted_at).is_not(None))


class ActivityStore(RowStore[Activity | ActivityCampus]):
    def create(self, activity: Activity, campus_ids: Sequence[uuid.UUID], *, at: datetime) -> None:
        """The first campus leads; the others are invited."""
        self.session.add(activity)
        self.session.flush()
        self.session.add_all(
            ActivityCampus(
                activity_id=activity.id,
                campus_id=campus_id,
                position=position,
                accepted_at=None if position else at,
            )
            for position, campus_id in enumerate(campus_ids)
        )
        self.session.flush()

    def get_in_campus(self, activity_id: uuid.UUID, campus_id: uuid.UUID) -> Activity:
        """The activity, if that campus organises it; otherwise NotFound (T01)."""
        activity = self.session.exec(
            select(Activity)
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(Activity.id == activity_id, organised_by(campus_id))
        ).first()
        if activity is None:
            raise NotFound("Cette activité n’existe pas dans ce campus.")
        return activity

    def is_organised_by(self, activity_id: uuid.UUID, campus_id: uuid.UUID) -> bool:
        query = select(ActivityCampus.activity_id).where(
            ActivityCampus.activity_id == activity_id, organised_by(campus_id)
        )
        return self.session.exec(query).first() is not None

    def get(self, activity_id: uuid.UUID) -> Activity:
        """Of any campus: for items opened in it, such as a check-in."""
        return self.session.exec(select(Activity).where(Activity.id == activity_id)).one()

    def find(self, activity_id: uuid.UUID) -> Activity | None:
        return self.session.get(Activity, activity_id)

    def lock(self, activity_id: uuid.UUID) -> Activity:
        """Lock the activity until the transaction ends: concurrent lists are recorded one after the other."""
        held = self.find_locked(Activity, activity_id, key_share=True)
        if held is None:
            raise NotFound("Cette activité n’existe pas dans ce campus.")
        return held

    def list_in_campus(
        self, campus_id: uuid.UUID, *, words: str = "", limit: int = 200
    ) -> list[tuple[Activity, int]]:
        """Activities with their participant counts, latest first; `words` searches titles and `place`."""
        found = activities_page(
            self.session, (are_of(campus_id), hold(words_of(words))), LATEST, Start(limit=limit)
        )[:limit]
        query = select(CampusActivity.activity_id, CampusActivity.people).where(
            are_of(campus_id), col(CampusActivity.activity_id).in_([each.id for each in found])
        )
        people = dict(self.session.exec(query).all())
        return [(each, people[each.id]) for each in found]

    def campuses_of(self, activity_id: uuid.UUID) -> Sequence[Campus]:
        return self.session.exec(
            select(Campus)
            .join(ActivityCampus, col(ActivityCampus.campus_id) == col(Campus.id))
            .where(ActivityCampus.activity_id == activity_id, col(ActivityCampus.accepted_at).is_not(None))
            .order_by(col(ActivityCampus.position))
        ).all()

    def campus_rows(
        self, campus_id: uuid.UUID, activity_ids: Sequence[uuid.UUID]
    ) -> Sequence[ActivityCampus]:
        """Of activities that the campus organises."""
        query = select(ActivityCampus).where(
            organised_by(campus_id), among(self.session, col(ActivityCampus.activity_id), activity_ids)
        )
        return self.session.scalars(locked(query)).all()

    def person_ids(self, activity_id: uuid.UUID) -> Sequence[uuid.UUID]:
        """Everybody in the activity, absent or not."""
        query = select(Participation.person_id).where(Participation.activity_id == activity_id)
        return self.session.exec(query.distinct()).all()

    def participants(
        self, activity_id: uuid.UUID, *, with_absent: bool = False
    ) -> list[tuple[Participation, Person]]:
        return [
            one for some in self.participants_in_turn(activity_id, with_absent=with_absent) for one in some
        ]

    def read_everybody(self, activity_id: uuid.UUID) -> list[tuple[Participation, Person]]:
        """By name, present or absent, detached from the session."""
        query = self._by_name(activity_id)
        return [
            (part, person)
            for some in read_bare(self.session, query, Participation, Person)
            for part, person in some
        ]

    def participants_in_turn(
        self, activity_id: uuid.UUID, *, with_absent: bool = False, at_a_time: int = 1_000
    ) -> Iterator[list[tuple[Participation, Person]]]:
        """By name, in batches, so that not all are in memory at once."""
        query = self._by_name(activity_id)
        if not with_absent:
            query = query.where(col(Participation.is_present))
        rows = self.session.exec(query.execution_options(yield_per=at_a_time))
        for some in rows.partitions():
            yield [(participation, person) for participation, person in some]

    @staticmethod
    def _by_name(activity_id: uuid.UUID) -> Any:
        return (
            select(Participation, Person)
            .join(Person, col(Person.id) == col(Participation.person_id))
            .where(Participation.activity_id == activity_id)
            .order_by(col(Person.listed_as), col(Participation.line_key), col(Person.id))
        )

    def participants_among(
        self,
        activity_id: uuid.UUID,
        *,
        participation_ids: Iterable[uuid.UUID] = (),
        person_ids: Iterable[uuid.UUID] = (),
        line_keys: Iterable[str] = (),
    ) -> list[tuple[Participation, Person]]:
        """Participants matching any of these criteria."""
        found: dict[uuid.UUID, tuple[Participation, Person]] = {}
        ways: tuple[tuple[Any, list[Any]], ...] = (
            (col(Participation.id), list(participation_ids)),
            (col(Participation.person_id), list(person_ids)),
            (col(Participation.line_key), list(line_keys)),
        )
        for column, named in ways:
            if named:
                rows = self.session.exec(self._those_named(activity_id, column, named))
                found.update({part.id: (part, person) for part, person in rows})
        return list(found.values())

    def read_participants(
        self, activity_id: uuid.UUID, participation_ids: Sequence[uuid.UUID]
    ) -> Iterator[tuple[Participation, Person]]:
        """The named participants, detached from the session."""
        # By id alone: filtering by activity too would scan everyone in it.
        query: Any = select(Participation, Person).join(
            Person, col(Person.id) == col(Participation.person_id)
        )
        query = query.where(among(self.session, col(Participation.id), participation_ids))
        for some in read_bare(self.session, query, Participation, Person):
            yield from ((part, person) for part, person in some if part.activity_id == activity_id)

    def _those_named(self, activity_id: uuid.UUID, column: Any, named: Sequence[Any]) -> Any:
        return (
            select(Participation, Person)
            .join(Person, col(Person.id) == col(Participation.person_id))
            .where(Participation.activity_id == activity_id, among(self.session, column, named))
        )

    def activities_of(self, participation_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Activity]:
        """The activity of each participation."""
        ids, found = list(participation_ids), dict[uuid.UUID, Activity]()
        for start in range(0, len(ids), IN_ONE_QUERY):
            rows = self.session.exec(
                select(Participation.id, Activity)
                .join(Activity, col(Activity.id) == col(Participation.activity_id))
                .where(col(Participation.id).in_(ids[start : start + IN_ONE_QUERY]))
            )
            found.update((participation_id, activity) for participation_id, activity in rows)
        return found

    def get_participations(self, participation_ids: Iterable[uuid.UUID]) -> list[Participation]:
        ids, found = list(participation_ids), list[Participation]()
        for start in range(0, len(ids), IN_ONE_QUERY):
            query = select(Participation).where(col(Participation.id).in_(ids[start : start + IN_ONE_QUERY]))
            found += self.session.exec(query)
        return found

    def practised_in(self, activity_id: uuid.UUID) -> list[uuid.UUID]:
        """The competencies practised in an activity."""
        query = select(ActivityCompetency.competency_id).where(ActivityCompetency.activity_id == activity_id)
        return sorted(self.session.exec(query))

    def counts_attendance(self, activity_id: uuid.UUID) -> bool:
        query = (
            select(Attendance.session_id)
            .join(ActivitySession, col(ActivitySession.id) == col(Attendance.session_id))
            .where(ActivitySession.activity_id == activity_id)
        )
        return self.session.exec(query.limit(1)).first() is not None

    def get_participation(
        self, participation_id: uuid.UUID, activity_id: uuid.UUID
    ) -> tuple[Participation, Person]:
        row = self.session.exec(
            select(Participation, Person)
            .join(Person, col(Person.id) == col(Participation.person_id))
            .where(Participation.id == participation_id, Participation.activity_id == activity_id)
        ).first()
        if row is None:
            raise NotFound("Cette personne n’est pas inscrite à cette activité.")
        return row[0], row[1]

    def participation_of(self, person_id: uuid.UUID, activity_id: uuid.UUID) -> Participation | None:
        query = select(Participation).where(
            Participation.person_id == person_id, Participation.activity_id == activity_id
        )
        return self.session.exec(query.order_by(col(Participation.id))).first()

    def numbered(
        self, activity_ids: Collection[uuid.UUID], person_ids: Collection[uuid.UUID]
    ) -> list[Participation]:
        """Of these people in these activities, those who are not the first of their name there."""
        if not activity_ids or not person_ids:
            return []
        return list(
            self.session.exec(
                select(Participation).where(
                    among(self.session, col(Participation.activity_id), activity_ids),
                    among(self.session, col(Participation.person_id), person_ids),
                    col(Participation.line_key).like("|%#%"),
                )
            )
        )

    def line_keys(self, activity_id: uuid.UUID) -> dict[str, Participation]:
        rows = self.session.exec(select(Participation).where(Participation.activity_id == activity_id))
        return {row.line_key: row for row in rows}

    def add_participations(self, participations: Iterable[Participation]) -> None:
        """New ones, and changes to those that are stored."""
        some = list(participations)
        add_rows(self.session, [each for each in some if inspect(each).transient])
        self.session.flush()


class ActivityFileStore(RowStore[ActivityFile]):
    def get(self, activity_id: uuid.UUID, file_id: uuid.UUID) -> ActivityFile:
        row = self.session.get(ActivityFile, file_id)
        if row is None or row.activity_id != activity_id or row.removed_at is not None:
            raise NotFound("Ce fichier n’est pas ici, ou n’y est plus.")
        return row

    def ever_of(self, activity_id: uuid.UUID) -> list[uuid.UUID]:
        """Its files, including removed ones."""
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
        """The activity of each of these participations in which the person was present."""
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


class FileStore(RowStore[StoredFile]):
    def store(self, file: StoredFile, content: FileContent) -> StoredFile:
        """The same content uploaded twice for the same item is stored once."""
        again = next((one for one in self.of(file.noun, file.noun_id) if one.digest == file.digest), None)
        if again is not None:
            return again
        self.session.add(file)
        self.session.flush()
        self.session.add(content)
        self.session.flush()
        return file

    def of(self, noun: FileNoun, noun_id: uuid.UUID) -> Sequence[StoredFile]:
        return self.of_many(noun, [noun_id])

    def of_many(self, noun: FileNoun, noun_ids: Collection[uuid.UUID]) -> Sequence[StoredFile]:
        query = select(StoredFile).where(StoredFile.noun == noun, col(StoredFile.noun_id).in_(noun_ids))
        return self.session.exec(
            query.order_by(col(StoredFile.added_at), col(StoredFile.name), col(StoredFile.id))
        ).all()

    def get(self, noun: FileNoun, noun_id: uuid.UUID, file_id: uuid.UUID) -> StoredFile:
        file = self.session.get(StoredFile, file_id)
        if file is None or file.noun is not noun or file.noun_id != noun_id:
            raise NotFound("Ce fichier n’est pas ici, ou n’y est plus.")
        return file

    def find(self, file_id: uuid.UUID) -> StoredFile | None:
        return self.session.get(StoredFile, file_id)

    def content(self, file_id: uuid.UUID) -> bytes:
        return self._content(file_id).content

    def preview(self, file_id: uuid.UUID) -> bytes | None:
        return self._content(file_id).preview

    def _content(self, file_id: uuid.UUID) -> FileContent:
        content = self.session.get(FileContent, file_id)
        if content is None:
            raise NotFound("Ce fichier n’est pas ici, ou n’y est plus.")
        return content

    def waiting(self, *, limit: int) -> list[uuid.UUID]:
        query = select(StoredFile.id).where(StoredFile.state == FileState.WAITING)
        return list(self.session.exec(query.order_by(col(StoredFile.added_at)).limit(limit)))

    def empty(self, file_ids: Iterable[uuid.UUID]) -> None:
        """Deletes the content; the metadata stays."""
        self.session.exec(delete(FileContent).where(col(FileContent.file_id).in_(list(file_ids))))

    def remove_all(self, file_ids: Iterable[uuid.UUID]) -> None:
        ids = list(file_ids)
        self.empty(ids)
        self.session.exec(delete(StoredFile).where(col(StoredFile.id).in_(ids)))


# --- Check-ins and what phones signed in them


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


class CheckInStore(RowStore[CheckIn | CheckInEntry | WaitingSignature]):
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
        return self.session.exec(locked(select(CheckIn).where(CheckIn.id == room_id))).one()

    def shut_overdue(self, at: datetime) -> None:
        """Overdue check-ins free their sign."""
        self.session.exec(
            update(CheckIn)
            .where(col(CheckIn.sign).is_not(None), col(CheckIn.closes_at) <= at)
            .values(sign=None, closed_at=col(CheckIn.closes_at))
        )

    def shut_of(self, activity_id: uuid.UUID, campus_id: uuid.UUID, at: datetime) -> None:
        """Those that this campus opened for the activity."""
        self.session.exec(
            update(CheckIn)
            .where(
                col(CheckIn.activity_id) == activity_id,
                col(CheckIn.campus_id) == campus_id,
                col(CheckIn.sign).is_not(None),
            )
            .values(sign=None, closed_at=at)
        )

    def find_entry(self, room_id: uuid.UUID, phone_digest: str) -> tuple[CheckInEntry, Person] | None:
        row = self.session.exec(
            select(CheckInEntry, Person)
            .join(Participation, col(Participation.id) == col(CheckInEntry.participation_id))
            .join(Person, col(Person.id) == col(Participation.person_id))
            .where(CheckInEntry.room_id == room_id, CheckInEntry.phone_digest == phone_digest)
        ).first()
        return (row[0], row[1]) if row else None

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
