"""Changes reach a webhook at least once, in order, with ids alone."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from app.domain.campus.campus import Campus
from app.domain.campus.integration import (
    FAILURES_BEFORE_PAUSE,
    KEPT_DELIVERIES,
    MOST_WEBHOOKS,
    Attempt,
    DeliveryState,
    Webhook,
    WebhookState,
    digest_of_erased,
)
from app.errors import Conflict, NotFound
from tests.support.app import COMMAND, App, done_once
from tests.support.letters import send_all
from tests.support.servers.webhooks import Receiver, receiver_of, work

pytestmark = pytest.mark.both_engines

URL = "https://si.exemple.fr/badges"


@pytest.fixture
def receiver(app: App) -> Receiver:
    return receiver_of(app)


@done_once
def registered(app: App, *kinds: str, campus: Campus | None = None) -> Webhook:
    with app.unit_of_work() as services:
        return services.webhooks.add(
            campus or app.campus, url=URL, label="Scolarité", kinds=kinds or ["award"], by=COMMAND
        )


def deliveries(app: App, webhook: Webhook, state: DeliveryState | None = None):
    with app.unit_of_work(reading=True) as services:
        return services.webhooks.deliveries(webhook, state=state, limit=100)


def awarded(app: App) -> uuid.UUID:
    award_id = app.award("Zoé Martin;zoe.martin@exemple.fr").lines[0].award_id
    assert award_id is not None
    return award_id


def test_an_award_is_sent_with_its_id_and_nothing_personal(app: App, receiver: Receiver):
    app.award("Noé Avant;noe@exemple.fr")
    registered(app)
    award_id = awarded(app)
    work(app)
    (got,) = receiver.received
    assert got.url == URL
    assert got.message["type"] == "award.created"
    data = got.message["data"]
    assert data["id"] == str(award_id)
    assert data["url"] == f"http://localhost:8000/api/v1/campuses/itip/awards/{award_id}"
    assert not any(word in got.body.decode().lower() for word in ("zoé", "zo\\u00e9", "martin", "@"))
    work(app)
    assert len(receiver.received) == 1, "once is enough when it was received"


def test_kinds_that_were_not_asked_for_are_not_sent_and_orders_increase(app: App, receiver: Receiver):
    registered(app, "person", "participation")
    awarded(app)
    work(app)
    assert receiver.types == ["person.created", "participation.created"]
    orders = [each.message["data"]["order"] for each in receiver.received]
    assert orders == sorted(set(orders))


def test_other_campus_gets_no_message(app: App, receiver: Receiver):
    registered(app, campus=app.other_campus)
    awarded(app)
    work(app)
    assert receiver.received == []


def test_message_that_failed_is_sent_again_later_under_the_same_id(app: App, receiver: Receiver):
    webhook = registered(app)
    receiver.answers = [Attempt(503), Attempt(fault="timeout")]
    awarded(app)
    work(app)
    assert len(receiver.received) == 1
    app.clock.move(seconds=6)
    work(app)
    work(app)
    assert len(receiver.received) == 2
    app.clock.move(seconds=31)
    work(app)
    assert len({each.id for each in receiver.received}) == 1
    assert [each.body for each in receiver.received] == [receiver.received[0].body] * 3
    (sent,) = deliveries(app, webhook)
    assert (sent.state, sent.attempts, sent.status) == (DeliveryState.DELIVERED, 3, 204)


def test_later_message_about_the_same_row_waits_for_the_earlier_one(app: App, receiver: Receiver):
    webhook = registered(app)
    receiver.answers = [Attempt(500), Attempt(500)]
    first = awarded(app)
    work(app)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, first, reason="Erreur de liste.", by=COMMAND)
    other = app.award("Léa Petit;lea@exemple.fr").lines[0].award_id
    app.clock.move(seconds=6)
    work(app)  # the first one fails again, and waits longer than its address
    receiver.received.clear()
    with app.unit_of_work() as services:
        (row,) = services.webhooks.list_of(app.campus)
        row.next_at = app.clock.now
        services.stores.webhooks.add(row)
    work(app)
    assert [each.message["data"]["id"] for each in receiver.received] == [str(other)]
    app.clock.move(seconds=31)
    work(app)
    of_first = [each for each in receiver.received if each.message["data"]["id"] == str(first)]
    assert [each.message["type"] for each in of_first] == ["award.created", "award.changed"]
    assert not deliveries(app, webhook, DeliveryState.WAITING)


def test_after_repeated_failures_it_is_paused_and_administrators_are_informed(app: App, receiver: Receiver):
    webhook = registered(app)
    receiver.answer = Attempt(500)
    for number in range(FAILURES_BEFORE_PAUSE):
        app.award(f"Zoé Martin;zoe.{number}@exemple.fr")
    for _ in range(FAILURES_BEFORE_PAUSE):
        work(app)
        app.clock.move(hours=12)
    with app.unit_of_work(reading=True) as services:
        assert services.webhooks.get(app.campus, webhook.id).state is WebhookState.FAILING
    count = len(receiver.received)
    app.award("Léa Petit;lea@exemple.fr")
    work(app)
    assert len(receiver.received) == count
    send_all(app.process.post)
    (letter,) = (each for each in app.letters.letters if "webhook" in each.subject)
    assert letter.to.endswith("uvrard@exemple.fr")
    assert "Scolarité" in letter.subject
    assert f"/gestion/itip/webhooks/{webhook.id}" in letter.text
    # Nothing is lost: what changed meanwhile is sent when it resumes.
    receiver.answer = Attempt(200)
    with app.unit_of_work() as services:
        services.webhooks.resume(app.campus, webhook.id, by=COMMAND)
        services.webhooks.replay_failed(app.campus, webhook.id, by=COMMAND)
    app.clock.move(hours=13)
    work(app)
    assert not deliveries(app, webhook, DeliveryState.WAITING)
    assert len({each.id for each in receiver.received}) == FAILURES_BEFORE_PAUSE + 1


def test_email_about_a_gone_address_mentions_no_repeated_failures(app: App, receiver: Receiver):
    registered(app)
    receiver.answer = Attempt(410)
    awarded(app)
    work(app)
    send_all(app.process.post)
    (letter,) = (each for each in app.letters.letters if "webhook" in each.subject)
    assert "échecs de suite" not in letter.text
    assert "n’accepte plus nos messages" in letter.text


def test_replayed_message_keeps_its_id(app: App, receiver: Receiver):
    webhook = registered(app)
    awarded(app)
    work(app)
    (sent,) = deliveries(app, webhook)
    with app.unit_of_work() as services:
        services.webhooks.replay(app.campus, webhook.id, sent.id, by=COMMAND)
        with pytest.raises(NotFound):
            services.webhooks.replay(app.campus, webhook.id, uuid.uuid4(), by=COMMAND)
    work(app)
    assert [each.id for each in receiver.received] == [sent.message_id] * 2


def test_paused_webhook_resumes_where_it_stopped(app: App, receiver: Receiver):
    webhook = registered(app)
    with app.unit_of_work() as services:
        services.webhooks.pause(app.campus, webhook.id, by=COMMAND)
        with pytest.raises(Conflict):
            services.webhooks.test(app.campus, webhook.id, by=COMMAND)
    awarded(app)
    work(app)
    assert receiver.received == []
    with app.unit_of_work() as services:
        services.webhooks.resume(app.campus, webhook.id, by=COMMAND)
    work(app)
    assert receiver.types == ["award.created"]


def test_messages_that_wait_are_sent_at_once_when_the_webhook_resumes(app: App, receiver: Receiver):
    webhook = registered(app)
    receiver.answers = [Attempt(503, retry_after=36_000)] * 2
    awarded(app)
    work(app)
    with app.unit_of_work() as services:
        services.webhooks.pause(app.campus, webhook.id, by=COMMAND)
        services.webhooks.resume(app.campus, webhook.id, by=COMMAND)
    work(app)
    assert len(receiver.received) == 2
    app.clock.move(seconds=60)
    with app.unit_of_work() as services:
        services.webhooks.pause(app.campus, webhook.id, by=COMMAND)
        services.webhooks.resume(app.campus, webhook.id, by=COMMAND)
    work(app)
    assert [each.state for each in deliveries(app, webhook)] == [DeliveryState.DELIVERED]
    assert len({each.id for each in receiver.received}) == 1


def test_messages_leave_after_a_clock_that_ran_ahead_was_set_back(app: App, receiver: Receiver):
    registered(app)
    app.clock.move(hours=2)
    awarded(app)
    work(app)
    receiver.answers = [Attempt(503)]
    app.clock.move(days=365)
    app.award("Léa Petit;lea@exemple.fr")
    work(app)
    app.clock.move(days=-365, hours=-2)
    work(app)
    assert receiver.types == ["award.created"] * 3
    app.award("Noé Petit;noe@exemple.fr")
    app.clock.move(minutes=-20)
    work(app)
    assert receiver.types == ["award.created"] * 4


def test_a_turn_of_a_slow_receiver_is_short(app: App, receiver: Receiver):
    registered(app, "person", "participation", "award")
    for name in ("zoe", "lea", "noe"):
        app.award(f"Zoé Martin;{name}@exemple.fr")
    seconds = iter(range(400))
    sender = replace(app.process.webhook_sender, monotonic=lambda: float(next(seconds)))
    (webhook_id,) = sender.due(limit=10)
    assert sender.send_some(webhook_id), "it goes on, unless others wait"
    assert len(receiver.received) == 2, "a message takes a second, a turn two"


def test_receiver_gets_a_message_after_a_restore(app: App, receiver: Receiver):
    registered(app)
    awarded(app)
    work(app)
    app.process.restart_feeds()
    work(app)
    assert receiver.types == ["award.created", "feed.restarted"]
    app.award("Léa Petit;lea@exemple.fr")
    work(app)
    assert receiver.types[2:] == ["award.created"]


def test_nothing_of_an_erased_person_stays_in_the_log(app: App, receiver: Receiver):
    webhook = registered(app, "person")
    awarded(app)
    work(app)
    person_id = deliveries(app, webhook)[0].noun_id
    assert person_id is not None
    with app.unit_of_work() as services:
        services.erasures.process_chunk(app.campus, person_id, "À sa demande.", by=COMMAND)
    assert {each.noun_id for each in deliveries(app, webhook)} == {digest_of_erased(person_id)}
    work(app)
    last = receiver.received[-1].message
    assert last["type"] == "person.removed"
    assert (last["data"]["id"], last["data"]["url"]) == (None, None)
    assert last["data"]["digest"] == digest_of_erased(person_id).hex


def test_messages_are_deleted_after_thirty_days_unless_they_wait(app: App, receiver: Receiver):
    webhook = registered(app)
    awarded(app)
    work(app)
    receiver.answer = Attempt(500)
    app.award("Léa Petit;lea@exemple.fr")
    work(app)
    app.clock.now += KEPT_DELIVERIES
    app.clock.move(hours=1)
    with app.unit_of_work() as services:
        services.retention.delete_some()
    assert [each.state for each in deliveries(app, webhook)] == [DeliveryState.WAITING]


def test_webhook_of_another_campus_is_not_found(app: App, receiver: Receiver):
    webhook = registered(app, campus=app.other_campus)
    with app.unit_of_work() as services:
        for act in (services.webhooks.pause, services.webhooks.rotate, services.webhooks.remove):
            with pytest.raises(NotFound):
                act(app.campus, webhook.id, by=COMMAND)


def test_a_campus_has_ten_webhooks_at_most(app: App, receiver: Receiver):
    for _ in range(MOST_WEBHOOKS):
        registered(app)
    with pytest.raises(Conflict):
        registered(app)
