"""A bounce of our own message is recorded from any reporter; other reports are ignored."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.domain.messages import Handed, LetterState, Reason, letter_named, message_key
from app.errors import InvalidInput
from tests.support.app import App
from tests.support.letters import awarded, letters_of, promise, send_all
from tests.support.servers.post_office import report

pytestmark = pytest.mark.both_engines

ZOE = "zoe@exemple.fr"


def key_of(message) -> str:
    return str(message["Message-ID"]).strip("<>").partition("@")[0]


def note(app: App, content: bytes):
    with app.unit_of_work() as services:
        return services.letters.note_bounces(content)


@pytest.fixture
def sent(app: App, office, post):
    (award_id,) = awarded(app, f"Zoé Martin;{ZOE}")
    send_all(post)
    return award_id, key_of(office.received[0])


def test_returned_message_is_refused_with_date_and_reason(app, sent):
    award_id, key = sent
    app.clock.move(hours=2)
    done = note(app, report(key, ZOE, status="5.2.2", said="smtp; 552 5.2.2 Mailbox full"))
    assert (done.letters, done.unknown) == (1, 0)
    (letter,) = letters_of(app, award_id)
    assert (letter.state, letter.reason) == (LetterState.REFUSED, Reason.MAILBOX_FULL)
    assert letter.bounced_at == app.clock()
    assert letter.sent_at is not None
    with app.unit_of_work(reading=True) as services:
        (delivery,) = services.delivery.refused(app.campus, limit=10)
        assert (delivery.handed.state, delivery.handed.at) == (Handed.REFUSED, app.clock())


def test_report_that_comes_twice_changes_nothing(app, sent):
    award_id, key = sent
    note(app, report(key, ZOE))
    app.clock.move(days=1)
    assert note(app, report(key, ZOE, status="5.7.1", said="smtp; 550 5.7.1 Spam")).letters == 0
    (letter,) = letters_of(app, award_id)
    assert letter.reason == Reason.UNKNOWN_ADDRESS


def test_report_that_overtakes_our_own_commit_is_not_lost(app, office, post):
    """The server may return the message before the worker has marked it as sent."""
    (award_id,) = awarded(app, f"Zoé Martin;{ZOE}")
    office.on_letter = lambda: note(app, report(key_of(office.received[0]), ZOE))
    send_all(post)
    (letter,) = letters_of(app, award_id)
    assert letter.state is LetterState.REFUSED
    assert letter.bounced_at is not None


def test_bounce_applies_to_every_badge_of_the_message(app, office, post):
    (first,) = awarded(app, f"Zoé Martin;{ZOE}")
    given = app.award(f"Zoé Martin;{ZOE}", badge=app.role, evidence="A animé l’atelier.")
    second = given.lines[0].award_id
    promise(app, [second], ZOE)
    with app.unit_of_work() as services:
        one, other = (services.stores.letters.of_awards([each])[0] for each in (first, second))
        other.envelope = one.envelope
        services.stores.letters.save(other)
    send_all(post)
    assert note(app, report(key_of(office.received[0]), ZOE)).letters == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
        lambda key: ("e" if key[0] == "f" else "f") + key[1:],
    ],
)
def test_forged_report_changes_nothing(app, sent, spoil):
    award_id, key = sent
    assert note(app, report(spoil(key), ZOE)).unknown == 1
    assert letters_of(app, award_id)[0].state is LetterState.SENT


def test_report_about_an_erased_message_is_unknown(app, sent):
    _, key = sent
    with app.owner.begin() as connection:
        connection.execute(text("DELETE FROM letter"))
    assert note(app, report(key, ZOE)).unknown == 1


def test_answer_of_a_person_is_no_report(app, sent):
    with pytest.raises(InvalidInput):
        note(app, b"From: zoe@exemple.fr\r\nSubject: Re: Votre badge\r\n\r\nMerci !")


def test_key_of_a_message_opens_only_with_the_secret_of_the_service(app, sent):
    _, key = sent
    letter_id = letter_named(app.process.secret, key)
    assert letter_id is not None
    assert letter_named(b"another secret", key) is None
    assert message_key(app.process.secret, letter_id) == key


def test_server_is_asked_to_name_the_message_in_its_reports(app, office, post, monkeypatch):
    seen = []
    monkeypatch.setattr("smtplib.SMTP.has_extn", lambda self, name: name in ("dsn", "smtputf8"))
    monkeypatch.setattr("smtplib.SMTP.sendmail", lambda self, *given, **options: seen.append(options))
    (award_id,) = awarded(app, f"Zoé Martin;{ZOE}")
    send_all(post)
    (letter,) = letters_of(app, award_id)
    key = message_key(app.process.secret, letter.id)
    assert seen == [{"mail_options": ["RET=HDRS", f"ENVID={key}"], "rcpt_options": ["NOTIFY=FAILURE"]}]
