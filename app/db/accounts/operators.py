"""Operators of the service."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlmodel import Session, col, select

from app.domain.accounts.operators import Operator
from app.domain.people.people import Person


class OperatorStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def find(self, person_id: uuid.UUID) -> Operator | None:
        return self.session.get(Operator, person_id)

    def add(self, operator: Operator) -> None:
        self.session.add(operator)
        self.session.flush()

    def remove(self, operator: Operator) -> None:
        self.session.delete(operator)
        self.session.flush()

    def list_all(self) -> Sequence[Person]:
        query = select(Person).join(Operator, col(Operator.person_id) == col(Person.id))
        return self.session.exec(query.order_by(col(Person.family_name), col(Person.id))).all()
