"""Changes reach a webhook at least once, in order, with ids alone."""

from __future__ import annotations

import uuid

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
from tests.support.house import COMMAND, House, done_once
from tests.support.letters import send_all
from tests.support.servers.webhooks import Receiver, receiver_of, work

pytestmark = pytest.mark.both_engines

URL = "https://si.exemple.fr/badges"


@pytest.fixture
def receiver(house: House) -> Receiver:
    return receiver_of(house)


@done_once
def registered(house: House, *kinds: str, campus: Campus | None = None) -> Webhook:
    with house.unit_of_work() as services:
        return services.webhooks.add(
            campus or house.campus, url=URL, label="Scolarité", kinds=kinds or ["award"], by=COMMAND
        )


def deliveries(house: House, webhook: Webhook, state: DeliveryState | None = None):
    with house.unit_of_work(reading=True) as services:
        return services.webhooks.deliveries(webhook, state=state, limit=100)


def awarded(house: House) -> uuid.UUID:
    award_id = house.award("Zoé Martin;zoe.martin@exemple.fr").lines[0].award_id
    assert award_id is not None
    return award_id


def test_an_award_is_sent_with_its_id_and_nothing_personal(house: House, receiver: Receiver):
    house.award("Noé Avant;noe@exemple.fr")
    registered(house)
    award_id = awarded(house)
    work(house)
    (got,) = receiver.received
    assert got.url == URL
    assert got.message["type"] == "award.created"
    data = got.message["data"]
    assert data["id"] == str(award_id)
    assert data["url"] == f"http://localhost:8000/api/v1/campuses/itip/awards/{award_id}"
    assert not any(word in got.body.decode().lower() for word in ("zoé", "zo\\u00e9", "martin", "@"))
    work(house)
    assert len(receiver.received) == 1, "once is enough when it was received"


def test_kinds_that_were_not_asked_for_are_not_sent_and_orders_increase(house: House, receiver: Receiver):
    registered(house, "person", "participation")
    awarded(house)
    work(house)
    assert receiver.types == ["person.created", "participation.created"]
    orders = [each.message["data"]["order"] for each in receiver.received]
    assert orders == sorted(set(orders))


def test_other_campus_hears_nothing(house: House, receiver: Receiver):
    registered(house, campus=house.other_campus)
    awarded(house)
    work(house)
    assert receiver.received == []


def test_message_that_failed_is_sent_again_later_under_the_same_id(house: House, receiver: Receiver):
    webhook = registered(house)
    receiver.answers = [Attempt(503), Attempt(fault="timeout")]
    awarded(house)
    work(house)
    assert len(receiver.received) == 1
    house.clock.move(seconds=6)
    work(house)
    work(house)
    assert len(receiver.received) == 2
    house.clock.move(seconds=31)
    work(house)
    assert len({each.id for each in receiver.received}) == 1
    assert [each.body for each in receiver.received] == [receiver.received[0].body] * 3
    (sent,) = deliveries(house, webhook)
    assert (sent.state, sent.attempts, sent.status) == (DeliveryState.DELIVERED, 3, 204)


def test_later_message_about_the_same_row_waits_for_the_earlier_one(house: House, receiver: Receiver):
    webhook = registered(house)
    receiver.answers = [Attempt(500), Attempt(500)]
    first = awarded(house)
    work(house)
    with house.unit_of_work() as services:
        services.awards.revoke(house.campus, first, reason="Erreur de liste.", by=COMMAND)
    other = house.award("Léa Petit;lea@exemple.fr").lines[0].award_id
    house.clock.move(seconds=6)
    work(house)  # the first one fails again, and waits longer than its address
    receiver.received.clear()
    with house.unit_of_work() as services:
        (row,) = services.webhooks.list_of(house.campus)
        row.next_at = house.clock.now
        services.stores.webhooks.add(row)
    work(house)
    assert [each.message["data"]["id"] for each in receiver.received] == [str(other)]
    house.clock.move(seconds=31)
    work(house)
    of_first = [each for each in receiver.received if each.message["data"]["id"] == str(first)]
    assert [each.message["type"] for each in of_first] == ["award.created", "award.changed"]
    assert not deliveries(house, webhook, DeliveryState.WAITING)


def test_after_repeated_failures_it_is_paused_and_administrators_are_told(house: House, receiver: Receiver):
    webhook = registered(house)
    receiver.answer = Attempt(500)
    for number in range(FAILURES_BEFORE_PAUSE):
        house.award(f"Zoé Martin;zoe.{number}@exemple.fr")
    for _ in range(FAILURES_BEFORE_PAUSE):
        work(house)
        house.clock.move(hours=12)
    with house.unit_of_work(reading=True) as services:
        assert services.webhooks.get(house.campus, webhook.id).state is WebhookState.FAILING
    count = len(receiver.received)
    house.award("Léa Petit;lea@exemple.fr")
    work(house)
    assert len(receiver.received) == count
    send_all(house.process.post)
    (letter,) = (each for each in house.letters.letters if "webhook" in each.subject)
    assert letter.to.endswith("uvrard@exemple.fr")
    assert "Scolarité" in letter.subject
    assert f"/gestion/itip/webhooks/{webhook.id}" in letter.text
    # Nothing is lost: what changed meanwhile is sent when it resumes.
    receiver.answer = Attempt(200)
    with house.unit_of_work() as services:
        services.webhooks.resume(house.campus, webhook.id, by=COMMAND)
        services.webhooks.replay_failed(house.campus, webhook.id, by=COMMAND)
    house.clock.move(hours=13)
    work(house)
    assert not deliveries(house, webhook, DeliveryState.WAITING)
    assert len({each.id for each in receiver.received}) == FAILURES_BEFORE_PAUSE + 1


def test_replayed_message_keeps_its_id(house: House, receiver: Receiver):
    webhook = registered(house)
    awarded(house)
    work(house)
    (sent,) = deliveries(house, webhook)
    with house.unit_of_work() as services:
        services.webhooks.replay(house.campus, webhook.id, sent.id, by=COMMAND)
        with pytest.raises(NotFound):
            services.webhooks.replay(house.campus, webhook.id, uuid.uuid4(), by=COMMAND)
    work(house)
    assert [each.id for each in receiver.received] == [sent.message_id] * 2


def test_paused_webhook_keeps_its_place(house: House, receiver: Receiver):
    webhook = registered(house)
    with house.unit_of_work() as services:
        services.webhooks.pause(house.campus, webhook.id, by=COMMAND)
        with pytest.raises(Conflict):
            services.webhooks.test(house.campus, webhook.id, by=COMMAND)
    awarded(house)
    work(house)
    assert receiver.received == []
    with house.unit_of_work() as services:
        services.webhooks.resume(house.campus, webhook.id, by=COMMAND)
    work(house)
    assert receiver.types == ["award.created"]


def test_receiver_hears_that_a_backup_was_restored(house: House, receiver: Receiver):
    registered(house)
    awarded(house)
    work(house)
    house.process.restart_feeds()
    work(house)
    assert receiver.types == ["award.created", "feed.restarted"]
    house.award("Léa Petit;lea@exemple.fr")
    work(house)
    assert receiver.types[2:] == ["award.created"]


def test_nothing_of_an_erased_person_stays_in_the_log(house: House, receiver: Receiver):
    webhook = registered(house, "person")
    awarded(house)
    work(house)
    person_id = deliveries(house, webhook)[0].noun_id
    assert person_id is not None
    with house.unit_of_work() as services:
        services.erasures.process_chunk(house.campus, person_id, "À sa demande.", by=COMMAND)
    assert {each.noun_id for each in deliveries(house, webhook)} == {digest_of_erased(person_id)}
    work(house)
    last = receiver.received[-1].message
    assert last["type"] == "person.removed"
    assert (last["data"]["id"], last["data"]["url"]) == (None, None)
    assert last["data"]["digest"] == digest_of_erased(person_id).hex


def test_messages_are_deleted_after_thirty_days_unless_they_wait(house: House, receiver: Receiver):
    webhook = registered(house)
    awarded(house)
    work(house)
    receiver.answer = Attempt(500)
    house.award("Léa Petit;lea@exemple.fr")
    work(house)
    house.clock.now += KEPT_DELIVERIES
    house.clock.move(hours=1)
    with house.unit_of_work() as services:
        services.retention.delete_some()
    assert [each.state for each in deliveries(house, webhook)] == [DeliveryState.WAITING]


def test_webhook_of_another_campus_is_not_there(house: House, receiver: Receiver):
    webhook = registered(house, campus=house.other_campus)
    with house.unit_of_work() as services:
        for act in (services.webhooks.pause, services.webhooks.rotate, services.webhooks.remove):
            with pytest.raises(NotFound):
                act(house.campus, webhook.id, by=COMMAND)


def test_a_campus_has_ten_webhooks_at_most(house: House, receiver: Receiver):
    for _ in range(MOST_WEBHOOKS):
        registered(house)
    with pytest.raises(Conflict):
        registered(house)
