"""Finding people, badges, activities and awards of a campus, and all that it knows of one person."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.adapters.secrets.sealed_words import SealedWords
from app.db.awards.awards import AwardRecord
from app.db.badges.badges import BadgeStore
from app.db.campus.directory import ActivityOrder, AwardOrder, DirectoryStore, ListedAward, PeopleOrder
from app.db.engine.pages import Start
from app.db.people.people import PeopleStore
from app.domain.activities.activities import Activity, Participation
from app.domain.badges.badges import Badge, BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.plain_text import LONGEST_QUERY, plain_text, words_of
from app.domain.people.people import Person, normal_address
from app.errors import NotFound
from app.language import N_

__all__ = [
    "ActivityOrder",
    "AwardOrder",
    "DirectoryService",
    "Found",
    "ListedAward",
    "PeopleOrder",
    "PersonFile",
    "Start",
]

A_TABLE_PAGE = 1_000


@dataclass(frozen=True)
class Found:
    """What a search found, each kind of thing with one more than asked for when there are more."""

    people: Sequence[Person]
    badges: Sequence[tuple[Badge, BadgeVersion]]
    activities: Sequence[Activity]
    awards: Sequence[AwardRecord]
    addresses: dict[uuid.UUID, str]


@dataclass(frozen=True)
class PersonFile:
    """What a campus knows of one person: nothing of what happened elsewhere."""

    person: Person
    address: str
    participations: Sequence[tuple[Participation, Activity]]
    awards: Sequence[AwardRecord]


class DirectoryService:
    def __init__(
        self, directory: DirectoryStore, people: PeopleStore, badges: BadgeStore, sealed: SealedWords
    ) -> None:
        self.directory = directory
        self.people = people
        self.badges = badges
        self.sealed = sealed

    def search(self, campus: Campus, query: str, *, limit: int) -> Found:
        words, start = words_of(query), Start(limit=limit)
        if not words:
            return Found([], [], [], [], {})
        people = self.find_people(campus, query, start)
        return Found(
            people,
            self._badges(campus, words)[: limit + 1],
            self.directory.activities(campus.id, words, start),
            self.directory.awards(campus.id, words, start),
            self.addresses_of(people),
        )

    def find_people(
        self, campus: Campus, query: str, start: Start, order: PeopleOrder = PeopleOrder.NAME
    ) -> list[Person]:
        """By name, or by the beginning of an address when the query holds an at sign."""
        address = normal_address(query) if "@" in query else ""
        words = words_of(query)
        if query.strip() and not words:
            return []
        return self.directory.people(campus.id, words, start, address=address, order=order)

    def find_activities(
        self, campus: Campus, query: str, start: Start, order: ActivityOrder = ActivityOrder.LATEST
    ) -> list[Activity]:
        return self.directory.activities(campus.id, words_of(query), start, order=order)

    def people_in(self, activities: Sequence[Activity]) -> dict[uuid.UUID, int]:
        return self.directory.people_in([activity.id for activity in activities])

    def find_awards(
        self,
        campus: Campus,
        query: str,
        start: Start,
        *,
        badge_id: uuid.UUID | None = None,
        order: AwardOrder = AwardOrder.LATEST,
    ) -> list[AwardRecord]:
        return self.directory.awards(campus.id, words_of(query), start, badge_id=badge_id, order=order)

    def _badges(self, campus: Campus, words: Sequence[str]) -> list[tuple[Badge, BadgeVersion]]:
        return [
            (badge, version)
            for badge, version in self.badges.list_newest(campus.id)
            if all(word in plain_text(version.name) for word in words)
        ]

    def addresses_of(self, people: Sequence[Person]) -> dict[uuid.UUID, str]:
        return self.people.addresses_of(person.id for person in people)

    def person(self, campus: Campus, person_id: uuid.UUID) -> PersonFile:
        """Somebody the campus never met is as good as absent (T01)."""
        person = self.directory.find_person(campus.id, person_id)
        if person is None:
            raise NotFound(N_("Cette personne n’existe pas ici."))
        return PersonFile(
            person,
            self.people.addresses_of([person.id]).get(person.id, ""),
            self.directory.participations_of(person.id, campus.id),
            self.directory.awards_of(person.id, campus.id),
        )

    def all_people(self, campus: Campus) -> Iterator[tuple[Person, str]]:
        """Everybody, a thousand at a time, for a table that leaves the house."""
        after: uuid.UUID | None = None
        while True:
            found = self.directory.people(campus.id, (), Start(after, A_TABLE_PAGE))
            shown = found[:A_TABLE_PAGE]
            addresses = self.addresses_of(shown)
            yield from ((person, addresses.get(person.id, "")) for person in shown)
            if len(found) <= A_TABLE_PAGE:
                return
            after = shown[-1].id

    def all_activities(self, campus: Campus) -> Iterator[tuple[Activity, int]]:
        """Each with how many people came, latest first."""
        after: uuid.UUID | None = None
        while True:
            found = self.directory.activities(campus.id, (), Start(after, A_TABLE_PAGE))
            shown = found[:A_TABLE_PAGE]
            people = self.people_in(shown)
            yield from ((activity, people.get(activity.id, 0)) for activity in shown)
            if len(found) <= A_TABLE_PAGE:
                return
            after = shown[-1].id

    def all_awards(self, campus: Campus) -> Iterator[ListedAward]:
        """Every award, the latest first."""
        after: uuid.UUID | None = None
        while True:
            found = self.directory.listed_awards(campus.id, Start(after, A_TABLE_PAGE))
            yield from found[:A_TABLE_PAGE]
            if len(found) <= A_TABLE_PAGE:
                return
            after = found[A_TABLE_PAGE - 1].id

    def seal(self, query: str, campus: Campus, by: Actor) -> str:
        """A search as it may stand in an address: names are read in no log and by nobody else."""
        return self.sealed.seal(query[:LONGEST_QUERY], bound_to=f"{campus.id}/{by.person_id}")

    def unseal(self, token: str, campus: Campus, by: Actor) -> str:
        return self.sealed.open(token, bound_to=f"{campus.id}/{by.person_id}") or ""
