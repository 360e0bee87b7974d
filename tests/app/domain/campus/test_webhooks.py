"""Signatures and attempts of webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.campus.integration import (
    FAILURES_BEFORE_PAUSE,
    MOST_ATTEMPTS,
    SECRET_OVERLAP,
    Attempt,
    DeliveryState,
    Webhook,
    WebhookDelivery,
    WebhookState,
    check_webhook_kinds,
    check_webhook_label,
    check_webhook_url,
    note_attempt,
    replay,
    signed_headers,
    valid_secrets,
    webhook_secret,
)
from app.errors import InvalidInput

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SERVICE = b"a service secret of thirty-two bytes"


def webhook() -> Webhook:
    return Webhook(
        campus_id=uuid.uuid4(), url="https://si.exemple.fr/", label="SI", kinds=["award"], created_at=NOW,
        generation="00000000", read_to=0, complete=0, next_at=NOW,
    )  # fmt: skip


def delivery(hook: Webhook) -> WebhookDelivery:
    return WebhookDelivery(
        webhook_id=hook.id, type="award.created", happened_at=NOW, created_at=NOW, next_at=NOW
    )


@given(st.binary(max_size=200), st.uuids())
def test_signature_is_hmac_of_id_timestamp_and_body(body: bytes, key: uuid.UUID):
    secret = "whsec_" + base64.b64encode(key.bytes).decode()
    headers = signed_headers("msg_1", body, [secret], at=NOW)
    signed = b"msg_1." + str(int(NOW.timestamp())).encode() + b"." + body
    expected = base64.b64encode(hmac.new(key.bytes, signed, hashlib.sha256).digest()).decode()
    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1795521600",
        "webhook-signature": f"v1,{expected}",
    }


def test_secret_has_32_bytes_of_its_own_for_each_webhook_and_version():
    hook = webhook()
    secret = webhook_secret(SERVICE, hook)
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert len({secret, webhook_secret(SERVICE, hook, version=2), webhook_secret(SERVICE, webhook())}) == 3


def test_two_secrets_sign_for_a_day_after_a_rotation():
    hook = webhook()
    before = webhook_secret(SERVICE, hook)
    hook.secret_version, hook.previous_until = 2, NOW + SECRET_OVERLAP
    both = valid_secrets(SERVICE, hook, at=NOW)
    assert both == [webhook_secret(SERVICE, hook), before]
    assert len(signed_headers("msg_1", b"{}", both, at=NOW)["webhook-signature"].split(" ")) == 2
    assert valid_secrets(SERVICE, hook, at=NOW + SECRET_OVERLAP) == both[:1]


def test_pauses_between_attempts_grow_and_the_last_attempt_gives_up():
    hook, sent = webhook(), delivery(webhook())
    pauses = []
    for _ in range(MOST_ATTEMPTS):
        note_attempt(hook, sent, Attempt(500), at=NOW)
        pauses.append(sent.next_at - NOW)
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(seconds=5)
    assert sent.state is DeliveryState.FAILED
    replay(sent, at=NOW)
    assert (sent.state, sent.attempts, sent.next_at) == (DeliveryState.WAITING, 0, NOW)


@pytest.mark.parametrize(("asked", "given"), [(0.25, 0.25), (6, 6), (300, 12)])
def test_receiver_that_asks_for_patience_gets_it_for_twelve_hours_at_most(asked: float, given: float):
    hook, sent = webhook(), delivery(webhook())
    note_attempt(hook, sent, Attempt(429, retry_after=int(asked * 3_600)), at=NOW)
    assert sent.next_at == hook.next_at == NOW + timedelta(hours=given)


def test_webhook_is_paused_after_consecutive_failures_only():
    hook = webhook()
    for _ in range(FAILURES_BEFORE_PAUSE - 1):
        note_attempt(hook, delivery(hook), Attempt(fault="unreachable"), at=NOW)
    note_attempt(hook, delivery(hook), Attempt(204), at=NOW)
    assert (hook.state, hook.failures) == (WebhookState.ACTIVE, 0)
    for _ in range(FAILURES_BEFORE_PAUSE):
        note_attempt(hook, delivery(hook), Attempt(fault="unreachable"), at=NOW)
    assert hook.state is WebhookState.FAILING


def test_address_that_is_gone_is_paused_at_once():
    hook = webhook()
    note_attempt(hook, delivery(hook), Attempt(410), at=NOW)
    assert hook.state is WebhookState.FAILING


@pytest.mark.parametrize("url", ["ftp://si.exemple.fr", "https://" + "a" * 500])
def test_address_of_no_web_page_is_refused(url: str):
    with pytest.raises(InvalidInput):
        check_webhook_url(url)


def test_webhook_without_a_label_is_refused():
    with pytest.raises(InvalidInput):
        check_webhook_label(" ")


@pytest.mark.parametrize("kinds", [[], ["letter"]])
def test_webhook_for_no_known_change_is_refused(kinds: list[str]):
    with pytest.raises(InvalidInput):
        check_webhook_kinds(kinds)
