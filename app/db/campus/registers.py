"""Reads the registers of a campus, page by page: filtered, sorted, counted; and saved views."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, func, inspect, or_, select
from sqlalchemy.orm import aliased, join
from sqlmodel import Session, col

from app.db.activities.activities import organised_by
from app.db.campus.directory import belongs_to
from app.db.engine.queries import Order, OrderedJoin, Start, holds_all, page_of, plain, unindexed
from app.domain.activities.activities import (
    Activity,
    ActivityBadge,
    ActivityCampus,
    ActivityTrainer,
    Participation,
)
from app.domain.awards.awards import Award, AwardState
from app.domain.badges.badges import Badge, BadgeVersion
from app.domain.campus.registers import (
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
)
from app.domain.core import plain_text
from app.domain.people.people import Membership, Person

_GIVER = aliased(Person)
_PEOPLE, _AWARDS = inspect(Person).local_table, inspect(Award).local_table
_COLUMNS: tuple[Any, ...] = (
    col(Award.id), col(Award.person_id), col(Person.family_name), col(Person.given_name), col(Award.badge_id),
    col(BadgeVersion.name), col(BadgeVersion.number), col(Award.activity_id), col(Activity.title),
    col(Award.hours), col(Award.awarded_at), col(Award.valid_until), col(Award.revoked_at),
    col(Award.undone_at), col(Award.revoked_reason), col(Award.claimed_at), col(_GIVER.family_name),
    col(_GIVER.given_name),
)  # fmt: skip
_OF_PERSON = col(Person.id) == col(Award.person_id)


def _listed(source: FromClause) -> Select[Any]:
    return (
        select(*_COLUMNS)
        .select_from(source)
        .join(BadgeVersion, col(BadgeVersion.id) == col(Award.version_id))
        .join(Activity, col(Activity.id) == col(Award.activity_id), isouter=True)
        .join(_GIVER, col(_GIVER.id) == col(Award.awarded_by), isouter=True)
    )


_LISTED = _listed(join(Award, Person, _OF_PERSON))
_PERSON_BY_PERSON = _listed(OrderedJoin(_PEOPLE, _AWARDS, _OF_PERSON))
_FEW = 2_000
"""So many awards are sorted faster than they are found person by person."""


class AwardRegisterStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def page(
        self, campus_id: uuid.UUID, wanted: AwardFilter, start: Start, sort: AwardSort, *, descending: bool
    ) -> list[ListedAward]:
        """One more than the limit if there is a next page."""
        if sort is AwardSort.BADGE:
            return self._by_badge(campus_id, wanted, start, descending)
        by_person = sort is AwardSort.PERSON and self.count(campus_id, wanted, most=_FEW) == _FEW
        listed = _PERSON_BY_PERSON if by_person else _LISTED
        query = listed.where(
            col(Award.campus_id) == campus_id, *_conditions(wanted, person_by_person=by_person)
        )
        order = _by_person(descending) if sort is AwardSort.PERSON else _by_date(descending)
        return [ListedAward(*row) for row in page_of(self.session, query, order, start)]

    def _by_badge(
        self, campus_id: uuid.UUID, wanted: AwardFilter, start: Start, descending: bool
    ) -> list[ListedAward]:
        """Badge after badge, each by its index: a campus has few badges and many awards."""
        badges = [wanted.badge_id] if wanted.badge_id else self._badges_by_name(campus_id, descending)
        if self.count(campus_id, wanted, most=_FEW) < _FEW:
            of_few = select(col(Award.badge_id)).where(
                col(Award.campus_id) == campus_id, *_conditions(wanted)
            )
            there = set(self.session.scalars(of_few))
            badges = [badge_id for badge_id in badges if badge_id in there]
        after = start.after
        if after is not None:
            first = self.session.scalar(select(col(Award.badge_id)).where(col(Award.id) == after))
            badges = badges[badges.index(first) :] if first in badges else []
        found: list[ListedAward] = []
        for badge_id in badges:
            query = _LISTED.where(
                col(Award.campus_id) == campus_id, col(Award.badge_id) == badge_id, *_conditions(wanted)
            )
            left = Start(after, start.limit - len(found))
            found += [
                ListedAward(*row) for row in page_of(self.session, query, _by_date(descending=True), left)
            ]
            after = None
            if len(found) > start.limit:
                break
        return found

    def _badges_by_name(self, campus_id: uuid.UUID, descending: bool) -> list[uuid.UUID]:
        """By the newest name of each."""
        rows = self.session.execute(
            select(col(Badge.id), col(BadgeVersion.name))
            .join(BadgeVersion, col(BadgeVersion.badge_id) == col(Badge.id))
            .where(col(Badge.campus_id) == campus_id)
            .order_by(col(BadgeVersion.number))
        )
        names: dict[uuid.UUID, str] = {badge_id: plain_text(name) for badge_id, name in rows}
        return sorted(names, key=lambda badge_id: (names[badge_id], badge_id), reverse=descending)

    def count(self, campus_id: uuid.UUID, wanted: AwardFilter, *, most: int | None = None) -> int:
        """Stops at `most`."""
        query = select(col(Award.id)).where(col(Award.campus_id) == campus_id, *_conditions(wanted))
        few = query.limit(most) if most else query
        return self.session.scalar(select(func.count()).select_from(few.subquery())) or 0

    def ids(self, campus_id: uuid.UUID, wanted: AwardFilter, *, most: int) -> Sequence[uuid.UUID]:
        query = select(col(Award.id)).where(col(Award.campus_id) == campus_id, *_conditions(wanted))
        return self.session.scalars(query.order_by(*_LATEST_FIRST).limit(most)).all()

    def team(self, campus_id: uuid.UUID) -> list[tuple[uuid.UUID, str]]:
        """Everyone with a role in the campus; by name."""
        members = select(col(Membership.person_id)).where(col(Membership.campus_id) == campus_id)
        query = (
            select(Person).where(col(Person.id).in_(members)).order_by(col(Person.listed_as), col(Person.id))
        )
        return [(person.id, person.name) for person in self.session.scalars(query)]

    def activities(self, campus_id: uuid.UUID, *, most: int) -> list[tuple[uuid.UUID, str]]:
        """The latest activities with awards."""
        rows = self.session.execute(
            select(col(Activity.id), col(Activity.title))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(organised_by(campus_id), exists().where(col(Award.activity_id) == col(Activity.id)))
            .order_by(col(Activity.starts_on).desc(), col(Activity.title), col(Activity.id))
            .limit(most)
        )
        return [(activity_id, title) for activity_id, title in rows]


class ActivityRegisterStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def page(
        self,
        campus_id: uuid.UUID,
        wanted: ActivityFilter,
        start: Start,
        sort: ActivitySort,
        *,
        descending: bool,
    ) -> list[Activity]:
        """One more than the limit if there is a next page."""
        orders: dict[ActivitySort, Order] = {
            ActivitySort.DATE: [
                (col(Activity.starts_on), descending), (col(Activity.title), False), (col(Activity.id), False),
            ],
            ActivitySort.TITLE: [(plain(col(Activity.title)), descending), (col(Activity.id), descending)],
            ActivitySort.PLACE: [(plain(col(Activity.place)), descending), (col(Activity.id), descending)],
        }  # fmt: skip
        query = self._of(select(Activity), campus_id, wanted)
        return [row[0] for row in page_of(self.session, query, orders[sort], start)]

    def count(self, campus_id: uuid.UUID, wanted: ActivityFilter, *, most: int | None = None) -> int:
        """Stops at `most`."""
        query = self._of(select(col(Activity.id)), campus_id, wanted)
        few = query.limit(most) if most else query
        return self.session.scalar(select(func.count()).select_from(few.subquery())) or 0

    def ids(self, campus_id: uuid.UUID, wanted: ActivityFilter, *, most: int) -> Sequence[uuid.UUID]:
        query = self._of(select(col(Activity.id)), campus_id, wanted)
        return self.session.scalars(query.order_by(col(Activity.starts_on).desc()).limit(most)).all()

    def counts(
        self, campus_id: uuid.UUID, activity_ids: Sequence[uuid.UUID]
    ) -> dict[uuid.UUID, ActivityCounts]:
        people = select(col(Participation.activity_id), func.count()).where(
            col(Participation.activity_id).in_(activity_ids), col(Participation.is_present)
        )
        awards = select(col(Award.activity_id), func.count(), func.count(col(Award.claimed_at))).where(
            col(Award.activity_id).in_(activity_ids),
            col(Award.campus_id) == campus_id,
            col(Award.state) == AwardState.ISSUED,
        )
        present: dict[uuid.UUID, int] = {
            row[0]: row[1] for row in self.session.execute(people.group_by(col(Participation.activity_id)))
        }
        given = {
            activity_id: (count, claimed)
            for activity_id, count, claimed in self.session.execute(awards.group_by(col(Award.activity_id)))
        }
        return {
            activity_id: ActivityCounts(present.get(activity_id, 0), *given.get(activity_id, (0, 0)))
            for activity_id in activity_ids
        }

    @staticmethod
    def _of(query: Select[Any], campus_id: uuid.UUID, wanted: ActivityFilter) -> Select[Any]:
        return query.join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id)).where(
            organised_by(campus_id), *_activity_conditions(wanted)
        )


def _activity_conditions(wanted: ActivityFilter) -> list[ColumnElement[bool]]:
    found = [holds_all(col(Activity.title) + " " + col(Activity.place), wanted.words)]
    first, last = wanted.days
    if first is not None:
        found.append(col(Activity.ends_on) >= first)
    if last is not None:
        found.append(col(Activity.starts_on) <= last)
    if wanted.moment is not None:
        found.append(_held(wanted.moment, wanted.now))
    given_in = [col(Award.activity_id) == col(Activity.id), col(Award.undone_at).is_(None)]
    if wanted.badge_id is not None:
        leads = exists().where(
            col(ActivityBadge.activity_id) == col(Activity.id), col(ActivityBadge.badge_id) == wanted.badge_id
        )
        found.append(or_(leads, exists().where(*given_in, col(Award.badge_id) == wanted.badge_id)))
    if wanted.is_without_badges:
        found.append(~exists().where(*given_in))
    if wanted.trainer_id is not None:
        found.append(
            exists().where(
                col(ActivityTrainer.activity_id) == col(Activity.id),
                col(ActivityTrainer.person_id) == wanted.trainer_id,
            )
        )
    if wanted.is_incomplete:
        found.append(or_(col(Activity.place) == "", col(Activity.audience) == ""))
    return found


def _held(moment: Moment, now: datetime) -> ColumnElement[bool]:
    """As `has_begun` and `has_ended`."""
    today, clock = now.date(), now.time()
    starts_on, ends_on = col(Activity.starts_on), col(Activity.ends_on)
    coming = or_(starts_on > today, and_(starts_on == today, col(Activity.start_time) > clock))
    over = or_(ends_on < today, and_(ends_on == today, col(Activity.end_time) <= clock))
    match moment:
        case Moment.COMING:
            return coming
        case Moment.OVER:
            return over
        case Moment.UNDER_WAY:
            is_coming = func.coalesce(coming, False)
            return and_(~is_coming, ~func.coalesce(over, False))


class PeopleRegisterStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def page(
        self, campus_id: uuid.UUID, wanted: PeopleFilter, start: Start, sort: PeopleSort, *, descending: bool
    ) -> list[Person]:
        """One more than the limit if there is a next page."""
        first = col(Person.listed_as) if sort is PeopleSort.NAME else col(Person.created_at)
        query = select(Person).where(*_people_conditions(campus_id, wanted))
        order: Order = [(first, descending), (col(Person.id), descending)]
        return [row[0] for row in page_of(self.session, query, order, start)]

    def count(self, campus_id: uuid.UUID, wanted: PeopleFilter, *, most: int | None = None) -> int:
        """Stops at `most`."""
        query = select(col(Person.id)).where(*_people_conditions(campus_id, wanted))
        few = query.limit(most) if most else query
        return self.session.scalar(select(func.count()).select_from(few.subquery())) or 0

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


def _people_conditions(campus_id: uuid.UUID, wanted: PeopleFilter) -> list[ColumnElement[bool]]:
    found = [belongs_to(campus_id)]
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


class SavedViewStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def list_of(self, campus_id: uuid.UUID, person_id: uuid.UUID, register: Register) -> list[SavedView]:
        query = select(SavedView).where(
            col(SavedView.campus_id) == campus_id,
            col(SavedView.person_id) == person_id,
            col(SavedView.listing) == register,
        )
        return list(self.session.scalars(query.order_by(col(SavedView.created_at), col(SavedView.name))))

    def find(self, view_id: uuid.UUID) -> SavedView | None:
        return self.session.get(SavedView, view_id)

    def save(self, view: SavedView) -> None:
        self.session.add(view)
        self.session.flush()

    def delete(self, view: SavedView) -> None:
        self.session.delete(view)
        self.session.flush()


_LATEST_FIRST = (col(Award.awarded_at).desc(), col(Award.id).desc())


def _by_date(descending: bool) -> Order:
    return [(col(Award.awarded_at), descending), (col(Award.id), descending)]


def _by_person(descending: bool) -> Order:
    return [(col(Person.listed_as), descending), (col(Award.id), descending)]


def _conditions(wanted: AwardFilter, *, person_by_person: bool = False) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.standing is not None:
        found.append(_stands(wanted.standing, wanted.at))
    if wanted.is_claimed is not None:
        claimed = col(Award.claimed_at)
        found.append(claimed.is_not(None) if wanted.is_claimed else claimed.is_(None))
    first, before = wanted.given
    if first is not None:
        found.append(col(Award.awarded_at) >= first)
    if before is not None:
        found.append(col(Award.awarded_at) < before)
    for column, value in (
        (Award.badge_id, wanted.badge_id),
        (Award.activity_id, wanted.activity_id),
        (Award.awarded_by, wanted.giver_id),
    ):
        if value is not None:
            is_read = person_by_person and column is not Award.badge_id
            found.append((unindexed(col(column)) if is_read else col(column)) == value)
    return found


def _stands(standing: Standing, at: datetime) -> ColumnElement[bool]:
    until, is_issued = col(Award.valid_until), col(Award.state) == AwardState.ISSUED
    match standing:
        case Standing.VALID:
            return and_(is_issued, or_(until.is_(None), until > at))
        case Standing.EXPIRED:
            return and_(is_issued, until <= at)
        case Standing.WITHDRAWN:
            return and_(col(Award.revoked_at).is_not(None), col(Award.undone_at).is_(None))
        case Standing.UNDONE:
            return and_(col(Award.revoked_at).is_not(None), col(Award.undone_at).is_not(None))
