"""A campus corrects name and address where they are noticed; a proved address stays its person's own."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlmodel import select

from app.domain.accounts.sessions import Session
from app.domain.accounts.sign_in import SignInLink, Wish, mailbox_token
from app.domain.activities import Activity, ActivityKind, Plan
from app.domain.awards import Award
from app.domain.campus.audit_log import Actor, HistoryEntry
from app.domain.messages import LetterState, QueuedMessage
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn
from app.services.awards.awards import AwardRequest
from app.services.people.names import KNOWN_ELSEWHERE
from tests.support.house import House, done_once, listed

FALSE, RIGHT = "chloe@gmial.com", "chloe@gmail.com"


@done_once
def awarded(house: House, *, address: str = FALSE, undo: bool = False) -> tuple[uuid.UUID, uuid.UUID]:
    """Person and award, announced by e-mail."""
    request = AwardRequest(
        house.presence.badge.id, house.activity.id, lines=listed(f"MARTIN Chloé; {address}"), tells=True
    )
    with house.unit_of_work() as services:
        batch = services.awards.give(
            house.campus,
            request,
            by=Actor(house.trainer.id),
            undo_for=timedelta(minutes=10) if undo else timedelta(),
        )
        (line,) = services.awards.batch(house.campus, batch.id).lines
    assert line.person_id
    assert line.award_id
    return line.person_id, line.award_id


def mark_sent(house: House) -> None:
    with house.unit_of_work() as services:
        for letter in services.stores.session.exec(select(QueuedMessage)):
            letter.state, letter.attempted_at, letter.sent_at = LetterState.SENT, house.clock(), house.clock()
            services.stores.letters.save(letter)


def correct(house: House, person_id: uuid.UUID, *, given="Chloé", family="Martin", address=RIGHT) -> None:
    with house.unit_of_work() as services:
        services.corrections.correct(
            house.campus, person_id, given, family, address, by=Actor(house.trainer.id)
        )


def addresses(house: House, person_id: uuid.UUID) -> list[str]:
    with house.unit_of_work(reading=True) as services:
        return services.stores.people.all_addresses(person_id)


def letters(house: House) -> list[tuple[str, LetterState]]:
    with house.unit_of_work(reading=True) as services:
        query = select(QueuedMessage).order_by(QueuedMessage.promised_at)  # type: ignore[arg-type]
        return [(letter.address, letter.state) for letter in services.stores.session.exec(query)]


def token_of(house: House, award_id: uuid.UUID) -> str:
    with house.unit_of_work(reading=True) as services:
        award = services.stores.session.exec(select(Award).where(Award.id == award_id)).one()
        return services.people.private_link_token(award_id, award.link_generation)


def test_message_that_waits_goes_to_the_right_address_once(house: House):
    person_id, award_id = awarded(house, undo=True)
    before = token_of(house, award_id)

    correct(house, person_id)

    assert addresses(house, person_id) == [RIGHT]
    assert letters(house) == [(RIGHT, LetterState.WAITING)]
    assert token_of(house, award_id) == before, "nothing had left"


def test_links_that_reached_a_false_address_open_nothing_any_more(house: House):
    person_id, award_id = awarded(house)
    mark_sent(house)
    false_link = token_of(house, award_id)
    with house.unit_of_work() as services:
        services.people.open_private_link(false_link)
        services.delivery.claim(award_id, by=Actor(person_id))

    correct(house, person_id)

    with house.unit_of_work() as services:
        with pytest.raises(NotFound):
            services.people.open_private_link(false_link)
        sessions = services.stores.session.exec(select(Session).where(Session.award_id == award_id))
        assert sessions.all() == []
        assert services.people.open_private_link(token_of(house, award_id))
    assert letters(house)[-1] == (RIGHT, LetterState.WAITING)
    with house.unit_of_work(reading=True) as services:
        award = services.stores.session.exec(select(Award).where(Award.id == award_id)).one()
        assert award.claimed_at is None


def test_sign_in_link_at_a_false_address_opens_no_account(house: House):
    person_id, _ = awarded(house)
    with house.unit_of_work() as services:
        services.stores.sign_in.add(
            SignInLink(
                person_id=person_id,
                secret_digest="0" * 64,
                address=FALSE,
                expires_at=house.clock() + timedelta(hours=1),
            )
        )

    correct(house, person_id)

    with house.unit_of_work(reading=True) as services:
        assert (
            services.stores.session.exec(select(SignInLink).where(SignInLink.person_id == person_id)).all()
            == []
        )


def test_archive_link_at_a_false_address_opens_no_archive(house: House):
    _, award_id = awarded(house)
    with house.unit_of_work() as services:
        record = services.awards.record(award_id)
        assert services.archive.ask(record)
        token = mailbox_token(services.archive.secret, award_id, house.clock(), Wish.ARCHIVE)
        assert services.archive.asked(token).award.id == award_id
    mark_sent(house)

    correct(house, record.person.id)

    with house.unit_of_work(reading=True) as services, pytest.raises(NotSignedIn):
        services.archive.asked(token)


def test_proved_address_is_never_replaced(house: House):
    person_id, _ = awarded(house)
    with house.unit_of_work() as services:
        person = services.stores.people.get(person_id)
        services.stores.own_addresses.verify(person, FALSE, at=house.clock())

    with pytest.raises(NotAllowed, match="confirmé"):
        correct(house, person_id)
    assert addresses(house, person_id) == [FALSE]


def test_without_an_address_nothing_is_sent_and_nothing_that_left_opens(house: House):
    person_id, award_id = awarded(house)
    mark_sent(house)
    before = token_of(house, award_id)
    correct(house, person_id, address="")

    assert addresses(house, person_id) == []
    assert token_of(house, award_id) != before
    assert [state for _, state in letters(house)] == [LetterState.SENT]


def test_first_address_of_a_person_leaves_the_slip_good(house: House):
    person_id, award_id = awarded(house, address="")
    before = token_of(house, award_id)
    correct(house, person_id)

    assert token_of(house, award_id) == before
    assert letters(house) == [(RIGHT, LetterState.WAITING)]


def test_corrected_name_is_signed_again_and_both_are_logged(house: House):
    person_id, award_id = awarded(house)
    correct(house, person_id, given="Chloée", family="Martin-Dubois")

    with house.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        assert record.award.holder_name == "Chloée Martin-Dubois"
        assert record.award.edition == 2
        entries = services.stores.session.exec(
            select(HistoryEntry).where(HistoryEntry.noun_id == person_id, HistoryEntry.noun == "person")
        ).all()
    result = {entry.action: entry for entry in entries}
    assert {"rename", "correct_address"} <= result.keys()
    assert RIGHT not in str([entry.facts for entry in entries])


@pytest.mark.parametrize("address", ["pas une adresse", "chloe@"])
def test_invalid_address_changes_nothing(house: House, address: str):
    person_id, _ = awarded(house)
    with pytest.raises(InvalidInput):
        correct(house, person_id, given="Autre", address=address)
    assert addresses(house, person_id) == [FALSE]


def test_trainer_cannot_put_their_own_address_on_a_learner(house: House):
    person_id, _ = awarded(house)
    with house.unit_of_work(reading=True) as services:
        (own, *_) = services.stores.people.all_addresses(house.trainer.id)
    for spelling in (own, own.replace("@", "+eleve@")):
        with pytest.raises(InvalidInput, match="soi-même"):
            correct(house, person_id, address=spelling)


def test_address_of_a_namesake_asks_to_merge(house: House):
    person_id, _ = awarded(house)
    house.award(f"MARTIN Chloé; {RIGHT}", badge=house.role, evidence="Tient le stand.")
    with pytest.raises(Conflict, match="Fusionnez"):
        correct(house, person_id)


def test_address_of_a_namesake_of_another_campus_is_refused_as_any_person_known_elsewhere(house: House):
    person_id, _ = awarded(house)
    with house.unit_of_work() as services:
        result = Activity(
            kind=ActivityKind.WORKSHOP,
            title="Atelier",
            starts_on=house.clock.now.date(),
            ends_on=house.clock.now.date(),
            created_at=house.clock.now,
        )
        activity = services.activities.create(result, [house.other_campus], by=Actor(house.stranger.id))
        services.activities.record(
            house.other_campus, activity.id, listed(f"MARTIN Chloé; {RIGHT}"), by=Actor(house.stranger.id)
        )
    with pytest.raises(NotAllowed) as refused:
        correct(house, person_id)
    assert refused.value.sentence == KNOWN_ELSEWHERE
    assert addresses(house, person_id) == [FALSE]


def test_own_participants_are_those_of_activities_a_trainer_is_named_in(house: House):
    person_id, _ = awarded(house)
    with house.unit_of_work() as services:
        activity = services.activities.get(house.campus, house.activity.id)
        plan = Plan(trainers={house.admin.id})
        services.activity_plans.amend(house.campus, activity.id, activity, plan, by=Actor(house.admin.id))

    def is_own(by: uuid.UUID) -> bool:
        with house.unit_of_work(reading=True) as services:
            return services.corrections.is_own(house.campus, house.activity.id, person_id, Actor(by))

    assert is_own(house.admin.id)
    assert is_own(house.trainer.id), "who recorded the participation"
    assert not is_own(uuid.uuid4())
    with house.unit_of_work(reading=True) as services, pytest.raises(NotFound):
        services.corrections.is_own(
            house.campus, house.activity.id, house.stranger.id, Actor(house.trainer.id)
        )
