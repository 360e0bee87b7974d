"""Registers of a campus: one page, the number of lines, and every line for a table."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence

from app.adapters.sheets.blank_workbooks import Cell, write_workbook
from app.db.campus.registers import AwardRegisterStore
from app.db.engine.queries import Start
from app.db.people import PeopleStore
from app.domain.campus.campus import Campus
from app.domain.campus.registers import (
    AwardFilter,
    AwardSort,
    ListedAward,
    Standing,
)

__all__ = [
    "AwardFilter",
    "AwardRegister",
    "AwardSort",
    "Cell",
    "ListedAward",
    "Standing",
    "Start",
    "write_workbook",
]

A_BLOCK = 1_000
"""Lines read at once for a table."""
MOST_ACTIVITIES = 200
"""Of those offered as a filter."""


class AwardRegister:
    def __init__(self, store: AwardRegisterStore, people: PeopleStore) -> None:
        self.store = store
        self.people = people

    def page(
        self, campus: Campus, wanted: AwardFilter, start: Start, sort: AwardSort, *, descending: bool
    ) -> list[ListedAward]:
        """One more than the limit if there is a next page."""
        return self.store.page(campus.id, wanted, start, sort, descending=descending)

    def blocks(
        self, campus: Campus, wanted: AwardFilter, sort: AwardSort, *, descending: bool
    ) -> Iterator[Sequence[ListedAward]]:
        """Every line, a block at a time."""
        after: uuid.UUID | None = None
        while True:
            found = self.page(campus, wanted, Start(after, A_BLOCK), sort, descending=descending)
            if found:
                yield found[:A_BLOCK]
            if len(found) <= A_BLOCK:
                return
            after = found[A_BLOCK - 1].id

    def count(self, campus: Campus, wanted: AwardFilter, *, most: int | None = None) -> int:
        return self.store.count(campus.id, wanted, most=most)

    def team(self, campus: Campus) -> list[tuple[uuid.UUID, str]]:
        return self.store.team(campus.id)

    def activities(self, campus: Campus) -> list[tuple[uuid.UUID, str]]:
        return self.store.activities(campus.id, most=MOST_ACTIVITIES)

    def addresses_of(self, people: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
        return self.people.addresses_of(people)
