"""Documents kept for everybody who verifies here: few bytes, no longer than allowed, the least used go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final, NamedTuple

from sceau_credentials.values.documents import FetchedDocument

_OVERHEAD: Final = 2048  # so that a hundred thousand empty documents do not count as nothing


class Question(NamedTuple):
    """`accept` belongs to it: it is all of our request that may change from one fetch to the next (Vary)."""

    url: str
    accept: str


@dataclass(frozen=True)
class Kept:
    document: FetchedDocument
    headers: Mapping[str, str]
    since: datetime
    until: datetime

    def is_fresh(self, now: datetime) -> bool:
        # A clock that was put back must not lengthen anything.
        return self.since <= now < self.until

    @property
    def validators(self) -> dict[str, str]:
        """What to send to the server so that it may answer "as before" (304)."""
        named = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
        said = {asking: self.headers.get(name, "") for asking, name in named.items()}
        return {asking: value for asking, value in said.items() if value and value.isascii()}


class DocumentCache:
    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lock = Lock()
        self._kept: OrderedDict[Question, Kept] = OrderedDict()

    def find(self, question: Question) -> Kept | None:
        with self._lock:
            kept = self._kept.get(question)
            if kept is not None:
                self._kept.move_to_end(question)
            return kept

    def keep(self, question: Question, kept: Kept) -> None:
        with self._lock:
            self._drop(question)
            self._kept[question] = kept
            self._bytes += _size(question, kept)
            while self._bytes > self._most_bytes:
                self._drop(next(iter(self._kept)))

    def drop(self, question: Question) -> None:
        with self._lock:
            self._drop(question)

    def _drop(self, question: Question) -> None:
        kept = self._kept.pop(question, None)
        if kept is not None:
            self._bytes -= _size(question, kept)


def _size(question: Question, kept: Kept) -> int:
    headers = sum(len(name) + len(value) for name, value in kept.headers.items())
    return len(kept.document.body) + len(question.url) + len(question.accept) + headers + _OVERHEAD
