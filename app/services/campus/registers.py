"""Registers of a campus: one page, the number of lines, and every line for a table."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from app.adapters.sheets.report_files import Cell, write_workbook
from app.db.campus.directory import PeopleRegisterStore
from app.db.campus.people import is_known_at
from app.db.campus.registers import (
    ActivityRegisterStore,
    AwardRegisterStore,
    RegisterStore,
    RequestRegisterStore,
    SavedViewStore,
)
from app.db.engine.queries import Start
from app.db.people import PeopleStore
from app.domain.activities import Activity, Participation
from app.domain.awards import Award
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
from app.domain.learners.requests import ListedRequest, RequestFilter, RequestSort
from app.domain.people import Person
from app.errors import Conflict, NotFound

__all__ = [
    "ActivityCounts",
    "ActivityFilter",
    "ActivityRegister",
    "ActivitySort",
    "AwardFilter",
    "AwardRegister",
    "AwardSort",
    "CampusRegister",
    "Cell",
    "ListedAward",
    "ListedRequest",
    "Moment",
    "PeopleFilter",
    "PeopleRegister",
    "PeopleSort",
    "PersonCounts",
    "Register",
    "RequestFilter",
    "RequestRegister",
    "RequestSort",
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


class Identified(Protocol):
    @property
    def id(self) -> uuid.UUID: ...


Line = TypeVar("Line", bound=Identified)
Wanted = TypeVar("Wanted")
Sort = TypeVar("Sort", bound=StrEnum)


class CampusRegister(Generic[Line, Wanted, Sort]):
    def __init__(self, store: RegisterStore[Line, Wanted, Sort]) -> None:
        self._store = store

    def page(
        self, campus: Campus, wanted: Wanted, start: Start, sort: Sort, *, descending: bool
    ) -> list[Line]:
        """One more than the limit if there is a next page."""
        return self._store.page(campus.id, wanted, start, sort, descending=descending)

    def blocks(
        self, campus: Campus, wanted: Wanted, sort: Sort, *, descending: bool
    ) -> Iterator[Sequence[Line]]:
        """Every line, a block at a time."""
        after: uuid.UUID | None = None
        while True:
            found = self.page(campus, wanted, Start(after, A_BLOCK), sort, descending=descending)
            if found:
                yield found[:A_BLOCK]
            if len(found) <= A_BLOCK:
                return
            after = found[A_BLOCK - 1].id

    def count(self, campus: Campus, wanted: Wanted, *, most: int | None = None) -> int:
        return self._store.count(campus.id, wanted, most=most)

    def ids(self, campus: Campus, wanted: Wanted, *, most: int) -> Sequence[uuid.UUID]:
        return self._store.ids(campus.id, wanted, most=most)


class AwardRegister(CampusRegister[ListedAward, AwardFilter, AwardSort]):
    def __init__(self, store: AwardRegisterStore, people: PeopleStore) -> None:
        super().__init__(store)
        self.store = store
        self.people = people

    def team(self, campus: Campus) -> list[tuple[uuid.UUID, str]]:
        return self.store.team(campus.id)

    def activities(self, campus: Campus, *, with_people: bool = False) -> list[tuple[uuid.UUID, str]]:
        """With awards; or with participants."""
        of = Participation if with_people else Award
        return self.store.activities(campus.id, most=MOST_ACTIVITIES, of=of)

    def addresses_of(self, campus: Campus, people: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
        return self.people.addresses_of(people, is_known_at(campus.id))


class ActivityRegister(CampusRegister[Activity, ActivityFilter, ActivitySort]):
    def __init__(self, store: ActivityRegisterStore) -> None:
        super().__init__(store)
        self.store = store

    def counts(self, campus: Campus, activities: Sequence[Activity]) -> dict[uuid.UUID, ActivityCounts]:
        return self.store.counts(campus.id, [activity.id for activity in activities])


class PeopleRegister(CampusRegister[Person, PeopleFilter, PeopleSort]):
    def __init__(self, store: PeopleRegisterStore, people: PeopleStore) -> None:
        super().__init__(store)
        self.store = store
        self.people = people

    def counts(self, campus: Campus, people: Sequence[Person]) -> dict[uuid.UUID, PersonCounts]:
        return self.store.counts(campus.id, [person.id for person in people])

    def among(self, campus: Campus, person_ids: Sequence[uuid.UUID]) -> Sequence[Person]:
        """Those of the campus, by name."""
        return self.store.among(campus.id, person_ids)

    def addresses_of(self, campus: Campus, people: Sequence[Person]) -> dict[uuid.UUID, str]:
        return self.people.addresses_of((person.id for person in people), is_known_at(campus.id))


class RequestRegister(CampusRegister[ListedRequest, RequestFilter, RequestSort]):
    def __init__(self, store: RequestRegisterStore) -> None:
        super().__init__(store)
        self.store = store

    def badges(self, campus: Campus) -> set[uuid.UUID]:
        """Those that are requested, or were."""
        return self.store.badges(campus.id)


@dataclass(frozen=True, eq=False)
class SavedViews:
    """Views of one person in one campus."""

    store: SavedViewStore
    clock: Clock

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
            raise Conflict("Vous avez déjà douze vues de cette liste. Supprimez-en une d’abord.")
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
            raise NotFound("Cette vue n’existe pas ici.")
        self.store.remove(view)
        return view
