"""Photos and files of an activity: attached once for all who were there, logged by their digest, removed for good."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from app.db.activities.activities import ActivityStore
from app.db.activities.activity_files import ActivityFileStore
from app.db.activities.files import FileStore
from app.db.activities.plans import ActivityPlanStore
from app.db.campus.history import HistoryStore
from app.domain.activities.activities import Activity
from app.domain.activities.activity_files import MOST_OF_ACTIVITY, ActivityFile, check_number, check_reason
from app.domain.activities.files import FileNoun, StoredFile, TakenFile, check_room, new_file
from app.domain.activity_log.activity_log import Fact
from app.domain.activity_log.artefact_facts import ARTEFACT, file_fact, removal_fact
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.errors import InvalidInput, NotFound
from app.language import N_
from app.services.activity_log.activity_log import ActivityLog

_OURS = FileNoun.ACTIVITY
Piece = tuple[ActivityFile, StoredFile]


class ActivityFiles:
    def __init__(
        self,
        pieces: ActivityFileStore,
        files: FileStore,
        activities: ActivityStore,
        plans: ActivityPlanStore,
        history: HistoryStore,
        log: ActivityLog,
        clock: Clock,
    ) -> None:
        self.pieces = pieces
        self.files = files
        self.activities = activities
        self.plans = plans
        self.history = history
        self.log = log
        self.clock = clock

    def of(self, campus: Campus, activity_id: uuid.UUID) -> Sequence[Piece]:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        return self.pieces.of([activity.id])

    def get(self, campus: Campus, activity_id: uuid.UUID, file_id: uuid.UUID) -> ActivityFile:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        return self.pieces.get(activity.id, file_id)

    def attach(
        self,
        campus: Campus,
        activity_id: uuid.UUID,
        files: Sequence[TakenFile],
        *,
        session_id: uuid.UUID | None = None,
        agreed: bool = False,
        by: Actor,
    ) -> None:
        """Each file in the log of every campus that organises the activity, in this very transaction."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        check_number(len(files))
        if session_id is not None and session_id not in {
            each.id for each in self.plans.sessions_of(activity.id)
        }:
            raise InvalidInput(N_("Cette séance n’existe plus : rechargez la page, puis recommencez."))
        there = {file.digest for _, file in self.pieces.of([activity.id])}
        added = []
        for taken in files:
            if taken.digest in there:
                continue
            row, content = new_file(
                taken, campus_id=campus.id, noun=_OURS, noun_id=activity.id, at=self.clock()
            )
            self.files.add(row, content)
            self.pieces.save(
                ActivityFile(file_id=row.id, activity_id=activity.id, session_id=session_id, agreed=agreed)
            )
            there.add(row.digest)
            added.append(row)
        check_room(len(there), most=MOST_OF_ACTIVITY)
        self._record(activity, [_told(activity, file, agreed) for file in added])
        self.history.write_all(
            by, "attach", "activity", [activity.id] if added else [], at=self.clock(), campus_id=campus.id
        )

    def allow(
        self, campus: Campus, activity_id: uuid.UUID, file_id: uuid.UUID, agreed: bool, *, by: Actor
    ) -> None:
        """Whether everybody may see it, as those who can be recognised say today."""
        row = self.get(campus, activity_id, file_id)
        if row.agreed is agreed:
            return
        row.agreed = agreed
        self.pieces.save(row)
        deed = "show_file" if agreed else "hide_file"
        self.history.write(by, deed, "activity", activity_id, at=self.clock(), campus_id=campus.id)

    def remove(
        self, campus: Campus, activity_id: uuid.UUID, file_id: uuid.UUID, reason: str, *, by: Actor
    ) -> None:
        """Its bytes and its name are gone for good; a new line of the log says that it was removed, and why."""
        row = self.get(campus, activity_id, file_id)
        check_reason(reason)
        file = self.files.get(_OURS, activity_id, file_id)
        for each in self._campuses(activity_id):
            log = self.log.open(each)
            before = self.log.store.newest_about(log.id, ARTEFACT, [file.id]).get(file.id)
            if before is not None:
                self.log.record(each, [removal_fact(file, corrects=before, reason=reason.strip())])
        self.files.remove([file.id])
        row.removed_at = self.clock()
        self.pieces.save(row)
        self.history.write(by, "remove_file", "activity", activity_id, at=self.clock(), campus_id=campus.id)

    def _record(self, activity: Activity, facts: Sequence[Fact]) -> None:
        for campus in self._campuses(activity.id):
            self.log.record(campus, facts)

    def _campuses(self, activity_id: uuid.UUID) -> list[Campus]:
        # Always in one order: two activities that the same campuses organise never wait for each other.
        return sorted(self.activities.campuses_of(activity_id), key=lambda one: one.id)

    # --- those who were there

    def by_participation(
        self, person_id: uuid.UUID, participation_ids: Collection[uuid.UUID]
    ) -> dict[uuid.UUID, list[StoredFile]]:
        """The files of each activity where the person was."""
        activities = self.pieces.activities_of(person_id, participation_ids)
        found: dict[uuid.UUID, list[StoredFile]] = {}
        for row, file in self.pieces.of(set(activities.values())):
            found.setdefault(row.activity_id, []).append(file)
        return {one: found[activity_id] for one, activity_id in activities.items() if activity_id in found}

    def check_seen_by(self, person_id: uuid.UUID, file_id: uuid.UUID) -> None:
        """Raises NotFound for whoever was not there."""
        file = self.files.find(file_id)
        if file is None or file.noun is not _OURS or not self.pieces.was_there(person_id, file.noun_id):
            raise NotFound(N_("Ce fichier n’est pas ici, ou n’y est plus."))

    def shown_to_all(self, activity_id: uuid.UUID) -> list[StoredFile]:
        return [file for row, file in self.pieces.of([activity_id]) if row.agreed and file.is_open]


def _told(activity: Activity, file: StoredFile, agreed: bool) -> Fact:
    """Without its name and its words: they could name somebody, and nobody could ask for that line to be erased."""
    fact = file_fact(
        file,
        activity=activity.title,
        activityKind=activity.kind.value,
        startsOn=activity.starts_on.isoformat(),
        endsOn=activity.ends_on.isoformat(),
        agreed=agreed,
    )
    return Fact(fact.kind, fact.noun, fact.noun_id, {
        name: value for name, value in fact.facts.items() if name not in ("artefact", "words")
    })  # fmt: skip
