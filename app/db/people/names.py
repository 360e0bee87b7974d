"""Names that people ask for, and the keys under which lists find them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlmodel import Session, col, func, select

from app.domain.awards.awards import Award, AwardState
from app.domain.people.names import NameWish
from app.domain.people.people import Person, PersonAddress, name_key
from app.errors import NotFound
from app.language import N_


class NameStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, wish: NameWish) -> None:
        self.session.add(wish)
        self.session.flush()

    def remove(self, wish: NameWish) -> None:
        self.session.delete(wish)
        self.session.flush()

    def find(self, wish_id: uuid.UUID) -> NameWish | None:
        return self.session.get(NameWish, wish_id)

    def lock_in_campus(self, wish_id: uuid.UUID, campus_id: uuid.UUID) -> NameWish:
        query = select(NameWish).where(NameWish.id == wish_id, NameWish.campus_id == campus_id)
        wish = self.session.exec(query.with_for_update()).first()
        if wish is None:
            raise NotFound(N_("Cette demande n’existe pas ici."))
        return wish

    def waiting_in(self, campus_id: uuid.UUID) -> Sequence[tuple[NameWish, Person]]:
        query = (
            select(NameWish, Person)
            .join(Person, col(Person.id) == col(NameWish.person_id))
            .where(NameWish.campus_id == campus_id, col(NameWish.decided_at).is_(None))
            .order_by(col(NameWish.asked_at), col(NameWish.id))
            .limit(200)
        )
        return self.session.exec(query).all()

    def count_waiting(self, campus_id: uuid.UUID, *, limit: int) -> int:
        few = (
            select(NameWish.id)
            .where(NameWish.campus_id == campus_id, col(NameWish.decided_at).is_(None))
            .limit(limit)
        )
        return self.session.exec(select(func.count()).select_from(few.subquery())).one()

    def of_person(self, person_id: uuid.UUID) -> Sequence[NameWish]:
        """The latest first."""
        query = select(NameWish).where(NameWish.person_id == person_id)
        return self.session.exec(query.order_by(col(NameWish.asked_at).desc(), col(NameWish.id))).all()

    def named_awards(self, person_id: uuid.UUID, campus_id: uuid.UUID | None = None) -> list[Award]:
        """Badges that count and that say a name of this person; of every campus unless one is named."""
        query = select(Award).where(
            Award.person_id == person_id,
            Award.state == AwardState.ISSUED,
            col(Award.holder_name).is_not(None),
        )
        if campus_id is not None:
            query = query.where(Award.campus_id == campus_id)
        return list(self.session.exec(query.order_by(col(Award.campus_id), col(Award.id)).with_for_update()))

    def rename(self, person: Person, given_name: str, family_name: str) -> None:
        """Lists that still say the former name find the person as well as those that say the new one."""
        person.given_name, person.family_name = given_name, family_name
        self.session.add(person)
        self.session.flush()
        key = name_key(given_name, family_name)
        known: dict[str, PersonAddress] = {}
        for row in self.session.exec(select(PersonAddress).where(PersonAddress.person_id == person.id)):
            known.setdefault(row.address, row)
        for address, row in known.items():
            taken = select(PersonAddress.id).where(
                PersonAddress.address == address, PersonAddress.name_key == key
            )
            if self.session.exec(taken).first() is None:
                self.session.add(
                    PersonAddress(
                        person_id=person.id,
                        address=address,
                        name_key=key,
                        verified_at=row.verified_at,
                        is_main=row.is_main,
                    )
                )
        self.session.flush()
