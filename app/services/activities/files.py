"""Stored files: access checks and virus scanning."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.db.activities import ActivityFileStore, ActivityStore, FileStore
from app.db.activities.plans import ActivityPlanStore
from app.db.awards import AwardRecord
from app.db.campus import HistoryStore
from app.domain.activities import Activity
from app.domain.activities.files import (
    MOST_OF_ACTIVITY,
    ActivityFile,
    FileNoun,
    FileState,
    Infected,
    Photographs,
    Scanner,
    ScannerSilent,
    StoredFile,
    TakenFile,
    check_content,
    check_may_open,
    check_number,
    check_reason,
    check_room,
    new_file,
    refuse,
)
from app.domain.activity_log import ARTEFACT, PARTICIPATION, Fact, file_fact, removal_fact
from app.domain.awards.open_badges import DisclosedContent
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.errors import InvalidInput, NotFound
from app.language import N_
from app.services.activity_log import ActivityLog
from app.services.activity_log.evidence import EvidenceDocuments
from app.services.publishing import PublicationService

_AT_ONCE = 20


@dataclass(frozen=True)
class OpenedFile:
    file: StoredFile
    content: bytes


@dataclass(frozen=True, eq=False)
class FileService:
    files: FileStore
    history: HistoryStore
    clock: Clock

    def open(self, noun: FileNoun, noun_id: uuid.UUID, file_id: uuid.UUID) -> OpenedFile:
        """Raises Conflict, with the reason, while the file may not be opened."""
        file = self.files.get(noun, noun_id, file_id)
        check_may_open(file)
        return OpenedFile(file, self.files.content(file.id))

    def preview(self, noun: FileNoun, noun_id: uuid.UUID, file_id: uuid.UUID) -> bytes:
        file = self.files.get(noun, noun_id, file_id)
        check_may_open(file)
        found = self.files.preview(file.id)
        if found is None:
            raise NotFound("Ce fichier n’a pas d’aperçu.")
        return found

    def open_any(self, file_id: uuid.UUID) -> OpenedFile:
        """Skips the check on the owning noun: for callers that were already shown this file."""
        file = self._there(file_id)
        return self.open(file.noun, file.noun_id, file.id)

    def preview_any(self, file_id: uuid.UUID) -> bytes:
        file = self._there(file_id)
        return self.preview(file.noun, file.noun_id, file.id)

    def _there(self, file_id: uuid.UUID) -> StoredFile:
        file = self.files.find(file_id)
        if file is None:
            raise NotFound("Ce fichier n’est pas ici, ou n’y est plus.")
        return file

    # --- the virus scanner

    def waiting(self) -> Sequence[uuid.UUID]:
        return self.files.waiting(limit=_AT_ONCE)

    def to_scan(self, file_id: uuid.UUID) -> bytes | None:
        file = self.files.find(file_id)
        return self.files.content(file_id) if file and file.state is FileState.WAITING else None

    def scanned(self, file_id: uuid.UUID, *, clean: bool, by: Actor) -> None:
        file = self.files.find(file_id)
        if file is None or file.state is not FileState.WAITING:
            return
        if clean:
            file.state = FileState.CLEAN
        else:
            refuse(file)
            self.files.empty([file.id])
            self.history.write(
                by, "refuse_file", file.noun.value, file.noun_id, at=self.clock(), campus_id=file.campus_id
            )
        self.files.save(file)


_OURS = FileNoun.ACTIVITY
Piece = tuple[ActivityFile, StoredFile]


@dataclass(frozen=True, eq=False)
class ActivityFiles:
    pieces: ActivityFileStore
    files: FileStore
    activities: ActivityStore
    plans: ActivityPlanStore
    history: HistoryStore
    log: ActivityLog
    clock: Clock

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
        """Log each file for every campus that organises the activity, in the current transaction."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        check_number(len(files))
        if session_id is not None and session_id not in {
            each.id for each in self.plans.sessions_of(activity.id)
        }:
            raise InvalidInput("Cette séance n’existe plus : rechargez la page, puis recommencez.")
        there = {file.digest for _, file in self.pieces.of([activity.id])}
        added = []
        for taken in files:
            if taken.digest in there:
                continue
            row, content = new_file(
                taken, campus_id=campus.id, noun=_OURS, noun_id=activity.id, at=self.clock()
            )
            self.files.store(row, content)
            self.pieces.save(
                ActivityFile(file_id=row.id, activity_id=activity.id, session_id=session_id, agreed=agreed)
            )
            there.add(row.digest)
            added.append(row)
        check_room(len(there), most=MOST_OF_ACTIVITY)
        self._record(activity, [_file_fact(activity, file, agreed) for file in added])
        self.history.write_all(
            by, "attach", "activity", [activity.id] if added else [], at=self.clock(), campus_id=campus.id
        )

    def allow(
        self, campus: Campus, activity_id: uuid.UUID, file_id: uuid.UUID, agreed: bool, *, by: Actor
    ) -> None:
        """Set whether the file is public: recognisable people can agree or refuse at any time."""
        row = self.get(campus, activity_id, file_id)
        if row.agreed is agreed:
            return
        row.agreed = agreed
        self.pieces.save(row)
        action = "show_file" if agreed else "hide_file"
        self.history.write(by, action, "activity", activity_id, at=self.clock(), campus_id=campus.id)

    def remove(
        self, campus: Campus, activity_id: uuid.UUID, file_id: uuid.UUID, reason: str, *, by: Actor
    ) -> None:
        """Permanently delete content and name; a new log line records the removal and its reason."""
        row = self.get(campus, activity_id, file_id)
        check_reason(reason)
        file = self.files.get(_OURS, activity_id, file_id)
        for each in self._campuses(activity_id):
            log = self.log.open(each)
            before = self.log.store.newest_about(log.id, ARTEFACT, [file.id]).get(file.id)
            if before is not None:
                self.log.record(each, [removal_fact(file, corrects=before, reason=reason.strip())])
        self.files.remove_all([file.id])
        row.removed_at = self.clock()
        self.pieces.save(row)
        self.history.write(by, "remove_file", "activity", activity_id, at=self.clock(), campus_id=campus.id)

    def _record(self, activity: Activity, facts: Sequence[Fact]) -> None:
        for campus in self._campuses(activity.id):
            self.log.record(campus, facts)

    def _campuses(self, activity_id: uuid.UUID) -> list[Campus]:
        # Fixed lock order: prevents deadlocks between activities with the same campuses.
        return sorted(self.activities.campuses_of(activity_id), key=lambda one: one.id)

    # --- participants

    def by_participation(
        self, person_id: uuid.UUID, participation_ids: Collection[uuid.UUID]
    ) -> dict[uuid.UUID, list[StoredFile]]:
        """The files of each activity that the person attended."""
        activities = self.pieces.activities_of(person_id, participation_ids)
        found: dict[uuid.UUID, list[StoredFile]] = {}
        for row, file in self.pieces.of(set(activities.values())):
            found.setdefault(row.activity_id, []).append(file)
        return {one: found[activity_id] for one, activity_id in activities.items() if activity_id in found}

    def check_seen_by(self, person_id: uuid.UUID, file_id: uuid.UUID) -> None:
        """Raises NotFound for people who did not attend."""
        file = self.files.find(file_id)
        if file is None or file.noun is not _OURS or not self.pieces.was_there(person_id, file.noun_id):
            raise NotFound("Ce fichier n’est pas ici, ou n’y est plus.")

    def shown_to_all(self, activity_id: uuid.UUID) -> list[StoredFile]:
        return [file for row, file in self.pieces.of([activity_id]) if row.agreed and file.is_open]


def _file_fact(activity: Activity, file: StoredFile, agreed: bool) -> Fact:
    """Omits name and caption: they could name a person who could not have that line erased."""
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


@dataclass(eq=False)
class FileIntake:
    """Without a scanner, a file that passes the format rules is accepted immediately."""

    photographs: Photographs
    scanner: Scanner | None

    def take(self, name: str, content: bytes, *, words: str = "") -> TakenFile:
        """Raises InvalidInput with advice; nothing of a refused file is stored."""
        media_type = check_content(content)
        state = self._scanned(content)
        if not media_type.startswith("image/"):
            return TakenFile(name, media_type, content, None, state, words)
        picture = self.photographs.cleaned(content, media_type)
        return TakenFile(name, media_type, picture.content, picture.preview, state, words)

    def _scanned(self, content: bytes) -> FileState:
        if self.scanner is None:
            return FileState.CLEAN
        try:
            clean = self.scanner.is_clean(content)
        except ScannerSilent:
            # The worker scans it again; it cannot be opened before.
            return FileState.WAITING
        if not clean:
            raise Infected(
                N_(
                    "L’antivirus a reconnu un programme malveillant dans ce fichier : il est refusé, et rien n’en est gardé."
                )
            )
        return FileState.CLEAN


@dataclass(frozen=True, eq=False)
class ShownFiles:
    publication: PublicationService
    evidence: EvidenceDocuments
    activity_files: ActivityFiles

    def find(self, award_id: uuid.UUID, number: int) -> uuid.UUID:
        """Raises if the award page is not public, or the log line is not fully disclosed."""
        self.publication.open_award(award_id)
        row = self.evidence.find(award_id)
        if row is not None and self.evidence.shown(row).get(number) is DisclosedContent.ALL:
            for payload in self.evidence.payloads(row):
                if payload.number == number and payload.noun == ARTEFACT and "contentDigest" in payload.facts:
                    return payload.noun_id
        raise NotFound("Ce fichier n’est pas ici, ou n’y est plus.")

    def shows_the_activity(self, record: AwardRecord) -> bool:
        """Whether the holder fully discloses their participation in the activity."""
        row = self.evidence.find(record.award.id)
        if row is None or record.activity is None:
            return False
        shown = self.evidence.shown(row)
        return any(
            each.noun == PARTICIPATION and shown[each.number] is DisclosedContent.ALL
            for each in self.evidence.payloads(row)
        )

    def photos(self, record: AwardRecord) -> Sequence[StoredFile]:
        """Public photos of the activity: every recognisable person agreed."""
        if record.activity is None:
            return ()
        return [each for each in self.activity_files.shown_to_all(record.activity.id) if each.is_picture]

    def check_photo(self, record: AwardRecord, file_id: uuid.UUID) -> None:
        if not self.shows_the_activity(record) or file_id not in {each.id for each in self.photos(record)}:
            raise NotFound("Ce fichier n’est pas ici, ou n’y est plus.")
