"""What follows from the database and the second alone, found once for all requests that read the same two."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Final, TypeVar

_Found = TypeVar("_Found")
_Values = dict[Hashable, object]

RENEWED_AFTER: Final = timedelta(seconds=10)
"""Signed lists are renewed with time, without a change in the database; days before they end."""


class Snapshot:
    """One version of the database at one second.

    A value may stand here only if it is the same for every reader: it depends on what the world may read, on the
    second, and on nothing of the request but what its key names. Values are shared between threads: do not change them.
    """

    def __init__(self, key: Hashable, until_commit: _Values) -> None:
        self.key = key
        self._now: _Values = {}
        self._until_commit = until_commit

    @property
    def is_shared(self) -> bool:
        """Whether its transactions only read, so that a row read once stays what it was."""
        return True

    def now(self, about: Hashable, find: Callable[[], _Found]) -> _Found:
        """What `find` returned first in this second. An error is not remembered."""
        return _once(self._now, about, find)

    def until_commit(self, about: Hashable, find: Callable[[], _Found]) -> _Found:
        """The same for what does not depend on the second: until anything is committed, or RENEWED_AFTER."""
        return _once(self._until_commit, about, find)


def _once(values: _Values, about: Hashable, find: Callable[[], _Found]) -> _Found:
    try:
        return values[about]  # type: ignore[return-value]
    except KeyError:
        found = values[about] = find()
        return found


class _Unshared(Snapshot):
    """For transactions that write, and readers who see more than the world: everything is read again."""

    @property
    def is_shared(self) -> bool:
        return False

    def now(self, about: Hashable, find: Callable[[], _Found]) -> _Found:  # noqa: ARG002
        return find()

    def until_commit(self, about: Hashable, find: Callable[[], _Found]) -> _Found:  # noqa: ARG002
        return find()


UNSHARED: Final = _Unshared(None, {})


class Snapshots:
    """The newest snapshot of a process; an older one lives on in the requests that began with it."""

    def __init__(self) -> None:
        self._newest: Snapshot = UNSHARED
        self._version: object = None
        self._begun: datetime | None = None
        self._until_commit: _Values = {}

    def of(self, version: object, at: datetime) -> Snapshot:
        """`version` is another value after every commit, and was read before the transaction began.

        Called on the event loop alone.
        """
        key = (version, at)
        if self._newest.key != key:
            begun = self._begun
            if version != self._version or begun is None or not begun <= at < begun + RENEWED_AFTER:
                self._version, self._begun, self._until_commit = version, at, {}
            self._newest = Snapshot(key, self._until_commit)
        return self._newest
