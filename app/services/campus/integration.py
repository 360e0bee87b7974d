"""The feed of changes and the lists of a campus, for programs that keep a copy."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.db.activities import ActivityStore
from app.db.campus.directory import ProgramLists
from app.db.campus.integration import IntegrationStore
from app.db.campus.people import is_known_at
from app.db.people import PeopleStore
from app.domain.activities import Activity, Participation
from app.domain.campus.campus import Campus
from app.domain.campus.integration import (
    Change,
    ChangedKind,
    FeedPlace,
    NamedKind,
    Wanted,
    WhatHappened,
    place_in,
)
from app.domain.people import Person
from app.errors import NotFound
from app.language import N_
from app.services.people.external_ids import ExternalIds


@dataclass(frozen=True)
class FeedPage:
    """`cursor` continues after these changes, also where there are none yet."""

    changes: Sequence[tuple[Change, WhatHappened]]
    cursor: str
    more: bool


@dataclass(frozen=True, eq=False)
class FeedService:
    integration: IntegrationStore

    def page(
        self, campus: Campus, cursor: str | None, *, kinds: Collection[ChangedKind] = (), limit: int
    ) -> FeedPage:
        head = self.integration.head(campus.id)
        place = place_in(head, cursor)
        found = self.integration.changes(campus.id, after=place.number, kinds=kinds, limit=limit + 1)
        shown, more = found[:limit], len(found) > limit
        # Without more of these kinds, those of other kinds are read too.
        number = shown[-1].number if more else max(place.number, head.last)
        complete = place.complete if more else number
        return FeedPage(
            [(each, each.since(place.complete)) for each in shown],
            FeedPlace(place.generation, number, complete).to_cursor(),
            more,
        )


@dataclass(frozen=True, eq=False)
class ProgramListService:
    """Pages of rows for programs, with what each row is called in the campus's own system."""

    lists: ProgramLists
    integration: IntegrationStore
    people_store: PeopleStore
    activity_store: ActivityStore
    external_ids: ExternalIds

    def people(
        self, campus: Campus, wanted: Wanted, *, external_id: str = "", address: str = ""
    ) -> list[Person]:
        return self.lists.people(
            campus.id, self._among(campus, NamedKind.PERSON, wanted, external_id), address=address
        )

    def activities(self, campus: Campus, wanted: Wanted, *, external_id: str = "") -> list[Activity]:
        return self.lists.activities(campus.id, self._among(campus, NamedKind.ACTIVITY, wanted, external_id))

    def _among(self, campus: Campus, kind: NamedKind, wanted: Wanted, external_id: str) -> Wanted:
        if not external_id:
            return wanted
        found = self.external_ids.find(campus, kind, external_id)
        return replace(wanted, ids=[found] if found else [])

    def participations(
        self, campus: Campus, activity_id: uuid.UUID, wanted: Wanted, *, with_absent: bool
    ) -> list[tuple[Participation, Person]]:
        activity = self.activity_store.get_in_campus(activity_id, campus.id)
        found = self.lists.participations(campus.id, activity.id, wanted, with_absent=with_absent)
        return self._with_people(found)

    def participation(self, campus: Campus, participation_id: uuid.UUID) -> tuple[Participation, Person]:
        found = self.lists.participation(campus.id, participation_id)
        if found is None:
            raise NotFound(N_("Cette participation n’existe pas ici."))
        return self._with_people([found])[0]

    def _with_people(self, found: Sequence[Participation]) -> list[tuple[Participation, Person]]:
        people = {each.id: each for each in self.people_store.list_by_id({each.person_id for each in found})}
        return [(each, people[each.person_id]) for each in found]

    def addresses_of(self, campus: Campus, people: Collection[uuid.UUID]) -> Mapping[uuid.UUID, str]:
        return self.people_store.addresses_of(people, is_known_at(campus.id))

    def met(self, campus: Campus, people: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """Those of whom the campus may read the age band."""
        return self.lists.met(campus.id, people)

    def changed_among(
        self, campus: Campus, ids: Collection[uuid.UUID], since: datetime | None
    ) -> Collection[uuid.UUID]:
        """All of them without a time."""
        return ids if since is None else self.integration.changed_among(campus.id, ids, since)
