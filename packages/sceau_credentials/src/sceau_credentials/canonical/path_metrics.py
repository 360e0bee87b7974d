"""How many documents took which way to their canonical form since the process began: for metrics to read."""

from __future__ import annotations

from enum import StrEnum
from threading import Lock
from typing import Final


class Way(StrEnum):
    """How a canonical form was found."""

    COMPILED = "compiled"
    """Through the tables of their contexts."""
    TEMPLATE = "template"
    """Through what they share with others of their batch."""
    GENERAL = "general"
    """Through PyLD; those it refuses are counted too."""


_lock: Final = Lock()
_taken: Final = dict.fromkeys(Way, 0)


def note(way: Way) -> None:
    with _lock:
        _taken[way] += 1


def ways_taken() -> dict[Way, int]:
    """A copy; each figure only ever grows."""
    with _lock:
        return dict(_taken)
