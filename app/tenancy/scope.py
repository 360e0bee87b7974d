"""How far one transaction reaches over the walls between campuses (`app/tenancy/row_level_security.py`); on SQLite there are none."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


class TenantScope:
    def __init__(self, session: Session) -> None:
        self.session = session

    def enter(self, campus_id: uuid.UUID, person_id: uuid.UUID | None = None) -> None:
        """From now on this transaction sees and changes rows of that campus, and of no other.

        It also sees where `person_id`, who asks, works besides.
        """
        self._set("campus", str(campus_id), str(person_id or ""))

    def bypass(self) -> None:
        """For workers and commands, and to find by its secret what names a campus."""
        self._set("everywhere")

    def leave(self) -> None:
        """Back to what the world may read."""
        self._set("")

    @contextmanager
    def across_campuses(self) -> Iterator[None]:
        """For one question about a person whom several campuses may know; the scope is restored afterwards."""
        self.session.flush()
        connection = self.session.connection()
        before = connection.execute(_GET).one() if connection.dialect.name == "postgresql" else ("", "", "")
        self.bypass()
        try:
            yield
            self.session.flush()
        finally:
            self._set(*before)

    def _set(self, reach: str, campus: str = "", person: str = "") -> None:
        scope = {"reach": reach, "campus": campus, "person": person}
        self.session.info[_SCOPE] = scope
        _apply(self.session, scope)


@contextmanager
def rows_named(session: Session) -> Iterator[None]:
    """For one query by identifiers that the caller already holds: rows of every campus, whatever the transaction reaches."""
    before = session.info.get(_SCOPE, _WORLD)
    if before["reach"] == _EVERYWHERE["reach"]:
        yield
        return
    _apply(session, _EVERYWHERE)
    yield
    # After an error the transaction is gone, and its scope with it.
    _apply(session, before)


@contextmanager
def rows_named_outside(session: Session) -> Iterator[None]:
    """The same before the transaction has said its campus; where it has, the query reaches that campus alone."""
    if session.info.get(_SCOPE, _WORLD) != _WORLD:
        yield
        return
    with rows_named(session):
        yield


def found_by_name(session: Session, find: Callable[[], _Found | None]) -> _Found | None:
    """The row that one query by identifier finds, before the transaction has said its campus a closed award too.

    What the world reads is found by the first query, without any other statement.
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
