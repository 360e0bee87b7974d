"""People, their addresses and roles."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select

from app.db.engine.bulk import among
from app.domain.accounts.operators import Operator
from app.domain.campus.campus import Campus
from app.domain.core.columns import neighbouring_ids
from app.domain.people.people import Membership, Person, PersonAddress, Role, name_key
from app.errors import NotFound
from app.language import N_

THE_ADDRESS_FIRST: Final = (
    col(PersonAddress.is_main).desc(),
    col(PersonAddress.verified_at).is_(None),
    col(PersonAddress.address),
)
"""Of a person's addresses the one that letters go to comes first."""


class PeopleStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, person_id: uuid.UUID) -> Person:
        person = self.session.get(Person, person_id)
        if person is None:
            raise NotFound(N_("Cette personne n’existe pas ici."))
        return person

    def save(self, person: Person) -> None:
        self.session.add(person)
        self.session.flush()

    def list_by_id(self, person_ids: Iterable[uuid.UUID]) -> list[Person]:
        ids, found = list(person_ids), list[Person]()
        for start in range(0, len(ids), 500):
            found += self.session.exec(select(Person).where(col(Person.id).in_(ids[start : start + 500])))
        return found

    def find_named_at(self, address: str, key: str) -> Person | None:
        """The person of that name at that address, if we know them."""
        return self.session.exec(
            select(Person)
            .join(PersonAddress, col(PersonAddress.person_id) == col(Person.id))
            .where(PersonAddress.address == address, PersonAddress.name_key == key)
        ).first()

    def list_named_at(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Person]:
        """The known people among many (address, name key) pairs, in few queries."""
        wanted = set(pairs)
        addresses = sorted({address for address, _ in wanted if address})
        found: dict[tuple[str, str], Person] = {}
        for start in range(0, len(addresses), 500):
            rows = self.session.exec(
                select(PersonAddress, Person)
                .join(Person, col(Person.id) == col(PersonAddress.person_id))
                .where(col(PersonAddress.address).in_(addresses[start : start + 500]))
            )
            for address, person in rows:
                if (address.address, address.name_key) in wanted:
                    found[address.address, address.name_key] = person
        return found

    def get_or_add(self, person: Person, address: str) -> Person:
        """Keep `person`, unless somebody of that name at that address came first, even a moment ago."""
        key = _key_of(person)
        known = self.find_named_at(address, key) if address else None
        if known is not None:
            return known
        try:
            with self.session.begin_nested():
                self.session.add(person)
                self.session.flush()
                if address:
                    self.session.add(_address_row(person, address))
                    self.session.flush()
        except IntegrityError:
            first = self.find_named_at(address, key)
            if first is None:
                raise
            return first
        return person

    def get_or_add_all(self, asked: Sequence[tuple[Person, str]]) -> list[Person]:
        """`get_or_add` for many (person, address) pairs, in few statements unless somebody came between."""
        known = self.list_named_at((address, _key_of(person)) for person, address in asked if address)
        found = [known.get((address, _key_of(person))) for person, address in asked]
        new = [pair for pair, person in zip(asked, found, strict=True) if person is None]
        for (person, _), number in zip(new, neighbouring_ids(len(new)), strict=True):
            person.id = number
        try:
            with self.session.begin_nested():
                self.session.add_all([person for person, _ in new])
                self.session.flush()
                self.session.add_all([_address_row(person, address) for person, address in new if address])
                self.session.flush()
        except IntegrityError:
            return [self.get_or_add(person, address) for person, address in asked]
        return [known_person or person for known_person, (person, _) in zip(found, asked, strict=True)]

    def add_address(self, person: Person, address: str) -> None:
        """One more address of somebody; the same one again, or a namesake's, changes nothing."""
        if self.find_named_at(address, _key_of(person)) is None:
            self.session.add(_address_row(person, address))
            self.session.flush()

    def forget_unverified(self, person: Person, addresses: Iterable[str]) -> None:
        """Addresses that only a list named, and that turned out to be nobody's."""
        self.session.exec(
            delete(PersonAddress).where(
                col(PersonAddress.person_id) == person.id,
                col(PersonAddress.address).in_(list(addresses)),
                col(PersonAddress.verified_at).is_(None),
            )
        )

    def addresses_of(self, person_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
        """One address for each person who has any: their main one, else a verified one."""
        found: dict[uuid.UUID, str] = {}
        query = select(PersonAddress.person_id, PersonAddress.address).where(
            among(self.session, col(PersonAddress.person_id), person_ids)
        )
        for person_id, address in self.session.exec(query.order_by(*THE_ADDRESS_FIRST)):
            found.setdefault(person_id, address)
        return found

    def all_addresses(self, person_id: uuid.UUID) -> list[str]:
        rows = self.session.exec(select(PersonAddress.address).where(PersonAddress.person_id == person_id))
        return sorted(set(rows))

    def find_staff_at(self, address: str, *, at: datetime) -> Person | None:
        """Somebody with a role in some campus today, or who runs the service, whose own address that is.

        What trainers of any campus list is no proof: an address that was not vouched for signs nobody in.
        """
        return next(iter(self.all_staff_at(address, at=at)), None)

    def all_staff_at(self, address: str, *, at: datetime) -> Sequence[Person]:
        """The same where several people share an address, the one known longest first."""
        works = select(Membership.person_id).where(
            col(Membership.since) <= at,
            (col(Membership.until).is_(None)) | (col(Membership.until) > at),
        )
        return self.session.exec(
            select(Person)
            .join(PersonAddress, col(PersonAddress.person_id) == col(Person.id))
            .where(
                PersonAddress.address == address,
                col(PersonAddress.verified_at).is_not(None),
                col(Person.id).in_(works) | col(Person.id).in_(select(Operator.person_id)),
            )
            .order_by(col(Person.created_at), col(Person.id))
            .distinct()
        ).all()

    def memberships_of(self, person_id: uuid.UUID) -> list[tuple[Membership, Campus]]:
        rows = self.session.exec(
            select(Membership, Campus)
            .join(Campus, col(Campus.id) == col(Membership.campus_id))
            .where(Membership.person_id == person_id)
            .order_by(col(Campus.short_name), col(Membership.role))
        )
        return [(membership, campus) for membership, campus in rows]

    def first_with_role(self, campus_id: uuid.UUID, role: Role, *, at: datetime) -> Person | None:
        return self.session.exec(
            select(Person)
            .join(Membership, col(Membership.person_id) == col(Person.id))
            .where(
                Membership.campus_id == campus_id,
                Membership.role == role,
                (col(Membership.until).is_(None)) | (col(Membership.until) > at),
            )
            .order_by(col(Membership.since), col(Person.id))
        ).first()


def _key_of(person: Person) -> str:
    return name_key(person.given_name, person.family_name)


def _address_row(person: Person, address: str) -> PersonAddress:
    return PersonAddress(person_id=person.id, address=address, name_key=_key_of(person))
