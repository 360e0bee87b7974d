"""Badge requests: create, follow, complete, withdraw."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.db.accounts import OwnAddressStore
from app.db.activities import FileStore
from app.db.awards import AwardStore
from app.db.badges import BadgeStore
from app.db.campus import CampusStore, HistoryStore
from app.db.campus.directory import DirectoryStore
from app.db.learners import RequestStore
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.domain.activities import Activity, Participation
from app.domain.activities.files import FileNoun, StoredFile, TakenFile, check_room, new_file
from app.domain.awards import may_renew
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.learners.requests import (
    BadgeRequest,
    RequestState,
    RequestStep,
    Step,
    add,
    check_accepts,
    check_may_add,
    check_narrative,
    check_narrative_length,
    checked_address,
    confirm,
    lines_of,
    links_added,
    read_links,
    request_proof,
    withdraw,
)
from app.domain.messages import Occasion, letter_to
from app.domain.people import Person, check_name, check_own_name, normal_address
from app.errors import AppError, Conflict, InvalidInput, NotFound, faults_of_fields
from app.language import N_, current_locale

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
        return f"{request.id}.{request_proof(self.secret, request.id, request.link_generation)}"

    # --- create

    def faults_of(
        self,
        asked: RequestOutcome,
        *,
        known: KnownRequest | None = None,
        files: Sequence[TakenFile] = (),
    ) -> dict[str, AppError]:
        """Of each field but the names that has one."""
        return faults_of_fields(
            {
                "address": lambda: checked_address(asked.address),
                "narrative": lambda: check_narrative(asked.narrative),
                "links": lambda: read_links(asked.links),
                "files": lambda: self._check_files(files, asked.address, known),
            }
        )

    def _check_files(self, files: Sequence[TakenFile], address: str, known: KnownRequest | None) -> None:
        check_room(len(files))
        if files and not self._is_theirs(known.person if known else None, normal_address(address)):
            raise InvalidInput(
                "Cette adresse est à confirmer d’abord : les fichiers se joignent après, à l’étape suivante."
            )

    def _is_theirs(self, person: Person | None, address: str) -> bool:
        return person is not None and address in self.people.all_addresses(person.id)

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
        for fault in self.faults_of(asked, known=known, files=files).values():
            raise fault
        person = known.person if known else None
        given, family = (
            (person.given_name, person.family_name) if person else (asked.given_name, asked.family_name)
        )
        check_name(given, family)
        if person is None:
            check_own_name(given, family)
        address = checked_address(asked.address)
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
        is_theirs = self._is_theirs(person, address)
        if person is not None:
            self.people.lock_all([person.id])  # of two requests at once, the second finds the first
            self._check_free(person, subject.badge)
        self.requests.add(request)
        self._step(request, Step.ASKED, request.narrative)
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
        request = self._locked(token)
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
        request = self.requests.find(request_id)
        expected = request_proof(self.secret, request_id, request.link_generation if request else 0)
        if not secrets.compare_digest(proof.encode(), expected.encode()):
            raise NotFound(_NOTHING_HERE)
        if request is None:
            raise NotFound("Cette demande n’a pas été confirmée à temps. Vous pouvez la refaire.")
        return request

    def _locked(self, token: str) -> BadgeRequest:
        """The campus and the person first, as reviewers and an erasure do."""
        request = self.by_token(token)
        self.campuses.lock(request.campus_id)
        self.people.lock_all([request.person_id] if request.person_id else [])
        return self.requests.lock(request.id)

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

    def faults_of_addition(
        self,
        token: str,
        *,
        text: str = "",
        links: str = "",
        entries: Collection[str] = (),
        files: Sequence[TakenFile] | None = (),
    ) -> dict[str, AppError]:
        """Of each field that has one; of the text where nothing is added. `files`: None if they were refused."""
        request = self._locked(token)
        check_may_add(request)

        def check_text() -> None:
            check_narrative_length(text)
            is_empty = files is not None and not (
                text.strip() or files or set(lines_of(links)) - {*request.links}
            )
            if is_empty and self._own_entries(request, entries) == request.entries:
                raise InvalidInput("Ajoutez un mot, un lien, un fichier ou une activité.")

        def check_files() -> None:
            check_room(len(self.files.of(FileNoun.REQUEST, request.id)) + len(files or ()))

        return faults_of_fields(
            {"text": check_text, "links": lambda: links_added(links, request.links), "files": check_files}
        )

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
        faults = self.faults_of_addition(token, text=text, links=links, entries=entries, files=files)
        for fault in faults.values():
            raise fault
        request = self._locked(token)
        new, chosen = links_added(links, request.links), self._own_entries(request, entries)
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
        self.files.store(row, content)

    def _own_entries(self, request: BadgeRequest, entries: Collection[str]) -> list[str]:
        if request.person_id is None:
            return []
        own = self.directory.participations_of(request.person_id, request.campus_id)
        return [str(participation.id) for participation, _ in own if str(participation.id) in entries]

    def withdraw(self, token: str) -> BadgeRequest:
        request = self._locked(token)
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
