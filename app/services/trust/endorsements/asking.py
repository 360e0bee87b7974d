"""Asking an organisation for an endorsement: one letter to one address, and what became of it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.db.campus.history import HistoryStore
from app.db.messages.letters import LetterStore
from app.db.people.people import PeopleStore
from app.db.trust.endorsements import EndorsementStore
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.messages.letters import Occasion, letter_to
from app.domain.people.people import normal_address
from app.domain.trust.endorsements import (
    ASKED_FOR,
    EndorsementRequest,
    check_may_ask,
    checked_address,
    checked_why,
)
from app.domain.trust.organisations import checked_name
from app.services.trust.endorsements.subjects import Subject


@dataclass(frozen=True)
class Asked:
    """What whoever asks writes in the form."""

    address: str
    organisation: str
    why: str = ""


class EndorsementAsking:
    def __init__(
        self,
        endorsements: EndorsementStore,
        people: PeopleStore,
        letters: LetterStore,
        history: HistoryStore,
        clock: Clock,
    ) -> None:
        self.endorsements = endorsements
        self.people = people
        self.letters = letters
        self.history = history
        self.clock = clock

    def is_refused_by(self, typed: str) -> bool:
        """Whether whoever reads mail there wants to be asked for nothing more, by no campus."""
        return self.endorsements.refuses_all(normal_address(typed))

    def checked(self, subject: Subject, typed: Asked, *, refused: bool, by: Actor) -> Asked:
        """As it would be sent; raises what stands against it before anything is counted."""
        address = checked_address(typed.address, self._own(subject, by))
        asked = Asked(address, checked_name(typed.organisation), checked_why(typed.why))
        check_may_ask(self.about(subject), address, refused=refused, at=self.clock())
        return asked

    def counts(self, subject: Subject, asked: Asked) -> list[tuple[str, str]]:
        """The limits that one letter counts against: of whoever asks, of the campus, and of whoever is written to."""
        person = subject.record.person.id if subject.record else None
        return [
            *([("endorsement of somebody", str(person))] if person else []),
            ("endorsement of a campus", str(subject.campus.id)),
            ("endorsement to an address", asked.address),
        ]

    def ask(self, subject: Subject, typed: Asked, *, refused: bool, by: Actor) -> EndorsementRequest:
        """Write to somebody of an organisation."""
        asked, at = self.checked(subject, typed, refused=refused, by=by), self.clock()
        request = EndorsementRequest(
            campus_id=subject.campus.id,
            about=subject.about,
            version_id=subject.version.id if subject.version and not subject.record else None,
            award_id=subject.record.award.id if subject.record else None,
            asked_by=by.person_id,
            address=asked.address,
            organisation_name=asked.organisation,
            why=asked.why,
            asked_at=at,
            expires_at=at + ASKED_FOR,
        )
        self.endorsements.save(request)
        letter = letter_to(
            asked.address, Occasion.ENDORSEMENT_ASKED, request.id, campus_id=subject.campus.id, at=at
        )
        self.letters.promise_many([letter])
        self.history.write(
            by,
            "ask",
            "endorsement",
            request.id,
            at=at,
            campus_id=subject.campus.id,
            about=subject.about.value,
        )
        return request

    def about(self, subject: Subject) -> Sequence[EndorsementRequest]:
        return self.endorsements.requests_about(
            subject.campus.id,
            award_id=subject.record.award.id if subject.record else None,
            version_id=subject.version.id if subject.version and not subject.record else None,
        )

    def of_campus(self, campus_id: uuid.UUID) -> Sequence[EndorsementRequest]:
        """Asked for by the campus itself."""
        return self.endorsements.requests_of(campus_id)

    def _own(self, subject: Subject, by: Actor) -> Collection[str]:
        """Nobody asks themselves."""
        people = {by.person_id, subject.record.person.id if subject.record else None} - {None}
        return [address for each in people if each for address in self.people.all_addresses(each)]
