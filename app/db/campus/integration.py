"""The feed of changes as programs read it, and identifiers of a campus's own system."""

from __future__ import annotations

import secrets
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, exists, func, literal, or_, tuple_, update
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import SQLModel, col, select

from app.db.engine.queries import RowStore, locked
from app.db.engine.writes import among, insert_unless_there
from app.domain.accounts.sessions import ApiToken, digest_of
from app.domain.campus.audit_log import HistoryEntry
from app.domain.campus.integration import (
    LONGEST_PAUSE,
    ApiAnswer,
    Change,
    ChangedKind,
    ChangeHead,
    DeliveryState,
    ExternalId,
    NamedKind,
    Webhook,
    WebhookDelivery,
    WebhookState,
)
from app.domain.campus.lti import LtiAccount, LtiCourse, LtiKey, LtiLaunch, LtiPlatform
from app.domain.people import Person
from app.errors import NotFound

ANSWERS_AT_ONCE: Final = 300


class IntegrationStore(RowStore[ApiAnswer | ExternalId]):
    def head(self, campus_id: uuid.UUID) -> ChangeHead:
        """Not locked; empty where nothing ever changed."""
        found = self.session.get(ChangeHead, campus_id)
        return found or ChangeHead(campus_id=campus_id, generation="00000000")

    def changes(
        self, campus_id: uuid.UUID, *, after: int, kinds: Collection[ChangedKind] = (), limit: int
    ) -> list[Change]:
        query = select(Change).where(Change.campus_id == campus_id, Change.number > after)
        if kinds:
            query = query.where(col(Change.kind).in_(kinds))
        if not after:
            query = query.where(~col(Change.removed))
        return list(self.session.exec(query.order_by(col(Change.number)).limit(limit)))

    def restart_all(self) -> None:
        """No cursor of before continues, at any campus."""
        for head in self.session.exec(locked(select(ChangeHead).order_by(col(ChangeHead.campus_id)))):
            head.generation = secrets.token_hex(4)
            self.session.add(head)
        self.session.flush()

    def changed_among(
        self, campus_id: uuid.UUID, ids: Collection[uuid.UUID], since: datetime
    ) -> set[uuid.UUID]:
        """Those of these rows that were created or changed at that time or later."""
        query = select(Change.noun_id).where(
            Change.campus_id == campus_id, Change.at >= since, among(self.session, col(Change.noun_id), ids)
        )
        return set(self.session.exec(query))

    # --- identifiers of other systems

    def named(self, campus_id: uuid.UUID, kind: NamedKind, values: Collection[str]) -> dict[str, uuid.UUID]:
        """The rows that these identifiers name."""
        if not values:
            return {}
        query = select(ExternalId).where(
            ExternalId.campus_id == campus_id,
            ExternalId.kind == kind,
            among(self.session, col(ExternalId.value), values),
        )
        return {each.value: each.noun_id for each in self.session.exec(query)}

    def names_of(
        self, campus_id: uuid.UUID, kind: NamedKind, noun_ids: Collection[uuid.UUID]
    ) -> dict[uuid.UUID, list[str]]:
        """The identifiers of these rows, the oldest first."""
        if not noun_ids:
            return {}
        column = _COLUMN_OF[kind]
        query = select(ExternalId).where(
            ExternalId.campus_id == campus_id, among(self.session, column, noun_ids)
        )
        found: dict[uuid.UUID, list[str]] = defaultdict(list)
        for each in self.session.exec(query.order_by(col(ExternalId.given_at), col(ExternalId.value))):
            found[each.noun_id].append(each.value)
        return found

    def take(self, campus_id: uuid.UUID, kind: NamedKind, noun_id: uuid.UUID) -> None:
        """The row has no identifier here any more."""
        query = delete(ExternalId).where(col(ExternalId.campus_id) == campus_id, _COLUMN_OF[kind] == noun_id)
        self.session.execute(query)

    # --- answers to programs

    def claim_answer(self, answer: ApiAnswer) -> ApiAnswer:
        """This one if it is new, else the one that stands; waits for a request under the same key."""
        insert_unless_there(self.session, [answer], "campus_id, token, key_digest")
        query = select(ApiAnswer).where(
            ApiAnswer.campus_id == answer.campus_id,
            ApiAnswer.token == answer.token,
            ApiAnswer.key_digest == answer.key_digest,
        )
        return self.session.exec(locked(query)).one()

    def answers_of(self, campus_ids: Collection[uuid.UUID]) -> Iterator[ApiAnswer]:
        """Read in pieces, and not locked."""
        key = (col(ApiAnswer.campus_id), col(ApiAnswer.token), col(ApiAnswer.key_digest))
        query = select(ApiAnswer).where(
            col(ApiAnswer.campus_id).in_(campus_ids), col(ApiAnswer.sealed) != b""
        )
        query, after = query.order_by(*key).limit(ANSWERS_AT_ONCE), None
        while True:
            further = query if after is None else query.where(tuple_(*key) > tuple_(*map(literal, after)))
            piece = self.session.exec(further).all()
            yield from piece
            if len(piece) < ANSWERS_AT_ONCE:
                return
            after = (piece[-1].campus_id, piece[-1].token, piece[-1].key_digest)

    def empty_answer(self, answer: ApiAnswer) -> None:
        self.session.execute(
            update(ApiAnswer)
            .where(
                col(ApiAnswer.campus_id) == answer.campus_id,
                col(ApiAnswer.token) == answer.token,
                col(ApiAnswer.key_digest) == answer.key_digest,
            )
            .values(sealed=b"")
        )


_COLUMN_OF: Final[Mapping[NamedKind, Any]] = {
    NamedKind.PERSON: col(ExternalId.person_id),
    NamedKind.ACTIVITY: col(ExternalId.activity_id),
    NamedKind.AWARD: col(ExternalId.award_id),
}


class AccessStore(RowStore[SQLModel]):
    def find_token(self, secret: str) -> ApiToken | None:
        return self.session.exec(select(ApiToken).where(ApiToken.secret_digest == digest_of(secret))).first()

    def creators_of_tokens(self, campus_id: uuid.UUID) -> dict[uuid.UUID, tuple[HistoryEntry, Person | None]]:
        """By token: who created it, as the audit log has it."""
        query = (
            select(ApiToken.id, HistoryEntry, Person)
            .join(
                HistoryEntry,
                (col(HistoryEntry.noun) == "token")
                & (col(HistoryEntry.noun_id) == col(ApiToken.id))
                & (col(HistoryEntry.action) == "create"),
            )
            .join(Person, col(Person.id) == col(HistoryEntry.actor_id), isouter=True)
            .where(ApiToken.campus_id == campus_id)
        )
        return {token_id: (entry, person) for token_id, entry, person in self.session.exec(query)}

    def list_tokens(self, campus_id: uuid.UUID) -> Sequence[ApiToken]:
        query = select(ApiToken).where(ApiToken.campus_id == campus_id).order_by(col(ApiToken.created_at))
        return self.session.exec(query).all()


# --- Webhooks of campuses and their messages


class WebhookStore(RowStore[Webhook | WebhookDelivery]):
    def list_of(self, campus_id: uuid.UUID) -> Sequence[Webhook]:
        """The oldest first."""
        query = select(Webhook).where(Webhook.campus_id == campus_id)
        return self.session.exec(query.order_by(col(Webhook.created_at), col(Webhook.id))).all()

    def get_in_campus(self, webhook_id: uuid.UUID, campus_id: uuid.UUID, *, lock: bool = False) -> Webhook:
        found = self.lock(webhook_id) if lock else self.session.get(Webhook, webhook_id)
        if found is None or found.campus_id != campus_id:
            raise NotFound("Ce webhook n’existe pas ici.")
        return found

    def find(self, webhook_id: uuid.UUID) -> Webhook | None:
        return self.session.get(Webhook, webhook_id)

    def lock(self, webhook_id: uuid.UUID) -> Webhook | None:
        return self.find_locked(Webhook, webhook_id)

    def remove_webhook(self, webhook: Webhook) -> None:
        self.session.execute(delete(WebhookDelivery).where(col(WebhookDelivery.webhook_id) == webhook.id))
        self.session.delete(webhook)
        self.session.flush()

    def shared_head(self, campus_id: uuid.UUID) -> ChangeHead | None:
        """The feed's last number; no change is numbered, and no person erased from it, until this transaction ends."""
        query = select(ChangeHead).where(ChangeHead.campus_id == campus_id)
        return self.session.exec(locked(query, read=True)).first()

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
                _is_due(col(Webhook.failures), col(Webhook.next_at), at),
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
        return self.find_locked(WebhookDelivery, delivery_id)

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

    def retry_waiting(self, webhook_id: uuid.UUID, at: datetime) -> None:
        """Messages that wait for their next attempt may leave at that time."""
        query = update(WebhookDelivery).where(
            col(WebhookDelivery.webhook_id) == webhook_id, col(WebhookDelivery.state) == DeliveryState.WAITING
        )
        self.session.execute(query.values(next_at=at))
        self.session.expire_all()

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


def _is_due(failures: Mapped[int], next_at: Mapped[datetime], at: datetime) -> ColumnElement[bool]:
    """Only failures pause, and never longer than LONGEST_PAUSE, whatever a clock that ran ahead wrote."""
    return or_(failures == 0, next_at <= at, next_at > at + LONGEST_PAUSE)


def _sendable(at: datetime) -> tuple[ColumnElement[bool], ...]:
    earlier = aliased(WebhookDelivery)
    blocked = exists().where(
        col(earlier.webhook_id) == col(WebhookDelivery.webhook_id),
        col(earlier.state) == DeliveryState.WAITING,
        col(earlier.noun_id) == col(WebhookDelivery.noun_id),
        col(earlier.number) < col(WebhookDelivery.number),
        ~_is_due(col(earlier.attempts), col(earlier.next_at), at),
    )
    return (
        col(WebhookDelivery.state) == DeliveryState.WAITING,
        _is_due(col(WebhookDelivery.attempts), col(WebhookDelivery.next_at), at),
        ~blocked,
    )


# --- Course platforms of a campus, their courses, linked accounts and launches


class LtiStore(RowStore[SQLModel]):
    # --- platforms

    def platforms(self, campus_id: uuid.UUID) -> Sequence[LtiPlatform]:
        """Those in use, the oldest first."""
        query = select(LtiPlatform).where(
            LtiPlatform.campus_id == campus_id, col(LtiPlatform.removed_at).is_(None)
        )
        return self.session.exec(query.order_by(col(LtiPlatform.created_at), col(LtiPlatform.id))).all()

    def platform(self, campus_id: uuid.UUID, platform_id: uuid.UUID) -> LtiPlatform | None:
        found = self.session.get(LtiPlatform, platform_id)
        return found if found and found.campus_id == campus_id and found.removed_at is None else None

    def forget_people_of(self, platform_id: uuid.UUID) -> None:
        """Links and launches of a platform that is no longer used."""
        for table in (LtiLaunch, LtiAccount):
            self.session.exec(delete(table).where(col(table.platform_id) == platform_id))

    # --- keys

    def keys(self, campus_id: uuid.UUID) -> Sequence[LtiKey]:
        """The newest first."""
        query = select(LtiKey).where(LtiKey.campus_id == campus_id)
        return self.session.exec(query.order_by(col(LtiKey.created_at).desc(), col(LtiKey.id))).all()

    def all_keys(self) -> Sequence[LtiKey]:
        return self.session.exec(select(LtiKey).order_by(col(LtiKey.id))).all()

    # --- courses

    def course(self, course_id: uuid.UUID) -> LtiCourse | None:
        return self.session.get(LtiCourse, course_id)

    def find_course(self, platform_id: uuid.UUID, deployment: str, context: str) -> LtiCourse | None:
        query = select(LtiCourse).where(
            LtiCourse.platform_id == platform_id,
            LtiCourse.deployment == deployment,
            LtiCourse.context == context,
        )
        return self.session.exec(locked(query)).first()

    def add_course(self, course: LtiCourse) -> LtiCourse:
        """Once: a whole class opens a new course in the same second."""
        insert_unless_there(self.session, [course], "platform_id, deployment, context")
        found = self.find_course(course.platform_id, course.deployment, course.context)
        assert found is not None, "courses are never removed"
        return found

    def lock_course(self, course: LtiCourse) -> None:
        self.session.refresh(course, with_for_update=True)

    # --- people

    def add_account(self, account: LtiAccount) -> bool:
        """False if this user of the platform was linked meanwhile."""
        insert_unless_there(self.session, [account], "platform_id, subject")
        found = self.account(account.platform_id, account.subject)
        return found is not None and found.id == account.id

    def account(self, platform_id: uuid.UUID, subject: str) -> LtiAccount | None:
        query = select(LtiAccount).where(LtiAccount.platform_id == platform_id, LtiAccount.subject == subject)
        return self.session.exec(query).first()

    def accounts(self, platform_id: uuid.UUID) -> Sequence[LtiAccount]:
        return self.session.exec(select(LtiAccount).where(LtiAccount.platform_id == platform_id)).all()

    def accounts_of(self, person_id: uuid.UUID) -> Sequence[tuple[LtiAccount, LtiPlatform]]:
        query = select(LtiAccount, LtiPlatform).join(
            LtiPlatform, col(LtiPlatform.id) == col(LtiAccount.platform_id)
        )
        query = query.where(LtiAccount.person_id == person_id, col(LtiPlatform.removed_at).is_(None))
        return self.session.exec(query.order_by(col(LtiAccount.linked_at), col(LtiAccount.id))).all()

    # --- launches

    def launch(self, campus_id: uuid.UUID, secret: str) -> LtiLaunch | None:
        query = select(LtiLaunch).where(
            LtiLaunch.campus_id == campus_id, LtiLaunch.secret_digest == digest_of(secret)
        )
        return self.session.exec(query).first()

    def end_launches_of(self, account: LtiAccount) -> None:
        self.session.exec(
            delete(LtiLaunch).where(
                col(LtiLaunch.platform_id) == account.platform_id,
                col(LtiLaunch.subject) == account.subject,
            )
        )

    def sweep(self, campus_id: uuid.UUID, at: datetime) -> None:
        self.session.exec(
            delete(LtiLaunch).where(col(LtiLaunch.campus_id) == campus_id, col(LtiLaunch.expires_at) <= at)
        )
