"""The team of a campus: who is in it, with which roles, and who leaves it."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from app.db.accounts.own_addresses import OwnAddressStore
from app.db.accounts.sessions import SessionStore
from app.db.campus.campus import CampusStore
from app.db.campus.team import TeamStore
from app.db.people.people import PeopleStore
from app.domain.accounts.account_changes import Changed
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.campus.team import check_administrator_stays, check_roles
from app.domain.core.clock import Clock
from app.domain.people.people import Person, Role
from app.errors import Conflict, NotFound
from app.language import N_
from app.services.accounts.account_notices import AccountNotices
from app.services.accounts.memberships import Memberships


@dataclass(frozen=True)
class Member:
    person: Person
    roles: tuple[Role, ...]
    since: datetime
    address: str
    seen_at: datetime | None
    has_passkey: bool


class TeamService:
    def __init__(
        self,
        team: TeamStore,
        people: PeopleStore,
        campuses: CampusStore,
        sessions: SessionStore,
        own_addresses: OwnAddressStore,
        memberships: Memberships,
        notices: AccountNotices,
        clock: Clock,
    ) -> None:
        self.team = team
        self.people = people
        self.campuses = campuses
        self.sessions = sessions
        self.own_addresses = own_addresses
        self.memberships = memberships
        self.notices = notices
        self.clock = clock

    def members(self, campus: Campus) -> list[Member]:
        found: dict[uuid.UUID, tuple[Person, dict[Role, datetime]]] = {}
        for membership, person in self.team.members(campus.id, at=self.clock()):
            found.setdefault(person.id, (person, {}))[1][membership.role] = membership.since
        people = list(found)
        addresses, seen = self.people.addresses_of(people), self.team.last_seen(people)
        with_passkey = self.team.with_passkey(people)
        return [
            Member(
                person,
                tuple(role for role in Role if role in roles),
                min(roles.values()),
                addresses.get(person.id, ""),
                seen.get(person.id),
                person.id in with_passkey,
            )
            for person, roles in found.values()
        ]

    def member(self, campus: Campus, person_id: uuid.UUID) -> Member:
        """Somebody who works elsewhere, or no more, is as good as absent (T01)."""
        member = next((each for each in self.members(campus) if each.person.id == person_id), None)
        if member is None:
            raise NotFound(N_("Cette personne n’est pas dans l’équipe."))
        return member

    def set_roles(self, campus: Campus, person_id: uuid.UUID, roles: Collection[Role], *, by: Actor) -> None:
        """These roles and no others."""
        check_roles(roles)
        # One change of the team after the other: two administrators who demote each other leave one.
        self.campuses.lock(campus.id)
        member = self.member(campus, person_id)
        if Role.CAMPUS_ADMIN not in roles:
            self._check_administrator_stays(campus, person_id)
        self._check_not_oneself(member, roles, by)
        for role in Role:
            if role in roles:
                self.memberships.give(campus, member.person, role, by=by)
            elif role in member.roles:
                self.memberships.take_back(campus, member.person, role, by=by)
        if set(roles) != set(member.roles):
            self._tell(campus, member.person, Changed.ROLES_CHANGED, by)

    def _check_not_oneself(self, member: Member, roles: Collection[Role], by: Actor) -> None:
        """Nobody gives themselves a role, such as the protection of data that is to watch over their own work."""
        if by.person_id is None or set(roles) <= set(member.roles):
            return
        with self.own_addresses.reach.across_campuses():
            same = self.own_addresses.same_person(by.person_id)
        if member.person.id in same:
            raise Conflict(
                N_("On ne se donne pas un rôle à soi-même : une autre personne de l’administration le donne.")
            )

    def remove(self, campus: Campus, person_id: uuid.UUID, *, by: Actor) -> Person:
        self.campuses.lock(campus.id)
        member = self.member(campus, person_id)
        self._check_administrator_stays(campus, person_id)
        for role in member.roles:
            self.memberships.take_back(campus, member.person, role, by=by)
        if not self.team.works_anywhere(person_id, at=self.clock()):
            self.sessions.end_all_of(person_id)
        self._tell(campus, member.person, Changed.LEFT_TEAM, by)
        return member.person

    def _tell(self, campus: Campus, person: Person, changed: Changed, by: Actor) -> None:
        if by.person_id != person.id:
            self.notices.tell(person, changed, named=[campus.name], campus_id=campus.id)

    def _check_administrator_stays(self, campus: Campus, leaving: uuid.UUID) -> None:
        check_administrator_stays(self.team.administrators(campus.id, at=self.clock()), leaving)
