"""A signature in a room that may be of several people of one name: it waits for a trainer, and the phone does not."""

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
from tests.support.house import House


def asked(house: House) -> list[AskedSignature]:
    with house.unit_of_work(reading=True) as services:
        return list(services.rooms.page(house.campus, house.activity.id).asked)


def answer(house: House, waiting_id: uuid.UUID, said: str) -> None:
    with house.unit_of_work() as services:
        services.room_signatures.answer(
            house.campus, house.activity.id, waiting_id, said, by=Actor(house.trainer.id)
        )


def test_a_phone_does_not_wait_and_nothing_is_written_until_the_trainer_says_who_it_was(house: House):
    house.record(*TWO)
    opened(house)
    phone = ticket(house)

    assert sign(house, phone, "Camille Moreau", "camille@exemple.fr") is Signed.WAITING
    assert sign(house, phone, "Camille Moreau") is Signed.AGAIN

    [one] = asked(house)
    assert one.waiting.name == "Camille Moreau"
    assert listed_now(house) == ["Camille Moreau", "Camille Moreau"]
    second = person_at(house, "|camille moreau#2")
    answer(house, one.waiting.id, second)
    answer(house, one.waiting.id, OTHER)
    assert asked(house) == []
    assert listed_now(house) == ["Camille Moreau", "Camille Moreau camille@exemple.fr"]
    with house.unit_of_work(reading=True) as services:
        [(entry, _, person)] = services.rooms.page(house.campus, house.activity.id).entries
    assert str(person.id) == second
    assert entry.signed_at == one.waiting.signed_at
    assert sign(house, phone, "Camille Moreau") is Signed.AGAIN


def test_two_phones_of_one_name_are_the_two_that_are_meant(house: House):
    house.record(*TWO)
    opened(house)
    for _ in TWO:
        assert sign(house, ticket(house), "Camille Moreau") is Signed.WAITING
    for one, key in zip(asked(house), ("|camille moreau#2", "|camille moreau"), strict=True):
        answer(house, one.waiting.id, person_at(house, key))
    with house.unit_of_work(reading=True) as services:
        page = services.rooms.page(house.campus, house.activity.id)
    assert {part.line_key for _, part, _ in page.entries} == {"|camille moreau", "|camille moreau#2"}
    with pytest.raises(Namesake):
        sign(house, ticket(house), "Camille Moreau")


def test_a_third_of_that_name_is_recorded_also_when_the_room_is_shut(house: House):
    house.record(*TWO)
    opened(house)
    sign(house, ticket(house), "Camille Moreau", under_15=True)
    shut(house)
    [one] = asked(house)
    with pytest.raises(InvalidInput):
        answer(house, one.waiting.id, str(uuid.uuid4()))
    answer(house, one.waiting.id, OTHER)
    assert "|camille moreau#3" in hours_noted(house)


def test_who_waits_takes_a_place(house: House):
    house.record(*TWO)
    opened(house, capacity=1)
    sign(house, ticket(house), "Camille Moreau")
    with house.unit_of_work(reading=True) as services:
        assert services.rooms.page(house.campus, house.activity.id).pulse.places_taken == 1
    with pytest.raises(CheckInFull):
        sign(house, ticket(house), "Moussa Keïta")


def test_two_of_that_name_whom_the_campus_knows_are_asked_about_and_one_is_not(house: House):
    earlier_activity(house, "Robotique", "MOREAU Camille", "KEÏTA Moussa")
    earlier_activity(house, "Éloquence", "MOREAU Camille")
    opened(house)
    assert sign(house, ticket(house), "Moussa Keïta") is Signed.NEW
    assert sign(house, ticket(house), "Camille Moreau") is Signed.WAITING
    [one] = asked(house)
    meant = one.question.namesakes[0].person
    answer(house, one.waiting.id, str(meant.id))
    assert person_at(house, "|camille moreau") == str(meant.id)


def test_who_is_left_of_a_name_can_still_be_told(house: House):
    """Of two records one was brought into the other, say, while a signature waited."""
    house.record(*TWO)
    opened(house)
    sign(house, ticket(house), "Camille Moreau")
    first, second = (person_at(house, key) for key in ("|camille moreau", "|camille moreau#2"))
    with house.unit_of_work() as services:
        services.merging.merge_in_campus(
            house.campus, uuid.UUID(first), uuid.UUID(second), "Deux fois la même.", by=Actor(house.admin.id)
        )
    [one] = asked(house)
    assert [str(each.person.id) for each in one.question.namesakes] == [first]
    answer(house, one.waiting.id, first)
    assert listed_now(house) == ["Camille Moreau"]
    with house.unit_of_work(reading=True) as services:
        assert len(services.rooms.page(house.campus, house.activity.id).entries) == 1


def test_a_signature_of_a_session_that_is_over_still_finds_its_person(house: House):
    house.record(*TWO)
    opened(house)
    sign(house, ticket(house), "Camille Moreau")
    with house.unit_of_work() as services:
        facts = SessionFacts(date(2026, 12, 1), 2.0)
        services.series.add(house.campus, house.activity.id, facts, by=Actor(house.trainer.id))
        sessions = services.activity_sessions.list_of(house.campus, house.activity.id)[0]
    house.clock.move(seconds=timedelta(days=7).total_seconds())
    [one] = asked(house)
    answer(house, one.waiting.id, person_at(house, "|camille moreau#2"))
    with house.unit_of_work(reading=True) as services:
        came = services.activity_sessions.list_of(house.campus, house.activity.id)[1]
    assert (came.get(sessions[1].id, 0), asked(house)) == (0, [])


def test_another_campus_answers_nothing_here(house: House):
    house.record(*TWO)
    opened(house)
    sign(house, ticket(house), "Camille Moreau")
    [one] = asked(house)
    with house.unit_of_work() as services, pytest.raises(NotFound):
        services.room_signatures.answer(
            house.other_campus, house.activity.id, one.waiting.id, OTHER, by=Actor(house.stranger.id)
        )
    assert len(asked(house)) == 1


def test_a_known_name_with_another_address_waits_for_the_trainer(house: House):
    house.record("Zoé Hélie; zoe@exemple.fr")
    opened(house)

    assert sign(house, ticket(house), "Zoe Helie", "autre@exemple.fr") is Signed.WAITING
    [one] = asked(house)
    [candidate] = one.question.namesakes
    assert candidate.person.name == "Zoé Hélie"
    answer(house, one.waiting.id, OTHER)
    assert asked(house) == []
    assert len(listed_now(house)) == 2


@pytest.mark.parametrize("name", ["123 Émargement", "Zoé Martin@exemple", "Nom : Martin"])
def test_what_cannot_be_a_name_is_refused_on_the_phone(house: House, name: str):
    opened(house)
    with pytest.raises(InvalidInput, match="sans chiffre"):
        sign(house, ticket(house), name)
    assert listed_now(house) == []
