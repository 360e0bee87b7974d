"""Lists page by page: each begins after the last row of the page before, so no page costs more than another."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, literal, or_, tuple_
from sqlmodel import Session

Order = Sequence[tuple[Any, bool]]
"""Expressions to sort by, each with whether it runs downwards; the last one is the row's own id."""


@dataclass(frozen=True)
class Start:
    """Where a page begins: after the row `after`, whose id says nothing of whoever it is about."""

    after: uuid.UUID | None = None
    limit: int = 50


def page_of(session: Session, query: Any, order: Order, start: Start) -> list[Any]:
    """The rows of one page, and one more when there is a next one."""
    if start.after is not None:
        query = query.where(_behind(session, query, order, start.after))
    sorting = [expression.desc() if down else expression.asc() for expression, down in order]
    return list(session.execute(query.order_by(*sorting).limit(start.limit + 1)))


def _behind(session: Session, query: Any, order: Order, after: uuid.UUID) -> ColumnElement[bool]:
    row_id = order[-1][0]
    place = query.with_only_columns(*(expression for expression, _ in order)).order_by(None)
    last = session.execute(place.where(row_id == after).limit(1)).first()
    if last is None:
        return false()
    told = [literal(value, expression.type) for (expression, _), value in zip(order, last, strict=True)]
    (first, down), rest = order[0], order[1:]
    if all(each == down for _, each in rest):
        # Compared as a whole, so that an index in this order is entered where the page begins.
        here, before = tuple_(*(expression for expression, _ in order)), tuple_(*told)
        return here < before if down else here > before
    behind = or_(*(_step(order, told, depth) for depth in range(len(order))))
    return and_(first <= told[0] if down else first >= told[0], behind)


def _step(order: Order, told: Sequence[ColumnElement[Any]], depth: int) -> ColumnElement[bool]:
    """The same up to there, and behind from there on."""
    same = [expression == value for (expression, _), value in zip(order[:depth], told, strict=False)]
    expression, down = order[depth]
    return and_(*same, expression < told[depth] if down else expression > told[depth])
