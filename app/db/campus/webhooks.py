"""Webhooks of campuses and their messages."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from app.db.engine.queries import Store
from app.domain.campus.integration import ChangeHead, DeliveryState, Webhook, WebhookDelivery, WebhookState
from app.errors import NotFound
from app.language import N_


class WebhookStore(Store):
    def list_of(self, campus_id: uuid.UUID) -> Sequence[Webhook]:
        """The oldest first."""
        query = select(Webhook).where(Webhook.campus_id == campus_id)
        return self.session.exec(query.order_by(col(Webhook.created_at), col(Webhook.id))).all()

    def get_in_campus(self, webhook_id: uuid.UUID, campus_id: uuid.UUID, *, lock: bool = False) -> Webhook:
        found = self.lock(webhook_id) if lock else self.session.get(Webhook, webhook_id)
        if found is None or found.campus_id != campus_id:
            raise NotFound(N_("Ce webhook n’existe pas ici."))
        return found

    def find(self, webhook_id: uuid.UUID) -> Webhook | None:
        return self.session.get(Webhook, webhook_id)

    def lock(self, webhook_id: uuid.UUID) -> Webhook | None:
        query = select(Webhook).where(Webhook.id == webhook_id).with_for_update()
        return self.session.exec(query.execution_options(populate_existing=True)).first()

    def add(self, row: Webhook | WebhookDelivery) -> None:
        self.session.add(row)
        self.session.flush()

    def add_all(self, rows: Sequence[WebhookDelivery]) -> None:
        self.session.add_all(rows)
        self.session.flush()

    def remove(self, webhook: Webhook) -> None:
        self.session.execute(delete(WebhookDelivery).where(col(WebhookDelivery.webhook_id) == webhook.id))
        self.session.delete(webhook)
        self.session.flush()

    def shared_head(self, campus_id: uuid.UUID) -> ChangeHead | None:
        """The feed's last number; no change is numbered, and no person erased from it, until this transaction ends."""
        query = select(ChangeHead).where(ChangeHead.campus_id == campus_id).with_for_update(read=True)
        return self.session.exec(query.execution_options(populate_existing=True)).first()

    # --- what is to be done

    def due(self, at: datetime, *, limit: int) -> list[uuid.UUID]:
        """Active webhooks with changes to read or messages to send now, those who wait longest first."""
        waiting = exists().where(col(WebhookDelivery.webhook_id) == col(Webhook.id), *_sendable(at))
        unread = or_(
            col(ChangeHead.last) > col(Webhook.read_to), col(ChangeHead.generation) != col(Webhook.generation)
        )
        query = (
            select(Webhook.id)
            .outerjoin(ChangeHead, col(ChangeHead.campus_id) == col(Webhook.campus_id))
            .where(
                Webhook.state == WebhookState.ACTIVE,
                col(Webhook.next_at) <= at,
                or_(and_(col(ChangeHead.campus_id).is_not(None), unread), waiting),
            )
            .order_by(col(Webhook.next_at), col(Webhook.id))
        )
        return list(self.session.exec(query.limit(limit)))

    def sendable(self, webhook_id: uuid.UUID, at: datetime, *, limit: int) -> Sequence[WebhookDelivery]:
        """In their order; a message waits for earlier ones about the same row."""
        query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id, *_sendable(at))
        ordered = query.order_by(col(WebhookDelivery.number), col(WebhookDelivery.id))
        return self.session.exec(ordered.limit(limit)).all()

    def lock_delivery(self, delivery_id: uuid.UUID) -> WebhookDelivery | None:
        query = select(WebhookDelivery).where(WebhookDelivery.id == delivery_id).with_for_update()
        return self.session.exec(query.execution_options(populate_existing=True)).first()

    # --- the delivery log

    def deliveries(
        self,
        webhook_id: uuid.UUID,
        *,
        before: tuple[datetime, uuid.UUID] | None = None,
        state: DeliveryState | None = None,
        limit: int,
    ) -> Sequence[WebhookDelivery]:
        """The newest first."""
        at, row_id = col(WebhookDelivery.created_at), col(WebhookDelivery.id)
        query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
        if before is not None:
            query = query.where(or_(at < before[0], and_(at == before[0], row_id < before[1])))
        if state is not None:
            query = query.where(WebhookDelivery.state == state)
        return self.session.exec(query.order_by(at.desc(), row_id.desc()).limit(limit)).all()

    def counts(self, webhook_id: uuid.UUID) -> dict[DeliveryState, int]:
        query = (
            select(WebhookDelivery.state, func.count())
            .where(WebhookDelivery.webhook_id == webhook_id)
            .group_by(col(WebhookDelivery.state))
        )
        return {DeliveryState(state): count for state, count in self.session.exec(query)}

    def replay_failed(self, webhook_id: uuid.UUID, at: datetime) -> int:
        """All messages that were given up; returns how many."""
        query = (
            update(WebhookDelivery)
            .where(
                col(WebhookDelivery.webhook_id) == webhook_id,
                col(WebhookDelivery.state) == DeliveryState.FAILED,
            )
            .values(state=DeliveryState.WAITING, attempts=0, next_at=at)
        )
        done = self.session.execute(query)
        self.session.expire_all()
        return int(done.rowcount)  # type: ignore[attr-defined]


def _sendable(at: datetime) -> tuple[ColumnElement[bool], ...]:
    earlier = aliased(WebhookDelivery)
    blocked = exists().where(
        col(earlier.webhook_id) == col(WebhookDelivery.webhook_id),
        col(earlier.state) == DeliveryState.WAITING,
        col(earlier.noun_id) == col(WebhookDelivery.noun_id),
        col(earlier.number) < col(WebhookDelivery.number),
        col(earlier.next_at) > at,
    )
    return (
        col(WebhookDelivery.state) == DeliveryState.WAITING,
        col(WebhookDelivery.next_at) <= at,
        ~blocked,
    )
