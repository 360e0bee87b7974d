"""A program registers a webhook, tests it, reads its log and sends again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from app.domain.campus.integration import Attempt
from sceau_credentials.values import format_timestamp
from tests.app.api.clients import V1, closed_award
from tests.support.app import App
from tests.support.servers.webhooks import Receiver, receiver_of, work

HOOKS = f"{V1}/webhooks"
BODY = {"url": "https://si.exemple.fr/badges", "label": "Scolarité", "kinds": ["award"]}


@pytest.fixture
def receiver(app: App) -> Iterator[Receiver]:
    usual = app.process.webhook_client
    yield receiver_of(app)
    app.process.webhook_client = usual


def test_webhook_from_its_registration_to_its_end(program: TestClient, app: App, receiver: Receiver):
    made = program.post(HOOKS, json=BODY)
    assert made.status_code == 201
    hook = made.json()
    assert hook["secret"].startswith("whsec_")
    here = f"{HOOKS}/{hook['id']}"
    shown = program.get(here).json()
    assert "secret" not in shown
    assert shown in program.get(HOOKS).json()["items"]
    award = closed_award(app)
    work(app)
    (sent,) = program.get(f"{here}/deliveries").json()["items"]
    assert (sent["type"], sent["about"], sent["state"]) == ("award.created", str(award), "delivered")
    assert sent["message_id"] == receiver.received[0].id
    assert program.post(f"{here}/deliveries/{sent['id']}/replay").status_code == 202
    assert program.post(f"{here}/test").json()["type"] == "webhook.test"
    work(app)
    assert [each.id for each in receiver.received].count(sent["message_id"]) == 2
    assert program.delete(here).status_code == 200
    assert program.get(here).status_code == 404


def test_rotation_shows_the_new_secret_and_signs_with_both(program: TestClient, app: App, receiver: Receiver):
    hook = program.post(HOOKS, json=BODY).json()
    here = f"{HOOKS}/{hook['id']}"
    rotated = program.post(f"{here}/secret").json()
    assert rotated["secret"] != hook["secret"]
    assert rotated["two_secrets_until"]
    program.post(f"{here}/test")
    work(app)
    assert receiver.received[-1].headers["webhook-signature"].count("v1,") == 2
    program.delete(here)


def test_pages_of_the_log_and_its_states(program: TestClient, app: App, receiver: Receiver):
    here = f"{HOOKS}/{program.post(HOOKS, json=BODY).json()['id']}"
    receiver.answers = [Attempt(500)]
    for _ in range(3):
        program.post(f"{here}/test")
    work(app)
    waiting = program.get(f"{here}/deliveries", params={"state": "waiting"}).json()["items"]
    assert sorted((each["attempts"], each["status"]) for each in waiting if each["attempts"]) == [(1, 500)]
    assert len(waiting) == 3, "its address is not contacted for a while"
    five_seconds_later = format_timestamp(app.clock.now + timedelta(seconds=5))
    assert {each["next_at"] for each in waiting} == {five_seconds_later}
    program.post(f"{here}/pause")
    paused = program.get(f"{here}/deliveries", params={"state": "waiting"}).json()["items"]
    assert {each["next_at"] for each in paused} == {None}
    assert program.get(f"{here}/deliveries", params={"state": "failed"}).json()["items"] == []
    first = program.get(f"{here}/deliveries", params={"limit": 2})
    rest = program.get(first.links["next"]["url"]).json()["items"]
    assert len({each["id"] for each in [*first.json()["items"], *rest]}) == 3
    program.delete(here)


def test_paused_webhook_takes_no_test(program: TestClient, receiver: Receiver):
    here = f"{HOOKS}/{program.post(HOOKS, json=BODY).json()['id']}"
    assert program.post(f"{here}/pause").json()["state"] == "paused"
    assert program.post(f"{here}/test").status_code == 409
    assert program.post(f"{here}/resume").json()["state"] == "active"
    program.delete(here)


@pytest.mark.parametrize(
    "url",
    [
        "http://si.exemple.fr/badges", "https://10.0.0.1/", "https://localhost/", "https://name:word@si.exemple.fr/",
        "https://si.exemple.fr:8443/", "https://si/",
    ],
)  # fmt: skip
def test_address_that_may_not_be_contacted_is_refused(program: TestClient, url: str):
    assert program.post(HOOKS, json={**BODY, "url": url}).status_code == 422
