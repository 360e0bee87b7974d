"""Requesting an endorsement from an organisation: one e-mail to one address, and its outcome."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.db.awards import AwardStore
from app.db.campus import HistoryStore
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.db.trust import EndorsementStore, OrganisationStore
from app.domain.accounts.sessions import digest_of
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.messages import Occasion, letter_to
from app.domain.people import mailbox_key, normal_address
from app.domain.people.consents import check_shows_nothing_of
from app.domain.publishing import ServiceDocuments
from app.domain.trust.organisations import (
    AGAIN,
    ASKED_FOR,
    SOON,
    Endorsement,
    EndorsementRequest,
    Organisation,
    check_may_ask,
    checked_address,
    checked_name,
    checked_reason,
    checked_why,
    is_of,
    number_in,
    organisation_in,
    words_of,
)
from app.errors import AppError, NotFound, faults_of_fields
from app.services.trust.endorsements import AN_ORGANISATION, WITHDRAW, Subject
from sceau_credentials.errors import MalformedInput
from sceau_credentials.verification.report import EndorsementAnswer, Outcome
from sceau_credentials.verification.run_checks import verify_endorsement


@dataclass(frozen=True)
class EndorsementAsked:
    """Form of an endorsement request."""

    address: str
    organisation: str
    why: str = ""


@dataclass(frozen=True, eq=False)
class EndorsementAsking:
    endorsements: EndorsementStore
    people: PeopleStore
    letters: LetterStore
    history: HistoryStore
    clock: Clock

    def is_refused_by(self, typed: str) -> bool:
        """Whether the reader of that address opted out of requests from every campus."""
        return self.endorsements.refuses_all(normal_address(typed))

    def faults_of(self, subject: Subject, typed: EndorsementAsked, by: Actor) -> dict[str, AppError]:
        """Of each field that has one."""
        return faults_of_fields(
            {
                "organisation": lambda: checked_name(typed.organisation),
                "address": lambda: checked_address(typed.address, self._own(subject, by)),
                "why": lambda: checked_why(typed.why),
            }
        )

    def checked(
        self, subject: Subject, typed: EndorsementAsked, *, refused: bool, by: Actor
    ) -> EndorsementAsked:
        """Normalised as it would be sent; raises on any fault before rate limits count it."""
        address = checked_address(typed.address, self._own(subject, by))
        asked = EndorsementAsked(address, checked_name(typed.organisation), checked_why(typed.why))
        check_may_ask(self.about(subject), address, refused=refused, at=self.clock())
        return asked

    def counts(self, subject: Subject, asked: EndorsementAsked) -> list[tuple[str, str]]:
        """The rate limits of one e-mail: per person asking, per campus, per recipient address."""
        person = subject.record.person.id if subject.record else None
        return [
            *([("endorsement of somebody", str(person))] if person else []),
            ("endorsement of a campus", str(subject.campus.id)),
            ("endorsement to an address", mailbox_key(asked.address)),
        ]

    def ask(
        self, subject: Subject, typed: EndorsementAsked, *, refused: bool, by: Actor
    ) -> EndorsementRequest:
        """Send a request to a contact of an organisation."""
        # A form that is sent twice: the second request finds the first.
        asker = subject.record.person.id if subject.record else by.person_id
        self.people.lock_all([asker] if asker else [])
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
        self.letters.enqueue_many([letter])
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
        """Requests made by the campus itself."""
        return self.endorsements.requests_of(campus_id)

    def _own(self, subject: Subject, by: Actor) -> Collection[str]:
        """Addresses of the requester, who must not endorse themselves."""
        people = {by.person_id, subject.record.person.id if subject.record else None} - {None}
        return [address for each in people if each for address in self.people.all_addresses(each)]


@dataclass(frozen=True, eq=False)
class EndorsementsTakenBack:
    endorsements: EndorsementStore
    organisations: OrganisationStore
    awards: AwardStore
    letters: LetterStore
    history: HistoryStore
    secret: bytes
    clock: Clock

    # --- for the organisation

    def named_by(self, token: str) -> Endorsement:
        """The endorsement that the withdrawal link of an e-mail names."""
        return self.endorsements.get(number_in(self.secret, WITHDRAW, token))

    def withdraw(self, token: str) -> Endorsement:
        return self._withdraw(self.named_by(token))

    def ask_desk(self, organisation_id: uuid.UUID, typed: str) -> bool:
        """E-mail the organisation all its endorsements, if the address is its own; never reveal the result."""
        organisation, address, at = (
            self.organisations.get(organisation_id),
            normal_address(typed),
            self.clock(),
        )
        if not is_of(organisation, address):
            return False
        once = f"{digest_of(address)[:16]}.{int(at.timestamp())}"
        self.letters.enqueue_many(
            [letter_to(address, Occasion.ENDORSEMENT_DESK, organisation.id, once=once, at=at)]
        )
        return True

    def desk(self, token: str) -> tuple[Organisation, Sequence[Endorsement]]:
        organisation = self.organisations.get(organisation_in(self.secret, token, at=self.clock()))
        return organisation, self.endorsements.of_organisation(organisation.id)

    def withdraw_at_desk(self, token: str, endorsement_id: uuid.UUID) -> Endorsement:
        organisation, _ = self.desk(token)
        endorsement = self.endorsements.get(endorsement_id)
        if endorsement.organisation_id != organisation.id:
            raise NotFound("Il n’y a pas de recommandation à cette adresse.")
        return self._withdraw(endorsement)

    def _withdraw(self, endorsement: Endorsement) -> Endorsement:
        """Permanent: sets its status bit, erases text and address, also of the request and of e-mails."""
        if self.endorsements.hold_row(endorsement).withdrawn_at is None:
            endorsement.withdrawn_at = self.clock()
            about = [endorsement.id]
            for request in self.endorsements.requests_answered_by(endorsement.id):
                request.address = ""
                self.endorsements.save(request)
                about.append(request.id)
            self.letters.forget_about(about)
            self.letters.forget_about([endorsement.organisation_id], address=endorsement.address)
            endorsement.written = endorsement.token = endorsement.comment = endorsement.address = ""
            self.organisations.raise_places([endorsement.id], at=endorsement.withdrawn_at)
            self._note(endorsement, "withdraw", AN_ORGANISATION)
        return endorsement

    # --- for the holder and the campus

    def hide(self, award_id: uuid.UUID, endorsement_id: uuid.UUID, *, hidden: bool, by: Actor) -> None:
        """For the holder of the endorsed award."""
        endorsement = self.endorsements.get(endorsement_id)
        if endorsement.award_id != award_id:
            raise NotFound("Il n’y a pas de recommandation à cette adresse.")
        if (self.endorsements.hold_row(endorsement).hidden_at is not None) is not hidden:
            endorsement.hidden_at = self.clock() if hidden else None
            self._note(endorsement, "hide" if hidden else "show", by)

    def set_aside(self, campus: Campus, endorsement_id: uuid.UUID, *, reason: str | None, by: Actor) -> None:
        """For the campus, with a reason; None shows it again."""
        endorsement = self.endorsements.get(endorsement_id)
        if endorsement.campus_id != campus.id:
            raise NotFound("Il n’y a pas de recommandation à cette adresse.")
        before = self.endorsements.hold_row(endorsement).set_aside_at
        if reason is None:
            if before is None:
                return
            if endorsement.award_id is not None:
                record = self.awards.get_record(endorsement.award_id)
                check_shows_nothing_of(words_of(endorsement), record.person, record.activity)
            endorsement.set_aside_at, endorsement.set_aside_reason = None, ""
            self._note(endorsement, "take_up", by)
            return
        reason = checked_reason(reason)
        if before is not None and endorsement.set_aside_reason == reason:
            return
        endorsement.set_aside_reason = reason
        endorsement.set_aside_at = self.clock()
        self._note(endorsement, "set_aside", by, reason=endorsement.set_aside_reason)

    # --- on erasure

    def raise_for(self, award_ids: Collection[uuid.UUID]) -> None:
        """Revoke the endorsements of these awards before they are erased: existing copies become invalid."""
        self.organisations.raise_places(self.endorsements.ids_of_awards(award_ids), at=self.clock())

    def _note(self, endorsement: Endorsement, action: str, by: Actor, **facts: str) -> None:
        endorsement.changes += 1
        self.endorsements.save(endorsement)
        self.history.write(
            by,
            action,
            "endorsement",
            endorsement.id,
            at=self.clock(),
            campus_id=endorsement.campus_id,
            **facts,
        )


@dataclass(frozen=True, eq=False)
class EndorsementsCheckedAgain:
    endorsements: EndorsementStore
    documents: ServiceDocuments
    clock: Clock

    def due(self, *, limit: int) -> Sequence[uuid.UUID]:
        return self.endorsements.due(at=self.clock(), limit=limit)

    def evaluate(self, endorsement_id: uuid.UUID) -> EndorsementAnswer | None:
        """Verify it now; may be slow, writes nothing. None if withdrawn meanwhile."""
        row = self.endorsements.find(endorsement_id)
        if row is None or not row.written:
            return None
        try:
            return self.documents.endorsement_anew(
                lambda: verify_endorsement(
                    row.written, documents=self.documents, at=self.clock(), about=row.subject
                )
            )
        except MalformedInput:
            return None

    def note(self, endorsement_id: uuid.UUID, answer: EndorsementAnswer) -> None:
        """If the check was inconclusive, the previous result and its date remain."""
        row = self.endorsements.find(endorsement_id)
        if row is None or not row.written:
            return
        at = self.clock()
        is_open = answer.outcome not in (Outcome.PASSED, Outcome.FAILED)
        row.check_again_at = at + (SOON if is_open else AGAIN)
        if not is_open:
            row.comment, row.checked_at = answer.comment, at
            row.changes += 1
        self.endorsements.save(row)
