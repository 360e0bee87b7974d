"""QR codes in pictures and scanned pages, read in a process of its own that is held to little memory and few seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from threading import BoundedSemaphore
from typing import Final

_AT_ONCE: Final = 2
_SECONDS: Final = 8
"""Of waiting for a place; the process itself has as many of processor time, and twice as many to end."""
_READ: Final = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"RIFF")
_READER: Final = f"{__name__}.reading"
"""Never imported here: its decoders are no business of a server that answers."""


class PictureCodes:
    """Decoders of pictures meet whatever strangers send: what they stumble over ends with their process."""

    def __init__(self) -> None:
        self._room = BoundedSemaphore(_AT_ONCE)

    def read(self, content: bytes) -> list[str]:
        """What the codes say, top first; nothing where there is none, or where it would take too long."""
        if not content.startswith(_READ) or not self._room.acquire(timeout=_SECONDS):
            return []
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", _READER],
                input=content,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=2 * _SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return []
        finally:
            self._room.release()
        return [str(text) for text in json.loads(done.stdout)] if done.returncode == 0 else []
