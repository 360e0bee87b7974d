"""Searches people, activities and awards of one campus, page by page."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    union,
)
from sqlmodel import col

from app.db.activities.activities import organised_by
from app.db.awards.awards import AwardRecord, AwardStore
from app.db.badges import WITHOUT_PICTURES
from app.db.campus.registers import RegisterStore, given_by
from app.db.engine.changes import changed_since
from app.db.engine.queries import Order, Start, Store, holds_all, page_of, plain
from app.db.engine.writes import among
from app.domain.activities.activities import Activity, ActivityCampus, Participation
from app.domain.awards.awards import Award, AwardState
from app.domain.badges.badges import BadgeVersion
from app.domain.campus.integration import ExternalId, Place, Wanted
from app.domain.campus.registers import PeopleFilter, PeopleSort, PersonCounts
from app.domain.core import plain_text
from app.domain.people.people import Person, PersonAddress
from app.domain.people.record_merge import PersonMerge


class PeopleOrder(StrEnum):
    NAME = "nom"
    LATEST = "recent"


def _name() -> ColumnElement[str]:
    return col(Person.given_name) + " " + col(Person.family_name)


class DirectoryStore(Store):
    def people(
        self,
        campus_id: uuid.UUID,
        words: Sequence[str],
        start: Start,
        *,
        address: str = "",
        order: PeopleOrder = PeopleOrder.NAME,
    ) -> list[Person]:
        """People who took part in an activity of the campus, received a badge from it or are in its own system."""
        query = select(Person).where(belongs_to(campus_id))
        query = query.where(_has_address(address) if address else holds_all(_name(), words))
        return [row[0] for row in page_of(self.session, query, _PEOPLE_ORDERS[order], start)]

    def find_person(self, campus_id: uuid.UUID, person_id: uuid.UUID) -> Person | None:
        row = self.session.execute(
            select(Person).where(col(Person.id) == person_id, belongs_to(campus_id))
        ).first()
        return row[0] if row else None

    def activities(self, campus_id: uuid.UUID, words: Sequence[str], start: Start) -> list[Activity]:
        """Latest first."""
        query = (
            select(Activity)
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(organised_by(campus_id))
            .where(holds_all(col(Activity.title) + " " + col(Activity.place), words))
        )
        return [row[0] for row in page_of(self.session, query, _LATEST_ACTIVITIES, start)]

    def people_in(self, activity_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
        """Participants present in each; activities without any are omitted."""
        query = (
            select(col(Participation.activity_id), func.count())
            .where(col(Participation.activity_id).in_(activity_ids), col(Participation.is_present))
            .group_by(col(Participation.activity_id))
        )
        return {row[0]: row[1] for row in self.session.execute(query)}

    def awards(
        self,
        campus_id: uuid.UUID,
        words: Sequence[str],
        start: Start,
    ) -> list[AwardRecord]:
        """Latest first."""
        query = AwardStore.records().where(col(Award.campus_id) == campus_id).options(*WITHOUT_PICTURES)
        query = query.where(holds_all(_name() + " " + col(BadgeVersion.name), words))
        return [AwardRecord(*row) for row in page_of(self.session, query, _LATEST_AWARDS, start)]

    def participations_of(
        self, person_id: uuid.UUID, campus_id: uuid.UUID
    ) -> list[tuple[Participation, Activity]]:
        """The person's participations in activities of the campus, latest first."""
        rows = self.session.execute(
            select(Participation, Activity)
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(
                col(Participation.person_id) == person_id,
                col(Participation.is_present),
                organised_by(campus_id),
            )
            .order_by(col(Activity.starts_on).desc(), col(Activity.id))
        )
        return [(participation, activity) for participation, activity in rows]

    def awards_of(self, person_id: uuid.UUID, campus_id: uuid.UUID) -> list[AwardRecord]:
        """The campus's awards to the person, latest first."""
        query = (
            AwardStore.records()
            .where(col(Award.person_id) == person_id, col(Award.campus_id) == campus_id)
            .options(*WITHOUT_PICTURES)
            .order_by(col(Award.awarded_at).desc(), col(Award.id).desc())
        )
        return [AwardRecord(*row) for row in self.session.execute(query)]


class ProgramLists(Store):
    """Pages of a campus's rows, the latest first, with one row more if there is a next page."""

    def people(self, campus_id: uuid.UUID, wanted: Wanted, *, address: str = "") -> list[Person]:
        query = select(Person).where(belongs_to(campus_id))
        if address:
            is_there = and_(
                col(PersonAddress.person_id) == col(Person.id), col(PersonAddress.address) == address
            )
            query = query.where(exists().where(is_there))
        return self._page(query, campus_id, wanted, col(Person.created_at), col(Person.id))

    def activities(self, campus_id: uuid.UUID, wanted: Wanted) -> list[Activity]:
        query = select(Activity).join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
        query = query.where(organised_by(campus_id))
        return self._page(query, campus_id, wanted, col(Activity.created_at), col(Activity.id))

    def participations(
        self, campus_id: uuid.UUID, activity_id: uuid.UUID, wanted: Wanted, *, with_absent: bool
    ) -> list[Participation]:
        query = select(Participation).where(col(Participation.activity_id) == activity_id)
        if not with_absent:
            query = query.where(col(Participation.is_present))
        return self._page(query, campus_id, wanted, col(Participation.recorded_at), col(Participation.id))

    def participation(self, campus_id: uuid.UUID, participation_id: uuid.UUID) -> Participation | None:
        query = (
            select(Participation)
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Participation.activity_id))
            .where(col(Participation.id) == participation_id, organised_by(campus_id))
        )
        return self.session.execute(query).scalars().first()

    def _page(self, query: Any, campus_id: uuid.UUID, wanted: Wanted, came_at: Any, row_id: Any) -> list[Any]:
        if wanted.ids is not None:
            query = query.where(among(self.session, row_id, wanted.ids))
        if wanted.since is not None:
            query = query.where(changed_since(campus_id, row_id, wanted.since))
        if wanted.before is not None:
            query = query.where(tuple_(came_at, row_id) < tuple_(*_as(wanted.before, came_at, row_id)))
        query = query.order_by(came_at.desc(), row_id.desc()).limit(wanted.limit + 1)
        return list(self.session.execute(query).scalars())


def _as(place: Place, came_at: Any, row_id: Any) -> tuple[Any, Any]:
    return literal(place[0], came_at.type), literal(place[1], row_id.type)


def belongs_to(campus_id: uuid.UUID) -> ColumnElement[bool]:
    """Asked of each person. A subquery with a limit is: PostgreSQL answers `EXISTS` for all people of all
    campuses first, where it may."""
    took_part, holds, is_named = (
        each.where(person_id == col(Person.id)).correlate(Person).limit(1).scalar_subquery().is_not(None)
        for each, person_id in _ties_to(campus_id)
    )
    return and_(or_(took_part, holds, is_named), ~is_merged())


def is_among_those_of(campus_id: uuid.UUID) -> ColumnElement[bool]:
    """The same, found for the whole campus at once: to count its people."""
    return and_(col(Person.id).in_(union(*(each for each, _ in _ties_to(campus_id)))), ~is_merged())


def _ties_to(campus_id: uuid.UUID) -> list[tuple[Select[Any], Any]]:
    took_part = (
        select(col(Participation.person_id))
        .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Participation.activity_id))
        .where(organised_by(campus_id))
    )
    holds = select(col(Award.person_id)).where(col(Award.campus_id) == campus_id)
    is_named = select(col(ExternalId.person_id)).where(
        col(ExternalId.campus_id) == campus_id, col(ExternalId.person_id).is_not(None)
    )
    return [
        (took_part, col(Participation.person_id)),
        (holds, col(Award.person_id)),
        (is_named, col(ExternalId.person_id)),
    ]


def is_merged() -> ColumnElement[bool]:
    return exists().where(
        and_(col(PersonMerge.gone_id) == col(Person.id), col(PersonMerge.undone_at).is_(None))
    )


def _has_address(address: str) -> ColumnElement[bool]:
    return exists().where(
        and_(
            col(PersonAddress.person_id) == col(Person.id),
            plain(col(PersonAddress.address)).startswith(plain_text(address), autoescape=True),
        )
    )


_BY_NAME: Order = [(col(Person.listed_as), False), (col(Person.id), False)]
_PEOPLE_ORDERS: dict[PeopleOrder, Order] = {
    PeopleOrder.NAME: _BY_NAME,
    PeopleOrder.LATEST: [(col(Person.created_at), True), (col(Person.id), True)],
}
_LATEST_ACTIVITIES: Order = [
    (col(Activity.starts_on), True), (col(Activity.title), False), (col(Activity.id), False),
]  # fmt: skip
_LATEST_AWARDS: Order = [(col(Award.awarded_at), True), (col(Award.id), True)]


class PeopleRegisterStore(RegisterStore[Person, PeopleFilter, PeopleSort]):
    _usual = (col(Person.listed_as), col(Person.id))

    def _rows(self, campus_id: uuid.UUID, wanted: PeopleFilter) -> Select[Any]:
        return select(Person).where(belongs_to(campus_id), *_people_conditions(campus_id, wanted))

    def _ids(self, campus_id: uuid.UUID, wanted: PeopleFilter) -> Select[Any]:
        if (
            wanted.activity_id or wanted.badge_id or wanted.has_unclaimed
        ):  # who meets it belongs to the campus
            belongs = ~is_merged()
        elif wanted.arrived[0] is not None:  # a few
            belongs = belongs_to(campus_id)
        else:
            belongs = is_among_those_of(campus_id)
        return select(col(Person.id)).where(belongs, *_people_conditions(campus_id, wanted))

    def _line(self, row: Any) -> Person:
        found: Person = row[0]
        return found

    def page(
        self, campus_id: uuid.UUID, wanted: PeopleFilter, start: Start, sort: PeopleSort, *, descending: bool
    ) -> list[Person]:
        if sort in (PeopleSort.NAME, PeopleSort.ARRIVAL):
            return super().page(campus_id, wanted, start, sort, descending=descending)
        # Numbers are found for all people at once: every one is asked for before the first page is known.
        numbers = _numbers_of(campus_id, sort)
        query = (
            select(Person)
            .outerjoin(numbers, numbers.c.person_id == col(Person.id))
            .where(is_among_those_of(campus_id), *_people_conditions(campus_id, wanted))
        )
        order: Order = [(func.coalesce(numbers.c.number, 0), descending), (col(Person.id), descending)]
        return [self._line(row) for row in page_of(self.session, query, order, start)]

    def _order(self, _: uuid.UUID, sort: PeopleSort, descending: bool) -> Order:
        first = col(Person.listed_as if sort is PeopleSort.NAME else Person.created_at)
        return [(first, descending), (col(Person.id), descending)]

    def among(self, campus_id: uuid.UUID, person_ids: Sequence[uuid.UUID]) -> Sequence[Person]:
        query = select(Person).where(col(Person.id).in_(person_ids), belongs_to(campus_id))
        return self.session.scalars(query.order_by(*self._usual)).all()

    def counts(self, campus_id: uuid.UUID, person_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, PersonCounts]:
        parts = (
            select(col(Participation.person_id), func.count())
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Participation.activity_id))
            .where(
                col(Participation.person_id).in_(person_ids),
                col(Participation.is_present),
                organised_by(campus_id),
            )
            .group_by(col(Participation.person_id))
        )
        awards = (
            select(col(Award.person_id), func.count(), func.count(col(Award.claimed_at)))
            .where(
                col(Award.person_id).in_(person_ids),
                col(Award.campus_id) == campus_id,
                col(Award.state) == AwardState.ISSUED,
            )
            .group_by(col(Award.person_id))
        )
        present: dict[uuid.UUID, int] = {row[0]: row[1] for row in self.session.execute(parts)}
        given = {person_id: (count, claimed) for person_id, count, claimed in self.session.execute(awards)}
        return {
            person_id: PersonCounts(present.get(person_id, 0), *given.get(person_id, (0, 0)))
            for person_id in person_ids
        }


def _numbers_of(campus_id: uuid.UUID, sort: PeopleSort) -> Subquery:
    if sort is PeopleSort.ACTIVITIES:
        person_id = col(Participation.person_id)
        query = (
            select(person_id, func.count().label("number"))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Participation.activity_id))
            .where(col(Participation.is_present), organised_by(campus_id))
        )
    else:
        person_id = col(Award.person_id)
        counted = func.count(col(Award.id if sort is PeopleSort.AWARDS else Award.claimed_at))
        query = select(person_id, counted.label("number")).where(*given_by(campus_id))
    return query.group_by(person_id).subquery()


def _people_conditions(campus_id: uuid.UUID, wanted: PeopleFilter) -> list[ColumnElement[bool]]:
    found = list[ColumnElement[bool]]()
    first, before = wanted.arrived
    if first is not None:
        found.append(col(Person.created_at) >= first)
    if before is not None:
        found.append(col(Person.created_at) < before)
    holds = [
        col(Award.person_id) == col(Person.id),
        col(Award.campus_id) == campus_id,
        col(Award.state) == AwardState.ISSUED,
    ]
    if wanted.badge_id is not None:
        found.append(exists().where(*holds, col(Award.badge_id) == wanted.badge_id))
    if wanted.has_unclaimed is not None:
        waits = exists().where(*holds, col(Award.claimed_at).is_(None))
        found.append(waits if wanted.has_unclaimed else ~waits)
    if wanted.activity_id is not None:
        found.append(
            exists().where(
                col(Participation.person_id) == col(Person.id),
                col(Participation.activity_id) == wanted.activity_id,
                col(Participation.is_present),
                col(ActivityCampus.activity_id) == col(Participation.activity_id),
                organised_by(campus_id),
            )
        )
    return found
