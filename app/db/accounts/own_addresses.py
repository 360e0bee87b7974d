"""Addresses that are people's own: proved by them, put in order, and what a letter to one of them opens."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from app.db.engine.bulk import IN_ONE_QUERY
from app.db.people.people import PeopleStore
from app.domain.accounts.federation import FederatedAccount
from app.domain.accounts.operators import Operator
from app.domain.accounts.passkeys import Passkey
from app.domain.accounts.sign_in import Password
from app.domain.awards.awards import Award
from app.domain.people.merging import PersonMerge
from app.domain.people.people import Membership, Person, PersonAddress, name_key
from app.tenancy.scope import Reach, rows_named_outside


class OwnAddressStore:
    def __init__(self, session: Session, people: PeopleStore) -> None:
        self.session = session
        self.people = people
        self.reach = Reach(session)

    def list_of(self, person_id: uuid.UUID) -> list[PersonAddress]:
        """One row for each address, the main one first; a person known under two names has two rows of each."""
        rows = self.session.exec(
            select(PersonAddress)
            .where(PersonAddress.person_id == person_id)
            .order_by(
                col(PersonAddress.is_main).desc(),
                col(PersonAddress.verified_at).is_(None),
                col(PersonAddress.verified_at),
                col(PersonAddress.address),
            )
        )
        found: dict[str, PersonAddress] = {}
        for row in rows:
            found.setdefault(row.address, row)
        return list(found.values())

    def has_account(self, person_id: uuid.UUID) -> bool:
        """Whether the person proved an address: from then on only they add others."""
        query = select(PersonAddress.id).where(
            PersonAddress.person_id == person_id, col(PersonAddress.verified_at).is_not(None)
        )
        return self.session.exec(query.limit(1)).first() is not None

    def is_plain(self, person_id: uuid.UUID) -> bool:
        """Nobody who ever worked for a campus, or runs the service: their way in is never a first come, first served."""
        worked = select(Membership.id).where(Membership.person_id == person_id).limit(1)
        with self.reach.across_campuses():
            has_worked = self.session.exec(worked).first() is not None
        return not has_worked and self.session.get(Operator, person_id) is None

    def same_person(self, person_id: uuid.UUID) -> set[uuid.UUID]:
        """Every record of that person: merged with theirs, or opened from an address that either of both proved."""
        merged = select(PersonMerge.gone_id).where(
            PersonMerge.kept_id == person_id, col(PersonMerge.undone_at).is_(None)
        )
        found = {person_id, *self.session.exec(merged)}
        person = self.people.get(person_id)
        for row in self.list_of(person_id):
            mine = row.verified_at is not None
            for other, proved in self.people_at(row.address):
                is_same = (mine and self._may_enter(other, proved)) or (
                    proved and self._may_enter(person, mine)
                )
                if other.id not in found and is_same:
                    found.add(other.id)
        return found

    def with_account_or_role(self, person_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """Those who have an account, or have or had a role at any campus: what opens a badge of theirs goes to them alone."""
        proved = select(PersonAddress.person_id).where(col(PersonAddress.verified_at).is_not(None))
        queries = (
            (proved, PersonAddress.person_id),
            *(
                (select(kind.person_id), kind.person_id)
                for kind in (Password, Passkey, FederatedAccount, Membership, Operator)
            ),
        )
        found, ids = set[uuid.UUID](), list(person_ids)
        with self.reach.across_campuses():
            for start in range(0, len(ids), IN_ONE_QUERY):
                some = ids[start : start + IN_ONE_QUERY]
                for query, column in queries:
                    found.update(self.session.exec(query.where(col(column).in_(some)).distinct()))
        return found

    def is_proved_by(self, person_id: uuid.UUID, address: str) -> bool:
        return any(row.verified_at is not None for row in self.rows_of(person_id, address))

    def works(self, person_id: uuid.UUID, *, at: datetime) -> bool:
        query = select(Membership.id).where(
            Membership.person_id == person_id,
            col(Membership.since) <= at,
            (col(Membership.until).is_(None)) | (col(Membership.until) > at),
        )
        return (
            self.session.exec(query.limit(1)).first() is not None
            or self.session.get(Operator, person_id) is not None
        )

    def people_at(self, address: str) -> list[tuple[Person, bool]]:
        """Everybody known at that address, with whether they proved it."""
        rows = self.session.exec(
            select(Person, PersonAddress)
            .join(PersonAddress, col(PersonAddress.person_id) == col(Person.id))
            .where(PersonAddress.address == address)
            .order_by(col(Person.created_at), col(Person.id))
        )
        people, proved = dict[uuid.UUID, Person](), dict[uuid.UUID, bool]()
        for person, row in rows:
            people[person.id] = person
            proved[person.id] = proved.get(person.id, False) or row.verified_at is not None
        return [(person, proved[person.id]) for person in people.values()]

    def may_enter(self, person: Person, address: str) -> bool:
        """Whether a letter to `address` may open the account of `person`.

        What a trainer of any campus listed makes the first way in of somebody who has none, and adds none later.
        """
        proved = next((proved for one, proved in self.people_at(address) if one.id == person.id), None)
        return self._may_enter(person, proved is True)

    def entered_from(self, address: str, *, at: datetime) -> list[Person]:
        """Those whose account a letter to that address opens, and who have something to see there."""
        return [
            person
            for person, proved in self.people_at(address)
            if self._may_enter(person, proved) and (self.works(person.id, at=at) or self._holds(person.id))
        ]

    def _may_enter(self, person: Person, proved: bool) -> bool:
        return proved or (not self.has_account(person.id) and self.is_plain(person.id))

    def _holds(self, person_id: uuid.UUID) -> bool:
        query = select(Award.id).where(Award.person_id == person_id).limit(1)
        with rows_named_outside(self.session):
            return self.session.exec(query).first() is not None

    def rows_of(self, person_id: uuid.UUID, address: str) -> Sequence[PersonAddress]:
        query = select(PersonAddress).where(
            PersonAddress.person_id == person_id, PersonAddress.address == address
        )
        return self.session.exec(query).all()

    def verify(self, person: Person, address: str, *, at: datetime) -> bool:
        """The address is proved to be the person's own, and their main one if it is the first; whether that is new."""
        rows, first = self.rows_of(person.id, address), not self.has_account(person.id)
        is_new = all(row.verified_at is None for row in rows)
        for row in rows:
            row.verified_at = row.verified_at or at
            row.is_main = row.is_main or first
            self.session.add(row)
        self.session.flush()
        return is_new

    def make_main(self, person_id: uuid.UUID, address: str) -> bool:
        """Whether that changed anything."""
        rows = self.session.exec(select(PersonAddress).where(PersonAddress.person_id == person_id)).all()
        changed = any(row.is_main != (row.address == address) for row in rows)
        for row in rows:
            row.is_main = row.address == address
            self.session.add(row)
        self.session.flush()
        return changed

    def remove(self, person_id: uuid.UUID, address: str) -> None:
        """Should it have been the main one, the oldest of the others that are proved takes its place."""
        was_main = any(row.is_main for row in self.rows_of(person_id, address))
        for row in self.rows_of(person_id, address):
            self.session.delete(row)
        self.session.flush()
        left = [row for row in self.list_of(person_id) if row.verified_at is not None]
        if was_main and left:
            self.make_main(person_id, left[0].address)

    def owner_of(self, person: Person, address: str, *, at: datetime) -> Person:
        """Whoever has just been shown to own `address`, under the name of `person`.

        Where a list had put that address and name beside somebody who proved other addresses, or who works for a
        campus, it is taken from there: nobody comes into another's account by what a trainer wrote.
        """
        key = name_key(person.given_name, person.family_name)
        known = self.people.find_named_at(address, key)
        if known is None or self.may_enter(known, address):
            owner = known or self.people.get_or_add(person, address)
        else:
            self.people.save(person)
            for row in self.rows_of(known.id, address):
                if row.name_key == key:
                    row.person_id, row.is_main = person.id, False
                    self.session.add(row)
            owner = person
        self.verify(owner, address, at=at)
        return owner
