"""What was last signed of each activity log, in a folder that no backup of the database brings back."""

from __future__ import annotations

import hashlib
from pathlib import Path

from app.adapters.whole_files import alone_in, write_whole
from app.credentials.transparency_log.checkpoints import TreeHead


class FolderAnchors:
    """One small file for each log: the text of its newest tree head (C2SP tlog-checkpoint, unsigned), and its key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def last(self, origin: str) -> TreeHead | None:
        text = self._text(origin)
        return TreeHead.from_text(text) if text else None

    def last_key(self, origin: str) -> str:
        return "".join(self._text(origin).split("\n")[3:4])

    def advance(self, head: TreeHead, vkey: str = "") -> None:
        with alone_in(self.folder):
            last = self.last(head.origin)
            if last is None or last.size < head.size:
                text = head.to_text() + (f"{vkey}\n" if vkey else "")
                write_whole(self._path(head.origin), text.encode())

    def _text(self, origin: str) -> str:
        try:
            return self._path(origin).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def _path(self, origin: str) -> Path:
        return self.folder / hashlib.sha256(origin.encode()).hexdigest()[:32]
