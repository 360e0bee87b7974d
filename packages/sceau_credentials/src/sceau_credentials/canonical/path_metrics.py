"""Counters, since process start, of the code path by which documents were canonicalised."""

from __future__ import annotations

from enum import StrEnum
from threading import Lock
from typing import Final


class Way(StrEnum):
    """The code path by which a canonical form was found."""

    COMPILED = "compiled"
    """Through the tables of their contexts."""
    TEMPLATE = "template"
    """Through a template shared by their batch."""
    GENERAL = "general"
    """Through PyLD; includes documents it rejects."""


_lock: Final = Lock()
_taken: Final = dict.fromkeys(Way, 0)


def note(way: Way) -> None:
    with _lock:
        _taken[way] += 1


def ways_taken() -> dict[Way, int]:
    """A copy; each counter only increases."""
    with _lock:
        return dict(_taken)
