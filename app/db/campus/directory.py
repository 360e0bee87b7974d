"""Searches people, activities and awards of one campus, page by page."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select, tuple_, union
from sqlmodel import col

from app.db.activities.activities import organised_by
from app.db.awards.awards import AwardRecord, AwardStore
from app.db.badges import WITHOUT_PICTURES
from app.db.engine.changes import changed_since
from app.db.engine.queries import Order, Start, Store, holds_all, page_of, plain
from app.db.engine.writes import among
from app.domain.activities.activities import Activity, ActivityCampus, Participation
from app.domain.awards.awards import Award
from app.domain.badges.badges import BadgeVersion
from app.domain.campus.integration import ExternalId, Place, Wanted
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
