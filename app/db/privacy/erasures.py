"""What erasures leave behind: their own rows, and the numbers of awards that are gone."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlmodel import Session, col, func, select

from app.db.engine.bulk import insert_rows
from app.domain.awards.awards import Award
from app.domain.learners.portfolios import Portfolio
from app.domain.privacy.erasures import ERASED, ErasedAward, ErasedPortfolio, Erasure
from app.errors import Gone, NotFound
from app.language import N_


class ErasureStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, erasure: Erasure) -> None:
        self.session.add(erasure)
        self.session.flush()

    def get(self, erasure_id: uuid.UUID) -> Erasure:
        found = self.session.get(Erasure, erasure_id)
        if found is None:
            raise NotFound(N_("Il n’y a pas d’effacement sous cette référence."))
        return found

    def of_deed(self, deed: uuid.UUID) -> Sequence[Erasure]:
        """One for each campus that one request reached."""
        return self.session.exec(select(Erasure).where(Erasure.deed == deed).order_by(col(Erasure.id))).all()

    def list_of(self, campus_id: uuid.UUID, *, limit: int) -> Sequence[Erasure]:
        """The campus's, the latest first."""
        query = select(Erasure).where(Erasure.campus_id == campus_id)
        return self.session.exec(
            query.order_by(col(Erasure.done_at).desc(), col(Erasure.id)).limit(limit)
        ).all()

    def count(self, campus_id: uuid.UUID) -> int:
        query = select(func.count()).select_from(Erasure).where(Erasure.campus_id == campus_id)
        return self.session.exec(query).one()

    def awards_of(
        self, person_id: uuid.UUID, campus_ids: Collection[uuid.UUID]
    ) -> dict[uuid.UUID, uuid.UUID]:
        """The campus of each of somebody's awards there."""
        query = select(Award.id, Award.campus_id).where(
            Award.person_id == person_id, col(Award.campus_id).in_(campus_ids)
        )
        return dict(self.session.exec(query).all())

    def bury(self, awards: dict[uuid.UUID, uuid.UUID], *, at: datetime) -> None:
        """Before an award's signed credential may be deleted, its number is here."""
        insert_rows(
            self.session,
            [
                ErasedAward(award_id=award_id, campus_id=campus_id, erased_at=at)
                for award_id, campus_id in awards.items()
            ],
        )

    def bury_portfolios(self, person_id: uuid.UUID, *, at: datetime) -> None:
        found = self.session.exec(select(Portfolio.id).where(Portfolio.person_id == person_id)).all()
        insert_rows(self.session, [ErasedPortfolio(portfolio_id=each, erased_at=at) for each in found])


def check_not_erased(session: Session, award_id: uuid.UUID, campus_id: uuid.UUID | None = None) -> None:
    """Raises Gone for the number of an award that was erased, in `campus_id` if that is said."""
    found = session.get(ErasedAward, award_id)
    if found is not None and campus_id in (None, found.campus_id):
        raise Gone(ERASED)


def erased_between(session: Session, first: uuid.UUID, last: uuid.UUID) -> uuid.UUID | None:
    query = select(ErasedAward.award_id).where(
        col(ErasedAward.award_id) >= first, col(ErasedAward.award_id) <= last
    )
    return session.exec(query.limit(1)).first()
