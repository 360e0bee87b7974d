"""Taking a file in: looked at, scanned and cleaned before any transaction opens."""

from __future__ import annotations

from app.domain.activities.files import (
    FileState,
    Infected,
    Photographs,
    Scanner,
    ScannerSilent,
    TakenFile,
    check_content,
)
from app.language import N_


class FileIntake:
    """Without a scanner, what the rules take is taken at once."""

    def __init__(self, photographs: Photographs, scanner: Scanner | None) -> None:
        self.photographs = photographs
        self.scanner = scanner

    def take(self, name: str, content: bytes, *, words: str = "") -> TakenFile:
        """Raises InvalidInput with what to do instead; nothing of a refused file stays anywhere."""
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
            # It is asked again by the worker, and nobody opens the file before.
            return FileState.WAITING
        if not clean:
            raise Infected(
                N_(
                    "L’antivirus a reconnu un programme malveillant dans ce fichier : il est refusé, et rien n’en est gardé."
                )
            )
        return FileState.CLEAN
