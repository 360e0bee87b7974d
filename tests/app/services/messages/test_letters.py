"""A queued letter is sent once, when it is due, and its row has the result."""

from __future__ import annotations

import uuid
from datetime import timedelta
from itertools import pairwise

import pytest

from app.domain.campus.audit_log import Actor
from app.domain.messages import LetterState, Occasion, Reason, letters_to_administrators, message_key
from app.domain.people import AgeGroup
from app.services.awards.awards import AwardRequest
from tests.support.app import NOON, listed
from tests.support.letters import awarded, letters_of, send_all
from tests.support.servers.post_office import HANG_UP

pytestmark = pytest.mark.both_engines

ZOE = "zoe@exemple.fr"


def test_a_letter_leaves_with_the_private_link_and_is_marked_sent(app, office, post):
    (award_id,) = awarded(app, f"Zoé Martin;{ZOE}")
    send_all(post)

    (received,) = office.received
    plain = received.get_body(("plain",)).get_content()
    page = received.get_body(("html",)).get_content()
    link = f"{app.process.settings.base_url}/recevoir/{award_id}."
    assert link in plain
    assert link in page
    assert "Bonjour Zoé," in plain
    assert "Robotique pour tous" in received["Subject"]
    assert (
        received["Message-ID"]
        == f"<{message_key(app.process.secret, letters_of(app, award_id)[0].id)}@exemple.fr>"
    )
    assert 'src="cid:' in page
    assert "http" not in page.split("<img")[1].split(">")[0], "nothing is fetched from anywhere"
    (letter,) = letters_of(app, award_id)
    assert (letter.state, letter.sent_at, letter.attempts) == (LetterState.SENT, app.clock(), 1)
    assert post.due() == []


def test_letter_is_in_the_language_of_its_reader(app, office, post):
    (award_id,) = awarded(app, f"Zoé Martin;{ZOE}")
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        person.language = "en"
        services.people.people.save(person)
    send_all(post)
    (received,) = office.received
    assert received["Content-Language"] == "en"
    assert "Hello Zoé," in received.get_body(("plain",)).get_content()


def test_message_to_a_child_asks_for_a_parent_to_open_the_page(app, office, post):
    (award_id,) = awarded(app, f"Zoé Martin;{ZOE}")
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.age_bands.set_group(person, AgeGroup.UNDER_15, by=Actor.command("tests"))
    send_all(post)
    (received,) = office.received
    plain = " ".join(received.get_body(("plain",)).get_content().split())
    assert "peut ouvrir ou fermer" not in plain
    assert "demander à un parent de l’ouvrir" in plain
    assert "un parent doit être d’accord pour l’ouvrir" in plain


def test_greylisted_letter_is_sent_after_a_pause(app, office, post):
    office.answers[ZOE].append("451 4.7.1 Greylisted")
    (award_id,) = awarded(app, f"Zoé Martin;{ZOE}")
    send_all(post)
    (letter,) = letters_of(app, award_id)
    assert (letter.state, letter.reason) == (LetterState.WAITING, Reason.LATER)
    assert post.due() == []
    app.clock.move(minutes=1)
    send_all(post)
    (letter,) = letters_of(app, award_id)
    assert (letter.state, letter.reason, letter.attempts) == (LetterState.SENT, "", 2)


def test_unknown_address_is_recorded_with_the_response_of_the_server(app, office, post):
    office.answers[ZOE].append("550 5.1.1 No such user")
    (award_id,) = awarded(app, f"Zoé Martin;{ZOE}")
    send_all(post)
    (letter,) = letters_of(app, award_id)
    assert (letter.state, letter.reason) == (LetterState.REFUSED, Reason.UNKNOWN_ADDRESS)
    assert letter.server_said == "550 5.1.1 No such user"
    app.clock.move(days=1)
    assert post.due() == []


def test_pauses_grow_until_the_letter_is_refused(app, office, post):
    office.answers[ZOE].extend(["451 4.7.1 Not now"] * 100)
    (award_id,) = awarded(app, f"Zoé Martin;{ZOE}")
    moments = []
    while (letter := letters_of(app, award_id)[0]).state is LetterState.WAITING:
        app.clock.now = max(app.clock.now, letter.not_before)
        moments.append(app.clock.now)
        send_all(post)
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert pauses == sorted(pauses)
    assert (letter.state, letter.reason) == (LetterState.REFUSED, Reason.LATER)
    assert 5 < len(moments) < 25


def test_letter_of_a_worker_killed_before_marking_it_is_sent_again(app, office, post):
    """State after kill -9: the server has the letter, but our row is not marked."""
    (award_id,) = awarded(app, f"Zoé Martin;{ZOE}")
    office.after_data.append(HANG_UP)
    (envelope,) = post.due()
    with app.unit_of_work() as services:
        outgoing = services.letters.take(envelope)
    with pytest.raises(OSError, match="no_answer"):
        app.process.mailer.send(outgoing.letter)

    assert post.due() == [], "whoever was sending may still be at it"
    app.clock.move(minutes=3)
    send_all(post)
    first, second = office.received
    assert (
        first["Message-ID"]
        == second["Message-ID"]
        == f"<{message_key(app.process.secret, letters_of(app, award_id)[0].id)}@exemple.fr>"
    )
    assert letters_of(app, award_id)[0].state is LetterState.SENT


def test_two_workers_send_one_letter(app, office, post):
    awarded(app, f"Zoé Martin;{ZOE}")
    (envelope,) = post.due()
    post.send(envelope)
    post.send(envelope)
    with app.unit_of_work() as services:
        assert services.letters.take(envelope) is None
    assert len(office.received) == 1


def test_letters_per_minute_are_limited_by_the_setting(app, office, post):
    app.process.settings = app.process.settings.model_copy(update={"letters_per_minute": 2})
    awarded(app, *(f"Personne {n};p{n}@exemple.fr" for n in "abc"))
    send_all(post)
    assert len(office.received) == 2
    send_all(post)
    assert len(office.received) == 2
    app.clock.move(minutes=1, seconds=1)
    send_all(post)
    assert len(office.received) == 3


def test_a_badge_withdrawn_before_the_letter_left_is_not_announced(app, office, post):
    (award_id,) = awarded(app, f"Zoé Martin;{ZOE}")
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de personne.", by=Actor(app.admin.id))
    send_all(post)
    assert office.received == []
    assert letters_of(app, award_id)[0].state is LetterState.CANCELLED


def test_letters_wait_without_a_mail_server_and_old_ones_are_not_sent_later(app, office, post):
    (award_id,) = awarded(app, f"Zoé Martin;{ZOE}")
    mailer, app.process.mailer = app.process.mailer, None
    assert app.process.post.due() == []
    app.process.mailer = mailer
    app.clock.move(days=20)
    send_all(app.process.post)
    assert office.received == []
    (letter,) = letters_of(app, award_id)
    assert (letter.state, letter.reason) == (LetterState.CANCELLED, Reason.TOO_OLD)


@pytest.fixture
def stopped(app):
    """A bulk award of three lines, two of them processed."""
    people = listed(*(f"Nom{number} Prénom;p{number}@exemple.fr" for number in range(3)))
    request = AwardRequest(app.presence.badge.id, app.activity.id, lines=people)
    with app.unit_of_work() as services:
        batch = services.bulk_awards.enqueue(
            app.campus, request, by=Actor(app.trainer.id), undo_for=timedelta(minutes=5)
        )
    with app.unit_of_work() as services:
        assert services.bulk_awards.process_chunk(batch.id, most=2).more
    return batch


def test_letters_of_a_bulk_award_that_stopped_half_way_wait_as_long_as_it_can_be_undone(
    app, office, post, stopped
):
    app.clock.move(hours=1)
    send_all(post)
    assert (office.received, post.due()) == ([], []), "the first two wait for the third"

    with app.unit_of_work() as services:
        assert not services.bulk_awards.process_chunk(stopped.id).more
    app.clock.move(minutes=4)
    send_all(post)
    assert office.received == []
    app.clock.move(minutes=5)
    send_all(post)
    assert sorted(each["To"].addresses[0].addr_spec for each in office.received) == [
        f"p{number}@exemple.fr" for number in range(3)
    ]


def test_letters_of_a_stuck_bulk_award_are_retried_together_and_less_and_less_often(
    app, office, post, stopped
):
    """Otherwise ten thousand of them would be due each minute, before any other letter."""
    asked = 0
    for _ in range(24 * 12):
        app.clock.move(minutes=5)
        if waiting := post.due():
            asked += 1
            post.send(waiting[0])
            assert post.due() == [], "one asked for all"
    assert asked < 60
    assert office.received == []
    with app.unit_of_work() as services:
        services.bulk_awards.process_chunk(stopped.id)
    app.clock.move(hours=1, minutes=6)
    send_all(post)
    assert len(office.received) == 3


def test_service_without_a_demo_sends_letters(app):
    assert not app.process.is_demo()


def test_administrator_with_two_names_is_warned_once_at_each_address() -> None:
    """A person known under two names has two rows of each address."""
    person, other = uuid.uuid4(), uuid.uuid4()
    rows = [(person, "a@exemple.fr"), (person, "a@exemple.fr"), (other, "b@exemple.fr")]
    letters = letters_to_administrators(
        rows, Occasion.CALENDAR_PAUSED, uuid.uuid4(), "Agenda", campus_id=uuid.uuid4(), at=NOON
    )
    assert [each.address for each in letters] == ["a@exemple.fr", "b@exemple.fr"]


@pytest.mark.parametrize("has_own_address", [True, False])
def test_a_server_silent_to_the_address_of_one_campus_lets_the_others_pass(
    app, office, post, has_own_address: bool
):
    if has_own_address:
        with app.unit_of_work() as services:
            services.senders.assign(app.campus, "badges@campus.exemple.fr", by=Actor.command("tests"))
    office.answers[ZOE].append(HANG_UP)
    silent, next_one = awarded(app, f"Zoé Martin;{ZOE}", "Ada Petit;ada@exemple.fr")
    post.send(letters_of(app, silent)[0].envelope)
    assert letters_of(app, silent)[0].reason == Reason.NO_ANSWER
    waiting = letters_of(app, next_one)[0]
    assert post.due() == ([] if has_own_address else [waiting.envelope])
    app.clock.move(minutes=2)
    send_all(post)
    assert [letters_of(app, each)[0].state for each in (silent, next_one)] == [LetterState.SENT] * 2
