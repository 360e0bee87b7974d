"""Searches people, activities and awards of one campus, page by page."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, literal, or_, select, true, tuple_
from sqlalchemy.orm import join
from sqlmodel import Session, col

from app.db.activities import organised_by
from app.db.activities.campus_activities import LATEST, activities_page, hold
from app.db.activities.campus_activities import are_of as are_organised_by
from app.db.awards import AwardRecord, AwardStore
from app.db.badges import WITHOUT_PICTURES
from app.db.campus.people import are_named, are_of, has_met, is_known_at
from app.db.campus.registers import RegisterStore
from app.db.engine.changes import changed_since
from app.db.engine.queries import Order, Start, Store, page_of
from app.db.engine.writes import among
from app.domain.activities import Activity, ActivityCampus, Participation
from app.domain.awards import Award, AwardState
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.audit_log import HistoryEntry
from app.domain.campus.integration import Place, Wanted
from app.domain.campus.registers import PeopleFilter, PeopleSort, PersonCounts
from app.domain.core import plain_text
from app.domain.people import CampusPerson, Person, PersonAddress

_FEW_PEOPLE = 2_000


class DirectoryStore(Store):
    def people(
        self,
        campus_id: uuid.UUID,
        words: Sequence[str],
        start: Start,
        *,
        address: str = "",
    ) -> list[Person]:
        """People who took part in an activity of the campus, received a badge from it or are in its own system."""
        query = select(col(CampusPerson.person_id)).where(
            *are_of(campus_id), _has_address(address, campus_id) if address else are_named(words)
        )
        rows = page_of(self.session, query, _BY_NAME, start)
        return _read_people(self.session, [row[0] for row in rows])

    def find_person(self, campus_id: uuid.UUID, person_id: uuid.UUID) -> Person | None:
        return next(iter(self.people_among(campus_id, [person_id])), None)

    def people_among(self, campus_id: uuid.UUID, person_ids: Collection[uuid.UUID]) -> Sequence[Person]:
        """Those of them who belong to the campus."""
        query = _people_of(campus_id).where(among(self.session, col(CampusPerson.person_id), person_ids))
        return self.session.scalars(query).all()

    def activities(self, campus_id: uuid.UUID, words: Sequence[str], start: Start) -> list[Activity]:
        """Latest first."""
        return activities_page(self.session, (are_organised_by(campus_id), hold(words)), LATEST, start)

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
        if not words:
            return self._awards_where(col(Award.campus_id) == campus_id, start)
        found, behind = dict[uuid.UUID, AwardRecord](), self._behind(start.after)
        for left, versions in self._versions_by_words_left(campus_id, words).items():
            here = and_(col(Award.campus_id) == campus_id, col(Award.version_id).in_(versions), behind)
            if left:
                here = and_(here, self._held_by(campus_id, left))
            found |= {each.award.id: each for each in self._awards_where(here, Start(limit=start.limit))}
        latest = sorted(found.values(), key=lambda each: (each.award.awarded_at, each.award.id), reverse=True)
        return latest[: start.limit + 1]

    def award_between(self, campus_id: uuid.UUID, first: uuid.UUID, last: uuid.UUID) -> list[AwardRecord]:
        """The campus's award with an id from `first` to `last`, as a short code names it."""
        here = and_(col(Award.campus_id) == campus_id, col(Award.id) >= first, col(Award.id) <= last)
        return self._awards_where(here, Start(limit=1))

    def _behind(self, after: uuid.UUID | None) -> ColumnElement[bool]:
        """Earlier awards than that one, whether or not it is among those found."""
        if after is None:
            return true()
        at, row_id = col(Award.awarded_at), col(Award.id)
        last = self.session.execute(select(at, row_id).where(row_id == after)).first()
        return tuple_(at, row_id) < tuple_(*_as((last[0], last[1]), at, row_id)) if last else false()

    def _awards_where(self, condition: ColumnElement[bool], start: Start) -> list[AwardRecord]:
        """Awards and names first: PostgreSQL would otherwise join all of the campus before it sorts them."""
        query = select(col(Award.id)).select_from(join(Award, Person, col(Person.id) == col(Award.person_id)))
        ids = [row[0] for row in page_of(self.session, query.where(condition), _LATEST_AWARDS, start)]
        records = (
            AwardStore.records().where(among(self.session, col(Award.id), ids)).options(*WITHOUT_PICTURES)
        )
        return [AwardRecord(*row) for row in self.session.execute(records.order_by(*_LATEST_FIRST))]

    def _versions_by_words_left(
        self, campus_id: uuid.UUID, words: Sequence[str]
    ) -> Mapping[tuple[str, ...], Sequence[uuid.UUID]]:
        """Versions of the campus's badges, by the terms that their name lacks: a person's name has to hold them."""
        rows = self.session.execute(
            select(col(BadgeVersion.id), col(BadgeVersion.name))
            .join(Badge, col(Badge.id) == col(BadgeVersion.badge_id))
            .where(col(Badge.campus_id) == campus_id)
        )
        found = defaultdict[tuple[str, ...], list[uuid.UUID]](list)
        for version_id, name in rows:
            plain_name = plain_text(name)
            found[tuple(word for word in words if word not in plain_name)].append(version_id)
        return found

    def _held_by(self, campus_id: uuid.UUID, words: Sequence[str]) -> ColumnElement[bool]:
        """A few people are named; of many, each award's is asked for their name."""
        query = select(col(CampusPerson.person_id)).where(
            col(CampusPerson.campus_id) == campus_id, are_named(words)
        )
        some = list(self.session.scalars(query.limit(_FEW_PEOPLE + 1)))
        if len(some) <= _FEW_PEOPLE:
            return among(self.session, col(Award.person_id), some)
        return and_(true(), *(col(Person.listed_as).contains(word, autoescape=True) for word in words))

    def participations_of(
        self, person_id: uuid.UUID, campus_id: uuid.UUID
    ) -> list[tuple[Participation, Activity]]:
        """The person's participations in activities of the campus, latest first."""
        return self.participations_of_all([person_id], campus_id).get(person_id, [])

    def participations_of_all(
        self, person_ids: Collection[uuid.UUID], campus_id: uuid.UUID
    ) -> Mapping[uuid.UUID, list[tuple[Participation, Activity]]]:
        rows = self.session.execute(
            select(Participation, Activity)
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(
                among(self.session, col(Participation.person_id), person_ids),
                col(Participation.is_present),
                organised_by(campus_id),
            )
            .order_by(col(Activity.starts_on).desc(), col(Activity.id))
        )
        found = defaultdict[uuid.UUID, list[tuple[Participation, Activity]]](list)
        for participation, activity in rows:
            found[participation.person_id].append((participation, activity))
        return found

    def awards_of_all(
        self, person_ids: Collection[uuid.UUID], campus_id: uuid.UUID
    ) -> Mapping[uuid.UUID, list[AwardRecord]]:
        """The campus's awards to each person, latest first."""
        query = (
            AwardStore.records()
            .where(among(self.session, col(Award.person_id), person_ids), col(Award.campus_id) == campus_id)
            .options(*WITHOUT_PICTURES)
            .order_by(*_LATEST_FIRST)
        )
        found = defaultdict[uuid.UUID, list[AwardRecord]](list)
        for row in self.session.execute(query):
            record = AwardRecord(*row)
            found[record.award.person_id].append(record)
        return found


class ProgramLists(Store):
    """Pages of a campus's rows, the latest first, with one row more if there is a next page."""

    def people(self, campus_id: uuid.UUID, wanted: Wanted, *, address: str = "") -> list[Person]:
        """Who they are first: PostgreSQL would otherwise join all people of the campus before it sorts them."""
        query = select(col(CampusPerson.person_id)).where(*are_of(campus_id))
        if address:
            theirs = col(PersonAddress.person_id) == col(CampusPerson.person_id)
            is_at = exists().where(theirs, col(PersonAddress.address) == address, is_known_at(campus_id))
            query = query.where(is_at)
        came_at, person_id = col(CampusPerson.created_at), col(CampusPerson.person_id)
        return _read_people(self.session, self._page(query, campus_id, wanted, came_at, person_id))

    def met(self, campus_id: uuid.UUID, ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """Those of them who came to the campus, or whom it noted an age of."""
        noted = exists().where(
            col(HistoryEntry.noun) == "person",
            col(HistoryEntry.noun_id) == col(Person.id),
            col(HistoryEntry.action) == "age_band",
            col(HistoryEntry.campus_id) == campus_id,
        )
        query = select(col(Person.id)).where(among(self.session, col(Person.id), ids))
        met = query.where(or_(has_met(campus_id, col(Person.id)), noted))
        return set(self.session.execute(met).scalars())

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
            query = query.where(changed_since(self.session, campus_id, row_id, wanted.since))
        if wanted.before is not None:
            query = query.where(tuple_(came_at, row_id) < tuple_(*_as(wanted.before, came_at, row_id)))
        query = query.order_by(came_at.desc(), row_id.desc()).limit(wanted.limit + 1)
        return list(self.session.execute(query).scalars())


def _as(place: Place, came_at: Any, row_id: Any) -> tuple[Any, Any]:
    return literal(place[0], came_at.type), literal(place[1], row_id.type)


def _people_of(campus_id: uuid.UUID) -> Select[Any]:
    of_person = col(CampusPerson.person_id) == col(Person.id)
    return select(Person).select_from(join(CampusPerson, Person, of_person)).where(*are_of(campus_id))


def _read_people(session: Session, ids: Sequence[uuid.UUID]) -> list[Person]:
    """By ids that were sorted first: of many named alike, PostgreSQL would read every person of all campuses for each."""
    if not ids:
        return []
    query = select(Person).where(among(session, col(Person.id), ids))
    found = {each.id: each for each in session.scalars(query)}
    return [found[each] for each in ids if each in found]


def _has_address(address: str, campus_id: uuid.UUID) -> ColumnElement[bool]:
    return exists().where(
        and_(
            col(PersonAddress.person_id) == col(CampusPerson.person_id),
            col(PersonAddress.address).startswith(address, autoescape=True),
            is_known_at(campus_id),
        )
    )


_BY_NAME: Order = [(col(CampusPerson.listed_as), False), (col(CampusPerson.person_id), False)]
_LATEST_FIRST = (col(Award.awarded_at).desc(), col(Award.id).desc())
_LATEST_AWARDS: Order = [(col(Award.awarded_at), True), (col(Award.id), True)]


_SORTED_BY: dict[PeopleSort, Any] = {
    PeopleSort.NAME: col(CampusPerson.listed_as),
    PeopleSort.ARRIVAL: col(CampusPerson.created_at),
    PeopleSort.ACTIVITIES: col(CampusPerson.activities),
    PeopleSort.AWARDS: col(CampusPerson.awards),
    PeopleSort.CLAIMED: col(CampusPerson.claimed),
}


class PeopleRegisterStore(RegisterStore[Person, PeopleFilter, PeopleSort]):
    _usual = (col(CampusPerson.listed_as), col(CampusPerson.person_id))

    def _rows(self, campus_id: uuid.UUID, wanted: PeopleFilter) -> Select[Any]:
        return self._ids(campus_id, wanted)

    def _ids(self, campus_id: uuid.UUID, wanted: PeopleFilter) -> Select[Any]:
        query = select(col(CampusPerson.person_id)).where(
            *are_of(campus_id), *_people_conditions(campus_id, wanted)
        )
        if wanted.badge_id is None:
            return query
        holders = _holders(campus_id, wanted.badge_id)
        some = holders.limit(_FEW_PEOPLE + 1).subquery()
        is_widely_held = (self.session.scalar(select(func.count()).select_from(some)) or 0) > _FEW_PEOPLE
        holds = col(CampusPerson.person_id).in_(holders)
        # Of many, the people are read in their order: no plan turns this condition round and reads holder by holder.
        return query.where(holds.is_(true()) if is_widely_held else holds)

    def _lines(self, rows: Sequence[Any]) -> list[Person]:
        return _read_people(self.session, [row[0] for row in rows])

    def _order(self, _: uuid.UUID, sort: PeopleSort, descending: bool) -> Order:
        return [(_SORTED_BY[sort], descending), (col(CampusPerson.person_id), descending)]

    def among(self, campus_id: uuid.UUID, person_ids: Sequence[uuid.UUID]) -> Sequence[Person]:
        query = _people_of(campus_id).where(col(CampusPerson.person_id).in_(person_ids))
        return self.session.scalars(query.order_by(*self._usual)).all()

    def counts(self, campus_id: uuid.UUID, person_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, PersonCounts]:
        stored = col(CampusPerson.activities), col(CampusPerson.awards), col(CampusPerson.claimed)
        query = select(col(CampusPerson.person_id), *stored).where(
            col(CampusPerson.campus_id) == campus_id, col(CampusPerson.person_id).in_(person_ids)
        )
        counted = {row[0]: PersonCounts(*row[1:]) for row in self.session.execute(query)}
        return {person_id: counted.get(person_id, PersonCounts()) for person_id in person_ids}


def _holders(campus_id: uuid.UUID, badge_id: uuid.UUID) -> Select[Any]:
    return select(col(Award.person_id)).where(
        col(Award.campus_id) == campus_id,
        col(Award.badge_id) == badge_id,
        col(Award.state) == AwardState.ISSUED,
    )


def _people_conditions(campus_id: uuid.UUID, wanted: PeopleFilter) -> list[ColumnElement[bool]]:
    """But for the badge."""
    found = list[ColumnElement[bool]]()
    first, before = wanted.arrived
    if first is not None:
        found.append(col(CampusPerson.created_at) >= first)
    if before is not None:
        found.append(col(CampusPerson.created_at) < before)
    if wanted.has_unclaimed is not None:
        awards, claimed = col(CampusPerson.awards), col(CampusPerson.claimed)
        found.append(awards > claimed if wanted.has_unclaimed else awards == claimed)
    if wanted.activity_id is not None:
        found.append(
            exists().where(
                col(Participation.person_id) == col(CampusPerson.person_id),
                col(Participation.activity_id) == wanted.activity_id,
                col(Participation.is_present),
                col(ActivityCampus.activity_id) == col(Participation.activity_id),
                organised_by(campus_id),
            )
        )
    return found
