"""What keeps a school's information system in step: its identifiers for our rows, and the feed of changes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import struct
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

from sqlalchemy import BigInteger, CheckConstraint, Uuid
from sqlmodel import Column, Field, ForeignKey, Index, SQLModel

from app.domain.core import enum_column, foreign_key, json_column, new_id, primary_foreign_key, utc_datetime
from app.errors import AppError, Conflict, Gone, InvalidInput
from app.language import N_
from sceau_credentials.values import format_timestamp


class ChangedKind(StrEnum):
    """In the order in which rows refer to each other: a reader knows a person before their award."""

    BADGE = "badge"
    ACTIVITY = "activity"
    PERSON = "person"
    PARTICIPATION = "participation"
    AWARD = "award"


KINDS_IN_ORDER: Final = tuple(ChangedKind)


class WhatHappened(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    REMOVED = "removed"


class ChangeHead(SQLModel, table=True):
    """The last number of one campus's feed.

    Locked from a transaction's last statement to its commit: numbers become visible in their own order, without
    gaps. `generation` changes with a restore, so that no older cursor continues in other numbers.
    """

    __tablename__ = "change_head"
    campus_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus"))
    last: int = Field(default=0, sa_type=BigInteger)
    last_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    generation: str = Field(default_factory=lambda: secrets.token_hex(4), max_length=8)


class Change(SQLModel, table=True):
    """The newest change of one row as one campus sees it; an older one of the same row is replaced.

    Numbers increase without ever being used twice. `first` is the number with which the row appeared:
    for a reader who knows no number as high, it was created.
    """

    __tablename__ = "change"
    __table_args__ = (Index("changes_of_campus", "campus_id", "number", unique=True),)
    noun_id: uuid.UUID = Field(sa_column=Column(Uuid(), primary_key=True))
    # Of the head, which its writer has locked: the campus row may be locked by others until they commit.
    campus_id: uuid.UUID = Field(
        sa_column=Column(Uuid(), ForeignKey("change_head.campus_id"), primary_key=True, nullable=False)
    )
    kind: ChangedKind = Field(sa_column=enum_column(ChangedKind, name="changed_kind"))
    number: int = Field(sa_type=BigInteger)
    first: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_column=utc_datetime())
    removed: bool = False
    is_erased: bool = False
    """Of a person of whom nothing is left: `noun_id` is `digest_of_erased`, not the number."""

    def since(self, number: int) -> WhatHappened:
        """For a reader who knows every row up to that number."""
        if self.removed:
            return WhatHappened.REMOVED
        return WhatHappened.CREATED if self.first > number else WhatHappened.CHANGED


def digest_of_erased(person_id: uuid.UUID) -> uuid.UUID:
    """Found again by who has the number; from the digest alone it cannot be."""
    return uuid.UUID(bytes=hashlib.sha256(str(person_id).encode()).digest()[:16])


@dataclass(frozen=True)
class FeedPlace:
    """How far a reader has read; a cursor is opaque to them.

    `complete`: up to which number they know every row, from when they last read to the end. Between two ends, a
    row may have moved on before the reader came to its former number.
    """

    generation: str
    number: int = 0
    complete: int = 0

    def to_cursor(self) -> str:
        raw = bytes.fromhex(self.generation) + struct.pack(">QQ", self.number, self.complete)
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    @staticmethod
    def read(cursor: str) -> FeedPlace:
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raw = b""
        if len(raw) != 20:
            raise InvalidInput("Ce curseur n’est pas de ce flux : repartez du début, sans « after ».")
        return FeedPlace(raw[:4].hex(), *struct.unpack(">QQ", raw[4:]))


class FeedRestarted(Gone):
    """A backup was restored: changes that a reader has seen may never have happened."""

    def __init__(self) -> None:
        super().__init__(
            N_("Ce flux a recommencé après une restauration : relisez-le depuis le début, sans « after ».")
        )


def place_in(head: ChangeHead, cursor: str | None) -> FeedPlace:
    """Raises FeedRestarted for a cursor of an earlier generation."""
    if not cursor:
        return FeedPlace(head.generation)
    place = FeedPlace.read(cursor)
    if not place.number:
        return FeedPlace(head.generation)
    if place.generation != head.generation or place.number > head.last:
        raise FeedRestarted
    return place


# --- identifiers of other systems

LONGEST_EXTERNAL_ID: Final = 200


class NamedKind(StrEnum):
    """What another system may name with an identifier of its own."""

    PERSON = "person"
    ACTIVITY = "activity"
    AWARD = "award"


class ExternalId(SQLModel, table=True):
    """The identifier of one row in a campus's own system: one row each, a row may have several after a merge."""

    __tablename__ = "external_id"
    __table_args__ = (
        CheckConstraint(
            "(kind <> 'person' OR person_id IS NOT NULL) AND (kind <> 'activity' OR activity_id IS NOT NULL) "
            "AND (kind <> 'award' OR award_id IS NOT NULL)",
            name="external_id_names_its_kind",
        ),
    )
    campus_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus"))
    kind: NamedKind = Field(
        sa_column=Column(enum_column(NamedKind, name="external_id_kind").type, primary_key=True)
    )
    value: str = Field(primary_key=True, max_length=LONGEST_EXTERNAL_ID)
    person_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("person", nullable=True))
    activity_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("activity", nullable=True))
    award_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("award", nullable=True))
    given_at: datetime = Field(sa_column=utc_datetime())

    @property
    def noun_id(self) -> uuid.UUID:
        found = {
            NamedKind.PERSON: self.person_id,
            NamedKind.ACTIVITY: self.activity_id,
            NamedKind.AWARD: self.award_id,
        }[self.kind]
        assert found is not None, "the check constraint"
        return found


class ExternalIdTaken(Conflict):
    """The identifier names another row, or the row is known under another identifier."""


NAMES_ANOTHER = N_("L’identifiant « {value} » désigne déjà autre chose ici ({id}).")
NAMED_OTHERWISE = N_("Déjà connu ici sous l’identifiant « {known} » : « {value} » ne le remplace pas.")

TWICE = N_("L’identifiant « {value} » est déjà sur une ligne précédente.")


def check_external_id(value: str) -> str:
    """Printable and without spaces around, as it stands in addresses and logs of the other system."""
    if (
        not value.strip()
        or value != value.strip()
        or len(value) > LONGEST_EXTERNAL_ID
        or not value.isprintable()
    ):
        raise InvalidInput(
            "Un identifiant tient en {most} signes, sans espace au début ni à la fin.",
            most=LONGEST_EXTERNAL_ID,
        )
    return value


def system_of(value: str) -> str:
    """The system that an identifier belongs to: one course platform, or the campus's own system (empty).

    A row has one identifier in each system.
    """
    parts = value.split(":", 2)
    return ":".join(parts[:2]) if len(parts) == 3 and parts[0] == "lti" else ""


def named_otherwise(value: str, known: Sequence[str]) -> str:
    """The identifier by which the same system knows the row already; empty where there is none."""
    same = [each for each in known if system_of(each) == system_of(value)]
    return "" if value in same else next(iter(same), "")


class LineRefused(InvalidInput):
    """`kind` is a stable name of the reason."""

    def __init__(self, sentence: str, *, kind: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class UpsertOutcome(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


@dataclass(frozen=True)
class Receipt:
    """What became of one line; `fault` is the reason of a refusal."""

    line: int
    external_id: str
    outcome: UpsertOutcome
    noun_id: uuid.UUID | None = None
    changes: Sequence[str] = ()
    fault: AppError | None = None


MOST_UPSERTED: Final = 1_000


Place = tuple[datetime, uuid.UUID]
"""When the last row of a page came, and its id; also of a row that is gone meanwhile."""


@dataclass(frozen=True)
class Wanted:
    """Rows of a list. `since`: created or changed at that time or later. `ids`: only these; None for all."""

    before: Place | None = None
    since: datetime | None = None
    ids: Collection[uuid.UUID] | None = None
    limit: int = 50


# --- one effect and one answer for each idempotency key

ANSWER_LIFE: Final = timedelta(hours=24)


class ApiAnswer(SQLModel, table=True):
    """What one token was answered under one key, sealed; written with what the request changed.

    `status` is 0 while that request runs: no other transaction sees it then.
    """

    __tablename__ = "api_answer"
    campus_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus"))
    token: str = Field(primary_key=True, max_length=60)
    key_digest: str = Field(primary_key=True, max_length=64)
    request_digest: str = Field(max_length=64)
    status: int = 0
    sealed: bytes = b""
    expires_at: datetime = Field(sa_column=utc_datetime(index=True))


def check_same_answer(answer: ApiAnswer, request_digest: str) -> None:
    """An idempotency key identifies one request only (T45)."""
    if answer.request_digest != request_digest:
        raise InvalidInput("Cette clé d’idempotence a déjà servi pour une autre demande.")


# --- Webhooks: addresses to which the changes of a campus are sent, signed (standard-webhooks), until they
# are received

MOST_WEBHOOKS: Final = 10
LONGEST_URL: Final = 500
SECRET_OVERLAP: Final = timedelta(hours=24)
"""How long the secret before a rotation still signs, beside the new one."""
KEPT_DELIVERIES: Final = timedelta(days=30)
"""Since the last attempt, for messages that no attempt will follow."""

_PAUSES: Final = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200)
"""Seconds after each failed attempt."""
MOST_ATTEMPTS: Final = len(_PAUSES)
LONGEST_PAUSE: Final = timedelta(seconds=_PAUSES[-1])
"""A next attempt that is further away was set by a clock that ran ahead: it is due."""
FAILURES_BEFORE_PAUSE: Final = 15
"""Consecutive failed attempts, of any messages: with the pauses between them, more than a day."""
_LONGEST_PAUSE_OF_ADDRESS: Final = 4 * 3_600
_GONE, _FIRST_GOOD, _FIRST_BAD = 410, 200, 300

TEST_TYPE: Final = "webhook.test"
RESTARTED_TYPE: Final = "feed.restarted"


class WebhookState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    """By an administrator."""
    FAILING = "failing"
    """Paused by the service, after repeated failures."""


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Webhook(SQLModel, table=True):
    """`generation`, `read_to` and `complete` are its position in the feed of changes of the campus."""

    __tablename__ = "webhook"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    url: str = Field(max_length=LONGEST_URL)
    label: str = Field(max_length=120)
    kinds: list[str] = Field(sa_column=json_column())
    state: WebhookState = Field(
        default=WebhookState.ACTIVE, sa_column=enum_column(WebhookState, name="webhook_state")
    )
    created_at: datetime = Field(sa_column=utc_datetime())
    secret_version: int = 1
    previous_until: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    generation: str = Field(max_length=8)
    read_to: int = Field(sa_type=BigInteger)
    complete: int = Field(sa_type=BigInteger)
    failures: int = 0
    next_at: datetime = Field(sa_column=utc_datetime())

    @property
    def is_active(self) -> bool:
        return self.state is WebhookState.ACTIVE

    def is_due(self, at: datetime) -> bool:
        """Without failures it never pauses: `next_at` then only orders webhooks, also after a clock was set back."""
        return not self.failures or not at < self.next_at <= at + LONGEST_PAUSE


class WebhookDelivery(SQLModel, table=True):
    """One message: ids and times, no name and no address. `number` orders the messages of a campus.

    Without its campus: a foreign key to it would wait for those who lock the campus, and they for the feed.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("webhook_deliveries_due", "webhook_id", "state", "next_at"),
        Index("webhook_deliveries_listed", "webhook_id", "created_at"),
        Index("webhook_deliveries_about", "noun_id"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    webhook_id: uuid.UUID = Field(sa_column=foreign_key("webhook", index=False))
    type: str = Field(max_length=40)
    noun_id: uuid.UUID | None = None
    is_erased: bool = False
    """Of a person of whom nothing is left: `noun_id` is `digest_of_erased`."""
    number: int = Field(default=0, sa_type=BigInteger)
    happened_at: datetime = Field(sa_column=utc_datetime())
    created_at: datetime = Field(sa_column=utc_datetime())
    state: DeliveryState = Field(
        default=DeliveryState.WAITING, sa_column=enum_column(DeliveryState, name="webhook_delivery_state")
    )
    attempts: int = 0
    next_at: datetime = Field(sa_column=utc_datetime())
    attempted_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    status: int | None = None
    """The HTTP status of the last attempt; None where there was no response."""
    fault: str = Field(default="", max_length=40)
    """Why there was no response: a code of the guarded client."""

    @property
    def message_id(self) -> str:
        return f"msg_{self.id.hex}"


_PLURALS: Final[Mapping[ChangedKind, str]] = {
    ChangedKind.BADGE: "badges",
    ChangedKind.ACTIVITY: "activities",
    ChangedKind.PERSON: "people",
    ChangedKind.PARTICIPATION: "participations",
    ChangedKind.AWARD: "awards",
}


def api_path(slug: str, kind: ChangedKind, noun_id: uuid.UUID) -> str:
    """Where the API answers for one row."""
    return f"/api/v1/campuses/{slug}/{_PLURALS[kind]}/{noun_id}"


def check_webhook_label(label: str) -> None:
    if not label.strip() or len(label) > 120:
        raise InvalidInput("Dites pour quel logiciel est ce webhook, en 120 signes au plus.")


def check_webhook_url(url: str) -> None:
    """What needs no network; whether the address may be contacted is for the client."""
    if not url.startswith(("https://", "http://")) or len(url) > LONGEST_URL:
        raise InvalidInput(URL_REFUSED)


def check_webhook_kinds(kinds: Sequence[str]) -> None:
    if not kinds or not set(kinds) <= {each.value for each in ChangedKind}:
        raise InvalidInput("Choisissez au moins un type de changement.")


URL_REFUSED: Final = N_(
    "Donnez une adresse https complète, sans mot de passe : un nom de domaine (pas une adresse IP ni un nom sans point), "
    "joignable depuis internet, à un port permis par ce service. Exemple : https://si.etablissement.fr/badges"
)


def message_of(change: Change, what: WhatHappened, webhook: Webhook, *, at: datetime) -> WebhookDelivery:
    return WebhookDelivery(
        webhook_id=webhook.id,
        type=f"{change.kind}.{what}",
        noun_id=change.noun_id,
        is_erased=change.is_erased,
        number=change.number,
        happened_at=change.at,
        created_at=at,
        next_at=at,
    )


def body_of(delivery: WebhookDelivery, slug: str, base_url: str) -> bytes:
    """The same bytes at each attempt, as JSON."""
    data: dict[str, Any] = {"campus": slug, "order": delivery.number}
    if delivery.noun_id is not None:
        kind, _, change = delivery.type.partition(".")
        noun_id = delivery.noun_id
        is_there = not delivery.is_erased and change != WhatHappened.REMOVED
        data |= {
            "kind": kind,
            "id": None if delivery.is_erased else str(noun_id),
            "digest": noun_id.hex if delivery.is_erased else None,
            "change": change,
            "url": base_url + api_path(slug, ChangedKind(kind), noun_id) if is_there else None,
        }
    message = {"type": delivery.type, "timestamp": format_timestamp(delivery.happened_at), "data": data}
    return json.dumps(message, separators=(",", ":")).encode()


# --- signatures


def webhook_secret(service_secret: bytes, webhook: Webhook, *, version: int | None = None) -> str:
    """`whsec_` and 32 bytes in base64: derived, never stored."""
    number = webhook.secret_version if version is None else version
    message = b"webhook|" + webhook.id.bytes + number.to_bytes(4, "big")
    raw = hmac.digest(service_secret, message, hashlib.sha256)
    return "whsec_" + base64.b64encode(raw).decode()


def valid_secrets(service_secret: bytes, webhook: Webhook, *, at: datetime) -> list[str]:
    """The newest first; two for a day after a rotation."""
    secrets = [webhook_secret(service_secret, webhook)]
    if webhook.previous_until is not None and at < webhook.previous_until:
        secrets.append(webhook_secret(service_secret, webhook, version=webhook.secret_version - 1))
    return secrets


def signed_headers(message_id: str, body: bytes, secrets: Sequence[str], *, at: datetime) -> dict[str, str]:
    """Of the standard-webhooks specification: one signature for each secret."""
    moment = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), moment.encode(), body))
    signatures = [
        base64.b64encode(
            hmac.digest(base64.b64decode(each.removeprefix("whsec_")), signed, hashlib.sha256)
        ).decode()
        for each in secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
    }


# --- attempts


@dataclass(frozen=True)
class Attempt:
    """What one attempt met: a status, or the fault that prevented one. `retry_after`: seconds the receiver asks for."""

    status: int | None = None
    fault: str = ""
    retry_after: int = 0

    @property
    def is_received(self) -> bool:
        return self.status is not None and _FIRST_GOOD <= self.status < _FIRST_BAD

    @property
    def is_refused_for_good(self) -> bool:
        """410: the address wants no further message."""
        return self.status == _GONE


class WebhookClient(Protocol):
    def check(self, url: str) -> None:
        """Raises InvalidInput for an address that may not be contacted."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
        """Never raises for what the receiver does."""


def note_attempt(webhook: Webhook, delivery: WebhookDelivery, attempt: Attempt, *, at: datetime) -> None:
    delivery.attempts += 1
    delivery.attempted_at, delivery.status, delivery.fault = at, attempt.status, attempt.fault[:40]
    if attempt.is_received:
        delivery.state, webhook.failures, webhook.next_at = DeliveryState.DELIVERED, 0, at
        return
    if delivery.attempts >= MOST_ATTEMPTS:
        delivery.state = DeliveryState.FAILED
    delivery.next_at = at + _pause(delivery.attempts, attempt.retry_after)
    webhook.failures += 1
    own = min(_pause(webhook.failures, 0), timedelta(seconds=_LONGEST_PAUSE_OF_ADDRESS))
    webhook.next_at = at + max(own, timedelta(seconds=min(attempt.retry_after, _PAUSES[-1])))
    if attempt.is_refused_for_good or webhook.failures >= FAILURES_BEFORE_PAUSE:
        webhook.state = WebhookState.FAILING


def _pause(attempts: int, retry_after: int) -> timedelta:
    seconds = _PAUSES[min(attempts, len(_PAUSES)) - 1]
    return timedelta(seconds=min(max(seconds, retry_after), _PAUSES[-1]))


def replay(delivery: WebhookDelivery, *, at: datetime) -> None:
    """The same message under the same id, from the first attempt on."""
    delivery.state, delivery.attempts, delivery.next_at = DeliveryState.WAITING, 0, at
