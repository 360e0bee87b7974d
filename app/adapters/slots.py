"""Bounds how many threads do costly work, and how many wait for it: many requests at once would take every thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore


class NoSlot(Exception):
    """Enough threads work and wait already."""


class Slots:
    def __init__(self, at_once: int, *, waiting: int, seconds: float) -> None:
        """`waiting`: how many may wait besides, each for `seconds` at most."""
        self._work = BoundedSemaphore(at_once)
        self._line = BoundedSemaphore(at_once + waiting)
        self._seconds = seconds

    @contextmanager
    def take(self) -> Iterator[None]:
        """Raises NoSlot."""
        if not self._line.acquire(blocking=False):
            raise NoSlot
        try:
            if not self._work.acquire(timeout=self._seconds):
                raise NoSlot
            try:
                yield
            finally:
                self._work.release()
        finally:
            self._line.release()
