"""Badge requests, their steps and files."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, exists, func, or_
from sqlalchemy import select as select_rows
from sqlmodel import SQLModel, col, select, update

from app.db.awards import AwardRecord, AwardStore
from app.db.badges import WITHOUT_PICTURES
from app.db.engine.queries import RowStore, locked
from app.db.engine.row_level_security import rows_named_outside
from app.db.engine.writes import among
from app.domain.accounts.sessions import digest_of
from app.domain.activities import Activity
from app.domain.activity_log import CONTRIBUTION, LogDispute, LogPayload
from app.domain.awards import Award, Visibility
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.learners.connected_apps import AppGrant, AppSecret, AppSecretKind, ConnectedApp
from app.domain.learners.portfolios import (
    Contribution,
    ContributionState,
    ImportedBadge,
    Portfolio,
    PortfolioGroup,
    PortfolioPiece,
)
from app.domain.learners.requests import OPEN_STATES, BadgeRequest, RequestState, RequestStep
from app.domain.messages import Occasion, QueuedMessage
from app.domain.people import Membership, Person, PersonAddress, Role, may_be_under_15
from app.domain.people.consents import PORTFOLIO_ERASED, ErasedPortfolio
from app.errors import Gone, NotFound

_RECENT = timedelta(days=90)
"""How long a decision stays on the person's own page."""
_MOST_REQUESTS = 50


class RequestStore(RowStore[SQLModel]):
    def find(self, request_id: uuid.UUID) -> BadgeRequest | None:
        return self.session.get(BadgeRequest, request_id)

    def get_in_campus(self, request_id: uuid.UUID, campus_id: uuid.UUID) -> BadgeRequest:
        """Requests of other campuses raise NotFound (T01), as do unconfirmed ones."""
        request = self.find(request_id)
        if request is None or request.campus_id != campus_id or request.state is RequestState.UNCONFIRMED:
            raise NotFound("Cette demande n’existe pas ici.")
        return request

    def lock(self, request_id: uuid.UUID) -> BadgeRequest:
        request = self.find_locked(BadgeRequest, request_id)
        if request is None:
            raise NotFound("Cette demande n’existe pas ici.")
        return request

    def open_of(self, person_id: uuid.UUID, badge_id: uuid.UUID) -> BadgeRequest | None:
        """An open request of the same person for the same badge."""
        query = select(BadgeRequest).where(
            BadgeRequest.person_id == person_id,
            BadgeRequest.badge_id == badge_id,
            col(BadgeRequest.state).in_([*OPEN_STATES, RequestState.MORE]),
        )
        return self.session.exec(query).first()

    def lock_all_of(self, person_id: uuid.UUID, campus_id: uuid.UUID) -> Sequence[BadgeRequest]:
        query = select(BadgeRequest).where(
            BadgeRequest.person_id == person_id, BadgeRequest.campus_id == campus_id
        )
        return self.session.exec(locked(query.order_by(col(BadgeRequest.id)))).all()

    def of_person(self, person_id: uuid.UUID, *, at: datetime) -> Sequence[BadgeRequest]:
        """Open requests and recent decisions at every campus, latest first."""
        query = (
            select(BadgeRequest)
            .where(
                BadgeRequest.person_id == person_id,
                or_(col(BadgeRequest.decided_at).is_(None), col(BadgeRequest.decided_at) > at - _RECENT),
                BadgeRequest.state != RequestState.WITHDRAWN,
            )
            .order_by(col(BadgeRequest.created_at).desc(), col(BadgeRequest.id))
            .limit(_MOST_REQUESTS)
        )
        return self.session.exec(query).all()

    def count_waiting(self, campus_id: uuid.UUID, *, limit: int, reader: uuid.UUID | None = None) -> int:
        """For `reader`: without their own requests and those they already agreed to."""
        few = self._waiting(campus_id, reader).limit(limit)
        return self.session.scalar(select_rows(func.count()).select_from(few.subquery())) or 0

    def oldest_waiting(self, campus_id: uuid.UUID, *, reader: uuid.UUID | None = None) -> uuid.UUID | None:
        oldest = self._waiting(campus_id, reader).order_by(col(BadgeRequest.created_at), col(BadgeRequest.id))
        return self.session.execute(oldest.limit(1)).scalars().first()

    @staticmethod
    def _waiting(campus_id: uuid.UUID, reader: uuid.UUID | None) -> Select[uuid.UUID]:
        query = select_rows(col(BadgeRequest.id)).where(
            col(BadgeRequest.campus_id) == campus_id, col(BadgeRequest.state).in_(OPEN_STATES)
        )
        if reader is None:
            return query
        return query.where(
            col(BadgeRequest.first_reviewer_id).is_distinct_from(reader),
            col(BadgeRequest.person_id).is_distinct_from(reader),
        )

    # --- steps

    def steps_of(self, request_id: uuid.UUID) -> list[tuple[RequestStep, Person | None]]:
        rows = self.session.exec(
            select(RequestStep, Person)
            .join(Person, col(Person.id) == col(RequestStep.person_id), isouter=True)
            .where(RequestStep.request_id == request_id)
            .order_by(col(RequestStep.position))
        )
        return [(step, person) for step, person in rows]

    def count_steps(self, request_id: uuid.UUID) -> int:
        query = select(func.count()).select_from(RequestStep).where(col(RequestStep.request_id) == request_id)
        return self.session.exec(query).one()

    # --- due

    def forget_unconfirmed(self, before: datetime) -> None:
        """They have neither reviewed steps nor files."""
        old = select_rows(col(BadgeRequest.id)).where(
            col(BadgeRequest.state) == RequestState.UNCONFIRMED, col(BadgeRequest.created_at) < before
        )
        self.session.execute(delete(RequestStep).where(col(RequestStep.request_id).in_(old)))
        self.session.execute(
            delete(BadgeRequest).where(
                col(BadgeRequest.state) == RequestState.UNCONFIRMED, col(BadgeRequest.created_at) < before
            )
        )

    def campuses_to_remind(self, *, waiting_before: datetime, reminded_before: datetime) -> list[uuid.UUID]:
        """Campuses with a long-waiting request and no recent reminder."""
        lately = exists().where(
            col(QueuedMessage.campus_id) == col(BadgeRequest.campus_id),
            col(QueuedMessage.occasion) == Occasion.REVIEW.value,
            col(QueuedMessage.promised_at) > reminded_before,
        )
        rows = self.session.execute(
            select_rows(col(BadgeRequest.campus_id))
            .where(
                col(BadgeRequest.state).in_(OPEN_STATES),
                col(BadgeRequest.waiting_since) <= waiting_before,
                ~lately,
            )
            .distinct()
        )
        return sorted(rows.scalars())

    def reviewers_of(self, campus_id: uuid.UUID, roles: Collection[Role], *, at: datetime) -> list[Person]:
        rows = self.session.exec(
            select(Person)
            .join(Membership, col(Membership.person_id) == col(Person.id))
            .where(
                Membership.campus_id == campus_id,
                col(Membership.role).in_(list(roles)),
                col(Membership.since) <= at,
                (col(Membership.until).is_(None)) | (col(Membership.until) > at),
            )
            .distinct()
            .order_by(col(Person.id))
        )
        return list(rows)

    def title_of(self, badge: Badge) -> str:
        """The badge's current name."""
        query = select(BadgeVersion.name).where(
            BadgeVersion.badge_id == badge.id, col(BadgeVersion.is_draft).is_(False)
        )
        return self.session.exec(query.order_by(col(BadgeVersion.number).desc())).first() or ""

    def subject_of(self, request: BadgeRequest) -> tuple[Campus, Badge]:
        row = self.session.execute(
            select_rows(Campus, Badge)
            .join(Badge, col(Badge.campus_id) == col(Campus.id))
            .where(col(Badge.id) == request.badge_id)
        ).one()
        return row[0], row[1]


class ImportedBadgeStore(RowStore[SQLModel]):
    def find(self, badge_id: uuid.UUID) -> ImportedBadge | None:
        return self.session.get(ImportedBadge, badge_id)

    def list_of(self, person_id: uuid.UUID) -> Sequence[ImportedBadge]:
        query = select(ImportedBadge).where(ImportedBadge.person_id == person_id)
        return self.session.exec(
            query.order_by(col(ImportedBadge.brought_at).desc(), col(ImportedBadge.id))
        ).all()

    def due(self, *, at: datetime, limit: int) -> list[uuid.UUID]:
        """Those to check again, the longest waiting first."""
        query = select(ImportedBadge.id).where(ImportedBadge.check_again_at <= at)
        return list(self.session.exec(query.order_by(col(ImportedBadge.check_again_at)).limit(limit)))

    def verified_addresses(self, person_id: uuid.UUID) -> list[str]:
        query = select(PersonAddress.address).where(
            PersonAddress.person_id == person_id, col(PersonAddress.verified_at).is_not(None)
        )
        return sorted(set(self.session.exec(query)))


_AT_ONCE = 100


class ContributionStore(RowStore[Contribution]):
    def get_in_campus(self, contribution_id: uuid.UUID, campus_id: uuid.UUID) -> Contribution:
        """Contributions of other campuses raise NotFound (T01)."""
        found = self.session.get(Contribution, contribution_id)
        if found is None or found.campus_id != campus_id:
            raise NotFound("Cette contribution n’existe pas ici.")
        return found

    def lock(self, contribution_id: uuid.UUID) -> Contribution:
        found = self.find_locked(Contribution, contribution_id)
        if found is None:
            raise NotFound("Cette contribution n’existe pas ici.")
        return found

    def of_person(self, person_id: uuid.UUID, campus_id: uuid.UUID) -> Sequence[Contribution]:
        query = select(Contribution).where(
            Contribution.person_id == person_id, Contribution.campus_id == campus_id
        )
        return self.session.exec(
            query.order_by(col(Contribution.created_at).desc(), col(Contribution.id))
        ).all()

    def confirmed(self, campus_id: uuid.UUID, person_ids: Collection[uuid.UUID]) -> Sequence[Contribution]:
        # By person alone: filtering by campus too would scan all contributions ever confirmed there.
        query = select(Contribution).where(among(self.session, col(Contribution.person_id), person_ids))
        return [
            each
            for each in self.session.exec(query.order_by(col(Contribution.decided_at), col(Contribution.id)))
            if each.campus_id == campus_id and each.state is ContributionState.CONFIRMED
        ]

    def confirmed_within(self, people: Collection[uuid.UUID]) -> list[Contribution]:
        """Contributions of these records that one of them confirmed."""
        query = select(Contribution).where(
            Contribution.state == ContributionState.CONFIRMED,
            col(Contribution.person_id).in_(people),
            col(Contribution.decided_by).in_(people),
        )
        return list(self.session.exec(query.order_by(col(Contribution.id))))

    def queue(
        self, campus_id: uuid.UUID, states: Collection[ContributionState], *, limit: int, oldest_first: bool
    ) -> list[tuple[Contribution, Person, Activity | None]]:
        when = col(Contribution.waiting_since)
        rows = self.session.exec(
            select(Contribution, Person, Activity)
            .join(Person, col(Person.id) == col(Contribution.person_id))
            .join(Activity, col(Activity.id) == col(Contribution.activity_id), isouter=True)
            .where(Contribution.campus_id == campus_id, col(Contribution.state).in_(list(states)))
            .order_by(when if oldest_first else when.desc(), col(Contribution.id))
            .limit(limit)
        )
        return [(contribution, person, activity) for contribution, person, activity in rows]

    def disputed(self, campus_id: uuid.UUID, *, limit: int) -> Sequence[Contribution]:
        """Contributions with a disputed entry that is still unanswered."""
        said = (
            select(LogPayload.noun_id)
            .join(
                LogDispute,
                (col(LogDispute.log_id) == LogPayload.log_id) & (col(LogDispute.number) == LogPayload.number),
            )
            .where(LogPayload.noun == CONTRIBUTION, col(LogDispute.answered_at).is_(None))
        )
        query = select(Contribution).where(
            Contribution.campus_id == campus_id, col(Contribution.id).in_(said)
        )
        return self.session.exec(query.order_by(col(Contribution.decided_at)).limit(limit)).all()

    def closed(self, before: datetime) -> list[uuid.UUID]:
        """Some that were declined or withdrawn long ago."""
        closed = [ContributionState.DECLINED, ContributionState.WITHDRAWN]
        query = select(Contribution.id).where(
            col(Contribution.state).in_(closed), col(Contribution.decided_at) < before
        )
        return list(self.session.exec(query.limit(_AT_ONCE)))

    def remove_all(self, contribution_ids: Collection[uuid.UUID]) -> None:
        self.session.exec(delete(Contribution).where(col(Contribution.id).in_(contribution_ids)))

    def count_waiting(self, campus_id: uuid.UUID, *, limit: int) -> int:
        few = (
            select(Contribution.id)
            .where(Contribution.campus_id == campus_id, Contribution.state == ContributionState.WAITING)
            .limit(limit)
        )
        waiting = self.session.exec(select(func.count()).select_from(few.subquery())).one()
        return waiting + len(self.disputed(campus_id, limit=limit))


class PortfolioStore(RowStore[SQLModel]):
    def get(self, portfolio_id: uuid.UUID) -> Portfolio:
        portfolio = self.session.get(Portfolio, portfolio_id)
        if portfolio is None and self.session.get(ErasedPortfolio, portfolio_id) is not None:
            raise Gone(PORTFOLIO_ERASED)
        if portfolio is None:
            raise NotFound("Il n’y a pas de portfolio à cette adresse.")
        return portfolio

    def find_of(self, person_id: uuid.UUID) -> Portfolio | None:
        query = select(Portfolio).where(Portfolio.person_id == person_id)
        return self.session.exec(query.order_by(col(Portfolio.created_at), col(Portfolio.id))).first()

    def open_of_children(self, *, after: uuid.UUID, limit: int) -> Sequence[Portfolio]:
        """Open ones of children under 15, or possibly so, ordered by id."""
        query = select(Portfolio).join(Person, col(Person.id) == col(Portfolio.person_id))
        query = query.where(col(Portfolio.id) > after, col(Portfolio.is_open).is_(True), may_be_under_15())
        return self.session.exec(query.order_by(col(Portfolio.id)).limit(limit)).all()

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
        """Every delivered award of one person from any campus, latest first."""
        query = select(Award.id).where(Award.person_id == person_id, col(Award.undone_at).is_(None))
        with rows_named_outside(self.session):
            return list(
                self.session.exec(query.order_by(col(Award.awarded_at).desc(), col(Award.id)).limit(500))
            )

    def open_in(self, campus_id: uuid.UUID, *, after: uuid.UUID, limit: int) -> Sequence[uuid.UUID]:
        """Open ones that show a badge of the campus, ordered by id."""
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

    def count_found_by_search(self) -> int:
        query = select(func.count()).where(
            col(Portfolio.is_open).is_(True), col(Portfolio.is_findable).is_(True)
        )
        return self.session.exec(query).one()

    def found_by_search(self, *, limit: int, start: int = 0) -> list[uuid.UUID]:
        """Portfolios that their owners opened and allow search engines to find."""
        query = select(Portfolio.id).where(
            col(Portfolio.is_open).is_(True), col(Portfolio.is_findable).is_(True)
        )
        return list(
            self.session.exec(
                query.order_by(col(Portfolio.created_at).desc(), col(Portfolio.id)).limit(limit).offset(start)
            )
        )


# --- Connected applications, consents and their secrets; a code is used by a conditional update, once


class ConnectedAppStore(RowStore[SQLModel]):
    def find(self, app_id: uuid.UUID) -> ConnectedApp | None:
        return self.session.get(ConnectedApp, app_id)

    def list_all(self) -> Sequence[ConnectedApp]:
        query = select(ConnectedApp).order_by(col(ConnectedApp.name), col(ConnectedApp.id))
        return self.session.exec(query).all()

    def remove_app(self, app_id: uuid.UUID) -> None:
        """With every consent given to it."""
        self._end(col(AppGrant.app_id) == app_id)
        self.session.exec(delete(ConnectedApp).where(col(ConnectedApp.id) == app_id))

    def grants_of(self, person_id: uuid.UUID) -> Sequence[tuple[AppGrant, ConnectedApp]]:
        query = (
            select(AppGrant, ConnectedApp)
            .join(ConnectedApp, col(ConnectedApp.id) == col(AppGrant.app_id))
            .where(AppGrant.person_id == person_id)
        )
        return self.session.exec(query.order_by(col(AppGrant.given_at).desc(), col(AppGrant.id))).all()

    def hold(self, grant_id: uuid.UUID) -> bool:
        """Lock it until the end of the transaction; False if it was ended."""
        query = select(AppGrant.id).where(AppGrant.id == grant_id)
        return self.session.exec(locked(query)).first() is not None

    def end_grant(self, grant_id: uuid.UUID) -> None:
        self._end(col(AppGrant.id) == grant_id)

    def end_app_of(self, person_id: uuid.UUID, app_id: uuid.UUID) -> None:
        self._end(col(AppGrant.person_id) == person_id, col(AppGrant.app_id) == app_id)

    def end_all_of(self, person_id: uuid.UUID) -> None:
        self._end(col(AppGrant.person_id) == person_id)

    def find_secret(
        self, secret: str, kind: AppSecretKind, *, at: datetime
    ) -> tuple[AppSecret, AppGrant] | None:
        """The secret of that kind, unless it has expired, and the consent that it stands for."""
        query = (
            select(AppSecret, AppGrant)
            .join(AppGrant, col(AppGrant.id) == col(AppSecret.grant_id))
            .where(
                AppSecret.digest == digest_of(secret), AppSecret.kind == kind, col(AppSecret.expires_at) > at
            )
        )
        return self.session.exec(query).first()

    def use(self, secret_id: uuid.UUID, *, at: datetime) -> bool:
        """False if it was used before."""
        used = update(AppSecret).where(col(AppSecret.id) == secret_id, col(AppSecret.used_at).is_(None))
        return bool(self.session.exec(used.values(used_at=at)).rowcount)

    def remove_secret(self, secret_id: uuid.UUID) -> None:
        self.session.exec(delete(AppSecret).where(col(AppSecret.id) == secret_id))

    def sweep(self, *, at: datetime) -> None:
        """Expired secrets, and consents that no secret stands for any more."""
        self.session.exec(delete(AppSecret).where(col(AppSecret.expires_at) <= at))
        held = select(AppSecret.id).where(col(AppSecret.grant_id) == col(AppGrant.id)).exists()
        self.session.exec(delete(AppGrant).where(~held).execution_options(swept=True))

    def _end(self, *where: Any) -> None:
        ended = select(AppGrant.id).where(*where)
        self.session.exec(delete(AppSecret).where(col(AppSecret.grant_id).in_(ended)))
        self.session.exec(delete(AppGrant).where(*where))
