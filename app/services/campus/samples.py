"""First use of a campus: what is done of it, and example data that can be thrown away.

Nothing is ever signed for example data: the badge stays a draft, and eligibility refuses the activity and its
people. What is recorded of them goes as for anybody: participations and erasures have their log entries.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from typing import Final
from zoneinfo import ZoneInfo

from app.db.campus import CampusStore
from app.db.campus.samples import SampleStore
from app.db.people import PeopleStore
from app.domain.activities import Activity, ActivityKind, Plan
from app.domain.activities.listed_people import ListedPerson
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.errors import Conflict
from app.language import N_
from app.services.activities.activities import ActivityService
from app.services.activities.plans import ActivityPlans
from app.services.activity_log.activity_log import LoggedEvents
from app.services.badges.badges import BadgeService, Wording
from app.services.privacy import ErasureService

SAMPLE_PEOPLE: Final = (
    ("Léa", "Démo"), ("Karim", "Fictif"), ("Inès", "Modèle"), ("Théo", "Fictif"), ("Maëlle", "Démo"),
)  # fmt: skip
REMOVED: Final = N_("Exemple jeté par le campus.")


@dataclass(frozen=True)
class FirstUse:
    has_activity: bool
    has_badge: bool
    has_award: bool
    sample: uuid.UUID | None
    """The activity of the example, where there is one."""

    @property
    def is_shown(self) -> bool:
        return self.sample is not None or not (self.has_activity and self.has_badge)


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

    def first_use(self, campus: Campus) -> FirstUse:
        activities, badges, awards = self.samples.counts(campus.id)
        sample = next(iter(self.samples.activities(campus.id)), None)
        return FirstUse(bool(activities), bool(badges), bool(awards), sample.id if sample else None)

    def prepare(self, campus: Campus, *, by: Actor) -> uuid.UUID:
        """Create the example; returns its activity. Idempotent while there is one."""
        self.campuses.lock(campus.id)
        state = self.first_use(campus)
        if state.sample is not None:
            return state.sample
        if state.has_award:
            raise Conflict(N_("Ce campus attribue déjà des badges : l’exemple n’est plus proposé."))
        self._write_badge(campus, by)
        today = self.clock().astimezone(ZoneInfo(campus.time_zone)).date()
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
