"""Lists page by page: each begins after the last row of the page before, so no page costs more than another."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_
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
    steps = []
    for depth, (expression, down) in enumerate(order):
        same = [earlier == value for (earlier, _), value in zip(order[:depth], last, strict=False)]
        steps.append(and_(*same, expression < last[depth] if down else expression > last[depth]))
    return or_(*steps)
