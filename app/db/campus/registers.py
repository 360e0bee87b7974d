"""Reads the registers of a campus, page by page: filtered, sorted, counted; and saved views."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, exists, func, inspect, or_, select
from sqlalchemy.orm import aliased, join
from sqlmodel import Session, col

from app.db.activities.campus_activities import LATEST, are_of, hold, read_activities
from app.db.badges import WITHOUT_PICTURES
from app.db.engine.queries import (
    Order,
    OrderedJoin,
    RowStore,
    Start,
    page_of,
    page_with_nulls_last,
    plain,
    unindexed,
)
from app.db.engine.writes import among
from app.domain.activities import (
    Activity,
    ActivityBadge,
    ActivityTrainer,
    CampusActivity,
    Participation,
)
from app.domain.awards import Award, AwardState
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.registers import (
    ActivityCounts,
    ActivityFilter,
    ActivitySort,
    AwardFilter,
    AwardSort,
    ListedAward,
    Moment,
    Register,
    SavedView,
    Standing,
)
from app.domain.core import plain_text
from app.domain.learners.requests import BadgeRequest, ListedRequest, RequestFilter, RequestSort
from app.domain.people import CampusPerson, Membership, Person

_GIVER = aliased(Person)
_PEOPLE, _AWARDS = inspect(CampusPerson).local_table, inspect(Award).local_table
_COLUMNS: tuple[Any, ...] = (
    col(Award.id), col(Award.person_id), col(Person.family_name), col(Person.given_name), col(Award.badge_id),
    col(BadgeVersion.name), col(BadgeVersion.number), col(Award.activity_id), col(Activity.title),
    col(Award.hours), col(Award.awarded_at), col(Award.valid_until), col(Award.revoked_at),
    col(Award.undone_at), col(Award.revoked_reason), col(Award.suspended_until), col(Award.suspended_reason), col(Award.claimed_at), col(_GIVER.family_name),
    col(_GIVER.given_name),
)  # fmt: skip
_OF_PERSON = col(Person.id) == col(Award.person_id)


_LISTED = (
    select(*_COLUMNS)
    .select_from(join(Award, Person, _OF_PERSON))
    .join(BadgeVersion, col(BadgeVersion.id) == col(Award.version_id))
    .join(Activity, col(Activity.id) == col(Award.activity_id), isouter=True)
    .join(_GIVER, col(_GIVER.id) == col(Award.awarded_by), isouter=True)
)
_OF_PAIR = and_(
    col(Award.campus_id) == col(CampusPerson.campus_id), col(Award.person_id) == col(CampusPerson.person_id)
)
_WITH_PERSON = select(col(Award.id)).select_from(join(Award, CampusPerson, _OF_PAIR))
_PERSON_BY_PERSON = select(col(Award.id)).select_from(OrderedJoin(_PEOPLE, _AWARDS, _OF_PAIR))
_FEW = 2_000
"""So many awards are sorted faster than they are found person by person."""


Line = TypeVar("Line")
Wanted = TypeVar("Wanted")
Sort = TypeVar("Sort", bound=StrEnum)


class RegisterStore(ABC, Generic[Line, Wanted, Sort]):
    """A subclass names its rows, the filter and the orders."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def page(
        self, campus_id: uuid.UUID, wanted: Wanted, start: Start, sort: Sort, *, descending: bool
    ) -> list[Line]:
        """One more than the limit if there is a next page."""
        query, order = self._rows(campus_id, wanted), self._order(campus_id, sort, descending)
        read = page_with_nulls_last if sort in self._nulls_last else page_of
        return self._lines(read(self.session, query, order, start))

    def count(self, campus_id: uuid.UUID, wanted: Wanted, *, most: int | None = None) -> int:
        """Stops at `most`."""
        query = self._ids(campus_id, wanted)
        few = query.limit(most) if most else query
        return self.session.scalar(select(func.count()).select_from(few.subquery())) or 0

    def ids(self, campus_id: uuid.UUID, wanted: Wanted, *, most: int) -> Sequence[uuid.UUID]:
        query = self._ids(campus_id, wanted).order_by(*self._usual).limit(most)
        return self.session.scalars(query).all()

    _usual: tuple[Any, ...]
    """The order in which many are chosen."""
    _nulls_last: frozenset[Any] = frozenset()
    """Orders by something that not every row has."""

    @abstractmethod
    def _rows(self, campus_id: uuid.UUID, wanted: Wanted) -> Select[Any]: ...

    @abstractmethod
    def _ids(self, campus_id: uuid.UUID, wanted: Wanted) -> Select[Any]: ...

    @abstractmethod
    def _order(self, campus_id: uuid.UUID, sort: Sort, descending: bool) -> Order: ...

    @abstractmethod
    def _lines(self, rows: Sequence[Any]) -> list[Line]: ...


class AwardRegisterStore(RegisterStore[ListedAward, AwardFilter, AwardSort]):
    _usual = (col(Award.awarded_at).desc(), col(Award.id).desc())
    _nulls_last = frozenset((AwardSort.HOURS, AwardSort.VALID_UNTIL, AwardSort.CLAIMED))

    def page(
        self, campus_id: uuid.UUID, wanted: AwardFilter, start: Start, sort: AwardSort, *, descending: bool
    ) -> list[ListedAward]:
        """One more than the limit if there is a next page."""
        if sort is AwardSort.BADGE:
            return self._by_badge(campus_id, wanted, start, descending)
        if sort is AwardSort.PERSON:
            is_long = self.count(campus_id, wanted, most=_FEW) == _FEW
            query = (_PERSON_BY_PERSON if is_long else _WITH_PERSON).where(
                col(CampusPerson.campus_id) == campus_id,
                col(Award.campus_id) == campus_id,
                *_conditions(wanted, person_by_person=is_long),
            )
            order = self._order(campus_id, sort, descending)
            return self._lines(page_of(self.session, query, order, start))
        return super().page(campus_id, wanted, start, sort, descending=descending)

    def _rows(self, campus_id: uuid.UUID, wanted: AwardFilter) -> Select[Any]:
        """Awards alone: PostgreSQL would otherwise join what each line shows to all of the campus before it sorts them."""
        return self._ids(campus_id, wanted)

    def _ids(self, campus_id: uuid.UUID, wanted: AwardFilter) -> Select[Any]:
        return select(col(Award.id)).where(col(Award.campus_id) == campus_id, *_conditions(wanted))

    def _order(self, _: uuid.UUID, sort: AwardSort, descending: bool) -> Order:
        row_id: Order = [(col(Award.id), descending)]
        match sort:
            case AwardSort.PERSON:
                return [(col(CampusPerson.listed_as), descending), *row_id]
            case AwardSort.HOURS:
                return [(col(Award.hours), descending), *row_id]
            case AwardSort.VALID_UNTIL | AwardSort.CLAIMED:
                until = Award.valid_until if sort is AwardSort.VALID_UNTIL else Award.claimed_at
                return [(col(until), descending), *row_id]
            case _:
                return [(col(Award.awarded_at), descending), *row_id]

    def _lines(self, rows: Sequence[Any]) -> list[ListedAward]:
        ids = [row[0] for row in rows]
        query = _LISTED.where(among(self.session, col(Award.id), ids))
        found = {row[0]: ListedAward(*row) for row in self.session.execute(query)}
        return [found[each] for each in ids if each in found]

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
        found: list[Any] = []
        for badge_id in badges:
            query = self._rows(campus_id, wanted).where(col(Award.badge_id) == badge_id)
            left, order = (
                Start(after, start.limit - len(found)),
                self._order(campus_id, AwardSort.DATE, descending=True),
            )
            found += page_of(self.session, query, order, left)
            after = None
            if len(found) > start.limit:
                break
        return self._lines(found)

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

    def team(self, campus_id: uuid.UUID) -> list[tuple[uuid.UUID, str]]:
        """Everyone with a role in the campus; by name."""
        members = select(col(Membership.person_id)).where(col(Membership.campus_id) == campus_id)
        query = (
            select(Person).where(col(Person.id).in_(members)).order_by(col(Person.listed_as), col(Person.id))
        )
        return [(person.id, person.name) for person in self.session.scalars(query)]

    def activities(
        self, campus_id: uuid.UUID, *, most: int, of: type[Award | Participation]
    ) -> list[tuple[uuid.UUID, str]]:
        """The latest activities with awards, or with participants."""
        activity_id = col(CampusActivity.activity_id)
        query = select(activity_id).where(
            are_of(campus_id), exists().where(col(of.activity_id) == activity_id)
        )
        found = read_activities(self.session, page_of(self.session, query, LATEST, Start(limit=most))[:most])
        latest = sorted(
            found, key=lambda each: (-each.starts_on.toordinal(), plain_text(each.title), each.id)
        )
        return [(each.id, each.title) for each in latest]


class ActivityRegisterStore(RegisterStore[Activity, ActivityFilter, ActivitySort]):
    _usual = (col(CampusActivity.starts_on).desc(), col(CampusActivity.activity_id).desc())
    _nulls_last = frozenset((ActivitySort.HOURS, ActivitySort.SIZE))

    def _rows(self, campus_id: uuid.UUID, wanted: ActivityFilter) -> Select[Any]:
        return self._ids(campus_id, wanted)

    def _lines(self, rows: Sequence[Any]) -> list[Activity]:
        return read_activities(self.session, rows)

    def _ids(self, campus_id: uuid.UUID, wanted: ActivityFilter) -> Select[Any]:
        return select(col(CampusActivity.activity_id)).where(*_activity_conditions(campus_id, wanted))

    def _order(self, _: uuid.UUID, sort: ActivitySort, descending: bool) -> Order:
        first: dict[ActivitySort, Any] = {
            ActivitySort.TITLE: col(CampusActivity.title_key),
            ActivitySort.PLACE: col(CampusActivity.place_key),
            ActivitySort.HOURS: col(CampusActivity.hours),
            ActivitySort.SIZE: col(CampusActivity.declared_size),
            ActivitySort.PEOPLE: col(CampusActivity.people),
            ActivitySort.AWARDS: col(CampusActivity.awards),
            ActivitySort.CLAIMED: col(CampusActivity.claimed),
        }
        if sort is ActivitySort.DATE:
            return [(LATEST[0][0], descending), *LATEST[1:]]
        return [(first[sort], descending), (col(CampusActivity.activity_id), descending)]

    def counts(
        self, campus_id: uuid.UUID, activity_ids: Sequence[uuid.UUID]
    ) -> dict[uuid.UUID, ActivityCounts]:
        stored = (
            col(CampusActivity.people), col(CampusActivity.awards), col(CampusActivity.claimed), col(CampusActivity.is_closed),
        )  # fmt: skip
        query = select(col(CampusActivity.activity_id), *stored).where(
            are_of(campus_id), col(CampusActivity.activity_id).in_(activity_ids)
        )
        return {row[0]: ActivityCounts(*row[1:]) for row in self.session.execute(query)}


def _activity_conditions(campus_id: uuid.UUID, wanted: ActivityFilter) -> list[ColumnElement[bool]]:
    found = [are_of(campus_id)]
    if wanted.words:
        found.append(hold(wanted.words))
    first, last = wanted.days
    if first is not None:
        found.append(col(CampusActivity.ends_on) >= first)
    if last is not None:
        found.append(col(CampusActivity.starts_on) <= last)
    if wanted.moment is not None:
        found.append(_held(wanted.moment, wanted.now))
    if wanted.badge_id is not None:
        leads = select(col(ActivityBadge.activity_id)).where(col(ActivityBadge.badge_id) == wanted.badge_id)
        given = select(col(Award.activity_id)).where(
            col(Award.badge_id) == wanted.badge_id,
            col(Award.campus_id) == campus_id,
            col(Award.activity_id).is_not(None),
            col(Award.undone_at).is_(None),
        )
        found.append(col(CampusActivity.activity_id).in_(leads.union(given)))
    if wanted.is_without_badges:
        found.append(col(CampusActivity.given) == 0)
    if wanted.trainer_id is not None:
        trained = select(col(ActivityTrainer.activity_id)).where(
            col(ActivityTrainer.person_id) == wanted.trainer_id
        )
        found.append(col(CampusActivity.activity_id).in_(trained))
    if wanted.is_closed is not None:
        found.append(col(CampusActivity.is_closed).is_(wanted.is_closed))
    if wanted.is_incomplete:
        found.append(col(CampusActivity.is_incomplete).is_(True))
    return found


def _held(moment: Moment, now: datetime) -> ColumnElement[bool]:
    """As `has_begun` and `has_ended`."""
    today, clock = now.date(), now.time()
    starts_on, ends_on = col(CampusActivity.starts_on), col(CampusActivity.ends_on)
    coming = or_(starts_on > today, and_(starts_on == today, col(CampusActivity.start_time) > clock))
    over = or_(ends_on < today, and_(ends_on == today, col(CampusActivity.end_time) <= clock))
    match moment:
        case Moment.COMING:
            return coming
        case Moment.OVER:
            return over
        case Moment.UNDER_WAY:
            is_coming = func.coalesce(coming, False)
            return and_(~is_coming, ~func.coalesce(over, False))


class RequestRegisterStore(RegisterStore[ListedRequest, RequestFilter, RequestSort]):
    _usual = (col(BadgeRequest.waiting_since), col(BadgeRequest.id))
    _nulls_last = frozenset((RequestSort.DECIDED,))

    def _rows(self, campus_id: uuid.UUID, wanted: RequestFilter) -> Select[Any]:
        newest = (
            select(func.max(BadgeVersion.number))
            .where(col(BadgeVersion.badge_id) == col(Badge.id), col(BadgeVersion.is_draft).is_(False))
            .correlate(Badge)
            .scalar_subquery()
        )
        columns: tuple[Any, ...] = (BadgeRequest, Badge, BadgeVersion)
        return (
            select(*columns)
            .select_from(BadgeRequest)
            .join(Badge, col(Badge.id) == col(BadgeRequest.badge_id))
            .join(BadgeVersion, col(BadgeVersion.badge_id) == col(Badge.id))
            .options(*WITHOUT_PICTURES)
            .where(col(BadgeVersion.number) == newest, *_request_conditions(campus_id, wanted))
        )

    def _ids(self, campus_id: uuid.UUID, wanted: RequestFilter) -> Select[Any]:
        return select(col(BadgeRequest.id)).where(*_request_conditions(campus_id, wanted))

    def _order(self, _: uuid.UUID, sort: RequestSort, descending: bool) -> Order:
        first: dict[RequestSort, Any] = {
            RequestSort.WAITING: col(BadgeRequest.waiting_since),
            RequestSort.PERSON: plain(col(BadgeRequest.family_name) + " " + col(BadgeRequest.given_name)),
            RequestSort.BADGE: plain(col(BadgeVersion.name)),
            RequestSort.CREATED: col(BadgeRequest.created_at),
            RequestSort.DECIDED: col(BadgeRequest.decided_at),
        }
        return [(first[sort], descending), (col(BadgeRequest.id), descending)]

    def _lines(self, rows: Sequence[Any]) -> list[ListedRequest]:
        return [ListedRequest(row[0].id, *row) for row in rows]

    def badges(self, campus_id: uuid.UUID) -> set[uuid.UUID]:
        """Those that are requested, or were."""
        asked = select(col(BadgeRequest.badge_id)).where(col(BadgeRequest.campus_id) == campus_id)
        return set(self.session.scalars(asked.distinct()))


def _request_conditions(campus_id: uuid.UUID, wanted: RequestFilter) -> list[ColumnElement[bool]]:
    found = [
        col(BadgeRequest.campus_id) == campus_id,
        col(BadgeRequest.state).in_(wanted.states),
    ]
    first, before = wanted.created
    if first is not None:
        found.append(col(BadgeRequest.created_at) >= first)
    if before is not None:
        found.append(col(BadgeRequest.created_at) < before)
    if wanted.waiting_before is not None:
        found.append(col(BadgeRequest.waiting_since) <= wanted.waiting_before)
    if wanted.badge_id is not None:
        found.append(col(BadgeRequest.badge_id) == wanted.badge_id)
    if wanted.reader_id is not None:
        found += [
            col(BadgeRequest.first_reviewer_id).is_distinct_from(wanted.reader_id),
            col(BadgeRequest.person_id).is_distinct_from(wanted.reader_id),
        ]
    return found


class SavedViewStore(RowStore[SavedView]):
    def list_of(self, campus_id: uuid.UUID, person_id: uuid.UUID, register: Register) -> list[SavedView]:
        query = select(SavedView).where(
            col(SavedView.campus_id) == campus_id,
            col(SavedView.person_id) == person_id,
            col(SavedView.listing) == register,
        )
        return list(self.session.scalars(query.order_by(col(SavedView.created_at), col(SavedView.name))))

    def find(self, view_id: uuid.UUID) -> SavedView | None:
        return self.session.get(SavedView, view_id)


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
    paused = col(Award.suspended_until)
    counts = and_(is_issued, or_(paused.is_(None), paused <= at))
    match standing:
        case Standing.VALID:
            return and_(counts, or_(until.is_(None), until > at))
        case Standing.EXPIRED:
            return and_(counts, until <= at)
        case Standing.SUSPENDED:
            return and_(is_issued, paused > at)
        case Standing.WITHDRAWN:
            return and_(col(Award.revoked_at).is_not(None), col(Award.undone_at).is_(None))
        case Standing.UNDONE:
            return and_(col(Award.revoked_at).is_not(None), col(Award.undone_at).is_not(None))
