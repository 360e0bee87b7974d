"""Reviewers look at what is asked for, and give the badge, ask for more, or say no in private."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.db.accounts.own_addresses import OwnAddressStore
from app.db.activities.files import FileStore
from app.db.badges.badges import BadgeStore
from app.db.campus.campus import CampusStore
from app.db.campus.directory import DirectoryStore
from app.db.campus.history import HistoryStore
from app.db.learners.requests import QueueLine, RequestStore
from app.db.messages.letters import LetterStore
from app.db.people.people import PeopleStore
from app.domain.activities.activities import Activity, Participation, hours_of
from app.domain.activities.files import FileNoun, StoredFile
from app.domain.activities.participant_lists import ListedPerson
from app.domain.awards.awards import Judgement, LineOutcome, check_evidence_text
from app.domain.awards.reasons import in_words
from app.domain.badges.badges import Badge, BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.learners.requests import (
    BETWEEN_REVIEW_REMINDERS,
    LATE_AFTER,
    UNCONFIRMED_LIFE,
    BadgeRequest,
    RequestState,
    RequestStep,
    Step,
    agree,
    ask_more,
    check_reason,
    is_own,
    proposed_evidence,
    refuse,
    reviewers_needed,
)
from app.domain.messages.letters import Occasion, letter_to
from app.domain.people.people import Person, Role
from app.errors import AppError, Conflict, NotAllowed
from app.language import N_
from app.services.awards.awards import AwardRequest, AwardService

Entry = tuple[Participation, Activity]


@dataclass(frozen=True)
class UnderReview:
    """A request as its reviewers see it; `entries` are the person's own participations that it rests on."""

    request: BadgeRequest
    badge: Badge
    version: BadgeVersion
    steps: Sequence[tuple[RequestStep, Person | None]]
    files: Sequence[StoredFile]
    entries: Sequence[Entry]
    needed: int
    is_own: bool
    evidence: str
    obstacle: Judgement | None
    """Why the badge could not be given now, however well the request is judged."""


class ReviewService:
    def __init__(
        self,
        requests: RequestStore,
        badges: BadgeStore,
        campuses: CampusStore,
        people: PeopleStore,
        own_addresses: OwnAddressStore,
        directory: DirectoryStore,
        awards: AwardService,
        files: FileStore,
        letters: LetterStore,
        history: HistoryStore,
        clock: Clock,
    ) -> None:
        self.requests = requests
        self.badges = badges
        self.campuses = campuses
        self.people = people
        self.own_addresses = own_addresses
        self.directory = directory
        self.awards = awards
        self.files = files
        self.letters = letters
        self.history = history
        self.clock = clock

    # --- looking

    def queue(
        self,
        campus: Campus,
        states: Collection[RequestState],
        *,
        limit: int,
        oldest_first: bool = True,
        after: uuid.UUID | None = None,
    ) -> list[QueueLine]:
        return self.requests.queue(campus.id, states, limit=limit, oldest_first=oldest_first, after=after)

    def look(self, campus: Campus, request_id: uuid.UUID, *, by: Actor) -> UnderReview:
        request = self.requests.get_in_campus(request_id, campus.id)
        badge = self.badges.get(request.badge_id)
        version = self.badges.current_version(badge.id)
        files, entries = self.files.of(FileNoun.REQUEST, request.id), self._entries(request)
        pieces = [
            *(f"{activity.title} ({activity.starts_on:%d/%m/%Y})" for _, activity in entries),
            *(file.name for file in files),
        ]
        return UnderReview(
            request,
            badge,
            version,
            self.requests.steps_of(request.id),
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
        )

    def get(self, campus: Campus, request_id: uuid.UUID) -> BadgeRequest:
        return self.requests.get_in_campus(request_id, campus.id)

    def _entries(self, request: BadgeRequest) -> list[Entry]:
        if request.person_id is None or not request.entries:
            return []
        own = self.directory.participations_of(request.person_id, request.campus_id)
        return [pair for pair in own if str(pair[0].id) in request.entries]

    def _obstacle(self, campus: Campus, request: BadgeRequest, by: Actor) -> Judgement | None:
        """Hours that are missing, a badge that is archived or held already: nothing that reviewers can decide."""
        told = replace(self._asked_of_awards(request), evidence=request.narrative)
        try:
            judged = self.awards.preview(campus, told, by=by).lines[0].judgement
        except AppError as error:
            return Judgement(LineOutcome.NOT_ALLOWED, error.sentence, error.values)
        return None if judged.is_ready else judged

    # --- deciding

    def agree(self, campus: Campus, request_id: uuid.UUID, reason: str, evidence: str, *, by: Actor) -> bool:
        """Whether the badge is given now, or another reviewer has to agree."""
        reviewer, request = self._locked(campus, request_id, by)
        check_reason(reason)
        check_evidence_text(evidence)
        version = self.badges.current_version(request.badge_id)
        # Under two records, one person agrees once.
        first = request.first_reviewer_id
        same = first if first is not None and first in self._records_of(reviewer) else reviewer
        done = agree(
            request,
            same,
            self._addresses(by),
            needed=reviewers_needed(version),
            at=self.clock(),
        )
        request.evidence = evidence.strip()
        if done:
            request.award_id = self._give(campus, request, by)
        elif obstacle := self._obstacle(campus, request, by):
            # The first of two is told what the second would meet.
            raise _not_given(obstacle.sentence, obstacle.values)
        self._keep(request, Step.ACCEPTED if done else Step.AGREED, reason, by)
        return done

    def ask_more(self, campus: Campus, request_id: uuid.UUID, what: str, *, by: Actor) -> None:
        reviewer, request = self._locked(campus, request_id, by)
        check_reason(what)
        ask_more(request, reviewer, self._addresses(by), at=self.clock())
        self._keep(request, Step.ASKED_MORE, what, by)
        self._tell(request, Occasion.REQUEST_MORE)

    def refuse(self, campus: Campus, request_id: uuid.UUID, reason: str, *, by: Actor) -> None:
        """The person and the reviewers read the reason; nothing of it is published."""
        reviewer, request = self._locked(campus, request_id, by)
        check_reason(reason)
        refuse(request, reviewer, self._addresses(by), at=self.clock())
        self._keep(request, Step.REFUSED, reason, by)
        self._tell(request, Occasion.REQUEST_REFUSED)

    def _locked(self, campus: Campus, request_id: uuid.UUID, by: Actor) -> tuple[uuid.UUID, BadgeRequest]:
        # The campus first, as everywhere: giving the badge holds it too.
        self.campuses.lock(campus.id)
        self.requests.get_in_campus(request_id, campus.id)
        if by.person_id is None:
            raise NotAllowed(N_("Une demande est examinée par une personne."))
        request = self.requests.lock(request_id)
        if request.person_id is not None and request.person_id in self._records_of(by.person_id):
            return request.person_id, request
        return by.person_id, request

    def _records_of(self, person_id: uuid.UUID) -> set[uuid.UUID]:
        with self.own_addresses.reach.across_campuses():
            return self.own_addresses.same_person(person_id)

    def _addresses(self, by: Actor) -> list[str]:
        return self.people.all_addresses(by.person_id) if by.person_id else []

    def _give(self, campus: Campus, request: BadgeRequest, by: Actor) -> uuid.UUID:
        """Through the same promise as every award, which judges again; all of it or nothing."""
        result = self.awards.award(campus, self._asked_of_awards(request), by=by)
        line = result.lines[0]
        if line.outcome is not LineOutcome.AWARDED or line.award_id is None:
            raise _not_given(line.reason, line.reason_values)
        return line.award_id

    def _asked_of_awards(self, request: BadgeRequest) -> AwardRequest:
        entries = self._entries(request)
        key = f"request/{request.id}"
        if entries:
            part, activity = max(entries, key=lambda pair: hours_of(*pair) or 0)
            return AwardRequest(
                request.badge_id,
                activity.id,
                participation_ids=(part.id,),
                evidence=request.evidence,
                idempotency_key=key,
                by_review=True,
            )
        line = ListedPerson(
            line=1, given_name=request.given_name, family_name=request.family_name, address=request.address
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
        # Asked for more twice, they are told twice.
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
        self.letters.promise_many([letter])

    # --- what waits too long

    def campuses_due(self) -> list[uuid.UUID]:
        at = self.clock()
        return self.requests.campuses_to_remind(
            waiting_before=at - LATE_AFTER, reminded_before=at - BETWEEN_REVIEW_REMINDERS
        )

    def remind(self, campus_id: uuid.UUID) -> None:
        """One letter to each reviewer, or to those who administer where there is none."""
        campus, at = self.campuses.lock(campus_id), self.clock()
        if campus_id not in self.campuses_due():
            return
        people = self.requests.reviewers_of(campus.id, [Role.REVIEWER], at=at) or self.requests.reviewers_of(
            campus.id, [Role.CAMPUS_ADMIN], at=at
        )
        addresses = self.people.addresses_of(person.id for person in people)
        self.letters.promise_many(
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
    return Conflict(reason or N_("Ce badge n’a pas pu être donné."), **in_words(values))
