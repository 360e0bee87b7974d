"""Files as they lie: opened by who may, and looked at by the virus scanner."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app.db.activities.files import FileStore
from app.db.campus.history import HistoryStore
from app.domain.activities.files import FileNoun, FileState, StoredFile, check_may_open, refuse
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.errors import NotFound
from app.language import N_

_AT_ONCE = 20


@dataclass(frozen=True)
class OpenedFile:
    file: StoredFile
    content: bytes


class FileService:
    def __init__(self, files: FileStore, history: HistoryStore, clock: Clock) -> None:
        self.files = files
        self.history = history
        self.clock = clock

    def open(self, noun: FileNoun, noun_id: uuid.UUID, file_id: uuid.UUID) -> OpenedFile:
        """Raises Conflict with the reason while it may not be opened."""
        file = self.files.get(noun, noun_id, file_id)
        check_may_open(file)
        return OpenedFile(file, self.files.content(file.id))

    def preview(self, noun: FileNoun, noun_id: uuid.UUID, file_id: uuid.UUID) -> bytes:
        file = self.files.get(noun, noun_id, file_id)
        check_may_open(file)
        found = self.files.preview(file.id)
        if found is None:
            raise NotFound(N_("Ce fichier n’a pas d’aperçu."))
        return found

    def open_any(self, file_id: uuid.UUID) -> OpenedFile:
        """For whoever was shown that very file, wherever it belongs."""
        file = self._there(file_id)
        return self.open(file.noun, file.noun_id, file.id)

    def preview_any(self, file_id: uuid.UUID) -> bytes:
        file = self._there(file_id)
        return self.preview(file.noun, file.noun_id, file.id)

    def _there(self, file_id: uuid.UUID) -> StoredFile:
        file = self.files.find(file_id)
        if file is None:
            raise NotFound(N_("Ce fichier n’est pas ici, ou n’y est plus."))
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
