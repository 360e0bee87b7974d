"""Check-in by phone: each person once, under concurrency too, and no one after it is closed or full."""

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
from tests.support.app import COMMAND, App, done_once

pytestmark = pytest.mark.both_engines

TEN = [f"phone {letter}" for letter in "abcdefghij"]


@done_once
def opened(app: App, capacity: int | None = None) -> None:
    with app.unit_of_work() as services:
        services.rooms.open(app.campus, app.activity.id, capacity=capacity, by=Actor(app.trainer.id))


def shut(app: App) -> None:
    with app.unit_of_work() as services:
        services.rooms.close(app.campus, app.activity.id, by=Actor(app.trainer.id))


def code_of(app: App) -> str:
    with app.unit_of_work(reading=True) as services:
        return services.rooms.page(app.campus, app.activity.id).code


def ticket(app: App, phone: str = "") -> Ticket:
    phone = phone or new_phone()
    with app.unit_of_work(reading=True) as services:
        door = services.rooms.access(code_of(app), phone)
    return Ticket(door.room.id, phone, app.clock.now)


def sign(app: App, held: Ticket, name: str, address: str = "", *, namesake: str = "", **result) -> Signed:
    given, _, family = name.partition(" ")
    line = ListedPerson(1, given_name=given, family_name=family, address=address, **result)
    with app.unit_of_work() as services:
        return services.rooms.sign(held, line, namesake=namesake)[1]


def listed_now(app: App) -> list[str]:
    with app.unit_of_work(reading=True) as services:
        page = services.activities.page(app.campus, app.activity.id)
    return sorted(
        f"{person.name} {page.addresses.get(person.id, '')}".strip() for _, person in page.participants
    )


def all_at_once(app: App, tickets: list[Ticket], names: list[str], times: int = 1) -> list[str]:
    """The result of each phone when all submit at once."""
    together = Barrier(len(tickets))

    def press(held: Ticket, name: str) -> list[str]:
        together.wait(timeout=60)
        result = []
        for _ in range(times):
            try:
                result.append(sign(app, held, name).value)
            except AppError as error:
                result.append(type(error).__name__)
        return result

    with ThreadPoolExecutor(len(tickets)) as hands:
        return [word for words in hands.map(press, tickets, names) for word in words]


def test_ten_concurrent_check_ins_are_ten_people_and_a_retry_changes_nothing(app: App):
    opened(app)
    tickets = [ticket(app) for _ in TEN]
    result = all_at_once(app, tickets, [f"Zoé {phone}" for phone in TEN], times=2)
    assert sorted(result) == ["again"] * 10 + ["new"] * 10
    assert len(listed_now(app)) == 10


def test_check_in_for_six_accepts_six_of_ten_concurrent_phones(app: App):
    opened(app, capacity=6)
    tickets = [ticket(app) for _ in TEN]
    result = all_at_once(app, tickets, [f"Zoé {phone}" for phone in TEN])
    assert sorted(result) == ["CheckInFull"] * 4 + ["new"] * 6
    assert len(listed_now(app)) == 6


def test_check_in_closed_concurrently_records_only_accepted_phones(app: App):
    opened(app)
    tickets = [ticket(app) for _ in TEN]
    with ThreadPoolExecutor(1) as hand:
        closing = hand.submit(shut, app)
        result = all_at_once(app, tickets, [f"Zoé {phone}" for phone in TEN])
        closing.result()
    assert set(result) <= {"new", "CheckInClosed"}
    assert len(listed_now(app)) == result.count("new")
    with pytest.raises(CheckInClosed):
        sign(app, Ticket(tickets[0].room_id, new_phone(), app.clock.now), "Tard Venu")


def test_same_name_from_ten_phones_is_one_person_until_a_phone_answers(app: App):
    opened(app)
    tickets = [ticket(app) for _ in TEN]
    result = all_at_once(app, tickets, ["Zoé Martin"] * 10)
    assert sorted(result) == ["Namesake"] * 9 + ["new"]
    refused = [held for held, word in zip(tickets, result, strict=True) if word == "Namesake"]
    assert sign(app, refused[0], "Zoé Martin", namesake="same") is Signed.ELSEWHERE
    assert sign(app, refused[1], "Zoé Martin", namesake="other") is Signed.NEW
    assert sign(app, refused[1], "Zoé Martin", namesake="other") is Signed.AGAIN
    assert sign(app, refused[2], "Zoé Martin", "zoe@exemple.fr", namesake="other") is Signed.NEW
    assert listed_now(app) == ["Zoé Martin", "Zoé Martin", "Zoé Martin zoe@exemple.fr"]


def test_code_changes_every_minute_and_the_previous_one_has_a_grace_period(app: App):
    opened(app)
    first = code_of(app)
    app.clock.move(seconds=TURN.total_seconds())
    with app.unit_of_work(reading=True) as services:
        assert code_of(app) != first
        assert services.rooms.access(first, "phone").activity.id == app.activity.id
        app.clock.move(seconds=GRACE.total_seconds())
        with pytest.raises(NoSuchCode):
            services.rooms.access(first, "phone")
        with pytest.raises(NoSuchCode):
            services.rooms.access(first[:3] + "0000", "phone")


def test_ticket_is_valid_until_it_expires(app: App):
    opened(app)
    slow, later = ticket(app), ticket(app)
    app.clock.move(seconds=(TICKET_LIFE - timedelta(minutes=1)).total_seconds())
    assert sign(app, slow, "Zoé Martin") is Signed.NEW
    app.clock.move(minutes=2)
    with pytest.raises(OldTicket):
        sign(app, later, "Inès Martin")
    assert sign(app, slow, "MARTIN Zoé") is Signed.AGAIN


def test_check_in_closes_by_itself_and_frees_its_code(app: App):
    opened(app)
    held = ticket(app)
    app.clock.move(hours=5)
    assert code_of(app) == ""
    with pytest.raises(CheckInClosed):
        sign(app, held, "Zoé Martin")
    opened(app)
    assert code_of(app)


def test_phone_signs_for_one_person_even_after_check_in_reopens(app: App):
    opened(app)
    phone = new_phone()
    assert sign(app, ticket(app, phone), "Zoé Martin") is Signed.NEW
    with pytest.raises(OtherPerson):
        sign(app, ticket(app, phone), "Karim Haddad")
    shut(app)
    opened(app)
    with pytest.raises(OtherPerson):
        sign(app, ticket(app, phone), "Karim Haddad")
    assert listed_now(app) == ["Zoé Martin"]


def test_two_people_share_an_address_and_a_third_has_none(app: App):
    opened(app)
    for name in ("Zoé Martin", "Inès Martin"):
        assert sign(app, ticket(app), name, "famille@exemple.fr") is Signed.NEW
    assert sign(app, ticket(app), "Moussa Keïta") is Signed.NEW
    assert sign(app, ticket(app), "Zoé Martin", "famille@exemple.fr") is Signed.ELSEWHERE
    assert listed_now(app) == [
        "Inès Martin famille@exemple.fr",
        "Moussa Keïta",
        "Zoé Martin famille@exemple.fr",
    ]


def test_check_in_of_a_listed_person_waits_only_for_a_new_address(app: App):
    app.record("KEÏTA Moussa", "MARTIN Zoé; zoe@exemple.fr")
    opened(app)
    assert sign(app, ticket(app), "Moussa Keïta", "moussa@exemple.fr") is Signed.WAITING
    assert sign(app, ticket(app), "Zoé Martin") is Signed.LISTED
    assert listed_now(app) == ["Moussa Keïta", "Zoé Martin zoe@exemple.fr"]
    with app.unit_of_work() as services:
        [asked] = services.rooms.page(app.campus, app.activity.id).asked
        [moussa] = asked.question.namesakes
        services.room_signatures.answer(
            app.campus,
            app.activity.id,
            asked.waiting.id,
            str(moussa.person.id),
            by=Actor(app.trainer.id),
        )
    assert listed_now(app) == ["Moussa Keïta moussa@exemple.fr", "Zoé Martin zoe@exemple.fr"]


def test_list_recorded_after_check_in_makes_no_duplicates(app: App):
    opened(app)
    sign(app, ticket(app), "Zoé Martin", "zoe@exemple.fr")
    sign(app, ticket(app), "Moussa Keïta")
    app.record("MARTIN Zoé", "KEÏTA Moussa; moussa@exemple.fr", "HADDAD Yasmine")
    assert listed_now(app) == [
        "Moussa Keïta moussa@exemple.fr",
        "Yasmine Haddad",
        "Zoé Martin zoe@exemple.fr",
    ]


def test_check_in_stores_only_the_age_group(app: App):
    opened(app)
    sign(app, ticket(app), "Zoé Martin", under_15=True)
    sign(app, ticket(app), "Moussa Keïta", under_15=False)
    with app.unit_of_work(reading=True) as services:
        people = {
            p.given_name: p for _, p in services.activities.page(app.campus, app.activity.id).participants
        }
    assert people["Zoé"].under_15_on == app.clock.now.date()
    assert people["Moussa"].under_15_on is None


def test_person_marked_absent_gets_no_badge_until_marked_present(app: App):
    opened(app, capacity=2)
    for name in ("Zoé Martin", "Moussa Keïta"):
        sign(app, ticket(app), name)
    with pytest.raises(CheckInFull):
        sign(app, ticket(app), "Yasmine Haddad")
    with app.unit_of_work(reading=True) as services:
        entries = services.rooms.page(app.campus, app.activity.id).entries
    zoe = next(participation.id for _, participation, person in entries if person.given_name == "Zoé")

    def tick(present: bool) -> None:
        with app.unit_of_work() as services:
            services.activities.set_present(
                app.campus, app.activity.id, zoe, present=present, by=Actor(app.trainer.id)
            )

    tick(False)
    assert listed_now(app) == ["Moussa Keïta"]
    assert sign(app, ticket(app), "Yasmine Haddad") is Signed.NEW
    tick(True)
    assert listed_now(app) == ["Moussa Keïta", "Yasmine Haddad", "Zoé Martin"]


def test_check_in_without_a_name_or_with_an_invalid_address_is_refused(app: App):
    opened(app)
    assert not is_address("zoe@exemple,fr")
    for name, address in (("Zoé Martin", "zoe@exemple,fr"), ("", "")):
        with pytest.raises(InvalidInput):
            sign(app, ticket(app), name, address)
    assert listed_now(app) == []


def test_a_check_in_closes_when_the_campus_that_opened_it_leaves_the_activity(app: App):
    """Otherwise people would agree to a record by a campus that no longer organises the activity."""
    with app.unit_of_work() as services:
        plans = services.stores.activity_plans
        place = plans.place_of(app.activity.id, app.campus.id)
        place.position = 1
        lead = ActivityCampus(activity_id=app.activity.id, campus_id=app.other_campus.id, position=0)
        lead.accepted_at = app.clock()
        plans.save(place)
        plans.save(lead)
    opened(app)
    held, signed = ticket(app), ticket(app)
    assert sign(app, signed, "Zoé Martin") is Signed.NEW
    with app.unit_of_work() as services:
        services.activity_plans.answer(app.campus, app.activity.id, accepts=False, by=Actor(app.trainer.id))
    with pytest.raises(CheckInClosed):
        sign(app, held, "Ola Écrin")
    with app.unit_of_work() as services:
        room = services.rooms.open(app.other_campus, app.activity.id, capacity=None, by=COMMAND)
        assert room.campus_id == app.other_campus.id
    assert sign(app, held, "Ola Écrin") is Signed.NEW


def test_suspended_campus_takes_no_check_in_but_lets_people_withdraw_theirs(app: App):
    opened(app)
    held, other = ticket(app), ticket(app)
    assert sign(app, held, "Zoé N’Diaye") is Signed.NEW
    with app.unit_of_work() as services:
        services.operators.suspend(app.campus.slug, by=COMMAND)
    with pytest.raises(NotAllowed):
        sign(app, other, "Hugo Martel")
    with pytest.raises(NotAllowed):
        ticket(app)
    with app.unit_of_work() as services:
        assert services.rooms.take_back(held).signed_as == ""
