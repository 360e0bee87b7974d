"""The dashboard of a campus: this week's activity and pending tasks."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.adapters.secrets import EncryptedTokens
from app.db.activities.plans import ActivityPlanStore
from app.db.activity_log import LogWatchStore
from app.db.awards import AwardRecord
from app.db.awards.batches import Lately, WaitingStore
from app.db.badges import BadgeStore
from app.db.badges.shared_definitions import SharedDefinitionStore
from app.db.campus import CampusStore
from app.db.campus.directory import DirectoryStore
from app.db.campus.people import is_known_at
from app.db.campus.samples import SampleStore
from app.db.engine.queries import Start
from app.db.frameworks.pathways import PathwayStore
from app.db.learners import ContributionStore, RequestStore
from app.db.people import NameStore, PeopleStore
from app.db.publishing.ratings import RatingStore
from app.domain.activities import Activity, ActivityKind, Participation, Plan, has_ended
from app.domain.activities.listed_people import ListedPerson
from app.domain.badges import Badge, BadgeKind, BadgeVersion, are_near
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, Label, SealedKey
from app.domain.campus.team import (
    FORGOTTEN_AFTER,
    LOOKED_BACK,
    MOST_COUNTED,
    WEEK,
    has_working_key,
    key_to_renew,
    label_that_ends,
)
from app.domain.core import LARGEST_STEP, LONGEST_QUERY, Clock, plain_text, words_of
from app.domain.people import Person, normal_address
from app.domain.publishing import ids_of_code
from app.errors import NotFound
from app.language import N_
from app.services.activities.activities import ActivityService
from app.services.activities.plans import ActivityPlans
from app.services.activity_log import LoggedEvents
from app.services.badges import BadgeService, Wording
from app.services.people.privacy import ErasureService

__all__ = ["DirectoryService", "PersonFile", "SearchResults", "Start"]

FEW = 3
FEW_OF_A_DAY = 50
"""More than end on one day, so that those still under way do not hide the others."""


@dataclass(frozen=True)
class Waiting:
    """Pending tasks; counts stop at `MOST_COUNTED`."""

    requests: int
    oldest_request: uuid.UUID | None
    """Those that the reader may decide."""
    contributions: int
    sentences: int
    """Of ratings, to be read before they are published."""
    names: int
    """Name change requests."""
    refused_letters: int
    unclaimed: int
    activities: Sequence[Activity]
    drafts: Sequence[tuple[Badge, BadgeVersion]]
    near: tuple[tuple[Badge, BadgeVersion], tuple[Badge, BadgeVersion]] | None
    label: Label | None
    asked: Sequence[tuple[Activity, Campus]]
    """Invitations from other campuses to co-organise."""
    lacks_key: bool
    old_key: SealedKey | None
    log_is_spoilt: bool
    """Whether the last review of the activity log found faults."""
    today: date
    pathways: int
    """Badges proposed at the end of a pathway."""
    improvements: int
    """Of adopted definitions, on which the campus has not decided."""


@dataclass(frozen=True)
class Dashboard:
    week: Lately
    waiting: Waiting


@dataclass(frozen=True, eq=False)
class DashboardService:
    waiting: WaitingStore
    campuses: CampusStore
    badges: BadgeStore
    requests: RequestStore
    contributions: ContributionStore
    plans: ActivityPlanStore
    ratings: RatingStore
    names: NameStore
    log: LogWatchStore
    pathways: PathwayStore
    definitions: SharedDefinitionStore
    clock: Clock

    def of(self, campus: Campus, *, today: date, reader: uuid.UUID | None = None) -> Dashboard:
        """`today`: in the campus's time zone; `reader`: the person viewing it."""
        at = self.clock()
        week = self.waiting.lately(campus.id, since=at - WEEK, days=(today - WEEK, today))
        return Dashboard(week, self._waiting(campus, today, at, reader))

    def decisions(self, campus: Campus, *, today: date, reader: uuid.UUID) -> Waiting:
        """What waits, without what is counted among activities, badges and letters."""
        return self._waiting(campus, today, self.clock(), reader, only_decisions=True)

    def requests_to_decide(self, campus_id: uuid.UUID, *, reader: uuid.UUID | None) -> int:
        """Those that `reader` may decide; stops at one more than `MOST_COUNTED`."""
        return self.requests.count_waiting(campus_id, limit=MOST_COUNTED + 1, reader=reader)

    def _waiting(
        self,
        campus: Campus,
        today: date,
        at: datetime,
        reader: uuid.UUID | None,
        *,
        only_decisions: bool = False,
    ) -> Waiting:
        newest = [] if only_decisions else self.badges.list_newest(campus.id)
        badges = [pair for pair in newest if pair[0].archived_at is None]
        keys = self.campuses.keys_of(campus.id)
        review = self.log.newest_done(campus.id, before=at + LARGEST_STEP)
        return Waiting(
            self.requests_to_decide(campus.id, reader=reader),
            self.requests.oldest_waiting(campus.id, reader=reader),
            self.contributions.count_waiting(campus.id, limit=MOST_COUNTED + 1),
            self.ratings.count_waiting(campus.id, limit=MOST_COUNTED + 1),
            self.names.count_waiting(campus.id, limit=MOST_COUNTED + 1),
            0
            if only_decisions
            else self.waiting.refused_letters(campus.id, since=at - LOOKED_BACK, limit=MOST_COUNTED + 1),
            0
            if only_decisions
            else self.waiting.unclaimed_awards(
                campus.id, given=(at - LOOKED_BACK, at - FORGOTTEN_AFTER), at=at, limit=MOST_COUNTED + 1
            ),
            [] if only_decisions else self._without_awards(campus, today, at),
            [pair for pair in badges if pair[1].is_draft and not pair[0].is_sample][:FEW],
            _near(badges),
            label_that_ends([label for label, _ in self.campuses.labels_of(campus.did)], on=today),
            self.plans.asked(campus.id)[:FEW],
            not has_working_key(keys),
            key_to_renew(keys, at=at),
            bool(review and review.faults),
            today,
            self.pathways.count_proposals(campus.id, limit=MOST_COUNTED + 1),
            self.definitions.count_improvements(campus.id),
        )

    def _without_awards(self, campus: Campus, today: date, at: datetime) -> list[Activity]:
        """Only what has ended on the clocks of the campus."""
        now = at.astimezone(ZoneInfo(campus.time_zone)).replace(tzinfo=None)
        found = self.waiting.activities_without_awards(
            campus.id, ended=(today - LOOKED_BACK, today), limit=FEW_OF_A_DAY
        )
        return [activity for activity in found if has_ended(activity, now)][:FEW]


def _near(
    badges: Sequence[tuple[Badge, BadgeVersion]],
) -> tuple[tuple[Badge, BadgeVersion], tuple[Badge, BadgeVersion]] | None:
    pairs = ((one, other) for index, one in enumerate(badges) for other in badges[index + 1 :])
    return next((pair for pair in pairs if are_near(pair[0][1].name, pair[1][1].name)), None)


@dataclass(frozen=True)
class SearchResults:
    """Search results; each kind contains one more than requested if there are more."""

    people: Sequence[Person]
    badges: Sequence[tuple[Badge, BadgeVersion]]
    activities: Sequence[Activity]
    awards: Sequence[AwardRecord]
    addresses: dict[uuid.UUID, str]


@dataclass(frozen=True)
class PersonFile:
    """What a campus knows of one person; nothing from other campuses."""

    person: Person
    address: str
    participations: Sequence[tuple[Participation, Activity]]
    awards: Sequence[AwardRecord]


@dataclass(frozen=True, eq=False)
class DirectoryService:
    directory: DirectoryStore
    people: PeopleStore
    badges: BadgeStore
    sealed: EncryptedTokens

    def search(self, campus: Campus, query: str, *, limit: int) -> SearchResults:
        words, start = words_of(query), Start(limit=limit)
        if not words:
            return SearchResults([], [], [], [], {})
        people = self.find_people(campus, query, start)
        return SearchResults(
            people,
            self._badges(campus, words)[: limit + 1],
            self.directory.activities(campus.id, words, start),
            self.find_awards(campus, query, start),
            self.addresses_of(campus, people),
        )

    def find_people(self, campus: Campus, query: str, start: Start) -> list[Person]:
        """By name, or by address prefix if the query contains an at sign."""
        address = normal_address(query) if "@" in query else ""
        words = words_of(query)
        if query.strip() and not words:
            return []
        return self.directory.people(campus.id, words, start, address=address)

    def find_activities(self, campus: Campus, query: str, start: Start) -> list[Activity]:
        return self.directory.activities(campus.id, words_of(query), start)

    def people_in(self, activities: Sequence[Activity]) -> dict[uuid.UUID, int]:
        return self.directory.people_in([activity.id for activity in activities])

    def find_awards(self, campus: Campus, query: str, start: Start) -> list[AwardRecord]:
        """By badge and holder, or by short code."""
        ends = ids_of_code(query.strip())
        by_code = self.directory.award_between(campus.id, *ends) if ends else []
        return by_code or self.directory.awards(campus.id, words_of(query), start)

    def _badges(self, campus: Campus, words: Sequence[str]) -> list[tuple[Badge, BadgeVersion]]:
        return [
            (badge, version)
            for badge, version in self.badges.list_newest(campus.id)
            if all(word in plain_text(version.name) for word in words)
        ]

    def addresses_of(self, campus: Campus, people: Sequence[Person]) -> dict[uuid.UUID, str]:
        return self.people.addresses_of((person.id for person in people), is_known_at(campus.id))

    def person(self, campus: Campus, person_id: uuid.UUID) -> PersonFile:
        """Raises NotFound for a person unknown to the campus (T01)."""
        for found in self.files_of(campus, [person_id]):
            return found
        raise NotFound("Cette personne n’existe pas ici.")

    def files_of(self, campus: Campus, person_ids: Sequence[uuid.UUID]) -> list[PersonFile]:
        """In this order, without people unknown to the campus; in as many queries for twelve as for one."""
        known = {each.id: each for each in self.directory.people_among(campus.id, person_ids)}
        people = [known[each] for each in person_ids if each in known]
        if not people:
            return []
        addresses = self.addresses_of(campus, people)
        participations = self.directory.participations_of_all(known, campus.id)
        awards = self.directory.awards_of_all(known, campus.id)
        return [
            PersonFile(
                each, addresses.get(each.id, ""), participations.get(each.id, ()), awards.get(each.id, ())
            )
            for each in people
        ]

    def seal(self, query: str, campus: Campus, by: Actor) -> str:
        """Encrypt a search for use in a URL: names must not be readable in logs or by others."""
        return self.sealed.seal(query[:LONGEST_QUERY], bound_to=f"{campus.id}/{by.person_id}")

    def unseal(self, token: str, campus: Campus, by: Actor) -> str:
        return self.sealed.open(token, bound_to=f"{campus.id}/{by.person_id}") or ""


# --- First use of a campus: what is done of it, and example data that can be thrown away
#
# Nothing is ever signed for example data: the badge stays a draft, and eligibility refuses the activity and its
# people. What is recorded of them goes as for anybody: participations and erasures have their log entries.

SAMPLE_PEOPLE: Final = (
    ("Léa", "Démo"), ("Karim", "Fictif"), ("Inès", "Modèle"), ("Théo", "Fictif"), ("Maëlle", "Démo"),
)  # fmt: skip
REMOVED: Final = N_("Exemple jeté par le campus.")


NEWCOMER: Final = timedelta(days=30)
"""How long a new trainer is offered the example."""


@dataclass(frozen=True)
class FirstUse:
    has_activity: bool
    has_badge: bool
    has_award: bool
    sample: uuid.UUID | None
    """The activity of the example, where there is one."""
    is_newcomer: bool = False

    @property
    def is_new_campus(self) -> bool:
        return not (self.has_activity and self.has_badge)

    @property
    def is_shown(self) -> bool:
        return self.sample is not None or self.is_new_campus or self.is_newcomer


@dataclass(frozen=True, eq=False)
class SampleService:
    samples: SampleStore
    campuses: CampusStore
    people: PeopleStore
    activities: ActivityService
    plans: ActivityPlans
    badges: BadgeService
    erasures: ErasureService
    logged_events: LoggedEvents
    clock: Clock

    def first_use(self, campus: Campus, *, came_at: datetime | None = None) -> FirstUse:
        """For a reader who may create activities here since `came_at`."""
        activities, badges, awards = self.samples.counts(campus.id)
        sample = next(iter(self.samples.activities(campus.id)), None)
        is_newcomer = came_at is not None and came_at > self.clock() - NEWCOMER
        return FirstUse(
            bool(activities), bool(badges), bool(awards), sample.id if sample else None, is_newcomer
        )

    def prepare(self, campus: Campus, *, by: Actor) -> uuid.UUID:
        """Create the example; returns its activity. Idempotent while there is one."""
        self.campuses.lock(campus.id)
        state = self.first_use(campus)
        if state.sample is not None:
            return state.sample
        self._write_badge(campus, by)
        today = campus.day_of(self.clock())
        activity = Activity(
            kind=ActivityKind.WORKSHOP,
            title="Exemple : atelier de découverte",
            starts_on=today,
            ends_on=today,
            start_time=time(9),
            end_time=time(12),
            place="Salle d’exemple",
            hours=3,
            is_sample=True,
            created_at=self.clock(),
        )
        self.plans.create(campus, activity, Plan(), by=by)
        self.activities.record(campus, activity.id, list(self._lines(campus)), by=by)
        for _, person in self.samples.people_in(activity.id):
            person.is_sample = True
            self.people.save(person)
        return activity.id

    def _write_badge(self, campus: Campus, by: Actor) -> None:
        wording = Wording(
            kind=BadgeKind.PARTICIPATION,
            name="Exemple : découverte",
            description="Un exemple pour essayer. Il n’atteste rien et n’est jamais signé.",
            criteria="Avoir participé à l’atelier d’exemple.",
        )
        self.badges.create(campus, wording, draft=True, is_sample=True, by=by)

    @staticmethod
    def _lines(campus: Campus) -> Iterator[ListedPerson]:
        # Reserved for examples (RFC 2606), and of this campus alone: no other campus shares these people.
        for number, (given, family) in enumerate(SAMPLE_PEOPLE, 1):
            address = f"personne{number}@{campus.slug}.example"
            yield ListedPerson(number, given_name=given, family_name=family, address=address, under_15=False)

    def discard(self, campus: Campus, *, by: Actor) -> None:
        """Remove the example with everybody of whom nothing else is known. Idempotent."""
        self.campuses.lock(campus.id)
        reason = str(REMOVED)
        for activity in self.samples.activities(campus.id):
            self.samples.remove_signatures(activity.id)
            for participation, person in self.samples.people_in(activity.id):
                participation.is_present = False
                self.logged_events.log_participation(activity, [participation], reason)
                is_alone = not self.samples.has_other_trace(person.id, activity.id)
                person_id = person.id
                self.samples.remove_participation(participation)
                if is_alone:
                    self.erasures.process_chunk(campus, person_id, reason, by=by)
            self.plans.delete(campus, activity.id, by=by)
        for badge in self.samples.badges(campus.id):
            self.samples.remove_badge(badge.id)
