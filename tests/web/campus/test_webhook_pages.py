"""Administrators add a webhook, copy its secret, try it, and send again what was not received."""

from __future__ import annotations

import re

import pytest

from app.domain.campus.integration import MOST_ATTEMPTS, Attempt, DeliveryState, WebhookState
from tests.support.house import House, send
from tests.support.webhooks import Receiver, receiver_of, work

HERE = "/gestion/itip/webhooks"
FORM = {"usage": "Scolarité", "adresse": "https://si.exemple.fr/badges", "sorte": "award"}


@pytest.fixture
def receiver(house: House) -> Receiver:
    return receiver_of(house)


def added(house: House, admin) -> tuple[str, str]:
    """Its page, and the secret shown."""
    answer = send(admin, HERE, FORM, seen_on=HERE)
    assert answer.status_code == 200
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", answer.text)
    assert secret
    with house.unit_of_work(reading=True) as services:
        (hook,) = services.webhooks.list_of(house.campus)
    return f"{HERE}/{hook.id}", secret[0]


def test_secret_is_shown_once(house: House, receiver: Receiver):
    admin = house.client(house.admin)
    page, secret = added(house, admin)
    assert secret not in admin.get(page).text
    assert "Scolarité" in admin.get(HERE).text
    replaced = send(admin, f"{page}/secret", seen_on=page)
    newer = re.search(r"whsec_[A-Za-z0-9+/=]+", replaced.text)
    assert newer
    assert newer[0] != secret
    assert "L’ancien secret sert encore" in admin.get(page).text


def test_test_message_and_what_became_of_it(house: House, receiver: Receiver):
    admin = house.client(house.admin)
    page, _ = added(house, admin)
    receiver.answers = [Attempt(503)]
    assert send(admin, f"{page}/essai", seen_on=page).status_code == 303
    work(house)
    shown = admin.get(page).text
    assert "Message d’essai" in shown
    assert "Le logiciel a répondu 503." in shown
    house.clock.move(minutes=1)
    work(house)
    assert "Reçu" in admin.get(page).text


def test_abandoned_messages_are_sent_again(house: House, receiver: Receiver):
    admin = house.client(house.admin)
    page, _ = added(house, admin)
    receiver.answers = [Attempt(500)] * MOST_ATTEMPTS
    send(admin, f"{page}/essai", seen_on=page)
    for _ in range(MOST_ATTEMPTS):
        work(house)
        house.clock.move(hours=12)
    admin = house.client(house.admin)  # that session is over
    assert "Abandonné" in admin.get(page).text
    assert send(admin, f"{page}/echecs", seen_on=page).status_code == 303
    work(house)
    with house.unit_of_work(reading=True) as services:
        (hook,) = services.webhooks.list_of(house.campus)
        (one,) = services.webhooks.deliveries(hook, limit=10)
    assert one.state is DeliveryState.DELIVERED
    assert send(admin, f"{page}/envois/{one.id}", seen_on=page).status_code == 303


def test_paused_resumed_and_removed(house: House, receiver: Receiver):
    admin = house.client(house.admin)
    page, _ = added(house, admin)
    send(admin, f"{page}/pause", seen_on=page)
    assert "En pause" in admin.get(page).text
    assert send(admin, f"{page}/essai", seen_on=page).status_code == 409
    send(admin, f"{page}/reprise", seen_on=page)
    with house.unit_of_work(reading=True) as services:
        assert services.webhooks.list_of(house.campus)[0].state is WebhookState.ACTIVE
    assert send(admin, f"{page}/retrait", seen_on=page).headers["location"] == HERE
    assert admin.get(page).status_code == 404
    history = admin.get("/gestion/itip/historique").text
    assert "Webhook ajouté" in history
    assert "Webhook retiré" in history


@pytest.mark.parametrize(("name", "value"), [("usage", " "), ("adresse", "si.exemple.fr"), ("sorte", "")])
def test_incomplete_form_comes_back_as_typed(house: House, receiver: Receiver, name: str, value: str):
    answer = send(house.client(house.admin), HERE, {**FORM, name: value}, seen_on=HERE)
    assert answer.status_code == 422
    assert f'aria-describedby="{name}' in answer.text or f'id="{name}' in answer.text
