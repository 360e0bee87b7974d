"""Many rows of one table in few statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, SQLModel

_AT_A_TIME = 1_000
IN_ONE_QUERY = 500
"""How many values one statement may name."""


def insert_rows(session: Session, rows: Sequence[SQLModel]) -> None:
    """Write new rows of one kind. Unlike what is added to a session, they are not followed from then on."""
    if not rows:
        return
    insert_values(session, type(rows[0]), values_of(rows))


def values_of(rows: Iterable[SQLModel]) -> list[dict[str, Any]]:
    """What each new row says, by column."""
    values = [row.__dict__.copy() for row in rows]
    for each in values:
        del each["_sa_instance_state"]
    return values


def insert_values(session: Session, kind: type[SQLModel], values: Iterable[dict[str, Any]]) -> None:
    """The same, of rows that nobody needs as objects."""
    table: Any = kind.__table__  # type: ignore[attr-defined]
    session.flush()
    waiting = list(values)
    for start in range(0, len(waiting), _AT_A_TIME):
        session.connection().execute(insert(table), waiting[start : start + _AT_A_TIME])
