"""Reminders of unclaimed badges: promised in groups, and stopped by whoever does not want them."""

from __future__ import annotations

import secrets
import uuid

from app.db.activities.activities import ActivityStore
from app.db.campus.campus import CampusStore
from app.db.campus.history import HistoryStore
from app.db.messages.letters import LetterStore
from app.db.messages.reminders import ReminderStore
from app.db.people.people import PeopleStore
from app.db.privacy.consents import ConsentStore
from app.domain.accounts.access import reminders_proof
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.messages.reminders import grouped
from app.domain.people.people import Person
from app.domain.privacy.consents import About, consent
from app.errors import NotFound
from app.language import N_

AT_ONCE = 500


class ReminderService:
    def __init__(
        self,
        reminders: ReminderStore,
        letters: LetterStore,
        people: PeopleStore,
        campuses: CampusStore,
        activities: ActivityStore,
        consents: ConsentStore,
        history: HistoryStore,
        secret: bytes,
        clock: Clock,
    ) -> None:
        self.reminders = reminders
        self.letters = letters
        self.people = people
        self.campuses = campuses
        self.activities = activities
        self.consents = consents
        self.history = history
        self.secret = secret
        self.clock = clock

    def campuses_due(self) -> list[uuid.UUID]:
        return self.reminders.campuses_due(self.clock())

    def promise(self, campus_id: uuid.UUID) -> bool:
        """Promise what is due in one campus, some hundreds at a time; whether there may be more."""
        at = self.clock()
        self.campuses.lock(campus_id)
        waiting = self.reminders.waiting(campus_id, at, limit=AT_ONCE)
        self.letters.promise_many(grouped(waiting, at=at))
        return len(waiting) >= AT_ONCE

    def set_for_campus(self, campus: Campus, wanted: bool, *, by: Actor) -> None:
        if campus.sends_reminders is wanted:
            return
        campus.sends_reminders = wanted
        self.campuses.add(campus)
        deed = "start" if wanted else "stop"
        self.history.write(by, deed, "reminders", campus.id, at=self.clock(), campus_id=campus.id)

    def set_for_activity(self, campus: Campus, activity_id: uuid.UUID, wanted: bool, *, by: Actor) -> None:
        """Of the badges given in it, by whichever of its campuses."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        if activity.sends_reminders is wanted:
            return
        activity.sends_reminders = wanted
        self.activities.save(activity)
        deed = "start" if wanted else "stop"
        self.history.write(by, deed, "reminders", activity.id, at=self.clock(), campus_id=campus.id)

    def token_of(self, person_id: uuid.UUID) -> str:
        return f"{person_id}.{reminders_proof(self.secret, person_id)}"

    def person_of(self, token: str) -> Person:
        name, _, proof = token.partition(".")
        try:
            person_id = uuid.UUID(name)
        except ValueError:
            person_id = uuid.UUID(int=0)
        if not secrets.compare_digest(proof.encode(), reminders_proof(self.secret, person_id).encode()):
            raise NotFound(N_("Ce lien n’arrête aucun rappel. Vérifiez qu’il est entier."))
        return self.people.get(person_id)

    def set_for_person(self, person: Person, wanted: bool) -> None:
        """The person's own wish, by the link in their letter: no other reminder is sent to them."""
        if person.wants_reminders is wanted:
            return
        person.wants_reminders = wanted
        self.people.save(person)
        self.consents.add(consent(About.REMINDERS, person.id, given=wanted, at=self.clock()))
        deed = "start" if wanted else "stop"
        by = Actor(label="link in a letter")
        self.history.write(by, deed, "reminders", person.id, at=self.clock())
