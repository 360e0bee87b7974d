"""Invitations to the team of a campus: sent by e-mail, resent, withdrawn, accepted once."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.db.accounts import OwnAddressStore
from app.db.campus import CampusStore, HistoryStore, TeamStore
from app.db.campus.operations import OperatorStore
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.domain.accounts.permissions import Permission, check_may
from app.domain.accounts.sessions import Proof
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, check_works
from app.domain.campus.team import (
    MOST_WAITING,
    Invitation,
    InvitationState,
    check_days,
    check_opens,
    check_roles,
    check_unanswered,
    invitation_proof,
    renew,
)
from app.domain.core import Clock
from app.domain.messages import LetterState, Occasion, QueuedMessage, letter_to
from app.domain.people import (
    Membership,
    Person,
    Role,
    check_name,
    check_own_name,
    is_address,
    is_own_address,
    name_key,
    normal_address,
    roles_at,
)
from app.errors import AppError, Conflict, InvalidInput, NotFound, faults_of_fields
from app.language import N_
from app.services.accounts.sessions import Browser, NewSession, SessionService
from app.services.accounts.sign_in import SignInService

_KNOWN_HERE: Final = N_(
    "Vous avez déjà un compte à cette adresse. Connectez-vous d’abord : vous reviendrez ici pour accepter."
)


def check_invited_address(address: str) -> None:
    if not is_address(normal_address(address)):
        raise InvalidInput("Cette adresse n’est pas complète. Exemple : prenom.nom@lycee.fr")


@dataclass(frozen=True, eq=False)
class Memberships:
    team: TeamStore
    campuses: CampusStore
    operators: OperatorStore
    history: HistoryStore
    clock: Clock

    def of(self, campus: Campus, person: Person) -> frozenset[Role]:
        return roles_at(self.team.memberships(campus.id, person.id), campus.id, at=self.clock())

    def lock_as(self, campus: Campus, by: Actor) -> None:
        """Serialises changes of a team; refuses who stopped administering it while they waited."""
        self.campuses.lock(campus.id)
        if by.person_id is not None and self.operators.find(by.person_id) is None:
            rows = self.team.memberships(campus.id, by.person_id)
            check_may(roles_at(rows, campus.id, at=self.clock()), Permission.MANAGE)

    def give(self, campus: Campus, person: Person, role: Role, *, by: Actor) -> None:
        """Idempotent: a role that the person already has stays unchanged."""
        at, rows = self.clock(), self.team.memberships(campus.id, person.id)
        if role in roles_at(rows, campus.id, at=at):
            return
        had = [each for each in rows if each.role is role]
        membership = had[0] if had else Membership(
            person_id=person.id, campus_id=campus.id, role=role, since=at
        )  # fmt: skip
        membership.since, membership.until = at, None
        self.team.add(membership)
        self._note("join", campus, person, membership, by)

    def take_back(self, campus: Campus, person: Person, role: Role, *, by: Actor) -> None:
        """Effective when this transaction commits: roles are read again on each request."""
        rows = self.team.memberships(campus.id, person.id)
        had = roles_at(rows, campus.id, at=self.clock())
        for membership in rows:
            if membership.role is role and role in had:
                membership.until = self.clock()
                self.team.add(membership)
                self._note("leave", campus, person, membership, by)

    def _note(self, action: str, campus: Campus, person: Person, membership: Membership, by: Actor) -> None:
        self.history.write(
            by,
            action,
            "membership",
            membership.id,
            at=self.clock(),
            campus_id=campus.id,
            role=membership.role.value,
            person=str(person.id),
        )


class SignInFirst(Conflict):
    """The invited address belongs to an existing account: the recipient must sign in to accept."""


@dataclass(frozen=True)
class Waiting:
    """An unanswered invitation, with the delivery state of its e-mail."""

    invitation: Invitation
    state: InvitationState
    letter: QueuedMessage | None

    @property
    def is_refused(self) -> bool:
        return self.letter is not None and self.letter.state is LetterState.REFUSED


@dataclass(frozen=True)
class OpenInvitation:
    invitation: Invitation
    campus: Campus
    inviter: Person | None
    is_known: bool
    """Whether an account of the address, other than an unproved one of a child, can be entered from it."""


@dataclass(frozen=True, eq=False)
class InvitationService:
    team: TeamStore
    people: PeopleStore
    own_addresses: OwnAddressStore
    campuses: CampusStore
    letters: LetterStore
    history: HistoryStore
    sessions: SessionService
    memberships: Memberships
    secret: bytes
    clock: Clock

    # --- for the campus

    @staticmethod
    def faults_of(address: str, roles: Collection[Role], *, days: int) -> dict[str, AppError]:
        """Of each field that has one."""
        return faults_of_fields(
            {
                "address": lambda: check_invited_address(normal_address(address)),
                "roles": lambda: check_roles(roles),
                "days": lambda: check_days(days),
            }
        )

    def invite(
        self, campus: Campus, address: str, roles: Collection[Role], *, days: int, by: Actor
    ) -> Invitation:
        """Create the invitation and enqueue one e-mail; does not reveal whether the address is known."""
        for fault in self.faults_of(address, roles, days=days).values():
            raise fault
        address = normal_address(address)
        self.memberships.lock_as(campus, by)
        waiting = self.team.unanswered(campus.id)
        if any(each.address == address for each in waiting):
            raise Conflict(
                "Une invitation a déjà été envoyée à cette adresse : renvoyez-la ou retirez-la, plus bas."
            )
        if len(waiting) >= MOST_WAITING:
            raise Conflict(
                "{most} invitations attendent déjà. Retirez celles qui ne servent plus.",
                most=MOST_WAITING,
            )
        at = self.clock()
        invitation = Invitation(
            campus_id=campus.id,
            address=address,
            roles=[role.value for role in Role if role in roles],
            days=days,
            invited_by=by.person_id,
            created_at=at,
            expires_at=at + timedelta(days=days),
        )
        self.team.add(invitation)
        self._enqueue(invitation, at)
        self._note("invite", invitation, by, roles=invitation.roles)
        return invitation

    def resend(self, campus: Campus, invitation_id: uuid.UUID, *, by: Actor) -> None:
        """Send a new e-mail with a new link, valid for as long as the first one was."""
        invitation, at = self._of(campus, invitation_id), self.clock()
        renew(invitation, at=at)
        self.team.add(invitation)
        self._enqueue(invitation, at)
        self._note("resend", invitation, by)

    def withdraw(self, campus: Campus, invitation_id: uuid.UUID, *, by: Actor) -> None:
        """Idempotent."""
        invitation = self._of(campus, invitation_id)
        if invitation.withdrawn_at is not None:
            return
        check_unanswered(invitation)
        invitation.withdrawn_at = self.clock()
        self.team.add(invitation)
        self._note("withdraw", invitation, by)

    def withdraw_those_by(self, campus: Campus, person_id: uuid.UUID, *, by: Actor) -> None:
        """Of a former administrator: one to another mailbox of theirs would let them back in."""
        for invitation in self.team.unanswered(campus.id):
            if invitation.invited_by == person_id:
                self.withdraw(campus, invitation.id, by=by)

    def waiting(self, campus: Campus) -> list[Waiting]:
        invitations = self.team.unanswered(campus.id)
        newest = self.letters.newest_about([each.id for each in invitations])
        return [
            Waiting(each, each.state(at=self.clock()), newest.get(each.id)) for each in invitations
        ]  # fmt: skip

    def _of(self, campus: Campus, invitation_id: uuid.UUID) -> Invitation:
        invitation = self.team.lock_invitation(invitation_id)
        if invitation is None or invitation.campus_id != campus.id:
            raise NotFound("Cette invitation n’existe pas ici.")
        return invitation

    def _enqueue(self, invitation: Invitation, at: datetime) -> None:
        self.letters.enqueue_many(
            [
                letter_to(
                    invitation.address,
                    Occasion.INVITATION,
                    invitation.id,
                    once=str(invitation.generation),
                    campus_id=invitation.campus_id,
                    at=at,
                )
            ]
        )

    def _note(self, action: str, invitation: Invitation, by: Actor, **facts: object) -> None:
        self.history.write(
            by, action, "invitation", invitation.id, at=self.clock(), campus_id=invitation.campus_id, **facts
        )

    # --- for the holder of the link

    def is_for(self, invitation: Invitation, person: Person) -> bool:
        """Whether the invited address is one that this person has verified."""
        own = self.own_addresses.list_of(person.id)
        return any(row.address == invitation.address and row.verified_at is not None for row in own)

    def token_of(self, invitation: Invitation) -> str:
        return f"{invitation.id}.{invitation.generation}.{invitation_proof(self.secret, invitation)}"

    def open(self, token: str) -> OpenInvitation:
        """What the link offers; read-only."""
        return self._opened(self._held(token, to_answer=False))

    def accept(
        self,
        token: str,
        browser: Browser,
        *,
        given_name: str = "",
        family_name: str = "",
    ) -> NewSession | None:
        """Add the signed-in person, or else the reader of the invited address, for whom a session is opened.

        A person signed in under another address does not get the invited address: e-mails are forwarded.
        """
        invitation = self._held(token, to_answer=True)
        opened = self._opened(invitation)
        check_works(opened.campus)
        session = None
        if browser.here is not None:
            person = browser.here.person
        elif opened.is_known:
            raise SignInFirst(_KNOWN_HERE)
        else:
            check_name(given_name, family_name)
            check_own_name(given_name, family_name)
            person = self._newcomer(invitation, given_name, family_name)
            session = self.sessions.enter(person.id, Proof.LINK, browser)
        self._check_invited_by_another(invitation, person)
        by = Actor(person.id)
        for role in invitation.offered:
            self.memberships.give(opened.campus, person, role, by=by)
        invitation.accepted_at, invitation.accepted_by = self.clock(), person.id
        self.team.add(invitation)
        self._note("accept", invitation, by)
        return session

    def _check_invited_by_another(self, invitation: Invitation, person: Person) -> None:
        if invitation.invited_by is None:
            return
        with self.own_addresses.tenant_scope.across_campuses():
            same = self.own_addresses.same_person(person.id)
            own = [row.address for row in self.own_addresses.list_of(invitation.invited_by)]
        if invitation.invited_by in same or is_own_address(invitation.address, own):
            raise InvalidInput(
                "On ne se donne pas un rôle à soi-même : une autre personne de l’administration le donne."
            )

    def _newcomer(self, invitation: Invitation, given_name: str, family_name: str) -> Person:
        at = self.clock()
        named = self.people.find_named_at(invitation.address, name_key(given_name, family_name))
        if named is not None and self.own_addresses.holds(named.id):
            raise SignInFirst(_KNOWN_HERE)
        return self.own_addresses.owner_of(
            Person(given_name=given_name, family_name=family_name, created_at=at), invitation.address, at=at
        )

    def _held(self, token: str, *, to_answer: bool) -> Invitation:
        name, _, rest = token.partition(".")
        generation, _, proof = rest.partition(".")
        try:
            find = self.team.lock_invitation if to_answer else self.team.find_invitation
            invitation = find(uuid.UUID(name))
        except ValueError:
            invitation = None
        # The proof covers the generation, which distinguishes an outdated link from a forged one.
        if invitation is None or not self._proves(invitation, generation, proof):
            raise NotFound("Ce lien n’ouvre aucune invitation. Vérifiez qu’il est entier.")
        check_opens(invitation, generation=int(generation), at=self.clock())
        return invitation

    def _proves(self, invitation: Invitation, generation: str, proof: str) -> bool:
        if not (generation.isascii() and generation.isdecimal() and len(generation) <= 6):
            return False
        number = int(generation)
        if number > invitation.generation:
            return False
        of_then = invitation.model_copy(update={"generation": number})
        return secrets.compare_digest(proof.encode(), invitation_proof(self.secret, of_then).encode())

    def _opened(self, invitation: Invitation) -> OpenInvitation:
        address = invitation.address
        known = self.own_addresses.entered_from(address, at=self.clock())
        inviter = self.people.get(invitation.invited_by) if invitation.invited_by else None
        return OpenInvitation(
            invitation,
            self.campuses.get_by_id(invitation.campus_id),
            inviter,
            # Badges of children are at the address of a parent, who is another person.
            any(not each.is_minor or self.own_addresses.is_proved_by(each.id, address) for each in known),
        )


@dataclass(frozen=True, eq=False)
class HandedLinks:
    operators: OperatorStore
    team: TeamStore
    own_addresses: OwnAddressStore
    sign_in: SignInService
    history: HistoryStore
    clock: Clock

    def of_operator(self, person_id: uuid.UUID, *, by: Actor) -> str:
        """The secret of a sign-in link for an operator of the service; raises NotFound for others."""
        if self.operators.find(person_id) is None:
            raise NotFound("Cette personne n’exploite pas ce service.")
        self.history.write(by, "hand_link", "operator", person_id, at=self.clock())
        return self.sign_in.make_link(person_id, by=by)

    def of_administrator(self, campus: Campus, address: str, *, by: Actor) -> tuple[Person, str]:
        """The person and the secret; for a current administrator only. The campus history records it."""
        person = self._administrator(campus, normal_address(address))
        at = self.clock()
        self.history.write(by, "hand_link", "person", person.id, at=at, campus_id=campus.id)
        return person, self.sign_in.make_link(person.id, by=by)

    def _administrator(self, campus: Campus, address: str) -> Person:
        members = self.team.members(campus.id, at=self.clock())
        found = [person for membership, person in members if membership.role is Role.CAMPUS_ADMIN]
        if address:
            found = [
                person
                for person in found
                if address in {row.address for row in self.own_addresses.list_of(person.id)}
            ]
        if not found:
            raise NotFound("Personne n’administre ce campus avec cette adresse : invitez quelqu’un.")
        if len(found) > 1:
            raise InvalidInput("Plusieurs personnes administrent ce campus : donnez une adresse.")
        return found[0]
