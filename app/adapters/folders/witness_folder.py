"""What a witness keeps: its key, and of each log the last checkpoint it put its name to."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.adapters.folders.whole_files import alone_in, write_whole
from sceau_credentials.transparency_log.notes import Note, NoteKey, WitnessKey


class WitnessKeyUnusable(Exception):
    """The message says what to do."""


class WitnessFolder:
    """`key` is readable by its owner only; each log has a folder with its `checkpoint` and what was refused of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make_key(self, name: str) -> WitnessKey:
        """A new key in a file of its own; FileExistsError where there is one: what it signed would be orphaned."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = WitnessKey(name, secrets.token_bytes(32))
        text = f"{key.to_skey()}\n"
        descriptor = os.open(self.folder / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return key

    def key(self) -> WitnessKey:
        path = self.folder / "key"
        if not path.is_file():
            raise WitnessKeyUnusable("no_key")
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise WitnessKeyUnusable("readable_by_others")
        return WitnessKey.from_skey(path.read_text(encoding="utf-8"))

    @contextmanager
    def alone(self, origin: str) -> Iterator[None]:
        with alone_in(self._place(origin)):
            yield

    def last(self, origin: str) -> Note | None:
        try:
            text = (self._place(origin) / "checkpoint").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return Note.from_text(text)

    def keep(self, origin: str, note: Note) -> None:
        """On disk when it returns: a cosignature may leave only after that (C2SP tlog-witness)."""
        write_whole(self._place(origin) / "checkpoint", note.to_text().encode())

    def keys(self, origin: str) -> list[NoteKey]:
        try:
            lines = (self._place(origin) / "keys").read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [NoteKey.from_vkey(line) for line in lines.splitlines()]

    def keep_keys(self, origin: str, keys: Sequence[NoteKey]) -> None:
        """On disk before the first checkpoint under the newest of them is."""
        text = "".join(f"{each.to_vkey()}\n" for each in keys)
        write_whole(self._place(origin) / "keys", text.encode())

    def keep_refused(self, origin: str, note: Note) -> Path:
        """A checkpoint that contradicts the last one: both together prove it to anybody."""
        content = note.to_text().encode()
        path = self._place(origin) / f"refused-{hashlib.sha256(content).hexdigest()[:16]}"
        write_whole(path, content)
        return path

    def _place(self, origin: str) -> Path:
        return self.folder / "logs" / hashlib.sha256(origin.encode()).hexdigest()[:32]
