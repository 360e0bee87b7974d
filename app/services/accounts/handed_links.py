"""A way in that an operator hands to an administrator when no letter arrives: one link, once, and the history says so."""

from __future__ import annotations

import uuid

from app.db.accounts.operators import OperatorStore
from app.db.accounts.own_addresses import OwnAddressStore
from app.db.campus.history import HistoryStore
from app.db.campus.team import TeamStore
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.people.people import Person, Role, normal_address
from app.errors import InvalidInput, NotFound
from app.language import N_
from app.services.accounts.sign_in import SignInService


class HandedLinks:
    def __init__(
        self,
        operators: OperatorStore,
        team: TeamStore,
        own_addresses: OwnAddressStore,
        sign_in: SignInService,
        history: HistoryStore,
        clock: Clock,
    ) -> None:
        self.operators = operators
        self.team = team
        self.own_addresses = own_addresses
        self.sign_in = sign_in
        self.history = history
        self.clock = clock

    def of_operator(self, person_id: uuid.UUID, *, by: Actor) -> str:
        """The secret of a link; only for whoever runs the service."""
        if self.operators.find(person_id) is None:
            raise NotFound(N_("Cette personne n’exploite pas ce service."))
        self.history.write(by, "hand_link", "operator", person_id, at=self.clock())
        return self.sign_in.make_link(person_id, by=by)

    def of_administrator(self, campus: Campus, address: str, *, by: Actor) -> tuple[Person, str]:
        """Who it is for, and the secret; only for an administrator of the campus today, who reads of it there."""
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
            raise NotFound(N_("Personne n’administre ce campus avec cette adresse : invitez quelqu’un."))
        if len(found) > 1:
            raise InvalidInput(N_("Plusieurs personnes administrent ce campus : donnez une adresse."))
        return found[0]
