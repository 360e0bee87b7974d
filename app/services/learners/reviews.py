"""Badge requests as their reviewers decide on them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.db.accounts import OwnAddressStore
from app.db.activities import FileStore
from app.db.badges import BadgeStore
from app.db.campus import CampusStore, HistoryStore
from app.db.campus.directory import DirectoryStore
from app.db.learners import RequestStore
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.domain.activities import Activity, Participation, hours_of
from app.domain.activities.files import FileNoun, StoredFile
from app.domain.activities.listed_people import ListedPerson
from app.domain.awards import EligibilityResult, LineOutcome, check_evidence_text, in_words
from app.domain.awards.skills import Attested
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock, mark_of
from app.domain.learners.requests import (
    BETWEEN_REVIEW_REMINDERS,
    LATE_AFTER,
    UNCONFIRMED_LIFE,
    BadgeRequest,
    RequestStep,
    Step,
    agree,
    agreed_before,
    ask_more,
    check_reason,
    is_own,
    proposed_evidence,
    refuse,
    reviewers_needed,
)
from app.domain.messages import Occasion, letter_to
from app.domain.people import Person, Role
from app.errors import AppError, Conflict, NotAllowed, faults_of_fields
from app.language import N_
from app.services.awards.awards import AwardRequest, AwardService
from app.services.badges import BadgeService

Entry = tuple[Participation, Activity]


@dataclass(frozen=True)
class UnderReview:
    """A request as its reviewers see it; `entries`: the person's own participations as evidence."""

    request: BadgeRequest
    badge: Badge
    version: BadgeVersion
    steps: Sequence[tuple[RequestStep, Person | None]]
    files: Sequence[StoredFile]
    entries: Sequence[Entry]
    needed: int
    is_own: bool
    evidence: str
    obstacle: EligibilityResult | None
    """Why the badge cannot be awarded now, whatever the review decides."""
    competencies: Attested
    agreed_before: uuid.UUID | None
    """The reviewer who agreed to give the badge as it is now."""
    seen: str
    """Of everything above that is decided on: a decision is taken on what its reviewer saw."""


@dataclass(frozen=True, eq=False)
class ReviewService:
    requests: RequestStore
    badges: BadgeStore
    campuses: CampusStore
    people: PeopleStore
    own_addresses: OwnAddressStore
    directory: DirectoryStore
    awards: AwardService
    badge_service: BadgeService
    files: FileStore
    letters: LetterStore
    history: HistoryStore
    clock: Clock

    def look(self, campus: Campus, request_id: uuid.UUID, *, by: Actor) -> UnderReview:
        request = self.requests.get_in_campus(request_id, campus.id)
        badge = self.badges.get(request.badge_id)
        version = self.badges.current_version(badge.id)
        files, entries = self.files.of(FileNoun.REQUEST, request.id), self._entries(request)
        pieces = [
            *(f"{activity.title} ({activity.starts_on:%d/%m/%Y})" for _, activity in entries),
            *(file.name for file in files),
        ]
        content, steps = self._content(campus, request, entries), self.requests.steps_of(request.id)
        return UnderReview(
            request,
            badge,
            version,
            steps,
            files,
            entries,
            reviewers_needed(version),
            by.person_id is not None
            and (
                is_own(request, by.person_id, self._addresses(by))
                or request.person_id in self._records_of(by.person_id)
            ),
            request.evidence or proposed_evidence(request, pieces),
            self._obstacle(campus, request, by) if request.state.waits_for_reviewers else None,
            self.badge_service.competencies_of(version),
            agreed_before(request, mark_of(content, request.evidence)),
            mark_of(content, len(steps)),
        )

    def _content(self, campus: Campus, request: BadgeRequest, entries: Sequence[Entry]) -> str:
        """The mark of what the badge would sign now, but its evidence."""
        found = _counted_for(entries)
        signed = self.badge_service.content_mark(
            campus, self.badges.current_version(request.badge_id), found[1] if found else None
        )
        parts = ((part.id, part.hours, part.contribution, of.title, of.hours) for part, of in entries)
        return mark_of(signed, *parts)

    def _check_seen(self, campus: Campus, request: BadgeRequest, seen: str) -> str:
        """Raises if the request or its badge changed since a page that showed them; returns the content."""
        content = self._content(campus, request, self._entries(request))
        if seen not in ("", mark_of(content, self.requests.count_steps(request.id))):
            raise Conflict(
                "La demande ou son badge a changé depuis que vous l’avez ouverte. Relisez, puis décidez."
            )
        return content

    def get(self, campus: Campus, request_id: uuid.UUID) -> BadgeRequest:
        return self.requests.get_in_campus(request_id, campus.id)

    def _entries(self, request: BadgeRequest) -> list[Entry]:
        if request.person_id is None or not request.entries:
            return []
        own = self.directory.participations_of(request.person_id, request.campus_id)
        return [pair for pair in own if str(pair[0].id) in request.entries]

    def _obstacle(self, campus: Campus, request: BadgeRequest, by: Actor) -> EligibilityResult | None:
        """Missing hours, an archived badge or one already held: not for reviewers to decide."""
        asked = replace(self._asked_of_awards(request), evidence=request.narrative)
        try:
            renewing = self.awards.renewable(campus, asked, by=by) is not None
            checked = self.awards.preview(campus, asked, by=by, renewing=renewing).lines[0].eligibility
        except AppError as error:
            return EligibilityResult(LineOutcome.NOT_ALLOWED, error.sentence, error.values)
        return None if checked.is_ready else checked

    # --- decide

    @staticmethod
    def faults_of(reason: str, evidence: str) -> dict[str, AppError]:
        """Of each field that has one."""
        return faults_of_fields(
            {"reason": lambda: check_reason(reason), "evidence": lambda: check_evidence_text(evidence)}
        )

    def agree(
        self, campus: Campus, request_id: uuid.UUID, reason: str, evidence: str, *, by: Actor, seen: str = ""
    ) -> bool:
        """Returns whether the badge is now awarded; otherwise another reviewer must agree."""
        reviewer, request = self._locked(campus, request_id, by)
        content = self._check_seen(campus, request, seen)
        for fault in self.faults_of(reason, evidence).values():
            raise fault
        version = self.badges.current_version(request.badge_id)
        # One person agrees only once, even with two records.
        agreed = mark_of(content, evidence.strip())
        first = agreed_before(request, agreed)
        same = first if first is not None and first in self._records_of(reviewer) else reviewer
        done = agree(
            request,
            same,
            self._addresses(by),
            needed=reviewers_needed(version),
            content=agreed,
            at=self.clock(),
        )
        request.evidence = evidence.strip()
        if done:
            request.award_id = self._give(campus, request, by)
        elif obstacle := self._obstacle(campus, request, by):
            # The first of two reviewers gets the error that the second would get.
            raise _not_given(obstacle.sentence, obstacle.values)
        self._keep(request, Step.ACCEPTED if done else Step.AGREED, reason, by)
        return done

    def ask_more(
        self, campus: Campus, request_id: uuid.UUID, what: str, *, by: Actor, seen: str = ""
    ) -> None:
        reviewer, request = self._locked(campus, request_id, by)
        self._check_seen(campus, request, seen)
        check_reason(what)
        ask_more(request, reviewer, self._addresses(by), at=self.clock())
        self._keep(request, Step.ASKED_MORE, what, by)
        self._tell(request, Occasion.REQUEST_MORE)

    def refuse(
        self, campus: Campus, request_id: uuid.UUID, reason: str, *, by: Actor, seen: str = ""
    ) -> None:
        """The person and the reviewers can read the reason; it is never published."""
        reviewer, request = self._locked(campus, request_id, by)
        self._check_seen(campus, request, seen)
        check_reason(reason)
        refuse(request, reviewer, self._addresses(by), at=self.clock())
        self._keep(request, Step.REFUSED, reason, by)
        self._tell(request, Occasion.REQUEST_REFUSED)

    def _locked(self, campus: Campus, request_id: uuid.UUID, by: Actor) -> tuple[uuid.UUID, BadgeRequest]:
        # Fixed lock order, campus first: awarding locks it too.
        self.campuses.lock(campus.id)
        self.requests.get_in_campus(request_id, campus.id)
        if by.person_id is None:
            raise NotAllowed("Une demande est examinée par une personne.")
        request = self.requests.lock(request_id)
        if request.person_id is not None and request.person_id in self._records_of(by.person_id):
            return request.person_id, request
        return by.person_id, request

    def _records_of(self, person_id: uuid.UUID) -> set[uuid.UUID]:
        with self.own_addresses.tenant_scope.across_campuses():
            return self.own_addresses.same_person(person_id)

    def _addresses(self, by: Actor) -> list[str]:
        return self.people.all_addresses(by.person_id) if by.person_id else []

    def _give(self, campus: Campus, request: BadgeRequest, by: Actor) -> uuid.UUID:
        """Through the same batch as every award, which checks eligibility again; atomic.

        A badge that the person holds and that ends is renewed.
        """
        wanted = self._asked_of_awards(request)
        if held := self.awards.renewable(campus, wanted, by=by):
            checked = self.awards.preview(campus, wanted, by=by, renewing=True).lines[0].eligibility
            if not checked.is_ready:
                raise _not_given(checked.sentence, checked.values or {})
            self.awards.renew(campus, held, request.evidence, by=by, address=request.address)
            return held.id
        result = self.awards.award(campus, wanted, by=by)
        line = result.lines[0]
        if line.outcome is not LineOutcome.AWARDED or line.award_id is None:
            raise _not_given(line.reason, line.reason_values)
        return line.award_id

    def _asked_of_awards(self, request: BadgeRequest) -> AwardRequest:
        key = f"request/{request.id}"
        if found := _counted_for(self._entries(request)):
            part, activity = found
            return AwardRequest(
                request.badge_id,
                activity.id,
                participation_ids=(part.id,),
                evidence=request.evidence,
                idempotency_key=key,
                by_review=True,
            )
        line = ListedPerson(
            line=1,
            given_name=request.given_name,
            family_name=request.family_name,
            address=request.address,
            is_chosen=True,
        )
        return AwardRequest(
            request.badge_id, lines=(line,), evidence=request.evidence, idempotency_key=key, by_review=True
        )

    def _keep(self, request: BadgeRequest, step: Step, text: str, by: Actor) -> None:
        self.requests.add(request)
        self.requests.add(
            RequestStep(
                request_id=request.id,
                position=self.requests.count_steps(request.id),
                step=step,
                person_id=by.person_id,
                text=text.strip(),
                at=self.clock(),
            )
        )
        self.history.write(
            by, step.value, "request", request.id, at=self.clock(), campus_id=request.campus_id
        )

    def _tell(self, request: BadgeRequest, occasion: Occasion) -> None:
        # Two requests for more information give two e-mails.
        once = str(self.requests.count_steps(request.id))
        letter = letter_to(
            request.address,
            occasion,
            request.id,
            once=once,
            campus_id=request.campus_id,
            person_id=request.person_id,
            at=self.clock(),
        )
        self.letters.enqueue_many([letter])

    # --- overdue requests

    def campuses_due(self) -> list[uuid.UUID]:
        at = self.clock()
        return self.requests.campuses_to_remind(
            waiting_before=at - LATE_AFTER, reminded_before=at - BETWEEN_REVIEW_REMINDERS
        )

    def remind(self, campus_id: uuid.UUID) -> None:
        """One e-mail to each reviewer, or to the administrators if there is none."""
        campus, at = self.campuses.lock(campus_id), self.clock()
        if campus_id not in self.campuses_due():
            return
        people = self.requests.reviewers_of(campus.id, [Role.REVIEWER], at=at) or self.requests.reviewers_of(
            campus.id, [Role.CAMPUS_ADMIN], at=at
        )
        addresses = self.people.addresses_of(person.id for person in people)
        self.letters.enqueue_many(
            [
                letter_to(
                    addresses[person.id],
                    Occasion.REVIEW,
                    campus.id,
                    once=f"{person.id}/{at:%Y-%m-%d}",
                    campus_id=campus.id,
                    person_id=person.id,
                    at=at,
                )
                for person in people
                if person.id in addresses
            ]
        )

    def forget_unconfirmed(self) -> None:
        self.requests.forget_unconfirmed(self.clock() - UNCONFIRMED_LIFE)


def _not_given(reason: str, values: Mapping[str, Any] | None) -> Conflict:
    return Conflict(reason or N_("Ce badge n’a pas pu être attribué."), **in_words(values))


def _counted_for(entries: Sequence[Entry]) -> Entry | None:
    """The one that the badge is given for: the longest."""
    return max(entries, key=lambda pair: hours_of(*pair) or 0, default=None)
