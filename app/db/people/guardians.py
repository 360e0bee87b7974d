"""What parents were asked and said."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlmodel import Session, col, select

from app.domain.awards.awards import Award, Visibility
from app.domain.people.guardians import ParentAgreement
from app.errors import NotFound
from app.language import N_


class GuardianStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def save(self, agreement: ParentAgreement) -> None:
        self.session.add(agreement)
        self.session.flush()

    def find(self, agreement_id: uuid.UUID) -> ParentAgreement | None:
        return self.session.get(ParentAgreement, agreement_id)

    def get(self, agreement_id: uuid.UUID) -> ParentAgreement:
        found = self.find(agreement_id)
        if found is None:
            raise NotFound(N_("Ce lien ne mène à aucune demande. Vérifiez qu’il est entier."))
        return found

    def newest_about(self, award_id: uuid.UUID) -> ParentAgreement | None:
        query = select(ParentAgreement).where(ParentAgreement.award_id == award_id)
        query = query.order_by(col(ParentAgreement.asked_at).desc(), col(ParentAgreement.id))
        return self.session.exec(query.limit(1)).first()

    def open_awards_of(self, person_id: uuid.UUID) -> Sequence[Award]:
        query = select(Award).where(Award.person_id == person_id, Award.visibility == Visibility.OPEN)
        return self.session.exec(query.order_by(col(Award.id))).all()
