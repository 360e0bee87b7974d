"""What keeps a copy in step with a campus: its changes since a cursor, and webhooks with their messages."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from app.domain.campus.campus import Campus
from app.domain.campus.integration import (
    LONGEST_URL,
    Change,
    ChangedKind,
    DeliveryState,
    Webhook,
    WebhookDelivery,
    WebhookState,
    WhatHappened,
    api_path,
)
from app.http.programs import (
    Page,
    Paged,
    Program,
    Reader,
    Shape,
    WebhookReader,
    WebhookWriter,
    Writing,
    example,
    version_1,
)
from app.http.request_scope import limited_by_token

webhooks = version_1("/campuses/{slug}/webhooks", route_class=Writing, tags=["webhooks"])
_COUNTED = limited_by_token("webhooks of a campus")

_WEBHOOK = {
    "id": "7c0f4a52-6a53-4e0e-9f59-0f7f3a3c8d10",
    "url": "https://si.etablissement.fr/badges",
    "label": "Scolarité",
    "kinds": ["award", "person"],
    "state": "active",
    "created_at": "2026-11-25T11:00:00Z",
    "failures": 0,
    "two_secrets_until": None,
}
_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="  # noqa: S105 - an example
_DELIVERY = {
    "id": "e3a2a9a6-3f0e-4a0b-9a52-6f3f8f1f0c11",
    "message_id": "msg_e3a2a9a63f0e4a0b9a526f3f8f1f0c11",
    "type": "award.created",
    "about": "b3f3b1de-7f0a-4f0c-8f37-1f4c1b7f7f62",
    "order": 412,
    "state": "delivered",
    "attempts": 1,
    "created_at": "2026-11-25T11:00:00Z",
    "attempted_at": "2026-11-25T11:00:01Z",
    "next_at": None,
    "status": 204,
    "fault": None,
}


class WebhookBody(Shape):
    model_config = Shape.model_config | example(
        **{name: _WEBHOOK[name] for name in ("url", "label", "kinds")}
    )
    url: str = Field(
        max_length=LONGEST_URL, description="https; a public host, or one in a network the operator allows."
    )
    label: str = Field(max_length=120, description="Which software it is.")
    kinds: list[ChangedKind] = Field(
        min_length=1, max_length=len(ChangedKind), description="Kinds of the feed of changes."
    )


class WebhookView(BaseModel):
    model_config = example(**_WEBHOOK)
    id: uuid.UUID
    url: str
    label: str
    kinds: list[ChangedKind]
    state: WebhookState = Field(description="`failing`: paused by the service, after repeated failures.")
    created_at: datetime
    failures: int = Field(description="Consecutive failed attempts.")
    two_secrets_until: datetime | None = Field(
        None,
        description="Until then each message carries a second signature, with the secret before the rotation.",
    )

    @staticmethod
    def of(webhook: Webhook) -> WebhookView:
        return WebhookView(**_shown(webhook))


class WebhookWithSecret(WebhookView):
    NEVER_STORED: ClassVar = ("secret",)
    model_config = example(**_WEBHOOK, secret=_SECRET)
    secret: str | None = Field(
        description="Returned once. The receiver verifies signatures with it. Null in a replayed response"
        " (idempotency key)."
    )


def _shown(webhook: Webhook) -> dict[str, object]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "label": webhook.label,
        "kinds": webhook.kinds,
        "state": webhook.state,
        "created_at": webhook.created_at,
        "failures": webhook.failures,
        "two_secrets_until": webhook.previous_until,
    }


class DeliveryView(BaseModel):
    model_config = example(**_DELIVERY)
    id: uuid.UUID
    message_id: str = Field(description="The header `webhook-id`: the same at each attempt.")
    type: str
    about: uuid.UUID | None = Field(
        None, description="The row that changed; null of a test and of an erased person."
    )
    order: int = Field(description="Increases with each change of the campus; 0 of a test.")
    state: DeliveryState
    attempts: int
    created_at: datetime
    attempted_at: datetime | None = None
    next_at: datetime | None = Field(
        None, description="Not before; null where no attempt follows, or while it is paused."
    )
    status: int | None = Field(
        None, description="The HTTP status of the last attempt; null where there was no response."
    )
    fault: str | None = Field(None, description="Why there was no response.")

    @staticmethod
    def of(delivery: WebhookDelivery, webhook: Webhook) -> DeliveryView:
        is_waiting = delivery.state is DeliveryState.WAITING and webhook.is_active
        return DeliveryView(
            id=delivery.id,
            message_id=delivery.message_id,
            type=delivery.type,
            about=None if delivery.is_erased else delivery.noun_id,
            order=delivery.number,
            state=delivery.state,
            attempts=delivery.attempts,
            created_at=delivery.created_at,
            attempted_at=delivery.attempted_at,
            next_at=max(delivery.next_at, webhook.next_at) if is_waiting else None,
            status=delivery.status,
            fault=delivery.fault or None,
        )


class WebhookPage(Page[WebhookView]):
    model_config = example(items=[_WEBHOOK], next=None)


class DeliveryPage(Page[DeliveryView]):
    model_config = example(items=[_DELIVERY], next=None)


@webhooks.get("", summary="The webhooks of the campus")
def list_webhooks(program: WebhookReader, paging: Paged) -> WebhookPage:
    shown, cursor = paging.slice(program.services.webhooks.list_of(program.campus), lambda each: each.id)
    return WebhookPage(items=[WebhookView.of(each) for each in shown], next=cursor)


@webhooks.post("", summary="Register a webhook", status_code=201, dependencies=[_COUNTED])
def add_webhook(program: WebhookWriter, body: WebhookBody) -> WebhookWithSecret:
    """What changes from now on is sent to it. The answer shows the secret, this once."""
    webhook = program.services.webhooks.add(
        program.campus,
        url=body.url,
        label=body.label,
        kinds=[each.value for each in body.kinds],
        by=program.actor,
    )
    return _with_secret(program, webhook)


@webhooks.get("/{webhook_id}", summary="One webhook")
def get_webhook(program: WebhookReader, webhook_id: uuid.UUID) -> WebhookView:
    return WebhookView.of(program.services.webhooks.get(program.campus, webhook_id))


@webhooks.delete("/{webhook_id}", summary="Remove a webhook and its log")
def remove_webhook(program: WebhookWriter, webhook_id: uuid.UUID) -> WebhookView:
    """The answer shows it as it was."""
    shown = WebhookView.of(program.services.webhooks.get(program.campus, webhook_id))
    program.services.webhooks.remove(program.campus, webhook_id, by=program.actor)
    return shown


@webhooks.post("/{webhook_id}/secret", summary="Replace the secret")
def rotate_webhook_secret(program: WebhookWriter, webhook_id: uuid.UUID) -> WebhookWithSecret:
    """For a day, messages are signed with both secrets."""
    return _with_secret(
        program, program.services.webhooks.rotate(program.campus, webhook_id, by=program.actor)
    )


@webhooks.post("/{webhook_id}/pause", summary="Send nothing for a while")
def pause_webhook(program: WebhookWriter, webhook_id: uuid.UUID) -> WebhookView:
    return WebhookView.of(program.services.webhooks.pause(program.campus, webhook_id, by=program.actor))


@webhooks.post("/{webhook_id}/resume", summary="Send again, from where it stopped")
def resume_webhook(program: WebhookWriter, webhook_id: uuid.UUID) -> WebhookView:
    return WebhookView.of(program.services.webhooks.resume(program.campus, webhook_id, by=program.actor))


@webhooks.post("/{webhook_id}/test", summary="Send a test message", status_code=202, dependencies=[_COUNTED])
def test_webhook(program: WebhookWriter, webhook_id: uuid.UUID) -> DeliveryView:
    """A message of type `webhook.test`; the log shows what became of it."""
    sent = program.services.webhooks.test(program.campus, webhook_id, by=program.actor)
    return DeliveryView.of(sent, program.services.webhooks.get(program.campus, webhook_id))


@webhooks.get("/{webhook_id}/deliveries", summary="The messages of a webhook")
def list_webhook_deliveries(
    program: WebhookReader,
    webhook_id: uuid.UUID,
    paging: Paged,
    state: Annotated[DeliveryState | None, Query(description="Only those in this state.")] = None,
) -> DeliveryPage:
    """The newest first; thirty days long."""
    webhook = program.services.webhooks.get(program.campus, webhook_id)
    found = program.services.webhooks.deliveries(
        webhook, before=paging.place, state=state, limit=paging.limit + 1
    )
    shown, cursor = paging.cut(found, lambda each: (each.created_at, each.id))
    return DeliveryPage(items=[DeliveryView.of(each, webhook) for each in shown], next=cursor)


@webhooks.post(
    "/{webhook_id}/deliveries/{delivery_id}/replay", summary="Send a message again", status_code=202
)
def replay_webhook_delivery(
    program: WebhookWriter, webhook_id: uuid.UUID, delivery_id: uuid.UUID
) -> DeliveryView:
    """Under the same `webhook-id`."""
    sent = program.services.webhooks.replay(program.campus, webhook_id, delivery_id, by=program.actor)
    return DeliveryView.of(sent, program.services.webhooks.get(program.campus, webhook_id))


def _with_secret(program: Program, webhook: Webhook) -> WebhookWithSecret:
    return WebhookWithSecret(**_shown(webhook), secret=program.services.webhooks.secret_of(webhook))


# --- changes

changes = version_1("/campuses/{slug}/changes", tags=["changes"])

_CHANGE = {
    "kind": "award",
    "id": "b3f3b1de-7f0a-4f0c-8f37-1f4c1b7f7f62",
    "change": "created",
    "at": "2026-11-25T11:00:00Z",
    "url": "/api/v1/campuses/itip/awards/b3f3b1de-7f0a-4f0c-8f37-1f4c1b7f7f62",
}


class ChangeView(BaseModel):
    model_config = example(**_CHANGE)
    kind: ChangedKind
    id: uuid.UUID | None = Field(description="Null of an erased person.")
    digest: str | None = Field(
        None,
        description="Of an erased person: their number is not kept, so this is the first 32 hexadecimal digits of the SHA-256 of"
        " the id. Compare it with those of your copy.",
    )
    change: WhatHappened = Field(description="Since you last read to the end.")
    at: datetime
    url: str | None = Field(description="Where its present state is; null where it was removed.")

    @staticmethod
    def of(change: Change, what: WhatHappened, campus: Campus) -> ChangeView:
        return ChangeView(
            kind=change.kind,
            id=None if change.is_erased else change.noun_id,
            digest=change.noun_id.hex if change.is_erased else None,
            change=what,
            at=change.at,
            url=None if change.removed else api_path(campus.slug, change.kind, change.noun_id),
        )


class ChangesPage(BaseModel):
    model_config = example(items=[_CHANGE], next="q83vEgAAAAAAAAABAAAAAAAAAAE", more=False)
    items: list[ChangeView]
    next: str = Field(description="To ask with next time, also where nothing is left to read now.")
    more: bool = Field(description="Whether there are further changes already.")


@changes.get("", summary="What was created, changed or removed since a cursor")
def list_changes(
    program: Reader,
    request: Request,
    response: Response,
    after: Annotated[str | None, Query(max_length=60, description="`next` of the page before.")] = None,
    kind: Annotated[list[ChangedKind], Query(description="Only these kinds; may be repeated.")] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> ChangesPage:
    """Without a cursor, everything that exists. Each row appears once, with its newest change, in the order of these
    changes: what changes again meanwhile comes later, and nothing is ever skipped, however many write at the same time.

    410 after a restored backup: read again from the beginning.
    """
    page = program.services.feed.page(program.campus, after, kinds=kind, limit=limit)
    if page.more:
        query = request.url.include_query_params(after=page.cursor).query
        response.headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    return ChangesPage(
        items=[ChangeView.of(change, what, program.campus) for change, what in page.changes],
        next=page.cursor,
        more=page.more,
    )
