"""QR codes, links and text of pictures and pages, read in a process of its own with little memory and few seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Final

_AT_ONCE: Final = 2
_SECONDS: Final = 8
"""Of waiting for a place; the process itself has as many of processor time, and twice as many to end."""
_READ: Final = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"RIFF")
_READER: Final = f"{__name__}.reading"
"""Never imported here: its decoders are no business of a server that answers."""


@dataclass(frozen=True)
class ReadCode:
    """What a page or picture shows: the contents of its codes; of a PDF also where links lead, and the visible text."""

    codes: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    text: str = ""


class PictureCodes:
    """Decoders of pictures meet whatever strangers send: what they stumble over ends with their process."""

    def __init__(self) -> None:
        self._room = BoundedSemaphore(_AT_ONCE)

    def read(self, content: bytes) -> list[str]:
        """What the codes contain, top first; nothing where there is none, or where it would take too long."""
        return self.inspect(content).codes

    def inspect(self, content: bytes) -> ReadCode:
        """Empty where nothing can be read, or where it would take too long."""
        if not content.startswith(_READ) or not self._room.acquire(timeout=_SECONDS):
            return ReadCode()
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
            return ReadCode()
        finally:
            self._room.release()
        if done.returncode != 0:
            return ReadCode()
        found = json.loads(done.stdout)
        return ReadCode([*map(str, found["codes"])], [*map(str, found["links"])], str(found["text"]))
