"""Badge requests: create, follow, complete, withdraw, review."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.db.accounts import OwnAddressStore
from app.db.activities import FileStore
from app.db.awards import AwardStore
from app.db.badges import BadgeStore
from app.db.campus import CampusStore, HistoryStore
from app.db.campus.directory import DirectoryStore
from app.db.learners import RequestStore
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.domain.activities import Activity, Participation, hours_of
from app.domain.activities.files import FileNoun, StoredFile, TakenFile, check_room, new_file
from app.domain.activities.listed_people import ListedPerson
from app.domain.awards import EligibilityResult, LineOutcome, check_evidence_text, in_words, may_renew
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.learners.requests import (
    BETWEEN_REVIEW_REMINDERS,
    LATE_AFTER,
    LONGEST_NARRATIVE,
    MOST_LINKS,
    UNCONFIRMED_LIFE,
    BadgeRequest,
    RequestState,
    RequestStep,
    Step,
    add,
    agree,
    ask_more,
    check_accepts,
    check_may_add,
    check_narrative,
    check_reason,
    confirm,
    is_own,
    proposed_evidence,
    read_links,
    refuse,
    request_proof,
    reviewers_needed,
    withdraw,
)
from app.domain.messages import Occasion, letter_to
from app.domain.people import Person, Role, check_name, is_address, normal_address
from app.errors import AppError, Conflict, InvalidInput, NotAllowed, NotFound
from app.language import N_, current_locale
from app.services.awards.awards import AwardRequest, AwardService

_NOTHING_HERE = N_("Ce lien n’ouvre aucune demande. Vérifiez qu’il est entier.")


@dataclass(frozen=True)
class RequestOutcome:
    """Form of a request."""

    given_name: str
    family_name: str
    address: str
    narrative: str
    links: str = ""


@dataclass(frozen=True)
class KnownRequest:
    """The requester, identified by their session or private link."""

    person: Person
    address: str


@dataclass(frozen=True)
class Subject:
    """A badge that can be requested."""

    badge: Badge
    version: BadgeVersion
    campus: Campus
    pictured: int | None
    """The version with a public picture: the newest that was awarded."""


@dataclass(frozen=True)
class MyRequest:
    """A request as the requester sees it."""

    request: BadgeRequest
    subject: Subject
    steps: Sequence[tuple[RequestStep, Person | None]]
    files: Sequence[StoredFile]
    participations: Sequence[tuple[Participation, Activity]]


@dataclass(frozen=True, eq=False)
class AskingService:
    requests: RequestStore
    badges: BadgeStore
    campuses: CampusStore
    people: PeopleStore
    own_addresses: OwnAddressStore
    directory: DirectoryStore
    awards: AwardStore
    files: FileStore
    letters: LetterStore
    history: HistoryStore
    secret: bytes
    clock: Clock

    def subject(self, badge_id: uuid.UUID) -> Subject:
        """Raises if the badge does not accept requests."""
        badge = self.badges.get(badge_id)
        subject = self._subject(badge, self.campuses.get_by_id(badge.campus_id))
        check_accepts(badge, subject.version, subject.campus)
        return subject

    def _subject(self, badge: Badge, campus: Campus) -> Subject:
        version = self.badges.current_version(badge.id)
        return Subject(badge, version, campus, self.badges.newest_frozen_number(badge.id))

    def known(self, person: Person) -> KnownRequest:
        return KnownRequest(person, self.people.addresses_of([person.id]).get(person.id, ""))

    def token_of(self, request: BadgeRequest) -> str:
        return f"{request.id}.{request_proof(self.secret, request.id)}"

    # --- create

    def ask(
        self,
        badge_id: uuid.UUID,
        asked: RequestOutcome,
        *,
        known: KnownRequest | None = None,
        files: Sequence[TakenFile] = (),
    ) -> BadgeRequest:
        """Visible to reviewers immediately if the address is verified; else once confirmed by e-mail.

        Files come along only from verified addresses: anybody could store some otherwise.
        """
        subject, at = self.subject(badge_id), self.clock()
        person = known.person if known else None
        given, family = (
            (person.given_name, person.family_name) if person else (asked.given_name, asked.family_name)
        )
        check_name(given, family)
        address = normal_address(asked.address)
        if not is_address(address):
            raise InvalidInput("Cette adresse n’est pas complète. Exemple : prenom.nom@lycee.fr")
        check_narrative(asked.narrative)
        request = BadgeRequest(
            campus_id=subject.campus.id,
            badge_id=badge_id,
            person_id=person.id if person else None,
            given_name=given,
            family_name=family,
            address=address,
            language=current_locale(),
            narrative=asked.narrative.strip(),
            links=read_links(asked.links),
            created_at=at,
            waiting_since=at,
        )
        is_theirs = person is not None and address in self.people.all_addresses(person.id)
        if person is not None:
            self._check_free(person, subject.badge)
        self.requests.add(request)
        self._step(request, Step.ASKED, request.narrative)
        if files and not is_theirs:
            raise InvalidInput(
                "Cette adresse est à confirmer d’abord : les fichiers se joignent après, à l’étape suivante."
            )
        if is_theirs and person is not None:
            confirm(request, person.id, at=at)
        self.requests.add(request)
        for file in files:
            self._keep_file(request, file)
        occasion = Occasion.REQUEST_RECEIVED if is_theirs else Occasion.REQUEST_CONFIRM
        self._tell(request, occasion)
        self._write("ask", request)
        return request

    def confirm(self, token: str) -> BadgeRequest:
        """Confirm by e-mail link. Idempotent."""
        request = self.requests.lock(self.by_token(token).id)
        if request.state is not RequestState.UNCONFIRMED:
            return request
        at = self.clock()
        person = self._person_of(request)
        self._check_free(person, self.badges.get(request.badge_id))
        confirm(request, person.id, at=at)
        self.requests.add(request)
        self._write("confirm", request)
        return request

    def _person_of(self, request: BadgeRequest) -> Person:
        """The person with the address that is now verified."""
        named = Person(
            given_name=request.given_name, family_name=request.family_name, created_at=self.clock()
        )
        if request.person_id is None:
            return self.own_addresses.owner_of(named, request.address, at=self.clock())
        person, own = self.people.get(request.person_id), self.own_addresses
        if own.may_enter(person, request.address) or own.may_name_first(person):
            self.people.add_address(person, request.address)
            own.verify(person, request.address, at=self.clock())
        return person

    def _check_free(self, person: Person, badge: Badge) -> None:
        if self.requests.open_of(person.id, badge.id) is not None:
            raise Conflict("Vous avez déjà une demande en cours pour ce badge.")
        held = self.awards.held(badge, [person.id], None).get(person.id)
        days = self.badges.current_version(badge.id).validity_days
        if held is not None and not may_renew(held, days=days, at=self.clock()):
            raise Conflict("Vous avez déjà ce badge : il n’est pas donné deux fois.")

    # --- follow

    def by_token(self, token: str) -> BadgeRequest:
        name, _, proof = token.partition(".")
        try:
            request_id = uuid.UUID(name)
        except ValueError:
            request_id = uuid.UUID(int=0)
        if not secrets.compare_digest(proof.encode(), request_proof(self.secret, request_id).encode()):
            raise NotFound(_NOTHING_HERE)
        request = self.requests.find(request_id)
        if request is None:
            raise NotFound("Cette demande n’a pas été confirmée à temps. Vous pouvez la refaire.")
        return request

    def mine(self, token: str) -> MyRequest:
        request = self.by_token(token)
        campus, badge = self.requests.subject_of(request)
        return MyRequest(
            request,
            self._subject(badge, campus),
            self.requests.steps_of(request.id),
            self.files.of(FileNoun.REQUEST, request.id),
            self.directory.participations_of(request.person_id, campus.id) if request.person_id else [],
        )

    def of_person(self, person_id: uuid.UUID) -> list[tuple[BadgeRequest, str, str]]:
        """With title and token, for the person's own page; the caller reads across campuses."""
        return [
            (each, self.requests.title_of(self.requests.subject_of(each)[1]), self.token_of(each))
            for each in self.requests.of_person(person_id, at=self.clock())
        ]

    def complete(
        self,
        token: str,
        *,
        text: str = "",
        links: str = "",
        entries: Collection[str] = (),
        files: Sequence[TakenFile] = (),
    ) -> BadgeRequest:
        """Add text, links, files or participations; earlier content cannot be changed."""
        request = self.requests.lock(self.by_token(token).id)
        check_may_add(request)
        if len(text) > LONGEST_NARRATIVE:
            raise InvalidInput("Le récit tient en {most} signes.", most=LONGEST_NARRATIVE)
        new = [link for link in read_links(links) if link not in request.links]
        if len(request.links) + len(new) > MOST_LINKS:
            raise InvalidInput("Une demande tient {most} liens.", most=MOST_LINKS)
        chosen = self._own_entries(request, entries)
        if not (text.strip() or new or files or chosen != request.entries):
            raise InvalidInput("Ajoutez un mot, un lien, un fichier ou une activité.")
        at = self.clock()
        for file in files:
            self._keep_file(request, file)
        request.links, request.entries = [*request.links, *new], chosen
        add(request, at=at)
        self.requests.add(request)
        self._step(request, Step.ADDED, text.strip())
        self._write("complete", request)
        return request

    def _keep_file(self, request: BadgeRequest, file: TakenFile) -> None:
        row, content = new_file(
            file,
            campus_id=request.campus_id,
            noun=FileNoun.REQUEST,
            noun_id=request.id,
            person_id=request.person_id,
            at=self.clock(),
        )
        self.files.add(row, content)
        check_room(len(self.files.of(FileNoun.REQUEST, request.id)))

    def _own_entries(self, request: BadgeRequest, entries: Collection[str]) -> list[str]:
        if request.person_id is None:
            return []
        own = self.directory.participations_of(request.person_id, request.campus_id)
        return [str(participation.id) for participation, _ in own if str(participation.id) in entries]

    def withdraw(self, token: str) -> BadgeRequest:
        request = self.requests.lock(self.by_token(token).id)
        if request.state is RequestState.WITHDRAWN:
            return request
        withdraw(request, at=self.clock())
        self.requests.add(request)
        self._step(request, Step.WITHDRAWN)
        self._write("withdraw", request)
        return request

    def _step(self, request: BadgeRequest, step: Step, text: str = "") -> None:
        position = self.requests.count_steps(request.id)
        self.requests.add(
            RequestStep(request_id=request.id, position=position, step=step, text=text, at=self.clock())
        )

    def _tell(self, request: BadgeRequest, occasion: Occasion) -> None:
        self.letters.enqueue_many(
            [
                letter_to(
                    request.address,
                    occasion,
                    request.id,
                    campus_id=request.campus_id,
                    person_id=request.person_id,
                    at=self.clock(),
                )
            ]
        )

    def _write(self, action: str, request: BadgeRequest) -> None:
        by = Actor(person_id=request.person_id, label="" if request.person_id else "somebody who asks")
        self.history.write(by, action, "request", request.id, at=self.clock(), campus_id=request.campus_id)


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


@dataclass(frozen=True, eq=False)
class ReviewService:
    requests: RequestStore
    badges: BadgeStore
    campuses: CampusStore
    people: PeopleStore
    own_addresses: OwnAddressStore
    directory: DirectoryStore
    awards: AwardService
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

    def agree(self, campus: Campus, request_id: uuid.UUID, reason: str, evidence: str, *, by: Actor) -> bool:
        """Returns whether the badge is now awarded; otherwise another reviewer must agree."""
        reviewer, request = self._locked(campus, request_id, by)
        check_reason(reason)
        check_evidence_text(evidence)
        version = self.badges.current_version(request.badge_id)
        # One person agrees only once, even with two records.
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
            # The first of two reviewers gets the error that the second would get.
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
        """The person and the reviewers can read the reason; it is never published."""
        reviewer, request = self._locked(campus, request_id, by)
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
