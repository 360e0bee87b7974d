"""What was last signed of each activity log, in a folder that no backup of the database brings back."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.credentials.transparency_log.checkpoints import TreeHead


class FolderAnchors:
    """One small file for each log: the text of its newest tree head (C2SP tlog-checkpoint, unsigned)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def last(self, origin: str) -> TreeHead | None:
        try:
            text = self._path(origin).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return TreeHead.from_text(text)

    def advance(self, head: TreeHead) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone():
            last = self.last(head.origin)
            if last is None or last.size < head.size:
                self._write(self._path(head.origin), head.to_text())

    def _path(self, origin: str) -> Path:
        return self.folder / hashlib.sha256(origin.encode()).hexdigest()[:32]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, path: Path, text: str) -> None:
        # Whole or not at all, whenever the power goes (I16).
        new = path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
