"""What operators of the service do: open a campus, invite its first administrator, suspend it; and no more."""

from __future__ import annotations

import uuid

from app.db.accounts.operators import OperatorStore
from app.db.accounts.own_addresses import OwnAddressStore
from app.db.campus.campus import CampusStore
from app.db.campus.history import HistoryStore
from app.domain.accounts.operators import Operator
from app.domain.campus.campus import Campus, check_names
from app.domain.campus.history import Actor
from app.domain.campus.team import Invitation
from app.domain.core.clock import Clock
from app.domain.people.people import Person, Role, check_name, is_address, normal_address
from app.errors import InvalidInput, NotFound
from app.language import N_
from app.services.accounts.invitations import InvitationService
from app.services.campus.campuses import CampusService

INVITATION_DAYS = 30


class OperatorService:
    def __init__(
        self,
        operators: OperatorStore,
        own_addresses: OwnAddressStore,
        campuses: CampusStore,
        campus_service: CampusService,
        invitations: InvitationService,
        history: HistoryStore,
        clock: Clock,
    ) -> None:
        self.operators = operators
        self.own_addresses = own_addresses
        self.campuses = campuses
        self.campus_service = campus_service
        self.invitations = invitations
        self.history = history
        self.clock = clock

    def is_operator(self, person_id: uuid.UUID) -> bool:
        return self.operators.find(person_id) is not None

    def add(self, given_name: str, family_name: str, address: str, *, by: Actor) -> Person:
        """Whoever runs the commands vouches for the address."""
        check_name(given_name, family_name)
        address, at = normal_address(address), self.clock()
        if not is_address(address):
            raise InvalidInput(N_("Cette adresse n’est pas complète. Exemple : prenom.nom@lycee.fr"))
        person = self.own_addresses.owner_of(
            Person(given_name=given_name, family_name=family_name, created_at=at), address, at=at
        )
        if self.operators.find(person.id) is None:
            self.operators.add(Operator(person_id=person.id, since=at))
            self.history.write(by, "join", "operator", person.id, at=at)
        return person

    def remove(self, person_id: uuid.UUID, *, by: Actor) -> None:
        operator = self.operators.find(person_id)
        if operator is None:
            raise NotFound(N_("Cette personne n’exploite pas ce service."))
        self.operators.remove(operator)
        self.history.write(by, "leave", "operator", person_id, at=self.clock())

    def open_campus(
        self, *, slug: str, name: str, short_name: str, administrator: str, by: Actor
    ) -> tuple[Campus, Invitation]:
        """A campus with its keys, and the letter that invites whoever will administer it."""
        check_names(name, short_name)
        campus = self.campus_service.create(
            Campus(slug=slug, did="", name=name, short_name=short_name, created_at=self.clock()), by=by
        )
        return campus, self.invite(campus, administrator, by=by)

    def invite(self, campus: Campus, address: str, *, by: Actor) -> Invitation:
        """One more administrator: the way back in for a campus whose own are gone."""
        invitation = self.invitations.invite(
            campus, address, [Role.CAMPUS_ADMIN], days=INVITATION_DAYS, by=by
        )
        self.history.write(
            by, "invite_administrator", "campus", campus.id, at=self.clock(), campus_id=campus.id
        )
        return invitation

    def suspend(self, slug: str, *, by: Actor) -> None:
        """Nobody works there, nor do its programs; what it signed stays good, and its pages stay."""
        campus = self.campuses.get(slug)
        if campus.suspended_at is None:
            campus.suspended_at = self.clock()
            self._keep(campus, "suspend", by)

    def resume(self, slug: str, *, by: Actor) -> None:
        campus = self.campuses.get(slug)
        if campus.suspended_at is not None:
            campus.suspended_at = None
            self._keep(campus, "resume", by)

    def _keep(self, campus: Campus, deed: str, by: Actor) -> None:
        self.campuses.add(campus)
        self.history.write(by, deed, "campus", campus.id, at=self.clock(), campus_id=campus.id)
