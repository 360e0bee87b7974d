"""Tenant scope of one transaction (`app/db/engine/row_level_security.py`); without effect on SQLite."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import text
from sqlmodel import Session

_SET = text(
    "SELECT set_config('sceau.reach', :reach, true), set_config('sceau.campus', :campus, true), "
    "set_config('sceau.person', :person, true)"
)

_GET = text(
    "SELECT coalesce(current_setting('sceau.reach', true), ''), coalesce(current_setting('sceau.campus', true), ''), "
    "coalesce(current_setting('sceau.person', true), '')"
)

_Found = TypeVar("_Found")

_SCOPE = "tenant scope"
_WORLD = {"reach": "", "campus": "", "person": ""}
_EVERYWHERE = {**_WORLD, "reach": "everywhere"}
WHOLE_DATABASE = "sceau.reach=everywhere"
"""The session setting with which a dump sees the rows of every campus."""


@dataclass(frozen=True, eq=False)
class TenantScope:
    session: Session

    def enter(self, campus_id: uuid.UUID, person_id: uuid.UUID | None = None) -> None:
        """Restricts this transaction to rows of that campus.

        It also reads the memberships of `person_id`, the user, at other campuses.
        """
        self._set("campus", str(campus_id), str(person_id or ""))

    def bypass(self) -> None:
        """For workers and commands, and to find a campus by a secret that identifies it."""
        self._set("everywhere")

    def leave(self) -> None:
        """Back to publicly readable rows."""
        self._set("")

    @contextmanager
    def across_campuses(self) -> Iterator[None]:
        """For one query about a person whom several campuses may know; restores the scope afterwards."""
        self.session.flush()
        connection = self.session.connection()
        before = connection.execute(_GET).one() if connection.dialect.name == "postgresql" else ("", "", "")
        self.bypass()
        try:
            yield
            self.session.flush()
        finally:
            self._set(*before)

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Afterwards the scope is as before, that of a command too."""
        before = self.session.info.get(_SCOPE, _WORLD)
        try:
            yield
        finally:
            self._set(**before)

    def _set(self, reach: str, campus: str = "", person: str = "") -> None:
        scope = {"reach": reach, "campus": campus, "person": person}
        self.session.info[_SCOPE] = scope
        _apply(self.session, scope)


@contextmanager
def rows_named(session: Session, of: uuid.UUID | None = None) -> Iterator[None]:
    """For one query by identifiers that the caller already holds: rows of every campus, whatever the
    scope. `of`: the campus of the rows, where known; its own scope suffices."""
    before = session.info.get(_SCOPE, _WORLD)
    is_theirs = of is not None and (before["reach"], before["campus"]) == ("campus", str(of))
    if is_theirs or before["reach"] == _EVERYWHERE["reach"]:
        yield
        return
    _apply(session, _EVERYWHERE)
    yield
    # After an error the transaction is gone, and its scope with it.
    _apply(session, before)


@contextmanager
def rows_named_outside(session: Session) -> Iterator[None]:
    """The same before the transaction sets its campus; afterwards, the query is limited to that campus."""
    if session.info.get(_SCOPE, _WORLD) != _WORLD:
        yield
        return
    with rows_named(session):
        yield


def found_by_name(session: Session, find: Callable[[], _Found | None]) -> _Found | None:
    """The row found by one query by identifier, including a closed award before the transaction sets its
    campus.

    Publicly readable rows are found by the first query, without any other statement.
    """
    found = find()
    if found is None and session.get_bind().dialect.name == "postgresql":
        with rows_named_outside(session):
            return find()
    return found


def _apply(session: Session, scope: dict[str, str]) -> None:
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(_SET, scope)
