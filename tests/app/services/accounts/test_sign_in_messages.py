"""Sign-in links in the message queue: sent at once, and again after a failure."""

from __future__ import annotations

import re

import pytest
from sqlmodel import select

from app.domain.messages import LetterState, Occasion, QueuedMessage, letter_to
from app.domain.people import Role
from app.errors import NotSignedIn
from app.services.accounts.sessions import Browser
from tests.support.app import COMMAND, App
from tests.support.letters import awarded, send_all, text_in

ADDRESS = "le.goff@exemple.fr"
HERE = Browser(asking="this browser")


def ask(app: App, address: str = ADDRESS):
    with app.process.visit() as services:
        return services.sign_in.request(address, HERE)


def queued(app: App) -> list[QueuedMessage]:
    with app.unit_of_work(reading=True) as services:
        query = select(QueuedMessage).where(QueuedMessage.occasion == Occasion.SIGN_IN.value)
        return list(services.stores.letters.session.exec(query))


def links_in(message) -> list[str]:
    return re.findall(r"/connexion/(\S+)", text_in(message))


def enter(app: App, secret: str, browser: Browser = HERE):
    with app.unit_of_work() as services:
        return services.sign_in.by_link(secret, browser).session


def test_request_is_stored_before_anything_is_sent_and_survives_its_process(app, office, post):
    """After a kill between commit and mail server, any worker sends it."""
    ask(app)
    assert office.received == []
    send_all(post)
    (received,) = office.received
    (secret,) = links_in(received)
    assert enter(app, secret).person_id == app.trainer.id
    (letter,) = queued(app)
    assert letter.state is LetterState.SENT


def test_refused_link_is_sent_again_within_seconds_and_lives_ten_minutes_from_then(app, office, post):
    office.answers[ADDRESS].extend(["451 4.7.1 Greylisted"] * 2)
    post.send(ask(app))
    assert office.received == []
    for seconds in (5, 15):
        assert post.awaited() == []
        app.clock.move(seconds=seconds)
        send_all(post)
    (received,) = office.received
    app.clock.move(minutes=9)
    (secret,) = links_in(received)
    assert enter(app, secret).person_id == app.trainer.id


def test_link_opens_nothing_in_another_browser(app, office, post):
    ask(app)
    send_all(post)
    (secret,) = links_in(office.received[0])
    with pytest.raises(Exception, match="autre navigateur"):
        enter(app, secret, Browser(asking="another"))
    assert enter(app, secret)


def test_link_is_not_sent_after_half_an_hour(app, office, post):
    office.answers[ADDRESS].extend(["451 4.7.1 Not now"] * 100)
    ask(app)
    attempts = 0
    while queued(app)[0].state is LetterState.WAITING:
        send_all(post)
        attempts += 1
        app.clock.move(seconds=30)
    assert queued(app)[0].state in (LetterState.REFUSED, LetterState.CANCELLED)
    assert 10 < attempts < 70
    assert office.received == []


def test_sign_in_overtakes_notices_at_the_limit_of_the_minute(app, office, post):
    limit = 12
    app.process.settings = app.process.settings.model_copy(update={"letters_per_minute": limit})
    awarded(app, *(f"Zoé Numéro{number};zoe{number}@exemple.fr" for number in range(limit + 3)))
    for envelope in post.others():
        post.send(envelope)
    assert len(office.received) == limit
    assert post.others() == []
    ask(app)
    assert len(post.awaited()) == 1
    send_all(post)
    assert office.recipients[-1] == ADDRESS


def test_address_that_opens_nothing_any_more_gets_no_link(app, office, post):
    ask(app)
    with app.unit_of_work() as services:
        (membership, _), *_ = services.people.people.memberships_of(app.trainer.id)
        membership.until = app.clock.now
    send_all(post)
    assert office.received == []
    assert queued(app)[0].state is LetterState.CANCELLED


def test_corrected_address_does_not_receive_the_link_asked_for_another(app, office, post):
    ask(app)
    with app.unit_of_work() as services:
        services.stores.letters.readdress_waiting(app.trainer.id, [ADDRESS], "autre@exemple.fr")
    send_all(post)
    assert office.recipients == [ADDRESS]


def test_message_of_an_occasion_that_only_a_newer_version_knows_waits(app, office, post):
    """During a rolling upgrade an older worker neither sends nor cancels it."""
    with app.unit_of_work() as services:
        letter = letter_to(ADDRESS, Occasion.SIGN_IN, app.trainer.id, at=app.clock())
        letter.occasion = "something_new"
        services.stores.letters.enqueue_new([letter])
    assert post.due() == []


def test_unknown_address_leaves_no_trace(app, office, post):
    assert ask(app, "inconnue@exemple.fr") is None
    assert queued(app) == []


def test_link_used_once_is_used_up(app, office, post):
    ask(app)
    send_all(post)
    (secret,) = links_in(office.received[0])
    enter(app, secret)
    with pytest.raises(NotSignedIn):
        enter(app, secret)


def test_shared_address_gets_a_link_for_each_person(app, office, post):
    with app.unit_of_work() as services:
        services.people.add_staff(
            app.other_campus,
            given_name="Jeanne",
            family_name="Morin",
            address=ADDRESS,
            role=Role.TRAINER,
            by=COMMAND,
        )
    ask(app)
    send_all(post)
    assert len(links_in(office.received[0])) == 2
