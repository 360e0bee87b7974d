"""Roles given and taken back, each with its entry in the history."""

from __future__ import annotations

from app.db.campus.history import HistoryStore
from app.db.campus.team import TeamStore
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.people.people import Membership, Person, Role, roles_at


class Memberships:
    def __init__(self, team: TeamStore, history: HistoryStore, clock: Clock) -> None:
        self.team = team
        self.history = history
        self.clock = clock

    def of(self, campus: Campus, person: Person) -> frozenset[Role]:
        return roles_at(self.team.memberships(campus.id, person.id), campus.id, at=self.clock())

    def give(self, campus: Campus, person: Person, role: Role, *, by: Actor) -> None:
        """The role from now on; whoever has it already keeps it as it is."""
        at = self.clock()
        if role in self.of(campus, person):
            return
        had = [each for each in self.team.memberships(campus.id, person.id) if each.role is role]
        membership = had[0] if had else Membership(
            person_id=person.id, campus_id=campus.id, role=role, since=at
        )  # fmt: skip
        membership.since, membership.until = at, None
        self.team.add(membership)
        self._note("join", campus, person, membership, by)

    def take_back(self, campus: Campus, person: Person, role: Role, *, by: Actor) -> None:
        """Gone with the end of this transaction: rights are read anew for each request."""
        for membership in self.team.memberships(campus.id, person.id):
            if membership.role is role and role in self.of(campus, person):
                membership.until = self.clock()
                self.team.add(membership)
                self._note("leave", campus, person, membership, by)

    def _note(self, deed: str, campus: Campus, person: Person, membership: Membership, by: Actor) -> None:
        self.history.write(
            by,
            deed,
            "membership",
            membership.id,
            at=self.clock(),
            campus_id=campus.id,
            role=membership.role.value,
            person=str(person.id),
        )
