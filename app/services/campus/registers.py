"""Registers of a campus: one page, the number of lines, and every line for a table."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence

from app.adapters.sheets.blank_workbooks import Cell, write_workbook
from app.db.campus.registers import (
    ActivityRegisterStore,
    AwardRegisterStore,
    PeopleRegisterStore,
    SavedViewStore,
)
from app.db.engine.queries import Start
from app.db.people import PeopleStore
from app.domain.activities.activities import Activity
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.registers import (
    MOST_VIEWS,
    ActivityCounts,
    ActivityFilter,
    ActivitySort,
    AwardFilter,
    AwardSort,
    ListedAward,
    Moment,
    PeopleFilter,
    PeopleSort,
    PersonCounts,
    Register,
    SavedView,
    Standing,
    view_name,
    view_query,
)
from app.domain.core import Clock
from app.domain.people.people import Person
from app.errors import Conflict, NotFound
from app.language import N_

__all__ = [
    "ActivityCounts",
    "ActivityFilter",
    "ActivityRegister",
    "ActivitySort",
    "AwardFilter",
    "AwardRegister",
    "AwardSort",
    "Cell",
    "ListedAward",
    "Moment",
    "PeopleFilter",
    "PeopleRegister",
    "PeopleSort",
    "PersonCounts",
    "Register",
    "SavedView",
    "SavedViews",
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

    def ids(self, campus: Campus, wanted: AwardFilter, *, most: int) -> Sequence[uuid.UUID]:
        return self.store.ids(campus.id, wanted, most=most)

    def team(self, campus: Campus) -> list[tuple[uuid.UUID, str]]:
        return self.store.team(campus.id)

    def activities(self, campus: Campus) -> list[tuple[uuid.UUID, str]]:
        return self.store.activities(campus.id, most=MOST_ACTIVITIES)

    def addresses_of(self, people: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
        return self.people.addresses_of(people)


class ActivityRegister:
    def __init__(self, store: ActivityRegisterStore) -> None:
        self.store = store

    def page(
        self, campus: Campus, wanted: ActivityFilter, start: Start, sort: ActivitySort, *, descending: bool
    ) -> list[Activity]:
        """One more than the limit if there is a next page."""
        return self.store.page(campus.id, wanted, start, sort, descending=descending)

    def blocks(
        self, campus: Campus, wanted: ActivityFilter, sort: ActivitySort, *, descending: bool
    ) -> Iterator[Sequence[Activity]]:
        """Every line, a block at a time."""
        after: uuid.UUID | None = None
        while True:
            found = self.page(campus, wanted, Start(after, A_BLOCK), sort, descending=descending)
            if found:
                yield found[:A_BLOCK]
            if len(found) <= A_BLOCK:
                return
            after = found[A_BLOCK - 1].id

    def count(self, campus: Campus, wanted: ActivityFilter, *, most: int | None = None) -> int:
        return self.store.count(campus.id, wanted, most=most)

    def counts(self, campus: Campus, activities: Sequence[Activity]) -> dict[uuid.UUID, ActivityCounts]:
        return self.store.counts(campus.id, [activity.id for activity in activities])


class PeopleRegister:
    def __init__(self, store: PeopleRegisterStore, people: PeopleStore) -> None:
        self.store = store
        self.people = people

    def page(
        self, campus: Campus, wanted: PeopleFilter, start: Start, sort: PeopleSort, *, descending: bool
    ) -> list[Person]:
        """One more than the limit if there is a next page."""
        return self.store.page(campus.id, wanted, start, sort, descending=descending)

    def blocks(
        self, campus: Campus, wanted: PeopleFilter, sort: PeopleSort, *, descending: bool
    ) -> Iterator[Sequence[Person]]:
        """Everyone, a block at a time."""
        after: uuid.UUID | None = None
        while True:
            found = self.page(campus, wanted, Start(after, A_BLOCK), sort, descending=descending)
            if found:
                yield found[:A_BLOCK]
            if len(found) <= A_BLOCK:
                return
            after = found[A_BLOCK - 1].id

    def count(self, campus: Campus, wanted: PeopleFilter, *, most: int | None = None) -> int:
        return self.store.count(campus.id, wanted, most=most)

    def counts(self, campus: Campus, people: Sequence[Person]) -> dict[uuid.UUID, PersonCounts]:
        return self.store.counts(campus.id, [person.id for person in people])

    def addresses_of(self, people: Sequence[Person]) -> dict[uuid.UUID, str]:
        return self.people.addresses_of(person.id for person in people)


class SavedViews:
    """Views of one person in one campus."""

    def __init__(self, store: SavedViewStore, clock: Clock) -> None:
        self.store = store
        self.clock = clock

    def list_of(self, campus: Campus, person_id: uuid.UUID, register: Register) -> list[SavedView]:
        return self.store.list_of(campus.id, person_id, register)

    def save(self, campus: Campus, register: Register, name: str, query: str, *, by: Actor) -> SavedView:
        """Under a name that exists, replaces its query."""
        person_id = by.person_id
        assert person_id is not None, "only people save views"
        name, query = view_name(name), view_query(query)
        there = self.list_of(campus, person_id, register)
        found = next((view for view in there if view.name.casefold() == name.casefold()), None)
        if found is None and len(there) >= MOST_VIEWS:
            raise Conflict(N_("Vous avez déjà douze vues de cette liste. Supprimez-en une d’abord."))
        view = found or SavedView(
            campus_id=campus.id,
            person_id=person_id,
            listing=register,
            name=name,
            query=query,
            created_at=self.clock(),
        )
        view.query = query
        self.store.save(view)
        return view

    def delete(self, campus: Campus, view_id: uuid.UUID, *, by: Actor) -> SavedView:
        """Raises NotFound for a view of another person."""
        view = self.store.find(view_id)
        if view is None or (view.campus_id, view.person_id) != (campus.id, by.person_id):
            raise NotFound(N_("Cette vue n’existe pas ici."))
        self.store.delete(view)
        return view
