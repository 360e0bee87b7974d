"""QR codes, links and text of pictures and pages, read in a separate process with limited memory and time."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Final

from app.adapters.slots import NoSlot, Slots

_SECONDS: Final = 8
"""Maximum wait for a free slot; also the CPU time limit of the process, and half of its limit on elapsed time."""
_READ: Final = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"RIFF")
_READER: Final = f"{__name__}.reading"
"""Never imported here: its decoders must not run in a server process."""


@dataclass(frozen=True)
class ReadCode:
    """Content of a page or picture: its codes; for a PDF also its links and visible text."""

    codes: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    text: str = ""
    whole: bool = True
    """False where pages or parts of the text were not read."""


class PictureCodes:
    """Picture decoders process untrusted files: a crash ends only their own process."""

    def __init__(self) -> None:
        self._slots = Slots(2, waiting=8, seconds=_SECONDS)

    def read(self, content: bytes) -> list[str]:
        """The contents of the codes, top first; empty where there is none, or on timeout."""
        return self.inspect(content).codes

    def inspect(self, content: bytes) -> ReadCode:
        """Empty where nothing can be read, where many are read already, or on timeout."""
        if not content.startswith(_READ):
            return ReadCode()
        try:
            with self._slots.take():
                return self._read(content)
        except (NoSlot, subprocess.TimeoutExpired):
            return ReadCode()

    def _read(self, content: bytes) -> ReadCode:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", _READER],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=2 * _SECONDS,
            check=False,
        )
        if done.returncode != 0:
            return ReadCode()
        found = json.loads(done.stdout)
        return ReadCode(
            [*map(str, found["codes"])], [*map(str, found["links"])], str(found["text"]), bool(found["whole"])
        )
