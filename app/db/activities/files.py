"""Files that people handed in, and their bytes."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence

from sqlmodel import Session, col, delete, select

from app.domain.activities.files import FileContent, FileNoun, FileState, StoredFile
from app.errors import NotFound
from app.language import N_


class FileStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, file: StoredFile, content: FileContent) -> StoredFile:
        """The same bytes handed in twice for the same thing are one file."""
        again = next((one for one in self.of(file.noun, file.noun_id) if one.digest == file.digest), None)
        if again is not None:
            return again
        self.session.add(file)
        self.session.flush()
        self.session.add(content)
        self.session.flush()
        return file

    def save(self, file: StoredFile) -> None:
        self.session.add(file)
        self.session.flush()

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
            raise NotFound(N_("Ce fichier n’est pas ici, ou n’y est plus."))
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
            raise NotFound(N_("Ce fichier n’est pas ici, ou n’y est plus."))
        return content

    def waiting(self, *, limit: int) -> list[uuid.UUID]:
        query = select(StoredFile.id).where(StoredFile.state == FileState.WAITING)
        return list(self.session.exec(query.order_by(col(StoredFile.added_at)).limit(limit)))

    def empty(self, file_ids: Iterable[uuid.UUID]) -> None:
        """Their bytes go; what is said of them stays."""
        self.session.exec(delete(FileContent).where(col(FileContent.file_id).in_(list(file_ids))))

    def remove(self, file_ids: Iterable[uuid.UUID]) -> None:
        ids = list(file_ids)
        self.empty(ids)
        self.session.exec(delete(StoredFile).where(col(StoredFile.id).in_(ids)))
