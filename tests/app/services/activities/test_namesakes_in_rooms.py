"""A check-in that matches several people of one name waits for a trainer; the phone does not wait."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest

from app.domain.activities import SessionFacts
from app.domain.activities.check_in import CheckInFull
from app.domain.campus.audit_log import Actor
from app.domain.people.consents import OTHER
from app.errors import InvalidInput, NotFound
from app.services.activities.check_in import AskedSignature, Namesake, Signed
from tests.app.services.activities.test_rooms import listed_now, opened, shut, sign, ticket
from tests.app.services.people.test_namesakes import TWO, earlier_activity, hours_noted, person_at
from tests.support.app import App


def asked(app: App) -> list[AskedSignature]:
    with app.unit_of_work(reading=True) as services:
        return list(services.rooms.page(app.campus, app.activity.id).asked)


def answer(app: App, waiting_id: uuid.UUID, said: str) -> None:
    with app.unit_of_work() as services:
        services.room_signatures.answer(
            app.campus, app.activity.id, waiting_id, said, by=Actor(app.trainer.id)
        )


def test_ambiguous_check_in_is_recorded_when_the_trainer_chooses_the_person(app: App):
    app.record(*TWO)
    opened(app)
    phone = ticket(app)

    assert sign(app, phone, "Camille Moreau", "camille@exemple.fr") is Signed.WAITING
    assert sign(app, phone, "Camille Moreau") is Signed.AGAIN

    [one] = asked(app)
    assert one.waiting.name == "Camille Moreau"
    assert listed_now(app) == ["Camille Moreau", "Camille Moreau"]
    second = person_at(app, "|camille moreau#2")
    answer(app, one.waiting.id, second)
    answer(app, one.waiting.id, OTHER)
    assert asked(app) == []
    assert listed_now(app) == ["Camille Moreau", "Camille Moreau camille@exemple.fr"]
    with app.unit_of_work(reading=True) as services:
        [(entry, _, person)] = services.rooms.page(app.campus, app.activity.id).entries
    assert str(person.id) == second
    assert entry.signed_at == one.waiting.signed_at
    assert sign(app, phone, "Camille Moreau") is Signed.AGAIN


def test_two_phones_of_one_name_are_assigned_to_two_people(app: App):
    app.record(*TWO)
    opened(app)
    for _ in TWO:
        assert sign(app, ticket(app), "Camille Moreau") is Signed.WAITING
    for one, key in zip(asked(app), ("|camille moreau#2", "|camille moreau"), strict=True):
        answer(app, one.waiting.id, person_at(app, key))
    with app.unit_of_work(reading=True) as services:
        page = services.rooms.page(app.campus, app.activity.id)
    assert {part.line_key for _, part, _ in page.entries} == {"|camille moreau", "|camille moreau#2"}
    with pytest.raises(Namesake):
        sign(app, ticket(app), "Camille Moreau")


def test_third_person_of_a_name_is_recorded_after_check_in_closed(app: App):
    app.record(*TWO)
    opened(app)
    sign(app, ticket(app), "Camille Moreau", under_15=True)
    shut(app)
    [one] = asked(app)
    with pytest.raises(InvalidInput):
        answer(app, one.waiting.id, str(uuid.uuid4()))
    answer(app, one.waiting.id, OTHER)
    assert "|camille moreau#3" in hours_noted(app)


def test_pending_check_in_counts_toward_the_capacity(app: App):
    app.record(*TWO)
    opened(app, capacity=1)
    sign(app, ticket(app), "Camille Moreau")
    with app.unit_of_work(reading=True) as services:
        assert services.rooms.page(app.campus, app.activity.id).pulse.places_taken == 1
    with pytest.raises(CheckInFull):
        sign(app, ticket(app), "Moussa Keïta")


def test_check_in_asks_about_two_known_namesakes_and_not_about_one(app: App):
    earlier_activity(app, "Robotique", "MOREAU Camille", "KEÏTA Moussa")
    earlier_activity(app, "Éloquence", "MOREAU Camille")
    opened(app)
    assert sign(app, ticket(app), "Moussa Keïta") is Signed.NEW
    assert sign(app, ticket(app), "Camille Moreau") is Signed.WAITING
    [one] = asked(app)
    meant = one.question.namesakes[0].person
    answer(app, one.waiting.id, str(meant.id))
    assert person_at(app, "|camille moreau") == str(meant.id)


def test_pending_check_in_can_be_answered_after_namesakes_were_merged(app: App):
    """One of two records was merged into the other while the check-in waited."""
    app.record(*TWO)
    opened(app)
    sign(app, ticket(app), "Camille Moreau")
    first, second = (person_at(app, key) for key in ("|camille moreau", "|camille moreau#2"))
    with app.unit_of_work() as services:
        services.merging.merge_in_campus(
            app.campus, uuid.UUID(first), uuid.UUID(second), "Deux fois la même.", by=Actor(app.admin.id)
        )
    [one] = asked(app)
    assert [str(each.person.id) for each in one.question.namesakes] == [first]
    answer(app, one.waiting.id, first)
    assert listed_now(app) == ["Camille Moreau"]
    with app.unit_of_work(reading=True) as services:
        assert len(services.rooms.page(app.campus, app.activity.id).entries) == 1


def test_pending_check_in_of_a_past_session_can_still_be_answered(app: App):
    app.record(*TWO)
    opened(app)
    sign(app, ticket(app), "Camille Moreau")
    with app.unit_of_work() as services:
        facts = SessionFacts(date(2026, 12, 1), 2.0)
        services.series.add(app.campus, app.activity.id, facts, by=Actor(app.trainer.id))
        sessions = services.activity_sessions.list_of(app.campus, app.activity.id)[0]
    app.clock.move(seconds=timedelta(days=7).total_seconds())
    [one] = asked(app)
    answer(app, one.waiting.id, person_at(app, "|camille moreau#2"))
    with app.unit_of_work(reading=True) as services:
        came = services.activity_sessions.list_of(app.campus, app.activity.id)[1]
    assert (came.get(sessions[1].id, 0), asked(app)) == (0, [])


def test_another_campus_cannot_answer_a_pending_check_in(app: App):
    app.record(*TWO)
    opened(app)
    sign(app, ticket(app), "Camille Moreau")
    [one] = asked(app)
    with app.unit_of_work() as services, pytest.raises(NotFound):
        services.room_signatures.answer(
            app.other_campus, app.activity.id, one.waiting.id, OTHER, by=Actor(app.stranger.id)
        )
    assert len(asked(app)) == 1


def test_a_known_name_with_another_address_waits_for_the_trainer(app: App):
    app.record("Zoé Hélie; zoe@exemple.fr")
    opened(app)

    assert sign(app, ticket(app), "Zoe Helie", "autre@exemple.fr") is Signed.WAITING
    [one] = asked(app)
    [candidate] = one.question.namesakes
    assert candidate.person.name == "Zoé Hélie"
    answer(app, one.waiting.id, OTHER)
    assert asked(app) == []
    assert len(listed_now(app)) == 2


@pytest.mark.parametrize("name", ["123 Émargement", "Zoé Martin@exemple", "Nom : Martin"])
def test_check_in_refuses_an_invalid_name(app: App, name: str):
    opened(app)
    with pytest.raises(InvalidInput, match="sans chiffre"):
        sign(app, ticket(app), name)
    assert listed_now(app) == []
