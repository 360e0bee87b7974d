"""Reminders of unclaimed badges: enqueued in groups, with an unsubscribe link."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import structlog

from app.db.activities import ActivityStore
from app.db.campus import CampusStore, HistoryStore
from app.db.messages import LetterStore, ReminderStore
from app.db.people import PeopleStore
from app.db.privacy import ConsentStore
from app.domain.accounts.sessions import reminders_proof
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.messages import ENDINGS, LetterDelayed, LetterNotSent, Mailer, Reason, grouped
from app.domain.people import Person
from app.domain.privacy.consents import About, consent
from app.errors import NotFound
from app.language import N_
from app.services.messages.letters import LetterService

AT_ONCE = 500


@dataclass(frozen=True, eq=False)
class ReminderService:
    reminders: ReminderStore
    letters: LetterStore
    people: PeopleStore
    campuses: CampusStore
    activities: ActivityStore
    consents: ConsentStore
    history: HistoryStore
    secret: bytes
    clock: Clock

    def campuses_due(self) -> list[uuid.UUID]:
        return self.reminders.campuses_due(self.clock())

    def promise(self, campus_id: uuid.UUID) -> bool:
        """Enqueue due reminders of one campus, some hundreds at a time; returns whether there may be more."""
        at = self.clock()
        self.campuses.lock(campus_id)
        waiting = self.reminders.waiting(campus_id, at, limit=AT_ONCE)
        self.letters.promise_many(grouped(waiting, at=at))
        ending = self.reminders.ending(campus_id, at, limit=AT_ONCE)
        for occasion in ENDINGS:
            due = [each for each in ending if each.occasion == occasion]
            self.letters.promise_many(grouped(due, at=at, once=f"{at:%Y-%m-%d}"))
        return len(waiting) >= AT_ONCE or len(ending) >= AT_ONCE

    def set_for_campus(self, campus: Campus, wanted: bool, *, by: Actor) -> None:
        if campus.sends_reminders is wanted:
            return
        campus.sends_reminders = wanted
        self.campuses.add(campus)
        deed = "start" if wanted else "stop"
        self.history.write(by, deed, "reminders", campus.id, at=self.clock(), campus_id=campus.id)

    def set_for_activity(self, campus: Campus, activity_id: uuid.UUID, wanted: bool, *, by: Actor) -> None:
        """For the badges awarded in it, by any of its campuses."""
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
        """The person's own choice, by the link in the e-mail; applies to every reminder."""
        if person.wants_reminders is wanted:
            return
        person.wants_reminders = wanted
        self.people.save(person)
        self.consents.add(consent(About.REMINDERS, person.id, given=wanted, at=self.clock()))
        deed = "start" if wanted else "stop"
        by = Actor(label="link in a letter")
        self.history.write(by, deed, "reminders", person.id, at=self.clock())


log = structlog.get_logger(__name__)


@dataclass(frozen=True, eq=False)
class Post:
    """If killed between the server's acceptance and our commit, sends the e-mail again, same Message-ID.

    `desk` opens one transaction, read-only or not.
    """

    desk: Callable[[bool], AbstractContextManager[LetterService]]
    mailer: Mailer | None

    def due(self) -> list[uuid.UUID]:
        """Awaited ones first; empty if no mailer is configured: e-mails stay queued."""
        return [*self.awaited(), *self.others()]

    def awaited(self) -> list[uuid.UUID]:
        if self.mailer is None:
            return []
        with self.desk(True) as letters:
            return letters.awaited()

    def others(self) -> list[uuid.UUID]:
        if self.mailer is None:
            return []
        with self.desk(True) as letters:
            return letters.due()

    def send(self, envelope: uuid.UUID) -> None:
        """Idempotent: a second call finds nothing to send."""
        if self.mailer is None:
            return
        with self.desk(False) as letters:
            outgoing = letters.take(envelope)
        if outgoing is None:
            return
        try:
            self.mailer.send(outgoing.letter)
        except OSError as error:
            # Another error than the port names may repeat the address: only its type is stored (I23).
            trouble = (
                error
                if isinstance(error, LetterNotSent)
                else LetterDelayed(Reason.NO_ANSWER, type(error).__name__)
            )
            log.warning("letter not sent", letter=str(envelope), reason=trouble.reason.value)
            with self.desk(False) as letters:
                letters.not_sent(outgoing.envelope, trouble)
            return
        with self.desk(False) as letters:
            letters.sent(outgoing.envelope)
