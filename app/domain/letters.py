"""Letters: what is sent to one address, and the port through which they leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Letter:
    to: str
    subject: str
    text: str


class Mailer(Protocol):
    def send(self, letter: Letter) -> None: ...
