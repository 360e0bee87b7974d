"""Column types that every row shares: whole UTC seconds, closed lists of words, short documents."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import JSON, DateTime, Enum, ForeignKey, Index, Uuid, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import class_mapper
from sqlalchemy.orm.state import InstanceState
from sqlalchemy.types import TypeDecorator
from sqlmodel import Column, SQLModel


def whole_second(moment: datetime) -> datetime:
    """`moment` in UTC without a fraction: what we store, sign and compare (B-015)."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone has no meaning")
    if moment.tzinfo is UTC and not moment.microsecond:
        return moment
    return moment.astimezone(UTC).replace(microsecond=0)


class UtcSecond(TypeDecorator[datetime]):
    """An aware UTC datetime to the second, on engines with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = whole_second(value)
        # SQLite keeps text: a stable form without offset sorts as time does.
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def moment(*, nullable: bool = False, index: bool = False) -> Column[Any]:
    return Column(UtcSecond(), nullable=nullable, index=index)


def word_of(words: type[StrEnum], *, name: str, nullable: bool = False) -> Column[Any]:
    """A column that holds one of `words`, checked by the database under the constraint `name`."""
    kind = Enum(
        words,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda enum: [member.value for member in enum],
    )
    return Column(kind, nullable=nullable)


def words() -> Column[Any]:
    """A short list or map kept as JSON."""
    return Column(JSON, nullable=False)


def index_where(name: str, *columns: str, known: str) -> Index:
    """An index of the rows alone whose column `known` says something: the others cost nothing when they are written."""
    where = text(f"{known} IS NOT NULL")
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


def points_to(table: str, *, nullable: bool = False, index: bool = True) -> Column[Any]:
    return Column(Uuid(), ForeignKey(f"{table}.id"), nullable=nullable, index=index)


def part_of(table: str) -> Column[Any]:
    """Half of a primary key that joins two tables."""
    return Column(Uuid(), ForeignKey(f"{table}.id"), primary_key=True, nullable=False)


def new_id() -> uuid.UUID:
    return uuid.uuid4()


def neighbouring_ids(count: int) -> list[uuid.UUID]:
    """Random identifiers (UUID, version 4) whose first 40 bits, drawn once, are the same.

    Rows that are written together then lie side by side in every index that begins with them: of a large index a few
    pages change instead of one for each row. 82 bits of each are its own, so that knowing one tells nobody the next.
    """
    drawn = secrets.token_bytes(_SHARED + (16 - _SHARED) * count)
    shared, own = drawn[:_SHARED], 16 - _SHARED
    ends = (drawn[at : at + own] for at in range(_SHARED, len(drawn), own))
    return [uuid.UUID(bytes=shared + end, version=4) for end in ends]


_SHARED: Final = 5
"""Bytes."""


Row = TypeVar("Row", bound=SQLModel)


def new_row(kind: type[Row], /, **values: Any) -> Row:
    """A new row in a tenth of the time its class takes: made as the ORM makes the rows it reads.

    For rows that come by the thousand. As with the class itself, nothing is validated.
    """
    begin, given, made = _made_as(kind)
    row: Row = begin()
    held = row.__dict__
    held.update(given)
    for name, make in made:
        if name not in values:
            held[name] = make()
    held.update(values)
    return row


_Made = tuple[Callable[[], Any], dict[str, Any], list[tuple[str, Callable[[], Any]]]]


@cache
def _made_as(kind: type[SQLModel]) -> _Made:
    """How the ORM begins a row, what it holds unless told otherwise, and what is made anew for each."""
    fields = kind.model_fields.items()
    made: dict[str, Any] = {name: field.default_factory for name, field in fields if field.default_factory}
    given = {name: field.default for name, field in fields if name not in made and not field.is_required()}
    return empty_rows(kind), given, list(made.items())


def empty_rows(kind: type[Row]) -> Callable[[], Row]:
    """What makes a row that holds nothing yet, as the ORM begins the rows it reads."""
    manager, begin = class_mapper(kind).class_manager, kind.__new__

    def make() -> Row:
        row: Row = begin(kind)
        # Not as an attribute: the class would look at its name, its kind and its relations first.
        row.__dict__["_sa_instance_state"] = InstanceState(row, manager)
        return row

    return make
