"""Signing in from one's own phone: everybody once, whoever is quicker, and nobody once the room is shut or full."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from app.domain.activities import ActivityCampus
from app.domain.activities.check_in import (
    GRACE,
    TICKET_LIFE,
    TURN,
    CheckInClosed,
    CheckInFull,
    NoSuchCode,
    OldTicket,
    Ticket,
    new_phone,
)
from app.domain.activities.listed_people import ListedPerson
from app.domain.campus.audit_log import Actor
from app.domain.people import is_address
from app.errors import AppError, InvalidInput, NotAllowed
from app.services.activities.check_in import OtherPerson, Signed
from tests.support.house import COMMAND, House, done_once

pytestmark = pytest.mark.both_engines

TEN = [f"phone {letter}" for letter in "abcdefghij"]


@done_once
def opened(house: House, capacity: int | None = None) -> None:
    with house.unit_of_work() as services:
        services.rooms.open(house.campus, house.activity.id, capacity=capacity, by=Actor(house.trainer.id))


def shut(house: House) -> None:
    with house.unit_of_work() as services:
        services.rooms.close(house.campus, house.activity.id, by=Actor(house.trainer.id))


def code_of(house: House) -> str:
    with house.unit_of_work(reading=True) as services:
        return services.rooms.page(house.campus, house.activity.id).code


def ticket(house: House, phone: str = "") -> Ticket:
    phone = phone or new_phone()
    with house.unit_of_work(reading=True) as services:
        door = services.rooms.access(code_of(house), phone)
    return Ticket(door.room.id, phone, house.clock.now)


def sign(house: House, held: Ticket, name: str, address: str = "", *, namesake: str = "", **result) -> Signed:
    given, _, family = name.partition(" ")
    line = ListedPerson(1, given_name=given, family_name=family, address=address, **result)
    with house.unit_of_work() as services:
        return services.rooms.sign(held, line, namesake=namesake)[1]


def listed_now(house: House) -> list[str]:
    with house.unit_of_work(reading=True) as services:
        page = services.activities.page(house.campus, house.activity.id)
    return sorted(
        f"{person.name} {page.addresses.get(person.id, '')}".strip() for _, person in page.participants
    )


def all_at_once(house: House, tickets: list[Ticket], names: list[str], times: int = 1) -> list[str]:
    """What each phone was told, all of them pressing in the same moment."""
    together = Barrier(len(tickets))

    def press(held: Ticket, name: str) -> list[str]:
        together.wait(timeout=60)
        result = []
        for _ in range(times):
            try:
                result.append(sign(house, held, name).value)
            except AppError as error:
                result.append(type(error).__name__)
        return result

    with ThreadPoolExecutor(len(tickets)) as hands:
        return [word for words in hands.map(press, tickets, names) for word in words]


def test_ten_phones_at_once_are_ten_people_and_trying_again_changes_nothing(house: House):
    opened(house)
    tickets = [ticket(house) for _ in TEN]
    result = all_at_once(house, tickets, [f"Zoé {phone}" for phone in TEN], times=2)
    assert sorted(result) == ["again"] * 10 + ["new"] * 10
    assert len(listed_now(house)) == 10


def test_a_room_of_six_takes_six_of_ten_who_press_at_once(house: House):
    opened(house, capacity=6)
    tickets = [ticket(house) for _ in TEN]
    result = all_at_once(house, tickets, [f"Zoé {phone}" for phone in TEN])
    assert sorted(result) == ["CheckInFull"] * 4 + ["new"] * 6
    assert len(listed_now(house)) == 6


def test_nobody_is_on_the_list_once_it_was_shut_in_the_same_moment(house: House):
    opened(house)
    tickets = [ticket(house) for _ in TEN]
    with ThreadPoolExecutor(1) as hand:
        closing = hand.submit(shut, house)
        result = all_at_once(house, tickets, [f"Zoé {phone}" for phone in TEN])
        closing.result()
    assert set(result) <= {"new", "CheckInClosed"}
    assert len(listed_now(house)) == result.count("new")
    with pytest.raises(CheckInClosed):
        sign(house, Ticket(tickets[0].room_id, new_phone(), house.clock.now), "Tard Venu")


def test_a_name_that_ten_phones_send_at_once_is_one_person_until_somebody_says_otherwise(house: House):
    opened(house)
    tickets = [ticket(house) for _ in TEN]
    result = all_at_once(house, tickets, ["Zoé Martin"] * 10)
    assert sorted(result) == ["Namesake"] * 9 + ["new"]
    refused = [held for held, word in zip(tickets, result, strict=True) if word == "Namesake"]
    assert sign(house, refused[0], "Zoé Martin", namesake="same") is Signed.ELSEWHERE
    assert sign(house, refused[1], "Zoé Martin", namesake="other") is Signed.NEW
    assert sign(house, refused[1], "Zoé Martin", namesake="other") is Signed.AGAIN
    assert sign(house, refused[2], "Zoé Martin", "zoe@exemple.fr", namesake="other") is Signed.NEW
    assert listed_now(house) == ["Zoé Martin", "Zoé Martin", "Zoé Martin zoe@exemple.fr"]


def test_the_code_turns_every_minute_and_the_one_before_is_good_for_a_moment(house: House):
    opened(house)
    first = code_of(house)
    house.clock.move(seconds=TURN.total_seconds())
    with house.unit_of_work(reading=True) as services:
        assert code_of(house) != first
        assert services.rooms.access(first, "phone").activity.id == house.activity.id
        house.clock.move(seconds=GRACE.total_seconds())
        with pytest.raises(NoSuchCode):
            services.rooms.access(first, "phone")
        with pytest.raises(NoSuchCode):
            services.rooms.access(first[:3] + "0000", "phone")


def test_a_slow_typist_is_not_sent_back_to_the_wall_but_a_kept_page_is(house: House):
    opened(house)
    slow, later = ticket(house), ticket(house)
    house.clock.move(seconds=(TICKET_LIFE - timedelta(minutes=1)).total_seconds())
    assert sign(house, slow, "Zoé Martin") is Signed.NEW
    house.clock.move(minutes=2)
    with pytest.raises(OldTicket):
        sign(house, later, "Inès Martin")
    assert sign(house, slow, "MARTIN Zoé") is Signed.AGAIN


def test_a_room_shuts_by_itself_and_gives_its_sign_back(house: House):
    opened(house)
    held = ticket(house)
    house.clock.move(hours=5)
    assert code_of(house) == ""
    with pytest.raises(CheckInClosed):
        sign(house, held, "Zoé Martin")
    opened(house)
    assert code_of(house)


def test_one_phone_signs_for_one_person_also_when_the_room_is_opened_again(house: House):
    opened(house)
    phone = new_phone()
    assert sign(house, ticket(house, phone), "Zoé Martin") is Signed.NEW
    with pytest.raises(OtherPerson):
        sign(house, ticket(house, phone), "Karim Haddad")
    shut(house)
    opened(house)
    with pytest.raises(OtherPerson):
        sign(house, ticket(house, phone), "Karim Haddad")
    assert listed_now(house) == ["Zoé Martin"]


def test_two_people_share_an_address_and_a_third_has_none(house: House):
    opened(house)
    for name in ("Zoé Martin", "Inès Martin"):
        assert sign(house, ticket(house), name, "famille@exemple.fr") is Signed.NEW
    assert sign(house, ticket(house), "Moussa Keïta") is Signed.NEW
    assert sign(house, ticket(house), "Zoé Martin", "famille@exemple.fr") is Signed.ELSEWHERE
    assert listed_now(house) == [
        "Inès Martin famille@exemple.fr",
        "Moussa Keïta",
        "Zoé Martin famille@exemple.fr",
    ]


def test_whoever_stands_on_a_list_signs_in_their_own_place_and_a_trainer_confirms_their_address(house: House):
    house.record("KEÏTA Moussa", "MARTIN Zoé; zoe@exemple.fr")
    opened(house)
    assert sign(house, ticket(house), "Moussa Keïta", "moussa@exemple.fr") is Signed.WAITING
    assert sign(house, ticket(house), "Zoé Martin") is Signed.LISTED
    assert listed_now(house) == ["Moussa Keïta", "Zoé Martin zoe@exemple.fr"]
    with house.unit_of_work() as services:
        [asked] = services.rooms.page(house.campus, house.activity.id).asked
        [moussa] = asked.question.namesakes
        services.room_signatures.answer(
            house.campus,
            house.activity.id,
            asked.waiting.id,
            str(moussa.person.id),
            by=Actor(house.trainer.id),
        )
    assert listed_now(house) == ["Moussa Keïta moussa@exemple.fr", "Zoé Martin zoe@exemple.fr"]


def test_a_list_of_names_pasted_after_the_phones_doubles_nobody(house: House):
    opened(house)
    sign(house, ticket(house), "Zoé Martin", "zoe@exemple.fr")
    sign(house, ticket(house), "Moussa Keïta")
    house.record("MARTIN Zoé", "KEÏTA Moussa; moussa@exemple.fr", "HADDAD Yasmine")
    assert listed_now(house) == [
        "Moussa Keïta moussa@exemple.fr",
        "Yasmine Haddad",
        "Zoé Martin zoe@exemple.fr",
    ]


def test_of_age_only_the_band_is_kept(house: House):
    opened(house)
    sign(house, ticket(house), "Zoé Martin", under_15=True)
    sign(house, ticket(house), "Moussa Keïta", under_15=False)
    with house.unit_of_work(reading=True) as services:
        people = {
            p.given_name: p for _, p in services.activities.page(house.campus, house.activity.id).participants
        }
    assert people["Zoé"].under_15_on == house.clock.now.date()
    assert people["Moussa"].under_15_on is None


def test_who_is_unticked_is_given_nothing_and_can_be_ticked_again(house: House):
    opened(house, capacity=2)
    for name in ("Zoé Martin", "Moussa Keïta"):
        sign(house, ticket(house), name)
    with pytest.raises(CheckInFull):
        sign(house, ticket(house), "Yasmine Haddad")
    with house.unit_of_work(reading=True) as services:
        entries = services.rooms.page(house.campus, house.activity.id).entries
    zoe = next(participation.id for _, participation, person in entries if person.given_name == "Zoé")

    def tick(present: bool) -> None:
        with house.unit_of_work() as services:
            services.activities.set_present(
                house.campus, house.activity.id, zoe, present=present, by=Actor(house.trainer.id)
            )

    tick(False)
    assert listed_now(house) == ["Moussa Keïta"]
    assert sign(house, ticket(house), "Yasmine Haddad") is Signed.NEW
    tick(True)
    assert listed_now(house) == ["Moussa Keïta", "Yasmine Haddad", "Zoé Martin"]


def test_a_bad_address_or_no_name_is_said_and_nothing_is_kept(house: House):
    opened(house)
    assert not is_address("zoe@exemple,fr")
    for name, address in (("Zoé Martin", "zoe@exemple,fr"), ("", "")):
        with pytest.raises(InvalidInput):
            sign(house, ticket(house), name, address)
    assert listed_now(house) == []


def test_a_check_in_closes_when_the_campus_that_opened_it_leaves_the_activity(house: House):
    """Otherwise phones agree that a campus notes their presence which no longer organises anything there."""
    with house.unit_of_work() as services:
        plans = services.stores.activity_plans
        place = plans.place_of(house.activity.id, house.campus.id)
        place.position = 1
        lead = ActivityCampus(activity_id=house.activity.id, campus_id=house.other_campus.id, position=0)
        lead.accepted_at = house.clock()
        plans.save_place(place)
        plans.save_place(lead)
    opened(house)
    held, signed = ticket(house), ticket(house)
    assert sign(house, signed, "Zoé Martin") is Signed.NEW
    with house.unit_of_work() as services:
        services.activity_plans.answer(
            house.campus, house.activity.id, accepts=False, by=Actor(house.trainer.id)
        )
    with pytest.raises(CheckInClosed):
        sign(house, held, "Ola Écrin")
    with house.unit_of_work() as services:
        room = services.rooms.open(house.other_campus, house.activity.id, capacity=None, by=COMMAND)
        assert room.campus_id == house.other_campus.id
    assert sign(house, held, "Ola Écrin") is Signed.NEW


def test_suspended_campus_takes_no_signature_and_lets_those_given_be_taken_back(house: House):
    opened(house)
    held, other = ticket(house), ticket(house)
    assert sign(house, held, "Zoé N’Diaye") is Signed.NEW
    with house.unit_of_work() as services:
        services.operators.suspend(house.campus.slug, by=COMMAND)
    with pytest.raises(NotAllowed):
        sign(house, other, "Hugo Martel")
    with pytest.raises(NotAllowed):
        ticket(house)
    with house.unit_of_work() as services:
        assert services.rooms.take_back(held).signed_as == ""
