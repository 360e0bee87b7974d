"""A campus corrects names and addresses, but never a proved address."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlmodel import select

from app.container import Services
from app.domain.accounts.sessions import Session
from app.domain.accounts.sign_in import SignInLink, Wish, mailbox_token
from app.domain.activities import Activity, ActivityKind, Plan
from app.domain.awards import Award
from app.domain.campus.audit_log import Actor, HistoryEntry
from app.domain.messages import LetterState, QueuedMessage
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn
from app.services.awards.awards import AwardRequest
from app.services.people.names import KNOWN_ELSEWHERE
from tests.support.app import App, done_once, listed
from tests.support.databases.engines import on_postgres
from tests.support.running.at_once import done_meanwhile

FALSE, RIGHT = "chloe@gmial.com", "chloe@gmail.com"


@done_once
def awarded(app: App, *, address: str = FALSE, undo: bool = False) -> tuple[uuid.UUID, uuid.UUID]:
    """Person and award, announced by e-mail."""
    request = AwardRequest(
        app.presence.badge.id, app.activity.id, lines=listed(f"MARTIN Chloé; {address}"), tells=True
    )
    with app.unit_of_work() as services:
        batch = services.awards.give(
            app.campus,
            request,
            by=Actor(app.trainer.id),
            undo_for=timedelta(minutes=10) if undo else timedelta(),
        )
        (line,) = services.award_batches.result(app.campus, batch.id).lines
    assert line.person_id
    assert line.award_id
    return line.person_id, line.award_id


def mark_sent(app: App) -> None:
    with app.unit_of_work() as services:
        for letter in services.stores.session.exec(select(QueuedMessage)):
            letter.state, letter.attempted_at, letter.sent_at = LetterState.SENT, app.clock(), app.clock()
            services.stores.letters.save(letter)


def correct(app: App, person_id: uuid.UUID, *, given="Chloé", family="Martin", address=RIGHT) -> None:
    with app.unit_of_work() as services:
        services.corrections.correct(app.campus, person_id, given, family, address, by=Actor(app.trainer.id))


def addresses(app: App, person_id: uuid.UUID) -> list[str]:
    with app.unit_of_work(reading=True) as services:
        return services.stores.people.all_addresses(person_id)


def letters(app: App) -> list[tuple[str, LetterState]]:
    with app.unit_of_work(reading=True) as services:
        query = select(QueuedMessage).order_by(QueuedMessage.promised_at)  # type: ignore[arg-type]
        return [(letter.address, letter.state) for letter in services.stores.session.exec(query)]


def token_of(app: App, award_id: uuid.UUID) -> str:
    with app.unit_of_work(reading=True) as services:
        award = services.stores.session.exec(select(Award).where(Award.id == award_id)).one()
        return services.people.private_link_token(award_id, award.link_generation)


def test_message_that_waits_goes_to_the_right_address_once(app: App):
    person_id, award_id = awarded(app, undo=True)
    before = token_of(app, award_id)

    correct(app, person_id)

    assert addresses(app, person_id) == [RIGHT]
    assert letters(app) == [(RIGHT, LetterState.WAITING)]
    assert token_of(app, award_id) == before, "nothing had left"


def test_links_that_reached_a_false_address_open_nothing_any_more(app: App):
    person_id, award_id = awarded(app)
    mark_sent(app)
    false_link = token_of(app, award_id)
    with app.unit_of_work() as services:
        services.people.open_private_link(false_link)
        services.delivery.claim(award_id, by=Actor(person_id))

    correct(app, person_id)

    with app.unit_of_work() as services:
        with pytest.raises(NotFound):
            services.people.open_private_link(false_link)
        sessions = services.stores.session.exec(select(Session).where(Session.award_id == award_id))
        assert sessions.all() == []
        assert services.people.open_private_link(token_of(app, award_id))
    assert letters(app)[-1] == (RIGHT, LetterState.WAITING)
    with app.unit_of_work(reading=True) as services:
        award = services.stores.session.exec(select(Award).where(Award.id == award_id)).one()
        assert award.claimed_at is None


def begin_to_send(services: Services) -> None:
    for envelope in services.letters.due():
        services.letters.take(envelope)


def check_false_link_is_closed(app: App, award_id: uuid.UUID, false_link: str) -> None:
    """After the false address received it and the correction ended."""
    with app.unit_of_work() as services:
        for letter in services.stores.letters.of_awards([award_id]):
            if letter.attempted_at is not None:
                services.letters.sent(letter.envelope)
    assert letters(app) == [(FALSE, LetterState.CANCELLED), (RIGHT, LetterState.WAITING)]
    with app.unit_of_work() as services, pytest.raises(NotFound):
        services.people.open_private_link(false_link)


def test_message_that_leaves_while_its_address_is_corrected_opens_nothing(app: App):
    """Formerly it was shown as sent to the right address, which received nothing."""
    person_id, award_id = awarded(app)
    false_link = token_of(app, award_id)
    with app.unit_of_work() as services:
        begin_to_send(services)
    correct(app, person_id)
    check_false_link_is_closed(app, award_id, false_link)


@on_postgres
@pytest.mark.parametrize("is_taken_first", [True, False])
def test_message_taken_to_be_sent_beside_the_correction_opens_nothing(app: App, is_taken_first: bool):
    person_id, award_id = awarded(app)
    false_link = token_of(app, award_id)

    def correct_address(services: Services) -> None:
        services.corrections.correct(
            app.campus, person_id, "Chloé", "Martin", RIGHT, by=Actor(app.trainer.id)
        )

    both = (begin_to_send, correct_address)
    assert done_meanwhile(app, *(both if is_taken_first else reversed(both))) == ("", "")
    check_false_link_is_closed(app, award_id, false_link)


def test_sign_in_link_at_a_false_address_opens_no_account(app: App):
    person_id, _ = awarded(app)
    with app.unit_of_work() as services:
        services.stores.sign_in.add(
            SignInLink(
                person_id=person_id,
                secret_digest="0" * 64,
                address=FALSE,
                expires_at=app.clock() + timedelta(hours=1),
            )
        )

    correct(app, person_id)

    with app.unit_of_work(reading=True) as services:
        assert (
            services.stores.session.exec(select(SignInLink).where(SignInLink.person_id == person_id)).all()
            == []
        )


def test_archive_link_at_a_false_address_opens_no_archive(app: App):
    _, award_id = awarded(app)
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        assert services.archive.ask(record)
        token = mailbox_token(services.archive.secret, award_id, app.clock(), Wish.ARCHIVE)
        assert services.archive.asked(token).award.id == award_id
    mark_sent(app)

    correct(app, record.person.id)

    with app.unit_of_work(reading=True) as services, pytest.raises(NotSignedIn):
        services.archive.asked(token)


def test_proved_address_is_never_replaced(app: App):
    person_id, _ = awarded(app)
    with app.unit_of_work() as services:
        person = services.stores.people.get(person_id)
        services.stores.own_addresses.verify(person, FALSE, at=app.clock())

    with pytest.raises(NotAllowed, match="confirmé"):
        correct(app, person_id)
    assert addresses(app, person_id) == [FALSE]


def test_without_an_address_nothing_is_sent_and_nothing_that_left_opens(app: App):
    person_id, award_id = awarded(app)
    mark_sent(app)
    before = token_of(app, award_id)
    correct(app, person_id, address="")

    assert addresses(app, person_id) == []
    assert token_of(app, award_id) != before
    assert [state for _, state in letters(app)] == [LetterState.SENT]


def test_first_address_of_a_person_leaves_the_slip_good(app: App):
    person_id, award_id = awarded(app, address="")
    before = token_of(app, award_id)
    correct(app, person_id)

    assert token_of(app, award_id) == before
    assert letters(app) == [(RIGHT, LetterState.WAITING)]


def test_corrected_name_is_signed_again_and_both_are_logged(app: App):
    person_id, award_id = awarded(app)
    correct(app, person_id, given="Chloée", family="Martin-Dubois")

    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        assert record.award.holder_name == "Chloée Martin-Dubois"
        assert record.award.edition == 2
        entries = services.stores.session.exec(
            select(HistoryEntry).where(HistoryEntry.noun_id == person_id, HistoryEntry.noun == "person")
        ).all()
    result = {entry.action: entry for entry in entries}
    assert {"rename", "correct_address"} <= result.keys()
    assert RIGHT not in str([entry.facts for entry in entries])


def test_award_undone_after_a_correction_takes_back_the_person_of_its_list(app: App):
    """Without this, the badge signed again made the person stay, as if known otherwise."""
    person_id, award_id = awarded(app, undo=True)
    correct(app, person_id, given="Chloée", family="Martin-Dubois")
    with app.unit_of_work() as services:
        batch_id = services.awards.record(award_id).award.batch_id
        assert batch_id is not None
        services.award_batches.undo(app.campus, batch_id, by=Actor(app.trainer.id), with_additions=True)
        while services.award_batches.undo_chunk(batch_id):
            pass
    with app.unit_of_work(reading=True) as services:
        assert services.stores.people.list_by_id([person_id]) == []
        assert services.award_batches.result(app.campus, batch_id).batch.removed_people == 1


@pytest.mark.parametrize("address", ["pas une adresse", "chloe@"])
def test_invalid_address_changes_nothing(app: App, address: str):
    person_id, _ = awarded(app)
    with pytest.raises(InvalidInput):
        correct(app, person_id, given="Autre", address=address)
    assert addresses(app, person_id) == [FALSE]


def test_trainer_cannot_put_their_own_address_on_a_learner(app: App):
    person_id, _ = awarded(app)
    with app.unit_of_work(reading=True) as services:
        (own, *_) = services.stores.people.all_addresses(app.trainer.id)
    for spelling in (own, own.replace("@", "+eleve@")):
        with pytest.raises(InvalidInput, match="soi-même"):
            correct(app, person_id, address=spelling)


def test_address_of_a_namesake_asks_to_merge(app: App):
    person_id, _ = awarded(app)
    app.award(f"MARTIN Chloé; {RIGHT}", badge=app.role, evidence="Tient le stand.")
    with pytest.raises(Conflict, match="Fusionnez"):
        correct(app, person_id)


def test_address_of_a_namesake_of_another_campus_is_refused_as_any_person_known_elsewhere(app: App):
    person_id, _ = awarded(app)
    with app.unit_of_work() as services:
        result = Activity(
            kind=ActivityKind.WORKSHOP,
            title="Atelier",
            starts_on=app.clock.now.date(),
            ends_on=app.clock.now.date(),
            created_at=app.clock.now,
        )
        activity = services.activities.create(result, [app.other_campus], by=Actor(app.stranger.id))
        services.activities.record(
            app.other_campus, activity.id, listed(f"MARTIN Chloé; {RIGHT}"), by=Actor(app.stranger.id)
        )
    with pytest.raises(NotAllowed) as refused:
        correct(app, person_id)
    assert refused.value.sentence == KNOWN_ELSEWHERE
    assert addresses(app, person_id) == [FALSE]


def test_own_participants_are_those_of_activities_a_trainer_is_named_in(app: App):
    person_id, _ = awarded(app)
    with app.unit_of_work() as services:
        activity = services.activities.get(app.campus, app.activity.id)
        plan = Plan(trainers={app.admin.id})
        services.activity_plans.amend(app.campus, activity.id, activity, plan, by=Actor(app.admin.id))

    def is_own(by: uuid.UUID) -> bool:
        with app.unit_of_work(reading=True) as services:
            return services.corrections.is_own(app.campus, app.activity.id, person_id, Actor(by))

    assert is_own(app.admin.id)
    assert is_own(app.trainer.id), "who recorded the participation"
    assert not is_own(uuid.uuid4())
    with app.unit_of_work(reading=True) as services, pytest.raises(NotFound):
        services.corrections.is_own(app.campus, app.activity.id, app.stranger.id, Actor(app.trainer.id))
