"""Requests for badges, their steps and their files."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, true
from sqlalchemy import select as select_rows
from sqlmodel import Session, SQLModel, col, select

from app.db.badges.badges import WITHOUT_PICTURES
from app.domain.badges.badges import Badge, BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.learners.requests import BadgeRequest, RequestState, RequestStep
from app.domain.messages.letters import Occasion, PromisedLetter
from app.domain.people.people import Membership, Person, Role
from app.errors import NotFound
from app.language import N_

OPEN_STATES = (RequestState.WAITING, RequestState.SECOND)


@dataclass(frozen=True)
class QueueLine:
    request: BadgeRequest
    badge: Badge
    version: BadgeVersion


class RequestStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, *rows: SQLModel) -> None:
        self.session.add_all(rows)
        self.session.flush()

    def find(self, request_id: uuid.UUID) -> BadgeRequest | None:
        return self.session.get(BadgeRequest, request_id)

    def get_in_campus(self, request_id: uuid.UUID, campus_id: uuid.UUID) -> BadgeRequest:
        """Another campus's request is as good as absent (T01); so is one that nobody confirmed."""
        request = self.find(request_id)
        if request is None or request.campus_id != campus_id or request.state is RequestState.UNCONFIRMED:
            raise NotFound(N_("Cette demande n’existe pas ici."))
        return request

    def lock(self, request_id: uuid.UUID) -> BadgeRequest:
        query = select(BadgeRequest).where(BadgeRequest.id == request_id).with_for_update()
        return self.session.exec(query.execution_options(populate_existing=True)).one()

    def open_of(self, person_id: uuid.UUID, badge_id: uuid.UUID) -> BadgeRequest | None:
        """A request of the same person for the same badge that is not over."""
        query = select(BadgeRequest).where(
            BadgeRequest.person_id == person_id,
            BadgeRequest.badge_id == badge_id,
            col(BadgeRequest.state).in_([*OPEN_STATES, RequestState.MORE]),
        )
        return self.session.exec(query).first()

    def queue(
        self,
        campus_id: uuid.UUID,
        states: Collection[RequestState],
        *,
        limit: int,
        oldest_first: bool = True,
        after: uuid.UUID | None = None,
    ) -> list[QueueLine]:
        """`after` is the last request of the page before, decided by now or not."""
        newest = (
            select_rows(func.max(BadgeVersion.number))
            .where(col(BadgeVersion.badge_id) == col(Badge.id), col(BadgeVersion.is_draft).is_(False))
            .correlate(Badge)
            .scalar_subquery()
        )
        when = col(BadgeRequest.waiting_since)
        beyond: ColumnElement[bool] = true()
        if after is not None:
            at = (
                select_rows(col(BadgeRequest.waiting_since))
                .where(col(BadgeRequest.id) == after, col(BadgeRequest.campus_id) == campus_id)
                .scalar_subquery()
            )
            further = when > at if oldest_first else when < at
            beyond = further | ((when == at) & (col(BadgeRequest.id) > after))
        rows = self.session.execute(
            select_rows(BadgeRequest, Badge, BadgeVersion)
            .join(Badge, col(Badge.id) == col(BadgeRequest.badge_id))
            .join(BadgeVersion, col(BadgeVersion.badge_id) == col(Badge.id))
            .options(*WITHOUT_PICTURES)
            .where(
                col(BadgeRequest.campus_id) == campus_id,
                col(BadgeRequest.state).in_(list(states)),
                col(BadgeVersion.number) == newest,
                beyond,
            )
            .order_by(when if oldest_first else when.desc(), col(BadgeRequest.id))
            .limit(limit)
        )
        return [QueueLine(*row) for row in rows]

    def count_waiting(self, campus_id: uuid.UUID, *, limit: int, reader: uuid.UUID | None = None) -> int:
        """For `reader`, those that they may still decide: neither their own nor one they agreed to already."""
        few = (
            select_rows(col(BadgeRequest.id))
            .where(col(BadgeRequest.campus_id) == campus_id, col(BadgeRequest.state).in_(OPEN_STATES))
            .limit(limit)
        )
        if reader is not None:
            few = few.where(
                col(BadgeRequest.first_reviewer_id).is_distinct_from(reader),
                col(BadgeRequest.person_id).is_distinct_from(reader),
            )
        return self.session.scalar(select_rows(func.count()).select_from(few.subquery())) or 0

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

    # --- what is due

    def forget_unconfirmed(self, before: datetime) -> None:
        """They have neither steps that reviewers saw nor files."""
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
        """Where a request has waited for long and no reviewer was reminded lately."""
        lately = exists().where(
            col(PromisedLetter.campus_id) == col(BadgeRequest.campus_id),
            col(PromisedLetter.occasion) == Occasion.REVIEW.value,
            col(PromisedLetter.promised_at) > reminded_before,
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
        """What the badge is called now."""
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
