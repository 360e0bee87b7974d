"""Reminders of unclaimed badges: one letter per person, twice at most, never to people who stopped them."""

from __future__ import annotations

import pytest

from app.domain.campus.audit_log import Actor
from app.errors import NotFound
from tests.support.app import App
from tests.support.letters import awarded, change, promise, send_all, text_in

ZOE, LUCAS = "Zoé Martin;zoe@exemple.fr", "Lucas Bernard;lucas@exemple.fr"


def remind(app: App) -> None:
    with app.unit_of_work() as services:
        for campus_id in services.reminders.campuses_due():
            services.reminders.enqueue(campus_id)


def subjects(office) -> list[str]:
    return [message["Subject"] for message in office.received]


def test_no_reminder_is_sent_within_a_week(app, office, post):
    awarded(app, ZOE)
    send_all(post)
    app.clock.move(days=6)
    remind(app)
    send_all(post)
    assert len(office.received) == 1


def test_several_badges_of_one_person_make_one_reminder(app, office, post):
    first = awarded(app, ZOE, LUCAS)
    second = [
        line.award_id
        for line in app.award(ZOE, badge=app.role, evidence="A monté le stand avec soin.").lines
        if line.award_id
    ]
    promise(app, second, "zoe@exemple.fr")
    send_all(post)
    app.clock.move(days=8)
    remind(app)
    send_all(post)

    reminders = office.received[3:]
    assert {message["To"].addresses[0].addr_spec for message in reminders} == {
        "zoe@exemple.fr",
        "lucas@exemple.fr",
    }
    (to_zoe,) = [each for each in reminders if each["To"].addresses[0].username == "zoe"]
    assert "2 badges" in to_zoe["Subject"]
    assert all(f"/recevoir/{award_id}." in text_in(to_zoe) for award_id in (first[0], second[0]))
    assert f"/recevoir/{first[1]}." not in text_in(to_zoe)
    assert len({each["Content-ID"] for each in to_zoe.walk() if each["Content-ID"]}) == 2


def test_at_most_two_reminders_are_sent(app, office, post):
    awarded(app, ZOE)
    send_all(post)
    for _ in range(40):
        app.clock.move(days=3)
        remind(app)
        remind(app)
        send_all(post)
    assert len(office.received) == 3
    first, second = (message["Message-ID"] for message in office.received[1:])
    assert first != second


def test_person_who_claimed_is_not_reminded(app, office, post):
    (award_id,) = awarded(app, ZOE)
    send_all(post)
    change(app, award_id, claimed_at=app.clock())
    app.clock.move(days=8)
    remind(app)
    send_all(post)
    assert len(office.received) == 1


def test_badge_claimed_after_enqueueing_is_not_reminded(app, office, post):
    (award_id,) = awarded(app, ZOE)
    send_all(post)
    app.clock.move(days=8)
    remind(app)
    change(app, award_id, claimed_at=app.clock())
    send_all(post)
    assert len(office.received) == 1


def test_a_withdrawn_badge_is_not_recalled(app, office, post):
    (award_id,) = awarded(app, ZOE)
    send_all(post)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de personne.", by=Actor(app.admin.id))
    app.clock.move(days=8)
    remind(app)
    send_all(post)
    assert not any("attend" in subject for subject in subjects(office))


def test_an_address_that_refused_is_not_written_to_again(app, office, post):
    office.answers["zoe@exemple.fr"].append("550 5.1.1 No such user")
    awarded(app, ZOE)
    send_all(post)
    app.clock.move(days=8)
    remind(app)
    send_all(post)
    assert office.received == []


def test_the_link_in_the_letter_stops_reminders_for_good(app, office, post):
    awarded(app, ZOE)
    send_all(post)
    app.clock.move(days=8)
    remind(app)
    send_all(post)
    reminder = office.received[1]
    token = reminder["List-Unsubscribe"].strip("<>").rpartition("/rappels/")[2]
    with app.unit_of_work() as services:
        services.reminders.set_for_person(services.reminders.person_of(token), False)
    app.clock.move(days=30)
    remind(app)
    send_all(post)
    assert len(office.received) == 2


def test_a_campus_may_send_no_reminders(app, office, post):
    awarded(app, ZOE)
    send_all(post)
    with app.unit_of_work() as services:
        campus = services.campuses.get(app.campus.slug)
        services.reminders.set_for_campus(campus, False, by=Actor(app.admin.id))
    app.clock.move(days=8)
    remind(app)
    send_all(post)
    assert len(office.received) == 1


def test_service_stopped_for_months_sends_no_old_reminders(app, office, post):
    awarded(app, ZOE)
    send_all(post)
    app.clock.move(days=90)
    remind(app)
    send_all(post)
    assert len(office.received) == 1


def test_reminder_is_in_the_language_of_its_reader(app, office, post):
    (award_id,) = awarded(app, ZOE)
    send_all(post)
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        person.language = "en"
        services.people.people.save(person)
    app.clock.move(days=8)
    remind(app)
    send_all(post)
    assert subjects(office)[-1] == "Your badge is waiting for you"
    assert "Here it is:" in text_in(office.received[-1])


def test_deferred_reminder_is_sent_for_the_badges_not_claimed_meanwhile(app, office, post):
    first = awarded(app, ZOE)
    second = [
        line.award_id
        for line in app.award(ZOE, badge=app.role, evidence="A monté le stand avec soin.").lines
        if line.award_id
    ]
    promise(app, second, "zoe@exemple.fr")
    send_all(post)
    app.clock.move(days=8)
    remind(app)
    with app.unit_of_work(reading=True) as services:
        kept = services.stores.letters.of_awards([*first, *second])
        named = next(letter for letter in kept if letter.sent_at is None and letter.id == letter.envelope)
    change(app, named.award_id, claimed_at=app.clock.now)
    office.answers["zoe@exemple.fr"].append("451 4.7.1 Greylisted")
    for _ in range(2):
        send_all(post)
        app.clock.move(minutes=10)
    (reminder,) = office.received[2:]
    (left,) = {*first, *second} - {named.award_id}
    assert f"/recevoir/{left}." in text_in(reminder)
    assert f"/recevoir/{named.award_id}." not in text_in(reminder)


def test_reminder_is_sent_for_the_other_badges_if_one_was_withdrawn(app, office, post):
    first = awarded(app, ZOE)
    second = [
        line.award_id
        for line in app.award(ZOE, badge=app.role, evidence="A monté le stand avec soin.").lines
        if line.award_id
    ]
    promise(app, second, "zoe@exemple.fr")
    send_all(post)
    app.clock.move(days=8)
    remind(app)
    with app.unit_of_work() as services:
        kept = services.stores.letters.of_awards([*first, *second])
        named = next(letter for letter in kept if letter.sent_at is None and letter.id == letter.envelope)
        assert named.award_id is not None
        services.awards.revoke(app.campus, named.award_id, "Erreur de personne.", by=Actor(app.admin.id))
    (left,) = {*first, *second} - {named.award_id}
    send_all(post)
    app.clock.move(minutes=10)
    send_all(post)

    (reminder,) = [each for each in office.received if "attend" in each["Subject"]]
    assert f"/recevoir/{left}." in text_in(reminder)
    assert f"/recevoir/{named.award_id}." not in text_in(reminder)
    assert post.due() == []


def test_reminders_stopped_for_an_activity_are_not_sent_even_if_queued(app, office, post):
    awarded(app, ZOE)
    send_all(post)
    app.clock.move(days=8)
    remind(app)
    with app.unit_of_work() as services:
        services.reminders.set_for_activity(app.campus, app.activity.id, False, by=Actor(app.trainer.id))
    send_all(post)
    app.clock.move(days=30)
    remind(app)
    send_all(post)
    assert len(office.received) == 1
    with app.unit_of_work() as services, pytest.raises(NotFound):
        services.reminders.set_for_activity(
            app.other_campus, app.activity.id, True, by=Actor(app.stranger.id)
        )
