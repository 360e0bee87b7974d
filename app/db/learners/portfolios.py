"""Portfolios, their groups and the badges in them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlmodel import Session, col, select

from app.db.awards.awards import AwardRecord, AwardStore
from app.db.badges.badges import WITHOUT_PICTURES
from app.domain.awards.awards import Award, Visibility
from app.domain.learners.portfolios import Portfolio, PortfolioGroup, PortfolioPiece
from app.domain.privacy.erasures import PORTFOLIO_ERASED, ErasedPortfolio
from app.errors import Gone, NotFound
from app.language import N_
from app.tenancy.scope import rows_named_outside


class PortfolioStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, *rows: Portfolio | PortfolioGroup | PortfolioPiece) -> None:
        self.session.add_all(rows)
        self.session.flush()

    def remove(self, row: PortfolioGroup | PortfolioPiece) -> None:
        self.session.delete(row)
        self.session.flush()

    def get(self, portfolio_id: uuid.UUID) -> Portfolio:
        portfolio = self.session.get(Portfolio, portfolio_id)
        if portfolio is None and self.session.get(ErasedPortfolio, portfolio_id) is not None:
            raise Gone(PORTFOLIO_ERASED)
        if portfolio is None:
            raise NotFound(N_("Il n’y a pas de portfolio à cette adresse."))
        return portfolio

    def find_of(self, person_id: uuid.UUID) -> Portfolio | None:
        query = select(Portfolio).where(Portfolio.person_id == person_id)
        return self.session.exec(query.order_by(col(Portfolio.created_at), col(Portfolio.id))).first()

    def groups_of(self, portfolio_id: uuid.UUID) -> Sequence[PortfolioGroup]:
        query = select(PortfolioGroup).where(PortfolioGroup.portfolio_id == portfolio_id)
        return self.session.exec(query.order_by(col(PortfolioGroup.position), col(PortfolioGroup.id))).all()

    def pieces_of(self, portfolio_id: uuid.UUID) -> Sequence[PortfolioPiece]:
        query = select(PortfolioPiece).where(PortfolioPiece.portfolio_id == portfolio_id)
        return self.session.exec(query.order_by(col(PortfolioPiece.position), col(PortfolioPiece.id))).all()

    def records(self, award_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, AwardRecord]:
        query = AwardStore.records().where(col(Award.id).in_(list(award_ids)))
        with rows_named_outside(self.session):
            rows = self.session.execute(query.options(*WITHOUT_PICTURES)).all()
        return {record.award.id: record for record in (AwardRecord(*row) for row in rows)}

    def awards_of(self, person_id: uuid.UUID) -> list[uuid.UUID]:
        """All that one person was given by any campus and that left the house, the latest first."""
        query = select(Award.id).where(Award.person_id == person_id, col(Award.undone_at).is_(None))
        with rows_named_outside(self.session):
            return list(
                self.session.exec(query.order_by(col(Award.awarded_at).desc(), col(Award.id)).limit(500))
            )

    def open_in(self, campus_id: uuid.UUID, *, after: uuid.UUID, limit: int) -> Sequence[uuid.UUID]:
        """Open ones that show a badge of the campus, in the order of their numbers."""
        shows_one = (
            select(PortfolioPiece.id)
            .join(Award, col(Award.id) == PortfolioPiece.award_id)
            .where(
                PortfolioPiece.portfolio_id == Portfolio.id,
                Award.campus_id == campus_id,
                Award.visibility == Visibility.OPEN,
            )
        )
        query = select(Portfolio.id).where(
            col(Portfolio.is_open).is_(True), col(Portfolio.id) > after, shows_one.exists()
        )
        return self.session.exec(query.order_by(col(Portfolio.id)).limit(limit)).all()

    def found_by_search(self, *, limit: int) -> list[uuid.UUID]:
        """Portfolios whose keepers opened them and want them found."""
        query = select(Portfolio.id).where(
            col(Portfolio.is_open).is_(True), col(Portfolio.is_findable).is_(True)
        )
        return list(self.session.exec(query.order_by(col(Portfolio.created_at).desc()).limit(limit)))
